"""Joint law of the old and the new success probability of a task, by quadrature.

With theta ~ G, G the law of the logit of a beta variable with mean mu and correlation rho, a task
either moves with the rest, which has probability 1 - w,

    logit p_old = theta - delta / 2,  logit p_new = theta + delta / 2,  delta ~ N(m, s),

or is drawn anew: logit p_old = theta - m / 2 and logit p_new = theta' + m / 2 with theta and theta'
independent. With m and s near 0, tasks that are not drawn anew keep their probability, and all
their flips are flicker. There is no atom there: with few trials small changes of many tasks leave
no trace, and half of the prior on "exactly none" would turn that silence into certainty. Exchanging
old and new changes the sign of m and nothing else.

Priors: mu, rho, w uniform on (0, 1), m ~ N(0, 1), s ~ half-normal with scale 1/2. The five are
summed over a grid that is moved and refined until it fits the posterior.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy import special

from .._numerics import FloatArray, IntArray
from ..exceptions import ModelError

REACH = 10.0
"""Largest logit; mass beyond it is put there."""
SHIFT_REACH = 8.0
SHIFT_SCALE, SPREAD_SCALE = 1.0, 0.5
LIMITS = {
    "mean": (-7.0, 7.0),
    "icc": (-7.0, 7.0),
    "shift": (-4.0, 4.0),
    "spread": (-4.0, 1.0),
    "redrawn": (-8.0, 8.0),
}
"""Ends of the axes: logits of the mean, the correlation and the share, m, and log s."""
NODES = {"mean": 9, "icc": 9, "shift": 9, "spread": 6, "redrawn": 9}
PASSES = 8
CHUNK = 4_000_000
MAX_TERMS = 3e9
NEGLIGIBLE = 1e-5
BINS = 2001
"""Bins of the change on [-1, 1]."""


@dataclass(frozen=True)
class Pairs:
    """Distinct counts of paired tasks.

    Attributes
    ----------
    n0, y0, n1, y1, many : (pairs,) ndarray of int
        Trials and successes before and after, and number of tasks alike.
    row : (tasks,) ndarray of int
        Distinct pair of each task.
    """

    n0: IntArray
    y0: IntArray
    n1: IntArray
    y1: IntArray
    many: IntArray
    row: IntArray

    @classmethod
    def of(cls, n0: IntArray, y0: IntArray, n1: IntArray, y1: IntArray) -> Pairs:
        """Find the distinct pairs."""
        keys = np.stack([n0, y0, n1, y1])
        distinct, row, many = np.unique(keys, axis=1, return_inverse=True, return_counts=True)
        n0, y0, n1, y1 = distinct
        return cls(n0, y0, n1, y1, many, row.ravel())


@dataclass(frozen=True)
class PairLaw:
    """Posterior of the joint law, and of the change of every distinct pair.

    Attributes
    ----------
    change : (pairs, BINS) ndarray
        Posterior mass of p_new - p_old in even bins of [-1, 1].
    mean, worse, better : (pairs,) ndarray
        Posterior mean of the change, and the probabilities that it lies below minus the margin and
        above the margin.
    shift, redrawn : tuple of float
        Posterior mean and sd of m, and of w.
    """

    change: FloatArray
    mean: FloatArray
    worse: FloatArray
    better: FloatArray
    shift: tuple[float, float]
    redrawn: tuple[float, float]


class _Likelihood:
    """Likelihood of pairs on the grids of theta and delta, made in chunks of pairs."""

    def __init__(self, pairs: Pairs) -> None:
        largest = float(max(pairs.n0.max(), pairs.n1.max()))
        step = min(0.15, 1.5 / np.sqrt(largest))
        half = int(np.ceil(REACH / step))
        self.theta = REACH / half * np.arange(-half, half + 1, dtype=np.float64)
        half = int(np.ceil(SHIFT_REACH / min(0.2, 2.5 / np.sqrt(largest))))
        self.delta = SHIFT_REACH / half * np.arange(-half, half + 1, dtype=np.float64)
        terms = float(len(pairs.many)) * len(self.theta) * len(self.delta)
        if terms > MAX_TERMS:
            raise ModelError(
                f"{len(pairs.many):,} distinct pairs of counts with up to {largest:,.0f} trials "
                f"need {terms:.0e} terms, more than {MAX_TERMS:.0e}. Compare fewer tasks at a "
                "time, or fewer trials of each."
            )
        self.pairs = pairs
        self.size = max(1, CHUNK // (len(self.theta) * len(self.delta)))
        at = self.theta[:, None] + self.delta / 2
        self.old, self.new = special.expit(at[:, ::-1]), special.expit(at)
        parts = [special.log_expit(sign * x).ravel() for x in (at[:, ::-1], at) for sign in (1, -1)]
        self.logs = np.stack(parts)

    def _counts(self, part: slice) -> FloatArray:
        p = self.pairs
        columns = (p.y0[part], (p.n0 - p.y0)[part], p.y1[part], (p.n1 - p.y1)[part])
        return np.asarray(np.stack(columns, axis=1), dtype=float)

    def chunks(self) -> Iterator[tuple[slice, FloatArray, FloatArray, FloatArray]]:
        """Give pairs, their joint likelihood, that of the old and of the new counts, scaled."""
        logs = [special.log_expit(sign * self.theta) for sign in (1, -1)]
        for start in range(0, len(self.pairs.many), self.size):
            part = slice(start, start + self.size)
            counts = self._counts(part)
            joint = counts @ self.logs
            top = joint.max(axis=1, keepdims=True)
            old, new = (counts[:, 2 * i : 2 * i + 2] @ np.stack(logs) for i in (0, 1))
            shape = (len(counts), len(self.theta), len(self.delta))
            yield (
                part,
                np.exp(joint - top).reshape(shape),
                np.exp(old - old.max(axis=1, keepdims=True)),
                np.exp(new + old.max(axis=1, keepdims=True) - top),
            )


class _Grid:
    """Nodes of the five parameters, their prior, and the laws that they imply."""

    def __init__(self, axes: dict[str, FloatArray], theta: FloatArray, delta: FloatArray) -> None:
        self.axes = axes
        mean, icc = (axes[name] for name in ("mean", "icc"))
        a = special.expit(mean)[:, None] * np.exp(-icc)
        b = special.expit(-mean)[:, None] * np.exp(-icc)
        self.a, self.b = a.ravel(), b.ravel()
        self.shifts = axes["shift"]
        self.theta_mass = self._masses(theta, np.zeros(1))[:, :, 0]
        self.old_mass = self._masses(theta, self.shifts / 2)
        self.new_mass = self._masses(theta, -self.shifts / 2)
        # A node of m stands for its cell: else a narrow posterior could fall between nodes.
        cell = (axes["shift"][1] - axes["shift"][0]) ** 2 / 12
        spread = np.sqrt(np.exp(2 * axes["spread"]) + cell)
        m, s = (x.ravel() for x in np.meshgrid(axes["shift"], spread, indexing="ij"))
        self.delta_mass = _hats(delta, m, s)
        self.of_shift = np.repeat(np.arange(len(axes["shift"])), len(axes["spread"]))
        self.w = special.expit(axes["redrawn"])
        self.log_prior = self._prior()

    def _masses(self, theta: FloatArray, offsets: FloatArray) -> FloatArray:
        """Mass of theta - offset near each node, (nodes, laws, offsets).

        The distribution function is interpolated between nodes, which spreads mass over a cell.
        """
        step = theta[1] - theta[0]
        most = int(np.ceil(np.abs(offsets).max() / step)) + 1
        first = theta[0] + step / 2 - most * step
        edges = first + step * np.arange(len(theta) - 1 + 2 * most)
        x = special.expit(edges)[:, None]
        below = special.betainc(self.a, self.b, x)
        place = most + offsets / step
        whole = np.minimum(place.astype(np.int64), 2 * most - 1)
        at = whole + np.arange(len(theta) - 1)[:, None]
        part = (place - whole)[None, :, None]
        inside = below[at] * (1 - part) + below[at + 1] * part
        end = np.zeros((1, *inside.shape[1:]))
        mass = np.diff(np.concatenate([end, inside, end + 1]), axis=0)
        return np.ascontiguousarray(mass.transpose(0, 2, 1))

    def _prior(self) -> FloatArray:
        """Log prior mass of (law, shift and spread, redrawn)."""
        x = self.axes
        step = {name: np.log(v[1] - v[0]) for name, v in x.items()}

        def uniform(v: FloatArray, name: str) -> FloatArray:
            return np.asarray(special.log_expit(v) + special.log_expit(-v) + step[name])

        law = (uniform(x["mean"], "mean")[:, None] + uniform(x["icc"], "icc")).ravel()
        m = -0.5 * (x["shift"] / SHIFT_SCALE) ** 2 - np.log(SHIFT_SCALE * np.sqrt(2 * np.pi))
        s = np.exp(x["spread"])
        sd = 0.5 * np.log(2 / np.pi) - np.log(SPREAD_SCALE) - 0.5 * (s / SPREAD_SCALE) ** 2
        moved = (m + step["shift"])[:, None] + sd + np.log(s) + step["spread"]
        w = uniform(x["redrawn"], "redrawn")
        return np.asarray(law[:, None, None] + moved.ravel()[:, None] + w)


def _hats(delta: FloatArray, m: FloatArray, s: FloatArray) -> FloatArray:
    """Share a normal law among nodes by linear interpolation, exactly, (nodes, laws)."""
    step = delta[1] - delta[0]
    x = np.concatenate([[delta[0] - step], delta, [delta[-1] + step]])[:, None]
    z = (x - m) / s
    integral = (x - m) * special.ndtr(z) + s * np.exp(-0.5 * z**2) / np.sqrt(2 * np.pi)
    mass = np.maximum(np.diff(integral, n=2, axis=0) / step, 0.0)
    return np.asarray(mass / mass.sum(axis=0))


def _evidence(grid: _Grid, likelihood: _Likelihood) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Log posterior of the nodes, and the likelihood of each pair if moved and if drawn anew."""
    pairs = likelihood.pairs
    total = grid.log_prior.copy()
    moved = np.empty((len(pairs.many), *total.shape[:2]))
    anew = np.empty((len(pairs.many), total.shape[0], len(grid.shifts)))
    for part, joint, old, new in likelihood.chunks():
        moved[part] = np.matmul(grid.theta_mass.T, joint @ grid.delta_mass)
        anew[part] = np.tensordot(old, grid.old_mass, 1) * np.tensordot(new, grid.new_mass, 1)
    tiny = np.finfo(float).tiny
    for d, many in enumerate(pairs.many):
        both = moved[d][..., None] * (1 - grid.w)
        both += anew[d][:, grid.of_shift, None] * grid.w
        total += many * np.log(np.maximum(both, tiny))
    return total, moved, anew


