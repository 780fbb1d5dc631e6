"""Writers of small logs of every format from records of known kinds; shared by several tests.

A record is (kind, task, trial). Files are called after their system: "s0-..." or in a folder s0.
"""

import json
import zipfile
from dataclasses import dataclass, field
from pathlib import Path

from reliability_stats import read

OUTCOMES = ("success", "failure")
ERRORS = ("infra_error", "grader_error", "missing")


@dataclass(frozen=True)
class Format:
    """How to write records to one file, which kinds there are, and how to read them."""

    write: callable
    kinds: tuple
    options: dict = field(default_factory=dict)


def system_of(path):
    """Name the system after the file or its folder."""
    parts = [Path(path).name, Path(path).parent.name, Path(path).parent.parent.name]
    return next(part for part in parts if part[:1] == "s" and part[1:2].isdigit())[:2]


def as_json(file, data):
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(data), "utf-8")
    return file


def as_lines(file, rows):
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("\n".join(map(json.dumps, rows)), "utf-8")
    return file


def tau_bench(folder, name, records):
    rows = [
        {
            "task_id": task,
            "trial": trial,
            "reward": {"success": 1.0, "malformed": "high"}.get(kind, 0.0),
            "info": {"error": "died"} if kind == "infra_error" else {},
            "traj": [],
        }
        for kind, task, trial in records
    ]
    return as_json(folder / f"{name}.json", rows)


def tau2(folder, name, records):
    reasons = {"infra_error": "infrastructure_error", "agent_failure": "max_steps"}
    rows = [
        {
            "task_id": f"{task}",
            "trial": trial,
            "termination_reason": "sleep"
            if kind == "malformed"
            else reasons.get(kind, "user_stop"),
            "reward_info": None if kind == "infra_error" else {"reward": float(kind == "success")},
            "start_time": "2026-01-02T03:04:05",
        }
        for kind, task, trial in records
    ]
    info = {"agent_info": {"llm": "m"}, "environment_info": {"domain_name": "retail"}}
    return as_json(folder / name / "results.json", {"info": info, "tasks": [], "simulations": rows})


def terminal_bench(folder, name, records):
    modes = {"infra_error": "unknown_agent_error", "grader_error": "parse_error"}
    modes["agent_failure"] = "agent_timeout"
    rows = [
        {
            "task_id": f"t{task}",
            "trial_name": f"t{task}.{trial + 1}-of-9.run",
            "is_resolved": {"success": True, "failure": False, "agent_failure": False,
                            "malformed": "perhaps"}.get(kind),
            "failure_mode": modes.get(kind, "unset"),
            "parser_results": {"a": "passed"},
            "trial_started_at": None,
        }
        for kind, task, trial in records
    ]  # fmt: skip
    return as_json(folder / name / "results.json", {"results": rows})


def inspect(folder, name, records):
    rows = []
    for kind, task, trial in records:
        grade = {"success": "C", "failure": "I", "malformed": "perhaps"}.get(kind)
        row = {"id": task, "epoch": trial + 1, "completed_at": "2026-01-02T03:04:05+00:00"}
        row["scores"] = {} if grade is None else {"match": {"value": grade}}
        if kind == "infra_error":
            row["error"] = {"message": "died"}
        if kind == "agent_failure":
            row["limit"] = {"type": "token"}
        rows.append(row)
    evaluation = {"model": "m", "task": "toy", "task_id": name, "created": "2026-01-02"}
    evaluation |= {"config": {"epochs": 1}, "dataset": {}}
    log = {"eval": evaluation, "status": "success", "samples": rows}
    return as_json(folder / f"{name}.json", log)


def inspect_eval(folder, name, records):
    """The same as an archive, without the packing that needs another package."""
    log = json.loads(inspect(folder, name, records).read_text())
    (folder / f"{name}.json").unlink()
    file = folder / f"{name}.eval"
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for i, one in enumerate(log.pop("samples")):
            archive.writestr(f"samples/{i}_{one['id']}_epoch_{one['epoch']}.json", json.dumps(one))
        archive.writestr("header.json", json.dumps(log))
    return file


def metr(folder, name, records):
    fatal = {"infra_error": "server", "agent_failure": "usageLimits"}
    rows = [
        {
            "alias": name[:2],
            "task_id": f"f/{task}",
            "run_id": f"{task}-{trial}",
            "task_family": "f",
            "score_binarized": {"success": 1, "failure": 0, "agent_failure": 0,
                                "malformed": 0.4}.get(kind),
            "score_cont": None,
            "human_minutes": 3.5,
            "fatal_error_from": fatal.get(kind),
            "started_at": 1_700_000_000_000,
        }
        for kind, task, trial in records
    ]  # fmt: skip
    return as_lines(folder / name / "runs.jsonl", rows)


