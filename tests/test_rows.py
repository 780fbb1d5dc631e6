"""Rows behind the counts, in order within each cell."""

import datetime as dt
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

import reliability_stats as rs
from reliability_stats import TrialDataError, Trials


def rows(**columns):
    return {"system": ["a"] * 4, "task": [1] * 4, "success": [1, 0, 0, 1]} | columns


def test_frame_of_every_kind_of_table(make_frame):
    columns = {
        "model": ["b", "a", "a", "a", "b"],
        "item": ["t10", "t9", "t10", "t9", "t10"],
        "ok": [1.0, None, 0.0, 1.0, 0.0],
        "run": [1, 1, 0, 0, 0],
        "prompt": ["p", "p", "q", "p", "p"],
        "start": [dt.datetime(2025, 1, day, tzinfo=dt.UTC) for day in (9, 8, 7, 6, 5)],
        "family": ["x", "y", "x", "y", "x"],
        "minutes": [1.5, None, 2.0, 1.0, 1.5],
        "points": [1, 2, 3, 4, 5],
        "what": ["ok", "infra_error", None, "ok", "ok"],
    }
    trials = Trials.from_frame(
        make_frame(columns),
        system="model",
        task="item",
        success="ok",
        trial="run",
        condition="prompt",
        time="start",
        group="family",
        length="minutes",
        score="points",
        status="what",
        missing="failure",
    )
    frame = trials.to_frame()
    assert frame.columns.tolist() == [
        *("system", "task", "condition", "trial", "success", "missing"),
        *("time", "group", "length", "score", "status"),
    ]
    assert frame["system"].tolist() == ["a", "a", "a", "b", "b"]
    assert frame["condition"].tolist() == ["p", "p", "q", "p", "p"]
    assert frame["task"].tolist() == ["t9", "t9", "t10", "t10", "t10"]
    assert frame["trial"].tolist() == [0, 1, 0, 0, 1]
    assert frame["success"].tolist() == [1, 0, 0, 0, 1]
    assert frame["missing"].tolist() == [False, True, False, False, False]
    assert [value.day for value in frame["time"]] == [6, 8, 7, 5, 9]
    assert str(frame["time"].dtype).endswith("UTC]")
    assert frame["group"].tolist() == ["y", "y", "x", "x", "x"]
    assert frame["length"].isna().tolist() == [False, True, False, False, False]
    assert frame["score"].tolist() == [4, 2, 3, 5, 1]
    assert frame["status"].tolist() == ["ok", "infra_error", "ok", "ok", "ok"]
    assert frame.index.tolist() == list(range(5))


@pytest.mark.parametrize(
    ("policy", "success"),
    [("drop", [1, None, 0, 1]), ("bounds", [1, None, 0, 1]), ("failure", [1, 0, 0, 1])],
)
def test_success_is_as_counted(policy, success):
    trials = Trials.from_frame(rows(success=[1, None, 0, 1 - 1e-7]), missing=policy)
    frame = trials.to_frame()
    assert [None if np.isnan(x) else x for x in frame["success"]] == success
    assert frame["missing"].tolist() == [False, True, False, False]
    assert frame["success"].sum() == trials.counts.successes.sum()
    assert frame["success"].count() == trials.n_trials
    ends = [trials.complete(end).to_frame()["success"].tolist() for end in ("failure", "success")]
    assert ends == [[1, 0, 0, 1], [1, 1, 0, 1]]


def test_no_missing_column_without_missing_outcomes():
    assert list(Trials.from_frame(rows()).to_frame()) == ["system", "task", "trial", "success"]


@pytest.mark.parametrize(
    ("arguments", "columns", "success"),
    [
        ({}, {}, [1, 0, 0, 1]),
        ({"trial": "t"}, {"t": [3, 2, 1, 0]}, [1, 0, 0, 1][::-1]),
        ({"trial": "t"}, {"t": ["run 10", "run 9", "run 8", "run 11"]}, [0, 0, 1, 1]),
        ({"trial": "t"}, {"t": pd.array([10, 9, 8, 11], dtype="Int64")}, [0, 0, 1, 1]),
        ({"trial": "t"}, {"t": pd.Series([10, 9, 8, "11"], dtype=object)}, [0, 0, 1, 1]),
        ({"time": "d"}, {"d": [4, None, 3, 2]}, [1, 0, 1, 0]),
        (
            {"time": "d"},
            {"d": ["2025-01-03", "2025-01-02", "2025-01-01", "2024-12-31"]},
            [1, 0, 0, 1],
        ),
        ({"time": "d"}, {"d": [dt.date(2025, 1, day) for day in (3, 2, 10, 11)]}, [0, 1, 0, 1]),
        ({"time": "d"}, {"d": [dt.timedelta(hours=h) for h in (300, 2, 1, 3)]}, [0, 0, 1, 1]),
        ({"time": "d"}, {"d": [Decimal("10.5"), Decimal("9.5"), None, Decimal("9")]}, [1, 0, 1, 0]),
        ({"time": "d"}, {"d": [None, None, None, None]}, [1, 0, 0, 1]),
        ({"time": "d"}, {"d": pd.Series([3, "2", 10, 11], dtype=object)}, [0, 1, 0, 1]),
        ({"time": "d", "trial": "t"}, {"d": [2, 1, 1, 1], "t": [0, 3, 2, 1]}, [1, 0, 0, 1]),
        ({"time": "d"}, {"d": [1, 1, 1, 0]}, [1, 1, 0, 0]),
    ],
)
def test_order_within_a_cell(arguments, columns, success):
    frame = Trials.from_frame(rows(**columns), **arguments).to_frame()
    assert frame["success"].tolist() == success
    if "trial" in arguments:
        by_trial = frame.set_index("trial")["success"]
        given = dict(zip(columns["t"], [1, 0, 0, 1], strict=True))
        assert {trial: by_trial[trial] for trial in given} == given
    else:
        assert frame["trial"].tolist() == [0, 1, 2, 3]


