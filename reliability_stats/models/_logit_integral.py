"""Binomial likelihoods averaged over a normal distribution on the logit scale.

With p = 1 / (1 + exp(-eta)) and eta = location + scale z, z standard normal, the integrand in z is
log-concave. It is summed by the trapezoidal rule between the places where it has fallen by exp(-36)
from its mode. With 65 nodes this is exact to 1e-7 for scales up to 5 (to 1e-11 up to 3), whatever
the number of trials; larger scales get more nodes. Gauss-Hermite rules with fixed nodes are off by
up to 0.9 in the logarithm.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy import special

from .._numerics import FloatArray

NODES = 65
SIZES = ((5.0, 65), (20.0, 257), (np.inf, 1025))
"""Numbers of nodes for scales up to a limit."""
FALL = 36.0
"""Fall of the log integrand at which it is cut."""
LOG_ROOT = 0.5 * np.log(2.0 * np.pi)


def log_pass(eta: FloatArray) -> FloatArray:
    """Log of the success probability at a logit, with all digits."""
    return np.asarray(np.minimum(eta, 0.0) - np.log1p(np.exp(-np.abs(eta))))


def nodes(
    n: FloatArray,
    successes: FloatArray,
    location: FloatArray,
    scale: FloatArray,
    count: int = NODES,
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Place the nodes of one integral for each entry.

    Parameters
    ----------
    n, successes, location, scale : array of equal shape
        Counts, and mean and standard deviation of the logit.
    count : int
        Number of nodes.

    Returns
    -------
    eta : (..., count) ndarray
        Logits of the nodes.
    log_weight : (..., count) ndarray
        Their logarithmic weights; the sum of the weights is the probability of one sequence of
        outcomes with these counts.
    step : (...) ndarray
        Distance between neighbouring nodes, in logits.
    """
    fails = n - successes

    def slope(z: FloatArray) -> tuple[FloatArray, FloatArray]:
        """First derivative of the log integrand, and minus the second."""
        p = special.expit(location + scale * z)
        return scale * (successes - n * p) - z, scale**2 * n * p * (1.0 - p) + 1.0

    def height(z: FloatArray) -> FloatArray:
        eta = location + scale * z
        up = log_pass(eta)
        return np.asarray(successes * up + fails * (up - eta) - 0.5 * z * z)

    low, high = -scale * fails - 1e-9, scale * successes + 1e-9
    z = np.clip(np.zeros_like(location), low, high)
    for _ in range(100):
        first, second = slope(z)
        low, high = np.where(first > 0, z, low), np.where(first < 0, z, high)
        newton = z + first / second
        inside = (newton >= low) & (newton <= high)
        new = np.where(inside, newton, 0.5 * (low + high))
        moved = np.abs(new - z) * np.sqrt(second)
        z = new
        if not (moved > 1e-4).any():
            break
    top = height(z)
    ends = [_end(height, slope, z, top, side) for side in (-1.0, 1.0)]
    width = ends[1] - ends[0]
    places = ends[0][..., None] + width[..., None] * np.linspace(0.0, 1.0, count)
    eta = location[..., None] + scale[..., None] * places
    up = log_pass(eta)
    logs = successes[..., None] * up + fails[..., None] * (up - eta) - 0.5 * places**2
    step = width / (count - 1)
    return eta, logs + (np.log(step) - LOG_ROOT)[..., None], scale * step


def _end(
    height: Callable[[FloatArray], FloatArray],
    slope: Callable[[FloatArray], tuple[FloatArray, FloatArray]],
    mode: FloatArray,
    top: FloatArray,
    side: float,
) -> FloatArray:
    """Find where the log integrand has fallen, by Newton steps from beyond."""
    z = mode + side * np.sqrt(2.0 * FALL)
    for _ in range(60):
        excess = top - height(z) - FALL
        fall = np.abs(slope(z)[0])
        move = np.maximum(excess, 0.0) / np.maximum(fall, 1e-12)
        z = z - side * move
        if not (excess > 0.5).any():
            break
    return np.asarray(z)


def log_mean(
    n: FloatArray, successes: FloatArray, location: FloatArray, scale: FloatArray
) -> FloatArray:
    """Log probability of one sequence of outcomes with these counts; arrays of equal shape.

    Examples
    --------
    >>> import numpy as np
    >>> one = [np.array([x]) for x in (4.0, 2.0, -0.5, 2.0)]
    >>> (log_mean(*one) + np.log(6)).round(8)  # with the binomial coefficient
    array([-1.7718248])
    """
    out = np.empty(location.shape)
    before = -np.inf
    for limit, count in SIZES:
        rows = (scale > before) & (scale <= limit)
        if rows.any():
            _, logs, _ = nodes(n[rows], successes[rows], location[rows], scale[rows], count)
            out[rows] = special.logsumexp(logs, axis=-1)
        before = limit
    return out


def node_count(scale: float) -> int:
    """Give the number of nodes that a scale asks for."""
    return next(count for limit, count in SIZES if scale <= limit)
