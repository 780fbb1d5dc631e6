import numpy as np
import pytest

import reliability_stats as rs
from reliability_stats.comparison import ZONES
from reliability_stats.exceptions import ArgumentError, IdentifiabilityWarning

CHANCES = ["p_dependable", "p_flickering", "p_narrow", "p_immature"]


def test_every_zone_is_found(counts_of):
    n = 40
    trials = counts_of(
        8,
        dependable=np.repeat([8, 0], [36, 4]),
        flickering=np.full(n, 3),
        narrow=np.repeat([8, 0], [8, 32]),
        immature=np.repeat([2, 0], [16, 24]),
    )
    expected = {
        "dependable": "dependable",
        "flickering": "capable but flickering",
        "narrow": "narrow but dependable",
        "immature": "immature",
    }
    for data in (trials, rs.fit(trials)):
        table = rs.zones(data, capable=0.6, dependable=0.4).set_index("system")
        assert table["zone"].to_dict() == expected
        np.testing.assert_allclose(table[CHANCES].sum(axis=1), 1)
        assert (table["reliability"] == "persistence@7").all()
        assert (table["capable"] == 0.6).all()
    assert set(expected.values()) == set(ZONES)


def test_zone_is_undetermined_near_a_threshold(three):
    table = rs.zones(three, rs.PassAtK(4), capable=0.5, dependable=0.74).set_index("system")
    assert table.loc["narrow", "zone"] == "undetermined"
    assert table.loc["narrow", CHANCES].max() < 0.95
    sure = rs.zones(three, rs.PassAtK(4), capable=0.5, dependable=0.74, prob=0.5)
    assert "undetermined" not in set(sure["zone"])


def test_chances_are_those_of_joint_draws(airline):
    post = rs.fit(airline)
    draws = post.draws([rs.PassAtK(4), rs.Persistence(3)], draws=5000)
    can = draws["pass@4"].to_numpy() >= 0.6
    keeps = draws["persistence@3"].to_numpy() >= 0.4
    table = rs.zones(post, capable=0.6, dependable=0.4)
    expected = (can & ~keeps).mean(axis=(0, 1))
    np.testing.assert_allclose(table["p_flickering"], expected)


def test_a_system_that_never_succeeds_is_not_placed_without_a_model(counts_of):
    trials = counts_of(4, a=[0, 0, 0], b=[1, 4, 4])
    with pytest.warns(IdentifiabilityWarning):
        table = rs.zones(trials, capable=0.5, dependable=0.4).set_index("system")
    assert table.loc["a", "zone"] == "undetermined"
    assert table.loc["a", CHANCES].isna().all()


def test_thresholds_have_to_be_stated(three):
    with pytest.raises(TypeError, match="capable"):
        rs.zones(three)
    with pytest.raises(ArgumentError, match="dependable must be a number"):
        rs.zones(three, capable=0.5, dependable=2)
