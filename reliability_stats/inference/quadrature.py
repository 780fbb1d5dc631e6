"""The beta-binomial posterior on lattices: exact means, quantiles, cell posteriors and draws."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from scipy import special

from .._numerics import FloatArray, IntArray
from ..estimands import Estimand, TaskMean
from ..estimands.thresholds import beta_cdf
from ..trials import DistinctCounts
from . import grid
from .mixture import Curve, Spread, beta_mixture, matched_quantiles, sharpen, solve

DRAW_CAP = 64
"""Tasks with equal counts that are drawn one by one; more are represented by that many."""
CELL_CHUNK = 2**20
NEGLIGIBLE = 1e-8
QUANTILE_TOL = 0.01
"""Allowed change of an interval end, in posterior sd, when the step is halved; the error left is a sixteenth."""


@dataclass(frozen=True)
class Marginal:
    """Posterior of one estimand for each unit: arrays of shape (units,)."""

    mean: FloatArray
    sd: FloatArray
    lower: FloatArray
    upper: FloatArray


@dataclass(frozen=True)
class CellMarginal:
    """Posterior of success probabilities: arrays with one entry for each distinct row of counts."""

    mean: FloatArray
    sd: FloatArray
    lower: FloatArray
    upper: FloatArray
    below: FloatArray
    above: FloatArray


@dataclass(frozen=True)
class Quadrature:
    """Lattices of all units, and what is needed to refine and to condition on counts.

    Attributes
    ----------
    lattices : list of Lattice
        Groups of consecutive units; replaced by finer ones when an estimand asks for it, which changes
        no result by more than the tolerance.
    density : callable
        Log posterior density, for refinement.
    reach : float
        End of the domain.
    distinct : DistinctCounts
        Distinct counts of each unit.
    n_units : int
        Number of units.
    tol : float
        Allowed change of a mean, in posterior sd, when the step is halved.
    """

    lattices: list[grid.Lattice]
    density: grid.LogDensity
    reach: float
    distinct: DistinctCounts
    n_units: int
    tol: float
    _memo: dict[object, Marginal] = field(default_factory=dict, repr=False, compare=False)

    @property
    def log_evidence(self) -> FloatArray:
        """Log marginal likelihood of each unit, shape (units,)."""
        out = np.empty(self.n_units)
        for lattice in self.lattices:
            out[lattice.unit] = lattice.log_evidence
        return out

    def population(self, estimand: Estimand, prob: float) -> Marginal:
        """Posterior of an estimand over tasks like these."""
        return self._each(estimand, prob, "population", _population)

    def observed(self, estimand: TaskMean, prob: float) -> Marginal:
        """Posterior of a task mean over the very tasks of the table."""

        def one(lattice: grid.Lattice, stride: int, what: Estimand, mass: float) -> Marginal:
            return _observed(lattice, stride, self.distinct, what, mass)

        return self._each(estimand, prob, "observed", one)

    def _each(
        self,
        estimand: Estimand,
        prob: float,
        over: str,
        one: Callable[[grid.Lattice, int, Estimand, float], Marginal],
    ) -> Marginal:
        """Evaluate group by group, halving steps until the values stand still."""
        key = (estimand, prob, over)
        if key not in self._memo:
            out = Marginal(*(np.empty(self.n_units) for _ in range(4)))
            queue = list(self.lattices)
            settled: list[grid.Lattice] = []
            while queue:
                lattice = queue.pop(0)
                fine, coarse = one(lattice, 1, estimand, prob), one(lattice, 2, estimand, prob)
                good = _agree(fine, coarse, self.tol)
                if lattice.nodes >= grid.MAX_NODES:
                    good[:] = True
                for name in ("mean", "sd", "lower", "upper"):
                    getattr(out, name)[lattice.unit[good]] = getattr(fine, name)[good]
                if good.any():
                    settled.append(lattice if good.all() else lattice.take(np.flatnonzero(good)))
                if not good.all():
                    rest = lattice.take(np.flatnonzero(~good))
                    queue.append(grid.refine(rest, self.density, self.reach))
            self.lattices[:] = settled
            self._memo[key] = out
        return self._memo[key]

    def settle(self, estimands: Sequence[Estimand]) -> None:
        """Halve steps until means and sds of the estimands stand still."""
        queue, settled = list(self.lattices), []
        while queue:
            lattice = queue.pop(0)
            good = np.ones(len(lattice.unit), dtype=bool)
            for estimand in estimands:
                fine, coarse = (_moments(*_strided(lattice, s), estimand) for s in (1, 2))
                scale = self.tol * np.maximum(fine[1], 1e-12)
                good &= (np.abs(fine[0] - coarse[0]) <= scale) | (lattice.nodes >= grid.MAX_NODES)
                good &= (np.abs(fine[1] - coarse[1]) <= 10 * scale) | (lattice.nodes >= grid.MAX_NODES)
            if good.any():
                settled.append(lattice.take(np.flatnonzero(good)))
            if not good.all():
                rest = lattice.take(np.flatnonzero(~good))
                queue.append(grid.refine(rest, self.density, self.reach))
        self.lattices[:] = settled

    def nodes(self) -> Iterator[tuple[IntArray, FloatArray, FloatArray, FloatArray]]:
        """Give units, weights, a and b of every group on half lattices, without empty nodes.

        Twice the step is fine enough for smooth functions of (a, b): that is what was checked.
        """
        for lattice in self.lattices:
            weights, a, b = (x.reshape(len(lattice.unit), -1) for x in _strided(lattice, 2))
            keep = int((weights > NEGLIGIBLE).sum(axis=1).max())
            order = np.argpartition(-weights, keep - 1, axis=1)[:, :keep]
            weights, a, b = (np.take_along_axis(x, order, axis=1) for x in (weights, a, b))
            yield lattice.unit, weights / weights.sum(axis=1, keepdims=True), a, b

    def draw(self, draws: int, rng: np.random.Generator) -> tuple[FloatArray, FloatArray]:
        """Draw mean and correlation of each unit, stratified over nodes and spread over cells.

        Returns
        -------
        logit_mean, logit_icc : (units, draws) ndarray
        """
        u, v = np.empty((self.n_units, draws)), np.empty((self.n_units, draws))
        seeds = rng.spawn(self.n_units)
        for lattice in self.lattices:
            sharp = np.maximum(sharpen(lattice.weights), 0.0).reshape(len(lattice.unit), -1)
            first, second = grid.axes(lattice.box, lattice.nodes)
            steps = lattice.steps()
            for row, unit in enumerate(lattice.unit):
                stream = seeds[unit]
                levels = (np.arange(draws) + stream.random(draws)) / draws
                cumulative = np.cumsum(sharp[row])
                node = np.searchsorted(cumulative / cumulative[-1], levels, side="right")
                node = stream.permutation(np.minimum(node, sharp.shape[1] - 1))
                jitter = stream.random((2, draws)) - 0.5
                z1 = first[row][node // lattice.nodes] + jitter[0] * steps[row, 0]
                z2 = second[row][node % lattice.nodes] + jitter[1] * steps[row, 1]
                place = grid.place(lattice.centre[[row]], lattice.shear[[row]], z1[None], z2[None])
                u[unit], v[unit] = place[0][0], place[1][0]
        return u, v

    def cells(self, prob: float, low: float, high: float) -> CellMarginal:
        """Posterior of the success probability for each distinct row of counts.

        A mixture over nodes of Beta(a + successes, b + n - successes).
        """
        d = self.distinct
        out = CellMarginal(*(np.empty(len(d.n)) for _ in range(6)))
        for unit, weights, a, b in self.nodes():
            where = np.full(self.n_units, -1)
            where[unit] = np.arange(len(unit))
            rows = np.flatnonzero(where[d.unit] >= 0)
            size = max(1, CELL_CHUNK // weights.shape[1])
            for start in range(0, len(rows), size):
                part = rows[start : start + size]
                at = where[d.unit[part]]
                wins, fails = d.successes[part, None], (d.n - d.successes)[part, None]
                _cells(out, part, weights[at], a[at] + wins, b[at] + fails, prob, low, high)
        return out


def _parameters(lattice: grid.Lattice) -> tuple[FloatArray, FloatArray]:
    """Give beta parameters a and b at every node."""
    return beta_parameters(*lattice.coordinates())


def beta_parameters(u: FloatArray, v: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Turn logit mean and logit correlation into the parameters a and b of the beta distribution."""
    concentration = np.exp(-v)
    return special.expit(u) * concentration, special.expit(-u) * concentration


