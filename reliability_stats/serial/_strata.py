"""Trials in their order, cell by cell, as arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from .._numerics import FloatArray, IntArray
from ..trials import Trials

BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Strata:
    """Outcomes in order within strata, which are cells or tasks of one system.

    Attributes
    ----------
    stratum : (trials,) ndarray of int
        Stratum of each trial, ascending.
    position : (trials,) ndarray of int
        Place of the trial within its stratum, from 0.
    success : (trials,) ndarray of int
        1 or 0.
    n, wins : (strata,) ndarray of int
        Trials and successes.
    """

    stratum: IntArray
    position: IntArray
    success: IntArray
    n: IntArray
    wins: IntArray

    @classmethod
    def of(cls, stratum: IntArray, success: IntArray) -> Strata:
        """Count; strata must be ascending, and are numbered anew from 0."""
        first = np.flatnonzero(np.diff(stratum, prepend=-1))
        n = np.diff(first, append=len(stratum))
        number = np.repeat(np.arange(len(n)), n)
        wins = np.bincount(number, weights=success, minlength=len(n)).astype(np.int64)
        position = np.arange(len(stratum)) - np.repeat(first, n)
        return cls(number, position, success, n, wins)

    def take(self, rows: BoolArray) -> Strata:
        """Take some trials; positions are counted anew."""
        return Strata.of(self.stratum[rows], self.success[rows])

    @property
    def mixed(self) -> BoolArray:
        """Which strata have both successes and failures: only these say anything about order."""
        return np.asarray((self.wins > 0) & (self.wins < self.n))

    @property
    def in_mixed(self) -> BoolArray:
        """Which trials lie in mixed strata."""
        return self.mixed[self.stratum]


@dataclass(frozen=True, eq=False)
class Ordered:
    """All trials of a table in order, with what may explain their outcomes.

    Attributes
    ----------
    cells : Strata
        One stratum a cell, in the order of the counts.
    unit, system : (cells,) ndarray of int
        Unit and system of each cell.
    task : (cells,) ndarray of int
        Task of each cell.
    levels : dict of str to (trials,) ndarray of int
        Repetition, and group if there is one: a number for each value, -1 where it is missing.
    """

    cells: Strata
    unit: IntArray
    system: IntArray
    task: IntArray
    levels: dict[str, IntArray]

    @classmethod
    def of(cls, trials: Trials) -> Ordered:
        """Read the trials that are counted, in their order."""
        frame = trials.to_frame()
        frame = frame[frame["success"].notna()]
        counts = trials.counts
        # rows and cells are sorted alike, and every cell has its n counted trials
        cell = np.repeat(np.arange(counts.n_cells), counts.n)
        cells = Strata.of(cell, frame["success"].to_numpy(dtype=float).astype(np.int64))
        named = codes_of(frame["trial"].tolist())
        rounds = np.unique(counts.unit[cell] * (named.max(initial=0) + 1) + named)
        shared = 2 * len(rounds) <= len(named)
        levels = {"repetition": named if shared else cells.position}
        if "group" in frame:
            levels["group"] = codes_of(frame["group"].tolist())
        return cls(cells, counts.unit, counts.system, counts.task, levels)

    def of_units(self, unit: int) -> BoolArray:
        """Which trials belong to a unit."""
        return np.asarray((self.unit == unit)[self.cells.stratum])


def codes_of(values: Sequence[Any]) -> IntArray:
    """Give values numbers in the order in which they first occur, -1 for missing ones."""
    place: dict[Any, int] = {}
    out = np.empty(len(values), dtype=np.int64)
    for i, value in enumerate(values):
        missing = value is None or value != value
        out[i] = -1 if missing else place.setdefault(value, len(place))
    return out


def spread(values: FloatArray, sizes: IntArray) -> FloatArray:
    """Give each trial the value of its stratum."""
    return np.repeat(values, sizes)
