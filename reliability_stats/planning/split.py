"""`split_budget`: many tasks or many trials? Standard errors of designs that cost the same."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from .._numerics import FloatArray
from .._summary import as_estimands
from .._task_rows import TaskRows, linearise
from .._validation import check_rng
from ..estimands import Estimand, PassHatK, Persistence, SuccessRate
from ..exceptions import ArgumentError
from ..inference.lattice_checks import beta_binomial_pmf
from ..models import BetaBinomial
from ..posterior import Posterior
from ..trials import Trials
from ._costs import affordable, check_budget, check_costs, identified, listed
from ._truths import truths

if TYPE_CHECKING:
    import pandas as pd

TRUTHS = 400
"""Draws of the pilot's parameters that variances are averaged over."""


def split_budget(
    pilot: Posterior | BetaBinomial | tuple[float, float] | None = None,
    *,
    budget: float,
    trials: int | Sequence[int] = (1, 2, 3, 4, 5, 6, 8, 10, 16, 20),
    cost_task: float = 0.0,
    cost_trial: float = 1.0,
    estimands: Estimand | Sequence[Estimand] | None = None,
    system: str | None = None,
    rng: Any = 0,
) -> pd.DataFrame:
    """Compare designs of one cost: standard errors of unbiased estimates over tasks like these.

    Parameters
    ----------
    pilot : Posterior or BetaBinomial or (float, float), optional
        What is believed of the system: a pilot's posterior, a prior, or a known mean and
        correlation, each in (0, 1). `BetaBinomial` with uniform priors by default.
    budget : float > 0
        What may be spent on each design.
    trials : int or list of int
        Numbers of trials a task.
    cost_task, cost_trial : float >= 0, default 0 and 1
        Cost of preparing a task, and of one trial.
    estimands : estimand or list of estimands, optional
        What is to be estimated; by default success rate, pass^2 and persistence.
    system : str, optional
        System of the pilot; may be left out if there is one only.
    rng : int, numpy.random.Generator, SeedSequence or None, default 0
        Seed of the draws of the pilot's parameters.

    Returns
    -------
    pandas.DataFrame
        One row for each estimand and number of trials: estimand, trials, tasks, runs, cost,
        identified ("yes", or "no" where a task has too few trials for an unbiased estimate), sd
        (expected standard error; NaN where not identified), best (whether it is the smallest of the
        estimand).

    Raises
    ------
    ArgumentError
        If an argument is not allowed, the budget does not pay for one task, or an estimand has no
        unbiased estimate from any number of trials.

    Notes
    -----
    With successes beta-binomial over tasks, the variance of one task's contribution is a finite
    sum, exact for means and of first order for functions of them (delta method); the standard error
    is its root over the root of the number of tasks. For a mean, trials of a task cost less than
    tasks only if tasks themselves cost something: the best number is then
    sqrt((cost_task / cost_trial) (1 - icc) / icc).

    Examples
    --------
    For the mean, one trial of every task is best; to tell persistence, three or four.

    >>> from reliability_stats.planning import split_budget
    >>> table = split_budget((0.64 / 1.5, 0.4), budget=400)
    >>> table.loc[table["best"], ["estimand", "trials", "tasks", "sd"]].round(4)
             estimand  trials  tasks      sd
    0    success_rate       1    400  0.0247
    11         pass^2       2    200  0.0317
    22  persistence@1       3    133  0.0398
    """
    import pandas as pd

    check_budget(budget)
    check_costs(cost_task, cost_trial)
    mean, icc = _beliefs(pilot, system, rng)
    wanted = _wanted(estimands)
    sizes = [(k, affordable(budget, k, cost_task, cost_trial)) for k in listed(trials, "trials")]
    rows = []
    for estimand in wanted:
        for k, tasks in sizes:
            told = identified(estimand, k) == "yes"
            sd = np.sqrt(_task_variance(estimand, k, mean, icc) / tasks) if told else np.nan
            rows.append(
                {
                    "estimand": estimand.name,
                    "trials": k,
                    "tasks": tasks,
                    "runs": tasks * k,
                    "cost": tasks * (cost_task + k * cost_trial),
                    "identified": "yes" if told else "no",
                    "sd": sd,
                }
            )
    frame = pd.DataFrame(rows)
    least = frame.groupby("estimand", sort=False)["sd"].transform("min")
    return frame.assign(best=frame["sd"] == least)


def _wanted(estimands: Estimand | Sequence[Estimand] | None) -> tuple[Estimand, ...]:
    """Give the estimands asked for; refuse those that no number of trials identifies."""
    if estimands is None:
        return SuccessRate(), PassHatK(2), Persistence(1)
    wanted = as_estimands(estimands, Trials.from_array([[1]]).counts, model=True)
    for estimand in wanted:
        if not np.isfinite(estimand.degree):
            raise ArgumentError(
                f"{estimand.name} has no unbiased estimate; use plan for its expected interval."
            )
    return wanted


def _beliefs(pilot: Any, system: str | None, rng: Any) -> tuple[FloatArray, FloatArray]:
    """Give means and correlations to average over."""
    if isinstance(pilot, tuple):
        pair = np.asarray(pilot, dtype=float)
        if pair.shape != (2,) or not ((pair > 0) & (pair < 1)).all():
            raise ArgumentError(
                f"pilot must be a pair (mean, correlation), each in (0, 1), not {pilot!r}."
            )
        return pair[:1], pair[1:]
    _, _, mean, icc = truths(pilot, system, TRUTHS, check_rng(rng))
    return mean, icc


def _task_variance(estimand: Estimand, k: int, mean: FloatArray, icc: FloatArray) -> float:
    """Variance of what one task adds to an estimate, averaged over the parameters."""
    icc, mean = np.clip(icc, 1e-9, 1 - 1e-9), np.clip(mean, 1e-9, 1 - 1e-9)
    size = 1.0 / icc - 1.0
    pmf = beta_binomial_pmf(k, mean * size, (1.0 - mean) * size)
    pmf = pmf.reshape(len(mean), k + 1)
    wins = np.tile(np.arange(k + 1), len(mean))
    unit = np.repeat(np.arange(len(mean)), k + 1)
    rows = TaskRows(unit, np.full(len(wins), k), wins, pmf.ravel(), len(mean))
    linear = linearise(estimand, rows, anova=False)
    variance = linear.rows.total(linear.influence**2) / linear.rows.total()
    return float(np.mean(variance))
