"""Means and interval ends of distributions given as mass on evenly spaced nodes."""

from __future__ import annotations

import numpy as np

from .._numerics import FloatArray


def lattice_moments(nodes: FloatArray, mass: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Give mean and sd over the last axis; the mass sums to 1."""
    mean = (mass * nodes).sum(axis=-1)
    spread = (mass * (nodes - mean[..., None]) ** 2).sum(axis=-1)
    return mean, np.sqrt(np.maximum(spread, 0.0))


def mass_below(nodes: FloatArray, mass: FloatArray, value: float) -> FloatArray:
    """Give P(x < value) of each row, with the mass of a node spread evenly over one step."""
    place = (value - nodes[..., 0]) / (nodes[..., 1] - nodes[..., 0]) + 0.5
    place = np.clip(place, 0.0, nodes.shape[-1])
    cell = np.minimum(place.astype(np.int64), nodes.shape[-1] - 1)[..., None]
    whole = np.take_along_axis(mass.cumsum(axis=-1) - mass, cell, axis=-1)
    part = np.take_along_axis(mass, cell, axis=-1)
    return np.asarray((whole + (place[..., None] - cell) * part)[..., 0] / mass.sum(axis=-1))


def mixture_ends(
    weights: FloatArray, nodes: FloatArray, mass: FloatArray, prob: float
) -> tuple[float, float]:
    """Give the ends of the equal-tailed interval of a mixture of rows, by bisection."""
    out = []
    for level in ((1 - prob) / 2, (1 + prob) / 2):
        low, high = float(nodes.min()), float(nodes.max())
        for _ in range(50):
            middle = (low + high) / 2
            below = float(weights @ mass_below(nodes, mass, middle))
            low, high = (middle, high) if below < level else (low, middle)
        out.append((low + high) / 2)
    return out[0], out[1]


def lattice_ends(nodes: FloatArray, mass: FloatArray, prob: float) -> tuple[float, float]:
    """Give the ends of the equal-tailed interval of one row."""
    return mixture_ends(np.ones(1), nodes[None], mass[None], prob)
