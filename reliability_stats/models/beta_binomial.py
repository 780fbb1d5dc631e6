"""Beta-binomial model: each system alone, success probabilities of its tasks spread as a beta.

Cell likelihood: successes ~ BetaBinomial(n, a, b) with mean mu = a / (a + b) and intra-class
correlation rho = 1 / (a + b + 1). Success probabilities are integrated out in closed form. With e
= rho / (1 - rho),

    log L = sum_j A_j log(mu + j e) + B_j log(1 - mu + j e) - C_j log(1 + j e),

where A_j, B_j and C_j count the tasks with more than j successes, failures and trials. The form
keeps its digits for rho near 0 and near 1, and its cost does not depend on the number of tasks.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
from scipy import special

from .._numerics import FloatArray, IntArray, step_nodes
from ..exceptions import ArgumentError, ModelError
from ..trials import Counts, DistinctCounts
from .base import Model
from .generative import Parameters
from .priors import Beta, FrozenDistribution, LogPrior, as_prior, draw_from, logit_log_density

REACH = 345.0
"""Largest |logit| looked at with priors that are exact there."""
ONE_RATE = 1e9
"""Second parameter of a beta prior that leaves no room for correlation."""
REACH_CUSTOM = 34.0
"""Largest |logit| looked at with priors given on (0, 1), where 1 - x keeps no more digits."""


@dataclass(frozen=True)
class BetaBinomial(Model):
    """Each system by itself: its tasks' success probabilities follow one beta distribution.

    Parameters
    ----------
    mean_prior, icc_prior : Beta or frozen scipy.stats distribution, default Beta(1, 1)
        Independent priors of the mean success rate and of the intra-class correlation of the trials
        of a task, both in (0, 1). Uniform by default: always proper, and with one trial a task the
        posterior of the correlation is exactly its prior.
    log_prior : callable, optional
        Log prior density of (mean, icc), arrays of equal shape, up to a constant; takes the place
        of both priors. It may be improper as long as the posterior is proper.

    References
    ----------
    Skellam (1948), https://doi.org/10.1111/j.2517-6161.1948.tb00014.x;
    Daniels (1999), https://doi.org/10.2307/3316112

    Examples
    --------
    >>> import reliability_stats as rs
    >>> trials = rs.datasets.load("tau-bench-airline-gpt4o")
    >>> post = rs.fit(trials, model=rs.BetaBinomial())
    >>> round(float(post.summary(rs.SuccessRate())["mean"].iloc[0]), 4)
    0.4303
    """

    inference: ClassVar[str] = "quadrature"
    separable: ClassVar[bool] = True

    mean_prior: Beta | FrozenDistribution = field(default_factory=Beta)
    icc_prior: Beta | FrozenDistribution = field(default_factory=Beta)
    log_prior: LogPrior | None = None

    def __post_init__(self) -> None:
        """Check the priors."""
        for name in ("mean_prior", "icc_prior"):
            object.__setattr__(self, name, as_prior(getattr(self, name), name))
        if self.log_prior is not None and not callable(self.log_prior):
            raise ArgumentError(
                f"log_prior must be a function of (mean, icc), not {self.log_prior!r}."
            )

    @classmethod
    def one_rate(cls, mean_prior: Beta | FrozenDistribution | None = None) -> BetaBinomial:
        """Give the binomial model: all tasks of a system have one and the same success probability.

        A reference to compare with (`compare_models`), hardly ever true. It is the beta-binomial
        with a prior that keeps the correlation below about 1e-8.

        Parameters
        ----------
        mean_prior : Beta or frozen scipy.stats distribution, optional
            Prior of the common success probability; uniform by default.

        Returns
        -------
        BetaBinomial

        Examples
        --------
        >>> import reliability_stats as rs
        >>> trials = rs.Trials.from_array([[1, 0, 1], [0, 0, 1]])
        >>> post = rs.fit(trials, rs.BetaBinomial.one_rate())
        >>> round(float(post.summary(rs.PassHatK(1))["mean"].iloc[0]), 6)  # (3 + 1) / (6 + 2)
        0.5
        """
        return cls(mean_prior=mean_prior or Beta(), icc_prior=Beta(1.0, ONE_RATE))

    @property
    def reach(self) -> float:
        """Largest absolute logit of mean and correlation that the priors can be trusted at."""
        exact = isinstance(self.mean_prior, Beta) and isinstance(self.icc_prior, Beta)
        return REACH if exact and self.log_prior is None else REACH_CUSTOM

    def log_prior_logit(self, u: FloatArray, v: FloatArray) -> FloatArray:
        """Log prior density of (logit mean, logit icc).

        Parameters
        ----------
        u, v : ndarray of equal shape
            Logit of the mean and of the intra-class correlation.

        Returns
        -------
        ndarray
            Log density, same shape.
        """
        if self.log_prior is None:
            return np.asarray(
                logit_log_density(self.mean_prior, u) + logit_log_density(self.icc_prior, v)
            )
        with np.errstate(divide="ignore", over="ignore"):
            values = np.asarray(self.log_prior(special.expit(u), special.expit(v)), dtype=float)
        if values.shape != u.shape:
            raise ModelError(
                f"log_prior must return one value for each (mean, icc); it returned shape "
                f"{values.shape} for arguments of shape {u.shape}."
            )
        jacobian = (
            np.logaddexp(0, u) + np.logaddexp(0, -u) + np.logaddexp(0, v) + np.logaddexp(0, -v)
        )
        return np.asarray(values - jacobian)

    def draw_prior(self, design: Counts, size: int, rng: np.random.Generator) -> Parameters:
        """Draw mean and icc of each unit from the prior.

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

        Raises
        ------
        ModelError
            If the prior is given as a density, which cannot be drawn from.
        """
        if self.log_prior is not None:
            raise ModelError(
                "A prior given as log_prior cannot be drawn from; give mean_prior and icc_prior."
            )
        shape = size, len(design.units)
        return {
            "mean": draw_from(self.mean_prior, shape, rng),
            "icc": draw_from(self.icc_prior, shape, rng),
        }

    def simulate(
        self, parameters: Parameters, design: Counts, rng: np.random.Generator
    ) -> IntArray:
        """Draw the successes of every cell.

        Parameters
        ----------
        parameters : mapping of str to (size, units) array
            Mean and icc.
        design : Counts
            Gives the cells and their numbers of trials.
        rng : numpy.random.Generator
            Source of randomness.

        Returns
        -------
        (size, cells) ndarray of int
        """
        mean, icc = (np.clip(parameters[name], 1e-300, 1.0) for name in ("mean", "icc"))
        total = np.maximum(1.0 / icc - 1.0, 1e-300)
        a, b = np.maximum(mean * total, 1e-300), np.maximum((1.0 - mean) * total, 1e-300)
        p = rng.beta(a[:, design.unit], b[:, design.unit])
        return rng.binomial(design.n, p).astype(np.int64)

    def log_likelihood(self, parameters: Parameters, counts: Counts) -> FloatArray:
        """Log likelihood of each unit, at several parameters.

        Parameters
        ----------
        parameters : mapping of str to (size, units) array
            Mean and icc.
        counts : Counts
            The data.

        Returns
        -------
        (size, units) ndarray
        """
        units = len(counts.units)
        likelihood = LogLikelihood.of(counts.distinct(), units)
        u, v = (
            special.logit(np.clip(parameters[name], 1e-300, 1 - 1e-16)) for name in ("mean", "icc")
        )
        return likelihood(np.arange(units), u.T, v.T).T

    def log_density(
        self, distinct: DistinctCounts, n_units: int
    ) -> Callable[[IntArray, FloatArray, FloatArray], FloatArray]:
        """Build the log posterior density of (logit mean, logit icc), not normalised.

        Parameters
        ----------
        distinct : DistinctCounts
            Distinct (n, successes) pairs of each unit with their multiplicities.
        n_units : int
            Number of units.

        Returns
        -------
        callable
            ``density(units, u, v)`` with u and v of shape (units, points).
        """
        likelihood = LogLikelihood.of(distinct, n_units)

        def density(unit: IntArray, u: FloatArray, v: FloatArray) -> FloatArray:
            return likelihood(unit, u, v) + self.log_prior_logit(u, v)

        return density


@dataclass(frozen=True)
class LogLikelihood:
    """Beta-binomial log likelihood of each unit, from step counts compressed to few nodes.

    Attributes
    ----------
    nodes : (nodes,) array
        Values of j.
    successes, failures, trials : (units, nodes) arrays
        A_j, B_j and C_j of the module's formula.
    constant : (units,) array
        Sum of log binomial coefficients.
    """

    nodes: FloatArray
    successes: FloatArray
    failures: FloatArray
    trials: FloatArray
    constant: FloatArray

    @classmethod
    def of(cls, distinct: DistinctCounts, n_units: int) -> LogLikelihood:
        """Reduce distinct counts, in slices so that memory stays small."""
        n, y = distinct.n, distinct.successes
        h, unit = distinct.multiplicity.astype(float), distinct.unit
        largest = int(n.max())
        nodes = step_nodes(largest, np.zeros(0, dtype=np.int64))[0]
        sums = [np.zeros((n_units, len(nodes))) for _ in range(3)]
        for start in range(0, len(n), 20_000):
            part = slice(start, start + 20_000)
            _, weights = step_nodes(largest, y[part], n[part] - y[part], n[part])
            first = np.flatnonzero(np.diff(unit[part], prepend=-1))
            for total, weight in zip(sums, weights, strict=True):
                total[unit[part][first]] += np.add.reduceat(h[part, None] * weight, first, axis=0)
        choose = special.gammaln(n + 1.0) - special.gammaln(y + 1.0) - special.gammaln(n - y + 1.0)
        constant = np.bincount(unit, weights=h * choose, minlength=n_units).astype(float)
        successes, failures, trials = sums
        return cls(nodes, successes, failures, trials, constant)

    def __call__(self, unit: IntArray, u: FloatArray, v: FloatArray) -> FloatArray:
        """Log likelihood at logit mean u and logit correlation v, shape (units, points)."""
        mean, other, e = special.expit(u), special.expit(-u), np.exp(v)
        out = self.constant[unit, None] - self.successes[unit, :1] * np.logaddexp(0, -u)
        out = out - self.failures[unit, :1] * np.logaddexp(0, u)
        a, b, c = self.successes[unit], self.failures[unit], self.trials[unit]
        for q in range(1, len(self.nodes)):
            step = self.nodes[q] * e
            out += a[:, q, None] * np.log(mean + step) + b[:, q, None] * np.log(other + step)
            out -= c[:, q, None] * np.log1p(step)
        return np.asarray(out)
