"""SWE-bench."""

import pandas as pd
import pytest

from reliability_stats.exceptions import ExclusionWarning, TrialDataError
from reliability_stats.read._report import read_report
from reliability_stats.read.swe_bench import read_swe_bench

REPORT = {
    "resolved_ids": ["a-1", "a-2"],
    "unresolved_ids": ["a-3", "a-4", "a-5"],
    "error_ids": ["a-6", "a-7"],
    "empty_patch_ids": ["a-8"],
    "incomplete_ids": ["a-9", "a-10"],
    "infra_failure_ids": ["a-4", "a-6"],
    "ambiguous_failure_ids": ["a-5"],
    "failure_reasons": {"a-6": "docker died"},
    "submitted_ids": [f"a-{i}" for i in range(1, 9)] + ["a-11"],
    "schema_version": 2,
}


def test_a_report(write):
    file = write("openai__m-4.1.run1.json", REPORT)
    with pytest.raises(TrialDataError, match=r"5 of 9 trials have no outcome: 2 infra_error, 2 g"):
        read_swe_bench(file)
    with pytest.warns(ExclusionWarning, match="2 instances without a prediction"):
        trials = read_swe_bench(file, missing="drop")
    assert trials.systems == ("openai/m-4.1",)
    report = read_report(trials)
    assert report.kept == {
        ("ok", "failure"): 1,
        ("ok", "success"): 2,
        ("agent_failure", "failure"): 1,
        ("infra_error", "unknown"): 2,
        ("grader_error", "unknown"): 2,
        ("missing", "unknown"): 1,
    }
    assert report.n_records == 11


def test_published_instances_read_back(data, write, tmp_path):
    table = pd.read_csv(data / "swebench_verified_bash_only_instances.csv")
    for i, (_, rows) in enumerate(table.groupby("system")):
        parts = {f"{name}_ids": rows.loc[rows["success"] == value, "task"].tolist()
                 for name, value in (("resolved", 1), ("unresolved", 0))}  # fmt: skip
        write(f"s{i}.run1.json", parts)
    trials = read_swe_bench(tmp_path)
    found = trials.counts.to_frame().groupby("system")["successes"].sum()
    expected = table.groupby("system")["success"].sum()
    assert [found[f"s{i}"] for i in range(len(expected))] == expected.tolist()
    assert trials.n_trials == 12_500


def test_runs_are_trials(write, tmp_path):
    for run in ("r1", "r2"):
        write(f"m.{run}.json", {"resolved_ids": ["a"], "unresolved_ids": []})
    assert read_swe_bench(tmp_path).counts.n.tolist() == [2]
    with pytest.raises(TrialDataError, match="1 record of 2 repeat"):
        read_swe_bench(tmp_path, trial="only")


def test_reports_of_instances(write, tmp_path):
    tests = {
        "FAIL_TO_PASS": {"success": ["x"], "failure": ["y"]},
        "PASS_TO_PASS": {"success": ["z", "u"], "failure": []},
    }
    ok = {"patch_is_None": False, "patch_exists": True, "patch_successfully_applied": True}
    root = "run_evaluation/run1/org__m"
    write(f"{root}/a-1/report.json", {"a-1": ok | {"resolved": True, "tests_status": tests}})
    write(f"{root}/a-2/report.json", {"a-2": {"patch_exists": False, "resolved": False}})
    write(f"{root}/a-3/report.json", {"a-3": ok | {"resolved": False, "infra_failure": True}})
    write(f"{root}/a-4/run_instance.log", "Traceback")
    trials = read_swe_bench(tmp_path, missing="failure")
    assert trials.systems == ("org/m",)
    assert trials.tasks == ("a-1", "a-2", "a-3", "a-4")
    assert read_report(trials).kept == {
        ("ok", "success"): 1,
        ("agent_failure", "failure"): 1,
        ("infra_error", "unknown"): 1,
        ("grader_error", "unknown"): 1,
    }
    rows = trials.to_frame().set_index("task")
    assert rows.loc["a-1", "score"] == 0.75


def test_leaderboard_lists(write):
    lists = {"no_generation": ["b"], "no_logs": ["c"], "resolved": ["a"]}
    file = write("results.json", lists)
    with pytest.raises(TrialDataError, match="Give tasks=, the names of all instances"):
        read_swe_bench(file, system="m")
    trials = read_swe_bench(file, system="m", tasks=["a", "b", "c", "d"], missing="drop")
    assert read_report(trials).kept == {
        ("ok", "failure"): 1,
        ("ok", "success"): 1,
        ("agent_failure", "failure"): 1,
        ("grader_error", "unknown"): 1,
    }
    with pytest.raises(TrialDataError, match="'a' in resolved is not in tasks"):
        read_swe_bench(file, system="m", tasks=["b", "c"])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ([], "the file must be an object"),
        ({}, "there is no 'resolved_ids'"),
        ({"resolved_ids": "a"}, "resolved_ids must be a list"),
        ({"resolved_ids": ["a", "a"]}, "'a' occurs more than once in resolved_ids"),
        ({"resolved_ids": ["a"], "error_ids": ["a"]}, "both in resolved_ids and in error_ids"),
        ({"resolved_ids": ["a"], "infra_failure_ids": ["a"]}, "both resolved and an infra"),
        ({"resolved_ids": [], "unresolved_ids": []}, "No SWE-bench record"),
        ({"resolved_ids": [None]}, "resolved_ids must be text"),
    ],
)
def test_broken_reports(write, content, message):
    with pytest.raises(TrialDataError, match=message):
        read_swe_bench(write("m.run.json", content))


@pytest.mark.parametrize(
    ("report", "message"),
    [
        (3, "an object was expected"),
        ({"patch_exists": True, "resolved": "yes"}, "resolved must be"),
        ({"resolved": True}, "there is no 'patch_exists'"),
        ({"patch_exists": True, "resolved": True, "tests_status": {"PASS_TO_PASS": {"success": 1}}},
         "PASS_TO_PASS must be a list"),
    ],
)  # fmt: skip
def test_broken_reports_of_instances(write, report, message):
    with pytest.raises(TrialDataError, match=message):
        read_swe_bench(write("r/m/a/report.json", {"a": report}))


def test_names(write, tmp_path):
    bare = write("gpt4.json", {"resolved_ids": ["a"]})
    with pytest.raises(TrialDataError, match="does not name the system"):
        read_swe_bench(bare)
    lists = {"no_generation": [], "no_logs": [], "resolved": ["a"]}
    board = write("20240402_agent/results/results.json", lists)
    assert read_swe_bench(board, tasks=["a"]).systems == ("20240402_agent",)
    named = read_swe_bench(write("gpt-4.run7.json", {"resolved_ids": ["a"]}))
    assert "system 'gpt-4', trial 'run7'" in read_report(named).choices[0]
