"""The plot of what follows what."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pytest

import reliability_stats as rs


@pytest.fixture(scope="module")
def post():
    rows = np.repeat([[1, 0, 1, 0], [0, 1, 0, 1]] * 2, 3, axis=1)
    return rs.MarkovPersistence().fit(
        rs.Trials.from_array([rows, rows], systems=["a $b$", "c,<d>"])
    )


def test_data_hold_the_summary(post):
    data = rs.plots.after_outcome_data(post, systems="c,<d>")
    frame = post.summary().set_index(["estimand", "system"])
    assert data["mean"].tolist() == [
        frame.loc[(f"p(success|{after}){ending}", "c,<d>"), "mean"]
        for after in ("success", "failure")
        for ending in ("", ", independent")
    ]
    assert set(data["position"]) == {1}


def test_drawn_on_given_and_new_axes(post):
    data = rs.plots.after_outcome_data(post)
    ax = rs.plots.after_outcome(data)
    labels = [text.get_text() for text in ax.get_yticklabels()]
    assert labels[0] == r"a \$b\$, after a success"
    assert len(labels) == 4
    own = plt.figure().subplots()
    assert rs.plots.after_outcome(data, ax=own) is own
    with pytest.raises(rs.ArgumentError, match="after_outcome_data"):
        rs.plots.after_outcome(data.drop(columns="mean"))
    plt.close("all")
