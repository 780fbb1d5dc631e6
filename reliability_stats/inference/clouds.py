"""Posteriors given as weighted points, each of them a distribution of success probabilities.

What a model has to say of one point is in its `Cloud`: means over tasks in closed form, and the law
of p given the counts of a task. All else is common: sums over the points. Means and standard
deviations are exact up to the lattice behind the points; only ratios over the observed tasks, and
tables of few tasks, are drawn.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from .._numerics import FloatArray
from ..estimands import ICC, Estimand, SuccessRate, TaskMean
from ..trials import Counts, DistinctCounts
from .engine import CellMarginal, Marginal
from .mixtures import FEW_TASKS, SUMMARY_DRAWS, beta_ends, combined, ends, moments
from .observed import DRAW_CAP

Moments = tuple[float, float, float, float]


class Cloud(Protocol):
    """The posterior of one unit: points with masses."""

    @property
    def mass(self) -> FloatArray:
        """Posterior mass of the points, (points,); sums to one."""

    def mean(self, part: TaskMean) -> FloatArray:
        """Mean of a kernel over tasks like these at each point, (points,)."""

    def interval(self, estimand: Estimand, values: FloatArray, prob: float) -> tuple[float, float]:
        """Give the ends of the interval of an estimand with these values at the points."""

    def given(self, part: TaskMean, n: int, successes: int) -> tuple[FloatArray, FloatArray]:
        """Mean of a kernel, and of its square, given the counts of a task; (points,) each."""

    def cell(self, n: int, successes: int, prob: float, low: float, high: float) -> FloatArray:
        """Mean, sd, lower, upper, P(p <= low) and P(p >= high) of a task with these counts."""

    def sample(self, size: int, rng: np.random.Generator) -> Sample:
        """Draw points of the posterior, equally likely."""


class Sample(Protocol):
    """Equally likely draws of the parameters of one unit."""

    def mean(self, part: TaskMean) -> FloatArray:
        """Mean of a kernel over tasks like these at each draw, (draws,)."""

    def given(self, part: TaskMean, n: int, successes: int) -> tuple[FloatArray, FloatArray]:
        """Mean of a kernel, and of its square, given the counts of a task; (draws,) each."""

    def place(self, n: int, successes: int, many: int, rng: np.random.Generator) -> FloatArray:
        """Draw p of tasks with these counts, (draws, many)."""

    def variables(self) -> Mapping[str, FloatArray]:
        """Values of the model's own variables, (draws,) each."""


