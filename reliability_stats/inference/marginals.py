"""Means, sds and intervals from the nodes of a lattice: populations, observed tasks, cells.

Over the observed tasks: given (a, b) they are independent, p ~ Beta(a + y, b + n - y), which gives
mean and variance of a task mean exactly; its distribution given (a, b) is taken as a beta law with
these moments. Functions of several task means (persistence, recovery, correlation) are integrated
over the joint normal law of these means by a Gauss-Hermite rule; where two rules disagree, which
happens with few tasks or means near 0 and 1, the answer is NaN and the caller samples instead.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import special

from .._numerics import FloatArray, IntArray
from ..estimands import Estimand, PassHatK, TaskMean
from ..estimands.thresholds import beta_cdf
from ..trials import DistinctCounts
from . import grid
from .engine import CellMarginal
from .mixture import Spread, beta_mixture, interval
from .observed import rows_by_rank

NEGLIGIBLE = 1e-8
RULE_TOL = 0.02
"""Disagreement of the two Gauss-Hermite rules, in posterior sds, up to which they are used."""


def beta_parameters(u: FloatArray, v: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Turn logit mean and logit correlation into the parameters a and b of the beta law."""
    concentration = np.exp(-v)
    return special.expit(u) * concentration, special.expit(-u) * concentration


def strided(lattice: grid.Lattice, stride: int) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Give weights, a and b on the lattice or on every other node of it."""
    a, b = beta_parameters(*lattice.coordinates(stride))
    return (lattice.weights if stride == 1 else lattice.half()), a, b


def moments(
    weights: FloatArray, a: FloatArray, b: FloatArray, estimand: Estimand
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Give posterior mean and sd of an estimand, (units,), and its values at the nodes."""
    values = np.asarray(estimand.from_beta(a, b))
    mean = (weights * values).sum(axis=(1, 2))
    sd = np.sqrt((weights * (values - mean[:, None, None]) ** 2).sum(axis=(1, 2)))
    return mean, sd, values


def population_interval(
    lattice: grid.Lattice, stride: int, estimand: Estimand, prob: float
) -> tuple[FloatArray, ...]:
    """Mean, sd and interval of an estimand that is a function of (a, b)."""
    weights, a, b = strided(lattice, stride)
    mean, sd, values = moments(weights, a, b, estimand)
    spread = Spread.of(weights, values)
    ends = interval(spread.curve(), prob, mean, sd, *spread.ends())
    ends = np.clip(ends, *estimand.bounds)
    return mean, sd, ends[:, 0], ends[:, 1]


def observed_interval(
    lattice: grid.Lattice, stride: int, estimand: Estimand, prob: float, *, distinct: DistinctCounts
) -> tuple[FloatArray, ...]:
    """Mean, sd and interval over the observed tasks; NaN where they must be sampled."""
    weights, a, b = strided(lattice, stride)
    if isinstance(estimand, TaskMean):
        centre, within = _task_mean(lattice.unit, a, b, estimand, distinct)
        trusted = np.ones(len(lattice.unit), dtype=bool)
    elif all(isinstance(part, PassHatK) for part in estimand.parts):
        law = _joint_moments(lattice.unit, a, b, estimand.parts, distinct)
        centre, within = _hermite(estimand, *law, 3)
        trusted = _rules_agree(weights, (centre, within), _hermite(estimand, *law, 2))
    else:
        return (np.full(len(lattice.unit), np.nan),) * 4
    low, high = estimand.bounds
    safe = trusted[:, None, None]
    centre, within = np.where(safe, centre, 0.5 * (low + high)), np.where(safe, within, 1e-3)
    mean = (weights * centre).sum(axis=(1, 2))
    between = (weights * (centre - mean[:, None, None]) ** 2).sum(axis=(1, 2))
    sd = np.sqrt((weights * within).sum(axis=(1, 2)) + between)
    spread = Spread.of(weights, centre, variance=within, floor=NEGLIGIBLE).merged()
    floor, ceiling = np.full((len(mean), 1), low), np.full((len(mean), 1), high)
    curve = beta_mixture(spread.weights, spread.centre, spread.variance, floor, ceiling)
    ends = interval(curve, prob, mean, sd, floor[:, 0], ceiling[:, 0])
    out = (mean, sd, ends[:, 0], ends[:, 1])
    return tuple(np.where(trusted, values, np.nan) for values in out)


def _task_mean(
    unit: IntArray, a: FloatArray, b: FloatArray, estimand: TaskMean, distinct: DistinctCounts
) -> tuple[FloatArray, FloatArray]:
    """Mean and variance at every node of a mean over the observed tasks."""
    total, variance = np.zeros(a.shape), np.zeros(a.shape)
    tasks = np.zeros(len(unit))
    for at, n, y, h in rows_by_rank(distinct, unit):
        ay, by = a[at] + y[:, None, None], b[at] + (n - y)[:, None, None]
        first = estimand.from_beta(ay, by)
        second = estimand.square_from_beta(ay, by)
        total[at] += h[:, None, None] * first
        variance[at] += h[:, None, None] * np.maximum(second - first**2, 0.0)
        tasks[at] += h
    return total / tasks[:, None, None], variance / tasks[:, None, None] ** 2


