"""Posteriors of change points in arrays, one a unit."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import special

from .._numerics import FloatArray
from ..exceptions import ModelError
from ._periods import History
from ._segments import Segments, segments_of
from ._shift import shift_posterior, splits_of


@dataclass(frozen=True, eq=False)
class UnitFit:
    """Posterior of one unit in arrays: see `ChangePosterior` for what is made of them.

    Attributes
    ----------
    boundaries : (places,) ndarray of int
        Periods that a change may begin with.
    log_factor : float
        Log Bayes factor of a change against none.
    log_at : (places,) ndarray
        The same for one change at each place.
    at : (places,) ndarray
        Probability that a change begins there, given that there is one or more.
    nodes, mass : (places, nodes) ndarray
        Shift in log odds, given one change there.
    segments : Segments or None
        More, if tasks are fresh.
    """

    boundaries: np.ndarray
    log_factor: float
    log_at: FloatArray
    at: FloatArray
    nodes: FloatArray
    mass: FloatArray
    segments: Segments | None = None


def fit_same(history: History, shift_scale: float) -> list[UnitFit]:
    """Fit one shift of recurring tasks."""
    splits = splits_of(history)
    if not len(splits.n1):
        raise ModelError(
            "No task occurs on both sides of any boundary with both outcomes, so none can be "
            "compared with itself. If every period has new tasks, use tasks='fresh'."
        )
    post = shift_posterior(splits, shift_scale)
    fits = []
    for u in range(len(history.units)):
        mine = splits.unit == u
        log_at = post.log_factor[mine]
        log_factor = float(special.logsumexp(log_at) - np.log(len(log_at))) if len(log_at) else 0.0
        at = special.softmax(log_at) if len(log_at) else log_at
        parts = (splits.boundary[mine], log_factor, log_at, at, post.nodes[mine])
        fits.append(UnitFit(*parts, post.weights[mine]))
    return fits


def fit_fresh(history: History, most: int) -> list[UnitFit]:
    """Fit levels of fresh tasks."""
    fits = []
    for u in range(len(history.units)):
        found = segments_of(history, u, most)
        if len(found.periods) < 2:
            nothing = np.zeros(0)
            fits.append(UnitFit(found.periods[1:], 0.0, nothing, nothing, nothing, nothing, found))
            continue
        log_factor = float(special.logsumexp(found.log_factor) - np.log(len(found.log_factor)))
        at = special.softmax(found.log_factor) @ found.at
        step = found.logit[1] - found.logit[0]
        half = len(found.logit) - 1
        nodes = np.broadcast_to(step * np.arange(-half, half + 1), found.shift.shape)
        parts = (found.periods[1:], log_factor, found.log_at, at, nodes)
        fits.append(UnitFit(*parts, found.shift, found))
    return fits
