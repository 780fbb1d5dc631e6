"""Terminal-Bench 1."""

import pandas as pd
import pytest

from reliability_stats.exceptions import TrialDataError
from reliability_stats.read import read
from reliability_stats.read._report import read_report
from reliability_stats.read.terminal_bench import read_terminal_bench


def result(task, k, resolved, mode="unset", run="r1", **more):
    name = f"{task}.{k}-of-5.{run}"
    return {
        "task_id": task,
        "trial_name": name,
        "is_resolved": resolved,
        "failure_mode": mode,
    } | more


META = {"agent_name": "goose", "model_name": "sonnet"}


def test_the_public_leaderboard_rows_read_back(data, write, tmp_path):
    table = pd.read_csv(data / "terminal_bench_core_011_trials.csv")
    table["failure_mode"] = table["failure_mode"].fillna("unset")
    table["k"] = table.groupby(["system", "task"]).cumcount() + 1
    for system, rows in table.groupby("system"):
        results = [
            result(row.task, row.k, bool(row.success) if row.graded else None,
                   row.failure_mode, trial_started_at=row.start)
            for row in rows.itertuples()
        ]  # fmt: skip
        write(f"{system}/results.json", {"results": results})
        write(f"{system}/run_metadata.json", {"agent_name": system, "model_name": None})
    official = read_terminal_bench(tmp_path, missing="failure")
    frame = official.counts.to_frame().groupby("system")["successes"].sum()
    expected = table.groupby("system")["success"].sum()
    assert frame.to_dict() == expected.to_dict()
    assert (official.n_trials, len(official.systems), len(official.tasks)) == (5200, 13, 80)
    installed = int((table["failure_mode"] == "agent_installation_failed").sum())
    assert official.n_missing == 418 + installed
    kept = read_report(official).kept
    assert sum(kept.values()) == 5200
    grader = table[table["graded"] == 0]["failure_mode"].isin(["parse_error", "test_timeout"]).sum()
    assert kept["grader_error", "unknown"] == grader
    timed = table[(table["failure_mode"] == "agent_timeout") & (table["success"] == 0)]
    errors = table[(table["failure_mode"] == "unknown_agent_error") & (table["graded"] == 1)]
    assert kept["agent_failure", "failure"] == len(timed) + len(errors)


@pytest.mark.parametrize(
    ("resolved", "mode", "status", "outcome"),
    [
        (True, "unset", "ok", "success"),
        (True, "agent_timeout", "ok", "success"),
        (False, "agent_timeout", "agent_failure", "failure"),
        (False, "unset", "ok", "failure"),
        (None, "parse_error", "grader_error", "unknown"),
        (None, "test_timeout", "grader_error", "unknown"),
        (None, "unknown_agent_error", "infra_error", "unknown"),
        (None, None, "infra_error", "unknown"),
        (False, "agent_installation_failed", "infra_error", "unknown"),
    ],
)
def test_statuses(write, resolved, mode, status, outcome):
    runs = [result("t", 1, resolved, mode), result("t", 2, True)]
    file = write("results.json", {"results": runs})
    kept = read_report(read_terminal_bench(file, system="s", missing="drop")).kept
    expected = {("ok", "success"): 1}
    expected[status, outcome] = expected.get((status, outcome), 0) + 1
    assert kept == expected


def test_a_tree_reads_the_outermost_files_once(write, tmp_path):
    write("sub/run_metadata.json", META)
    write("sub/results.json", {"results": [result("t", 1, True), result("t", 2, None)]})
    write("sub/t/t.1-of-5.r1/results.json", result("t", 1, True))
    write("other/run_metadata.json", META)
    write("other/2025_results.json", {"results": [result("t", 1, False, run="r2")]})
    trials = read_terminal_bench(tmp_path, missing="failure")
    assert trials.systems == ("goose + sonnet",)
    assert trials.n_trials == 3
    assert len(read_report(trials).files) == 2


def test_single_trials_without_a_whole_file_are_told_of(write, tmp_path):
    write("t/x/results.json", result("t", 1, True))
    trials = read_terminal_bench(tmp_path, system="s")
    assert "leave no such file" in read_report(trials).choices[0]


def test_a_run_copied_into_another_collides(write, tmp_path):
    for name in ("a", "b"):
        write(f"{name}/results.json", {"results": [result("t", 1, True)]})
    with pytest.raises(TrialDataError, match=r"trial 'r1/1', in .*a/results.json.* and .*b/"):
        read_terminal_bench(tmp_path, system="s")


def test_score_and_time(write):
    tests = {"a": "passed", "b": "failed", "c": "passed"}
    more = {"parser_results": tests, "trial_started_at": "2025-07-11T20:35:11+00:00"}
    file = write("results.json", {"results": [result("t", 1, False, **more)]})
    frame = read_terminal_bench(file, system="s").to_frame()
    assert frame["score"].tolist() == [2 / 3]
    assert str(frame["time"][0]) == "2025-07-11 20:35:11+00:00"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ([], "there is no 'results'"),
        ({"results": {}}, "there is no 'results'"),
        ({"results": [{}]}, "there is no 'task_id'"),
        ({"results": [result("t", 1, "yes")]}, "is_resolved must be true, false"),
        ({"results": [result("t", 1, True, 3.5)]}, "failure_mode must be text"),
    ],
)
def test_broken_files(write, content, message):
    with pytest.raises(TrialDataError, match=message):
        read_terminal_bench(write("results.json", content), system="s")


def test_the_system_must_be_known(write):
    file = write("results.json", {"results": [result("t", 1, True)]})
    with pytest.raises(TrialDataError, match="does not name the system"):
        read_terminal_bench(file)


def test_the_summary_of_a_run_is_not_taken_for_swe_bench(write, tmp_path):
    lists = {"resolved_ids": ["t"], "unresolved_ids": ["t"], "pass_at_k": {"2": 1.0}}
    results = [result("t", 1, True), result("t", 2, False)]
    write("run/results.json", {"id": "x", "results": results, "accuracy": 0.5, **lists})
    write("run/run_metadata.json", META)
    trials = read(tmp_path)
    assert read_report(trials).format == "Terminal-Bench"
    assert trials.systems == ("goose + sonnet",)
