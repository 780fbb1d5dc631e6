"""The plot of the steps of a workflow."""

import pytest
from matplotlib import pyplot as plt

import reliability_stats as rs
from reliability_stats.exceptions import ArgumentError
from reliability_stats.instruments import Workflow


@pytest.fixture
def post():
    table = {"run": [1, 1, 2, 3, 3], "step": ["find", "$x$", "find", "find", "$x$"]}
    table["outcome"] = ["passed", "passed", "failed", "passed", "failed"]
    return Workflow().fit(table)


def test_what_is_drawn_is_what_was_computed(post):
    data = rs.plots.workflow_steps_data(post, prob=0.8)
    steps = post.steps(prob=0.8)
    assert data["mean"][:2].tolist() == steps["mean"].tolist()
    assert data["mean"][2] == post.summary()["mean"][0]
    ax = rs.plots.workflow_steps(data)
    dots = ax.lines[0].get_xdata()
    assert list(dots) == steps["mean"].tolist()
    assert ax.get_yticklabels()[1].get_text() == r"\$x\$"
    plt.close(ax.figure)


def test_a_workflow_must_be_named_among_several(post):
    table = {"run": [1, 2], "step": ["a", "a"], "outcome": ["passed"] * 2, "w": ["x", "y"]}
    several = Workflow().fit(table, workflow="w")
    with pytest.raises(ArgumentError, match="name one with workflow="):
        rs.plots.workflow_steps(several)
    with pytest.raises(ArgumentError, match="no workflow 'z'"):
        rs.plots.workflow_steps(several, workflow="z")
    with pytest.raises(ArgumentError, match="takes the fit of a Workflow"):
        rs.plots.workflow_steps_data(3)
