"""Posteriors made of many mixing distributions over nodes, the draws of chains.

Everything is a sum over nodes. Over the population, an estimand is a mean of its kernel under each
mixing distribution. Over the observed tasks, each task's p follows the mixing distribution times
its likelihood; means and variances of task means are exact given the mixing distribution
(Rao-Blackwell), and only what else is asked for is drawn.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from .._numerics import FloatArray, IntArray
from ..estimands import ICC, Estimand, Reach, SuccessRate, TaskMean
from ..estimands.thresholds import Dependable
from ..exceptions import ArgumentError
from ..trials import Counts, DistinctCounts
from .diagnostics import ess_bulk, r_hat
from .engine import CellMarginal, Marginal
from .mixture import Spread, beta_mixture, interval
from .nodes import Points
from .sparse import Mixing

FEW_TASKS = 20
"""Numbers of observed tasks below which intervals over them come from draws."""
SUMMARY_DRAWS = 20_000
"""Draws behind intervals over the observed tasks where there are no chains."""


class Source(Protocol):
    """Where the mixing distributions of each unit come from."""

    def mixing(self, unit: int) -> Mixing:
        """Mixing distributions of a unit, equally likely draws."""

    def cell_mass(self, row: int) -> FloatArray:
        """Posterior of p over the nodes for a distinct row of counts."""


@dataclass(frozen=True, eq=False)
class Mixtures:
    """A posterior of mixing distributions over nodes.

    Attributes
    ----------
    source : Source
        Mixing distributions.
    nodes : Points
        What carries their mass.
    counts : Counts
        The data.
    distinct : DistinctCounts
        Distinct counts of each unit.
    shape : (int, int)
        Chains and draws in each.
    log_evidence : (units,) ndarray
        Log marginal likelihoods; NaN where unknown.
    how : str
        How the posterior was computed.
    seed : int
        Seed of all draws.
    """

    source: Source
    nodes: Points
    counts: Counts
    distinct: DistinctCounts
    shape: tuple[int, int]
    log_evidence: FloatArray
    how: str
    seed: int
    _memo: dict[object, Marginal] = field(default_factory=dict, repr=False)

    @property
    def n_units(self) -> int:
        """Number of units."""
        return len(self.counts.units)

    @property
    def default_shape(self) -> tuple[int, int]:
        """The chains as they were run."""
        return self.shape

    def describe(self) -> str:
        """Say how the posterior was computed."""
        return self.how

    def population(self, estimands: Sequence[Estimand], prob: float) -> list[Marginal]:
        """Posterior of estimands over tasks like these."""
        return self._each(estimands, prob, "population", self._population_of)

    def observed(self, estimands: Sequence[Estimand], prob: float) -> list[Marginal]:
        """Posterior of estimands over the very tasks of the table."""
        return self._each(estimands, prob, "observed", self._observed_of)

    def _each(
        self,
        estimands: Sequence[Estimand],
        prob: float,
        over: str,
        one: Callable[[int, list[Estimand], float], Sequence[tuple[float, ...]]],
    ) -> list[Marginal]:
        """Evaluate unit by unit what has not been evaluated before."""
        missing = [e for e in dict.fromkeys(estimands) if (e, prob, over) not in self._memo]
        found = [np.empty((6, self.n_units)) for _ in missing]
        for unit in range(self.n_units if missing else 0):
            for out, values in zip(found, one(unit, missing, prob), strict=True):
                out[:, unit] = values
        self._memo.update(
            ((e, prob, over), Marginal(*out)) for e, out in zip(missing, found, strict=True)
        )
        return [self._memo[e, prob, over] for e in estimands]

    def _population_of(
        self, unit: int, estimands: list[Estimand], prob: float
    ) -> Sequence[tuple[float, ...]]:
        """Summaries of one unit over the population."""
        values = self._values(self.source.mixing(unit), estimands)
        return [(*moments(x, None), *ends(x, None, prob), *self._diagnostics(x)) for x in values]

    def _values(self, mixing: Mixing, estimands: Sequence[Estimand]) -> list[FloatArray]:
        """Evaluate estimands under each mixing distribution, (points,) each."""
        parts = dict.fromkeys(part for e in estimands for part in e.parts)
        means = {part: mixing.mean(self.nodes.kernel(part)) for part in parts}
        return [combined(e, means) for e in estimands]

    def _diagnostics(self, values: FloatArray) -> tuple[float, float]:
        """Effective sample size and R-hat of the draws of one unit."""
        chains = values.reshape(*self.shape, 1)
        return float(ess_bulk(chains)[0]), float(r_hat(chains)[0])

    def _rows(self, unit: int) -> slice:
        """Rows of the distinct counts of one unit."""
        return slice(*np.searchsorted(self.distinct.unit, [unit, unit + 1]))

    def _observed_of(
        self, unit: int, estimands: list[Estimand], prob: float
    ) -> Sequence[tuple[float, ...]]:
        """Summaries of one unit over its observed tasks."""
        mixing, rows = self.source.mixing(unit), self._rows(unit)
        tasks = self.distinct.multiplicity[rows]
        logs = self.nodes.log_likelihood(self.distinct.n[rows], self.distinct.successes[rows])
        means = [e for e in estimands if isinstance(e, TaskMean)]
        exact = dict(zip(means, self._conditional(mixing, means, logs, tasks), strict=True))
        drawn = self._observed_draws(unit, mixing, estimands, logs)
        few = tasks.sum() < FEW_TASKS
        out = []
        for estimand, values in zip(estimands, drawn, strict=True):
            both, limits = moments(values, None), ends(values, None, prob)
            if estimand in exact:
                centre, within = exact[estimand]
                both = moments(centre, None, within)
                if not few:
                    limits = beta_ends(centre, within, None, both, estimand.bounds, prob)
            out.append((*both, *limits, *self._diagnostics(values)))
        return out

    def _conditional(
        self, mixing: Mixing, estimands: list[TaskMean], logs: FloatArray, tasks: IntArray
    ) -> list[tuple[FloatArray, FloatArray]]:
        """Mean and variance of means over the observed tasks given each mixing distribution."""
        kernels = [(self.nodes.kernel(e), self.nodes.square(e)) for e in estimands]
        sums = [np.zeros((2, len(mixing))) for _ in estimands]
        for log, many in zip(logs, tasks, strict=True):
            given = mixing.given(log)
            for (kernel, square), total in zip(kernels, sums, strict=True):
                first, second = (
                    np.add.reduceat(given * x[mixing.node], mixing.start) for x in (kernel, square)
                )
                total[0] += many * first
                total[1] += many * np.maximum(second - first**2, 0.0)
        size = float(tasks.sum())
        return [(mean / size, variance / size**2) for mean, variance in sums]

    def _observed_draws(
        self, unit: int, mixing: Mixing, estimands: Sequence[Estimand], logs: FloatArray
    ) -> list[FloatArray]:
        """Draw estimands over the observed tasks, one draw for each mixing distribution."""
        parts = list(dict.fromkeys(part for e in estimands for part in e.parts))
        kernels = [self.nodes.kernel(part) for part in parts]
        rng = np.random.default_rng([self.seed % 2**32, 1, unit])
        tasks = self.distinct.multiplicity[self._rows(unit)]
        drawn = mixing.sample_means(kernels, logs, tasks, rng)
        means = dict(zip(parts, drawn, strict=True))
        return [combined(e, means) for e in estimands]

    def _chosen(self, chains: int, draws: int) -> IntArray:
        """Give the points behind draws of a shape, (chains * draws,)."""
        if chains > self.shape[0] or draws > self.shape[1]:
            raise ArgumentError(
                f"There are {self.shape[0]} chains of {self.shape[1]} draws, and {chains} of "
                f"{draws} are asked for. Ask for fewer, or fit with chains= and draws= to match."
            )
        every = np.arange(draws) * self.shape[1] // draws
        return np.asarray(np.arange(chains)[:, None] * self.shape[1] + every).ravel()

    def draws(
        self, estimands: Sequence[Estimand], over: str, chains: int, draws: int
    ) -> list[FloatArray]:
        """Joint draws, each of shape (chains, draws, units)."""
        out = [np.empty((chains * draws, self.n_units)) for _ in estimands]
        for unit in range(self.n_units):
            mixing = self.source.mixing(unit).take(self._chosen(chains, draws))
            if over == "population":
                values = self._values(mixing, estimands)
            else:
                rows = self._rows(unit)
                counts = self.distinct.n[rows], self.distinct.successes[rows]
                logs = self.nodes.log_likelihood(*counts)
                values = self._observed_draws(unit, mixing, estimands, logs)
            for target, value in zip(out, values, strict=True):
                target[:, unit] = value
        return [value.reshape(chains, draws, -1) for value in out]

    def parameters(
        self, chains: int, draws: int, *, cells: bool
    ) -> Mapping[str, tuple[tuple[str, ...], FloatArray]]:
        """Draw mean and correlation of each unit, and with `cells` p of each cell."""
        size, shape = chains * draws, (chains, draws, -1)
        mean, icc = self.draws([SuccessRate(), ICC()], "population", chains, draws)
        out = {"mean": (("system",), mean), "icc": (("system",), icc)}
        p = np.empty((size, self.counts.n_cells if cells else 0))
        for unit in range(self.n_units if cells else 0):
            points = self._chosen(chains, draws)
            self._cell_draws(unit, self.source.mixing(unit).take(points), p)
        return out | ({"p": (("cell",), p.reshape(shape))} if cells else {})

    def _cell_draws(self, unit: int, mixing: Mixing, p: FloatArray) -> None:
        """Fill in draws of the success probability of the cells of one unit."""
        rng = np.random.default_rng([self.seed % 2**32, 2, unit])
        rows = self._rows(unit)
        d = self.distinct
        logs = self.nodes.log_likelihood(d.n[rows], d.successes[rows])
        for row, log in enumerate(logs, start=rows.start):
            cells = np.flatnonzero(d.row_of_cell == row)
            picks = mixing.picks(mixing.given(log), len(cells), rng)
            p[:, cells] = self.nodes.p[mixing.node[picks]]

    def cells(self, prob: float, low: float, high: float) -> CellMarginal:
        """Posterior of every cell, averaged over the mixing distributions."""
        d = self.distinct
        mass = np.stack([self.source.cell_mass(row) for row in range(len(d))])
        rate = SuccessRate()
        mean, second = mass @ self.nodes.kernel(rate), mass @ self.nodes.square(rate)
        sd = np.sqrt(np.maximum(second - mean**2, 0.0))
        limits = self.nodes.quantiles(mass, np.array([(1 - prob) / 2, (1 + prob) / 2]))
        below = np.clip(1.0 - mass @ self.nodes.kernel(Reach(low)), 0.0, 1.0)
        above = np.clip(mass @ self.nodes.kernel(Dependable(high)), 0.0, 1.0)
        out = CellMarginal(mean, sd, limits[:, 0], limits[:, 1], below, above)
        return out.take(d.row_of_cell)


def combined(estimand: Estimand, means: Mapping[TaskMean, FloatArray]) -> FloatArray:
    """Evaluate an estimand from the means of its parts, within its range."""
    with np.errstate(invalid="ignore", divide="ignore"):
        values = estimand.combine(*(means[part] for part in estimand.parts))
        return np.asarray(np.clip(values, *estimand.bounds))


def moments(
    values: FloatArray, mass: FloatArray | None, within: FloatArray | None = None
) -> tuple[float, float]:
    """Mean and sd of values of points, with a variance of their own if given."""
    mean = float(np.average(values, weights=mass))
    variance = (values - mean) ** 2 + (0.0 if within is None else within)
    return mean, float(np.sqrt(np.average(variance, weights=mass)))


def ends(values: FloatArray, mass: FloatArray | None, prob: float) -> tuple[float, float]:
    """Give the ends of the equal-tailed interval of values of points."""
    levels: Any = [(1 - prob) / 2, (1 + prob) / 2]
    if np.isnan(values).any():
        return np.nan, np.nan
    if mass is None:
        low, high = np.quantile(values, levels)
        return float(low), float(high)
    order = np.argsort(values)
    share = mass[order] / mass.sum()
    middle = np.cumsum(share) - share / 2
    low, high = np.interp(levels, middle, values[order])
    return float(low), float(high)


def beta_ends(
    centre: FloatArray,
    within: FloatArray,
    mass: FloatArray | None,
    moments: tuple[float, float],
    bounds: tuple[float, float],
    prob: float,
) -> tuple[float, float]:
    """Give the ends of the interval of a mixture over points of beta laws with these moments."""
    weights = np.full(len(centre), 1.0 / len(centre)) if mass is None else mass
    spread = Spread(weights[None], centre[None], within[None]).merged()
    low, high = np.full((1, 1), bounds[0]), np.full((1, 1), bounds[1])
    curve = beta_mixture(spread.weights, spread.centre, spread.variance, low, high)
    mean, sd = np.array([moments[0]]), np.array([max(moments[1], 1e-12)])
    ends = interval(curve, prob, mean, sd, low[:, 0], high[:, 0])
    return float(ends[0, 0]), float(ends[0, 1])
