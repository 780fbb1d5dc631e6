"""Rows and counts to cells."""

from collections import Counter
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import reliability_stats as rs
from reliability_stats import TrialDataError, Trials

SYSTEM, TASK = ["a", "a", "a", "b"], [1, 1, 2, 1]


def table(success=(1, 0, 1, 1), **more):
    return {"system": SYSTEM, "task": TASK, "success": success, **more}


def rows_of(counts):
    """List (system, task, n, successes) of each cell."""
    return counts.to_frame()[["system", "task", "n", "successes"]].values.tolist()


EXPECTED = [["a", "1", 2, 1], ["a", "2", 1, 1], ["b", "1", 1, 1]]


def test_every_kind_of_table(make_frame):
    trials = Trials.from_frame(make_frame(table(trial=[0, 1, 0, 0])), trial="trial")
    assert rows_of(trials.counts) == EXPECTED
    assert trials.fingerprint.startswith("4152b479")
    assert trials.n_rows == 4


def test_every_kind_of_table_of_counts(make_frame):
    frame = make_frame({"system": ["b", "a"], "task": [1, 1], "n": [4, 5], "successes": [0, 5]})
    assert rows_of(Trials.from_counts(frame).counts) == [["a", "1", 5, 5], ["b", "1", 4, 0]]


def test_first_bad_row_of_every_kind_of_table_in_memory(make_table):
    with pytest.raises(
        TrialDataError,
        match=(
            r"row 2 \(system 'a', task '2'\), counting rows from "
            r"0, is 0\.5, and 1 more is not allowed"
        ),
    ):
        Trials.from_frame(make_table(table([1.0, 0.0, 0.5, 7.0])))
    with pytest.raises(
        TrialDataError, match=r"row 0 \(system 'a', task '1'\).* is 'no', and 3 more"
    ):
        Trials.from_frame(make_table(table(["no", "yes", "no", "yes"])))
    with pytest.raises(
        TrialDataError, match=r"Row 1 \(counting from 0\) has no task, nor have 1 other row"
    ):
        Trials.from_frame(make_table(table() | {"task": ["x", None, None, "y"]}))
    with pytest.raises(TrialDataError, match=r"Row 3 \(counting from 0\) has no system"):
        Trials.from_frame(make_table(table() | {"system": ["x", "x", "y", None]}))
    with pytest.raises(
        TrialDataError,
        match=(
            r"Rows 0 and 3 \(counting from 0\) are both system 'a', "
            r"task '1', trial '0', with 2 rows of 6 repeating"
        ),
    ):
        Trials.from_frame(
            make_table(
                {
                    "system": ["a", "a", "b", "a", "a", "b"],
                    "task": [1, 1, 1, 1, 2, 1],
                    "success": [1, 0, 1, 1, 1, 0],
                    "trial": [0, 1, 0, 0, 0, 0],
                }
            ),
            trial="trial",
        )


def test_repeated_rows_are_trials_without_trial():
    assert Trials.from_frame(table() | {"task": [1, 1, 1, 1]}).counts.n.tolist() == [3, 1]


def test_repeats_are_found_within_conditions_only():
    columns = table(c=["x", "y", "x", "x"], trial=[0, 0, 0, 0])
    assert Trials.from_frame(columns, trial="trial", condition="c").n_trials == 4
    with pytest.raises(
        TrialDataError,
        match=r"Rows 0 and 1 .* are both system 'a', task '1', trial '0', with 1 row of 4",
    ):
        Trials.from_frame(columns, trial="trial")
    columns["c"][1] = "x"
    with pytest.raises(TrialDataError, match=r"Rows 0 and 1 .*, condition 'x', trial '0'"):
        Trials.from_frame(columns, trial="trial", condition="c")


@pytest.mark.parametrize(
    ("trial", "message"),
    [
        ([0, 0.0, 1, 2], "Rows 0 and 1"),
        (pd.array(["u", "u", "v", "w"], dtype=object), "Rows 0 and 1 .* trial 'u'"),
        ([0, None, 1, 2], "Row 1 .* has no trial"),
        ([[0], [1], [2], [3]], r"The trial in row 0 .* is \[0\]"),
        ([0, False, 1, 2], "The trial in row 1 .* is False, and others are numbers"),
    ],
)
def test_wrong_trials(trial, message):
    with pytest.raises(TrialDataError, match=message):
        Trials.from_frame(table(trial=trial), trial="trial")


