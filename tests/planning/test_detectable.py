"""Detectable differences: Miller's figures, the noncentral t, and what simulations reach."""

from __future__ import annotations

import math

import numpy as np
import pytest
from statsmodels.stats.power import TTestPower

import reliability_stats as rs
from reliability_stats.planning import detectable_difference, tasks_needed


def test_millers_figures():
    # Miller (2024), arXiv:2411.00640: "about 969" questions; 13.2% and 7.5% (13.27% and 7.57%)
    assert tasks_needed(0.03, 1 / 9, 1 / 3, trials=math.inf) == 969
    found = detectable_difference(1 / 9, 1 / 3, tasks=198, trials=[1, 10])
    assert found == pytest.approx([0.132733, 0.075670], abs=1e-6)


def test_one_undoes_the_other():
    n = tasks_needed(0.05, 0.1, 0.2, trials=4, power=0.9)
    assert detectable_difference(0.1, 0.2, tasks=n, trials=4, power=0.9) <= 0.05
    assert detectable_difference(0.1, 0.2, tasks=n - 1, trials=4, power=0.9) > 0.05


def test_agrees_with_the_t_test_of_statsmodels():
    gap = detectable_difference(0.1, 0.2, tasks=500, trials=2)
    power = TTestPower().power(gap / np.sqrt(0.2), nobs=500, alpha=0.05)
    assert power == pytest.approx(0.8, abs=0.003)


def test_nothing_to_tell_apart():
    assert tasks_needed(0.1, 0.0, 0.0) == 2
    assert detectable_difference(0.0, 0.0, tasks=10) == 0.0


@pytest.mark.parametrize(
    ("function", "arguments", "options", "message"),
    [
        (detectable_difference, (-1, 1), {"tasks": 5}, "between must be a finite variance"),
        (detectable_difference, (1, [1, np.nan]), {"tasks": 5}, "within must be a finite"),
        (detectable_difference, (1, 1), {"tasks": 0}, "tasks must be at least 1"),
        (detectable_difference, (1, 1), {"tasks": 5, "trials": 0.5}, "trials must be at least 1"),
        (detectable_difference, (1, 1), {"tasks": 5, "power": 1.0}, "power must be a number"),
        (tasks_needed, (0, 1, 1), {}, "difference must be a positive number"),
    ],
)
def test_wrong_arguments(function, arguments, options, message):
    with pytest.raises(rs.ArgumentError, match=message):
        function(*arguments, **options)
