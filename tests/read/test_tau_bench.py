"""tau-bench."""

import math

import pandas as pd
import pytest

from reliability_stats.exceptions import ArgumentError, TrialDataError
from reliability_stats.read._report import read_report
from reliability_stats.read.tau_bench import read_tau_bench

NAME = "tool-calling-gpt-4o-0.0_range_0--1_user-gpt-4o-llm_0521123456.json"


def entry(task, trial, reward, **info):
    return {"task_id": task, "trial": trial, "reward": reward, "info": info, "traj": []}


def test_published_trajectories(data):
    file = data / "samples" / "taubench" / "gpt-4o-airline.json"
    trials = read_tau_bench(file, system="gpt-4o")
    table = pd.read_csv(data / "tau_bench_gpt4o_airline.csv")
    expected = table.groupby("task")["success"].agg(["size", "sum"])
    counts = trials.counts.to_frame()
    assert counts["task"].tolist() == [str(task) for task in expected.index]
    assert counts["n"].tolist() == expected["size"].tolist()
    assert counts["successes"].tolist() == expected["sum"].tolist()
    assert (trials.n_trials, int(trials.counts.successes.sum())) == (200, 84)
    hats = [
        sum(math.comb(c, k) for c in counts["successes"]) / math.comb(4, k) / 50
        for k in (1, 2, 3, 4)
    ]
    assert [round(hat, 3) for hat in hats] == [0.420, 0.273, 0.220, 0.200]


def test_exceptions_are_errors_not_failures(write):
    error = {"error": "RateLimitError", "traceback": "..."}
    file = write(NAME, [entry(0, 0, 1.0), entry(0, 1, 0.0, **error), entry(0, 2, 1 - 1e-7)])
    with pytest.raises(TrialDataError, match=r"1 infra_error.*entry 1 \(RateLimitError\)"):
        read_tau_bench(file)
    trials = read_tau_bench(file, missing="drop")
    assert trials.counts.n.tolist() == [2]
    assert trials.counts.successes.tolist() == [2]
    official = read_tau_bench(file, missing="failure")
    assert official.counts.n.tolist() == [3]
    assert read_report(trials).kept == {("ok", "success"): 2, ("infra_error", "unknown"): 1}


def test_system_and_domain(write):
    file = write(NAME, [entry(0, 0, 1.0)])
    trials = read_tau_bench(file, domain="retail")
    assert trials.systems == ("tool-calling-gpt-4o-0.0",)
    assert trials.tasks == ("retail/0",)
    assert read_tau_bench(file, system=lambda path: path.suffix).systems == (".json",)
    with pytest.raises(ArgumentError, match="system must be text"):
        read_tau_bench(file, system=3)


def test_two_runs_of_one_system_collide(write, tmp_path):
    write("a.json", [entry(0, 0, 1.0)])
    write("b.json", [entry(0, 0, 0.0)])
    assert read_tau_bench(tmp_path).n_trials == 2
    with pytest.raises(TrialDataError, match=r"trial '0', in .*a.json, entry 0 and .*b.json"):
        read_tau_bench(tmp_path, system="s")
    both = read_tau_bench(tmp_path, system="s", on_duplicate="renumber")
    assert both.counts.n.tolist() == [2]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"a": 1}, "no log of tau-bench: the file must be a list"),
        ([3], "entry 0.*an object was expected"),
        ([{"task_id": 0, "trial": 0}], "entry 0.*there is no 'reward'"),
        ([entry(0, 0, "1")], "reward must be a number, not '1'"),
        ([entry(None, 0, 1.0)], "task_id must be text or an integer"),
        ([entry(0, True, 1.0)], "trial must be text or an integer"),
        ([], "No tau-bench record in 1 file"),
        ('[{"task_id": 0, "reward": 1.0, "tri', "line 1, column .*not JSON.*cut off"),
    ],
)
def test_broken_files(write, content, message):
    with pytest.raises(TrialDataError, match=message):
        read_tau_bench(write("x.json", content))


def test_a_report_belongs_to_what_was_read(write):
    trials = read_tau_bench(write("x.json", [entry(0, 0, 1.0)]))
    text = repr(read_report(trials))
    assert text.startswith("tau-bench: 1 record in 1 file")
    assert "<table" in read_report(trials)._repr_html_()
    part = trials.select(tasks="0")
    assert read_report(part) == read_report(trials)
    assert repr(part).startswith("Trials from tau-bench: 1 system x 1 task, 1 trial")
