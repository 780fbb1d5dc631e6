"""Many tasks or many trials: standard errors of designs of one cost."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

import reliability_stats as rs
from reliability_stats.planning import split_budget

KNOWN = (0.64 / 1.5, 0.4)  # Beta(.64, .86)


def test_figures_computed_apart():
    """Standard errors for 400 runs under Beta(.64, .86), computed independently of this package."""
    table = split_budget(KNOWN, budget=400, trials=[1, 2, 3, 4, 5, 8, 10, 20])
    sd = table.set_index(["estimand", "trials"])["sd"]
    mean = {1: 0.0247, 2: 0.0293, 3: 0.0332, 4: 0.0367, 5: 0.0399, 8: 0.0482}
    square = {2: 0.0317, 3: 0.0342, 4: 0.0371, 8: 0.0477}
    again = {2: 0.0422, 3: 0.0398, 4: 0.0406, 5: 0.0422, 8: 0.0478, 10: 0.0514, 20: 0.0675}
    for name, figures in (("success_rate", mean), ("pass^2", square), ("persistence@1", again)):
        for k, figure in figures.items():
            assert sd[name, k] == pytest.approx(figure, abs=6e-5)


def test_variance_of_one_task_by_brute_force():
    wins = np.arange(9)
    pmf = stats.betabinom.pmf(wins, 8, 0.64, 0.86)
    score = np.array([stats.hypergeom.pmf(4, 8, y, 4) for y in wins])
    variance = pmf @ score**2 - (pmf @ score) ** 2
    assert variance == pytest.approx(0.097215, abs=1e-6)
    table = split_budget(KNOWN, budget=80, trials=8, estimands=rs.PassHatK(4))
    assert table["sd"].iloc[0] == pytest.approx(np.sqrt(variance / 10), rel=1e-9)


def test_tasks_that_cost_call_for_more_trials():
    options = {"budget": 3000, "estimands": rs.SuccessRate(), "trials": range(1, 13)}
    free = split_budget(KNOWN, **options).query("best")["trials"].item()
    dear = split_budget(KNOWN, cost_task=20, **options).query("best")["trials"].item()
    assert free == 1
    # sqrt(20 (1 - icc) / icc) = 5.48
    assert dear in (5, 6)


def test_too_few_trials_have_no_standard_error():
    table = split_budget(KNOWN, budget=100, trials=[1, 4], estimands=rs.PassHatK(3))
    assert table["identified"].tolist() == ["no", "yes"]
    assert table["sd"].isna().tolist() == [True, False]
    assert table["best"].tolist() == [False, True]


def test_standard_errors_are_realised():
    rng = np.random.default_rng(5)
    table = split_budget(KNOWN, budget=400, trials=4, estimands=rs.Persistence(1))
    p = rng.beta(0.64, 0.86, (4000, 100))
    y = rng.binomial(4, p)
    values = (y * (y - 1) / 12).mean(axis=1) / (y / 4).mean(axis=1)
    assert values.std() == pytest.approx(table["sd"].iloc[0], rel=0.05)


def test_a_pilot_is_averaged_over():
    pilot = rs.fit(rs.datasets.load("tau-bench-airline-gpt4o"))
    found = split_budget(pilot, budget=200, trials=4)
    near = split_budget((0.43, 0.404), budget=200, trials=4)
    assert found["sd"].to_numpy() == pytest.approx(near["sd"].to_numpy(), rel=0.05)
    assert found.equals(split_budget(pilot, budget=200, trials=4))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"pilot": (0.5, 1.0)}, "a pair"),
        ({"budget": 0}, "budget must be a finite number above 0"),
        ({"budget": 2, "trials": 4}, "does not pay for one task with 4 trials"),
        ({"estimands": rs.FlickerMass()}, "has no unbiased estimate; use plan"),
        ({"cost_task": -1}, "cost_task must be a finite number"),
    ],
)
def test_wrong_arguments(options, message):
    with pytest.raises(rs.ArgumentError, match=message):
        split_budget(**({"pilot": KNOWN, "budget": 100} | options))
