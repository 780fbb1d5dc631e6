"""Nodes that carry the mass of a distribution of p: points, or cells that partition [0, 1]."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike

from .._numerics import FloatArray, IntArray
from ..estimands import TaskMean

GAUSS = 8
"""Places inside a cell at which functions of p are averaged."""
SMALLEST = 1e-9
"""Where the logarithmic cells next to 0 and 1 end."""


def log_kernel(p: FloatArray, n: ArrayLike, successes: ArrayLike) -> FloatArray:
    """Log probability of one sequence with these counts, (rows, *p.shape); -inf if impossible."""
    extra = (...,) + (None,) * np.ndim(p)
    wins = np.asarray(successes, dtype=float)[extra]
    fails = np.asarray(n, dtype=float)[extra] - wins
    with np.errstate(divide="ignore", invalid="ignore"):
        up = np.where(wins > 0, wins * np.log(p), 0.0)
        down = np.where(fails > 0, fails * np.log1p(-p), 0.0)
    return np.asarray(up + down)


@dataclass(frozen=True, eq=False)
class Points:
    """Mass sits at points.

    Attributes
    ----------
    p : (nodes,) ndarray
        Where; ascending.
    """

    p: FloatArray

    def __len__(self) -> int:
        """Give the number of nodes."""
        return len(self.p)

    def kernel(self, part: TaskMean) -> FloatArray:
        """Kernel at the nodes."""
        return np.asarray(part.kernel(self.p), dtype=float)

    def square(self, part: TaskMean) -> FloatArray:
        """Squared kernel at the nodes."""
        return self.kernel(part) ** 2

    def log_likelihood(self, n: ArrayLike, successes: ArrayLike) -> FloatArray:
        """Log probability of a sequence with these counts at the nodes, (rows, nodes)."""
        return log_kernel(self.p, n, successes)

    def quantiles(self, mass: FloatArray, levels: FloatArray) -> FloatArray:
        """Quantiles of distributions with this mass at the nodes, (rows, levels)."""
        total = mass.cumsum(axis=1)
        at = (total[:, None, :] < levels[:, None] - 1e-12).sum(axis=2)
        return np.asarray(self.p[np.minimum(at, len(self.p) - 1)])

    def place(self, node: IntArray, rng: np.random.Generator) -> FloatArray:  # noqa: ARG002
        """Success probabilities drawn from nodes: the points themselves."""
        return np.asarray(self.p[node])


@dataclass(frozen=True, eq=False)
class Cells:
    """Mass is spread evenly over cells that share out [0, 1]; the ends carry atoms of their own.

    Attributes
    ----------
    edges : (cells + 1,) ndarray
        From 0 to 1. Node 0 is the point 0, node j the cell between edges j - 1 and j, and the last
        node the point 1.
    """

    edges: FloatArray

    @classmethod
    def usual(cls) -> Cells:
        """Cells of width .005 in the middle, of equal width on the logit scale near 0 and 1."""
        middle = np.arange(1, 200) / 200
        tail = np.geomspace(SMALLEST, middle[0], 81)[:-1]
        return cls(np.concatenate([[0.0], tail, middle, 1.0 - tail[::-1], [1.0]]))

    def __len__(self) -> int:
        """Give the number of nodes."""
        return len(self.edges) + 1

    @cached_property
    def places(self) -> tuple[FloatArray, FloatArray]:
        """Places (nodes, GAUSS) inside the cells and their weights (GAUSS,)."""
        x, weight = np.polynomial.legendre.leggauss(GAUSS)
        low, width = self.edges[:-1, None], np.diff(self.edges)[:, None]
        inside = low + width * (x + 1.0) / 2.0
        ends = np.zeros((1, GAUSS)), np.ones((1, GAUSS))
        return np.vstack([ends[0], inside, ends[1]]), weight / 2.0

    def kernel(self, part: TaskMean) -> FloatArray:
        """Kernel averaged over each cell."""
        p, weight = self.places
        return np.asarray(part.kernel(p) @ weight)

    def square(self, part: TaskMean) -> FloatArray:
        """Squared kernel averaged over each cell."""
        p, weight = self.places
        return np.asarray(np.asarray(part.kernel(p)) ** 2 @ weight)

    def log_likelihood(self, n: ArrayLike, successes: ArrayLike) -> FloatArray:
        """Log of the average probability of a sequence with these counts, (rows, nodes)."""
        p, weight = self.places
        logs = log_kernel(p, n, successes)
        top = logs.max(axis=-1, keepdims=True)
        safe = np.where(np.isfinite(top), top, 0.0)
        with np.errstate(divide="ignore"):
            return np.asarray(safe[..., 0] + np.log(np.exp(logs - safe) @ weight))

    def quantiles(self, mass: FloatArray, levels: FloatArray) -> FloatArray:
        """Quantiles of distributions with this mass at the nodes, (rows, levels)."""
        total = mass.cumsum(axis=1)
        at = np.minimum((total[:, None, :] < levels[:, None] - 1e-12).sum(axis=2), len(self) - 1)
        rows = np.arange(len(mass))[:, None]
        share = mass[rows, at]
        missing = total[rows, at] - levels
        part = np.clip(1.0 - missing / np.where(share > 0, share, 1.0), 0.0, 1.0)
        low = self.edges[np.maximum(at - 1, 0)]
        high = self.edges[np.minimum(at, len(self.edges) - 1)]
        return np.asarray(low + (high - low) * part)

    def place(self, node: IntArray, rng: np.random.Generator) -> FloatArray:
        """Success probabilities drawn evenly inside the cells."""
        low = self.edges[np.maximum(node - 1, 0)]
        high = self.edges[np.minimum(node, len(self.edges) - 1)]
        return np.asarray(low + (high - low) * rng.random(np.shape(node)))
