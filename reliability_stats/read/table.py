"""Tables with one row a trial, one row a cell, or one row a task, and JSON Lines."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from .._counts import plural
from .._validation import check_choice
from ..exceptions import TrialDataError
from ..trials import Trials
from ._fields import Malformed, get, short
from ._files import MAX_BYTES, Paths
from ._records import ONE_SYSTEM, Reading
from ._roles import (
    ROLES,
    Columns,
    assign,
    by_role,
    convert,
    described,
    is_blank,
    keys_by_role,
    require,
    statuses_known,
    whole,
)
from ._scan import scanned, schema_of, statuses_of
from ._tables import PARQUET, Block, block_of, columns_of, suffix

LAYOUTS = ("trials", "counts", "wide")
TABLES = ("*.csv", "*.tsv", "*.csv.gz", "*.tsv.gz", "*.parquet", "*.pq", "*.arrow", "*.feather")
CELL_ROLES = ("system", "task", "condition", "n", "successes")


def read_table(
    path: Paths,
    *,
    columns: Columns | None = None,
    layout: str = "trials",
    threshold: float | None = None,
    missing: str = "raise",
    on_duplicate: str = "raise",
    malformed: str = "raise",
    max_bytes: int = MAX_BYTES,
) -> Trials:
    r"""Read CSV, TSV, Parquet or Arrow files.

    Parameters
    ----------
    path : str, path or list of these
        File, folder or glob pattern. CSV and TSV may be gzipped. Parquet and Arrow need the extra
        `parquet`.
    columns : mapping of str to str, list of str or None, optional
        Column of each role, such as ``{"system": "model", "task": "instance_id"}``. Roles are
        system, task, success, trial, condition, time, group, length, score and status, or system,
        task, condition, n and successes for counts. The first five, n and successes are found by
        common names if left out, and the report says so; None says that there is none. With
        "system": None all rows belong to one system. Several columns of a role are joined by
        " / ".
    layout : {"trials", "counts", "wide"}, default "trials"
        One row a trial; one row a cell with n and successes; or one row a task (and system) with
        one column a trial, where an empty field is a trial that was not run.
    threshold : float, optional
        Least score that is a success, if the outcome is a score.
    missing : {"raise", "drop", "failure", "bounds"}, default "raise"
        What to do with trials that have no outcome; see `Trials.from_frame`.
    on_duplicate : {"raise", "last", "first", "renumber"}, default "raise"
        What to do with a row whose system, task, condition and trial occurred before. Without a
        trial column every row is a trial.
    malformed : {"raise", "skip"}, default "raise"
        What to do with a row that cannot be read.
    max_bytes : int, default 2**29
        Largest file that is read, unpacked.

    Returns
    -------
    Trials
        With an account: `trials.report()`.

    Raises
    ------
    TrialDataError
        If a role has no column or several, a row cannot be read, rows repeat, or outcomes are
        unknown without a policy.
    ArgumentError
        If an argument is not allowed.
    ImportError
        If a Parquet or Arrow file needs pyarrow.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> file = pathlib.Path(tempfile.mkdtemp()) / "runs.csv"
    >>> _ = file.write_text("model,task_id,passed\na,t1,true\na,t1,false\n")
    >>> read_table(file).counts.to_frame()
      system task  n  successes
    0      a   t1  2          1
    """
    check_choice(layout, LAYOUTS, "layout")
    reading = Reading(
        "table",
        path,
        missing=missing,
        on_duplicate=on_duplicate,
        malformed=malformed,
        max_bytes=max_bytes,
    )
    files = reading.files(*TABLES)
    if layout == "counts":
        return _counts(reading, files, columns)
    strict = (on_duplicate, malformed, layout, threshold) == ("raise", "raise", "trials", None)
    trials = _scan(reading, files, columns) if strict else None
    if trials is not None:
        return trials
    for file in files:
        if layout == "wide":
            _wide(reading, file, columns, threshold)
            continue
        available = columns_of(reading, file)
        found, _ = assign(columns, available, ROLES)
        names = [name for used in found.values() for name in used]
        names += [name for name in available if name == "status"]
        block = block_of(reading, file, names)
        _add_block(reading, file, block, available, columns, threshold)
    return reading.trials()


def read_jsonl(
    path: Paths,
    *,
    columns: Columns | None = None,
    threshold: float | None = None,
    where: Callable[[Mapping[str, Any]], bool] | None = None,
    missing: str = "raise",
    on_duplicate: str = "raise",
    malformed: str = "raise",
    max_bytes: int = MAX_BYTES,
) -> Trials:
    r"""Read JSON Lines with one object a trial, such as the logs of OpenAI evals.

    Parameters
    ----------
    path : str, path or list of these
        File, folder or glob pattern.
    columns : mapping of str to str, list of str or None, optional
        Field of each role, as in `read_table`; "data.correct" is a field of a nested object.
    threshold : float, optional
        Least score that is a success, if the outcome is a score.
    where : callable, optional
        Function of a record that is true for the records to read; the others are counted in the
        report.
    missing : {"raise", "drop", "failure", "bounds"}, default "raise"
        What to do with trials that have no outcome; see `Trials.from_frame`.
    on_duplicate : {"raise", "last", "first", "renumber"}, default "raise"
        What to do with a record whose system, task, condition and trial occurred before. Without
        a trial field every record is a trial.
    malformed : {"raise", "skip"}, default "raise"
        What to do with a line that cannot be read.
    max_bytes : int, default 2**29
        Largest file that is read, unpacked.

    Returns
    -------
    Trials
        With an account: `trials.report()`.

    Raises
    ------
    TrialDataError
        If a role has no field or several, a line cannot be read, records repeat, or outcomes are
        unknown without a policy.
    ArgumentError
        If an argument is not allowed.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> file = pathlib.Path(tempfile.mkdtemp()) / "match.jsonl"
    >>> _ = file.write_text('{"spec": {}}\n'
    ...     '{"type": "match", "sample_id": "s.1", "data": {"correct": true}}\n')
    >>> roles = {"system": None, "task": "sample_id", "success": "data.correct"}
    >>> read_jsonl(file, columns=roles, where=lambda r: r.get("type") == "match").counts.n
    array([1])
    """
    reading = Reading(
        "JSON Lines",
        path,
        missing=missing,
        on_duplicate=on_duplicate,
        malformed=malformed,
        max_bytes=max_bytes,
    )
    for file in reading.files("*.jsonl", "*.ndjson", "*.jsonl.gz"):
        rows: list[Mapping[str, Any]] = []
        places = []
        others = 0
        for place, value in reading.lines(file):
            if not isinstance(value, Mapping):
                reading.bad(file, place, f"an object was expected, not {short(value)}")
            elif where is None or where(value):
                rows.append(value)
                places.append(place)
            else:
                others += 1
        reading.leave_out("not chosen by where", others, asked=True)
        if not rows:
            continue
        available = list(dict.fromkeys(name for row in rows for name in row))
        found, _ = assign(columns, available, ROLES, nested=True)
        names = {name for used in found.values() for name in used} | {"status"}
        block = Block(places, {name: [get(row, name) for row in rows] for name in names})
        _add_block(reading, file, block, available, columns, threshold)
    return reading.trials()


def _add_block(
    reading: Reading,
    file: Path,
    block: Block,
    available: list[str],
    columns: Columns | None,
    threshold: float | None,
) -> None:
    """Add the rows of one table with one row a trial."""
    found, guessed = _roles(file, available, columns)
    if "status" not in found and statuses_known(block.values.get("status", [])):
        found["status"] = ["status"]
        guessed.append("status")
    _tell(reading, found, guessed)
    roles, errors = by_role(block.values, found, threshold)
    reading.extend(file, block.places, roles, errors)


def _roles(
    file: Path, available: list[str], columns: Columns | None
) -> tuple[dict[str, list[str]], list[str]]:
    """Give the columns of each role of a table with one row a trial, and the roles guessed."""
    found, guessed = assign(columns, available, ROLES, nested=True)
    for role in ("system", "task", "success"):
        require(found, columns, role, available)
    _refuse_counts(file, available, guessed)
    return found, guessed


def _tell(reading: Reading, found: dict[str, list[str]], guessed: list[str]) -> None:
    """Note which column was read as what."""
    reading.choose(described(found, guessed))
    if not found["trial"]:
        reading.choose("no trial column: every row is a trial")


def _scan(reading: Reading, files: list[Path], columns: Columns | None) -> Trials | None:
    """Count Parquet files without reading their rows into memory, where that can be done."""
    schema = schema_of(files) if all(suffix(file) in PARQUET for file in files) else None
    if schema is None:
        return None
    available = list(schema)
    found, guessed = _roles(files[0], available, columns)
    if "status" not in found and "status" in available and statuses_of(files, "status"):
        found["status"] = ["status"]
        guessed.append("status")
    if not all(name in schema for used in found.values() for name in used):
        return None
    trials = scanned(reading, files, schema, found)
    if trials is None:
        return None
    _tell(reading, found, guessed)
    return reading.told(trials)


def _refuse_counts(file: Path, available: list[str], guessed: list[str]) -> None:
    """Refuse to take a count of successes for an outcome, where a number of trials is beside it."""
    number, _ = assign({}, available, ("n",))
    if number["n"] and "success" in guessed:
        raise TrialDataError(
            f"{file}: the column {number['n'][0]!r} may be a number of trials. Give "
            "layout='counts' if each row is a cell, or name the outcome with "
            "columns={'success': ...} if each row is a trial."
        )


def _wide(reading: Reading, file: Path, columns: Columns | None, threshold: float | None) -> None:
    """Add the rows of a table with one row a task and one column a trial."""
    available = columns_of(reading, file)
    roles = ("system", "task", "condition", "group")
    found, guessed = assign(columns, available, (*roles, "trial"))
    for role in ("system", "task"):
        require(found, columns, role, available)
    keys = [name for role in roles for name in found.get(role, [])]
    trials = found["trial"] or [name for name in available if name not in keys]
    reading.choose(described({**found, "trial": trials}, guessed))
    block = block_of(reading, file, [*keys, *trials])
    unrun = 0
    for trial in trials:
        run = [i for i, value in enumerate(block.values[trial]) if not is_blank(value)]
        unrun += len(block.places) - len(run)
        values = {name: [block.values[name][i] for i in run] for name in (*keys, trial)}
        places = [f"{block.places[i]}, column {trial!r}" for i in run]
        some, errors = by_role(values, {**found, "trial": [], "success": [trial]}, threshold)
        reading.extend(file, places, {**some, "trial": [trial] * len(run)}, errors)
    if unrun:
        reading.choose(f"{plural(unrun, 'empty field')} taken as trials that were not run")


def _counts(reading: Reading, files: Iterable[Path], columns: Columns | None) -> Trials:
    """Read tables with one row a cell."""
    for file in files:
        available = columns_of(reading, file)
        found, guessed = assign(columns, available, CELL_ROLES)
        for role in ("system", "task", "n", "successes"):
            require(found, columns, role, available)
        reading.choose(described(found, guessed))
        block = block_of(reading, file, [name for used in found.values() for name in used])
        errors: dict[int, str] = {}
        keys = keys_by_role(block.values, found, errors)
        n, successes = (
            convert(block.values[found[name][0]], partial(whole, name=name), errors)
            for name in ("n", "successes")
        )
        for i, place in enumerate(block.places):
            with reading.record(file, place):
                if i in errors:
                    raise Malformed(errors[i])
                names = {"system": ONE_SYSTEM, **{role: some[i] for role, some in keys.items()}}
                reading.add_cell(file, place, **names, n=n[i], successes=successes[i])
    return reading.cell_trials()
