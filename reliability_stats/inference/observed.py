"""Draws of means over the very tasks of a table, given the parameters of the beta law."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from .._numerics import FloatArray, IntArray
from ..estimands import TaskMean
from ..trials import DistinctCounts

DRAW_CAP = 64
"""Tasks with equal counts that are drawn one by one; more are represented by that many."""
FLOOR, CEILING = 1e-150, 1.0 - 1e-12
"""Where drawn probabilities are kept, so that ratios have their limits rather than 0 / 0."""


def rows_by_rank(
    distinct: DistinctCounts, unit: IntArray
) -> Iterator[tuple[IntArray, FloatArray, FloatArray, FloatArray]]:
    """Give the r-th distinct row of all units with one: position, n, successes, multiplicity."""
    start = np.searchsorted(distinct.unit, unit, side="left")
    stop = np.searchsorted(distinct.unit, unit, side="right")
    for r in range(int((stop - start).max())):
        at = np.flatnonzero(start + r < stop)
        row = start[at] + r
        yield (
            at,
            distinct.n[row].astype(float),
            distinct.successes[row].astype(float),
            distinct.multiplicity[row].astype(float),
        )


def observed_draws(
    parts: tuple[TaskMean, ...],
    a: FloatArray,
    b: FloatArray,
    n: IntArray,
    successes: IntArray,
    multiplicity: IntArray,
    rng: np.random.Generator,
) -> list[FloatArray]:
    """Draw the means of kernels over one unit's observed tasks.

    Tasks with equal counts are drawn one by one up to `DRAW_CAP`. More of them are represented by
    that many draws, whose mean is pulled towards its exact expectation so that mean, variance and
    covariances of all kernels are exact; the cost does not depend on the number of tasks.

    Parameters
    ----------
    parts : tuple of TaskMean
        Whose kernels are averaged.
    a, b : (draws,) array
        Draws of the beta parameters.
    n, successes, multiplicity : (rows,) array of int
        Distinct counts.
    rng : numpy.random.Generator
        Consumed alike whatever `parts` are, so that equal seeds give joint draws.

    Returns
    -------
    list of (draws,) ndarray
        One array for each part.
    """
    sums = [np.zeros(len(a)) for _ in parts]
    for trials, wins, tasks in zip(n, successes, multiplicity, strict=True):
        shape = int(min(tasks, DRAW_CAP))
        ay, by = a + wins, b + (trials - wins)
        p = np.clip(rng.beta(ay, by, size=(shape, len(a))), FLOOR, CEILING)
        for i, part in enumerate(parts):
            mean = part.kernel(p).mean(axis=0)
            if tasks > DRAW_CAP:
                exact = part.from_beta(ay, by)
                mean = exact + (mean - exact) * np.sqrt(DRAW_CAP / tasks)
            sums[i] += tasks * mean
    return [total / multiplicity.sum() for total in sums]
