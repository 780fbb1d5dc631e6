from itertools import product
from math import comb

import numpy as np
import pytest

from reliability_stats.leaderboard import search
from reliability_stats.leaderboard.search import find


def sums(histogram):
    k_max = histogram.shape[-1] - 1
    weights = np.array([[comb(c, k) for c in range(k_max + 1)] for k in range(1, k_max + 1)])
    return histogram @ weights.T


def everything(n_tasks, k_max):
    rows = [h for h in product(range(n_tasks + 1), repeat=k_max + 1) if sum(h) == n_tasks]
    return np.array(rows)


def as_set(histograms):
    return set(map(tuple, histograms.tolist()))


@pytest.mark.parametrize(("n_tasks", "k_max"), [(1, 1), (5, 1), (7, 2), (6, 3), (4, 4), (3, 5)])
def test_agrees_with_trying_everything(n_tasks, k_max):
    rng = np.random.default_rng(n_tasks * 10 + k_max)
    table = everything(n_tasks, k_max)
    values = sums(table)
    some = 0
    for _ in range(60):
        centre = values[rng.integers(len(values))] + rng.integers(-1, 2, size=k_max)
        low = centre - rng.integers(0, 3, size=k_max)
        high = centre + rng.integers(0, 4, size=k_max)
        expected = table[((values >= low) & (values <= high)).all(axis=1)]
        found = find(low, high, n_tasks, most=10**6)
        assert found.complete
        assert len(found.histograms) == len(expected)
        assert as_set(found.histograms) == as_set(expected)
        some += len(expected) > 1
    assert some > 5


def test_blocks_do_not_change_the_answer(monkeypatch):
    histogram = np.array([30, 20, 15, 10, 25])
    low, high = sums(histogram) - 4, sums(histogram) + 4
    whole = find(low, high, 100, most=10**6)
    monkeypatch.setattr(search, "BLOCK", 3)
    parts = find(low, high, 100, most=10**6)
    assert len(whole.histograms) > 100
    assert as_set(whole.histograms) == as_set(parts.histograms)
    assert (sums(whole.histograms) >= low).all()
    assert (sums(whole.histograms) <= high).all()


def test_stops_when_enough_is_known():
    histogram = np.array([30, 20, 15, 10, 25])
    low, high = sums(histogram) - 20, sums(histogram) + 20
    found = find(low, high, 100, most=50)
    assert not found.complete
    assert found.histograms.shape == (50, 5)
    assert (found.histograms.sum(axis=1) == 100).all()


def test_exactly_the_most_is_complete():
    found = find(np.array([1]), np.array([3]), 5, most=3)
    assert found.complete
    assert as_set(found.histograms) == {(4, 1), (3, 2), (2, 3)}


def test_gives_up_on_effort(monkeypatch):
    monkeypatch.setattr(search, "EFFORT", 10)
    histogram = np.array([30, 20, 15, 10, 25])
    found = find(sums(histogram) - 20, sums(histogram) + 20, 100, most=10**9)
    assert not found.complete


def test_empty_range_has_no_solution():
    found = find(np.array([3, 2]), np.array([3, 1]), 5, most=10)
    assert found.complete
    assert found.histograms.shape == (0, 3)


def test_a_million_tasks():
    histogram = np.array([400_000, 100_000, 200_000, 300_000])
    found = find(sums(histogram), sums(histogram), 10**6, most=10)
    assert as_set(found.histograms) == {tuple(histogram.tolist())}
