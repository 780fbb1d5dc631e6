"""The urn against enumeration, rational numbers and many digits."""

from fractions import Fraction
from itertools import permutations
from math import comb

import mpmath
import numpy as np
import pytest

from reliability_stats.estimands import Urn
from reliability_stats.estimands._walk import CHUNK
from reliability_stats.estimands.urn import squared_scores

AWFUL = [1e-300, 1e-3, 0.5, 7.0, 1e8, 1e16, 1e300]


def relative(value, exact):
    """Relative error of a float against a Fraction or mpf, absolute where that underflows."""
    if isinstance(exact, Fraction):
        if exact == 0 or abs(exact) < Fraction(1, 10**290):
            return abs(float(value))
        return abs(float((Fraction(float(value)) - exact) / exact))
    if abs(exact) < mpmath.mpf(10) ** -290:
        return abs(float(value))
    return float(abs((mpmath.mpf(float(value)) - exact) / exact))


def by_permutation(outcomes, test, trials):
    """Share of ordered draws without replacement that pass a test."""
    draws = list(permutations(outcomes, trials))
    return Fraction(sum(test(draw) for draw in draws), len(draws))


@pytest.mark.parametrize("n", [2, 4, 6])
def test_drawing_without_replacement_is_enumerated(n):
    for y in range(n + 1):
        outcomes = [1] * y + [0] * (n - y)
        urn = Urn.counts(n, y)
        for k in range(1, n + 1):
            truths = {
                urn.all: lambda d: all(d),
                urn.any: lambda d: any(d),
                urn.disagree: lambda d: 0 < sum(d) < len(d),
            }
            for method, test in truths.items():
                assert relative(method(k), by_permutation(outcomes, test, k)) < 1e-14
        for k in range(1, n // 2 + 1):
            both_any = by_permutation(outcomes, lambda d, k=k: any(d[:k]) and any(d[k:]), 2 * k)
            mixed = by_permutation(
                outcomes, lambda d, k=k: 0 < sum(d[:k]) < k and 0 < sum(d[k:]) < k, 2 * k
            )
            assert relative(urn.any_square(k), both_any) < 1e-14
            assert relative(urn.disagree_square(k), mixed) < 1e-14
        for i in range(n):
            wins_first = by_permutation(
                outcomes, lambda d, i=i: all(d[:i]) and not any(d[i:]), n - 1
            )
            assert relative(urn.mixed(i, n - 1 - i), wins_first) < 1e-14


def draws(n, y, k):
    """C(y, k) / C(n, k)."""
    return Fraction(comb(y, k), comb(n, k))


@pytest.mark.parametrize(
    ("n", "k"),
    [
        (70, 20),
        (300, 100),
        (300, 65),
        (2000, 3),
        (2000, 666),
        (5000, 1700),
        (10**6, 2),
        (10**6, 99),
    ],
)
def test_large_counts_keep_their_digits(n, k):
    for y in sorted({0, 1, 2, 3, n // 100, n // 2, n - n // 100, n - 2, n - 1, n}):
        urn = Urn.counts(n, y)
        none, both = draws(n, n - y, k), draws(n, y, k)
        assert relative(urn.all(k), both) < 1e-12
        assert relative(urn.any(k), 1 - none) < 1e-13
        assert relative(urn.disagree(k), 1 - none - both) < 1e-13
        twice, neither = draws(n, y, 2 * k), draws(n, n - y, 2 * k)
        assert relative(urn.any_square(k), 1 - 2 * none + neither) < 1e-10
        some_all_others_none = Fraction(comb(y, k) * comb(n - y, k), comb(n, k) * comb(n - k, k))
        squared = 1 - 2 * (none + both) + twice + neither + 2 * some_all_others_none
        assert relative(urn.disagree_square(k), squared) < 1e-10


@pytest.mark.parametrize(("n", "k"), [(10**6, 10**6), (10**6, 900_000), (10**6, 300_000)])
def test_a_million_trials(n, k):
    with mpmath.workdps(40):
        for y in (n, n - 1, n - 5, n // 2, 1, 0):
            exact = Fraction(1)
            for i in range(min(n - y, 30)):  # C(y, k) / C(n, k) = C(n - k, n - y) / C(n, n - y)
                exact *= Fraction(max(n - k - i, 0), n - i)
            if n - y > 30:
                exact = Fraction(0)  # below 1e-300
            assert relative(Urn.counts(n, y).all(k), exact) < 1e-12
            assert relative(Urn.counts(n, n - y).any(k), 1 - exact) < 1e-12


@pytest.mark.parametrize("k", [1, 2, 5, 33, 65])
def test_awful_beta_parameters_keep_their_digits(k, moment):
    for a in AWFUL:
        for b in AWFUL:
            with mpmath.workdps(330 if max(a, b) / min(a, b) > 1e30 else 90):
                urn = Urn.beta(a, b)
                both, none = moment(a, b, k, 0), moment(a, b, 0, k)
                twice, neither = moment(a, b, 2 * k, 0), moment(a, b, 0, 2 * k)
                opposed = moment(a, b, k, k)
                pairs = [
                    (urn.all(k), both),
                    (urn.any(k), 1 - none),
                    (urn.mixed(k, k), opposed),
                    (urn.any_square(k), 1 - 2 * none + neither),
                ]
                if k > 1:
                    squared = 1 - 2 * (none + both) + twice + neither + 2 * opposed
                    pairs += [(urn.disagree(k), 1 - none - both), (urn.disagree_square(k), squared)]
                for value, exact in pairs:
                    assert relative(value, exact) < 1e-10, (a, b)


@pytest.mark.parametrize("k", [10**4, 10**6])
@pytest.mark.parametrize(
    ("a", "b"), [(1e-300, 1.0), (1e-3, 1e-3), (0.5, 3.7), (1e3, 1e-8), (1e6, 1e4), (3.0, 1e12)]
)
def test_a_million_trials_of_beta_tasks(k, a, b):
    with mpmath.workdps(350):
        tops = {
            m: mpmath.rf(mpmath.mpf(b), m) / mpmath.rf(mpmath.mpf(a) + b, m) for m in (k, 2 * k)
        }
        both = mpmath.rf(mpmath.mpf(a), k) / mpmath.rf(mpmath.mpf(a) + b, k)
        urn = Urn.beta(a, b)
        assert relative(urn.all(k), both) < 1e-12
        assert relative(urn.any(k), 1 - tops[k]) < 1e-12
        assert relative(urn.disagree(k), 1 - tops[k] - both) < 1e-12
        assert relative(urn.any_square(k), 1 - 2 * tops[k] + tops[2 * k]) < 1e-10


def test_known_p_is_the_polynomial():
    for p in (0.0, 1e-12, 0.3, 0.5, 0.75, 1 - 2**-40, 1.0):
        exact, urn = Fraction(p), Urn.known(p)
        for k in (1, 2, 7, 200):
            every, none = exact**k, (1 - exact) ** k
            assert relative(urn.all(k), every) < 1e-13
            assert relative(urn.any(k), 1 - none) < 1e-13
            assert relative(urn.any_square(k), (1 - none) ** 2) < 1e-13
            assert relative(urn.disagree(k), 1 - none - every) < 1e-13
            assert relative(urn.disagree_square(k), (1 - none - every) ** 2) < 1e-13
    assert Urn.known([0.2, np.nan]).any(3)[1] != Urn.known([0.2, np.nan]).any(3)[1]


def test_no_draw_is_certain():
    for urn in (Urn.known(1.0), Urn.beta(1.0, 2.0), Urn.counts(0, 0)):
        assert urn.all(0) == 1
        assert urn.any(0) == 0
        assert urn.mixed(0, 0) == 1


@pytest.mark.parametrize("urn", [Urn.known(0.3), Urn.beta(0.3, 2.0), Urn.counts(9, 4)], ids=repr)
def test_what_is_drawn_changes_what_is_left(urn):
    assert urn.all(2) * urn.after(wins=2).swapped().all(3) == pytest.approx(urn.mixed(2, 3))
    assert urn.mixed(2, 3) == pytest.approx(urn.swapped().mixed(3, 2))


def exact_mean_score(step, wins, fails, scores):
    """Mean score, weight by weight, in the working precision."""
    k = len(scores) - 1
    wins, fails = mpmath.mpf(wins), mpmath.mpf(fails)
    total = mpmath.mpf(0)
    for x in range(k + 1):
        chance = mpmath.mpf(comb(k, x))
        for j in range(x):
            chance *= (wins + step * j) / (wins + fails + step * j)
        for j in range(k - x):
            chance *= (fails + step * j) / (wins + fails + step * (x + j))
        total += chance * mpmath.mpf(float(scores[x]))
    return total


@pytest.mark.parametrize("k", [1, 2, 7, 12])
def test_mean_score_walks_all_numbers_of_successes(k):
    scores = np.cos(np.arange(k + 1)) + 2.0
    for a in AWFUL:
        for b in AWFUL:
            with mpmath.workdps(330 if max(a, b) / min(a, b) > 1e30 else 60):
                exact = exact_mean_score(1, a, b, scores)
            assert relative(Urn.beta(a, b).mean_score(scores), exact) < 1e-13, (a, b)
    for n in (k, k + 1, 3 * k):
        for y in range(n + 1):
            exact = sum(
                Fraction(comb(y, x) * comb(n - y, k - x), comb(n, k)) * Fraction(scores[x])
                for x in range(max(0, k - n + y), min(k, y) + 1)
            )
            assert relative(Urn.counts(n, y).mean_score(scores), exact) < 1e-13
    for p in (0.0, 1e-9, 0.25, 0.5, 0.9, 1.0):
        with mpmath.workdps(60):
            exact = exact_mean_score(0, p, 1 - mpmath.mpf(p), scores)
        assert relative(Urn.known(p).mean_score(scores), exact) < 1e-13


def test_rare_scores_keep_their_digits():
    scores = np.zeros(41)
    scores[[0, 40]] = 1.0
    exact = Fraction(comb(50, 40) + comb(50, 40), comb(100, 40))
    assert relative(Urn.counts(100, 50).mean_score(scores), exact) < 1e-13


def test_both_ends_of_a_u_shape_are_reached():
    scores = np.zeros(10_001)
    scores[-1] = 1.0
    both_ends = Urn.beta([1e-300, 3e-300], [3e-300, 1e-300]).mean_score(scores)
    assert both_ends == pytest.approx([0.25, 0.75], rel=1e-12)


def test_mean_score_of_a_million_trials_of_a_million():
    k = 10**6
    half = (np.arange(k + 1) >= k // 2).astype(float)
    urn = Urn.counts([2 * k, k, k, 2 * k, 5], [k, 3, k, 10, 3])
    value = urn.mean_score(half)
    # the median of a symmetric distribution, with half of its chance at the middle
    middle = float(1 / mpmath.sqrt(mpmath.pi * k / 2) * mpmath.sqrt(2))
    assert value[0] == pytest.approx(0.5 + middle / 2, rel=1e-6)
    assert value[1:4].tolist() == [0.0, 1.0, 0.0]
    assert np.isnan(value[4])


def test_rows_are_walked_in_blocks():
    rows = CHUNK + 3
    y = np.arange(rows) % 5
    value = Urn.counts(np.full(rows, 4), y).mean_score(np.array([0.0, 1.0, 0.0]))
    assert value[:5] == pytest.approx([0, 1 / 2, 2 / 3, 1 / 2, 0])
    assert np.array_equal(value[-5:], value[[rows % 5 + i - 5 for i in range(5)]])


@pytest.mark.parametrize("shape", [(), (0,), (3,), (2, 0, 4), (2, 1, 4)])
def test_shapes_are_kept(shape):
    a = np.ones(shape)
    for urn in (Urn.beta(a, 2.0), Urn.known(a / 2), Urn.counts(9 * a, 3 * a)):
        for value in (urn.all(3), urn.any(3), urn.disagree(3), urn.mean_score(np.arange(4.0))):
            assert np.shape(value) == shape


@pytest.mark.parametrize("k", [1, 2, 3, 9])
def test_squared_scores_split_the_trials_in_two(k):
    scores = np.sin(np.arange(k + 1.0))
    out = squared_scores(scores)
    for t in range(2 * k + 1):
        exact = sum(
            comb(k, x) * comb(k, t - x) * scores[x] * scores[t - x]
            for x in range(max(0, t - k), min(k, t) + 1)
        )
        assert out[t] == pytest.approx(exact / comb(2 * k, t), rel=1e-12, abs=1e-14)
