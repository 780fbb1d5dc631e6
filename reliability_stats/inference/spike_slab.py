"""The posterior of spikes and a slab: shares given the slab, on lattices nested in one another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import special

from .._numerics import FloatArray, IntArray
from ..estimands import Estimand, SuccessRate, TaskMean
from ..estimands.thresholds import beta_cdf
from ..models import SpikeSlab
from ..models.beta_binomial import LogLikelihood
from ..models.spike_slab import rows_alone
from ..trials import DistinctCounts, Trials
from . import grid
from .clouds import Clouds
from .logit_normal import settled
from .marginals import beta_parameters
from .mixture import KERNEL, beta_mixture, sharpen, solve
from .mixtures import ends
from .quadrature import chosen

REACH = 60.0
KEEP = 1e-9
"""Share of the largest weight below which points are left out."""
EXACT = 500
"""Tasks up to which shares are integrated out by a finite sum, without overflow."""


@dataclass(frozen=True, eq=False)
class Mixed:
    """Spikes at 0 and 1 and beta distributions, one mixture for each point.

    Attributes
    ----------
    zero, one, between : (points,) ndarray
        Shares.
    slab : (points,) ndarray of int
        Which beta distribution.
    u, v : (slabs,) ndarray
        Logit mean and logit correlation of the beta distributions.
    """

    zero: FloatArray
    one: FloatArray
    between: FloatArray
    slab: IntArray
    u: FloatArray
    v: FloatArray

    @property
    def beta(self) -> tuple[FloatArray, FloatArray]:
        """Parameters of the beta distributions."""
        return beta_parameters(self.u, self.v)

    def mean(self, part: TaskMean) -> FloatArray:
        """Mean of a kernel over tasks like these at each point."""
        low, high = _at_ends(part)
        slab = np.asarray(part.from_beta(*self.beta))[self.slab]
        return np.asarray(self.zero * low + self.one * high + self.between * slab)

    def shares(self, n: int, successes: int) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Chances that a task with these counts is at 0, at 1, or between; (points,) each."""
        row = rows_alone(np.array([n]), np.array([successes]))
        slab = np.exp(row(np.array([0]), self.u[None], self.v[None])[0])[self.slab]
        zero = self.zero * (successes == 0)
        one = self.one * (successes == n)
        between = np.maximum(self.between * slab, 1e-300)
        total = zero + one + between
        return zero / total, one / total, between / total

    def given(self, part: TaskMean, n: int, successes: int) -> tuple[FloatArray, FloatArray]:
        """Mean of a kernel, and of its square, given the counts of a task."""
        zero, one, between = self.shares(n, successes)
        a, b = self.beta
        after = a + successes, b + (n - successes)
        low, high = _at_ends(part)
        first = np.asarray(part.from_beta(*after))[self.slab]
        second = np.asarray(part.square_from_beta(*after))[self.slab]
        mean = zero * low + one * high + between * first
        return mean, zero * low**2 + one * high**2 + between * second

    def place(self, n: int, successes: int, many: int, rng: np.random.Generator) -> FloatArray:
        """Draw p of tasks with these counts, (points, many)."""
        zero, one, _ = (share[:, None] for share in self.shares(n, successes))
        a, b = (x[self.slab][:, None] for x in self.beta)
        shape = len(self.slab), many
        p = rng.beta(a + successes, b + (n - successes), shape)
        u = rng.random(shape)
        return np.where(u < zero, 0.0, np.where(u < zero + one, 1.0, p))

    def variables(self) -> Mapping[str, FloatArray]:
        """Shares at 0 and 1, mean and correlation of the tasks between."""
        mean, icc = special.expit(self.u)[self.slab], special.expit(self.v)[self.slab]
        return {"zero": self.zero, "one": self.one, "slab_mean": mean, "slab_icc": icc}


def _at_ends(part: TaskMean) -> tuple[float, float]:
    """Kernel at 0 and at 1."""
    low, high = np.asarray(part.kernel(np.array([0.0, 1.0])), dtype=float)
    return float(low), float(high)


