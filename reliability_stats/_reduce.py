"""From tables and arrays to one row a cell: checks, labels, and the single group-by."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from numbers import Real
from typing import Any, NoReturn

import narwhals as nw
import numpy as np
import numpy.typing as npt

from ._cells import Cells, axis_labels, encode, label_of, plain
from ._counts import IntArray, plural
from ._validation import suggest
from .exceptions import TrialDataError

TOLERANCE = 1e-6
STATUSES = ("ok", "agent_failure", "infra_error", "grader_error", "missing")
WITHOUT_OUTCOME = ("infra_error", "grader_error", "missing")
ALLOWED_SUCCESS = "Allowed are True/False, 1/0 and floats within 1e-6 of these"
KEYS = ("system", "task", "condition")


def as_frame(data: Any) -> nw.DataFrame[Any]:
    """Accept any frame that Narwhals knows, or a mapping of columns."""
    if isinstance(data, Mapping):
        import pandas as pd

        try:
            data = pd.DataFrame(dict(data))
        except ValueError as error:
            raise TrialDataError(f"The mapping of columns is no table: {error}.") from error
    try:
        frame: Any = nw.from_native(data)
    except TypeError:
        raise TrialDataError(
            "The data must be a data frame (pandas, Polars, PyArrow or another that Narwhals "
            f"supports) or a mapping of columns, not {type(data).__name__}."
        ) from None
    return frame  # type: ignore[no-any-return]


def pick(data: Any, columns: Mapping[str, str | None]) -> nw.DataFrame[Any]:
    """Take the named columns, renamed to their roles; list the columns if one is not there."""
    frame: Any = as_frame(data)
    try:
        available = list(frame.collect_schema().names())
    except ValueError as error:
        raise TrialDataError(f"The column names of the table cannot be used: {error}.") from error
    taken: dict[str, str] = {}
    chosen = []
    for role, column in columns.items():
        if column is None:
            continue
        if not isinstance(column, str) or column not in available:
            names = ", ".join(repr(name) for name in available) or "none"
            hint = (
                " If all rows belong to one system, give system=None." if role == "system" else ""
            )
            raise TrialDataError(
                f"There is no column {column!r} for {role}{suggest(column, map(str, available))}. "
                f"The columns are: {names}. Name the right one with {role.split(' ')[0]}=...{hint}"
            )
        if column in taken:
            raise TrialDataError(
                f"Column {column!r} is given both for {taken[column]} and for {role}; they must "
                "differ."
            )
        taken[column] = role
        chosen.append(nw.col(column).alias(role))
    rows: Any = frame.select(*chosen)
    if isinstance(rows, nw.LazyFrame):
        rows = rows.collect()
    if not len(rows):
        raise TrialDataError("The table has no rows; at least one trial is needed.")
    return rows  # type: ignore[no-any-return]


def condition_roles(condition: str | Sequence[str] | None) -> dict[str, str | None]:
    """Give each condition column a role name: "condition", "condition 2", ..."""
    if condition is None:
        return {}
    names = [condition] if isinstance(condition, str) else list(condition)
    if not names:
        raise TrialDataError("condition is an empty list; give column names or None.")
    return {f"condition {i}" if i > 1 else "condition": name for i, name in enumerate(names, 1)}


def keys_of(rows: nw.DataFrame[Any]) -> list[str]:
    """List the columns that say which cell a row belongs to."""
    return [name for name in rows.columns if name.split(" ")[0] in KEYS]


def row_name(rows: nw.DataFrame[Any], row: int) -> str:
    """Name a row for messages, with its system and task."""
    parts = ", ".join(f"{key} {label_of(rows[key][row])!r}" for key in keys_of(rows))
    return f"row {row} ({parts})" if parts else f"row {row}"


def check_keys(rows: nw.DataFrame[Any]) -> None:
    """Refuse rows without a system, task, condition or trial."""
    for key in [*keys_of(rows), *(["trial"] if "trial" in rows.columns else [])]:
        null = _is_null(rows[key])
        if null.any():
            others = int(null.sum()) - 1
            also = f", nor have {plural(others, 'other row')}" if others else ""
            raise TrialDataError(
                f"Row {int(np.argmax(null))} (counting from 0) has no {key}{also}. Every row needs "
                "one: fill in the column or remove these rows."
            )


def check_repeats(rows: nw.DataFrame[Any], keys: list[str], remedy: str) -> None:
    """Refuse two rows with the same keys."""
    sizes = rows.select(*keys).group_by(*keys).agg(nw.len().alias("number of rows"))
    extra = len(rows) - len(sizes)
    if not extra:
        return
    seen: dict[Any, int] = {}
    for row, values in enumerate(zip(*(rows[key].to_list() for key in keys), strict=True)):
        first = seen.setdefault(values, row)
        if first != row:
            name = ", ".join(f"{k} {label_of(v)!r}" for k, v in zip(keys, values, strict=True))
            raise TrialDataError(
                f"Rows {first} and {row} (counting from 0) are both {name}, with "
                f"{plural(extra, 'row')} of {len(rows)} repeating an earlier one. {remedy}"
            )


def _others(number: int) -> str:
    """Say how many more are at fault."""
    return f", and {number} more {'is' if number == 1 else 'are'} not allowed" if number else ""


def _is_null(column: nw.Series[Any]) -> npt.NDArray[np.bool_]:
    """Mark nulls, and NaN in float columns."""
    null = column.is_null().to_numpy().astype(bool)
    if column.dtype.is_float():
        null |= np.isnan(column.cast(nw.Float64).to_numpy().astype(float))
    return null


def _to_float(value: Any) -> float | None:
    """Convert one outcome: None if missing, infinity if it is no number."""
    if value is None or type(value).__name__ in ("NAType", "NaTType", "MaskedConstant"):
        return None
    if isinstance(value, (np.bool_, Real)) or type(value).__name__ == "Decimal":
        number = float(value)
        return None if number != number else number
    return float("inf")


def numbers(column: nw.Series[Any]) -> nw.Series[Any]:
    """Convert to floats, null where there is no value and infinity where it is no number."""
    if column.dtype == nw.Boolean:
        column = column.cast(nw.Int64)
    if column.dtype.is_numeric():
        return column.cast(nw.Float64).fill_nan(None)
    values = [_to_float(value) for value in column.to_list()]
    backend = column.implementation
    if backend.is_pandas_like():
        floats = [float("nan") if value is None else value for value in values]
        return nw.new_series(column.name, floats, nw.Float64, backend=backend)
    return nw.new_series(column.name, values, nw.Float64, backend=backend)


def outcomes(rows: nw.DataFrame[Any]) -> nw.DataFrame[Any]:
    """Replace success by 0.0, 1.0 or null, after the status column has spoken."""
    given = rows["success"]
    rows = rows.with_columns(_like(rows, numbers(given)))
    x = nw.col("success")
    if "status" in rows.columns:
        rows = rows.with_columns(_statuses(rows))
        x = nw.when(~nw.col("status").is_in(WITHOUT_OUTCOME)).then(x)
        rows = rows.with_columns(x.alias("success"))
        x = nw.col("success")
        failed = (nw.col("status") == "agent_failure") & x.is_null()
        rows = rows.with_columns(nw.when(~failed).then(x).otherwise(nw.lit(0.0)).alias("success"))
    near = ((x.abs() <= TOLERANCE) | ((x - 1).abs() <= TOLERANCE)).fill_null(False)
    bad = rows.select((~x.is_null() & ~near).alias("bad"))["bad"].to_numpy().astype(bool)
    if bad.any():
        row = int(np.argmax(bad))
        raise TrialDataError(
            f"The success value in {row_name(rows, row)}, counting rows from 0, is "
            f"{plain(given[row])!r}{_others(int(bad.sum()) - 1)}. {ALLOWED_SUCCESS}, and None or "
            "NaN for a missing outcome. Turn scores or words into these first, for example "
            "score >= threshold."
        )
    return rows


def _like(rows: nw.DataFrame[Any], column: nw.Series[Any]) -> nw.Series[Any]:
    """Give a column the position of the rows it was made from (pandas aligns on its index)."""
    if rows.implementation.is_pandas_like():
        return nw.maybe_set_index(column, index=nw.maybe_get_index(rows))
    return column


def _statuses(rows: nw.DataFrame[Any]) -> nw.Series[Any]:
    """Give the status column as text, "ok" where it is empty; refuse unknown words."""
    given = rows["status"]
    null = _is_null(given)
    words = ["ok" if no else str(v) for v, no in zip(given.to_list(), null.tolist(), strict=True)]
    unknown = set(words) - set(STATUSES)
    if unknown:
        row = min(words.index(word) for word in unknown)
        raise TrialDataError(
            f"The status in {row_name(rows, row)}, counting rows from 0, is "
            f"{plain(given[row])!r}{suggest(words[row], STATUSES)}. "
            f"Allowed are {', '.join(STATUSES)}, and empty for ok."
        )
    return _like(rows, nw.new_series("status", words, nw.String, backend=rows.implementation))


def reduce_rows(rows: nw.DataFrame[Any]) -> Cells:
    """Sum rows to cells with one group-by."""
    keys = keys_of(rows)
    x = nw.col("success")
    flagged = rows.select(
        *keys,
        (x.fill_null(0.0) > 0.5).cast(nw.Int64).alias("number of successes"),
        x.is_null().cast(nw.Int64).alias("number of missing"),
    )
    sums = flagged.group_by(*keys).agg(
        nw.col("number of successes").sum(),
        nw.col("number of missing").sum(),
        nw.len().alias("number of rows"),
    )
    successes, missing, records = (
        sums[name].to_numpy().astype(np.int64)
        for name in ("number of successes", "number of missing", "number of rows")
    )
    return to_cells(sums, records - missing, successes, missing, records)


def to_cells(
    table: nw.DataFrame[Any],
    n: IntArray,
    successes: IntArray,
    missing: IntArray,
    records: IntArray,
) -> Cells:
    """Turn a table with one row a cell into sorted, coded cells."""
    labels: dict[str, tuple[str, ...]] = {"system": ("system",)}
    codes: dict[str, IntArray] = {"system": np.zeros(len(n), dtype=np.int64)}
    for role in KEYS:
        columns = [name for name in keys_of(table) if name.split(" ")[0] == role]
        lists = [table[name].to_list() for name in columns]
        if lists:
            values = lists[0] if len(lists) == 1 else list(zip(*lists, strict=True))
            labels[role], codes[role] = encode(values, role)
    zero = np.zeros(len(n), dtype=np.int64)
    order = np.lexsort((codes["task"], codes.get("condition", zero), codes["system"]))
    codes = {role: values[order] for role, values in codes.items()}
    return Cells(labels, codes, n[order], successes[order], missing[order], records[order])


def array_cells(
    array: Any, systems: str | Sequence[Any] | None, tasks: Sequence[Any] | None
) -> Cells:
    """Turn outcomes of shape (tasks, trials) or (systems, tasks, trials) into cells."""
    values, given = _outcome_array(array)
    seen = ~np.isnan(values)
    near = (np.abs(values) <= TOLERANCE) | (np.abs(values - 1) <= TOLERANCE)
    if (seen & ~near).any():
        _refuse_entry(given, np.argwhere(seen & ~near))
    if values.ndim == 2:
        values, seen = values[None], seen[None]
    n_systems, n_tasks = values.shape[:2]
    if systems is None:
        systems = ["system"] if np.ndim(given) == 2 else [f"system {i}" for i in range(n_systems)]
    names = {
        "system": axis_labels(
            [systems] if isinstance(systems, str) else systems, n_systems, "systems"
        ),
        "task": axis_labels(range(n_tasks) if tasks is None else tasks, n_tasks, "tasks"),
    }
    n = seen.sum(axis=2).ravel().astype(np.int64)
    successes = (seen & (values > 0.5)).sum(axis=2).ravel().astype(np.int64)
    labels, rank = {}, {}
    for role, axis in names.items():
        labels[role], rank[role] = encode(axis, role)
    system = np.repeat(rank["system"], n_tasks)
    task = np.tile(rank["task"], n_systems)
    order = np.lexsort((task, system))
    return Cells(
        labels,
        {"system": system[order], "task": task[order]},
        n[order],
        successes[order],
        np.zeros_like(n),
        n[order],
    )


def _outcome_array(array: Any) -> tuple[npt.NDArray[np.float64], npt.NDArray[Any]]:
    """Convert to floats with NaN for trials not run; give the array as it came, too."""
    masked = isinstance(array, np.ma.MaskedArray)
    try:
        given = array.data if masked else np.asarray(array)
    except ValueError:
        raise TrialDataError(
            "The array is ragged: its rows differ in length. Fill shorter rows with NaN for trials "
            "not run."
        ) from None
    if given.ndim not in (2, 3):
        raise TrialDataError(
            "The array must have shape (tasks, trials) or (systems, tasks, trials), not "
            f"{given.ndim} dimensions of shape {given.shape}."
        )
    if not given.size:
        raise TrialDataError(
            f"The array of shape {given.shape} is empty; at least one trial is needed."
        )
    if given.dtype.kind in "biuf":
        values = given.astype(float)
    else:
        flat = [_to_float(value) for value in given.ravel().tolist()]
        values = np.array([np.nan if v is None else v for v in flat]).reshape(given.shape)
    if masked:
        values[np.ma.getmaskarray(array)] = np.nan
    return values, given


def _refuse_entry(given: npt.NDArray[Any], bad: npt.NDArray[np.intp]) -> NoReturn:
    """Say which entry of an array is no outcome."""
    index = tuple(int(i) for i in bad[0])
    place = ", ".join(str(i) for i in index)
    raise TrialDataError(
        f"Entry [{place}] of the array is {plain(given[index])!r}{_others(len(bad) - 1)}. "
        f"{ALLOWED_SUCCESS}, and None or NaN for a trial not run. For counts of successes use "
        "Trials.from_counts."
    )


def count_cells(rows: nw.DataFrame[Any]) -> Cells:
    """Turn a table of counts, one row a cell, into cells."""
    check_keys(rows)
    check_repeats(
        rows,
        keys_of(rows),
        "Each cell needs one row: add its counts up, or name a condition column.",
    )
    n, successes = _whole(rows, "n"), _whole(rows, "successes")
    if (successes > n).any():
        row = int(np.argmax(successes > n))
        raise TrialDataError(
            f"There are more successes than trials in {row_name(rows, row)}, counting rows from 0: "
            f"{successes[row]} of {n[row]}."
        )
    return to_cells(rows, n, successes, np.zeros_like(n), np.ones_like(n))


def _whole(rows: nw.DataFrame[Any], name: str) -> IntArray:
    """Read a column of non-negative integers."""
    column = rows[name]
    if column.dtype == nw.Boolean:
        values = np.full(len(rows), np.inf)
    else:
        values = _like(rows, numbers(column)).to_numpy().astype(float)
    bad = ~((values >= 0) & (values == np.floor(values)) & (values < 2**53))
    if bad.any():
        row = int(np.argmax(bad))
        raise TrialDataError(
            f"{name} in {row_name(rows, row)}, counting rows from 0, is {plain(column[row])!r}; it "
            "must be an integer of at least 0."
        )
    return values.astype(np.int64)
