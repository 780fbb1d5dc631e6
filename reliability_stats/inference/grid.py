"""Deterministic quadrature over two unbounded parameters, for many systems at once.

A lattice is laid over the part of the plane where the log density lies within `DROP` of its mode.
It is centred and sheared by the posterior mean and covariance, so that it follows ridges, and
stretched by a hyperbolic sine, so that long tails cost few nodes: x = c + L z with z =
sinh(STRETCH t) / STRETCH and t on a regular lattice. There the plain sum is the trapezoidal rule
with negligible boundary terms, whose error falls faster than any power of the step for analytic
densities (Trefethen and Weideman 2014, https://doi.org/10.1137/130932132). Halving the step is
checked against the half lattice that it contains.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from .._numerics import FloatArray, IntArray
from ..exceptions import ModelError

DROP = 20.0
"""Log density below the mode at which the plane is cut; what lies beyond weighs about 1e-8."""
STRETCH = 0.5
"""Rate at which nodes spread out beyond the bulk."""
MIN_DROP = 12.0
"""Smallest fall of the log density that a bounded domain may leave before it counts as improper."""
SCOUT = 13
"""Nodes for each axis while the region is searched."""
NODES = 33
"""Nodes for each axis of the first lattice."""
MAX_NODES = 513
CHUNK = 2**22
"""Largest number of node values held in one temporary array."""

LogDensity = Callable[[IntArray, FloatArray, FloatArray], FloatArray]
"""(units, x, y) -> log density, where x and y have shape (units, nodes)."""


@dataclass(frozen=True)
class Lattice:
    """Nodes and weights of one posterior for each unit.

    Attributes
    ----------
    unit : (units,) array of int
        Which units the rows belong to.
    centre : (units, 2) array
        Where t = 0 lies.
    shear : (units, 3) array
        Lower triangle (l11, l21, l22): x = c1 + l11 z1, y = c2 + l21 z1 + l22 z2.
    box : (units, 2, 2) array
        Ends of the lattice in t for each axis.
    weights : (units, nodes, nodes) array
        Posterior probability of each node; sums to one.
    log_evidence : (units,) array
        Log of the integral of the density.
    """

    unit: IntArray
    centre: FloatArray
    shear: FloatArray
    box: FloatArray
    weights: FloatArray
    log_evidence: FloatArray

    @property
    def nodes(self) -> int:
        """Nodes for each axis."""
        return int(self.weights.shape[-1])

    def coordinates(self, stride: int = 1) -> tuple[FloatArray, FloatArray]:
        """Give x and y of every (or every other) node, each of shape (units, nodes, nodes)."""
        first, second = (axis[:, ::stride] for axis in axes(self.box, self.nodes))
        return place(self.centre, self.shear, first[:, :, None], second[:, None, :])

    def steps(self) -> FloatArray:
        """Give the spacing in t, shape (units, 2)."""
        return np.asarray((self.box[:, :, 1] - self.box[:, :, 0]) / (self.nodes - 1))

    def half(self) -> FloatArray:
        """Give the weights of the lattice with twice the step, shape (units, half, half)."""
        coarse = self.weights[:, ::2, ::2]
        return np.asarray(coarse / coarse.sum(axis=(1, 2), keepdims=True))

    def take(self, rows: IntArray) -> Lattice:
        """Keep some of the rows."""
        return Lattice(
            self.unit[rows],
            self.centre[rows],
            self.shear[rows],
            self.box[rows],
            self.weights[rows],
            self.log_evidence[rows],
        )


def axes(box: FloatArray, nodes: int) -> tuple[FloatArray, FloatArray]:
    """Give the t coordinates along both axes, each (units, nodes)."""
    unit = np.linspace(0.0, 1.0, nodes)
    ends = box[:, :, :1] + (box[:, :, 1:] - box[:, :, :1]) * unit
    return ends[:, 0], ends[:, 1]


def stretch(t: FloatArray) -> FloatArray:
    """Map t to z."""
    return np.asarray(np.sinh(STRETCH * t) / STRETCH)


def unstretch(z: FloatArray) -> FloatArray:
    """Map z to t."""
    return np.asarray(np.arcsinh(STRETCH * z) / STRETCH)


def place(
    centre: FloatArray, shear: FloatArray, t1: FloatArray, t2: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Map t to the plane; trailing axes of t broadcast."""
    wide = (slice(None),) + (None,) * (t1.ndim - 1)
    z1, z2 = stretch(t1), stretch(t2)
    x = centre[:, 0][wide] + shear[:, 0][wide] * z1
    y = centre[:, 1][wide] + shear[:, 1][wide] * z1 + shear[:, 2][wide] * z2
    return np.broadcast_arrays(x, y)  # type: ignore[return-value]


