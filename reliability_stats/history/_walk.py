"""A level that walks: exact filter and smoother on a grid, summed over its two hyperparameters.

The logit of the rate, theta_w, moves between periods by normal steps with variance tau^2 times the
distance of the periods; tasks of a period are beta-binomial with one correlation rho. At every node
of (rho, tau) forward and backward sums over the grid of theta are exact up to the grid.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy import special

from .._numerics import FloatArray
from ..exceptions import ModelError
from ._levels import Levels, levels_of
from ._periods import History

TAU = np.exp(np.linspace(np.log(0.01), np.log(3.0), 16))
"""Nodes of the sd of the innovations."""
ICC_NODES = 15
COARSE = 0.15
MOST_NODES = 400
KEEP = 1e-4
"""Nodes of (rho, tau) with less than this share of the largest weight are left out."""


@dataclass(frozen=True)
class Walk:
    """Posterior of one unit.

    Attributes
    ----------
    levels : Levels
        The likelihood on the grid that was used.
    log_evidence : (icc_nodes, taus) ndarray
        With the prior of the correlation, without that of tau.
    weight : (icc_nodes, taus) ndarray
        Posterior mass of the nodes.
    level : (periods, icc_nodes, nodes) ndarray
        Posterior mass of the correlation and the level of each period.
    ends : (icc_nodes, nodes, nodes) ndarray
        Joint posterior mass of the correlation, the first and the last level.
    """

    levels: Levels
    log_evidence: FloatArray
    weight: FloatArray
    level: FloatArray
    ends: FloatArray


def kernel(logit: FloatArray, sd: float) -> FloatArray:
    """Give the transition matrix of a normal step on the grid, (to, from), of exact variance."""
    step = float(logit[1] - logit[0])
    distance = np.abs(logit[:, None] - logit)
    if sd < step:
        near = (distance > step / 2) & (distance < 1.5 * step)
        out = np.where(near, sd**2 / (2 * step**2), 0.0)
        out[np.diag_indices(len(logit))] = 1 - sd**2 / step**2
    else:
        out = np.exp(-0.5 * (distance / sd) ** 2) * step / (sd * np.sqrt(2 * np.pi))
    return np.asarray(out)


def tau_mass(scale: FloatArray | float) -> FloatArray:
    """Prior mass of the nodes of tau, half-normal with the given scales, (..., taus)."""
    middle = np.sqrt(TAU[1:] * TAU[:-1])
    below = special.erf(middle / (np.asarray(scale)[..., None] * np.sqrt(2)))
    end = np.zeros((*below.shape[:-1], 1))
    return np.diff(np.concatenate([end, below, end + 1], axis=-1), axis=-1)


def evidence_of(levels: Levels, gaps: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Run the filter at all nodes.

    Returns
    -------
    log_evidence : (icc_nodes, taus) ndarray
    forward : (taus, periods, nodes, icc_nodes) ndarray
        Filtered mass.
    """
    like, top = _scaled(levels)
    prior = np.exp(levels.log_prior)[:, None]
    log, forward = [], np.empty((len(TAU), *like.shape))
    for k, tau in enumerate(TAU):
        moves = _moves(levels.logit, tau, gaps)
        state, total = np.broadcast_to(prior, like.shape[1:]), np.zeros(like.shape[2])
        for w in range(len(like)):
            state = (moves[gaps[w - 1]] @ state if w else state) * like[w]
            mass = np.maximum(state.sum(axis=0), np.finfo(float).tiny)
            state = state / mass
            total += np.log(mass)
            forward[k, w] = state
        log.append(total)
    return np.stack(log, axis=1) + (top + levels.log_icc_prior)[:, None], forward


def _scaled(levels: Levels) -> tuple[FloatArray, FloatArray]:
    """Likelihood (periods, nodes, icc_nodes), scaled, and the log of the scales."""
    top = levels.values.max(axis=2, keepdims=True)
    like = np.exp(levels.values - top).transpose(0, 2, 1)
    return np.ascontiguousarray(like), top[:, :, 0].sum(axis=0)


