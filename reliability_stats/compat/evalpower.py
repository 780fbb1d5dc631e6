"""Figures of evalpower about audits that look at a task once: misses, bounds, numbers of runs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from numpy.typing import ArrayLike

from .._numerics import FloatArray
from .._validation import check_counts, check_fraction, check_positive_int, check_prob
from ..exceptions import ArgumentError
from ..intervals import clopper_pearson


@dataclass(frozen=True)
class AuditMiss:
    """How often one run shows no failure of a task that has failed; made by `audit_miss`.

    Attributes
    ----------
    pair : float in [0, 1]
        Mean over tasks that failed at least once; NaN if none did.
    event : float in [0, 1]
        The same with every failure weighted alike.
    unbiased_event : float in [0, 1]
        `event` without the bias of its plug-in: the chance that a task is without failure in a run
        after one with failure. NaN if every task that failed has one run.
    tasks, failing : int
        Tasks, and those that failed at least once.

    Examples
    --------
    >>> from reliability_stats.compat import audit_miss
    >>> audit_miss([16, 16, 32], [4, 0, 12]).pair
    0.6875
    """

    pair: float
    event: float
    unbiased_event: float
    tasks: int
    failing: int


def audit_miss(n: ArrayLike, failures: ArrayLike) -> AuditMiss:
    """Chance that an audit of one run a task passes a task that is known to fail at times.

    With q = failures / n, `pair` is the mean of 1 - q over tasks with failures, and `event` the sum
    of failures x (1 - q) over the sum of failures.

    Parameters
    ----------
    n, failures : (tasks,) array_like of int
        Runs and failures (such as violations of a rule) of each task, 0 <= failures <= n.

    Returns
    -------
    AuditMiss
        Both of evalpower's figures, and `event` without bias.

    Raises
    ------
    ArgumentError
        If counts are not allowed, or there are no tasks.

    Notes
    -----
    *Difference.* `event` is near to 1 - `Persistence` of failure; with (n - 1) in place of n it is
    that very estimate (`unbiased_event`), which is a statement about tasks weighted by how often
    they fail. `pair` has no counterpart here: whether a task was seen to fail depends on n.

    *When it misleads.* Tasks that never failed in n runs are left out as if they could not. Those
    that fail rarely are mostly among them, so `pair` is too small, and grows with n: with q = .05
    on every task the truth is .95, but 8 runs give about .85. Compare no figures of different n.

    Examples
    --------
    >>> from reliability_stats.compat import audit_miss
    >>> audit_miss([16, 16, 32], [4, 0, 12])
    AuditMiss(pair=0.6875, event=0.65625, unbiased_event=0.68..., tasks=3, failing=2)
    """
    size, x = _counts(n, failures)
    seen = x > 0
    size, x, tasks = size[seen], x[seen], len(x)
    if not x.size:
        return AuditMiss(np.nan, np.nan, np.nan, tasks, 0)
    again = size > 1
    unbiased = np.nan
    if again.any():
        passed = (x[again] * (size[again] - x[again]) / (size[again] - 1)).sum()
        unbiased = float(passed / x[again].sum())
    return AuditMiss(
        float((1 - x / size).mean()),
        float((x * (1 - x / size)).sum() / x.sum()),
        unbiased,
        tasks,
        len(x),
    )


def _counts(n: ArrayLike, x: ArrayLike) -> tuple[FloatArray, FloatArray]:
    """Give checked counts of at least one run each."""
    size, some = check_counts(n, x)
    if not size.size or (size == 0).any():
        raise ArgumentError("There must be at least one task, and at least one run of each.")
    return size.astype(float), some.astype(float)


def demonstrably_stochastic(
    n: ArrayLike, failures: ArrayLike, *, margin: float = 0.05, prob: float = 0.95
) -> npt.NDArray[np.bool_]:
    """Say which tasks are shown to fail at times and pass at times.

    Parameters
    ----------
    n, failures : (tasks,) array_like of int
        Runs and failures of each task.
    margin : float in [0, 0.5), default 0.05
        The Clopper-Pearson interval must lie between `margin` and 1 - `margin`.
    prob : float in (0, 1), default 0.95
        Coverage of each interval.

    Returns
    -------
    (tasks,) ndarray of bool

    Raises
    ------
    ArgumentError
        If counts, margin or prob are not allowed.

    Notes
    -----
    *Difference.* `flag_flicker` asks for the chance that p lies between two limits, learns from all
    tasks, and limits the share of false alarms among all it names. Here each task stands alone.

    *When it misleads.* False is no evidence of steadiness: with 4 runs no outcome whatever gives
    True. Each True may be false with a chance of up to 1 - prob, so that among many tasks some are.

    Examples
    --------
    >>> from reliability_stats.compat import demonstrably_stochastic
    >>> demonstrably_stochastic([16, 16, 32, 4], [4, 0, 12, 1])
    array([ True, False,  True, False])
    """
    margin = check_fraction(margin, "margin")
    if margin >= 0.5:
        raise ArgumentError(f"margin must be below 0.5, not {margin}.")
    size, x = _counts(n, failures)
    lower, upper = clopper_pearson(x, size, prob=prob)
    return np.asarray((np.asarray(lower) > margin) & (np.asarray(upper) < 1 - margin))


def zero_failure_upper_bound(n: int, *, prob: float = 0.95) -> float:
    """Upper limit of the failure rate after n runs without failure: 1 - (1 - prob)^(1 / n).

    Parameters
    ----------
    n : int >= 1
        Runs.
    prob : float in (0, 1), default 0.95
        One-sided confidence.

    Returns
    -------
    float in (0, 1)

    Raises
    ------
    ArgumentError
        If an argument is not allowed.

    Notes
    -----
    *When it misleads.* It takes all runs as having one failure rate. If they are K runs on each of
    some tasks, runs of a task are alike, and the bound is too small for tasks like these.

    Examples
    --------
    >>> from reliability_stats.compat import zero_failure_upper_bound
    >>> round(zero_failure_upper_bound(59), 4)
    0.0495
    """
    runs = check_positive_int(n, "n")
    return float(-np.expm1(np.log1p(-check_prob(prob)) / runs))


def runs_needed(rate: float, *, prob: float = 0.95) -> int:
    """Give the runs that show at least one failure with a given chance.

    It is log(1 - prob) / log(1 - rate), rounded up.

    Parameters
    ----------
    rate : float in (0, 1]
        Failure rate of the task.
    prob : float in (0, 1), default 0.95
        Chance of at least one failure.

    Returns
    -------
    int

    Raises
    ------
    ArgumentError
        If an argument is not allowed.

    Notes
    -----
    *When it misleads.* It needs the rate that the audit is to find out, and holds for runs of one
    task. `plan` averages over rates that tasks may have.

    Examples
    --------
    >>> from reliability_stats.compat import runs_needed
    >>> [runs_needed(rate) for rate in (0.5, 0.25, 0.05)]
    [5, 11, 59]
    """
    chance = check_fraction(rate, "rate")
    if not chance:
        raise ArgumentError("rate must be above 0; a failure that never happens is never seen.")
    wanted = check_prob(prob)
    if chance == 1:
        return 1
    exact = np.log1p(-wanted) / np.log1p(-chance)
    return int(np.ceil(exact - 1e-12 * exact))


@dataclass(frozen=True)
class MomentFit:
    """A beta distribution of rates over tasks; made by `beta_binomial_moments`.

    Attributes
    ----------
    alpha, beta : float
        Parameters; NaN if tasks vary no more than chance makes them.
    icc : float
        Intra-class correlation 1 / (alpha + beta + 1), as estimated; may be negative.
    p_value : float in [0, 1]
        Likelihood ratio against one rate for all tasks, by chi-square with 1 degree of freedom.

    Examples
    --------
    >>> from reliability_stats.compat import beta_binomial_moments
    >>> round(beta_binomial_moments(10, [0, 0, 1, 2, 5, 8, 9, 10]).icc, 4)
    0.675
    """

    alpha: float
    beta: float
    icc: float
    p_value: float


def beta_binomial_moments(n: int, successes: ArrayLike) -> MomentFit:
    """Fit a beta distribution of rates over tasks to two moments.

    With mean rate p and variance s^2 (over tasks - 1) of the counts, the correlation is
    (s^2 / (n p (1 - p)) - 1) / (n - 1).

    Parameters
    ----------
    n : int >= 2
        Runs of each task.
    successes : (tasks,) array_like of int
        Successes of each task.

    Returns
    -------
    MomentFit
        Parameters, correlation and p-value.

    Raises
    ------
    ArgumentError
        If counts are not allowed, there are fewer than two tasks, or all outcomes are alike.

    Notes
    -----
    *Difference.* `fit` with `BetaBinomial` gives the posterior of both parameters, also for unequal
    n. Moments have no uncertainty.

    *When it misleads.* The correlation 0 lies at the edge of what is possible, so that half of the
    chi-square is at 0: the p-value is about twice too large. It compares the likelihood at the
    moments, not at the maximum.

    Examples
    --------
    >>> from reliability_stats.compat import beta_binomial_moments
    >>> beta_binomial_moments(10, [0, 0, 1, 2, 5, 8, 9, 10])
    MomentFit(alpha=0.2106..., beta=0.2708..., icc=0.6749..., p_value=8.63...e-10)
    """
    from scipy import stats

    size = check_positive_int(n, "n")
    wins = np.atleast_1d(np.asarray(successes))
    _, y = check_counts(np.full(wins.shape, size), wins)
    if size < 2 or len(y) < 2:
        raise ArgumentError("Two moments need at least two tasks, and two runs of each.")
    p = y.mean() / size
    if p in (0, 1):
        raise ArgumentError("All outcomes are alike, so no distribution of rates can be fitted.")
    icc = (y.var(ddof=1) / (size * p * (1 - p)) - 1) / (size - 1)
    if not 0 < icc < 1:
        return MomentFit(np.nan, np.nan, float(icc), 1.0 if icc <= 0 else np.nan)
    total = 1 / icc - 1
    a, b = p * total, (1 - p) * total
    more = stats.betabinom.logpmf(y, size, a, b) - stats.binom.logpmf(y, size, p)
    p_value = stats.chi2.sf(2 * more.sum(), 1)
    return MomentFit(float(a), float(b), float(icc), float(p_value))
