"""What draws of the crossed model give to criticism: densities of tasks, replicas, points."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
from scipy import special

from .._numerics import FloatArray, IntArray
from ..estimands import Estimand
from ..models._crossed_layout import Draws, Layout
from ..models._crossed_prior import log_density, log_likelihood
from .chain_checks import smoothed_left_out
from .checks import LeftOut, Points, Replicas

if TYPE_CHECKING:
    from .chains import Chains

MOST_DRAWS = 1000
"""Draws at which tasks are left out."""
REACH = 6.0
"""Standard deviations over which effects of a task are integrated."""
LONGEST = 0.6
"""Longest step of the rule, in the smallest standard deviation that a task's density can have."""
LARGEST = 257
CHUNK = 2**21


def evenly(size: int, wanted: int) -> IntArray:
    """Give evenly spaced positions."""
    return np.asarray(np.arange(wanted) * size // wanted)


def left_out(engine: Chains) -> LeftOut:
    """Leave tasks out one at a time, with the effects of the task integrated out.

    Given means and standard deviations of the population, tasks are independent, so the density of
    a task that is left out is the harmonic mean of its densities; see `smoothed_left_out`. Draws of
    the distance between the observed tasks and the population are part of these parameters.
    """
    layout = engine.layout
    rows = evenly(engine.shape[0] * engine.shape[1], min(MOST_DRAWS, engine.total))
    draws = {name: value[rows] for name, value in engine.values.items()}
    counts = layout.counts
    if not {"task", "family"} & set(layout.effects):
        centre = layout.unit_logits(draws)[0][:, counts.unit]
        concentration = layout.concentration(draws)[:, counts.system]
        alone = log_density(centre, concentration, counts.n, counts.successes)
        return smoothed_left_out(alone, np.arange(counts.n_cells))
    out = np.empty((len(rows), counts.n_tasks))
    order = np.argsort(counts.task, kind="stable")
    ends = np.searchsorted(counts.task[order], np.arange(counts.n_tasks + 1))
    centre = layout.unit_logits(draws)[0]
    for task in range(counts.n_tasks):
        cells = order[ends[task] : ends[task + 1]]
        out[:, task] = _task_density(layout, draws, centre, cells)
    return smoothed_left_out(out, counts.task)


def _rule(sd: FloatArray, n: IntArray, concentration: FloatArray) -> FloatArray:
    """Give standardised nodes fine enough for effects with these sds and cells (draws, cells)."""
    each = n / (1.0 + (n - 1.0) / (1.0 + concentration))
    precision = 0.25 * each.sum(axis=1) + 1.0 / np.maximum(sd, 1e-9) ** 2
    step = LONGEST / (np.sqrt(precision) * np.maximum(sd, 1e-9)).max()
    size = int(np.clip(np.ceil(2 * REACH / min(step, LONGEST)), 21, LARGEST - 1)) // 2 * 2 + 1
    return np.linspace(-REACH, REACH, size)


def _task_density(layout: Layout, draws: Draws, centre: FloatArray, cells: IntArray) -> FloatArray:
    """Log density of the cells of one task at every draw, (draws,)."""
    counts = layout.counts
    concentration = layout.concentration(draws)[:, counts.system[cells]]
    n, wins = counts.n[cells], counts.successes[cells]
    shared = np.sqrt(
        sum(draws[f"{name}_sd"] ** 2 for name in ("task", "family") if name in layout.effects)
    )
    slope = draws["condition_task_sd"] if "condition_task" in layout.effects else None
    z = _rule(shared, n, concentration)
    out = np.empty(len(centre))
    inner = 1 if slope is None else 33
    step = max(1, CHUNK // (len(cells) * len(z) * inner))
    for start in range(0, len(centre), step):
        rows = slice(start, start + step)
        base = centre[rows][:, counts.unit[cells]]
        logits = base[:, None, :] + shared[rows, None, None] * z[:, None]
        levels = layout.level[cells]
        total = np.zeros((len(base), len(z)))
        for level in np.unique(levels):
            at = np.flatnonzero(levels == level)
            own, phi = logits[:, :, at], concentration[rows][:, at]
            if slope is None or level == 0:
                values = log_density(own, phi[:, None, :], n[at], wins[at]).sum(axis=-1)
            else:
                x = _rule(slope[rows], n[at], phi)
                far = own[:, :, None, :] + slope[rows, None, None, None] * x[:, None]
                parts = log_density(far, phi[:, None, None, :], n[at], wins[at]).sum(axis=-1)
                values = _integrate(parts, x)
            total += values
        out[rows] = _integrate(total, z)
    return out


def _integrate(logs: FloatArray, z: FloatArray) -> FloatArray:
    """Integrate exp(logs) over a standard normal on the last axis, on nodes; its log."""
    weights = special.log_softmax(-0.5 * z**2)
    return np.asarray(special.logsumexp(logs + weights, axis=-1))


def replicas(engine: Chains, datasets: int, rng: np.random.Generator) -> Iterator[Replicas]:
    """Draw new tasks for each unit, given draws of the parameters."""
    layout, counts = engine.layout, engine.layout.counts
    rows = np.arange(datasets) * engine.total // datasets
    draws = {name: value[rows] for name, value in engine.values.items()}
    centre, sd = layout.unit_logits(draws)
    concentration = layout.concentration(draws)[:, layout.unit_system]
    starts = np.searchsorted(counts.unit, np.arange(len(counts.units) + 1))
    for unit, stream in enumerate(rng.spawn(len(counts.units))):
        n = counts.n[starts[unit] : starts[unit + 1]]
        z = stream.standard_normal((datasets, len(n)))
        logits = centre[:, [unit]] + sd[:, [unit]] * z
        phi = concentration[:, [unit]]
        a, b = (np.maximum(special.expit(x) * phi, 1e-300) for x in (logits, -logits))
        yield Replicas.of_cells(n, stream.binomial(n, stream.beta(a, b)))


def points(engine: Chains, estimands: Sequence[Estimand]) -> Iterator[Points]:
    """Give the draws with the priors that are fields of the model, and the likelihood.

    Effects given their standard deviations belong to neither: scaling their law would change the
    model, not how much is known beforehand.
    """
    layout, units = engine.layout, engine.n_units
    prior = layout.log_hyperprior(engine.values)
    likelihood = log_likelihood(layout, engine.values)
    weights = np.full((units, engine.total), 1.0 / engine.total)
    values = [value.T for value in engine.population_values(estimands)]
    shape = weights.shape
    yield Points(
        np.arange(units),
        weights,
        np.broadcast_to(prior, shape),
        np.broadcast_to(likelihood, shape),
        values,
    )
