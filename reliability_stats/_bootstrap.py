"""Bootstrap over tasks, with limits corrected for bias and acceleration."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import special

from ._numerics import FloatArray, IntArray
from ._population import ends_of_range
from ._task_rows import Linearised

CHUNK = 2**22
"""Largest number of weights held at once."""


@dataclass(frozen=True, eq=False)
class Bootstrap:
    """Resampling of tasks, alike for all estimands of a unit that use the same tasks.

    Attributes
    ----------
    seeds : (units,) ndarray of int
        Seed of each unit.
    resamples : int
        Number of resamples.

    References
    ----------
    Efron (1987), Better bootstrap confidence intervals,
    https://doi.org/10.1080/01621459.1987.10478410
    """

    seeds: IntArray
    resamples: int

    def __call__(
        self, linear: Linearised, units: npt.NDArray[np.bool_], prob: float
    ) -> tuple[FloatArray, FloatArray]:
        """Give BCa limits of the chosen units; NaN where the resamples do not vary."""
        chosen = np.flatnonzero(units)
        first = np.searchsorted(linear.rows.unit, chosen, side="left")
        last = np.searchsorted(linear.rows.unit, chosen, side="right")
        limits = [
            self._limits(linear, int(unit), slice(a, b), prob)
            for unit, a, b in zip(chosen, first, last, strict=True)
        ]
        ends = np.array(limits, dtype=float).reshape(-1, 2)
        return ends[:, 0], ends[:, 1]

    def _limits(
        self, linear: Linearised, unit: int, where: slice, prob: float
    ) -> tuple[float, float]:
        """Give the limits of one unit."""
        values = self._values(linear, unit, where)
        value = float(linear.value[unit])
        slack = 1e-12 * max(1.0, abs(value))
        defined = values[~np.isnan(values)]
        below = np.mean(defined < value - slack) + np.mean(np.abs(defined - value) <= slack) / 2
        bias = special.ndtri(below)
        bend = _acceleration(linear, unit, where)
        z = special.ndtri(np.array([(1 - prob) / 2, (1 + prob) / 2]))
        with np.errstate(invalid="ignore", divide="ignore"):
            levels = special.ndtr(bias + (bias + z) / (1 - bend * (bias + z)))
        if not np.isfinite(levels).all() or not np.isfinite(bias):
            return np.nan, np.nan
        low, high = (ends[unit] for ends in ends_of_range(linear))
        # A resample without a value may have had any.
        lower = np.sort(np.where(np.isnan(values), low, values))
        upper = np.sort(np.where(np.isnan(values), high, values))
        return _quantile(lower, levels[0]), _quantile(upper, levels[1])

    def _values(self, linear: Linearised, unit: int, where: slice) -> FloatArray:
        """Give the value in each resample of the unit's tasks, (resamples,)."""
        tasks, features = linear.rows.tasks[where], linear.features[where]
        size = int(tasks.sum())
        rng = np.random.default_rng(self.seeds[unit])
        step = max(1, CHUNK // len(tasks))
        means = [
            rng.multinomial(size, tasks / size, size=min(step, self.resamples - done))
            @ features
            / size
            for done in range(0, self.resamples, step)
        ]
        return np.asarray(linear.combine(np.concatenate(means).T, float(size)), dtype=float)


def _acceleration(linear: Linearised, unit: int, where: slice) -> float:
    """Give the acceleration by leaving out one task at a time, one of each row."""
    tasks, features = linear.rows.tasks[where], linear.features[where]
    size = tasks.sum()
    means = (size * linear.means[:, unit] - features) / (size - 1)
    moves = -np.asarray(linear.combine(means.T, size - 1), dtype=float)
    if np.isnan(moves).any():
        moves = linear.influence[where]
    moves = moves - np.average(moves, weights=tasks)
    spread = tasks @ moves**2
    return float(tasks @ moves**3 / (6 * spread**1.5)) if spread > 0 else 0.0


def _quantile(ordered: FloatArray, level: float) -> float:
    """Quantile of sorted values by linear interpolation."""
    at = level * (len(ordered) - 1)
    i = min(int(at), len(ordered) - 2)
    left, right = float(ordered[i]), float(ordered[i + 1])
    return left + (right - left) * (at - i)
