"""Steps taken over by another agent against steps that the same agent goes on with."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._numerics import FloatArray
from ._drawn import ends
from ._paths import Paths

ALL = "(all)"
"""Name of the row for all steps together."""


def agent_rows(
    paths: Paths, workflow: int, size: int, prob: float, rng: np.random.Generator
) -> list[dict[str, Any]]:
    """Compare reliabilities step by step, and over all steps that were reached in both ways."""
    agent = paths.label("agent")
    changed = agent != np.concatenate([[-1], agent[:-1]])
    fair = (paths.workflow == workflow) & paths.clean & (paths.position > 0)
    name = paths.workflows[workflow]
    rows: list[dict[str, Any]] = []
    total: FloatArray = np.zeros(size)
    sums, weight = np.zeros(4, dtype=np.int64), 0.0
    for step in np.unique(paths.step[fair]):
        here = fair & (paths.step == step)
        n = [int((here & (changed == other)).sum()) for other in (False, True)]
        if not all(n):
            continue
        passed = [
            int((here & (changed == other) & (paths.outcome == 0)).sum()) for other in (False, True)
        ]
        same, other = (rng.beta(1.0 + y, 1.0 + k - y, size) for y, k in zip(passed, n, strict=True))
        counts = (n[0], passed[0], n[1], passed[1])
        rows.append(_row(name, paths.steps[step], counts, other - same, prob))
        share = n[0] * n[1] / (n[0] + n[1])
        total += share * (other - same)
        sums, weight = sums + np.array(counts), weight + share
    if rows:
        rows.append(_row(name, ALL, tuple(sums.tolist()), total / weight, prob))
    return rows


def _row(
    workflow: str, step: str, counts: tuple[int, ...], values: FloatArray, prob: float
) -> dict[str, Any]:
    """Summarise one difference."""
    names = ("n_same", "passed_same", "n_other", "passed_other")
    low, high = ends(values, prob)
    row: dict[str, Any] = {"workflow": workflow, "step": step}
    row |= dict(zip(names, counts, strict=True))
    row |= {"mean": float(values.mean()), "sd": float(values.std())}
    row |= {"lower": float(low), "upper": float(high), "prob": prob}
    return row | {"p_worse": float((values < 0).mean())}
