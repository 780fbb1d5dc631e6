"""METR runs: JSON Lines with one run a line."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..trials import Trials
from ._fields import flag, get, label, maybe_number, moment, need
from ._files import MAX_BYTES, Paths
from ._records import Reading

HUMAN = "human"
FATAL = {"agent": "agent_failure", "usageLimits": "agent_failure"}


def recognise(record: Any) -> bool:
    """Say whether the first record of JSON Lines is of this format."""
    return isinstance(record, Mapping) and {"task_id", "run_id", "score_binarized"} <= set(record)


def read_metr(
    path: Paths,
    *,
    system: str = "alias",
    condition: str | None = None,
    human: bool = False,
    missing: str = "raise",
    on_duplicate: str = "raise",
    malformed: str = "raise",
    max_bytes: int = MAX_BYTES,
) -> Trials:
    """Read the runs behind METR's time horizons.

    A run succeeds if `score_binarized` is 1. A run without it has no outcome: it is an
    infrastructure error if `fatal_error_from` names the server or another cause, a failure if that
    names the agent or its limits. Weights of tasks are not read.

    Parameters
    ----------
    path : str, path or list of these
        File, folder with files called runs.jsonl or all_runs.jsonl, or glob pattern.
    system : str, default "alias"
        Field that names the system.
    condition : str, optional
        Field that tells conditions apart, such as a time limit.
    human : bool, default False
        Whether to read the runs of people, too. They are left out with a warning otherwise.
    missing : {"raise", "drop", "failure", "bounds"}, default "raise"
        What to do with trials that have no outcome; see `Trials.from_frame`.
    on_duplicate : {"raise", "last", "first", "renumber"}, default "raise"
        What to do with a run whose system, task, condition and run_id occurred before.
    malformed : {"raise", "skip"}, default "raise"
        What to do with a line that is not of this format.
    max_bytes : int, default 2**29
        Largest file that is read.

    Returns
    -------
    Trials
        The length is the time that a person takes, in minutes; the group is the task family; the
        score is `score_cont`. With an account: `trials.report()`.

    Raises
    ------
    TrialDataError
        If a line is not of this format, runs repeat, or outcomes are unknown without a policy.
    ArgumentError
        If an argument is not allowed.

    Warns
    -----
    ExclusionWarning
        If runs of people are left out.

    References
    ----------
    Kwa et al. (2025), Measuring AI ability to complete long tasks,
    https://doi.org/10.48550/arXiv.2503.14499

    Examples
    --------
    >>> import json, pathlib, tempfile
    >>> file = pathlib.Path(tempfile.mkdtemp()) / "runs.jsonl"
    >>> run = {"alias": "m", "task_id": "t/1", "run_id": 1, "score_binarized": 1}
    >>> _ = file.write_text(json.dumps(run))
    >>> read_metr(file)
    Trials from METR runs: 1 system x 1 task, 1 trial in 1 cell (1 per cell); fingerprint ...
    """
    reading = Reading(
        "METR runs",
        path,
        missing=missing,
        on_duplicate=on_duplicate,
        malformed=malformed,
        max_bytes=max_bytes,
    )
    for file in reading.files("runs.jsonl", "all_runs.jsonl", "runs.jsonl.gz"):
        for place, run in reading.lines(file):
            with reading.record(file, place):
                name = label(need(run, system), system)
                if HUMAN in (name, get(run, "alias"), get(run, "model")) and not human:
                    reading.leave_out("runs of people")
                    continue
                values = _run(run)
                if condition is not None:
                    values["condition"] = str(need(run, condition))
                reading.add(file, place, system=name, **values)
    return reading.trials()


def _run(run: Mapping[str, Any]) -> dict[str, Any]:
    """Take the fields of one run."""
    given = need(run, "score_binarized")
    fatal = get(run, "fatal_error_from")
    fatal = None if fatal is None else label(fatal, "fatal_error_from")
    status = "ok"
    if given is None:
        status = "missing" if fatal is None else FATAL.get(fatal, "infra_error")
    elif fatal in FATAL and not flag(given, "score_binarized"):
        status = "agent_failure"
    family = get(run, "task_family")
    return {
        "task": label(need(run, "task_id"), "task_id"),
        "trial": label(need(run, "run_id"), "run_id"),
        "success": None if given is None else flag(given, "score_binarized"),
        "status": status,
        "score": maybe_number(get(run, "score_cont"), "score_cont"),
        "error": None if fatal is None else f"fatal error from {fatal}",
        "group": None if family is None else label(family, "task_family"),
        "length": maybe_number(get(run, "human_minutes"), "human_minutes"),
        "time": moment(get(run, "started_at")),
    }
