"""Trials that settle which of two systems is better."""

from __future__ import annotations

import numpy as np
import pytest

import reliability_stats as rs
from reliability_stats.planning import trials_needed
from reliability_stats.planning.contest import p_ahead


@pytest.fixture(scope="module")
def pilot():
    return rs.fit(rs.datasets.load("simulated-three-systems"))


def test_chances_are_those_of_compare():
    rng = np.random.default_rng(1)
    for gap in (0.0, 0.1, 0.3):
        p = rng.uniform(0, 1 - gap, 40)
        wins = rng.binomial(4, [p + gap, p])
        trials = rs.Trials.from_array(np.arange(4) < wins[..., None], systems=["a", "b"])
        found = rs.compare(trials, rs.SuccessRate(), test="none").frame
        row = found[found["estimand"] == "success_rate"].iloc[0]
        ours = p_ahead((wins[0] - wins[1]) / 4, 1.0)
        assert float(ours) == pytest.approx(row["p_greater"], abs=0.02)


def test_certainty_needs_more_than_one_task():
    assert p_ahead(np.array([1.0]), 1.0) == pytest.approx(0.75, abs=0.05)
    assert p_ahead(np.zeros(20), 1.0) == pytest.approx(0.5)


def test_more_settles_more(pilot):
    found = trials_needed(
        pilot, "steady", "flickering", rs.PassHatK(2), tasks=[10, 40, 160], trials=[1, 2, 8]
    )
    table = found.frame.set_index(["tasks", "trials"])["settled"]
    assert table.loc[:, 1].isna().all()  # one trial tells nothing of pass^2
    assert table[10, 2] < table[40, 2] < table[160, 2]
    assert table[40, 2] <= table[40, 8]
    assert found.needed["tasks"] == 160
    assert found.needed["trials"] == 2
    assert found.p_greater > 0.99
    assert (found.frame["wrong"].dropna() < 0.02).all()
    assert "160 tasks x 2 trials settle it" in repr(found)


def test_what_the_pilot_does_not_know_no_design_promises():
    frame = {
        "system": ["a"] * 12 + ["b"] * 12,
        "task": [*range(12)] * 2,
        "n": [2] * 24,
        "successes": [0, 1, 2, 1] * 6,
    }
    pilot = rs.fit(rs.Trials.from_counts(frame))
    found = trials_needed(pilot, "a", "b", rs.SuccessRate(), tasks=60, trials=2, assurance=0.99)
    assert found.needed is None
    assert "no design here settles it" in repr(found)
    row = found.frame.iloc[0]
    assert row["for_first"] > 0.05
    assert row["for_second"] > 0.05
    assert row["wrong"] < 0.05


def test_budget_counts_both_systems(pilot):
    found = trials_needed(
        pilot, "steady", "narrow", rs.SuccessRate(), budget=100, trials=[1, 5], cost_task=3
    )
    assert found.frame[["tasks", "trials", "runs", "cost"]].to_numpy().tolist() == [
        [20, 1, 40, 100],
        [7, 5, 70, 91],
    ]


def test_seed_decides(pilot):
    options = {"tasks": 20, "trials": 2, "simulations": 50}
    names = ("steady", "narrow", rs.PassHatK(2))
    first, again = (trials_needed(pilot, *names, rng=3, **options).frame for _ in range(2))
    assert first.equals(again)


def test_html_is_escaped():
    frame = {"system": ["<b>", "c"], "task": [1, 1], "n": [4, 4], "successes": [1, 3]}
    pilot = rs.fit(rs.Trials.from_counts(frame))
    found = trials_needed(pilot, "<b>", "c", rs.SuccessRate(), tasks=5, trials=1, simulations=5)
    assert "<b>" not in found._repr_html_()
    assert "&lt;b&gt;" in found._repr_html_()


def test_wrong_arguments(pilot):
    good = {"tasks": 5, "trials": 1, "simulations": 5}
    with pytest.raises(rs.ArgumentError, match="no system 'x'"):
        trials_needed(pilot, "x", "steady", rs.SuccessRate(), **good)
    with pytest.raises(rs.ArgumentError, match="with itself"):
        trials_needed(pilot, "steady", "steady", rs.SuccessRate(), **good)
    with pytest.raises(rs.ArgumentError, match="mean over tasks"):
        trials_needed(pilot, "steady", "narrow", rs.ICC(), **good)
    with pytest.raises(rs.ArgumentError, match="pilot must be a Posterior"):
        trials_needed(pilot.trials, "steady", "narrow", rs.SuccessRate(), **good)
    frame = {"system": ["a", "b"], "task": [1, 2], "n": [2, 2], "successes": [1, 1]}
    apart = rs.fit(rs.Trials.from_counts(frame))
    with pytest.raises(rs.ArgumentError, match="share no task"):
        trials_needed(apart, "a", "b", rs.SuccessRate(), **good)
