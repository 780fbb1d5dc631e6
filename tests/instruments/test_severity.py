"""Severities: Dirichlet shares, costs, tail risk."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from reliability_stats.exceptions import ArgumentError, TrialDataError
from reliability_stats.instruments import Severity
from reliability_stats.instruments.severity_posterior import tail

COSTS = {"none": 0, "minor": 1, "major": 5, "critical": 50}
TABLE = {"severity": list(COSTS), "runs": [40, 6, 3, 1]}


@pytest.fixture(scope="module")
def post():
    return Severity(COSTS).fit(TABLE, system=None, n="runs", rng=1, draws=25_000)


def row(post, estimand):
    return post.summary().set_index("estimand").loc[estimand]


def test_expected_cost_of_the_reference(post):
    found = row(post, "expected_cost")
    assert found["mean"] == pytest.approx(1.903846, abs=1e-6)
    assert found["sd"] == pytest.approx(1.151688, abs=1e-6)
    draws = post.draws()
    assert float(draws.mean()) == pytest.approx(1.903846, abs=0.02)
    assert float(draws.std()) == pytest.approx(1.151688, abs=0.02)


def test_shares_of_at_least_a_level_are_betas(post):
    found = row(post, "severity>=major")
    law = stats.beta(5, 47)
    assert found["mean"] == pytest.approx(law.mean())
    assert found["sd"] == pytest.approx(law.std())
    ends = found[["lower", "upper"]].astype(float)
    np.testing.assert_allclose(ends, law.ppf([0.025, 0.975]), atol=2e-3)
    assert post.levels()["mean"].tolist() == pytest.approx(
        [40.5 / 52, 6.5 / 52, 3.5 / 52, 1.5 / 52]
    )


def test_cost_of_a_dependable_success_agrees_with_gamma_draws(post):
    gammas = np.random.default_rng(2).standard_gamma([40.5, 6.5, 3.5, 1.5], (200_000, 4))
    ratio = gammas @ list(COSTS.values()) / gammas[:, 0]
    found = row(post, "cost_per_dependable_success")
    assert found["mean"] == pytest.approx(ratio.mean(), rel=0.02)
    ends = found[["lower", "upper"]].astype(float)
    np.testing.assert_allclose(ends, np.quantile(ratio, [0.025, 0.975]), rtol=0.03)
    both = Severity(COSTS, good=["none", "minor"]).fit(TABLE, system=None, n="runs")
    assert row(both, "cost_per_dependable_success")["mean"] < found["mean"]


def test_risk_of_one_run_is_exact(post):
    found = post.risk(4).iloc[0]
    assert found["p_exceed"] == pytest.approx(5 / 52)
    assert found["error"] == 0
    assert found["value_at_risk"] == 5
    p = np.array([40.5, 6.5, 3.5, 1.5]) / 52
    worst = (p[3] * 50 + (0.05 - p[3]) * 5) / 0.05
    assert found["conditional_value_at_risk"] == pytest.approx(worst)


def test_risk_of_many_runs_agrees_with_moments(post):
    found = post.risk(300, runs=100, rng=3).iloc[0]
    rng = np.random.default_rng(9)
    shares = rng.dirichlet([40.5, 6.5, 3.5, 1.5], 40_000)
    totals = rng.multinomial(100, shares) @ [0, 1, 5, 50]
    assert found["p_exceed"] == pytest.approx((totals > 300).mean(), abs=5 * found["error"] + 0.005)
    cut = np.quantile(totals, 0.95)
    assert found["value_at_risk"] == pytest.approx(cut, rel=0.03)
    assert found["conditional_value_at_risk"] == pytest.approx(
        totals[totals >= cut].mean(), rel=0.03
    )
    assert np.isnan(found["lower"])


def test_tail_of_a_law_by_hand():
    values, p = np.array([0.0, 1.0, 10.0]), np.array([0.5, 0.3, 0.2])
    assert tail(values, p, 0.5) == pytest.approx((0.0, (0.3 * 1 + 0.2 * 10) / 0.5))
    assert tail(values, p, 0.9) == pytest.approx((10.0, 10.0))


def test_systems_are_apart_and_rows_add_up():
    table = {"system": ["a", "b", "a"], "severity": ["none", "none", "critical"]}
    post = Severity(COSTS).fit(table)
    assert post.counts.tolist() == [[1, 0, 0, 1], [1, 0, 0, 0]]
    assert post.summary()["system"].tolist()[:2] == ["a", "b"]
    assert "a: expected cost" in repr(post)
    single = Severity(COSTS).fit({"severity": ["none"] * 7}, system=None)
    counted = Severity(COSTS).fit({"severity": ["none"], "n": [7]}, system=None, n="n")
    assert single.summary().equals(counted.summary())


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"severity": ["none", "Minor"]}, "row 1 .*did you mean 'minor'"),
        ({"severity": ["none", None]}, "no severity in row 1"),
        ({"severity": []}, "no rows"),
    ],
)
def test_bad_tables_are_refused(table, message):
    with pytest.raises(TrialDataError, match=message):
        Severity(COSTS).fit(table, system=None)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"costs": {"none": 0}}, "at least two levels"),
        ({"costs": {"a": 1, "b": 0}}, "'b' costs 0 after 'a'"),
        ({"costs": {"a": 0, "b": np.inf}}, "must be finite"),
        ({"costs": {"a": 0, "b": "x"}}, "the cost of 'b'"),
        ({"costs": COSTS, "good": "fine"}, "good names 'fine'"),
        ({"costs": COSTS, "prior": 0}, "prior must be a positive"),
    ],
)
def test_bad_specs_are_refused(arguments, message):
    with pytest.raises(ArgumentError, match=message):
        Severity(**arguments)
