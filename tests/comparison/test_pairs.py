import numpy as np
import pytest
from scipy import stats

import reliability_stats as rs
from reliability_stats.exceptions import (
    ArgumentError,
    ExclusionWarning,
    IdentifiabilityWarning,
    ReliabilityStatsWarning,
    TrialDataError,
)

GPT4O = np.repeat(np.arange(5), (14, 12, 10, 4, 10))


def row(result, estimand, system=None):
    frame = result.frame[result.frame["estimand"] == estimand]
    if system is not None:
        frame = frame[frame["system"] == system]
    assert len(frame) == 1
    return frame.iloc[0]


def test_capability_and_reliability_stand_side_by_side(three):
    for asked in (None, rs.PassHatK(8), rs.PassAtK(8), rs.Gap(8), [rs.Persistence(7)]):
        with pytest.warns(ReliabilityStatsWarning, match="hard for"):
            frame = rs.compare(three, asked).frame
        assert {"capability", "reliability"} <= set(frame["axis"])
        assert {"pass@8"} <= set(frame["estimand"])


def test_independent_posteriors_agree_with_the_worked_figures(airline):
    post = rs.fit(airline)
    asked = [rs.PassHatK(1), rs.PassAtK(4), rs.PassHatK(4), rs.PassHatK(8), rs.Persistence(1)]
    result = rs.compare(post, [*asked, rs.FlickerMass()], draws=200_000)
    # 2-D trapezoid on a grid of 401 x 401 nodes, all pairs of nodes compared
    exact = {
        "pass^1": 0.92499,
        "pass@4": 0.98662,
        "pass^4": 0.54025,
        "pass^8": 0.39276,
        "persistence@1": 0.22935,
        "flicker_mass": 0.98206,
    }
    for name, value in exact.items():
        assert row(result, name)["p_greater"] == pytest.approx(value, abs=0.004), name
    assert (result.frame["pairing"] == "independent posteriors").all()
    assert (result.frame["n_shared"] == 0).all()
    assert row(result, "pass^8")["identified"] == "model"
    summary = post.summary(rs.PassAtK(4)).set_index("system")
    first, second = (summary.loc[name] for name in post.systems)
    assert row(result, "pass@4")["mean"] == pytest.approx(first["mean"] - second["mean"])
    assert row(result, "pass@4")["sd"] == pytest.approx(np.hypot(first["sd"], second["sd"]))


def test_bootstrap_sd_of_a_mean_is_in_closed_form(counts_of):
    # Against a system that never succeeds, the difference is the system's own pass^2.
    result = rs.compare(counts_of(4, a=GPT4O, b=0 * GPT4O), [rs.PassHatK(2), rs.PassAtK(2)])
    found = row(result, "pass^2")
    assert found["mean"] == pytest.approx(0.273333, abs=1e-6)
    assert found["sd"] == pytest.approx(0.0543851, abs=1e-7)
    assert found["lower"] > 0.1
    assert found["upper"] < 0.45


def test_t_test_is_that_of_scipy(counts_of):
    rng = np.random.default_rng(1)
    a, b = rng.integers(0, 5, (2, 40))
    result = rs.compare(counts_of(4, a=a, b=b), [rs.SuccessRate(), rs.PassHatK(2)])
    for name, value in (("success_rate", lambda c: c / 4), ("pass^2", lambda c: c * (c - 1) / 12)):
        expected = stats.ttest_rel(value(a), value(b)).pvalue
        assert row(result, name)["p_value"] == pytest.approx(expected)
        # the one-sided p value and P(A > B) say nearly the same
        side = expected / 2 if row(result, name)["mean"] < 0 else 1 - expected / 2
        assert row(result, name)["p_greater"] == pytest.approx(side, abs=0.03)


def test_permutation_test_goes_through_all_exchanges_of_few_tasks(counts_of):
    result = rs.compare(counts_of(4, a=[4] * 5, b=[0] * 5), rs.SuccessRate(), test="permutation")
    assert row(result, "success_rate")["p_value"] == pytest.approx(2 / 2**5)
    assert np.isnan(row(result, "success_rate")["sd"])
    rng = np.random.default_rng(3)
    a, b = rng.integers(0, 5, (2, 40))
    trials = counts_of(4, a=a, b=b)
    asked = [rs.SuccessRate(), rs.Persistence(1)]
    permuted = rs.compare(trials, asked, test="permutation", rng=1).frame["p_value"]
    student = rs.compare(trials, asked).frame["p_value"]
    np.testing.assert_allclose(permuted, student, atol=0.05)
    assert rs.compare(trials, asked, test="none").frame["p_value"].isna().all()


