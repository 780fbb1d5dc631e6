"""What missing outcomes may have been: counts that make an estimate smallest or largest."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ._counts import Counts
from ._numerics import FloatArray, IntArray
from ._task_rows import Linearised, TaskRows, features_of, linearise
from .estimands import Estimand, Persistence, Recovery, TaskMean
from .trials import Trials

MOST_ROUNDS = 100


@dataclass(frozen=True, eq=False)
class Completions:
    """Distinct (n, fewest successes, most successes) of the tasks of each unit, sorted by unit.

    Attributes
    ----------
    counts : Counts
        The counts with every missing outcome a failure.
    unit, n, fewest, most : (rows,) ndarray of int
        Unit in the order of `labels`, trials, and the ends of what the successes may be.
    tasks : (rows,) ndarray of float
        Number of tasks that share a row.
    labels : tuple of str
        The units asked for.
    """

    counts: Counts
    unit: IntArray
    n: IntArray
    fewest: IntArray
    most: IntArray
    tasks: FloatArray
    labels: tuple[str, ...]

    @classmethod
    def of(cls, trials: Trials) -> Completions:
        """Take the counts between all missing outcomes failing and all succeeding."""
        low, high = (trials.complete(end).counts for end in ("failure", "success"))
        place = {label: i for i, label in enumerate(trials.counts.units)}
        unit = np.array([place.get(label, -1) for label in low.units])[low.unit]
        cells = np.stack([unit, low.n, low.successes, high.successes])[:, unit >= 0]
        rows, tasks = np.unique(cells, axis=1, return_counts=True)
        unit, n, fewest, most = rows
        return cls(low, unit, n, fewest, most, tasks.astype(float), trials.counts.units)

    @property
    def open(self) -> npt.NDArray[np.bool_]:
        """Which units have a missing outcome, (units,)."""
        free = (self.most > self.fewest).astype(float)
        return np.bincount(self.unit, weights=free, minlength=len(self.labels)) > 0

    def rows(self, successes: IntArray) -> TaskRows:
        """Give counts of tasks with some choice of successes."""
        return TaskRows(self.unit, self.n, successes, self.tasks, len(self.labels))

    def extremes(self, estimand: Estimand) -> tuple[TaskRows, TaskRows] | None:
        """Give the counts that make the estimate smallest and largest.

        Exact for task means, where each task is set by itself, and for the ratios persistence and
        recovery, by the iteration of Dinkelbach.

        Parameters
        ----------
        estimand : Estimand
            What is estimated.

        Returns
        -------
        (TaskRows, TaskRows) or None
            None if the extremes are not known.

        References
        ----------
        Dinkelbach (1967), https://doi.org/10.1287/mnsc.13.7.492
        """
        if isinstance(estimand, TaskMean):
            return self._set(estimand, None, 1.0), self._set(estimand, None, -1.0)
        if isinstance(estimand, (Persistence, Recovery)):
            return self._descend(estimand, 1.0), self._descend(estimand, -1.0)
        return None

    def _set(self, estimand: Estimand, linear: Linearised | None, sign: float) -> TaskRows:
        """Set each task to the successes with the smallest signed feature, or linearised value."""
        options = self.most - self.fewest + 1
        group = np.repeat(np.arange(len(options)), options)
        first = np.cumsum(options) - options
        wins = self.fewest[group] + np.arange(len(group)) - first[group]
        features = features_of(estimand, self.n[group], wins, anova=True)
        if linear is None:
            score = features[:, 0]
        else:
            score = (features * linear.slopes.T[self.unit[group]]).sum(axis=-1)
        order = np.lexsort((sign * score, group))
        return self.rows(wins[order[first]])

    def _descend(self, estimand: Estimand, sign: float) -> TaskRows:
        """Improve a ratio until no task can; units where it is 0/0 at the start stay there."""
        rows = self.rows(self.fewest if sign > 0 else self.most)
        linear = linearise(estimand, rows, anova=True)
        for _ in range(MOST_ROUNDS):
            other = self._set(estimand, linear, sign)
            improved = sign * (linear.value - linearise(estimand, other, anova=True).value) > 1e-13
            if not improved.any():
                break
            rows = self.rows(np.where(improved[self.unit], other.successes, rows.successes))
            linear = linearise(estimand, rows, anova=True)
        return rows
