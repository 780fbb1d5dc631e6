"""Spike-and-slab model: tasks that never succeed, tasks that always do, and a beta law between."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
from scipy import special

from .._numerics import FloatArray, IntArray
from ..exceptions import ArgumentError
from ..trials import Counts
from .base import Model
from .beta_binomial import LogLikelihood
from .generative import Parameters
from .logit_normal import check_positive
from .priors import Beta

THIRD = 1.0 / 3.0


@dataclass(frozen=True)
class SpikeSlab(Model):
    """Each system by itself: spikes of tasks at 0 and at 1, the rest from a beta distribution.

    The number of tasks that can flicker is a parameter of its own, apart from how they do. The beta
    distribution of these tasks is kept from being U-shaped: otherwise it could imitate the spikes,
    and shares would not be identified.

    Parameters
    ----------
    weights : (float, float, float), default (1, 1, 1)
        Dirichlet prior of the shares of tasks at 0, at 1 and between: prior numbers of tasks.
    mean_prior : Beta, default Beta(1, 1)
        Prior of the mean success probability of the tasks between.
    max_icc : float in (0, 1), default 1/3
        Their intra-class correlation is uniform between 0 and this; up to 1/3 the two parameters of
        the beta distribution add up to at least 2.

    Raises
    ------
    ArgumentError
        If a field is out of range.

    Notes
    -----
    Success probabilities are integrated out in closed form; the four parameters by nested
    quadrature: shares given the beta distribution, and its two parameters.

    Examples
    --------
    >>> import reliability_stats as rs
    >>> trials = rs.datasets.load("tau-bench-airline-gpt4o")
    >>> post = rs.fit(trials, rs.SpikeSlab())
    >>> round(float(post.summary(rs.FlickerMass())["mean"].iloc[0]), 2)
    0.65
    """

    inference: ClassVar[str] = "spike_slab"
    separable: ClassVar[bool] = True

    weights: Sequence[float] = (1.0, 1.0, 1.0)
    mean_prior: Beta = field(default_factory=Beta)
    max_icc: float = THIRD

    def __post_init__(self) -> None:
        """Check the fields."""
        try:
            given = tuple(self.weights)
        except TypeError:
            given = ()
        if len(given) != 3:
            raise ArgumentError(
                f"weights must be three positive numbers (at 0, at 1, between), not "
                f"{self.weights!r}."
            )
        names = ("at 0", "at 1", "between")
        checked = [
            check_positive(x, f"weights[{i}] ({name})")
            for i, (x, name) in enumerate(zip(given, names, strict=True))
        ]
        object.__setattr__(self, "weights", tuple(checked))
        if not isinstance(self.mean_prior, Beta):
            raise ArgumentError(f"mean_prior must be Beta(a, b), not {self.mean_prior!r}.")
        value = check_positive(self.max_icc, "max_icc")
        if value >= 1:
            raise ArgumentError(f"max_icc must be below 1, not {value:g}.")
        object.__setattr__(self, "max_icc", value)

    def logit_icc(self, w: FloatArray) -> FloatArray:
        """Logit of the correlation from the logit of its share of the maximum."""
        log_icc = np.log(self.max_icc) - np.logaddexp(0.0, -w)
        return np.asarray(log_icc - np.log1p(-np.exp(log_icc)))

    def log_prior_slab(self, u: FloatArray, w: FloatArray) -> FloatArray:
        """Log prior density of (logit mean, logit of icc / max_icc) of the tasks between."""
        return np.asarray(self.mean_prior.log_density(u) + Beta().log_density(w))

    def log_prior_shares(self, x: FloatArray, y: FloatArray) -> FloatArray:
        """Log prior density of the logits of the share between and of zeros among the spikes."""
        zero, one, between = self.weights
        first, second = Beta(between, zero + one), Beta(zero, one)
        return np.asarray(first.log_density(x) + second.log_density(y))

    def draw_prior(self, design: Counts, size: int, rng: np.random.Generator) -> Parameters:
        """Draw shares, mean and icc of each unit from the prior, (size, units) each.

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
        shares = rng.dirichlet(self.weights, shape)
        return {
            "zero": shares[..., 0],
            "one": shares[..., 1],
            "slab_mean": rng.beta(self.mean_prior.a, self.mean_prior.b, shape),
            "slab_icc": self.max_icc * rng.random(shape),
        }

    def simulate(
        self, parameters: Parameters, design: Counts, rng: np.random.Generator
    ) -> IntArray:
        """Draw the successes of every cell, (size, cells).

        Parameters
        ----------
        parameters : mapping of str to (size, units) array
            Shares at 0 and at 1, mean and icc of the tasks between.
        design : Counts
            Gives the cells and their numbers of trials.
        rng : numpy.random.Generator
            Source of randomness.

        Returns
        -------
        (size, cells) ndarray of int
        """
        zero, one, mean, icc = (
            parameters[name][:, design.unit] for name in ("zero", "one", "slab_mean", "slab_icc")
        )
        total = 1.0 / np.maximum(icc, 1e-12) - 1.0
        a, b = (np.maximum(x * total, 1e-300) for x in (mean, 1.0 - mean))
        u, p = rng.random(zero.shape), rng.beta(a, b)
        p = np.where(u < zero, 0.0, np.where(u < zero + one, 1.0, p))
        return rng.binomial(design.n, p).astype(np.int64)

    def log_likelihood(self, parameters: Parameters, counts: Counts) -> FloatArray:
        """Log likelihood of each unit, at several parameters.

        Parameters
        ----------
        parameters : mapping of str to (size, units) array
            Shares at 0 and at 1, mean and icc of the tasks between.
        counts : Counts
            The data.

        Returns
        -------
        (size, units) ndarray
        """
        d = counts.distinct()
        zero, one, mean, icc = (
            np.asarray(parameters[name]) for name in ("zero", "one", "slab_mean", "slab_icc")
        )
        u, v = (special.logit(np.clip(x, 1e-300, 1 - 1e-16)).T for x in (mean, icc))
        between = np.maximum(1.0 - zero - one, 1e-300)
        slab = rows_alone(d.n, d.successes)(np.arange(len(d)), u[d.unit], v[d.unit])
        out = np.zeros(zero.shape)
        for row, unit in enumerate(d.unit):
            chance = between[:, unit] * np.exp(slab[row])
            chance = chance + zero[:, unit] * (d.successes[row] == 0)
            chance = chance + one[:, unit] * (d.successes[row] == d.n[row])
            out[:, unit] += d.multiplicity[row] * np.log(np.maximum(chance, 1e-300))
        return out


def rows_alone(n: IntArray, successes: IntArray) -> LogLikelihood:
    """Beta-binomial log likelihood of each pair of counts alone."""
    from ..trials import DistinctCounts

    each = np.arange(len(n))
    alone = DistinctCounts(each, n, successes, np.ones(len(n), dtype=np.int64), each)
    return LogLikelihood.of(alone, len(n))
