"""`next_trials`: which cells to run next, and what the trials are expected to tell."""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import special

from .._numerics import FloatArray, IntArray
from .._validation import check_k, check_thresholds
from ..estimands import Estimand, TaskMean
from ..estimands.thresholds import HIGH, LOW
from ..exceptions import ArgumentError
from ..flicker._law import CellLaw, binomial_rows
from ..flicker._states import Bounds
from ..posterior import Posterior

if TYPE_CHECKING:
    import pandas as pd

STEPS = (*range(1, 17), 20, 24, 28, 32, 40, 48, 64, 96, 128)
"""Numbers of further trials of a cell that are looked ahead to."""
CHUNK = 500
"""Distinct cells whose gains are computed at once."""
LEAST = 1e-12
"""Gain a trial below which it counts as none."""


def next_trials(
    post: Posterior,
    budget: int,
    *,
    estimand: Estimand | None = None,
    low: float = LOW,
    high: float = HIGH,
) -> pd.DataFrame:
    """Choose the cells to run next, those that further trials tell most about first.

    Parameters
    ----------
    post : Posterior
        Fit of the trials so far.
    budget : int >= 1
        Number of further trials.
    estimand : estimand, optional
        A mean over tasks, such as ``PassHatK(4)``, to be told better over the observed tasks. By
        default it is the state of each cell (not shown, flickering, persistent) that is to be told.
    low, high : float in [0, 1], default 0.10 and 0.90
        Success probabilities that bound flickering.

    Returns
    -------
    pandas.DataFrame
        One row for each cell to run, the most telling first: system, task, [condition,] n,
        successes, p_not_shown, p_flickering, p_persistent, trials (to run), now and expected (what
        is not known about the cell, and what is expected to remain after these trials), gain (now -
        expected). The unit is bits of the state; with an estimand it is the variance of its mean
        over the system's observed tasks. Trials that tell nothing are not spent, so that the sum
        of `trials` may be below the budget.

    Raises
    ------
    ArgumentError
        If the budget is no positive integer, or the estimand is no mean over tasks.

    Notes
    -----
    What m further trials of a cell tell is the mutual information of its state and their outcome
    under the posterior predictive distribution (Lindley 1956), or the expected fall of the variance
    of g(p). For each cell the number of trials that tells most *per trial* is looked for, since ten
    may tell more than ten times as much as one, and cells are served in that order. Other cells'
    outcomes are not used in looking ahead.

    Numbers of trials now depend on outcomes. Fit a model to what comes out, and stop at any time;
    unbiased estimates from counts (`estimate`) are biased after such a choice.

    References
    ----------
    Lindley (1956), On a measure of the information provided by an experiment,
    https://doi.org/10.1214/aoms/1177728069

    Examples
    --------
    Tasks that always passed, and those that never did, are the least settled after four trials.

    >>> import reliability_stats as rs
    >>> post = rs.fit(rs.datasets.load("tau-bench-airline-gpt4o"))
    >>> chosen = rs.next_trials(post, 20)
    >>> int(chosen["trials"].sum())
    20
    >>> sorted(set(chosen["successes"]))
    [0, 4]
    """
    if not isinstance(post, Posterior):
        raise ArgumentError(f"next_trials takes a Posterior, not {type(post).__name__}.")
    budget = check_k(budget, "budget")
    bounds = Bounds.of(*check_thresholds(low, high), None)
    if estimand is not None and not isinstance(estimand, TaskMean):
        raise ArgumentError(
            f"estimand must be a mean over tasks, such as PassHatK(4), not {estimand!r}."
        )
    law = CellLaw.of([post], bounds)
    outlook = _Outlook.of(law, post, estimand, bounds)
    trials = outlook.share_out(budget)
    return _table(post, outlook, trials, law.mass @ bounds.weights(law.p).T)


