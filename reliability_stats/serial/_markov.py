"""Evidence that a trial depends on the one before, task by task."""

from __future__ import annotations

import numpy as np
from scipy.special import betaln

from .._numerics import FloatArray, IntArray
from ._strata import Strata


def transitions(strata: Strata) -> IntArray:
    """Count (from, to) pairs of successive outcomes in each stratum, shape (strata, 2, 2)."""
    later = np.flatnonzero(strata.position > 0)
    pair = 2 * strata.success[later - 1] + strata.success[later]
    key = 4 * strata.stratum[later] + pair
    return np.bincount(key, minlength=4 * len(strata.n)).reshape(-1, 2, 2)


def log_bayes_factor(counts: IntArray) -> FloatArray:
    """Log Bayes factor of a two-state Markov chain over independent trials.

    Uniform priors on the success probability after a failure and after a success, or on the common
    one. Given the first trial.

    Parameters
    ----------
    counts : (..., 2, 2) ndarray of int
        Transitions from (failure, success) to (failure, success).

    Returns
    -------
    (...) ndarray
        Zero where there is no transition from one of the two.
    """
    n = np.asarray(counts, dtype=float)
    chain = betaln(1 + n[..., 0, 1], 1 + n[..., 0, 0]) + betaln(1 + n[..., 1, 1], 1 + n[..., 1, 0])
    wins, losses = n[..., :, 1].sum(axis=-1), n[..., :, 0].sum(axis=-1)
    return np.asarray(chain - betaln(1 + wins, 1 + losses))
