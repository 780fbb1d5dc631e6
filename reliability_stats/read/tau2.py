"""tau2-bench results: one JSON file, or a folder with an index of simulations."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from .._validation import check_choice
from ..trials import Trials
from ._fields import NEAR, Malformed, get, items, label, mapping, maybe_number, moment, need
from ._files import MAX_BYTES, Paths
from ._records import Named, Reading

STATUS = {
    "user_stop": "ok",
    "agent_stop": "ok",
    "max_steps": "agent_failure",
    "timeout": "agent_failure",
    "too_many_errors": "agent_failure",
    "agent_error": "agent_failure",
    "context_window_exceeded": "agent_failure",
    "infrastructure_error": "infra_error",
    "unexpected_error": "infra_error",
}
USER_ERRORS = ("infra_error", "agent_failure")
CONDITIONS = ("speech_complexity", "retrieval_config", "retrieval_config_kwargs")


def recognise(data: Any) -> bool:
    """Say whether a parsed JSON file is of this format."""
    return (
        isinstance(data, Mapping)
        and isinstance(get(data, "info.agent_info"), Mapping)
        and ("simulations" in data or "simulation_index" in data)
    )


def read_tau2(
    path: Paths,
    *,
    system: Named = None,
    condition: Named = None,
    user_error: str = "infra_error",
    missing: str = "raise",
    on_duplicate: str = "raise",
    malformed: str = "raise",
    max_bytes: int = MAX_BYTES,
) -> Trials:
    """Read results of tau2-bench.

    A simulation succeeds if its reward is within 1e-6 of 1. Steps, time or context used up, too
    many errors and errors of the agent are failures of the agent. Errors of the infrastructure,
    and simulations without a reward, have no outcome (the benchmark's own metrics drop them and
    shrink k). Trials that the run planned but that are not in the file are missing.

    Parameters
    ----------
    path : str, path or list of these
        File, folder with files called results.json, or glob pattern.
    system : str or callable of a path, optional
        Name of the system; by default the agent's model, with the agent's kind unless it is
        "llm_agent".
    condition : str or callable of a path, optional
        Name of the condition; by default the speech complexity and retrieval settings, if set.
    user_error : {"infra_error", "agent_failure"}, default "infra_error"
        What an error of the simulated user is. The benchmark counts it as the agent's failure.
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
        Tasks are called "domain/task", and the domain is the group. With a report:
        `trials.report()`.

    Raises
    ------
    TrialDataError
        If a file or record is not of this format, records repeat, or outcomes are unknown without
        a policy.
    ArgumentError
        If an argument is not allowed.

    References
    ----------
    Barres et al. (2025), tau2-bench, https://doi.org/10.48550/arXiv.2506.07982

    Examples
    --------
    >>> import json, pathlib, tempfile
    >>> info = {"agent_info": {"implementation": "llm_agent", "llm": "m"},
    ...         "environment_info": {"domain_name": "retail"}}
    >>> runs = [{"task_id": "0", "trial": i, "termination_reason": "user_stop",
    ...          "reward_info": {"reward": r}} for i, r in enumerate([1.0, 0.0])]
    >>> file = pathlib.Path(tempfile.mkdtemp()) / "results.json"
    >>> _ = file.write_text(json.dumps({"info": info, "tasks": [], "simulations": runs}))
    >>> read_tau2(file).counts.to_frame()
      system      task  n  successes
    0      m  retail/0  2          1
    """
    status = {**STATUS, "user_error": check_choice(user_error, USER_ERRORS, "user_error")}
    reading = Reading(
        "tau2-bench",
        path,
        missing=missing,
        on_duplicate=on_duplicate,
        malformed=malformed,
        max_bytes=max_bytes,
    )
    for file in reading.files("results.json"):
        data = reading.json(file)
        with reading.header(file):
            info = mapping(need(data, "info"), "info")
            common = {
                "system": reading.system(file, system, _system(info)),
                "condition": reading.named(file, condition, _condition(info), "condition"),
                "group": label(need(info, "environment_info.domain_name"), "the domain's name"),
            }
            planned = _planned(data)
        for place, simulation in _simulations(reading, file, data):
            with reading.record(file, place):
                planned.discard(_add(reading, file, place, common, status, simulation))
        for task, trial in sorted(planned):
            _keep(reading, file, "planned, but not there", common, task, trial, success=None)
    return reading.trials()


def _system(info: Mapping[str, Any]) -> str:
    """Name the agent by its model, and its kind if that is not the usual one."""
    model = label(need(info, "agent_info.llm"), "the agent's model")
    kind = get(info, "agent_info.implementation")
    return model if kind in (None, "llm_agent") else f"{model} ({kind})"


def _condition(info: Mapping[str, Any]) -> str | None:
    """Name the condition by the settings that perturb a task."""
    set_ = {name: info[name] for name in CONDITIONS if info.get(name) not in (None, {}, "")}
    parts = [v if isinstance(v, str) else json.dumps(v, sort_keys=True) for v in set_.values()]
    return " ".join(parts) or None


def _planned(data: Mapping[str, Any]) -> set[tuple[str, str]]:
    """List the trials that the run was to make."""
    number, tasks = get(data, "info.num_trials"), data.get("tasks")
    if not isinstance(number, int) or not isinstance(tasks, list) or not 0 < number <= 10_000:
        return set()
    names = [label(need(task, "id"), "a task's id") for task in tasks]
    return {(name, str(trial)) for name in names for trial in range(number)}


def _simulations(reading: Reading, file: Path, data: Any) -> Iterator[tuple[str, Any]]:
    """Give the simulations: in the file, else in its index, else in the folder beside it."""
    for name in ("simulations", "simulation_index"):
        with reading.header(file):
            found = items(data.get(name) or [], name)
        if found:
            for i, simulation in enumerate(found):
                yield f"{name}[{i}]", simulation
            return
    for one in sorted((file.parent / "simulations").glob("*.json")):
        if not one.is_symlink():
            yield f"simulations/{one.name}", reading.json(one)


def _add(
    reading: Reading,
    file: Path,
    place: str,
    common: dict[str, Any],
    statuses: dict[str, str],
    simulation: Any,
) -> tuple[str, str]:
    """Add one simulation, and give its task and trial."""
    task = label(need(simulation, "task_id"), "task_id")
    trial = label(need(simulation, "trial"), "trial")
    reason = label(need(simulation, "termination_reason"), "termination_reason")
    if reason not in statuses:
        raise Malformed(
            f"the termination_reason {reason!r} is none of {', '.join(sorted(statuses))}"
        )
    given = get(simulation, "reward_info.reward", simulation.get("reward"))
    reward = maybe_number(given, "reward")
    status = statuses[reason]
    if reward is None:
        status = "infra_error"
    error = get(simulation, "info.error")
    _keep(
        reading,
        file,
        place,
        common,
        task,
        trial,
        success=None if reward is None else abs(reward - 1) <= NEAR,
        status=status,
        score=None if status == "infra_error" else reward,
        error=reason if error is None else f"{reason}: {error}",
        time=moment(simulation.get("start_time")),
    )
    return task, trial


def _keep(
    reading: Reading,
    file: Path,
    place: str,
    common: dict[str, Any],
    task: str,
    trial: str,
    **outcome: Any,
) -> None:
    """Add a trial of a task of the domain."""
    reading.add(file, place, **common, task=f"{common['group']}/{task}", trial=trial, **outcome)
