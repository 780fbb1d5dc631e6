import numpy as np
import pytest

import reliability_stats as rs
from reliability_stats.comparison.ranking import bands, partial_order, ranks_of
from reliability_stats.exceptions import (
    ArgumentError,
    ExclusionWarning,
    IdentifiabilityWarning,
    TrialDataError,
)


def test_both_axes_are_ranked_whichever_is_asked_for(ladder):
    for asked in (None, rs.PassHatK(5), rs.PassAtK(5), rs.ICC()):
        assert {"capability", "reliability"} <= set(rs.rank(ladder, asked).frame["axis"])


def test_ranks_follow_from_draws(ladder):
    post = rs.fit(ladder)
    ranking = rs.rank(post, [rs.PassAtK(5), rs.PassHatK(5)])
    draws = post.draws(rs.PassHatK(5), draws=5000).to_numpy().reshape(-1, 6)
    places = (-draws).argsort(axis=1).argsort(axis=1) + 1
    mine = ranking.frame[ranking.frame["estimand"] == "pass^5"]
    np.testing.assert_allclose(mine["p_best"], (places == 1).mean(axis=0))
    np.testing.assert_allclose(mine["expected_rank"], places.mean(axis=0))
    for unit in range(6):
        inside = (places[:, unit] >= mine["lower"].iloc[unit]) & (
            places[:, unit] <= mine["upper"].iloc[unit]
        )
        assert inside.mean() >= 0.95
    table = ranking.probabilities.groupby(["estimand", "system"])["probability"].sum()
    np.testing.assert_allclose(table, 1)
    by_rank = ranking.probabilities.groupby(["estimand", "rank"])["probability"].sum()
    np.testing.assert_allclose(by_rank, 1)


def test_top_adds_up(ladder):
    ranking = rs.rank(ladder)
    for m in (1, 2, 6, 9):
        top = ranking.top(m)
        sums = top.groupby("estimand")["p_top"].sum()
        np.testing.assert_allclose(sums, min(m, 6))
    np.testing.assert_allclose(ranking.top(1)["p_top"], ranking.frame["p_best"])
    with pytest.raises(ArgumentError, match="m must be an integer"):
        ranking.top(0)


def test_order_and_bands(ladder):
    ranking = rs.rank(ladder, [rs.PassAtK(5), rs.PassHatK(5)], fdr=0.05)
    assert (ranking.order["probability"] >= 0.95).all()
    frame = ranking.frame.set_index(["estimand", "system"])
    for edge in ranking.order.itertuples():
        assert (
            frame.loc[(edge.estimand, edge.better), "band"]
            < (frame.loc[(edge.estimand, edge.worse), "band"])
        )
    best = frame.xs("s5", level="system")
    worst = frame.xs("s0", level="system")
    assert (best["rank"] < worst["rank"]).all()
    assert len(ranking.order) > 10


def test_partial_order_never_contradicts_itself():
    rng = np.random.default_rng(1)
    for _ in range(50):
        values = rng.normal(rng.normal(0, 0.5, 9), rng.uniform(0.1, 1, 9), (300, 9))
        better, worse, p = partial_order(values, 0.05)
        edges = np.zeros((9, 9), dtype=bool)
        edges[better, worse] = True
        assert not (edges & edges.T).any()
        assert not ((edges.astype(int) @ edges > 0) & ~edges).any()
        assert (p >= 0.95).all()
        level = bands(9, better, worse)
        assert (level[better] < level[worse]).all()


def test_weaker_link_is_dropped():
    # a > b in 96%, b > c in 95%, a > c in 91% of the draws
    values = np.zeros((100, 3))
    values[:] = [3, 2, 1]
    values[:4] = [0.5, 2, 1]
    values[4:9] = [2.5, 2, 3]
    better, worse, p = partial_order(values, 0.05)
    assert list(zip(better.tolist(), worse.tolist(), p.tolist(), strict=True)) == [(0, 1, 0.96)]


def test_ties_are_broken_at_random():
    ranks = ranks_of(np.zeros((4000, 4)), np.random.default_rng(0))
    np.testing.assert_allclose(ranks.mean(axis=0), 2.5, atol=0.1)
    assert (np.sort(ranks, axis=1) == [1, 2, 3, 4]).all()


def test_one_system_is_first(counts_of):
    trials = counts_of(4, a=[1, 2, 3])
    for data in (trials, rs.fit(trials)):
        frame = rs.rank(data).frame
        assert (frame["rank"] == 1).all()
        assert (frame["p_best"] == 1).all()
        assert rs.rank(data).order.empty


def test_a_system_without_an_estimate_has_no_rank(counts_of):
    trials = counts_of(4, a=[1, 2, 4, 4], b=[0, 0, 0, 0], c=[4, 4, 4, 2])
    with pytest.warns(IdentifiabilityWarning, match="persistence@1 of 'b'"):
        ranking = rs.rank(trials, rs.Persistence(1))
    frame = ranking.frame[ranking.frame["estimand"] == "persistence@1"].set_index("system")
    assert np.isnan(frame.loc["b", "rank"])
    assert sorted(frame.loc[["a", "c"], "rank"]) == [1, 2]
    assert "b" in repr(ranking)
    top = ranking.top(1).set_index(["estimand", "system"])["p_top"]
    assert np.isnan(top["persistence@1", "b"])


def test_tasks_that_not_all_ran_are_left_out(counts_of):
    table = {"system": ["a", "a", "b", "b", "b"], "task": [1, 2, 1, 2, 3]}
    trials = rs.Trials.from_counts(table | {"n": [3] * 5, "successes": [3, 2, 1, 1, 0]})
    with pytest.warns(ExclusionWarning, match="1 of 3 tasks"):
        rs.rank(trials)
    apart = {"system": ["a", "b"], "task": [1, 2], "n": [3, 3], "successes": [1, 2]}
    with pytest.raises(TrialDataError, match="No task was run by all"):
        rs.rank(rs.Trials.from_counts(apart))


@pytest.mark.parametrize("fdr", [0, 0.5, -1, "5%"])
def test_fdr_is_checked(ladder, fdr):
    with pytest.raises(ArgumentError, match="fdr"):
        rs.rank(ladder, fdr=fdr)


def test_it_prints_both_axes(ladder):
    text = repr(rs.rank(ladder))
    assert "capability: pass@5" in text
    assert "reliability: pass^5" in text
    assert "of 15 pairs" in text
    assert rs.rank(ladder)._repr_html_().startswith("<pre>")


def test_single_runs_rank_on_the_score_alone():
    outcomes = (
        np.random.default_rng(1).random((3, 40, 1)) < np.array([0.3, 0.5, 0.9])[:, None, None]
    )
    with pytest.warns(rs.IdentifiabilityWarning):
        found = rs.rank(rs.Trials.from_array(outcomes), rs.SuccessRate(), draws=200)
    ranks = found.frame.set_index(["estimand", "system"])["rank"]
    assert ranks["success_rate"].notna().all()
    assert ranks["pass^2"].isna().all()
    assert "system 2" in repr(found)


@pytest.mark.filterwarnings("ignore::reliability_stats.IdentifiabilityWarning")
def test_many_systems_with_single_trials():
    outcomes = np.random.default_rng(1).random((70, 30, 1)) < np.linspace(0, 1, 70)[:, None, None]
    outcomes[:20] = False
    found = rs.rank(rs.Trials.from_array(outcomes), rs.SuccessRate(), draws=100).frame
    means = found.loc[found["estimand"] == "success_rate", "mean"].to_numpy()
    assert means == pytest.approx(outcomes.mean(axis=(1, 2)))
