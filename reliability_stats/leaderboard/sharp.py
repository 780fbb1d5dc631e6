"""Sharp bounds of any estimand given published moments, by linear programming over p.

The smallest E[g(p)] over all distributions F with given E[phi_i(p)] is a linear program over the
weights of F on a grid. Its dual is a function u_0 + sum_i u_i phi_i(p) that nowhere exceeds g:
whatever F is, u_0 + sum_i u_i E[phi_i(p)] is a lower bound, and one that can be estimated, since it
is linear in what was published.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np

from .._numerics import FloatArray
from .._summary import as_estimands
from ..estimands import Estimand, TaskMean
from .figures import Figure

NODES = 1001
NUDGE = 1e-9
"""How far around a node a kernel is looked at, so that thresholds count on either side."""
SPAN_TOLERANCE = 1e-9


def wanted(estimands: Estimand | Sequence[Estimand]) -> tuple[Estimand, ...]:
    """Accept one estimand or several."""
    return as_estimands([] if estimands is None else estimands, cast("Any", None), model=False)


@dataclass(frozen=True, eq=False)
class Bound:
    """A bound u_0 + u . v of a task mean, linear in the figures v.

    Attributes
    ----------
    constant : float
        u_0.
    weights : (figures,) ndarray
        u.
    """

    constant: float
    weights: FloatArray

    def at(self, values: FloatArray) -> FloatArray:
        """Evaluate at figures of shape (..., figures)."""
        return np.asarray(self.constant + values @ self.weights)


@dataclass(frozen=True, eq=False)
class MomentProblem:
    """Published figures of one system as constraints on the distribution of p.

    Attributes
    ----------
    grid : (nodes,) ndarray
        Success probabilities that carry weight.
    rows : (figures, nodes) ndarray
        Kernels of the figures at the nodes.
    values : (figures,) ndarray
        The figures.
    axes : (figures, figures) ndarray
        Directions in which their sampling errors are uncorrelated, as columns scaled so that
        ``axes.T @ (figures - values)`` has unit sd.
    moved : float
        Largest change of a figure that was needed for any distribution to have them all.
    """

    grid: FloatArray
    rows: FloatArray
    values: FloatArray
    axes: FloatArray
    moved: float

    @classmethod
    def of(
        cls, figures: Sequence[Figure], values: FloatArray, axes: FloatArray, extra: Sequence[float]
    ) -> MomentProblem:
        """Set up the problem, and move the figures to the nearest possible ones if need be."""
        points = np.clip([*np.linspace(0, 1, NODES), *atoms(figures, values), *extra], 0, 1)
        grid = np.unique(points)
        rows = np.array([figure.estimand.kernel(grid) for figure in figures])
        problem = cls(grid, rows, values, axes, 0.0)
        slack, weights = problem._nearest()
        if slack <= 1e-9:
            return problem
        nearest = rows @ weights
        return cls(grid, rows, nearest, axes, float(np.abs(nearest - values).max()))

    def _nearest(self) -> tuple[float, FloatArray]:
        """Give the distance to the nearest possible figures, in sds, and weights that have them."""
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
        """Give the estimand as a linear function of the figures, if it is one."""
        design = np.vstack([np.ones_like(self.grid), self.rows]).T
        kernel = estimand.kernel(self.grid)
        coefficients = np.linalg.lstsq(design, kernel, rcond=None)[0]
        if np.abs(design @ coefficients - kernel).max() > SPAN_TOLERANCE:
            return None
        return Bound(float(coefficients[0]), np.asarray(coefficients[1:], dtype=float))

    def bounds(self, estimand: TaskMean, slack: float) -> tuple[Bound, Bound]:
        """Give lower and upper bounds that are best for figures within `slack` sds of these."""
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


def atoms(figures: Sequence[Figure], values: FloatArray) -> list[float]:
    """Give the points where extremal distributions sit, for the grid to hold them."""
    known = {figure.key: float(v) for figure, v in zip(figures, values, strict=True)}
    pair = first_two(known)
    points = [known[key] for key in [("^", 1)] if key in known]
    if pair is not None:
        m1, m2 = pair
        points += [m2 / m1] if m1 > 0 else []
        points += [(m1 - m2) / (1 - m1)] if m1 < 1 else []
    return points


def first_two(known: dict[tuple[str, int], Any]) -> tuple[Any, Any] | None:
    """Give E[p] and E[p^2] if the figures fix them: pass^1 and pass^2, or pass@1 and pass@2."""
    if ("^", 1) not in known:
        return None
    m1 = known["^", 1]
    if ("^", 2) in known:
        return m1, known["^", 2]
    return (m1, 2 * m1 - known["@", 2]) if ("@", 2) in known else None