@dataclass(frozen=True, eq=False)
class _Outlook:
    """What remains unknown about cells after 0 and more trials.

    Attributes
    ----------
    steps : (1 + STEPS,) ndarray of int
        Numbers of further trials, from 0.
    left : (rows, 1 + STEPS) ndarray
        Expected rest of each distinct cell, not increasing.
    row_of_cell : (cells,) ndarray of int
        Row of each cell.
    scale : (cells,) ndarray
        Weight of a cell.
    """

    steps: IntArray
    left: FloatArray
    row_of_cell: IntArray
    scale: FloatArray

    @classmethod
    def of(
        cls, law: CellLaw, post: Posterior, estimand: TaskMean | None, bounds: Bounds
    ) -> _Outlook:
        """Look ahead for each distinct cell."""
        steps = np.array([0, *STEPS])
        likelihoods = [binomial_rows(int(m), law.p) for m in steps]
        left = np.empty((len(law.mass), len(steps)))
        for start in range(0, len(law.mass), CHUNK):
            mass = law.mass[start : start + CHUNK]
            for j, likelihood in enumerate(likelihoods):
                left[start : start + CHUNK, j] = (
                    _entropy(mass, bounds.weights(law.p), likelihood)
                    if estimand is None
                    else _variance(mass, estimand.kernel(law.p), likelihood)
                )
        unit = post.trials.counts.unit
        tasks = np.bincount(unit)[unit]
        scale = np.ones(len(unit)) if estimand is None else 1.0 / tasks.astype(float) ** 2
        return cls(steps, np.minimum.accumulate(left, axis=1), law.row_of_cell, scale)

    def share_out(self, budget: int) -> IntArray:
        """Give each cell its further trials, (cells,): always the most telling per trial first."""
        groups = self._groups()
        queue = [
            (*self._best(row, scale, 0, budget), row, scale, 0, g)
            for g, (row, scale) in enumerate(groups)
        ]
        heapq.heapify(queue)
        trials = np.zeros(len(self.row_of_cell), dtype=np.int64)
        members = list(groups.values())
        while queue and budget:
            cost, step, row, scale, at, which = heapq.heappop(queue)
            if -cost <= LEAST * scale or not step:
                continue
            size = int(self.steps[step] - self.steps[at])
            if size > budget:
                again = self._best(row, scale, at, budget)
                heapq.heappush(queue, (*again, row, scale, at, which))
                continue
            cells = members[which]
            served = cells[: budget // size]
            trials[served] = self.steps[step]
            budget -= size * len(served)
            for rest, place in ((served, step), (cells[len(served) :], at)):
                if len(rest):
                    members.append(rest)
                    best = self._best(row, scale, place, budget)
                    heapq.heappush(queue, (*best, row, scale, place, len(members) - 1))
        return trials

    def _groups(self) -> dict[tuple[int, float], IntArray]:
        """Take together the cells that are alike."""
        pairs = np.stack([self.row_of_cell.astype(float), self.scale], axis=1)
        kinds, member = np.unique(pairs, axis=0, return_inverse=True)
        order = np.argsort(member.ravel(), kind="stable")
        parts = np.split(order, np.cumsum(np.bincount(member.ravel()))[:-1])
        return {
            (int(row), float(scale)): part for (row, scale), part in zip(kinds, parts, strict=True)
        }

    def _best(self, row: int, scale: float, at: int, budget: int) -> tuple[float, int]:
        """Give minus the largest gain a trial, and the step that has it; (0, 0) if none fits."""
        left, steps = self.left[row], self.steps
        fits = np.flatnonzero(steps[at + 1 :] - steps[at] <= budget) + at + 1
        if not len(fits):
            return 0.0, 0
        rate = (left[at] - left[fits]) / (steps[fits] - steps[at])
        best = int(np.argmax(rate))
        return -float(rate[best]) * scale, int(fits[best])


def _entropy(mass: FloatArray, weights: FloatArray, likelihood: FloatArray) -> FloatArray:
    """Give the expected entropy of the state after such trials, in bits, (rows,)."""
    predicted = mass @ likelihood.T
    total = np.asarray(special.xlogy(predicted, predicted))
    for weight in weights:
        joint = (mass * weight) @ likelihood.T
        total = total - special.xlogy(joint, joint)
    return np.asarray(np.maximum(total.sum(axis=1), 0.0) / np.log(2.0))


def _variance(mass: FloatArray, kernel: FloatArray, likelihood: FloatArray) -> FloatArray:
    """Give the expected variance of g(p) after such trials, (rows,)."""
    predicted = mass @ likelihood.T
    first = (mass * kernel) @ likelihood.T
    with np.errstate(invalid="ignore", divide="ignore"):
        square = np.where(predicted > 0, first**2 / predicted, 0.0)
    return np.asarray(np.maximum(mass @ kernel**2 - square.sum(axis=1), 0.0))


def _table(
    post: Posterior, outlook: _Outlook, trials: IntArray, states: FloatArray
) -> pd.DataFrame:
    """Give the rows of the cells to run, by gain a trial."""
    row, scale = outlook.row_of_cell, outlook.scale
    frame = post.trials.counts.to_frame()
    names = ("p_not_shown", "p_flickering", "p_persistent")
    for name, state in zip(names, states.T, strict=True):
        frame[name] = state[row]
    step = np.searchsorted(outlook.steps, trials)
    frame["trials"] = trials
    frame["now"] = outlook.left[row, 0] * scale
    frame["expected"] = outlook.left[row, step] * scale
    frame["gain"] = frame["now"] - frame["expected"]
    chosen = frame[trials > 0]
    order = np.argsort(-(chosen["gain"] / chosen["trials"]).to_numpy(), kind="stable")
    return chosen.iloc[order].reset_index(drop=True)
