"""Shares of tasks between thresholds, for any beta distribution."""

import mpmath
import numpy as np
import pytest

from reliability_stats.estimands import Dependable, FlickerMass, Reach
from reliability_stats.estimands.thresholds import beta_cdf, beta_sf

TINY = [1e-300, 1e-150, 1e-16]
PLAIN = [1e-9, 0.01, 1.0, 30.0]


def exact_cdf(a, b, x):
    """P(p <= x), by the hypergeometric series of positive terms."""
    a, b, x = mpmath.mpf(a), mpmath.mpf(b), mpmath.mpf(x)
    if x > mpmath.mpf(1) / 2:
        return 1 - exact_cdf(b, a, 1 - x)
    term = total = mpmath.mpf(1)
    j, ratio = 0, mpmath.inf
    while ratio > 0.999 or term > total * mpmath.eps:
        ratio = (a + b + j) * x / (a + 1 + j)
        term *= ratio
        total += term
        j += 1
    log_beta = mpmath.loggamma(a) + mpmath.loggamma(b) - mpmath.loggamma(a + b)
    return mpmath.exp(a * mpmath.log(x) + b * mpmath.log1p(-x) - mpmath.log(a) - log_beta) * total


@pytest.mark.parametrize("x", [0.1, 0.9])
def test_tails_of_the_beta_distribution(x):
    for a in TINY + PLAIN:
        for b in TINY + PLAIN:
            with mpmath.workdps(480 if min(a, b) < 1e-20 else 60):
                below = exact_cdf(a, b, x)
                below, above = float(below), float(1 - below)
            assert beta_cdf(a, b, x) == pytest.approx(below, rel=1e-11, abs=1e-280), (a, b)
            assert beta_sf(a, b, x) == pytest.approx(above, rel=1e-11, abs=1e-280), (a, b)


@pytest.mark.parametrize("total", [1e8, 1e12, 1e17, 1e20])
@pytest.mark.parametrize("mean", [0.5, 0.9])
def test_nearly_a_point_mass(mean, total):
    """Against numerical integration of the density in 40 digits."""
    a, b = mean * total, (1 - mean) * total
    sd = np.sqrt(mean * (1 - mean) / total)
    # rounding of the mean itself moves z by about 1e-16 sqrt(total)
    slack = 1e-11 + 3e-16 * np.sqrt(total)
    for z in (-1.0, 4.0):
        x = mean + z * sd
        with mpmath.workdps(25):
            top = mpmath.mpf(a - 1) / (mpmath.mpf(a) + b - 2)
            scale = mpmath.sqrt(top * (1 - top) / total)
            height = (a - 1) * mpmath.log(top) + (b - 1) * mpmath.log1p(-top)

            def density(t, a=a, b=b, top=top, scale=scale, height=height):
                p = top + t * scale
                return mpmath.exp((a - 1) * mpmath.log(p) + (b - 1) * mpmath.log1p(-p) - height)

            at = (mpmath.mpf(x) - top) / scale
            below = mpmath.quad(density, mpmath.linspace(-10, at, 5))
            above = mpmath.quad(density, mpmath.linspace(at, 10, 5))
            below, above = float(below / (below + above)), float(above / (below + above))
        assert beta_cdf(a, b, x) == pytest.approx(below, abs=slack)
        assert beta_sf(a, b, x) == pytest.approx(above, abs=slack)
        assert beta_cdf(a, b, x) + beta_sf(a, b, x) == pytest.approx(1.0, abs=1e-12)


@pytest.mark.parametrize("total", [1e12, 1e20, 1e40, 1e100, 1e300])
def test_far_from_a_point_mass_all_is_decided(total):
    for mean in (0.1, 0.5, 0.9):
        for far in (0.05, 0.3, 0.7, 0.95):
            a, b = mean * total, (1 - mean) * total
            assert beta_cdf(a, b, far) == (far > mean)
            assert beta_sf(a, b, far) == (far < mean)


@pytest.mark.parametrize("b", [1e3, 1e8, 1e12, 1e17])
def test_lopsided_parameters_close_to_the_threshold(b):
    for a in (0.5, 3.0, 400.0):
        for share in (0.3, 1.0, 1.1):
            x = share * a / (a + b)
            with mpmath.workdps(60):
                below = float(exact_cdf(a, b, x))
            # SciPy itself is off by 2e-8 here for thresholds of about 1e-8
            assert beta_cdf(a, b, x) == pytest.approx(below, abs=1e-11 if b < 1e6 else 3e-8)


