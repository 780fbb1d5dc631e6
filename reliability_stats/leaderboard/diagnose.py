"""Why a ladder fits no histogram: what would have to be different for it to fit.

References
----------
Brown and Heathers (2017), the GRIM test, https://doi.org/10.1177/1948550616673876
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import comb

import numpy as np

from .ladder import Ladder, possible, prints, sum_weights
from .search import LARGEST

MORE_TRIALS = 12
"""Most trials a task that are tried."""
NEAR_TASKS = 5
"""How many tasks more or fewer are tried."""
SETS = (2, 3, 4, 5)
"""Numbers of averaged sets of tasks that are tried."""


@dataclass(frozen=True)
class Diagnosis:
    """What could explain a ladder that fits no histogram.

    Attributes
    ----------
    off_grid : tuple of str
        Figures that no number of successes gives, each by itself.
    contradictory : bool
        No shares of tasks whatever give all figures at once, so that neither another number of
        tasks or trials nor averaging explains them.
    trials, tasks, sets : tuple of int
        Other numbers of trials a task, of tasks, and of averaged equal sets that would fit.
    off_by_one : tuple of str
        Figures that would fit if they alone were moved by one unit in the last digit.
    cut_off : bool
        The figures fit if digits were cut off instead of rounded.
    """

    off_grid: tuple[str, ...]
    contradictory: bool
    trials: tuple[int, ...]
    tasks: tuple[int, ...]
    sets: tuple[int, ...]
    off_by_one: tuple[str, ...]
    cut_off: bool

    @property
    def text(self) -> str:
        """The findings in words."""
        facts = []
        if self.off_grid:
            facts.append(f"no number of successes gives {' or '.join(self.off_grid)}")
        if self.contradictory:
            facts.append("no mixture of tasks at all gives these figures together")
        fits = []
        if self.trials:
            fits.append(f"{_listed(self.trials)} trials a task")
        if self.tasks:
            fits.append(f"{_listed(self.tasks)} tasks")
        if self.sets:
            fits.append(f"an average of {_listed(self.sets)} sets of tasks")
        if self.off_by_one:
            fits.append(f"one unit in the last digit of {' or '.join(self.off_by_one)}")
        if self.cut_off:
            fits.append("digits cut off instead of rounded")
        if fits:
            facts.append(f"would fit: {'; '.join(fits)}")
        elif not self.contradictory:
            facts.append(
                "fits no other number of tasks or trials nearby: trials may have been excluded, "
                "or sets of different size averaged"
            )
        return "; ".join(facts)


def diagnose(ladder: Ladder) -> Diagnosis:
    """Look for what would make a ladder fit.

    Parameters
    ----------
    ladder : Ladder
        A ladder that no histogram prints.

    Returns
    -------
    Diagnosis
    """
    n_tasks, n_trials = ladder.n_tasks, ladder.n_trials
    off_grid = tuple(
        f"{f.name} = {f.text} (of {n_tasks * comb(n_trials, f.k)})"
        for f in ladder.figures
        if np.diff(f.sums(n_tasks, n_trials))[0] < 0
    )
    contradictory = not possible(ladder.figures, n_trials)
    trials: tuple[int, ...] = ()
    tasks: tuple[int, ...] = ()
    sets: tuple[int, ...] = ()
    if not contradictory:
        trials = tuple(
            k for k in range(n_trials + 1, max(MORE_TRIALS, n_trials + 2) + 1) if _fits(ladder, k)
        )
        near = range(max(1, n_tasks - NEAR_TASKS), n_tasks + NEAR_TASKS + 1)
        tasks = tuple(n for n in near if n != n_tasks and _solved(replace(ladder, n_tasks=n)))
        sets = tuple(r for r in SETS if _solved(replace(ladder, n_tasks=r * n_tasks)))
    moved = (
        (rung, ladder.with_rung(i, shift))
        for i, rung in enumerate(ladder.rungs)
        for shift in (-1, 1)
    )
    off_by_one = dict.fromkeys(rung.name for rung, other in moved if other and _solved(other))
    cut_off = _solved(ladder, "down")
    return Diagnosis(off_grid, contradictory, trials, tasks, sets, tuple(off_by_one), cut_off)


def _listed(numbers: tuple[int, ...]) -> str:
    """Write alternatives, runs as "6 to 8"."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and runs[-1][-1] == number - 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return " or ".join(
        f"{r[0]} to {r[-1]}" if len(r) > 2 else " or ".join(map(str, r)) for r in runs
    )


def _solved(ladder: Ladder, rounding: str = "nearest") -> bool:
    """Say whether a histogram prints the ladder."""
    return len(ladder.solve(1, rounding).histograms) > 0


def _fits(ladder: Ladder, n_trials: int) -> bool:
    """Say whether a histogram with more trials a task prints the ladder."""
    from scipy.optimize import Bounds, LinearConstraint, milp

    n_tasks = ladder.n_tasks
    if comb(n_trials, n_trials // 2) * n_tasks >= LARGEST:
        return False
    scale = np.array([comb(n_trials, figure.k) for figure in ladder.figures], dtype=float)
    rows = np.array([sum_weights(f, n_trials) for f in ladder.figures]) / scale[:, None]
    low, high = np.array([f.sums(n_tasks, n_trials) for f in ladder.figures]).T / scale
    if (low > high).any():
        return False
    result = milp(
        np.zeros(n_trials + 1),
        integrality=np.ones(n_trials + 1, dtype=int),
        bounds=Bounds(0, n_tasks),
        constraints=[
            LinearConstraint(rows, low, high),
            LinearConstraint(np.ones((1, n_trials + 1)), n_tasks, n_tasks),
        ],
        options={"time_limit": 2.0},
    )
    if result.x is None:
        return False
    histogram = np.rint(result.x).astype(np.int64)[None, :]
    return bool(
        histogram.sum() == n_tasks
        and all(prints(histogram, figure, "nearest").all() for figure in ladder.figures)
    )
