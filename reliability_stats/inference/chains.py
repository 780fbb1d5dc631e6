"""Posterior held as draws of chains: populations by quadrature, cells in closed form.

Given the parameters the success probability of a cell is beta-distributed, so nothing is simulated
that has a closed form: over the population each draw's estimand is integrated over tasks by the
trapezoidal rule, and over the observed tasks p ~ Beta(a + y, b + n - y). Units share draws, so
differences between them are paired.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy import special

from .._arviz import chain_figures
from .._numerics import FloatArray, IntArray
from ..estimands import Estimand, TaskMean
from ..exceptions import ArgumentError
from ..models._crossed_layout import Layout
from .checks import Check, LeftOut, Points, Replicas
from .crossed_checks import evenly, left_out, points, replicas
from .engine import CellMarginal, Marginal
from .marginals import fill_cells
from .observed import CEILING, FLOOR
from .tasks_integral import over_tasks

CHUNK = 2**20
TINY = 1e-300
CELL_DRAWS = 500
"""Draws whose beta laws are mixed for the posterior of a cell."""
DRAW_CAP = 128
"""Cells of a unit that are drawn one by one; more are represented by as many at random."""


@dataclass(frozen=True, eq=False)
class Chains:
    """Draws of a model's variables, and what follows from them.

    Attributes
    ----------
    layout : Layout
        The design.
    values : mapping
        Draws of the variables; the first axis is chain by chain.
    shape : (int, int)
        Chains, and draws of each.
    statistics : mapping
        Of the sampler, (chains, draws) each: ``diverging`` and ``energy``.
    checks : sequence of Check
        Whether the chains can be trusted.
    sampler : str
        What sampled.
    seed : int
        Seed of everything that is drawn given the variables.
    """

    layout: Layout
    values: Mapping[str, FloatArray]
    shape: tuple[int, int]
    statistics: Mapping[str, FloatArray]
    checks: Sequence[Check]
    sampler: str
    seed: int
    _memo: dict[object, Any] = field(default_factory=dict, repr=False)

    @classmethod
    def of(
        cls,
        layout: Layout,
        values: Mapping[str, FloatArray],
        statistics: Mapping[str, FloatArray],
        checks: Sequence[Check],
        sampler: str,
        seed: int,
    ) -> Chains:
        """Flatten chains, and add what the data do not speak of."""
        chains, draws = next(iter(values.values())).shape[:2]
        flat = {name: value.reshape(-1, *value.shape[2:]) for name, value in values.items()}
        full = layout.with_distances(flat, np.random.default_rng([seed, 0]))
        return cls(layout, full, (chains, draws), statistics, checks, sampler, seed)

    @property
    def n_units(self) -> int:
        """Number of units."""
        return len(self.layout.counts.units)

    @property
    def total(self) -> int:
        """Number of all draws."""
        return self.shape[0] * self.shape[1]

    @property
    def interval(self) -> str:
        """Label of intervals, which says whether the chains have converged."""
        return "eti" if all(check.passed for check in self.checks) else "eti (not converged)"

    @property
    def log_evidence(self) -> FloatArray:
        """NaN: chains do not give it."""
        return np.full(self.n_units, np.nan)

    @property
    def default_shape(self) -> tuple[int, int]:
        """The chains' own."""
        return self.shape

    def describe(self) -> str:
        """Say how many draws there are, and whether they can be trusted."""
        failed = sum(not check.passed for check in self.checks)
        found = "all checks passed" if not failed else f"{failed} checks failed"
        return f"{self.shape[0]} chains of {self.shape[1]} draws by {self.sampler}; {found}"

    def population(self, estimands: Sequence[Estimand], prob: float) -> list[Marginal]:
        """Posterior of estimands over tasks like these."""
        return [self._marginal(value, prob) for value in self.population_values(estimands)]

    def observed(self, estimands: Sequence[Estimand], prob: float) -> list[Marginal]:
        """Posterior of estimands over the very tasks of the table."""
        out = []
        for estimand, value in zip(estimands, self._observed(estimands), strict=True):
            result = self._marginal(value, prob)
            if isinstance(estimand, TaskMean):
                expected = self._parts(estimand)[1]
                within = ((value - expected) ** 2).mean(axis=0)
                result.mean[:] = expected.mean(axis=0)
                result.sd[:] = np.sqrt(expected.var(axis=0) + within)
            out.append(result)
        return out

    def _marginal(self, value: FloatArray, prob: float) -> Marginal:
        """Summarise draws, (draws, units)."""
        lower, upper = np.quantile(value, [(1 - prob) / 2, (1 + prob) / 2], axis=0)
        bulk, _, r_hat = chain_figures(value.reshape(*self.shape, -1))
        return Marginal(value.mean(axis=0), value.std(axis=0), lower, upper, bulk, r_hat)

    def population_values(self, estimands: Sequence[Estimand]) -> list[FloatArray]:
        """Give values over the population, each (draws, units)."""
        parts = dict.fromkeys(part for e in estimands for part in e.parts)
        missing = [part for part in parts if ("population", part) not in self._memo]
        if missing:
            layout = self.layout
            centre, sd = layout.unit_logits(self.values)
            concentration = layout.concentration(self.values)[:, layout.unit_system]
            for part, mean in zip(
                missing, over_tasks(missing, centre, sd, concentration), strict=True
            ):
                self._memo["population", part] = mean
        with np.errstate(invalid="ignore", divide="ignore"):
            return [
                np.asarray(e.combine(*(self._memo["population", part] for part in e.parts)))
                for e in estimands
            ]

    def _observed(self, estimands: Sequence[Estimand]) -> list[FloatArray]:
        """Draw values over the observed tasks, each (draws, units)."""
        with np.errstate(invalid="ignore", divide="ignore"):
            return [
                np.clip(e.combine(*(self._parts(part)[0] for part in e.parts)), *e.bounds)
                for e in estimands
            ]

    def _parts(self, part: TaskMean) -> tuple[FloatArray, FloatArray]:
        """Draw a mean over each unit's cells, and give its expectation given the parameters."""
        if ("observed", part) not in self._memo:
            drawn, expected = np.empty((2, self.total, self.n_units))
            for unit in range(self.n_units):
                cells = np.arange(*np.searchsorted(self.layout.counts.unit, [unit, unit + 1]))
                drawn[:, unit], expected[:, unit] = self._part(part, unit, cells)
            self._memo["observed", part] = drawn, expected
        drawn, expected = self._memo["observed", part]
        return drawn, expected

    def _part(self, part: TaskMean, unit: int, cells: IntArray) -> tuple[FloatArray, FloatArray]:
        """Draw a mean over some cells of a unit, and give its expectation: (draws,) each."""
        rng = np.random.default_rng([self.seed, 1, unit])
        drawn, expected = np.empty((2, self.total))
        step = max(1, CHUNK // len(cells))
        for start in range(0, self.total, step):
            rows = slice(start, start + step)
            a, b = self.cell_laws(rows, cells)
            drawn[rows], expected[rows] = _cell_mean(part, a, b, rng)
        return drawn, expected

    def observed_among(self, estimand: Estimand, units: IntArray, tasks: IntArray) -> FloatArray:
        """Draw an estimand over some observed tasks, which all the units ran: (draws, units)."""
        counts = self.layout.counts
        out = np.empty((self.total, len(units)))
        for i, unit in enumerate(units):
            start, stop = np.searchsorted(counts.unit, [unit, unit + 1])
            cells = start + np.flatnonzero(np.isin(counts.task[start:stop], tasks))
            if len(cells) == stop - start:
                means = [self._parts(part)[0][:, unit] for part in estimand.parts]
            else:
                means = [self._part(part, int(unit), cells)[0] for part in estimand.parts]
            with np.errstate(invalid="ignore", divide="ignore"):
                out[:, i] = np.clip(estimand.combine(*means), *estimand.bounds)
        return out

    def cell_laws(self, rows: slice | IntArray, cells: IntArray) -> tuple[FloatArray, FloatArray]:
        """Parameters of the beta posterior of cells given draws: (draws, cells) each."""
        draws = {name: value[rows] for name, value in self.values.items()}
        logits = self.layout.cell_logits(draws, cells)
        c = self.layout.counts
        concentration = self.layout.concentration(draws)[:, c.system[cells]]
        wins = c.successes[cells]
        a = np.maximum(special.expit(logits) * concentration, TINY) + wins
        b = np.maximum(special.expit(-logits) * concentration, TINY) + (c.n[cells] - wins)
        return a, b

    def cells(self, prob: float, low: float, high: float) -> CellMarginal:
        """Posterior of every cell: a mixture over draws of Beta(a + y, b + n - y)."""
        size = self.layout.counts.n_cells
        out = CellMarginal(*(np.empty(size) for _ in range(6)))
        total = self.shape[0] * self.shape[1]
        rows = evenly(total, min(total, CELL_DRAWS))
        weights = np.full((1, len(rows)), 1.0 / len(rows))
        step = max(1, CHUNK // len(rows))
        for start in range(0, size, step):
            cells = np.arange(start, min(start + step, size))
            a, b = (np.ascontiguousarray(x.T) for x in self.cell_laws(rows, cells))
            mixed = np.broadcast_to(weights, a.shape)
            fill_cells(out, cells, mixed, a, b, prob, low, high)
        return out

    def leave_out(self) -> LeftOut:
        """Predictive densities of tasks left out one at a time, by smoothed importance sampling."""
        return left_out(self)

    def replicate(self, datasets: int, rng: np.random.Generator) -> Iterator[Replicas]:
        """Replicated data of each unit in turn: new tasks at draws of the parameters."""
        return replicas(self, datasets, rng)

    def points(self, estimands: Sequence[Estimand]) -> Iterator[Points]:
        """Give the draws, the same for all units, with hyperpriors and likelihood."""
        return points(self, estimands)

    def diagnostics(self) -> list[Check]:
        """R-hat, effective sample sizes, divergences and energies."""
        return list(self.checks)

    def draws(
        self, estimands: Sequence[Estimand], over: str, chains: int, draws: int
    ) -> list[FloatArray]:
        """Joint draws, the chains' own, each of shape (chains, draws, units)."""
        rows = self.rows(chains, draws)
        values = (self.population_values if over == "population" else self._observed)(estimands)
        return [value[rows].reshape(chains, draws, -1) for value in values]

    def rows(self, chains: int, draws: int) -> IntArray:
        """Choose evenly spaced draws: as many of each of as many chains, or one chain of all."""
        if chains <= self.shape[0] and draws <= self.shape[1] and (chains > 1 or draws == 1):
            first = np.arange(chains)[:, None] * self.shape[1]
            return np.asarray((first + evenly(self.shape[1], draws)).ravel())
        total = self.shape[0] * self.shape[1]
        if chains == 1 and draws <= total:
            return evenly(total, draws)
        raise ArgumentError(
            f"The fit has {self.shape[0]} chains of {self.shape[1]} draws, fewer than {chains} of "
            f"{draws}. Fit again with more, as in fit(..., draws={draws})."
        )

    def parameters(
        self, chains: int, draws: int, *, cells: bool
    ) -> Mapping[str, tuple[tuple[str, ...], FloatArray]]:
        """Give draws of the variables, and with `cells` of p of each cell."""
        rows = self.rows(chains, draws)
        layout, shape = self.layout, (chains, draws)
        values = {name: value[rows] for name, value in self.values.items()}
        rho = special.expit(values["icc_logit"])[:, layout.unit_system]
        typical = special.expit(layout.unit_logits(values)[0])
        by_unit = {"typical_rate": typical, "residual_icc": rho}
        out: dict[str, tuple[tuple[str, ...], FloatArray]] = {
            name: (("system",), value.reshape(*shape, -1)) for name, value in by_unit.items()
        }
        for name, dims in layout.dims.items():
            out[name] = dims, values[name].reshape(*shape, *values[name].shape[1:])
        if cells:
            a, b = self.cell_laws(rows, np.arange(layout.counts.n_cells))
            p = np.random.default_rng([self.seed, 2]).beta(a, b)
            out["p"] = ("cell",), p.reshape(*shape, -1)
        return out


def _cell_mean(
    part: TaskMean, a: FloatArray, b: FloatArray, rng: np.random.Generator
) -> tuple[FloatArray, FloatArray]:
    """Draw the mean of a kernel over cells with p ~ Beta(a, b), and give its expectation.

    Of many cells some at random are drawn, and their deviation from what is expected of them is
    scaled so that the variance is that of all. The generator is consumed alike whatever `part` is.
    """
    every = np.asarray(part.from_beta(a, b))
    expected = every.mean(axis=1)
    size = a.shape[1]
    if size > DRAW_CAP:
        chosen = rng.choice(size, DRAW_CAP, replace=False)
        a, b, every = a[:, chosen], b[:, chosen], every[:, chosen]
    p = np.clip(rng.beta(a, b), FLOOR, CEILING)
    deviation = part.kernel(p).mean(axis=1) - every.mean(axis=1)
    drawn = expected + deviation * np.sqrt(a.shape[1] / size)
    return np.clip(drawn, *part.bounds), expected
