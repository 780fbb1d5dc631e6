"""The plot of ranks of simulation-based calibration."""

import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot as plt

import reliability_stats as rs
from reliability_stats.calibration import Calibration
from reliability_stats.exceptions import ArgumentError


def made(columns, prob=0.95):
    ranks = pd.DataFrame(columns)
    fine = [name != "bad" for name in ranks]
    table = pd.DataFrame({"quantity": list(ranks), "calibrated": fine})
    return Calibration(ranks, table, "", prob)


@pytest.fixture
def few():
    rng = np.random.default_rng(0)
    return made({"mean": rng.random(100), "bad": rng.beta(0.5, 0.5, 100)})


@pytest.fixture
def many():
    rng = np.random.default_rng(0)
    return made({f"q{i}": rng.random(60) for i in range(11)} | {"bad": np.full(60, 0.3)})


def lines(ax):
    return {line.get_label(): line for line in ax.lines if line.get_label() != "_zero"}


def test_lines_are_the_distribution_function_minus_uniform(few):
    drawn = lines(rs.plots.ecdf_difference(few))
    assert set(drawn) == {"mean", "bad (departs)"}
    x, y = drawn["mean"].get_data()
    values = few.ranks["mean"].to_numpy()
    expected = [(values <= z).mean() - z for z in x]
    np.testing.assert_allclose(y, expected, atol=1e-12)
    assert y[0] == y[-1] == 0


def test_the_band_is_wider_for_more_quantities(few, many):
    alone = made({"mean": few.ranks["mean"]})
    widths = []
    for calibration in (alone, few):
        data = rs.plots.ecdf_difference_data(calibration, quantities="mean")
        widths.append((data["upper"] - data["lower"]).max())
    assert widths[0] < widths[1]
    assert few.band_prob == pytest.approx(0.975)


def test_many_quantities_are_grey_unless_they_depart(many):
    ax = rs.plots.ecdf_difference(many)
    assert [t.get_text() for t in ax.get_legend().get_texts()] == ["bad (departs)"]
    assert len(lines(ax)) == 12


def test_many_that_are_fine_have_no_legend(many):
    fine = [f"q{i}" for i in range(8)]
    assert rs.plots.ecdf_difference(many, quantities=fine).get_legend() is None


def test_choosing(few):
    data = rs.plots.ecdf_difference_data(few)
    for given in (few, data):
        ax = rs.plots.ecdf_difference(given, quantities="mean")
        assert set(lines(ax)) == {"mean"}
        with pytest.raises(ArgumentError, match=r"no quantity 'meen' .did you mean 'mean'"):
            rs.plots.ecdf_difference(given, quantities="meen")


@pytest.mark.parametrize("columns", [1, 2])
def test_nothing_is_cut_off(few, many, fits, columns):
    with rs.plots.style(columns):
        fits(rs.plots.ecdf_difference(few))
        fits(rs.plots.ecdf_difference(many))


def test_real_result_and_given_axes(shown):
    design = rs.simulate(rs.Beta(1, 1), tasks=5, trials=2).trials
    found = rs.calibration.sbc(rs.BetaBinomial(), design, 20, draws=19)
    _, axes = plt.subplots(1, 2)
    assert rs.plots.ecdf_difference(found, ax=axes[0]) is axes[0]
    assert not axes[1].has_data()
    assert "95% band, for 3 quantities together" in shown(axes[0])


def test_names_are_shown_as_they_are(shown):
    ax = rs.plots.ecdf_difference(made({"icc[$a_b$]": [0.2, 0.5, 0.8]}))
    assert "icc[$a_b$]" in shown(ax)


def test_other_things_are_refused():
    with pytest.raises(ArgumentError, match=r"takes the result of calibration.sbc"):
        rs.plots.ecdf_difference([0.1, 0.2])
