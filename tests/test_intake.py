"""Tables, their columns and their labels."""

import datetime as dt
import uuid
from decimal import Decimal

import narwhals as nw
import numpy as np
import pandas as pd
import pytest

from reliability_stats import TrialDataError, Trials

SYSTEM, TASK = ["a", "a", "a", "b"], [1, 1, 2, 1]


def table(success=(1, 0, 1, 1), **more):
    return {"system": SYSTEM, "task": TASK, "success": success, **more}


def rows_of(counts):
    """List (system, task, n, successes) of each cell."""
    return counts.to_frame()[["system", "task", "n", "successes"]].values.tolist()


EXPECTED = [["a", "1", 2, 1], ["a", "2", 1, 1], ["b", "1", 1, 1]]


@pytest.mark.parametrize(
    ("task", "labels"),
    [
        ([1.0, 1.0, 2.0, 1.0], ("1", "2")),
        (["1", "1", "2", "1"], ("1", "2")),
        ([1, 1.0, np.int64(2), 1], ("1", "2")),
        (["", "a,b", "<b>&", "line\nbreak"], ("", "<b>&", "a,b", "line\nbreak")),
        (["é", "e\u0301", "日本", "x"], ("e\u0301", "x", "é", "日本")),
        ([True, True, False, True], ("False", "True")),
        ([b"x", b"y", b"x", b"y"], ("x", "y")),
        ([dt.date(2020, 1, 1)] * 4, ("2020-01-01",)),
        (
            pd.date_range("2020-01-01", periods=4, tz="UTC"),
            tuple(f"2020-01-0{i} 00:00:00+00:00" for i in range(1, 5)),
        ),
        (
            pd.period_range("2020-01", periods=4, freq="M"),
            ("2020-01", "2020-02", "2020-03", "2020-04"),
        ),
        (pd.Categorical(["y", "y", "x", "y"], categories=["z", "y", "x"]), ("x", "y")),
        (pd.Categorical([2, 2, 1, 2]), ("1", "2")),
        (pd.array([10, 10, 9, 10], dtype="Int64"), ("9", "10")),
        (np.array([2**63, 2**63 + 1, 1, 1], np.uint64), ("1", str(2**63), str(2**63 + 1))),
        ([uuid.UUID(int=1)] * 4, ("00000000-0000-0000-0000-000000000001",)),
        ([("a", 1), ("a", 1), ("b", 2), ("a", 1)], ("a / 1", "b / 2")),
        ([Decimal("1.0"), 1, Decimal(2), 1.0], ("1", "2")),
    ],
    ids=str,
)
def test_labels(task, labels):
    frame = pd.DataFrame(table() | {"task": task})
    trials = Trials.from_frame(frame)
    assert set(trials.tasks) == set(labels)
    assert trials.n_trials == 4


@pytest.mark.parametrize(
    ("task", "message"),
    [
        ([1, "1", 2, 1], "Two task labels, 1 and '1', are both written '1'"),
        (
            [1, True, 2, 1],
            r"The task in row 1 .* is True, and others are numbers; Python takes True",
        ),
        ([0, np.False_, "x", 0], r"The task in row 1 .* is np\.False_"),
        ([1, [2], 3, 4], r"The task in row 1 .* is \[2\]; it must be text, a number"),
        (
            pd.Series(["é", "a\ud800", "b", "a"], dtype=object),
            r"The task label 'a\\ud800' holds half a character",
        ),
        ([{"a": 1}] * 4, r"The task in row 0 .* is \{'a': 1\}"),
        ([1.0, np.nan, 2.0, 1.0], "Row 1 .* has no task"),
        (["a", pd.NA, "b", "c"], "Row 1 .* has no task"),
        (pd.Categorical(["a", None, "b", "a"]), "Row 1 .* has no task"),
        (
            pd.to_datetime(["2020-01-01", None, None, None]),
            "Row 1 .* has no task, nor have 2 other rows",
        ),
    ],
    ids=str,
)
def test_wrong_labels(task, message):
    with pytest.raises(TrialDataError, match=message):
        Trials.from_frame(pd.DataFrame(table() | {"task": task}))
    counts = {"system": SYSTEM, "task": task, "n": [1] * 4, "successes": [1] * 4}
    with pytest.raises(TrialDataError, match=message):
        Trials.from_counts(pd.DataFrame(counts))


