"""Estimands that count tasks by thresholds on p: reach, flicker mass, dependable share.

The data alone give only bounds for them, whatever the number of tasks: a value needs a model.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from .._numerics import FloatArray, IntArray
from .._validation import check_fraction, check_thresholds
from .base import AnyArray, TaskMean

LOW, HIGH = 0.10, 0.90
POINT_MASS = 1e12
"""Beyond this concentration Beta(a, b) is treated as a point mass at its mean."""


def beta_cdf(a: FloatArray, b: FloatArray, x: float) -> FloatArray:
    """P(p <= x) for p ~ Beta(a, b), also for parameters near 0 and beyond 1e12."""
    total = a + b
    shrink = np.minimum(1.0, POINT_MASS / total)
    return np.asarray(special.betainc(a * shrink, b * shrink, x))


@dataclass(frozen=True)
class _Share(TaskMean):
    """A share of tasks whose p lies in a set."""

    @property
    def degree(self) -> float:
        """Infinite: no number of trials identifies a share without a model."""
        return math.inf

    def unbiased(self, n: IntArray, successes: IntArray) -> FloatArray:
        """NaN: there is no unbiased estimate."""
        return np.full(np.shape(n), np.nan)

    def unbiased_square(self, n: IntArray, successes: IntArray) -> FloatArray:
        """NaN: there is no unbiased estimate."""
        return np.full(np.shape(n), np.nan)

    def square_from_beta(self, a: FloatArray, b: FloatArray) -> FloatArray:
        """Equal to the share itself, since an indicator is its own square."""
        return np.asarray(self.from_beta(a, b))


@dataclass(frozen=True)
class Reach(_Share):
    """Share of tasks the system can do at all: P(p > low).

    Parameters
    ----------
    low : float in [0, 1], default 0.10
        Success probability up to which a task counts as not shown.

    Examples
    --------
    >>> from reliability_stats import Reach
    >>> round(float(Reach().from_beta(1, 1)), 6)
    0.9
    """

    low: float = LOW

    def __post_init__(self) -> None:
        object.__setattr__(self, "low", check_fraction(self.low, name="low"))

    @property
    def name(self) -> str:
        """``reach``, with the threshold if it is not the usual one."""
        return "reach" if self.low == LOW else f"reach({self.low:g})"

    @property
    def monotone(self) -> bool:
        """True: more success never lowers it."""
        return True

    def kernel(self, p: FloatArray) -> FloatArray:
        """1 where p > low."""
        return (np.asarray(p) > self.low).astype(float)

    def from_beta(self, a: ArrayLike, b: ArrayLike) -> AnyArray:
        """Upper tail of the beta distribution, as the lower tail of 1 - p."""
        return beta_cdf(np.asarray(b, dtype=float), np.asarray(a, dtype=float), 1.0 - self.low)


@dataclass(frozen=True)
class FlickerMass(_Share):
    """Share of tasks on which competence flickers: P(low < p < high).

    Parameters
    ----------
    low, high : float in [0, 1], default 0.10 and 0.90
        Success probabilities between which success appears and disappears.

    Examples
    --------
    >>> from reliability_stats import FlickerMass
    >>> round(float(FlickerMass().from_beta(1, 1)), 6)
    0.8
    """

    low: float = LOW
    high: float = HIGH

    def __post_init__(self) -> None:
        low, high = check_thresholds(self.low, self.high)
        object.__setattr__(self, "low", low)
        object.__setattr__(self, "high", high)

    @property
    def name(self) -> str:
        """``flicker_mass``, with the thresholds if they are not the usual ones."""
        if (self.low, self.high) == (LOW, HIGH):
            return "flicker_mass"
        return f"flicker_mass({self.low:g},{self.high:g})"

    def kernel(self, p: FloatArray) -> FloatArray:
        """1 where low < p < high."""
        p = np.asarray(p)
        return ((p > self.low) & (p < self.high)).astype(float)

    def from_beta(self, a: ArrayLike, b: ArrayLike) -> AnyArray:
        """Mass of the beta distribution between the thresholds."""
        a, b = np.asarray(a, dtype=float), np.asarray(b, dtype=float)
        return np.asarray(np.maximum(beta_cdf(a, b, self.high) - beta_cdf(a, b, self.low), 0.0))


@dataclass(frozen=True)
class Dependable(_Share):
    """Share of tasks the system keeps doing: P(p >= high).

    Parameters
    ----------
    high : float in [0, 1], default 0.90
        Success probability from which a task counts as persistent.

    Examples
    --------
    >>> from reliability_stats import Dependable
    >>> round(float(Dependable().from_beta(1, 1)), 6)
    0.1
    """

    high: float = HIGH

    def __post_init__(self) -> None:
        object.__setattr__(self, "high", check_fraction(self.high, name="high"))

    @property
    def name(self) -> str:
        """``dependable``, with the threshold if it is not the usual one."""
        return "dependable" if self.high == HIGH else f"dependable({self.high:g})"

    @property
    def monotone(self) -> bool:
        """True: more success never lowers it."""
        return True

    def kernel(self, p: FloatArray) -> FloatArray:
        """1 where p >= high."""
        return (np.asarray(p) >= self.high).astype(float)

    def from_beta(self, a: ArrayLike, b: ArrayLike) -> AnyArray:
        """Upper tail of the beta distribution, as the lower tail of 1 - p."""
        return beta_cdf(np.asarray(b, dtype=float), np.asarray(a, dtype=float), 1.0 - self.high)
