"""Runs of trials as two-state chains, with the rates of tasks integrated out.

A task of rate p is a stationary chain: every trial succeeds with probability p, and the odds of
success are exp(d) times larger after a success than after a failure. With q = 1 - p and
R = sqrt((p - q)^2 + 4 exp(d) p q)::

    P(success | failure) = 2 p / (1 + R)      P(failure | success) = 2 q / (1 + R)

which are p and q for d = 0 (Plackett 1965, https://doi.org/10.1080/01621459.1965.10480807, with
equal margins). Rates of tasks are beta-distributed, so that d = 0 is the beta-binomial model.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import special

from .._numerics import FloatArray, IntArray

REACH = 20.0
"""Largest absolute logit of a rate; the mass beyond is put there."""
OWN_NODES = 25
"""Nodes of a narrow law of rates."""
STEP = 0.75
"""Step of the trapezoidal rule in widths of the narrowest factor of the integrand."""
CHUNK = 4_000_000
TINY = 1e-300


def log_chain(logit: FloatArray, d: FloatArray) -> tuple[FloatArray, ...]:
    """Log probabilities of a chain, stable for all rates and odds ratios.

    Parameters
    ----------
    logit, d : arrays that broadcast
        Logit of the rate, and log odds ratio of successive outcomes.

    Returns
    -------
    tuple of ndarray
        log p, log q, log P(0|0), log P(1|0), log P(0|1), log P(1|1).
    """
    logit, d = np.broadcast_arrays(logit, d)
    log_p, log_q = special.log_expit(logit), special.log_expit(-logit)
    margin = np.tanh(logit / 2)
    root = np.sqrt(margin**2 + 4 * np.exp(np.minimum(d + log_p + log_q, 300.0)))
    whole = np.log1p(root)
    p01, p10 = np.log(2) + log_p - whole, np.log(2) + log_q - whole
    # nothing cancels in how often the likelier outcome repeats; the other follows by the odds
    stay = np.log(np.maximum(np.abs(margin) + root, TINY)) - whole
    other = d + p01 + p10 - stay
    p00 = np.where(logit <= 0, stay, other)
    p11 = np.where(logit <= 0, other, stay)
    return log_p, log_q, p00, p01, p10, p11


@dataclass(frozen=True, eq=False)
class Patterns:
    """Distinct runs of one unit, up to what the likelihood depends on.

    Attributes
    ----------
    counts : (patterns, 6) ndarray of float
        First trial succeeded, first trial failed, and transitions 00, 01, 10, 11.
    many : (patterns,) ndarray of float
        Tasks of each pattern.
    longest : int
        Largest number of trials.
    """

    counts: FloatArray
    many: FloatArray
    longest: int

    @classmethod
    def of(cls, first: IntArray, transitions: IntArray) -> Patterns:
        """Count equal runs: first outcomes (tasks,), transitions (tasks, 2, 2)."""
        rows = np.column_stack([first, 1 - first, transitions.reshape(len(first), 4)])
        distinct, many = np.unique(rows, axis=0, return_counts=True)
        return cls(distinct.astype(float), many.astype(float), int(distinct.sum(axis=1).max()))

    def log_likelihood(self, u: FloatArray, v: FloatArray, d: FloatArray) -> FloatArray:
        """Log likelihood on the product of logit means, logit correlations and log odds ratios.

        Parameters
        ----------
        u, v, d : (nodes,) arrays
            Axes.

        Returns
        -------
        (len(u), len(v), len(d)) ndarray
        """
        scale = min(0.6, 2.0 / np.sqrt(self.longest))
        pairs_u, pairs_v = (x.ravel() for x in np.meshgrid(u, v, indexing="ij"))
        narrow = rate_sd(pairs_u, pairs_v) < scale
        out = np.empty((len(pairs_u), len(d)))
        if (~narrow).any():
            nodes, weights = shared_rule(pairs_u[~narrow], pairs_v[~narrow], STEP * scale)
            for j, value in enumerate(d):
                out[~narrow, j] = self._mix(nodes, weights, value)
        if narrow.any():
            where = np.flatnonzero(narrow)
            step = max(1, CHUNK // (OWN_NODES * len(self.many)))
            for start in range(0, len(where), step):
                rows = where[start : start + step]
                nodes, weights = own_rule(pairs_u[rows], pairs_v[rows])
                for j, value in enumerate(d):
                    out[rows, j] = self._mix_own(nodes, weights, value)
        return out.reshape(len(u), len(v), len(d))

    def _logs(self, nodes: FloatArray, d: float) -> FloatArray:
        """Log probability of every pattern at rates, (points, patterns)."""
        logs = np.stack(log_chain(nodes, np.asarray(d)), axis=-1)
        return np.asarray(logs @ self.counts.T)

    def _mix(self, nodes: FloatArray, weights: FloatArray, d: float) -> FloatArray:
        """Integrate over rates on shared nodes, weights (pairs, nodes)."""
        logs = self._logs(nodes, d)
        top = logs.max(axis=0)
        mixed = weights @ np.exp(logs - top)
        return np.asarray((np.log(np.maximum(mixed, TINY)) + top) @ self.many)

    def _mix_own(self, nodes: FloatArray, weights: FloatArray, d: float) -> FloatArray:
        """Integrate over rates on nodes of each pair's own, both (pairs, nodes)."""
        logs = self._logs(nodes, d)
        top = logs.max(axis=1)
        mixed = np.einsum("pn,pnk->pk", weights, np.exp(logs - top[:, None]))
        return np.asarray((np.log(np.maximum(mixed, TINY)) + top) @ self.many)


