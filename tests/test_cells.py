import datetime as dt
import enum
import uuid
import warnings
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reliability_stats._cells import Cells, axis_labels, encode, is_null, label_of, wanted
from reliability_stats._cells import warn_left_out as warn
from reliability_stats.exceptions import ExclusionWarning, TrialDataError


class Colour(str, enum.Enum):  # noqa: UP042
    RED = "red"


def make():
    return Cells(
        {"system": ("a", "b"), "task": ("1", "2", "3")},
        {"system": np.array([0, 0, 1]), "task": np.array([0, 2, 1])},
        np.array([2, 0, 4]),
        np.array([1, 0, 3]),
        np.array([1, 2, 0]),
        np.array([3, 2, 4]),
        np.array([[1, 0], [-1, -1], [1, 1]], dtype=np.int8),
    )


@pytest.mark.parametrize(
    ("value", "label"),
    [
        ("a", "a"),
        (np.str_("a"), "a"),
        (Colour.RED, "red"),
        (1, "1"),
        (np.int8(1), "1"),
        (1.0, "1"),
        (-0.0, "0"),
        (np.float32(1), "1"),
        (Decimal("1.0"), "1"),
        (Decimal("1.50"), "1.50"),
        (Fraction(1, 2), "1/2"),
        (0.1, "0.1"),
        (np.float64(0.1), "0.1"),
        (1e300, "1e+300"),
        (np.inf, "inf"),
        (np.nan, "nan"),
        (Decimal("NaN"), "NaN"),
        (True, "True"),
        (np.False_, "False"),
        (2**70, str(2**70)),
        (("a", 1, True), "a / 1 / True"),
        (b"caf\xc3\xa9", "café"),
        (b"\xff", "\\xff"),
        (dt.date(2020, 1, 2), "2020-01-02"),
        (dt.datetime(2020, 1, 2), "2020-01-02 00:00:00"),
        (pd.Timestamp(2020, 1, 2), "2020-01-02 00:00:00"),
        (pd.Timedelta(days=1, seconds=2), "1 day, 0:00:02"),
        (dt.timedelta(days=1, seconds=2), "1 day, 0:00:02"),
        (pd.Timedelta(1), "0 days 00:00:00.000000001"),
        (uuid.UUID(int=5), "00000000-0000-0000-0000-000000000005"),
        (None, "None"),
    ],
)
def test_labels(value, label):
    assert label_of(value) == label
    assert type(label_of(value)) is str


@pytest.mark.parametrize(
    "value", [None, np.nan, np.float32("nan"), pd.NA, pd.NaT, Decimal("NaN"), np.ma.masked]
)
def test_null(value):
    assert is_null(value) is True


@pytest.mark.parametrize("value", [0, "", "nan", False, Decimal(0), (), np.inf])
def test_not_null(value):
    assert is_null(value) is False


@pytest.mark.parametrize(
    ("values", "ordered"),
    [
        (["10", "9", "10"], ["9", "10"]),
        ([10, 9, 1], ["1", "9", "10"]),
        ([10.0, 9, np.int64(1)], ["1", "9", "10"]),
        (["task 10", "task 9"], ["task 9", "task 10"]),
        (["a1-2", "a1-10"], ["a1-2", "a1-10"]),
        (["a2", "b1"], ["a2", "b1"]),
        (["b10", "b9", "c"], ["b10", "b9", "c"]),
        (["-1", "-10", "3"], ["-10", "-1", "3"]),
        (["-1", "-2"], ["-2", "-1"]),
        (["a-1", "a-2"], ["a-1", "a-2"]),
        (["01", "1", "2"], ["01", "1", "2"]),
        (["2", "1", "01"], ["01", "1", "2"]),
        (["", "1"], ["", "1"]),
        (["1.5", "10.5", "9.5"], ["1.5", "10.5", "9.5"]),
        (["\u0661", "2"], ["2", "\u0661"]),
        (["9" * 30, "10"], ["10", "9" * 30]),
        (["É", "a", "Z"], ["Z", "a", "É"]),
        (["task 7"], ["task 7"]),
        ([True, False], ["False", "True"]),
        ([("b", 2), ("b", 10), ("a", 3)], ["a / 3", "b / 10", "b / 2"]),
    ],
)
def test_encode(values, ordered):
    labels, codes = encode(values, "task")
    assert list(labels) == ordered
    assert [labels[code] for code in codes] == [label_of(value) for value in values]
    assert codes.dtype == np.int64


@pytest.mark.parametrize(
    ("values", "shown"),
    [
        ([1, 2, "1"], "1 and '1', are both written '1'"),
        ([b"a", "a"], "b'a' and 'a', are both"),
        ([True, "True"], "True and 'True', are both"),
        ([("a / b", "c"), ("a", "b / c")], r"\('a / b', 'c'\) and \('a', 'b / c'\), are both"),
    ],
)
def test_labels_written_alike_are_refused(values, shown):
    with pytest.raises(TrialDataError, match=f"Two task labels, {shown}"):
        encode(values, "task")