def _agree(fine: Marginal, coarse: Marginal, tol: float) -> np.ndarray:
    """Tell for which units halving the step changed nothing that matters."""
    scale = np.maximum(fine.sd, 1e-12)
    means = np.abs(fine.mean - coarse.mean) <= tol * scale
    spreads = np.abs(fine.sd - coarse.sd) <= 10 * tol * scale
    ends = np.maximum(np.abs(fine.lower - coarse.lower), np.abs(fine.upper - coarse.upper))
    return np.asarray(means & spreads & (ends <= QUANTILE_TOL * scale))


def _strided(lattice: grid.Lattice, stride: int) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Give weights, a and b on the lattice or on every other node of it."""
    a, b = _parameters(lattice)
    if stride == 1:
        return lattice.weights, a, b
    return lattice.half(), a[:, ::2, ::2], b[:, ::2, ::2]


def _quantiles(
    curve: Curve, prob: float, mean: FloatArray, sd: FloatArray, low: FloatArray, high: FloatArray
) -> FloatArray:
    """Solve for both interval ends, shape (rows, 2)."""
    levels = np.array([(1 - prob) / 2, (1 + prob) / 2])
    start = matched_quantiles(mean, sd, levels, 0.0, 1.0)
    return solve(curve, levels, start, low, high, tol=np.maximum(1e-4 * sd, 1e-15))


def _moments(
    weights: FloatArray, a: FloatArray, b: FloatArray, estimand: Estimand
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Give posterior mean and sd of an estimand, (units,), and its values at the nodes."""
    values = estimand.from_beta(a, b)
    mean = (weights * values).sum(axis=(1, 2))
    sd = np.sqrt((weights * (values - mean[:, None, None]) ** 2).sum(axis=(1, 2)))
    return mean, sd, values


