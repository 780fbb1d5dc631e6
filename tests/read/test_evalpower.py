"""evalpower and agentrelbench."""

import json

import pytest

from reliability_stats.exceptions import TrialDataError
from reliability_stats.read._report import read_report
from reliability_stats.read.evalpower import read_agentrelbench, read_evalpower

README = (
    "model,task,n,x\ngpt-x,refund-flow,16,4\ngpt-x,ledger-close,16,0\nclaude-y,refund-flow,32,12\n"
)


def counts(trials):
    frame = trials.counts.to_frame()
    keys = zip(frame["system"], frame["task"], strict=True)
    return dict(zip(keys, zip(frame["n"], frame["successes"], strict=True), strict=True))


def test_the_table_of_evalpower_s_readme(write):
    trials = read_evalpower(write("cells.csv", README))
    assert counts(trials) == {
        ("claude-y", "refund-flow"): (32, 20),
        ("gpt-x", "ledger-close"): (16, 16),
        ("gpt-x", "refund-flow"): (16, 12),
    }
    assert read_report(trials).n_records == 64


def test_damage_counts_with_an_upper_variant(write):
    rows = [
        {"cell": "a", "runs": 10, "failures": 2, "successes": 5, "upper": 4},
        {"cell": "b", "n": 4, "x": 1},
    ]
    file = write("cells.jsonl", "\n".join(map(json.dumps, rows)))
    wins = {o: read_evalpower(file, outcome=o).counts.successes.tolist()
            for o in ("pass", "safe", "safe_upper")}  # fmt: skip
    assert wins == {"pass": [5, 3], "safe": [8, 3], "safe_upper": [6, 3]}


def test_one_row_a_run(write):
    text = "model,task,failed,passed,worst\nm,t,true,true,yes\nm,t,false,true,yes\nm,t,no,no,no\n"
    file = write("runs.csv", text)
    wins = {
        o: int(
            read_evalpower(file, per_run=True, outcome=o, failure_upper="worst").counts.successes[0]
        )
        for o in ("pass", "safe", "safe_upper")
    }
    assert wins == {"pass": 2, "safe": 2, "safe_upper": 1}
    with pytest.raises(TrialDataError, match="needs failure_upper="):
        read_evalpower(file, per_run=True, outcome="safe_upper")
    words = write("words.csv", "id,status\nt,pass\nt,failed\nt,success\n")
    assert read_evalpower(words, per_run=True).counts.successes.tolist() == [2]
    vague = write("vague.csv", "id,status\nt,true\n")
    with pytest.raises(TrialDataError, match="does not say which way it points"):
        read_evalpower(vague, per_run=True)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("m,t,,1", "there is no count n or runs"),
        ("m,t,4,", "there is no count x or failures"),
        ("m,t,4,5", "x=5, x_upper=5 and n=4 must rise"),
        ("m,t,4,-1", "x must be an integer of at least 0"),
        ("m,t,4,1\nm,t,4,1", "counted twice"),
        (",,4,1", "there is no model and task"),
    ],
)
def test_broken_cells(write, row, message):
    with pytest.raises(TrialDataError, match=message):
        read_evalpower(write("cells.csv", f"model,task,n,x\n{row}\n"))


def verdict(run, success, damage, upper, label=None, task="t"):
    return {"task_id": task, "run": run, "eog_success": success, "counts_as_damage": damage,
            "counts_as_damage_upper": upper, "sub_label": label, "outcome": "PASS"}  # fmt: skip


def test_verdicts(write):
    rows = [
        verdict("run_1", True, False, False),
        verdict("run_2", True, True, True, "completed_damage"),
        verdict("run_3", False, False, True, "errored_clean"),
        verdict("run_4", False, False, False, "refused_clean"),
    ]
    file = write("verdicts.jsonl", "\n".join(map(json.dumps, rows)))
    with pytest.raises(TrialDataError, match="does not name the system"):
        read_agentrelbench(file)
    write("verdicts.manifest.json", {"model": "llama"})
    wins = {o: int(read_agentrelbench(file, outcome=o).counts.successes[0])
            for o in ("pass", "safe", "safe_upper")}  # fmt: skip
    assert wins == {"pass": 2, "safe": 3, "safe_upper": 2}
    trials = read_agentrelbench(file)
    assert trials.systems == ("llama",)
    assert read_report(trials).by_status == {"ok": 2, "agent_failure": 2}


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ([1], "the line must be an object"),
        ({"task_id": "t"}, "there is no 'eog_success'"),
        (verdict("run_1", "yes", False, False), "eog_success must be true"),
        (verdict("run_0", True, False, False), "1 record of 2 repeat"),
    ],
)
def test_broken_verdicts(write, line, message):
    rows = [verdict("run_0", True, False, False), line]
    file = write("verdicts.jsonl", "\n".join(map(json.dumps, rows)))
    with pytest.raises(TrialDataError, match=message):
        read_agentrelbench(file, system="m")
