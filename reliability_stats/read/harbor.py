"""Harbor (Terminal-Bench 2): one result.json a trial, in the folder of a job."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from .._counts import plural
from ..exceptions import ExclusionWarning
from ..trials import Trials
from ._fields import Malformed, get, items, label, mapping, moment, need, number, passes
from ._files import MAX_BYTES, Paths, natural
from ._records import Named, Reading

AGENT_ERRORS = frozenset(
    {
        "AgentTimeoutError",
        "ContextWindowExceededError",
        "ContextLengthExceededError",
        "OutputTokenExceededError",
        "OutputLengthExceededError",
        "AgentSafetyRefusalError",
        "ContentPolicyViolationError",
    }
)
GRADER_ERRORS = frozenset(
    {
        "VerifierTimeoutError",
        "VerifierOutputParseError",
        "RewardFileNotFoundError",
        "RewardFileEmptyError",
        "AddTestsDirError",
        "DownloadVerifierDirError",
        "RegradeError",
    }
)


def recognise(data: Any) -> bool:
    """Say whether a parsed JSON file is of this format."""
    return isinstance(data, Mapping) and (
        {"trial_name", "task_name", "agent_info"} <= set(data) or _is_job(data)
    )


def _is_job(data: Mapping[str, Any]) -> bool:
    """Say whether a file is the summary of a job."""
    return {"n_total_trials", "stats"} <= set(data)


def read_harbor(
    path: Paths,
    *,
    system: Named = None,
    reward: str = "reward",
    threshold: float = 1.0,
    agent_errors: Collection[str] | None = None,
    missing: str = "raise",
    on_duplicate: str = "raise",
    malformed: str = "raise",
    max_bytes: int = MAX_BYTES,
) -> Trials:
    """Read job folders of Harbor, such as runs of Terminal-Bench 2.

    A trial succeeds if its reward reaches the threshold. Exceptions that are the agent's own doing
    (time, context or output used up, refusals) leave the reward as it is, and are failures where
    there is none. After other exceptions, and without a reward, the trial has no outcome: an
    error of the verifier or of the infrastructure. Newer files state whether a reward is valid
    after an exception; that is believed, and a reward then counts as graded. Trials have no number
    in the files; they are numbered by their start within a task.

    Parameters
    ----------
    path : str, path or list of these
        File, folder with files called result.json, or glob pattern.
    system : str or callable of a path, optional
        Name of the system; by default "agent + model".
    reward : str, default "reward"
        Which of the verifier's rewards to take.
    threshold : float, default 1.0
        Least reward that is a success.
    agent_errors : collection of str, optional
        Types of exceptions that are the agent's own doing. If given, what files state of the
        validity of rewards is not asked.
    missing : {"raise", "drop", "failure", "bounds"}, default "raise"
        What to do with trials that have no outcome; see `Trials.from_frame`.
    on_duplicate : {"raise", "last", "first", "renumber"}, default "raise"
        What to do with a trial whose identifier occurred before.
    malformed : {"raise", "skip"}, default "raise"
        What to do with a file that is not of this format.
    max_bytes : int, default 2**29
        Largest file that is read.

    Returns
    -------
    Trials
        The group is the data set. With an account: `trials.report()`.

    Raises
    ------
    TrialDataError
        If a file is not of this format, trials repeat, or outcomes are unknown without a policy.
    ArgumentError
        If an argument is not allowed.

    Warns
    -----
    ExclusionWarning
        If a job planned more trials than it left results of.

    Examples
    --------
    >>> import json, pathlib, tempfile
    >>> trial = {"task_name": "t", "trial_name": "t__a", "agent_info": {"name": "agent"},
    ...          "verifier_result": {"rewards": {"reward": 1}}}
    >>> file = pathlib.Path(tempfile.mkdtemp()) / "result.json"
    >>> _ = file.write_text(json.dumps(trial))
    >>> read_harbor(file)
    Trials from Harbor: 1 system x 1 task, 1 trial in 1 cell (1 per cell); fingerprint ...
    """
    reading = Reading(
        "Harbor",
        path,
        missing=missing,
        on_duplicate=on_duplicate,
        malformed=malformed,
        max_bytes=max_bytes,
    )
    found: list[tuple[Path, Mapping[str, Any]]] = []
    planned: dict[Path, int] = {}
    for file in reading.files("result.json"):
        data = reading.json(file)
        if isinstance(data, Mapping) and _is_job(data):
            with reading.header(file):
                planned[file.parent] = int(number(data["n_total_trials"], "n_total_trials"))
            continue
        with reading.record(file, "the trial"):
            found.append((file, mapping(data, "the file")))
    _unfinished(planned, [file for file, _ in found])
    for file, data in sorted(found, key=_start):
        with reading.record(file, "the trial"):
            _add(reading, file, system, reward, threshold, agent_errors, data)
    _number(reading)
    return reading.trials()


def _start(found: tuple[Path, Mapping[str, Any]]) -> tuple[str, Any]:
    """Sort key: start of the trial, then its folder."""
    time = moment(found[1].get("started_at"))
    return ("" if time is None else time.isoformat(), natural(found[0]))


def _unfinished(planned: dict[Path, int], files: list[Path]) -> None:
    """Warn of trials of a job that left no result."""
    there = Counter(folder for file in files for folder in file.parents if folder in planned)
    lost = {job: number - there[job] for job, number in planned.items() if number > there[job]}
    if lost:
        first = next(iter(lost))
        warnings.warn(
            f"{plural(sum(lost.values()), 'trial')} planned left no result and cannot be counted; "
            f"the first job with such trials is {first} ({there[first]} of {planned[first]}).",
            ExclusionWarning,
            stacklevel=3,
        )


def _exceptions(data: Mapping[str, Any], agent_errors: Collection[str] | None) -> dict[str, str]:
    """Give the exceptions of a trial and its steps, each as "agent", "graded" or "other"."""
    steps = items(data.get("step_results") or [], "steps")
    found: dict[str, str] = {}
    for error in (get(one, "exception_info") for one in (data, *steps)):
        name = get(error, "exception_type")
        if name is None:
            continue
        valid = agent_errors is None and get(error, "policy.has_valid_reward") is True
        own = str(name) in (AGENT_ERRORS if agent_errors is None else agent_errors)
        refused = agent_errors is None and get(error, "policy.has_valid_reward") is False
        kind = "agent" if own and not refused else "graded" if valid else "other"
        if found.get(str(name)) != "other":
            found[str(name)] = kind
    return found


def _status(found: Mapping[str, str], value: float | None, threshold: float) -> str:
    """Give the status of a trial by its exceptions and its reward."""
    without = ("other",) if value is not None else ("other", "graded")
    lost = {name for name, kind in found.items() if kind in without}
    if lost:
        return "grader_error" if lost <= GRADER_ERRORS else "infra_error"
    if "agent" in found.values() and (value is None or not passes(value, threshold)):
        return "agent_failure"
    return "ok" if value is not None else "grader_error"


def _add(
    reading: Reading,
    file: Path,
    system: Named,
    reward: str,
    threshold: float,
    agent_errors: Collection[str] | None,
    data: Mapping[str, Any],
) -> None:
    """Add one trial under its name; numbers come at the end."""
    names = [get(data, "agent_info.name"), get(data, "agent_info.model_info.name")]
    errors = _exceptions(data, agent_errors)
    value = _reward(data, reward)
    status = _status(errors, value, threshold)
    reading.add(
        file,
        "the trial",
        system=reading.system(file, system, " + ".join(str(n) for n in names if n) or None),
        task=label(need(data, "task_name"), "task_name"),
        trial=label(data.get("id") or need(data, "trial_name"), "trial_name"),
        success=None if value is None else passes(value, threshold),
        status=status,
        score=None if status in ("infra_error", "grader_error") else value,
        error=", ".join(errors) or None,
        group=None if data.get("source") is None else label(data["source"], "source"),
        time=moment(data.get("started_at")),
    )


def _reward(data: Mapping[str, Any], name: str) -> float | None:
    """Give one of the verifier's rewards, or None if there are none."""
    rewards = get(data, "verifier_result.rewards")
    if not rewards:
        return None
    if name not in mapping(rewards, "rewards"):
        raise Malformed(
            f"there is no reward {name!r}; there are {', '.join(rewards)}: name one with reward="
        )
    return number(rewards[name], "reward")


def _number(reading: Reading) -> None:
    """Turn identifiers into numbers by start within a task, keeping copies recognisable."""
    columns = reading.columns
    seen: dict[tuple[str, str], dict[str, str]] = {}
    for row, (system, task, name) in enumerate(
        zip(columns["system"], columns["task"], columns["trial"], strict=True)
    ):
        names = seen.setdefault((system, task), {})
        columns["trial"][row] = names.setdefault(name, str(len(names)))
    reading.choose("trials are numbered by their start within a task")