@dataclass(frozen=True, eq=False)
class Clouds:
    """A posterior of weighted points for each unit.

    Attributes
    ----------
    clouds : tuple of Cloud
        One for each unit.
    counts : Counts
        The data.
    distinct : DistinctCounts
        Distinct counts of each unit.
    log_evidence : (units,) ndarray
        Log marginal likelihoods.
    how : str
        How the posterior was computed.
    seed : int
        Seed of all draws.
    """

    clouds: tuple[Cloud, ...]
    counts: Counts
    distinct: DistinctCounts
    log_evidence: FloatArray
    how: str
    seed: int
    _memo: dict[object, tuple[float, ...]] = field(default_factory=dict, repr=False)

    @property
    def default_shape(self) -> tuple[int, int]:
        """Four chains of a thousand draws, all independent."""
        return 4, 1000

    def describe(self) -> str:
        """Say how the posterior was computed."""
        return self.how

    def population(self, estimands: Sequence[Estimand], prob: float) -> list[Marginal]:
        """Posterior of estimands over tasks like these."""
        return [self._marginal(e, prob, "population") for e in estimands]

    def observed(self, estimands: Sequence[Estimand], prob: float) -> list[Marginal]:
        """Posterior of estimands over the very tasks of the table."""
        return [self._marginal(e, prob, "observed") for e in estimands]

    def _marginal(self, estimand: Estimand, prob: float, over: str) -> Marginal:
        """Evaluate unit by unit what has not been evaluated before."""
        one = self._population_of if over == "population" else self._observed_of
        for unit in range(len(self.clouds)):
            key = (estimand, prob, over, unit)
            if key not in self._memo:
                self._memo[key] = one(unit, estimand, prob)
        rows = [self._memo[estimand, prob, over, unit] for unit in range(len(self.clouds))]
        mean, sd, low, high = np.array(rows).reshape(-1, 4).T
        return Marginal.exact(mean, sd, low, high)

    def _population_of(self, unit: int, estimand: Estimand, prob: float) -> Moments:
        """Mean, sd and interval of one unit over the population."""
        cloud = self.clouds[unit]
        values = combined(estimand, {part: cloud.mean(part) for part in estimand.parts})
        if np.isnan(values).any():
            return (np.nan,) * 4
        low, high = np.clip(cloud.interval(estimand, values, prob), *estimand.bounds)
        return (*moments(values, cloud.mass), float(low), float(high))

    def _observed_of(self, unit: int, estimand: Estimand, prob: float) -> Moments:
        """Mean, sd and interval of one unit over its observed tasks."""
        cloud = self.clouds[unit]
        tasks = self.distinct.multiplicity[self._rows(unit)]
        if isinstance(estimand, TaskMean):
            centre, within = self._conditional(unit, estimand)
            first, second = moments(centre, cloud.mass, within)
            if tasks.sum() >= FEW_TASKS:
                bounds = estimand.bounds
                limits = beta_ends(centre, within, cloud.mass, (first, second), bounds, prob)
                return (first, second, *limits)
            values = self._observed_draws(unit, [estimand], SUMMARY_DRAWS)[0]
            return (first, second, *ends(values, None, prob))
        values = self._observed_draws(unit, [estimand], SUMMARY_DRAWS)[0]
        return (*moments(values, None), *ends(values, None, prob))

    def _rows(self, unit: int) -> slice:
        """Rows of the distinct counts of one unit."""
        return slice(*np.searchsorted(self.distinct.unit, [unit, unit + 1]))

    def _counts(self, unit: int) -> list[tuple[int, int, int]]:
        """Give n, successes and number of tasks of each distinct row of one unit."""
        rows, d = self._rows(unit), self.distinct
        columns = (d.n[rows], d.successes[rows], d.multiplicity[rows])
        return list(zip(*(column.tolist() for column in columns), strict=True))

    def _conditional(self, unit: int, part: TaskMean) -> tuple[FloatArray, FloatArray]:
        """Mean and variance of a mean over the observed tasks at each point."""
        cloud = self.clouds[unit]
        mean, variance, size = 0.0 * cloud.mass, 0.0 * cloud.mass, 0
        for n, wins, many in self._counts(unit):
            first, second = cloud.given(part, n, wins)
            mean = mean + many * first
            variance = variance + many * np.maximum(second - first**2, 0.0)
            size += many
        return mean / size, variance / size**2

    def _observed_draws(
        self, unit: int, estimands: Sequence[Estimand], size: int
    ) -> list[FloatArray]:
        """Draw estimands over the observed tasks of one unit, (size,) each.

        Of tasks with equal counts, at most `DRAW_CAP` are drawn; the mean of more is pulled towards
        its expectation, so that its variance is right.
        """
        sample = self._sample(unit, size)
        rng = np.random.default_rng([self.seed % 2**32, 1, unit])
        parts = list(dict.fromkeys(part for e in estimands for part in e.parts))
        sums, tasks = [np.zeros(size) for _ in parts], 0
        for n, wins, many in self._counts(unit):
            p = sample.place(n, wins, min(many, DRAW_CAP), rng)
            for i, part in enumerate(parts):
                mean = np.asarray(part.kernel(p)).mean(axis=1)
                if many > DRAW_CAP:
                    exact = sample.given(part, n, wins)[0]
                    mean = exact + (mean - exact) * np.sqrt(DRAW_CAP / many)
                sums[i] += many * mean
            tasks += many
        means = {part: total / tasks for part, total in zip(parts, sums, strict=True)}
        return [combined(e, means) for e in estimands]

    def _sample(self, unit: int, size: int) -> Sample:
        """Draw parameters of one unit, the same for the same size."""
        return self.clouds[unit].sample(size, np.random.default_rng([self.seed % 2**32, 0, unit]))

    def draws(
        self, estimands: Sequence[Estimand], over: str, chains: int, draws: int
    ) -> list[FloatArray]:
        """Independent joint draws, each of shape (chains, draws, units)."""
        size = chains * draws
        out = [np.empty((size, len(self.clouds))) for _ in estimands]
        for unit in range(len(self.clouds)):
            if over == "population":
                parts = dict.fromkeys(part for e in estimands for part in e.parts)
                sample = self._sample(unit, size)
                means = {part: sample.mean(part) for part in parts}
                values = [combined(e, means) for e in estimands]
            else:
                values = self._observed_draws(unit, estimands, size)
            for target, value in zip(out, values, strict=True):
                target[:, unit] = value
        return [value.reshape(chains, draws, -1) for value in out]

    def parameters(
        self, chains: int, draws: int, *, cells: bool
    ) -> Mapping[str, tuple[tuple[str, ...], FloatArray]]:
        """Draw mean, correlation and own variables of each unit, and with `cells` p of each."""
        size, shape = chains * draws, (chains, draws, -1)
        mean, icc = self.draws([SuccessRate(), ICC()], "population", chains, draws)
        out = {"mean": (("system",), mean), "icc": (("system",), icc)}
        p = np.empty((size, self.counts.n_cells if cells else 0))
        own: dict[str, FloatArray] = {}
        for unit in range(len(self.clouds)):
            sample = self._sample(unit, size)
            rng = np.random.default_rng([self.seed % 2**32, 2, unit])
            for name, values in sample.variables().items():
                own.setdefault(name, np.empty((size, len(self.clouds))))[:, unit] = values
            for row, (n, wins, _) in enumerate(self._counts(unit), start=self._rows(unit).start):
                at = np.flatnonzero((self.distinct.row_of_cell == row) & cells)
                if len(at):
                    p[:, at] = sample.place(n, wins, len(at), rng)
        out |= {name: (("system",), value.reshape(shape)) for name, value in own.items()}
        return out | ({"p": (("cell",), p.reshape(shape))} if cells else {})

    def cells(self, prob: float, low: float, high: float) -> CellMarginal:
        """Posterior of every cell, averaged over the points."""
        found = np.empty((6, len(self.distinct)))
        for unit, cloud in enumerate(self.clouds):
            for row, (n, wins, _) in enumerate(self._counts(unit), start=self._rows(unit).start):
                key = ("cell", row, prob, low, high)
                if key not in self._memo:
                    self._memo[key] = tuple(cloud.cell(n, wins, prob, low, high))
                found[:, row] = self._memo[key]
        return CellMarginal(*found).take(self.distinct.row_of_cell)