def agentrelbench(folder, name, records):
    rows = [
        {
            "task_id": f"t{task}",
            "run": f"run_{trial}",
            "eog_success": {"success": True, "failure": False, "agent_failure": False,
                            "malformed": "perhaps"}.get(kind),
            "counts_as_damage": False,
            "counts_as_damage_upper": False,
            "sub_label": "stalled_x" if kind == "agent_failure" else "clean",
        }
        for kind, task, trial in records
    ]  # fmt: skip
    return as_lines(folder / name / "verdicts.jsonl", rows)


def helm(folder, name, records):
    rows = []
    for kind, task, trial in records:
        stats = [{"name": {"name": "num_tokens"}, "count": 1, "mean": 7}]
        value = {"success": 1.0, "failure": 0.0, "malformed": 0.5}.get(kind)
        if value is not None:
            stats.append({"name": {"name": "exact_match"}, "count": 1, "mean": value})
        rows.append({"instance_id": f"id{task}", "train_trial_index": trial, "stats": stats})
    as_json(folder / name / "run_spec.json", {"name": "mmlu:x", "adapter_spec": {"model": "m"}})
    return as_json(folder / name / "per_instance_stats.json", rows)


def lm_eval(folder, name, records):
    """A row a document; trials are files, so each trial has a file of its own."""
    last = folder
    for trial in sorted({trial for _, _, trial in records}):
        rows = [
            {
                "doc_id": task,
                "target": "1",
                "resps": [["1"]],
                "filtered_resps": ["1"],
                "filter": "none",
                "metrics": ["em"],
                "em": {"success": 1.0, "failure": 0.0, "malformed": 0.5}.get(kind),
            }
            for kind, task, one in records
            if one == trial
        ]
        last = as_lines(
            folder / name[:2] / f"samples_add_2026-01-0{trial + 1}T00-00-00.0.jsonl", rows
        )
    return last


def harbor(folder, name, records):
    errors = {"infra_error": "ApiRateLimitError", "agent_failure": "AgentTimeoutError"}
    errors["grader_error"] = "VerifierTimeoutError"
    last = folder
    for i, (kind, task, trial) in enumerate(records):
        reward = {"success": 1.0, "failure": 0.0, "malformed": "high"}.get(kind)
        row = {
            "id": f"{task}-{trial}",
            "task_name": f"t{task}",
            "trial_name": f"t{task}__{trial}",
            "agent_info": {"name": "a", "model_info": {"name": "m"}},
            "verifier_result": None if reward is None else {"rewards": {"reward": reward}},
            "exception_info": {"exception_type": errors[kind]} if kind in errors else None,
            "started_at": f"2026-01-02T03:04:{i % 60:02d}Z",
        }
        last = as_json(folder / name / f"{i}" / "result.json", row)
    return last


def hal(folder, name, records):
    """A file a trial."""
    last = folder
    for trial in sorted({trial for _, _, trial in records}):
        here = {task: kind for kind, task, one in records if one == trial}
        raw = {
            "infra_error": "ERROR: docker died",
            "agent_failure": "ERROR: Task timed out after 9s",
        }
        raw |= {"malformed": "fine", "success": {"reward": 1.0}, "failure": {"reward": 0.0}}
        data = {
            "config": {"agent_name": "a", "benchmark_name": "gaia", "date": "2026-01-02",
                       "run_id": f"gaia_a_rep{trial}_1767225600"},
            "results": {},
            "raw_eval_results": {f"{task}": raw.get(kind, {}) for task, kind in here.items()},
        }  # fmt: skip
        last = as_json(folder / f"{name}-{trial}_UPLOAD.json", data)
    return last


def swe_bench(folder, name, records):
    """A report a trial."""
    last = folder
    homes = {"success": "resolved_ids", "failure": "unresolved_ids", "infra_error": "error_ids"}
    homes |= {"grader_error": "error_ids", "agent_failure": "empty_patch_ids"}
    homes["missing"] = "submitted_ids"
    for trial in sorted({trial for _, _, trial in records}):
        here = {f"i-{task}": kind for kind, task, one in records if one == trial}
        data = {"schema_version": 2, "infra_failure_ids": [], "failure_reasons": {}}
        data |= {home: [] for home in homes.values()} | {"incomplete_ids": []}
        for task, kind in here.items():
            data[homes[kind]].append(task)
            if kind == "infra_error":
                data["infra_failure_ids"].append(task)
        last = as_json(folder / f"{name}.run{trial}.json", data)
    return last


def junit(folder, name, records):
    """A file a trial."""
    last = folder
    inner = {"failure": "<failure message='no'/>", "infra_error": "<error message='died'/>"}
    inner["missing"] = "<skipped type='pytest.skip'/>"
    for trial in sorted({trial for _, _, trial in records}):
        cases = [
            f'<testcase classname="c" name="{"" if kind == "malformed" else f"t{task}"}">'
            f"{inner.get(kind, '')}</testcase>"
            for kind, task, one in records
            if one == trial
        ]
        last = folder / f"{name}-{trial}.xml"
        last.write_text(
            f'<?xml version="1.0"?><testsuites><testsuite name="ci" tests="{len(cases)}" '
            f'timestamp="2026-01-02T03:04:05">{"".join(cases)}</testsuite></testsuites>'
        )
    return last


