"""Parquet files counted where they are, by Polars, if nothing in them needs a closer look."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import narwhals as nw

from .._lazy import LazyRows, collect
from ..exceptions import TrialDataError
from ..trials import Trials
from ._records import ONE_SYSTEM, Reading
from ._roles import statuses_known
from ._tables import refuse_many

if TYPE_CHECKING:
    import polars as pl

CLOSE_LOOK = 10**7
"""Number of fields up to which a table that is refused is read again, row by row, to say where."""


def schema_of(files: Iterable[Path]) -> dict[str, Any] | None:
    """Give names and types of the columns, if Polars is there and they are those of all files."""
    try:
        import polars as pl
    except ImportError:
        return None
    first: dict[str, Any] | None = None
    for file in files:
        try:
            schema = dict(pl.read_parquet_schema(file))
        except Exception:
            return None
        except BaseException as error:
            if type(error).__name__ != "PanicException":  # Polars, on a damaged file
                raise
            return None
        if first is not None and schema != first:
            return None
        first = schema
    return first


def scanned(
    reading: Reading, files: list[Path], schema: dict[str, Any], found: dict[str, list[str]]
) -> Trials | None:
    """Count the rows of files; None if they have to be read row by row."""
    columns = {role: names[0] for role, names in found.items() if names}
    if any(len(names) > 1 for names in found.values()) or not _plain(columns, schema):
        return None
    import polars as pl

    table = _open(files)
    heights = [_height(file) for file in files]
    if None in heights:
        return None
    for file, number in zip(files, heights, strict=True):
        refuse_many(reading, file, number or 0, len(columns))
        reading.read[file] = None
    height = sum(number or 0 for number in heights)
    rows = table.select(**{role: pl.col(name) for role, name in columns.items()})
    try:
        trials = Trials.from_frame(
            rows.with_columns(_kept(columns, schema)),
            system="system" if "system" in columns else None,
            missing=reading.missing,
            **{role: role for role in columns if role not in ("system", "task", "success")},
        )
    except TrialDataError as error:
        if height * len(columns) <= CLOSE_LOOK:
            return None
        names = ", ".join(map(str, files[:3])) + (", ..." if len(files) > 3 else "")
        raise TrialDataError(f"{names}: {error}") from error
    if _has_blanks(trials, rows, schema.get(columns.get("trial", ""))):
        return None
    return _as_read(trials)


def statuses_of(files: list[Path], name: str) -> bool:
    """Say whether a column holds nothing but our words for statuses."""
    import polars as pl

    try:
        words = _run(_open(files).select(pl.col(name).unique()))
    except TrialDataError:
        return False
    return statuses_known(words[name].to_list())


def _run(frame: pl.LazyFrame) -> nw.DataFrame[Any]:
    """Have Polars run; its errors, and its panics on damaged files, become ours."""
    return collect(nw.from_native(frame))


def _open(files: list[Path]) -> pl.LazyFrame:
    """Scan files by these very names."""
    import polars as pl

    return pl.scan_parquet(list(map(str, files)), glob=False, hive_partitioning=False)


def _height(file: Path) -> int | None:
    """Give the number of rows, which Parquet knows; None if Polars cannot read the file."""
    import polars as pl

    try:
        return int(_run(_open([file]).select(pl.len())).item())
    except TrialDataError:
        return None


def _plain(columns: dict[str, str], schema: dict[str, Any]) -> bool:
    """Say whether all columns have types that need no conversion row by row."""
    import polars as pl

    text = (pl.String,)
    allowed = dict.fromkeys(("system", "task", "condition", "trial", "group"), "label")
    allowed |= {"success": "outcome", "length": "number", "score": "number"}
    allowed |= {"status": "text", "time": "time"}
    for role, name in columns.items():
        dtype, kind = schema[name], allowed[role]
        fits = {
            "label": dtype in text or dtype.is_integer(),
            "outcome": dtype == pl.Boolean or dtype.is_integer() or dtype.is_float(),
            "number": dtype.is_integer() or dtype.is_float(),
            "text": dtype in text,
            "time": isinstance(dtype, pl.Datetime),
        }
        if not fits[kind]:
            return False
    return True


def _kept(columns: dict[str, str], schema: dict[str, Any]) -> list[pl.Expr]:
    """Give the columns that are only kept the types that they have when read row by row."""
    import polars as pl

    made = []
    for role, name in columns.items():
        column = pl.col(role)
        if role in ("length", "score"):
            made.append(column.cast(pl.Float64))
        elif role == "group":
            made.append(column.cast(pl.String))
        elif role == "time" and schema[name].time_zone is None:
            made.append(column.dt.replace_time_zone("UTC"))
        elif role == "time":
            made.append(column.dt.convert_time_zone("UTC"))
    return made


def _has_blanks(trials: Trials, rows: pl.LazyFrame, trial: Any) -> bool:
    """Say whether a label is an empty text, which is none when read row by row."""
    import polars as pl

    labels = trials._cells.labels.values()
    if any(not label.strip() for names in labels for label in names):
        return True
    if trial != pl.String:
        return False
    blank = rows.filter(pl.col("trial").str.strip_chars() == "").select("trial").head(1)
    try:
        return bool(len(_run(blank)))
    except TrialDataError:
        return True


def _as_read(trials: Trials) -> Trials:
    """Give rows the columns that they have when read row by row: trials as text, and a status."""
    rows = trials._rows
    if not isinstance(rows, LazyRows) or rows.frame is None:
        return trials
    frame = rows.frame
    names = frame.collect_schema().names()
    status = nw.col("status").fill_null("ok") if "status" in names else nw.lit("ok")
    frame = frame.with_columns(status.alias("status"))
    unknown = nw.col("success").is_null()
    if frame.collect_schema()["success"].is_float():
        unknown = unknown | nw.col("success").is_nan()
    gone = unknown & (nw.col("status") == "ok")
    word = nw.when(gone).then(nw.lit("missing")).otherwise(nw.col("status"))
    frame = frame.with_columns(word.alias("status"))
    if "trial" in names:
        frame = frame.with_columns(nw.col("trial").cast(nw.String))
    if "system" not in names:
        frame = frame.with_columns(nw.lit(ONE_SYSTEM).alias("system"))
    columns = dict(trials._columns)
    columns |= {"system": "system", "status": "status"}
    return replace(trials, _columns=tuple(columns.items()), _rows=replace(rows, frame=frame))
