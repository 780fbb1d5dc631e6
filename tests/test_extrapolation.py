import numpy as np
import pytest

import reliability_stats as rs
from reliability_stats.extrapolation import ALONE

QUICK = {"beta": rs.BetaBinomial(), "logit-normal": rs.LogitNormal()}


@pytest.fixture(scope="module")
def table():
    trials = rs.datasets.load("tau-bench-airline-gpt4o")
    return rs.model_range(trials, [rs.PassHatK(4), rs.PassHatK(8)], models=QUICK)


def test_rows_and_bounds(table):
    assert table["model"].tolist() == 2 * [*QUICK, ALONE]
    assert table["estimand"].tolist() == ["pass^4"] * 3 + ["pass^8"] * 3
    known, open_ = table.iloc[:3], table.iloc[3:]
    assert known["set_lower"].to_numpy() == pytest.approx(0.2)
    assert open_["set_lower"].to_numpy() == pytest.approx(0.184, abs=1e-3)
    assert open_["mean"].iloc[:2].tolist() == pytest.approx([0.10812, 0.108], abs=1e-3)
    assert np.isnan(open_["mean"].iloc[2])
    assert table["log_evidence"].iloc[0] == pytest.approx(-82.6363452566801, abs=1e-6)
    assert table["within"].all()


def test_systems_keep_to_themselves(airline):
    table = rs.model_range(airline, rs.SuccessRate(), models=QUICK)
    for name, model in QUICK.items():
        summary = rs.fit(airline, model).summary(rs.SuccessRate()).set_index("system")
        mine = table[table["model"] == name].set_index("system")
        assert mine["mean"].to_dict() == pytest.approx(summary["mean"].to_dict())


def test_a_mean_outside_the_bounds_is_marked():
    rates = [[1] * 8 + [0] * 2] * 150  # all tasks alike: pass^2 is about .64
    wrong = {"fixed": rs.BetaBinomial(mean_prior=rs.Beta(1, 1e5))}
    found = rs.model_range(rs.Trials.from_array(rates), rs.PassHatK(2), models=wrong)
    assert found["within"].tolist() == [False, True]


@pytest.mark.parametrize(
    ("models", "match"),
    [
        ({}, "mapping"),
        ([rs.BetaBinomial()], "mapping"),
        ({"a": rs.BetaBinomial}, "must be a model"),
        ({ALONE: rs.BetaBinomial()}, "name of the bounds"),
    ],
)
def test_models_are_checked(models, match):
    trials = rs.Trials.from_array([[1, 0], [1, 1]])
    with pytest.raises(rs.ArgumentError, match=match):
        rs.model_range(trials, models=models)
    with pytest.raises(rs.ArgumentError, match="Trials"):
        rs.model_range([1, 0])


def test_plot(table):
    import matplotlib.pyplot as plt

    with pytest.raises(rs.ArgumentError, match="Name one estimand"):
        rs.plots.model_range(table)
    with pytest.raises(rs.ArgumentError, match="There is no estimand"):
        rs.plots.model_range(table, estimand="pass^9")
    ax = rs.plots.model_range(table, estimand="pass^8")
    assert [label.get_text() for label in ax.get_yticklabels()] == list(QUICK)
    plt.close(ax.figure)