def _rows(records, name):
    return [
        {
            "system": name[:2],
            "task": f"t{task}",
            "trial": trial,
            "success": {"success": 1, "failure": 0, "malformed": 7}.get(kind),
            "status": kind if kind.endswith(("error", "_failure")) else "ok",
        }
        for kind, task, trial in records
    ]


def jsonl(folder, name, records):
    return as_lines(folder / f"{name}.jsonl", _rows(records, name))


def csv(folder, name, records):
    file = folder / f"{name}.csv"
    rows = _rows(records, name)
    lines = [",".join(rows[0])]
    lines += [",".join("" if v is None else str(v) for v in row.values()) for row in rows]
    file.write_text("\n".join(lines) + "\n", "utf-8")
    return file


def _frame(records, name):
    import pandas as pd

    return pd.DataFrame(_rows(records, name)).astype({"success": "Int64"})


def parquet(folder, name, records):
    file = folder / f"{name}.parquet"
    _frame(records, name).to_parquet(file)
    return file


def arrow(folder, name, records):
    import pyarrow as pa
    import pyarrow.feather

    file = folder / f"{name}.feather"
    pyarrow.feather.write_feather(pa.table(_frame(records, name)), file)
    return file


def evalpower(folder, name, records):
    """A row a run."""
    rows = [
        {
            "model": name[:2],
            "task": f"t{task}",
            "passed": {"success": 1, "failure": 0, "malformed": 7}.get(kind),
        }
        for kind, task, trial in records
    ]
    return as_lines(folder / f"{name}.jsonl", rows)


BOTH = {"columns": None}
FORMATS = {
    "tau_bench": Format(tau_bench, (*OUTCOMES, "infra_error", "malformed")),
    "tau2": Format(tau2, (*OUTCOMES, "agent_failure", "infra_error", "malformed")),
    "terminal_bench": Format(
        terminal_bench, (*OUTCOMES, "agent_failure", "infra_error", "grader_error", "malformed")
    ),
    "inspect": Format(
        inspect, (*OUTCOMES, "agent_failure", "infra_error", "missing", "malformed"),
        {"scorer": "match"},
    ),
    "metr": Format(
        metr, (*OUTCOMES, "agent_failure", "infra_error", "missing", "malformed"),
        {"system": "alias"},
    ),
    "agentrelbench": Format(
        agentrelbench, (*OUTCOMES, "agent_failure", "missing", "malformed")
    ),
    "helm": Format(helm, (*OUTCOMES, "missing", "malformed")),
    "lm_eval": Format(lm_eval, (*OUTCOMES, "missing", "malformed")),
    "harbor": Format(
        harbor, (*OUTCOMES, "agent_failure", "infra_error", "grader_error", "malformed")
    ),
    "hal": Format(hal, (*OUTCOMES, "agent_failure", "infra_error", "missing", "malformed")),
    "swe_bench": Format(
        swe_bench, (*OUTCOMES, "agent_failure", "infra_error", "grader_error", "missing")
    ),
    "junit": Format(junit, (*OUTCOMES, "infra_error", "missing", "malformed")),
    "evalpower": Format(evalpower, (*OUTCOMES, "missing", "malformed"), {"per_run": True}),
    "jsonl": Format(jsonl, (*OUTCOMES, "agent_failure", *ERRORS, "malformed"), BOTH),
    "csv": Format(csv, (*OUTCOMES, "agent_failure", *ERRORS, "malformed"), BOTH),
    "parquet": Format(parquet, (*OUTCOMES, "agent_failure", *ERRORS, "malformed"), BOTH),
    "arrow": Format(arrow, (*OUTCOMES, "agent_failure", *ERRORS, "malformed"), BOTH),
    "inspect_eval": Format(
        inspect_eval, (*OUTCOMES, "agent_failure", "infra_error", "missing", "malformed"),
        {"scorer": "match"},
    ),
}  # fmt: skip
READER = {"csv": "table", "parquet": "table", "arrow": "table", "inspect_eval": "inspect"}
ONE_FILE_A_TRIAL = {"lm_eval", "hal", "swe_bench", "junit"}
NO_COPIES = {*ONE_FILE_A_TRIAL, "harbor", "evalpower"}


def reader_of(name):
    """Give the name of the reader of a format."""
    return READER.get(name, name)


def read_back(name, path, **more):
    """Read files of a format, with the system from their names where they do not hold it."""
    options = dict(FORMATS[name].options)
    if "columns" in options:
        options.pop("columns")
    elif name != "evalpower":
        options.setdefault("system", system_of)
    if name == "evalpower":
        more.pop("on_duplicate", None)
    return read.READERS[reader_of(name)](path, **options, **more)
