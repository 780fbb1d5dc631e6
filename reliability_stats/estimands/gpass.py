"""G-Pass@k: what share of k trials of a task succeeds."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from .._numerics import FloatArray
from .._validation import check_fraction
from .moments import ScoreOfK

ROUNDING = 1e-7
"""Relative distance within which tau k is taken as an integer; single precision needs as much."""


def _tail(k: int, least: int, p: FloatArray) -> FloatArray:
    """Chance of at least so many successes in k trials, 0 <= least <= k + 1."""
    if least in (0, k + 1):
        return np.full(p.shape, float(least == 0))
    return np.asarray(special.betainc(least, k - least + 1, p))


@dataclass(frozen=True)
class GPassAtK(ScoreOfK):
    r"""G-Pass@k: the chance that at least a share tau of k trials succeeds, averaged over tasks.

    :math:`E[P(X \ge \max(1, \lceil \tau k \rceil))]`, :math:`X \sim` Binomial(k, p). tau = 1 is
    pass^k and tau near 0 is pass@k. From counts, X is hypergeometric. The threshold is an integer:
    0.28 of 25 is 7, though 0.28 * 25 > 7 in floating point.

    Parameters
    ----------
    k : int >= 1
        Number of trials.
    tau : float in [0, 1]
        Share of trials that must succeed.

    Raises
    ------
    ArgumentError
        If k is not an integer of at least 1, or tau not a number in [0, 1].

    References
    ----------
    Liu et al. (2024), https://doi.org/10.48550/arXiv.2412.13147

    Examples
    --------
    >>> from reliability_stats import GPassAtK
    >>> GPassAtK(25, 0.28).threshold
    7
    """

    tau: float

    def __post_init__(self) -> None:
        """Check k and tau."""
        super().__post_init__()
        object.__setattr__(self, "tau", check_fraction(self.tau, name="tau"))

    @property
    def name(self) -> str:
        """``g-pass@k_tau``."""
        return f"g-pass@{self.k}_{self.tau:g}"

    @property
    def threshold(self) -> int:
        """Number of successes required."""
        exact = self.tau * self.k
        near = round(exact)
        return max(1, near if abs(exact - near) <= ROUNDING * exact else math.ceil(exact))

    def scores(self) -> FloatArray:
        """One from the threshold on, zero below."""
        return np.asarray(np.arange(self.k + 1) >= self.threshold, dtype=float)

    def kernel(self, p: ArrayLike) -> FloatArray:
        """Upper tail of the binomial distribution."""
        return _tail(self.k, self.threshold, np.asarray(p, dtype=float))


@dataclass(frozen=True)
class MeanGPassAtK(ScoreOfK):
    r"""mG-Pass@k: G-Pass@k averaged over the thresholds from one half to one.

    :math:`\frac{2}{k} \sum_{i = \lceil k/2 \rceil + 1}^{k} P(X \ge i)`, averaged over tasks.

    Parameters
    ----------
    k : int >= 1
        Number of trials.

    Raises
    ------
    ArgumentError
        If k is not an integer of at least 1.

    References
    ----------
    Liu et al. (2024), https://doi.org/10.48550/arXiv.2412.13147

    Notes
    -----
    For odd k the thresholds above one half number (k - 1) / 2, and a perfect system reaches
    1 - 1/k; for k = 1 there is none, and the value is 0.

    Examples
    --------
    >>> from reliability_stats import MeanGPassAtK
    >>> round(MeanGPassAtK(3).from_counts([5, 5], [3, 4]), 6)
    0.166667
    """

    @property
    def name(self) -> str:
        """``mg-pass@k``."""
        return f"mg-pass@{self.k}"

    def scores(self) -> FloatArray:
        """Linear above one half of the trials."""
        return 2.0 / self.k * np.maximum(np.arange(self.k + 1) - math.ceil(self.k / 2), 0)

    def kernel(self, p: ArrayLike) -> FloatArray:
        """Mean excess over one half of the trials, from two tails of the binomial distribution."""
        k, half, p = self.k, math.ceil(self.k / 2), np.asarray(p, dtype=float)
        excess = k * p * _tail(k - 1, half, p) - half * _tail(k, half + 1, p)
        return np.asarray(2.0 / k * np.maximum(excess, 0.0))
