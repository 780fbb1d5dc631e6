"""Runs around the level of their task, levels normal over tasks, with levels integrated out."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import special

from .._numerics import FloatArray
from ._read import Runs

AROUND = 41
"""Nodes around each run."""
FAR = 6.0
"""Reach of these nodes, in inverse hyperbolic sines of sds of a run."""
OWN = 21
"""Nodes of a narrow law of levels."""
TINY = 1e-300


def log_density_of_runs(z: FloatArray, df: float) -> FloatArray:
    """Log density of Student's t with `df` degrees of freedom, normal if they are infinite."""
    if np.isinf(df):
        return np.asarray(-0.5 * z**2 - 0.5 * np.log(2 * np.pi))
    constant = special.gammaln((df + 1) / 2) - special.gammaln(df / 2) - 0.5 * np.log(df * np.pi)
    return np.asarray(constant - (df + 1) / 2 * np.log1p(z**2 / df))


def log_likelihood(runs: Runs, axes: Sequence[FloatArray], df: float) -> FloatArray:
    """Log likelihood on the product of three axes.

    A task's level is Normal(mean, between); its runs are the level plus within times Student's t.

    Parameters
    ----------
    runs : Runs
        Scores.
    axes : sequence of (nodes,) arrays
        Mean, log between and log within.
    df : float
        Degrees of freedom.

    Returns
    -------
    (mean, between, within) ndarray
    """
    mean, log_between, log_within = axes
    out = np.zeros((len(mean), len(log_between), len(log_within)))
    between = np.exp(log_between)
    for j, within in enumerate(np.exp(log_within)):
        wide = between > 0.7 * within
        for scores in runs.tasks:
            if wide.any():
                out[:, wide, j] += _wide(scores, mean, between[wide], within, df)
            if not wide.all():
                out[:, ~wide, j] += _narrow(scores, mean, between[~wide], within, df)
    return out


def _log_task(scores: FloatArray, level: FloatArray, within: float, df: float) -> FloatArray:
    """Log density of the runs of a task at levels."""
    z = (scores - level[..., None]) / within
    return np.asarray((log_density_of_runs(z, df) - np.log(within)).sum(axis=-1))


def _wide(
    scores: FloatArray, mean: FloatArray, between: FloatArray, within: float, df: float
) -> FloatArray:
    """Integrate on nodes around every run, and around their mean."""
    spread = within * np.sinh(np.linspace(-FAR, FAR, AROUND)) / 2
    centres = np.unique([*scores, scores.mean()])
    level = np.unique(np.concatenate([centre + spread for centre in centres]))
    weights = np.zeros(len(level))
    gaps = np.diff(level)
    weights[:-1] += gaps / 2
    weights[1:] += gaps / 2
    logs = _log_task(scores, level, within, df) + np.log(np.maximum(weights, TINY))
    top = logs.max()
    z = (level - mean[:, None, None]) / between[:, None]
    law = np.exp(-0.5 * z**2) / (between[:, None] * np.sqrt(2 * np.pi))
    return np.asarray(np.log(np.maximum(law @ np.exp(logs - top), TINY)) + top)


def _narrow(
    scores: FloatArray, mean: FloatArray, between: FloatArray, within: float, df: float
) -> FloatArray:
    """Integrate on nodes around the mean of the levels."""
    z = np.linspace(-6.0, 6.0, OWN)
    weights = np.exp(-0.5 * z**2)
    weights /= weights.sum()
    level = mean[:, None, None] + between[:, None] * z
    logs = _log_task(scores, level, within, df)
    return np.asarray(special.logsumexp(logs, b=weights, axis=-1))


def expected_best(k: int, df: float) -> float:
    """Mean of the largest of k standard draws: the integral of 1 - F^k - (1 - F)^k over x > 0."""
    t, weights = np.polynomial.legendre.leggauss(400)
    # x = r / (1 - r) maps (0, 1) to (0, infinity)
    r = (t + 1) / 2
    x = r / (1 - r)
    upper = special.ndtr(-x) if np.isinf(df) else special.stdtr(df, -x)
    values = -np.expm1(k * np.log1p(-upper)) - upper**k
    return float(weights / 2 @ (values / (1 - r) ** 2))


def share_above(z: FloatArray, df: float) -> FloatArray:
    """P(run >= tolerance) where z is (tolerance - level) / within."""
    return np.asarray(special.ndtr(-z) if np.isinf(df) else special.stdtr(df, -z))
