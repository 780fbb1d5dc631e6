"""Recognising formats, the callable module, and files that were damaged."""

import copy
import json
import random
import subprocess
import sys
import warnings

import pytest

import reliability_stats.read as reader
from reliability_stats.exceptions import ArgumentError, ReliabilityStatsError, TrialDataError
from reliability_stats.read import READERS, read, read_report

TAU2 = {
    "info": {
        "agent_info": {"llm": "m", "implementation": "llm_agent"},
        "environment_info": {"domain_name": "retail"},
        "num_trials": 2,
    },
    "tasks": [{"id": "0"}],
    "simulations": [
        {
            "task_id": "0",
            "trial": 0,
            "termination_reason": "user_stop",
            "reward_info": {"reward": 1.0},
        },
        {"task_id": "0", "trial": 1, "termination_reason": "max_steps", "reward_info": None},
    ],
}
TRIAL = {"task_id": "t", "trial_name": "t.1-of-2.r", "is_resolved": True, "failure_mode": "unset",
         "parser_results": {"a": "passed"}, "trial_started_at": "2026-01-01T00:00:00"}  # fmt: skip
HARBOR = {
    "task_name": "t",
    "trial_name": "t__a",
    "agent_info": {"name": "a", "model_info": {"name": "m"}},
    "verifier_result": {"rewards": {"reward": 1}},
    "exception_info": {"exception_type": "AgentTimeoutError"},
    "step_results": [{"exception_info": None}],
    "started_at": "2026-01-01T00:00:00Z",
}
HAL = {
    "config": {"agent_name": "m", "benchmark_name": "gaia", "run_id": "gaia_m_rep1_1767225600"},
    "results": {"successful_tasks": ["1"], "failed_tasks": ["2", "3"]},
    "raw_eval_results": {"1": {"reward": 1}, "2": "ERROR: docker", "3": [{"score": 0}]},
}
SWE = {
    "resolved_ids": ["a"],
    "unresolved_ids": ["b"],
    "error_ids": ["c"],
    "submitted_ids": ["a"],
    "incomplete_ids": ["d"],
    "infra_failure_ids": ["c"],
    "failure_reasons": {"c": "x"},
}
HELM = [
    {"instance_id": "id1", "train_trial_index": 0, "perturbation": {"name": "typos", "seed": 1},
     "stats": [{"name": {"name": "exact_match"}, "mean": 1.0}]},
    {"instance_id": "id1", "stats": [{"name": {"name": "exact_match"}, "mean": 0.0}]},
]  # fmt: skip
INSPECT = {
    "eval": {"model": "m", "task": "toy", "task_id": "a", "created": "2026-01-01",
             "config": {"epochs": 2}, "dataset": {"sample_ids": ["q"]}},
    "plan": {"steps": [{"solver": "s"}]},
    "status": "success",
    "samples": [
        {"id": "q", "epoch": 1, "scores": {"match": {"value": "C"}}, "metadata": {"x": 1}},
        {"id": "q", "epoch": 2, "scores": {}, "error": {"message": "died"}},
    ],
}  # fmt: skip
JUNIT = """<testsuite name="ci" tests="2"><testcase name="a"/>
<testcase name="a"><failure/></testcase><testcase name="b"><error/></testcase></testsuite>"""
FILES = {
    "tau_bench": ("m.json", [{"task_id": 0, "trial": 0, "reward": 1.0, "info": {"error": "x"}},
                             {"task_id": 0, "trial": 1, "reward": 1.0, "info": {}}]),
    "tau2": ("results.json", TAU2),
    "terminal_bench": ("results.json", {"results": [TRIAL]}),
    "harbor": ("result.json", HARBOR),
    "hal": ("x_UPLOAD.json", HAL),
    "swe_bench": ("m.run1.json", SWE),
    "helm": ("per_instance_stats.json", HELM),
    "inspect": ("log.json", INSPECT),
    "lm_eval": ("samples_add_2026-01-01T00-00-00.0.jsonl", [
        {"doc_id": 0, "target": "1", "resps": [["1"]], "filtered_resps": ["1"], "filter": "f",
         "metrics": ["em"], "em": 1.0, "doc_hash": "h"},
        {"doc_id": 1, "target": "1", "resps": [["1", "1"]], "filtered_resps": [["1", "1"]],
         "filter": "f", "metrics": ["em"], "em": 0.5}]),
    "metr": ("runs.jsonl", [
        {"alias": "m", "task_id": "t", "run_id": 1, "score_binarized": 1, "human_minutes": 3.0},
        {"alias": "m", "task_id": "t", "run_id": 2, "score_binarized": None}]),
    "agentrelbench": ("verdicts.jsonl", [
        {"task_id": "t", "run": "run_1", "eog_success": True, "counts_as_damage": False,
         "counts_as_damage_upper": False, "sub_label": None}]),
    "jsonl": ("runs.jsonl", [{"model": "m", "task": "t", "trial": 1, "success": True},
                             {"model": "m", "task": "t", "trial": 2, "success": None}]),
    "table": ("runs.csv", "model,task,trial,success\nm,t,1,1\nm,t,2,\n"),
    "junit": ("r.xml", JUNIT),
}  # fmt: skip
NEEDS_SYSTEM = ("terminal_bench", "helm", "agentrelbench")


