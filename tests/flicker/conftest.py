"""A second kind of model, small enough to check by hand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest
from scipy.special import gammaln, xlog1py, xlogy

import reliability_stats as rs
from reliability_stats.inference.engine import CellMarginal
from reliability_stats.models import Model

GRID = np.linspace(0, 1, 51)


@dataclass(frozen=True)
class Histogram(Model):
    """Success probabilities have any distribution on a grid; Dirichlet prior, Gibbs on counts."""

    inference: ClassVar[str] = "none"


class HistogramEngine:
    """The part of an engine that flags ask for."""

    default_shape = (1, 400)

    def __init__(self, counts, seed):
        rng = np.random.default_rng(seed)
        base = np.full(len(GRID), 1 / 3 / (len(GRID) - 2))
        base[[0, -1]] = 1 / 3
        self.draws_of_w, self.post = [], np.zeros((counts.n_cells, len(GRID)))
        n, y = counts.n[:, None], counts.successes[:, None]
        like = np.exp(
            gammaln(n + 1) - gammaln(y + 1) - gammaln(n - y + 1)
            + xlogy(y, GRID) + xlog1py(n - y, -GRID)
        )  # fmt: skip
        for unit in range(len(counts.units)):
            rows = np.flatnonzero(counts.unit == unit)
            kinds, place, many = np.unique(
                like[rows], axis=0, return_inverse=True, return_counts=True
            )
            place = place.ravel()
            w, kept = base.copy(), []
            for step in range(600):
                chance = kinds * w
                chance /= chance.sum(axis=1, keepdims=True)
                filled = sum(rng.multinomial(m, c) for m, c in zip(many, chance, strict=True))
                w = rng.dirichlet(2 * base + filled + 1e-12)
                if step >= 200:
                    kept.append(w)
                    self.post[rows] += chance[place] / 400
            self.draws_of_w.append(np.array(kept))

    def cells(self, prob, low, high):
        below = self.post @ (low >= GRID)
        above = self.post @ (high <= GRID)
        mean = self.post @ GRID
        return CellMarginal(mean, mean, mean, mean, below, above)

    def draws(self, estimands, over, chains, draws):
        assert over == "population"
        assert (chains, draws) == self.default_shape
        return [
            np.stack([w @ e.kernel(GRID) for w in self.draws_of_w], axis=-1)[None]
            for e in estimands
        ]


@pytest.fixture
def fit_histogram():
    """Give a function that fits the second model."""
    return lambda trials, seed=0: rs.Posterior(
        trials, Histogram(), HistogramEngine(trials.counts, seed), {}
    )
