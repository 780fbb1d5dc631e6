"""Standardising over a common mix of tasks."""

from __future__ import annotations

import pytest

import reliability_stats as rs
from reliability_stats.exceptions import ArgumentError
from reliability_stats.instruments import standardise

STONES = {
    "system": list("ABAB"),
    "task": ["small", "small", "large", "large"],
    "n": [8700, 27000, 26300, 8000],
    "successes": [8100, 23400, 19200, 5500],
}


def test_a_reversal_is_found():
    found = standardise(rs.Trials.from_counts(STONES))
    table = found.summary().set_index(["estimand", "system"])["mean"]
    assert table["crude_rate", "A"] == pytest.approx(27300 / 35000, abs=1e-3)
    assert table["crude_rate", "B"] == pytest.approx(28900 / 35000, abs=1e-3)
    small, large = 35700 / 70000, 34300 / 70000
    expected = small * 8100 / 8700 + large * 19200 / 26300
    assert table["standardised_rate", "A"] == pytest.approx(expected, abs=2e-3)
    pair = found.reversals().iloc[0]
    assert pair["reversed"]
    assert pair["crude_higher"] < 0.01 < 0.99 < pair["standard_higher"]
    assert "turn round: 1" in repr(found)


def test_a_mix_can_be_given_and_is_checked():
    trials = rs.Trials.from_counts(STONES)
    only = standardise(trials, mix={"large": 3}).summary().set_index(["estimand", "system"])["mean"]
    assert only["standardised_rate", "B"] == pytest.approx(5500 / 8000, abs=2e-3)
    with pytest.raises(ArgumentError, match="'huge', which is no task"):
        standardise(trials, mix={"huge": 1})
    with pytest.raises(ArgumentError, match="no task with a weight above 0"):
        standardise(trials, mix={"large": 0})
    with pytest.raises(ArgumentError, match="weight of 'large'"):
        standardise(trials, mix={"large": -1})


def test_tasks_that_were_not_met_rest_on_the_model():
    table = {name: values[:3] for name, values in STONES.items()}
    found = standardise(rs.Trials.from_counts(table)).summary().set_index(["estimand", "system"])
    assert found.loc[("standardised_rate", "B"), "identified"] == "model"
    assert found.loc[("standardised_rate", "A"), "identified"] == "yes"
    widths = found["upper"] - found["lower"]
    assert widths["standardised_rate", "B"] > 3 * widths["crude_rate", "B"]
