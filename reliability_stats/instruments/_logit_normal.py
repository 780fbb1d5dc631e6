"""Binomial counts of users whose logits are normal: exact integrals over users.

log integral of Bin(y | n, expit(mu + sigma z)) phi(z) dz by the trapezoidal rule in t, with
z = z* + s sinh(t), z* the mode and s the scale of the curvature there. The map follows both a
narrow likelihood and the normal tails; fixed Gauss-Hermite nodes fail where sigma n is large.
"""

from __future__ import annotations

import numpy as np
from scipy import special

from .._numerics import FloatArray

NODES = 49
REACH = 9.0
"""Standard normal distance that the nodes cover."""
NEWTON = 30


def modes(
    n: FloatArray, y: FloatArray, mu: FloatArray, sigma: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Give mode and curvature scale of the integrand in z, for arrays that broadcast.

    Newton's method, kept inside a bracket: the log integrand is concave.
    """
    n, y, mu, sigma = np.broadcast_arrays(n, y, mu, sigma)
    low, high = -sigma * (n - y) - 1e-9, sigma * y + 1e-9
    z = np.clip(np.zeros(n.shape), low, high)
    for _ in range(NEWTON):
        p = special.expit(mu + sigma * z)
        slope = sigma * (y - n * p) - z
        low, high = np.where(slope > 0, z, low), np.where(slope > 0, high, z)
        new = z + slope / (1.0 + sigma**2 * n * p * (1.0 - p))
        new = np.where((new < low) | (new > high), (low + high) / 2.0, new)
        if np.abs(new - z).max() < 1e-6:
            z = new
            break
        z = new
    p = special.expit(mu + sigma * z)
    return z, 1.0 / np.sqrt(1.0 + sigma**2 * n * p * (1.0 - p))


def nodes_of(
    n: FloatArray, y: FloatArray, mu: FloatArray, sigma: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Give z, log integrand in t, t and the step in t; a new last axis of nodes."""
    centre, scale = modes(n, y, mu, sigma)
    end = np.arcsinh(REACH / scale)
    t = end[..., None] * np.linspace(-1.0, 1.0, NODES)
    z = centre[..., None] + scale[..., None] * np.sinh(t)
    eta = np.asarray(mu)[..., None] + np.asarray(sigma)[..., None] * z
    n1, y1 = np.asarray(n)[..., None], np.asarray(y)[..., None]
    logs = y1 * eta - n1 * np.logaddexp(0.0, eta) - z**2 / 2.0
    logs = logs + np.log(np.cosh(t)) + np.log(scale)[..., None] - 0.5 * np.log(2.0 * np.pi)
    return z, logs, t, 2.0 * end / (NODES - 1)


def log_marginal(n: FloatArray, y: FloatArray, mu: FloatArray, sigma: FloatArray) -> FloatArray:
    """Give the log probability of one sequence with y successes in n, averaged over users.

    Parameters
    ----------
    n, y, mu, sigma : arrays that broadcast
        Trials, successes, mean and sd of the logits. Counts need not be whole.

    Returns
    -------
    ndarray

    Examples
    --------
    >>> import numpy as np
    >>> value = log_marginal(*(np.array([x]) for x in (16.0, 8.0, 0.0, 4.0)))
    >>> round(float(value[0] + np.log(12870)), 6)  # times 16 choose 8
    -3.699775
    """
    _, logs, _, step = nodes_of(n, y, mu, sigma)
    return np.asarray(special.logsumexp(logs, axis=-1) + np.log(step))


def draw_users(
    n: float, y: float, mu: FloatArray, sigma: FloatArray, rng: np.random.Generator
) -> FloatArray:
    """Draw a user's success probability given counts, one for each (mu, sigma)."""
    _, logs, t, step = nodes_of(np.full(mu.shape, n), np.full(mu.shape, y), mu, sigma)
    cumulative = np.exp(logs - logs.max(axis=1, keepdims=True)).cumsum(axis=1)
    u = rng.random(len(mu)) * cumulative[:, -1]
    at = np.minimum((cumulative < u[:, None]).sum(axis=1), NODES - 1)
    centre, scale = modes(np.full(mu.shape, n), np.full(mu.shape, y), mu, sigma)
    place = t[np.arange(len(mu)), at] + step * (rng.random(len(mu)) - 0.5)
    return np.asarray(special.expit(mu + sigma * (centre + scale * np.sinh(place))))
