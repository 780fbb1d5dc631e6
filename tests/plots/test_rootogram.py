"""The rootogram."""

import numpy as np
import pytest
from matplotlib import pyplot as plt

import reliability_stats as rs
from reliability_stats.exceptions import ArgumentError


@pytest.fixture(scope="module")
def common(tau):
    return rs.fit(tau.trials, rs.BetaBinomial.one_rate())


def bars(ax):
    return [patch.get_height() for patch in ax.patches]


def test_bars_are_the_data_and_points_the_predictions(tau):
    data = rs.plots.rootogram_data(tau)
    ax = rs.plots.rootogram(tau)
    assert bars(ax) == [14, 12, 10, 4, 10]
    points, _, (lines,) = ax.containers[1]
    np.testing.assert_allclose(points.get_ydata(), data["mean"])
    ends = np.array([segment[:, 1] for segment in lines.get_segments()])
    np.testing.assert_allclose(ends, data[["lower", "upper"]])
    assert [t.get_text() for t in ax.get_legend().get_texts()] == ["observed", "predicted, 95%"]


def test_misfit_is_marked(common):
    ax = rs.plots.rootogram(common)
    (marks,) = (line for line in ax.lines if line.get_label() == "outside")
    data = rs.plots.rootogram_data(common)
    assert marks.get_xdata().tolist() == np.flatnonzero(data["misfit"]).tolist()
    assert marks.get_ydata().tolist() == data.loc[data["misfit"], "observed"].tolist()
    assert ax.get_legend().get_texts()[-1].get_text() == "outside"


def test_all_ways_in_draw_the_same(tau):
    check = tau.ppc(datasets=100, prob=0.8)
    data = rs.plots.rootogram_data(check)
    assert (data["prob"] == 0.8).all()
    for given in (check, data):
        ax = rs.plots.rootogram(given)
        np.testing.assert_allclose(ax.containers[1][0].get_ydata(), data["mean"])
        assert ax.get_legend().get_texts()[1].get_text() == "predicted, 80%"


def test_one_of_several_systems(three):
    with pytest.raises(ArgumentError, match="shows one system; choose it with system="):
        rs.plots.rootogram(three)
    with pytest.raises(ArgumentError, match="did you mean 'steady'"):
        rs.plots.rootogram(three, system="stedy")
    with pytest.raises(ArgumentError, match="system must be one name"):
        rs.plots.rootogram(three, system=["steady", "narrow"])
    ax = rs.plots.rootogram(three, system="steady")
    assert ax.texts[0].get_text() == "steady"
    data = rs.plots.rootogram_data(three, system="steady")
    assert data["position"].unique().tolist() == [three.systems.index("steady")]
    assert bars(ax) == data["observed"].tolist()


def test_many_trials_are_labelled_by_rate():
    trials = rs.simulate(rs.Beta(0.3, 0.3), tasks=200, trials=64, rng=1).trials
    ax = rs.plots.rootogram(rs.fit(trials))
    assert ax.get_xlabel() == "success rate of a task"
    labels = [t.get_text() for t in ax.get_xticklabels()]
    assert labels == ["0", "0.25", "0.5", "0.75", "1"]
    assert sum(bars(ax)) == 200


@pytest.mark.parametrize("columns", [1, 2])
def test_nothing_is_cut_off(common, extremes, fits, columns):
    with rs.plots.style(columns):
        fits(rs.plots.rootogram(common))
        fits(rs.plots.rootogram(extremes, system=extremes.systems[0]))


def test_legend_stays_inside(common):
    with rs.plots.style(1):
        ax = rs.plots.rootogram(common)
        ax.figure.draw_without_rendering()
        box, frame = ax.get_legend().get_window_extent(), ax.get_window_extent()
        assert box.x0 >= frame.x0 - 1
        assert box.x1 <= frame.x1 + 1
        tops = [patch.get_window_extent().y1 for patch in ax.patches]
        assert max(tops) < box.y0


def test_names_are_shown_as_they_are(extremes, shown):
    for system in extremes.systems:
        assert system in shown(rs.plots.rootogram(extremes, system=system))


def test_given_axes_are_used(tau):
    _, axes = plt.subplots(1, 2)
    assert rs.plots.rootogram(tau, ax=axes[1]) is axes[1]
    assert not axes[0].has_data()


@pytest.mark.parametrize("given", ["x", None, 3])
def test_other_things_are_refused(given):
    with pytest.raises(ArgumentError, match="rootogram takes a Posterior"):
        rs.plots.rootogram(given)


def test_a_frame_without_columns_is_refused(tau):
    with pytest.raises(ArgumentError, match="no column 'position'"):
        rs.plots.rootogram(tau.ppc(datasets=10).histogram)