@given(
    st.lists(
        st.one_of(st.text(max_size=3), st.from_regex(r"t[0-9]{1,3}", fullmatch=True)),
        min_size=1,
        max_size=30,
    )
)
@settings(derandomize=True, max_examples=60, deadline=None)
def test_encode_gives_back_any_text(values):
    labels, codes = encode(values, "task")
    assert [labels[code] for code in codes] == values
    assert encode(values[::-1], "task")[0] == labels
    assert sorted(labels) == sorted(set(values))


def test_keep_drops_unused_labels():
    cells = make()
    kept = cells.keep(np.array([False, True, True]))
    assert kept.labels == {"system": ("a", "b"), "task": ("2", "3")}
    assert kept.codes["task"].tolist() == [1, 0]
    assert kept.outcomes.tolist() == [[-1, -1], [1, 1]]
    assert kept.missing.tolist() == [2, 0]
    assert kept.records.tolist() == [2, 4]
    assert cells.keep(np.ones(3, dtype=bool)) is cells


@pytest.mark.parametrize(
    ("policy", "n", "successes", "tasks"),
    [
        ("drop", [2, 4], [1, 3], ("1", "2")),
        ("bounds", [2, 4], [1, 3], ("1", "2")),
        ("failure", [3, 2, 4], [1, 0, 3], ("1", "2", "3")),
        ("success", [3, 2, 4], [2, 2, 3], ("1", "2", "3")),
    ],
)
def test_policies(policy, n, successes, tasks):
    counts = make().counts(policy)
    assert counts.n.tolist() == n
    assert counts.successes.tolist() == successes
    assert counts.tasks == tasks
    assert counts.missing.sum() == (3 if policy in ("failure", "success") else 1)


def test_counts_share_memory_with_cells():
    cells = make().keep(np.array([True, False, True]))
    counts = cells.counts("drop")
    assert counts.n is cells.n
    assert counts.task is cells.codes["task"]


def test_arrays_are_read_only():
    cells = make()
    for values in (cells.n, cells.successes, cells.missing, cells.records, cells.codes["task"]):
        assert not values.flags.writeable


def test_lost_systems_are_named():
    cells = make()
    with pytest.warns(ExclusionWarning, match=r"no trial of theirs is counted: b\.$"):
        warn(cells, np.array([True, False, False]))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warn(cells, np.array([True, False, True]))


def test_systems_lost_under_a_condition_are_named():
    two = Cells(
        {"system": ("a", "b"), "task": ("1",), "condition": ("x", "y")},
        {"system": np.array([0, 0, 1]), "task": np.zeros(3, int), "condition": np.array([0, 1, 1])},
        *(np.ones(3, dtype=int) for _ in range(4)),
    )
    with pytest.warns(ExclusionWarning, match=r"counted: a \[y\], b \[y\]\.$"):
        warn(two, np.array([True, False, False]))


@pytest.mark.parametrize(
    "labels",
    [["x", "y"], ("x", "y"), np.array(["x", "y"]), pd.Series(["x", "y"], index=[5, 5]), iter("xy")],
)
def test_axis_labels(labels):
    assert axis_labels(labels, 2, "tasks") == ["x", "y"]


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ("xy", "tasks must be a list of 2 labels, not 'xy'"),
        (5, "tasks must be a list of 2 labels, not 5"),
        ({"x", "y"}, "tasks must be a list"),
        ({"x": 1, "y": 2}, "tasks must be a list"),
        (["x"], "one label for each of the 2 in the array, but has 1"),
        (["x", None], "must not hold None or NaN, but entry 1 does"),
        (["x", pd.NA], "entry 1"),
        ([np.nan, "x"], "entry 0"),
        (["x", ["y"]], r"text or numbers, but entry 1 is \['y'\]"),
        (["x", "x"], "The label 'x' occurs more than once in tasks"),
        ([1, 1.0], r"The label 1\.0 occurs more than once"),
    ],
)
def test_wrong_axis_labels(labels, message):
    with pytest.raises(TrialDataError, match=message):
        axis_labels(labels, 2, "tasks")


@pytest.mark.parametrize(
    ("chosen", "labels"),
    [("a", {"a"}), (["a", "b"], {"a", "b"}), (1, {"1"}), ([1.0, "a"], {"1", "a"}), ([], set())],
)
def test_wanted(chosen, labels):
    assert wanted(chosen, ("a", "b", "1"), "task") == labels


def test_unknown_labels():
    with pytest.raises(
        TrialDataError, match=r"no task 'tsk' \(did you mean 'task'\?\)\. The tasks are: task"
    ):
        wanted("tsk", ("task",), "task")
    with pytest.raises(TrialDataError, match=r"no condition 'x'\. There are no conditions"):
        wanted(["x"], (), "condition")
