"""Deterministic quadrature over a few parameters on a box that closes in on the posterior.

The density is evaluated on a product of evenly spaced axes. The box shrinks to where the marginals
lie within `DROP` of their largest value, and grows where they do not fall at its edge. There the
plain sum is the trapezoidal rule, whose error falls faster than any power of the step for analytic
densities (Trefethen and Weideman 2014, https://doi.org/10.1137/130932132). The step is halved along
an axis until mean and standard deviation hardly change.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import special

from .._numerics import FloatArray
from ..exceptions import ConvergenceWarning, ModelError

DROP = 14.0
"""Fall of a log marginal at which the box ends; what lies beyond weighs about 1e-6."""
NODES = 17
"""Nodes of an axis to begin with."""
MAX_NODES = 129
ROUNDS = 40
FINE = 61
"""Least nodes of an axis for quantiles."""
NEGLIGIBLE = 1e-7
"""Weight of a point, relative to the largest, below which it is left out of summaries."""

LogDensity = Callable[[Sequence[FloatArray]], FloatArray]
"""Axes -> log density on their product, of shape (len(axis), ...)."""


@dataclass(frozen=True, eq=False)
class Box:
    """A posterior on a product of evenly spaced axes.

    Attributes
    ----------
    axes : tuple of (nodes,) arrays
        Nodes of each parameter.
    log_mass : array of shape (nodes, ...)
        Log posterior probability of each node.
    log_evidence : float
        Log of the integral of the density.
    """

    axes: tuple[FloatArray, ...]
    log_mass: FloatArray
    log_evidence: float

    def marginal(self, axis: int) -> FloatArray:
        """Give the posterior probability of the nodes of one axis."""
        others = tuple(i for i in range(len(self.axes)) if i != axis)
        return np.asarray(np.exp(special.logsumexp(self.log_mass, axis=others)))

    def points(self) -> tuple[list[FloatArray], FloatArray]:
        """Give points of a finer lattice and their weights, for quantiles of any function.

        The log density is interpolated by cubic splines along each axis.

        Returns
        -------
        points : list of (points,) arrays
            One for each parameter.
        weights : (points,) array
            Sum to one.
        """
        from scipy.interpolate import CubicSpline

        values = np.maximum(self.log_mass, self.log_mass.max() - 60.0)
        fine = []
        for i, axis in enumerate(self.axes):
            factor = int(np.ceil((FINE - 1) / (len(axis) - 1)))
            new = np.linspace(axis[0], axis[-1], factor * (len(axis) - 1) + 1)
            values = CubicSpline(axis, values, axis=i)(new) if factor > 1 else values
            fine.append(new)
        weights = np.exp(values - values.max())
        keep = np.nonzero(weights > NEGLIGIBLE)
        found = weights[keep]
        return [a[k] for a, k in zip(fine, keep, strict=True)], found / found.sum()


def focus(log_density: LogDensity, ranges: Sequence[tuple[float, float]], tol: float = 0.01) -> Box:
    """Find the box that holds a posterior, and lay a lattice that is fine enough over it.

    Parameters
    ----------
    log_density : callable
        Of one mode, more or less.
    ranges : sequence of (float, float)
        Ends beyond which no parameter goes; the prior must make the density negligible there.
    tol : float
        Allowed change of each parameter's mean and sd in its posterior sds, and a tenth of that
        of the log evidence, when the step is doubled; the error at the step itself is about the
        square.

    Returns
    -------
    Box

    Raises
    ------
    ModelError
        If the density is not a number somewhere, or nowhere positive.
    """
    axes = [np.linspace(low, high, NODES) for low, high in ranges]
    values = _evaluate(log_density, axes)
    for _ in range(ROUNDS):
        new = [_closer(axis, _log_marginal(values, i), ranges[i]) for i, axis in enumerate(axes)]
        if all(found is None for found in new):
            break
        axes = [a if found is None else found for a, found in zip(axes, new, strict=True)]
        values = _evaluate(log_density, axes)
    while True:
        coarse = [i for i in range(len(axes)) if _moves(axes, values, i) > tol]
        if not coarse and _evidence_moves(values) > 10 * tol:
            coarse = list(range(len(axes)))
        if not coarse:
            break
        coarse = [i for i in coarse if len(axes[i]) < MAX_NODES]
        if not coarse:
            warnings.warn(
                f"The quadrature has not settled at {MAX_NODES} nodes an axis; intervals may be "
                "off. Check the data for tasks with very many trials, and priors for narrow peaks.",
                ConvergenceWarning,
                stacklevel=3,
            )
            break
        for i in coarse:
            axes[i] = np.linspace(axes[i][0], axes[i][-1], 2 * len(axes[i]) - 1)
        values = _evaluate(log_density, axes)
    total = float(special.logsumexp(values))
    steps = sum(float(np.log(axis[1] - axis[0])) for axis in axes)
    return Box(tuple(axes), values - total, total + steps)


def _evaluate(log_density: LogDensity, axes: Sequence[FloatArray]) -> FloatArray:
    """Evaluate and refuse what is no density."""
    values = np.asarray(log_density(axes), dtype=float)
    if np.isnan(values).any() or not np.isfinite(values.max()):
        raise ModelError("The posterior density is not a positive number; check the priors.")
    return values


def _log_marginal(values: FloatArray, axis: int) -> FloatArray:
    """Sum over all other axes."""
    others = tuple(i for i in range(values.ndim) if i != axis)
    return np.asarray(special.logsumexp(values, axis=others))


def _closer(
    axis: FloatArray, marginal: FloatArray, limits: tuple[float, float]
) -> FloatArray | None:
    """Give an axis that covers the mass more closely, or None if it does already."""
    inside = np.flatnonzero(marginal > marginal.max() - DROP)
    margin = 1 if len(inside) > 4 else 2
    step = axis[1] - axis[0]
    low, high = axis[inside[0]] - margin * step, axis[inside[-1]] + margin * step
    if inside[0] == 0:
        low -= 0.5 * (axis[-1] - axis[0])
    if inside[-1] == len(axis) - 1:
        high += 0.5 * (axis[-1] - axis[0])
    low, high = max(low, limits[0]), min(high, limits[1])
    grows = low < axis[0] - 0.51 * step * margin or high > axis[-1] + 0.51 * step * margin
    if not grows and high - low > 0.75 * (axis[-1] - axis[0]):
        return None
    return np.linspace(low, high, NODES)


def _moves(axes: Sequence[FloatArray], values: FloatArray, axis: int) -> float:
    """Say how far mean and sd of an axis move when every second of its nodes is left out."""
    marginal = _log_marginal(values, axis)
    results = []
    for step in (1, 2):
        weights, nodes = special.softmax(marginal[::step]), axes[axis][::step]
        mean = float(weights @ nodes)
        results.append((mean, float(np.sqrt(weights @ (nodes - mean) ** 2))))
    (mean, sd), (other, spread) = results
    if sd == 0:
        return float("inf")
    return float(max(abs(mean - other), abs(sd - spread)) / sd)


def _evidence_moves(values: FloatArray) -> float:
    """Say how far the log evidence moves when the steps of all axes are doubled at once.

    A ridge across the axes shows here only.
    """
    half = special.logsumexp(values[(slice(None, None, 2),) * values.ndim])
    return float(abs(half + values.ndim * np.log(2.0) - special.logsumexp(values)))


def weighted_figures(
    values: FloatArray, weights: FloatArray, prob: float
) -> tuple[float, float, float, float]:
    """Give mean, sd and ends of the equal-tailed interval of weighted values."""
    mean = float(weights @ values)
    sd = float(np.sqrt(weights @ (values - mean) ** 2))
    low, high = weighted_quantiles(values, weights, ((1 - prob) / 2, (1 + prob) / 2))
    return mean, sd, float(low), float(high)


def weighted_quantiles(
    values: FloatArray, weights: FloatArray, levels: Sequence[float]
) -> FloatArray:
    """Give quantiles of weighted values; the mass of equal values is spread to their neighbours."""
    distinct, row = np.unique(values, return_inverse=True)
    mass = np.bincount(row.ravel(), weights=weights)
    middle = np.cumsum(mass) - mass / 2
    return np.asarray(np.interp(levels, middle, distinct))


def weighted_below(values: FloatArray, weights: FloatArray, cut: float) -> float:
    """Give P(x < cut), with the mass of a value spread to its neighbours."""
    distinct, row = np.unique(values, return_inverse=True)
    mass = np.bincount(row.ravel(), weights=weights)
    return float(np.interp(cut, distinct, np.cumsum(mass) - mass / 2, left=0.0, right=1.0))
