"""Best and worst of k runs without bias, from order statistics."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import special

from .._numerics import FloatArray
from .._summary import named_table
from .._validation import _as_float, check_k, check_prob
from ..exceptions import ArgumentError, TrialDataError
from ..trials import Trials
from ._read import runs_of

if TYPE_CHECKING:
    import pandas as pd


def best_of(scores: FloatArray, k: int) -> float:
    """Mean over all choices of k of the runs of the largest score."""
    ordered = np.sort(scores)
    size = len(ordered)
    ways = special.comb(np.arange(size), k - 1) / special.comb(size, k)
    return float(ways @ ordered)


def listed_k(k: int | Sequence[int]) -> list[int]:
    """Give one k or several as a list."""
    given = list(k) if isinstance(k, (list, tuple, np.ndarray)) else [k]
    if not given:
        raise ArgumentError("k is empty; give at least one number of runs, such as 3.")
    return [check_k(item) for item in dict.fromkeys(given)]


def check_tolerance(tolerance: object) -> float | None:
    """Give a tolerance as a finite number, or None."""
    if tolerance is None:
        return None
    number = _as_float(tolerance, "tolerance", "a finite number or None")
    if np.isinf(number):
        raise ArgumentError(f"tolerance must be a finite number or None, not {tolerance!r}.")
    return number


def estimate_scores(
    trials: Trials,
    *,
    k: int | Sequence[int] = 1,
    tolerance: float | None = None,
    prob: float = 0.95,
) -> pd.DataFrame:
    """Estimate what the best and the worst of k runs score, assuming no distribution.

    Parameters
    ----------
    trials : Trials
        With a score: ``Trials.from_frame(..., score="score")``. Every task needs at least k runs.
    k : int or list of int, default 1
        Numbers of runs.
    tolerance : float, optional
        Score from which a run is good enough.
    prob : float in (0, 1), default 0.95
        Mass of the intervals.

    Returns
    -------
    pandas.DataFrame
        In the package's one schema: ``mean_score``, ``best_of_k``, ``worst_of_k``, and with a
        tolerance ``all_of_k``, ``any_of_k`` (all or any of k runs reach it). Means over tasks of
        estimates without bias; intervals take tasks as a sample (Student's t). Where all tasks
        agree there is no spread to see: shares of 0 or 1 get a bound that holds for any
        distribution, other values none. The column ``interval`` says which.

    Raises
    ------
    TrialDataError
        If there are no scores, one is not a finite number, or a task has fewer than k runs.

    Notes
    -----
    The mean of the best of k over all choices of k of n runs is
    ``sum_i C(i - 1, k - 1) / C(n, k) y_(i)``, with y_(i) the i-th smallest. The best of all n is no
    estimate of anything: it grows with n.

    References
    ----------
    Hoeffding (1948), https://doi.org/10.1214/aoms/1177730196

    Examples
    --------
    >>> import reliability_stats as rs
    >>> rows = {"task": [1, 1, 1, 2, 2, 2], "score": [0.1, 0.4, 0.4, 0.0, 0.9, 0.3]}
    >>> trials = rs.Trials.from_frame(rows | {"success": [0] * 6}, system=None, score="score")
    >>> rs.estimate_scores(trials, k=2, tolerance=0.3)[["estimand", "mean"]].round(3)
         estimand   mean
    0  mean_score  0.350
    1   best_of_2  0.550
    2  worst_of_2  0.150
    3    all_of_2  0.333
    4    any_of_2  1.000
    """
    several, limit, prob = listed_k(k), check_tolerance(tolerance), check_prob(prob)
    units = runs_of(trials)
    most = max(several)
    short = trials.counts.n < most
    if short.any():
        i = int(np.argmax(short))
        short_of = trials.counts.to_frame().iloc[i]
        raise TrialDataError(
            f"Task {short_of['task']!r} of system {short_of['system']!r} has {short_of['n']} runs, "
            f"fewer than k = {most}; {int(short.sum())} cells have fewer. Ask for a smaller k."
        )
    rows: dict[str, list[dict[str, Any]]] = {}
    for name, runs in zip(trials.counts.units, units, strict=True):
        for estimand, values in _by_task(runs.tasks, several, limit).items():
            share = estimand.startswith(("all_of_", "any_of_"))
            row = _row(values, prob, share) | {"estimand": estimand, "system": name, "prob": prob}
            rows.setdefault(estimand, []).append(row)
    return named_table([row for part in rows.values() for row in part])


def _by_task(
    tasks: Sequence[FloatArray], several: Sequence[int], limit: float | None
) -> dict[str, FloatArray]:
    """Estimate everything for each task."""
    out = {"mean_score": np.array([task.mean() for task in tasks])}
    for k in several:
        out[f"best_of_{k}"] = np.array([best_of(task, k) for task in tasks])
        out[f"worst_of_{k}"] = np.array([-best_of(-task, k) for task in tasks])
        if limit is not None:
            n = np.array([len(task) for task in tasks])
            good = np.array([int((task >= limit).sum()) for task in tasks])
            ways = special.comb(n, k)
            out[f"all_of_{k}"] = special.comb(good, k) / ways
            out[f"any_of_{k}"] = 1 - special.comb(n - good, k) / ways
    return out


def _row(values: FloatArray, prob: float, share: bool) -> dict[str, Any]:
    """Average over tasks, with an interval that takes them as a sample.

    Tasks that all agree show no spread, and Student's interval would be a point. If a share has
    mean m, a task differs from 0 with probability m at least, so all of N are 0 with at most
    (1 - m)^N, which bounds m; likewise for 1. Other values that agree give no interval.
    """
    size, mean = len(values), float(values.mean())
    row: dict[str, Any] = {"mean": mean, "sd": np.nan, "lower": np.nan, "upper": np.nan}
    row |= {"over": "population", "interval": "t over tasks", "identified": "yes"}
    if np.ptp(values) > 0:
        sd = float(values.std(ddof=1) / np.sqrt(size))
        half = float(special.stdtrit(size - 1, (1 + prob) / 2)) * sd
        row |= {"sd": sd, "lower": mean - half, "upper": mean + half}
        if share:
            row |= {"lower": max(mean - half, 0.0), "upper": min(mean + half, 1.0)}
    elif share and mean in (0.0, 1.0):
        bound = float(1 - ((1 - prob) / 2) ** (1 / size))
        row |= {"interval": "bound, tasks agree"}
        row |= {"lower": 0.0, "upper": bound} if mean == 0 else {"lower": 1 - bound, "upper": 1.0}
    else:
        row |= {"interval": "none, one task" if size == 1 else "none, tasks agree"}
    return row
