"""Bayes@N: the mean score of tasks under a flat Dirichlet prior for each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from .._numerics import FloatArray
from .._validation import check_prob
from ..exceptions import ArgumentError
from ..trials import Trials
from ._tables import by_unit, known_counts, matrix

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class BayesAtN:
    """Posterior mean and standard deviation, with a normal interval; made by `bayes_at_n`.

    Attributes
    ----------
    mean, sd : float
        Posterior mean and standard deviation of the mean score over these tasks.
    lower, upper : float
        Mean +- normal quantile x sd, cut at the smallest and largest score.
    prob : float
        Nominal mass of the interval.

    Examples
    --------
    >>> from reliability_stats.compat import bayes_at_n
    >>> bayes_at_n([[0, 1, 1, 0, 1], [1, 1, 0, 1, 1]])
    BayesAtN(mean=0.642..., sd=0.118..., lower=0.410..., upper=0.875..., prob=0.95)
    """

    mean: float
    sd: float
    lower: float
    upper: float
    prob: float


def bayes_at_n(
    results: ArrayLike,
    *,
    weights: ArrayLike = (0.0, 1.0),
    prior_results: ArrayLike | None = None,
    prob: float = 0.95,
) -> BayesAtN:
    """Bayes@N of scorio: score of each task with Dirichlet(1, ..., 1) prior, averaged over tasks.

    With nu_k the results of category k of a task plus one, T their sum over categories and w_k the
    score of category k, the mean of the task is sum_k nu_k w_k / T and its variance
    (sum_k nu_k w_k^2 / T - mean^2) / (T + 1). Tasks are independent.

    Parameters
    ----------
    results : (tasks, runs) array_like of int, or list of rows
        Category 0, 1, ... of each run; for successes 0 and 1. NaN, or the end of a shorter row, is
        no run.
    weights : (categories,) array_like of float, default (0, 1)
        Score of each category.
    prior_results : (tasks, runs) array_like of int, optional
        Results of an earlier run of the same tasks, which are added.
    prob : float in (0, 1), default 0.95
        Nominal mass of the interval.

    Returns
    -------
    BayesAtN
        Mean, sd and interval.

    Raises
    ------
    ArgumentError
        If results are no categories that have a weight, or tables do not fit together.

    Notes
    -----
    *Difference.* The prior is fixed and the same for every task, and no task learns from another.
    `fit` estimates the spread of tasks, and shrinks towards their mean as far as the data say.

    *When it misleads.* Each task is drawn to the middle of the scores, by weights 2 : N for
    successes, and the mean over tasks with it, however many tasks there are: with 4 trials, a true
    mean of .25 is estimated at .33. The interval narrows with the number of tasks around that
    value: with 50 tasks and Beta(.5, 1.5) over tasks, a 95% interval held the mean rate of these
    tasks in 4%. It also is about these tasks, not
    tasks like these. Order between systems with equal N survives, as the mean is a linear function
    of the success rate.

    References
    ----------
    Hariri et al. (2025), https://doi.org/10.48550/arXiv.2510.04265

    Examples
    --------
    >>> from reliability_stats.compat import bayes_at_n
    >>> found = bayes_at_n([[0, 1, 2, 2, 1], [1, 1, 0, 2, 2]], weights=[0, 0.5, 1])
    >>> found.mean, round(found.sd, 6)
    (0.5625, 0.091998)
    """
    prob = check_prob(prob)
    scores = _weights(weights)
    counts = _categories(results, len(scores), "results")
    if prior_results is not None:
        earlier = _categories(prior_results, len(scores), "prior_results")
        if len(earlier) != len(counts):
            raise ArgumentError(
                f"prior_results must have one row a task, {len(counts)}, not {len(earlier)}."
            )
        counts = counts + earlier
    return _posterior(counts, scores, prob)


def _weights(weights: ArrayLike) -> FloatArray:
    """Give the scores of the categories."""
    try:
        scores = np.asarray(weights, dtype=float)
    except (TypeError, ValueError):
        raise ArgumentError("weights must be a list of numbers, one a category.") from None
    if scores.ndim != 1 or len(scores) < 2 or not np.isfinite(scores).all():
        raise ArgumentError("weights must hold at least two finite numbers, one a category.")
    return scores


def _categories(results: ArrayLike, size: int, name: str) -> FloatArray:
    """Count the categories of each task: (tasks, categories)."""
    table = matrix(results, name)
    bad = np.argwhere(~(np.isnan(table) | np.isin(table, np.arange(size))))
    if len(bad):
        row, column = map(int, bad[0])
        raise ArgumentError(
            f"{name} must hold categories from 0 to {size - 1}, one for each of weights, but row "
            f"{row}, entry {column} is {table[row, column]:g}."
        )
    return np.stack([(table == k).sum(axis=1) for k in range(size)], axis=1).astype(float)


def _posterior(counts: FloatArray, scores: FloatArray, prob: float) -> BayesAtN:
    """Give moments of the mean score, from counts of categories of each task."""
    nu = counts + 1.0
    total = nu.sum(axis=1)
    gain = scores - scores[0]
    first = nu @ gain / total
    second = nu @ gain**2 / total
    mean = float(scores[0] + first.mean())
    sd = float(np.sqrt(((second - first**2) / (total + 1)).sum()) / len(counts))
    half = float(special.ndtri((1 + prob) / 2)) * sd
    low, high = float(scores.min()), float(scores.max())
    return BayesAtN(mean, sd, max(mean - half, low), min(mean + half, high), prob)


def bayes_at_n_summary(trials: Trials, *, prob: float = 0.95) -> pd.DataFrame:
    """Bayes@N of each system of a table of trials, in the schema of all summaries.

    Parameters
    ----------
    trials : Trials
        The data.
    prob : float in (0, 1), default 0.95
        Nominal mass of the intervals.

    Returns
    -------
    pandas.DataFrame
        One row a system (with conditions, a system and condition): columns estimand ("bayes@n"),
        system, over ("observed"), mean, sd, lower, upper, prob, interval ("normal"), identified,
        ess_bulk, r_hat.

    Raises
    ------
    ArgumentError
        If outcomes are unknown and kept as bounds.

    See Also
    --------
    bayes_at_n : The formula, and when it misleads.

    Examples
    --------
    >>> import reliability_stats as rs
    >>> from reliability_stats.compat import bayes_at_n_summary
    >>> trials = rs.datasets.load("tau-bench-airline-gpt4o")
    >>> bayes_at_n_summary(trials)[["estimand", "over", "mean", "sd"]].round(4)
      estimand      over    mean      sd
    0  bayes@n  observed  0.4467  0.0232
    """
    import pandas as pd

    from .._summary import COLUMNS

    prob = check_prob(prob)
    counts = known_counts(trials, "bayes_at_n_summary")
    rows = []
    for unit, (_, _, cells) in zip(counts.units, by_unit(counts), strict=True):
        wins = counts.successes[cells]
        table = np.stack([counts.n[cells] - wins, wins], axis=1).astype(float)
        found = _posterior(table, np.array([0.0, 1.0]), prob)
        rows.append({
            "estimand": "bayes@n", "system": unit, "over": "observed", "mean": found.mean,
            "sd": found.sd, "lower": found.lower, "upper": found.upper, "prob": prob,
            "interval": "normal", "identified": "yes", "ess_bulk": np.nan, "r_hat": np.nan,
        })  # fmt: skip
    return pd.DataFrame(rows, columns=list(COLUMNS))