def _population(
    lattice: grid.Lattice, stride: int, estimand: Estimand, prob: float
) -> Marginal:
    """Posterior of an estimand that is a function of (a, b)."""
    weights, a, b = _strided(lattice, stride)
    mean, sd, values = _moments(weights, a, b, estimand)
    spread = Spread.of(weights, values)
    low, high = spread.ends()
    floor, ceiling = estimand.bounds
    ends = _quantiles(spread.curve(), prob, mean, sd, low, high)
    ends = np.clip(ends, floor, ceiling)
    return Marginal(mean, sd, ends[:, 0], ends[:, 1])


def _observed(
    lattice: grid.Lattice,
    stride: int,
    distinct: DistinctCounts,
    estimand: Estimand,
    prob: float,
) -> Marginal:
    """Posterior of a mean over the observed tasks, given each task's own counts.

    Given (a, b) the tasks are independent, p ~ Beta(a + y, b + n - y), which gives the mean's conditional
    mean and variance exactly. Quantiles take it as beta-distributed given (a, b).
    """
    assert isinstance(estimand, TaskMean)
    weights, a, b = _strided(lattice, stride)
    total, variance = np.zeros(weights.shape), np.zeros(weights.shape)
    tasks = np.zeros(len(lattice.unit))
    for at, n, y, h in _rows_of(distinct, lattice.unit):
        ay, by = a[at] + y[:, None, None], b[at] + (n - y)[:, None, None]
        first = estimand.from_beta(ay, by)
        second = estimand.square_from_beta(ay, by)
        total[at] += h[:, None, None] * first
        variance[at] += h[:, None, None] * np.maximum(second - first**2, 0.0)
        tasks[at] += h
    centre, within = total / tasks[:, None, None], variance / tasks[:, None, None] ** 2
    mean = (weights * centre).sum(axis=(1, 2))
    between = (weights * (centre - mean[:, None, None]) ** 2).sum(axis=(1, 2))
    sd = np.sqrt((weights * within).sum(axis=(1, 2)) + between)
    low, high = estimand.bounds
    spread = Spread.of(weights, centre, variance=within, floor=NEGLIGIBLE)
    size = (len(mean), 1)
    curve = beta_mixture(
        spread.weights, spread.centre, spread.variance, np.full(size, low), np.full(size, high)
    )
    ends = _quantiles(
        curve, prob, mean, sd, np.full(len(mean), low), np.full(len(mean), high)
    )
    return Marginal(mean, sd, ends[:, 0], ends[:, 1])


