"""Friction: ratios, Fieller's limits, the studentised bootstrap."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import optimize, stats

from reliability_stats.exceptions import ArgumentError, TrialDataError
from reliability_stats.instruments import Friction
from reliability_stats.instruments.friction import fieller, ratio, studentised

TABLE = {"accepted": [1, 1, 0, 1, 1], "minutes": [10, 20, 30, 20, 4], "back": [0, 1, 0, 0, 0]}


def test_ratios_by_hand():
    spec = Friction(price_minute=2, price_rework=5, price_rollback=100)
    data = TABLE | {"rework": [0, 1, 2, 0, 0], "fee": [1, 1, 1, 1, 1]}
    names = {"rework": "rework", "rolled_back": "back", "cost": "fee"}
    table = spec.estimate(data, system=None, **names).summary().set_index("estimand")["mean"]
    assert table["cost_per_dependable_success"] == pytest.approx((5 + 2 * 84 + 15 + 100) / 3)
    assert table["minutes_per_accepted"] == pytest.approx(84 / 4)
    assert table["rework_per_accepted"] == pytest.approx(3 / 4)
    assert table["rollbacks_per_accepted"] == pytest.approx(1 / 4)
    assert table["acceptance"] == pytest.approx(0.8)


def test_fieller_limits_invert_the_t_test():
    rng = np.random.default_rng(0)
    sums = np.stack([rng.lognormal(1, 1, 40), rng.random(40) < 0.6], axis=1).astype(float)
    limits = fieller(sums, 0.95)

    def p_value(theta):
        return stats.ttest_1samp(sums[:, 0] - theta * sums[:, 1], 0).pvalue - 0.05

    centre = ratio(sums)[0]
    assert limits[0] == pytest.approx(optimize.brentq(p_value, 0.01, centre), rel=1e-9)
    assert limits[1] == pytest.approx(optimize.brentq(p_value, centre, 100), rel=1e-9)


def test_rare_successes_leave_the_cost_without_a_bound():
    sums = np.stack([np.arange(1.0, 21), np.arange(20) == 7], axis=1).astype(float)
    lower, upper = fieller(sums, 0.95)
    assert upper == np.inf
    assert 0 <= lower < ratio(sums)[0]
    none = Friction().estimate({"accepted": [0, 0, 0], "minutes": [1, 2, 3]}, system=None).summary()
    assert none["mean"][0] == np.inf
    assert none["upper"][0] == np.inf
    one = Friction().estimate({"accepted": [1], "minutes": [3]}, system=None).summary()
    assert one["lower"].isna().all()


def test_users_are_clusters():
    data = {"accepted": [1, 0] * 10, "minutes": [5.0, 9] * 10, "user": list("aabb") * 5}
    alone = Friction().estimate(data, system=None).summary()
    users = Friction().estimate(data, system=None, user="user").summary()
    assert alone["mean"].equals(users["mean"])
    sums = np.array([[70.0, 5], [70, 5]])
    assert users[["lower", "upper"]].iloc[0].tolist() == pytest.approx(list(fieller(sums, 0.95)))


def test_the_studentised_bootstrap_agrees_with_fieller_where_both_are_normal():
    rng = np.random.default_rng(1)
    sums = np.stack([rng.normal(10, 2, 400), rng.random(400) < 0.8], axis=1).astype(float)
    found = studentised(sums, 0.95, 4000, rng)
    np.testing.assert_allclose(found, fieller(sums, 0.95), rtol=0.01)


def test_bad_tables_and_specs_are_refused():
    with pytest.raises(TrialDataError, match=r"row 2 .*not accepted cannot be"):
        Friction().estimate(TABLE | {"back": [0, 0, 1, 0, 0]}, system=None, rolled_back="back")
    with pytest.raises(TrialDataError, match=r"minutes in row 1 .*at least 0"):
        Friction().estimate({"accepted": [1, 1], "minutes": [1, -1]}, system=None)
    with pytest.raises(ArgumentError, match="price_minute"):
        Friction(price_minute=-1)
    with pytest.raises(ArgumentError, match="interval must be one of"):
        Friction(interval="delta")