def _moves(logit: FloatArray, tau: float, gaps: FloatArray) -> dict[float, FloatArray]:
    """Give the transition matrix of every gap that occurs."""
    return {float(g): kernel(logit, float(tau * np.sqrt(g))) for g in np.unique(gaps)}


def focused_levels(history: History, unit: int, *, binomial: bool) -> tuple[Levels, FloatArray]:
    """Give the likelihood on a grid where the posterior lies, and the gaps between periods."""
    coarse = levels_of(history, unit, spacing=COARSE, binomial=binomial)
    gaps = np.diff(history.place[coarse.periods]).astype(float)
    log, forward = evidence_of(coarse, gaps)
    log = log + np.log(tau_mass(0.5))
    weight = np.exp(log - special.logsumexp(log))
    icc = None
    if len(coarse.icc) > 1:
        mass = weight.sum(axis=1)
        mean = float(mass @ coarse.icc)
        sd = max(float(np.sqrt(mass @ (coarse.icc - mean) ** 2)), 0.3)
        ends = max(coarse.icc[0], mean - 5 * sd), min(coarse.icc[-1], mean + 5 * sd)
        icc = np.linspace(*ends, ICC_NODES)
    seen = np.einsum("jk,kwij->i", weight, forward) / len(coarse.periods)
    near = np.flatnonzero(seen > 1e-7)
    low, high = coarse.logit[near[0]] - 6 * COARSE, coarse.logit[near[-1]] + 6 * COARSE
    total = float(history.n[history.unit == unit].sum())
    step = max(min(0.1, 1.6 / np.sqrt(total)), (high - low) / MOST_NODES)
    if step > 4 / np.sqrt(total):
        raise ModelError(
            f"{history.units[unit]!r} has {total:.0f} trials and a level that moves over "
            f"{high - low:.1f} logits, too many for the grid of {MOST_NODES} points. Use fewer "
            "trials, or ChangePoint."
        )
    fine = levels_of(history, unit, icc=icc, spacing=step, binomial=binomial)
    inside = (fine.logit >= low) & (fine.logit <= high)
    return replace(fine, logit=fine.logit[inside], values=fine.values[:, :, inside]), gaps


def smoothed(
    levels: Levels,
    gaps: FloatArray,
    log_evidence: FloatArray,
    forward: FloatArray,
    prior: FloatArray,
) -> Walk:
    """Run the smoother at the nodes that matter.

    Parameters
    ----------
    levels, gaps, log_evidence, forward
        As from `focused_levels` and `evidence_of`.
    prior : (taus,) ndarray
        Prior mass of tau.
    """
    log = log_evidence + np.log(np.maximum(prior, 1e-300))
    weight = np.exp(log - special.logsumexp(log))
    weight = np.where(weight < KEEP * weight.max(), 0.0, weight)
    weight /= weight.sum()
    like, _ = _scaled(levels)
    nodes = len(levels.logit)
    level = np.zeros((len(like), len(levels.icc), nodes))
    ends = np.zeros((len(levels.icc), nodes, nodes))
    for k, tau in enumerate(TAU):
        keep = np.flatnonzero(weight[:, k])
        if not len(keep):
            continue
        moves = _moves(levels.logit, tau, gaps)
        back = np.ones((nodes, len(keep)))
        for w in range(len(like) - 1, -1, -1):
            if w < len(like) - 1:
                back = moves[gaps[w]].T @ (back * like[w + 1][:, keep])
                back /= back.max(axis=0)
            mass = forward[k, w][:, keep] * back
            level[w, keep] += (mass / mass.sum(axis=0) * weight[keep, k]).T
        for j in keep:
            ends[j] += weight[j, k] * _ends(levels, like[:, :, j], moves, gaps)
    return Walk(levels, log_evidence, weight, level, ends)


def _ends(
    levels: Levels, like: FloatArray, moves: dict[float, FloatArray], gaps: FloatArray
) -> FloatArray:
    """Joint posterior mass of the first and the last level at one node, (first, last)."""
    state = np.diag(np.exp(levels.log_prior) * like[0])
    for w, gap in enumerate(gaps):
        state = (state @ moves[gap].T) * like[w + 1]
        state /= state.max()
    return np.asarray(state / state.sum())
