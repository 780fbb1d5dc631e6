"""evalpower: figures of its README and runs; bias of its audit miss."""

import numpy as np
import pytest
from scipy import stats

import reliability_stats as rs
from reliability_stats import compat, intervals

CELLS = [16, 16, 32], [4, 0, 12]


def test_audit_miss():
    """evalpower, README."""
    found = compat.audit_miss(*CELLS)
    assert (found.pair, found.event) == (0.6875, 0.65625)
    assert (found.tasks, found.failing) == (3, 2)
    by_hand = (4 * 12 / 15 + 12 * 20 / 31) / 16
    assert found.unbiased_event == pytest.approx(by_hand)
    # The same as one less the persistence of failure, when tasks have as many runs.
    n, x = np.full(30, 5), np.random.default_rng(0).integers(0, 6, 30)
    persistence = rs.Persistence(1).from_counts(n, x)
    assert compat.audit_miss(n, x).unbiased_event == pytest.approx(1 - persistence)


def test_audit_miss_without_failures():
    found = compat.audit_miss([4, 4], [0, 0])
    assert np.isnan([found.pair, found.event, found.unbiased_event]).all()
    assert (found.tasks, found.failing) == (2, 0)
    single = compat.audit_miss([1], [1])
    assert (single.pair, single.event) == (0, 0)
    assert np.isnan(single.unbiased_event)


def test_pair_miss_is_too_small_and_depends_on_the_number_of_runs():
    """Exact: given a failure was seen, the observed rate is q / (1 - (1 - q)^n) on average."""
    q, figures = 0.05, []
    for n in (8, 64):
        x = np.arange(1, n + 1)
        mass = stats.binom.pmf(x, n, q)
        figures.append(sum(mass * [compat.audit_miss([n], [i]).pair for i in x]) / mass.sum())
        assert figures[-1] == pytest.approx(1 - q / (1 - (1 - q) ** n))
    assert figures[0] == pytest.approx(0.85, abs=0.005)
    assert figures[0] < figures[1] < 1 - q


@pytest.mark.parametrize(
    ("x", "n", "limits", "stochastic"),
    [
        (4, 16, (0.0726620382524743, 0.5237708198960718), True),
        (0, 16, (0.0, 0.20590721420785485), False),
        (12, 32, (0.21100031642390604, 0.5630775449030807), True),
        (1, 4, (0.006309463210072863, 0.8058795503170586), False),
        (8, 16, (0.2465101114908066, 0.7534898885091934), True),
        (12, 16, (0.47622918010392823, 0.9273379617475257), True),
        (16, 16, (0.7940927857921452, 1.0), False),
        (1, 8, (0.003159723531553027, 0.5265096708749297), False),
    ],
)
def test_demonstrably_stochastic(x, n, limits, stochastic):
    """evalpower, README and runs."""
    np.testing.assert_allclose(intervals.clopper_pearson(x, n), limits, rtol=1e-10)
    assert compat.demonstrably_stochastic([n], [x]).tolist() == [stochastic]


def test_four_runs_never_demonstrate_anything():
    assert not compat.demonstrably_stochastic([4] * 5, [0, 1, 2, 3, 4], margin=0.07).any()


def test_bounds_and_numbers_of_runs():
    """evalpower, README."""
    bounds = [compat.zero_failure_upper_bound(n) for n in (7, 16, 20, 59)]
    published = [0.3481636551311609, 0.17074972298248092, 0.13910834066826516, 0.049507609888227]
    np.testing.assert_allclose(bounds, published, rtol=1e-12)
    runs = [compat.runs_needed(rate) for rate in (0.5, 0.375, 0.25, 0.1, 0.05, 0.01)]
    assert runs == [5, 7, 11, 29, 59, 299]
    assert compat.runs_needed(1) == 1
    for rate in (1e-9, 0.001, 0.3):
        needed = compat.runs_needed(rate, prob=0.9)
        assert stats.geom.cdf(needed, rate) >= 0.9 * (1 - 1e-12)
        assert stats.geom.cdf(needed - 1, rate) < 0.9
    assert compat.runs_needed(0.5, prob=0.75) == 2


def test_moments():
    """evalpower run; the correlation of tau-bench airline independently."""
    found = compat.beta_binomial_moments(10, [0, 0, 1, 2, 5, 8, 9, 10])
    figures = [found.alpha, found.beta, found.icc]
    published = [0.2106662933930571, 0.2708566629339305, 0.6749811035525322]
    np.testing.assert_allclose(figures, published, rtol=1e-12)
    assert found.p_value == pytest.approx(8.632560991333551e-10, rel=1e-9)
    counts = rs.datasets.load("tau-bench-airline-gpt4o").counts
    assert compat.beta_binomial_moments(4, counts.successes).icc == pytest.approx(
        0.41284362677747666, rel=1e-12
    )
    even = compat.beta_binomial_moments(4, [2, 2, 2])
    assert np.isnan([even.alpha, even.beta]).all()
    assert even.icc == pytest.approx(-1 / 3)
    assert even.p_value == 1
    apart = compat.beta_binomial_moments(4, [0, 4])
    assert apart.icc > 1
    assert np.isnan([apart.alpha, apart.p_value]).all()


def test_safety_over_k():
    """evalpower, README: safe^k of the three cells for k = 1, 2, 3, 5, 10 is our pass^k."""
    n, x = map(np.array, CELLS)
    published = [0.7916666666666666, 0.6443548387096775, 0.5408986175115207]
    published += [0.41943632933621816, 0.33703521629236194]
    found = [rs.PassHatK(k).from_counts(n, n - x) for k in (1, 2, 3, 5, 10)]
    np.testing.assert_allclose(found, published, rtol=1e-12)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: compat.audit_miss([2], [3]), "entry 0 has 3"),
        (lambda: compat.audit_miss([], []), "at least one task"),
        (lambda: compat.audit_miss([0], [0]), "at least one run"),
        (lambda: compat.demonstrably_stochastic([4], [2], margin=0.5), "below 0.5"),
        (lambda: compat.zero_failure_upper_bound(0), "at least 1"),
        (lambda: compat.runs_needed(0), "above 0"),
        (lambda: compat.runs_needed(1.2), r"in \[0, 1\]"),
        (lambda: compat.beta_binomial_moments(1, [0, 1]), "two runs"),
        (lambda: compat.beta_binomial_moments(3, [1]), "two tasks"),
        (lambda: compat.beta_binomial_moments(3, [0, 0]), "alike"),
        (lambda: compat.beta_binomial_moments(3, [0, 4]), "entry 1 has 4"),
    ],
)
def test_what_is_refused(call, words):
    with pytest.raises(rs.ArgumentError, match=words):
        call()
