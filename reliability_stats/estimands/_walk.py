"""Mean scores of draws from an urn, over all numbers of successes."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from .._numerics import FloatArray, IntArray

CHUNK = 2**17
"""Largest number of chances held in one temporary array."""

_quiet = np.errstate(over="ignore", under="ignore", divide="ignore", invalid="ignore")


@_quiet
def _likeliest(wins: FloatArray, fails: FloatArray, step: int, k: int) -> IntArray:
    """Give the likeliest number of successes among k trials."""
    inner = np.floor((k + 1) * ((wins - step) / (wins + fails - 2 * step)))
    if step > 0:
        peaked = (wins >= 1) & (fails >= 1) & (wins + fails > 2)
        inner = np.where(peaked, inner, np.where(wins >= 1, k, 0))
    return np.clip(inner, 0, k).astype(np.int64)


@_quiet
def outward(
    wins: FloatArray,
    fails: FloatArray,
    step: int,
    k: int,
    score: Callable[[IntArray], FloatArray],
) -> FloatArray:
    """Average a score of the number of successes, walking from the likeliest number both ways."""
    start = _likeliest(wins, fails, step, k)
    total = np.ones(len(wins))
    value = score(start[:, None])[:, 0]
    size = int(np.clip(CHUNK // max(len(wins), 1), 1, 256))
    for up in (True, False):
        ahead, behind, begin = (wins, fails, start) if up else (fails, wins, k - start)
        weight = np.ones(len(wins))
        for done in range(0, int((k - begin).max(initial=0)), size):
            x = begin[:, None] + np.arange(done, min(done + size, k))
            inside = x < k
            x = np.minimum(x, k - 1)
            odds = (ahead[:, None] + step * x) / (behind[:, None] + step * (k - 1 - x))
            ratio = np.where(inside & (odds > 0), (k - x) / (x + 1.0) * odds, 0.0)
            weights = weight[:, None] * np.cumprod(ratio, axis=1)
            reached = x + 1 if up else k - 1 - x
            total += weights.sum(axis=1)
            value += (weights * score(reached)).sum(axis=1)
            weight = weights[:, -1]
            if not weight.any():
                break
    return np.asarray(value / total)