@dataclass(frozen=True, eq=False)
class SpikeCloud(Mixed):
    """The posterior of one unit: nodes of lattices over the shares, one for each slab."""

    mass: FloatArray
    outer: grid.Lattice
    inner: grid.Lattice
    model: SpikeSlab

    @classmethod
    def of(cls, outer: grid.Lattice, inner: grid.Lattice, model: SpikeSlab) -> SpikeCloud:
        """Take the nodes of the lattice of the slab, and of those of the shares given each."""
        x, w = (axis.ravel() for axis in outer.coordinates())
        weight = outer.weights.ravel()[inner.unit][:, None, None] * inner.weights
        slab, i, j = np.nonzero(weight > KEEP * weight.max())
        mass = weight[slab, i, j]
        f, q = (axis[slab, i, j] for axis in inner.coordinates())
        kept = inner.unit
        shares = _shares(f, q)
        return cls(
            *shares, slab, x[kept], model.logit_icc(w[kept]), mass / mass.sum(), outer, inner, model
        )

    def interval(self, estimand: Estimand, values: FloatArray, prob: float) -> tuple[float, float]:  # noqa: ARG002
        """Give the ends of the interval of values at the points."""
        return ends(values, self.mass, prob)

    def cell(self, n: int, successes: int, prob: float, low: float, high: float) -> FloatArray:
        """Mean, sd, lower, upper, P(p <= low) and P(p >= high) of a task with these counts."""
        zero, one, between = (share @ self.mass for share in self.shares(n, successes))
        spread = self.shares(n, successes)[2] * self.mass
        weight = np.bincount(self.slab, weights=spread, minlength=len(self.u))
        a, b = self.beta
        a, b = a + successes, b + (n - successes)
        first, second = self.given(SuccessRate(), n, successes)
        mean = float(first @ self.mass)
        sd = float(np.sqrt(max(float(second @ self.mass) - mean**2, 0.0)))
        below = zero + weight @ beta_cdf(a, b, low) + one * (low >= 1)
        above = one + weight @ beta_cdf(b, a, 1.0 - high) + zero * (high <= 0)
        levels = np.array([(1 - prob) / 2, (1 + prob) / 2])
        limits = np.where(levels <= zero, 0.0, 1.0)
        open_ = (levels > zero) & (levels < 1.0 - one)
        if open_.any():
            centre = a / (a + b)
            variance = centre * (1 - centre) / (a + b + 1)
            end = np.zeros((1, 1)), np.ones((1, 1))
            curve = beta_mixture((weight / weight.sum())[None], centre[None], variance[None], *end)
            inside = (levels[open_] - zero) / between
            start = np.full((1, len(inside)), float(weight @ centre / weight.sum()))
            tol = np.array([1e-6])
            limits[open_] = solve(curve, inside, start, end[0][0], end[1][0], tol=tol)[0]
        return np.array([mean, sd, *limits, below, above])

    def sample(self, size: int, rng: np.random.Generator) -> Mixed:
        """Draw a slab and then shares by sharpened weights, and move them by the kernel."""
        outer = np.zeros(self.outer.nodes**2)
        kept = self.inner.unit
        outer[kept] = np.maximum(sharpen(self.outer.weights), 0.0).ravel()[kept]
        row = np.searchsorted(kept, chosen(outer, size, rng))
        x, w = _moved(self.outer, np.zeros(size, dtype=np.int64), kept[row], rng)
        sharp = np.maximum(sharpen(self.inner.weights), 0.0).reshape(len(kept), -1)
        total = np.cumsum(sharp / sharp.sum(axis=1, keepdims=True), axis=1)
        place = np.arange(len(kept))[:, None] + total
        u = (row + rng.random(size) * (1.0 - 1e-12))[:, None]
        node = np.searchsorted(place.ravel(), u.ravel(), side="right") - row * sharp.shape[1]
        node = np.clip(node, 0, sharp.shape[1] - 1)
        f, q = _moved(self.inner, row, node, rng)
        return Mixed(*_shares(f, q), np.arange(size), x, self.model.logit_icc(w))


