"""Smallest difference in success rate that a paired design detects, and tasks needed for one."""

from __future__ import annotations

from math import ceil
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from .._numerics import FloatArray
from .._validation import check_positive, check_prob
from ..exceptions import ArgumentError


def detectable_difference(
    between: ArrayLike,
    within: ArrayLike,
    *,
    tasks: ArrayLike,
    trials: ArrayLike = 1,
    prob: float = 0.95,
    power: float = 0.8,
) -> Any:
    """Smallest true difference of two systems that a paired test detects with a stated power.

    Both systems run the same tasks; the difference of their means is compared with its standard
    error, sqrt((between + within / trials) / tasks).

    Parameters
    ----------
    between : array_like of float >= 0
        Var(g_A - g_B) over tasks, where g is what is averaged: for success rates Var(p_A - p_B).
    within : array_like of float >= 0
        Variance that trials add to the difference of one task, at one trial each: for success rates
        E[p_A (1 - p_A)] + E[p_B (1 - p_B)].
    tasks : array_like of int >= 1
        Number of tasks.
    trials : array_like of int >= 1 or inf, default 1
        Trials of each task by each system.
    prob : float in (0, 1), default 0.95
        The test is two-sided at level 1 - prob.
    power : float in (0, 1), default 0.8
        Chance of detection.

    Returns
    -------
    float or ndarray
        In the units of the mean.

    Raises
    ------
    ArgumentError
        If a number is out of range.

    References
    ----------
    Miller (2024), Adding error bars to evals, https://doi.org/10.48550/arXiv.2411.00640

    Examples
    --------
    >>> from reliability_stats.planning import detectable_difference
    >>> detectable_difference(1 / 9, 1 / 3, tasks=198, trials=[1, 10]).round(3)
    array([0.133, 0.076])
    """
    n, k = _at_least_one(tasks, "tasks"), _at_least_one(trials, "trials")
    variance = _variance(between, within, k)
    out = _factor(prob, power) * np.sqrt(variance / n)
    return float(out) if out.ndim == 0 else out


def tasks_needed(
    difference: float,
    between: float,
    within: float,
    *,
    trials: float = 1,
    prob: float = 0.95,
    power: float = 0.8,
) -> int:
    """Tasks that a paired test needs to detect a difference of two systems.

    Parameters
    ----------
    difference : float > 0
        True difference of the means.
    between, within : float >= 0
        As in `detectable_difference`.
    trials : int >= 1 or inf, default 1
        Trials of each task by each system.
    prob : float in (0, 1), default 0.95
        The test is two-sided at level 1 - prob.
    power : float in (0, 1), default 0.8
        Chance of detection.

    Returns
    -------
    int
        Rounded up, at least 2.

    Raises
    ------
    ArgumentError
        If a number is out of range.

    References
    ----------
    Miller (2024), Adding error bars to evals, https://doi.org/10.48550/arXiv.2411.00640

    Examples
    --------
    >>> import math
    >>> from reliability_stats.planning import tasks_needed
    >>> tasks_needed(0.03, 1 / 9, 1 / 3, trials=math.inf)
    969
    """
    gap = check_positive(difference, "difference")
    variance = float(_variance(between, within, _at_least_one(trials, "trials")))
    return max(2, ceil(_factor(prob, power) ** 2 * variance / gap**2 - 1e-9))


def _factor(prob: float, power: float) -> float:
    """Count the standard errors between no difference and one that is detected."""
    level = (1.0 + check_prob(prob)) / 2.0
    return float(special.ndtri(level) + special.ndtri(check_prob(power, "power")))


def _variance(between: ArrayLike, within: ArrayLike, trials: FloatArray) -> FloatArray:
    """Variance of the difference on one task."""
    parts = []
    for name, value in (("between", between), ("within", within)):
        array = np.asarray(value, dtype=float)
        bad = ~((array >= 0) & np.isfinite(array))
        if bad.any():
            raise ArgumentError(
                f"{name} must be a finite variance of at least 0, not {array[bad].flat[0]!s}."
            )
        parts.append(array)
    return np.asarray(parts[0] + parts[1] / trials)


def _at_least_one(values: ArrayLike, name: str) -> FloatArray:
    """Give numbers of tasks or trials."""
    array = np.asarray(values, dtype=float)
    bad = ~(array >= 1)
    if bad.any():
        raise ArgumentError(f"{name} must be at least 1, not {array[bad].flat[0]:g}.")
    return array