def content(name):
    data = FILES[name][1]
    if isinstance(data, str):
        return data
    return (
        "\n".join(map(json.dumps, data)) if FILES[name][0].endswith("jsonl") else json.dumps(data)
    )


def options(name):
    return {"missing": "drop"} | ({"system": "s"} if name in NEEDS_SYSTEM else {})


def quiet(*args, **more):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return read(*args, **more)


@pytest.mark.parametrize("name", FILES)
def test_formats_are_recognised_and_told(write, name, tmp_path):
    if name == "junit":
        pytest.importorskip("defusedxml")
    write(FILES[name][0], content(name))
    trials = quiet(tmp_path, **options(name))
    report = read_report(trials)
    assert report.choices[0] == f"format {name!r} was recognised by content"
    named = quiet(tmp_path / FILES[name][0], format=name, **options(name))
    assert named == trials
    assert report.to_frame()["records"].sum() == report.n_records
    assert report.n_records == trials.n_rows + sum(report.left_out.values())


def test_unknown_and_several_formats(write, tmp_path):
    write("x.json", {"a": 1})
    with pytest.raises(TrialDataError, match="No known format in 1 files"):
        read(tmp_path)
    write("a/m.json", content("tau_bench"))
    write("b/results.json", content("tau2"))
    with pytest.raises(TrialDataError, match=r"Several formats are there: .*tau_bench .*tau2 "):
        read(tmp_path)
    with pytest.raises(ArgumentError, match="did you mean 'tau_bench'"):
        read(tmp_path, format="taubench")
    with pytest.raises(TypeError):
        read(tmp_path / "a", colour="red")


def test_tables_beside_logs_do_not_matter(write, tmp_path):
    write("run/results.json", content("tau2"))
    write("run/costs.csv", "a,b\n1,2\n")
    assert read_report(read(tmp_path, missing="drop")).format == "tau2-bench"


def test_the_package_can_be_called(write):
    file = write("m.json", content("tau_bench"))
    assert reader(file, missing="drop") == read(file, missing="drop")
    names = {name.removeprefix("read_") for name in reader.__all__ if name.startswith("read_")}
    assert set(READERS) == names - {"report", "tau2_leaderboard"}


def test_reading_loads_nothing_heavy():
    code = "import reliability_stats.read, sys; print([m for m in sys.modules if m in "
    code += "('pandas', 'pyarrow', 'scipy.stats', 'pymc', 'arviz', 'defusedxml', 'inspect_ai')])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


TIMES = 20
JUNK = [None, True, -1, 3.5, 1e999, 10**400, "", "x", [], {}, [None], {"a": 1}, "🙂" * 50]


def damaged(data, rng):
    """Replace one value somewhere in nested data by junk, or take it away."""
    data = copy.deepcopy(data)
    spots = []

    def visit(node):
        for key in list(node) if isinstance(node, dict) else range(len(node)):
            spots.append((node, key))
            if isinstance(node[key], (dict, list)):
                visit(node[key])

    visit(data)
    node, key = rng.choice(spots)
    if rng.random() < 0.3:
        del node[key]
    else:
        node[key] = rng.choice(JUNK)
    return data


def attempt(file, name, **more):
    """Read, and check the account, or see it refused with an error of ours."""
    try:
        trials = quiet(file, format=name, **{**options(name), **more})
    except ReliabilityStatsError:
        return
    report = read_report(trials)
    assert report.to_frame()["records"].sum() == report.n_records
    assert report.n_records == trials.n_rows + sum(report.left_out.values())
    known = sum(n for (_, outcome), n in report.kept.items() if outcome != "unknown")
    assert known == trials.n_trials


@pytest.mark.parametrize("name", [n for n in FILES if not isinstance(FILES[n][1], str)])
def test_wrong_types_are_refused_or_accounted_for(write, name):
    rng = random.Random(name)
    lines = FILES[name][0].endswith("jsonl")
    for _ in range(TIMES):
        data = damaged(FILES[name][1], rng)
        text = "\n".join(map(json.dumps, data)) if lines else json.dumps(data)
        file = write(FILES[name][0], text)
        attempt(file, name)
        attempt(file, name, malformed="skip")


@pytest.mark.parametrize("name", FILES)
def test_cut_and_flipped_files_are_refused_or_accounted_for(write, name):
    if name == "junit":
        pytest.importorskip("defusedxml")
    rng = random.Random(name)
    whole = content(name).encode()
    for _ in range(TIMES):
        data = bytearray(whole)
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
        attempt(write(FILES[name][0], bytes(data)), name)
        attempt(write(FILES[name][0], whole[: rng.randrange(len(whole))]), name)
