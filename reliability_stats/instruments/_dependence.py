"""Whether a step goes worse after trouble: a permutation test that goes through a run in order.

Trouble of a visit is anything but passing at the first attempt. If steps are independent, then,
given everything that happened at earlier positions of all runs, the outcomes of the visits of one
step at one position are exchangeable over the runs that reached it. Let c be the trouble that a run
(or the runs of its task) had before, and x the trouble now. S = sum c x then has a known
permutation law with mean n c_bar x_bar and variance sum (c - c_bar)^2 sum (x - x_bar)^2 / (n - 1),
and these laws can be added over steps and positions, since each is conditional on all the past.

Runs of one task resemble each other, so that with the past of tasks the residuals are added up
within a task, and their signs are flipped at random instead (wild permutation, Liu 1988).
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from .._numerics import FloatArray, IntArray
from ._paths import Paths

PERMUTATIONS = 4999
MOST_VALUES = 200
"""Distinct values of past trouble above which they are grouped by quantiles."""


def dependence(paths: Paths, workflow: int, by: str, rng: np.random.Generator) -> dict[str, float]:
    """Test whether trouble at a step depends on trouble before it.

    Parameters
    ----------
    paths : Paths
        Runs.
    workflow : int
        Which.
    by : {"run", "task"}
        Whose past: the run's own, or that of all runs of its task.
    rng : numpy.random.Generator
        Source of permutations.

    Returns
    -------
    dict
        n (visits compared), correlation (of trouble with past trouble, pooled within steps), z, and
        p_value (two-sided); NaN if nothing can be compared.
    """
    difference = variance = spread_c = spread_x = 0.0
    null: FloatArray = np.zeros(PERMUTATIONS)
    n = 0
    for c, x, unit in _blocks(paths, workflow, by):
        dc, dx = c - c.mean(), x - x.mean()
        if not (dc.any() and dx.any()):
            continue
        n += len(c)
        difference += float(dc @ dx)
        spread_c += float(dc @ dc)
        spread_x += float(dx @ dx)
        if by == "run":
            variance += float((dc @ dc) * (dx @ dx) / (len(c) - 1))
            null += _permuted(_grouped(c), x, rng)
        else:
            parts = np.bincount(unit, weights=dc * dx)
            parts = parts[parts != 0]
            size = len(np.unique(unit))
            parts *= np.sqrt(size / max(size - 1, 1))
            variance += float(parts @ parts)
            null += rng.choice([-1.0, 1.0], size=(PERMUTATIONS, len(parts))) @ parts
    if not variance:
        return {"n": n, "correlation": np.nan, "z": np.nan, "p_value": np.nan}
    extreme = np.abs(null) >= abs(difference) * (1 - 1e-12) - 1e-12
    return {
        "n": n,
        "correlation": difference / np.sqrt(spread_c * spread_x),
        "z": difference / np.sqrt(variance),
        "p_value": float((1 + extreme.sum()) / (1 + PERMUTATIONS)),
    }


def _permuted(c: FloatArray, x: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Give permutations of sum (c - mean) x: how often each value of c meets trouble."""
    values, sizes = np.unique(c, return_counts=True)
    drawn = rng.multivariate_hypergeometric(
        sizes, int(x.sum()), size=PERMUTATIONS, method="marginals"
    )
    return np.asarray(drawn @ values - c.sum() * x.mean())


def _blocks(
    paths: Paths, workflow: int, by: str
) -> Iterator[tuple[FloatArray, FloatArray, IntArray]]:
    """Give past and present trouble, and the unit, of the visits of each step and position."""
    mine = np.flatnonzero(paths.workflow == workflow)
    trouble = (paths.first[mine] > 0).astype(float)
    step, position = paths.step[mine], paths.position[mine]
    _, run = np.unique(paths.run[mine], return_inverse=True)
    unit = run if by == "run" else np.unique(paths.label("task")[mine], return_inverse=True)[1]
    total, seen = np.zeros(unit.max() + 1), np.zeros(unit.max() + 1)
    for place in range(int(position.max()) + 1):
        here = position == place
        if place:
            past = total / np.maximum(seen, 1.0)
            for value in np.unique(step[here]):
                rows = here & (step == value)
                if rows.sum() > 1:
                    yield past[unit[rows]], trouble[rows], unit[rows]
        np.add.at(total, unit[here], trouble[here])
        np.add.at(seen, unit[here], 1.0)


def _grouped(values: FloatArray) -> FloatArray:
    """Replace many distinct values by the means of groups of like size."""
    distinct: IntArray = np.unique(values)
    if len(distinct) <= MOST_VALUES:
        return values
    rank = np.searchsorted(np.quantile(values, np.linspace(0, 1, MOST_VALUES)[1:-1]), values)
    sums = np.bincount(rank, weights=values)
    return np.asarray((sums / np.maximum(np.bincount(rank), 1))[rank])
