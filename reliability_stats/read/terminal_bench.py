"""Terminal-Bench 1: results.json and run_metadata.json of each run."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ..exceptions import TrialDataError
from ..trials import Trials
from ._fields import flag, get, items, label, moment, need
from ._files import MAX_BYTES, Paths, read_json
from ._records import Named, Reading

TRIAL_NAME = re.compile(r"(?P<task>.+)\.(?P<k>[0-9]+)-of-[0-9]+\.(?P<run>.+)")
GRADER = frozenset({"parse_error", "test_timeout"})
INSTALL = frozenset({"agent_installation_failed"})
AGENT = frozenset({"agent_timeout", "context_length_exceeded", "output_length_exceeded"})
AGENT |= {"unknown_agent_error", "fatal_llm_parse_error"}


def recognise(data: Any) -> bool:
    """Say whether a parsed JSON file is of this format."""
    results = get(data, "results", [data])
    return (
        isinstance(results, list)
        and bool(results)
        and isinstance(results[0], Mapping)
        and {"task_id", "is_resolved", "trial_name"} <= set(results[0])
    )


def read_terminal_bench(
    path: Paths,
    *,
    system: Named = None,
    missing: str = "raise",
    on_duplicate: str = "raise",
    malformed: str = "raise",
    max_bytes: int = MAX_BYTES,
) -> Trials:
    """Read runs of Terminal-Bench 1.

    A trial succeeds if `is_resolved` is true, also where the agent ran out of time. Where it is
    null the tests gave no verdict: an error of the grader (`parse_error`, `test_timeout`) or of
    the infrastructure, without an outcome. The benchmark's own accuracy counts these as failures
    (`missing="failure"` does that). An agent that could not be installed was not tested, whatever
    `is_resolved` says.

    Parameters
    ----------
    path : str, path or list of these
        File of all trials of a run, folder with files called results.json, or glob pattern. In a
        folder, files of single trials below a file of all trials are not read again.
    system : str or callable of a path, optional
        Name of the system; by default "agent + model" from run_metadata.json beside the file.
    missing : {"raise", "drop", "failure", "bounds"}, default "raise"
        What to do with trials that have no outcome; see `Trials.from_frame`.
    on_duplicate : {"raise", "last", "first", "renumber"}, default "raise"
        What to do with a record whose system, task and trial occurred before.
    malformed : {"raise", "skip"}, default "raise"
        What to do with a record that is not of this format.
    max_bytes : int, default 2**29
        Largest file that is read.

    Returns
    -------
    Trials
        The score is the share of tests passed. With an account: `trials.report()`.

    Raises
    ------
    TrialDataError
        If a file or record is not of this format, records repeat, the system is not known, or
        outcomes are unknown without a policy.
    ArgumentError
        If an argument is not allowed.

    Examples
    --------
    >>> import json, pathlib, tempfile
    >>> runs = [{"task_id": "t", "trial_name": f"t.{k}-of-2.run", "is_resolved": done}
    ...         for k, done in ((1, True), (2, None))]
    >>> file = pathlib.Path(tempfile.mkdtemp()) / "results.json"
    >>> _ = file.write_text(json.dumps({"results": runs}))
    >>> read_terminal_bench(file, system="agent", missing="failure").counts.to_frame()
      system task  n  successes  missing
    0  agent    t  2          1        1
    """
    reading = Reading(
        "Terminal-Bench",
        path,
        missing=missing,
        on_duplicate=on_duplicate,
        malformed=malformed,
        max_bytes=max_bytes,
    )
    for file, data in _runs(reading):
        name = reading.system(file, system, _system(reading, file))
        with reading.header(file):
            results = items(need(data, "results"), "results")
        for i, result in enumerate(results):
            with reading.record(file, f"results[{i}]"):
                _add(reading, file, f"results[{i}]", name, result)
    return reading.trials()


def _runs(reading: Reading) -> Iterator[tuple[Path, Any]]:
    """Give the files of whole runs; the outermost of a folder stands for those within."""
    single = []
    above: set[Path] = set()
    for file in sorted(reading.files("results.json", "*_results.json"), key=_depth):
        if not above.isdisjoint(file.parents):
            continue
        data = read_json(file, reading.max_bytes)
        if isinstance(get(data, "results"), list):
            above |= {file.parent} if file.name == "results.json" else set()
            reading.read[file] = None
            yield file, data
        elif recognise(data):
            single.append(file)
            yield file, {"results": [data]}
            reading.read[file] = None
        else:
            raise TrialDataError(f"{file}: not a Terminal-Bench file: there is no 'results'.")
    if single:
        reading.choose(
            f"{len(single)} files of single trials have no file of the whole run above them; "
            "trials that broke early leave no such file"
        )


def _depth(file: Path) -> tuple[int, str]:
    """Sort key: outer folders first."""
    return len(file.parts), str(file)


def _system(reading: Reading, file: Path) -> str | None:
    """Name the system by the agent and model of the run's metadata."""
    for folder in (file.parent, *file.parents[1:3]):
        beside = folder / "run_metadata.json"
        if beside.is_file() and not beside.is_symlink():
            metadata = read_json(beside, reading.max_bytes)
            parts = [get(metadata, name) for name in ("agent_name", "model_name")]
            return " + ".join(str(part) for part in parts if part) or None
    return None


def _add(reading: Reading, file: Path, place: str, system: str, result: Any) -> None:
    """Add one trial."""
    task = label(need(result, "task_id"), "task_id")
    name = label(need(result, "trial_name"), "trial_name")
    match = TRIAL_NAME.fullmatch(name)
    resolved = need(result, "is_resolved")
    mode = get(result, "failure_mode")
    mode = None if mode in (None, "unset", "none") else label(mode, "failure_mode")
    success = None if resolved is None or mode in INSTALL else flag(resolved, "is_resolved")
    status = "ok"
    if success is None:
        status = "grader_error" if mode in GRADER else "infra_error"
    elif not success and mode in AGENT:
        status = "agent_failure"
    tests = get(result, "parser_results")
    verdicts = list(tests.values()) if isinstance(tests, Mapping) else []
    reading.add(
        file,
        place,
        system=system,
        task=task,
        trial=f"{match['run']}/{match['k']}" if match else name,
        success=success,
        status=status,
        score=verdicts.count("passed") / len(verdicts)
        if verdicts and success is not None
        else None,
        error=mode,
        time=moment(result.get("trial_started_at")),
    )
