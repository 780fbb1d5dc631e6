"""Numerically stable pieces of the beta-binomial family.

Everything rests on sums of the form ``sum(log(c + j * e) for j in range(m))`` (rising factorials).
They are evaluated term by term, never as differences of log-gamma functions, which lose all digits
when the beta distribution is nearly a point mass. Beyond ``EXACT`` terms the sum over ``j`` is replaced
by a short weighted sum at Chebyshev nodes on panels growing by half, which is exact to machine
precision because the summand is analytic there; the cost is logarithmic in the number of trials.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import special

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

EXACT = 64
"""Number of leading terms of a sum over trials that are kept as they are."""
PANEL_NODES = 16
PANEL_GROWTH = 1.5
PRODUCT_LIMIT = 64
"""Largest k for which beta moments are multiplied out instead of summed on logs."""


def _panels(largest: int) -> list[tuple[int, int]]:
    """Give the integer ranges [low, high) that cover [EXACT, largest)."""
    panels, low = [], EXACT
    while low < largest:
        high = min(int(low * PANEL_GROWTH), largest)
        panels.append((low, high))
        low = high
    return panels


def _panel_prefix(low: int, high: int) -> tuple[FloatArray, FloatArray]:
    """Give Chebyshev nodes of a panel and the prefix sums of their Lagrange polynomials."""
    order = np.arange(PANEL_NODES)
    angle = (2 * order + 1) * np.pi / (2 * PANEL_NODES)
    centre, half = (low + high - 1) / 2, max((high - 1 - low) / 2, 0.5)
    nodes = centre + half * np.cos(angle)
    bary = (-1.0) ** order * np.sin(angle)
    gap = np.arange(low, high)[:, None] - nodes
    hit = np.abs(gap) < 1e-9
    terms = bary / np.where(hit, 1.0, gap)
    lagrange = terms / terms.sum(axis=1, keepdims=True)
    rows = hit.any(axis=1)
    lagrange[rows] = hit[rows]
    prefix = np.concatenate([np.zeros((1, PANEL_NODES)), np.cumsum(lagrange, axis=0)])
    return nodes, prefix


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
        One array for each of `values`: ``sum(f(j) for j in range(v))`` equals ``weights @ f(nodes)``
        for functions such as ``log(c + j * e)`` with non-negative c and e.
    """
    head = np.arange(min(largest, EXACT))
    nodes: list[FloatArray] = [head.astype(float)]
    columns: list[list[FloatArray]] = [[(v[:, None] > head).astype(float)] for v in values]
    for low, high in _panels(largest):
        if high - low <= PANEL_NODES:
            steps = np.arange(low, high)
            nodes.append(steps.astype(float))
            for column, v in zip(columns, values, strict=True):
                column.append((v[:, None] > steps).astype(float))
            continue
        panel_nodes, prefix = _panel_prefix(low, high)
        nodes.append(panel_nodes)
        for column, v in zip(columns, values, strict=True):
            column.append(prefix[np.clip(v - low, 0, high - low)])
    return np.concatenate(nodes), [np.concatenate(column, axis=1) for column in columns]


def log_beta_moment(a: FloatArray, b: FloatArray, k: int) -> FloatArray:
    """Log of E[p^k] for p ~ Beta(a, b)."""
    nodes, (weights,) = step_nodes(k, np.array([k]))
    total = np.zeros(np.broadcast(a, b).shape)
    for node, weight in zip(nodes, weights[0], strict=True):
        total -= weight * np.log1p(b / (a + node))
    return total


def beta_moment(a: FloatArray, b: FloatArray, k: int) -> FloatArray:
    """E[p^k] for p ~ Beta(a, b), elementwise; stable for tiny and huge parameters."""
    if k > PRODUCT_LIMIT:
        return np.asarray(np.exp(log_beta_moment(a, b, k)))
    total = a + b
    out = np.ones(np.shape(total))
    for j in range(k):
        out = out * ((a + j) / (total + j))
    return out


def beta_mixed_moment(a: FloatArray, b: FloatArray, i: int, j: int) -> FloatArray:
    """E[p^i (1-p)^j] for p ~ Beta(a, b)."""
    return beta_moment(a, b, i) * beta_moment(b, a + i, j)


