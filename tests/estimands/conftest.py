"""Exact values to compare with: rational numbers where they can be, many digits elsewhere."""

from fractions import Fraction
from itertools import product
from math import comb

import mpmath
import pytest

from reliability_stats.estimands import (
    Disagreement,
    Gap,
    GPassAtK,
    MeanGPassAtK,
    PassAtK,
    PassHatK,
    SuccessRate,
)

SCORED = [
    SuccessRate(),
    PassHatK(1),
    PassHatK(2),
    PassHatK(3),
    PassAtK(1),
    PassAtK(2),
    PassAtK(3),
    Gap(2),
    Gap(3),
    Disagreement(),
    GPassAtK(1, 0.0),
    GPassAtK(3, 0.5),
    GPassAtK(4, 0.75),
    MeanGPassAtK(1),
    MeanGPassAtK(2),
    MeanGPassAtK(3),
    MeanGPassAtK(4),
]


@pytest.fixture(params=SCORED, ids=repr)
def scored(request):
    """An estimand that is a polynomial of p."""
    return request.param


class Exact:
    """Values of a score of k trials by definition, without any code of the package."""

    @staticmethod
    def scores(estimand):
        """Score of 0..k successes, written out again from the definitions."""
        k = int(estimand.degree)
        x = range(k + 1)
        if isinstance(estimand, PassHatK):
            return [Fraction(j == k) for j in x]
        if isinstance(estimand, PassAtK):
            return [Fraction(j >= 1) for j in x]
        if isinstance(estimand, Gap):
            return [Fraction(0 < j < k) for j in x]
        if isinstance(estimand, GPassAtK):
            tau = Fraction(str(estimand.tau))
            return [Fraction(j >= 1 and Fraction(j, k) >= tau) for j in x]
        half = -(-k // 2)
        return [Fraction(2, k) * sum(j >= i for i in range(half + 1, k + 1)) for j in x]

    @classmethod
    def kernel(cls, estimand, p):
        """Mean score of k trials with success probability p, a Fraction."""
        k = int(estimand.degree)
        chances = (comb(k, j) * p**j * (1 - p) ** (k - j) for j in range(k + 1))
        return sum(s * chance for s, chance in zip(cls.scores(estimand), chances, strict=True))

    @classmethod
    def drawn(cls, estimand, n, y, lots=1):
        """Mean product of the scores of disjoint lots of k of the trials, over all their splits."""
        k = int(estimand.degree)
        scores = cls.scores(estimand)
        total = Fraction(0)
        for wins in product(range(k + 1), repeat=lots):
            left, good, chance, value = n, y, Fraction(1), Fraction(1)
            for x in wins:
                bad = left - good
                if x > good or k - x > bad:
                    chance = Fraction(0)
                    break
                chance *= Fraction(comb(good, x) * comb(bad, k - x), comb(left, k))
                left, good, value = left - k, good - x, value * scores[x]
            total += chance * value
        return total

    @classmethod
    def beta(cls, estimand, a, b, lots=1):
        """Mean product of the scores of lots of k trials of one task with p ~ Beta(a, b)."""
        k = int(estimand.degree)
        scores = cls.scores(estimand)
        total = mpmath.mpf(0)
        for wins in product(range(k + 1), repeat=lots):
            x, ways, value = sum(wins), 1, Fraction(1)
            for won in wins:
                ways, value = ways * comb(k, won), value * scores[won]
            if value:
                share = mpmath.mpf(value.numerator) / value.denominator
                total += ways * share * beta_moment(a, b, x, lots * k - x)
        return total


def beta_moment(a, b, i, j):
    """E[p^i (1-p)^j] for p ~ Beta(a, b), multiplied out in the working precision."""
    a, b = mpmath.mpf(a), mpmath.mpf(b)
    out = mpmath.mpf(1)
    for s in range(i):
        out *= (a + s) / (a + b + s)
    for s in range(j):
        out *= (b + s) / (a + b + i + s)
    return out


@pytest.fixture(scope="session")
def exact():
    return Exact


@pytest.fixture(scope="session")
def moment():
    return beta_moment
