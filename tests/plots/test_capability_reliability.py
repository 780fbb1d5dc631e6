import numpy as np
import pytest
from matplotlib import pyplot as plt
from matplotlib.patches import PathPatch
from matplotlib.text import Annotation

import reliability_stats as rs
from reliability_stats.exceptions import ArgumentError, IdentifiabilityWarning
from reliability_stats.plots import capability_reliability, capability_reliability_data


def labelled(ax, label):
    return [line for line in ax.lines if line.get_label() == label]


def notes(ax):
    return ax.findobj(Annotation)


def test_data_are_those_of_the_summary(three):
    data = capability_reliability_data(three, k=3, over="observed", prob=0.8)
    estimands = [rs.PassAtK(3), rs.PassHatK(3), rs.Gap(3)]
    summary = three.summary(estimands, over="observed", prob=0.8)
    for column, name in (("pass_at_k", "pass@3"), ("pass_hat_k", "pass^3"), ("gap", "gap@3")):
        rows = summary[summary["estimand"] == name].set_index("system")["mean"]
        np.testing.assert_array_equal(data[column], rows[data["system"]])
    assert (data["over"] == "observed").all()
    assert (data["prob"] == 0.8).all()


def test_gap_is_the_vertical_distance(three):
    data = capability_reliability_data(three)
    np.testing.assert_allclose(data["pass_at_k"] - data["pass_hat_k"], data["gap"], atol=1e-4)


def test_k_is_the_usual_number_of_trials_but_at_least_two(tau, three, untried):
    assert capability_reliability_data(tau)["k"].tolist() == [4]
    assert capability_reliability_data(three)["k"].tolist() == [8] * 3
    with pytest.warns(IdentifiabilityWarning):
        assert capability_reliability_data(untried)["k"].tolist() == [2]


def test_systems_are_chosen_in_order_and_keep_their_colours(three):
    data = capability_reliability_data(three, systems=["steady", "flickering"])
    assert data["system"].tolist() == ["steady", "flickering"]
    assert data["position"].tolist() == [three.systems.index(name) for name in data["system"]]
    colours = {
        line.get_label(): line.get_markerfacecolor()
        for ax in (capability_reliability(three), capability_reliability(data))
        for line in ax.lines
        if line.get_label() == "steady"
    }
    alone = labelled(capability_reliability(three, systems="steady"), "steady")
    assert colours["steady"] == alone[0].get_markerfacecolor()


def test_axes_show_points_gaps_regions_and_the_identity(three):
    ax = capability_reliability(three)
    data = capability_reliability_data(three)
    assert isinstance(ax, plt.Axes)
    assert ax.get_xlim() == ax.get_ylim() == (0, 1)
    assert ax.get_aspect() == 1
    assert len([a for a in ax.findobj(PathPatch) if a.get_label() == "_region"]) == 3
    assert len(labelled(ax, "_identity")) == 1
    for row, gap in zip(data.itertuples(), labelled(ax, "_gap"), strict=True):
        np.testing.assert_allclose(gap.get_xdata(), row.pass_at_k)
        np.testing.assert_allclose(gap.get_ydata(), [row.pass_hat_k, row.pass_at_k])
        (point,) = labelled(ax, row.system)
        assert (point.get_xdata()[0], point.get_ydata()[0]) == (row.pass_at_k, row.pass_hat_k)


def test_labels_say_in_words_what_the_axes_are(tau, shown):
    ax = capability_reliability(tau, k=3)
    assert ax.get_xlabel() == "capability: pass@3, succeeds at least once in 3 tries"
    assert ax.get_ylabel() == "reliability: pass^3, succeeds in all 3 tries"
    assert "95% joint regionsover tasks like these" in shown(ax)
    assert f"gap {capability_reliability_data(tau, k=3)['gap'][0]:.2f}" in shown(ax)
    other = capability_reliability(tau, over="observed", prob=0.5)
    assert "50% joint regionsover the tasks of the table" in shown(other)


def test_extrapolation_is_open_and_dashed_and_said(tau, shown):
    ax = capability_reliability(tau, k=9)
    (region,) = [a for a in ax.findobj(PathPatch) if a.get_label() == "_region"]
    assert region.get_linestyle() != "solid"
    (point,) = labelled(ax, tau.systems[0])
    assert point.get_markerfacecolor() == ax.get_facecolor()
    assert any("extrapolated by the model" in text for text in shown(ax))
    inside = capability_reliability(tau, k=4)
    assert not any("extrapolated" in text for text in shown(inside))


