"""One system's tasks under several conditions: estimates, their covariance, and t intervals."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from scipy import special

from ._counts import Counts
from ._numerics import FloatArray, IntArray
from ._population import Estimates, population
from ._task_rows import Linearised, TaskRows, features_of, linearise
from ._within import observed, trial_variance
from .estimands import Estimand


@dataclass(frozen=True, eq=False)
class PairedTasks:
    """Estimates of one estimand of one system under several conditions, on the same tasks.

    Attributes
    ----------
    linear : Linearised
        Units are conditions, and rows are tasks: (conditions x tasks,).
    over : str
        Whether tasks are a sample ("population") or only their trials ("observed").
    n_common : int
        Tasks that were run under all the conditions, whether or not they could be used.
    """

    linear: Linearised
    over: str
    n_common: int

    @classmethod
    def of(cls, estimand: Estimand, counts: Counts, units: IntArray, over: str) -> PairedTasks:
        """Take the tasks that were run, often enough, under all of these units' conditions."""
        n, wins = np.zeros((2, len(units), counts.n_tasks), dtype=np.int64)
        for i, unit in enumerate(units):
            cells = np.flatnonzero(counts.unit == unit)
            n[i, counts.task[cells]] = counts.n[cells]
            wins[i, counts.task[cells]] = counts.successes[cells]
        ran = (n > 0).all(axis=0)
        n, wins = n[:, ran], wins[:, ran]
        features = features_of(estimand, n.ravel(), wins.ravel(), over == "population")
        usable = ~np.isnan(features).any(axis=-1).reshape(n.shape).any(axis=0)
        n, wins = n[:, usable], wins[:, usable]
        where = np.repeat(np.arange(len(units)), n.shape[1])
        rows = TaskRows(where, n.ravel(), wins.ravel(), np.ones(n.size), len(units))
        linear = linearise(estimand, rows, anova=over == "population")
        return cls(linear, over, int(ran.sum()))

    @property
    def value(self) -> FloatArray:
        """Estimate under each condition, (conditions,)."""
        return self.linear.value

    @property
    def n_tasks(self) -> int:
        """Number of tasks used."""
        return len(self.linear.rows.n) // len(self.value)

    @cached_property
    def _noise(self) -> FloatArray:
        """Variance of each task's contribution over its own trials, (conditions, tasks)."""
        noise = trial_variance(self.linear) / max(self.n_tasks, 1) ** 2
        return np.asarray(noise.reshape(len(self.value), -1))

    @cached_property
    def covariance(self) -> FloatArray:
        """Covariance of the estimates, (conditions, conditions)."""
        if self.over == "observed":
            return np.diag(self._noise.sum(axis=1))
        moves = self.linear.influence.reshape(len(self.value), -1)
        size = self.n_tasks
        if size < 2:
            return np.full((len(moves), len(moves)), np.nan)
        return np.asarray(moves @ moves.T / (size * (size - 1.0)))

    def freedom(self, weights: FloatArray) -> float:
        """Degrees of freedom of the standard error of a weighted sum of the estimates."""
        if self.over == "population":
            return max(self.n_tasks - 1.0, 1.0)
        spare = np.maximum(self.linear.rows.n.reshape(len(self.value), -1) - 1.0, 1.0)
        parts = weights[:, None] ** 2 * self._noise
        below = (parts**2 / spare).sum()
        return float(parts.sum() ** 2 / below) if below > 0 else 1.0

    def sd(self, weights: FloatArray) -> float:
        """Give the standard error of a weighted sum of the estimates."""
        return math.sqrt(max(float(weights @ self.covariance @ weights), 0.0))

    def quantile(self, weights: FloatArray, level: float) -> float:
        """Quantile of Student's t for a weighted sum."""
        return float(special.stdtrit(self.freedom(weights), level))

    def chance_below(self, weights: FloatArray, limit: float) -> float:
        """Confidence that a weighted sum is below a limit: one less the p value of the contrary."""
        sd = self.sd(weights)
        if not sd > 0:
            return float("nan")
        return float(special.stdtr(self.freedom(weights), (limit - weights @ self.value) / sd))

    def apart(self, prob: float) -> Estimates:
        """Estimate each condition by itself, with intervals that hold where nothing varies."""
        solve = population if self.over == "population" else observed
        return solve(self.linear.estimand, self.linear.rows, prob)

    def resampled(self, statistic: Any, prob: float, rng: Any, resamples: int) -> Any:
        """Give BCa limits of a function of the estimates, tasks resampled with all conditions."""
        import warnings

        from scipy import stats

        size = self.n_tasks
        features = self.linear.features.reshape(len(self.value), size, -1)

        def value(index: Any, axis: int = -1) -> Any:
            means = features[:, np.asarray(index, dtype=int)].mean(axis=-2)
            by_condition = self.linear.combine(np.moveaxis(means, -1, 0), float(size))
            del axis  # the last one, always
            return statistic(np.moveaxis(np.real(by_condition), 0, -1))

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = stats.bootstrap(
                (np.arange(size),),
                value,
                n_resamples=resamples,
                batch=max(1, 2**20 // size),
                vectorized=True,
                axis=-1,
                confidence_level=prob,
                method="BCa",
                rng=rng,
            )
        return found.confidence_interval.low, found.confidence_interval.high
