"""Tolerances against brute-force posteriors, on edges, and for error rates in simulation."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import special, stats

import reliability_stats as rs
from reliability_stats.exceptions import ArgumentError, ModelError
from reliability_stats.instruments import (
    IncidentRates,
    Incidents,
    IncidentTolerance,
    Tolerance,
    ToleranceCheck,
)


@pytest.fixture(scope="module")
def tau():
    return rs.fit(rs.datasets.load("tau-bench-airline-gpt4o"))


def test_probability_agrees_with_a_plain_grid(tau):
    """Sum over 500 x 500 points of mean and icc, both uniform, with scipy's beta-binomial."""
    histogram = np.array([14, 12, 10, 4, 10])
    x = (np.arange(500) + 0.5) / 500
    mean, icc = np.meshgrid(x, x)
    a, b = mean * (1 / icc - 1), (1 - mean) * (1 / icc - 1)
    logs = sum(h * stats.betabinom.logpmf(c, 4, a, b) for c, h in enumerate(histogram))
    weight = np.exp(logs - logs.max())
    value = np.exp(special.betaln(a + 4, b) - special.betaln(a, b))
    want = weight[value >= 0.2].sum() / weight.sum()
    found = Tolerance(rs.PassHatK(4), at_least=0.2).check(tau).table
    assert found["p_kept"][0] == pytest.approx(want, abs=0.006)
    assert found["mcse"][0] == pytest.approx(np.sqrt(want * (1 - want) / 1e5), rel=0.05)
    below = Tolerance(rs.PassHatK(4), at_most=0.2).check(tau).table
    assert below["p_kept"][0] == pytest.approx(1 - found["p_kept"][0])


def test_verdicts_and_their_errors(tau):
    made = {
        limit: Tolerance(rs.SuccessRate(), at_least=limit).check(tau).table.iloc[0]
        for limit in (0.2, 0.43, 0.7)
    }
    assert [row["verdict"] for row in made.values()] == ["met", "undetermined", "not met"]
    assert made[0.2]["p_wrong"] == pytest.approx(1 - made[0.2]["p_kept"])
    assert made[0.7]["p_wrong"] == made[0.7]["p_kept"]
    assert np.isnan(made[0.43]["p_wrong"])
    observed = Tolerance(rs.SuccessRate(), at_least=0.35, over="observed").check(tau)
    assert observed.table["verdict"][0] == "met"
    assert "over the tasks of the table" in repr(observed)


def test_nothing_is_decided_within_the_monte_carlo_error():
    tolerance = Tolerance(rs.SuccessRate(), at_least=0.5)
    p, error = np.array([0.955, 0.955, 0.045, 0.045]), np.array([0.002, 0.003, 0.002, 0.003])
    check = ToleranceCheck.of(tolerance, tuple("abcd"), p, error, ["yes"] * 4)
    assert list(check.table["verdict"]) == ["met", "undetermined", "not met", "undetermined"]


def test_one_trial_a_task_settles_nothing_about_repetition():
    post = rs.fit(rs.Trials.from_array(np.ones((400, 1))))
    check = Tolerance(rs.PassHatK(4), at_least=0.1).check(post)
    assert check.table["verdict"][0] == "not identified"
    assert Tolerance(rs.SuccessRate(), at_least=0.9).check(post).table["verdict"][0] == "met"


def test_extrapolation_is_said(tau):
    assert "rests on the model" in repr(Tolerance(rs.PassHatK(8), at_least=0.9).check(tau))


def test_names_are_escaped():
    post = rs.fit(rs.Trials.from_array(np.ones((2, 3, 2)), systems=["<b>", "a, ü"]))
    check = Tolerance(rs.SuccessRate(), at_least=0.1).check(post)
    assert "&lt;b&gt;" in check._repr_html_()
    assert len(check.table) == 2


def test_further_tasks_settle_it(tau):
    limit = Tolerance(rs.SuccessRate(), at_least=0.35, assurance=0.99)
    plan = limit.further(tau, power=0.6, simulations=60)
    assert plan["tasks"].tolist()[:3] == [0, 50, 100]
    assert plan["p_settled"].iloc[0] == 0
    assert plan["enough"].iloc[-1]
    assert not plan["enough"].iloc[:-1].any()
    # what the posterior says now is what future verdicts are on average
    kept = limit.check(tau).table["p_kept"][0]
    last = plan.iloc[-1]
    assert last["p_met"] <= kept + 3 * 0.065
    assert last["p_not_met"] <= 1 - kept + 3 * 0.065
    with pytest.raises(ArgumentError, match="needs tasks with at least 4 trials"):
        Tolerance(rs.PassHatK(4), at_least=0.35).further(tau, trials=2)
    with pytest.raises(ModelError, match="over='population'"):
        Tolerance(rs.SuccessRate(), at_least=0.35, over="observed").further(tau)
    decided = Tolerance(rs.SuccessRate(), at_least=0.1).further(tau)
    assert decided["tasks"].tolist() == [0]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "one limit"),
        ({"at_least": 0.5, "at_most": 0.9}, "one limit"),
        ({"at_least": 95}, r"at_least must be in \[0, 1\]"),
        ({"at_least": 0.9, "assurance": 0.4}, "assurance must be above 0.5"),
        ({"at_least": 0.9, "over": "tasks"}, "over must be one of"),
    ],
)
def test_bad_tolerances(options, message):
    with pytest.raises(ArgumentError, match=message):
        Tolerance(rs.PassHatK(4), **options)