def test_positions_start_anew_in_every_cell():
    columns = {"task": ["x", "y", "x", "y", "x"], "success": [1, 0, 0, 1, 1]}
    frame = Trials.from_frame(columns, system=None).to_frame()
    assert frame["system"].tolist() == ["system"] * 5
    assert frame["task"].tolist() == list("xxxyy")
    assert frame["trial"].tolist() == [0, 1, 2, 0, 1]
    assert frame["success"].tolist() == [1, 0, 1, 0, 1]


def test_order_of_an_array():
    array = np.array([[[1, np.nan, 0], [0, 0, 1]], [[1, 1, 1], [np.nan, 0, 1]]])
    trials = Trials.from_array(array, systems=["b", "a"], tasks=["y", "x"])
    frame = trials.to_frame()
    expected = [
        ("a", "x", 1, 0.0),
        ("a", "x", 2, 1.0),
        ("a", "y", 0, 1.0),
        ("a", "y", 1, 1.0),
        ("a", "y", 2, 1.0),
        ("b", "x", 0, 0.0),
        ("b", "x", 1, 0.0),
        ("b", "x", 2, 1.0),
        ("b", "y", 0, 1.0),
        ("b", "y", 2, 0.0),
    ]
    assert list(frame.itertuples(index=False, name=None)) == expected
    assert Trials.from_frame(frame, trial="trial") == trials
    part = trials.select(systems="b", tasks="y").to_frame()
    assert list(part.itertuples(index=False, name=None)) == expected[-2:]


def test_frame_and_array_give_the_same_rows():
    array = np.random.default_rng(5).integers(0, 2, (3, 4, 6))
    first = Trials.from_array(array).to_frame()
    again = Trials.from_frame(first.sample(frac=1, random_state=1), trial="trial").to_frame()
    pd.testing.assert_frame_equal(first, again)


def test_counts_have_no_rows():
    trials = Trials.from_counts({"task": [1], "n": [4], "successes": [2]}, system=None)
    with pytest.raises(TrialDataError, match=r"known by their counts only.*counts\.to_frame\(\)"):
        trials.to_frame()
    with pytest.raises(TrialDataError, match="known by their counts only"):
        trials.select(tasks="1").to_frame()


def test_selection_takes_its_rows(make_frame):
    columns = {
        "system": ["a", "a", "b", "b"],
        "task": [1, 2, 1, 2],
        "c": ["x", "y", "y", "x"],
        "d": [1, 1, 1, 2],
        "success": [1, 0, 0, 1],
    }
    trials = Trials.from_frame(make_frame(columns), condition=["c", "d"])
    assert trials.select(tasks=1).to_frame()["success"].tolist() == [1, 0]
    assert trials.select(conditions="y / 1").to_frame()["system"].tolist() == ["a", "b"]
    part = trials.select(systems="b", conditions=["x / 2"])
    assert part.to_frame()[["task", "success"]].values.tolist() == [["2", 1.0]]
    assert trials.to_frame().shape[0] == 4


def test_the_given_table_may_change_later():
    frame = pd.DataFrame(rows())
    trials = Trials.from_frame(frame)
    frame.loc[:, "success"] = 0
    frame.loc[0, "task"] = 9
    assert trials.to_frame()["success"].tolist() == [1, 0, 0, 1]
    assert trials.to_frame()["task"].tolist() == ["1"] * 4
    given = trials.to_frame()
    given["success"] = 0
    assert trials.to_frame()["success"].sum() == 2
    assert trials.counts.successes.tolist() == [2]


def test_rows_of_a_lost_system_stay():
    columns = {"system": ["a", "b"], "task": [1, 1], "success": [1, None]}
    with pytest.warns(rs.ExclusionWarning, match="counted: b"):
        trials = Trials.from_frame(columns, missing="drop")
    assert trials.to_frame()["missing"].tolist() == [False, True]
    assert trials.complete("failure").to_frame()["success"].tolist() == [1, 0]