def test_labels_of_polars_types():
    pl = pytest.importorskip("polars")
    frame = pl.DataFrame(table(), strict=False).with_columns(
        pl.col("system").cast(pl.Enum(["b", "a"])),
        pl.col("task").cast(pl.String).cast(pl.Categorical),
    )
    assert rows_of(Trials.from_frame(frame).counts) == EXPECTED
    objects = frame.with_columns(
        pl.Series("task", [uuid.UUID(int=t) for t in TASK], dtype=pl.Object)
    )
    assert Trials.from_frame(objects).counts.n.tolist() == [2, 1, 1]
    for gap in (float("nan"), None):
        with pytest.raises(TrialDataError, match=r"Row 1 .* has no task, nor"):
            Trials.from_frame(frame.with_columns(pl.Series("task", [1.0, gap, gap, 1.0])))
    for nested in ([[1], [1], [2], [1]], [{"a": 1}] * 4):
        with pytest.raises(
            TrialDataError, match=r"The task in row 0 .* is [\[{].*1[\]}]; it must be"
        ):
            Trials.from_frame(frame.with_columns(pl.Series("task", nested)))
        with pytest.raises(TrialDataError, match=r"in row 0 .*, and 3 more are not allowed"):
            Trials.from_frame(frame.with_columns(pl.Series("success", nested)))


def test_labels_of_arrow_types():
    pa = pytest.importorskip("pyarrow")
    frame = pa.table(table())
    frame = frame.set_column(0, "system", pa.array(SYSTEM).dictionary_encode())
    assert rows_of(Trials.from_frame(frame).counts) == EXPECTED


@pytest.mark.parametrize(
    "values",
    [
        [dt.timedelta(days=1, seconds=3), dt.timedelta(days=2)] * 2,
        [dt.datetime(2020, 1, 1), dt.datetime(2020, 1, 1, 5, 0, 1, 5)] * 2,
        [Decimal("1.50"), Decimal("2.00")] * 2,
        [b"x", b"y"] * 2,
    ],
    ids=str,
)
def test_labels_do_not_depend_on_the_library(values):
    pl, pa = pytest.importorskip("polars"), pytest.importorskip("pyarrow")
    columns = table() | {"task": values}
    trials = [Trials.from_frame(kind(columns)) for kind in (pd.DataFrame, pl.DataFrame, pa.table)]
    assert trials[0].tasks == trials[1].tasks == trials[2].tasks
    assert trials[0] == trials[1] == trials[2]


def test_narwhals_frames_are_taken():
    for frame in (nw.from_native(pd.DataFrame(table())), pd.DataFrame(table()).convert_dtypes()):
        assert rows_of(Trials.from_frame(frame).counts) == EXPECTED


def test_index_does_not_align():
    frame = pd.DataFrame(table([True, None, None, False], status=["ok", "ok", "missing", None]))
    frame.index = pd.MultiIndex.from_tuples([(1, 1), (1, 1), (0, 1), (0, 0)])
    trials = Trials.from_frame(frame, status="status", missing="failure")
    assert rows_of(trials.counts) == [["a", "1", 2, 1], ["a", "2", 1, 0], ["b", "1", 1, 0]]


