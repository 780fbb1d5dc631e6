"""The logit-normal posterior on lattices over (location, log scale)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from scipy import special

from .._numerics import FloatArray, IntArray
from ..estimands import Dependable, Estimand, FlickerMass, Reach, SuccessRate, TaskMean
from ..models import LogitNormal
from ..models._logit_integral import log_mean, node_count, nodes
from ..trials import DistinctCounts, Trials
from . import grid
from .clouds import Clouds
from .left_out import evidence_change
from .mixture import Spread, interval
from .mixtures import ends
from .observed import rows_by_rank
from .quadrature import jittered

REACH = 30.0
TAIL = 8.5
"""Standard deviations over which populations are integrated."""
STEP = 0.5
"""Longest step in logits; moments are then exact to 1e-8."""
SIZES = np.array([35, 69, 137, 273, 545, 1089, 4353])
CHANGE = 1e-3
"""Allowed change of the log evidence when the step is doubled; the error is about its square."""
CHUNK = 2**20


def inside(part: TaskMean) -> tuple[float, float] | None:
    """Give the logits between which a share of tasks lies; None for other task means."""
    ends: tuple[float, float] | None = None
    if isinstance(part, Reach):
        ends = part.low, 1.0
    elif isinstance(part, FlickerMass):
        ends = part.low, part.high
    elif isinstance(part, Dependable):
        ends = part.high, 1.0
    if ends is None:
        return None
    low, high = special.logit(ends)
    return float(low), np.inf if ends[1] == 1.0 and not isinstance(part, FlickerMass) else high


@dataclass(frozen=True, eq=False)
class Normals:
    """Normal distributions of the logit, one for each point.

    Attributes
    ----------
    location, scale : (points,) ndarray
        Their means and standard deviations.
    """

    location: FloatArray
    scale: FloatArray

    @property
    def typical(self) -> float:
        """Mean scale, which decides how fine the rule is."""
        return float(self.scale.mean())

    def mean(self, part: TaskMean) -> FloatArray:
        """Mean of a kernel over tasks like these at each point."""
        location, scale = self.location, self.scale
        share = inside(part)
        if share is not None:
            low, high = ((end - location) / scale for end in share)
            flip = low > 0  # both ends in the upper tail: work with its mirror image
            low, high = np.where(flip, -high, low), np.where(flip, -low, high)
            return np.asarray(special.ndtr(high) - special.ndtr(low))
        out = np.empty(len(location))
        bucket = np.searchsorted(SIZES, np.minimum(2 * TAIL * scale / STEP + 1.0, SIZES[-1]))
        for i in np.unique(bucket):
            rows = np.flatnonzero(bucket == i)
            z = np.linspace(-TAIL, TAIL, SIZES[i])
            weight = np.exp(-0.5 * z**2)
            weight /= weight.sum()
            for some in np.array_split(rows, max(1, len(rows) * len(z) // CHUNK)):
                p = special.expit(location[some, None] + scale[some, None] * z)
                out[some] = np.asarray(part.kernel(p)) @ weight
        return out

    def conditional(self, n: int, successes: int) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Logits, weights that sum to one, and steps at each point for a task with these counts."""
        size = np.ones_like(self.location)
        given = (n * size, successes * size, self.location, self.scale)
        eta, logs, step = nodes(*given, node_count(self.typical))
        weight = np.exp(logs - logs.max(axis=1, keepdims=True))
        return eta, weight / weight.sum(axis=1, keepdims=True), step

    def given(self, part: TaskMean, n: int, successes: int) -> tuple[FloatArray, FloatArray]:
        """Mean of a kernel, and of its square, given the counts of a task."""
        eta, weight, step = self.conditional(n, successes)
        share = inside(part)
        if share is None:
            value = np.asarray(part.kernel(special.expit(eta)))
            return (weight * value).sum(axis=1), (weight * value**2).sum(axis=1)
        low, high = (_below(eta, weight, step, end) for end in share)
        chance = np.clip(high - low, 0.0, 1.0)
        return chance, chance

    def place(self, n: int, successes: int, many: int, rng: np.random.Generator) -> FloatArray:
        """Draw p of tasks with these counts, (points, many)."""
        eta, weight, step = self.conditional(n, successes)
        row = np.arange(len(eta))[:, None]
        total = np.cumsum(weight, axis=1) + row
        u = rng.random((len(eta), many)) * (1.0 - 1e-12)
        at = np.searchsorted(total.ravel(), (row + u).ravel(), side="right")
        at = np.minimum(at.reshape(u.shape), (row + 1) * eta.shape[1] - 1)
        return np.asarray(
            special.expit(eta.ravel()[at] + step[:, None] * (rng.random(u.shape) - 0.5))
        )

    def variables(self) -> Mapping[str, FloatArray]:
        """Location and scale."""
        return {"location": self.location, "scale": self.scale}


