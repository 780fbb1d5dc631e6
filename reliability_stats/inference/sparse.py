"""Distributions over nodes, one for each posterior point, kept without their empty nodes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .._numerics import FloatArray, IntArray
from .observed import DRAW_CAP

KEEP = 1e-12
"""Weights up to which entries are left out."""


@dataclass(frozen=True, eq=False)
class Mixing:
    """Mixing distributions of one unit at several posterior points, as compressed rows.

    Attributes
    ----------
    start : (points,) ndarray of int
        Where each point's entries begin; every point has at least one.
    node : (entries,) ndarray of int
        Node of each entry.
    weight : (entries,) ndarray
        Its weight, positive; sums to one over the entries of a point.
    """

    start: IntArray
    node: IntArray
    weight: FloatArray

    @classmethod
    def of(cls, weights: FloatArray, keep: float = KEEP) -> Mixing:
        """Compress (points, nodes) weights, without those that are too small to matter.

        Where all but one are tiny, as for a system that always fails, the largest of the others are
        kept however small, since ratios such as persistence rest on them alone.
        """
        second = np.partition(weights, -2, axis=1)[:, -2]
        point, node = np.nonzero(weights > np.minimum(keep, 1e-6 * second)[:, None])
        start = np.searchsorted(point, np.arange(len(weights)))
        weight = weights[point, node]
        total = np.add.reduceat(weight, start)
        small = np.uint16 if weights.shape[1] < 2**16 else np.int64
        return cls(start, node.astype(small), weight / total[point])

    def __len__(self) -> int:
        """Give the number of points."""
        return len(self.start)

    def take(self, points: IntArray) -> Mixing:
        """Give the distributions at some points."""
        sizes = self.sizes[points]
        start = np.cumsum(sizes) - sizes
        entry = np.arange(int(sizes.sum())) - np.repeat(start - self.start[points], sizes)
        return Mixing(start, self.node[entry], self.weight[entry])

    @property
    def sizes(self) -> IntArray:
        """Entries of each point."""
        return np.diff(self.start, append=len(self.node))

    def mean(self, kernel: FloatArray) -> FloatArray:
        """Mean of a kernel, given at the nodes, under each distribution; (points,)."""
        return np.asarray(np.add.reduceat(self.weight * kernel[self.node], self.start))

    def given(self, log_likelihood: FloatArray) -> FloatArray:
        """Weights of the entries given data with this log likelihood at the nodes, (entries,)."""
        with np.errstate(divide="ignore"):
            logs = np.log(self.weight) + log_likelihood[self.node]
        sizes = self.sizes
        top = np.maximum.reduceat(logs, self.start)
        mass = np.exp(logs - np.repeat(np.where(np.isfinite(top), top, 0.0), sizes))
        return np.asarray(mass / np.repeat(np.add.reduceat(mass, self.start), sizes))

    def picks(self, mass: FloatArray, many: int, rng: np.random.Generator) -> IntArray:
        """Draw entries of each point in proportion to their mass, (points, many)."""
        cumulative = np.cumsum(mass)
        end = cumulative[np.append(self.start[1:], len(mass)) - 1]
        begin = np.append(0.0, end[:-1])
        u = rng.random((len(self), many))
        target = begin[:, None] + u * (end - begin)[:, None]
        found = np.searchsorted(cumulative, target.ravel(), side="right").reshape(target.shape)
        last = np.append(self.start[1:], len(mass)) - 1
        return np.asarray(np.clip(found, self.start[:, None], last[:, None]))

    def sample_means(
        self,
        kernels: list[FloatArray],
        log_likelihoods: FloatArray,
        tasks: IntArray,
        rng: np.random.Generator,
    ) -> list[FloatArray]:
        """Draw the means of kernels over observed tasks, one draw for each point.

        Tasks with equal counts are drawn one by one up to `DRAW_CAP`. More of them are represented
        by that many draws, whose mean is pulled towards its exact expectation so that mean,
        variance and covariances of all kernels are exact.

        Parameters
        ----------
        kernels : list of (nodes,) arrays
            What is averaged.
        log_likelihoods : (rows, nodes) array
            Of each distinct pair of counts.
        tasks : (rows,) array of int
            How many tasks share a row.
        rng : numpy.random.Generator
            Consumed alike whatever the kernels are.

        Returns
        -------
        list of (points,) ndarray
        """
        sums = [np.zeros(len(self)) for _ in kernels]
        for logs, many in zip(log_likelihoods, tasks, strict=True):
            mass = self.given(logs)
            node = self.node[self.picks(mass, int(min(many, DRAW_CAP)), rng)]
            for i, kernel in enumerate(kernels):
                mean = kernel[node].mean(axis=1)
                if many > DRAW_CAP:
                    exact = np.add.reduceat(mass * kernel[self.node], self.start)
                    mean = exact + (mean - exact) * np.sqrt(DRAW_CAP / many)
                sums[i] += many * mean
        return [total / tasks.sum() for total in sums]
