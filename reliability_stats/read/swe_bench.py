"""SWE-bench: reports of runs, folders of reports of instances, and lists of a leaderboard."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from ..exceptions import TrialDataError
from ..trials import Trials
from ._fields import Malformed, flag, get, items, label, mapping, need
from ._files import MAX_BYTES, Paths
from ._records import Named, Reading

INSTANCE_LOG = "run_instance.log"


def recognise(data: Any) -> bool:
    """Say whether a parsed JSON file is of this format."""
    if not isinstance(data, Mapping):
        return False
    if "resolved_ids" in data:
        return "results" not in data  # Terminal-Bench lists resolved_ids beside its results
    if {"no_generation", "no_logs", "resolved"} <= set(data):
        return True
    one = next(iter(data.values()), None)
    return isinstance(one, Mapping) and {"patch_exists", "resolved"} <= set(one)


def read_swe_bench(
    path: Paths,
    *,
    system: Named = None,
    trial: Named = None,
    tasks: Iterable[str] | None = None,
    missing: str = "raise",
    on_duplicate: str = "raise",
    malformed: str = "raise",
    max_bytes: int = MAX_BYTES,
) -> Trials:
    """Read results of SWE-bench and of benchmarks that use its harness.

    Three kinds of files are known: the report of a run (`model.run_id.json`), reports of single
    instances (`run_id/model/instance/report.json`), and the `results.json` of a leaderboard
    submission. Resolved is success. An empty patch, or none, is a failure of the agent. Errors of
    the evaluation and ambiguous failures are errors of the grader, failures of the
    infrastructure are what they say; neither has an outcome, whereas the benchmark counts them as
    not resolved. Instances without a prediction are left out with a warning.

    Parameters
    ----------
    path : str, path or list of these
        File, folder or glob pattern. In a folder, `report.json` files are read if there are any,
        else all JSON files.
    system : str or callable of a path, optional
        Name of the system; by default the model in the name of the file or of its folder.
    trial : str or callable of a path, optional
        Name of the run, which is the trial; by default the run_id in the name of the file or of
        its folder.
    tasks : list of str, optional
        All instances of the benchmark. Needed for leaderboard files, which do not list failures.
    missing : {"raise", "drop", "failure", "bounds"}, default "raise"
        What to do with trials that have no outcome; see `Trials.from_frame`.
    on_duplicate : {"raise", "last", "first", "renumber"}, default "raise"
        What to do with an instance whose system and run occurred before.
    malformed : {"raise", "skip"}, default "raise"
        What to do with a record that is not of this format.
    max_bytes : int, default 2**29
        Largest file that is read.

    Returns
    -------
    Trials
        The score of an instance's report is the share of its tests that pass. With a report:
        `trials.report()`.

    Raises
    ------
    TrialDataError
        If a file is not of these kinds, contradicts itself, records repeat, or outcomes are
        unknown without a policy.
    ArgumentError
        If an argument is not allowed.

    Warns
    -----
    ExclusionWarning
        If instances have no prediction.

    References
    ----------
    Jimenez et al. (2024), SWE-bench, https://doi.org/10.48550/arXiv.2310.06770

    Examples
    --------
    >>> import json, pathlib, tempfile
    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> for run, done in (("run1", ["a__a-1"]), ("run2", [])):
    ...     rest = {"unresolved_ids": [] if done else ["a__a-1"], "empty_patch_ids": ["b__b-2"]}
    ...     _ = (folder / f"m.{run}.json").write_text(json.dumps({"resolved_ids": done, **rest}))
    >>> read_swe_bench(folder).counts.to_frame()
      system    task  n  successes
    0      m  a__a-1  2          1
    1      m  b__b-2  2          0
    """
    reading = Reading(
        "SWE-bench",
        path,
        missing=missing,
        on_duplicate=on_duplicate,
        malformed=malformed,
        max_bytes=max_bytes,
    )
    universe = None if tasks is None else [str(task) for task in tasks]
    files = reading.files("*.json")
    single = [file for file in files if file.name == "report.json"]
    for file in single or files:
        data = reading.json(file)
        with reading.header(file):
            data = mapping(data, "the file")
            if file.name == "report.json":
                model, run = _from_folders(file)
            else:
                model, run = _from_name(file, data)
        common = {
            "system": reading.system(file, system, model),
            "trial": reading.named(file, trial, run, "trial"),
        }
        reading.choose(f"{file.name}: system {common['system']!r}, trial {common['trial']!r}")
        if file.name == "report.json":
            _instances(reading, file, common, data)
        elif "no_generation" in data:
            _leaderboard(reading, file, common, data, universe)
        else:
            _run(reading, file, common, data)
    if single:
        _crashed(reading, single, system, trial)
    return reading.trials()


def _from_name(file: Path, data: Mapping[str, Any]) -> tuple[str | None, str]:
    """Take model and run_id from `model.run_id.json`, or the folder of a leaderboard submission."""
    if "no_generation" in data:
        folder = file.absolute().parent
        return (folder.parent if folder.name == "results" else folder).name, file.stem
    model, _, run = file.stem.rpartition(".")
    return model.replace("__", "/") or None, run


def _from_folders(file: Path) -> tuple[str | None, str]:
    """Take model and run_id from `run_id/model/instance/report.json`."""
    folders = file.absolute().parts
    if len(folders) < 4:
        return None, file.stem
    return folders[-3].replace("__", "/"), folders[-4]


def _ids(data: Mapping[str, Any], name: str) -> list[str]:
    """Give a list of instances, each once; absent is empty."""
    names = [label(one, name) for one in items(data.get(name) or [], name)]
    if len(set(names)) < len(names):
        twice = next(one for i, one in enumerate(names) if one in names[:i])
        raise Malformed(f"{twice!r} occurs more than once in {name}")
    return names


def _disjoint(lists: Mapping[str, Iterable[str]]) -> None:
    """Refuse instances that are in two lists that exclude one another."""
    home: dict[str, str] = {}
    for name, members in lists.items():
        for one in members:
            if home.setdefault(one, name) != name:
                raise Malformed(f"{one!r} is both in {home[one]} and in {name}")


def _run(reading: Reading, file: Path, common: dict[str, Any], data: Mapping[str, Any]) -> None:
    """Add the instances of the report of a run."""
    with reading.header(file):
        need(data, "resolved_ids")
        names = ("resolved_ids", "unresolved_ids", "error_ids", "empty_patch_ids")
        lists = {name: _ids(data, name) for name in (*names, "incomplete_ids")}
        _disjoint(lists)
        infra, ambiguous = (set(_ids(data, f"{w}_failure_ids")) for w in ("infra", "ambiguous"))
        submitted = _ids(data, "submitted_ids")
        reasons = mapping(data.get("failure_reasons") or {}, "failure_reasons")
        stray = (infra | ambiguous) & set(lists["resolved_ids"])
        if stray:
            raise Malformed(f"{min(stray)!r} is both resolved and an infra or ambiguous failure")
    known = {name for members in lists.values() for name in members}
    lists["unlisted"] = [name for name in submitted if name not in known]
    statuses = {"resolved_ids": "ok", "unresolved_ids": "ok", "error_ids": "grader_error"}
    statuses |= {"empty_patch_ids": "agent_failure", "unlisted": "missing"}
    for kind, status in statuses.items():
        for name in lists[kind]:
            if name in infra:
                status_of = "infra_error"
            else:
                status_of = "grader_error" if name in ambiguous else status
            reading.add(
                file,
                f"{kind} {name}",
                **common,
                task=name,
                success=kind == "resolved_ids",
                status=status_of,
                error=reasons.get(name),
            )
    reading.leave_out("instances without a prediction", len(lists["incomplete_ids"]))


def _leaderboard(
    reading: Reading,
    file: Path,
    common: dict[str, Any],
    data: Mapping[str, Any],
    tasks: list[str] | None,
) -> None:
    """Add the instances of a leaderboard submission."""
    if tasks is None:
        raise TrialDataError(
            f"{file}: this file lists only what was resolved. Give tasks=, the names of all "
            "instances of the benchmark."
        )
    with reading.header(file):
        lists = {name: _ids(data, name) for name in ("resolved", "no_generation", "no_logs")}
        _disjoint(lists)
        for name, members in lists.items():
            other = next((one for one in members if one not in set(tasks)), None)
            if other is not None:
                raise Malformed(f"{other!r} in {name} is not in tasks")
    statuses = dict.fromkeys(lists["no_generation"], "agent_failure")
    statuses |= dict.fromkeys(lists["no_logs"], "grader_error")
    resolved = set(lists["resolved"])
    for name in dict.fromkeys(tasks):
        with reading.record(file, name):
            status = statuses.get(name, "ok")
            success = name in resolved
            reading.add(file, name, **common, task=name, success=success, status=status)


def _instances(
    reading: Reading, file: Path, common: dict[str, Any], data: Mapping[str, Any]
) -> None:
    """Add the instances of an instance's report."""
    for name, report in data.items():
        with reading.record(file, name):
            status = "ok"
            if get(report, "infra_failure") is True:
                status = "infra_error"
            elif need(report, "patch_exists") is False or get(report, "patch_is_None") is True:
                status = "agent_failure"
            tests = get(report, "tests_status")
            reading.add(
                file,
                name,
                **common,
                task=name,
                success=flag(need(report, "resolved"), "resolved"),
                status=status,
                score=_share(tests) if tests and status == "ok" else None,
                error=get(report, "infra_failure_reason"),
            )


def _share(tests: Any) -> float | None:
    """Give the share of tests that pass, of those to be mended and those to be kept."""
    passed = failed = 0
    for kind in ("FAIL_TO_PASS", "PASS_TO_PASS"):
        passed += len(items(get(tests, f"{kind}.success", []), kind))
        failed += len(items(get(tests, f"{kind}.failure", []), kind))
    return passed / (passed + failed) if passed + failed else None


def _crashed(reading: Reading, reports: list[Path], system: Named, trial: Named) -> None:
    """Add instances whose evaluation left a log but no report."""
    for folder in sorted({report.parent.parent for report in reports}):
        for log in sorted(folder.glob(f"*/{INSTANCE_LOG}")):
            report = log.with_name("report.json")
            if log.is_symlink() or report.exists():
                continue
            model, run = _from_folders(report)
            reading.add(
                log,
                "the log",
                system=reading.system(report, system, model),
                trial=reading.named(report, trial, run, "trial"),
                task=log.parent.name,
                success=None,
                status="grader_error",
                error="the evaluation left no report",
            )
