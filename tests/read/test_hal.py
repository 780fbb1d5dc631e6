"""HAL harness."""

import pytest

from reliability_stats.exceptions import TrialDataError
from reliability_stats.read._report import read_report
from reliability_stats.read.hal import read_hal


def upload(run_id, *, wins=None, losses=None, raw=None, agent="m", args=None, bench="gaia"):
    results = {}
    if wins is not None:
        results = {"successful_tasks": wins, "failed_tasks": losses or []}
    return {
        "config": {
            "agent_name": agent,
            "benchmark_name": bench,
            "run_id": run_id,
            "date": "2026-01-02",
        },
        "metadata": {"agent_args": args or {}, "run_id": run_id},
        "results": results,
        "raw_eval_results": raw or {},
    }


def test_the_harness_own_fixtures(samples):
    trials = read_hal(samples / "hal", system="m")
    counts = trials.counts.to_frame()
    assert counts[["condition", "task", "n", "successes"]].values.tolist() == [
        ["baseline", "0", 1, 1],
        ["baseline", "1", 1, 0],
        ["fault", "0", 1, 0],
    ]
    with pytest.raises(TrialDataError, match="does not name the system"):
        read_hal(samples / "hal")


@pytest.mark.parametrize(
    ("run_id", "args", "condition", "trial"),
    [
        ("gaia_m_rep3_1767225600", {}, "baseline", "3"),
        ("gaia_m_fault_20pct_rep2_1767225600", {}, "fault 20%", "2"),
        ("gaia_m_prompt_mild_var4_1767225600", {}, "prompt mild 4", None),
        ("gaia_m_struct_medium_1767225600", {}, "structure medium", None),
        ("gaia_m_struct_baseline_1767225600", {}, "baseline", None),
        ("x", {"enable_fault_injection": "true", "fault_rate": "0.2"}, "fault 20%", None),
        ("x", {"enable_structural_perturbations": "true", "perturbation_strength": "mild"},
         "structure mild", None),
        ("x", {"enable_fault_injection": "false"}, "baseline", None),
    ],
)  # fmt: skip
def test_conditions_and_repetitions(write, run_id, args, condition, trial):
    file = write("r_UPLOAD.json", upload(run_id, wins=["1"], agent=None, args=args))
    trials = read_hal(file, system="s")
    rows = trials.to_frame()
    assert rows["condition"].tolist() == [condition]
    assert rows["trial"].tolist() == [trial or run_id]


def test_systems(write):
    named = upload("gaia_m_fault_20pct_rep1_1767225600", wins=["1"], agent="m_fault_20pct")
    assert read_hal(write("a_UPLOAD.json", named)).systems == ("m",)
    unnamed = upload("gaia_agent_x_prompt_mild_var1_1767225600", wins=["1"], agent=None)
    trials = read_hal(write("b_UPLOAD.json", unnamed))
    assert trials.systems == ("agent_x",)
    assert trials.tasks == ("gaia/1",)


def test_errors_are_not_failures_but_time_outs_are(write):
    raw = {
        "1": {"reward": 1.0},
        "2": "ERROR: Task timed out after 600 seconds",
        "3": "ERROR: connection timed out",
        "4": {"reward": 0.5},
        "5": {},
    }
    file = write("r_UPLOAD.json", upload("r", raw=raw))
    with pytest.raises(TrialDataError, match=r"1 infra_error, 1 missing.*ERROR: connection timed"):
        read_hal(file)
    assert read_report(read_hal(file, missing="drop")).kept == {
        ("ok", "failure"): 1,
        ("ok", "success"): 1,
        ("agent_failure", "failure"): 1,
        ("infra_error", "unknown"): 1,
        ("missing", "unknown"): 1,
    }


def test_lists_of_tasks_decide_but_for_errors(write):
    raw = {"1": {"reward": 0.5}, "2": "ERROR: docker", "3": {"anything": 1}}
    file = write("r_UPLOAD.json", upload("r", wins=["1"], losses=["2", "3"], raw=raw))
    assert read_report(read_hal(file, missing="drop")).kept == {
        ("ok", "failure"): 1,
        ("ok", "success"): 1,
        ("infra_error", "unknown"): 1,
    }


def test_lists_of_results_are_variations_of_the_prompt(write):
    raw = {"1": [{"score": 1}, {"score": 0}], "2": [{"score": True}]}
    trials = read_hal(write("r_UPLOAD.json", upload("r", raw=raw)))
    assert trials.counts.conditions == ("prompt 0", "prompt 1")
    assert trials.counts.to_frame()["successes"].tolist() == [1, 1, 0]


def test_runs_of_one_repetition_collide(write, tmp_path):
    for name in ("a", "b"):
        write(f"{name}_UPLOAD.json", upload("gaia_m_rep1_1767225600", wins=["1"]))
    with pytest.raises(TrialDataError, match="1 record of 2 repeat"):
        read_hal(tmp_path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ([], "the file must be an object"),
        (upload("r", wins=["1"], losses=["1"]), "task '1' is both successful and failed"),
        (upload("r", raw={"1": {"correct": 1}}), "no reward or score in"),
        (upload("r", raw={"1": "timed out"}), "must begin with ERROR"),
        (upload("r", raw={"1": {"reward": "good"}}), "reward must be a number"),
        (upload("r", raw={"1": [3, "x"]}), "must begin with ERROR"),
        (upload("r", wins="1"), "successful_tasks must be a list"),
        (upload("r", wins=["1"], args={"enable_fault_injection": "true", "fault_rate": "lots"}),
         "fault_rate must be a number"),
        (upload("r"), "No HAL record"),
    ],
)  # fmt: skip
def test_broken_uploads(write, content, message):
    with pytest.raises(TrialDataError, match=message):
        read_hal(write("r_UPLOAD.json", content))