@dataclass(frozen=True, eq=False)
class NormalCloud(Normals):
    """The posterior of one unit: nodes of a lattice over (location, log scale)."""

    lattice: grid.Lattice
    _memo: dict[tuple[int, int], Any] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, lattice: grid.Lattice) -> NormalCloud:
        """Take the nodes of a lattice of one unit."""
        x, y = (axis.ravel() for axis in lattice.coordinates())
        return cls(x, _scale(y), lattice)

    @cached_property
    def mass(self) -> FloatArray:
        """Weights of the nodes."""
        return np.asarray(self.lattice.weights.ravel())

    @property
    def typical(self) -> float:
        """Posterior mean of the scale."""
        return float(self.mass @ self.scale)

    def conditional(self, n: int, successes: int) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Logits, weights and steps, kept for further questions."""
        if (n, successes) not in self._memo:
            self._memo[n, successes] = super().conditional(n, successes)
        found: tuple[FloatArray, FloatArray, FloatArray] = self._memo[n, successes]
        return found

    def interval(self, estimand: Estimand, values: FloatArray, prob: float) -> tuple[float, float]:  # noqa: ARG002
        """Give the ends of an interval, the nodes spread over their surroundings."""
        table = values.reshape(self.lattice.weights.shape)
        mean = float(self.mass @ values)
        sd = float(np.sqrt(self.mass @ (values - mean) ** 2))
        if sd < 1e-12:
            return mean, mean
        spread = Spread.of(self.lattice.weights, table)
        found = interval(spread.curve(), prob, np.array([mean]), np.array([sd]), *spread.ends())
        return float(found[0, 0]), float(found[0, 1])

    def cell(self, n: int, successes: int, prob: float, low: float, high: float) -> FloatArray:
        """Mean, sd, lower, upper, P(p <= low) and P(p >= high) of a task with these counts."""
        eta, weight, _ = self.conditional(n, successes)
        first, second = self.given(SuccessRate(), n, successes)
        mean = float(self.mass @ first)
        sd = float(np.sqrt(max(float(self.mass @ second) - mean**2, 0.0)))
        limits = ends(eta.ravel(), (self.mass[:, None] * weight).ravel(), prob)
        below = 1.0 - self.mass @ self.given(Reach(low), n, successes)[0]
        above = self.mass @ self.given(Dependable(high), n, successes)[0]
        return np.array([mean, sd, *special.expit(limits), below, above])

    def sample(self, size: int, rng: np.random.Generator) -> Normals:
        """Draw nodes by sharpened weights, and move them by the kernel that these allow for."""
        x, y = jittered(self.lattice, size, rng)
        return Normals(x, _scale(y))


def _scale(log_scale: FloatArray) -> FloatArray:
    """Give standard deviations, kept finite."""
    return np.exp(np.clip(log_scale, -700.0, 700.0))


def _below(eta: FloatArray, weight: FloatArray, step: FloatArray, end: float) -> FloatArray:
    """P(logit <= end) at each point, by integrating the sinc interpolant of the density.

    Exact to the accuracy of the rule itself, also between nodes (Stenger 1993).
    """
    if np.isinf(end):
        return np.full(len(eta), 1.0 if end > 0 else 0.0)
    x = np.clip((end - eta) / step[:, None], -1e6, 1e6)
    chance = 0.5 + special.sici(np.pi * x)[0] / np.pi
    return np.asarray(np.clip((weight * chance).sum(axis=1), 0.0, 1.0))


def log_density(distinct: DistinctCounts, units: int, model: LogitNormal) -> grid.LogDensity:
    """Give the log posterior density of (location, log scale), not normalised."""
    n, y = distinct.n.astype(float), distinct.successes.astype(float)
    choose = -np.log1p(n) - special.betaln(n - y + 1.0, y + 1.0)
    constant = np.bincount(distinct.unit, distinct.multiplicity * choose, minlength=units)

    def density(unit: IntArray, x: FloatArray, v: FloatArray) -> FloatArray:
        out = model.log_prior(x, v) + constant[unit, None]
        scale = np.exp(v)
        for at, trials, wins, tasks in rows_by_rank(distinct, unit):
            many = max(1, len(at) * x.shape[1] // (CHUNK // 65))
            for some in np.array_split(np.arange(len(at)), min(many, len(at))):
                rows = at[some]
                one = np.ones((len(rows), x.shape[1]))
                counts = trials[some, None] * one, wins[some, None] * one
                out[rows] += tasks[some, None] * log_mean(*counts, x[rows], scale[rows])
        return np.asarray(out)

    return density


def infer(trials: Trials, model: LogitNormal, *, seed: int) -> tuple[Clouds, dict[str, Any]]:
    """Fit the logit-normal model by quadrature.

    Parameters
    ----------
    trials : Trials
        The data.
    model : LogitNormal
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
    density = log_density(distinct, len(units), model)
    reach = max(REACH, 8.0 * model.location_sd)
    lattices = settled(density, len(units), reach, lambda i: f"system {units[i]!r}")
    clouds = tuple(NormalCloud.of(lattice) for lattice in lattices)
    evidence = np.array([lattice.log_evidence[0] for lattice in lattices])
    size = max(lattice.nodes for lattice in lattices)
    how = f"deterministic quadrature on up to {size} x {size} nodes a system"
    info = {"method": "quadrature over (location, log scale)", "nodes": size**2}
    return Clouds(clouds, counts, distinct, evidence, how, seed), info


def settled(
    density: grid.LogDensity, units: int, reach: float, names: Any, nodes: int = grid.NODES
) -> list[grid.Lattice]:
    """Lay a lattice for each unit, halving steps until the log evidence stands still."""
    queue = grid.build(density, units, reach=reach, names=names, nodes=nodes)
    out: list[grid.Lattice | None] = [None] * units
    while queue:
        lattice = queue.pop()
        good = (np.abs(evidence_change(lattice)) <= CHANGE) | (lattice.nodes >= grid.MAX_NODES)
        for row in np.flatnonzero(good):
            out[lattice.unit[row]] = lattice.take(np.array([row]))
        if not good.all():
            queue.append(grid.refine(lattice.take(np.flatnonzero(~good)), density, reach))
    return [lattice for lattice in out if lattice is not None]
