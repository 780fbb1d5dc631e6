"""What an estimand is: a mean over tasks of a kernel of p, or a smooth function of such means.

An estimand can be evaluated three ways, and every estimand of the package implements all three:

- `Estimand.from_p`: from known success probabilities, one for each task;
- `Estimand.from_counts`: from counts of successes, unbiased (or, for ratios, consistent);
- `Estimand.from_beta`: in closed form when p ~ Beta(a, b) over tasks.

A new estimand is a frozen dataclass in a file of its own. Derive it from

- `ScoreMean` if it is the mean score of some trials of a task, that is a polynomial of p: give
  `name` and `scores`, and everything else follows;
- `MeanFunction` if it is a function of other task means: give `name`, `parts` and `combine`;
- `TaskMean` if its kernel is not a polynomial: give `name`, `degree` and the five methods.
"""

from __future__ import annotations

import warnings
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .._numerics import FloatArray, IntArray
from .._validation import check_counts
from ..exceptions import ArgumentError, ExclusionWarning

AnyArray = NDArray[Any]


@dataclass(frozen=True)
class Estimand(ABC):
    """A functional of the distribution of success probabilities over tasks.

    Subclasses are frozen dataclasses: their fields are the definition. They are equal if they are
    of one class and have equal fields.
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
        """Ends of the range of the value, at which intervals are cut."""
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
            The value for each leading index; NaN where it is undefined (0/0) or any p is NaN.

        Raises
        ------
        ArgumentError
            If a probability lies outside [0, 1] or there is no task.
        """
        values = as_probabilities(p)
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
        with np.errstate(invalid="ignore", divide="ignore"):
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

    def combine_counts(self, means: AnyArray, n_tasks: AnyArray | float) -> AnyArray:  # noqa: ARG002
        """Turn means of `count_features` over `n_tasks` tasks into the design-based value.

        Parameters
        ----------
        means : (features, ...) array
            Means over the usable tasks. May be complex, so that the gradient can be taken exactly.
        n_tasks : (...) array or float
            Number of tasks averaged over.

        Returns
        -------
        (...) ndarray
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
            The estimate over the tasks with enough trials. NaN if no task has enough, because no
            unbiased estimate exists then, and where the value is 0/0: the persistence of a system
            that never succeeds, the recovery of one that never fails, the ICC of one whose trials
            all end alike.

        Raises
        ------
        ArgumentError
            If the counts or weights are not valid, or there is no task.

        Warns
        -----
        ExclusionWarning
            If tasks are left out because they have too few trials.
        """
        counts, wins = check_counts(n, successes)
        w = _as_weights(weights, len(counts))
        features = self.count_features(counts, wins)
        usable = np.asarray(~np.isnan(features).any(axis=-1))
        self._warn_excluded(counts, w, usable)
        if not w[usable].any():
            return float("nan")
        means = np.average(features[usable], axis=0, weights=w[usable])
        with np.errstate(invalid="ignore", divide="ignore"):
            return float(self.combine_counts(means, float(w[usable].sum())))

    def _warn_excluded(self, n: IntArray, weights: FloatArray, usable: AnyArray) -> None:
        """Warn of tasks that are left out, or of an estimand that counts alone cannot give."""
        left_out = weights[~usable].sum()
        if not left_out:
            return
        if not np.isfinite(self.degree):
            reason = "it has no unbiased estimate from counts; fit a model to them"
        else:
            first = int(n[~usable][weights[~usable] > 0][0])
            reason = (
                f"{left_out:.15g} of {weights.sum():.15g} tasks are left out, since it needs "
                f"{self.degree} trials of a task, and the first of these has {first}"
            )
        warnings.warn(f"{self.name}: {reason}.", ExclusionWarning, stacklevel=3)


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
    def kernel(self, p: ArrayLike) -> FloatArray:
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
    def square_from_beta(self, a: ArrayLike, b: ArrayLike) -> FloatArray:
        """E[g(p)^2] for p ~ Beta(a, b)."""


@dataclass(frozen=True)
class MeanFunction(Estimand):
    """A smooth function of several task means, such as a ratio.

    A subclass gives `name`, `parts` and `combine`, which must also take complex numbers: the
    design-based standard error differentiates it so.

    Examples
    --------
    How much of the capability in four trials is dependable, as a new estimand:

    >>> from dataclasses import dataclass
    >>> from reliability_stats.estimands import MeanFunction, PassAtK, PassHatK
    >>> @dataclass(frozen=True)
    ... class Kept(MeanFunction):
    ...     @property
    ...     def name(self):
    ...         return "kept"
    ...
    ...     @property
    ...     def parts(self):
    ...         return PassHatK(4), PassAtK(4)
    ...
    ...     def combine(self, *means):
    ...         return means[0] / means[1]
    >>> Kept().degree, Kept().from_counts([4, 4, 4], [0, 2, 4])
    (4, 0.5)
    """

    @property
    def degree(self) -> float:
        """The largest degree of the parts."""
        return max(part.degree for part in self.parts)


def as_probabilities(p: ArrayLike) -> FloatArray:
    """Give success probabilities as an array with at least one task; NaN stands for unknown."""
    values = np.atleast_1d(np.asarray(p, dtype=float))
    if not values.shape[-1]:
        raise ArgumentError("p is empty: there is no task to average over.")
    bad = (values < 0) | (values > 1)
    if bad.any():
        at = tuple(int(i) for i in np.argwhere(bad)[0])
        where = at[0] if len(at) == 1 else at
        raise ArgumentError(
            f"p must hold probabilities in [0, 1], but entry {where} is {values[at]:g}."
        )
    return values


def _as_weights(weights: ArrayLike | None, tasks: int) -> FloatArray:
    """Give the number of tasks behind each row of counts."""
    if not tasks:
        raise ArgumentError("n is empty: there is no task to average over.")
    if weights is None:
        return np.ones(tasks)
    w = np.asarray(weights, dtype=float)
    if w.shape != (tasks,):
        raise ArgumentError(
            f"weights must have one entry for each of {tasks} rows, not shape {w.shape}."
        )
    bad = np.flatnonzero(~((w >= 0) & np.isfinite(w)))
    if bad.size:
        i = int(bad[0])
        raise ArgumentError(
            f"weights must be numbers of tasks, at least 0, but entry {i} is {w[i]:g}."
        )
    if not w.any():
        raise ArgumentError("weights are all 0: there is no task to average over.")
    return w
