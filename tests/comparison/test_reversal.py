import numpy as np
import pytest

import reliability_stats as rs
from reliability_stats.exceptions import ArgumentError, IdentifiabilityWarning


def test_worked_figure(airline):
    pairs = rs.reversals(rs.fit(airline), rs.SuccessRate(), rs.Persistence(1), draws=200_000)
    found = pairs.iloc[0]
    assert (found["system"], found["baseline"]) == ("gpt-4o", "gpt-4o ReAct")
    assert found["p_capable_only"] == pytest.approx(0.698, abs=0.004)
    assert found["p_capability"] == pytest.approx(0.925, abs=0.003)
    assert found["verdict"] == "unresolved"


def test_classes_add_up_and_turn_around(three_trials):
    for data in (three_trials, rs.fit(three_trials)):
        pairs = rs.reversals(data, rs.PassAtK(4), margin=0.02)
        total = pairs[["p_dominates", "p_dominated", "p_reversal", "p_close"]].sum(axis=1)
        np.testing.assert_allclose(total, 1)
        np.testing.assert_allclose(
            pairs["p_capable_only"] + pairs["p_reliable_only"], pairs["p_reversal"]
        )
        back = rs.reversals(data, rs.PassAtK(4), margin=0.02, baseline="flickering")
        back = back.set_index("system").loc["steady"]
        there = pairs[pairs["baseline"] == "steady"].iloc[0]
        assert back["p_reliable_only"] == pytest.approx(there["p_capable_only"])


def test_verdicts(three_trials):
    pairs = rs.reversals(three_trials, rs.PassAtK(4)).set_index(["system", "baseline"])
    assert pairs.loc[("flickering", "steady"), "verdict"] == "reversal"
    assert pairs.loc[("narrow", "steady"), "verdict"] == "dominated"
    back = rs.reversals(three_trials, rs.PassAtK(4), baseline="narrow").set_index("system")
    assert back.loc["steady", "verdict"] == "dominates"


def test_what_cannot_be_estimated_has_no_verdict(counts_of):
    trials = counts_of(4, a=[1, 2, 4], b=[0, 0, 0])
    with pytest.warns(IdentifiabilityWarning):
        found = rs.reversals(trials, reliability=rs.Persistence(1)).iloc[0]
    assert np.isnan(found["p_reversal"])
    assert found["verdict"] == "unresolved"
    assert found["identified"] == "no"


def test_one_system_has_no_pair(counts_of):
    with pytest.raises(ArgumentError, match="needs two"):
        rs.reversals(counts_of(4, a=[1, 2]))


def test_axes_can_be_chosen(three):
    pairs = rs.reversals(three, rs.Reach(), rs.Dependable())
    assert (pairs["capability"] == "reach").all()
    assert (pairs["reliability"] == "dependable").all()
    assert (pairs["identified"] == "model").all()