def _values(
    density: LogDensity,
    unit: IntArray,
    centre: FloatArray,
    shear: FloatArray,
    box: FloatArray,
    nodes: int,
) -> FloatArray:
    """Evaluate the log density with respect to t on a lattice, shape (units, nodes, nodes)."""
    first, second = axes(box, nodes)
    x, y = place(centre, shear, first[:, :, None], second[:, None, :])
    size = len(unit)
    logs = density(unit, x.reshape(size, -1), y.reshape(size, -1)).reshape(size, nodes, nodes)
    widen = [np.log(np.cosh(STRETCH * t)) for t in (first, second)]
    return np.asarray(logs + widen[0][:, :, None] + widen[1][:, None, :])


def _hull(keep: Any, axis: int) -> tuple[IntArray, IntArray]:
    """Give the first and last index along one axis at which anything is kept."""
    along = keep.any(axis=2 if axis == 0 else 1)
    return along.argmax(axis=1), along.shape[1] - 1 - along[:, ::-1].argmax(axis=1)


def _search(
    density: LogDensity,
    unit: IntArray,
    centre: FloatArray,
    shear: FloatArray,
    box: FloatArray,
    limit: FloatArray,
    names: Callable[[int], str],
) -> tuple[FloatArray, FloatArray]:
    """Shrink and grow a box until it just holds the region within DROP of the mode.

    Returns the box and the last scouting values. `limit` (units, 2, 2) bounds the box.
    """
    box = box.copy()
    active = np.arange(len(unit))
    values = np.zeros((len(unit), SCOUT, SCOUT))
    for _ in range(60):
        now = box[active]
        logs = _values(density, unit[active], centre[active], shear[active], now, SCOUT)
        _refuse_infinite(logs, unit[active], names)
        values[active] = logs
        top = logs.max(axis=(1, 2), keepdims=True)
        keep = logs > top - DROP
        step = (now[:, :, 1] - now[:, :, 0]) / (SCOUT - 1)
        new = now.copy()
        for axis in (0, 1):
            low, high = _hull(keep, axis)
            grow_low = np.where(low == 0, 0.5 * (SCOUT - 1), 0.0)
            grow_high = np.where(high == SCOUT - 1, 0.5 * (SCOUT - 1), 0.0)
            new[:, axis, 0] = now[:, axis, 0] + (low - 1 - grow_low) * step[:, axis]
            new[:, axis, 1] = now[:, axis, 0] + (high + 1 + grow_high) * step[:, axis]
        new[:, :, 0] = np.maximum(new[:, :, 0], limit[active][:, :, 0])
        new[:, :, 1] = np.minimum(new[:, :, 1], limit[active][:, :, 1])
        box[active] = new
        old_width, new_width = now[:, :, 1] - now[:, :, 0], new[:, :, 1] - new[:, :, 0]
        moved = (np.abs(new - now).max(axis=2) > 1.5 * step).any(axis=1)
        settled = (np.abs(new_width - old_width) < 0.25 * old_width).all(axis=1) & ~moved
        active = active[~settled]
        if not len(active):
            break
    return box, values


def _refuse_infinite(logs: FloatArray, unit: IntArray, names: Callable[[int], str]) -> None:
    """Raise if the density is NaN or infinite anywhere, or zero everywhere."""
    bad = np.isnan(logs) | (logs == np.inf)
    empty = (logs == -np.inf).all(axis=(1, 2))
    if bad.any():
        row = int(np.argmax(bad.any(axis=(1, 2))))
        raise ModelError(
            f"The log posterior of {names(int(unit[row]))} is NaN or +infinity at some mean and "
            "icc in (0, 1). A log prior must be finite or -infinity inside the unit square."
        )
    if empty.any():
        row = int(np.argmax(empty))
        raise ModelError(
            f"The posterior of {names(int(unit[row]))} is zero everywhere that was looked at. "
            "Check that the prior allows means and correlations between 0 and 1."
        )


def _refuse_improper(
    edge: FloatArray, top: FloatArray, unit: IntArray, names: Callable[[int], str]
) -> None:
    """Raise if the density has not fallen enough where the domain ends."""
    bad = edge > top - MIN_DROP
    if bad.any():
        row = int(np.argmax(bad))
        raise ModelError(
            f"The posterior of {names(int(unit[row]))} is improper: its density does not fall "
            "off as the mean or the icc approaches 0 or 1. This happens with improper priors, such "
            "as (a + b)^(-5/2), when every cell is all success or all failure. Use a proper prior, "
            "for instance the default BetaBinomial()."
        )


def _moments(logs: FloatArray, box: FloatArray, nodes: int) -> tuple[FloatArray, FloatArray]:
    """Mean (units, 2) and covariance (units, 3: xx, xy, yy) in z from values on a lattice."""
    weights = np.exp(logs - logs.max(axis=(1, 2), keepdims=True))
    weights /= weights.sum(axis=(1, 2), keepdims=True)
    first, second = (stretch(t) for t in axes(box, nodes))
    mean = np.stack(
        [(weights.sum(axis=2) * first).sum(1), (weights.sum(axis=1) * second).sum(1)], axis=1
    )
    d1, d2 = first - mean[:, :1], second - mean[:, 1:]
    covariance = np.stack(
        [
            (weights.sum(axis=2) * d1**2).sum(1),
            np.einsum("sij,si,sj->s", weights, d1, d2),
            (weights.sum(axis=1) * d2**2).sum(1),
        ],
        axis=1,
    )
    return mean, covariance


