"""Estimands that are polynomials of p: rates, pass@k, pass^k, their gap and thresholded successes."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from .._numerics import (
    PRODUCT_LIMIT,
    FloatArray,
    IntArray,
    beta_binomial_pmf,
    beta_mixed_moment,
    beta_moment,
    falling_ratio,
    hypergeometric_pmf,
    log_beta_moment,
    mixed_falling_ratio,
    squared_scores,
)
from .._validation import check_fraction, check_k
from .base import AnyArray, TaskMean


def _as_pair(a: ArrayLike, b: ArrayLike) -> tuple[FloatArray, FloatArray]:
    """Give both beta parameters as float arrays."""
    return np.asarray(a, dtype=float), np.asarray(b, dtype=float)


@dataclass(frozen=True)
class PassHatK(TaskMean):
    r"""pass^k: the chance that all of k trials of a task succeed, averaged over tasks.

    :math:`E[p^k]`, estimated without bias by :math:`\binom{y}{k} / \binom{n}{k}` for each task.

    Parameters
    ----------
    k : int >= 1
        Number of trials.

    References
    ----------
    Yao et al. (2024), tau-bench, https://doi.org/10.48550/arXiv.2406.12045

    Examples
    --------
    >>> from reliability_stats import PassHatK
    >>> round(PassHatK(2).from_counts([4, 4], [4, 2]), 4)
    0.5833
    """

    k: int

    def __post_init__(self) -> None:
        object.__setattr__(self, "k", check_k(self.k))

    @property
    def name(self) -> str:
        """``pass^k``."""
        return f"pass^{self.k}"

    @property
    def degree(self) -> float:
        """Equal to k."""
        return self.k

    @property
    def monotone(self) -> bool:
        """True: more success never lowers it."""
        return True

    def kernel(self, p: FloatArray) -> FloatArray:
        """p^k."""
        return np.asarray(p**self.k)

    def unbiased(self, n: IntArray, successes: IntArray) -> FloatArray:
        """C(y, k) / C(n, k)."""
        return falling_ratio(n, successes, self.k)

    def unbiased_square(self, n: IntArray, successes: IntArray) -> FloatArray:
        """C(y, 2k) / C(n, 2k)."""
        return falling_ratio(n, successes, 2 * self.k)

    def from_beta(self, a: ArrayLike, b: ArrayLike) -> AnyArray:
        """E[p^k], a product of k ratios."""
        return beta_moment(*_as_pair(a, b), self.k)

    def square_from_beta(self, a: FloatArray, b: FloatArray) -> FloatArray:
        """E[p^(2k)]."""
        return beta_moment(a, b, 2 * self.k)


@dataclass(frozen=True)
class SuccessRate(PassHatK):
    """Mean success rate E[p], the score that most leaderboards print; equal to pass^1 and pass@1.

    Examples
    --------
    >>> from reliability_stats import SuccessRate
    >>> SuccessRate().from_p([0.2, 0.6])
    np.float64(0.4)
    """

    k: int = 1

    def __init__(self) -> None:
        object.__setattr__(self, "k", 1)

    @property
    def name(self) -> str:
        """``success_rate``."""
        return "success_rate"


@dataclass(frozen=True)
class PassAtK(TaskMean):
    r"""pass@k: the chance that at least one of k trials of a task succeeds, averaged over tasks.

    :math:`1 - E[(1-p)^k]`, estimated without bias by :math:`1 - \binom{n-y}{k} / \binom{n}{k}`.

    Parameters
    ----------
    k : int >= 1
        Number of trials.

    References
    ----------
    Chen et al. (2021), https://doi.org/10.48550/arXiv.2107.03374

    Examples
    --------
    >>> from reliability_stats import PassAtK
    >>> round(PassAtK(2).from_counts([10], [3]), 6)
    0.533333
    """

    k: int

    def __post_init__(self) -> None:
        object.__setattr__(self, "k", check_k(self.k))

    @property
    def name(self) -> str:
        """``pass@k``."""
        return f"pass@{self.k}"

    @property
    def degree(self) -> float:
        """Equal to k."""
        return self.k

    @property
    def monotone(self) -> bool:
        """True: more success never lowers it."""
        return True

    def kernel(self, p: FloatArray) -> FloatArray:
        """1 - (1 - p)^k."""
        with np.errstate(divide="ignore"):
            return np.asarray(-np.expm1(self.k * np.log1p(-p)))

    def unbiased(self, n: IntArray, successes: IntArray) -> FloatArray:
        """1 - C(n - y, k) / C(n, k)."""
        return 1.0 - falling_ratio(n, n - successes, self.k)

    def unbiased_square(self, n: IntArray, successes: IntArray) -> FloatArray:
        """1 - 2 (1-p)^k + (1-p)^(2k), each term without bias."""
        fails = n - successes
        return 1.0 - 2.0 * falling_ratio(n, fails, self.k) + falling_ratio(n, fails, 2 * self.k)

    def from_beta(self, a: ArrayLike, b: ArrayLike) -> AnyArray:
        """1 - E[(1-p)^k]."""
        a, b = _as_pair(a, b)
        if self.k > PRODUCT_LIMIT:
            return np.asarray(-np.expm1(log_beta_moment(b, a, self.k)))
        return 1.0 - beta_moment(b, a, self.k)

    def square_from_beta(self, a: FloatArray, b: FloatArray) -> FloatArray:
        """1 - 2 E[(1-p)^k] + E[(1-p)^(2k)]."""
        return 1.0 - 2.0 * beta_moment(b, a, self.k) + beta_moment(b, a, 2 * self.k)


@dataclass(frozen=True)
class Gap(TaskMean):
    r"""Capability minus reliability: pass@k - pass^k, the chance that k trials of a task disagree.

    :math:`1 - E[p^k] - E[(1-p)^k]`. It needs no threshold and no model up to k = n.

    Parameters
    ----------
    k : int >= 2
        Number of trials.

    Examples
    --------
    >>> from reliability_stats import Gap
    >>> round(Gap(4).from_counts([4, 4, 4, 4], [0, 2, 3, 4]), 6)
    0.5
    """

    k: int

    def __post_init__(self) -> None:
        object.__setattr__(self, "k", check_k(self.k, minimum=2))

    @property
    def name(self) -> str:
        """``gap@k``."""
        return f"gap@{self.k}"

    @property
    def degree(self) -> float:
        """Equal to k."""
        return self.k

    def kernel(self, p: FloatArray) -> FloatArray:
        """1 - p^k - (1-p)^k."""
        return np.asarray(1.0 - p**self.k - (1.0 - p) ** self.k)

    def unbiased(self, n: IntArray, successes: IntArray) -> FloatArray:
        """Difference of the unbiased pass@k and pass^k."""
        return (
            1.0 - falling_ratio(n, n - successes, self.k) - falling_ratio(n, successes, self.k)
        )

    def unbiased_square(self, n: IntArray, successes: IntArray) -> FloatArray:
        """Square of the kernel multiplied out, each term without bias."""
        k, fails = self.k, n - successes
        single = falling_ratio(n, successes, k) + falling_ratio(n, fails, k)
        double = falling_ratio(n, successes, 2 * k) + falling_ratio(n, fails, 2 * k)
        return 1.0 - 2.0 * single + double + 2.0 * mixed_falling_ratio(n, successes, k, k)

    def from_beta(self, a: ArrayLike, b: ArrayLike) -> AnyArray:
        """1 - E[p^k] - E[(1-p)^k]."""
        a, b = _as_pair(a, b)
        return 1.0 - beta_moment(a, b, self.k) - beta_moment(b, a, self.k)

    def square_from_beta(self, a: FloatArray, b: FloatArray) -> FloatArray:
        """Square of the kernel multiplied out, term by term."""
        k = self.k
        single = beta_moment(a, b, k) + beta_moment(b, a, k)
        double = beta_moment(a, b, 2 * k) + beta_moment(b, a, 2 * k)
        return 1.0 - 2.0 * single + double + 2.0 * beta_mixed_moment(a, b, k, k)


@dataclass(frozen=True)
class Disagreement(Gap):
    """The chance that two trials of a task disagree, 2 E[p(1-p)]; equal to ``Gap(2)``.

    Examples
    --------
    >>> from reliability_stats import Disagreement
    >>> round(float(Disagreement().from_beta(1, 1)), 6)
    0.333333
    """

    k: int = 2

    def __init__(self) -> None:
        object.__setattr__(self, "k", 2)

    @property
    def name(self) -> str:
        """``disagreement``."""
        return "disagreement"


@dataclass(frozen=True)
class _Scored(TaskMean):
    """A mean score of the number of successes in k fresh trials."""

    k: int

    @property
    def degree(self) -> float:
        """Equal to k."""
        return self.k

    @property
    def monotone(self) -> bool:
        """True: the scores never fall as successes grow."""
        return True

    def scores(self) -> FloatArray:
        """Score of 0..k successes, shape (k + 1,)."""
        raise NotImplementedError

    def kernel(self, p: FloatArray) -> FloatArray:
        """Mean score of Binomial(k, p) successes, as a sum of tail probabilities."""
        steps = np.diff(self.scores())
        out = np.full(np.shape(p), self.scores()[0])
        for j in np.flatnonzero(steps) + 1:
            out = out + steps[j - 1] * special.betainc(j, self.k - j + 1, p)
        return np.asarray(out)

    def unbiased(self, n: IntArray, successes: IntArray) -> FloatArray:
        """Mean score of k trials drawn without replacement."""
        return np.asarray(hypergeometric_pmf(n, successes, self.k) @ self.scores())

    def unbiased_square(self, n: IntArray, successes: IntArray) -> FloatArray:
        """Mean squared kernel, from 2k trials drawn without replacement."""
        return np.asarray(
            hypergeometric_pmf(n, successes, 2 * self.k) @ squared_scores(self.scores())
        )

    def from_beta(self, a: ArrayLike, b: ArrayLike) -> AnyArray:
        """Mean score of beta-binomial successes."""
        return np.asarray(beta_binomial_pmf(*_as_pair(a, b), self.k) @ self.scores())

    def square_from_beta(self, a: FloatArray, b: FloatArray) -> FloatArray:
        """Mean squared kernel, from 2k beta-binomial trials."""
        return np.asarray(beta_binomial_pmf(a, b, 2 * self.k) @ squared_scores(self.scores()))


@dataclass(frozen=True)
class GPassAtK(_Scored):
    r"""G-Pass@k: the chance that at least a share tau of k trials succeeds, averaged over tasks.

    :math:`E[P(X \ge \max(1, \lceil \tau k \rceil))]`, :math:`X \sim` Binomial(k, p). tau = 1 is
    pass^k and tau near 0 is pass@k. The threshold is computed on integers: 0.28 of 25 is 7.

    Parameters
    ----------
    k : int >= 1
        Number of trials.
    tau : float in [0, 1]
        Share of trials that must succeed.

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
        object.__setattr__(self, "k", check_k(self.k))
        object.__setattr__(self, "tau", check_fraction(self.tau, name="tau"))

    @property
    def name(self) -> str:
        """``g-pass@k_tau``."""
        return f"g-pass@{self.k}_{self.tau:g}"

    @property
    def threshold(self) -> int:
        """Number of successes required."""
        return max(1, math.ceil(round(self.tau * self.k, 9)))

    def scores(self) -> FloatArray:
        """One from the threshold on, zero below."""
        return (np.arange(self.k + 1) >= self.threshold).astype(float)


@dataclass(frozen=True)
class MeanGPassAtK(_Scored):
    r"""mG-Pass@k: G-Pass@k averaged over the thresholds from one half to one.

    :math:`\frac{2}{k} \sum_{i = \lceil k/2 \rceil + 1}^{k} P(X \ge i)`, averaged over tasks.

    Parameters
    ----------
    k : int >= 1
        Number of trials.

    References
    ----------
    Liu et al. (2024), https://doi.org/10.48550/arXiv.2412.13147

    Examples
    --------
    >>> from reliability_stats import MeanGPassAtK
    >>> round(MeanGPassAtK(3).from_counts([5, 5], [3, 4]), 6)
    0.166667
    """

    def __post_init__(self) -> None:
        object.__setattr__(self, "k", check_k(self.k))

    @property
    def name(self) -> str:
        """``mg-pass@k``."""
        return f"mg-pass@{self.k}"

    def scores(self) -> FloatArray:
        """Linear above one half of the trials."""
        return 2.0 / self.k * np.maximum(np.arange(self.k + 1) - math.ceil(self.k / 2), 0)
