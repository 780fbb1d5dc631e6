"""Priors on (0, 1) whose density is exact also where 1 - x rounds to zero."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol, cast, runtime_checkable

import numpy as np
from scipy import special

from .._numerics import FloatArray
from ..exceptions import ArgumentError, ModelError

LogPrior = Callable[[FloatArray, FloatArray], FloatArray]


@runtime_checkable
class FrozenDistribution(Protocol):
    """What is used of a frozen `scipy.stats` distribution."""

    def logpdf(self, x: Any) -> Any:
        """Log density."""


@dataclass(frozen=True)
class Beta:
    """Beta prior.

    Parameters
    ----------
    a, b : float > 0
        Prior counts of successes and failures; ``Beta(1, 1)`` is uniform.

    Examples
    --------
    >>> from reliability_stats.models import Beta
    >>> Beta(0.5, 0.5)
    Beta(a=0.5, b=0.5)
    """

    a: float = 1.0
    b: float = 1.0

    def __post_init__(self) -> None:
        """Check the parameters."""
        for name in ("a", "b"):
            value = getattr(self, name)
            if isinstance(value, bool) or not np.isfinite(value) or value <= 0:
                raise ArgumentError(
                    f"Beta(a, b) needs positive finite parameters; {name} is {value!r}."
                )

    def log_density(self, x: FloatArray) -> FloatArray:
        """Log density of the logit of the variable, at logit x.

        Parameters
        ----------
        x : ndarray
            Positions on the logit scale.

        Returns
        -------
        ndarray
            Log density with respect to the logit.
        """
        up, down = -np.logaddexp(0.0, -x), -np.logaddexp(0.0, x)
        return np.asarray(self.a * up + self.b * down - special.betaln(self.a, self.b))


def as_prior(value: Any, name: str) -> Beta | FrozenDistribution:
    """Accept a `Beta` or a frozen scipy distribution on (0, 1).

    Raises
    ------
    ArgumentError
        If `value` is neither.
    """
    if isinstance(value, Beta):
        return value
    frozen = isinstance(value, FrozenDistribution) and not isinstance(value, type)
    try:
        ends = value.support() if frozen and hasattr(value, "support") else (0.0, 1.0)
    except TypeError:  # a scipy.stats family without its parameters
        frozen = False
    if not frozen:
        raise ArgumentError(
            f"{name} must be Beta(a, b) or a frozen scipy.stats distribution on (0, 1), "
            f"not {value!r}."
        )
    low, high = (float(x) for x in ends)
    if low < 0 or high > 1:
        raise ArgumentError(
            f"{name} must live on (0, 1); the distribution given has support [{low:g}, {high:g}]."
        )
    return cast("FrozenDistribution", value)


def logit_log_density(prior: Beta | FrozenDistribution, x: FloatArray) -> FloatArray:
    """Log density of a prior with respect to the logit, at logit x."""
    if isinstance(prior, Beta):
        return prior.log_density(x)
    with np.errstate(divide="ignore"):
        inner = np.asarray(prior.logpdf(special.expit(x)), dtype=float)
    return np.asarray(inner - np.logaddexp(0.0, -x) - np.logaddexp(0.0, x))


def draw_from(
    prior: Beta | FrozenDistribution, shape: tuple[int, ...], rng: np.random.Generator
) -> FloatArray:
    """Draw from a prior on (0, 1)."""
    if isinstance(prior, Beta):
        return rng.beta(prior.a, prior.b, shape)
    if not hasattr(prior, "rvs"):
        raise ModelError(f"The prior {prior!r} cannot be drawn from: it has no rvs method.")
    return np.asarray(prior.rvs(size=shape, random_state=rng), dtype=float)