def rate_sd(u: FloatArray, v: FloatArray) -> FloatArray:
    """Give about the standard deviation of the logit of a rate, for a narrow law."""
    concentration = np.exp(-v)
    return np.asarray(1.0 / np.sqrt(concentration * special.expit(u) * special.expit(-u)))


def shared_rule(u: FloatArray, v: FloatArray, step: float) -> tuple[FloatArray, FloatArray]:
    """Give nodes for all wide beta laws, and the weights of each, (pairs, nodes)."""
    half = int(np.ceil(REACH / step))
    nodes = step * (np.arange(-half, half) + 0.5)
    concentration = np.exp(-v)
    a = np.maximum(special.expit(u) * concentration, TINY)[:, None]
    b = np.maximum(special.expit(-u) * concentration, TINY)[:, None]
    inside = a * special.log_expit(nodes) + b * special.log_expit(-nodes) - special.betaln(a, b)
    end = special.expit(-half * step)
    low = special.betainc(a, b, end)
    high = special.betainc(b, a, end)
    weights = np.concatenate([low, step * np.exp(inside), high], axis=1)
    nodes = np.concatenate([[-half * step], nodes, [half * step]])
    return np.asarray(nodes, dtype=float), weights / weights.sum(axis=1, keepdims=True)


def own_rule(u: FloatArray, v: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Give nodes and weights of narrow beta laws, both (pairs, nodes)."""
    sd = rate_sd(u, v)
    nodes = u[:, None] + sd[:, None] * np.linspace(-8.0, 8.0, OWN_NODES)
    concentration = np.exp(-v)[:, None]
    mean, other = special.expit(u)[:, None], special.expit(-u)[:, None]
    # relative to the value at the mean, so that large concentrations lose no digits
    up = special.log_expit(nodes) - special.log_expit(u)[:, None]
    down = special.log_expit(-nodes) - special.log_expit(-u)[:, None]
    logs = concentration * (mean * up + other * down)
    weights = np.exp(logs - logs.max(axis=1, keepdims=True))
    return nodes, weights / weights.sum(axis=1, keepdims=True)


def rate_means(
    u: FloatArray, v: FloatArray, d: FloatArray, longest: Sequence[int]
) -> dict[str, FloatArray]:
    """Average over tasks what a chain does, at paired parameters.

    Parameters
    ----------
    u, v, d : (points,) arrays
        Logit mean, logit correlation, log odds ratio.
    longest : sequence of int
        Lengths of unbroken runs of successes.

    Returns
    -------
    dict of str to (points,) ndarray
        ``both`` (two successive trials succeed) and ``run k`` (k successive ones do).
    """
    out = {"both": np.empty(len(u))} | {f"run {k}": np.empty(len(u)) for k in longest}
    narrow = rate_sd(u, v) < 0.6
    for chosen, rule in ((~narrow, "shared"), (narrow, "own")):
        rows = np.flatnonzero(chosen)
        for part in np.array_split(rows, max(1, len(rows) // 10_000)):
            if not len(part):
                continue
            if rule == "shared":
                nodes, weights = shared_rule(u[part], v[part], STEP * 0.6)
                nodes = np.broadcast_to(nodes, weights.shape)
            else:
                nodes, weights = own_rule(u[part], v[part])
            log_p, _, _, _, _, p11 = log_chain(nodes, d[part][:, None])
            out["both"][part] = (weights * np.exp(log_p + p11)).sum(axis=1)
            for k in longest:
                run = np.exp(log_p + (k - 1) * p11)
                out[f"run {k}"][part] = (weights * run).sum(axis=1)
    return out
