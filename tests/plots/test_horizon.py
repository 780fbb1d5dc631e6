"""The plot of success against length."""

from __future__ import annotations

import matplotlib.pyplot as plt
import pytest

import reliability_stats as rs


@pytest.fixture(scope="module")
def post():
    rows = {
        "task": [1, 1, 2, 2, 3, 3],
        "min $x$": [1, 1, 8, 8, 64, 64],
        "success": [1, 1, 1, 0, 0, 0],
    }
    trials = rs.Trials.from_frame(rows, system=None, length="min $x$")
    return rs.Horizon(length="min $x$", shape="half_life").fit(trials)


def test_what_was_seen_is_unbiased(post):
    seen = rs.plots.horizon_data(post, k=2).query("kind == 'observed'")
    assert seen["mean"].tolist() == [1.0, 0.0, 0.0]
    assert seen["length"].tolist() == pytest.approx([1, 8, 64])


def test_drawn_on_given_and_new_axes(post):
    ax = rs.plots.horizon(post)
    assert ax.get_xlabel() == r"length of the task (min \$x\$)"
    own = plt.figure().subplots()
    data = rs.plots.horizon_data(post, k=2)
    assert rs.plots.horizon(data, ax=own) is own
    assert own.get_ylabel() == "P(all of 2 trials succeed)"
    with pytest.raises(rs.ArgumentError, match="horizon_data"):
        rs.plots.horizon(data.drop(columns="kind"))
    plt.close("all")
