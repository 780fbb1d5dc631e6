"""Scores of runs by unit and task, checked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from .._cells import label_of
from .._numerics import FloatArray, IntArray
from ..exceptions import ArgumentError, TrialDataError
from ..trials import Trials


@dataclass(frozen=True, eq=False)
class Runs:
    """Scores of one unit, task by task.

    Attributes
    ----------
    score : (runs,) ndarray
        Scores, sorted by task.
    n : (tasks,) ndarray of int
        Runs of each task.
    """

    score: FloatArray
    n: IntArray

    @property
    def tasks(self) -> list[FloatArray]:
        """Scores of each task."""
        return np.split(self.score, np.cumsum(self.n)[:-1])


def runs_of(trials: Any) -> list[Runs]:
    """Read the scores of every unit.

    Raises
    ------
    TrialDataError
        If no score was read, or that of a counted trial is not a finite number.
    ArgumentError
        If no trials are given.
    """
    if not isinstance(trials, Trials):
        raise ArgumentError(
            f"Scores are read from Trials, not {type(trials).__name__}; make them with "
            "Trials.from_frame(..., score=...)."
        )
    column = trials.columns.get("score")
    if column is None:
        raise TrialDataError(
            "These trials have no score. Name its column: Trials.from_frame(..., score='score')."
        )
    frame = trials.to_frame()
    frame = frame[frame["success"].notna()]
    counts = trials.counts
    cell = np.repeat(np.arange(counts.n_cells), counts.n)
    try:
        values = frame["score"].to_numpy(dtype=float, na_value=np.nan)
    except (TypeError, ValueError):
        raise TrialDataError(f"{column} must hold numbers, but holds text.") from None
    bad = np.flatnonzero(~np.isfinite(values))
    if bad.size:
        row = frame.iloc[int(bad[0])]
        keys = [key for key in ("system", "task", "condition", "trial") if key in frame]
        where = ", ".join(f"{key} {label_of(row[key])!r}" for key in keys)
        raise TrialDataError(
            f"{column} of {where} is {values[bad[0]]!s}; it must be a finite number ({bad.size} of "
            f"{len(values)} counted trials have none). Give failed runs the score that they earn, "
            "or make their outcome missing under missing='drop'."
        )
    out = []
    for unit in range(len(counts.units)):
        mine = counts.unit == unit
        out.append(Runs(values[mine[cell]], counts.n[mine]))
    return out
