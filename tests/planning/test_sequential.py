"""Stopping at any time: closed forms, mpmath, and errors under the worst rule."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest

import reliability_stats as rs
from reliability_stats.intervals import clopper_pearson, confidence_sequence
from reliability_stats.planning import e_value, sequential_verdict


@pytest.mark.parametrize(
    ("y", "n", "limits"),
    [
        (20, 20, (0.739329, 1.0)),
        (10, 20, (0.204298, 0.795702)),
        (18, 20, (0.589739, 0.996341)),
        (84, 200, (0.309308, 0.536396)),
    ],
)
def test_figures_computed_apart(y, n, limits):
    assert confidence_sequence(y, n) == pytest.approx(limits, abs=1e-6)


def test_limits_solve_the_equation():
    y, n, a, b = 7, 30, 0.5, 2.0
    for p in confidence_sequence(y, n, prob=0.9, a=a, b=b):
        mixture = mpmath.beta(a + y, b + n - y) / mpmath.beta(a, b)
        ratio = mixture / (mpmath.mpf(p) ** y * (1 - mpmath.mpf(p)) ** (n - y))
        assert float(ratio) == pytest.approx(10.0, rel=1e-9)


def test_ends_and_shapes():
    assert confidence_sequence(0, 0) == (0.0, 1.0)
    assert confidence_sequence(0, 50)[0] == 0.0
    lower, upper = confidence_sequence(np.array([[0], [5]]), np.array([5, 10]))
    assert lower.shape == upper.shape == (2, 2)
    fixed = clopper_pearson(50, 100)
    anytime = confidence_sequence(50, 100)
    assert anytime[0] < fixed[0]
    assert fixed[1] < anytime[1]
    wide = confidence_sequence(600_000, 1_000_000)
    assert 0.597 < wide[0] < 0.6 < wide[1] < 0.603
    with pytest.raises(rs.ArgumentError, match="a must be a positive number"):
        confidence_sequence(1, 2, a=0)


def test_e_values():
    assert float(e_value(60, 60, 0.9)) == pytest.approx(91.0787, abs=1e-4)
    exact = mpmath.quad(lambda q: q**15 * (1 - q) ** 5, [0.4, 1]) / mpmath.mpf("0.6")
    exact /= mpmath.mpf("0.4") ** 15 * mpmath.mpf("0.6") ** 5
    assert float(e_value(15, 20, 0.4)) == pytest.approx(float(exact), rel=1e-10)
    assert float(e_value(0, 5000, 0.9)) == 0.0
    # expectation 1 at the threshold, less below
    n = 12
    for p, most in ((0.7, 1.0), (0.5, 1.0)):
        pmf = np.array(
            [float(mpmath.binomial(n, y)) * p**y * (1 - p) ** (n - y) for y in range(n + 1)]
        )
        total = pmf @ e_value(np.arange(n + 1), n, 0.7)
        assert total == pytest.approx(1.0) if p == 0.7 else total < most


def test_wrong_verdicts_stay_rare_under_the_worst_rule():
    rng = np.random.default_rng(4)
    outcomes = rng.random((400, 200)) < 0.8  # p is at the threshold: every verdict is wrong
    n = np.arange(1, 201)
    lower, upper = confidence_sequence(outcomes.cumsum(axis=1), n)
    wrong = ((lower > 0.8) | (upper < 0.8)).any(axis=1)
    assert wrong.mean() < 0.05 + 3 * np.sqrt(0.05 * 0.95 / 400)
    for row in (*np.flatnonzero(wrong)[:2], *np.flatnonzero(~wrong)[:2]):
        found = sequential_verdict(outcomes[row], 0.8)
        assert (found.verdict != "undecided") == wrong[row]


def test_looking_at_fixed_size_intervals_would_not_do():
    rng = np.random.default_rng(4)
    outcomes = rng.random((400, 400)) < 0.8
    wins, n = outcomes.cumsum(axis=1), np.arange(1, 401)
    lower, upper = clopper_pearson(wins, n[None, :].repeat(400, axis=0))
    assert ((lower > 0.8) | (upper < 0.8)).any(axis=1).mean() > 0.1


def test_a_verdict_stands():
    found = sequential_verdict([1] * 40 + [0] * 40, 0.8)
    assert found.decided_at == 29
    assert found.verdict == "above"
    assert set(found.frame["verdict"].iloc[28:]) == {"above"}
    assert found.frame["lower"].is_monotonic_increasing
    assert "above 0.8 since trial 29" in repr(found)
    assert repr(found) in found._repr_html_()


def test_open_and_below():
    assert sequential_verdict([1, 0], 0.5).decided_at is None
    assert sequential_verdict([0] * 30, 0.5).verdict == "below"
    assert sequential_verdict([True], 0.5).interval[1] == 1.0


@pytest.mark.parametrize(
    ("outcomes", "message"),
    [
        ([], "at least one 0 or 1"),
        ([[1, 0]], "not of shape"),
        ([1, 0.5], "entry 1 is 0.5"),
        ([1, np.nan], "entry 1 is nan"),
        (["a"], "must be 0 or 1"),
    ],
)
def test_wrong_outcomes(outcomes, message):
    with pytest.raises(rs.ArgumentError, match=message):
        sequential_verdict(outcomes, 0.5)
