"""The grid mixture's sampler against exact enumeration, known truth and edges."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

import reliability_stats as rs
from reliability_stats.exceptions import ConvergenceWarning
from reliability_stats.inference.gibbs import exchangeable
from tests.inference.enumerate_grid import Exact

QUICK = {"draws": 400, "tune": 200, "ess": 100}


def trials_of(rows):
    n, y, many = np.array(rows).T
    table = {"n": np.repeat(n, many), "successes": np.repeat(y, many)}
    return rs.Trials.from_counts({"task": np.arange(len(table["n"])), **table}, system=None)


def histogram(counts, n):
    return trials_of([(n, y, many) for y, many in enumerate(counts) if many])


TINY = [
    (rs.GridMixture(nodes=5), [(2, 0, 2), (2, 1, 2), (2, 2, 1)]),
    (rs.GridMixture(nodes=6, concentration=5.0, at_zero=0.1, at_one=0.2), [(4, 1, 2), (4, 3, 3)]),
    (rs.GridMixture(nodes=4, at_zero=0.0, at_one=0.5), [(1, 0, 2), (3, 2, 2), (3, 3, 2)]),
    (rs.GridMixture(nodes=5), [(3, 0, 4)]),
]


@pytest.mark.parametrize(("model", "rows"), TINY, ids=range(len(TINY)))
def test_agrees_with_enumeration(model, rows):
    prior = model.concentration * model.base
    keep = prior > 0
    exact = Exact(rows, model.grid[keep], prior[keep])
    trials = trials_of(rows)
    post = rs.fit(trials, model, rng=2, draws=1000, ess=1000)
    wanted = [rs.SuccessRate(), rs.PassHatK(6), rs.FlickerMass(0.3, 0.7), rs.Gap(2)]
    for over in ("population", "observed"):
        table = post.summary(wanted, over=over).set_index("estimand")
        for estimand in wanted:
            mean, sd = getattr(exact, over)(estimand.kernel(model.grid[keep]))
            row = table.loc[estimand.name]
            error = 5 / np.sqrt(row["ess_bulk"])
            assert row["mean"] == pytest.approx(mean, abs=error * sd), (over, estimand)
            assert row["sd"] == pytest.approx(sd, rel=3 * error), (over, estimand)
    cells = post.tasks(low=0.3, high=0.7)
    at = np.append(0, np.cumsum([many for _, _, many in rows]))
    for row in range(len(rows)):
        mass = exact.cell(row)
        found = cells.iloc[at[row]]
        assert found["mean"] == pytest.approx(mass @ model.grid[keep], abs=0.01)
        assert found["p_not_shown"] == pytest.approx(mass[model.grid[keep] <= 0.3].sum(), abs=0.02)
        assert found["p_persistent"] == pytest.approx(mass[model.grid[keep] >= 0.7].sum(), abs=0.02)


def test_draws_agree_with_summaries():
    post = rs.fit(histogram([4, 2, 2, 3, 9], 4), rs.GridMixture(), rng=0, **QUICK)
    wanted = [rs.PassHatK(4), rs.Persistence(1), rs.FlickerMass()]
    for over in ("population", "observed"):
        draws = post.draws(wanted, over=over)
        table = post.summary(wanted, over=over).set_index("estimand")
        for estimand in wanted:
            values = draws[estimand.name]
            assert values.dims == ("chain", "draw", "system")
            assert values.shape == (4, 400, 1)
            sd = table.loc[estimand.name, "sd"]
            assert float(values.mean()) == pytest.approx(
                table.loc[estimand.name, "mean"], abs=0.1 * sd
            )
            assert float(values.std()) == pytest.approx(sd, rel=0.1)


def test_parameters_and_arviz():
    trials = histogram([4, 2, 2, 3, 9], 4)
    post = rs.fit(trials, rs.GridMixture(), rng=0, **QUICK)
    data = post.to_arviz(draws=100, chains=2)["posterior"]
    assert data["p"].shape == (2, 100, 1, 20)
    assert set(data.data_vars) == {"mean", "icc", "p"}
    assert ((data["p"] >= 0) & (data["p"] <= 1)).all()
    cells = post.tasks()
    drawn = data["p"].mean(("chain", "draw")).to_numpy()[0]
    order = [list(trials.counts.tasks).index(task) for task in cells["task"]]
    assert drawn[order] == pytest.approx(cells["mean"].to_numpy(), abs=0.1)
    with pytest.raises(rs.ArgumentError, match="4 chains of 400"):
        post.draws(rs.PassHatK(2), draws=401)
    assert post.log_evidence.isna().all()


def test_is_deterministic_by_seed():
    trials = histogram([3, 2, 1, 4], 3)
    one, same, other = (
        rs.fit(trials, rs.GridMixture(), rng=seed, **QUICK).summary() for seed in (1, 1, 2)
    )
    assert one.equals(same)
    assert not one["mean"].equals(other["mean"])


def test_many_systems_at_once_agree_with_each_alone():
    rows = {"a": [5, 3, 2], "b": [0, 0, 10], "c": [1, 8, 1], "d": [10, 0, 0]}
    table = {
        "system": np.repeat(list(rows), 10),
        "task": np.tile(np.arange(10), 4),
        "n": np.full(40, 2),
        "successes": np.concatenate([np.repeat(np.arange(3), h) for h in rows.values()]),
    }
    together = rs.fit(rs.Trials.from_counts(table), rs.GridMixture(), rng=0, **QUICK).summary(
        [rs.SuccessRate(), rs.FlickerMass()]
    )
    for system, counts in rows.items():
        alone = rs.fit(histogram(counts, 2), rs.GridMixture(), rng=5, **QUICK).summary(
            [rs.SuccessRate(), rs.FlickerMass()]
        )
        mine = together[together["system"] == system]
        assert mine["mean"].to_numpy() == pytest.approx(
            alone["mean"].to_numpy(), abs=0.25 * alone["sd"].max()
        )


def test_all_alike():
    fails, passes = histogram([12], 4), histogram([0, 0, 0, 0, 12], 4)
    low = rs.fit(fails, rs.GridMixture(), rng=0, **QUICK).summary().set_index("estimand")
    high = rs.fit(passes, rs.GridMixture(), rng=0, **QUICK).summary().set_index("estimand")
    assert low.loc["success_rate", "upper"] < 0.25
    assert high.loc["success_rate", "lower"] > 0.75
    assert np.isfinite(low[["mean", "lower", "upper"]].to_numpy()).all()
    assert high.loc["success_rate", "mean"] == pytest.approx(
        1 - low.loc["success_rate", "mean"], abs=0.01
    )


def test_one_task_and_one_trial():
    one = rs.fit(rs.Trials.from_array([[1]]), rs.GridMixture(), rng=0, **QUICK)
    with pytest.warns(rs.IdentifiabilityWarning):
        table = one.summary([rs.SuccessRate(), rs.ICC()])
    # prior mean 1/2; one success of one trial in one task shifts it by Var(E p) / E p
    grid, prior = rs.GridMixture().grid, 2 * rs.GridMixture().base
    exact = Exact([(1, 1, 1)], grid, prior).population(grid)[0]
    assert table["mean"].iloc[0] == pytest.approx(exact, abs=0.02)
    assert table["identified"].tolist() == ["yes", "no"]


def test_cost_and_result_do_not_depend_on_how_tasks_are_placed(monkeypatch):
    """One by one and by multinomial draws: the same posterior."""
    trials = histogram([30, 10, 10, 30], 3)
    wanted = [rs.SuccessRate(), rs.FlickerMass()]
    apart = rs.fit(trials, rs.GridMixture(), rng=0, **QUICK).summary(wanted)
    monkeypatch.setattr("reliability_stats.inference.gibbs.FEW", 0)
    lumped = rs.fit(trials, rs.GridMixture(), rng=0, **QUICK).summary(wanted)
    for column in ("mean", "lower", "upper"):
        gap = np.abs(apart[column] - lumped[column]) / apart["sd"]
        assert (gap < 0.4).all(), column


def test_long_cells_do_not_underflow():
    rows = [(5000, 2520, 1), (5000, 10, 1), (40, 20, 2)]
    post = rs.fit(trials_of(rows), rs.GridMixture(), rng=0, **QUICK)
    cells = post.tasks()
    assert cells["mean"].iloc[:2].to_numpy() == pytest.approx([0.504, 0.002], abs=0.01)
    assert np.isfinite(post.summary(rs.PassHatK(4), over="observed")["mean"]).all()


def test_chains_that_do_not_mix_are_reported():
    big = histogram([140_000, 120_000, 100_000, 40_000, 100_000], 4)
    with pytest.warns(ConvergenceWarning, match="have not mixed.*R-hat"):
        rs.fit(big, rs.GridMixture(), rng=0, draws=100, tune=50, max_thin=1)


def test_coarse_grid_is_reported():
    with pytest.warns(ConvergenceWarning, match=r"50000 trials.*nodes=1001"):
        rs.fit(trials_of([(50_000, 20_000, 4)]), rs.GridMixture(), rng=0, **QUICK)


def test_slow_chains_are_run_on():
    trials = histogram([70, 60, 50, 20, 50], 4)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        short = rs.fit(trials, rs.GridMixture(), rng=0, draws=200, ess=1, max_thin=4)
        long = rs.fit(trials, rs.GridMixture(), rng=0, draws=200, ess=500, max_thin=16)
    assert short.sampler_info["thin"] == 4
    assert long.sampler_info["thin"] in (8, 16)
    assert long.sampler_info["min_ess"] > short.sampler_info["min_ess"]


@pytest.mark.parametrize(
    ("options", "match"),
    [({"draws": 3}, "even"), ({"chains": 0}, "chains"), ({"ess": -1}, "ess")],
)
def test_options_are_checked(options, match):
    with pytest.raises(rs.ArgumentError, match=match):
        rs.fit(histogram([1, 1], 1), rs.GridMixture(), **options)


def test_pairs_are_disjoint():
    for low, high in exchangeable(101):
        both = np.concatenate([low, high])
        assert len(np.unique(both)) == len(both)
        assert both.min() >= 1
        assert both.max() <= 99


def test_reference(airline, reference_grid):
    """Values computed by others with a sampler of their own."""
    post = rs.fit(airline, rs.GridMixture(), rng=0)
    table = post.summary(rs.FlickerMass()).set_index("system")
    for system, (mean, lower, upper) in reference_grid.items():
        found = table.loc[system, ["mean", "lower", "upper"]].tolist()
        assert found == pytest.approx([mean, lower, upper], abs=0.025)


@pytest.fixture
def reference_grid():
    return {"gpt-4o": (0.675, 0.447, 0.877), "gpt-4o ReAct": (0.403, 0.236, 0.603)}
