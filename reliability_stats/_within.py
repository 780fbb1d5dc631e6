"""Design-based intervals over the observed tasks: only the trials of a task are a sample."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import special

from ._numerics import FloatArray
from ._population import EXACT, TINY, Estimates, ends_of_range, finish, labels
from ._task_rows import Linearised, TaskRows, features_of, linearise
from .estimands import ICC, Estimand

MOST_STEPS = 24
"""Numbers of tasks for which the worst case is tried."""
SPLITS = 21
"""Ways to split the doubt between tasks that passed and tasks that failed."""

UNREPLICATED = "tasks without a trial to spare do not show the noise of their trials"
ALIKE = "no noise within tasks is seen that bears on it"


def observed(estimand: Estimand, rows: TaskRows, prob: float) -> Estimates:
    """Estimate over the observed tasks.

    Parameters
    ----------
    estimand : Estimand
        What to estimate.
    rows : TaskRows
        Counts of tasks.
    prob : float
        Interval mass.

    Returns
    -------
    Estimates
    """
    linear = linearise(estimand, rows, anova=False)
    rows, n_tasks, value = linear.rows, linear.n_tasks, linear.value
    noise = trial_variance(linear)
    with np.errstate(invalid="ignore", divide="ignore"):
        total = rows.total(noise)
        sd = np.sqrt(total) / n_tasks
        freedom = total**2 / rows.total(noise**2 / (rows.n - 1))
    half = special.stdtrit(np.where(total > 0, freedom, 1.0), (1 + prob) / 2) * sd
    low, high = ends_of_range(linear)
    lower, upper = np.clip(value - half, low, high), np.clip(value + half, low, high)
    interval, reason = labels(len(value), "t"), labels(len(value), "")
    silent = sd <= TINY * np.maximum(1.0, np.abs(value))
    if isinstance(estimand, ICC):
        silent |= value - half <= low
    sd[silent] = lower[silent] = upper[silent] = np.nan
    reason[silent], reason[np.isnan(total)] = ALIKE, UNREPLICATED
    unanimous = (rows.successes == 0) | (rows.successes == rows.n)
    exact = silent & (n_tasks > 0) & (rows.total((~unanimous).astype(float)) == 0)
    for unit in np.flatnonzero(exact & ~np.isnan(value)):
        lower[unit], upper[unit] = _unanimous_limits(linear, rows.unit == unit, prob)
        interval[unit], reason[unit] = EXACT, ""
    return finish(linear, sd, lower, upper, interval, reason)


def trial_variance(linear: Linearised) -> FloatArray:
    """Variance of each task's contribution to the value, over its own trials.

    Tasks contribute U-statistics of their trials. Leaving out one trial at a time gives a variance
    that is unbiased for a success rate and too large on average for higher degrees, never too small
    (Efron and Stein 1981). It needs one trial more than the degree; the unbiased variance would
    need twice the degree, can be negative, and gave intervals that missed too often.

    Parameters
    ----------
    linear : Linearised
        The estimate over the observed tasks.

    Returns
    -------
    (rows,) ndarray
        NaN for tasks that have no trial to spare.

    References
    ----------
    Efron and Stein (1981), The jackknife estimate of variance,
    https://doi.org/10.1214/aos/1176345462
    """
    rows, estimand = linear.rows, linear.estimand
    n, y = rows.n, rows.successes
    fewer = np.maximum(n - 1, 1)
    without_failure = features_of(estimand, fewer, np.minimum(y, fewer), linear.anova)
    without_success = features_of(estimand, fewer, np.maximum(y - 1, 0), linear.anova)
    step = ((without_failure - without_success) * linear.slopes.T[rows.unit]).sum(axis=-1)
    variance = (n - 1.0) * y * (n - y) / n.astype(float) ** 2 * step**2
    return np.where(n > estimand.degree, variance, np.nan)


def _unanimous_limits(
    linear: Linearised, mask: npt.NDArray[np.bool_], prob: float
) -> tuple[float, float]:
    """Limits when every task always passed or always failed.

    Not excluded are success probabilities under which so many trials end as they did with a chance
    of at least (1 - prob) / 2. That much doubt is split in every way between the tasks that passed
    and those that failed, and on each side shared equally by any number of tasks, where the value
    is furthest from the estimate. All tasks are taken to have the fewest trials, which can only
    widen the limits.
    """
    rows, estimand = linear.rows, linear.estimand
    passed = rows.successes[mask] > 0
    doubt = -np.log((1 - prob) / 2) / rows.n[mask].min()
    split = np.linspace(0.0, 1.0, SPLITS)
    sums: list[FloatArray] = [np.zeros((SPLITS, 1, 1)) for _ in estimand.parts]
    for won, part_of_doubt in ((False, 1.0 - split), (True, split)):
        tasks = rows.tasks[mask][passed == won].sum()
        sharing = np.unique(np.geomspace(1, tasks, MOST_STEPS).round()) if tasks else np.ones(1)
        away = np.exp(-doubt * part_of_doubt[:, None] / sharing)
        p, end = (away, 1.0) if won else (1.0 - away, 0.0)
        for i, part in enumerate(estimand.parts):
            here = part.kernel(np.array([end]))[0]
            side = tasks * here + (sharing * (part.kernel(p) - here) if tasks else 0.0 * p)
            sums[i] = sums[i] + (side[:, :, None] if won else side[:, None, :])
    means = np.stack(sums) / rows.tasks[mask].sum()
    found = np.append(linear.combine(means, 1.0), linear.value[rows.unit[mask][0]])
    return float(np.nanmin(found)), float(np.nanmax(found))
