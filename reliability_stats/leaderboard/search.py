"""Search for count histograms: integers h_c >= 0 whose binomial sums lie in given ranges.

A histogram of tasks with c = 0..K successes is fixed by the sums S_k = sum_c C(c, k) h_c, k = 0..K.
The system is triangular: S_K gives h_K, then S_(K-1) gives h_(K-1), and so on, so that ranges of
the sums are searched from the top.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import comb

import numpy as np

from .._numerics import IntArray

BLOCK = 20_000
"""Most partial solutions that are extended at a time."""
EFFORT = 3_000_000
"""Partial solutions after which a search gives up."""
LARGEST = 2**62
"""Sums beyond this are not computed with."""


@dataclass(frozen=True)
class Found:
    """Solutions of a search: histograms (solutions, K + 1), and whether these are all there are.

    If not complete, the search stopped either at the most solutions asked for, or for its effort.
    """

    histograms: IntArray
    complete: bool


@dataclass(frozen=True)
class _Partial:
    """Partial solutions: h_c chosen for c >= level, and what is left of the ranges below."""

    level: int
    chosen: IntArray
    low: IntArray
    high: IntArray
    tasks: IntArray

    def rows(self, where: slice | IntArray | np.ndarray) -> _Partial:
        """Take some of them."""
        return _Partial(
            self.level, self.chosen[where], self.low[where], self.high[where], self.tasks[where]
        )


def find(low: IntArray, high: IntArray, n_tasks: int, *, most: int) -> Found:
    """Find all histograms whose sums lie in the ranges.

    Parameters
    ----------
    low, high : (K,) array of int
        Smallest and largest S_1, ..., S_K.
    n_tasks : int
        Sum of the histogram, S_0.
    most : int
        Stop when more solutions than this are known.

    Returns
    -------
    Found

    Notes
    -----
    The search also stops after `EFFORT` partial solutions, which only long ladders with few digits
    reach.

    Examples
    --------
    >>> import numpy as np
    >>> find(np.array([84, 82, 44, 10]), np.array([84, 82, 44, 10]), 50, most=10).histograms
    array([[14, 12, 10,  4, 10]])
    """
    k_max = len(low)
    nothing = np.empty((0, k_max + 1), dtype=np.int64)
    if (np.asarray(low) > np.asarray(high)).any():
        return Found(nothing, True)
    start = _Partial(
        k_max + 1,
        np.empty((1, 0), dtype=np.int64),
        np.array([[*low]], dtype=np.int64),
        np.array([[*high]], dtype=np.int64),
        np.array([n_tasks], dtype=np.int64),
    )
    stack, done, known, effort = [iter([start])], [nothing], 0, 0
    while stack and known <= most and effort <= EFFORT:
        partial = next(stack[-1], None)
        if partial is None:
            stack.pop()
        elif partial.level == 1:
            done.append(np.column_stack([partial.tasks, partial.chosen]))
            known += len(partial.tasks)
        else:
            effort += len(partial.tasks)
            stack.append(_extend(partial))
    complete = not stack and known <= most
    return Found(np.concatenate(done)[:most], complete)


def _extend(partial: _Partial) -> Iterator[_Partial]:
    """Choose h_c at the next level in all ways that can still be completed, in blocks."""
    first = np.maximum(partial.low[:, -1], 0)
    ways = np.maximum(np.minimum(partial.high[:, -1], partial.tasks) - first + 1, 0)
    ends = np.searchsorted(np.cumsum(ways), np.arange(BLOCK, ways.sum() + BLOCK, BLOCK), "left") + 1
    begin = 0
    for end in np.unique(np.minimum(ends, len(ways))).tolist():
        if ways[begin:end].sum():
            yield _choose(partial.rows(slice(begin, end)), first[begin:end], ways[begin:end])
        begin = end


def _choose(partial: _Partial, first: IntArray, ways: IntArray) -> _Partial:
    """Extend each partial solution by every allowed h_c, and drop what cannot be completed."""
    c = partial.level - 1
    origin = np.repeat(np.arange(len(ways)), ways)
    step = np.arange(len(origin)) - np.repeat(np.cumsum(ways) - ways, ways)
    h = first[origin] + step
    taken = h[:, None] * np.array([comb(c, k) for k in range(1, c)], dtype=np.int64)
    low, high = partial.low[origin, :-1] - taken, partial.high[origin, :-1] - taken
    tasks = partial.tasks[origin] - h
    chosen = np.column_stack([h, partial.chosen[origin]])
    return _Partial(c, chosen, low, high, tasks).rows(_possible(c, low, high, tasks))


def _possible(c: int, low: IntArray, high: IntArray, tasks: IntArray) -> np.ndarray:
    """Mark partial solutions that tasks with fewer than c successes may still complete.

    Each sum is bounded by the one before it: C(j, k) lies below (c - k) / k times C(j, k - 1), and
    is a convex function of it.
    """
    keep = tasks >= 0
    size = np.maximum(tasks, 1)
    for k in range(1, c):
        keep &= high[:, k - 1] >= 0
        before = tasks if k == 1 else high[:, k - 2]
        keep &= low[:, k - 1] * k <= before * (c - k)
        if k > 1:
            x = [comb(j, k - 1) for j in range(k - 2, c)]
            y = [comb(j, k) for j in range(k - 2, c)]
            least = size * np.interp(np.maximum(low[:, k - 2], 0) / size, x, y)
            keep &= high[:, k - 1] >= least - 1e-6 - 1e-12 * least
    return keep