def _moments(grid: _Grid, post: FloatArray) -> dict[str, tuple[float, float]]:
    """Posterior mean and sd of each parameter, on the scale of its axis."""
    sizes = [NODES[name] for name in ("mean", "icc")]
    law = post.sum(axis=(1, 2)).reshape(sizes)
    moved = post.sum(axis=(0, 2)).reshape(NODES["shift"], NODES["spread"])
    marginal = {"mean": law.sum(1), "icc": law.sum(0), "redrawn": post.sum(axis=(0, 1))}
    marginal |= {"shift": moved.sum(1), "spread": moved.sum(0)}
    out = {}
    for name, mass in marginal.items():
        out[name] = _spread(grid.axes[name], mass / max(float(mass.sum()), np.finfo(float).tiny))
    return out


def _refined(grid: _Grid, post: FloatArray) -> tuple[dict[str, FloatArray], bool]:
    """Move the axes to where the posterior lies; say whether they were there before."""
    axes, settled = {}, True
    for name, (centre, sd) in _moments(grid, post).items():
        old = grid.axes[name]
        low, high = LIMITS[name]
        step = float(old[1] - old[0])
        reach = max(3.5 * sd, 1.2 * step)
        low, high = max(low, centre - reach), min(high, centre + reach)
        axes[name] = np.linspace(low, high, NODES[name])
        settled &= 0.8 * (old[-1] - old[0]) < high - low < 1.25 * (old[-1] - old[0])
    return axes, settled


