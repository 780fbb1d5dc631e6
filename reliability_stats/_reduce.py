"""From checked rows to one row a cell, with a single group-by."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NoReturn

import narwhals as nw
import numpy as np
import numpy.typing as npt

from ._cells import Cells, encode, label_of
from ._counts import IntArray, plural
from ._intake import KEYS, cell_of, key_values, keys_of, row_name, tidy_keys
from ._outcomes import numbers, shown
from .exceptions import TrialDataError

MOST = 2**53
BY_STATUS = (
    ("agent_failure", "success"),
    ("agent_failure", "failure"),
    ("infra_error", "unknown"),
    ("grader_error", "unknown"),
)


def reduce_rows(rows: nw.DataFrame[Any]) -> Cells:
    """Sum rows to cells with one group-by; refuse rows that repeat a trial."""
    keys = keys_of(rows)
    x = nw.col("success")
    trial = ["trial"] if "trial" in rows.columns else []
    flagged = rows.select(
        *keys,
        *trial,
        (x.fill_null(0.0) > 0.5).cast(nw.Int64).alias("number of successes"),
        x.is_null().cast(nw.Int64).alias("number of missing"),
        *status_flags(rows.columns),
    )
    sums = _grouped(flagged, keys, trial)
    successes, missing, records = (
        sums[name].to_numpy().astype(np.int64)
        for name in ("number of successes", "number of missing", "number of rows")
    )
    if trial:
        extra = len(rows) - int(sums["number of trials"].sum())
        if extra:
            _refuse_repeats(rows, extra)
    labels, codes = encode_keys(sums)
    order = cell_order(codes)
    return Cells(
        labels,
        {role: values[order] for role, values in codes.items()},
        (records - missing)[order],
        successes[order],
        missing[order],
        records[order],
        by_status=by_status(sums, order),
    )


def status_flags(columns: list[str]) -> list[nw.Expr]:
    """Flag the records of each status that is neither ok nor missing, by outcome."""
    if "status" not in columns:
        return []
    x, status = nw.col("success"), nw.col("status")
    meets = {"success": x > 0.5, "failure": x <= 0.5}
    flags = []
    for name, outcome in BY_STATUS:
        flag = status == name
        if outcome in meets:
            flag = flag & meets[outcome].fill_null(False)
        flags.append(flag.cast(nw.Int64).alias(f"{name} {outcome}"))
    return flags


def by_status(
    sums: nw.DataFrame[Any], order: npt.NDArray[np.intp]
) -> dict[tuple[str, str], IntArray]:
    """Give the sums of the flags of statuses."""
    return {
        key: sums[" ".join(key)].to_numpy().astype(np.int64)[order]
        for key in BY_STATUS
        if " ".join(key) in sums.columns
    }


def _grouped(flagged: nw.DataFrame[Any], keys: list[str], trial: list[str]) -> nw.DataFrame[Any]:
    """Group rows by cell and sum them."""
    try:
        return flagged.group_by(*keys).agg(
            *(nw.col(name).sum() for name in flagged.columns if name not in (*keys, *trial)),
            nw.len().alias("number of rows"),
            *(nw.col(name).n_unique().alias("number of trials") for name in trial),
        )
    except UnicodeEncodeError:
        encode_keys(flagged)
        raise


def _refuse_repeats(rows: nw.DataFrame[Any], extra: int) -> NoReturn:
    """Name the first two rows of one cell and trial."""
    keys = [*keys_of(rows), "trial"]
    seen: dict[Any, int] = {}
    for row, values in enumerate(zip(*(rows[key].to_list() for key in keys), strict=True)):
        first = seen.setdefault(values, row)
        if first != row:
            break
    name = ", ".join(f"{k} {label_of(v)!r}" for k, v in zip(keys, values, strict=True))
    raise TrialDataError(
        f"Rows {first} and {row} (counting from 0) are both {name}, with {plural(extra, 'row')} of "
        f"{len(rows)} repeating an earlier one. Remove the copies, or leave trial out if they are "
        "trials."
    )


def encode_keys(
    table: nw.DataFrame[Any],
) -> tuple[dict[str, tuple[str, ...]], dict[str, IntArray]]:
    """Give the labels of each role, and the position of each row in them."""
    labels: dict[str, tuple[str, ...]] = {"system": ("system",)}
    codes: dict[str, IntArray] = {"system": np.zeros(len(table), dtype=np.int64)}
    for role in KEYS:
        values = key_values(table, role)
        if values is not None:
            labels[role], codes[role] = encode(values, role)
    return labels, codes


def cell_order(codes: Mapping[str, IntArray]) -> npt.NDArray[np.intp]:
    """Sort by system, condition and task; equal cells stay as they came."""
    return np.lexsort([codes[role] for role in ("task", "condition", "system") if role in codes])


def count_cells(rows: nw.DataFrame[Any]) -> Cells:
    """Turn a table of counts, one row a cell, into cells."""
    rows = tidy_keys(rows)
    labels, codes = encode_keys(rows)
    order = cell_order(codes)
    codes = {role: values[order] for role, values in codes.items()}
    same = np.logical_and.reduce([np.diff(values) == 0 for values in codes.values()])
    if same.any():
        at = np.flatnonzero(same)
        i = at[np.argmin(order[at + 1])]
        extra = plural(int(same.sum()), "row")
        raise TrialDataError(
            f"Rows {order[i]} and {order[i + 1]} (counting from 0) are both "
            f"{cell_of(rows, int(order[i]))}, with {extra} of {len(rows)} repeating an earlier "
            "one. Each cell needs one row: add its counts up, or name a condition column."
        )
    n, successes = _whole(rows, "n"), _whole(rows, "successes")
    if (successes > n).any():
        row = int(np.argmax(successes > n))
        raise TrialDataError(
            f"There are more successes than trials in {row_name(rows, row)}, counting rows from 0: "
            f"{successes[row]} of {n[row]}."
        )
    zero = np.zeros_like(n)
    return Cells(labels, codes, n[order], successes[order], zero, np.ones_like(n))


def _whole(rows: nw.DataFrame[Any], name: str) -> IntArray:
    """Read a column of non-negative integers."""
    column = rows[name]
    values = np.full(len(rows), np.inf)
    if column.dtype != nw.Boolean:
        values = numbers(column).to_numpy().astype(float)
    if not column.dtype.is_numeric():
        values[[isinstance(value, (bool, np.bool_)) for value in column.to_list()]] = np.inf
    bad = ~((values >= 0) & (values == np.floor(values)) & (values < MOST))
    if bad.any():
        row = int(np.argmax(bad))
        raise TrialDataError(
            f"{name} in {row_name(rows, row)}, counting rows from 0, is {shown(column[row])}; it "
            f"must be an integer from 0 to {MOST - 1}."
        )
    return values.astype(np.int64)
