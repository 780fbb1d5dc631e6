"""What lattices give to criticism: replicated data, weighted points, and their own accuracy."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
from scipy import special

from .._numerics import FloatArray, IntArray
from ..estimands import ICC, Estimand, SuccessRate
from ..trials import Counts
from . import grid
from .checks import Check, Points, Replicas
from .left_out import evidence_change
from .marginals import beta_parameters, moments, strided

POINT_NODES = 129
"""Nodes for each axis, at least, of the points for prior sensitivity."""
POINT_CHUNK = 2**21
FEW_OUTCOMES = 256
"""Numbers of trials up to which replicated tasks are drawn as a histogram."""
EDGE_LIMIT = 1e-7
EVIDENCE_LIMIT = 1e-4
"""Allowed change, which is the error at twice the step; that at the step is about its square."""
FINER = (
    "Fit again with a smaller tol, such as 1e-6; if it persists, check the prior for jumps or "
    "narrow peaks."
)
WIDER = "Use a proper prior that falls off towards 0 and 1: mass beyond the lattice is missing."

Names = Sequence[str]


def replicas(
    counts: Counts, u: FloatArray, v: FloatArray, rng: np.random.Generator
) -> Iterator[Replicas]:
    """Draw new tasks for each unit, given draws of its parameters.

    Parameters
    ----------
    counts : Counts
        How many tasks with how many trials each unit has.
    u, v : (units, datasets) array
        Logit mean and logit correlation.
    rng : numpy.random.Generator
        Source of randomness.

    Yields
    ------
    Replicas
        One for each unit, in order.
    """
    starts = np.searchsorted(counts.unit, np.arange(len(counts.units) + 1))
    for unit, stream in enumerate(rng.spawn(len(counts.units))):
        sizes, tasks = np.unique(counts.n[starts[unit] : starts[unit + 1]], return_counts=True)
        a, b = beta_parameters(u[unit], v[unit])
        parts = [
            _histograms(int(n), int(many), a, b, stream)
            if n <= min(FEW_OUTCOMES, 8 * many)
            else _one_by_one(int(n), int(many), a, b, stream)
            for n, many in zip(sizes, tasks, strict=True)
        ]
        columns = (np.concatenate(column) for column in zip(*parts, strict=True))
        yield Replicas(*columns)


def _histograms(
    n: int, tasks: int, a: FloatArray, b: FloatArray, rng: np.random.Generator
) -> tuple[IntArray, ...]:
    """Draw how many of the tasks have 0, ..., n successes; rows as in `Replicas`."""
    drawn = rng.multinomial(tasks, beta_binomial_pmf(n, a, b))
    dataset, successes = np.nonzero(drawn)
    return dataset, np.full(len(dataset), n), successes, drawn[dataset, successes]


def _one_by_one(
    n: int, tasks: int, a: FloatArray, b: FloatArray, rng: np.random.Generator
) -> tuple[IntArray, ...]:
    """Draw the successes of each task; rows as in `Replicas`."""
    p = rng.beta(a[:, None], b[:, None], (len(a), tasks))
    drawn = Replicas.of_cells(np.full(tasks, n), rng.binomial(n, p))
    return drawn.dataset, drawn.n, drawn.successes, drawn.tasks


def beta_binomial_pmf(n: int, a: FloatArray, b: FloatArray) -> FloatArray:
    """Give the probabilities of 0, ..., n successes, shape (draws, n + 1).

    By ratios of neighbours, which keep their digits for any a and b.
    """
    y = np.arange(n)
    tiny = np.finfo(float).tiny
    up = np.log(n - y) + np.log(np.maximum(a, tiny)[:, None] + y)
    down = np.log(y + 1.0) + np.log(np.maximum(b, tiny)[:, None] + (n - 1 - y))
    logs = np.concatenate([np.zeros((len(a), 1)), np.cumsum(up - down, axis=1)], axis=1)
    return np.asarray(special.softmax(logs, axis=1))


def lattice_points(
    lattices: Sequence[grid.Lattice],
    density: grid.LogDensity,
    log_prior: Callable[[FloatArray, FloatArray], FloatArray],
    reach: float,
    estimands: Sequence[Estimand],
) -> Iterator[Points]:
    """Give the nodes of every lattice with prior, likelihood and estimands, in small groups.

    Densities are with respect to the logits of mean and correlation.
    """
    queue = list(lattices)
    while queue:
        lattice = queue.pop(0)
        size = max(1, POINT_CHUNK // max(lattice.nodes, POINT_NODES) ** 2)
        if len(lattice.unit) > size:
            rows = np.arange(len(lattice.unit))
            parts = [lattice.take(rows[i : i + size]) for i in range(0, len(rows), size)]
            queue[:0] = parts
            continue
        while lattice.nodes < POINT_NODES:
            lattice = grid.refine(lattice, density, reach)
        units = len(lattice.unit)
        u, v = (axis.reshape(units, -1) for axis in lattice.coordinates())
        u, v = np.clip(u, -reach, reach), np.clip(v, -reach, reach)
        prior = log_prior(u, v)
        posterior = density(lattice.unit, u, v)
        a, b = beta_parameters(u, v)
        values = [np.asarray(estimand.from_beta(a, b)) for estimand in estimands]
        weights = lattice.weights.reshape(units, -1)
        yield Points(lattice.unit, weights, prior, posterior - prior, values)


def lattice_checks(lattices: Sequence[grid.Lattice], names: Names, tol: float) -> list[Check]:
    """Say how much halving the step still changes, and what lies at the edge."""
    size = len(names)
    nodes = np.empty(size)
    figures = {name: np.empty(size) for name in ("mean", "icc", "evidence", "edge")}
    for lattice in lattices:
        for name, estimand in (("mean", SuccessRate()), ("icc", ICC())):
            fine, coarse = (moments(*strided(lattice, stride), estimand) for stride in (1, 2))
            change = np.abs(fine[0] - coarse[0]) / np.maximum(fine[1], 1e-12)
            figures[name][lattice.unit] = change
        figures["evidence"][lattice.unit] = np.abs(evidence_change(lattice))
        w = lattice.weights
        edge = w[:, [0, -1]].sum(axis=(1, 2)) + w[:, :, [0, -1]].sum(axis=(1, 2))
        figures["edge"][lattice.unit] = edge
        nodes[lattice.unit] = lattice.nodes
    wanted = [
        ("change of the mean, halving the step (sds)", figures["mean"], tol, FINER),
        ("change of the icc, halving the step (sds)", figures["icc"], tol, FINER),
        (
            "change of the log evidence, halving the step",
            figures["evidence"],
            EVIDENCE_LIMIT,
            FINER,
        ),
        ("mass at the edge of the lattice", figures["edge"], EDGE_LIMIT, WIDER),
        ("nodes an axis", nodes, float(grid.MAX_NODES), FINER),
    ]
    return [
        Check(name, names[int(np.argmax(values))], float(values.max()), limit, False, remedy)
        for name, values, limit, remedy in wanted
    ]
