"""A whole ladder pass^1..pass^K of a system, and the histograms that print it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import comb

import numpy as np

from .._numerics import IntArray
from .figures import Figure
from .frame import Group
from .search import LARGEST, Found, find


@dataclass(frozen=True)
class Ladder:
    """All K rungs of a group that states N tasks and K trials of each.

    Attributes
    ----------
    group : Group
        Where it comes from.
    rungs : tuple of Figure
        The figures k = 1..K, all of one kind.
    others : tuple of Figure
        Further figures that a histogram must reproduce.
    n_tasks, n_trials : int
        N and K.
    declared : bool
        Whether K was stated; otherwise it is taken as the highest k.
    """

    group: Group
    rungs: tuple[Figure, ...]
    others: tuple[Figure, ...]
    n_tasks: int
    n_trials: int
    declared: bool

    @property
    def figures(self) -> tuple[Figure, ...]:
        """All figures that a histogram must reproduce."""
        return self.rungs + self.others

    @property
    def digits(self) -> tuple[object, ...]:
        """What two ladders share if they print the same."""
        printed = tuple((f.key, f.value, f.decimals) for f in self.rungs)
        return self.group.benchmark, self.n_tasks, self.n_trials, printed

    def solve(self, most: int, rounding: str = "nearest") -> Found:
        """Find the histograms (solutions, K + 1) that print this ladder."""
        failures = self.rungs[-1].key[0] == "@"
        sums = [
            rung.sums(self.n_tasks, self.n_trials, rounding, failures=failures)
            for rung in self.rungs
        ]
        low, high = np.array(sums, dtype=np.int64).T
        found = find(low, high, self.n_tasks, most=most)
        histograms = found.histograms
        if failures:
            histograms = histograms[:, ::-1]
        for figure in self.others:
            histograms = histograms[prints(histograms, figure, rounding)]
        return Found(self.by_closeness(histograms), found.complete)

    def by_closeness(self, histograms: IntArray) -> IntArray:
        """Sort histograms by their largest distance from the printed figures, in printed units."""
        if len(histograms) < 2:
            return histograms
        worst = np.zeros(len(histograms))
        for figure in self.figures:
            exact = histograms @ figure.of_counts(self.n_trials) / self.n_tasks
            worst = np.maximum(worst, np.abs(exact - float(figure.value)) / float(figure.unit))
        return histograms[np.lexsort((*histograms.T, worst.round(9)))]

    def with_rung(self, rung: int, shift: int) -> Ladder | None:
        """Move one rung by units in its last digit; None if it leaves [0, 1]."""
        old = self.rungs[rung]
        value = old.value + shift * old.unit
        if not 0 <= value <= 1:
            return None
        rungs = list(self.rungs)
        rungs[rung] = replace(old, value=value)
        return replace(self, rungs=tuple(rungs))


def prints(histograms: IntArray, figure: Figure, rounding: str) -> np.ndarray:
    """Mark the histograms, (solutions, K + 1), that print a figure."""
    n_trials = histograms.shape[1] - 1
    low, high = figure.sums(int(histograms[0].sum()) if len(histograms) else 1, n_trials, rounding)
    sums = histograms @ sum_weights(figure, n_trials)
    return np.asarray((sums >= low) & (sums <= high))


def sum_weights(figure: Figure, n_trials: int) -> IntArray:
    """Give what a task with 0..n_trials successes adds to the integer sum of a figure."""
    weights = [comb(c, figure.k) for c in range(n_trials + 1)]
    return np.array(weights[::-1] if figure.key[0] == "@" else weights, dtype=np.int64)


def possible(figures: Sequence[Figure], n_trials: int) -> bool:
    """Say whether any shares of tasks, not only whole numbers of tasks, print the figures."""
    from scipy.optimize import linprog

    rows = np.array([figure.of_counts(n_trials) for figure in figures])
    low, high = np.array([[float(end) for end in figure.interval()] for figure in figures]).T
    result = linprog(
        np.zeros(n_trials + 1),
        A_ub=np.vstack([rows, -rows]),
        b_ub=np.concatenate([high + 1e-9, 1e-9 - low]),
        A_eq=np.ones((1, n_trials + 1)),
        b_eq=[1.0],
    )
    return bool(result.status == 0)


def ladder_of(group: Group) -> Ladder | str:
    """Give the whole ladder of a group, or say why there is none."""
    trials = {f.n_trials for f in group.figures if f.n_trials is not None}
    if len(trials) > 1:
        return f"the figures state different numbers of trials: {sorted(trials)}"
    declared = bool(trials)
    n_trials = trials.pop() if declared else max(f.k for f in group.figures)
    if not declared and n_trials == 1:
        return "only the mean is given, and the number of trials is not stated"
    if group.n_tasks is None:
        return "the number of tasks is not stated"
    missing = {kind: _missing(group, kind, n_trials) for kind in ("^", "@")}
    kind = min(missing, key=lambda kind: len(missing[kind]))
    if missing[kind]:
        lacking = " and ".join(f"pass{kind}{k}" for k in missing[kind])
        return f"no {lacking} for {n_trials} trials a task"
    if comb(n_trials, n_trials // 2) * group.n_tasks >= LARGEST:
        return f"{n_trials} trials a task are too many to search"
    rungs = [group.figure(kind, k) for k in range(1, n_trials + 1)]
    kept = tuple(rung for rung in rungs if rung is not None)
    others = tuple(f for f in group.figures if f not in kept)
    return Ladder(group, kept, others, group.n_tasks, n_trials, declared)


def _missing(group: Group, kind: str, n_trials: int) -> list[int]:
    """List the rungs that were not published."""
    return [k for k in range(1, n_trials + 1) if group.figure(kind, k) is None]
