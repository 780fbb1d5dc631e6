"""Attempts until a run ends: an absorbing chain of first and later attempts at every step."""

from __future__ import annotations

import numpy as np

from .._numerics import FloatArray, IntArray
from ._chain import _shares, visits
from ._paths import FAILED, Paths


def attempts_of(
    paths: Paths, workflow: int, size: int, rng: np.random.Generator
) -> tuple[FloatArray, FloatArray]:
    """Draw the expected attempts of a run, and those of them that are retries; (draws,) each.

    With f1 and f2 the probabilities that the first and a later attempt fail noticed, and r that a
    failure is followed by another attempt, a visit takes 1 + f1 r / (1 - f2 r) attempts, and goes
    on (well or not) with probability 1 - f1 + f1 r (1 - f2) / (1 - f2 r).
    """
    mine = np.flatnonzero(paths.workflow == workflow)
    steps = np.unique(paths.step[mine])
    again, going_on = np.empty((size, len(steps))), np.empty((size, len(steps)))
    for j, step in enumerate(steps):
        rows = mine[paths.step[mine] == step]
        first = rng.beta(*_weights((paths.first[rows] == FAILED).sum(), len(rows)), size)
        retries = int(paths.attempts[rows].sum()) - len(rows)
        if not retries:
            again[:, j], going_on[:, j] = 0.0, 1.0 - first
            continue
        given_up = int((paths.outcome[rows] == FAILED).sum())
        failures = retries + given_up
        later = failures - int((paths.first[rows] == FAILED).sum())
        retry = rng.beta(*_weights(retries, failures), size)
        fail = rng.beta(*_weights(later, retries), size)
        again[:, j] = first * retry / (1.0 - fail * retry)
        going_on[:, j] = 1.0 - first + again[:, j] * (1.0 - fail)
    start, move = _moves(paths, mine, steps, size, rng)
    reach = visits(start, move, going_on)
    extra = (reach * again).sum(axis=1)
    return reach.sum(axis=1) + extra, extra


def _weights(successes: int, n: int) -> tuple[float, float]:
    """Give the parameters of a beta posterior under the prior of Jeffreys."""
    return 0.5 + successes, 0.5 + n - successes


def _moves(
    paths: Paths, mine: IntArray, steps: IntArray, size: int, rng: np.random.Generator
) -> tuple[FloatArray, FloatArray]:
    """Draw where runs begin and where they go, from all visits that went on."""
    m = len(steps)
    start, move = np.zeros((size, m)), np.zeros((size, m, m))
    firsts = paths.step[mine][paths.position[mine] == 0]
    begin, counts = np.unique(firsts, return_counts=True)
    start[:, np.searchsorted(steps, begin)] = _shares(counts, size, rng)
    going = mine[(paths.outcome[mine] != FAILED) & ~paths.unfinished[mine]]
    for j, step in enumerate(steps):
        mine_after = paths.following[going[paths.step[going] == step]]
        after, counts = np.unique(mine_after, return_counts=True)
        if not len(after):
            continue
        share = _shares(counts, size, rng)
        for i, other in enumerate(after):
            if other >= 0:
                move[:, j, np.searchsorted(steps, other)] = share[:, i]
    return start, move
