"""Sharp bounds of any estimand given moments of p, by linear programming over p.

The smallest E[g(p)] over all distributions F with given E[phi_i(p)] is a linear program over the
weights of F on a grid. Its dual is a function u_0 + sum_i u_i phi_i(p) that nowhere exceeds g:
whatever F is, u_0 + sum_i u_i E[phi_i(p)] is a lower bound, and one that can be estimated, since it
is linear in the moments.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .._numerics import FloatArray
from ..estimands import Estimand, TaskMean

NODES = 1001
NUDGE = 1e-9
"""How far around a node a kernel is looked at, so that thresholds count on either side."""
SPAN_TOLERANCE = 1e-9


@dataclass(frozen=True, eq=False)
class Bound:
    """A bound u_0 + u . v of a task mean, linear in the moments v.

    Attributes
    ----------
    constant : float
        u_0.
    weights : (moments,) ndarray
        u.
    """

    constant: float
    weights: FloatArray

    def at(self, values: FloatArray) -> FloatArray:
        """Evaluate at moments of shape (..., moments)."""
        return np.asarray(self.constant + values @ self.weights)


@dataclass(frozen=True, eq=False)
class MomentProblem:
    """Moments of one system as constraints on the distribution of p.

    Attributes
    ----------
    grid : (nodes,) ndarray
        Success probabilities that carry weight.
    rows : (moments, nodes) ndarray
        Kernels of the moments at the nodes.
    values : (moments,) ndarray
        The moments.
    axes : (moments, moments) ndarray
        Directions in which their sampling errors are uncorrelated, as columns scaled so that
        ``axes.T @ (estimates - values)`` has unit sd.
    moved : float
        Largest change of a moment that was needed for any distribution to have them all.
    """

    grid: FloatArray
    rows: FloatArray
    values: FloatArray
    axes: FloatArray
    moved: float

    @classmethod
    def of(
        cls,
        parts: Sequence[TaskMean],
        values: FloatArray,
        axes: FloatArray,
        places: Sequence[float] = (),
    ) -> MomentProblem:
        """Set up the problem, and move the moments to the nearest possible ones if need be.

        Parameters
        ----------
        parts : sequence of TaskMean
            Whose means are known.
        values : (moments,) ndarray
            Their means.
        axes : (moments, moments) ndarray
            See the class.
        places : sequence of float
            Success probabilities that the grid must hold, such as thresholds.
        """
        grid = np.unique(np.clip([*np.linspace(0, 1, NODES), *places], 0, 1))
        rows = np.array([part.kernel(grid) for part in parts])
        problem = cls(grid, rows, values, axes, 0.0)
        slack, weights = problem._nearest()
        if slack <= 1e-9:
            return problem
        nearest = rows @ weights
        return cls(grid, rows, nearest, axes, float(np.abs(nearest - values).max()))

    def _nearest(self) -> tuple[float, FloatArray]:
        """Give the distance to the nearest possible moments, in sds, and weights that have them."""
        from scipy.optimize import linprog

        scaled = self.axes.T @ self.rows
        ones = np.ones((len(scaled), 1))
        target = self.axes.T @ self.values
        result = linprog(
            np.append(np.zeros(len(self.grid)), 1.0),
            A_ub=np.block([[scaled, -ones], [-scaled, -ones]]),
            b_ub=np.concatenate([target, -target]),
            A_eq=np.append(np.ones(len(self.grid)), 0.0)[None, :],
            b_eq=[1.0],
        )
        solution = np.asarray(result.x, dtype=float)
        weights = np.clip(solution[:-1], 0, None)
        return float(solution[-1]), weights / weights.sum()

    def exact(self, estimand: TaskMean) -> Bound | None:
        """Give the estimand as a linear function of the moments, if it is one."""
        design = np.vstack([np.ones_like(self.grid), self.rows]).T
        kernel = estimand.kernel(self.grid)
        coefficients = np.linalg.lstsq(design, kernel, rcond=None)[0]
        if np.abs(design @ coefficients - kernel).max() > SPAN_TOLERANCE:
            return None
        return Bound(float(coefficients[0]), np.asarray(coefficients[1:], dtype=float))

    def bounds(self, estimand: TaskMean, slack: float) -> tuple[Bound, Bound]:
        """Give lower and upper bounds that are best for moments within `slack` sds of these."""
        around = np.array([self.grid - NUDGE, self.grid, self.grid + NUDGE])
        kernel = estimand.kernel(np.clip(around, 0, 1))
        lower = self._solve(kernel.min(axis=0), slack)
        upper = self._solve(-kernel.max(axis=0), slack)
        return lower, Bound(-upper.constant, -upper.weights)

    def _solve(self, kernel: FloatArray, slack: float) -> Bound:
        """Minimise the mean of a kernel, and give the dual."""
        from scipy.optimize import linprog

        scaled, target = self.axes.T @ self.rows, self.axes.T @ self.values
        room = max(slack, 1e-7)
        result = linprog(
            kernel,
            A_ub=np.vstack([scaled, -scaled]),
            b_ub=np.concatenate([target + room, room - target]),
            A_eq=np.ones((1, len(kernel))),
            b_eq=[1.0],
        )
        if result.status != 0:  # numerical trouble: what always holds
            return Bound(float(kernel.min()), np.zeros(len(target)))
        upper, lower = np.split(result.ineqlin.marginals, 2)
        weights = self.axes @ (upper - lower)
        touching = float((kernel - weights @ self.rows).min())
        return Bound(touching, weights)


def thresholds(estimands: Sequence[Estimand]) -> list[float]:
    """Give the success probabilities at which kernels jump."""
    parts = [part for estimand in estimands for part in estimand.parts]
    ends = [getattr(part, end, None) for part in parts for end in ("low", "high")]
    return [end for end in ends if end is not None]


def uncorrelated(draws: FloatArray) -> FloatArray:
    """Give the axes along which draws (..., moments) are uncorrelated, scaled to unit sd."""
    size = draws.shape[-1]
    covariance = np.cov(draws.reshape(-1, size), rowvar=False).reshape(size, size)
    variances, axes = np.linalg.eigh(covariance)
    return np.asarray(axes / np.sqrt(np.maximum(variances, 1e-12)))
