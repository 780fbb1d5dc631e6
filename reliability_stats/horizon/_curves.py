"""Shapes of success against length, as functions of log2 of the length.

With x = log2(length), h the place where the falling part passes one half and b > 0 its steepness::

    logistic    s = 1 / (1 + exp(b (x - h)))
    weibull     s = exp(-log(2) 2^(b (x - h)))      half_life: the same with b = 1
    mean        lower + (upper - lower) s
"""

from __future__ import annotations

import numpy as np
from scipy import special

from .._numerics import FloatArray

SHAPES = ("logistic", "weibull", "half_life")
LOG_2 = float(np.log(2.0))
TINY = 1e-300


def mean_logit(
    shape: str, x: FloatArray, h: FloatArray, b: FloatArray, lower: float, upper: FloatArray
) -> FloatArray:
    """Logit of the mean success rate at log2 lengths; arguments broadcast."""
    if shape == "logistic":
        z = -b * (x - h)
        log_s, log_f = special.log_expit(z), special.log_expit(-z)
    else:
        hazard = LOG_2 * np.exp2(np.clip(b * (x - h), -1000.0, 60.0))
        log_s, log_f = -hazard, np.log(np.maximum(-np.expm1(-hazard), TINY))
    with np.errstate(divide="ignore"):
        span = np.log(np.maximum(upper - lower, TINY))
        up = np.logaddexp(np.log(lower), span + log_s)
        down = np.logaddexp(np.log1p(-upper), span + log_f)
    return np.asarray(np.clip(up - down, -600.0, 600.0))


def length_at(
    shape: str, level: FloatArray, h: FloatArray, b: FloatArray, lower: float, upper: FloatArray
) -> FloatArray:
    """Log2 of the length at which the mean passes a level.

    Minus infinity where no length is short enough, infinity where none is long enough.
    """
    s = np.clip((level - lower) / (upper - lower), 0.0, 1.0)
    with np.errstate(divide="ignore"):
        if shape == "logistic":
            return np.asarray(h - special.logit(s) / b)
        return np.asarray(h + np.log2(-np.log(s) / LOG_2) / b)


def all_of_k(mean: FloatArray, odds: FloatArray, k: int) -> FloatArray:
    """E[p^k] of a beta law with this mean and icc / (1 - icc)."""
    out = np.ones(np.broadcast_shapes(np.shape(mean), np.shape(odds)))
    for j in range(k):
        out = out * (mean + j * odds) / (1 + j * odds)
    return np.asarray(out)


def mean_for_all_of_k(odds: FloatArray, k: int, level: float) -> FloatArray:
    """Mean at which E[p^k] is the level, by bisection."""
    low, high = np.zeros(np.shape(odds)), np.ones(np.shape(odds))
    for _ in range(48):
        middle = (low + high) / 2
        below = all_of_k(middle, odds, k) < level
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    return np.asarray((low + high) / 2)
