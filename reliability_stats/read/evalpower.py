"""Tables of evalpower, and verdicts of agentrelbench: success, and damage with an upper count."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from .._validation import check_choice
from ..exceptions import TrialDataError
from ..trials import Trials
from ._fields import Malformed, flag, get, label, mapping, need, short
from ._files import MAX_BYTES, Paths, read_json
from ._records import ONE_SYSTEM, Named, Reading
from ._roles import is_blank, outcome, whole
from ._tables import CSV, Row, columns_of, rows_of, suffix

OUTCOMES = ("pass", "safe", "safe_upper")
COUNTS = {
    "n": ("n", "runs", "n_runs", "total"),
    "x": ("x", "failures", "n_failures", "failed", "fail"),
    "s": ("s", "successes", "n_successes", "passed", "pass"),
    "x_upper": ("x_upper", "failures_upper", "upper"),
}
FAILURE = ("failure", "failed", "fail", "is_failure")
SUCCESS = ("success", "succeeded", "passed", "pass", "is_success")
NEUTRAL = ("outcome", "status", "result", "verdict")
CELL = ("cell", "id", "name", "task", "model")
DAMAGE = {"pass": "eog_success", "safe": "counts_as_damage", "safe_upper": "counts_as_damage_upper"}


def recognise(record: Any) -> bool:
    """Say whether the first record of JSON Lines is a verdict of agentrelbench."""
    return isinstance(record, Mapping) and {"task_id", "run", "counts_as_damage"} <= set(record)


def read_evalpower(
    path: Paths,
    *,
    per_run: bool = False,
    outcome: str = "pass",
    failure_upper: str | None = None,
    missing: str = "raise",
    malformed: str = "raise",
    max_bytes: int = MAX_BYTES,
) -> Trials:
    r"""Read tables in the form that evalpower takes: counts of failures a cell, or one row a run.

    evalpower counts failures x of n runs, and optionally successes s and an upper count of
    failures, in which runs that broke count as failures. They need not add up: a run can fail at
    what is measured, such as doing no damage, and still complete its task.

    Parameters
    ----------
    path : str, path or list of these
        CSV, TSV or JSON Lines file, folder or glob pattern.
    per_run : bool, default False
        Whether there is one row a run, not one row a cell.
    outcome : {"pass", "safe", "safe_upper"}, default "pass"
        What a success is: completing the task (s, or n - x without it), not failing (n - x), or
        not failing with broken runs counted as failures (n - x_upper).
    failure_upper : str, optional
        Column of the upper failure of a run.
    missing : {"raise", "drop", "failure", "bounds"}, default "raise"
        What to do with runs that have no outcome; see `Trials.from_frame`.
    malformed : {"raise", "skip"}, default "raise"
        What to do with a row that cannot be read.
    max_bytes : int, default 2**29
        Largest file that is read.

    Returns
    -------
    Trials
        With an account: `trials.report()`.

    Raises
    ------
    TrialDataError
        If a row cannot be read, a cell occurs twice, or outcomes are unknown without a policy.
    ArgumentError
        If an argument is not allowed.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> file = pathlib.Path(tempfile.mkdtemp()) / "cells.csv"
    >>> _ = file.write_text("model,task,n,x\ngpt-x,refund,16,4\n")
    >>> read_evalpower(file).counts.to_frame()
      system    task   n  successes
    0  gpt-x  refund  16         12
    """
    check_choice(outcome, OUTCOMES, "outcome")
    reading = Reading(
        "evalpower",
        path,
        missing=missing,
        on_duplicate="raise",
        malformed=malformed,
        max_bytes=max_bytes,
    )
    reading.choose(f"success is {outcome!r}")
    for file in reading.files("*.csv", "*.tsv", "*.jsonl", "*.ndjson"):
        for place, row in _rows(reading, file):
            with reading.record(file, place):
                names = _cell(row)
                if per_run:
                    success = _run_success(row, outcome, failure_upper)
                    reading.add(file, place, **names, success=success)
                else:
                    reading.add_cell(file, place, **names, **_cell_counts(row, outcome))
    return reading.trials() if per_run else reading.cell_trials()


def _rows(reading: Reading, file: Path) -> Iterable[Row]:
    """Give the rows of a file."""
    if suffix(file) in CSV:
        yield from rows_of(reading, file, columns_of(reading, file))
        return
    for place, row in reading.lines(file):
        if isinstance(row, Mapping):
            yield place, row
        else:
            reading.bad(file, place, f"an object was expected, not {short(row)}")


def _present(row: Mapping[str, Any], names: Iterable[str]) -> str | None:
    """Give the first name under which a row has a value."""
    return next((name for name in names if not is_blank(row.get(name))), None)


def _cell(row: Mapping[str, Any]) -> dict[str, Any]:
    """Name system and task."""
    if _present(row, ("model",)) and _present(row, ("task",)):
        return {"system": label(row["model"], "model"), "task": label(row["task"], "task")}
    name = _present(row, CELL)
    if name is None:
        raise Malformed(f"there is no model and task, nor any of {', '.join(CELL)}")
    return {"system": ONE_SYSTEM, "task": label(row[name], name)}


def _cell_counts(row: Mapping[str, Any], outcome: str) -> dict[str, Any]:
    """Give runs and successes of a cell."""
    found = {role: _present(row, names) for role, names in COUNTS.items()}
    count = {role: whole(row[name], name) for role, name in found.items() if name is not None}
    for role in ("n", "x"):
        if role not in count:
            raise Malformed(f"there is no count {' or '.join(COUNTS[role])}")
    upper = count.get("x_upper", count["x"])
    if not count["x"] <= upper <= count["n"]:
        raise Malformed(f"x={count['x']}, x_upper={upper} and n={count['n']} must rise")
    successes = {
        "pass": count.get("s", count["n"] - count["x"]),
        "safe": count["n"] - count["x"],
        "safe_upper": count["n"] - upper,
    }
    return {"n": count["n"], "successes": successes[outcome]}


def _run_success(row: Mapping[str, Any], wanted: str, upper: str | None) -> bool | None:
    """Give the success of a run."""
    failure, success = _present(row, FAILURE), _present(row, SUCCESS)
    if wanted == "safe_upper":
        if upper is None:
            raise Malformed("'safe_upper' needs failure_upper=, the column of the upper failure")
        return _opposite(outcome(need(row, upper), None))
    name = success if (wanted == "pass" and success) or not failure else failure
    if name is None:
        neutral = _present(row, NEUTRAL)
        value = None if neutral is None else row[neutral]
        if neutral is not None and (not isinstance(value, str) or len(value.strip()) < 2):
            raise Malformed(f"{neutral}={short(value)} does not say which way it points")
        if neutral is not None and str(value).strip().lower() in ("true", "false", "yes", "no"):
            raise Malformed(f"{neutral}={short(value)} does not say which way it points")
        return outcome(value, None)
    value = outcome(row[name], None)
    return value if name in SUCCESS else _opposite(value)


def _opposite(value: bool | None) -> bool | None:
    """Turn failure into success."""
    return None if value is None else not value


def read_agentrelbench(
    path: Paths,
    *,
    system: Named = None,
    outcome: str = "pass",
    missing: str = "raise",
    on_duplicate: str = "raise",
    malformed: str = "raise",
    max_bytes: int = MAX_BYTES,
) -> Trials:
    """Read verdicts of agentrelbench: one line a run.

    Every run has an outcome, as the benchmark excludes none: a run that broke without changing
    anything did not succeed, is safe, and is not safe by the upper count.

    Parameters
    ----------
    path : str, path or list of these
        File, folder with files called verdicts.jsonl, or glob pattern.
    system : str or callable of a path, optional
        Name of the system; by default the model in verdicts.manifest.json beside the file.
    outcome : {"pass", "safe", "safe_upper"}, default "pass"
        What a success is: completing the task, doing no damage, or doing no damage with broken
        runs counted as damage.
    missing : {"raise", "drop", "failure", "bounds"}, default "raise"
        What to do with runs that have no outcome; see `Trials.from_frame`.
    on_duplicate : {"raise", "last", "first", "renumber"}, default "raise"
        What to do with a run whose system, task and run occurred before.
    malformed : {"raise", "skip"}, default "raise"
        What to do with a line that is not of this format.
    max_bytes : int, default 2**29
        Largest file that is read.

    Returns
    -------
    Trials
        With an account: `trials.report()`.

    Raises
    ------
    TrialDataError
        If a line is not of this format, runs repeat, or the system is not known.
    ArgumentError
        If an argument is not allowed.

    Examples
    --------
    >>> import json, pathlib, tempfile
    >>> file = pathlib.Path(tempfile.mkdtemp()) / "verdicts.jsonl"
    >>> verdict = {"task_id": "t", "run": "run_1", "eog_success": True,
    ...            "counts_as_damage": True, "counts_as_damage_upper": True}
    >>> _ = file.write_text(json.dumps(verdict))
    >>> [int(read_agentrelbench(file, system="m", outcome=o).counts.successes[0])
    ...  for o in ("pass", "safe")]
    [1, 0]
    """
    field = DAMAGE[check_choice(outcome, OUTCOMES, "outcome")]
    reading = Reading(
        "agentrelbench",
        path,
        missing=missing,
        on_duplicate=on_duplicate,
        malformed=malformed,
        max_bytes=max_bytes,
    )
    reading.choose(f"success is {outcome!r}: {field}")
    for file in reading.files("verdicts.jsonl"):
        name = reading.system(file, system, _model(reading, file))
        for place, verdict in reading.lines(file):
            with reading.record(file, place):
                value = need(mapping(verdict, "the line"), field)
                success = None if value is None else flag(value, field)
                if outcome != "pass":
                    success = _opposite(success)
                broken = str(get(verdict, "sub_label") or "")
                reading.add(
                    file,
                    place,
                    system=name,
                    task=need(verdict, "task_id"),
                    trial=need(verdict, "run"),
                    success=success,
                    status="ok"
                    if success is not False
                    else "agent_failure"
                    if broken.startswith(("errored", "stalled", "refused"))
                    else "ok",
                    error=broken or None,
                )
    return reading.trials()


def _model(reading: Reading, file: Path) -> str | None:
    """Name the model of the manifest beside a file."""
    beside = file.with_name("verdicts.manifest.json")
    if not beside.is_file():
        return None
    name = get(read_json(beside, reading.max_bytes), "model")
    if name is not None and not isinstance(name, str):
        raise TrialDataError(f"{beside}: model must be text, not {short(name)}.")
    return name
