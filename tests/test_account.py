"""The account of every record, however trials were made and whatever was then done with them."""

import copy
import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import reliability_stats as rs
from reliability_stats import Trials

RECORDS = {
    "system": ["a"] * 6 + ["b"] * 3,
    "task": [1, 1, 1, 2, 2, 2, 1, 1, 2],
    "success": [1, 0, 1, None, 1, None, None, 0, 1],
    "status": [
        *("ok", "ok", "infra_error", "agent_failure", "agent_failure"),
        *(None, "grader_error", "ok", "ok"),
    ],
}
POLICIES = ("drop", "failure", "bounds")


def by_category(trials):
    return trials.report().groupby("category")["records"].sum().to_dict()


@pytest.mark.parametrize("missing", POLICIES)
def test_every_record_has_a_category(make_frame, missing):
    trials = Trials.from_frame(make_frame(RECORDS), status="status", missing=missing)
    table = trials.report()
    assert by_category(trials) == {"counted": 6, "errored": 2, "missing": 1}
    assert table["records"].sum() == 9 == trials.n_rows
    assert table.set_index(["status", "outcome"])["records"].to_dict() == {
        ("ok", "failure"): 2,
        ("ok", "success"): 2,
        ("agent_failure", "failure"): 1,
        ("agent_failure", "success"): 1,
        ("infra_error", "unknown"): 1,
        ("grader_error", "unknown"): 1,
        ("missing", "unknown"): 1,
    }
    told = {"drop": "left out", "failure": "failure", "bounds": "unknown: failure or success"}
    unknown = table[table["outcome"] == "unknown"]
    assert set(unknown["counted_as"]) == {told[missing]}


def test_completed_outcomes_are_counted_as_what_they_were_set_to():
    trials = Trials.from_frame(RECORDS, status="status", missing="bounds")
    table = trials.complete("success").report()
    assert set(table[table["outcome"] == "unknown"]["counted_as"]) == {"success"}
    assert table["records"].sum() == 9


def test_a_selection_says_what_was_not_selected():
    trials = Trials.from_frame(RECORDS, status="status", missing="drop")
    part = trials.select(systems="b").select(tasks="1")
    assert by_category(part) == {"counted": 1, "errored": 1, "not selected": 7}
    assert "not selected" in repr(rs.read_report(part))


def test_counts_and_arrays_account_for_trials():
    counts = Trials.from_counts({"system": ["a"], "task": [1], "n": [5], "successes": [2]})
    assert counts.report()["records"].tolist() == [3, 2]
    array = Trials.from_array([[1, np.nan, 1], [0, 0, 1]])
    assert array.report()["records"].tolist() == [2, 3]
    assert [t.source.format for t in (counts, array)] == ["table of counts", "array"]
    assert not counts.source.is_log


@pytest.mark.parametrize(
    "again", [copy.copy, copy.deepcopy, lambda t: pickle.loads(pickle.dumps(t))]
)
def test_the_source_outlives_copies_and_selections(write_log, again):
    log = "task,trial,success\n1,0,1\n1,0,1\n1,1,\n2,0,x\n2,1,0\n"
    trials = rs.read_table(
        write_log(log),
        columns={"system": None},
        missing="bounds",
        on_duplicate="first",
        malformed="skip",
    )
    for made in (again(trials), again(trials.select(tasks=[1, 2])), trials.complete("failure")):
        assert made.source == trials.source
        assert by_category(made) == {"counted": 2, "missing": 1, "duplicate": 1, "malformed": 1}
        for text in (repr(made), made._repr_html_()):
            assert "Trials from table" in text
            assert "left out: 1 malformed, 1 duplicate" in text
    part = again(trials).select(tasks="2")
    assert by_category(part)["not selected"] == 2
    assert part.report()["records"].sum() == 5


@pytest.fixture
def write_log(tmp_path):
    """Give a function that writes a CSV file and returns its path."""

    def make(text):
        file = tmp_path / "runs.csv"
        file.write_text(text)
        return file

    return make


def test_unknown_outcomes_of_a_log_become_ranges(write_log):
    file = write_log("system,task,success\na,1,1\na,1,\na,2,0\na,2,1\nb,1,\n")
    with pytest.warns(rs.ExclusionWarning, match="counted: b"):
        trials = rs.read(file, missing="bounds")
    rate = rs.estimate(trials.select(systems="a"), [rs.SuccessRate()]).iloc[0]
    ends = [trials.complete(end) for end in ("failure", "success")]
    values = [rs.estimate(t.select(systems="a"), [rs.SuccessRate()]).iloc[0]["mean"] for t in ends]
    assert rate["identified"] == "bounds"
    assert rate["lower"] <= values[0] < values[1] <= rate["upper"]
    assert values == pytest.approx([0.5, 0.75])
    assert [t.report()["records"].sum() for t in ends] == [5, 5]


STATUS = st.sampled_from([None, "ok", "agent_failure", "infra_error", "grader_error", "missing"])
ROWS = st.lists(
    st.tuples(st.integers(0, 2), st.integers(0, 2), st.sampled_from([0, 1, None]), STATUS),
    min_size=1,
    max_size=30,
)


@given(ROWS, st.sets(st.integers(0, 2), min_size=1))
@settings(derandomize=True, max_examples=40, deadline=None)
def test_accounts_add_up_after_any_selection(rows, chosen):
    columns = dict(zip(RECORDS, map(list, zip(*rows, strict=True)), strict=True))
    trials = Trials.from_frame(columns, status="status", missing="failure")
    chosen &= set(columns["task"])
    if chosen:
        trials = trials.select(tasks=chosen)
    table = trials.report()
    assert table["records"].sum() == len(rows)
    inside = [row for row in rows if not chosen or row[1] in chosen]
    errors = sum(row[3] in ("infra_error", "grader_error") for row in inside)
    gone = sum(row[3] == "missing" or (row[2] is None and row[3] in (None, "ok")) for row in inside)
    found = by_category(trials)
    assert found.get("errored", 0) == errors
    assert found.get("missing", 0) == gone
    assert found.get("counted", 0) == len(inside) - errors - gone