def build(
    density: LogDensity,
    n_units: int,
    *,
    reach: float,
    names: Callable[[int], str],
    nodes: int = NODES,
) -> list[Lattice]:
    """Lay a lattice over the posterior of each unit.

    Parameters
    ----------
    density : callable
        Log density of (units, x, y).
    n_units : int
        Number of units.
    reach : float
        The domain is |x|, |y| <= reach; a density that has not fallen there is improper.
    names : callable
        Name of a unit, for messages.
    nodes : int
        Nodes for each axis; odd.

    Returns
    -------
    list of Lattice
        Lattices of consecutive groups of units, small enough to be handled in one go.
    """
    size = max(1, CHUNK // (nodes * nodes * 4))
    return [
        _build_group(density, np.arange(start, min(start + size, n_units)), reach, names, nodes)
        for start in range(0, n_units, size)
    ]


def _build_group(
    density: LogDensity, unit: IntArray, reach: float, names: Callable[[int], str], nodes: int
) -> Lattice:
    """Find the region, shear it, find it again in the new coordinates, lay the lattice."""
    size = len(unit)
    centre, shear = np.zeros((size, 2)), np.tile([1.0, 0.0, 1.0], (size, 1))
    limit = np.tile([[-reach, reach], [-reach, reach]], (size, 1, 1))
    limit = unstretch(limit)
    box, _ = _search(density, unit, centre, shear, limit, limit, names)
    logs = _values(density, unit, centre, shear, box, SCOUT * 2 - 1)
    _check_edges(logs, box, limit, unit, names)
    mean, cov = _moments(logs, box, SCOUT * 2 - 1)
    step = np.diff(stretch(box), axis=2)[:, :, 0] / (SCOUT * 2 - 2)
    sd1 = np.sqrt(np.maximum(cov[:, 0], (0.3 * step[:, 0]) ** 2))
    slope = np.where(cov[:, 0] > 0, cov[:, 1] / sd1, 0.0)
    sd2 = np.sqrt(np.maximum(cov[:, 2] - slope**2, (0.05 * step[:, 1]) ** 2))
    centre, shear = mean, np.stack([sd1, slope, sd2], axis=1)
    wide = np.tile([[-50.0, 50.0], [-50.0, 50.0]], (size, 1, 1))
    start = np.tile([[-4.0, 4.0], [-4.0, 4.0]], (size, 1, 1))
    bounded = _bounded(density, reach)
    box, _ = _search(bounded, unit, centre, shear, start, wide, names)
    return lay(bounded, unit, centre, shear, box, nodes)


def _bounded(density: LogDensity, reach: float) -> LogDensity:
    """Set the density to zero outside the domain."""

    def inside(unit: IntArray, x: FloatArray, y: FloatArray) -> FloatArray:
        out = (np.abs(x) > reach) | (np.abs(y) > reach)
        logs = density(unit, np.clip(x, -reach, reach), np.clip(y, -reach, reach))
        return np.where(out, -np.inf, logs)

    return inside


def _check_edges(
    logs: FloatArray,
    box: FloatArray,
    limit: FloatArray,
    unit: IntArray,
    names: Callable[[int], str],
) -> None:
    """Refuse densities that are still high where the box meets the end of the domain."""
    top = logs.max(axis=(1, 2))
    edges = (logs[:, 0, :], logs[:, -1, :], logs[:, :, 0], logs[:, :, -1])
    for edge, (axis, end) in zip(edges, ((0, 0), (0, 1), (1, 0), (1, 1)), strict=True):
        at_limit = box[:, axis, end] == limit[:, axis, end]
        _refuse_improper(np.where(at_limit, edge.max(axis=1), -np.inf), top, unit, names)


def lay(
    density: LogDensity,
    unit: IntArray,
    centre: FloatArray,
    shear: FloatArray,
    box: FloatArray,
    nodes: int,
) -> Lattice:
    """Evaluate the density on a lattice and normalise it."""
    logs = _values(density, unit, centre, shear, box, nodes)
    top = logs.max(axis=(1, 2), keepdims=True)
    weights = np.exp(logs - top)
    total = weights.sum(axis=(1, 2), keepdims=True)
    area = np.prod((box[:, :, 1] - box[:, :, 0]) / (nodes - 1), axis=1) * shear[:, 0] * shear[:, 2]
    evidence = (top + np.log(total))[:, 0, 0] + np.log(area)
    return Lattice(unit, centre, shear, box, weights / total, evidence)


def refine(lattice: Lattice, density: LogDensity, reach: float) -> Lattice:
    """Halve the step of a lattice."""
    bounded = _bounded(density, reach)
    nodes = 2 * lattice.nodes - 1
    return lay(bounded, lattice.unit, lattice.centre, lattice.shear, lattice.box, nodes)