def test_bad_arguments(tau):
    with pytest.raises(ArgumentError, match="estimand must be an estimand"):
        Tolerance("pass^4", at_least=0.9)
    with pytest.raises(ArgumentError, match="check takes a Posterior"):
        Tolerance(rs.PassHatK(4), at_least=0.9).check(3)
    with pytest.raises(ArgumentError, match="system must be one of"):
        Tolerance(rs.PassHatK(4), at_least=0.9).further(tau, system="x")


def test_met_is_seldom_wrong():
    """Truths from the prior: of the systems called met or not met, few are not."""
    rng = np.random.default_rng(2)
    mean, icc = rng.uniform(size=(2, 300))
    a, b = mean * (1 / icc - 1), (1 - mean) * (1 / icc - 1)
    p = rng.beta(a[:, None], b[:, None], (300, 40))
    outcomes = np.arange(4) < rng.binomial(4, p)[..., None]
    post = rs.fit(rs.Trials.from_array(outcomes, systems=[f"s{i}" for i in range(300)]))
    check = Tolerance(rs.PassHatK(4), at_least=0.3).check(post, draws=500)
    truth = np.exp(special.betaln(a + 4, b) - special.betaln(a, b)) >= 0.3
    verdict = check.table["verdict"].to_numpy()
    assert (verdict != "undetermined").mean() > 0.5
    wrong = ((verdict == "met") & ~truth) | ((verdict == "not met") & truth)
    expected = check.table["p_wrong"].sum()
    assert wrong.sum() == pytest.approx(expected, abs=3 * np.sqrt(max(expected, 1)))
    assert wrong.sum() / (verdict != "undetermined").sum() < 0.05


def rates(counts, exposure, **options):
    table = {"failure_class": [f"c{i}" for i in range(len(counts))], "incidents": counts}
    data = Incidents.from_counts({**table, "exposure": [exposure] * len(counts)})
    return IncidentRates(**options).fit(data)


def test_incident_limits():
    post = rates([3, 0], 1000.0, pooling="none")
    check = IncidentTolerance(at_most=8, per=1000).check(post)
    assert check.table["p_kept"][0] == pytest.approx(stats.gamma(3.5).cdf(8))
    assert check.table["verdict"][0] == "met"
    assert "at most 8 incidents in 1000 runs" in repr(check)
    one = IncidentTolerance(at_most=1, per=1000, failure_class="c1").check(post)
    assert one.table["p_kept"][0] == pytest.approx(stats.gamma(0.5).cdf(1))
    pooled = rates([3, 0], 1000.0)
    one = IncidentTolerance(at_most=1, per=1000, failure_class="c1").check(pooled)
    assert one.table["p_kept"][0] == pytest.approx(pooled.fits[0].mixture.cdf(np.full(2, 0.001))[1])


def test_exposure_without_incidents_that_is_still_needed():
    post = rates([0], 100.0, pooling="none")
    limit = IncidentTolerance(at_most=1, per=100)
    need = limit.further(post)["without_incidents"][0]
    assert stats.gamma(0.5).cdf((100 + need) / 100) == pytest.approx(0.95, abs=1e-6)
    pooled = rates([0, 1, 2], 100.0)
    limit = IncidentTolerance(at_most=1, per=100, failure_class="c0")
    assert 0 < limit.further(pooled)["without_incidents"][0] < 1000


def test_exposure_that_settles_agrees_with_simulation():
    post = rates([3], 1000.0, pooling="none")
    limit = IncidentTolerance(at_most=6, per=1000)
    x = limit.further(post, power=0.6)["to_settle"][0]
    rng = np.random.default_rng(0)
    rate = rng.gamma(3.5, size=200_000) / 1000
    more = rng.poisson(rate * x)
    kept = special.gammainc(3.5 + more, (1000 + x) * 0.006)
    settled = ((kept >= 0.95) | (kept <= 0.05)).mean()
    assert settled >= 0.6
    assert settled == pytest.approx(limit._settled(3, 1000.0, x), abs=0.005)
    assert limit._settled(3, 1000.0, 0.999 * x) < 0.6


def test_severe_incidents():
    events = {
        "failure_class": ["a", "a", "b", "b"],
        "severity": ["low", "high", "low", "worst"],
        "who": ["A", "A", "A", "B"],
    }
    options = {"severity": "severity", "levels": ["low", "high", "worst"], "system": "who"}
    data = Incidents.from_events(events, **options, exposure={"A": 50, "B": 10}, classes=["a", "b"])
    post = IncidentRates(pooling="none").fit(data)
    check = IncidentTolerance(at_most=2, per=10, severity="high").check(post).table
    assert check["incidents"].tolist() == [1, 1]
    assert check["p_kept"].tolist() == pytest.approx(
        [stats.gamma(1.5).cdf(10), stats.gamma(1.5).cdf(2)]
    )
    with pytest.raises(ArgumentError, match="severity must be one of 'low', 'high', 'worst'"):
        IncidentTolerance(at_most=2, severity="higher").check(post)
    with pytest.raises(ModelError, match="read without severities"):
        IncidentTolerance(at_most=2, severity="high").check(rates([1], 1.0))


def test_bad_incident_tolerances():
    with pytest.raises(ArgumentError, match="at_most must be a positive number"):
        IncidentTolerance(at_most=0)
    with pytest.raises(ArgumentError, match="not both"):
        IncidentTolerance(at_most=1, failure_class="a", severity="b")
    with pytest.raises(ArgumentError, match=r"no failure class 'C1' \(did you mean 'c1'"):
        IncidentTolerance(at_most=1, failure_class="C1").check(rates([1, 2], 1.0))
    with pytest.raises(ArgumentError, match="checked against an IncidentPosterior"):
        IncidentTolerance(at_most=1).check(3)
