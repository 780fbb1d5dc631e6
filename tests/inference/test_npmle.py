"""Nonparametric maximum likelihood against its certificate, closed forms and known truth."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from scipy.optimize import minimize

from reliability_stats.exceptions import ConvergenceWarning
from reliability_stats.inference import npmle as module
from reliability_stats.inference.nodes import log_kernel
from reliability_stats.inference.npmle import npmle

GRID = np.linspace(0, 1, 1001)


def best(histogram, grid=GRID):
    n = len(histogram) - 1
    rows = np.flatnonzero(histogram)
    logs = log_kernel(grid, np.full(len(rows), n), rows)
    return npmle(logs, np.asarray(histogram)[rows]), logs


@pytest.mark.parametrize(
    "histogram",
    [[14, 12, 10, 4, 10], [26, 4, 7, 5, 8], [0, 0, 9], [7, 0, 0, 0], [1, 30, 1], [400, 1, 0, 2, 9]],
    ids=str,
)
def test_certificate_holds_at_every_point(histogram):
    """No point mass raises the likelihood, and the support is where the gradient is one."""
    found, logs = best(histogram)
    tasks = np.array([h for h in histogram if h])
    gradient = (tasks / tasks.sum()) @ (np.exp(logs) / found.fitted[:, None])
    assert gradient.max() == pytest.approx(found.gradient)
    assert gradient.max() <= 1 + 1e-8
    assert gradient[found.weights > 1e-6] == pytest.approx(1, abs=1e-5)
    assert found.weights.sum() == pytest.approx(1)
    assert found.log_likelihood == pytest.approx(tasks @ np.log(np.exp(logs) @ found.weights))


def test_reaches_the_saturated_likelihood_if_counts_are_a_mixture():
    """Shares of a mixture of binomials are fitted exactly: no likelihood can be higher."""
    found, _ = best([14, 12, 10, 4, 10])
    choose = np.array([1, 4, 6, 4, 1])
    shares = np.array([14, 12, 10, 4, 10]) / 50
    assert found.fitted * choose == pytest.approx(shares, abs=1e-5)


def test_counts_that_are_no_mixture():
    """Everyone one of two: the best is a point mass at one half."""
    found, _ = best([0, 20, 0])
    assert GRID[found.weights.argmax()] == 0.5
    assert found.weights.max() == pytest.approx(1, abs=1e-6)


def test_recovers_three_points_from_exact_shares():
    points, weights = np.array([0.0, 0.5, 1.0]), np.array([0.4, 0.35, 0.25])
    kernel = np.exp(log_kernel(points, np.full(9, 8), np.arange(9)))
    choose = np.array([1, 8, 28, 56, 70, 56, 28, 8, 1])
    shares = choose * (kernel @ weights)
    logs = log_kernel(GRID, np.full(9, 8), np.arange(9))
    found = npmle(logs, shares)
    for point, weight in zip(points, weights, strict=True):
        near = np.abs(GRID - point) < 0.1
        assert found.weights[near].sum() == pytest.approx(weight, abs=0.005)


def test_agrees_with_a_general_optimiser():
    rng = np.random.default_rng(3)
    n = rng.integers(1, 12, size=40)
    y = rng.binomial(n, rng.beta(0.6, 0.8, size=40))
    coarse = np.linspace(0, 1, 15)
    logs = log_kernel(coarse, n, y)
    found = npmle(logs, np.ones(40, dtype=np.int64))
    like = np.exp(logs)

    def loss(free):
        weights = np.exp(free - free.max())
        return -np.log(like @ (weights / weights.sum())).sum()

    other = minimize(loss, np.zeros(15), method="BFGS", options={"gtol": 1e-7, "maxiter": 5000})
    assert found.log_likelihood >= -other.fun - 1e-6
    assert found.log_likelihood == pytest.approx(-other.fun, abs=1e-3)


def test_long_cells_do_not_underflow():
    n, y = np.array([50_000, 50_000]), np.array([100, 49_000])
    found = npmle(log_kernel(GRID, n, y), np.array([3, 1]))
    assert np.isfinite(found.log_likelihood)
    assert found.weights[[2, 980]] == pytest.approx([0.75, 0.25])


def test_says_when_it_stops_short(monkeypatch):
    monkeypatch.setattr(module, "STEPS", 1)
    with pytest.warns(ConvergenceWarning, match=r"largest gradient is 1 \+"):
        best([40, 3, 0, 5, 2, 1, 20])
    monkeypatch.undo()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        best([40, 3, 0, 5, 2, 1, 20])
