"""The crossed model as a PyMC graph, on the collapsed beta-binomial likelihood.

With e = rho / (1 - rho), the log likelihood of a cell with y successes in n trials is

    sum_{j<y} log(mu + j e) + sum_{j<n-y} log(1 - mu + j e) - sum_{j<n} log(1 + j e),

up to a constant. Unlike differences of log-gamma functions it keeps its digits for small rho, its
gradient is cheap, and the last sum is one of each system, not of each cell.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import special

from .._counts import Counts
from .._numerics import EXACT, FloatArray, step_nodes
from .priors import Beta

if TYPE_CHECKING:
    from ._crossed_layout import Layout

BATCH = 8
"""Factors that are multiplied before the logarithm is taken: few enough not to underflow."""


def count_weights(counts: Counts) -> tuple[FloatArray, dict[str, FloatArray]]:
    """Give the nodes j, and how often each enters the three sums.

    Returns
    -------
    nodes : (nodes,) array
        Values of j; the first is 0.
    weights : dict
        ``successes`` and ``failures`` (cells, nodes), ``trials`` (systems, nodes).
    """
    n, y = counts.n, counts.successes
    nodes, (wins, fails, trials) = step_nodes(int(n.max()), y, n - y, n)
    by_system = np.zeros((counts.n_systems, len(nodes)))
    np.add.at(by_system, counts.system, trials)
    return nodes, {"successes": wins, "failures": fails, "trials": by_system}


def constant(counts: Counts) -> float:
    """Sum of the log binomial coefficients, which the graph leaves out."""
    n, y = counts.n.astype(float), counts.successes.astype(float)
    terms = special.gammaln(n + 1) - special.gammaln(y + 1) - special.gammaln(n - y + 1)
    return float(terms.sum())


def build(layout: Layout) -> Any:
    """Build the graph.

    Parameters
    ----------
    layout : Layout
        The design.

    Returns
    -------
    pymc.Model
        Counts enter through data containers ``successes``, ``failures`` and ``trials``, see
        `count_weights`, so that a compiled model can be given others of the same design.
    """
    import pymc as pm

    counts, effects = layout.counts, layout.effects
    nodes, weights = count_weights(counts)
    with pm.Model() as model:
        data = {name: pm.Data(name, value) for name, value in weights.items()}
        systems = _systems(layout)
        rate = systems["system_logit"][counts.system]
        if "task" in effects:
            rate = rate + _tasks(layout)[counts.task]
        if "family" in effects:
            sd = pm.HalfNormal("family_sd", layout.scales.family_sd)
            raw = pm.ZeroSumNormal("family_effect_raw", 1.0, shape=len(layout.families))
            rate = rate + pm.Deterministic("family_effect", sd * raw)[layout.family[counts.task]]
        if "condition" in effects:
            rate = rate + _shifts(layout)
        total = _log_likelihood(rate, systems["icc_logit"], counts, nodes, data)
        pm.Potential("likelihood", total)
    return model


def _log_likelihood(
    rate: Any, icc_logit: Any, counts: Counts, nodes: FloatArray, data: dict[str, Any]
) -> Any:
    """Add the log likelihood of the cells up, given the logits of their means."""
    import pytensor.tensor as pt

    e = pt.exp(icc_logit)
    own = e[counts.system]
    first = data["successes"][:, 0], data["failures"][:, 0]
    total = (first[0] * rate - (first[0] + first[1]) * pt.softplus(rate)).sum()
    for name, share in (("successes", pt.sigmoid(rate)), ("failures", pt.sigmoid(-rate))):
        steps = [(data[name][:, q], share + nodes[q] * own) for q in range(1, len(nodes))]
        exact, rest = steps[: EXACT - 1], steps[EXACT - 1 :]
        for start in range(0, len(exact), BATCH):
            product = 1.0
            for weight, term in exact[start : start + BATCH]:
                product = product * pt.switch(pt.gt(weight, 0.0), term, 1.0)
            if start < len(exact):
                total += pt.log(product).sum()
        for weight, term in rest:
            total += (weight * pt.log(term)).sum()
    return total - (data["trials"] * pt.log1p(nodes * e[:, None])).sum()


def _logit_of_beta(name: str, prior: Beta) -> Any:
    """Give a variable whose inverse logit has a beta prior."""
    import pymc as pm
    import pytensor.tensor as pt

    x = pm.Logistic(name, 0.0, 1.0)
    if (prior.a, prior.b) != (1.0, 1.0):
        more = -(prior.a - 1.0) * pt.softplus(-x) - (prior.b - 1.0) * pt.softplus(x)
        pm.Potential(f"{name}_prior", more - special.betaln(prior.a, prior.b))
    return x


def _systems(layout: Layout) -> dict[str, Any]:
    """Add the logit of the mean and of the correlation of every system."""
    import pymc as pm
    import pytensor.tensor as pt

    size = layout.counts.n_systems
    scales = layout.scales
    plan = {
        "system": ("system_logit", layout.mean_prior, scales.system_sd),
        "icc": ("icc_logit", layout.icc_prior, scales.icc_sd),
    }
    out = {}
    for name, (variable, prior, scale) in plan.items():
        centre = _logit_of_beta(f"{variable}_mean", prior)
        if "system" in layout.effects:
            sd = pm.HalfNormal(f"{name}_sd", scale)
            if layout.centred.get(name, False):
                values = centre + pm.ZeroSumNormal(f"{variable}_raw", sd, shape=size)
            else:
                values = centre + sd * pm.ZeroSumNormal(f"{variable}_raw", 1.0, shape=size)
        else:
            values = pt.atleast_1d(centre)
        out[variable] = pm.Deterministic(variable, values)
    return out


def _tasks(layout: Layout) -> Any:
    """Add the effects of tasks, with sum zero."""
    import pymc as pm

    size = layout.counts.n_tasks
    sd = pm.HalfNormal("task_sd", layout.scales.task_sd)
    if layout.centred["task"]:
        return pm.ZeroSumNormal("task_effect", sd, shape=size)
    return pm.Deterministic(
        "task_effect", sd * pm.ZeroSumNormal("task_effect_raw", 1.0, shape=size)
    )


def _shifts(layout: Layout) -> Any:
    """Add the effects of conditions, of each system and each task; give their sum for each cell."""
    import pymc as pm
    import pytensor.tensor as pt

    counts, size = layout.counts, layout.n_shifted
    scales = layout.scales
    shift = pm.Normal("condition_mean", 0.0, scales.condition_sd, shape=size)
    own = pt.zeros((counts.n_systems, size)) + shift
    if "condition_system" in layout.effects:
        sd = pm.HalfNormal("condition_system_sd", scales.condition_system_sd)
        raw = pm.Normal("condition_effect_raw", 0.0, 1.0, shape=(counts.n_systems, size))
        own = own + sd * raw
    own = pm.Deterministic("condition_effect", own)
    away = np.flatnonzero(layout.level > 0)
    system, task, level = counts.system[away], counts.task[away], layout.level[away] - 1
    total = own[system, level]
    if "condition_task" in layout.effects:
        sd = pm.HalfNormal("condition_task_sd", scales.condition_task_sd)
        shape = (size, counts.n_tasks)
        if layout.centred["condition_task"]:
            slopes = pm.ZeroSumNormal("task_slope", sd, shape=shape)
        else:
            raw = pm.ZeroSumNormal("task_slope_raw", 1.0, shape=shape)
            slopes = pm.Deterministic("task_slope", sd * raw)
        total = total + slopes[level, task]
    return pt.set_subtensor(pt.zeros(counts.n_cells)[away], total)
