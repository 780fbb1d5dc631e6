"""Tables that stay where they are: one group-by in their own engine, and only counts come back."""

from __future__ import annotations

from collections.abc import Callable, Set
from dataclasses import dataclass
from typing import Any, NoReturn

import narwhals as nw
import numpy as np

from ._cells import Cells, label_of
from ._counts import IntArray, plural
from ._intake import cell_of, key_values, keys_of, null_mask, refuse_label, tidy_keys
from ._outcomes import (
    STATUSES,
    WITHOUT_OUTCOME,
    is_outcome,
    missing_message,
    status_message,
    success_message,
)
from ._reduce import by_status, cell_order, encode_keys, status_flags
from .exceptions import MissingExtraError, TrialDataError

TEXT = (nw.String, nw.Categorical, nw.Enum)
OPAQUE = (nw.Object, nw.Unknown)


def _streams(frame: nw.LazyFrame[Any]) -> bool:
    """Whether the engine is a Polars that can be told to work in batches."""
    if not frame.implementation.is_polars():
        return False
    import polars as pl

    version = tuple(int(part) for part in pl.__version__.split(".")[:2])
    return version >= (1, 25)


def collect(frame: nw.LazyFrame[Any]) -> nw.DataFrame[Any]:
    """Have the engine run, in batches where it can; its errors become ours."""
    how: dict[str, Any] = {"engine": "streaming"} if _streams(frame) else {}
    try:
        return frame.collect(**how)
    except ModuleNotFoundError as error:
        raise MissingExtraError(
            f"Counts of this engine come back through {error.name}: "
            "pip install 'reliability-stats[bigdata]'."
        ) from error
    except MemoryError:
        raise
    except Exception as error:
        raise _failed(error) from error
    except BaseException as error:
        if type(error).__name__ == "PanicException":
            raise _failed(error) from error
        raise


def _failed(error: BaseException) -> TrialDataError:
    """Say that an engine failed, with its words cut short."""
    words = " ".join(str(error).split())
    words = words if len(words) <= 300 else f"{words[:297]}..."
    return TrialDataError(f"The table could not be read ({type(error).__name__}): {words}")


def can_stay(frame: nw.LazyFrame[Any]) -> bool:
    """Say whether the engine knows the types of all columns that decide."""
    schema = frame.collect_schema()
    success = schema["success"]
    named = [*keys_of(frame), "success", *(n for n in ("trial", "status") if n in schema)]
    return not any(isinstance(schema[name], OPAQUE) for name in named) and not isinstance(
        success, (nw.Categorical, nw.Enum)
    )


def count_lazy(frame: nw.LazyFrame[Any], policy: str) -> tuple[Cells, LazyRows]:
    """Check and count the rows of a lazy frame, whose columns have the names of their roles."""
    for key in _labels(frame):
        if frame.collect_schema()[key].is_nested():
            refuse_label(key, None, collect(frame.head(1))[key].to_list()[0])
    rows = _checked(frame)
    table = collect(_sums(rows))
    if not len(table):
        raise TrialDataError("The table has no rows; at least one trial is needed.")
    sums = _Sums(rows, table)
    sums.refuse_what_is_wrong(policy)
    keys = table.select(*keys_of(frame))
    labels, codes = encode_keys(tidy_keys(keys))
    order = cell_order(codes)
    records, missing = sums["records"][order], sums["missing"][order]
    cells = Cells(
        labels,
        {role: values[order] for role, values in codes.items()},
        records - missing,
        sums["successes"][order],
        missing,
        records,
        by_status=by_status(table, order),
    )
    return cells, LazyRows(frame, keys)


def _labels(frame: nw.LazyFrame[Any]) -> list[str]:
    """List the columns that may not be empty."""
    return [*keys_of(frame), *(n for n in ("trial",) if n in frame.collect_schema().names())]


def _null(name: str, dtype: Any) -> nw.Expr:
    """Mark nulls, and NaN in float columns."""
    null = nw.col(name).is_null()
    return null | nw.col(name).is_nan() if dtype.is_float() else null