def test_what_is_not_identified_has_no_gap(untried, shown):
    with pytest.warns(IdentifiabilityWarning):
        ax = capability_reliability(untried)
    assert not labelled(ax, "_gap")
    assert not any(text.startswith("gap") for text in shown(ax))
    assert any("not identified, no task tried twice" in text for text in shown(ax))


@pytest.mark.parametrize("columns", [None, 1])
def test_nothing_is_cut_off_and_names_are_apart(any_post, columns, fits):
    if columns is None:
        ax = capability_reliability(any_post)
        fits(ax)
        assert_names_apart(ax, len(any_post.systems))
        return
    with rs.plots.style(columns):
        ax = capability_reliability(any_post)
    assert ax.figure.get_figwidth() == rs.plots._style.WIDTHS[columns]
    fits(ax)


def assert_names_apart(ax, count):
    boxes = np.array([text_box(note) for note in notes(ax)])
    assert len(boxes) >= count
    for i, one in enumerate(boxes):
        for other in boxes[i + 1 :]:
            assert (one[:2] >= other[2:] - 1).any() or (one[2:] <= other[:2] + 1).any()


def text_box(note):
    """Window extent of the text alone, without its arrow."""
    from matplotlib.text import Text

    return Text.get_window_extent(note).extents


def test_many_systems_are_numbered_with_a_key(many, shown):
    ax = capability_reliability(many)
    numbers = sorted(int(note.get_text()) for note in notes(ax))
    assert numbers == list(range(1, 14))
    key = [text for text in shown(ax) if text.startswith(tuple(f"{i}  " for i in numbers))]
    assert len(set(key)) == 13
    assert not labelled(ax, "_gap")
    with rs.plots.style(1):
        narrow = capability_reliability(many)
    assert narrow.figure.get_figheight() > narrow.figure.get_figwidth() + 1


def test_hundreds_of_systems_are_drawn_and_said_to_be_unnamed(many, shown):
    data = capability_reliability_data(many)
    data = data.loc[np.arange(130) % 13]
    data["system"] = [f"s{i}" for i in range(130)]
    ax = capability_reliability(data)
    assert any("130 systems, not named" in text for text in shown(ax))
    assert not notes(ax)


def test_names_are_shown_literally(extremes, shown):
    texts = shown(capability_reliability(extremes))
    for name in extremes.systems:
        assert name in texts


def test_key_entries_may_begin_with_an_underscore(extremes, shown):
    ax = capability_reliability(extremes, names="below")
    assert "3  _hälfte #^~" in shown(ax)
    ax.figure.draw_without_rendering()


def test_names_can_be_left_out(three):
    ax = capability_reliability(three, names="none")
    assert {note.get_text()[:3] for note in notes(ax)} == {"gap"}


def test_data_in_place_of_a_posterior_give_the_same_plot(three):
    data = capability_reliability_data(three, k=5, prob=0.8)
    one, other = capability_reliability(data), capability_reliability(three, k=5, prob=0.8)
    assert one.get_xlabel() == other.get_xlabel()
    for a, b in zip(one.lines, other.lines, strict=True):
        np.testing.assert_array_equal(a.get_xydata(), b.get_xydata())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"k": 1}, "k must be an integer of at least 2"),
        ({"k": 2.5}, "k must be an integer"),
        ({"prob": 1.0}, "prob must be"),
        ({"over": "all"}, "over must be one of"),
        ({"systems": "steadi"}, "did you mean 'steady'"),
        ({"systems": []}, "systems is empty"),
        ({"systems": 3}, "systems must be a name"),
        ({"names": "left"}, "names must be one of"),
        ({"ax": 1}, "ax must be one matplotlib Axes or None, not a int"),
    ],
)
def test_wrong_arguments_are_refused(three, options, message):
    with pytest.raises(ArgumentError, match=message):
        capability_reliability(three, **options)
    assert not plt.get_fignums()


def test_contradicting_or_wrong_data_are_refused(three):
    data = capability_reliability_data(three)
    with pytest.raises(ArgumentError, match=r"k=4 contradicts the data, .* k=8"):
        capability_reliability(data, k=4)
    with pytest.raises(ArgumentError, match="no column 'gap'"):
        capability_reliability(data.drop(columns="gap"))
    with pytest.raises(ArgumentError, match="no rows"):
        capability_reliability(data.iloc[:0])
    with pytest.raises(ArgumentError, match="takes a Posterior"):
        capability_reliability(three.trials)
