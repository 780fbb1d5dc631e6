"""Counts of trials and successes: all that a model sees of the data."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from .exceptions import TrialDataError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Counts", "DistinctCounts"]

IntArray = npt.NDArray[np.int64]


def plural(number: int, noun: str) -> str:
    """Write a number with its noun: "1 cell", "2 cells"."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def html_table(caption: str, rows: list[tuple[str, str]]) -> str:
    """Write a two-column HTML table with everything escaped."""
    body = "".join(
        f'<tr><th style="text-align:left">{escape(name)}</th>'
        f'<td style="text-align:left">{escape(value)}</td></tr>'
        for name, value in rows
    )
    head = f'<caption style="text-align:left">{escape(caption)}</caption>'
    return f'<table class="reliability-stats">{head}<tbody>{body}</tbody></table>'


def listed(names: tuple[str, ...], most: int = 6) -> str:
    """Write the first names, long ones cut short, and how many more there are."""
    shown = ", ".join(f"{name[:77]}..." if len(name) > 80 else name for name in names[:most])
    return shown if len(names) <= most else f"{shown}, and {len(names) - most} more"


def per_cell(n: IntArray) -> str:
    """Write the number of trials per cell: "4" or "2 to 5"."""
    low, high = int(n.min()), int(n.max())
    return f"{low}" if low == high else f"{low} to {high}"


def frozen(values: Any, name: str) -> IntArray:
    """Give a read-only integer array: a copy, unless it is one already that nobody can write to."""
    given = np.asarray(values)
    if given.dtype == np.int64 and given.base is None and not given.flags.writeable:
        return given
    bad = np.ones(given.shape, dtype=bool)
    if given.dtype.kind == "f":
        bad = ~((np.abs(given) < 2**53) & (given == np.floor(given)))
    elif given.dtype.kind in "iu":
        bad = given > np.iinfo(np.int64).max
    if bad.any():
        first = given.ravel()[np.argmax(bad)]
        raise TrialDataError(f"{name} must hold integers, not {first!s} ({given.dtype}).")
    array = given.astype(np.int64)
    array.setflags(write=False)
    return array


