"""Read a table for the command line: CSV, TSV or Parquet, one row a trial or one row a cell."""

from __future__ import annotations

import bz2
import csv
import gzip
import lzma
import sys
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from io import TextIOWrapper
from itertools import chain
from pathlib import Path
from typing import Any, TextIO, cast

from ._validation import suggest
from .exceptions import ReliabilityStatsError, TrialDataError
from .read._roles import BLANK, COMMON, WORDS, statuses_known
from .trials import Trials

Given = Mapping[str, str | Sequence[str] | None]
"""Columns named on the command line: None if not said, an empty text for "there is none"."""

FORMATS = {"csv": (".csv", ".txt"), "tsv": (".tsv", ".tab"), "parquet": (".parquet", ".pq")}
OPENERS: dict[str, Callable[..., Any]] = {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open}
ROW_ROLES = ("system", "task", "success", "trial", "condition", "status")
COUNT_ROLES = ("system", "task", "n", "successes", "condition")
REQUIRED = ("task", "success", "n", "successes")

_BROKEN = (OSError, EOFError, UnicodeError, csv.Error, zlib.error, lzma.LZMAError)


class ShapeError(ReliabilityStatsError, ValueError):
    """Options were given that contradict the kind of table."""


@dataclass(frozen=True)
class Loaded:
    """Trials from a file, and how it was read.

    Attributes
    ----------
    trials : Trials
        The checked table.
    kind : str
        "one row a trial" or "one row a cell".
    roles : dict
        Role to column, or columns.
    unused : tuple of str
        Columns that were not read.
    """

    trials: Trials
    kind: str
    roles: dict[str, str | list[str]]
    unused: tuple[str, ...]


def load(path: str, *, kind: str | None, given: Given, missing: str | None) -> Loaded:
    """Read a file into trials."""
    kind = kind or format_of(path)

    def wanted(names: Sequence[str]) -> dict[str, str | list[str]]:
        return choose(names, given, missing)

    names, roles, table = (_parquet if kind == "parquet" else _delimited)(path, kind, wanted)
    if given.get("status") is None and not statuses_known(_distinct(table, roles.get("status"))):
        roles.pop("status", None)
    used = _columns_of(roles)
    unused = tuple(name for name in names if name not in used)
    system = cast("str | None", roles.get("system"))
    rest: dict[str, Any] = {role: column for role, column in roles.items() if role != "system"}
    if "n" in roles:
        trials = Trials.from_counts(table, system=system, **rest)
        return Loaded(trials, "one row a cell", roles, unused)
    trials = Trials.from_frame(table, system=system, missing=missing or "raise", **rest)
    return Loaded(trials, "one row a trial", roles, unused)


def _distinct(table: Any, column: Any) -> Iterable[Any]:
    """Give the distinct values of a column; none if there is no column."""
    if column is None:
        return ()
    return set(table[column]) if isinstance(table, dict) else table[column].unique().to_pylist()


def format_of(path: str) -> str:
    """Tell the format from the name of the file."""
    if path == "-":
        return "csv"
    suffixes = [suffix.lower() for suffix in Path(path).suffixes]
    if suffixes and suffixes[-1] in OPENERS:
        suffixes.pop()
    for kind, endings in FORMATS.items():
        if suffixes and suffixes[-1] in endings:
            return kind
    known = ", ".join(chain.from_iterable(FORMATS.values()))
    raise TrialDataError(
        f"{path}: the format is not clear from the name. Known endings are {known}, for text also "
        f"with {', '.join(OPENERS)}. Say it with --format csv, tsv or parquet."
    )


