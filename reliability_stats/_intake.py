"""From any frame to checked rows: the named columns under their roles, with usable labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from numbers import Number
from typing import Any, NoReturn

import narwhals as nw
import numpy as np
import numpy.typing as npt
from narwhals.exceptions import NarwhalsError

from ._cells import encode, label_of, plain
from ._counts import plural
from ._validation import suggest
from .exceptions import TrialDataError

KEYS = ("system", "task", "condition")
SHARED = ("time", "group", "length", "score")
REQUIRED = ("task", "success", "n", "successes")


def as_frame(data: Any) -> nw.DataFrame[Any]:
    """Accept any frame that Narwhals knows, or a mapping of columns."""
    if isinstance(data, Mapping):
        data = _frame_of_mapping(data)
    try:
        frame: Any = nw.from_native(data)
    except TypeError:
        raise TrialDataError(
            "The data must be a data frame (pandas, Polars, PyArrow or another that Narwhals "
            f"supports) or a mapping of columns, not {type(data).__name__}."
        ) from None
    except NarwhalsError as error:
        raise TrialDataError(f"The columns of the table cannot be used: {error}") from error
    return frame  # type: ignore[no-any-return]


def _frame_of_mapping(data: Mapping[Any, Any]) -> Any:
    """Make a pandas frame of a mapping of columns, by position."""
    import pandas as pd

    indexes = [value.index for value in data.values() if isinstance(value, pd.Series)]
    if not all(indexes[0].equals(index) for index in indexes[1:]):
        raise TrialDataError(
            "The pandas Series in the mapping have different indexes, so it is not clear which "
            "entries belong together. Give them one index, or give arrays or lists."
        )
    try:
        return pd.DataFrame(dict(data))
    except (ValueError, TypeError, OverflowError) as error:
        raise TrialDataError(f"The mapping of columns is no table: {error}.") from error


def pick(data: Any, columns: Mapping[str, str | None]) -> nw.DataFrame[Any] | nw.LazyFrame[Any]:
    """Take the named columns, renamed to their roles; list the columns if one is not there."""
    frame: Any = as_frame(data)
    try:
        available = list(frame.collect_schema().names())
    except (ValueError, NarwhalsError) as error:
        raise TrialDataError(f"The columns of the table cannot be used: {error}.") from error
    taken: dict[str, str] = {}
    chosen = []
    for role, column in columns.items():
        if column is None:
            if role in REQUIRED:
                raise TrialDataError(f"{role} must name a column; only system may be None.")
            continue
        if not isinstance(column, str) or column not in available:
            raise TrialDataError(_no_column(frame, available, role, column))
        if column in taken and role not in SHARED:
            raise TrialDataError(
                f"Column {column!r} is given both for {taken[column]} and for {role}; they must "
                "differ."
            )
        if role not in SHARED:
            taken[column] = role
        chosen.append(nw.col(column).alias(role))
    picked: nw.DataFrame[Any] | nw.LazyFrame[Any] = frame.select(*chosen)
    return picked


def in_memory(rows: nw.DataFrame[Any]) -> nw.DataFrame[Any]:
    """Refuse an empty table, and own the rows."""
    if not len(rows):
        raise TrialDataError("The table has no rows; at least one trial is needed.")
    return _own(nw.maybe_reset_index(rows))


def _own(rows: nw.DataFrame[Any]) -> nw.DataFrame[Any]:
    """Copy where the rows could change with the table that was given: pandas before 3."""
    if rows.implementation.is_pandas():
        import pandas as pd

        if int(pd.__version__.partition(".")[0]) < 3:
            return rows.clone()
    return rows


def _no_column(frame: Any, available: list[Any], role: str, column: object) -> str:
    """Say which columns there are, and what may be wrong."""
    names = ", ".join(map(repr, available)) or "none"
    levels = getattr(getattr(nw.to_native(frame), "index", None), "names", ())
    if any(not isinstance(name, str) for name in available):
        hint = " Column names must be text: rename the columns, and flatten several levels to one."
    elif isinstance(column, str) and column in levels:
        hint = f" {column!r} is a level of the index: call reset_index() first."
    elif role == "system":
        hint = " If all rows belong to one system, give system=None."
    else:
        hint = ""
    return (
        f"There is no column {column!r} for {role}{suggest(column, map(str, available))}. The "
        f"columns are: {names}. Name the right one with {role.partition(' ')[0]}=...{hint}"
    )


def condition_roles(condition: str | Sequence[str] | None) -> dict[str, str | None]:
    """Give each condition column a role name: "condition", "condition 2", ..."""
    if condition is None:
        return {}
    try:
        names: list[Any] = [condition] if isinstance(condition, str) else list(condition)
    except TypeError:
        names = [condition]
    if not names:
        raise TrialDataError("condition is an empty list; give column names or None.")
    if not all(isinstance(name, str) for name in names):
        raise TrialDataError(
            f"condition must be a column name or a list of them, not {condition!r}."
        )
    return {f"condition {i}" if i > 1 else "condition": name for i, name in enumerate(names, 1)}


def column_pairs(
    columns: Mapping[str, str | None],
) -> tuple[tuple[str, str | tuple[str, ...]], ...]:
    """Pair roles with columns; several condition columns become one tuple."""
    pairs: dict[str, str | tuple[str, ...]] = {}
    conditions = tuple(
        c for role, c in columns.items() if role.startswith("condition") and c is not None
    )
    for role, column in columns.items():
        if role == "condition":
            pairs[role] = conditions if len(conditions) > 1 else conditions[0]
        elif column is not None and not role.startswith("condition"):
            pairs[role] = column
    return tuple(pairs.items())


def keys_of(rows: nw.DataFrame[Any] | nw.LazyFrame[Any]) -> list[str]:
    """List the columns that say which cell a row belongs to."""
    return [name for name in rows.collect_schema().names() if name.split(" ")[0] in KEYS]


def key_values(table: nw.DataFrame[Any], role: str) -> list[Any] | None:
    """List the values of a role; tuples where it has several columns, None where it has none."""
    lists = [table[name].to_list() for name in keys_of(table) if name.split(" ")[0] == role]
    if not lists:
        return None
    return lists[0] if len(lists) == 1 else list(zip(*lists, strict=True))


def row_name(rows: nw.DataFrame[Any], row: int) -> str:
    """Name a row for messages, with its system and task."""
    return f"row {row} ({cell_of(rows, row)})"


def cell_of(rows: nw.DataFrame[Any], row: int) -> str:
    """Name the cell of a row for messages."""
    return ", ".join(f"{key} {label_of(rows[key][row])!r}" for key in keys_of(rows))


def tidy_keys(rows: nw.DataFrame[Any]) -> nw.DataFrame[Any]:
    """Refuse rows without a system, task, condition or trial; write unusual labels as text."""
    for key in [*keys_of(rows), *(["trial"] if "trial" in rows.columns else [])]:
        column = rows[key]
        null = null_mask(column)
        if null.any():
            rest = int(null.sum()) - 1
            also = f", nor have {plural(rest, 'other row')}" if rest else ""
            raise TrialDataError(
                f"Row {int(np.argmax(null))} (counting from 0) has no {key}{also}. Every row needs "
                "one: fill in the column or remove these rows."
            )
        if column.dtype.is_nested():
            refuse_label(key, 0, column.head(1).to_list()[0])
        if column.dtype == nw.Object:
            values = column.to_list()
            _check_labels(values, key)
            if key != "trial" or not column.implementation.is_pandas_like():
                labels, codes = encode(values, key)
                text = np.array(labels, dtype=object)[codes].tolist()
                rows = rows.with_columns(
                    nw.new_series(key, text, nw.String, backend=rows.implementation)
                )
    return rows


def _check_labels(values: list[Any], key: str) -> None:
    """Refuse labels that cannot be compared, and True beside 1, which Python takes as equal."""
    kinds = set(map(type, values))
    try:
        set(values)
    except TypeError:
        for row, value in enumerate(values):
            try:
                hash(value)
            except TypeError:
                refuse_label(key, row, value)
    bools = {kind for kind in kinds if kind in (bool, np.bool_)}
    if bools and any(issubclass(kind, (Number, np.number)) for kind in kinds - bools):
        row = next(i for i, value in enumerate(values) if type(value) in bools)
        raise TrialDataError(
            f"The {key} in row {row} (counting from 0) is {values[row]!r}, and others are numbers; "
            "Python takes True for 1. Give the column one type."
        )


def refuse_label(key: str, row: int | None, value: object) -> NoReturn:
    """Refuse a label that is a list, a mapping or the like; without a row number, of some row."""
    place = "a row" if row is None else f"row {row} (counting from 0)"
    raise TrialDataError(
        f"The {key} in {place} is {plain(value)!r}; it must be text, a number or another single "
        "value."
    )


def null_mask(column: nw.Series[Any]) -> npt.NDArray[np.bool_]:
    """Mark nulls, and NaN in float columns."""
    null = column.is_null().to_numpy().astype(bool)
    if column.dtype.is_float():
        null |= np.isnan(column.cast(nw.Float64).to_numpy().astype(float))
    return null
