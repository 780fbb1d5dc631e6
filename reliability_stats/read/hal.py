"""HAL harness: one `*_UPLOAD.json` a run."""

from __future__ import annotations

import re
from collections.abc import Mapping
from numbers import Real
from pathlib import Path
from typing import Any

from ..trials import Trials
from ._fields import Malformed, get, items, label, mapping, moment, number, passes, short
from ._files import MAX_BYTES, Paths
from ._records import Named, Reading

SETTING = re.compile(
    r"_(?:(?P<fault>fault)_(?P<rate>[0-9]+)pct"
    r"|prompt_(?P<prompt>[a-z]+)_var(?P<variation>[0-9]+)"
    r"|struct_(?P<struct>[a-z]+))"
)
ENDING = re.compile(r"(?:_rep(?P<rep>[0-9]+))?(?:_(?P<unix>[0-9]{9,11}))?$")
TIMED_OUT = re.compile(r"\btask timed out", re.IGNORECASE)
BASELINE = "baseline"


def recognise(data: Any) -> bool:
    """Say whether a parsed JSON file is of this format."""
    return isinstance(data, Mapping) and "raw_eval_results" in data and "results" in data


def read_hal(
    path: Paths,
    *,
    system: Named = None,
    condition: Named = None,
    trial: Named = None,
    missing: str = "raise",
    on_duplicate: str = "raise",
    malformed: str = "raise",
    max_bytes: int = MAX_BYTES,
) -> Trials:
    """Read uploads of the HAL harness (Holistic Agent Leaderboard), decrypted.

    Success is what `successful_tasks` and `failed_tasks` say, else a reward or score of 1. Where
    the result of a task is the text "ERROR: ...", a task that timed out is a failure of the agent,
    and any other error one of the infrastructure, without an outcome; HAL counts both as failures.
    A list of results is one result for each variation of the prompt.

    Parameters
    ----------
    path : str, path or list of these
        File, folder with files called ``*_UPLOAD.json``, or glob pattern.
    system : str or callable of a path, optional
        Name of the system; by default the agent's name, without what says the condition.
    condition : str or callable of a path, optional
        Name of the condition; by default "baseline", "fault 20%", "prompt mild 1" or
        "structure mild", from the run_id or the agent's arguments.
    trial : str or callable of a path, optional
        Name of the run, which is the trial; by default the repetition in the run_id, else the
        run_id.
    missing : {"raise", "drop", "failure", "bounds"}, default "raise"
        What to do with trials that have no outcome; see `Trials.from_frame`.
    on_duplicate : {"raise", "last", "first", "renumber"}, default "raise"
        What to do with a task whose system, condition and run occurred before.
    malformed : {"raise", "skip"}, default "raise"
        What to do with a record that is not of this format.
    max_bytes : int, default 2**29
        Largest file that is read.

    Returns
    -------
    Trials
        Tasks are called "benchmark/task" if the file names the benchmark, which is the group.
        With an account: `trials.report()`.

    Raises
    ------
    TrialDataError
        If a file or record is not of this format, records repeat, or outcomes are unknown without
        a policy.
    ArgumentError
        If an argument is not allowed.

    Examples
    --------
    >>> import json, pathlib, tempfile
    >>> log = {"config": {"agent_name": "m", "run_id": "gaia_m_rep1_1767225600"},
    ...        "results": {"successful_tasks": ["1"], "failed_tasks": ["2"]},
    ...        "raw_eval_results": {}}
    >>> file = pathlib.Path(tempfile.mkdtemp()) / "run_UPLOAD.json"
    >>> _ = file.write_text(json.dumps(log))
    >>> read_hal(file).counts.to_frame()
      system task condition  n  successes
    0      m    1  baseline  1          1
    1      m    2  baseline  1          0
    """
    reading = Reading(
        "HAL",
        path,
        missing=missing,
        on_duplicate=on_duplicate,
        malformed=malformed,
        max_bytes=max_bytes,
    )
    for file in reading.files("*_UPLOAD.json"):
        data = reading.json(file)
        with reading.header(file):
            data = mapping(data, "the file")
            raw = get(data, "raw_eval_results")
            raw = raw if isinstance(raw, Mapping) else {}
            wins = _listed(data, "successful_tasks")
            losses = _listed(data, "failed_tasks")
            both = None if wins is None or losses is None else set(wins) & set(losses)
            if both:
                raise Malformed(f"task {min(both)!r} is both successful and failed")
            run = _run_id(data, file)
            agent = _agent(data, run)
            common = {
                "system": reading.system(file, system, agent),
                "condition": reading.named(file, condition, _condition(data, run), "condition"),
                "trial": reading.named(file, trial, _trial(run), "trial"),
                "group": _benchmark(data),
                "time": _time(data, run),
            }
        verdicts = dict.fromkeys(wins or (), True) | dict.fromkeys(losses or (), False)
        for task in dict.fromkeys([*verdicts, *raw]):
            with reading.record(file, f"task {task}"):
                _add(reading, file, common, task, verdicts.get(task), raw.get(task))
    return reading.trials()


