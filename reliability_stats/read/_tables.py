"""Rows of CSV, Parquet and Arrow files, and of JSON Lines, one mapping a row."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .._counts import plural
from ..exceptions import ArgumentError, MissingExtraError, TrialDataError
from ._records import Reading

CSV = (".csv", ".tsv", ".txt")
PARQUET = (".parquet", ".pq")
ARROW = (".arrow", ".feather", ".ipc")
Row = tuple[str, Mapping[str, Any]]


@dataclass
class Block:
    """Columns of a table, and the place of each row for messages."""

    places: list[str]
    values: dict[str, list[Any]]


def suffix(file: Path) -> str:
    """Give the last suffix in lower case, without .gz."""
    parts = [part.lower() for part in file.suffixes]
    return next((part for part in reversed(parts) if part != ".gz"), "")


def columns_of(reading: Reading, file: Path) -> list[str]:
    """List the columns of a table."""
    if suffix(file) in CSV:
        return _csv_header(reading, file)[0]
    if suffix(file) in PARQUET + ARROW:
        return list(map(str, _arrow(reading, file, None)))
    allowed = ", ".join(CSV + PARQUET + ARROW)
    raise ArgumentError(f"{file}: a table must be one of {allowed}, but for .gz after it.")


def block_of(reading: Reading, file: Path, names: Iterable[str]) -> Block:
    """Read columns of a table."""
    wanted = list(dict.fromkeys(names))
    if suffix(file) in CSV:
        return _csv_block(reading, file, wanted)
    table = _arrow(reading, file, wanted)
    places = [f"row {i}" for i in range(table.num_rows)]
    values = {}
    for name in wanted:
        try:
            values[name] = table.column(name).to_pylist()
        except (ValueError, OverflowError) as error:  # text that is no UTF-8, times out of range
            raise TrialDataError(f"{file}: column {name!r} cannot be read: {error}.") from None
    return Block(places, values)


def rows_of(reading: Reading, file: Path, names: Iterable[str]) -> Iterator[Row]:
    """Give place and values of each row."""
    block = block_of(reading, file, names)
    for i, place in enumerate(block.places):
        yield place, {name: values[i] for name, values in block.values.items()}


def _csv_header(reading: Reading, file: Path) -> tuple[list[str], str, str]:
    """Give column names, separator and text of a CSV file."""
    text = reading.text(file)
    line = text[: text.find("\n") % (len(text) + 1)]
    separator = "\t" if suffix(file) == ".tsv" else ","
    if separator not in line:
        separator = next((mark for mark in ("\t", ";", ",") if mark in line), separator)
    try:
        source = csv.reader(
            io.StringIO(text, newline=""), delimiter=separator, skipinitialspace=True
        )
        header = next(source, [])
    except csv.Error as error:
        raise TrialDataError(f"{file}, line 1: not CSV ({error}).") from None
    names = [name.strip() for name in header]
    if not any(names):
        raise TrialDataError(f"{file}: the file is empty, or its first line names no columns.")
    twice = next((name for name in names if name and names.count(name) > 1), None)
    if twice is not None:
        raise TrialDataError(f"{file}, line 1: column {twice!r} occurs more than once.")
    return names, separator, text


def _csv_block(reading: Reading, file: Path, wanted: list[str]) -> Block:
    """Read columns of a CSV file; each row must have as many fields as the first line."""
    names, separator, text = _csv_header(reading, file)
    limit = csv.field_size_limit(reading.max_bytes)
    places: list[str] = []
    rows: list[list[str]] = []
    try:
        source = csv.reader(
            io.StringIO(text, newline=""), delimiter=separator, strict=True, skipinitialspace=True
        )
        next(source, None)
        start = source.line_num + 1
        for row in source:
            if len(row) == len(names):
                places.append(f"line {start}")
                rows.append(row)
            elif row:
                why = f"it has {plural(len(row), 'field')}, but the first line {len(names)}"
                reading.bad(file, f"line {start}", why)
            start = source.line_num + 1
    except csv.Error as error:
        raise TrialDataError(
            f"{file}, line {source.line_num}: not CSV ({error}). It may be cut off."
        ) from None
    finally:
        csv.field_size_limit(limit)
    return Block(places, {name: _field(rows, names.index(name)) for name in wanted})


def _field(rows: list[list[str]], i: int) -> list[str]:
    """Give one field of all rows, without the spaces around it."""
    return [row[i].strip() for row in rows]


def refuse_many(reading: Reading, file: Path, rows: int, width: int) -> None:
    """Refuse more fields than allowed."""
    if rows * width > reading.max_bytes:
        raise TrialDataError(
            f"{file}: {rows} rows are more than max_bytes={reading.max_bytes} allows. Give a "
            "larger max_bytes= if you trust it."
        )


def _arrow(reading: Reading, file: Path, columns: list[str] | None) -> Any:
    """Read columns of a Parquet or Arrow file; without columns, list their names."""
    try:
        import pyarrow as pa
        import pyarrow.feather
        import pyarrow.parquet
    except ImportError:
        raise MissingExtraError(
            f"{file}: reading this needs pyarrow: pip install 'reliability_stats[parquet]'."
        ) from None
    reading.read[file] = None
    try:
        if suffix(file) in PARQUET:
            parquet = pa.parquet.ParquetFile(file)
            refuse_many(reading, file, parquet.metadata.num_rows, len(columns or ("one",)))
            return parquet.schema_arrow.names if columns is None else _valid(parquet.read(columns))
        if file.stat().st_size > reading.max_bytes:
            raise TrialDataError(
                f"{file}: larger than {reading.max_bytes} bytes. Give a larger max_bytes= if you "
                "trust it."
            )
        table = pa.feather.read_table(file, columns=columns)
        return table.column_names if columns is None else _valid(table)
    except (pa.ArrowException, OSError, ValueError, KeyError) as error:
        if isinstance(error, TrialDataError):
            raise
        raise TrialDataError(f"{file}: cannot be read as a table: {error}.") from None


def _valid(table: Any) -> Any:
    """Check every offset and text before anything is read through it: files may be damaged."""
    table.validate(full=True)
    return table
