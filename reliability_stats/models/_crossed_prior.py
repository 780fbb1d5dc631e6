"""The crossed model forwards: parameters from the prior, data from parameters, their density."""

from __future__ import annotations

import numpy as np
from scipy import special

from .._numerics import FloatArray, IntArray, step_nodes
from ._crossed_layout import Draws, Layout
from .priors import Beta, draw_from

CHUNK = 2**21
TINY = np.finfo(float).tiny


def draw_prior(layout: Layout, size: int, rng: np.random.Generator) -> dict[str, FloatArray]:
    """Draw the variables of `Layout.dims` from the prior; effects have sum zero where they must."""
    counts, has = layout.counts, layout.effects
    out = {
        name: np.abs(rng.standard_normal(size)) * scale for name, scale in layout.sd_scales.items()
    }
    for name, sd, prior in (
        ("system_logit", "system_sd", layout.mean_prior),
        ("icc_logit", "icc_sd", layout.icc_prior),
    ):
        centre = _logit_of(prior, size, rng)[:, None]
        if "system" in has:
            centre = centre + out[sd][:, None] * _zero_sum((size, counts.n_systems), rng)
        out[name] = centre
    if "task" in has:
        out["task_effect"] = out["task_sd"][:, None] * _zero_sum((size, counts.n_tasks), rng)
    if "family" in has:
        families = _zero_sum((size, len(layout.families)), rng)
        out["family_effect"] = out["family_sd"][:, None] * families
    if "condition" in has:
        shape = size, counts.n_systems, layout.n_shifted
        mean = rng.normal(0.0, layout.scales.condition_sd, (size, 1, layout.n_shifted))
        out["condition_effect"] = np.broadcast_to(mean, shape).copy()
        if "condition_system" in has:
            sd_own = out["condition_system_sd"][:, None, None]
            out["condition_effect"] += sd_own * rng.standard_normal(shape)
    if "condition_task" in has:
        slopes = _zero_sum((size, layout.n_shifted, counts.n_tasks), rng)
        out["task_slope"] = out["condition_task_sd"][:, None, None] * slopes
    return {name: out[name] for name in layout.dims}


def _logit_of(prior: Beta, size: int, rng: np.random.Generator) -> FloatArray:
    """Draw the logit of a variable with a beta prior."""
    return np.asarray(special.logit(np.clip(draw_from(prior, (size,), rng), 1e-300, 1 - 1e-16)))


def _zero_sum(shape: tuple[int, ...], rng: np.random.Generator) -> FloatArray:
    """Draw standard normal deviates with sum zero over the last axis."""
    z = rng.standard_normal(shape)
    return np.asarray(z - z.mean(axis=-1, keepdims=True))


def simulate(layout: Layout, draws: Draws, rng: np.random.Generator) -> IntArray:
    """Draw the successes of every cell, (size, cells)."""
    counts = layout.counts
    logits = layout.cell_logits(draws)
    concentration = layout.concentration(draws)[:, counts.system]
    a, b = (np.maximum(special.expit(x) * concentration, TINY) for x in (logits, -logits))
    return rng.binomial(counts.n, rng.beta(a, b)).astype(np.int64)


def log_density(
    logits: FloatArray, concentration: FloatArray, n: IntArray, successes: IntArray
) -> FloatArray:
    """Log beta-binomial density of counts, with the binomial coefficient.

    Parameters
    ----------
    logits : (..., cells) array
        Logit of the mean.
    concentration : (..., cells) array
        (1 - rho) / rho; broadcast against `logits`.
    n, successes : (cells,) array of int
        Counts.

    Returns
    -------
    (..., cells) ndarray
    """
    nodes, (wins, fails, trials) = step_nodes(int(n.max()), successes, n - successes, n)
    e = 1.0 / concentration
    share, rest = special.expit(logits), special.expit(-logits)
    total = wins[:, 0] * special.log_expit(logits) + fails[:, 0] * special.log_expit(-logits)
    for j, node in enumerate(nodes[1:], start=1):
        for weight, part in ((wins[:, j], share), (fails[:, j], rest)):
            if weight.any():
                total += weight * np.log(np.maximum(part + node * e, TINY))
        total -= trials[:, j] * np.log1p(node * e)
    choose = special.gammaln(n + 1.0) - special.gammaln(successes + 1.0)
    return np.asarray(total + choose - special.gammaln(n - successes + 1.0))


def log_likelihood(layout: Layout, draws: Draws) -> FloatArray:
    """Log likelihood of all cells given their logits, (draws,)."""
    counts = layout.counts
    size = len(draws["system_logit"])
    out = np.empty(size)
    step = max(1, CHUNK // counts.n_cells)
    for start in range(0, size, step):
        rows = slice(start, start + step)
        some = {name: value[rows] for name, value in draws.items()}
        logits = layout.cell_logits(some)
        concentration = layout.concentration(some)[:, counts.system]
        out[rows] = log_density(logits, concentration, counts.n, counts.successes).sum(axis=1)
    return out
