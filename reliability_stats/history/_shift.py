"""A common shift of the log odds of tasks that recur, with the tasks themselves eliminated.

Given the successes c of a task before and after a boundary together, the successes after it follow
Fisher's noncentral hypergeometric law, which depends on the log odds ratio only. The product over
tasks is the likelihood of the shift: whatever the success probabilities of the tasks, and however
they are spread, they cancel. The values are relative to no shift, so their mean under a prior of
the shift is a Bayes factor against no change, and its expectation under no change is exactly 1.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import special

from .._numerics import FloatArray, IntArray
from ._periods import History

CHUNK = 4_000_000
"""Largest number of terms at once."""
NODES = 97
DROP = 35.0
"""Fall of the log density at which the quadrature stops."""


@dataclass(frozen=True)
class Splits:
    """Tables of tasks before and after each boundary, equal ones counted.

    Attributes
    ----------
    unit, boundary : (splits,) ndarray of int
        Unit, and period that begins after the boundary; sorted.
    split : (rows,) ndarray of int
        Split of each row, ascending.
    n1, n2, c, many : (rows,) ndarray of int
        Trials before and after, successes in all, and number of tasks alike.
    after : (splits,) ndarray of float
        Successes after the boundary, summed over tasks.
    """

    unit: IntArray
    boundary: IntArray
    split: IntArray
    n1: IntArray
    n2: IntArray
    c: IntArray
    many: IntArray
    after: FloatArray


def splits_of(history: History) -> Splits:
    """Tabulate the tasks of every unit before and after each of its boundaries."""
    unit: list[int] = []
    boundary: list[int] = []
    rows, after = [], []
    for u in range(len(history.units)):
        mine = history.unit == u
        periods, period = np.unique(history.period[mine], return_inverse=True)
        tasks, task = np.unique(history.task[mine], return_inverse=True)
        tables = np.zeros((2, len(tasks), len(periods)))
        tables[0, task, period] = history.n[mine]
        tables[1, task, period] = history.successes[mine]
        upto = tables.cumsum(axis=2)
        for w in range(1, len(periods)):
            n1, y1 = upto[:, :, w - 1]
            n, c = upto[:, :, -1]
            useful = (n1 > 0) & (n1 < n) & (c > 0) & (c < n)
            keys = np.stack([n1, n - n1, c])[:, useful].astype(np.int64)
            distinct, many = np.unique(keys, axis=1, return_counts=True)
            head = np.full((1, len(many)), len(unit))
            rows.append(np.concatenate([head, distinct, many[None]]))
            after.append(float((c - y1)[useful].sum()))
            unit.append(u)
            boundary.append(int(periods[w]))
    table = np.concatenate(rows, axis=1) if rows else np.zeros((5, 0), dtype=np.int64)
    split, n1, n2, c, many = table
    return Splits(np.array(unit), np.array(boundary), split, n1, n2, c, many, np.array(after))


def tilted(
    n1: IntArray, n2: IntArray, c: IntArray, shift: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Give log normaliser, mean and variance of the noncentral hypergeometric law.

    Parameters
    ----------
    n1, n2, c : (rows,) array of int
        Trials before and after, successes in all.
    shift : (rows, nodes) array
        Log odds ratios.

    Returns
    -------
    log_normaliser, mean, variance : (rows, nodes) arrays
        The first is log E[exp(shift * K)] for K hypergeometric.
    """
    out = tuple(np.empty(shift.shape) for _ in range(3))
    order = np.argsort(np.minimum(c, n2))
    start = 0
    while start < len(order):
        largest = np.minimum(c, n2)[order[start:]] + 1
        size = max(1, int(np.searchsorted(largest.cumsum() * shift.shape[1], CHUNK)))
        part = order[start : start + size]
        for array, values in zip(
            out, _tilted(n1[part], n2[part], c[part], shift[part]), strict=True
        ):
            array[part] = values
        start += size
    return out  # type: ignore[return-value]


