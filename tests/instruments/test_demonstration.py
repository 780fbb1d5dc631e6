"""Demonstration plans against published tables, enumeration and simulation."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy import stats

import reliability_stats as rs
from reliability_stats.exceptions import ArgumentError
from reliability_stats.instruments import SequentialTest, zero_failure_upper

TABLE = {
    (0.9, 0.9): (22, 21, 13, 38),
    (0.9, 0.95): (29, 28, 18, 46),
    (0.95, 0.9): (45, 44, 27, 77),
    (0.95, 0.95): (59, 58, 38, 93),
    (0.99, 0.9): (230, 229, 135, 388),
    (0.99, 0.95): (299, 298, 191, 473),
    (0.99, 0.99): (459, 458, 330, 662),
    (0.999, 0.95): (2995, 2994, 1920, 4742),
}


@pytest.mark.parametrize(("aim", "plans"), TABLE.items(), ids=str)
def test_success_run_table(aim, plans):
    found = [rs.zero_failure_trials(*aim, prior=prior) for prior in (None, "uniform", "jeffreys")]
    found.append(rs.zero_failure_trials(*aim, failures=1))
    assert tuple(found) == plans


def test_plans_are_the_smallest():
    rng = np.random.default_rng(3)
    for r, c in rng.uniform(0.3, 0.98, (40, 2)):
        for f in (0, 1, 3):
            n = rs.zero_failure_trials(r, c, failures=f)
            assert stats.binom.cdf(f, n, 1 - r) <= 1 - c + 1e-9
            assert n - 1 <= f or stats.binom.cdf(f, n - 1, 1 - r) > 1 - c
            n = rs.zero_failure_trials(r, c, failures=f, prior=rs.Beta(2, 3))
            assert stats.beta(2 + n - f, 3 + f).sf(r) >= c - 1e-9
            assert n == f or stats.beta(2 + n - 1 - f, 3 + f).sf(r) < c


def test_a_boundary_that_is_met_exactly():
    assert rs.zero_failure_trials(0.5, 0.75) == 2
    assert rs.zero_failure_trials(0.9, 0.271) == 3


def test_a_prior_may_be_enough():
    assert rs.zero_failure_trials(0.5, 0.9, prior=rs.Beta(50, 1)) == 0
    assert rs.zero_failure_trials(0.5, 0.4, prior="uniform") == 0


def test_runs_needed_and_bounds_of_evalpower():
    rates = {0.5: 5, 0.375: 7, 0.25: 11, 0.1: 29, 0.05: 59, 0.01: 299}
    assert {rate: rs.zero_failure_trials(1 - rate, 0.95) for rate in rates} == rates
    figures = [0.3481636551311609, 0.17074972298248092, 0.13910834066826516, 0.049507609888227]
    assert [zero_failure_upper(n) for n in (7, 16, 20, 59)] == pytest.approx(figures)
    assert zero_failure_upper(30) == pytest.approx(0.0950339, abs=5e-8)
    assert zero_failure_upper(30, prior="uniform") == pytest.approx(0.0921141, abs=5e-8)


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        ((1.0, 0.95), {}, "reliability must be a number between 0 and 1"),
        ((0.95, 95), {}, "assurance must be .*did you mean 0.95"),
        ((0.95, 0.95), {"prior": "jeffrey"}, "prior must be one of .*did you mean 'jeffreys'"),
        ((0.95, 0.95), {"failures": -1}, "failures must be an integer of at least 0"),
        ((1 - 1e-15, 0.95), {}, "more than"),
    ],
)
def test_bad_arguments(arguments, options, message):
    with pytest.raises(ArgumentError, match=message):
        rs.zero_failure_trials(*arguments, **options)


SHORT = SequentialTest(0.9, 0.5, 0.1, 0.1, most=9)


def test_operating_characteristic_agrees_with_enumeration():
    for p in (0.0, 0.3, 0.5, 0.75, 0.9, 1.0):
        want = dict.fromkeys(("accepted", "rejected", "undecided"), 0.0)
        trials = 0.0
        for outcome in itertools.product((0, 1), repeat=9):
            chance = np.prod([p if y else 1 - p for y in outcome])
            decision = SHORT.decide(outcome)
            want[decision.verdict] += chance
            trials += chance * decision.trials
        row = SHORT.oc(p).iloc[0]
        assert row[list(want)].to_numpy(float) == pytest.approx(list(want.values()), abs=1e-12)
        assert row["expected_trials"] == pytest.approx(trials)


def test_boundaries_are_those_of_the_likelihood_ratio():
    test = SequentialTest(0.95, 0.8)
    low, high = np.log(0.05 / 0.95), np.log(0.95 / 0.05)
    for n, a, r in test.boundaries().head(200).itertuples(index=False):
        x = np.arange(n + 1)
        ratio = x * np.log(0.2 / 0.05) + (n - x) * np.log(0.8 / 0.95)
        assert a == (x[ratio <= low].max() if (ratio <= low).any() else -1)
        assert r == x[ratio >= high].min() if (ratio >= high).any() else r > n


def test_risks_are_near_those_wanted():
    row = SequentialTest(0.95, 0.8).oc([0.95, 0.8])
    assert row["rejected"][0] + row["accepted"][1] <= 0.1
    assert (row["expected_trials"] < 40).all()
    assert row["undecided"].max() < 1e-9


def test_decisions():
    assert SHORT.decide([]).verdict == "go on"
    assert SHORT.decide([0, 0]).verdict == "rejected"
    assert SHORT.decide([True] * 20).verdict == "accepted"
    for values in ([0.5], ["yes"], [[1, 0]]):
        with pytest.raises(ArgumentError, match="outcomes must be"):
            SHORT.decide(values)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0.8, 0.9), "unacceptable must be smaller"),
        ((0.9, 0.8, 0.6), "producer_risk must be below 0.5"),
        ((0.9, 0.8, 0.1, 0.1, 10**6), "most must be at most"),
    ],
)
def test_bad_tests(arguments, message):
    with pytest.raises(ArgumentError, match=message):
        SequentialTest(*arguments)
