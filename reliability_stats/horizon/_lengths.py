"""Counts of tasks with their lengths, checked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from .._numerics import FloatArray, IntArray
from .._validation import suggest
from ..exceptions import ArgumentError, ModelError, TrialDataError
from ..models.beta_binomial import LogLikelihood
from ..trials import DistinctCounts, Trials


@dataclass(frozen=True, eq=False)
class Lengths:
    """Tasks of one unit with their lengths.

    Attributes
    ----------
    x : (lengths,) ndarray
        Distinct log2 lengths, ascending.
    place : (tasks,) ndarray of int
        Length of each task.
    n, successes : (tasks,) ndarray of int
        Counts.
    likelihood : LogLikelihood
        One row a length.
    """

    x: FloatArray
    place: IntArray
    n: IntArray
    successes: IntArray
    likelihood: LogLikelihood

    @classmethod
    def of(cls, x: FloatArray, n: IntArray, successes: IntArray) -> Lengths:
        """Group tasks of equal length."""
        distinct, place = np.unique(x, return_inverse=True)
        likelihood = likelihood_of(place, n, successes, len(distinct))
        return cls(distinct, np.asarray(place, dtype=np.int64), n, successes, likelihood)


def likelihood_of(place: IntArray, n: IntArray, wins: IntArray, size: int) -> LogLikelihood:
    """Give the beta-binomial likelihood with one row a place."""
    keys = np.stack([place, n, wins])
    distinct, row, many = np.unique(keys, axis=1, return_inverse=True, return_counts=True)
    counts = DistinctCounts(distinct[0], distinct[1], distinct[2], many, row.ravel())
    return LogLikelihood.of(counts, size)


def lengths_of(trials: Any, length: str) -> list[Lengths]:
    """Read counts and lengths of every unit.

    Raises
    ------
    TrialDataError
        If no length was read, one is missing or not positive, a task has several, or outcomes are
        missing under ``missing="bounds"``.
    ModelError
        If all tasks of a system have one length.
    """
    if not isinstance(trials, Trials):
        raise ArgumentError(
            f"Horizon needs Trials, not {type(trials).__name__}; make them with "
            "Trials.from_frame(..., length=...)."
        )
    if trials.missing_policy == "bounds" and trials.n_missing:
        raise TrialDataError(
            f"{trials.n_missing} outcomes are missing under missing='bounds', and a posterior "
            "needs definite counts. Use trials.complete('failure') and trials.complete('success') "
            "to see both ends."
        )
    column = trials.columns.get("length")
    if column is None:
        raise TrialDataError(
            "These trials have no length. Name its column: Trials.from_frame(..., "
            f"length={length!r})."
        )
    if length not in (column, "length"):
        raise ArgumentError(
            f"length {length!r} is not the column that was read as length, {column!r}"
            f"{suggest(length, [str(column)])}."
        )
    return _checked(trials, str(column))


def _checked(trials: Trials, column: str) -> list[Lengths]:
    """Check the lengths of all counted trials, and group them by unit."""
    frame = trials.to_frame()
    frame = frame[frame["success"].notna()]
    counts = trials.counts
    cell = np.repeat(np.arange(counts.n_cells), counts.n)
    try:
        values = frame["length"].to_numpy(dtype=float, na_value=np.nan)
    except (TypeError, ValueError):
        raise TrialDataError(f"{column} must hold numbers above 0, but holds text.") from None
    names = counts.to_frame()
    bad = np.flatnonzero(~((values > 0) & np.isfinite(values)))
    if bad.size:
        where = _name(names, int(cell[bad[0]]))
        raise TrialDataError(
            f"{column} of {where} is {values[bad[0]]!s}; it must be a finite number above 0 "
            f"({bad.size} of {len(values)} trials have no such length)."
        )
    first = np.concatenate([[0], np.cumsum(counts.n)[:-1]])
    differs = np.flatnonzero(values != values[first][cell])
    if differs.size:
        i = int(differs[0])
        raise TrialDataError(
            f"{column} of {_name(names, int(cell[i]))} is {values[first][cell[i]]:g} in one trial "
            f"and {values[i]:g} in another; a task needs one length. Time taken by the system is "
            "an outcome, not the length of the task."
        )
    out = []
    for unit, name in enumerate(counts.units):
        mine = counts.unit == unit
        x = np.log2(values[first][mine])
        if not np.ptp(x):
            raise ModelError(
                f"All tasks of {name!r} have one length, so success cannot be seen to fall with it."
            )
        out.append(Lengths.of(x, counts.n[mine], counts.successes[mine]))
    return out


def _name(names: Any, cell: int) -> str:
    """Name a cell by its keys."""
    row = names.iloc[cell]
    keys = [key for key in names.columns if key in ("system", "condition", "task")]
    return ", ".join(f"{key} {row[key]!r}" for key in keys)
