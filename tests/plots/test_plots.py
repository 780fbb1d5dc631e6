"""What holds for every plot."""

import subprocess
import sys

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib import pyplot as plt

import reliability_stats as rs
from reliability_stats.exceptions import ArgumentError

PLOTS = ("capability_reliability", "pass_curves", "task_map")


@pytest.fixture(params=PLOTS)
def plot(request):
    return getattr(rs.plots, request.param)


def test_public_names_are_listed_and_load():
    assert set(PLOTS) < set(dir(rs.plots))
    for name in dir(rs.plots):
        assert callable(getattr(rs.plots, name))
    with pytest.raises(AttributeError, match="no attribute 'pie'"):
        rs.plots.pie  # noqa: B018


def test_modules_and_data_functions_do_without_matplotlib():
    code = (
        "import sys, reliability_stats as rs\n"
        "post = rs.fit(rs.Trials.from_array([[1, 0], [1, 1]]))\n"
        "rs.plots.pass_curves_data(post), rs.plots.task_map_data(post)\n"
        "rs.plots.capability_reliability_data(post), rs.plots.style\n"
        "assert 'matplotlib' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_given_axes_are_used_and_nothing_global_changes(plot, three):
    figure, axes = plt.subplots(1, 2)
    other = plt.figure()
    settings = dict(mpl.rcParams)
    size = figure.get_size_inches()
    assert plot(three, ax=axes[0]) is axes[0]
    assert dict(mpl.rcParams) == settings
    assert plt.gcf() is other
    assert plt.get_fignums() == [figure.number, other.number]
    np.testing.assert_array_equal(figure.get_size_inches(), size)
    assert not axes[1].has_data()
    figure.draw_without_rendering()


def test_a_new_figure_changes_no_settings(plot, three):
    settings = dict(mpl.rcParams)
    ax = plot(three)
    assert dict(mpl.rcParams) == settings
    assert plt.gcf() is ax.figure
    assert len(plt.get_fignums()) == 1


def test_subfigures_and_figures_without_pyplot_work(plot, three):
    from matplotlib.figure import Figure

    plot(three, ax=Figure().subplots())
    figure = Figure(figsize=(9, 4), layout="constrained")
    ax = figure.subfigures(1, 2)[0].subplots()
    assert plot(three, ax=ax) is ax
    figure.draw_without_rendering()
    assert not plt.get_fignums()


def test_text_stays_text_in_svg(plot, extremes, tmp_path):
    with rs.plots.style(1):
        plot(extremes).figure.savefig(tmp_path / "figure.svg")
    assert "&lt;b&gt;all" in (tmp_path / "figure.svg").read_text(encoding="utf-8")


def test_pdf_can_be_written(tau, tmp_path):
    with rs.plots.style(1):
        rs.plots.capability_reliability(tau).figure.savefig(tmp_path / "figure.pdf")
    assert (tmp_path / "figure.pdf").stat().st_size > 5000


def test_wrong_axes_are_refused(plot, three):
    figure, axes = plt.subplots(1, 2)
    with pytest.raises(ArgumentError, match=r"not a Figure; give figure.subplots\(\)"):
        plot(three, ax=figure)
    with pytest.raises(ArgumentError, match="not a ndarray; give one of its entries"):
        plot(three, ax=axes)
    polar = plt.figure().add_subplot(projection="polar")
    with pytest.raises(ArgumentError, match="rectilinear axes, but these are polar"):
        plot(three, ax=polar)


def test_dark_backgrounds_stay_readable(plot, tau):
    with plt.style.context("dark_background"):
        ax = plot(tau)
        assert ax.xaxis.label.get_color() == "white"
        texts = [t for t in ax.texts if t.get_text()]
        assert all(mpl.colors.to_rgb(t.get_color()) == (1, 1, 1) for t in texts)


def test_no_system_is_lost_on_its_background():
    from reliability_stats.plots._style import PALETTE, system_look

    def lightness(colour):
        return sum(mpl.colors.to_rgb(colour)) / 3

    for i in range(len(PALETTE)):
        assert lightness(system_look(i).face) < 0.75
        with plt.style.context("dark_background"):
            assert lightness(system_look(i).face) > 0.25


def test_style_sets_sizes_and_puts_everything_back(tau):
    settings = dict(mpl.rcParams)
    with rs.plots.style(columns=2, font_size=9):
        assert mpl.rcParams["font.size"] == 9
        assert mpl.rcParams["pdf.fonttype"] == 42
        assert mpl.rcParams["svg.fonttype"] == "none"
        assert plt.figure().get_figwidth() == 7.0
        with rs.plots.style(columns=1):
            assert rs.plots.pass_curves(tau).figure.get_figwidth() == 3.35
        assert rs.plots.pass_curves(tau).figure.get_figwidth() == 7.0
    assert dict(mpl.rcParams) == settings
    assert rs.plots.pass_curves(tau).figure.get_figwidth() == 5.0


def test_style_puts_everything_back_after_an_error():
    settings = dict(mpl.rcParams)
    with pytest.raises(RuntimeError), rs.plots.style():
        raise RuntimeError
    assert dict(mpl.rcParams) == settings


@pytest.mark.parametrize("columns", [0, 3, True, "1", None])
def test_style_refuses_other_widths(columns):
    with pytest.raises(ArgumentError, match="columns must be 1 or 2"), rs.plots.style(columns):
        pass


@pytest.mark.parametrize("size", [0, 100, "big"])
def test_style_refuses_other_font_sizes(size):
    with pytest.raises(ArgumentError, match="font_size"), rs.plots.style(font_size=size):
        pass