def test_p_values_are_adjusted_for_all_pairs_of_an_estimand(ladder):
    frame = rs.compare(ladder, [rs.PassAtK(4), rs.PassHatK(4)]).frame
    for _, part in frame.groupby("estimand"):
        p = part["p_value"].to_numpy()
        np.testing.assert_allclose(part["p_bh"], stats.false_discovery_control(p))
        order = np.argsort(p)
        holm = np.minimum(np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1)), 1)
        np.testing.assert_allclose(part["p_holm"].to_numpy()[order], holm)


def test_pairing_narrows_intervals_of_like_systems(ladder):
    asked = [rs.PassAtK(4), rs.PassHatK(4)]
    paired = rs.compare(ladder, asked, baseline="s3").frame
    apart = rs.compare(rs.fit(ladder), asked, baseline="s3").frame
    assert (paired["correlation"] > 0.2).all()
    near = paired["system"].isin(["s2", "s4"]).to_numpy()
    ratio = (paired["upper"] - paired["lower"]) / (apart["upper"] - apart["lower"])
    assert (ratio[near] < 0.9).all()
    np.testing.assert_allclose(paired["correlation"], apart["correlation"])


def test_one_differing_task_of_many_is_no_proof(counts_of):
    wins = np.repeat([0, 4], 40)
    more = wins.copy()
    more[0] = 4
    found = row(rs.compare(counts_of(4, a=more, b=wins), rs.SuccessRate()), "success_rate")
    assert found["p_greater"] == pytest.approx(0.75, abs=0.02)
    assert found["lower"] < 0 < found["upper"]


def test_equal_systems_are_even(counts_of):
    found = row(rs.compare(counts_of(4, a=GPT4O, b=GPT4O), rs.SuccessRate()), "success_rate")
    assert found["mean"] == 0
    assert np.isnan(found["sd"])
    assert found["p_greater"] == pytest.approx(0.5, abs=0.02)
    assert np.isnan(found["p_value"])


def test_one_task_leaves_nearly_everything_open(counts_of):
    found = row(rs.compare(counts_of(4, a=[4], b=[0]), rs.SuccessRate()), "success_rate")
    assert found["mean"] == 1
    assert found["p_greater"] == pytest.approx(0.75, abs=0.02)
    assert found["lower"] < -0.8


def test_margin_splits_the_probability(counts_of):
    rng = np.random.default_rng(2)
    trials = counts_of(4, a=rng.integers(0, 5, 60), b=rng.integers(0, 5, 60))
    for data in (trials, rs.fit(trials)):
        there = rs.compare(data, baseline="b", margin=0.1).frame
        back = rs.compare(data, baseline="a", margin=0.1).frame
        total = (
            there["p_greater_by_margin"]
            + there["p_equivalent"]
            + back["p_greater_by_margin"].to_numpy()
        )
        np.testing.assert_allclose(total, 1, atol=0.02)
        np.testing.assert_allclose(there["mean"], -back["mean"])
        assert (there["p_greater"] >= there["p_greater_by_margin"]).all()


def test_only_shared_tasks_are_compared_without_a_model():
    table = {
        "system": ["a"] * 4 + ["b"] * 4,
        "task": [1, 2, 3, 4, 3, 4, 5, 6],
        "n": 2,
        "successes": [2, 2, 1, 0, 1, 0, 0, 0],
    }
    table = {key: value if isinstance(value, list) else [value] * 8 for key, value in table.items()}
    trials = rs.Trials.from_counts(table)
    found = row(rs.compare(trials, rs.PassHatK(2)), "pass^2")
    assert (found["n_shared"], found["n_system"], found["n_baseline"]) == (2, 4, 4)
    assert found["mean"] == 0
    with pytest.warns(ExclusionWarning, match="Only 2 of 6 tasks"):
        rs.compare(rs.fit(trials), over="observed")


def test_no_shared_task_gives_no_answer(airline):
    with pytest.warns(IdentifiabilityWarning, match="No unbiased estimate"):
        frame = rs.compare(airline).frame
    assert frame[["mean", "sd", "lower", "upper", "p_greater", "p_value"]].isna().all(axis=None)
    assert (frame["interval"] == "none").all()
    assert (frame["n_shared"] == 0).all()


def test_persistence_of_a_system_that_never_succeeds_is_not_invented(counts_of):
    with pytest.warns(IdentifiabilityWarning, match="persistence@1 of 'b'"):
        result = rs.compare(counts_of(4, a=GPT4O, b=0 * GPT4O), rs.Persistence(1))
    assert np.isnan(row(result, "persistence@1")["p_greater"])
    assert row(result, "pass@2")["p_greater"] > 0.99