@dataclass(frozen=True, eq=False)
class DistinctCounts:
    """Sufficient statistics: the distinct (unit, n, successes) triples and how often each occurs.

    Attributes
    ----------
    unit : (rows,) ndarray of int
        Unit of each row; ascending.
    n, successes : (rows,) ndarray of int
        Trials and successes.
    multiplicity : (rows,) ndarray of int
        Number of cells that share the row.
    row_of_cell : (cells,) ndarray of int
        Row of each cell.

    Examples
    --------
    >>> from reliability_stats.trials import Trials
    >>> distinct = Trials.from_array([[1, 0], [0, 1], [1, 1]]).counts.distinct()
    >>> distinct.successes.tolist(), distinct.multiplicity.tolist()
    ([1, 2], [2, 1])
    """

    unit: IntArray
    n: IntArray
    successes: IntArray
    multiplicity: IntArray
    row_of_cell: IntArray

    def __post_init__(self) -> None:
        """Make the arrays read-only."""
        for name in ("unit", "n", "successes", "multiplicity", "row_of_cell"):
            object.__setattr__(self, name, frozen(getattr(self, name), name))

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle through the constructor, so that arrays stay read-only."""
        return type(self), (
            self.unit,
            self.n,
            self.successes,
            self.multiplicity,
            self.row_of_cell,
        )

    def __len__(self) -> int:
        """Give the number of rows."""
        return len(self.unit)

    def __repr__(self) -> str:
        """Give sizes."""
        cells = plural(len(self.row_of_cell), "cell")
        return f"DistinctCounts: {plural(len(self), 'row')} for {cells}"


@dataclass(frozen=True, eq=False, repr=False)
class Counts:
    """Trials and successes of every cell (system x task [x condition]) with a counted trial.

    Cells are sorted by (system, condition, task); every label has at least one cell. Arrays are
    read-only.

    Attributes
    ----------
    systems, tasks, conditions : tuple of str
        Labels; `conditions` is empty when there are none.
    system, task : (cells,) ndarray of int
        Positions in `systems` and `tasks`.
    condition : (cells,) ndarray of int or None
        Positions in `conditions`.
    n : (cells,) ndarray of int
        Counted trials, at least 1.
    successes : (cells,) ndarray of int
        Successes, from 0 to `n`.
    missing : (cells,) ndarray of int
        Outcomes that came without a value, whatever was then done with them.

    Raises
    ------
    TrialDataError
        If the arrays contradict each other; the message names the first cell at fault.

    Examples
    --------
    >>> from reliability_stats.trials import Trials
    >>> counts = Trials.from_array([[1, 0, 1], [0, 0, 0]]).counts
    >>> counts
    Counts: 1 system x 2 tasks, 6 trials in 2 cells (3 per cell), 2 successes
    >>> counts.successes
    array([2, 0])
    """

    systems: tuple[str, ...]
    tasks: tuple[str, ...]
    conditions: tuple[str, ...]
    system: IntArray
    task: IntArray
    condition: IntArray | None
    n: IntArray
    successes: IntArray
    missing: IntArray

    def __post_init__(self) -> None:
        """Copy and check."""
        names = ["system", "task", "n", "successes", "missing"]
        if self.condition is not None:
            names.append("condition")
        for name in names:
            object.__setattr__(self, name, frozen(getattr(self, name), name))
        for name in ("systems", "tasks", "conditions"):
            labels = getattr(self, name)
            if isinstance(labels, str) or not all(isinstance(label, str) for label in labels):
                raise TrialDataError(f"{name} must be labels that are text, not {labels!r}.")
            object.__setattr__(self, name, tuple(labels))
        shapes = {name: getattr(self, name).shape for name in names}
        if any(shape != (len(self.system),) for shape in shapes.values()):
            raise TrialDataError(
                f"The arrays must be 1-D and of one length, but have shapes {shapes}."
            )
        if not self.n_cells:
            raise TrialDataError("There are no cells: not a single trial is counted.")
        if (self.condition is None) != (not self.conditions):
            raise TrialDataError("conditions and condition must be given together or not at all.")
        self._check_labels()
        self._check_values()

    def _check_labels(self) -> None:
        """Check that codes and labels match, and that cells are sorted and distinct."""
        roles = [("system", self.systems), ("task", self.tasks)]
        if self.condition is not None:
            roles.append(("condition", self.conditions))
        for role, labels in roles:
            codes = getattr(self, role)
            if codes.min() < 0 or codes.max() >= len(labels):
                raise TrialDataError(
                    f"{role} must hold positions in the {len(labels)} {role} labels."
                )
            used = np.bincount(codes, minlength=len(labels)) > 0
            if not used.all():
                raise TrialDataError(f"{role} {labels[int(np.argmin(used))]!r} has no cell.")
            if len(set(labels)) < len(labels):
                raise TrialDataError(f"{role} labels must be distinct.")
        step = np.diff(self._unit_key * self.n_tasks + self.task)
        if (step <= 0).any():
            i = int(np.argmax(step <= 0)) + 1
            raise TrialDataError(
                f"Cells must be distinct and sorted by system, condition, task, but cell {i} "
                f"({self.cell_name(i)}) is not."
            )
        if len(set(self.units)) < len(self.units):
            raise TrialDataError(
                "Two pairs of system and condition are both written the same way, 'system "
                "[condition]'; rename one of them."
            )

    def _check_values(self) -> None:
        """Check 1 <= n, 0 <= successes <= n, 0 <= missing, and that totals can be held."""
        for bad, rule in (
            (self.n < 1, "n must be at least 1"),
            (self.successes < 0, "successes must not be negative"),
            (self.successes > self.n, "successes must not exceed n"),
            (self.missing < 0, "missing must not be negative"),
        ):
            if bad.any():
                i = int(np.argmax(bad))
                raise TrialDataError(
                    f"{rule}, but {self.cell_name(i)} has n={self.n[i]}, "
                    f"successes={self.successes[i]}, missing={self.missing[i]}."
                )
        if self.n.sum(dtype=float) + self.missing.sum(dtype=float) > 2**62:
            raise TrialDataError("There are more than 2**62 trials in total, which cannot be held.")

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle through the constructor, so that arrays stay read-only."""
        return type(self), (
            self.systems,
            self.tasks,
            self.conditions,
            self.system,
            self.task,
            self.condition,
            self.n,
            self.successes,
            self.missing,
        )

    def __eq__(self, other: object) -> bool:
        """Compare labels and arrays."""
        if not isinstance(other, Counts):
            return NotImplemented
        mine, theirs = self.__reduce__()[1], other.__reduce__()[1]
        return all(
            a == b if a is None or b is None or isinstance(a, tuple) else np.array_equal(a, b)
            for a, b in zip(mine, theirs, strict=True)
        )

    def __hash__(self) -> int:
        """Hash labels and counts."""
        return hash((self.systems, self.tasks, self.conditions, self.successes.tobytes()))

    @property
    def n_systems(self) -> int:
        """Number of systems."""
        return len(self.systems)

    @property
    def n_tasks(self) -> int:
        """Number of tasks."""
        return len(self.tasks)

    @property
    def n_cells(self) -> int:
        """Number of cells."""
        return len(self.system)

    @property
    def _unit_key(self) -> IntArray:
        """One ascending integer for each pair of system and condition."""
        if self.condition is None:
            return self.system
        return self.system * len(self.conditions) + self.condition

    @cached_property
    def unit(self) -> IntArray:
        """Unit of each cell: ``(cells,)`` positions in `units`, ascending."""
        change = np.diff(self._unit_key, prepend=self._unit_key[0]) != 0
        return frozen(np.cumsum(change), "unit")

    @cached_property
    def units(self) -> tuple[str, ...]:
        """Labels analysed separately: systems, or "system [condition]" for pairs that occur."""
        if self.condition is None:
            return self.systems
        first = np.flatnonzero(np.diff(self.unit, prepend=-1))
        return tuple(
            f"{self.systems[self.system[i]]} [{self.conditions[self.condition[i]]}]" for i in first
        )

    def cell_name(self, cell: int) -> str:
        """Name a cell for messages.

        Parameters
        ----------
        cell : int
            Position of the cell.

        Returns
        -------
        str
            Such as ``system 'a', task 't1'``.

        Examples
        --------
        >>> from reliability_stats.trials import Trials
        >>> Trials.from_array([[1, 0]]).counts.cell_name(0)
        "system 'system', task '0'"
        """
        name = f"system {self.systems[self.system[cell]]!r}, task {self.tasks[self.task[cell]]!r}"
        if self.condition is not None:
            name += f", condition {self.conditions[self.condition[cell]]!r}"
        return name

    def to_frame(self) -> pd.DataFrame:
        """Give one row a cell.

        Returns
        -------
        pandas.DataFrame
            Columns system, task, condition (if there are conditions), n, successes, and missing
            (if any outcome was).

        Examples
        --------
        >>> from reliability_stats.trials import Trials
        >>> Trials.from_array([[1, 0], [1, 1]]).counts.to_frame()
           system task  n  successes
        0  system    0  2          1
        1  system    1  2          2
        """
        import pandas as pd

        data: dict[str, Any] = {
            "system": np.array(self.systems, dtype=object)[self.system],
            "task": np.array(self.tasks, dtype=object)[self.task],
        }
        if self.condition is not None:
            data["condition"] = np.array(self.conditions, dtype=object)[self.condition]
        data |= {"n": self.n.copy(), "successes": self.successes.copy()}
        if self.missing.any():
            data["missing"] = self.missing.copy()
        return pd.DataFrame(data)

    def distinct(self) -> DistinctCounts:
        """Give the sufficient statistics of each unit.

        Returns
        -------
        DistinctCounts
            One row for each distinct (unit, n, successes), sorted by these.

        Examples
        --------
        >>> from reliability_stats.trials import Trials
        >>> Trials.from_array([[1, 0], [0, 1], [1, 1]]).counts.distinct()
        DistinctCounts: 2 rows for 3 cells
        """
        return self._distinct

    @cached_property
    def _distinct(self) -> DistinctCounts:
        """Count equal cells, by a table of all possible ones where that is small."""
        base = int(self.n.max()) + 1
        size = (int(self.unit[-1]) + 1) * base**2
        if size >= 2**62:
            columns = np.stack([self.unit, self.n, self.successes])
            (unit, n, successes), row, many = np.unique(
                columns, axis=1, return_inverse=True, return_counts=True
            )
            return DistinctCounts(unit, n, successes, many, row.ravel())
        key = (self.unit * base + self.n) * base + self.successes
        if size <= 8 * self.n_cells + 2**16:
            table = np.bincount(key, minlength=size)
            keys = np.flatnonzero(table)
            row, many = (np.cumsum(table > 0) - 1)[key], table[keys]
        else:
            keys, row, many = np.unique(key, return_inverse=True, return_counts=True)
        return DistinctCounts(keys // base**2, keys // base % base, keys % base, many, row)

    def describe(self) -> str:
        """Say how much there is.

        Returns
        -------
        str
            Sizes in words.

        Examples
        --------
        >>> from reliability_stats.trials import Trials
        >>> Trials.from_array([[1, 0]]).counts.describe()
        '1 system x 1 task, 2 trials in 1 cell (2 per cell)'
        """
        sizes = f"{plural(self.n_systems, 'system')} x {plural(self.n_tasks, 'task')}"
        if self.conditions:
            sizes += f" x {plural(len(self.conditions), 'condition')}"
        total = plural(int(self.n.sum()), "trial")
        return f"{sizes}, {total} in {plural(self.n_cells, 'cell')} ({per_cell(self.n)} per cell)"

    def __repr__(self) -> str:
        """Give sizes."""
        wins = int(self.successes.sum())
        return f"Counts: {self.describe()}, {wins} success{'' if wins == 1 else 'es'}"

    def _repr_html_(self) -> str:
        """Give sizes and labels for notebooks, escaped."""
        rows = [("systems", listed(self.systems)), ("tasks", listed(self.tasks))]
        if self.conditions:
            rows.append(("conditions", listed(self.conditions)))
        return html_table(repr(self), rows)
