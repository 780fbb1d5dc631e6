"""tau-bench trajectories: a JSON list with one entry a trial."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from ..trials import Trials
from ._fields import NEAR, get, items, label, need, number
from ._files import MAX_BYTES, Paths
from ._records import Named, Reading

FILE_NAME = re.compile(
    r"(?P<agent>(?:tool-calling|act|react|few-shot)-.+-[0-9.]+)_range_-?[0-9]+-+[0-9]+"
    r"_user-(?P<user>.+)_[0-9]{10}"
)


def recognise(data: Any) -> bool:
    """Say whether a parsed JSON file is of this format."""
    return (
        isinstance(data, list)
        and bool(data)
        and all(isinstance(entry, dict) and {"task_id", "reward", "trial"} <= set(entry)
                for entry in data[:5])
    )  # fmt: skip


def read_tau_bench(
    path: Paths,
    *,
    system: Named = None,
    domain: str | None = None,
    missing: str = "raise",
    on_duplicate: str = "raise",
    malformed: str = "raise",
    max_bytes: int = MAX_BYTES,
) -> Trials:
    """Read trajectory files of tau-bench.

    A trial succeeds if its reward is within 1e-6 of 1. Where the harness caught an exception it
    wrote reward 0 with `info.error`: such a trial is an infrastructure error without an outcome,
    although the benchmark's own pass^k counts it as a failure (`missing="failure"` does that).

    Parameters
    ----------
    path : str, path or list of these
        File, folder or glob pattern.
    system : str or callable of a path, optional
        Name of the system. The file does not hold it; by default it is taken from the file name
        that the harness gives, or is the file name.
    domain : str, optional
        Name of the domain ("airline", "retail"), which the file does not hold either. It becomes
        the group, and is put before the task: "airline/0".
    missing : {"raise", "drop", "failure", "bounds"}, default "raise"
        What to do with trials that have no outcome; see `Trials.from_frame`.
    on_duplicate : {"raise", "last", "first", "renumber"}, default "raise"
        What to do with a record whose system, task, condition and trial occurred before.
    malformed : {"raise", "skip"}, default "raise"
        What to do with a record that is not of this format.
    max_bytes : int, default 2**29
        Largest file that is read.

    Returns
    -------
    Trials
        With an account: `trials.report()`.

    Raises
    ------
    TrialDataError
        If a file or record is not of this format, records repeat, or outcomes are unknown without
        a policy.
    ArgumentError
        If an argument is not allowed.

    References
    ----------
    Yao et al. (2024), tau-bench, https://doi.org/10.48550/arXiv.2406.12045

    Examples
    --------
    >>> import json, pathlib, tempfile
    >>> runs = [{"task_id": 0, "trial": i, "reward": r, "info": {}, "traj": []}
    ...         for i, r in enumerate([1.0, 0.0])]
    >>> file = pathlib.Path(tempfile.mkdtemp()) / "gpt-4o.json"
    >>> _ = file.write_text(json.dumps(runs))
    >>> read_tau_bench(file, domain="airline").counts.to_frame()
       system       task  n  successes
    0  gpt-4o  airline/0  2          1
    """
    reading = Reading(
        "tau-bench",
        path,
        missing=missing,
        on_duplicate=on_duplicate,
        malformed=malformed,
        max_bytes=max_bytes,
    )
    for file in reading.files("*.json"):
        data = reading.json(file)
        with reading.header(file):
            entries = items(data, "the file")
        match = FILE_NAME.fullmatch(file.stem)
        name = reading.system(file, system, match["agent"] if match else file.stem)
        if system is None:
            reading.choose(f"system {name!r} is taken from the file name")
        for i, entry in enumerate(entries):
            with reading.record(file, f"entry {i}"):
                _add(reading, file, i, name, domain, entry)
    return reading.trials()


def _add(reading: Reading, file: Path, i: int, system: str, domain: str | None, entry: Any) -> None:
    """Add one entry."""
    reward = number(need(entry, "reward"), "reward")
    task = label(need(entry, "task_id"), "task_id")
    error = get(entry, "info.error")
    reading.add(
        file,
        f"entry {i}",
        system=system,
        task=task if domain is None else f"{domain}/{task}",
        trial=label(need(entry, "trial"), "trial"),
        success=abs(reward - 1) <= NEAR,
        status="ok" if error is None else "infra_error",
        score=None if error is not None else reward,
        error=error,
        group=domain,
    )
