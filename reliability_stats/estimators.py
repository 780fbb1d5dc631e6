"""Design-based estimates: no model, only how tasks and trials were drawn."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from . import _summary
from ._bootstrap import Bootstrap
from ._completions import Completions
from ._contrast_estimates import contrast_fields
from ._estimate_notes import Notes
from ._population import NONE, Estimates, labels, population
from ._summary import Question
from ._task_rows import TaskRows
from ._validation import check_choice, check_k, check_over, check_prob, check_rng
from ._within import observed
from .estimands import Contrast, Estimand
from .exceptions import ArgumentError, TrialDataError
from .trials import Trials

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["estimate"]

METHODS = ("t", "bca")
EXTREMES = "its extremes over what the missing outcomes may have been are not known"
UNDEFINED = "0/0 for some of what the missing outcomes may have been"

INCOMPLETE = (
    "{} outcomes are missing under missing='bounds', and {} needs definite counts. Estimate "
    "trials.complete('failure') and trials.complete('success') to see both ends."
)

Estimator = Callable[[Estimand, TaskRows], Estimates]


def estimate(
    trials: Trials,
    estimands: Question | Sequence[Question] | None = None,
    *,
    over: str = "population",
    prob: float = 0.95,
    method: str = "t",
    rng: Any = 0,
    resamples: int = 5000,
) -> pd.DataFrame:
    """Estimate without a model: unbiased means over tasks, with intervals that respect tasks.

    Parameters
    ----------
    trials : Trials
        The data. With conditions, each system is estimated separately under each condition.
    estimands : estimand or list of estimands, optional
        What to estimate. By default the success rate, pass@k, pass^k and their gap at the usual
        number of trials, persistence and ICC. Comparisons of conditions, such as `Degradation`,
        give one row a system.
    over : {"population", "observed"}
        Tasks like these, of which the table's are a sample; or the very tasks of the table, of
        which only the trials are a sample.
    prob : float in (0, 1), default 0.95
        Nominal coverage of the intervals.
    method : {"t", "bca"}, default "t"
        Student's t, or the bias-corrected and accelerated bootstrap over tasks; over the population
        only.
    rng : int, numpy.random.Generator, SeedSequence or None, default 0
        Seed of the bootstrap.
    resamples : int >= 100, default 5000
        Resamples of the bootstrap. The cost grows with them and with the number of distinct counts
        (n, successes), not with that of tasks.

    Returns
    -------
    pandas.DataFrame
        Columns estimand, system, over, mean, sd, lower, upper, prob, interval, identified,
        ess_bulk, r_hat; one row for each estimand and system; never rounded. `mean` is the estimate
        and `sd` its standard error (NaN if no variation was seen: it would be 0, which is not
        certainty). `interval` is "t", "bca", "clopper-pearson", "fieller", "t, all conditions at
        once", "bounds" or "none"; `identified` is
        "yes", "bounds" where missing outcomes leave a range, or "no" where there is no estimate.
        The last two columns are empty, since there are no chains. Where a comparison of conditions
        states a margin, the columns margin, p_below_margin, p_within_margin, p_beyond_margin (one
        less p values) and verdict follow.

    Raises
    ------
    ArgumentError
        If an argument is not allowed, or the bootstrap is asked for over the observed tasks.
    TrialDataError
        If conditions are to be compared and outcomes are missing under ``missing="bounds"``.

    Warns
    -----
    IdentifiabilityWarning
        If a row has no estimate, because tasks have too few trials, or no interval.
    ExclusionWarning
        If tasks with fewer trials than an estimand needs are left out of it.
    ReliabilityStatsWarning
        If trials look as if they had been stopped at the first success or failure.

    See Also
    --------
    reliability_stats.fit : Model-based answers, also where there is no design-based one.

    Notes
    -----
    Estimates of task means are unbiased if the number of trials of a task does not depend on their
    outcomes. They are biased after adaptive sampling, such as retrying until success; use a model
    then.

    *Over the population*, tasks are clusters: the standard error is the standard deviation over
    tasks of their first-order influence, over the root of their number, as in cluster-robust
    regression. The t interval has as many degrees of freedom as tasks that bear on the estimand,
    less one. Where it would leave the estimand's range, or no variation is seen, it is not clipped,
    which would be overconfident, but replaced by the Clopper-Pearson interval of the same share
    among as many yes-or-no tasks, and `interval` says so. The same holds for the bootstrap.

    *Over the observed tasks*, the variance of each task comes from leaving out its trials one by
    one. It needs one trial more than the estimand, and is too large on average rather than too
    small; it is unbiased for a success rate. The t interval has Satterthwaite's degrees of freedom.
    If all tasks are unanimous, exact limits for so many equal outcomes are given. The ICC is that
    of these tasks, without the analysis of variance's correction for sampling them.

    *Conditions* are compared on the tasks that a system ran under all those that are compared. A
    difference has a task-paired t interval, a ratio Fieller's; the worst condition's limits hold
    for all conditions at once (Bonferroni), and so do those of their heterogeneity, whose estimate
    is what exceeds chance. Where pairs do not vary, exact limits of each condition are combined.

    *With* ``missing="bounds"``, systems with missing outcomes have no single estimate: `lower` is
    the lower end of the interval if the missing outcomes were as bad as they can be for the
    estimand, and `upper` the upper end if they were as good.

    *Measured coverage* of nominal 95% intervals (2000 replications, 4 and 8 trials, means of up to
    4 trials, persistence, recovery and ICC): over the population, from 30 tasks on, 91 to 100% for
    p ~ Beta(.3, .3), Beta(2, 2) and Beta(.1, .1), and 90 to 100% for Beta(.5, 1.5). With 10 tasks
    it falls to 87%. Where success is rare or nearly sure (Beta(.2, 1.8), Beta(.5, 9.5) and their
    mirror images), task means keep 89 to 100%, but persistence, recovery and ICC fall to 84% at 30
    to 100 tasks. No such interval can reckon with tasks of a kind that is not in the sample: if
    one task in twenty always succeeds and the others one time in five, ten tasks give a persistence
    interval that holds in 62%. The bootstrap does about as well, and worse with 10 tasks (84%).
    Over the observed tasks, from 30 tasks on, 93 to 99%, but down to 86% for pass^4 where success
    is rare. For the ICC there, 4 trials give an interval in only a few tables in a hundred, and
    among these few it held in as few as 57%.

    References
    ----------
    Miller (2024), https://doi.org/10.48550/arXiv.2411.00640;
    Efron (1987), https://doi.org/10.1080/01621459.1987.10478410;
    Efron and Stein (1981), https://doi.org/10.1214/aos/1176345462

    Examples
    --------
    >>> import reliability_stats as rs
    >>> trials = rs.datasets.load("tau-bench-airline-gpt4o")
    >>> table = rs.estimate(trials, [rs.PassAtK(4), rs.PassHatK(4), rs.ICC()])
    >>> table[["estimand", "mean", "sd", "lower", "upper"]].round(3)
      estimand   mean     sd  lower  upper
    0   pass@4  0.720  0.064  0.591  0.849
    1   pass^4  0.200  0.057  0.085  0.315
    2      icc  0.405  0.086  0.230  0.579
    """
    if not isinstance(trials, Trials):
        raise ArgumentError(
            f"estimate needs Trials, not {type(trials).__name__}; make them with "
            "Trials.from_frame(...)."
        )
    over, prob = check_over(over), check_prob(prob)
    wanted = _summary.as_questions(estimands, trials.counts, model=False)
    units = trials.counts.units
    estimator = _estimator(over, prob, method, rng, resamples, len(units))
    partial = trials.missing_policy == "bounds" and trials.n_missing > 0
    completions = Completions.of(trials) if partial else None
    rows = TaskRows.of(trials.counts)
    notes = Notes(completions.counts if completions else trials.counts, units)
    notes.warn_stopped(rows, stacklevel=3)
    ranges = completions.open if completions else np.zeros(len(units), dtype=bool)
    out: list[tuple[Question, dict[str, Any]]] = []
    for estimand in wanted:
        if isinstance(estimand, Contrast):
            if partial:
                raise TrialDataError(INCOMPLETE.format(trials.n_missing, estimand.name))
            generator = check_rng(rng)
            options: Any = {"over": over, "prob": prob, "method": method, "resamples": resamples}
            fields = contrast_fields(estimand, trials.counts, rng=generator, **options)
            out.append((estimand, fields))
            continue
        result = estimator(estimand, rows)
        if completions is not None:
            result = _with_ranges(estimand, result, completions, estimator)
        notes.add(estimand, result, ranges=ranges & (result.n_tasks > 0))
        out.append((estimand, _fields(result, ranges)))
    fit = "fit(trials.complete(...))" if completions else "fit(trials)"
    notes.warn(over, fit, stacklevel=3)
    return _summary.table(out, units, over, prob)


def _estimator(
    over: str, prob: float, method: str, rng: Any, resamples: int, n_units: int
) -> Estimator:
    """Give the function that turns an estimand and rows into estimates."""
    method = check_choice(method, METHODS, "method")
    generator, resamples = check_rng(rng), check_k(resamples, "resamples", minimum=100)
    if over == "observed":
        if method != "t":
            raise ArgumentError(
                f"method={method!r} resamples tasks, and over='observed' takes them as fixed; use "
                "method='t' or over='population'."
            )
        return lambda estimand, rows: observed(estimand, rows, prob)
    between = None
    if method == "bca":
        between = Bootstrap(generator.integers(2**63 - 1, size=n_units), resamples)
    return lambda estimand, rows: population(estimand, rows, prob, between)


def _with_ranges(
    estimand: Estimand, result: Estimates, completions: Completions, estimator: Estimator
) -> Estimates:
    """Give units with missing outcomes ranges that hold whatever these were."""
    is_open = completions.open
    extremes = completions.extremes(estimand)
    blank = np.full(len(is_open), np.nan)
    if extremes is None or not np.isfinite(estimand.degree):
        some = estimator(estimand, completions.rows(completions.fewest))
        lower = upper = blank
        reason = labels(len(is_open), EXTREMES)
        n_tasks = some.n_tasks
    else:
        low, high = (estimator(estimand, rows) for rows in extremes)
        lower, upper, n_tasks = low.lower, high.upper, low.n_tasks
        reason = np.where(low.reason == "", high.reason, low.reason)
        reason[np.isnan(low.mean) | np.isnan(high.mean)] = UNDEFINED
    closed = np.isnan(lower) | np.isnan(upper)
    lower, upper = np.where(closed, np.nan, lower), np.where(closed, np.nan, upper)
    reason = np.where(closed & (n_tasks > 0), reason, "")
    return Estimates(
        np.where(is_open, np.nan, result.mean),
        np.where(is_open, np.nan, result.sd),
        np.where(is_open, lower, result.lower),
        np.where(is_open, upper, result.upper),
        np.where(is_open, np.where(closed, NONE, "bounds"), result.interval),
        np.where(is_open, n_tasks, result.n_tasks),
        np.where(is_open, reason, result.reason),
    )


def _fields(result: Estimates, ranges: npt.NDArray[np.bool_]) -> dict[str, Any]:
    """Give the columns of a summary."""
    known = np.where(ranges, ~np.isnan(result.lower), ~np.isnan(result.mean))
    word = np.where(ranges, "bounds", "yes")
    return {
        "mean": result.mean,
        "sd": result.sd,
        "lower": result.lower,
        "upper": result.upper,
        "interval": result.interval,
        "identified": np.where(known, word, "no"),
    }