def falling_ratio(n: IntArray, successes: IntArray, k: int) -> FloatArray:
    """C(successes, k) / C(n, k): the chance that k trials drawn without replacement all succeed.

    NaN where n < k. Products up to k = 256, log-gamma beyond; no overflow for any n.
    """
    n = np.asarray(n, dtype=float)
    y = np.asarray(successes, dtype=float)
    if k <= 256:
        out = np.ones(np.broadcast(n, y).shape)
        for i in range(k):
            out = out * np.maximum(y - i, 0.0) / np.where(n > i, n - i, 1.0)
    else:
        fits = y >= k
        ys, ns = np.where(fits, y, k), np.where(n >= k, n, k)
        logs = special.gammaln(ys + 1) - special.gammaln(ys - k + 1)
        logs = logs - special.gammaln(ns + 1) + special.gammaln(ns - k + 1)
        out = np.where(fits, np.exp(np.minimum(logs, 0.0)), 0.0)
    return np.where(n >= k, out, np.nan)


def mixed_falling_ratio(n: IntArray, successes: IntArray, i: int, j: int) -> FloatArray:
    """Unbiased estimate of p^i (1-p)^j: i given trials succeed and j others fail."""
    n, y = np.asarray(n), np.asarray(successes)
    first = falling_ratio(n, y, i)
    rest = falling_ratio(np.maximum(n - i, 0), np.maximum(n - y, 0), j)
    return np.where(n >= i + j, first * np.where(first == 0, 0.0, rest), np.nan)


def _normalised(logs: FloatArray) -> FloatArray:
    """Exponentiate log weights along the last axis so that they sum to one."""
    weights = np.exp(logs - logs.max(axis=-1, keepdims=True))
    return np.asarray(weights / weights.sum(axis=-1, keepdims=True))


def beta_binomial_pmf(a: FloatArray, b: FloatArray, k: int) -> FloatArray:
    """Probabilities of 0..k successes in k trials, p ~ Beta(a, b); shape (..., k + 1)."""
    a, b = np.broadcast_arrays(np.asarray(a, float), np.asarray(b, float))
    j = np.arange(k)
    ratios = np.log((k - j) / (j + 1.0)) + np.log(a[..., None] + j) - np.log(b[..., None] + k - j - 1)
    return _normalised(np.concatenate([np.zeros((*a.shape, 1)), np.cumsum(ratios, axis=-1)], axis=-1))


def hypergeometric_pmf(n: IntArray, successes: IntArray, k: int) -> FloatArray:
    """Probabilities of 0..k successes among k trials drawn without replacement; NaN where n < k."""
    n, y = np.broadcast_arrays(np.asarray(n), np.asarray(successes))
    j = np.arange(k + 1)
    good, bad = y[..., None], (n - y)[..., None]
    allowed = (j <= good) & (k - j <= bad)
    logs = np.where(allowed, _log_choose(good, j) + _log_choose(bad, k - j), -np.inf)
    enough = n >= k
    out = _normalised(np.where(enough[..., None], logs, 0.0))
    return np.where(enough[..., None], out, np.nan)


def _log_choose(n: IntArray, k: IntArray) -> FloatArray:
    """Log binomial coefficient, with impossible choices evaluated at a harmless value."""
    k = np.minimum(k, np.maximum(n, 0))
    return np.asarray(
        special.gammaln(n + 1.0) - special.gammaln(k + 1.0) - special.gammaln(n - k + 1.0)
    )


def squared_scores(scores: FloatArray) -> FloatArray:
    """Scores of the squared kernel: a function of successes in 2k trials.

    If g(p) = E[scores[X]], X ~ Binomial(k, p), then g(p)^2 = E[out[Y]], Y ~ Binomial(2k, p).
    """
    k = len(scores) - 1
    two = np.arange(2 * k + 1)
    pairs = hypergeometric_pmf(np.full(2 * k + 1, 2 * k), two, k)
    out = np.zeros(2 * k + 1)
    for total in two:
        first = np.arange(max(0, total - k), min(k, total) + 1)
        out[total] = np.sum(pairs[total, first] * scores[first] * scores[total - first])
    return out
