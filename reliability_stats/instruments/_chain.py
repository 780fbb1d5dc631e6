"""Absorbing Markov chains over the edges of a workflow, for many draws at once.

A state is an edge (a, b): the run has just been handed from step a to step b. With r the
probability that b then goes well, and q(b, c) that c comes next, Q[(a, b), (b, c)] = r q(b, c).
Expected visits are v = s (I - Q)^-1 (Kemeny and Snell 1976), and a run is completed well with
probability sum v r q(b, end). Where every step has one successor this is the product of the r.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .._numerics import FloatArray, IntArray
from ._paths import Paths

CHUNK = 2**22
"""Largest number of matrix entries held at once."""


@dataclass(frozen=True, eq=False)
class Edges:
    """Edges of one workflow, and the routes between them.

    Attributes
    ----------
    previous, step : (edges,) ndarray of int
        Steps; -1 is the start.
    starts : (edges,) ndarray of int
        Runs that begin with the edge.
    routes : dict of int to (successors, counts)
        Steps that followed each step after success, -1 being the end, and how often.
    counts : (edges, 3) ndarray of int
        Clean visits that passed, escaped and failed.
    first_passed : (edges,) ndarray of int
        Clean visits that passed at the first attempt.
    place : (edges,) ndarray
        Mean place in a run, from 1.
    """

    previous: IntArray
    step: IntArray
    starts: IntArray
    routes: dict[int, tuple[IntArray, IntArray]]
    counts: IntArray
    first_passed: IntArray
    place: FloatArray

    @classmethod
    def of(cls, paths: Paths, workflow: int) -> Edges:
        """Count the edges and routes of one workflow."""
        clean = (paths.workflow == workflow) & paths.clean
        pairs = np.stack([paths.previous[clean], paths.step[clean]], axis=1)
        edges, at = np.unique(pairs, axis=0, return_inverse=True)
        at = at.ravel()
        counts = np.zeros((len(edges), 3), dtype=np.int64)
        np.add.at(counts, (at, paths.outcome[clean]), 1)
        firsts = np.bincount(at[paths.first[clean] == 0], minlength=len(edges))
        place = 1.0 + np.bincount(at, weights=paths.position[clean]) / counts.sum(axis=1)
        starts = np.bincount(at[paths.position[clean] == 0], minlength=len(edges))
        passed = clean & (paths.outcome == 0) & ~paths.unfinished
        routes = {}
        for step in np.unique(edges[:, 1]):
            after = paths.following[passed & (paths.step == step)]
            if len(after):
                routes[int(step)] = np.unique(after, return_counts=True)
        return cls(edges[:, 0], edges[:, 1], starts, routes, counts, firsts, place)

    @property
    def linear(self) -> bool:
        """Whether every run takes the same way."""
        single = all(len(successors) == 1 for successors, _ in self.routes.values())
        once = len(np.unique(self.step)) == len(self.step)
        return bool(single and once and (self.starts > 0).sum() == 1)

    def way(self) -> tuple[int, ...]:
        """Give the steps of a linear workflow in their order."""
        out = [int(self.step[np.argmax(self.starts > 0)])]
        while out[-1] in self.routes and (after := int(self.routes[out[-1]][0][0])) >= 0:
            out.append(after)
        return tuple(out)

    def prior(self, kind: str) -> FloatArray:
        """Give the parameters of the beta prior of every edge, (edges, 2).

        With "steps" all are uniform. With "whole" one run that goes well and one that does not are
        shared out: the h-th of H steps has Beta(1 + (H - h) / H, 1 / H), and the product of these
        is uniform whatever H is. H is the largest mean place.
        """
        if kind == "steps":
            return np.ones((len(self.step), 2))
        last = max(self.place.max(), 1.0)
        return np.stack([2.0 - self.place / last, np.full(len(self.step), 1.0 / last)], axis=1)

    def draw_routes(
        self, size: int, rng: np.random.Generator
    ) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Draw how runs begin, move and end.

        Choices among several successors are Dirichlet, with prior weight 1 shared among them.

        Returns
        -------
        start : (size, edges) ndarray
        move : (size, edges, edges) ndarray
            Probability of the next edge, given success.
        stop : (size, edges) ndarray
            Probability that the run is then complete.
        """
        m = len(self.step)
        begin = np.flatnonzero(self.starts)
        start = np.zeros((size, m))
        start[:, begin] = _shares(self.starts[begin], size, rng)
        move, stop = np.zeros((size, m, m)), np.zeros((size, m))
        where = {(int(a), int(b)): i for i, (a, b) in enumerate(zip(self.previous, self.step))}  # noqa: B905
        for step in np.unique(self.step):
            rows = np.flatnonzero(self.step == step)
            if int(step) not in self.routes:
                stop[:, rows] = 1.0
                continue
            successors, counts = self.routes[int(step)]
            share = _shares(counts, size, rng)
            for j, after in enumerate(successors):
                if after < 0:
                    stop[:, rows] = share[:, j, None]
                else:
                    move[:, rows, where[int(step), int(after)]] = share[:, j, None]
        return start, move, stop


def _shares(counts: IntArray, size: int, rng: np.random.Generator) -> FloatArray:
    """Draw shares of choices; a single choice is certain."""
    if len(counts) == 1:
        return np.ones((size, 1))
    return rng.dirichlet(counts + 1.0 / len(counts), size=size)


def visits(start: FloatArray, move: FloatArray, going_on: FloatArray) -> FloatArray:
    """Give the expected visits of every state until absorption.

    Parameters
    ----------
    start : (draws, states) array
        Where a run begins.
    move : (draws, states, states) array
        Next state, given that it goes on.
    going_on : (draws, states) array
        Probability of going on.

    Returns
    -------
    (draws, states) ndarray

    Examples
    --------
    Two steps in a row, the first of which goes well nine times in ten:

    >>> import numpy as np
    >>> move = np.array([[[0.0, 1.0], [0.0, 0.0]]])
    >>> visits(np.array([[1.0, 0.0]]), move, np.array([[0.9, 0.5]]))
    array([[1. , 0.9]])
    """
    m = start.shape[1]
    out = np.empty_like(start)
    size = max(1, CHUNK // (m * m))
    for at in range(0, len(start), size):
        part = slice(at, at + size)
        q = move[part] * going_on[part, :, None]
        matrix = np.eye(m) - np.swapaxes(q, 1, 2)
        out[part] = np.linalg.solve(matrix, start[part, :, None])[..., 0]
    return out


def completed(
    start: FloatArray, move: FloatArray, stop: FloatArray, well: FloatArray
) -> FloatArray:
    """Give the probability that a run is completed well, (draws,)."""
    return np.asarray((visits(start, move, well) * well * stop).sum(axis=1))
