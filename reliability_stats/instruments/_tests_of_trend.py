"""Classical tests on the times of incidents: constant rate, and fit of a power law."""

from __future__ import annotations

import numpy as np
from scipy import special

from .._numerics import FloatArray

Result = tuple[float, float, float]
"""Statistic, degrees of freedom, p-value."""
NONE: Result = (float("nan"), float("nan"), float("nan"))


def laplace(times: FloatArray, end: float, by_failure: bool) -> Result:
    """Compare the mean time with the middle of the observation; below 0 means ever rarer."""
    used = times[:-1] if by_failure else times
    if not len(used):
        return NONE
    u = (used.mean() - end / 2) / (end / np.sqrt(12 * len(used)))
    return float(u), float("nan"), float(2 * special.ndtr(-abs(u)))


def military_handbook(times: FloatArray, end: float, by_failure: bool) -> Result:
    """Test 2 sum ln(T / t) as chi-squared; high values mean ever rarer."""
    df = 2 * (len(times) - by_failure)
    if df <= 0:
        return NONE
    statistic = 2 * np.log(end / times).sum()
    upper = special.chdtrc(df, statistic)
    return float(statistic), float(df), float(2 * min(upper, 1 - upper))


def cramer_von_mises(
    times: FloatArray, end: float, by_failure: bool, simulations: int, rng: np.random.Generator
) -> Result:
    """Measure how far the times are from a power law whose shape was estimated from them.

    Under a power law the statistic has one law whatever its parameters; its p-value comes from
    simulated processes with a constant rate.
    """
    used = times[:-1] if by_failure else times
    n = len(times)
    if len(used) < 2:
        return NONE
    observed = float(_statistic(used[None] / end, n, by_failure)[0])
    above, left = 0, simulations
    while left:
        size = min(left, max(1, 2_000_000 // len(used)))
        fake = np.sort(rng.random((size, len(used))), axis=1)
        above += int((_statistic(fake, n, by_failure) >= observed - 1e-12).sum())
        left -= size
    return observed, float("nan"), (above + 1) / (simulations + 1)


def _statistic(share: FloatArray, n: int, by_failure: bool) -> FloatArray:
    """Give the statistic of rows of sorted t / T, with the unbiased shape."""
    m = share.shape[1]
    shape = (n - 1 - by_failure) / -np.log(share).sum(axis=1, keepdims=True)
    place = (2 * np.arange(1, m + 1) - 1) / (2 * m)
    return np.asarray(1 / (12 * m) + ((share**shape - place) ** 2).sum(axis=1))