def choose(names: Sequence[str], given: Given, missing: str | None) -> dict[str, str | list[str]]:
    """Decide which column plays which role."""
    counts = _is_count_table(names, given)
    allowed = COUNT_ROLES if counts else ROW_ROLES
    extra = [role for role in given if given[role] is not None and role not in allowed]
    extra += ["missing"] if counts and missing is not None else []
    if extra:
        shape = "one row a cell (n and successes)" if counts else "one row a trial (success)"
        raise ShapeError(f"--{extra[0]} does not go with a table of {shape}.")
    roles: dict[str, str | list[str]] = {}
    taken = {name for value in given.values() if value for name in _as_list(value)}
    for role in allowed:
        value = given.get(role)
        if value is None:
            value = _found(role, names, taken)
        columns = [name for name in _as_list(value) if name]
        if not columns and role in REQUIRED:
            raise TrialDataError(f"--{role} needs the name of a column.")
        for column in columns:
            _check_column(column, role, names)
        if columns:
            roles[role] = columns if len(columns) > 1 else columns[0]
    return roles


def _is_count_table(names: Sequence[str], given: Given) -> bool:
    """Tell whether a table has one row a cell."""
    if given.get("n") is not None or given.get("successes") is not None:
        return True
    n, successes, success = (_candidates(r, names) for r in ("n", "successes", "success"))
    if given.get("success") is not None or not n:
        return False
    if success and (successes or success != ["success"]):
        counts = (successes or success)[0]
        raise TrialDataError(
            f"The column {n[0]!r} may be a number of trials. Say --success {success[0]} if each "
            f"row is a trial, or --n {n[0]} --successes {counts} if each row is a cell."
        )
    return bool(successes)


def _candidates(role: str, names: Sequence[str]) -> list[str]:
    """List the columns with a common name for a role; the plain name comes before all others."""
    if role in names:
        return [role]
    common = COMMON.get(role, "").split()
    return [name for name in dict.fromkeys(names) if name.lower() in common]


def _found(role: str, names: Sequence[str], taken: set[str]) -> str:
    """Give the one column with a common name for a role, or an empty text."""
    hits = [name for name in _candidates(role, names) if name not in taken]
    if len(hits) > 1:
        none = "" if role in REQUIRED else f", or say --{role} '' for none"
        raise TrialDataError(
            f"Several columns may be the {role}: {', '.join(map(repr, hits))}. Name one with "
            f"--{role} COLUMN{none}."
        )
    return hits[0] if hits else role if role in (*REQUIRED, "system") else ""


def _check_column(column: str, role: str, names: Sequence[str]) -> None:
    """Refuse a column that is not there, or is there twice."""
    if names.count(column) == 1:
        return
    if column in names:
        raise TrialDataError(f"There are {names.count(column)} columns {column!r}; rename one.")
    ways = f"Name the right one with --{role} COLUMN."
    if role == "system":
        ways += " If all rows belong to one system, say --system ''."
    if role == "success":
        ways += " A table with one row a cell needs --n COLUMN --successes COLUMN."
    listed = ", ".join(map(repr, names)) or "none"
    raise TrialDataError(
        f"There is no column {column!r} for {role}{suggest(column, names)}. The columns are: "
        f"{listed}. {ways}"
    )


def _as_list(value: str | Sequence[str]) -> list[str]:
    """Give one or several column names as a list."""
    return [value] if isinstance(value, str) else list(value)


def _columns_of(roles: Mapping[str, str | list[str]]) -> list[str]:
    """List the columns of all roles."""
    return [column for value in roles.values() for column in _as_list(value)]


Choice = Callable[[Sequence[str]], dict[str, str | list[str]]]


