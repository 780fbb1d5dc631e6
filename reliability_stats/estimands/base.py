"""What an estimand is: a mean over tasks of a kernel of p, or a smooth function of such means.

An estimand can be evaluated three ways, and every estimand of the package implements all three:

- `Estimand.from_p`: from known success probabilities, one for each task;
- `Estimand.from_counts`: from counts of successes, unbiased (or, for ratios, consistent);
- `Estimand.from_beta`: in closed form when p ~ Beta(a, b) over tasks.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .._numerics import FloatArray, IntArray
from .._validation import check_counts

AnyArray = NDArray[Any]


@dataclass(frozen=True)
class Estimand(ABC):
    """A functional of the distribution of success probabilities over tasks.

    Subclasses are frozen dataclasses: their fields are the definition. Use `TaskMean` for a mean
    over tasks of a kernel g(p), `MeanFunction` for a function of several such means.
    """

    @property
    @abstractmethod
    def name(self) -> str:
        """Label in the ``estimand`` column of every table."""

    @property
    @abstractmethod
    def degree(self) -> float:
        """Number of trials a task needs for the data to identify the value; infinite if none do."""

    @property
    @abstractmethod
    def parts(self) -> tuple[TaskMean, ...]:
        """The task means that the value is a function of."""

    @abstractmethod
    def combine(self, *means: AnyArray) -> AnyArray:
        """Turn the means of `parts` into the value, elementwise."""

    @property
    def monotone(self) -> bool:
        """Whether the value can only grow when any success probability grows."""
        return False

    @property
    def bounds(self) -> tuple[float, float]:
        """Smallest and largest possible value."""
        return 0.0, 1.0

    def from_p(self, p: ArrayLike) -> AnyArray:
        """Evaluate at known success probabilities.

        Parameters
        ----------
        p : (..., tasks) array_like of float in [0, 1]
            Success probabilities; the last axis is averaged over.

        Returns
        -------
        (...) ndarray
            The value for each leading index; NaN where it is undefined (0/0).
        """
        values = np.asarray(p, dtype=float)
        with np.errstate(invalid="ignore", divide="ignore"):
            return self.combine(*(part.kernel(values).mean(axis=-1) for part in self.parts))

    def from_beta(self, a: ArrayLike, b: ArrayLike) -> AnyArray:
        """Evaluate in closed form for p ~ Beta(a, b).

        Parameters
        ----------
        a, b : array_like of float > 0
            Parameters of the beta distribution; broadcast against each other.

        Returns
        -------
        ndarray
            The value for each pair of parameters.
        """
        a, b = np.asarray(a, dtype=float), np.asarray(b, dtype=float)
        return self.combine(*(part.from_beta(a, b) for part in self.parts))

    def count_features(self, n: IntArray, successes: IntArray) -> FloatArray:
        """Per-task statistics whose means enter `combine_counts`; NaN rows cannot be used.

        Parameters
        ----------
        n, successes : (tasks,) array of int
            Trials and successes of each task.

        Returns
        -------
        (tasks, features) ndarray
        """
        return np.stack([part.unbiased(n, successes) for part in self.parts], axis=-1)

    def combine_counts(self, means: AnyArray, n_tasks: float) -> AnyArray:
        """Turn means of `count_features` over `n_tasks` tasks into the design-based value.

        Parameters
        ----------
        means : (features,) array
            Means over the usable tasks. May be complex, so that the gradient can be taken exactly.
        n_tasks : float
            Number of tasks averaged over.

        Returns
        -------
        scalar ndarray
        """
        return self.combine(*means)

    def from_counts(
        self, n: ArrayLike, successes: ArrayLike, *, weights: ArrayLike | None = None
    ) -> float:
        """Evaluate design-based, without a model, from counts.

        Unbiased for task means when the number of trials does not depend on their outcomes;
        consistent for ratios of such means.

        Parameters
        ----------
        n, successes : (tasks,) array_like of int
            Trials and successes of each task.
        weights : (tasks,) array_like of int, optional
            How many tasks share a row.

        Returns
        -------
        float
            The estimate over the tasks with enough trials; NaN if there are none, because no
            unbiased estimate exists then.
        """
        counts, wins = check_counts(n, successes)
        features = self.count_features(counts, wins)
        usable = ~np.isnan(features).any(axis=-1)
        if not usable.any():
            return float("nan")
        w = np.ones(len(counts)) if weights is None else np.asarray(weights, dtype=float)
        means = np.average(features[usable], axis=0, weights=w[usable])
        with np.errstate(invalid="ignore", divide="ignore"):
            return float(self.combine_counts(means, float(w[usable].sum())))


@dataclass(frozen=True)
class TaskMean(Estimand):
    """A mean over tasks of a kernel g(p)."""

    @property
    def parts(self) -> tuple[TaskMean, ...]:
        """The estimand itself."""
        return (self,)

    def combine(self, *means: AnyArray) -> AnyArray:
        """Return the single mean as it is."""
        return means[0]

    @abstractmethod
    def kernel(self, p: FloatArray) -> FloatArray:
        """g(p), elementwise."""

    @abstractmethod
    def unbiased(self, n: IntArray, successes: IntArray) -> FloatArray:
        """Unbiased estimate of g(p) of each task from its counts; NaN where none exists."""

    @abstractmethod
    def unbiased_square(self, n: IntArray, successes: IntArray) -> FloatArray:
        """Unbiased estimate of g(p)^2 of each task from its counts; NaN where none exists."""

    @abstractmethod
    def from_beta(self, a: ArrayLike, b: ArrayLike) -> AnyArray:
        """E[g(p)] for p ~ Beta(a, b)."""

    @abstractmethod
    def square_from_beta(self, a: FloatArray, b: FloatArray) -> FloatArray:
        """E[g(p)^2] for p ~ Beta(a, b)."""


@dataclass(frozen=True)
class MeanFunction(Estimand):
    """A smooth function of several task means, such as a ratio."""