def pair_law(pairs: Pairs, margin: float) -> PairLaw:
    """Compute the posterior of the joint law and of the change of each task.

    Parameters
    ----------
    pairs : Pairs
        At least one.
    margin : float in [0, 1)
        Change that counts.
    """
    likelihood = _Likelihood(pairs)
    axes = {name: np.linspace(*limit, NODES[name]) for name, limit in LIMITS.items()}
    for _ in range(PASSES):
        grid = _Grid(axes, likelihood.theta, likelihood.delta)
        log_post, moved, anew = _evidence(grid, likelihood)
        post = np.exp(log_post - special.logsumexp(log_post))
        axes, settled = _refined(grid, post)
        if settled:
            break
    change, mean, worse, better = _changes(grid, likelihood, post, moved, anew, margin)
    moments = _moments(grid, post)
    redrawn = _spread(grid.w, post.sum(axis=(0, 1)))
    return PairLaw(change, mean, worse, better, moments["shift"], redrawn)


def _spread(values: FloatArray, mass: FloatArray) -> tuple[float, float]:
    """Mean and sd."""
    mean = float(mass @ values)
    return mean, float(np.sqrt(mass @ (values - mean) ** 2))


def _changes(
    grid: _Grid,
    likelihood: _Likelihood,
    post: FloatArray,
    moved: FloatArray,
    anew: FloatArray,
    margin: float,
) -> tuple[FloatArray, ...]:
    """Distribution of the change of each pair, averaged over the nodes."""
    size = len(likelihood.pairs.many)
    change = np.zeros((size, BINS))
    mean, worse, better = (np.zeros(size) for _ in range(3))
    edge = np.sort(special.expit(likelihood.theta))
    apart = edge[None, :] - edge[:, None]
    tables = [_Table(likelihood.new - likelihood.old, margin), _Table(apart, margin)]
    tiny = np.finfo(float).tiny
    for part, joint, old, new in likelihood.chunks():
        for i, d in enumerate(range(size)[part]):
            both = moved[d][..., None] * (1 - grid.w)
            both += anew[d][:, grid.of_shift, None] * grid.w
            share = post / np.maximum(both, tiny)
            stay = share @ (1 - grid.w)
            leave = np.zeros((len(share), len(grid.shifts)))
            np.add.at(leave.T, grid.of_shift, (share @ grid.w).T)
            masses = [
                joint[i] * (grid.theta_mass @ stay @ grid.delta_mass.T),
                _anew(grid, leave, leave * anew[d], old[i], new[i]),
            ]
            total = sum(float(mass.sum()) for mass in masses)
            for table, mass in zip(tables, masses, strict=True):
                flat = mass.ravel() / total
                change[d] += np.bincount(table.bins, weights=flat, minlength=BINS)
                mean[d] += flat @ table.value
                worse[d] += flat @ table.worse
                better[d] += flat @ table.better
    return change, mean, worse, better


def _anew(
    grid: _Grid, leave: FloatArray, weight: FloatArray, old: FloatArray, new: FloatArray
) -> FloatArray:
    """Posterior mass of (old, new) logits of a task drawn anew, unscaled."""
    law, shift = np.nonzero(weight > NEGLIGIBLE * weight.max())
    before = grid.old_mass[:, law, shift] * leave[law, shift]
    return np.asarray(old[:, None] * (before @ grid.new_mass[:, law, shift].T) * new)


class _Table:
    """Bins of the change, and whether it counts, at each node."""

    def __init__(self, change: FloatArray, margin: float) -> None:
        self.value = change.ravel()
        self.bins = np.rint((self.value + 1) / 2 * (BINS - 1)).astype(np.int64)
        self.worse = (self.value < -margin).astype(float)
        self.better = (self.value > margin).astype(float)
