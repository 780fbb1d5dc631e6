"""Estimands that compare trials of one task with each other: persistence, recovery, correlation."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from .._numerics import FloatArray, IntArray
from .._validation import check_k
from .base import AnyArray, MeanFunction, TaskMean, as_probabilities
from .moments import Disagreement, PassHatK, SuccessRate


@dataclass(frozen=True)
class Persistence(MeanFunction):
    r"""Having succeeded once on a task, the chance that the next m trials succeed too.

    :math:`E[p^{m+1}] / E[p]`. It says what is kept, given that it was shown at all.

    Parameters
    ----------
    m : int >= 1, default 1
        Number of further trials.

    Raises
    ------
    ArgumentError
        If m is not an integer of at least 1.

    Examples
    --------
    >>> from reliability_stats import Persistence
    >>> round(Persistence(1).from_counts([4, 4, 4], [0, 2, 4]), 6)
    0.777778
    """

    m: int = 1

    def __post_init__(self) -> None:
        """Check m."""
        object.__setattr__(self, "m", check_k(self.m, name="m"))

    @property
    def name(self) -> str:
        """``persistence@m``."""
        return f"persistence@{self.m}"

    @property
    def parts(self) -> tuple[TaskMean, ...]:
        """pass^(m+1) and the success rate."""
        return PassHatK(self.m + 1), SuccessRate()

    def combine(self, *means: AnyArray) -> AnyArray:
        """Ratio of the two moments."""
        return np.asarray(means[0] / means[1])

    def from_beta(self, a: ArrayLike, b: ArrayLike) -> AnyArray:
        """E[p^m] for p ~ Beta(a + 1, b), the tasks weighted by their success."""
        return PassHatK(self.m).from_beta(np.asarray(a, dtype=float) + 1.0, b)


@dataclass(frozen=True)
class Recovery(MeanFunction):
    r"""After a failure on a task, the chance that the next trial succeeds.

    :math:`(E[p] - E[p^2]) / (1 - E[p])`.

    Examples
    --------
    >>> from reliability_stats import Recovery
    >>> round(Recovery().from_counts([4, 4, 4], [0, 2, 4]), 6)
    0.222222
    """

    @property
    def name(self) -> str:
        """``recovery``."""
        return "recovery"

    @property
    def parts(self) -> tuple[TaskMean, ...]:
        """The chance that two trials disagree, which is twice E[p(1-p)], and the success rate."""
        return Disagreement(), SuccessRate()

    def combine(self, *means: AnyArray) -> AnyArray:
        """Share of the failures after which the next trial would succeed."""
        return np.asarray(means[0] / 2.0 / (1.0 - means[1]))

    def from_beta(self, a: ArrayLike, b: ArrayLike) -> AnyArray:
        """E[p] for p ~ Beta(a, b + 1), the tasks weighted by their failure."""
        return SuccessRate().from_beta(a, np.asarray(b, dtype=float) + 1.0)


@dataclass(frozen=True)
class ICC(MeanFunction):
    r"""Intra-class correlation of the trials of a task, Var(p) / (E[p] (1 - E[p])).

    One if every task always ends the same way, zero if all tasks share one p. A system that always
    fails is perfectly consistent, so never read it without the success rate. From counts it is
    ICC(1) by unbalanced one-way analysis of variance, which may be negative: nothing is clipped. It
    is NaN if no task was tried twice, if there is one task only, and if all trials end alike.

    References
    ----------
    Fleiss and Cuzick (1979), https://doi.org/10.1177/014662167900300410;
    Ridout, Demetrio and Firth (1999), https://doi.org/10.1111/j.0006-341X.1999.00137.x

    Examples
    --------
    >>> from reliability_stats import ICC
    >>> round(ICC().from_counts([4, 4, 4], [0, 2, 4]), 6)
    0.666667
    """

    @property
    def name(self) -> str:
        """``icc``."""
        return "icc"

    @property
    def bounds(self) -> tuple[float, float]:
        """From -1 to 1: the value is not negative, but estimates of it can be."""
        return -1.0, 1.0

    @property
    def parts(self) -> tuple[TaskMean, ...]:
        """The first two moments."""
        return SuccessRate(), PassHatK(2)

    def combine(self, *means: AnyArray) -> AnyArray:
        """Variance between tasks over the variance of one trial."""
        return np.asarray((means[1] - means[0] ** 2) / (means[0] * (1.0 - means[0])))

    def from_p(self, p: ArrayLike) -> AnyArray:
        """Evaluate at known success probabilities, with deviations from their mean.

        Parameters
        ----------
        p : (..., tasks) array_like of float in [0, 1]
            Success probabilities; the last axis is averaged over.

        Returns
        -------
        (...) ndarray
            The value for each leading index; NaN where all p are 0 or all are 1.

        Raises
        ------
        ArgumentError
            If a probability lies outside [0, 1] or there is no task.
        """
        values = as_probabilities(p)
        with np.errstate(invalid="ignore", divide="ignore"):
            one_trial = values.mean(axis=-1) * (1.0 - values).mean(axis=-1)
            return np.asarray(values.var(axis=-1) / one_trial)

    def from_beta(self, a: ArrayLike, b: ArrayLike) -> AnyArray:
        """1 / (a + b + 1)."""
        return np.asarray(1.0 / (np.asarray(a, dtype=float) + np.asarray(b, dtype=float) + 1.0))

    def count_features(self, n: IntArray, successes: IntArray) -> FloatArray:
        """Give n, n^2, y and y^2 / n of each task with trials, for the one-way table of squares."""
        n, y = np.asarray(n, dtype=float), np.asarray(successes, dtype=float)
        n = np.where(n > 0, n, np.nan)
        return np.stack([n, n**2, y, y**2 / n], axis=-1)

    def combine_counts(self, means: AnyArray, n_tasks: AnyArray | float) -> AnyArray:
        """(MSB - MSW) / (MSB + (n0 - 1) MSW); NaN without replication or without variation."""
        n, n2, y, y2 = (np.asarray(mean) for mean in means)
        repeated = (np.real(n) - 1.0) * n_tasks > 0.5
        defined = (n_tasks > 1) & repeated & (np.real(y) > 0) & (np.real(y) < np.real(n))
        others = np.where(defined, n_tasks - 1.0, 1.0)
        between = n_tasks * (y2 - y**2 / n) / others
        within = (y - y2) / np.where(defined, n - 1.0, 1.0)
        size = (n_tasks * n - n2 / n) / others
        total = np.where(defined, between + (size - 1.0) * within, 1.0)
        return np.asarray(np.where(defined, (between - within) / total, np.nan))