def test_single_trials_say_nothing_of_repetition(counts_of):
    trials = counts_of(1, a=[1, 0, 1, 1], b=[0, 0, 1, 1])
    with pytest.warns(IdentifiabilityWarning, match=r"pass\^2"):
        result = rs.compare(trials, rs.SuccessRate())
    assert row(result, "success_rate")["mean"] == 0.25
    assert row(result, "pass^2")["identified"] == "no"
    with pytest.warns(IdentifiabilityWarning, match="not identified"):
        assert "? not identified" in repr(rs.compare(rs.fit(trials)))


def test_opposed_tasks_are_warned_of(counts_of):
    wins = np.tile([4, 3, 1, 0], 10)
    trials = counts_of(4, a=wins, b=4 - wins)
    with pytest.warns(ReliabilityStatsWarning, match="easy for 'a' are hard for 'b'"):
        rs.compare(rs.fit(trials))
    rs.compare(rs.fit(trials), over="observed")
    rs.compare(trials)


def test_million_tasks(counts_of):
    rng = np.random.default_rng(0)
    p = rng.random(1_000_000)
    simulation = rs.simulate(np.stack([p, p**1.01]), trials=4, systems=["a", "b"], rng=1)
    found = row(rs.compare(simulation.trials, rs.PassHatK(4), draws=500), "pass^4")
    assert found["n_shared"] == 1_000_000
    assert found["p_greater"] > 0.95
    assert found["mean"] == pytest.approx(1 / 5 - 1 / 5.04, abs=0.002)


def test_wrong_arguments_are_refused(ladder, counts_of):
    with pytest.raises(ArgumentError, match=r"no system 'S1'.*did you mean 's1'"):
        rs.compare(ladder, baseline="S1")
    with pytest.raises(ArgumentError, match="comparing needs two"):
        rs.compare(counts_of(4, a=[1, 2]))
    with pytest.raises(ArgumentError, match=r"fit\(trials\)"):
        rs.compare(ladder, over="observed")
    with pytest.raises(ArgumentError, match="takes a Posterior"):
        rs.compare([1, 2])
    with pytest.raises(ArgumentError, match="margin"):
        rs.compare(ladder, margin=-0.1)
    with pytest.raises(ArgumentError, match="test must be one of"):
        rs.compare(ladder, test="z")
    table = {"system": ["a", "a", "b"], "task": [1, 1, 1], "success": [1, None, 0]}
    open_ended = rs.Trials.from_frame(table, missing="bounds")
    with pytest.raises(TrialDataError, match="see both ends"):
        rs.compare(open_ended)


def test_same_seed_same_answer(ladder):
    one, two = (rs.compare(ladder, rng=3).frame for _ in range(2))
    assert one.equals(two)


def test_it_prints_each_pair_on_one_line(ladder):
    text = repr(rs.compare(ladder, baseline="s0", margin=0.05))
    lines = text.splitlines()
    assert sum(" - s0" in line for line in lines) == 5
    assert "capability: pass@5" in text
    assert "reliability: pass^5" in text
    assert "P(within 0.05)" in text
    assert "1.000" not in text


def test_names_with_markup_are_escaped(counts_of):
    trials = counts_of(4, **{"<b>&x": GPT4O, 'y, "z"\n': GPT4O[::-1]})
    html = rs.compare(trials)._repr_html_()
    assert "<b>" not in html
    assert "&lt;b&gt;&amp;x" in html


def test_conditions_are_compared_like_systems():
    rng = np.random.default_rng(0)
    table = {
        "system": ["a"] * 80,
        "task": np.tile(np.arange(20), 4),
        "condition": np.repeat(["plain", "noisy"], 40),
        "success": rng.random(80) < np.repeat([0.8, 0.3], 40),
    }
    frame = rs.compare(rs.Trials.from_frame(table, condition="condition")).frame
    assert frame["system"].iloc[0] == "a [noisy]"
    assert (frame["mean"] < 0).all()


def test_equal_tasks_are_found_alike_however_large_the_counts():
    from reliability_stats.comparison.shared_tasks import Table

    rng = np.random.default_rng(0)
    n = rng.integers(1, 3, (2, 30))
    wins = rng.integers(0, n + 1)
    small = Table(n, wins).shared([0, 1])
    large = Table(n * 10**17, wins * 10**17).shared([0, 1])
    np.testing.assert_array_equal(small.n * 10**17, large.n)
    np.testing.assert_array_equal(small.successes * 10**17, large.successes)
    np.testing.assert_array_equal(small.tasks, large.tasks)
    assert small.n_tasks == 30
