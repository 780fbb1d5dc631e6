"""Nodes that carry the mass of a distribution of p."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from .._numerics import FloatArray
from ..estimands import TaskMean


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
