"""Compressed sums over trials against the sums themselves."""

import mpmath
import numpy as np
import pytest

from reliability_stats._numerics import EXACT, _gauss_sums, step_nodes, sum_rule


def log_sum(c, e, terms):
    """Sum of log(c + j e) for j < terms, to 40 digits."""
    with mpmath.workdps(40):
        c, e = mpmath.mpf(c), mpmath.mpf(e)
        if terms <= 200:
            return float(mpmath.fsum(mpmath.log(c + j * e) for j in range(terms)))
        whole = mpmath.loggamma(c / e + terms) - mpmath.loggamma(c / e)
        return float(terms * mpmath.log(e) + whole)


@pytest.mark.parametrize("size", [1, 2, 5, 12, 13, 40, 1000, 10**6])
def test_gaussian_sums_are_exact_for_polynomials(size):
    (nodes,), (weights,) = _gauss_sums(np.array([size]), 12)
    middle = (size - 1) / 2
    for power in range(0, 24, 2):
        if size > 1000:
            # Faulhaber: sum of (j - middle)^m tends to size^(m + 1) / ((m + 1) 2^m)
            exact, tolerance = size ** (power + 1) / ((power + 1) * 2**power), 1e-9
        else:
            exact = float(sum((2 * j - size + 1) ** power for j in range(size))) / 2**power
            tolerance = 1e-12
        assert weights @ (nodes - middle) ** power == pytest.approx(exact, rel=tolerance)
        assert weights @ (nodes - middle) ** (power + 1) == pytest.approx(
            0, abs=1e-9 * exact * middle + 1e-12
        )


def test_few_terms_are_their_own_rule():
    assert sum_rule(0) == ()
    assert sum_rule(3) == ((0.0, 1.0), (1.0, 1.0), (2.0, 1.0))
    assert sum_rule(EXACT) == tuple((float(j), 1.0) for j in range(EXACT))


@pytest.mark.parametrize("terms", [1, EXACT, EXACT + 1, 77, 100, 129, 1000, 54321, 10**6])
@pytest.mark.parametrize("scale", [1e-300, 1e-3, 1.0, 50.0, 1e6, 1e15])
def test_sum_rule_sums_analytic_functions(terms, scale):
    got = sum(weight * np.log1p(1.0 / (scale + node)) for node, weight in sum_rule(terms))
    with mpmath.workdps(60):
        exact = float(mpmath.log(1 + terms / mpmath.mpf(scale)))  # the product telescopes
    assert got == pytest.approx(exact, rel=2e-14)


def test_rules_stay_short():
    assert len(sum_rule(10**6)) < 250
    assert len(step_nodes(10**6, np.array([10**6]))[0]) < 500


@pytest.mark.parametrize("largest", [1, 10, 64, 65, 70, 100, 1000, 10**6])
@pytest.mark.parametrize(
    ("c", "e"), [(1e-300, 1.0), (0.3, 1.0), (1.0, 1e10), (1.0, 1e-3), (1e5, 1.0)]
)
def test_step_nodes_serve_every_upper_end(largest, c, e):
    ends = np.unique(np.array([0, 1, largest // 3, largest // 2, largest - 1, largest]))
    nodes, (weights, more) = step_nodes(largest, ends, ends[::-1].copy())
    exact = [log_sum(c, e, int(end)) for end in ends]
    assert weights @ np.log(c + nodes * e) == pytest.approx(exact, rel=2e-14, abs=1e-12)
    assert np.array_equal(more, weights[::-1])


def test_step_nodes_at_every_end_of_several_panels():
    ends = np.arange(400)
    nodes, (weights,) = step_nodes(400, ends)
    exact = np.concatenate([[0.0], np.cumsum(1.0 / (1.0 + np.arange(399)))])
    assert np.abs(weights @ (1.0 / (1.0 + nodes)) - exact).max() < 1e-13


def test_step_nodes_without_rows_still_give_the_nodes():
    nodes, (weights,) = step_nodes(1000, np.zeros(0, dtype=np.int64))
    assert weights.shape == (0, len(nodes))
