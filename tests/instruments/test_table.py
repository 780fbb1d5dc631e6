"""One way to check a table: values as arrays, first bad row named, nothing dropped silently."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from reliability_stats.exceptions import ExclusionWarning, TrialDataError
from reliability_stats.instruments._table import (
    Flag,
    Label,
    Number,
    Time,
    count,
    date_of,
    read_table,
)

NEEDS = {
    "class": Label(),
    "severity": Label(levels=("low", "high"), missing="keep"),
    "exposure": Number(low=0, above=True),
    "n": count(),
    "fixed": Flag(missing="keep"),
}
GOOD = {
    "class": ["b, <i>", "a ü", "b, <i>"],
    "severity": ["high", None, "low"],
    "exposure": [1.5, 2.0, 4.0],
    "n": [1, 0, 3],
    "fixed": [True, None, False],
}


def read(data, needs=None, **options):
    needs = NEEDS if needs is None else needs
    return read_table(data, {role: role for role in needs}, needs, what="incident", **options)


def test_every_kind_of_frame(make_frame):
    table = read(make_frame(GOOD))
    assert len(table) == 3
    assert table.labels["class"] == ("a ü", "b, <i>")
    assert table["class"].tolist() == [1, 0, 1]
    assert table.named("class").tolist() == GOOD["class"]
    assert table["severity"].tolist() == [1, -1, 0]
    assert table.named("severity").tolist() == ["high", None, "low"]
    assert table["exposure"].tolist() == [1.5, 2.0, 4.0]
    assert table["n"].tolist() == [1, 0, 3]
    assert table["n"].dtype == np.int64
    assert table["fixed"].tolist() == [1, -1, 0]
    assert table.excluded == {}
    assert table.describe() == "3 incidents"


DATES = ["2024-01-01", "2024-01-02T12:00:00", "2023-12-31"]


@pytest.mark.parametrize(
    "times",
    [
        DATES,
        [dt.datetime.fromisoformat(text) for text in DATES],
        ["2024-01-01T00:00:00Z", "2024-01-02T14:00:00+02:00", "2023-12-31"],
    ],
    ids=["text", "datetime", "zones"],
)
def test_dates_are_days_since_1970(make_frame, times):
    table = read(make_frame({"time": times}), {"time": Time()})
    assert table.dated == {"time"}
    assert table["time"].tolist() == [19723.0, 19724.5, 19722.0]
    assert date_of(19723.0) == "2024-01-01"
    assert date_of(19724.5) == "2024-01-02T12:00:00"


def test_dates_without_a_time_of_day_and_numbers():
    days = pd.DataFrame({"time": [dt.date(2024, 1, 1), None]})
    assert read(days, {"time": Time(missing="keep")})["time"].tolist()[0] == 19723.0
    table = read({"time": [3, 1.5]}, {"time": Time()})
    assert table.dated == frozenset()
    assert table["time"].tolist() == [3.0, 1.5]
    mixed = pd.DataFrame({"time": [dt.date(2024, 1, 1), 3]})
    with pytest.raises(TrialDataError, match=r"time in row 1 \(counting from 0\) is 3; it must be"):
        read(mixed, {"time": Time()})


@pytest.mark.parametrize(
    ("role", "values", "message"),
    [
        ("class", ["a", None, " "], r"no class in row 1 \(counting from 0\), nor have 1 other row"),
        ("class", ["a", ["b"], "c"], r"class in row 1 .* is \['b'\]"),
        ("severity", ["low", "lwo", "x"], r"'a ü'\) is 'lwo' \(did.*'low'\?\); it must be one of"),
        ("exposure", [1.0, 2.0, 0.0], r"row 2 .*'b, <i>'.* is 0.0; it must be a finite num"),
        ("exposure", [np.inf, 2.0, 1.0], r"row 0 .* is inf; it must be"),
        ("exposure", [1.0, np.nan, 1.0], r"no exposure in row 1"),
        ("exposure", ["1", "2", "3"], r"is '1'; it must be a finite number"),
        ("n", [0.5, 1, 1], r"n in row 0 .* is 0.5; it must be a whole number of at least 0"),
        ("n", [True, False, True], r"n in row 0 .* is True; it must be a whole number"),
        ("n", [-1, 0, -2], r"is -1; .*, and 1 more is not allowed"),
        ("fixed", [2, 1, 0], r"fixed in row 0 .* is 2.*; it must be True or False, or 1 or 0"),
    ],
)  # fmt: skip
def test_the_first_bad_row_is_named(role, values, message):
    with pytest.raises(TrialDataError, match=message):
        read(pd.DataFrame({**GOOD, role: values}))


def test_bad_times_and_columns():
    with pytest.raises(TrialDataError, match=r"row 1 .* is 'yesterday'; it must be a finite"):
        read({"time": ["2024-01-01", "yesterday"]}, {"time": Time()})
    with pytest.raises(TrialDataError, match=r"no column 'clas'.*did you mean 'class'"):
        read_table(GOOD, {"class": "clas"}, {"class": Label()})
    with pytest.raises(TrialDataError, match="class must name a column of the table, not None"):
        read_table(GOOD, {"class": None}, {"class": Label()})
    with pytest.raises(TrialDataError, match="must be a data frame"):
        read(3)


def test_empty_tables():
    empty = pd.DataFrame({name: [] for name in GOOD})
    with pytest.raises(TrialDataError, match="no rows; at least one incident is needed"):
        read(empty)
    table = read(empty, allow_empty=True)
    assert len(table) == 0
    assert table.labels["class"] == ()


def test_dropped_rows_are_counted_and_told():
    needs = {"class": Label(missing="drop"), "exposure": Number(missing="drop")}
    data = {"class": [None, "a", "b", "c"], "exposure": [None, 1.0, None, 2.0]}
    with pytest.warns(ExclusionWarning, match="Left out of 4 incidents: 1 with no class, 1 with"):
        table = read(pd.DataFrame(data), needs)
    assert table.excluded == {"no class": 1, "no exposure": 1}
    assert table.labels["class"] == ("a", "c")
    assert table.row.tolist() == [1, 3]
    assert "1 left out (no class)" in table.describe()
    with (
        pytest.warns(ExclusionWarning),
        pytest.raises(TrialDataError, match="No incident is left; all 2 have missing values"),
    ):
        read({"class": [None, None], "exposure": [1.0, 1.0]}, needs)


def test_optional_roles_may_be_left_out():
    columns = {"class": "class", "n": None}
    table = read_table(GOOD, columns, {"class": Label(), "n": count()}, optional=("n",))
    assert "n" not in table
    assert "class" in table


def test_refusals_name_the_row():
    table = read(GOOD)
    table.refuse([False] * 3, "n", "never")
    with pytest.raises(TrialDataError, match=r"n in row 1 .*class 'a ü'.* is 0, but allowed are 1"):
        table.refuse(table["n"] < 1, "n", "allowed are 1 and more")
    with pytest.raises(TrialDataError, match=r"class in row 2 .* repeat those of row 0; each may"):
        table.refuse_repeats("class")
    table.refuse_repeats("class", "severity")


def test_fingerprint_changes_with_the_data_and_not_with_the_frame(make_frame):
    assert read(make_frame(GOOD)).fingerprint == read(GOOD).fingerprint
    other = {**GOOD, "n": [1, 0, 4]}
    assert read(other).fingerprint != read(GOOD).fingerprint