def _listed(data: Mapping[str, Any], name: str) -> list[str] | None:
    """Give the tasks of a list, or None if the file has no such list."""
    given = get(data, f"results.{name}")
    return None if given is None else [label(one, name) for one in items(given, name)]


def _run_id(data: Mapping[str, Any], file: Path) -> str:
    """Name the run."""
    given = get(data, "config.run_id") or get(data, "metadata.run_id")
    return label(given or file.stem.removesuffix("_UPLOAD"), "run_id")


def _benchmark(data: Mapping[str, Any]) -> str | None:
    """Name the benchmark."""
    name = get(data, "config.benchmark_name")
    return None if name is None else label(name, "benchmark_name")


def _agent(data: Mapping[str, Any], run: str) -> str | None:
    """Name the agent: as configured, or from a run_id that ends in a repetition or a time."""
    name = get(data, "config.agent_name")
    if name is not None:
        return SETTING.sub("", label(name, "agent_name"))
    benchmark = _benchmark(data)
    core = SETTING.split(ENDING.sub("", run))[0]
    if benchmark is None or not core.startswith(f"{benchmark}_"):
        return None
    return core.removeprefix(f"{benchmark}_")


def _condition(data: Mapping[str, Any], run: str) -> str:
    """Name the condition, from the run_id or the agent's arguments."""
    match = SETTING.search(run)
    if match and match["fault"]:
        return f"fault {match['rate']}%"
    if match and match["prompt"]:
        return f"prompt {match['prompt']} {match['variation']}"
    if match:
        return BASELINE if match["struct"] == BASELINE else f"structure {match['struct']}"
    arguments = get(data, "metadata.agent_args") or get(data, "config.agent_args") or {}
    if str(get(arguments, "enable_fault_injection")).lower() == "true":
        rate = get(arguments, "fault_rate")
        return "fault" if rate is None else f"fault {number(_float(rate), 'fault_rate'):.0%}"
    if str(get(arguments, "enable_structural_perturbations")).lower() == "true":
        return f"structure {get(arguments, 'perturbation_strength') or ''}".strip()
    return BASELINE


def _float(value: Any) -> Any:
    """Turn text into a number, if it is one; the harness writes arguments as text."""
    try:
        return float(value) if isinstance(value, str) else value
    except ValueError:
        return value


def _trial(run: str) -> str:
    """Name the trial by the repetition, else by the run."""
    match = ENDING.search(run)
    return match["rep"] if match and match["rep"] else run


def _time(data: Mapping[str, Any], run: str) -> Any:
    """Give the time of the run, from its date or the end of its run_id."""
    match = ENDING.search(run)
    if match and match["unix"]:
        return moment(int(match["unix"]))
    return moment(get(data, "config.date"))


def _add(
    reading: Reading,
    file: Path,
    common: dict[str, Any],
    task: str,
    verdict: bool | None,
    raw: Any,
) -> None:
    """Add a task of a run, or each variation of its prompt."""
    group = common["group"]
    name = task if group is None else f"{group}/{task}"
    if not isinstance(raw, list):
        reading.add(file, f"task {task}", **common, task=name, **_outcome(verdict, raw))
        return
    for i, result in enumerate(raw):
        values = {**common, "condition": f"prompt {i}", **_outcome(None, result)}
        reading.add(file, f"task {task}, variation {i}", task=name, **values)


def _outcome(verdict: bool | None, raw: Any) -> dict[str, Any]:
    """Give success, status, score and error of one result."""
    if isinstance(raw, str):
        if not raw.startswith("ERROR"):
            raise Malformed(f"a result that is text must begin with ERROR, not {short(raw)}")
        status = "agent_failure" if TIMED_OUT.search(raw) else "infra_error"
        return {"success": None, "status": status, "error": raw}
    score = raw if isinstance(raw, Real) else get(raw, "reward", get(raw, "score"))
    value = None if score is None else number(_float(score), "reward")
    if verdict is None and value is None:
        if raw:
            raise Malformed(
                "there are no lists of successful and failed tasks, and no reward or score in "
                f"{short(raw)}"
            )
        return {"success": None, "status": "missing"}
    return {"success": passes(value, 1.0) if verdict is None and value is not None else verdict,
            "score": value}  # fmt: skip
