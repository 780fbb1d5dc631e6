"""Counts whose rates share a gamma law: lattices over its mean and shape, mixtures of gammas."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from scipy import special

from .._numerics import FloatArray, IntArray, step_nodes
from .._validation import check_choice, check_positive, check_prob
from ..inference import grid

REACH = 60.0
TOL = 1e-3
"""Change of the means of log mean and log shape, in sds, that halving the step may make."""
NEGLIGIBLE = 1e-10
TINY = 1e-290


@dataclass(frozen=True, eq=False)
class Mixture:
    """Mixtures of gamma laws, one a cell.

    Attributes
    ----------
    weight : (nodes,) ndarray
        Sums to 1.
    shape, rate : (cells, nodes) ndarray
        Of the gamma laws.
    """

    weight: FloatArray
    shape: FloatArray
    rate: FloatArray

    @cached_property
    def distinct(self) -> tuple[IntArray, IntArray]:
        """Give the first of equal cells, and for each cell the place of its like among these."""
        keys = np.stack([self.shape[:, 0], self.rate[:, 0]])
        _, first, where = np.unique(keys, axis=1, return_index=True, return_inverse=True)
        return first, where.ravel()

    def _each(self, solve: Callable[[Mixture], Any]) -> Any:
        """Solve for distinct cells only."""
        first, where = self.distinct
        return solve(Mixture(self.weight, self.shape[first], self.rate[first]))[where]

    def moments(self) -> tuple[FloatArray, FloatArray]:
        """Give means and sds, (cells,)."""
        mean = self.shape / self.rate
        centre = mean @ self.weight
        spread = (self.shape / self.rate**2 + (mean - centre[:, None]) ** 2) @ self.weight
        return centre, np.sqrt(spread)

    def cdf(self, value: FloatArray) -> FloatArray:
        """Give P(rate <= value) of each cell."""
        return np.asarray(special.gammainc(self.shape, self.rate * value[:, None]) @ self.weight)

    def quantiles(self, level: float) -> FloatArray:
        """Give a quantile of each cell, by bracketing between those of its parts; 0 below 1e-290.

        Nodes of little weight widen the bracket only.
        """
        return np.asarray(self._each(lambda cells: cells._quantiles(level)))

    def _quantiles(self, level: float) -> FloatArray:
        """Give the quantile of each cell."""
        ends = special.gammaincinv(self.shape, level) / self.rate
        low = np.log(np.maximum(ends.min(axis=1), TINY))
        high = np.log(np.maximum(ends.max(axis=1), 2 * TINY))
        for _ in range(80):
            middle = (low + high) / 2
            below = self.cdf(np.exp(middle)) < level
            low, high = np.where(below, middle, low), np.where(below, high, middle)
            if (high - low).max() < 1e-10:
                break
        found = np.exp((low + high) / 2)
        return np.where(found <= 4 * TINY, 0.0, found)

    def none_in(self, exposure: float) -> FloatArray:
        """Give the chance of no event in a further exposure."""
        return np.asarray(np.exp(-self.shape * np.log1p(exposure / self.rate)) @ self.weight)

    def count_cdf(self, count: FloatArray, exposure: float) -> FloatArray:
        """Give the chance of at most so many events in a further exposure."""
        share = self.rate / (self.rate + exposure)
        below = special.betainc(self.shape, np.maximum(count, 0.0)[:, None] + 1.0, share)
        return np.where(count < 0, 0.0, below @ self.weight)

    def count_quantiles(self, level: float, exposure: float) -> IntArray:
        """Give the smallest count whose chance of not being exceeded reaches a level."""
        return np.asarray(self._each(lambda cells: cells._count_quantiles(level, exposure)))

    def _count_quantiles(self, level: float, exposure: float) -> IntArray:
        """Give the quantile of each cell."""
        mean, sd = self.moments()
        high = np.ceil(exposure * mean + 10 * np.sqrt(exposure * mean + (exposure * sd) ** 2) + 10)
        while (short := self.count_cdf(high, exposure) < level).any():
            high = np.where(short, 2 * high, high)
        low = np.full(len(high), -1.0)
        while (high - low > 1).any():
            middle = np.floor((low + high) / 2)
            below = self.count_cdf(middle, exposure) < level
            low, high = np.where(below, middle, low), np.where(below, high, middle)
        return np.asarray(high, dtype=np.int64)


def log_density(
    incidents: IntArray, exposure: FloatArray, *, seen_only: bool
) -> Callable[[IntArray, FloatArray, FloatArray], FloatArray]:
    """Give the log density of (log expected count, log shape) for one system.

    The expected count is that of one class in the mean exposure; its prior is beta-prime(1/2, 1/2).
    The prior of 1 / (1 + shape) is uniform. With `seen_only`, classes are in the table because they
    occurred: each counts with its chance given that it is not 0, and those without incidents do not
    count.
    """
    y, e = incidents.astype(float), exposure / exposure.mean()
    if seen_only:
        y, e = y[incidents > 0], e[incidents > 0]
    keys, times = np.unique(np.stack([y, e]), axis=1, return_counts=True)
    y, e = keys
    nodes, (weights,) = step_nodes(int(y.max(initial=0)), y.astype(np.int64))

    def density(_: IntArray, x: FloatArray, v: FloatArray) -> FloatArray:
        expected, shape = np.exp(x), np.exp(v)
        out = 0.5 * x - np.logaddexp(0.0, x) + v - 2.0 * np.logaddexp(0.0, v)
        if not len(y):
            return np.asarray(out)
        rising = np.log1p(nodes / shape[..., None]) @ (weights.T @ times)
        each = np.log1p(expected[..., None] * e / shape[..., None])
        out = out + rising + x * (y @ times) - ((shape[..., None] + y) * each) @ times
        if seen_only:
            unseen = shape[..., None] * each
            out = out - np.log(-np.expm1(-np.maximum(unseen, TINY))) @ times
        return np.asarray(out)

    return density


def partial_pool(
    incidents: IntArray, exposure: FloatArray, *, seen_only: bool, name: str
) -> tuple[Mixture, FloatArray, FloatArray, FloatArray]:
    """Fit classes of one system that share a gamma law.

    Returns
    -------
    mixture : Mixture
        Posterior of the rate of each class.
    weight, mean, shape : (nodes,) ndarray
        Posterior of the mean rate over classes and of the shape.
    """
    density = log_density(incidents, exposure, seen_only=seen_only)
    lattice = grid.build(density, 1, reach=REACH, names=lambda _: name)[0]
    while lattice.nodes < grid.MAX_NODES // 2 and lattice_error(lattice) > TOL:
        lattice = grid.refine(lattice, density, REACH)
    weight = lattice.weights[0].ravel()
    x, v = (axis[0].ravel() for axis in lattice.coordinates())
    keep = weight > NEGLIGIBLE * weight.max()
    weight, x, v = weight[keep] / weight[keep].sum(), x[keep], v[keep]
    mean, shape = np.exp(x) / exposure.mean(), np.exp(v)
    mixture = Mixture(
        weight,
        np.asarray(shape + incidents[:, None], dtype=np.float64),
        shape / mean + exposure[:, None],
    )
    return mixture, weight, mean, shape


def lattice_error(lattice: grid.Lattice) -> float:
    """Say how far the means and sds of both axes move when every other node is left out."""
    worst = 0.0
    for axis in (0, 1):
        whole, half = lattice.coordinates()[axis][0], lattice.coordinates(2)[axis][0]
        w, h = lattice.weights[0], lattice.half()[0]
        mean, coarse = (w * whole).sum(), (h * half).sum()
        sd = np.sqrt((w * (whole - mean) ** 2).sum())
        other = np.sqrt((h * (half - coarse) ** 2).sum())
        worst = max(worst, abs(mean - coarse) / sd, abs(other / sd - 1))
    return float(worst)


def alone(incidents: IntArray, exposure: FloatArray, prior: float = 0.5) -> Mixture:
    """Fit every class by itself, under the prior rate^(prior - 1)."""
    shape: FloatArray = incidents[:, None] + np.float64(prior)
    return Mixture(np.ones(1), shape, exposure[:, None].astype(float))


def zero_incident_upper(exposure: float, *, prob: float = 0.95, prior: str | None = None) -> float:
    """Bound a rate from above when nothing happened.

    Parameters
    ----------
    exposure : float > 0
        Runs, hours ... without an incident.
    prob : float in (0, 1), default 0.95
        Chance that the rate is below the bound.
    prior : {None, "uniform", "jeffreys"}
        None: the classical bound, which holds at least as often as it says; about 3 / exposure at
        95%, the rule of three. "uniform": a flat prior of the rate, which gives the same.
        "jeffreys": the prior rate^(-1/2), whose bound is lower.

    Returns
    -------
    float
        Per unit of exposure.

    Raises
    ------
    ArgumentError
        If an argument is not allowed.

    References
    ----------
    Hanley and Lippman-Hand (1983), If nothing goes wrong, is everything all right?,
    https://doi.org/10.1001/jama.1983.03330370053031

    Examples
    --------
    >>> from reliability_stats.instruments import zero_incident_upper
    >>> round(zero_incident_upper(1200), 7), round(zero_incident_upper(1200, prior="jeffreys"), 7)
    (0.0024964, 0.0016006)
    """
    known, prob = check_positive(exposure, "exposure"), check_prob(prob)
    if prior is not None:
        check_choice(prior, ("uniform", "jeffreys"), "prior")
    shape = 0.5 if prior == "jeffreys" else 1.0
    return float(special.gammaincinv(shape, prob) / known)
