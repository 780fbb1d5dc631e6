"""Nonparametric maximum likelihood of the distribution of success probabilities.

The likelihood of a mixture is concave in the mixing distribution. A distribution is best exactly if
no point mass, mixed in, would raise it: if the gradient, the mean over tasks of a point's
likelihood over the mixture's, is nowhere above one. The largest gradient is thus a certificate: the
log likelihood is within (number of tasks) x log(largest gradient) of the best.

References
----------
Laird (1978), https://doi.org/10.1080/01621459.1978.10480103;
Lindsay (1983), https://doi.org/10.1214/aos/1176346059;
Wang (2007), https://doi.org/10.1111/j.1467-9868.2007.00583.x
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
from scipy.optimize import nnls

from .._numerics import FloatArray, IntArray
from ..exceptions import ConvergenceWarning

STEPS = 500
TOL = 1e-9
SUM = 1e3
"""Weight of the condition that weights sum to one, in the least-squares problem."""


@dataclass(frozen=True, eq=False)
class Best:
    """A mixing distribution of greatest likelihood on a grid.

    Attributes
    ----------
    weights : (nodes,) ndarray
        Masses at the nodes; few are positive.
    fitted : (rows,) ndarray
        Mean likelihood of each row, the same for every best distribution.
    gradient : float
        Largest gradient over the nodes; at most 1 + tol.
    log_likelihood : float
        Sum over tasks.
    """

    weights: FloatArray
    fitted: FloatArray
    gradient: float
    log_likelihood: float


def npmle(log_likelihood: FloatArray, tasks: IntArray, *, tol: float = TOL) -> Best:
    """Find the mixing distribution on a grid under which counts are likeliest.

    By the constrained Newton method: nodes at which the gradient peaks join the support, and a
    weighted non-negative least-squares problem gives the next weights, halved back towards the old
    ones until the likelihood rises.

    Parameters
    ----------
    log_likelihood : (rows, nodes) array
        Log likelihood of one task of each row at each node; -inf where impossible.
    tasks : (rows,) array
        Tasks of each row.
    tol : float
        Excess of the largest gradient over one at which to stop.

    Returns
    -------
    Best
    """
    top = log_likelihood.max(axis=1, keepdims=True)
    likelihood = np.exp(log_likelihood - top)
    share = tasks / tasks.sum()
    weights = np.zeros(likelihood.shape[1])
    weights[np.unique(likelihood.argmax(axis=1))] = 1.0
    weights /= weights.sum()
    fitted = likelihood @ weights
    gradient = np.inf
    for _ in range(STEPS):
        ratio = likelihood / fitted[:, None]
        slope = share @ ratio
        gradient = float(slope.max())
        if gradient <= 1.0 + tol:
            break
        weights = _newton(likelihood, share, weights, fitted, _support(slope, weights))
        fitted = likelihood @ weights
    else:
        warnings.warn(
            f"The likeliest distribution is not found to full accuracy: the largest gradient is "
            f"1 + {gradient - 1.0:.1e}, and the log likelihood within "
            f"{tasks.sum() * np.log(gradient):.1e} of the best.",
            ConvergenceWarning,
            stacklevel=3,
        )
    value = float(tasks @ (np.log(fitted) + top[:, 0]))
    return Best(weights, fitted * np.exp(top[:, 0]), gradient, value)


def _support(slope: FloatArray, weights: FloatArray) -> IntArray:
    """Give the nodes in use and those where the gradient peaks above one."""
    padded = np.concatenate([[-np.inf], slope, [-np.inf]])
    peak = (slope >= padded[:-2]) & (slope >= padded[2:]) & (slope > 1.0)
    return np.flatnonzero(peak | (weights > 0))


def _newton(
    likelihood: FloatArray,
    share: FloatArray,
    weights: FloatArray,
    fitted: FloatArray,
    support: IntArray,
) -> FloatArray:
    """Take one step on a support, as far as the likelihood rises."""
    scale = np.sqrt(share)
    design = scale[:, None] * likelihood[:, support] / fitted[:, None]
    system = np.vstack([design, np.full(len(support), SUM)])
    found, _ = nnls(system, np.append(2.0 * scale, SUM), maxiter=50 * len(support))
    target = np.zeros_like(weights)
    target[support] = found
    target /= target.sum()
    before = share @ np.log(fitted)
    step, move = 1.0, target - weights
    while step > 1e-12:
        trial = weights + step * move
        with np.errstate(divide="ignore", invalid="ignore"):
            after = share @ np.log(likelihood @ trial)
        if after >= before:
            kept = np.where(trial > 1e-15, trial, 0.0)
            return np.asarray(kept / kept.sum())
        step /= 2.0
    return _uphill(likelihood, share, weights, fitted)


def _uphill(
    likelihood: FloatArray, share: FloatArray, weights: FloatArray, fitted: FloatArray
) -> FloatArray:
    """Go towards the steepest node, then once around by expectation and maximisation.

    Slower than a Newton step, but it rises where the least squares of that step fail.
    """
    slope = share @ (likelihood / fitted[:, None])
    before, move = share @ np.log(fitted), -weights
    move[slope.argmax()] += 1.0
    step = 0.5
    while step > 1e-12 and share @ np.log(likelihood @ (weights + step * move)) < before:
        step /= 2.0
    trial = weights + (step if step > 1e-12 else 0.0) * move
    for _ in range(20):
        trial = trial * (share @ (likelihood / (likelihood @ trial)[:, None]))
    return np.asarray(trial / trial.sum())
