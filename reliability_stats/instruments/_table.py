"""One way for all instruments to check a table: any frame, named columns, first bad row named."""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import narwhals as nw
import numpy as np
import numpy.typing as npt

from .._cells import encode, label_of
from .._counts import plural
from .._intake import _check_labels, pick, refuse_label
from .._lazy import collect
from .._outcomes import each, others, shown
from .._validation import suggest
from ..exceptions import ExclusionWarning, TrialDataError
from ._columns import (
    BoolArray,
    Column,
    Flag,
    Label,
    Number,
    Time,
    as_flags,
    as_numbers,
    as_times,
    count,
    empty_of,
)

__all__ = ["Column", "Flag", "Label", "Number", "Table", "Time", "count", "read_table"]


@dataclass(frozen=True, eq=False)
class Table:
    """Checked columns of a table, under the names of their roles; made by `read_table`.

    Attributes
    ----------
    values : dict of (rows,) ndarray
        Codes (int64) of labels, floats of numbers and times, int64 of whole numbers and flags.
        Missing values that were kept are -1 in codes and flags, NaN elsewhere (whole numbers are
        floats then).
    labels : dict of tuple of str
        Names behind the codes: sorted, or in the order of the levels.
    dated : frozenset of str
        Roles whose times are dates: days since 1970-01-01 (UTC).
    row : (rows,) ndarray of int
        Position of each row in the table that was given.
    n_given : int
        Rows of the table that was given.
    excluded : dict of int
        Rows left out, by the reason.
    columns : dict of str
        Name of the column behind each role.
    what : str
        What a row is, for messages.
    """

    values: dict[str, npt.NDArray[Any]]
    labels: dict[str, tuple[str, ...]]
    dated: frozenset[str]
    row: npt.NDArray[np.int64]
    n_given: int
    excluded: dict[str, int]
    columns: dict[str, str]
    what: str = "row"

    def __len__(self) -> int:
        """Give the number of rows that are left."""
        return len(self.row)

    def __contains__(self, role: object) -> bool:
        """Say whether a role was given a column."""
        return role in self.values

    def __getitem__(self, role: str) -> npt.NDArray[Any]:
        """Give the values of a role."""
        return self.values[role]

    def named(self, role: str) -> npt.NDArray[np.object_]:
        """Give the names of a role row by row; None where a missing one was kept."""
        names = np.array([*self.labels[role], None], dtype=object)
        out: npt.NDArray[np.object_] = names[self.values[role]]
        return out

    def place(self, index: int) -> str:
        """Name a row for messages: its number in the table that was given, and its labels."""
        keys = [
            f"{role} {self.labels[role][codes[index]]!r}"
            for role, codes in self.values.items()
            if role in self.labels and codes[index] >= 0
        ]
        return f"row {self.row[index]} ({', '.join(['counting from 0', *keys])})"

    def refuse(self, bad: npt.ArrayLike, role: str, message: str) -> None:
        """Raise for the first row of a mask.

        Parameters
        ----------
        bad : (rows,) array_like of bool
            Rows at fault; nothing happens if there are none.
        role : str
            Whose value is shown.
        message : str
            What is allowed, to follow "The <role> in row 3 is 5, but ".

        Raises
        ------
        TrialDataError
            If a row is at fault.
        """
        wrong = np.asarray(bad, dtype=bool)
        if wrong.any():
            index = int(np.argmax(wrong))
            value = self.named(role)[index] if role in self.labels else self.values[role][index]
            text = date_of(value) if role in self.dated else shown(value)
            more = others(int(wrong.sum()) - 1)
            raise TrialDataError(
                f"The {role} in {self.place(index)} is {text}, but {message}{more}."
            )

    def refuse_repeats(self, *roles: str) -> None:
        """Raise if two rows agree in all of these roles.

        Raises
        ------
        TrialDataError
            If a row repeats another.
        """
        if len(self) < 2:
            return
        keys = np.stack([np.unique(self.values[role], return_inverse=True)[1] for role in roles])
        _, first, where = np.unique(keys, axis=1, return_index=True, return_inverse=True)
        again = first[where.ravel()] != np.arange(len(self))
        if again.any():
            index = int(np.argmax(again))
            earlier = self.row[first[where.ravel()[index]]]
            raise TrialDataError(
                f"The {' and '.join(roles)} in {self.place(index)} repeat those of row {earlier}; "
                f"each may occur once{others(int(again.sum()) - 1)}. Add such rows up, or remove "
                "the copies."
            )

    @property
    def fingerprint(self) -> str:
        """SHA-256 of what was read: roles, names and values, not the order of columns."""
        digest = hashlib.sha256(b"reliability_stats.table/1")
        for role in sorted(self.values):
            digest.update(repr((role, self.labels.get(role), role in self.dated)).encode())
            digest.update(np.ascontiguousarray(self.values[role]).astype("<f8").tobytes())
        return digest.hexdigest()

    def describe(self) -> str:
        """Say how many rows there are, and what was left out."""
        gone = [f"{number} left out ({reason})" for reason, number in self.excluded.items()]
        return "; ".join([plural(len(self), self.what), *gone])


