"""`trials_needed`: how many tasks and trials settle which of two systems is better."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import special

from .._numerics import FloatArray
from .._validation import check_k, check_prob, check_rng
from ..estimands import Estimand, TaskMean
from ..exceptions import ArgumentError
from ..posterior import Posterior
from ._costs import designs, identified

if TYPE_CHECKING:
    import pandas as pd

CHUNK = 2**21
"""Largest number of simulated cells held at once."""


@dataclass(frozen=True, eq=False, repr=False)
class Contest:
    """What designs tell about which of two systems is better; made by `trials_needed`.

    Attributes
    ----------
    frame : pandas.DataFrame
        One row a design: tasks, trials, runs (of both systems), cost, settled (chance that
        P(A > B) or P(B > A) reaches the target), for_first and for_second (its two parts), wrong
        (chance of settling on the worse system), error (Monte Carlo standard error of settled),
        identified.
    first, second, estimand : str
        What is compared.
    target, assurance : float
        As given.
    p_greater : float
        P(A > B) over tasks like these, by the pilot.
    """

    frame: pd.DataFrame
    first: str
    second: str
    estimand: str
    target: float
    assurance: float
    p_greater: float

    @property
    def needed(self) -> pd.Series | None:
        """The cheapest design that settles with the wanted assurance; None if none does."""
        enough = self.frame[self.frame["settled"] >= self.assurance]
        if enough.empty:
            return None
        return enough.sort_values(["cost", "settled"], ascending=[True, False]).iloc[0]

    def __repr__(self) -> str:
        """Say what is needed, and give the table."""
        found = self.needed
        if found is None:
            said = f"no design here settles it with a chance of {self.assurance:g}"
        else:
            said = (
                f"{int(found['tasks'])} tasks x {int(found['trials'])} trials settle it with a "
                f"chance of {found['settled']:.2f}"
            )
        return (
            f"Contest: {self.estimand} of {self.first!r} and {self.second!r}, settled when "
            f"P(one > other) >= {self.target:g}: {said}. The pilot says P({self.first!r} > "
            f"{self.second!r}) = {self.p_greater:.2f}\n{self.frame.to_string(index=False)}"
        )

    def _repr_html_(self) -> str:
        """Give the same for notebooks, escaped."""
        from html import escape

        first, _, _ = repr(self).partition("\n")
        return f"<p>{escape(first)}</p>{self.frame.to_html(index=False)}"


def trials_needed(
    pilot: Posterior,
    first: str,
    second: str,
    estimand: Estimand,
    *,
    tasks: int | Sequence[int] | None = None,
    trials: int | Sequence[int] = (1, 2, 4, 8),
    budget: float | None = None,
    cost_task: float = 0.0,
    cost_trial: float = 1.0,
    target: float = 0.95,
    assurance: float = 0.8,
    simulations: int = 500,
    rng: Any = 0,
) -> Contest:
    """Say how many tasks and trials settle which of two systems is better.

    Parameters
    ----------
    pilot : Posterior
        Fit in which both systems ran the same tasks, or some of them.
    first, second : str
        The systems, A and B.
    estimand : estimand
        A mean over tasks, such as ``SuccessRate()``, ``PassHatK(4)`` or ``PassAtK(4)``.
    tasks : int or list of int, optional
        Numbers of tasks. Left out, `budget` decides: as many as it pays for.
    trials : int or list of int, default (1, 2, 4, 8)
        Numbers of trials of each task by each system.
    budget : float, optional
        What may be spent on each design, over both systems.
    cost_task, cost_trial : float >= 0, default 0 and 1
        Cost of preparing a task, and of one trial.
    target : float in (0.5, 1), default 0.95
        P(A > B), or P(B > A), at which it counts as settled.
    assurance : float in (0, 1), default 0.8
        Wanted chance that it will be settled.
    simulations : int >= 2, default 500
        Simulated evaluations a design.
    rng : int, numpy.random.Generator, SeedSequence or None, default 0
        Seed.

    Returns
    -------
    Contest
        A table with one row a design, and the cheapest that is enough.

    Raises
    ------
    ArgumentError
        If an argument is not allowed, or the two systems share no task.

    Notes
    -----
    A truth is a draw of the success probabilities of all shared tasks from the pilot's posterior,
    and of their weights from the Bayesian bootstrap: so what is hard for both systems stays hard
    for both. New tasks and trials are drawn from it. P(A > B) is that of `compare` on the new
    trials alone: the Bayesian bootstrap over tasks with one imaginary task added, here by its
    moments. A pilot that does not know who is better cannot promise that an evaluation will tell:
    `settled` then stays below 1 whatever the design.

    References
    ----------
    O'Hagan, Stevens and Campbell (2005), Assurance in clinical trial design,
    https://doi.org/10.1002/pst.175; Rubin (1981), The Bayesian bootstrap,
    https://doi.org/10.1214/aos/1176345338

    Examples
    --------
    >>> import reliability_stats as rs
    >>> from reliability_stats.planning import trials_needed
    >>> pilot = rs.fit(rs.datasets.load("simulated-three-systems"))
    >>> contest = trials_needed(pilot, "steady", "flickering", rs.PassHatK(2), tasks=[20, 40],
    ...                         trials=2)
    >>> contest.frame["tasks"].tolist(), bool(contest.frame["settled"].is_monotonic_increasing)
    ([20, 40], True)
    """
    import pandas as pd

    target, assurance = check_prob(target, "target"), check_prob(assurance, "assurance")
    size, generator = check_k(simulations, "simulations", minimum=2), check_rng(rng)
    if not isinstance(estimand, TaskMean):
        raise ArgumentError(
            f"estimand must be a mean over tasks, such as PassHatK(4), not {estimand!r}."
        )
    pair = _shared(pilot, first, second, size)
    weights = generator.dirichlet(np.ones(pair.shape[-1]), size=size)
    truth = ((estimand.kernel(pair[0]) - estimand.kernel(pair[1])) * weights).sum(axis=1)
    chosen = list(designs(tasks, trials, budget, cost_task, 2 * cost_trial))
    rows = []
    for (n_tasks, k, cost), stream in zip(chosen, generator.spawn(len(chosen)), strict=True):
        told = identified(estimand, k) == "yes"
        chance = np.full(size, np.nan)
        if told:
            chance = _chances(pair, weights, estimand, n_tasks, k, stream)
        ahead, behind = chance >= target, chance <= 1 - target
        settled = float((ahead | behind).mean()) if told else np.nan
        rows.append(
            {
                "tasks": n_tasks,
                "trials": k,
                "runs": 2 * n_tasks * k,
                "cost": cost,
                "settled": settled,
                "for_first": float(ahead.mean()) if told else np.nan,
                "for_second": float(behind.mean()) if told else np.nan,
                "wrong": float(((ahead & (truth < 0)) | (behind & (truth > 0))).mean())
                if told
                else np.nan,
                "error": np.sqrt(settled * (1 - settled) / size),
                "identified": "yes" if told else "no",
            }
        )
    sure = float((truth > 0).mean() + 0.5 * (truth == 0).mean())
    return Contest(pd.DataFrame(rows), first, second, estimand.name, target, assurance, sure)


def _shared(pilot: Any, first: str, second: str, size: int) -> FloatArray:
    """Draw the success probabilities of both systems on the tasks they share, (2, size, tasks)."""
    if not isinstance(pilot, Posterior):
        raise ArgumentError(f"pilot must be a Posterior, not {type(pilot).__name__}.")
    for name in (first, second):
        if name not in pilot.systems:
            raise ArgumentError(
                f"The pilot has no system {name!r}; it has {', '.join(pilot.systems)}."
            )
    if first == second:
        raise ArgumentError(f"Two systems are compared, not {first!r} with itself.")
    counts = pilot.trials.counts
    cell = np.full((2, counts.n_tasks), -1)
    for row, name in enumerate((first, second)):
        mine = np.flatnonzero(counts.unit == pilot.systems.index(name))
        cell[row, counts.task[mine]] = mine
    both = cell[:, (cell >= 0).all(axis=0)]
    if not both.shape[1]:
        raise ArgumentError(f"{first!r} and {second!r} share no task in the pilot.")
    drawn = np.asarray(pilot.engine.parameters(1, size, cells=True)["p"][1])[0]
    return np.stack([drawn[:, cells] for cells in both])


def _chances(
    pair: FloatArray,
    weights: FloatArray,
    estimand: TaskMean,
    n_tasks: int,
    k: int,
    rng: np.random.Generator,
) -> FloatArray:
    """Simulate one evaluation for each truth, and give P(A > B) of each, (simulations,)."""
    wins = np.arange(k + 1)
    score = estimand.unbiased(np.full(k + 1, k), wins)
    size = len(weights)
    out = np.empty(size)
    step = max(1, CHUNK // n_tasks)
    for start in range(0, size, step):
        part = np.arange(start, min(start + step, size))
        cut = np.cumsum(weights[part], axis=1)
        where = np.stack(
            [np.searchsorted(row, rng.random(n_tasks) * row[-1], side="right") for row in cut]
        )
        p = np.take_along_axis(pair[:, part], where[None].repeat(2, axis=0), axis=2)
        value = score[rng.binomial(k, p)]
        out[part] = p_ahead(value[0] - value[1], float(np.ptp(score)))
    return out


def p_ahead(difference: FloatArray, extreme: float) -> FloatArray:
    """P(mean > 0) by the Bayesian bootstrap with one imaginary task, by its first two moments.

    Parameters
    ----------
    difference : (..., tasks) ndarray
        Of the unbiased estimates of each task.
    extreme : float
        Size of the difference on the imaginary task, whose sign is either with equal chance.

    Returns
    -------
    (...) ndarray
    """
    n = difference.shape[-1]
    total, square = difference.sum(axis=-1), (difference**2).sum(axis=-1)
    out = np.zeros(total.shape)
    for sign in (1.0, -1.0):
        mean = (total + sign * extreme) / (n + 1)
        variance = (square + extreme**2) / (n + 1) - mean**2
        sd = np.sqrt(np.maximum(variance, 1e-300) / (n + 2))
        out += special.ndtr(mean / sd) / 2
    return out