def _joint_moments(
    unit: IntArray,
    a: FloatArray,
    b: FloatArray,
    parts: Sequence[TaskMean],
    distinct: DistinctCounts,
) -> tuple[FloatArray, FloatArray]:
    """Means (parts, ...) and covariances (parts, parts, ...) at every node of observed pass^k."""
    orders = [part.k for part in parts if isinstance(part, PassHatK)]
    size = len(orders)
    mean, cov = np.zeros((size, *a.shape)), np.zeros((size, size, *a.shape))
    tasks = np.zeros(len(unit))
    for at, n, y, h in rows_by_rank(distinct, unit):
        ay, by = a[at] + y[:, None, None], b[at] + (n - y)[:, None, None]
        many = h[:, None, None]
        first = [PassHatK(k).from_beta(ay, by) for k in orders]
        for i, k in enumerate(orders):
            mean[i, at] += many * first[i]
            for j in range(i + 1):
                joint = PassHatK(k + orders[j]).from_beta(ay, by) - first[i] * first[j]
                cov[i, j, at] += many * joint
                cov[j, i, at] = cov[i, j, at]
        tasks[at] += h
    return mean / tasks[:, None, None], cov / tasks[:, None, None] ** 2


def _hermite(
    estimand: Estimand, mean: FloatArray, cov: FloatArray, points: int
) -> tuple[FloatArray, FloatArray]:
    """Mean and variance of a function of jointly normal task means, by a tensor rule."""
    nodes, mass = np.polynomial.hermite_e.hermegauss(points)
    mass = mass / mass.sum()
    factor = _cholesky(cov)
    first, second = np.zeros(mean.shape[1:]), np.zeros(mean.shape[1:])
    with np.errstate(all="ignore"):
        for index in np.ndindex(*(points,) * len(mean)):
            x = nodes[list(index)]
            values = estimand.combine(*(mean + np.tensordot(factor, x, axes=(1, 0))))
            first += np.prod(mass[list(index)]) * values
            second += np.prod(mass[list(index)]) * values**2
        return first, np.maximum(second - first**2, 0.0)


def _cholesky(cov: FloatArray) -> FloatArray:
    """Lower Cholesky factors over the leading two axes; zero where nothing varies."""
    moved = np.moveaxis(cov, (0, 1), (-2, -1))
    factor = np.zeros_like(moved)
    for j in range(moved.shape[-1]):
        done = factor[..., j, :j]
        pivot = np.sqrt(np.maximum(moved[..., j, j] - (done**2).sum(-1), 0.0))
        factor[..., j, j] = pivot
        rest = moved[..., j + 1 :, j] - (factor[..., j + 1 :, :j] * done[..., None, :]).sum(-1)
        scale = np.where(pivot > 0, pivot, 1.0)[..., None]
        factor[..., j + 1 :, j] = np.where(pivot[..., None] > 0, rest / scale, 0.0)
    return np.moveaxis(factor, (-2, -1), (0, 1))


def _rules_agree(
    weights: FloatArray, fine: tuple[FloatArray, ...], coarse: tuple[FloatArray, ...]
) -> np.ndarray:
    """Tell for which units both rules give nearly the same posterior mean and sd."""
    results = []
    with np.errstate(invalid="ignore"):
        for centre, within in (fine, coarse):
            mean = (weights * centre).sum(axis=(1, 2))
            second = (weights * (within + (centre - mean[:, None, None]) ** 2)).sum(axis=(1, 2))
            results.append((mean, np.sqrt(second)))
        (mean, sd), (other, other_sd) = results
        near = (np.abs(mean - other) <= RULE_TOL * sd) & (np.abs(sd - other_sd) <= RULE_TOL * sd)
        return np.asarray(near & np.isfinite(fine[0]).all(axis=(1, 2)))


def fill_cells(
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
    zero, one = np.zeros((len(rows), 1)), np.ones((len(rows), 1))
    curve = beta_mixture(weights, centre, variance, zero, one)
    ends = interval(curve, prob, mean, sd, zero[:, 0], one[:, 0])
    out.mean[rows], out.sd[rows] = mean, sd
    out.lower[rows], out.upper[rows] = ends[:, 0], ends[:, 1]
    out.below[rows] = (weights * beta_cdf(a, b, low)).sum(axis=1)
    out.above[rows] = (weights * beta_cdf(b, a, 1.0 - high)).sum(axis=1)
