"""Outcomes as rows of a matrix, and counts by unit, as the functions of this package take them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from .._counts import IntArray, plural
from .._numerics import FloatArray
from ..exceptions import ArgumentError
from ..trials import Counts, Trials


def matrix(rows: ArrayLike, name: str) -> FloatArray:
    """Give rows of numbers as a matrix; shorter rows are filled up with NaN, which is no run.

    Raises
    ------
    ArgumentError
        If there are no rows, or they do not hold numbers.
    """
    allowed = f"{name} must be rows of numbers, one row a task and one entry a run"
    given: Any = rows
    try:
        if isinstance(given, np.ndarray):
            table = np.asarray(given, dtype=float)
        else:
            parts = [np.asarray(row, dtype=float) for row in given]
            if any(part.ndim != 1 for part in parts):
                raise TypeError
            table = np.full((len(parts), max(map(len, parts), default=0)), np.nan)
            for row, part in zip(table, parts, strict=True):
                row[: len(part)] = part
    except (TypeError, ValueError):
        raise ArgumentError(f"{allowed}.") from None
    if table.ndim != 2 or not table.size or np.isnan(table).all():
        raise ArgumentError(f"{allowed}, and not empty.")
    return table


def within(values: FloatArray, low: float, high: float, name: str) -> FloatArray:
    """Give the values, all of which are NaN or in a range."""
    bad = np.argwhere(~(np.isnan(values) | ((values >= low) & (values <= high))))
    if len(bad):
        place = tuple(map(int, bad[0]))
        where = ", ".join(map(str, place))
        raise ArgumentError(
            f"{name} must hold numbers from {low:g} to {high:g}, but entry {where} is "
            f"{values[place]}."
        )
    return values


def known_counts(trials: Trials, name: str) -> Counts:
    """Give the counts of trials all of whose outcomes are settled."""
    if not isinstance(trials, Trials):
        raise ArgumentError(f"{name} takes Trials, not {type(trials).__name__}.")
    if trials.missing_policy == "bounds" and trials.n_missing:
        raise ArgumentError(
            f"{name} has no bounds, and {plural(trials.n_missing, 'outcome')} may be either. Call "
            "it for trials.complete('failure') and trials.complete('success'), the two ends."
        )
    return trials.counts


def by_unit(counts: Counts) -> Sequence[tuple[str, str | None, IntArray]]:
    """Give system, condition and cells of each unit."""
    units = []
    for unit in range(len(counts.units)):
        cells = np.flatnonzero(counts.unit == unit)
        first = cells[0]
        condition = None if counts.condition is None else counts.condition[first]
        label = None if condition is None else counts.conditions[condition]
        units.append((counts.systems[counts.system[first]], label, cells))
    return units
