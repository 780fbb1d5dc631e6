"""What is a success, a failure, or missing."""

import datetime as dt
from decimal import Decimal
from fractions import Fraction

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
    "success",
    [
        [True, False, True, True],
        np.array([1, 0, 1, 1], np.uint8),
        [1 - 1e-6, 1e-6, 1 + 1e-6, 1.0],
        [1.0, -1e-6, 1.0, 1.0],
        np.array([1, 0, 1, 1], np.float16),
        [Decimal(1), Decimal("0.0"), Decimal("1.0000001"), Decimal(1)],
        [True, 0, 1.0, Fraction(1)],
        [np.True_, np.False_, np.int8(1), np.float32(1)],
        pd.Categorical([True, False, True, True]),
        *(
            pd.array([1, 0, 1, 1], dtype=d)
            for d in ("boolean", "Int64", "UInt8", "Float64", object)
        ),
        *(pd.array([1, 0, 1, 1], dtype=d) for d in ("int64[pyarrow]", "double[pyarrow]")),
        pd.array([True, False, True, True], dtype="bool[pyarrow]"),
    ],
    ids=str,
)
def test_what_may_be_a_success(success):
    assert rows_of(Trials.from_frame(table(success)).counts) == EXPECTED


@pytest.mark.parametrize(
    "gap", [None, np.nan, pd.NA, pd.NaT, Decimal("NaN"), Decimal("sNaN"), np.float32("nan")]
)
def test_what_may_be_missing(gap):
    frame = pd.DataFrame(table(pd.Series([1, 0, gap, 1], dtype=object)))
    trials = Trials.from_frame(frame, missing="failure")
    assert trials.n_missing == 1
    assert rows_of(trials.counts)[1] == ["a", "2", 1, 0]


@pytest.mark.parametrize(
    "dtype",
    ["boolean", "Int64", "Float64", "float32", "category", "int64[pyarrow]", "double[pyarrow]"],
)
def test_gaps_in_nullable_types(dtype):
    success = pd.Series([1, None, 0, 1], dtype=dtype)
    trials = Trials.from_frame(pd.DataFrame(table(success)), missing="drop")
    assert rows_of(trials.counts) == [["a", "1", 1, 1], ["a", "2", 1, 0], ["b", "1", 1, 1]]


def test_nan_inside_a_nullable_type():
    success = pd.Series([0.0, 1, 1, 1], dtype="Float64")
    success = success * (success / success)
    trials = Trials.from_frame(pd.DataFrame(table(success)), missing="drop")
    assert trials.n_missing == 1
    with pytest.raises(TrialDataError, match=r"Row 0 .* has no task"):
        Trials.from_frame(pd.DataFrame(table() | {"task": success}))


@pytest.mark.parametrize(
    ("success", "row", "value"),
    [
        ([1, 0, 0.5, 1], 2, "0.5"),
        ([1, 0, 2, 1], 2, "2"),
        ([1, -1, 1, 1], 1, "-1"),
        ([1, np.inf, np.nan, 1], 1, "inf"),
        ([1, 0, 1, 1 + 1.1e-6], 3, "1.0000011"),
        ([1, 0, 1, -1.1e-6], 3, "-1.1e-06"),
        (["1", "0", "1", "1"], 0, "'1'"),
        ([True, "True", True, True], 1, "'True'"),
        ([1, 0, "", 1], 2, "''"),
        (pd.Series([1, 0, 10**400, 1], dtype=object), 2, "a value of type int"),
        ([1, 0, -(10**30), 1], 2, "-1000000000000000000000000000000"),
        (pd.Series([1, 0, 1j, 1], dtype=object), 2, "1j"),
        ([[1], [0], [1], [1]], 0, "[1]"),
        ([1, {"a": 1}, 0, 1], 1, "{'a': 1}"),
        ([dt.datetime(2020, 1, 1)] * 4, 0, "Timestamp('2020-01-01 00:00:00')"),
        ([1, "x" * 500, 1, 1], 1, "'" + "x" * 76 + "..."),
    ],
)
def test_what_is_no_success(success, row, value):
    with pytest.raises(TrialDataError) as error:
        Trials.from_frame(table(success))
    message = str(error.value)
    assert f"in row {row} (system '{SYSTEM[row]}', task '{TASK[row]}')" in message
    assert f"counting rows from 0, is {value}" in message or value.startswith("a value")
    assert "Allowed are True/False, 1/0 and floats within 1e-6 of these" in message


@pytest.mark.parametrize(
    ("status", "row", "shown"),
    [
        (["ok", None, "OK", "ok"], 2, r"'OK' \(did you mean 'ok'\?\)"),
        (
            ["ok", "infra-error", "infra_error", "zzz"],
            1,
            r"'infra-error' \(did you mean 'infra_error'\?\)",
        ),
        ([1, 2, 3, 4], 0, r"1\."),
        (["ok", "", "ok", "ok"], 1, r"''\."),
    ],
)
def test_wrong_status(status, row, shown):
    place = rf"status in row {row} \(system 'a', task '{TASK[row]}'\), counting rows from 0, is "
    allowed = "ok, agent_failure, infra_error, grader_error, missing, and empty for ok"
    with pytest.raises(TrialDataError, match=f"{place}{shown}.*Allowed are {allowed}"):
        Trials.from_frame(table(status=status), status="status")


@pytest.mark.parametrize(
    ("status", "success", "counted"),
    [
        ("ok", 1, (1, 1, 0)),
        ("ok", None, (0, 0, 1)),
        (None, 0, (1, 0, 0)),
        ("agent_failure", None, (1, 0, 0)),
        ("agent_failure", 0, (1, 0, 0)),
        ("agent_failure", 1, (1, 1, 0)),
        ("infra_error", 1, (0, 0, 1)),
        ("grader_error", 0, (0, 0, 1)),
        ("missing", 7, (0, 0, 1)),
    ],
)
def test_status_decides(status, success, counted):
    columns = {"system": ["a", "a"], "task": [1, 1], "success": [1, success]}
    trials = Trials.from_frame(
        columns | {"status": [None, status]}, status="status", missing="drop"
    )
    n, successes, missing = counted
    assert trials.counts.n.tolist() == [1 + n]
    assert trials.counts.successes.tolist() == [1 + successes]
    assert trials.n_missing == missing


def test_every_kind_of_table_with_gaps(make_frame):
    success = [True, None, None, False]
    status = ["ok", None, "infra_error", "agent_failure"]
    frame = make_frame(table(success, status=status))
    trials = Trials.from_frame(frame, status="status", missing="failure")
    assert rows_of(trials.counts) == [["a", "1", 2, 1], ["a", "2", 1, 0], ["b", "1", 1, 0]]
    assert trials.counts.missing.tolist() == [1, 1, 0]