def _delimited(
    path: str, kind: str, wanted: Choice
) -> tuple[list[str], dict[str, str | list[str]], dict[str, list[Any]]]:
    """Read a text table in one pass; every row must have as many fields as the header."""
    csv.field_size_limit(2**31 - 1)
    line = 1
    try:
        with _open_text(path) as stream:
            first = stream.readline()
            delimiter = _delimiter(first) if kind == "csv" else "\t"
            rows = csv.reader(chain([first], stream), delimiter=delimiter, strict=True)
            names = [name.strip() for name in next(filter(None, rows), [])]
            if not names:
                raise TrialDataError(f"{path}: the file is empty.")
            roles = wanted(names)
            columns = list(dict.fromkeys(_columns_of(roles)))
            lists: list[list[str]] = [[] for _ in columns]
            places = list(zip((names.index(column) for column in columns), lists, strict=True))
            same: dict[str, str] = {}
            for row in rows:
                line = rows.line_num
                if len(row) != len(names):
                    if not row:
                        continue
                    raise TrialDataError(
                        f"{path}: line {line} has {len(row)} fields, the header {len(names)}. "
                        "Quote fields that contain the delimiter."
                    )
                for place, values in places:
                    value = row[place]
                    values.append(same.setdefault(value, value))
    except _BROKEN as error:
        raise TrialDataError(f"{path}: cannot be read{_where(line)}: {_why(error)}") from error
    table = dict(zip(columns, lists, strict=True))
    return names, roles, _typed(table, roles)


def _where(line: int) -> str:
    """Name the last line that was read."""
    return f" after line {line}" if line > 1 else ""


def _why(error: Exception) -> str:
    """Say in words what is wrong with a file."""
    if isinstance(error, UnicodeError):
        return "it is not UTF-8 text. Save it as UTF-8."
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return f"{text[:1].lower()}{text[1:]}."


def _delimiter(header: str) -> str:
    """Tell the delimiter of a file called .csv from its header."""
    return next((mark for mark in (",", ";", "\t") if mark in header), ",")


@contextmanager
def _open_text(path: str) -> Iterator[TextIO]:
    """Open a file, compressed or not, or standard input, as UTF-8 text."""
    if path == "-":
        yield TextIOWrapper(sys.stdin.buffer, encoding="utf-8-sig", newline="")
        return
    opener = OPENERS.get(Path(path).suffix.lower(), open)
    with opener(path, "rt", encoding="utf-8-sig", newline="") as stream:
        yield stream


def _typed(
    table: dict[str, list[str]], roles: Mapping[str, str | list[str]]
) -> dict[str, list[Any]]:
    """Turn outcomes and counts into numbers, and empty labels into None; keep labels as text."""
    out: dict[str, list[Any]] = dict(table)
    for role, value in roles.items():
        for column in _as_list(value):
            convert = CONVERT.get(role, _label)
            meaning = {text: convert(text) for text in set(table[column])}
            out[column] = [meaning[text] for text in table[column]]
    return out


def _label(text: str) -> str | None:
    """Give a label as it is written; an empty one is missing."""
    return text if text.strip() else None


def _outcome(text: str) -> float | str | None:
    """Give an outcome as a number, None for words that mean missing, other words as they are."""
    word = text.strip().lower()
    return float(WORDS[word]) if word in WORDS else _number(text)


def _number(text: str) -> float | str | None:
    """Give a number, None for words that mean missing, other words as they are."""
    if text.strip().lower() in BLANK:
        return None
    try:
        return float(text)
    except ValueError:
        return text


CONVERT: dict[str, Callable[[str], Any]] = {
    "success": _outcome,
    "n": _number,
    "successes": _number,
}


def _parquet(
    path: str, kind: str, wanted: Choice
) -> tuple[list[str], dict[str, str | list[str]], Any]:
    """Read the wanted columns of a Parquet file."""
    try:
        from pyarrow import ArrowException, parquet
    except ImportError as error:
        raise TrialDataError(
            f"{path}: reading {kind.capitalize()} needs pyarrow. Install it with: "
            "pip install 'reliability-stats[parquet]'"
        ) from error
    source: Any = path
    try:
        if path == "-":
            raise TrialDataError("Parquet cannot be read from standard input; give a file.")
        with Path(path).open("rb") as stream:
            source = parquet.ParquetFile(stream)
            names = list(source.schema_arrow.names)
            roles = wanted(names)
            return names, roles, source.read(columns=list(dict.fromkeys(_columns_of(roles))))
    except (OSError, ArrowException) as error:
        raise TrialDataError(f"{path}: cannot be read: {_why(error)}") from error
