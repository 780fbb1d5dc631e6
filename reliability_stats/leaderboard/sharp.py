"""Published figures as a moment problem."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from .._numerics import FloatArray
from .._summary import as_estimands
from ..estimands import Estimand
from ..inference.moment_problem import MomentProblem
from .figures import Figure


def wanted(estimands: Estimand | Sequence[Estimand]) -> tuple[Estimand, ...]:
    """Accept one estimand or several."""
    return as_estimands([] if estimands is None else estimands, cast("Any", None), model=False)


def problem_of(
    figures: Sequence[Figure], values: FloatArray, axes: FloatArray, extra: Sequence[float]
) -> MomentProblem:
    """Set up the problem of published figures."""
    parts = [figure.estimand for figure in figures]
    return MomentProblem.of(parts, values, axes, [*atoms(figures, values), *extra])


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
