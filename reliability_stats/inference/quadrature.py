"""The beta-binomial posterior on lattices: exact means and quantiles, cell posteriors, draws."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
from scipy import special

from .._numerics import FloatArray, IntArray
from ..estimands import ICC, Estimand, SuccessRate
from ..exceptions import ArgumentError, ConvergenceWarning
from ..models import BetaBinomial
from ..trials import Counts, DistinctCounts, Trials
from . import grid
from .checks import Check, LeftOut, Points, Replicas
from .engine import CellMarginal, Marginal
from .lattice_checks import lattice_checks, lattice_points, replicas
from .left_out import leave_out
from .marginals import (
    beta_parameters,
    fill_cells,
    moments,
    observed_interval,
    population_interval,
    strided,
)
from .mixture import KERNEL, sharpen
from .observed import observed_draws

CELL_CHUNK = 2**20
NEGLIGIBLE = 1e-8
SUMMARY_DRAWS = 20_000
FEW_TASKS = 20
"""Numbers of observed tasks below which intervals over them come from draws."""
QUANTILE_TOL = 0.01
"""Allowed change of an interval end, in posterior sds, when the step is halved.

The error falls with the fourth power of the step; a fifteenth of the change is added to undo it."""

One = Callable[[grid.Lattice, int, Estimand, float], tuple[FloatArray, ...]]


@dataclass(frozen=True, eq=False)
class Quadrature:
    """Lattices of all units, and what is needed to refine them and to condition on counts.

    Attributes
    ----------
    lattices : tuple of Lattice
        Groups of units, fine enough for the mean and the correlation themselves. Estimands that
        need a finer one get it without changing these.
    density : callable
        Log posterior density.
    reach : float
        End of the domain.
    counts : Counts
        The data.
    distinct : DistinctCounts
        Distinct counts of each unit.
    tol : float
        Allowed change of a mean, in posterior sds, when the step is halved.
    seed : int
        Seed of all draws.
    model : BetaBinomial
        The model and its priors.
    """

    lattices: tuple[grid.Lattice, ...]
    density: grid.LogDensity
    reach: float
    counts: Counts
    distinct: DistinctCounts
    tol: float
    seed: int
    model: BetaBinomial
    _memo: dict[object, Marginal] = field(default_factory=dict, repr=False)

    @property
    def n_units(self) -> int:
        """Number of units."""
        return len(self.counts.units)

    @property
    def log_evidence(self) -> FloatArray:
        """Log marginal likelihood of each unit, shape (units,)."""
        out = np.empty(self.n_units)
        for lattice in self.lattices:
            out[lattice.unit] = lattice.log_evidence
        return out

    @property
    def default_shape(self) -> tuple[int, int]:
        """Four chains of a thousand draws, all independent."""
        return 4, 1000

    def describe(self) -> str:
        """Say how fine the lattices are."""
        nodes = sorted({lattice.nodes for lattice in self.lattices})
        sizes = " or ".join(f"{size} x {size}" for size in nodes)
        return f"deterministic quadrature on {sizes} nodes a system"

    def population(self, estimands: Sequence[Estimand], prob: float) -> list[Marginal]:
        """Posterior of estimands over tasks like these."""
        return self._each(estimands, prob, "population", population_interval)

    def observed(self, estimands: Sequence[Estimand], prob: float) -> list[Marginal]:
        """Posterior of estimands over the very tasks of the table."""
        one = partial(observed_interval, distinct=self.distinct)
        results = self._each(estimands, prob, "observed", one)
        return [
            self._sampled(estimand, result, prob)
            for estimand, result in zip(estimands, results, strict=True)
        ]

    def _sampled(self, estimand: Estimand, result: Marginal, prob: float) -> Marginal:
        """Replace by draws what the closed form is too rough for: few tasks, or strong skew."""
        few = np.bincount(self.counts.unit, minlength=self.n_units) < FEW_TASKS
        units = np.flatnonzero(few | np.isnan(result.mean))
        key = (estimand, prob, "sampled")
        if units.size and key not in self._memo:
            u, v = self._logits(SUMMARY_DRAWS, np.random.default_rng(self.seed), units)
            values = self._observed_draws([estimand], u, v, units)[0]
            lower, upper = np.quantile(values, [(1 - prob) / 2, (1 + prob) / 2], axis=1)
            mean, sd = result.mean[units], result.sd[units]
            rough = np.isnan(mean)
            mean = np.where(rough, values.mean(axis=1), mean)
            sd = np.where(rough, values.std(axis=1), sd)
            full = Marginal.empty(self.n_units)
            full.put(slice(None), result, slice(None))
            full.put(units, Marginal.exact(mean, sd, lower, upper), slice(None))
            self._memo[key] = full
        return self._memo.get(key, result)

    def _each(
        self, estimands: Sequence[Estimand], prob: float, over: str, one: One
    ) -> list[Marginal]:
        """Evaluate group by group, halving steps until the values stand still."""
        missing = [e for e in dict.fromkeys(estimands) if (e, prob, over) not in self._memo]
        results = [Marginal.empty(self.n_units) for _ in missing]
        waiting = np.ones((self.n_units, len(missing)), dtype=bool)
        queue = list(self.lattices) if missing else []
        while queue:
            lattice = queue.pop()
            for i, estimand in enumerate(missing):
                rows = np.flatnonzero(waiting[lattice.unit, i])
                if rows.size:
                    part = lattice.take(rows)
                    good = self._evaluate(part, estimand, prob, one, results[i])
                    waiting[part.unit[good], i] = False
            rest = np.flatnonzero(waiting[lattice.unit].any(axis=1))
            if rest.size:
                queue.append(grid.refine(lattice.take(rest), self.density, self.reach))
        self._memo.update(
            ((estimand, prob, over), result)
            for estimand, result in zip(missing, results, strict=True)
        )
        return [self._memo[estimand, prob, over] for estimand in estimands]

    def _evaluate(
        self, part: grid.Lattice, estimand: Estimand, prob: float, one: One, result: Marginal
    ) -> IntArray:
        """Evaluate one estimand, store what has settled, and give the rows that have."""
        fine = Marginal.exact(*one(part, 1, estimand, prob))
        coarse = Marginal.exact(*one(part, 2, estimand, prob))
        good = _agree(fine, coarse, self.tol)
        if part.nodes >= grid.MAX_NODES and not good.all():
            row = int(np.argmin(good))
            warnings.warn(
                f"The quadrature of {estimand.name} has not settled for "
                f"{self.counts.units[part.unit[row]]!r} at {part.nodes} nodes an axis: halving the "
                f"step still moves the mean by {abs(fine.mean[row] - coarse.mean[row]):.2g} at a "
                f"posterior sd of {fine.sd[row]:.2g}. Check the prior for jumps or narrow peaks.",
                ConvergenceWarning,
                stacklevel=5,
            )
            good[:] = True
        rows = np.flatnonzero(good)
        result.put(part.unit[rows], _extrapolated(fine, coarse, estimand), rows)
        return rows

    def _logits(
        self, size: int, rng: np.random.Generator, units: IntArray | None = None
    ) -> tuple[FloatArray, FloatArray]:
        """Draw logit mean and logit correlation, each (units, size).

        Nodes are drawn in proportion to their weight, stratified, and moved by a normal kernel;
        weights are sharpened so that this does not widen the posterior. Every unit has a stream of
        its own, so that its draws do not depend on which others are asked for.
        """
        wanted = np.arange(self.n_units) if units is None else units
        at = np.full(self.n_units, -1)
        at[wanted] = np.arange(len(wanted))
        out = np.empty((2, len(wanted), size))
        seeds = rng.spawn(self.n_units)
        for lattice in self.lattices:
            rows = np.flatnonzero(at[lattice.unit] >= 0)
            for row in rows:
                unit = lattice.unit[row]
                one = lattice.take(np.array([row]))
                out[:, at[unit]] = jittered(one, size, seeds[unit])
        return out[0], out[1]

    def draws(
        self, estimands: Sequence[Estimand], over: str, chains: int, draws: int
    ) -> list[FloatArray]:
        """Independent joint draws, each of shape (chains, draws, units)."""
        u, v = self._logits(chains * draws, np.random.default_rng(self.seed))
        if over == "population":
            a, b = beta_parameters(u, v)
            values = [np.asarray(estimand.from_beta(a, b)) for estimand in estimands]
        else:
            values = self._observed_draws(estimands, u, v, np.arange(self.n_units))
        return [value.T.reshape(chains, draws, -1) for value in values]

    def _observed_draws(
        self, estimands: Sequence[Estimand], u: FloatArray, v: FloatArray, units: IntArray
    ) -> list[FloatArray]:
        """Draw estimands over the observed tasks, each (units, size)."""
        a, b = beta_parameters(u, v)
        out = [np.empty(a.shape) for _ in estimands]
        parts = tuple(dict.fromkeys(part for e in estimands for part in e.parts))
        streams = np.random.default_rng(self.seed + 1).spawn(self.n_units)
        d = self.distinct
        for i, unit in enumerate(units):
            rows = slice(*np.searchsorted(d.unit, [unit, unit + 1]))
            counts = d.n[rows], d.successes[rows], d.multiplicity[rows]
            drawn = observed_draws(parts, a[i], b[i], *counts, streams[unit])
            means = dict(zip(parts, drawn, strict=True))
            for value, estimand in zip(out, estimands, strict=True):
                value[i] = estimand.combine(*(means[part] for part in estimand.parts))
        return out

    def parameters(
        self, chains: int, draws: int, *, cells: bool
    ) -> Mapping[str, tuple[tuple[str, ...], FloatArray]]:
        """Draw mean and correlation of each unit, and with `cells` p of each cell."""
        size = chains * draws
        u, v = self._logits(size, np.random.default_rng(self.seed))
        shape = (chains, draws, -1)
        out: dict[str, tuple[tuple[str, ...], FloatArray]] = {
            "mean": (("system",), special.expit(u).T.reshape(shape)),
            "icc": (("system",), special.expit(v).T.reshape(shape)),
        }
        if cells:
            a, b = beta_parameters(u, v)
            c = self.counts
            rng = np.random.default_rng(self.seed + 2)
            p = rng.beta(a[c.unit].T + c.successes, b[c.unit].T + (c.n - c.successes))
            out["p"] = (("cell",), p.reshape(shape))
        return out

    def cells(self, prob: float, low: float, high: float) -> CellMarginal:
        """Posterior of every cell: a mixture over nodes of Beta(a + y, b + n - y)."""
        d = self.distinct
        out = CellMarginal(*(np.empty(len(d.n)) for _ in range(6)))
        for unit, weights, a, b in self._nodes():
            where = np.full(self.n_units, -1)
            where[unit] = np.arange(len(unit))
            rows = np.flatnonzero(where[d.unit] >= 0)
            size = max(1, CELL_CHUNK // weights.shape[1])
            for start in range(0, len(rows), size):
                part = rows[start : start + size]
                at = where[d.unit[part]]
                wins, fails = d.successes[part, None], (d.n - d.successes)[part, None]
                fill_cells(out, part, weights[at], a[at] + wins, b[at] + fails, prob, low, high)
        return out.take(d.row_of_cell)

    def leave_out(self) -> LeftOut:
        """Predictive densities of tasks left out one at a time; every cell is a group."""
        return leave_out(self.lattices, self.density, self.reach, self.counts)

    def replicate(self, datasets: int, rng: np.random.Generator) -> Iterator[Replicas]:
        """Replicated data of each unit in turn: new tasks, with the observed numbers of trials."""
        parameters, outcomes = rng.spawn(2)
        yield from replicas(self.counts, *self._logits(datasets, parameters), outcomes)

    def points(self, estimands: Sequence[Estimand]) -> Iterator[Points]:
        """Nodes of the posterior of each unit, with prior and likelihood of the logits."""
        prior = self.model.log_prior_logit
        yield from lattice_points(self.lattices, self.density, prior, self.reach, estimands)

    def diagnostics(self) -> list[Check]:
        """Say how much halving the step still changes, and what lies at the edge."""
        return lattice_checks(self.lattices, self.counts.units, self.tol)

    def _nodes(self) -> Iterator[tuple[IntArray, FloatArray, FloatArray, FloatArray]]:
        """Give units, weights, a and b of every group on half lattices, without empty nodes.

        Twice the step is fine enough for smooth functions of (a, b): that is what was checked.
        """
        for lattice in self.lattices:
            weights, a, b = (x.reshape(len(lattice.unit), -1) for x in strided(lattice, 2))
            keep = int((weights > NEGLIGIBLE).sum(axis=1).max())
            order = np.argpartition(-weights, keep - 1, axis=1)[:, :keep]
            weights, a, b = (np.take_along_axis(x, order, axis=1) for x in (weights, a, b))
            yield lattice.unit, weights / weights.sum(axis=1, keepdims=True), a, b


def infer(
    trials: Trials, model: BetaBinomial, *, seed: int, tol: float = 1e-4
) -> tuple[Quadrature, dict[str, Any]]:
    """Fit a model with two parameters a unit by quadrature.

    Parameters
    ----------
    trials : Trials
        The data.
    model : BetaBinomial
        Gives the log density of (logit mean, logit correlation).
    seed : int
        Seed of the draws.
    tol : float in (0, 0.1]
        Allowed change of a posterior mean, in posterior sds, when the step is halved.

    Returns
    -------
    engine : Quadrature
    info : dict
    """
    if not isinstance(tol, (int, float)) or not 0 < tol <= 0.1:
        raise ArgumentError(f"tol must be a number in (0, 0.1], not {tol!r}.")
    counts = trials.counts
    units, distinct = counts.units, counts.distinct()
    density = model.log_density(distinct, len(units))
    rough = grid.build(
        density, len(units), reach=model.reach, names=lambda i: f"system {units[i]!r}"
    )
    lattices = settled(rough, density, model.reach, tol)
    engine = Quadrature(lattices, density, model.reach, counts, distinct, tol, seed, model)
    nodes = max(lattice.nodes for lattice in lattices) ** 2
    method = "quadrature over (logit mean, logit icc)"
    return engine, {"method": method, "nodes": nodes, "tol": tol}


def settled(
    lattices: Sequence[grid.Lattice], density: grid.LogDensity, reach: float, tol: float
) -> tuple[grid.Lattice, ...]:
    """Halve steps until mean and sd of the success rate and of the correlation stand still."""
    queue, out = list(lattices), []
    while queue:
        lattice = queue.pop(0)
        good = np.full(len(lattice.unit), lattice.nodes >= grid.MAX_NODES)
        stable = np.ones(len(lattice.unit), dtype=bool)
        for estimand in (SuccessRate(), ICC()):
            fine, coarse = (moments(*strided(lattice, s), estimand) for s in (1, 2))
            scale = tol * np.maximum(fine[1], 1e-12)
            stable &= np.abs(fine[0] - coarse[0]) <= scale
            stable &= np.abs(fine[1] - coarse[1]) <= 10 * scale
        good |= stable
        if good.any():
            out.append(lattice.take(np.flatnonzero(good)))
        if not good.all():
            rest = lattice.take(np.flatnonzero(~good))
            queue.append(grid.refine(rest, density, reach))
    return tuple(out)


def _agree(fine: Marginal, coarse: Marginal, tol: float) -> np.ndarray:
    """Tell for which units halving the step changed nothing that matters, or nothing is known."""
    scale = np.maximum(fine.sd, 1e-12)
    means = np.abs(fine.mean - coarse.mean) <= tol * scale
    spreads = np.abs(fine.sd - coarse.sd) <= 10 * tol * scale
    ends = np.maximum(np.abs(fine.lower - coarse.lower), np.abs(fine.upper - coarse.upper))
    return np.asarray((means & spreads & (ends <= QUANTILE_TOL * scale)) | np.isnan(fine.mean))


def _extrapolated(fine: Marginal, coarse: Marginal, estimand: Estimand) -> Marginal:
    """Undo the leading error of interval ends, of fourth order in the step."""
    ends = (
        np.clip(f + (f - c) / 15.0, *estimand.bounds)
        for f, c in ((fine.lower, coarse.lower), (fine.upper, coarse.upper))
    )
    return Marginal.exact(fine.mean, fine.sd, *ends)


def jittered(
    lattice: grid.Lattice, size: int, rng: np.random.Generator
) -> tuple[FloatArray, FloatArray]:
    """Draw both coordinates from the lattice of one unit, stratified over nodes."""
    sharp = np.maximum(sharpen(lattice.weights), 0.0).ravel()
    first, second = (axis[0] for axis in grid.axes(lattice.box, lattice.nodes))
    steps = lattice.steps()[0]
    node = chosen(sharp, size, rng)
    jitter = KERNEL * rng.standard_normal((2, size))
    t1 = first[node // lattice.nodes] + jitter[0] * steps[0]
    t2 = second[node % lattice.nodes] + jitter[1] * steps[1]
    u, v = grid.place(lattice.centre, lattice.shear, t1[None], t2[None])
    return u[0], v[0]


def chosen(mass: FloatArray, size: int, rng: np.random.Generator) -> IntArray:
    """Draw positions in proportion to their mass, stratified and then shuffled."""
    levels = (np.arange(size) + rng.random(size)) / size
    cumulative = np.cumsum(mass)
    found = np.searchsorted(cumulative / cumulative[-1], levels, side="right")
    return rng.permutation(np.minimum(found, len(mass) - 1))
