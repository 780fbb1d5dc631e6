"""Outcomes of trials: what is a success, a failure, or missing."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from numbers import Real
from typing import Any, TypeVar

import narwhals as nw
import numpy as np

from ._cells import is_null, plain
from ._counts import plural
from ._intake import row_name
from ._validation import suggest
from .exceptions import TrialDataError

T = TypeVar("T")

TOLERANCE = 1e-6
STATUSES = ("ok", "agent_failure", "infra_error", "grader_error", "missing")
WITHOUT_OUTCOME = ("infra_error", "grader_error", "missing")
WHAT_MISSING_IS = (
    "Say what they are with missing=: 'drop' leaves them out (right if what broke had nothing to "
    "do with the outcome), 'failure' counts them as failures (the user got nothing), 'bounds' has "
    "estimates given as ranges that hold either way."
)
ALLOWED_SUCCESS = "Allowed are True/False, 1/0 and floats within 1e-6 of these"


def outcomes(rows: nw.DataFrame[Any]) -> nw.DataFrame[Any]:
    """Replace success by 0, 1 (within the tolerance) or null, after the status has spoken."""
    given = rows["success"]
    rows = rows.with_columns(numbers(given))
    x = nw.col("success")
    if "status" in rows.columns:
        rows = rows.with_columns(_statuses(rows))
        x = nw.when(~nw.col("status").is_in(WITHOUT_OUTCOME)).then(x)
        rows = rows.with_columns(x.alias("success"))
        x = nw.col("success")
        failed = (nw.col("status") == "agent_failure") & x.is_null()
        rows = rows.with_columns(nw.when(~failed).then(x).otherwise(nw.lit(0.0)).alias("success"))
    near = is_outcome(x, rows.schema["success"])
    bad = rows.select((~x.is_null() & ~near).alias("bad"))["bad"].to_numpy().astype(bool)
    if bad.any():
        row = int(np.argmax(bad))
        place = f"{row_name(rows, row)}, counting rows from 0,"
        raise TrialDataError(success_message(given[row], place, int(bad.sum()) - 1))
    return rows


def is_outcome(x: nw.Expr, dtype: Any) -> nw.Expr:
    """Say whether a number is a success or a failure; false where there is none."""
    if dtype.is_integer():
        return x.is_between(0, 1).fill_null(False)
    low, high = x.is_between(-TOLERANCE, TOLERANCE), x.is_between(1 - TOLERANCE, 1 + TOLERANCE)
    return (low | high).fill_null(False)


def success_message(value: object, place: str, more: int) -> str:
    """Say that a value is no outcome."""
    return (
        f"The success value in {place} is {shown(value)}{others(more)}. {ALLOWED_SUCCESS}, and "
        "None or NaN for a missing outcome. Turn scores or words into these first, for example "
        "score >= threshold."
    )


def _statuses(rows: nw.DataFrame[Any]) -> nw.Series[Any]:
    """Give the status column as text, "ok" where it is empty; refuse unknown words."""
    given = rows["status"]
    words = each(given.to_list(), lambda value: "ok" if is_null(value) else str(value))
    unknown = set(words) - set(STATUSES)
    if unknown:
        row = min(words.index(word) for word in unknown)
        place = f"{row_name(rows, row)}, counting rows from 0,"
        raise TrialDataError(status_message(given[row], place))
    return nw.new_series("status", words, nw.String, backend=rows.implementation)


def status_message(value: object, place: str) -> str:
    """Say that a status is none of ours."""
    return (
        f"The status in {place} is {plain(value)!r}{suggest(str(value), STATUSES)}. "
        f"Allowed are {', '.join(STATUSES)}, and empty for ok."
    )


def refuse_missing(rows: nw.DataFrame[Any]) -> None:
    """Refuse outcomes without a value, naming the first and the choices."""
    null = rows["success"].is_null().to_numpy().astype(bool)
    if null.any():
        count, row = int(null.sum()), int(np.argmax(null))
        status = f" with status {rows['status'][row]!r}" if "status" in rows.columns else ""
        place = f"first in {row_name(rows, row)}{status}, counting rows from 0"
        raise TrialDataError(missing_message(count, len(null), place))


def missing_message(count: int, total: int, place: str) -> str:
    """Say that outcomes are missing, and what can be done about it."""
    return (
        f"{plural(count, 'outcome')} of {total} {'is' if count == 1 else 'are'} missing, {place}. "
        f"{WHAT_MISSING_IS}"
    )


def numbers(column: nw.Series[Any]) -> nw.Series[Any]:
    """Convert to floats, null where there is no value and infinity where it is no number."""
    backend = column.implementation
    if column.dtype == nw.Boolean:
        column = column.cast(nw.Int64)
    if column.dtype.is_numeric() and not backend.is_pandas_like():
        x = nw.col(column.name).cast(nw.Float64)
        return column.to_frame().select(nw.when(~x.is_nan()).then(x))[column.name]
    if column.dtype.is_numeric():
        values: Any = column.cast(nw.Float64).to_numpy().astype(float)
    else:
        values = each(column.to_list(), to_float)
    if backend.is_pandas_like():
        values = np.array(values, dtype=float)
    return nw.new_series(column.name, values, nw.Float64, backend=backend)


def each(values: list[Any], function: Callable[[Any], T]) -> list[T]:
    """Apply a function to each value, only once for equal ones where they can be compared."""
    try:
        result = {value: function(value) for value in dict.fromkeys(values)}
    except TypeError:
        return [function(value) for value in values]
    return [result[value] for value in values]


def to_float(value: Any) -> float | None:
    """Convert one outcome: None if missing, infinity if it is no number."""
    if is_null(value):
        return None
    if isinstance(value, (np.bool_, Real, Decimal)):
        try:
            return float(value)
        except OverflowError:
            return float("inf")
    return float("inf")


def others(number: int) -> str:
    """Say how many more are at fault."""
    return f", and {number} more {'is' if number == 1 else 'are'} not allowed" if number else ""


def shown(value: object) -> str:
    """Write a value for messages, cut short."""
    try:
        text = repr(plain(value))
    except ValueError:
        text = f"a value of type {type(value).__name__}"
    return text if len(text) <= 80 else f"{text[:77]}..."
