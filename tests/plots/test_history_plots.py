"""Plots of drift, monitors and regressions: what is drawn, and what is refused."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pytest

import reliability_stats as rs
from reliability_stats import ArgumentError, Trials


@pytest.fixture(autouse=True)
def close():
    yield
    plt.close("all")


def daily():
    rows = {"system": ["$a_1$ <b>"] * 4 + ["b"] * 3, "task": [0] * 7}
    rows |= {"day": [1, 2, 3, 4, 1, 2, 3], "n": [30] * 7, "successes": [27, 26, 9, 8, 27, 28, 29]}
    return Trials.from_counts(rows, condition="day")


def test_drift_bands_hold_means_and_shares():
    post = rs.Drift(period="day", tasks="same").fit(daily())
    data = rs.plots.drift_bands_data(post)
    ax = rs.plots.drift_bands(post)
    assert np.allclose(ax.lines[0].get_ydata(), data["mean"][:4])
    assert np.allclose(ax.lines[1].get_ydata(), np.array([27, 26, 9, 8]) / 30)
    assert len(ax.collections) == 2
    again = rs.plots.drift_bands(data, ax=plt.subplots()[1])
    assert np.allclose(again.lines[0].get_ydata(), data["mean"][:4])
    ax.figure.canvas.draw()


def test_monitor_path_marks_the_alarm():
    watch = rs.monitor(daily(), period="day", rate=0.9)
    ax = rs.plots.monitor_path(watch)
    big = [line for line in ax.lines if line.get_markersize() == 9]
    assert [float(line.get_xdata()[0]) for line in big] == [2.0]
    assert any(np.allclose(line.get_ydata(), 20) for line in ax.lines)
    ax.figure.canvas.draw()


def test_regression_map_is_in_order_of_change():
    rows = {"task": list(range(4)) * 2, "v": ["a"] * 4 + ["b"] * 4, "n": [12] * 8}
    rows["successes"] = [12, 6, 0, 12, 0, 6, 12, 12]
    trials = Trials.from_counts(rows, system=None, condition="v")
    found = rs.regressions(trials, version="v", baseline="a")
    data = rs.plots.regression_map_data(found)
    assert (np.diff(data["change"]) >= 0).all()
    assert data["task"].iloc[[0, -1]].tolist() == ["0", "2"]
    ax = rs.plots.regression_map(found)
    drawn = np.sort(np.concatenate([line.get_ydata() for line in ax.lines[1:]]))
    assert np.allclose(drawn, data["change"])
    with pytest.raises(ArgumentError, match="no version 'c'"):
        rs.plots.regression_map(found, version="c")


@pytest.mark.parametrize("plot", ["drift_bands", "monitor_path", "regression_map"])
def test_other_things_are_refused(plot):
    with pytest.raises(ArgumentError, match=f"{plot} takes"):
        getattr(rs.plots, plot)([1])