def test_repeats_count_even_without_an_outcome():
    with pytest.raises(TrialDataError, match="Rows 0 and 1"):
        Trials.from_frame(table([1, None, 1, 1], trial=[0] * 4), trial="trial", missing="drop")


def counts_table(n, successes, **more):
    size = len(n)
    return {"system": ["a"] * size, "task": range(size), "n": n, "successes": successes, **more}


@pytest.mark.parametrize(
    ("n", "successes"),
    [
        ([4, 5], [1, 5]),
        ([4.0, 5.0], [1.0, 5.0]),
        (np.array([4, 5], np.uint8), np.array([1, 5], np.int8)),
        ([Decimal(4), 5], [1, Decimal("5.0")]),
        (pd.array([4, 5], dtype="Int64"), pd.array([1, 5], dtype="Float64")),
    ],
)
def test_counts_may_be_any_whole_numbers(n, successes):
    trials = Trials.from_counts(counts_table(n, successes))
    assert trials.counts.n.tolist() == [4, 5]
    assert trials.counts.successes.tolist() == [1, 5]
    assert trials.n_rows == 2


@pytest.mark.parametrize(
    ("n", "successes", "message"),
    [
        (
            [4, 4],
            [1, 5],
            (
                r"more successes than trials in row 1 \(system 'a', "
                r"task '1'\), counting rows from 0: 5 of 4"
            ),
        ),
        ([4, 0], [1, 1], "1 of 0"),
        (
            [4, -1],
            [1, 0],
            (
                r"n in row 1 \(system 'a', task '1'\), counting rows from "
                r"0, is -1; it must be an integer from 0 to"
            ),
        ),
        ([4, 4], [1, -1], "successes in row 1 .* is -1"),
        ([4, 4.5], [1, 2], r"n in row 1 .* is 4\.5"),
        ([4, 4 + 1e-9], [1, 2], r"n in row 1 .* is 4\.000000001"),
        ([4, np.nan], [1, 2], "n in row 1 .* is nan"),
        ([4, None], [1, 2], "n in row 1"),
        ([4, np.inf], [1, 2], "n in row 1 .* is inf"),
        (["4", "4"], [1, 2], "n in row 0 .* is '4'"),
        ([4, "4"], [1, 2], "n in row 1 .* is '4'"),
        ([True, True], [1, 1], "n in row 0 .* is True"),
        ([1, 1], [1, False], "successes in row 1 .* is False"),
        (
            [4, 2**53],
            [1, 2],
            f"n in row 1 .* is {2**53}; it must be an integer from 0 to {2**53 - 1}",
        ),
        ([4, 10**30], [1, 2], "n in row 1 .* is 10000000"),
        (
            [0, 0],
            [0, 0],
            (
                r"No trial can be counted: 2 cells listed, 0 outcomes "
                r"missing, none known\. Check the data"
            ),
        ),
        ([2**53 - 1] * 600, [1] * 600, "more than 2\\*\\*62 trials in total"),
    ],
)
def test_wrong_counts(n, successes, message):
    with pytest.raises(TrialDataError, match=message):
        Trials.from_counts(counts_table(n, successes))


def test_large_counts():
    assert Trials.from_counts(counts_table([2**53 - 1], [2**53 - 2])).n_trials == 2**53 - 1


def test_cells_without_trials_are_left_out_and_said():
    trials = Trials.from_counts(counts_table([4, 0], [1, 0]))
    assert trials.tasks == ("0",)
    assert trials.n_empty_cells == 1
    assert "1 cell without a counted trial" in repr(trials)
    table = {"system": ["a", "b"], "task": [1, 1], "n": [1, 0], "successes": [1, 0]}
    with pytest.warns(rs.ExclusionWarning, match="counted: b") as record:
        Trials.from_counts(table)
    assert record[0].filename == __file__


