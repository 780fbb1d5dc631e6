import numpy as np
import pytest
from matplotlib import pyplot as plt
from matplotlib.collections import PolyCollection

import reliability_stats as rs
from reliability_stats.exceptions import ArgumentError, IdentifiabilityWarning
from reliability_stats.plots import pass_curves, pass_curves_data
from reliability_stats.plots._pass_curves import _reach, _steps


def labelled(ax, label):
    return [line for line in ax.lines if line.get_label() == label]


@pytest.mark.parametrize("over", ["population", "observed"])
def test_bands_are_those_of_the_summary(three, over):
    data = pass_curves_data(three, k_max=5, over=over, prob=0.8)
    for kind, estimand in (("pass@k", rs.PassAtK), ("pass^k", rs.PassHatK)):
        for k in range(1, 6):
            summary = three.summary(estimand(k), over=over, prob=0.8).set_index("system")
            rows = data[(data["kind"] == kind) & (data["k"] == k)].set_index("system")
            for column in ("mean", "lower", "upper", "identified"):
                assert rows[column].tolist() == summary.loc[rows.index, column].tolist()


def test_points_are_the_published_unbiased_estimates(tau):
    data = pass_curves_data(tau)
    observed = {kind: part["observed"].to_numpy() for kind, part in data.groupby("kind")}
    np.testing.assert_allclose(observed["pass^k"][:4], [0.42, 0.27333, 0.22, 0.20], atol=5e-6)
    np.testing.assert_allclose(observed["pass@k"][:4], [0.42, 0.56667, 0.66, 0.72], atol=5e-6)
    assert np.isnan(observed["pass^k"][4:]).all()


def test_points_come_from_the_tasks_with_enough_trials():
    n, successes = np.array([4, 4, 4, 2]), np.array([4, 2, 0, 2])
    table = {"system": ["a"] * 4, "task": list("wxyz"), "n": n, "successes": successes}
    post = rs.fit(rs.Trials.from_counts(table))
    data = pass_curves_data(post, k_max=4)
    rows = data[data["kind"] == "pass^k"]
    assert rows["n_tasks"].tolist() == [4, 4, 3, 3]
    assert (rows["all_tasks"] == 4).all()
    assert rows["observed"].iloc[2] == rs.PassHatK(3).from_counts(n[:3], successes[:3])
    ax = pass_curves(post, k_max=4)
    points = [line for line in ax.lines if line.get_marker() == "o" and len(line.get_xdata())]
    faces = {tuple(line.get_xdata()): line.get_markerfacecolor() for line in points}
    assert faces[3, 4] == ax.get_facecolor()
    assert faces[1, 2] != ax.get_facecolor()


@pytest.mark.parametrize(
    ("n", "k_max"), [(1, 4), (4, 8), (5, 10), (25, 50), (30, 50), (64, 80), (1000, 1250)]
)
def test_curves_go_somewhat_beyond_the_trials(n, k_max):
    assert _reach(n) == k_max
    k = _steps(k_max)
    np.testing.assert_array_equal(k[: min(n, 40)], np.arange(1, min(n, 40) + 1))
    assert k[-1] == k_max
    assert (np.diff(k) > 0).all()
    assert len(k) <= 82


def test_many_trials_are_drawn_at_some_k():
    table = {"system": ["a"] * 2, "task": [1, 2], "n": [60, 60], "successes": [0, 60]}
    data = pass_curves_data(rs.fit(rs.Trials.from_counts(table)))
    assert data["k"].max() == 75
    part = data[(data["kind"] == "pass^k") & (data["k"] <= 60)]
    np.testing.assert_array_equal(part["observed"], 0.5)


def test_the_end_of_what_is_identified_is_drawn_whatever_it_is(shown):
    n = np.array([45, 45, 60, 60, 7])
    table = {"system": ["a"] * 5, "task": range(5), "n": n, "successes": [0, 45, 45, 60, 3]}
    post = rs.fit(rs.Trials.from_counts(table))
    data = pass_curves_data(post)
    sure = data.loc[data["identified"] == "yes", "k"].max()
    assert sure == 45
    assert post.summary(rs.PassHatK(45))["identified"].item() == "yes"
    assert post.summary(rs.PassHatK(46))["identified"].item() == "model"
    assert "k > 45: extrapolation (model)" in shown(pass_curves(data))


