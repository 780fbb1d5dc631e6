"""Design-based intervals over the population: tasks are a sample of tasks like these."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import special

from ._numerics import FloatArray
from ._task_rows import Linearised, TaskRows, linearise
from .estimands import ICC, Estimand, Persistence, Recovery, TaskMean
from .intervals import exact_limits

TINY = 1e-12
"""Relative size below which a standard error is rounding noise."""

EXACT = "clopper-pearson"
NONE = "none"
ONE_TASK = "one task does not show how tasks differ"
ALIKE = "no variation between tasks is seen that bears on it"

Between = Callable[[Linearised, npt.NDArray[np.bool_], float], tuple[FloatArray, FloatArray]]


@dataclass(frozen=True, eq=False)
class Estimates:
    """Estimates of one estimand for all units.

    Attributes
    ----------
    mean, sd, lower, upper : (units,) ndarray
        Columns of a summary.
    interval : (units,) ndarray of str
        Kind of the interval, or "none".
    n_tasks : (units,) ndarray
        Number of tasks used.
    reason : (units,) ndarray of str
        Why there is no interval; empty if there is one or no estimate either.
    """

    mean: FloatArray
    sd: FloatArray
    lower: FloatArray
    upper: FloatArray
    interval: npt.NDArray[np.object_]
    n_tasks: FloatArray
    reason: npt.NDArray[np.object_]


def labels(size: int, text: str) -> npt.NDArray[np.object_]:
    """Give an array of one text."""
    return np.full(size, text, dtype=object)


def population(
    estimand: Estimand, rows: TaskRows, prob: float, between: Between | None = None
) -> Estimates:
    """Estimate over the population, with tasks as clusters.

    Parameters
    ----------
    estimand : Estimand
        What to estimate.
    rows : TaskRows
        Counts of tasks.
    prob : float
        Interval mass.
    between : callable, optional
        Gives limits from (linearised, units, prob) instead of Student's t; used where Student's t
        interval stays inside the estimand's range.

    Returns
    -------
    Estimates
    """
    linear = linearise(estimand, rows, anova=True)
    n_tasks, value = linear.n_tasks, linear.value
    with np.errstate(invalid="ignore", divide="ignore"):
        variance = linear.rows.total(linear.influence**2) / (n_tasks - 1)
        sd = np.sqrt(variance / n_tasks)
    telling = _telling(linear)
    half = special.stdtrit(np.maximum(telling - 1, 1), (1 + prob) / 2) * sd
    lower, upper = value - half, value + half
    low, high = ends_of_range(linear)
    alike = (telling < 2) | (sd <= TINY * np.maximum(1.0, np.abs(value)))
    inside = ~alike & (lower > low) & (upper < high)
    interval = labels(len(value), "t")
    if between is not None and inside.any():
        lower[inside], upper[inside] = between(linear, inside, prob)
        interval[inside] = "bca"
        alike |= inside & np.isnan(lower + upper)
        inside &= ~alike
    limits = share_limits(linear, prob)
    if limits is None:
        lower, upper = np.clip(lower, low, high), np.clip(upper, low, high)
        lower[alike] = upper[alike] = np.nan
    else:
        lower = np.where(inside, lower, np.minimum(limits[0], value))
        upper = np.where(inside, upper, np.maximum(limits[1], value))
        interval[~inside] = EXACT
    reason = labels(len(value), "")
    reason[np.isnan(lower) | np.isnan(upper)] = ALIKE
    lower[n_tasks == 1] = upper[n_tasks == 1] = np.nan
    reason[n_tasks == 1] = ONE_TASK
    return finish(linear, np.where(alike, np.nan, sd), lower, upper, interval, reason)


def finish(
    linear: Linearised,
    sd: FloatArray,
    lower: FloatArray,
    upper: FloatArray,
    interval: npt.NDArray[np.object_],
    reason: npt.NDArray[np.object_],
) -> Estimates:
    """Leave no interval where there is no estimate, and no half intervals."""
    value = linear.value
    open_ended = np.isnan(value) | np.isnan(lower) | np.isnan(upper)
    lower, upper = np.where(open_ended, np.nan, lower), np.where(open_ended, np.nan, upper)
    interval[open_ended] = NONE
    reason[np.isnan(value)] = ""
    sd = np.where(np.isnan(value), np.nan, sd)
    return Estimates(value, sd, lower, upper, interval, linear.n_tasks, reason)


def _telling(linear: Linearised) -> FloatArray:
    """Count the tasks that bear on the value.

    A task without success says nothing of persistence, one without failure nothing of recovery:
    what is left is 0/0 when only such tasks are there. The fewer of the others there are, the fewer
    degrees of freedom has the standard error.
    """
    rows, telling = linear.rows, linear.n_tasks.copy()
    for end, silent in ((0.0, rows.successes == 0), (1.0, rows.successes == rows.n)):
        if np.isnan(linear.estimand.from_p([end])):
            telling = np.minimum(telling, linear.n_tasks - rows.total(silent.astype(float)))
    return telling


def share_limits(linear: Linearised, prob: float) -> tuple[FloatArray, FloatArray] | None:
    """Give limits that treat the value as a share of tasks, however the tasks' values are spread.

    A mean of values in [0, 1] varies at most as much as the share of successes among as many
    yes-or-no tasks, so the limits of Clopper and Pearson for that share are used. If no task
    differs from the end of the range, they are exact. A persistence is the share of successes that
    persist, a recovery that of failures that recover, and an ICC grows with the share of the rarer
    outcome that is repeated.

    Parameters
    ----------
    linear : Linearised
        The estimate.
    prob : float
        Interval mass.

    Returns
    -------
    (lower, upper) or None
        Limits for each unit, NaN without tasks; None if the estimand is no such share.
    """
    estimand, n_tasks = linear.estimand, linear.n_tasks
    with np.errstate(invalid="ignore", divide="ignore"):
        if isinstance(estimand, ICC):
            return _icc_limits(linear.rows, prob)
        if isinstance(estimand, TaskMean):
            low, high = estimand.bounds
            if not np.isfinite(high - low) or high == low:
                return None
            part = (linear.value - low) / (high - low) * n_tasks
            lower, upper = _limits(part, n_tasks, prob)
            return low + (high - low) * lower, low + (high - low) * upper
        if isinstance(estimand, Persistence):
            return _limits(linear.means[0] * n_tasks, linear.means[1] * n_tasks, prob)
        if isinstance(estimand, Recovery):
            fails = (1.0 - linear.means[1]) * n_tasks
            return _limits(linear.value * fails, fails, prob)
    return None


def _limits(part: FloatArray, whole: FloatArray, prob: float) -> tuple[FloatArray, FloatArray]:
    """Clopper-Pearson limits of part / whole; NaN if there is no whole."""
    known = whole > 0
    whole = np.where(known, whole, 1.0)
    slack = TINY * np.maximum(whole, 1.0)
    part = np.where(known, part, 0.0)
    part = np.where(part <= slack, 0.0, np.where(part >= whole - slack, whole, part))
    lower, upper = exact_limits(part, whole, prob)
    return np.where(known, lower, np.nan), np.where(known, upper, np.nan)


def _icc_limits(rows: TaskRows, prob: float) -> tuple[FloatArray, FloatArray]:
    """Limits of the ICC from those of the chance that the rarer outcome is repeated."""
    rows = rows.keep(rows.n > 1)
    rare = rarer_share(rows)
    wins = rows.total(rows.successes / rows.n) <= rows.total() / 2
    y = np.where(wins[rows.unit], rows.successes, rows.n - rows.successes)
    again = rows.total(y * (y - 1.0) / (rows.n * (rows.n - 1.0)))
    lower, upper = _limits(again, rows.total(y / rows.n), prob)
    return (lower - rare) / (1.0 - rare), (upper - rare) / (1.0 - rare)


def rarer_share(rows: TaskRows) -> FloatArray:
    """Mean share of trials with the rarer outcome, success or failure, in each unit."""
    rate = rows.total(rows.successes / rows.n) / rows.total()
    return np.minimum(rate, 1.0 - rate)


def ends_of_range(linear: Linearised) -> tuple[FloatArray, FloatArray]:
    """Smallest and largest value that the estimand could have, for each unit.

    An ICC is (r - q) / (1 - q), where q is the share of the rarer outcome and r the chance that it
    is repeated, so it cannot be below -q / (1 - q), whatever r.
    """
    low, high = linear.estimand.bounds
    lowest = np.full(len(linear.value), low)
    if isinstance(linear.estimand, ICC):
        with np.errstate(invalid="ignore", divide="ignore"):
            rare = rarer_share(linear.rows)
        lowest = -rare / (1.0 - rare)
    return lowest, np.full(len(linear.value), high)