def date_of(days: float) -> str:
    """Write days since 1970 as a date, with the time of day where there is one."""
    moment = np.datetime64("1970-01-01", "s") + np.timedelta64(round(float(days) * 86400), "s")
    text = str(moment)
    return text.removesuffix("T00:00:00")


def read_table(
    data: Any,
    columns: Mapping[str, str | None],
    needs: Mapping[str, Column],
    *,
    what: str = "row",
    optional: tuple[str, ...] = (),
    allow_empty: bool = False,
) -> Table:
    """Check a table and give its columns as arrays.

    Parameters
    ----------
    data : frame or mapping
        Any frame that Narwhals supports, eager or lazy, or a mapping of columns.
    columns : mapping of str to str or None
        Column name of each role; None for an optional role that the table lacks.
    needs : mapping of str to Label, Number, Flag or Time
        What each role must hold, in the order in which columns are checked: names first, so that
        later messages can use them.
    what : str, default "row"
        What a row is, for messages: "incident", "run".
    optional : tuple of str
        Roles that may be None.
    allow_empty : bool, default False
        Whether a table without rows is allowed.

    Returns
    -------
    Table

    Raises
    ------
    TrialDataError
        If a column is not there, a value is missing or not allowed, or there are no rows.

    Warns
    -----
    ExclusionWarning
        If rows are left out because a column with ``missing="drop"`` has no value there.

    Examples
    --------
    >>> table = read_table(
    ...     {"kind": ["a", "b", "a"], "hours": [1.5, 2, 4]},
    ...     {"class": "kind", "exposure": "hours"},
    ...     {"class": Label(), "exposure": Number(low=0, above=True)},
    ... )
    >>> table.labels["class"], table["class"].tolist(), table["exposure"].tolist()
    (('a', 'b'), [0, 1, 0], [1.5, 2.0, 4.0])
    """
    for role, column in columns.items():
        if column is None and role not in optional:
            raise TrialDataError(f"{role} must name a column of the table, not None.")
    used = {role: name for role, name in columns.items() if name is not None}
    picked: Any = pick(data, used)
    frame = collect(picked) if isinstance(picked, nw.LazyFrame) else picked
    if not len(frame) and not allow_empty:
        raise TrialDataError(f"The table has no rows; at least one {what} is needed.")
    kept, excluded = _dropped(frame, used, needs)
    table = Table({}, {}, frozenset(), kept, len(frame), excluded, used, what)
    if excluded:
        gone = ", ".join(f"{number} with {reason}" for reason, number in excluded.items())
        warnings.warn(
            f"Left out of {plural(len(frame), what)}: {gone}.", ExclusionWarning, stacklevel=4
        )
    if not len(table) and not allow_empty:
        raise TrialDataError(f"No {what} is left; all {len(frame)} have missing values.")
    for role, need in needs.items():
        if role in used:
            table = _with_role(table, frame[role], role, need)
    return table


