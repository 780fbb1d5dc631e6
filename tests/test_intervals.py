"""Intervals for one success probability against other software, high precision and brute force."""

import json
from pathlib import Path

import mpmath
import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.proportion import proportion_confint

from reliability_stats import ArgumentError, intervals

REFERENCE = json.loads((Path(__file__).parent / "reference" / "intervals.json").read_text())
KINDS = [intervals.wilson, intervals.clopper_pearson, intervals.jeffreys]
every_kind = pytest.mark.parametrize("kind", KINDS, ids=lambda f: f.__name__)


@pytest.mark.parametrize("case", REFERENCE, ids=lambda c: f"{c['function']}-{c['successes']}")
def test_published_figures(case):
    found = getattr(intervals, case["function"])(case["successes"], case["n"], prob=case["prob"])
    assert found == pytest.approx(case["limits"], rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("prob", [0.5, 0.9, 0.999])
@pytest.mark.parametrize("n", [1, 2, 7, 40, 1000])
def test_scipy_and_statsmodels(n, prob):
    wins = sorted({0, 1, n // 3, n - 1, n})
    for kind, ours, theirs in (
        (intervals.wilson, "wilson", "wilson"),
        (intervals.clopper_pearson, "exact", "beta"),
    ):
        for y in wins:
            found = kind(y, n, prob=prob)
            assert found == pytest.approx(
                stats.binomtest(y, n).proportion_ci(prob, method=ours), rel=1e-6, abs=1e-9
            )
            assert found == pytest.approx(
                proportion_confint(y, n, alpha=1 - prob, method=theirs), rel=1e-9, abs=1e-12
            )
    for y in wins[1:-1]:
        assert intervals.jeffreys(y, n, prob=prob) == pytest.approx(
            proportion_confint(y, n, alpha=1 - prob, method="jeffreys"), rel=1e-9
        )


@pytest.mark.parametrize(("y", "n"), [(1, 10**6), (3, 17), (999_999, 10**6), (43, 1000)])
def test_exact_limits_solve_the_binomial_tails(y, n):
    lower, upper = intervals.clopper_pearson(y, n, prob=0.95)
    with mpmath.workdps(30):
        above = mpmath.betainc(y, n - y + 1, 0, mpmath.mpf(lower), regularized=True)
        below = mpmath.betainc(y + 1, n - y, mpmath.mpf(upper), 1, regularized=True)
    assert float(above) == pytest.approx(0.025, rel=1e-8)
    assert float(below) == pytest.approx(0.025, rel=1e-8)


@pytest.mark.parametrize(("y", "n"), [(1, 10**6), (7, 10), (43, 1000)])
def test_jeffreys_limits_are_quantiles(y, n):
    for limit, tail in zip(intervals.jeffreys(y, n), (0.025, 0.975), strict=True):
        with mpmath.workdps(30):
            mass = mpmath.betainc(y + 0.5, n - y + 0.5, 0, mpmath.mpf(limit), regularized=True)
        assert float(mass) == pytest.approx(tail, rel=1e-8)


@every_kind
def test_ends_are_exact(kind):
    for n in (1, 2, 3, 10, 12345, 10**9):
        lower, upper = kind(0, n)
        assert lower == 0.0
        assert 0 < upper < 1
        assert kind(n, n)[1] == 1.0
        assert kind(n, n)[0] == pytest.approx(1 - upper, rel=1e-9)


@every_kind
def test_no_trial_excludes_nothing(kind):
    assert kind(0, 0) == (0.0, 1.0)
    lower, upper = kind([], [])
    assert lower.shape == upper.shape == (0,)


@every_kind
def test_shapes_broadcast_and_scalars_give_floats(kind):
    lower, upper = kind(np.arange(4).reshape(2, 2), 3)
    assert lower.shape == upper.shape == (2, 2)
    assert lower[1, 0] == kind(2, 3)[0]
    assert (lower < upper).all()
    assert all(type(limit) is float for limit in kind(2, 3))
    assert all(type(limit) is float for limit in kind(np.int64(2), 3.0))


@every_kind
def test_wider_with_more_mass(kind):
    narrow, wide = kind(3, 10, prob=0.5), kind(3, 10, prob=0.99)
    assert wide[0] < narrow[0] < 0.3 < narrow[1] < wide[1]


@every_kind
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((3, 2), "entry 0 has 3 successes in 2 trials"),
        (([0, -1], 2), "entry 1 is -1"),
        ((1.5, 2), "entry 0 is 1.5"),
        ((float("nan"), 2), "nan"),
        (([1, 2], [3, 4, 5]), r"\(2,\) and \(3,\)"),
        (("a", 2), "successes must be a list of integers"),
    ],
)
def test_wrong_counts_are_refused(kind, arguments, words):
    with pytest.raises(ArgumentError, match=words):
        kind(*arguments)


@every_kind
def test_prob_is_a_mass(kind):
    with pytest.raises(ArgumentError, match=r"did you mean 0\.95"):
        kind(1, 2, prob=95)


def test_exact_coverage_is_at_least_nominal():
    for n in (3, 10, 30):
        lower, upper = intervals.clopper_pearson(np.arange(n + 1), n, prob=0.9)
        p = np.linspace(0, 1, 301)[:, None]
        mass = stats.binom.pmf(np.arange(n + 1), n, p)
        assert (mass * ((lower <= p) & (p <= upper))).sum(axis=1).min() >= 0.9


@pytest.mark.parametrize(("n", "mean"), [(3, 0.9560), (10, 0.9541), (30, 0.9524)])
def test_wilson_mean_coverage_over_uniform_p(n, mean):
    wins = np.arange(n + 1)
    lower, upper = intervals.wilson(wins, n)
    held = stats.beta.cdf(upper, wins + 1, n - wins + 1) - stats.beta.cdf(
        lower, wins + 1, n - wins + 1
    )
    assert held.mean() == pytest.approx(mean, abs=5e-5)


def test_fractional_counts_interpolate():
    between = intervals.exact_limits(np.array(2.5), np.array(10.0), 0.95)
    for limit, low, high in zip(
        between,
        intervals.clopper_pearson(2, 10),
        intervals.clopper_pearson(3, 10),
        strict=True,
    ):
        assert low < limit < high
