"""A power-law process of one system, and mixtures over its shape."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import special

from .._numerics import FloatArray

NODES = 2001


@dataclass(frozen=True, eq=False)
class Process:
    """Incidents of one system.

    Attributes
    ----------
    times : (n,) ndarray
        Since the start, ascending, above 0.
    end : float
        End of the observation.
    by_failure : bool
        Whether it ended with the last incident.
    """

    times: FloatArray
    end: float
    by_failure: bool

    @property
    def n(self) -> int:
        """Number of incidents."""
        return len(self.times)

    @property
    def log_sum(self) -> float:
        """Sum of ln(T / t)."""
        return float(np.log(self.end / self.times).sum())

    @property
    def shape(self) -> float:
        """Shape of the posterior of beta."""
        return float(self.n - self.by_failure)

    def beta_nodes(self) -> tuple[FloatArray, FloatArray]:
        """Give values of beta, evenly spaced in its logarithm, and their posterior weights."""
        spread = 12.0 / np.sqrt(self.shape) + 2.0
        centre = np.log(self.shape / self.log_sum)
        low = special.gammaincinv(self.shape, 1e-14) / self.log_sum
        x = np.linspace(max(np.log(max(low, 1e-300)), centre - 60), centre + spread, NODES)
        logs = self.shape * x - self.log_sum * np.exp(x)
        weight = np.exp(logs - logs.max())
        return np.exp(x), weight / weight.sum()


def rate_now(part: Process, prob: float) -> tuple[float, float, float, float]:
    """Give moments and interval of beta Lambda / T, Lambda ~ Gamma(n, 1), beta apart."""
    n, k, s = part.n, part.shape, part.log_sum
    mean = n * k / s / part.end
    second = n * (n + 1) * k * (k + 1) / (s * part.end) ** 2
    beta, weight = part.beta_nodes()
    ends = []
    for level in ((1 - prob) / 2, (1 + prob) / 2):
        low, high = -700.0, np.log(mean) + 20
        for _ in range(200):
            middle = (low + high) / 2
            below = special.gammainc(n, np.exp(middle) * part.end / beta) @ weight
            low, high = (middle, high) if below < level else (low, middle)
            if high - low < 1e-12:
                break
        ends.append(float(np.exp((low + high) / 2)))
    return float(mean), float(np.sqrt(second - mean**2)), ends[0], ends[1]


def count_moments(part: Process, stretch: float) -> tuple[float, float]:
    """Give mean and sd of the number that is still to come; infinite where they do not exist.

    Given beta the number is negative binomial with size n and mean n (e^(beta stretch) - 1), and
    E[e^(j beta stretch)] = (1 - j stretch / S)^-shape.
    """
    n, s, k = part.n, part.log_sum, part.shape

    def grown(j: int) -> float:
        left = 1 - j * stretch / s
        return float(left**-k) if left > 0 else float("inf")

    mean = n * (grown(1) - 1)
    if not np.isfinite(grown(2)):
        return mean, float("inf")
    square = grown(2) - 2 * grown(1) + 1
    return mean, float(np.sqrt(max(mean + n * (n + 1) * square - mean**2, 0.0)))


def count_quantile(n: int, more: FloatArray, weight: FloatArray, level: float) -> float:
    """Give the smallest count whose chance of not being exceeded reaches a level, up to 1e15."""
    share = 1 / (1 + more)

    def below(count: float) -> float:
        return float(special.betainc(n, count + 1.0, share) @ weight)

    low, high = -1.0, 1.0
    while below(high) < level:
        low, high = high, 2 * high + 1
        if high > 1e15:
            return float("inf")
    while high - low > 1:
        middle = np.floor((low + high) / 2)
        low, high = (middle, high) if below(middle) < level else (low, middle)
    return high


def scaled_quantiles(n: int, log_share: FloatArray, weight: FloatArray, level: float) -> FloatArray:
    """Give quantiles of share x Gamma(n, 1), share being a mixture in each row."""
    centre = special.gammaincinv(n, level)
    low = np.full(len(log_share), -700.0)
    high = np.full(len(log_share), np.log(centre) + 30)
    known = np.flatnonzero(~np.isneginf(log_share.max(axis=1)))
    with np.errstate(divide="ignore"):
        at = np.clip(np.log(np.exp(log_share) @ weight) + np.log(centre), low, high)
    rows = known
    for _ in range(80):  # Newton in the logarithm, bisection where it leaves the bracket
        ratio = np.exp(np.minimum(at[rows, None] - log_share[rows], 700.0))
        excess = special.gammainc(n, ratio) @ weight - level
        low[rows] = np.where(excess < 0, at[rows], low[rows])
        high[rows] = np.where(excess < 0, high[rows], at[rows])
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            slope = np.exp(n * np.log(ratio) - ratio - special.gammaln(n)) @ weight
            step = at[rows] - excess / slope
        inside = (step > low[rows]) & (step < high[rows])
        step = np.where(inside, step, (low[rows] + high[rows]) / 2)
        moved = np.abs(step - at[rows])
        at[rows] = step
        rows = rows[moved > 1e-12 * np.maximum(np.abs(step), 1.0)]
        if not len(rows):
            break
    found = np.zeros(len(at))
    found[known] = np.exp(at[known])
    return found
