"""Logit-normal model: the logits of the success probabilities of tasks are normal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy import special

from .._numerics import FloatArray, IntArray
from ..exceptions import ArgumentError
from ..trials import Counts
from . import _logit_integral
from .base import Model
from .generative import Parameters

WIDEST = 20.0
"""Largest prior standard deviation; a logit of 20 is a success probability of all but 2e-9."""
LOG_TWO_OVER_PI = float(np.log(2.0 / np.pi))


def check_positive(value: object, name: str) -> float:
    """Give a positive finite number, or say what came instead."""
    number = isinstance(value, (int, float, np.number)) and not isinstance(value, bool)
    if not number or not 0 < float(value) < np.inf:  # type: ignore[arg-type]
        raise ArgumentError(f"{name} must be a positive number, not {value!r}.")
    return float(value)  # type: ignore[arg-type]


@dataclass(frozen=True)
class LogitNormal(Model):
    """Each system by itself: the logits of its tasks' success probabilities are normal.

    Unlike a beta distribution it never has mass at 0 or 1: tasks that always fail or succeed are
    taken for very hard or very easy. Where the counts leave the shape of the distribution open, the
    two differ; see `model_range`.

    Parameters
    ----------
    location_sd : float in (0, 20], default 1.5
        Prior of the mean logit: normal with mean 0. At 1.5, the success rate of the median task is
        nearly uniform.
    scale_sd : float in (0, 20], default 2.0
        Prior of the standard deviation of the logit: half-normal. Tasks for agents are nearly
        deterministic, with standard deviations of 2 to 3.4.

    Raises
    ------
    ArgumentError
        If a field is not a positive number up to 20.

    Notes
    -----
    Success probabilities are integrated out by an adaptive trapezoidal rule, exact to about 1e-7
    for any scale and number of trials, and the two parameters by quadrature.

    References
    ----------
    Liu and Pierce (1994), https://doi.org/10.1093/biomet/81.3.624;
    Trefethen and Weideman (2014), https://doi.org/10.1137/130932132

    Examples
    --------
    >>> import reliability_stats as rs
    >>> trials = rs.datasets.load("tau-bench-airline-gpt4o")
    >>> post = rs.fit(trials, rs.LogitNormal())
    >>> round(float(post.summary(rs.FlickerMass())["mean"].iloc[0]), 2)
    0.69
    """

    inference: ClassVar[str] = "logit_normal"
    separable: ClassVar[bool] = True

    location_sd: float = 1.5
    scale_sd: float = 2.0

    def __post_init__(self) -> None:
        """Check the fields."""
        for name in ("location_sd", "scale_sd"):
            value = check_positive(getattr(self, name), name)
            if value > WIDEST:
                raise ArgumentError(f"{name} must be at most {WIDEST:g} logits, not {value:g}.")
            object.__setattr__(self, name, value)

    def log_prior(self, location: FloatArray, log_scale: FloatArray) -> FloatArray:
        """Log prior density of (location, log scale), normalised.

        Parameters
        ----------
        location, log_scale : ndarray of equal shape
            Mean, and logarithm of the standard deviation, of the logit.

        Returns
        -------
        ndarray
        """
        place = -0.5 * (location / self.location_sd) ** 2 - np.log(self.location_sd)
        with np.errstate(over="ignore"):
            spread = -0.5 * (np.exp(log_scale) / self.scale_sd) ** 2
        spread = spread + log_scale - np.log(self.scale_sd) + 0.5 * LOG_TWO_OVER_PI
        return np.asarray(place - 0.5 * np.log(2.0 * np.pi) + spread)

    def draw_prior(self, design: Counts, size: int, rng: np.random.Generator) -> Parameters:
        """Draw location and scale of each unit from the prior, (size, units) each.

        Parameters
        ----------
        design : Counts
            Gives the units.
        size : int
            Number of draws.
        rng : numpy.random.Generator
            Source of randomness.

        Returns
        -------
        dict of str to (size, units) ndarray
        """
        shape = size, len(design.units)
        return {
            "location": self.location_sd * rng.standard_normal(shape),
            "scale": self.scale_sd * np.abs(rng.standard_normal(shape)),
        }

    def simulate(
        self, parameters: Parameters, design: Counts, rng: np.random.Generator
    ) -> IntArray:
        """Draw the successes of every cell, (size, cells).

        Parameters
        ----------
        parameters : mapping of str to (size, units) array
            Location and scale.
        design : Counts
            Gives the cells and their numbers of trials.
        rng : numpy.random.Generator
            Source of randomness.

        Returns
        -------
        (size, cells) ndarray of int
        """
        location, scale = (parameters[name][:, design.unit] for name in ("location", "scale"))
        p = special.expit(location + scale * rng.standard_normal(location.shape))
        return rng.binomial(design.n, p).astype(np.int64)

    def log_likelihood(self, parameters: Parameters, counts: Counts) -> FloatArray:
        """Log likelihood of each unit, at several parameters.

        Parameters
        ----------
        parameters : mapping of str to (size, units) array
            Location and scale.
        counts : Counts
            The data.

        Returns
        -------
        (size, units) ndarray
        """
        d = counts.distinct()
        location, scale = (np.asarray(parameters[name]) for name in ("location", "scale"))
        out = np.zeros(location.shape)
        for row, unit in enumerate(d.unit):
            where = location[:, unit], np.maximum(scale[:, unit], 1e-300)
            n, y = (np.full(len(location), float(x[row])) for x in (d.n, d.successes))
            choose = -np.log1p(n[0]) - special.betaln(n[0] - y[0] + 1.0, y[0] + 1.0)
            out[:, unit] += d.multiplicity[row] * (_logit_integral.log_mean(n, y, *where) + choose)
        return out
