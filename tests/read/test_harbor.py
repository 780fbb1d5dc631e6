"""Harbor."""

import pytest

from reliability_stats.exceptions import ExclusionWarning, TrialDataError
from reliability_stats.read._report import read_report
from reliability_stats.read.harbor import read_harbor


def trial(name, reward=None, error=None, start="2026-01-01T00:00:00Z", task="t", **more):
    return {
        "id": name,
        "task_name": task,
        "trial_name": name,
        "source": "terminal-bench",
        "agent_info": {"name": "terminus", "version": "2", "model_info": {"name": "m"}},
        "verifier_result": None if reward is None else {"rewards": {"reward": reward}},
        "exception_info": None if error is None else {"exception_type": error},
        "started_at": start,
    } | more


def test_a_job(write, tmp_path):
    write("job/result.json", {"n_total_trials": 3, "stats": {"evals": {}}})
    write("job/a/result.json", trial("a", 1.0, start="2026-01-01T03:00:00Z"))
    write("job/b/result.json", trial("b", 0.0, start="2026-01-01T01:00:00Z"))
    write("job/c/result.json", trial("c", 0.4, start="2026-01-01T02:00:00Z"))
    trials = read_harbor(tmp_path)
    assert trials.systems == ("terminus + m",)
    frame = trials.to_frame().sort_values("trial")
    assert frame["success"].tolist() == [0, 0, 1]
    assert frame["score"].tolist() == [0.0, 0.4, 1.0]
    assert set(frame["group"]) == {"terminal-bench"}
    assert int(read_harbor(tmp_path, threshold=0.4).counts.successes.sum()) == 2


@pytest.mark.parametrize(
    ("reward", "error", "status", "outcome"),
    [
        (1, None, "ok", "success"),
        (None, None, "grader_error", "unknown"),
        (1.0, "AgentTimeoutError", "ok", "success"),
        (0.0, "AgentTimeoutError", "agent_failure", "failure"),
        (None, "AgentSafetyRefusalError", "agent_failure", "failure"),
        (0.0, "ApiRateLimitError", "infra_error", "unknown"),
        (1.0, "SomethingNobodyKnows", "infra_error", "unknown"),
        (None, "EnvironmentStartTimeoutError", "infra_error", "unknown"),
        (None, "VerifierTimeoutError", "grader_error", "unknown"),
        (0.0, "CancelledError", "infra_error", "unknown"),
    ],
)
def test_exceptions(write, tmp_path, reward, error, status, outcome):
    write("a/result.json", trial("a", reward, error))
    write("b/result.json", trial("b", 1.0))
    kept = read_report(read_harbor(tmp_path, missing="drop")).kept
    expected = {("ok", "success"): 1}
    expected[status, outcome] = expected.get((status, outcome), 0) + 1
    assert kept == expected


def test_exceptions_of_steps_count(write):
    steps = [{"exception_info": None}, {"exception_info": {"exception_type": "ApiError"}}]
    file = write("result.json", trial("a", 1.0, step_results=steps))
    with pytest.raises(TrialDataError, match=r"1 infra_error.*ApiError"):
        read_harbor(file)
    assert read_harbor(file, agent_errors=["ApiError"]).n_trials == 1


@pytest.mark.parametrize(
    ("reward", "error", "valid", "status", "outcome"),
    [
        (1.0, "NonZeroAgentExitCodeError", True, "ok", "success"),
        (0.0, "NonZeroAgentExitCodeError", True, "ok", "failure"),
        (None, "NonZeroAgentExitCodeError", True, "infra_error", "unknown"),
        (1.0, "AgentTimeoutError", False, "infra_error", "unknown"),
        (0.0, "AgentTimeoutError", True, "agent_failure", "failure"),
        (1.0, "VerifierTimeoutError", False, "grader_error", "unknown"),
        (1.0, "SomethingNobodyKnows", True, "ok", "success"),
        (1.0, "SomethingNobodyKnows", "yes", "infra_error", "unknown"),
    ],
)
def test_files_may_state_whether_a_reward_is_valid(
    write, tmp_path, reward, error, valid, status, outcome
):
    broken = {"exception_type": error, "policy": {"has_valid_reward": valid}}
    write("a/result.json", trial("a", reward, exception_info=broken))
    write("b/result.json", trial("b", 1.0))
    kept = read_report(read_harbor(tmp_path, missing="drop")).kept
    expected = {("ok", "success"): 1}
    expected[status, outcome] = expected.get((status, outcome), 0) + 1
    assert kept == expected


def test_trials_that_left_no_result_are_told_of(write, tmp_path):
    write("job/result.json", {"n_total_trials": 3, "stats": {}})
    write("job/a/result.json", trial("a", 1.0))
    with pytest.warns(ExclusionWarning, match=r"2 trials planned left no result.*1 of 3"):
        assert read_harbor(tmp_path).n_trials == 1


def test_copies_collide_and_other_rewards_must_be_named(write, tmp_path):
    write("a/result.json", trial("a", 1.0))
    write("b/result.json", trial("a", 1.0))
    with pytest.raises(TrialDataError, match="1 record of 2 repeat"):
        read_harbor(tmp_path)
    other = write("c/result.json", trial("c", verifier_result={"rewards": {"speed": 2, "ok": 1}}))
    with pytest.raises(TrialDataError, match="there are speed, ok: name one with reward="):
        read_harbor(other)
    assert read_harbor(other, reward="ok").n_trials == 1


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ([], "the file must be an object"),
        (
            {"agent_info": {"name": "a"}, "verifier_result": {"rewards": {"reward": 1}}},
            "'task_name'",
        ),
        (trial("a", "high"), "reward must be a number"),
        (trial("a", 1.0, step_results=5), "steps must be a list"),
        ({"n_total_trials": None, "stats": {}}, "n_total_trials must be a number"),
    ],
)
def test_broken_files(write, content, message):
    with pytest.raises(TrialDataError, match=message):
        read_harbor(write("result.json", content))