def _tilted(
    n1: IntArray, n2: IntArray, c: IntArray, shift: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Sum over the support, or over all of it that matters."""
    low, high = np.maximum(0, c - n1)[:, None], np.minimum(c, n2)[:, None]
    mode, sd = _mode(n1[:, None], n2[:, None], c[:, None], shift)
    reach = int(np.ceil(10 * sd.max() + 12))
    width = int((high - low).max())
    if width <= 2 * reach:
        k = (low + np.arange(width + 1))[:, None, :]
    else:
        k = np.round(mode).astype(np.int64)[..., None] + np.arange(-reach, reach + 1)
    inside = (k >= low[..., None]) & (k <= high[..., None])
    k = np.clip(k, low[..., None], high[..., None])
    a, b, total = (values[:, None, None] for values in (n2, n1, c))
    terms = _log_choose(a, k) + _log_choose(b, total - k) - _log_choose(a + b, total)
    terms = np.where(inside, terms + shift[..., None] * k, -np.inf)
    top = terms.max(axis=-1, keepdims=True)
    weights = np.exp(terms - top)
    total_weight = weights.sum(axis=-1)
    mean = (weights * k).sum(axis=-1) / total_weight
    variance = (weights * (k - mean[..., None]) ** 2).sum(axis=-1) / total_weight
    return np.log(total_weight) + top[..., 0], mean, variance


def _mode(
    n1: IntArray, n2: IntArray, c: IntArray, shift: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Give the continuous mode of the law, and an approximate sd there."""
    odds = np.exp(shift)
    b = n1 - c + odds * (n2 + c)
    root = np.sqrt(np.maximum(b**2 + 4 * (1 - odds) * odds * n2 * c, 0.0))
    mode = np.clip(2 * odds * n2 * c / (b + root), np.maximum(0, c - n1), np.minimum(c, n2))
    cells = [np.maximum(x, 0.5) for x in (mode, n1 - c + mode, n2 - mode, c - mode)]
    return mode, 1 / np.sqrt(sum(1 / x for x in cells))


def _log_choose(n: IntArray, k: IntArray) -> FloatArray:
    """Log binomial coefficient."""
    return np.asarray(
        special.gammaln(n + 1.0) - special.gammaln(k + 1.0) - special.gammaln(n - k + 1.0)
    )


@dataclass(frozen=True)
class ShiftPosterior:
    """Posterior of the shift at each boundary, as weighted nodes.

    Attributes
    ----------
    log_factor : (splits,) ndarray
        Log Bayes factor of a change there against no change.
    nodes, weights : (splits, nodes) ndarray
        Shifts in log odds, and their posterior probabilities.
    """

    log_factor: FloatArray
    nodes: FloatArray
    weights: FloatArray


def shift_posterior(splits: Splits, scale: float) -> ShiftPosterior:
    """Integrate over the shift, normal with mean 0 and the given sd, at every boundary."""

    def density(shift: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Log density relative to no change, slope and curvature, each (splits, nodes)."""
        parts = tilted(splits.n1, splits.n2, splits.c, shift[splits.split])
        sums = [np.zeros(shift.shape) for _ in parts]
        for total, part in zip(sums, parts, strict=True):
            np.add.at(total, splits.split, splits.many[:, None] * part)
        value = splits.after[:, None] * shift - sums[0] - 0.5 * (shift / scale) ** 2
        slope = splits.after[:, None] - sums[1] - shift / scale**2
        return value - np.log(scale * np.sqrt(2 * np.pi)), slope, -sums[2] - scale**-2

    mode = np.zeros((len(splits.unit), 1))
    for _ in range(60):
        top, slope, curve = density(mode)
        step = np.clip(-slope / curve, -2 * scale, 2 * scale)
        mode = mode + step
        if np.all(np.abs(step) <= 1e-3 / np.sqrt(-curve)):
            break
    top, _, curve = density(mode)
    sd = 1 / np.sqrt(-curve)
    ends = []
    for side in (-1.0, 1.0):
        reach = 8.5 * sd
        for _ in range(20):
            short = density(mode + side * reach)[0] > top - DROP
            if not short.any():
                break
            reach = np.where(short, 1.4 * reach, reach)
        ends.append(mode + side * reach)
    nodes = ends[0] + (ends[1] - ends[0]) * np.linspace(0, 1, NODES)
    height = density(nodes)[0]
    mass = np.exp(height - top)
    total = mass.sum(axis=1, keepdims=True)
    step = (ends[1] - ends[0]) / (NODES - 1)
    return ShiftPosterior((top + np.log(total * step))[:, 0], nodes, mass / total)