def _rows_of(
    distinct: DistinctCounts, unit: IntArray
) -> Iterator[tuple[IntArray, FloatArray, FloatArray, FloatArray]]:
    """Give the r-th distinct row of all units that have one: position, n, successes, multiplicity."""
    start = np.searchsorted(distinct.unit, unit, side="left")
    stop = np.searchsorted(distinct.unit, unit, side="right")
    for r in range(int((stop - start).max())):
        at = np.flatnonzero(start + r < stop)
        row = start[at] + r
        yield (
            at,
            distinct.n[row].astype(float),
            distinct.successes[row].astype(float),
            distinct.multiplicity[row].astype(float),
        )


def _cells(
    out: CellMarginal,
    rows: IntArray,
    weights: FloatArray,
    a: FloatArray,
    b: FloatArray,
    prob: float,
    low: float,
    high: float,
) -> None:
    """Fill in the rows of `out` from mixtures of Beta(a, b) with the given weights."""
    centre = a / (a + b)
    mean = (weights * centre).sum(axis=1)
    variance = centre * (1 - centre) / (a + b + 1)
    sd = np.sqrt((weights * (variance + (centre - mean[:, None]) ** 2)).sum(axis=1))
    size = np.ones((len(rows), 1))
    curve = beta_mixture(weights, centre, variance, 0 * size, size)
    ends = _quantiles(curve, prob, mean, sd, np.zeros(len(rows)), np.ones(len(rows)))
    out.mean[rows], out.sd[rows] = mean, sd
    out.lower[rows], out.upper[rows] = ends[:, 0], ends[:, 1]
    out.below[rows] = (weights * beta_cdf(a, b, low)).sum(axis=1)
    out.above[rows] = (weights * beta_cdf(b, a, 1.0 - high)).sum(axis=1)


def observed_draws(
    parts: tuple[TaskMean, ...],
    a: FloatArray,
    b: FloatArray,
    n: IntArray,
    successes: IntArray,
    multiplicity: IntArray,
    rng: np.random.Generator,
) -> list[FloatArray]:
    """Draw the means of kernels over one unit's observed tasks.

    Tasks with equal counts are drawn one by one up to `DRAW_CAP`. More of them are represented by that
    many draws, whose mean is pulled towards its exact expectation so that mean, variance and covariances
    of all kernels are exact; the cost does not depend on the number of tasks.

    Parameters
    ----------
    parts : tuple of TaskMean
        Whose kernels are averaged.
    a, b : (draws,) array
        Draws of the beta parameters.
    n, successes, multiplicity : (rows,) array of int
        Distinct counts.
    rng : numpy.random.Generator
        Consumed alike whatever `parts` are, so that equal seeds give joint draws.

    Returns
    -------
    list of (draws,) ndarray
        One array for each part.
    """
    sums = [np.zeros(len(a)) for _ in parts]
    for trials, wins, tasks in zip(n, successes, multiplicity, strict=True):
        shape = int(min(tasks, DRAW_CAP))
        ay, by = a + wins, b + (trials - wins)
        p = rng.beta(ay, by, size=(shape, len(a)))
        for part, total in zip(parts, sums, strict=True):
            mean = part.kernel(p).mean(axis=0)
            if tasks > DRAW_CAP:
                exact = part.from_beta(ay, by)
                mean = exact + (mean - exact) * np.sqrt(DRAW_CAP / tasks)
            total += tasks * mean
    return [total / multiplicity.sum() for total in sums]
