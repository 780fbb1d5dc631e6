"""Sums over the first trials of a task, exact at a cost that grows with their logarithm.

The beta-binomial family rests on sums such as ``sum(log(c + j * e) for j in range(m))``. They are
evaluated term by term, never as differences of log-gamma functions, which lose all digits when the
beta distribution is nearly a point mass. Beyond `EXACT` terms the sum over ``j`` is replaced by few
weighted terms on growing panels, which is exact to machine precision because the summand is
analytic there.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

EXACT = 64
"""Number of leading terms of a sum over trials that are kept as they are."""
PANEL_NODES = 16
"""Interpolation nodes of a panel that serve sums with any upper end."""
PANEL_GROWTH = 1.5
GAUSS_NODES = 12
"""Nodes of a panel that serve one full sum."""
GAUSS_GROWTH = 2.0


def _panels(largest: int, growth: float) -> list[tuple[int, int]]:
    """Give the integer ranges [low, high) that cover [EXACT, largest)."""
    panels, low = [], EXACT
    while low < largest:
        high = min(int(low * growth), largest)
        panels.append((low, high))
        low = high
    return panels


def _gauss_sums(sizes: IntArray, count: int) -> tuple[FloatArray, FloatArray]:
    """Give nodes and weights with ``sum(f(j) for j in range(size)) == weights @ f(nodes)``.

    Gaussian quadrature for the counting measure, exact for polynomials of degree below 2 * count,
    by the Jacobi matrix of the discrete Chebyshev polynomials (Golub and Welsch 1969). Sizes of at
    most `count` give the integers themselves. Arrays of shape (sizes, count).
    """
    m = np.arange(1, count)
    size = np.asarray(sizes, dtype=float)[:, None]
    squares = m**2 * np.maximum(size**2 - m**2, 0.0) / (4.0 * (4.0 * m**2 - 1.0))
    matrix = np.zeros((len(size), count, count))
    matrix[:, m, m - 1] = np.sqrt(squares)
    spread, vectors = np.linalg.eigh(matrix)
    return spread + (size - 1.0) / 2.0, size * vectors[:, 0, :] ** 2


@lru_cache(maxsize=256)
def sum_rule(terms: int) -> tuple[tuple[float, float], ...]:
    """Give (node, weight) pairs for the sum of a function over the first integers.

    Parameters
    ----------
    terms : int >= 0
        Number of terms.

    Returns
    -------
    tuple of (node, weight)
        ``sum(f(j) for j in range(terms))`` equals the weighted sum of f at the nodes, for functions
        that are analytic but for singularities at j <= 0.

    Examples
    --------
    >>> rule = sum_rule(10**6)
    >>> len(rule)
    232
    >>> round(sum(weight / (1 + node) for node, weight in rule), 9)  # the millionth harmonic number
    14.392726723
    """
    head = [(float(j), 1.0) for j in range(min(terms, EXACT))]
    for low, high in _panels(terms, GAUSS_GROWTH):
        nodes, weights = _gauss_sums(np.array([high - low]), GAUSS_NODES)
        head += [(low + x, w) for x, w in zip(nodes[0].tolist(), weights[0].tolist(), strict=True)]
    return tuple(head)


def _lagrange(nodes: FloatArray, x: FloatArray) -> FloatArray:
    """Evaluate the Lagrange polynomials of Chebyshev nodes at x; a new last axis."""
    order = np.arange(len(nodes))
    bary = (-1.0) ** order * np.sin((2 * order + 1) * np.pi / (2 * len(nodes)))
    gap = x[..., None] - nodes
    hit = gap == 0.0
    terms = bary / np.where(hit, 1.0, gap)
    values = terms / terms.sum(axis=-1, keepdims=True)
    return np.asarray(np.where(hit.any(axis=-1, keepdims=True), hit, values))


def _panel_weights(low: int, high: int, nodes: FloatArray, ends: IntArray) -> FloatArray:
    """Give weights at `nodes` of the sums over [low, end) for each end, shape (ends, nodes)."""
    lengths, row = np.unique(np.clip(ends - low, 0, high - low), return_inverse=True)
    places, weights = _gauss_sums(lengths, PANEL_NODES // 2)
    return np.asarray(np.einsum("rg,rgn->rn", weights, _lagrange(nodes, low + places))[row])


def step_nodes(largest: int, *values: IntArray) -> tuple[FloatArray, list[FloatArray]]:
    """Compress sums over the first trials into few nodes.

    Parameters
    ----------
    largest : int
        The largest of all values.
    *values : (rows,) arrays of int
        Upper ends of the sums.

    Returns
    -------
    nodes : (nodes,) array
        Positions x.
    weights : list of (rows, nodes) arrays
        One array for each of `values`: ``sum(f(j) for j in range(v))`` equals
        ``weights @ f(nodes)`` for functions such as ``log(c + j * e)`` with non-negative c and e.

    Examples
    --------
    >>> import numpy as np
    >>> nodes, (weights,) = step_nodes(1000, np.array([1, 1000]))
    >>> weights.shape
    (2, 176)
    >>> (weights @ nodes).round(6)
    array([     0., 499500.])
    """
    head = np.arange(min(largest, EXACT))
    nodes: list[FloatArray] = [head.astype(float)]
    columns: list[list[FloatArray]] = [[(v[:, None] > head).astype(float)] for v in values]
    angle = (2 * np.arange(PANEL_NODES) + 1) * np.pi / (2 * PANEL_NODES)
    for low, high in _panels(largest, PANEL_GROWTH):
        if high - low <= PANEL_NODES:
            steps = np.arange(low, high)
            nodes.append(steps.astype(float))
            for column, v in zip(columns, values, strict=True):
                column.append((v[:, None] > steps).astype(float))
            continue
        places = (low + high - 1) / 2 + (high - 1 - low) / 2 * np.cos(angle)
        nodes.append(places)
        for column, v in zip(columns, values, strict=True):
            column.append(_panel_weights(low, high, places, v))
    return np.concatenate(nodes), [np.concatenate(column, axis=1) for column in columns]