def test_cells_with_two_rows_are_refused():
    table = {"system": list("aabba"), "task": [1, 2, 1, 1, 2], "n": [1] * 5, "successes": [1] * 5}
    with pytest.raises(
        TrialDataError,
        match=(
            r"Rows 2 and 3 .* are both system 'b', task '1', with 2 rows of 5 "
            r"repeating an earlier one. Each cell needs one row"
        ),
    ):
        Trials.from_counts(table)
    trials = Trials.from_counts(table | {"c": list("xxxyy")}, condition="c")
    assert trials.counts.conditions == ("x", "y")
    with pytest.raises(TrialDataError, match=r"Rows 1 and 4 .*, condition 'x', with 1 row of 5"):
        Trials.from_counts(table | {"c": list("xxxyx")}, condition="c")


def test_counts_need_their_columns():
    with pytest.raises(TrialDataError, match="no column 'n' for n"):
        Trials.from_counts({"system": ["a"], "task": [1], "n_trials": [1], "successes": [1]})
    with pytest.raises(TrialDataError, match="successes must name a column"):
        Trials.from_counts(counts_table([1], [1]), successes=None)


LABELS = st.sampled_from(["a", "b", "é", "a,b", "<i>", "", "t1", "t10", "t9", "1", " "])
ROWS = st.lists(
    st.tuples(LABELS, LABELS, st.sampled_from([True, False, None])), min_size=1, max_size=40
).filter(lambda rows: any(row[2] is not None for row in rows))


@given(ROWS, st.randoms(use_true_random=False))
@settings(derandomize=True, max_examples=40, deadline=None)
def test_counts_are_those_of_a_plain_loop(rows, random):
    pl = pytest.importorskip("polars")
    n, successes, missing = Counter(), Counter(), Counter()
    for system, task, success in rows:
        cell = (system, task)
        n[cell] += 1
        successes[cell] += success is True
        missing[cell] += success is None
    shuffled = random.sample(rows, len(rows))
    names = ("system", "task", "success")
    first = Trials.from_frame(pd.DataFrame(rows, columns=names), missing="failure")
    again = Trials.from_frame(
        pl.DataFrame(
            shuffled,
            schema=dict(zip(names, (pl.String, pl.String, pl.Boolean), strict=True)),
            orient="row",
        ),
        missing="failure",
    )
    frame = first.counts.to_frame().assign(missing=first.counts.missing)
    found = {(s, t): values for s, t, *values in frame.itertuples(index=False)}
    assert found == {cell: [n[cell], successes[cell], missing[cell]] for cell in n}
    assert first == again
    assert first.fingerprint == again.fingerprint
    assert first.counts == again.counts
    long = again.to_frame()
    sums = long.groupby(["system", "task"])["success"].agg(["count", "sum"])
    assert {cell: list(map(int, values)) for cell, *values in sums.itertuples()} == {
        cell: values[:2] for cell, values in found.items()
    }


def test_public_tables_are_read_as_published(shared_data):
    frame = pd.read_csv(shared_data / "tau_bench_gpt4o_airline.csv")
    trials = Trials.from_frame(frame, trial="trial")
    histogram = np.bincount(trials.counts.successes, minlength=5)
    assert histogram.tolist() == [14, 12, 10, 4, 10]
    assert trials.n_trials == len(frame) == trials.n_rows
    rows = trials.to_frame().merge(
        frame.astype({"task": str}), on=["system", "task", "trial"], validate="1:1"
    )
    assert (rows["success_x"] == rows["success_y"]).all()
    assert len(rows) == 200


def test_tables_with_conditions_and_several_systems(shared_data):
    frame = pd.read_csv(shared_data / "lost_in_conversation_viewer_trials.csv")
    trials = Trials.from_frame(frame, condition="condition", trial="trial")
    expected = frame.groupby(["system", "condition", "task"])["success"].agg(["size", "sum"])
    assert trials.counts.n_cells == len(expected)
    assert trials.counts.n.sum() == len(frame)
    assert trials.counts.successes.sum() == expected["sum"].sum()
