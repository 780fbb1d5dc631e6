"""Levels that stay for a run of periods: exact sums over the places of one or several changes.

Given m changes, every choice of their places is equally likely, and every level is uniform on
(0, 1). The evidence of a run of periods is an integral over its level, by a grid; sums over places
follow by forward and backward recursions. All are done at every node of the correlation, which is
common to all periods, and summed over it last.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy import fft, special

from .._numerics import FloatArray
from ._levels import Levels, focused_icc, levels_of
from ._periods import History

NEGLIGIBLE = 1e-9


@dataclass(frozen=True)
class Segments:
    """Posterior of the changes of one unit.

    Attributes
    ----------
    periods : (periods,) ndarray of int
        Periods that have trials.
    log_factor : (most,) ndarray
        Log Bayes factor of exactly 1, 2, ... changes against none.
    at : (most, periods - 1) ndarray
        Given that many changes, the probability that one begins with each period but the first.
    log_at : (periods - 1,) ndarray
        Log Bayes factor of one change there against none.
    logit : (nodes,) ndarray
        Logits of the rate, evenly spaced.
    level : (most + 1, periods, nodes) ndarray
        Given 0, 1, ... changes, the posterior mass of the logit of each period's rate.
    shift : (periods - 1, 2 * nodes - 1) ndarray
        Given one change there, the posterior mass of the shift in log odds, on a grid of the same
        step centred at 0.
    """

    periods: np.ndarray
    log_factor: FloatArray
    at: FloatArray
    log_at: FloatArray
    logit: FloatArray
    level: FloatArray
    shift: FloatArray


@dataclass(frozen=True)
class _Sums:
    """Forward and backward sums over places at every node of the correlation."""

    levels: Levels
    prefix: FloatArray
    parts: FloatArray
    forward: FloatArray
    backward: FloatArray

    @classmethod
    def of(cls, levels: Levels, most: int) -> _Sums:
        """Run both recursions."""
        zero = np.zeros((1, *levels.values.shape[1:]))
        prefix = np.concatenate([zero, levels.values.cumsum(axis=0)])
        parts = _parts(prefix, levels.log_prior, most)
        mirrored = parts[::-1, ::-1].transpose(1, 0, 2)
        return cls(levels, prefix, parts, _forward(parts, most), _forward(mirrored, most)[:, ::-1])

    @property
    def size(self) -> int:
        """Number of periods."""
        return len(self.prefix) - 1

    @property
    def evidence(self) -> FloatArray:
        """Log evidence of 0, 1, ... changes, before averaging over their places."""
        prior = self.levels.log_icc_prior
        return np.asarray(special.logsumexp(self.forward[:, self.size] + prior, axis=-1))

    @property
    def log_places(self) -> FloatArray:
        """Log number of ways to place 0, 1, ... changes."""
        m = np.arange(len(self.forward))
        free = self.size - 1
        ways = special.gammaln(free + 1) - special.gammaln(m + 1) - special.gammaln(free - m + 1)
        return np.asarray(ways)

    def runs(self, changes: int) -> Iterator[tuple[int, int, FloatArray]]:
        """Give each run of periods [i, j) and, at each correlation, the weight of the rest."""
        size, nothing = self.size, np.zeros(self.parts.shape[2])
        for s in range(changes + 1):
            starts = (0,) if s == 0 else range(1, size)
            for i in starts:
                left = nothing if s == 0 else self.forward[s - 1, i]
                for j in (size,) if s == changes else range(i + 1, size):
                    right = nothing if s == changes else self.backward[changes - s - 1, j]
                    yield i, j, left + right + self.levels.log_icc_prior


def segments_of(history: History, unit: int, most: int) -> Segments:
    """Sum over the places of up to `most` changes, refining the grid of the correlation."""
    levels = levels_of(history, unit)
    most = min(most, len(levels.periods) - 1)
    sums = _Sums.of(levels, most)
    for _ in range(4):
        evidence = sums.forward[:, sums.size] - sums.log_places[:, None]
        finer = focused_icc(levels.icc, special.logsumexp(evidence, axis=0) + levels.log_icc_prior)
        if finer is None:
            break
        levels = levels_of(history, unit, icc=finer)
        sums = _Sums.of(levels, most)
    factor = sums.evidence - sums.log_places
    log_at, shift = _one_change(sums) if most else (np.zeros(0), np.zeros((0, 1)))
    return Segments(
        levels.periods,
        factor[1:] - factor[0],
        _places(sums),
        log_at - factor[0],
        levels.logit,
        np.stack([_level(sums, m) for m in range(most + 1)]),
        shift,
    )


def _parts(prefix: FloatArray, prior: FloatArray, most: int) -> FloatArray:
    """Log evidence of one level for periods i to j - 1, (i, j, icc_nodes); only what is needed."""
    size = len(prefix)
    out = np.full((size, size, prefix.shape[1]), -np.inf)
    for i in range(size - 1):
        ends = slice(i + 1, None) if i == 0 or most > 1 else slice(size - 1, None)
        out[i, ends] = special.logsumexp(prefix[ends] - prefix[i] + prior, axis=-1)
    return out


def _forward(parts: FloatArray, most: int) -> FloatArray:
    """Log evidence of the periods before each place under 0, 1, ... changes."""
    forward = np.full((most + 1, *parts.shape[1:]), -np.inf)
    forward[0] = parts[0]
    last = parts.shape[1] - 1
    for m in range(1, most + 1):
        for j in range(m + 1, last + 1) if most > 1 else (last,):
            forward[m, j] = special.logsumexp(forward[m - 1, :j] + parts[:j, j], axis=0)
    return forward


def _places(sums: _Sums) -> FloatArray:
    """Probability that a change begins with each period, given 1, 2, ... changes."""
    most, size = len(sums.forward) - 1, sums.size
    out = np.zeros((most, size - 1))
    for m in range(1, most + 1):
        for j in range(1, size):
            ways = [sums.forward[a, j] + sums.backward[m - 1 - a, j] for a in range(m)]
            mass = special.logsumexp(np.array(ways) + sums.levels.log_icc_prior)
            out[m - 1, j - 1] = np.exp(mass - sums.evidence[m])
    return out


def _level(sums: _Sums, changes: int) -> FloatArray:
    """Posterior mass of the logit of each period's rate, given the number of changes."""
    prior, evidence = sums.levels.log_prior, sums.evidence[changes]
    out = np.zeros((sums.size + 1, len(prior)))
    for i, j, around in sums.runs(changes):
        log_mass = around + sums.parts[i, j] - evidence
        keep = log_mass > np.log(NEGLIGIBLE)
        if keep.any():
            inner = sums.prefix[j, keep] - sums.prefix[i, keep] + prior
            mass = np.exp(inner + (around[keep, None] - evidence)).sum(axis=0)
            out[i] += mass
            out[j] -= mass
    return np.asarray(np.maximum(out.cumsum(axis=0)[: sums.size], 0.0))


def _one_change(sums: _Sums) -> tuple[FloatArray, FloatArray]:
    """Log evidence of one change at each place, and the mass of its shift in log odds."""
    size, prior = sums.size, sums.levels.log_prior
    nodes = len(prior)
    length = fft.next_fast_len(2 * nodes - 1, real=True)
    evidence = np.empty(size - 1)
    shift = np.zeros((size - 1, 2 * nodes - 1))
    for j in range(1, size):
        joint = sums.parts[0, j] + sums.parts[j, size] + sums.levels.log_icc_prior
        evidence[j - 1] = special.logsumexp(joint)
        weight = np.exp(joint - evidence[j - 1])
        keep = weight > NEGLIGIBLE
        before = np.exp(sums.prefix[j, keep] + prior - sums.parts[0, j, keep, None])
        after = sums.prefix[size, keep] - sums.prefix[j, keep] + prior
        after = np.exp(after - sums.parts[j, size, keep, None])
        product = fft.rfft(after, length) * fft.rfft(before[:, ::-1], length)
        spread = fft.irfft((weight[keep, None] * product).sum(axis=0), length)
        shift[j - 1] = np.maximum(spread[: 2 * nodes - 1], 0.0)
    return evidence, shift / shift.sum(axis=1, keepdims=True)