def test_series_in_a_mapping_must_share_their_index():
    system = pd.Series(SYSTEM, index=[3, 2, 1, 0])
    task = pd.Series(TASK, index=[3, 2, 1, 0])
    assert rows_of(Trials.from_frame(table() | {"system": system, "task": task}).counts) == EXPECTED
    with pytest.raises(TrialDataError, match="Series in the mapping have different indexes"):
        Trials.from_frame(table() | {"system": system, "task": pd.Series(TASK)})


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (np.ones((2, 2)), "not ndarray"),
        (pd.Series([1]), "not Series"),
        ("table.csv", "a mapping of columns, not str"),
        (None, "not NoneType"),
        ([{"system": "a"}], "not list"),
        (
            {"system": ["a"], "task": [1, 2], "success": [1]},
            "mapping of columns is no table: All arrays",
        ),
        ({"system": "a", "task": 1, "success": 1}, "mapping of columns is no table"),
        ({}, "no column 'system' for system. The columns are: none"),
        (
            pd.DataFrame(columns=["system", "task", "success"]),
            "has no rows; at least one trial is needed",
        ),
        (pd.DataFrame({0: SYSTEM, 1: TASK}), "The columns are: 0, 1.* Column names must be text"),
        (pd.DataFrame({("x", "system"): SYSTEM}), r"\('x', 'system'\).*flatten several levels"),
        (
            pd.DataFrame([[1, 2, 3, 4]], columns=["system", "task", "task", "success"]),
            "columns of the table cannot be used: .*'task' 2 times",
        ),
        (
            pd.DataFrame(table()).set_index(["system", "task"]),
            r"'system' is a level of the index: call reset_index\(\)",
        ),
    ],
    ids=str,
)
def test_what_is_no_table(data, message):
    with pytest.raises(TrialDataError, match=f"(?s){message}"):
        Trials.from_frame(data)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            {"task": "tsk"},
            (
                r"no column 'tsk' for task \(did you mean 'task'\?\)\. The columns are: "
                r"'system', 'task', 'success'\. Name the right one with task=\.\.\.$"
            ),
        ),
        ({"system": "model"}, r"no column 'model' for system\. .* give system=None"),
        ({"task": None}, "task must name a column; only system may be None"),
        ({"success": None}, "success must name a column"),
        ({"task": 5}, "no column 5 for task"),
        ({"system": "task"}, "Column 'task' is given both for system and for task"),
        ({"trial": "success"}, "Column 'success' is given both for success and for trial"),
        ({"condition": "nope"}, r"no column 'nope' for condition\. .*condition=\.\.\."),
        ({"condition": []}, "condition is an empty list"),
        ({"condition": 5}, "condition must be a column name or a list of them, not 5"),
        ({"condition": [None]}, r"condition must be a column name or a list of them, not \[None\]"),
        ({"condition": ["task"]}, "given both for task and for condition"),
    ],
)
def test_wrong_columns(arguments, message):
    with pytest.raises(TrialDataError, match=message):
        Trials.from_frame(table(), **arguments)


def test_columns_named_like_roles_and_inner_columns():
    frame = pd.DataFrame(
        {
            "task": SYSTEM,
            "system": TASK,
            "number of successes": [1, 0, 1, 1],
            "number of missing": ["x", "x", "y", "x"],
            "condition 2": [5, 5, 6, 5],
            "success": ["junk"] * 4,
        }
    )
    trials = Trials.from_frame(
        frame,
        system="task",
        task="system",
        success="number of successes",
        condition=["number of missing", "condition 2"],
    )
    assert rows_of(trials.counts) == EXPECTED
    assert trials.counts.conditions == ("x / 5", "y / 6")
    assert trials.columns == {
        "system": "task",
        "task": "system",
        "condition": ("number of missing", "condition 2"),
        "success": "number of successes",
    }


def test_kept_columns_may_have_another_role_too():
    trials = Trials.from_frame(
        table(trial=[0, 1, 0, 0]), trial="trial", time="trial", group="task", length="trial"
    )
    assert trials.columns["time"] == trials.columns["length"] == "trial"
    assert trials.to_frame()["group"].tolist() == [1, 1, 2, 1]


def test_one_system_without_a_column(make_frame):
    frame = make_frame({"task": ["b", "a"], "success": [1, 0]})
    assert rows_of(Trials.from_frame(frame, system=None).counts) == [
        ["system", "a", 1, 0],
        ["system", "b", 1, 1],
    ]


@pytest.mark.parametrize("condition", ["c", ["c"], ("c",)])
def test_one_condition(condition, make_frame):
    trials = Trials.from_frame(make_frame(table(c=["x", "y", "x", "x"])), condition=condition)
    assert trials.counts.conditions == ("x", "y")
    assert trials.counts.units == ("a [x]", "a [y]", "b [x]")
    assert trials.columns["condition"] == "c"


def test_conditions_written_alike_are_refused(make_frame):
    columns = table(c=["x / y", "x", "x", "x"], d=["z", "y / z", "z", "z"])
    with pytest.raises(
        TrialDataError, match=r"Two condition labels, .* are both written 'x / y / z'"
    ):
        Trials.from_frame(make_frame(columns), condition=["c", "d"])


def test_missing_condition_is_refused():
    with pytest.raises(TrialDataError, match=r"Row 1 .* has no condition"):
        Trials.from_frame(table(c=["x", None, "x", "x"]), condition="c")
    with pytest.raises(TrialDataError, match=r"Row 2 .* has no condition 2"):
        Trials.from_frame(table(c=list("xxxx"), d=["y", "y", None, "y"]), condition=["c", "d"])