def _checked(frame: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
    """Replace success by a number or null after the status has spoken; keep what was given."""
    schema = frame.collect_schema()
    dtype, x = schema["success"], nw.col("success")
    frame = frame.with_columns(x.alias("given success"))
    if dtype == nw.Boolean:
        frame = frame.with_columns(x.cast(nw.Int64))
    elif not dtype.is_numeric():
        no_number = nw.when(x.is_null()).then(nw.lit(None, nw.Float64)).otherwise(nw.lit(-1.0))
        frame = frame.with_columns(no_number.alias("success"))
    elif not dtype.is_integer():
        frame = frame.with_columns(x.cast(nw.Float64))
        frame = frame.with_columns(nw.when(~x.is_nan()).then(x).alias("success"))
    if "status" not in schema:
        return frame
    status, dtype = nw.col("status"), schema["status"]
    frame = frame.with_columns(status.alias("given status"))
    if isinstance(dtype, TEXT):
        frame = frame.with_columns(status.cast(nw.String).fill_null("ok"))
    else:
        word = nw.when(_null("status", dtype)).then(nw.lit("ok")).otherwise(nw.lit("?"))
        frame = frame.with_columns(word.alias("status"))
    frame = frame.with_columns(nw.when(~status.is_in(WITHOUT_OUTCOME)).then(x).alias("success"))
    failed = (status == "agent_failure") & x.is_null()
    return frame.with_columns(nw.when(failed).then(nw.lit(0)).otherwise(x).alias("success"))


def _wrong(rows: nw.LazyFrame[Any]) -> dict[str, nw.Expr]:
    """Give the conditions that make a row one that is refused, or that has no outcome."""
    schema, x = rows.collect_schema(), nw.col("success")
    wrong = {"missing": x.is_null()}
    if schema["given success"] != nw.Boolean:
        wrong["not allowed"] = ~x.is_null() & ~is_outcome(x, schema["success"])
    if "status" in schema:
        wrong["unknown status"] = ~nw.col("status").is_in(STATUSES)
    if "trial" in schema:
        wrong["without a trial"] = _null("trial", schema["trial"])
    return wrong


def _sums(rows: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
    """Group by cell: everything that has to be known, in one pass."""
    names = rows.collect_schema().names()
    keys, trial = keys_of(rows), [name for name in ("trial",) if name in names]
    x = nw.col("success")
    flags = [(x.fill_null(0) > 0.5).cast(nw.Int64).alias("successes")]
    flags += [flag.cast(nw.Int64).alias(name) for name, flag in _wrong(rows).items()]
    flagged = rows.select(*keys, *trial, *flags, *status_flags(names))
    summed = [n for n in flagged.collect_schema().names() if n not in (*keys, *trial)]
    sums = flagged.group_by(*keys).agg(
        *(nw.col(name).sum() for name in summed),
        nw.len().alias("records"),
        *(nw.col(name).n_unique().alias("trials") for name in trial),
    )
    numbers = [*summed, "records", *("trials" for _ in trial)]
    return sums.with_columns(*(nw.col(name).cast(nw.Int64) for name in numbers))


def _example(frame: nw.LazyFrame[Any], condition: nw.Expr) -> nw.DataFrame[Any]:
    """Give one row that meets a condition."""
    return collect(frame.filter(condition).head(1))


class _Sums:
    """Sums by cell, and the refusals that follow from them; each looks for one row to show."""

    def __init__(self, rows: nw.LazyFrame[Any], table: nw.DataFrame[Any]) -> None:
        """Take the checked rows, and their sums."""
        self.rows = rows
        self.table = table
        self.total = int(self["records"].sum())

    def __getitem__(self, name: str) -> IntArray:
        """Give the sums of a flag; zeros where it cannot occur."""
        if name not in self.table.columns:
            return np.zeros(len(self.table), dtype=np.int64)
        return self.table[name].to_numpy().astype(np.int64)

    def refuse_what_is_wrong(self, policy: str) -> None:
        """Refuse in the order in which a table in memory is checked."""
        for key in keys_of(self.rows):
            self._refuse_null(key, int(self["records"][null_mask(self.table[key])].sum()))
        self._refuse_null("trial", int(self["without a trial"].sum()))
        self._refuse("unknown status", self._status)
        self._refuse("not allowed", self._success)
        if policy == "raise":
            self._refuse("missing", self._missing)
        if "trials" in self.table.columns:
            extra = self.total - int(self["trials"].sum())
            if extra:
                self._refuse_repeats(extra)

    def _refuse_null(self, key: str, number: int) -> None:
        """Refuse rows without a label."""
        if number:
            raise TrialDataError(
                f"{plural(number, 'row')} of {self.total} {'has' if number == 1 else 'have'} no "
                f"{key}. Every row needs one: fill in the column or remove these rows."
            )

    def _refuse(self, name: str, message: Callable[[nw.DataFrame[Any], str, int], str]) -> None:
        """Refuse rows that meet a condition, showing one."""
        number = int(self[name].sum())
        if number:
            row = _example(self.rows, _wrong(self.rows)[name])
            raise TrialDataError(message(row, f"a row of {cell_of(row, 0)}", number))

    def _status(self, row: nw.DataFrame[Any], place: str, number: int) -> str:  # noqa: ARG002
        """Say which status is unknown."""
        return status_message(row["given status"][0], place)

    def _success(self, row: nw.DataFrame[Any], place: str, number: int) -> str:
        """Say which value is no outcome."""
        return success_message(row["given success"][0], place, number - 1)

    def _missing(self, row: nw.DataFrame[Any], place: str, number: int) -> str:
        """Say that outcomes are missing, and what can be done."""
        if "status" in row.columns:
            place += f" with status {row['status'][0]!r}"
        return missing_message(number, self.total, f"one in {place}")

    def _refuse_repeats(self, extra: int) -> NoReturn:
        """Name a trial that has several rows."""
        keys = [*keys_of(self.rows), "trial"]
        twice = self.rows.group_by(*keys).agg(nw.len().alias("records"))
        row = _example(twice, nw.col("records") > 1)
        name = ", ".join(f"{key} {label_of(row[key][0])!r}" for key in keys)
        raise TrialDataError(
            f"{plural(int(row['records'][0]), 'row')} are all {name}, with {plural(extra, 'row')} "
            f"of {self.total} repeating another one. Remove the copies, or leave trial out if they "
            "are trials."
        )


@dataclass(frozen=True, eq=False)
class LazyRows:
    """Rows that are still in their engine, and the part of them that was selected.

    `frame` is None after a journey to another process on which the engine did not come along.
    """

    frame: nw.LazyFrame[Any] | None
    keys: nw.DataFrame[Any]
    chosen: tuple[tuple[str, frozenset[str]], ...] = ()

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle the plan where it can travel: that of Polars; others stay behind."""
        frame = self.frame
        if frame is not None and not frame.implementation.is_polars():
            frame = None
        return LazyRows, (frame, self.keys, self.chosen)

    def __deepcopy__(self, memo: dict[int, Any]) -> LazyRows:
        """Give itself: nothing here changes."""
        return self

    def with_labels(self, role: str, labels: Set[str]) -> LazyRows:
        """Keep the rows that carry one of the labels."""
        return LazyRows(self.frame, self.keys, (*self.chosen, (role, frozenset(labels))))

    def rows(self) -> nw.DataFrame[Any]:
        """Bring the selected rows into memory; the engine leaves out most others."""
        if self.frame is None:
            raise TrialDataError(
                "The rows behind these trials are in a table that was left behind when they were "
                "pickled. The counts are complete; for rows, read the table again with "
                "Trials.from_frame."
            )
        frame = self.frame
        schema = frame.collect_schema()
        for role, labels in self.chosen:
            values = key_values(self.keys, role)
            if values is None:
                continue
            chosen = [value for value in dict.fromkeys(values) if label_of(value) in labels]
            for i, name in enumerate(n for n in keys_of(frame) if n.split(" ")[0] == role):
                column = nw.col(name)
                column = column.cast(nw.String) if isinstance(schema[name], TEXT) else column
                some = [value[i] if isinstance(value, tuple) else value for value in chosen]
                frame = frame.filter(column.is_in(list(dict.fromkeys(some))))
        return collect(frame)
