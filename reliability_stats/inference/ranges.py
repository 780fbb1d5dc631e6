"""Ranges of estimands that moments of p leave, with what sampling error adds.

Sampling error is that of independent tasks with random weights, one of them added that may have any
number of successes: lower ends suppose the worst, upper ends the best. For a share of tasks this is
the interval of Clopper and Pearson; for means it is that of Gaffke.

References
----------
Gaffke (2005), Three test statistics for a nonparametric one-sided hypothesis on the mean of a
nonnegative variable, Mathematical Methods of Statistics 14, 451-467.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from .._numerics import FloatArray
from ..estimands import Estimand, TaskMean
from .moment_problem import MomentProblem

DRAWS = 4000
MAX_ADDED = 9
"""Most numbers of successes that are tried for the added task."""
SLACK = 1.0
"""Sampling errors, in sds, for which the linear bounds behind intervals are best."""

Closed = Callable[[TaskMean, FloatArray], "FloatArray | None"]
"""(estimand, moments of shape (..., moments)) -> bounds in closed form, (2, ...), if known."""


def drawn_moments(
    shares: FloatArray,
    features: FloatArray,
    n_tasks: int,
    rng: np.random.Generator,
    added: FloatArray | None = None,
) -> FloatArray:
    """Draw moments from tasks and what each adds to them, (added, DRAWS, moments).

    Parameters
    ----------
    shares : (rows,) ndarray
        Shares of the tasks.
    features : (rows, moments) ndarray
        What a task of each row adds.
    n_tasks : int
        Number of tasks.
    rng : numpy.random.Generator
    added : (choices, moments) ndarray, optional
        What the added task may add, from worst to best; by default what the rows add.
    """
    choices = features if added is None else added
    weights = rng.standard_gamma(n_tasks * shares, size=(DRAWS, len(shares)))
    extra = rng.standard_gamma(1.0, size=(DRAWS, 1))
    total = weights.sum(axis=1, keepdims=True) + extra
    places = np.unique(np.linspace(0, len(choices) - 1, MAX_ADDED).astype(int))
    return np.asarray((weights @ features + choices[places, None] * extra) / total)


@dataclass(frozen=True, eq=False)
class Range:
    """Lower and upper bound of an estimand: at the moments (2,), at draws (2, added, draws)."""

    ends: FloatArray
    drawn: FloatArray | None
    identified: bool

    def interval(self, prob: float) -> tuple[float, float]:
        """Give the quantile of the lower bound and that of the upper bound."""
        if self.drawn is None:
            return np.nan, np.nan
        low, high = quantiles(self.drawn[0], self.drawn[1], prob)
        return min(low, float(self.ends[0])), max(high, float(self.ends[1]))


def quantiles(lower: FloatArray, upper: FloatArray, prob: float) -> tuple[float, float]:
    """Give the ends of an interval from draws (added, draws), over the worst and best added."""
    low = np.nanquantile(np.fmin.reduce(lower), (1 - prob) / 2)
    high = np.nanquantile(np.fmax.reduce(upper), (1 + prob) / 2)
    return float(low), float(high)


def spread(drawn: FloatArray) -> float:
    """Give the sd of draws (added, draws), for a given addition."""
    return float(np.sqrt(np.nanmean(np.nanvar(drawn, axis=1))))


@dataclass(frozen=True, eq=False)
class Ranges:
    """What a moment problem says of estimands.

    Attributes
    ----------
    problem : MomentProblem
        Possible moments, close to the published or counted ones.
    published : (moments,) ndarray
        The moments as they were published or counted.
    draws : (added, draws, moments) ndarray or None
        Draws of the moments.
    closed : callable
        Bounds in closed form where they are known.
    centred : bool
        Whether draws are moved along with moments that had to be moved to be possible.
    """

    problem: MomentProblem
    published: FloatArray
    draws: FloatArray | None
    closed: Closed = lambda estimand, moments: None  # noqa: ARG005
    centred: bool = False

    def of(self, estimand: Estimand) -> Range | str:
        """Bound an estimand, or say why it cannot be."""
        if isinstance(estimand, TaskMean):
            return self._mean(estimand)
        parts = [self._mean(part) for part in estimand.parts]
        if sum(not part.identified for part in parts) > 1:
            return "needs the mean"
        ends = self._combine(estimand, [part.ends for part in parts])
        if np.isnan(ends).any():
            return "0/0 at these moments"
        drawn = [part.drawn for part in parts if part.drawn is not None]
        identified = all(part.identified for part in parts)
        return Range(ends, self._combine(estimand, drawn) if drawn else None, identified)

    @staticmethod
    def _combine(estimand: Estimand, parts: Sequence[FloatArray]) -> FloatArray:
        """Evaluate a function of means at the ends of the one that is open, and sort them."""
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.sort(np.clip(estimand.combine(*parts), *estimand.bounds), axis=0)

    def _mean(self, estimand: TaskMean) -> Range:
        """Bound a mean over tasks."""
        draws, values = self.draws, self.problem.values
        exact = self.problem.exact(estimand)
        if exact is not None:
            both = exact, exact
        else:
            ends = self.closed(estimand, values)
            if ends is not None:
                drawn = None if draws is None else self.closed(estimand, draws)
                return Range(np.asarray(ends), drawn, False)
            both = self.problem.bounds(estimand, 0.0)
        at = values if exact is None else self.published
        ends = np.array([bound.at(at) for bound in both])
        if draws is not None:
            if exact is None:
                both = self.problem.bounds(estimand, SLACK)
                draws = draws + (values - self.published if self.centred else 0.0)
            draws = np.clip([bound.at(draws) for bound in both], 0, 1)
        # Adding zero turns minus zero into zero.
        return Range(np.clip(ends.round(12), 0, 1) + 0.0, draws, exact is not None)