def test_tails_are_continuous_where_methods_meet():
    for total in (1e7 / 0.3, 1e-15):
        a = 0.3 * total * np.array([1 - 1e-9, 1 + 1e-9])
        b = 0.7 * total * np.array([1 - 1e-9, 1 + 1e-9])
        x = 0.3 + 1e-4 if total > 1 else 0.4
        below = beta_cdf(a, b, x)
        assert below[0] == pytest.approx(below[1], abs=1e-8)


@pytest.mark.parametrize(("a", "b"), [(1e-300, 1e300), (1e300, 1e-300), (1e-3, 1e17), (1e-3, 1e19)])
def test_lopsided_parameters_put_all_mass_at_one_end(a, b):
    at_zero = float(a < b)
    assert beta_cdf(a, b, 0.1) == at_zero
    assert beta_sf(a, b, 0.9) == 1 - at_zero
    assert FlickerMass().from_beta(a, b) == pytest.approx(0, abs=1e-300)


def test_many_parameters_at_once():
    a = np.array([[1e-300, 1.0], [2.0, 1e200]])
    values = beta_cdf(a, np.ones((2, 2)), 0.5)
    assert values == pytest.approx(np.array([[1.0, 0.5], [0.25, 0.0]]))
    assert beta_cdf(np.ones(0), np.ones(0), 0.5).shape == (0,)


@pytest.mark.parametrize(
    ("a", "b"), [(1.0, 1.0), (0.3, 0.3), (1e-20, 3e-20), (3.0, 1e8), (2e20, 1e20)]
)
def test_three_shares_make_up_all_tasks(a, b):
    not_shown = 1 - Reach().from_beta(a, b)
    parts = not_shown + FlickerMass().from_beta(a, b) + Dependable().from_beta(a, b)
    assert parts == pytest.approx(1.0, abs=1e-12)


def test_uniform_tasks():
    assert Reach(0.25).from_beta(1, 1) == pytest.approx(0.75)
    assert FlickerMass(0.2, 0.7).from_beta(1, 1) == pytest.approx(0.5)
    assert Dependable(0.6).from_beta(1, 1) == pytest.approx(0.4)


def test_thresholds_belong_to_the_outer_shares():
    p = [0.0, 0.1, np.nextafter(0.1, 1), 0.5, np.nextafter(0.9, 0), 0.9, 1.0]
    assert Reach().kernel(p).tolist() == [0, 0, 1, 1, 1, 1, 1]
    assert FlickerMass().kernel(p).tolist() == [0, 0, 1, 1, 1, 0, 0]
    assert Dependable().kernel(p).tolist() == [0, 0, 0, 0, 0, 1, 1]
    assert FlickerMass().from_p(p) == pytest.approx(3 / 7)


def test_extreme_thresholds():
    p = [0.0, 0.5, 1.0]
    assert Reach(0).from_p(p) == pytest.approx(2 / 3)
    assert Reach(1).from_p(p) == 0
    assert Dependable(0).from_p(p) == 1
    assert Dependable(1).from_p(p) == pytest.approx(1 / 3)
    assert FlickerMass(0, 1).from_p(p) == pytest.approx(1 / 3)
    for a, b in ((0.3, 0.4), (1e-30, 1e-30), (1e30, 1e30)):
        assert Reach(0).from_beta(a, b) == 1
        assert Reach(1).from_beta(a, b) == 0
        assert Dependable(0).from_beta(a, b) == 1
        assert FlickerMass(0, 1).from_beta(a, b) == 1


def test_an_indicator_is_its_own_square():
    for estimand in (Reach(), FlickerMass(), Dependable()):
        assert estimand.square_from_beta(0.3, 0.8) == estimand.from_beta(0.3, 0.8)
        assert np.isnan(estimand.unbiased(np.array([4]), np.array([2]))).all()
        assert np.isnan(estimand.unbiased_square(np.array([4]), np.array([2]))).all()


def test_monotone_shares():
    assert Reach().monotone
    assert Dependable().monotone
    assert not FlickerMass().monotone


def test_an_upper_share_that_is_small_keeps_its_digits():
    assert Dependable().from_beta(1, 400) == pytest.approx(1e-400, abs=1e-300)
    assert Dependable().from_beta(1, 200) == pytest.approx(0.1**200, rel=1e-11)
    assert Reach().from_beta(1e-12, 1.0) == pytest.approx(1e-12 * np.log(10), rel=1e-9)
