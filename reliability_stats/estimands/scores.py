"""Estimands that are polynomials of p: mean scores of some trials of a task."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike

from .._numerics import FloatArray, IntArray
from .base import AnyArray, TaskMean
from .urn import Urn, squared_scores


@dataclass(frozen=True)
class ScoreMean(TaskMean):
    """The mean score of k trials of a task, when the score depends on how many of them succeed.

    These are the polynomials of p, and all that k trials of a task identify. A subclass gives
    `name` and `scores`. Where closed forms exist it may also give `chance` and `chance_square`,
    which serve the three ways of evaluating at once; see `Urn`.

    Examples
    --------
    The chance that exactly one of two trials succeeds, as a new estimand:

    >>> from dataclasses import dataclass
    >>> from reliability_stats.estimands import ScoreMean
    >>> @dataclass(frozen=True)
    ... class ExactlyOne(ScoreMean):
    ...     @property
    ...     def name(self):
    ...         return "exactly_one"
    ...
    ...     def scores(self):
    ...         return [0, 1, 0]
    >>> new = ExactlyOne()
    >>> float(new.from_p([0.5])), new.from_counts([2, 4], [1, 4])
    (0.5, 0.5)
    >>> round(float(new.from_beta(1, 1)), 6)
    0.333333
    """

    @abstractmethod
    def scores(self) -> ArrayLike:
        """Score of 0..k successes, shape (k + 1,)."""

    @property
    def degree(self) -> float:
        """Number of trials, k."""
        return np.size(self.scores()) - 1

    @property
    def monotone(self) -> bool:
        """Whether no success lowers the score."""
        return bool((np.diff(np.asarray(self.scores(), dtype=float)) >= 0).all())

    @property
    def bounds(self) -> tuple[float, float]:
        """The lowest and the highest score."""
        scores = np.asarray(self.scores(), dtype=float)
        return float(scores.min()), float(scores.max())

    def chance(self, urn: Urn) -> FloatArray:
        """Mean score of k trials from an urn."""
        return urn.mean_score(self.scores())

    def chance_square(self, urn: Urn) -> FloatArray:
        """Mean product of the scores of two lots of k trials from an urn."""
        return urn.mean_score(_squared(self))

    def kernel(self, p: ArrayLike) -> FloatArray:
        """Mean score of k trials with success probability p."""
        return self.chance(Urn.known(p))

    def unbiased(self, n: IntArray, successes: IntArray) -> FloatArray:
        """Mean score of k of the trials, drawn without replacement; NaN where n < k."""
        return self.chance(Urn.counts(n, successes))

    def unbiased_square(self, n: IntArray, successes: IntArray) -> FloatArray:
        """Mean product of the scores of two disjoint lots of k of the trials; NaN where n < 2k."""
        return self.chance_square(Urn.counts(n, successes))

    def from_beta(self, a: ArrayLike, b: ArrayLike) -> AnyArray:
        """Mean score of k trials of a task with p ~ Beta(a, b)."""
        return self.chance(Urn.beta(a, b))

    def square_from_beta(self, a: ArrayLike, b: ArrayLike) -> FloatArray:
        """Mean product of the scores of two lots of k trials of one task with p ~ Beta(a, b)."""
        return self.chance_square(Urn.beta(a, b))


@lru_cache(maxsize=16)
def _squared(estimand: ScoreMean) -> FloatArray:
    """Give the scores of 2k trials that belong to the squared kernel."""
    return squared_scores(estimand.scores())
