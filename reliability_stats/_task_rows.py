"""Tasks as distinct counts, and how much each of them moves an estimate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ._counts import Counts
from ._numerics import FloatArray, IntArray
from .estimands import Estimand

STEP = 1e-30
"""Imaginary step of derivatives; exact to rounding, however small."""


@dataclass(frozen=True, eq=False)
class TaskRows:
    """Distinct (n, successes) of each unit, sorted by unit, and how many tasks share them."""

    unit: IntArray
    n: IntArray
    successes: IntArray
    tasks: FloatArray
    n_units: int

    @classmethod
    def of(cls, counts: Counts) -> TaskRows:
        """Take the rows of counts."""
        rows = counts.distinct()
        return cls(
            rows.unit, rows.n, rows.successes, rows.multiplicity.astype(float), len(counts.units)
        )

    def keep(self, mask: npt.NDArray[np.bool_]) -> TaskRows:
        """Take the rows of a mask, of the same units."""
        if mask.all():
            return self
        return TaskRows(
            self.unit[mask], self.n[mask], self.successes[mask], self.tasks[mask], self.n_units
        )

    def total(self, values: FloatArray | float = 1.0) -> FloatArray:
        """Sum a value of each row over the tasks of each unit: (rows,) to (units,)."""
        sums = np.bincount(self.unit, weights=self.tasks * values, minlength=self.n_units)
        return np.asarray(sums, dtype=float)


@dataclass(frozen=True, eq=False)
class Linearised:
    """An estimate for each unit and its first-order dependence on tasks.

    Attributes
    ----------
    estimand : Estimand
        What is estimated.
    rows : TaskRows
        The tasks that could be used.
    features : (rows, features) ndarray
        Statistics whose means give the value.
    means, slopes : (features, units) ndarray
        Means over tasks, and derivatives of the value by them.
    n_tasks : (units,) ndarray
        Number of usable tasks.
    value : (units,) ndarray
        The estimate; NaN where there is none.
    anova : bool
        Whether the features are those for a sample of tasks.
    """

    estimand: Estimand
    rows: TaskRows
    features: FloatArray
    means: FloatArray
    slopes: FloatArray
    n_tasks: FloatArray
    value: FloatArray
    anova: bool

    @property
    def influence(self) -> FloatArray:
        """First-order effect of each row on its unit's value, (rows,): zero on average."""
        unit = self.rows.unit
        return np.asarray(((self.features - self.means.T[unit]) * self.slopes.T[unit]).sum(axis=-1))

    def combine(self, means: npt.NDArray[Any], n_tasks: FloatArray | float) -> npt.NDArray[Any]:
        """Value for other means, with the features along the first axis."""
        return _combine(self.estimand, means, n_tasks, self.anova)


def features_of(estimand: Estimand, n: IntArray, successes: IntArray, anova: bool) -> FloatArray:
    """Statistics of tasks whose means give the value, (rows, features); NaN where unusable."""
    if anova:
        return estimand.count_features(n, successes)
    return np.stack([part.unbiased(n, successes) for part in estimand.parts], axis=-1)


def linearise(estimand: Estimand, rows: TaskRows, *, anova: bool) -> Linearised:
    """Estimate a value for each unit and differentiate it.

    Parameters
    ----------
    estimand : Estimand
        What to estimate.
    rows : TaskRows
        Counts of tasks.
    anova : bool
        True for a sample of tasks (an ICC then has the degrees of freedom of the analysis of
        variance), False for these very tasks (the estimand's function of unbiased part means).

    Returns
    -------
    Linearised
    """
    features = features_of(estimand, rows.n, rows.successes, anova)
    usable = np.asarray(~np.isnan(features).any(axis=-1))
    rows, features = rows.keep(usable), features[usable]
    n_tasks = rows.total()
    with np.errstate(invalid="ignore", divide="ignore"):
        means = np.stack([rows.total(column) for column in features.T]) / n_tasks
        value = np.real(_combine(estimand, means, n_tasks, anova))
        slopes = np.empty_like(means)
        for j in range(len(means)):
            moved = means.astype(complex)
            moved[j] += STEP * 1j
            slopes[j] = np.imag(_combine(estimand, moved, n_tasks, anova)) / STEP
    slopes[:, np.isnan(value)] = np.nan
    return Linearised(estimand, rows, features, means, slopes, n_tasks, value, anova)


def _combine(
    estimand: Estimand, means: npt.NDArray[Any], n_tasks: FloatArray | float, anova: bool
) -> npt.NDArray[Any]:
    """Turn means into values, elementwise over the trailing axes."""
    with np.errstate(invalid="ignore", divide="ignore"):
        if anova:
            return estimand.combine_counts(means, n_tasks)
        return estimand.combine(*means)