def test_beyond_n_is_dashed_shaded_and_said(tau, shown):
    ax = pass_curves(tau)
    solid, dashed = labelled(ax, "_mean")[:2]
    assert solid.get_linestyle() == "-"
    assert solid.get_xdata().tolist() == [1, 2, 3, 4]
    assert dashed.get_linestyle() == "--"
    assert dashed.get_xdata().tolist() == [4, 5, 6, 7, 8]
    (shade,) = [p for p in ax.patches if p.get_label() == "_extrapolation"]
    assert shade.get_extents().x0 == pytest.approx(ax.transData.transform((4.5, 0))[0])
    assert "k > 4: extrapolation (model)" in shown(ax)


def test_within_n_nothing_is_shaded(tau, shown):
    ax = pass_curves(tau, k_max=4)
    assert not ax.patches
    assert not any("extrapolation" in text for text in shown(ax))


def test_one_trial_a_task_leaves_all_to_the_prior(untried, shown):
    with pytest.warns(IdentifiabilityWarning):
        ax = pass_curves(untried)
    assert "k > 1: restates the prior" in shown(ax)
    solid, dashed = labelled(ax, "_mean")[:2]
    assert solid.get_xdata().tolist() == [1]
    assert dashed.get_xdata().tolist() == [1, 2, 3, 4]


def test_ticks_are_whole_numbers(tau):
    for post, k_max in ((tau, 2), (tau, 7), (tau, 40), (tau, 41)):
        ax = pass_curves(post, k_max=k_max)
        ticks = ax.get_xticks()
        assert ticks[0] == 1
        assert (ticks == np.round(ticks)).all()
        assert ticks[-1] <= k_max
        plt.close(ax.figure)
    assert ax.get_xscale() == "log"
    assert ax.get_xlabel() == "k, number of tries (log scale)"


def test_axes_hold_what_is_documented(three):
    ax = pass_curves(three, systems=["narrow", "steady"])
    bands = [c for c in ax.collections if isinstance(c, PolyCollection)]
    assert len([c for c in bands if c.get_label() == "_band"]) == 4
    assert {"narrow", "steady"} < {line.get_label() for line in ax.lines}
    assert ax.get_ylabel() == "chance over tasks like these"


def test_more_than_six_systems_must_be_chosen(many):
    with pytest.raises(ArgumentError, match=r"13 systems cannot .* at most 6 with systems="):
        pass_curves(many)
    ax = pass_curves(many, systems=many.systems[:6])
    assert isinstance(ax, plt.Axes)
    with pytest.raises(ArgumentError, match="7 systems"):
        pass_curves(many, systems=many.systems[:7])


@pytest.mark.parametrize("columns", [None, 1])
@pytest.mark.parametrize("name", ["tau", "extremes", "many"])
def test_nothing_is_cut_off(name, columns, fits, request, shown):
    post = request.getfixturevalue(name)
    systems = post.systems[:6]
    if columns is None:
        ax = pass_curves(post, systems=systems, k_max=6)
    else:
        with rs.plots.style(columns):
            ax = pass_curves(post, systems=systems, k_max=6)
    fits(ax)
    if name != "many":
        texts = {text.replace(" ", "") for text in shown(ax)}
        assert {name.replace(" ", "") for name in systems} <= texts


def test_data_in_place_of_a_posterior_give_the_same_plot(three):
    data = pass_curves_data(three, prob=0.5)
    one = pass_curves(data, systems="steady", k_max=5)
    other = pass_curves(three, systems="steady", k_max=5, prob=0.5)
    for a, b in zip(one.lines, other.lines, strict=True):
        np.testing.assert_array_equal(a.get_xydata(), b.get_xydata())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"k_max": 1}, "k_max must be an integer of at least 2"),
        ({"prob": 0}, "prob must be"),
        ({"over": "none"}, "over must be one of"),
        ({"systems": ["steady", "x"]}, "There is no system 'x'"),
    ],
)
def test_wrong_arguments_are_refused(three, options, message):
    with pytest.raises(ArgumentError, match=message):
        pass_curves(three, **options)
    assert not plt.get_fignums()
