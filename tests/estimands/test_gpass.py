"""Thresholds of G-Pass@k are integers, and its tails are right for any k."""

from fractions import Fraction

import mpmath
import numpy as np
import pytest

from reliability_stats.estimands import Gap, GPassAtK, MeanGPassAtK, PassAtK, PassHatK, ScoreMean


@pytest.mark.parametrize(
    ("k", "tau", "threshold"),
    [
        (25, 0.28, 7),
        (20, 0.55, 11),
        (100, 0.07, 7),
        (100, 0.29, 29),
        (10, 0.1 + 0.2, 3),
        (16, 0.0, 1),
        (16, 1e-12, 1),
        (16, 1.0, 16),
        (16, 0.5, 8),
        (16, 0.500001, 9),
        (3, 0.3333, 1),
        (3, 1 / 3 + 1e-6, 2),
        (7, 0.99, 7),
        (10**6, 0.999999, 999_999),
        (10**8, 0.28, 28_000_000),
        (25, np.float64(0.28), 7),
        (25, np.float32(0.28), 7),
        (6, np.float32(5 / 6), 5),
        (25, Fraction(7, 25), 7),
    ],
)
def test_thresholds_are_integers(k, tau, threshold):
    assert GPassAtK(k, tau).threshold == threshold


def test_every_share_of_up_to_200_trials_is_met_exactly():
    for k in range(1, 201):
        for i in range(k + 1):
            exact = max(1, i)
            assert GPassAtK(k, i / k).threshold == exact
            assert GPassAtK(k, i * (1 / k)).threshold == exact
        for percent in range(101):
            tau = Fraction(percent, 100)
            exact = max(1, -(-tau * k // 1))
            assert (
                GPassAtK(k, float(f"0.{percent:02d}") if percent < 100 else 1.0).threshold == exact
            )


def test_ends_are_any_and_all():
    n, y = np.full(9, 8), np.arange(9)
    for k in (1, 4, 8):
        for low, high in ((0.0, 1.0), (1 / k, 1)):
            assert GPassAtK(k, low).unbiased(n, y) == pytest.approx(
                PassAtK(k).unbiased(n, y), rel=1e-13
            )
            assert GPassAtK(k, high).unbiased(n, y) == pytest.approx(
                PassHatK(k).unbiased(n, y), rel=1e-13
            )
    for k in (100, 10**4):
        assert GPassAtK(k, 0).from_beta(0.3, 2.0) == pytest.approx(
            PassAtK(k).from_beta(0.3, 2.0), rel=1e-12
        )
        assert GPassAtK(k, 1).from_beta(3.0, 0.2) == pytest.approx(
            PassHatK(k).from_beta(3.0, 0.2), rel=1e-12
        )


@pytest.mark.parametrize("k", [2, 3, 8, 15, 16])
def test_the_mean_is_over_thresholds_above_one_half(k):
    tails = [GPassAtK(k, i / k) for i in range(-(-k // 2) + 1, k + 1)]
    mean = MeanGPassAtK(k)
    p, (a, b) = np.linspace(0, 1, 9), (0.4, 0.3)
    n, y = np.full(4, 20), np.array([0, 9, 17, 20])
    for way in (
        lambda e: e.kernel(p),
        lambda e: e.from_beta(a, b),
        lambda e: e.unbiased(n, y),
    ):
        assert way(mean) == pytest.approx(2 / k * sum(way(tail) for tail in tails), rel=1e-12)


def test_a_perfect_system_reaches_the_highest_mean():
    for k in (2, 4, 64):
        assert MeanGPassAtK(k).from_p([1.0]) == pytest.approx(1.0)
    for k in (1, 3, 65):
        assert MeanGPassAtK(k).from_p([1.0]) == pytest.approx(1 - 1 / k)


def test_one_trial_is_enough_for_no_threshold_above_one_half():
    assert MeanGPassAtK(1).from_counts([3], [3]) == 0.0
    assert MeanGPassAtK(1).from_beta(2.0, 1.0) == 0.0


def test_means_lie_between_the_thresholds_they_average():
    a, b = np.array([0.2, 1.0, 5.0]), np.array([0.2, 2.0, 0.3])
    low, high = GPassAtK(16, 1).from_beta(a, b), GPassAtK(16, 0.5).from_beta(a, b)
    mean = MeanGPassAtK(16).from_beta(a, b)
    assert ((low <= mean) & (mean <= high)).all()


@pytest.mark.parametrize("k", [40, 1001, 10**5])
@pytest.mark.parametrize(
    "make", [lambda k: GPassAtK(k, 0.5), lambda k: GPassAtK(k, 0.013), MeanGPassAtK]
)
def test_binomial_tails_equal_the_walk(make, k):
    estimand = make(k)
    p = np.array([0.0, 0.012, 0.3, 0.499, 0.5, 0.51, 0.9, 1.0])
    walked = ScoreMean.kernel(estimand, p)
    assert estimand.kernel(p) == pytest.approx(walked, rel=1e-9, abs=1e-14)


def test_many_trials_of_many_tasks_take_no_memory_for_each_count():
    n, y = np.full(2000, 200_000), np.linspace(0, 200_000, 2000).astype(int)
    values = GPassAtK(100_000, 0.5).unbiased(n, y)  # all chances at once would be 1.6 GB
    assert (np.diff(values) >= -1e-14).all()
    assert (values[0], values[-1]) == (0.0, 1.0)
    assert np.interp(100_000, y, values) == pytest.approx(0.5, abs=0.01)
    assert np.isnan(GPassAtK(200_001, 0.5).unbiased(n[:1], y[:1])).all()


@pytest.mark.parametrize("y", [333_333, 499_000, 500_000, 501_000])
def test_hypergeometric_tails_of_a_million(y):
    """Against ratios of neighbouring chances in 40 digits, from the likeliest number outwards."""
    n, k = 10**6, 1000
    with mpmath.workdps(40):
        mode = (k + 1) * (y + 1) // (n + 2)
        total, tail = mpmath.mpf(0), mpmath.mpf(0)
        for step in (1, -1):
            x, chance = mode, mpmath.mpf(1)
            while 0 <= x <= k:
                if step == 1 or x != mode:
                    total += chance
                    tail += chance if x >= k // 2 else 0
                up, down = (k - x) * (y - x), (x + 1) * (n - y - k + x + 1)
                if step == -1:
                    up, down = x * (n - y - k + x), (k - x + 1) * (y - x + 1)
                chance *= mpmath.mpf(up) / down
                x += step
    value = GPassAtK(k, 0.5).unbiased(np.array([n]), np.array([y]))[0]
    assert value == pytest.approx(float(tail / total), rel=1e-12)


@pytest.mark.parametrize("k", [10**4, 10**6])
def test_uniform_tasks_have_equally_likely_counts(k):
    assert GPassAtK(k, 0.25).from_beta(1, 1) == pytest.approx((0.75 * k + 1) / (k + 1), rel=1e-11)
    mean = sum(range(k // 2 + 1)) / (k // 2) / (k + 1)
    assert MeanGPassAtK(k).from_beta(1, 1) == pytest.approx(mean, rel=1e-11)


def test_squares_of_a_thousand_trials():
    """For one known p, E[g(p)^2] is g(p)^2; Beta(a, b) with huge a and b is nearly that."""
    estimand = GPassAtK(1000, 0.5)
    g = float(estimand.kernel(0.51))
    assert estimand.square_from_beta(0.51e13, 0.49e13) == pytest.approx(g**2, rel=1e-8)
    assert estimand.square_from_beta(1, 1) == pytest.approx(
        0.5 - 1 / np.sqrt(np.pi * 4000), abs=2e-3
    )


def test_more_is_required_in_order():
    a, b = 0.6, 0.4
    values = [GPassAtK(8, i / 8).from_beta(a, b) for i in range(1, 9)]
    assert (np.diff(values) < 0).all()
    assert values[0] - values[-1] == pytest.approx(Gap(8).from_beta(a, b), rel=1e-12)
