"""The Bayesian false discovery rate."""

from __future__ import annotations

import numpy as np
import pytest

from reliability_stats.flicker._fdr import discoveries


def test_ties_go_together():
    wrong = np.repeat([0.024, 0.092, 0.134], [10, 4, 12])
    found = discoveries(wrong, np.zeros(26, dtype=int), 0.05)
    assert found.tolist() == [True] * 14 + [False] * 12


def test_families_do_not_lend_to_one_another():
    wrong, family = np.array([0.0, 0.09, 0.09, 0.2]), np.array([0, 0, 1, 1])
    assert discoveries(wrong, family, 0.05).tolist() == [True, True, False, False]


def test_a_worse_prefix_may_be_followed_by_nothing():
    assert not discoveries(np.array([0.06, 0.2, np.nan]), np.zeros(3, dtype=int), 0.05).any()
    assert not discoveries(np.array([np.nan]), np.zeros(1, dtype=int), 0.05).any()


@pytest.mark.parametrize("seed", range(5))
def test_is_the_largest_set(seed):
    rng = np.random.default_rng(seed)
    wrong, family = rng.beta(1, 4, 200), rng.integers(3, size=200)
    found = discoveries(wrong, family, 0.1)
    for f in range(3):
        own = np.sort(wrong[family == f])
        means = np.cumsum(own) / np.arange(1, len(own) + 1)
        assert found[family == f].sum() == np.flatnonzero(means <= 0.1).max() + 1
