"""Estimands that count tasks by thresholds on p: reach, flicker mass, dependable share.

The data alone give only bounds for them, whatever the number of tasks: a value needs a model.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from .._numerics import FloatArray, IntArray
from .._validation import check_fraction, check_thresholds
from .base import AnyArray, TaskMean

LOW, HIGH = 0.10, 0.90
NORMAL = 1e7
"""Smaller parameter beyond which Beta(a, b) is taken as normal with corrections for its shape."""
TWO_POINTS = 1e-15
"""Concentration below which all mass is at 0 and 1, up to rounding."""


def beta_cdf(a: ArrayLike, b: ArrayLike, x: float) -> FloatArray:
    """P(p <= x) for p ~ Beta(a, b), 0 <= x <= 1, for any a, b > 0."""
    a, b = np.asarray(a, dtype=float), np.asarray(b, dtype=float)
    return _with_limits(special.betainc(a, b, x), a, b, x, lower=True)


def beta_sf(a: ArrayLike, b: ArrayLike, x: float) -> FloatArray:
    """P(p > x) for p ~ Beta(a, b), 0 <= x <= 1, for any a, b > 0, with all digits if small."""
    a, b = np.asarray(a, dtype=float), np.asarray(b, dtype=float)
    return _with_limits(special.betaincc(a, b, x), a, b, x, lower=False)


def _with_limits(
    tail: AnyArray, a: FloatArray, b: FloatArray, x: float, *, lower: bool
) -> FloatArray:
    """Replace a tail where the incomplete beta function of SciPy goes astray.

    It is off by up to 1e-3 if both parameters are tiny, and by up to one half if both are huge.
    """
    total = a + b
    sharp, split = np.minimum(a, b) > NORMAL, total < TWO_POINTS
    if x in (0.0, 1.0) or not (sharp | split).any():
        return np.asarray(tail)
    tail = np.where(split, (b if lower else a) / total, tail)
    return np.where(
        sharp, _edgeworth(np.where(sharp, a, 1.0), np.where(sharp, b, 1.0), x, lower), tail
    )


def _edgeworth(a: FloatArray, b: FloatArray, x: float, lower: bool) -> FloatArray:
    """Tail of Beta(a, b) by the normal distribution, corrected for skewness and kurtosis."""
    total = a + b
    mean, other = a / total, b / total
    variance = mean * other
    z = np.clip((x - mean) * np.sqrt((total + 1.0) / variance), -40.0, 40.0)
    skewness = 2.0 * (other - mean) / np.sqrt(total * variance)
    kurtosis = 6.0 * ((other - mean) ** 2 / variance - 1.0) / total
    square = z * z
    shift = skewness / 6.0 * (square - 1.0) + z * (
        kurtosis / 24.0 * (square - 3.0) + skewness**2 / 72.0 * (square * (square - 10.0) + 15.0)
    )
    sign = 1.0 if lower else -1.0
    normal = np.exp(-square / 2.0) / np.sqrt(2.0 * np.pi)
    return np.asarray(np.clip(special.ndtr(sign * z) - sign * normal * shift, 0.0, 1.0))


def _indicator(p: ArrayLike, inside: Callable[[FloatArray], NDArray[np.bool_]]) -> FloatArray:
    """Give 1 where p is inside, 0 elsewhere and NaN where it is unknown."""
    values = np.asarray(p, dtype=float)
    return np.where(np.isnan(values), np.nan, inside(values))


@dataclass(frozen=True)
class _Share(TaskMean):
    """A share of tasks whose p lies in a set."""

    @property
    def degree(self) -> float:
        """Infinite: no number of trials identifies a share without a model."""
        return math.inf

    def unbiased(self, n: IntArray, successes: IntArray) -> FloatArray:  # noqa: ARG002
        """NaN: there is no unbiased estimate."""
        return np.full(np.shape(n), np.nan)

    def unbiased_square(self, n: IntArray, successes: IntArray) -> FloatArray:  # noqa: ARG002
        """NaN: there is no unbiased estimate."""
        return np.full(np.shape(n), np.nan)

    def square_from_beta(self, a: ArrayLike, b: ArrayLike) -> FloatArray:
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
        """Check the threshold."""
        object.__setattr__(self, "low", check_fraction(self.low, name="low"))

    @property
    def name(self) -> str:
        """``reach``, with the threshold if it is not the usual one."""
        return "reach" if self.low == LOW else f"reach({self.low:g})"

    @property
    def monotone(self) -> bool:
        """True: more success never lowers it."""
        return True

    def kernel(self, p: ArrayLike) -> FloatArray:
        """1 where p > low."""
        return _indicator(p, lambda x: x > self.low)

    def from_beta(self, a: ArrayLike, b: ArrayLike) -> AnyArray:
        """Upper tail of the beta distribution."""
        return beta_sf(a, b, self.low)


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
        """Check the thresholds."""
        low, high = check_thresholds(self.low, self.high)
        object.__setattr__(self, "low", low)
        object.__setattr__(self, "high", high)

    @property
    def name(self) -> str:
        """``flicker_mass``, with the thresholds if they are not the usual ones."""
        if (self.low, self.high) == (LOW, HIGH):
            return "flicker_mass"
        return f"flicker_mass({self.low:g},{self.high:g})"

    def kernel(self, p: ArrayLike) -> FloatArray:
        """1 where low < p < high."""
        return _indicator(p, lambda x: (x > self.low) & (x < self.high))

    def from_beta(self, a: ArrayLike, b: ArrayLike) -> AnyArray:
        """Mass of the beta distribution between the thresholds."""
        return np.maximum(beta_cdf(a, b, self.high) - beta_cdf(a, b, self.low), 0.0)


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
        """Check the threshold."""
        object.__setattr__(self, "high", check_fraction(self.high, name="high"))

    @property
    def name(self) -> str:
        """``dependable``, with the threshold if it is not the usual one."""
        return "dependable" if self.high == HIGH else f"dependable({self.high:g})"

    @property
    def monotone(self) -> bool:
        """True: more success never lowers it."""
        return True

    def kernel(self, p: ArrayLike) -> FloatArray:
        """1 where p >= high."""
        return _indicator(p, lambda x: x >= self.high)

    def from_beta(self, a: ArrayLike, b: ArrayLike) -> AnyArray:
        """Upper tail of the beta distribution."""
        return beta_sf(a, b, self.high)
