"""The posterior of a mixture on a tiny grid, by enumerating how tasks spread over its nodes."""

from __future__ import annotations

from itertools import product
from math import comb, lgamma

import numpy as np


def compositions(total, parts):
    """All ways to write `total` as an ordered sum of `parts` whole numbers."""
    if parts == 1:
        return [(total,)]
    return [(i, *rest) for i in range(total + 1) for rest in compositions(total - i, parts - 1)]


class Exact:
    """Exact posterior given (n, successes, tasks) rows, grid and Dirichlet parameters."""

    def __init__(self, rows, grid, prior):
        grid, prior = np.asarray(grid, float), np.asarray(prior, float)
        likelihood = [comb(n, y) * grid**y * (1 - grid) ** (n - y) for n, y, _ in rows]
        options = []
        for (_, _, many), like in zip(rows, likelihood, strict=True):
            found = []
            for split in compositions(many, len(grid)):
                ways = np.exp(lgamma(many + 1) - sum(lgamma(x + 1) for x in split))
                found.append((np.array(split), ways * np.prod(like ** np.array(split))))
            options.append([item for item in found if item[1] > 0])
        total, tasks = 0.0, sum(many for _, _, many in rows)
        self.prior, self.tasks = prior, tasks
        self.states, self.weights = [], []
        base = lgamma(prior.sum()) - lgamma(prior.sum() + tasks)
        for chosen in product(*options):
            held = np.sum([split for split, _ in chosen], axis=0)
            marginal = base + sum(
                lgamma(a + x) - lgamma(a) for a, x in zip(prior, held, strict=True)
            )
            weight = np.exp(marginal) * np.prod([w for _, w in chosen])
            total += weight
            self.states.append([split for split, _ in chosen])
            self.weights.append(weight)
        self.evidence = total
        self.weights = np.array(self.weights) / total

    def population(self, kernel):
        """Mean and sd of the mean of a kernel under the mixing distribution."""
        first = second = 0.0
        for state, weight in zip(self.states, self.weights, strict=True):
            a = self.prior + np.sum(state, axis=0)
            share = a / a.sum()
            mean = share @ kernel
            variance = (share @ kernel**2 - mean**2) / (a.sum() + 1)
            first += weight * mean
            second += weight * (variance + mean**2)
        return first, np.sqrt(second - first**2)

    def observed(self, kernel):
        """Mean and sd of the mean of a kernel over the tasks themselves."""
        values = np.array([np.sum(state, axis=0) @ kernel for state in self.states]) / self.tasks
        mean = self.weights @ values
        return mean, np.sqrt(self.weights @ (values - mean) ** 2)

    def cell(self, row):
        """Posterior of p of a task of one row over the nodes."""
        share = np.array([state[row] / state[row].sum() for state in self.states])
        return self.weights @ share
