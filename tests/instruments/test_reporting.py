"""Reports without exposure: shares, delays that are right-truncated, and real reports."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from reliability_stats.exceptions import ArgumentError, ModelError, TrialDataError
from reliability_stats.instruments import reported_incidents


def test_shares_by_hand():
    table = {"time": [1, 2, 3, 11, 12, 13, 14], "failure_class": list("aabbbba")}
    rows = reported_incidents(table).shares(10)
    assert rows["early"].tolist() == [2, 1]
    assert rows["late"].tolist() == [1, 3]
    assert rows["share_late"][1] == pytest.approx(3.5 / 5)
    x = stats.beta(1.5, 2.5).rvs(400_000, random_state=1)
    y = stats.beta(3.5, 1.5).rvs(400_000, random_state=2)
    assert rows["p_more"][1] == pytest.approx((y > x).mean(), abs=0.01)
    assert rows["upper"][1] == pytest.approx(np.quantile(y - x, 0.975), abs=0.01)
    assert reported_incidents(table).shares(10, before=13)["late"].tolist() == [0, 2]


def test_delays_by_hand():
    """Delays 0, 1, 2 of incidents at 0, 8 and 9 read at 10: the product over what was at risk."""
    table = {"time": [0, 8, 9, 9], "reported": [2, 9, 9, 10], "failure_class": ["a"] * 4}
    law = reported_incidents(table, reported="reported", until=10).delays()
    assert law["delay"].tolist() == [0, 1, 2]
    # delay 2: one of two that could be seen so late; delay 1: two of three that had one
    assert law["reported"].tolist() == pytest.approx([(1 - 1 / 2) * (1 - 2 / 3), 1 / 2, 1.0])


def test_right_truncation_is_corrected():
    rng = np.random.default_rng(4)
    time, delay = rng.uniform(0, 100, 6000), rng.exponential(10, 6000)
    seen = time + delay <= 100
    table = {
        "time": time[seen],
        "reported": (time + delay)[seen],
        "failure_class": ["a"] * seen.sum(),
    }
    found = reported_incidents(table, reported="reported", until=100.0)
    law = found.delays()
    at = law["reported"].to_numpy()[np.searchsorted(law["delay"], 10.0) - 1]
    assert at == pytest.approx(1 - np.exp(-1), abs=0.03)
    assert (delay[seen] < 10).mean() > at + 0.03
    rows = found.completeness(10.0, periods=3)
    want = [1 - np.exp(-i) * (1 - np.exp(-1)) for i in range(3)]
    assert rows["complete"].to_numpy() == pytest.approx(want, abs=0.04)
    assert (rows["lower"] <= rows["complete"]).all()
    assert rows["start"].tolist() == ["90", "80", "70"]


def test_standard_errors_hold():
    rng = np.random.default_rng(6)
    inside = []
    for _ in range(25):
        time, delay = rng.uniform(0, 50, 400), rng.exponential(10, 400)
        seen = time + delay <= 50
        table = {"time": time[seen], "reported": (time + delay)[seen]}
        table["failure_class"] = ["a"] * seen.sum()
        law = reported_incidents(table, reported="reported", until=50.0).delays()
        at = np.searchsorted(law["delay"], 10.0) - 1
        longest = law["delay"].iloc[-1]
        truth = (1 - np.exp(-1)) / (1 - np.exp(-longest / 10))
        inside.append(abs(np.log(law["reported"][at] / truth)) < 1.96 * law["error"][at])
    assert np.mean(inside) == pytest.approx(0.95, abs=0.13)


def test_published_reports(shared_data):
    data = pd.read_csv(shared_data / "aiid_incidents_2025_03.csv")
    options = {"time": "date", "failure_class": "mit_domain", "missing": "drop"}
    with pytest.warns(UserWarning, match="120 with no failure_class"):
        found = reported_incidents(data, **options)
    assert "Rates are not identified" in repr(found)
    assert len(found.times) == 869
    rows = found.shares("2023-01-01")
    assert rows["early"].sum() + rows["late"].sum() == 869
    discrimination = rows.loc[rows["failure_class"].str.startswith("1.")].iloc[0]
    assert discrimination["p_more"] < 0.01
    with (
        pytest.warns(UserWarning, match="Left out"),
        pytest.raises(TrialDataError, match="it comes before the incident"),
    ):
        reported_incidents(data, **options, reported="created")


def test_bad_input(make_frame):
    table = {"time": ["2024-01-02", "2024-01-05"], "failure_class": ["a, <b>", "b"]}
    found = reported_incidents(make_frame(table))
    assert "2024-01-02 to 2024-01-05" in repr(found)
    with pytest.raises(ModelError, match="not known; name reported"):
        found.delays()
    with pytest.raises(ModelError, match="both sides need one"):
        found.shares("2025-01-01")
    with pytest.raises(ArgumentError, match="split must be a date"):
        found.shares(3)
    with pytest.raises(
        TrialDataError, match=r"time in row 1 .* but the table was read at 2024-01-0"
    ):
        reported_incidents(table, until="2024-01-03")
    with pytest.raises(ModelError, match="No incident happened since"):
        reported_incidents(table, since="2024-02-01")
    assert "1 (before the start)" in repr(reported_incidents(table, since="2024-01-03"))