def _dropped(
    frame: nw.DataFrame[Any], used: Mapping[str, str], needs: Mapping[str, Column]
) -> tuple[npt.NDArray[np.int64], dict[str, int]]:
    """Give the rows that stay, and how many others lack what; each counts once."""
    keep = np.ones(len(frame), dtype=bool)
    excluded = {}
    for role, need in needs.items():
        if role in used and need.missing == "drop":
            gone = empty_of(frame[role], blank=isinstance(need, Label)) & keep
            if gone.any():
                excluded[f"no {role}"] = int(gone.sum())
                keep &= ~gone
    return np.flatnonzero(keep), excluded


def _with_role(table: Table, column: nw.Series[Any], role: str, need: Column) -> Table:
    """Add one checked column to a table."""
    empty = empty_of(column, blank=isinstance(need, Label))[table.row]
    if empty.any() and need.missing == "raise":
        place, more = table.place(int(np.argmax(empty))), int(empty.sum()) - 1
        also = f", nor have {plural(more, 'other row')}" if more else ""
        raise TrialDataError(
            f"There is no {role} in {place}{also}. Every {table.what} needs one: {need.allowed()}."
        )
    labels, dated = table.labels, table.dated
    if isinstance(need, Label):
        names, values = _labelled(table, column, role, need, empty)
        labels = {**labels, role: names}
    else:
        values, is_date = _numeric(table, column, role, need)
        dated = dated | {role} if is_date else dated
    return replace(table, values={**table.values, role: values}, labels=labels, dated=dated)


def _labelled(
    table: Table, column: nw.Series[Any], role: str, need: Label, empty: BoolArray
) -> tuple[tuple[str, ...], npt.NDArray[np.int64]]:
    """Give names and codes; -1 for those that are missing."""
    codes = np.full(len(table), -1, dtype=np.int64)
    if column.dtype.is_nested() and len(column):
        refuse_label(role, 0, column.head(1).to_list()[0])
    given = column.to_list()
    values = [given[i] for i, none in zip(table.row, empty, strict=True) if not none]
    _check_labels(values, role)
    if need.levels is not None:
        place = {name: i for i, name in enumerate(need.levels)}
        found = each(values, lambda value: place.get(label_of(value), -1))
        codes[~empty] = found
        wrong = (codes < 0) & ~empty
        if wrong.any():
            index = int(np.argmax(wrong))
            value = label_of(given[table.row[index]])
            raise TrialDataError(
                f"The {role} in {table.place(index)} is {shown(value)}"
                f"{suggest(value, need.levels)}; it must be {need.allowed()}"
                f"{others(int(wrong.sum()) - 1)}."
            )
        return need.levels, codes
    if not values:
        return (), codes
    names, codes[~empty] = encode(values, role)
    return names, codes


def _numeric(
    table: Table, column: nw.Series[Any], role: str, need: Number | Flag | Time
) -> tuple[npt.NDArray[Any], bool]:
    """Give checked numbers, flags or times, and whether they are dates."""
    dated = False
    if isinstance(need, Time):
        values, dated = as_times(column)
    else:
        values = as_flags(column) if isinstance(need, Flag) else as_numbers(column)
    values = values[table.row]
    none = np.isnan(values)
    good = need.good(values) if isinstance(need, Number) else np.isfinite(values)
    wrong = ~(good | none)
    if wrong.any():
        index = int(np.argmax(wrong))
        raise TrialDataError(
            f"The {role} in {table.place(index)} is {shown(column[int(table.row[index])])}; it "
            f"must be {need.allowed()}{others(int(wrong.sum()) - 1)}."
        )
    if isinstance(need, Flag):
        return np.where(none, -1, np.nan_to_num(values)).astype(np.int64), dated
    if isinstance(need, Number) and need.whole and not none.any():
        return values.astype(np.int64), dated
    return values, dated
