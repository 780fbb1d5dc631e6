"""Runs and trend within strata: exact where there are few, normal where there are many.

Both are conditional on the successes of every task, so that tasks of different difficulty cannot
look like dependence, as they do when transitions are pooled.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy import special

from .._numerics import FloatArray, IntArray
from ._strata import Strata

EXACT_STRATA = 60
"""Number of mixed strata up to which distributions are convolved exactly."""
EXACT_TRIALS = 32
"""Trials of a stratum up to which this is done."""


@dataclass(frozen=True)
class OrderTest:
    """A statistic of order, what exchangeable trials would give, and how unusual it is."""

    statistic: float
    expected: float
    variance: float
    p_value: float
    method: str
    share: float

    @property
    def z(self) -> float:
        """Distance from what is expected, in standard deviations."""
        if self.variance <= 0:
            return float("nan")
        return float((self.statistic - self.expected) / np.sqrt(self.variance))


NOTHING = OrderTest(*(float("nan"),) * 4, "none", float("nan"))


def runs_in(strata: Strata) -> IntArray:
    """Count runs of equal outcomes in each stratum, shape (strata,)."""
    new = strata.position == 0
    new[1:] |= np.diff(strata.success) != 0
    return np.bincount(strata.stratum, weights=new, minlength=len(strata.n)).astype(np.int64)


def runs_test(strata: Strata) -> OrderTest:
    """Test whether equal outcomes clump or alternate, given the successes of each stratum.

    Wald and Wolfowitz (1940), https://doi.org/10.1214/aoms/1177731909, summed over strata. `share`
    is the square of the correlation between successive trials that the runs speak of.
    """
    mixed = strata.mixed
    if not mixed.any():
        return NOTHING
    n, wins = strata.n[mixed].astype(float), strata.wins[mixed].astype(float)
    product = 2.0 * wins * (n - wins)
    statistic = float(runs_in(strata)[mixed].sum())
    expected = float((1.0 + product / n).sum())
    variance = float((product * (product - n) / (n**2 * np.maximum(n - 1.0, 1.0))).sum())
    if variance <= 0:
        return OrderTest(statistic, expected, 0.0, float("nan"), "none", float("nan"))
    switches = expected - mixed.sum()
    correlation = 1.0 - (statistic - mixed.sum()) / switches
    laws = (
        [
            runs_law(int(w), int(m - w))
            for m, w in zip(strata.n[mixed], strata.wins[mixed], strict=True)
        ]
        if _few(strata)
        else []
    )
    p_value, method = _two_sided(statistic, expected, variance, laws)
    return OrderTest(statistic, expected, variance, p_value, method, float(correlation**2))


def trend_test(strata: Strata) -> OrderTest:
    """Test whether success grows more or less frequent along the trials of a stratum.

    The statistic sums (j - mean of j) over successful trials j; `share` is the share of the
    variation within strata that one common slope explains.
    """
    mixed = strata.mixed
    if not mixed.any():
        return NOTHING
    n, wins = strata.n[mixed].astype(float), strata.wins[mixed].astype(float)
    centred = strata.position - (strata.n[strata.stratum] - 1) / 2.0
    statistic = float((centred * strata.success)[strata.in_mixed].sum())
    squares = n * (n**2 - 1.0) / 12.0
    within = wins * (n - wins) / n
    variance = float((squares * within / (n - 1.0)).sum())
    laws = (
        [
            places_law(int(w), int(m))
            for m, w in zip(strata.n[mixed], strata.wins[mixed], strict=True)
        ]
        if _few(strata)
        else []
    )
    p_value, method = _two_sided(statistic, 0.0, variance, laws)
    freedom = float((n - 1.0).sum())
    share = adjusted_share(statistic**2 / squares.sum(), within.sum(), 1.0, freedom)
    return OrderTest(statistic, 0.0, variance, p_value, method, share)


def adjusted_share(explained: float, total: float, used: float, freedom: float) -> float:
    """Share of variation that is explained, less what chance alone would explain; at least 0."""
    if total <= 0 or freedom <= used:
        return float("nan")
    return float(max(0.0, 1.0 - (1.0 - explained / total) * freedom / (freedom - used)))


def _few(strata: Strata) -> bool:
    """Say whether an exact distribution is worth its cost."""
    mixed = strata.mixed
    return bool(mixed.sum() <= EXACT_STRATA and strata.n[mixed].max() <= EXACT_TRIALS)


Law = tuple[float, tuple[float, ...]]
"""Smallest value of a statistic, and the probabilities of it and of the next values in steps."""


@lru_cache(maxsize=4096)
def runs_law(ones: int, zeros: int) -> Law:
    """Distribution of the number of runs of `ones` and `zeros`, from 2 on, in steps of 1."""
    total = np.exp(_log_choose(ones + zeros, ones))
    out = []
    for runs in range(2, 2 * min(ones, zeros) + 2):
        half, odd = divmod(runs, 2)
        if odd:
            ways = np.exp(_log_choose(ones - 1, half) + _log_choose(zeros - 1, half - 1))
            ways += np.exp(_log_choose(ones - 1, half - 1) + _log_choose(zeros - 1, half))
        else:
            ways = 2.0 * np.exp(_log_choose(ones - 1, half - 1) + _log_choose(zeros - 1, half - 1))
        out.append(float(ways / total))
    return 2.0, tuple(out)


@lru_cache(maxsize=4096)
def places_law(ones: int, n: int) -> Law:
    """Distribution of the sum of centred places of `ones` among `n`, in steps of 1."""
    ways = np.zeros((ones + 1, ones * n + 1))
    ways[0, 0] = 1.0
    for place in range(n):
        for used in range(min(ones, place + 1), 0, -1):
            ways[used, place:] += ways[used - 1, : ways.shape[1] - place]
    lowest, highest = ones * (ones - 1) // 2, ones * (2 * n - ones - 1) // 2
    law = ways[ones, lowest : highest + 1]
    return lowest - ones * (n - 1) / 2.0, tuple((law / law.sum()).tolist())


def _log_choose(n: int, k: int) -> float:
    """Log of a binomial coefficient; minus infinity where there is no way."""
    if k < 0 or k > n:
        return float("-inf")
    return float(-np.log1p(n) - special.betaln(n - k + 1.0, k + 1.0))


def _two_sided(
    statistic: float, expected: float, variance: float, laws: list[Law]
) -> tuple[float, str]:
    """Give twice the smaller tail, exactly if the distributions of the strata are given."""
    if variance <= 0:
        return float("nan"), "none"
    if not laws:
        z = abs(statistic - expected) / np.sqrt(variance)
        return float(2.0 * special.ndtr(-z)), "normal"
    law: FloatArray = np.ones(1)
    for _, part in laws:
        law = np.convolve(law, part)
    values = sum(low for low, _ in laws) + np.arange(len(law))
    tails = law[values <= statistic + 1e-6].sum(), law[values >= statistic - 1e-6].sum()
    return float(min(1.0, 2.0 * min(tails))), "exact"
