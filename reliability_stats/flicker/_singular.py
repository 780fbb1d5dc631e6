"""`singular`: successes that nothing else led one to expect."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from .._numerics import FloatArray, IntArray
from .._validation import check_fraction, check_prob
from ..estimands import SuccessRate
from ..estimands.gpass import GPassAtK
from ..estimands.thresholds import LOW
from ..exceptions import ArgumentError
from ..posterior import Posterior

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = (
    *("system", "task", "n", "successes", "mean", "lower", "upper", "p_real", "own", "others"),
    *("best_other", "n_others", "surprise"),
)


def singular(
    post: Posterior, *, expected: float = 0.20, low: float = LOW, prob: float = 0.95
) -> pd.DataFrame:
    """List successes worth pursuing: rare for the system, and out of reach of all others.

    A mean hides them, and a reliability score counts them for little. They show what can be done.

    Parameters
    ----------
    post : Posterior
        A fit.
    expected : float in [0, 1], default 0.20
        Largest predicted chance of success in one trial, by the system's other tasks and by every
        other system on this task, at which a success counts as singular.
    low : float in [0, 1], default 0.10
        Success probability up to which a task counts as not shown.
    prob : float in (0, 1), default 0.95
        Mass of the intervals.

    Returns
    -------
    pandas.DataFrame
        One row a cell, the most surprising first: system, task, [condition,] n, successes, mean,
        lower, upper (of its success probability), p_real (P(p > low): that it is more than a
        fluke), own (the system's predicted chance on tasks like these), others (the largest
        predicted chance of another system on this task; empty if none ran it), best_other,
        n_others, surprise (bits: minus log2 of the chance of so many successes in a task like
        these). Empty if there is nothing of the kind.

    Raises
    ------
    ArgumentError
        If an argument is not of the right kind.

    Notes
    -----
    Predictions are posterior means of the success probability in one trial, under the model that
    was fitted. Those of the system include the cell itself, which makes it a little less
    surprising: the list errs on the short side. One success in many trials can be an accident of
    the grader: read p_real, and look at the transcript.

    Examples
    --------
    >>> import reliability_stats as rs
    >>> trials = rs.Trials.from_array(
    ...     [[[0, 0, 0, 0]] * 9 + [[1, 1, 0, 1]], [[0, 0, 0, 0]] * 10], systems=["a", "b"]
    ... )
    >>> rs.singular(rs.fit(trials))[["system", "task", "successes", "n", "p_real"]].round(3)
      system task  successes  n  p_real
    0      a    9          3  4   0.9...
    """
    if not isinstance(post, Posterior):
        raise ArgumentError(f"singular needs a Posterior, not {type(post).__name__}.")
    limit, low = check_fraction(expected, "expected"), check_fraction(low, "low")
    counts = post.trials.counts
    frame = post.tasks(prob=check_prob(prob), low=low, high=1.0)
    frame["p_real"] = 1.0 - frame["p_not_shown"]
    rate = post.engine.population([SuccessRate()], 0.95)[0].mean
    frame["own"] = rate[counts.unit]
    best, who, many = _others(frame["mean"].to_numpy(), counts.task, counts.system)
    frame["others"], frame["n_others"] = best, many
    names = np.array([*post.systems, ""], dtype=object)
    frame["best_other"] = names[np.where(who >= 0, counts.unit[who], len(names) - 1)]
    rare = (frame["own"] <= limit) & ~(frame["others"] > limit) & (counts.successes > 0)
    frame = frame[rare.to_numpy()].copy()
    frame["surprise"] = _surprise(post, np.flatnonzero(rare))
    own = ["condition"] if "condition" in frame else []
    columns = [*COLUMNS[:2], *own, *COLUMNS[2:]]
    return frame.sort_values(["surprise", "p_real"], ascending=False)[columns].reset_index(
        drop=True
    )


def _others(
    mean: FloatArray, task: IntArray, system: IntArray
) -> tuple[FloatArray, IntArray, IntArray]:
    """Largest mean on the same task among cells of other systems, whose it is, and how many."""
    size = len(mean)
    best, who, many = np.full(size, np.nan), np.full(size, -1), np.zeros(size, dtype=int)
    order = np.lexsort((-mean, task))
    edges = np.flatnonzero(np.diff(task[order], prepend=-1, append=-1))
    for first, last in pairwise(edges.tolist()):
        group = order[first:last]
        top = group[0]
        rivals = group[system[group] != system[top]]
        for cell in group:
            other = top if system[cell] != system[top] else (rivals[0] if len(rivals) else -1)
            if other >= 0:
                best[cell], who[cell] = mean[other], other
            many[cell] = len(np.unique(system[group])) - 1
    return best, who, many


def _surprise(post: Posterior, cells: Any) -> FloatArray:
    """Bits of surprise of each of these cells under its system's predictive distribution."""
    counts = post.trials.counts
    out = np.empty(len(cells))
    pairs = np.stack([counts.n[cells], counts.successes[cells]], axis=1).reshape(-1, 2)
    for n, wins in np.unique(pairs, axis=0).tolist():
        chance = post.engine.population([GPassAtK(n, wins / n)], 0.95)[0].mean
        at = np.flatnonzero((pairs == (n, wins)).all(axis=1))
        out[at] = -np.log2(np.maximum(chance[counts.unit[cells[at]]], 1e-300))
    return out
