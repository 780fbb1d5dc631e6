"""Trials of one task as draws from an urn: one set of formulas for all three ways of evaluating.

In Polya's urn a colour is drawn in proportion to its weight, and its weight then grows by a step.
The chance of i successes followed by j failures is the product of (wins + step s), s < i, and of
(fails + step s), s < j, over the product of (wins + fails + step s), s < i + j. This is

- p^i (1-p)^j with wins = p, fails = 1 - p and step 0: trials of a task with known p;
- E[p^i (1-p)^j] with step 1: p ~ Beta(wins, fails);
- the unbiased estimate of p^i (1-p)^j with step -1: trials drawn without replacement from those of
  a task with that many successes and failures.

Hence whatever is derived for the urn holds for all three.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from .._numerics import FloatArray, IntArray, sum_rule
from ._walk import CHUNK, outward

CANCELLED = 1e-5
"""Size below which a difference of chances has lost too many digits."""
PRODUCT_LIMIT = 64
"""Largest number of trials whose chances are multiplied out instead of summed on logs."""

_quiet = np.errstate(over="ignore", under="ignore", divide="ignore", invalid="ignore")


@dataclass(frozen=True, eq=False)
class Urn:
    """An urn with weights for success and failure, and the step by which a drawn colour grows.

    Make it with `known`, `beta` or `counts`. All methods work elementwise. With `counts`, chances
    of more trials than a task has are NaN: no unbiased estimate exists.

    Parameters
    ----------
    wins, fails : (...) ndarray of float
        Weights of success and of failure.
    step : {-1, 0, 1}
        What is added to the weight of the colour drawn.

    References
    ----------
    Eggenberger and Polya (1923), https://doi.org/10.1002/zamm.19230030407

    Examples
    --------
    >>> from reliability_stats.estimands import Urn
    >>> float(Urn.known(0.5).all(2)), float(Urn.beta(1, 1).all(2)), float(Urn.counts(4, 2).all(2))
    (0.25, 0.3333333333333333, 0.16666666666666666)
    """

    wins: FloatArray
    fails: FloatArray
    step: int

    @classmethod
    def known(cls, p: ArrayLike) -> Urn:
        """Make the urn of independent trials with known success probability.

        Parameters
        ----------
        p : (...) array_like of float in [0, 1]
            Success probabilities.

        Returns
        -------
        Urn
        """
        chance = np.asarray(p, dtype=float)
        return cls(chance, 1.0 - chance, 0)

    @classmethod
    def beta(cls, a: ArrayLike, b: ArrayLike) -> Urn:
        """Make the urn of trials of a task with p ~ Beta(a, b).

        Parameters
        ----------
        a, b : (...) array_like of float > 0
            Parameters of the beta distribution; broadcast against each other.

        Returns
        -------
        Urn
        """
        return cls(np.asarray(a, dtype=float), np.asarray(b, dtype=float), 1)

    @classmethod
    def counts(cls, n: ArrayLike, successes: ArrayLike) -> Urn:
        """Make the urn of trials drawn without replacement from those of a task.

        Parameters
        ----------
        n, successes : (...) array_like of int
            Trials and successes of each task; broadcast against each other.

        Returns
        -------
        Urn
        """
        wins = np.asarray(successes, dtype=float)
        return cls(wins, np.asarray(n, dtype=float) - wins, -1)

    def swapped(self) -> Urn:
        """Give the urn with success and failure exchanged."""
        return Urn(self.fails, self.wins, self.step)

    def after(self, wins: int = 0, fails: int = 0) -> Urn:
        """Give the urn as it is once so many successes and failures have been drawn.

        Parameters
        ----------
        wins, fails : int >= 0
            Numbers of successes and failures drawn.

        Returns
        -------
        Urn
        """
        floor = 0.0 if self.step < 0 else -np.inf
        return Urn(
            np.maximum(self.wins + self.step * wins, floor),
            np.maximum(self.fails + self.step * fails, floor),
            self.step,
        )

    @_quiet
    def all(self, k: int) -> FloatArray:
        """Chance that all of k trials succeed; E[p^k].

        Parameters
        ----------
        k : int >= 0
            Number of trials.

        Returns
        -------
        (...) ndarray
        """
        if self.step == 0:
            return np.asarray(self.wins**k)
        if k > PRODUCT_LIMIT:
            return self._enough(k, np.exp(self._log_all(k)))
        out, total = np.ones(self._shape), self.wins + self.fails
        for j in range(k):
            out *= self._left(self.wins, j, 0.0) / self._left(total, j, 1.0)
        return self._enough(k, out)

    @_quiet
    def any(self, k: int) -> FloatArray:
        """Chance that at least one of k trials succeeds; 1 - E[(1-p)^k].

        Parameters
        ----------
        k : int >= 0
            Number of trials.

        Returns
        -------
        (...) ndarray
        """
        if self.step == 0:
            return np.asarray(-np.expm1(k * np.log1p(-self.wins) if k else 0.0 * self.wins))
        if k > PRODUCT_LIMIT:
            return self._enough(k, -np.expm1(self.swapped()._log_all(k)))
        out, none, total = np.zeros(self._shape), np.ones(self._shape), self.wins + self.fails
        for j in range(k):
            left = self._left(total, j, 1.0)
            out += none * (self.wins / left)
            none *= self._left(self.fails, j, 0.0) / left
        return self._enough(k, np.where(out < 0.5, out, 1.0 - none))

    def mixed(self, wins: int, fails: int) -> FloatArray:
        """Chance that the first trials succeed and the next fail; E[p^wins (1-p)^fails].

        Parameters
        ----------
        wins, fails : int >= 0
            Numbers of trials.

        Returns
        -------
        (...) ndarray
        """
        return np.asarray(self.all(wins) * self.after(wins=wins).swapped().all(fails))

    def disagree(self, k: int) -> FloatArray:
        """Chance that k trials do not all end alike; 1 - E[p^k] - E[(1-p)^k].

        The first trial succeeds or fails, and any of the others differs: a sum of positive terms.

        Parameters
        ----------
        k : int >= 1
            Number of trials.

        Returns
        -------
        (...) ndarray
        """
        fallen = self.all(1) * self.after(wins=1).swapped().any(k - 1)
        return np.asarray(fallen + self.swapped().all(1) * self.after(fails=1).any(k - 1))

    def any_square(self, k: int) -> FloatArray:
        """Chance that two lots of k trials both have a success; E[(1 - (1-p)^k)^2].

        Parameters
        ----------
        k : int >= 0
            Number of trials in a lot.

        Returns
        -------
        (...) ndarray
        """
        if self.step == 0:
            return np.asarray(self.any(k) ** 2)
        failing = self.swapped()
        value = 1.0 - 2.0 * failing.all(k) + failing.all(2 * k)
        return self._careful(value, lambda rare: rare._rare_any_square(k))

    def disagree_square(self, k: int) -> FloatArray:
        """Chance that two lots of k trials both have mixed results; E[(1 - p^k - (1-p)^k)^2].

        Parameters
        ----------
        k : int >= 1
            Number of trials in a lot.

        Returns
        -------
        (...) ndarray
        """
        if self.step == 0 or k == 1:
            return self._enough(2 * k, self.disagree(k) ** 2)
        value = 1.0 + 2.0 * self.mixed(k, k)
        for urn in (self, self.swapped()):
            value = value + urn.all(2 * k) - 2.0 * urn.all(k)
        return self._careful(value, lambda rare: rare._rare_disagree_square(k))

    def mean_score(self, scores: ArrayLike) -> FloatArray:
        """Mean of a score of the number of successes among k trials.

        The chances are walked from the likeliest number of successes outwards, so that nothing
        overflows or cancels; the walk ends where they vanish, after a few standard deviations, or a
        step for each trial if p is spread out. Memory does not grow with k.

        Parameters
        ----------
        scores : (k + 1,) array_like of float
            Score of 0..k successes.

        Returns
        -------
        (...) ndarray
        """
        values = np.asarray(scores, dtype=float)
        return self._walk(len(values) - 1, lambda x, _: values[x])

    def _walk(self, k: int, score: Callable[[IntArray, slice], FloatArray]) -> FloatArray:
        """Average score(successes, rows), where `rows` says which elements are asked for."""
        wins, fails = (x.ravel() for x in np.broadcast_arrays(self.wins, self.fails))
        possible = ~np.isnan(wins + fails) & ((self.step >= 0) | (wins + fails >= k))
        wins, fails = np.where(possible, wins, 0.0), np.where(possible, fails, float(k + 1))
        out = np.empty(len(wins))
        for first in range(0, len(wins), CHUNK):
            rows = slice(first, first + CHUNK)
            out[rows] = outward(wins[rows], fails[rows], self.step, k, lambda x: score(x, rows))  # noqa: B023
        return np.where(possible, out, np.nan).reshape(self._shape)

    @property
    def _shape(self) -> tuple[int, ...]:
        """Shape of the result."""
        return np.broadcast_shapes(self.wins.shape, self.fails.shape)

    def _left(self, weight: FloatArray, draws: int, least: float) -> FloatArray:
        """Weight of what was drawn so many times, at least `least` without replacement."""
        return np.maximum(weight - draws, least) if self.step < 0 else weight + draws

    def _enough(self, k: int, values: FloatArray) -> FloatArray:
        """Replace values by NaN where fewer than k trials are left to draw."""
        if self.step >= 0:
            return np.asarray(values)
        return np.where(self.wins + self.fails >= k, values, np.nan)

    def _log_all(self, k: int) -> FloatArray:
        """Log of `all`, for steps -1 and 1; the factors are taken from the smallest up."""
        smallest = self.wins - (k - 1) if self.step < 0 else self.wins
        possible = smallest > 0
        smallest = np.where(possible, smallest, 1.0)
        out = np.zeros(self._shape)
        for node, weight in sum_rule(k):
            out -= weight * np.log1p(self.fails / (smallest + node))
        return np.where(possible, out, -np.inf)

    def _careful(self, value: FloatArray, rare: Callable[[Urn], FloatArray]) -> FloatArray:
        """Evaluate small values anew by sums that do not cancel."""
        small = value < CANCELLED
        if not small.any():
            return value
        wins, fails = np.broadcast_arrays(self.wins, self.fails)
        out = np.array(value)
        out[small] = rare(Urn(wins[small], fails[small], self.step))
        return out

    @_quiet
    def _rare_any_square(self, k: int) -> FloatArray:
        """Evaluate `any_square` where success is rare, from how k failures make it rarer."""
        shift = self.step * k
        fails, total = self.fails, self.wins + self.fails + shift
        if self.step < 0:
            fails, total = fails - (k - 1), total - (k - 1)
        fading = np.zeros(self._shape)
        for node, weight in sum_rule(k):
            fading += weight * np.log1p(self.wins / (fails + node) * (shift / (total + node)))
        none, later = self.swapped().all(k), self.after(fails=k).any(k)
        return np.asarray(self.any(k) * later + none * np.expm1(fading))

    def _rare_disagree_square(self, k: int) -> FloatArray:
        """Evaluate `disagree_square` conditional on the first trial of each lot."""
        rest, split = k - 1, self.after(1, 1)
        both_won = self.mixed(2, 0) * self.after(wins=2).swapped().any_square(rest)
        both_failed = self.mixed(0, 2) * self.after(fails=2).any_square(rest)
        differ = split.mixed(rest, rest) + split.disagree(rest)
        return np.asarray(both_won + both_failed + 2.0 * self.mixed(1, 1) * differ)


def squared_scores(scores: ArrayLike) -> FloatArray:
    """Turn scores of k trials into those of 2k trials that give the squared mean.

    Parameters
    ----------
    scores : (k + 1,) array_like of float
        Score of 0..k successes, with mean g(p).

    Returns
    -------
    (2k + 1,) ndarray
        Score of 0..2k successes, with mean g(p)^2: the trials are split at random into two lots.

    Examples
    --------
    >>> squared_scores([0, 1])
    array([0., 0., 1.])
    """
    values = np.asarray(scores, dtype=float)
    k = len(values) - 1
    both = np.arange(2 * k + 1)

    def product(x: IntArray, rows: slice) -> FloatArray:
        other = both[rows, None] - x
        return np.asarray(values[x] * values[np.clip(other, 0, k)])

    return Urn.counts(np.full(2 * k + 1, 2 * k), both)._walk(k, product)
