"""METR runs."""

import json

import pandas as pd
import pytest

from reliability_stats.exceptions import ExclusionWarning, TrialDataError
from reliability_stats.read._report import read_report
from reliability_stats.read.metr import read_metr


def run(run_id, score, alias="m", task="fam/1", **more):
    return {"alias": alias, "task_id": task, "run_id": run_id, "score_binarized": score} | more


def lines(records):
    return "\n".join(map(json.dumps, records)) + "\n"


def test_the_public_runs_read_back(data, write):
    table = pd.read_csv(data / "metr_hcast_rebench_runs_2025_01.csv")
    records = [
        run(i, row.success, row.system, row.task, task_family=row.task_family,
            human_minutes=row.human_minutes, time_limit=row.time_limit)
        for i, row in enumerate(table.itertuples())
    ]  # fmt: skip
    file = write("runs.jsonl", lines(records).replace("NaN", "null"))
    people = int(table["system"].str.lower().eq("human").sum())
    assert people == 211
    with pytest.warns(ExclusionWarning, match="211 runs of people"):
        trials = read_metr(file, condition="time_limit")
    ai = table[table["system"] != "human"]
    assert trials.n_trials == len(ai) == 7063 - 211
    assert int(trials.counts.successes.sum()) == ai["success"].sum()
    assert (
        trials.counts.n_cells == ai.groupby(["system", "task", "time_limit"], dropna=False).ngroups
    )
    assert len(trials.systems) == 10
    assert read_metr(file, human=True).n_trials == 7063


def test_fields(write):
    records = [
        run(1, 1.0, score_cont=0.9, human_minutes=12, task_family="fam", started_at=1735689600000)
    ]
    frame = read_metr(write("runs.jsonl", lines(records))).to_frame()
    row = frame.iloc[0]
    assert (row["score"], row["length"], row["group"]) == (0.9, 12.0, "fam")
    assert str(row["time"]) == "2025-01-01 00:00:00+00:00"


def test_fatal_errors(write):
    records = [
        run(1, 1),
        run(2, None, fatal_error_from="server"),
        run(3, None, fatal_error_from="usageLimits"),
        run(4, 0, fatal_error_from="usageLimits"),
        run(5, None),
        run(6, 1, fatal_error_from="agent"),
    ]
    file = write("runs.jsonl", lines(records))
    with pytest.raises(TrialDataError, match=r"1 infra_error, 1 missing.*fatal error from server"):
        read_metr(file)
    assert read_report(read_metr(file, missing="drop")).kept == {
        ("ok", "success"): 2,
        ("agent_failure", "failure"): 2,
        ("infra_error", "unknown"): 1,
        ("missing", "unknown"): 1,
    }


def test_run_ids_tell_trials_apart(write):
    file = write("runs.jsonl", lines([run(1, 1), run(1, 0)]))
    with pytest.raises(TrialDataError, match="1 record of 2 repeat"):
        read_metr(file)


@pytest.mark.parametrize(
    ("record", "message"),
    [
        ({"alias": None, "task_id": 1, "run_id": 1, "score_binarized": 1}, "alias must be text"),
        (run(1, 0.5), "score_binarized must be true, false"),
        (run(1, 1, human_minutes="long"), "human_minutes must be a number"),
        ([1], "an object was expected"),
    ],
)
def test_broken_lines(write, record, message):
    with pytest.raises(TrialDataError, match=message):
        read_metr(write("runs.jsonl", lines([run(0, 1), record])))


@pytest.mark.parametrize("wrong", [["server"], {"by": "server"}, True])
def test_a_fatal_error_of_a_wrong_type_is_malformed(write, wrong):
    file = write("runs.jsonl", lines([run(1, 1), run(2, 0, fatal_error_from=wrong)]))
    with pytest.raises(TrialDataError, match=r"line 2.*fatal_error_from must be text"):
        read_metr(file)
