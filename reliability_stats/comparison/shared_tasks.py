"""Model-free comparison: the same tasks for all systems, and doubt about tasks only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .._numerics import FloatArray, IntArray
from .._population import TINY
from .._task_rows import Linearised, TaskRows, features_of, linearise
from ..estimands import Estimand
from ..trials import Counts

CHUNK = 2**22
"""Largest number of weights held at once."""
MOST_BITS = 62
"""Bits up to which the counts of a task are packed into one integer, to find equal ones fast."""


@dataclass(frozen=True, eq=False)
class Table:
    """Trials and successes of every unit and task: (units, tasks), 0 trials where none was run."""

    n: IntArray
    successes: IntArray

    @classmethod
    def of(cls, counts: Counts) -> Table:
        """Lay counts out by unit and task."""
        shape = (len(counts.units), counts.n_tasks)
        n, successes = np.zeros(shape, dtype=np.int64), np.zeros(shape, dtype=np.int64)
        n[counts.unit, counts.task] = counts.n
        successes[counts.unit, counts.task] = counts.successes
        return cls(n, successes)

    def shared(self, units: Sequence[int]) -> SharedTasks:
        """Take the tasks that all of the units have run."""
        rows = np.asarray(units, dtype=np.int64)
        both = np.concatenate([self.n[rows], self.successes[rows]])
        both = both[:, (self.n[rows] > 0).all(axis=0)]
        bases = both.max(axis=1, initial=0) + 1
        if np.log2(bases.astype(float)).sum() < MOST_BITS:
            # Digits of a mixed radix; NumPy's own functions for it end at 64 digits.
            value = np.append(np.cumprod(bases[:0:-1])[::-1], 1)
            keys, tasks = np.unique(value @ both, return_counts=True)
            patterns = keys // value[:, None] % bases[:, None]
        else:
            patterns, tasks = np.unique(both, axis=1, return_counts=True)
        n, successes = np.split(patterns, 2)
        return SharedTasks(n, successes, tasks.astype(float))


@dataclass(frozen=True, eq=False)
class SharedTasks:
    """Tasks run by all units, those with equal counts taken together.

    Attributes
    ----------
    n, successes : (units, patterns) ndarray of int
        Trials and successes.
    tasks : (patterns,) ndarray
        Number of tasks of each pattern.
    """

    n: IntArray
    successes: IntArray
    tasks: FloatArray

    @property
    def n_tasks(self) -> int:
        """Number of tasks that all units have run."""
        return int(self.tasks.sum())

    def estimate(self, estimand: Estimand) -> Paired:
        """Estimate for every unit from the tasks that are usable for all of them."""
        shape = self.n.shape
        features = features_of(estimand, self.n.ravel(), self.successes.ravel(), True)
        usable = np.asarray(~np.isnan(features).any(axis=-1).reshape(shape).any(axis=0))
        units, patterns = shape[0], int(usable.sum())
        rows = TaskRows(
            np.repeat(np.arange(units), patterns),
            self.n[:, usable].ravel(),
            self.successes[:, usable].ravel(),
            np.tile(self.tasks[usable], units),
            units,
        )
        return Paired(usable, self.tasks[usable], linearise(estimand, rows, anova=True))

    def draws(
        self, paired: Sequence[Paired], size: int, rng: np.random.Generator
    ) -> list[FloatArray]:
        """Draw all estimates jointly by the Bayesian bootstrap, one imaginary task added.

        Every draw gives the tasks new weights, alike for all units and estimands: uniform on the
        simplex (Rubin 1981). The imaginary task stands for what no task has shown yet: on it, half
        of the units, drawn at random, do as well as can be for the estimand, and the others as
        badly. Without it, one task on which two systems differ would make the one certainly better,
        however many there are on which they do not.

        Returns
        -------
        list of (size, units) ndarray
        """
        units = self.n.shape[0]
        out = [np.full((size, units), np.nan) for _ in paired]
        ends = [item.ends() if item.n_tasks else None for item in paired]
        step = max(1, CHUNK // max(1, len(self.tasks) + units))
        for start in range(0, size, step):
            stop = min(start + step, size)
            weights = rng.standard_gamma(self.tasks, size=(stop - start, len(self.tasks)))
            extra = rng.standard_exponential(stop - start)
            for values, item, extremes in zip(out, paired, ends, strict=True):
                ahead = _halves(stop - start, units, rng)
                if extremes is not None:
                    values[start:stop] = item.weighted(weights, extra, ahead, extremes)
        return out


def _halves(size: int, units: int, rng: np.random.Generator) -> npt.NDArray[np.bool_]:
    """Choose half of the units at random in each draw; the odd one joins either side."""
    if units == 2:
        first = rng.random(size) < 0.5
        return np.stack([first, ~first], axis=1)
    order = np.argsort(rng.random((size, units)), axis=1)
    return np.asarray(2 * order + (rng.random((size, 1)) < 0.5) < units)


@dataclass(frozen=True, eq=False)
class Paired:
    """Estimates of one estimand for units that share tasks.

    Attributes
    ----------
    usable : (patterns,) ndarray of bool
        Patterns with enough trials for all units.
    tasks : (usable patterns,) ndarray
        Number of tasks of each.
    linear : Linearised
        Estimates and their first-order dependence on tasks.
    """

    usable: npt.NDArray[np.bool_]
    tasks: FloatArray
    linear: Linearised

    @property
    def n_tasks(self) -> int:
        """Number of tasks used."""
        return int(self.tasks.sum())

    @property
    def value(self) -> FloatArray:
        """Estimates, (units,); NaN where there are none."""
        return self.linear.value

    @property
    def influence(self) -> FloatArray:
        """First-order effect of tasks on the estimates, (units, patterns)."""
        return self.linear.influence.reshape(len(self.value), -1)

    def spread(self) -> FloatArray:
        """Covariance over tasks of the influence on each unit's estimate, (units, units)."""
        moves = self.influence
        return np.asarray((moves * self.tasks) @ moves.T / max(self.n_tasks, 1))

    def sd_of_difference(self, spread: FloatArray, a: int, b: int) -> float:
        """Sd of a difference by the Bayesian bootstrap, s / sqrt(tasks + 1); NaN if none shows.

        Exact for means over tasks, of first order for functions of them.
        """
        variance = spread[a, a] + spread[b, b] - 2.0 * spread[a, b]
        scale = max(abs(self.value[a]), abs(self.value[b]), 1.0)
        if not variance > (TINY * scale) ** 2:
            return float("nan")
        return float(np.sqrt(variance / (self.n_tasks + 1)))

    def ends(self) -> FloatArray:
        """Features of one more task that is as good or as bad as can be, (2, units, features)."""
        linear = self.linear
        out = np.empty((2, *linear.means.T.shape))
        for unit, value in enumerate(linear.means.T):
            n = int(linear.rows.n[linear.rows.unit == unit].max())
            wins = np.arange(n + 1)
            features = features_of(linear.estimand, np.full(n + 1, n), wins, True)
            means = (self.n_tasks * value + features) / (self.n_tasks + 1)
            with np.errstate(invalid="ignore", divide="ignore"):
                result = np.real(linear.combine(means.T, float(self.n_tasks + 1)))
            result[np.isnan(features).any(axis=1)] = np.nan
            known = ~np.isnan(result)
            if not known.any():
                out[:, unit] = np.nan
                continue
            order = np.where(known, result, np.nan)
            out[0, unit] = features[np.nanargmin(order)]
            out[1, unit] = features[np.nanargmax(order)]
        return out

    def weighted(
        self,
        weights: FloatArray,
        extra: FloatArray,
        ahead: npt.NDArray[np.bool_],
        ends: FloatArray,
    ) -> FloatArray:
        """Evaluate under weights of patterns (draws, patterns) and of the imaginary task."""
        size, units = ahead.shape
        features = self.linear.features.reshape(units, len(self.tasks), -1)
        mine = weights[:, self.usable]
        sums = np.tensordot(mine, features, axes=(1, 1))
        sums += extra[:, None, None] * np.where(ahead[..., None], ends[1], ends[0])
        means = sums / (mine.sum(axis=1) + extra)[:, None, None]
        values = self.linear.combine(np.moveaxis(means, -1, 0), float(self.n_tasks))
        values = np.asarray(np.real(values), dtype=float).reshape(size, units)
        values[:, np.isnan(self.value)] = np.nan
        return values