def _moved(
    lattice: grid.Lattice, row: IntArray, node: IntArray, rng: np.random.Generator
) -> tuple[FloatArray, FloatArray]:
    """Give coordinates of nodes of some rows, moved by the kernel."""
    first, second = grid.axes(lattice.box, lattice.nodes)
    steps, moved = lattice.steps()[row], KERNEL * rng.standard_normal((2, len(row)))
    t1 = first[row, node // lattice.nodes] + moved[0] * steps[:, 0]
    t2 = second[row, node % lattice.nodes] + moved[1] * steps[:, 1]
    x, y = grid.place(lattice.centre[row], lattice.shear[row], t1[:, None], t2[:, None])
    return x[:, 0], y[:, 0]


def _shares(f: FloatArray, q: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Shares at 0, at 1 and between, from logits of the last and of zeros among the others."""
    spikes = special.expit(-f)
    return spikes * special.expit(q), spikes * special.expit(-q), special.expit(f)


@dataclass(frozen=True, eq=False)
class Problem:
    """The likelihood of all units: shares and slab."""

    model: SpikeSlab
    distinct: DistinctCounts
    rows: LogLikelihood
    units: Sequence[str]

    def rank(self, unit: IntArray) -> list[tuple[IntArray, IntArray]]:
        """Positions among the units, and rows, of the first, second, ... row of each unit."""
        start = np.searchsorted(self.distinct.unit, unit, side="left")
        stop = np.searchsorted(self.distinct.unit, unit, side="right")
        most = int((stop - start).max())
        at = [np.flatnonzero(start + r < stop) for r in range(most)]
        return [(some, start[some] + r) for r, some in enumerate(at)]

    def shares_given(self, unit: IntArray, u: FloatArray, w: FloatArray) -> list[grid.Lattice]:
        """Lay lattices over the shares, given one slab for each entry; all of shape (entries,)."""
        d, slab = self.distinct, []
        for at, row in self.rank(unit):
            slab.append((at, row, self.rows(row, u[at, None], self.model.logit_icc(w)[at, None])))

        def density(entry: IntArray, x: FloatArray, y: FloatArray) -> FloatArray:
            between, spikes = -np.logaddexp(0.0, -x), -np.logaddexp(0.0, x)
            zero, one = spikes - np.logaddexp(0.0, -y), spikes - np.logaddexp(0.0, y)
            out = self.model.log_prior_shares(x, y)
            for at, row, logs in slab:
                where = np.searchsorted(at, entry)
                where = np.minimum(where, len(at) - 1)
                mine = np.flatnonzero(at[where] == entry)
                r, log = row[where[mine]], between[mine] + logs[where[mine]]
                none, all_ = d.successes[r] == 0, d.successes[r] == d.n[r]
                log[none] = np.logaddexp(log[none], zero[mine][none])
                log[all_] = np.logaddexp(log[all_], one[mine][all_])
                out[mine] += d.multiplicity[r][:, None] * log
            return np.asarray(out)

        def name(entry: int) -> str:
            return f"system {self.units[unit[entry]]!r}"

        return grid.build(density, len(unit), reach=REACH, names=name)

    def density(self, unit: IntArray, u: FloatArray, w: FloatArray) -> FloatArray:
        """Log posterior density of the slab, the shares integrated out."""
        evidence = np.empty(u.shape)
        tasks = np.bincount(self.distinct.unit, self.distinct.multiplicity)[unit]
        for at in np.flatnonzero(tasks <= EXACT):
            evidence[at] = self.summed(unit[at], u[at], w[at])
        many = np.flatnonzero(tasks > EXACT)
        if len(many):
            entry = np.repeat(unit[many], u.shape[1])
            found = self.shares_given(entry, u[many].ravel(), w[many].ravel())
            logs = np.concatenate([lattice.log_evidence for lattice in found])
            evidence[many] = logs.reshape(len(many), -1)
        return self.model.log_prior_slab(u, w) + evidence

    def summed(self, unit: int, u: FloatArray, w: FloatArray) -> FloatArray:
        """Log evidence of one unit given slabs, (points,): the shares integrated out by a sum.

        A task without success is at 0 or between. If i of these are at 0, and j of those without
        failure at 1, the shares contribute a Dirichlet moment; how many ways there are, weighted by
        the slab, are the coefficients of a polynomial.
        """
        d = self.distinct
        rows = np.flatnonzero(d.unit == unit)
        logs = self.rows(
            rows, np.tile(u, (len(rows), 1)), np.tile(self.model.logit_icc(w), (len(rows), 1))
        )
        tasks = d.multiplicity[rows]
        none, all_ = d.successes[rows] == 0, d.successes[rows] == d.n[rows]
        ways = [polynomial(logs[kind], tasks[kind]) for kind in (none, all_)]
        rest = ~(none | all_)
        zero, one, between = self.model.weights
        i, j = np.arange(ways[0].shape[1])[:, None], np.arange(ways[1].shape[1])
        moment = special.gammaln(zero + i) + special.gammaln(one + j)
        moment = moment + special.gammaln(between + tasks.sum() - i - j)
        top = moment.max()
        with np.errstate(divide="ignore"):
            total = np.log(np.einsum("pi,pi->p", ways[0] @ np.exp(moment - top), ways[1]))
        weights = np.array([zero, one, between])
        total += top - special.gammaln(weights.sum() + tasks.sum())
        total += special.gammaln(weights.sum()) - special.gammaln(weights).sum()
        return np.asarray(total + tasks[rest] @ logs[rest])


def polynomial(logs: FloatArray, tasks: IntArray) -> FloatArray:
    """Coefficients of the product over rows of (z + exp(log))^tasks, (points, degree + 1)."""
    out = np.ones((logs.shape[1], 1))
    for log, many in zip(logs, tasks.tolist(), strict=True):
        power = np.arange(many + 1)
        choose = -np.log1p(many) - special.betaln(many - power + 1.0, power + 1.0)
        row = np.exp(choose + (many - power) * log[:, None])
        new = np.zeros((len(out), out.shape[1] + many))
        short, long = (row, out) if row.shape[1] < out.shape[1] else (out, row)
        for k in range(short.shape[1]):
            new[:, k : k + long.shape[1]] += short[:, k : k + 1] * long
        out = new
    return out


def infer(trials: Trials, model: SpikeSlab, *, seed: int) -> tuple[Clouds, dict[str, Any]]:
    """Fit spikes and a slab by nested quadrature.

    Parameters
    ----------
    trials : Trials
        The data.
    model : SpikeSlab
        Its priors.
    seed : int
        Seed of the draws.

    Returns
    -------
    engine : Clouds
    info : dict
    """
    counts = trials.counts
    units, distinct = counts.units, counts.distinct()
    problem = Problem(model, distinct, rows_alone(distinct.n, distinct.successes), units)
    lattices = settled(problem.density, len(units), REACH, lambda i: f"system {units[i]!r}")
    clouds = []
    for unit, outer in enumerate(lattices):
        weights = outer.weights.ravel()
        kept = np.flatnonzero(weights > KEEP * weights.max())
        x, w = (axis.ravel()[kept] for axis in outer.coordinates())
        parts = problem.shares_given(np.full(len(kept), unit), x, w)
        clouds.append(SpikeCloud.of(outer, _joined(parts, kept), model))
    evidence = np.array([lattice.log_evidence[0] for lattice in lattices])
    size = max(lattice.nodes for lattice in lattices)
    inner = clouds[0].inner.nodes
    how = f"nested quadrature on up to {size} x {size} x {inner} x {inner} nodes a system"
    info = {"method": "nested quadrature over slab and shares", "nodes": size**2 * inner**2}
    return Clouds(tuple(clouds), counts, distinct, evidence, how, seed), info


def _joined(parts: Sequence[grid.Lattice], unit: IntArray) -> grid.Lattice:
    """Put groups of lattices together, with units of their own."""
    names = ("centre", "shear", "box", "weights", "log_evidence")
    return grid.Lattice(unit, *(np.concatenate([getattr(p, n) for p in parts]) for n in names))
