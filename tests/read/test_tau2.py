"""tau2-bench."""

import pytest

from reliability_stats.exceptions import TrialDataError
from reliability_stats.read._report import read_report
from reliability_stats.read.tau2 import read_tau2


def simulation(task, trial, reward=None, reason="user_stop", **more):
    info = None if reward is None else {"reward": reward}
    return {
        "task_id": task,
        "trial": trial,
        "termination_reason": reason,
        "reward_info": info,
    } | more


def results(simulations, *, trials=None, tasks=(), kind="llm_agent", index=None, **info):
    agent = {"implementation": kind, "llm": "m"}
    info |= {
        "agent_info": agent,
        "environment_info": {"domain_name": "retail"},
        "num_trials": trials,
    }
    out = {"info": info, "tasks": [{"id": task} for task in tasks], "simulations": simulations}
    return out | ({"simulation_index": index} if index else {})


def counts(trials):
    frame = trials.counts.to_frame()
    return dict(zip(frame["task"], zip(frame["n"], frame["successes"], strict=True), strict=True))


def test_a_real_run(samples):
    file = samples / "tau2" / "results.json"
    with pytest.raises(TrialDataError, match=r"2 of 6 trials.*2 infra_error.*not found"):
        read_tau2(file)
    trials = read_tau2(file, missing="drop")
    assert trials.systems == ("gpt-4o-mini",)
    assert counts(trials) == {"mock/create_task_1": (2, 0), "mock/create_task_1_nl_eval": (2, 2)}
    kept = read_report(trials).kept
    assert kept == {("ok", "failure"): 2, ("ok", "success"): 2, ("infra_error", "unknown"): 2}
    assert trials.to_frame()["time"].notna().all()


@pytest.mark.parametrize(
    ("reason", "reward", "status", "outcome"),
    [
        ("agent_stop", 1.0, "ok", "success"),
        ("agent_stop", 0.5, "ok", "failure"),
        ("max_steps", 0.0, "agent_failure", "failure"),
        ("timeout", 0.0, "agent_failure", "failure"),
        ("too_many_errors", 0.0, "agent_failure", "failure"),
        ("agent_error", 0.0, "agent_failure", "failure"),
        ("context_window_exceeded", 0.0, "agent_failure", "failure"),
        ("user_error", 0.0, "infra_error", "unknown"),
        ("infrastructure_error", 0.0, "infra_error", "unknown"),
        ("unexpected_error", 1.0, "infra_error", "unknown"),
        ("user_stop", None, "infra_error", "unknown"),
        ("max_steps", None, "infra_error", "unknown"),
    ],
)
def test_how_simulations_end(write, reason, reward, status, outcome):
    file = write("results.json", results([simulation("1", 0, reward, reason),
                                          simulation("1", 1, 1.0)]))  # fmt: skip
    kept = read_report(read_tau2(file, missing="drop")).kept
    expected = {("ok", "success"): 1}
    expected[status, outcome] = expected.get((status, outcome), 0) + 1
    assert kept == expected


def test_user_errors_may_be_the_agents(write):
    file = write("results.json", results([simulation("1", 0, 0.0, "user_error")]))
    trials = read_tau2(file, user_error="agent_failure")
    assert read_report(trials).kept == {("agent_failure", "failure"): 1}


def test_planned_trials_that_are_not_there_are_missing(write):
    runs = [simulation("1", 0, 1.0), simulation("1", 1, 1.0), simulation("2", 0, 0.0)]
    file = write("results.json", results(runs, trials=2, tasks=["1", "2"]))
    with pytest.raises(TrialDataError, match=r"1 of 4 trials.*1 missing.*'retail/2'.*planned"):
        read_tau2(file)
    assert counts(read_tau2(file, missing="failure")) == {"retail/1": (2, 2), "retail/2": (2, 0)}


def test_folder_form(write, tmp_path):
    index = [
        {"task_id": "1", "trial": i, "reward": reward, "termination_reason": "user_stop"}
        for i, reward in enumerate([1.0, None])
    ]
    write("a/results.json", results([], index=index))
    assert read_report(read_tau2(tmp_path / "a", missing="drop")).by_status == {
        "ok": 1,
        "infra_error": 1,
    }
    write("b/results.json", results([]))
    write("b/simulations/x.json", simulation("1", 0, 1.0))
    write("b/simulations/y.json", simulation("1", 1, 0.0))
    write("b/hallucination_discarded/results_user_hallucination.json", results([]))
    assert counts(read_tau2(tmp_path / "b")) == {"retail/1": (2, 1)}


def test_system_and_condition(write):
    runs = [simulation("1", 0, 1.0)]
    one = write("a.json", results(runs, kind="llm_agent_solo", speech_complexity="control"))
    two = write("b.json", results(runs, retrieval_config={"k": 3}))
    plain = write("c.json", results(runs))
    trials = read_tau2([one, two, plain])
    assert trials.systems == ("m", "m (llm_agent_solo)")
    assert trials.counts.conditions == ("control", "none", '{"k": 3}')
    named = read_tau2([one, two], system="s", condition=lambda path: path.stem)
    assert named.counts.conditions == ("a", "b")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ([], "no log of tau2-bench: an object was expected"),
        ({"simulations": []}, "there is no 'info'"),
        (results([simulation("1", 0, 1.0, "bored")]), "'bored' is none of agent_error"),
        (results([simulation("1", 0, "1")]), "reward must be a number, not '1'"),
        (results([3]), r"simulations\[0\].*an object was expected"),
        (results({"a": 1}), "simulations must be a list"),
        (results([]), "No tau2-bench record"),
        (results([simulation("1", 0, 1.0)], trials=2, tasks=[None]), "a task's id must be"),
    ],
)
def test_broken_files(write, content, message):
    with pytest.raises(TrialDataError, match=message):
        read_tau2(write("results.json", content))
