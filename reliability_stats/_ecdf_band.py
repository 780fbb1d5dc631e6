"""Simultaneous bands for the empirical distribution function of uniform values, exactly.

A band takes at each point the central interval of one level of the binomial law of the count there;
the level is such that all points together are inside with the wanted probability. That probability
is a product of transition matrices of the counts from point to point, no simulation.

Säilynoja, Bürkner and Vehtari (2022), https://doi.org/10.1007/s11222-022-10090-6
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from scipy import special

from ._numerics import FloatArray, IntArray

POINTS = 100
"""Intervals that (0, 1) is divided into."""


def grid_points() -> FloatArray:
    """Give the points at which the distribution function is looked at."""
    return np.arange(1, POINTS) / POINTS


def counts_below(values: FloatArray) -> IntArray:
    """Count the values in (0, 1) at or below each point."""
    return np.searchsorted(np.sort(values), grid_points(), side="right").astype(np.int64)


def level(size: int, counts: IntArray) -> float:
    """Give the smallest two-sided tail probability of the counts over the points."""
    z = grid_points()
    below = special.bdtr(counts, size, z)
    above = np.where(counts > 0, special.bdtrc(np.maximum(counts - 1, 0), size, z), 1.0)
    return float(2 * np.minimum(below, above).min())


def limits(size: int, gamma: float) -> tuple[IntArray, IntArray]:
    """Give the smallest and largest count at each point whose tail probabilities exceed a level."""
    from scipy import stats

    law, tail = stats.binom(size, grid_points()), gamma / 2
    lower, upper = (law.ppf(q).astype(np.int64) for q in (tail, 1 - tail))
    lower = np.clip(lower, 0, size)
    upper = np.clip(upper, 0, size)
    lower = np.where(law.cdf(lower) <= tail * (1 + 1e-9), lower + 1, lower)
    upper = np.where(law.sf(upper - 1) <= tail * (1 + 1e-9), upper - 1, upper)
    return lower, upper


@lru_cache(maxsize=4096)
def inside(size: int, gamma: float) -> float:
    """Give the probability that all counts of uniform values have tails above a level."""
    lower, upper = limits(size, gamma)
    if (lower > upper).any():
        return 0.0
    log_factorial = special.gammaln(np.arange(size + 1) + 1.0)
    z = np.concatenate([[0.0], grid_points()])
    counts, mass = np.zeros(1, dtype=np.int64), np.ones(1)
    for i, (low, high) in enumerate(zip(lower, upper, strict=True)):
        p = (z[i + 1] - z[i]) / (1 - z[i])
        new = np.arange(low, high + 1)
        gain = new[None, :] - counts[:, None]
        rest = size - counts[:, None]
        logs = log_factorial[rest] - log_factorial[np.maximum(gain, 0)]
        logs = logs - log_factorial[size - new] + gain * np.log(p)
        logs = logs + (size - new) * np.log1p(-p)
        mass = mass @ np.where(gain >= 0, np.exp(np.where(gain >= 0, logs, 0.0)), 0.0)
        counts = new
    return float(min(mass.sum(), 1.0))


@lru_cache(maxsize=256)
def band(size: int, prob: float) -> tuple[FloatArray, FloatArray]:
    """Give ends of the distribution function at the points, with all inside at least `prob`.

    Parameters
    ----------
    size : int >= 1
        Number of values.
    prob : float in (0, 1)
        Probability that uniform values stay inside at all points.

    Returns
    -------
    lower, upper : (points,) ndarray
    """
    low, high = 0.0, 1.0 - prob  # a single point needs 1 - prob, several need less
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (middle, high) if inside(size, middle) >= prob else (low, middle)
        if high - low < 1e-6 * high:
            break
    lower, upper = limits(size, low)
    return lower / size, upper / size


def p_value(values: FloatArray) -> float:
    """Give the probability that uniform values stray as far as these at some point."""
    return 1.0 - inside(len(values), min(level(len(values), counts_below(values)), 1.0))
