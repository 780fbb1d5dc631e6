"""The posterior of every cell on a fine set of success probabilities, for any way of inference."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import special

from .._numerics import FloatArray, IntArray
from ..inference.engine import CellMarginal
from ..posterior import Posterior
from ._states import Bounds

EDGES = (0.0, 0.005, 0.02, 0.05, 0.15, 0.21, 0.29, 0.39)
PARTS = 6
"""Pieces of each interval between edges; the distribution function is interpolated inside."""
SCHEDULE = (
    *(1, 2, 3, 4, 5, 6, 8, 10, 12, 16, 20, 24, 28, 32, 40, 48, 56, 64, 80, 96, 128, 160, 192, 256),
    *(320, 384, 512, 640, 768, 1000),
)
"""Numbers of further trials that are tried out."""
CHUNK = 1_000


@dataclass(frozen=True, eq=False)
class CellLaw:
    """Probabilities of success probabilities, for each distinct cell.

    Attributes
    ----------
    p : (nodes,) ndarray
        Success probabilities, with atoms at 0 and 1.
    mass : (rows, nodes) ndarray
        Posterior probabilities; rows sum to 1.
    row_of_cell : (cells,) ndarray of int
        Row of each cell.
    """

    p: FloatArray
    mass: FloatArray
    row_of_cell: IntArray

    @classmethod
    def of(cls, posts: Sequence[Posterior], bounds: Bounds) -> CellLaw:
        """Ask each posterior for its distribution function at many points, and average."""
        edges = _edges(bounds)
        masses = []
        distinct = posts[0].trials.counts.distinct()
        first = np.zeros(len(distinct), dtype=np.int64)
        first[distinct.row_of_cell[::-1]] = np.arange(len(distinct.row_of_cell))[::-1]
        rows, shared = first, distinct.row_of_cell
        for post in posts:
            at = _distribution(post, edges, bounds)
            if not np.allclose(at[0][first][distinct.row_of_cell], at[0], rtol=0, atol=1e-12):
                rows = shared = np.arange(len(at[0]))
            masses.append(at)
        nodes, pieces = _pieces(edges, [(cdf[rows], atom[rows]) for cdf, atom in masses])
        return cls(nodes, pieces, shared)

    def from_states(self, bounds: Bounds) -> FloatArray:
        """E[p; state] of each cell, shape (3, cells): its share of the score by state."""
        parts = (self.mass * self.p) @ bounds.weights(self.p).T
        return np.asarray(parts.T[:, self.row_of_cell])

    def further_trials(self, bounds: Bounds, fdr: float) -> FloatArray:
        """Trials after which a state is more likely than not to be settled, for each cell.

        Settled means that a state has posterior probability 1 - fdr; outcomes of the further trials
        follow the posterior predictive distribution. NaN beyond 1000.
        """
        rows = self.mass
        out = np.full(len(rows), np.nan)
        weights = bounds.weights(self.p)
        for start in range(0, len(rows), CHUNK):
            part = np.arange(start, min(start + CHUNK, len(rows)))
            for m in SCHEDULE:
                waiting = part[np.isnan(out[part])]
                if not waiting.size:
                    break
                chance = _chance_settled(rows[waiting], weights, binomial_rows(m, self.p), fdr)
                out[waiting[chance >= 0.5]] = m
        return out[self.row_of_cell]


def _edges(bounds: Bounds) -> FloatArray:
    """Give points from 0 to 1, dense near the ends and at the bounds."""
    own = np.asarray(bounds.edges())
    near = np.concatenate([own, own - 0.025, own + 0.025])
    usual = np.concatenate([EDGES, 1.0 - np.asarray(EDGES), [0.5]])
    inside = near[(near > 0) & (near < 1)] if len(own) == 2 else own
    return np.unique(np.round(np.concatenate([usual, inside]), 12))


def _distribution(
    post: Posterior, edges: FloatArray, bounds: Bounds
) -> tuple[FloatArray, FloatArray]:
    """P(p <= edge) of each cell, (cells, edges), and its atom at 1.

    A single question gives one lower and one upper point, so that points are taken in pairs.
    """
    middle = (bounds.low + bounds.high) / 2.0
    lower, upper = np.flatnonzero(edges <= middle), np.flatnonzero(edges > middle)
    out = np.empty((post.trials.counts.n_cells, len(edges)))
    for i in range(max(len(lower), len(upper))):
        below, above = lower[min(i, len(lower) - 1)], upper[min(i, len(upper) - 1)]
        found: CellMarginal = post.engine.cells(0.5, float(edges[below]), float(edges[above]))
        out[:, below], out[:, above] = found.below, 1.0 - found.above
    return out, 1.0 - out[:, -1]


def _pieces(
    edges: FloatArray, laws: list[tuple[FloatArray, FloatArray]]
) -> tuple[FloatArray, FloatArray]:
    """Give nodes and their masses, averaged over posteriors."""
    from scipy.interpolate import PchipInterpolator

    ends = np.interp(np.arange(PARTS * (len(edges) - 1) + 1) / PARTS, np.arange(len(edges)), edges)
    nodes = np.concatenate([[0.0], (ends[1:] + ends[:-1]) / 2.0, [1.0]])
    total: FloatArray = np.zeros((len(laws[0][0]), len(nodes)))
    for cdf, atom in laws:
        steps = np.maximum(np.diff(PchipInterpolator(edges, cdf, axis=1)(ends), axis=1), 0.0)
        mass = np.concatenate([cdf[:, :1], steps, atom[:, None]], axis=1)
        total = total + mass / mass.sum(axis=1, keepdims=True)
    return nodes, total / len(laws)


def binomial_rows(m: int, p: FloatArray) -> FloatArray:
    """Probabilities of 0 to m successes, shape (m + 1, nodes)."""
    x = np.arange(m + 1)[:, None]
    ways = -np.log1p(m) - special.betaln(m - x + 1.0, x + 1.0)
    return np.asarray(np.exp(ways + special.xlogy(x, p) + special.xlog1py(m - x, -p)))


def _chance_settled(
    mass: FloatArray, weights: FloatArray, likelihood: FloatArray, fdr: float
) -> FloatArray:
    """Predictive probability that some state is then probable enough, shape (rows,)."""
    predicted = mass @ likelihood.T
    best = np.zeros_like(predicted)
    for weight in weights:
        best = np.maximum(best, (mass * weight) @ likelihood.T)
    return np.asarray((predicted * (best >= (1.0 - fdr) * predicted)).sum(axis=1))
