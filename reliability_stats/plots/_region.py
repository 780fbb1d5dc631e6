"""Joint highest-density regions of capability and reliability from draws."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
from scipy import ndimage, special

from .._numerics import FloatArray

EDGE = 2e-3
"""Distance from an edge below which points count as alike: less than the width of a line."""
BANDWIDTH = 2.0
"""Bandwidth in units of Scott's; generous, since the level makes up for it."""
STEP = 1 / 3
"""Step of the grid in bandwidths of the kernel."""
MAX_NODES = 400
REACH = 4.0
"""Bandwidths after which the kernel ends."""


def highest_density_region(
    capability: FloatArray, reliability: FloatArray, prob: float
) -> list[FloatArray]:
    """Outline the smallest region with a given mass of the joint posterior.

    The density is estimated from the draws by a Gaussian kernel on the scale of logit x and
    logit r, with x = pass@k and r = pass^k / pass@k, both moved away from their edges by `EDGE`,
    and turned into a density of (pass@k, pass^k) by the Jacobian. The level is the quantile of the
    density at the draws, each draw judged by the density that the others give, so that new draws
    fall inside with probability `prob` whatever the smoothing. No part of the region leaves
    0 <= pass^k <= pass@k <= 1.

    Parameters
    ----------
    capability, reliability : (draws,) array
        Joint draws with 0 <= reliability <= capability <= 1.
    prob : float in (0, 1)
        Mass of the region.

    Returns
    -------
    list of (vertices, 2) ndarray
        Closed rings of (pass@k, pass^k); outer ones run anticlockwise, holes clockwise.

    References
    ----------
    Hyndman (1996), Computing and graphing highest density regions,
    https://doi.org/10.1080/00031305.1996.10473359
    """
    from contourpy import FillType, contour_generator

    ratio = reliability / np.maximum(capability, np.finfo(float).tiny)
    logits = np.stack([_to_logit(capability), _to_logit(ratio)])
    centre = logits.mean(axis=1, keepdims=True)
    root = np.linalg.cholesky(np.cov(logits) + 1e-6 * np.eye(2))
    white = np.linalg.solve(root, logits - centre)
    axes, density, at_draws = _kernel_density(white, BANDWIDTH * white.shape[1] ** (-1 / 6))
    level = float(np.quantile(_log_density(at_draws, *logits), 1 - prob))
    shape = density.shape
    nodes = np.stack(np.meshgrid(*axes, indexing="ij")).reshape(2, -1)
    nodes = centre + root @ nodes
    height = _log_density(density.ravel(), *nodes)
    x = _from_logit(nodes[0])
    y = x * _from_logit(nodes[1])
    columns = (values.reshape(shape).T for values in (x, y, height))
    contours = contour_generator(*columns, fill_type=FillType.OuterOffset)
    filled: Any = contours.filled(level, float(height.max()) + 1.0)
    return [
        np.asarray(part[start:stop], dtype=float)
        for part, ends in zip(*filled, strict=True)
        for start, stop in pairwise(ends)
    ]


def _to_logit(x: FloatArray) -> FloatArray:
    """Give the logit of a value in [0, 1], moved away from the edges."""
    return np.asarray(special.logit((np.clip(x, 0.0, 1.0) + EDGE) / (1 + 2 * EDGE)))


def _from_logit(v: FloatArray) -> FloatArray:
    """Undo `_to_logit`; what lies beyond an edge is put on it."""
    return np.asarray(np.clip(special.expit(v) * (1 + 2 * EDGE) - EDGE, 0.0, 1.0))


def _log_density(density: FloatArray, v: FloatArray, u: FloatArray) -> FloatArray:
    """Turn a density of the logits into the log density of (pass@k, pass^k), up to a constant.

    d(x, x r) / d(v, u) = x * dx/dv * dr/du, and dx/dv = expit(v) expit(-v) up to a constant.
    """
    jacobian = special.log_expit(v) + special.log_expit(-v)
    jacobian += special.log_expit(u) + special.log_expit(-u)
    jacobian += np.log(np.maximum(_from_logit(v), EDGE))
    floor = np.finfo(float).tiny
    return np.asarray(np.log(np.maximum(density, floor)) - jacobian)


def _kernel_density(
    white: FloatArray, bandwidth: float
) -> tuple[list[FloatArray], FloatArray, FloatArray]:
    """Estimate the density of draws with unit covariance.

    Returns the nodes of both axes, the density on them, and the density at every draw without the
    draw's own share.
    """
    size = white.shape[1]
    low = white.min(axis=1) - (REACH + 1) * bandwidth
    high = white.max(axis=1) + (REACH + 1) * bandwidth
    nodes = np.minimum(np.ceil((high - low) / (STEP * bandwidth)).astype(int) + 1, MAX_NODES)
    step = (high - low) / (nodes - 1)
    place = (white - low[:, None]) / step[:, None]
    corner = np.minimum(place.astype(int), nodes[:, None] - 2)
    part = place - corner
    mass = np.zeros(nodes)
    for i in (0, 1):
        for j in (0, 1):
            weight = (part[0] if i else 1 - part[0]) * (part[1] if j else 1 - part[1])
            np.add.at(mass, (corner[0] + i, corner[1] + j), weight)
    sigma = bandwidth / step
    density = ndimage.gaussian_filter(mass, sigma, mode="constant", truncate=REACH) / size
    at_draws = ndimage.map_coordinates(density, place, order=1)
    # Binning and interpolation each spread a draw by about 1/6 of a squared step.
    own = 1 / (2 * np.pi * np.sqrt(np.prod(sigma**2 + 1 / 3)) * size)
    axes = [low[i] + step[i] * np.arange(nodes[i]) for i in (0, 1)]
    return axes, density, at_draws - own
