"""Relations between success rate, pass@k, pass^k, gap and disagreement that hold for any tasks."""

import numpy as np
import pytest

from reliability_stats.estimands import Disagreement, Gap, PassAtK, PassHatK, SuccessRate

RNG = np.random.default_rng(5)
N = RNG.integers(6, 12, size=40)
Y = RNG.binomial(N, RNG.beta(0.4, 0.4, size=40))
WAYS = [
    lambda e: e.from_p(Y / N),
    lambda e: e.from_counts(N, Y),
    lambda e: e.from_beta(0.3, 1e5),
    lambda e: e.from_beta(1e-8, 2e-8),
]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("k", [2, 3, 6])
def test_the_gap_is_capability_minus_reliability(way, k):
    assert way(Gap(k)) == pytest.approx(way(PassAtK(k)) - way(PassHatK(k)), abs=1e-14)


@pytest.mark.parametrize("way", WAYS)
def test_one_trial_knows_no_difference(way):
    rate = way(SuccessRate())
    assert way(PassAtK(1)) == pytest.approx(rate, rel=1e-14)
    assert way(PassHatK(1)) == pytest.approx(rate, rel=1e-14)
    assert way(Disagreement()) == pytest.approx(way(Gap(2)), rel=1e-14)
    assert way(Disagreement()) == pytest.approx(2 * (rate - way(PassHatK(2))), abs=1e-14)


@pytest.mark.parametrize("way", WAYS)
def test_more_trials_need_more_and_offer_more(way):
    every = [way(PassHatK(k)) for k in range(1, 7)]
    some = [way(PassAtK(k)) for k in range(1, 7)]
    assert (np.diff(every) <= 1e-15).all()
    assert (np.diff(some) >= -1e-15).all()


@pytest.mark.parametrize("k", [1, 2, 5, 80])
def test_success_and_failure_are_mirror_images(k):
    a, b = np.array([0.2, 3.0, 1e-9]), np.array([5.0, 0.1, 1e6])
    n, y = np.full(4, 200), np.array([0, 1, 150, 200])
    assert 1 - PassAtK(k).from_beta(a, b) == pytest.approx(PassHatK(k).from_beta(b, a), abs=1e-14)
    assert 1 - PassAtK(k).unbiased(n, y) == pytest.approx(PassHatK(k).unbiased(n, n - y), abs=1e-14)
    if k > 1:
        assert Gap(k).from_beta(a, b) == pytest.approx(Gap(k).from_beta(b, a), rel=1e-13)
        assert Gap(k).unbiased(n, y) == pytest.approx(Gap(k).unbiased(n, n - y), rel=1e-13)


def test_certain_ends_are_exact():
    n = np.full(5, 12)
    assert PassAtK(5).unbiased(n, np.array([0, 8, 9, 11, 12])).tolist()[0] == 0.0
    assert PassAtK(5).unbiased(n, np.array([0, 8, 9, 11, 12])).tolist()[1:] == [1.0] * 4
    assert PassHatK(5).unbiased(n, np.array([0, 3, 4, 4, 12])).tolist() == [0.0] * 4 + [1.0]
    assert Gap(5).unbiased(n, np.array([0, 12, 12, 0, 12])).tolist() == [0.0] * 5
    for estimand in (PassAtK(3), PassHatK(3), SuccessRate()):
        assert estimand.from_p([0.0, 0.0]) == 0.0
        assert estimand.from_p([1.0, 1.0]) == 1.0
    assert Gap(3).from_p([0.0, 1.0]) == 0.0


def test_a_mean_rate_is_never_raised_to_a_power():
    """Half of the tasks always, half never: pass^k stays at one half."""
    assert PassHatK(10).from_p([0.0, 1.0]) == 0.5
    assert PassAtK(10).from_p([0.0, 1.0]) == 0.5
    assert PassHatK(4).from_counts([4, 4], [0, 4]) == 0.5


def test_nearly_a_point_mass_is_the_polynomial():
    a, b = 3e13, 7e13
    assert PassHatK(10).from_beta(a, b) == pytest.approx(0.3**10, rel=1e-11)
    assert PassAtK(1000).from_beta(a, b) == pytest.approx(1.0)
    assert PassHatK(200).from_beta(a, b) == pytest.approx(0.3**200, rel=1e-8)


def test_uniform_tasks_have_simple_moments():
    for k in (1, 2, 64, 65, 10**4, 10**6):
        assert PassHatK(k).from_beta(1, 1) == pytest.approx(1 / (k + 1), rel=1e-12)
        assert PassAtK(k).from_beta(1, 1) == pytest.approx(k / (k + 1), rel=1e-12)
        assert PassHatK(k).square_from_beta(1, 1) == pytest.approx(1 / (2 * k + 1), rel=1e-12)


def test_count_moments_and_the_distribution_of_counts_carry_the_same():
    """With n trials of every task, moments up to n give back the share of each count."""
    from math import comb

    n, shares = 4, np.array([14, 12, 10, 4, 10]) / 50
    y = np.repeat(np.arange(5), [14, 12, 10, 4, 10])
    moments = [1.0, *(PassHatK(k).from_counts(np.full(50, n), y) for k in range(1, n + 1))]
    for c in range(n + 1):
        terms = ((-1) ** j * comb(n - c, j) * moments[c + j] for j in range(n - c + 1))
        assert comb(n, c) * sum(terms) == pytest.approx(shares[c], abs=1e-14)


def test_monotone_means_that_no_success_can_hurt():
    assert PassHatK(3).monotone
    assert PassAtK(3).monotone
    assert SuccessRate().monotone
    assert not Gap(3).monotone
    assert not Disagreement().monotone
