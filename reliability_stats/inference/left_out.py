"""Predictive densities of tasks left out, from lattices: by reweighting, or by a fit of their own.

For a task with counts c, p(c | all others) = 1 / E[1 / p(c | theta)] under the posterior of all
tasks. On a lattice this is a sum, not an estimate. It is as good as the lattice where the weights
divided by p(c | theta) stay inside it; where they do not (a task that dominates its system, a
system with one task) the others get a lattice of their own, and the density is a ratio of
evidences.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import special

from .._numerics import FloatArray, IntArray
from ..models.beta_binomial import LogLikelihood
from ..trials import Counts, DistinctCounts
from . import grid
from .checks import LeftOut

EDGE = 1e-8
"""Mass at the edge of a lattice up to which nothing is missed beyond it."""
STEP_TOL = 1e-6
"""Allowed change of a log density when the step is doubled."""
DOMINANT = 3.0
"""Gain in log density from including a task, beyond which the others are fitted without it."""


@dataclass(frozen=True)
class Rows:
    """The distinct (unit, n, successes) rows of the data, each with its own likelihood."""

    distinct: DistinctCounts
    likelihood: LogLikelihood

    @classmethod
    def of(cls, distinct: DistinctCounts) -> Rows:
        """Make the likelihood of each row alone."""
        size = len(distinct)
        each = np.arange(size)
        alone = DistinctCounts(each, distinct.n, distinct.successes, np.ones(size, int), each)
        return cls(distinct, LogLikelihood.of(alone, size))


def leave_out(
    lattices: tuple[grid.Lattice, ...], density: grid.LogDensity, reach: float, counts: Counts
) -> LeftOut:
    """Give the density of every cell given all other cells of its unit, and given all of them.

    Parameters
    ----------
    lattices : tuple of grid.Lattice
        The posterior of each unit.
    density : callable
        Log posterior density that the lattices were laid over.
    reach : float
        End of the domain.
    counts : Counts
        The data.

    Returns
    -------
    LeftOut
        Every cell is a group.

    Raises
    ------
    ModelError
        If the posterior is improper without some task.
    """
    rows = Rows.of(counts.distinct())
    distinct = rows.distinct
    outside, inside = np.empty(len(distinct)), np.empty(len(distinct))
    sound = np.zeros(len(distinct), dtype=bool)
    for lattice in lattices:
        start = np.searchsorted(distinct.unit, lattice.unit, side="left")
        stop = np.searchsorted(distinct.unit, lattice.unit, side="right")
        for rank in range(int((stop - start).max())):
            at = np.flatnonzero(start + rank < stop)
            row = start[at] + rank
            outside[row], inside[row], sound[row] = _reweighted(lattice.take(at), row, rows)
    if not sound.all():
        row = np.flatnonzero(~sound)
        evidence = np.empty(len(counts.units))
        for lattice in lattices:
            evidence[lattice.unit] = lattice.log_evidence
        without = _evidence_without(row, rows, density, reach, counts)
        outside[row] = evidence[distinct.unit[row]] - without
    cell = distinct.row_of_cell
    exact = np.full(counts.n_cells, np.nan)
    return LeftOut(np.arange(counts.n_cells), outside[cell], inside[cell], exact)


def _reweighted(
    lattice: grid.Lattice, row: IntArray, rows: Rows
) -> tuple[FloatArray, FloatArray, np.ndarray]:
    """Log densities of one row of each unit, left out and not, and whether the lattice serves."""
    shape = lattice.weights.shape
    x, y = (axis.reshape(shape[0], -1) for axis in lattice.coordinates())
    logs = rows.likelihood(row, x, y).reshape(shape)
    with np.errstate(divide="ignore"):
        weights = np.log(lattice.weights)
    outside, inside = -_log_sum(weights - logs), _log_sum(weights + logs)
    coarse = slice(None), slice(None, None, 2), slice(None, None, 2)
    total = _log_sum(weights[coarse])
    half = total - _log_sum((weights - logs)[coarse])
    with np.errstate(under="ignore"):
        mass = np.exp(weights - logs + outside[:, None, None])
    edge = mass[:, [0, -1]].sum(axis=(1, 2)) + mass[:, :, [0, -1]].sum(axis=(1, 2))
    sound = (edge <= EDGE) & (np.abs(half - outside) <= STEP_TOL) & (inside - outside <= DOMINANT)
    return outside, inside, sound


def _log_sum(logs: FloatArray) -> FloatArray:
    """Log of the sum of exponentials over the nodes."""
    return np.asarray(special.logsumexp(logs, axis=(1, 2)))


def _evidence_without(
    row: IntArray, rows: Rows, density: grid.LogDensity, reach: float, counts: Counts
) -> FloatArray:
    """Log evidence of each row's unit without one task of that row."""
    unit = rows.distinct.unit[row]

    def without(at: IntArray, x: FloatArray, y: FloatArray) -> FloatArray:
        return density(unit[at], x, y) - rows.likelihood(row[at], x, y)

    def name(at: int) -> str:
        cell = int(np.argmax(rows.distinct.row_of_cell == row[at]))
        task = counts.tasks[counts.task[cell]]
        return f"system {counts.units[unit[at]]!r} without task {task!r}"

    return evidence(without, len(row), reach, name)


def evidence(
    density: grid.LogDensity, size: int, reach: float, name: Callable[[int], str]
) -> FloatArray:
    """Integrate densities on lattices of their own, halving steps until the result stands still."""
    out = np.empty(size)
    queue = grid.build(density, size, reach=reach, names=name)
    while queue:
        lattice = queue.pop()
        good = (np.abs(evidence_change(lattice)) <= STEP_TOL) | (lattice.nodes >= grid.MAX_NODES)
        out[lattice.unit[good]] = lattice.log_evidence[good]
        if not good.all():
            queue.append(grid.refine(lattice.take(np.flatnonzero(~good)), density, reach))
    return out


def evidence_change(lattice: grid.Lattice) -> FloatArray:
    """Give the change of the log evidence of each unit when the step is doubled."""
    return np.asarray(np.log(4.0 * lattice.weights[:, ::2, ::2].sum(axis=(1, 2))))
