from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

import reliability_stats as rs
from reliability_stats._arrays import read_outcomes

NAN = np.nan


def masked(values, mask):
    return np.ma.array(values, mask=mask)


@pytest.mark.parametrize(
    ("array", "outcomes"),
    [
        ([[1, 0], [0, 0]], [[1, 0], [0, 0]]),
        (np.array([[True, False]]), [[1, 0]]),
        (np.array([[1, 0]], np.uint8), [[1, 0]]),
        (np.array([[1, NAN]], np.float32), [[1, -1]]),
        ([[1 - 1e-6, 1 + 1e-6, 1e-6, -1e-6]], [[1, 1, 0, 0]]),
        ([[1, None, True, Decimal(0), NAN, np.float32(1)]], [[1, -1, 1, 0, -1, 1]]),
        ([[[1, None]], [[0, 1]]], [[[1, -1]], [[0, 1]]]),
        (pd.DataFrame({"a": pd.array([1, pd.NA], dtype="Int64"), "b": [0, 1]}), [[1, 0], [-1, 1]]),
        (masked([[1, 7], [1, 0]], [[0, 1], [0, 0]]), [[1, -1], [1, 0]]),
        (masked([[1.0, NAN]], False), [[1, -1]]),
        (masked(np.array([[True, False]]), [[1, 0]]), [[-1, 0]]),
        ([masked([1, 0], [0, 1]), masked([0, 1], [0, 0])], [[1, -1], [0, 1]]),
        ([[masked([1, 0], [0, 1])], [masked([0, 1], False)]], [[[1, -1]], [[0, 1]]]),
    ],
)
def test_read_outcomes(array, outcomes):
    found = read_outcomes(array)
    assert found.tolist() == outcomes
    assert found.dtype == np.int8


@pytest.mark.parametrize(
    ("array", "message"),
    [
        ([[1, 0.5]], r"Entry \[0, 1\] of the array is 0\.5\. Allowed are True/False, 1/0"),
        ([[1, 2], [3, 1]], r"Entry \[0, 1\] of the array is 2, and 1 more is not allowed\. "),
        ([[[1, 0]], [[0, -1]]], r"Entry \[1, 0, 1\] of the array is -1"),
        ([[1, 1 + 2e-6]], r"Entry \[0, 1\] of the array is 1\.000002"),
        ([[1, -2e-6]], r"is -2e-06"),
        ([[np.inf, 1]], "is inf"),
        ([["1", "0"]], r"Entry \[0, 0\] of the array is '1', and 1 more"),
        ([[1, "0"]], r"Entry \[0, 0\] of the array is '1'"),
        (np.array([[1, "0"]], dtype=object), r"Entry \[0, 1\] of the array is '0'"),
        ([[1, 10**400]], r"Entry \[0, 1\] of the array is a value of type int|is 1000"),
        ([[1j, 0]], r"Entry \[0, 0\] of the array is 1j"),
        ([[1, 0], [1]], "ragged"),
        ([[1, 0], 1], "ragged"),
        ([1, 0], r"not 1 dimensions of shape \(2,\)"),
        (1, r"not 0 dimensions of shape \(\)"),
        (None, r"not 0 dimensions"),
        (np.ones((1, 1, 1, 1)), "not 4 dimensions"),
        ([[]], r"shape \(1, 0\) is empty"),
        (np.ones((0, 3)), r"shape \(0, 3\) is empty"),
        (masked([[1, 7]], [[0, 0]]), r"Entry \[0, 1\] of the array is 7"),
        (masked([[1, 7, 7]], [[0, 1, 0]]), r"Entry \[0, 2\] of the array is 7\. "),
    ],
)
def test_wrong_outcomes(array, message):
    with pytest.raises(rs.TrialDataError, match=message):
        rs.Trials.from_array(array)


def test_cells_of_a_2d_array():
    trials = rs.Trials.from_array([[1, 0, NAN], [1, 1, 1]])
    frame = trials.counts.to_frame()
    assert frame.values.tolist() == [["system", "0", 2, 1], ["system", "1", 3, 3]]
    assert trials.n_rows == trials.n_trials == 5
    assert trials.columns == {}


def test_cells_of_a_3d_array_are_sorted_by_label():
    rng = np.random.default_rng(0)
    array = rng.integers(0, 2, (3, 12, 4)).astype(float)
    array[rng.random(array.shape) < 0.3] = NAN
    systems, tasks = ["c", "a", "b"], rng.permutation(12)
    trials = rs.Trials.from_array(array, systems=systems, tasks=tasks)
    assert trials.systems == ("a", "b", "c")
    assert trials.tasks == tuple(map(str, range(12)))
    frame = trials.counts.to_frame().set_index(["system", "task"])
    for i, system in enumerate(systems):
        for j, task in enumerate(tasks):
            runs = array[i, j][~np.isnan(array[i, j])]
            if runs.size:
                assert frame.loc[system, str(task)].tolist() == [runs.size, runs.sum()]
            else:
                assert (system, str(task)) not in frame.index


def test_default_names():
    trials = rs.Trials.from_array(np.ones((11, 11, 1)))
    assert trials.systems == tuple(f"system {i}" for i in range(11))
    assert trials.tasks == tuple(map(str, range(11)))


@pytest.mark.parametrize("systems", ["mine", ["mine"]])
@pytest.mark.parametrize("shape", [(2, 3), (1, 2, 3)])
def test_one_system_may_be_named_by_text(systems, shape):
    assert rs.Trials.from_array(np.ones(shape), systems=systems).systems == ("mine",)


@pytest.mark.parametrize(
    ("names", "message"),
    [
        ({"systems": ["a", "b"]}, "systems must have one label for each of the 1 in the array"),
        ({"tasks": ["a"]}, "tasks must have one label for each of the 2 in the array"),
        ({"tasks": [1, "1"]}, "Two task labels, 1 and '1', are both written '1'"),
        ({"tasks": "ab"}, "tasks must be a list of 2 labels"),
    ],
)
def test_wrong_names(names, message):
    with pytest.raises(rs.TrialDataError, match=message):
        rs.Trials.from_array(np.ones((2, 3)), **names)


def test_cells_without_a_trial_are_said():
    trials = rs.Trials.from_array([[1, 0], [NAN, NAN]])
    assert trials.n_empty_cells == 1
    assert "1 cell without a counted trial" in repr(trials)
    with pytest.raises(
        rs.TrialDataError,
        match=r"No trial can be counted: 1 cell listed, .* none known\. Check the data",
    ):
        rs.Trials.from_array([[NAN]])


def test_lost_system_is_named():
    with pytest.warns(rs.ExclusionWarning, match="counted: system 1") as record:
        trials = rs.Trials.from_array([[[1, NAN]], [[NAN, NAN]]])
    assert record[0].filename == __file__
    assert trials.systems == ("system 0",)


def test_the_array_is_not_kept_or_changed():
    array = np.array([[1.0, 0.0], [0.0, NAN]])
    before = array.copy()
    trials = rs.Trials.from_array(array)
    array[:] = 1
    assert trials.to_frame()["success"].tolist() == [1, 0, 0]
    assert before[0].tolist() == [1, 0]


@pytest.mark.parametrize("dtype", [bool, np.int8, np.float32, float, object])
def test_type_of_the_array_does_not_matter(dtype):
    values = np.random.default_rng(1).integers(0, 2, (5, 4))
    assert rs.Trials.from_array(values.astype(dtype)) == rs.Trials.from_array(values.tolist())
