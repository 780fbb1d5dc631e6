"""What a number of trials can show by itself."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

import reliability_stats as rs
from reliability_stats.flicker._reference import at_most

# Fewest trials for a posterior of .95 at bounds eps and 1 - eps, under uniform and Jeffreys'
# priors; computed independently.
TABLE = {
    (0.05, "flickering"): (2, 2),
    (0.05, "persistent"): (58, 38),
    (0.10, "flickering"): (4, 4),
    (0.10, "persistent"): (28, 18),
    (0.20, "flickering"): (8, 10),
    (0.20, "persistent"): (13, 9),
}


@pytest.mark.parametrize(("case", "expected"), TABLE.items())
def test_minimal_trials(case, expected):
    eps, state = case
    found = [
        rs.minimal_trials(state, low=eps, high=1 - eps, prior=prior)
        for prior in (None, rs.Beta(0.5, 0.5))
    ]
    assert found == list(expected)
    if state == "persistent":
        assert rs.minimal_trials("not shown", low=eps) == expected[0]


@pytest.mark.parametrize(
    ("low", "high", "prior"),
    [(0.1, 0.9, (1, 1)), (0.02, 0.7, (0.5, 2)), (0.3, 0.4, (1, 1)), (0.0, 0.5, (1, 1))],
)
def test_flicker_by_exhaustive_search(low, high, prior):
    found = rs.minimal_trials("flickering", low=low, high=high, prior=rs.Beta(*prior))
    for n in range(1, found + 1):
        wins = np.arange(n + 1)
        law = stats.beta(prior[0] + wins, prior[1] + n - wins)
        best = (law.cdf(high) - law.cdf(low)).max()
        assert (best >= 0.95) == (n == found)


@pytest.mark.parametrize(
    ("n", "wins"),
    [(4, {2}), (5, {2, 3}), (8, {3, 4, 5}), (10, set(range(3, 8))), (16, set(range(4, 13)))],
)
def test_outcomes_that_show_flicker(n, wins):
    law = stats.beta(1 + np.arange(n + 1), 1 + n - np.arange(n + 1))
    assert set(np.flatnonzero(law.cdf(0.9) - law.cdf(0.1) >= 0.95)) == wins


def test_what_is_not_shown_has_a_bound():
    n = np.array([1, 4, 28, 100])
    assert at_most(np.zeros(4, dtype=int), n) == pytest.approx(1 - 0.05 ** (1 / (n + 1)))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"state": "flickers"}, "state must be one of"),
        ({"state": "persistent", "high": 1.0}, "Ten million trials cannot show"),
        ({"state": "not shown", "low": 0.0}, "Ten million trials cannot show"),
        ({"state": "flickering", "low": 0.5, "high": 0.501}, "too narrow"),
        ({"state": "persistent", "fdr": 0}, "fdr must be above 0"),
        ({"state": "persistent", "prior": 1}, "prior must be Beta"),
    ],
)
def test_wrong_arguments(options, message):
    with pytest.raises(rs.ArgumentError, match=message):
        rs.minimal_trials(**options)
