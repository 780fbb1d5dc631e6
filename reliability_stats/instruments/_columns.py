"""What a column of an instrument's table must hold, and how its values become arrays."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from numbers import Real
from typing import Any, Literal, TypeAlias

import narwhals as nw
import numpy as np
import numpy.typing as npt

from .._cells import is_null
from .._intake import null_mask
from .._outcomes import numbers

Missing: TypeAlias = Literal["raise", "keep", "drop"]
BoolArray: TypeAlias = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Label:
    """Names: text, numbers or other single values, written as text.

    Parameters
    ----------
    missing : {"raise", "keep", "drop"}, default "raise"
        What becomes of a row without a name (none, NaN or blank text): refused, kept with code -1,
        or left out and counted.
    levels : tuple of str, optional
        The only names allowed, in their order, such as severities from least to worst.
    """

    missing: Missing = "raise"
    levels: tuple[str, ...] | None = None

    def allowed(self) -> str:
        """Say what is allowed."""
        if self.levels is not None:
            return f"one of {', '.join(map(repr, self.levels))}"
        return "text, a number or another single value"


@dataclass(frozen=True)
class Number:
    """Finite numbers in a range, as floats; NaN where a missing one is kept.

    Parameters
    ----------
    low, high : float
        Ends of the range.
    above, below : bool, default False
        Whether the low or the high end itself is excluded.
    whole : bool, default False
        Whether only whole numbers are allowed.
    missing : {"raise", "keep", "drop"}, default "raise"
        What becomes of a row without a number.
    """

    low: float = -np.inf
    high: float = np.inf
    above: bool = False
    below: bool = False
    whole: bool = False
    missing: Missing = "raise"

    def allowed(self) -> str:
        """Say what is allowed."""
        noun = "a whole number" if self.whole else "a finite number"
        ends = []
        if self.low > -np.inf:
            ends.append(f"{'above' if self.above else 'of at least'} {self.low:g}")
        if self.high < np.inf:
            ends.append(f"{'below' if self.below else 'at most'} {self.high:g}")
        return f"{noun} {' and '.join(ends)}".strip()

    def good(self, values: npt.NDArray[np.float64]) -> BoolArray:
        """Mark the values that are allowed."""
        low = values > self.low if self.above else values >= self.low
        high = values < self.high if self.below else values <= self.high
        good = np.isfinite(values) & low & high
        return good & (values == np.floor(values)) if self.whole else good


@dataclass(frozen=True)
class Flag:
    """True or False, or 1 or 0, as integers; -1 where a missing one is kept.

    Parameters
    ----------
    missing : {"raise", "keep", "drop"}, default "raise"
        What becomes of a row without a value.
    """

    missing: Missing = "raise"

    def allowed(self) -> str:
        """Say what is allowed."""
        return "True or False, or 1 or 0"


@dataclass(frozen=True)
class Time:
    """Numbers in any unit, or dates; as floats, which for dates are days since 1970 (UTC).

    Parameters
    ----------
    missing : {"raise", "keep", "drop"}, default "raise"
        What becomes of a row without a time; NaN where it is kept.
    """

    missing: Missing = "raise"

    def allowed(self) -> str:
        """Say what is allowed."""
        return "a finite number, or in all rows a date (ISO 8601 if it is text)"


Column: TypeAlias = Label | Number | Flag | Time


def count(*, low: float = 0, missing: Missing = "raise") -> Number:
    """Ask for whole numbers of at least `low`."""
    return Number(low=low, whole=True, missing=missing)


def empty_of(column: nw.Series[Any], *, blank: bool) -> BoolArray:
    """Mark rows that hold no value; with `blank`, text of spaces only as well."""
    null = null_mask(column)
    opaque = column.dtype == nw.Object
    if opaque or (blank and column.dtype in (nw.String, nw.Categorical, nw.Enum)):
        values = column.to_list()
        more = (
            is_null(value) or (blank and isinstance(value, str) and not value.strip())
            for value in values
        )
        null = null | np.fromiter(more, dtype=bool, count=len(values))
    return null


def as_numbers(column: nw.Series[Any]) -> npt.NDArray[np.float64]:
    """Give floats: NaN where there is no value, infinity where it is no number."""
    if column.dtype == nw.Boolean:
        return np.where(null_mask(column), np.nan, np.inf)
    values = numbers(column)
    null = values.is_null().to_numpy().astype(bool)
    out = np.array(
        [np.nan if none else value for value, none in zip(values.to_list(), null, strict=True)],
        dtype=float,
    )
    return out.reshape(len(null))


def as_flags(column: nw.Series[Any]) -> npt.NDArray[np.float64]:
    """Give 1 or 0, NaN where there is no value, and infinity where it is neither."""
    if column.dtype == nw.Boolean:
        column = column.cast(nw.Int64)
    values = as_numbers(column)
    return np.where(np.isnan(values) | (values == 0) | (values == 1), values, np.inf)


def as_times(column: nw.Series[Any]) -> tuple[npt.NDArray[np.float64], bool]:
    """Give times as floats, infinity where it is none, and say whether they are dates."""
    dtype = column.dtype
    values: list[Any] = [] if dtype.is_numeric() else column.to_list()
    known = [value for value in values if not is_null(value)]
    if dtype.is_numeric() or (known and all(map(_is_number, known))):
        return as_numbers(column), False
    import pandas as pd

    if dtype == nw.Datetime and dtype.time_zone is None:  # type: ignore[attr-defined]
        stamps = pd.to_datetime(pd.Series(values, dtype=object), errors="coerce", utc=True)
    else:
        texts = [None if is_null(v) or _is_number(v) else v for v in values]
        stamps = pd.to_datetime(
            pd.Series(texts, dtype=object), errors="coerce", utc=True, format="ISO8601"
        )
    day = np.timedelta64(1, "D")
    moments = stamps.dt.tz_localize(None).to_numpy().astype("datetime64[us]")
    days = (moments - np.datetime64("1970-01-01", "us")) / day
    null = np.fromiter(map(is_null, values), dtype=bool, count=len(values))
    return np.where(null, np.nan, np.where(np.isnan(days), np.inf, days)), True


def _is_number(value: Any) -> bool:
    """Say whether a value is a number, and not True or False."""
    return isinstance(value, (Real, Decimal)) and not isinstance(value, (bool, np.bool_))
