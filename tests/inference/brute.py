"""An independent computation of beta-binomial posteriors: one fine regular grid, no shortcuts.

Log likelihood by explicit sums over trials, quantiles by exact inversion: for every correlation the
mean at which the estimand reaches x is found by bisection, and the mass below it is read from a
cubic spline through the density. Slow and simple on purpose.
"""

from __future__ import annotations

from collections import Counter

import numpy as np
from scipy.interpolate import CubicSpline
from scipy.optimize import brentq
from scipy.special import expit, gammaln


def log_posterior(n, successes, u, v):
    """Log density of (logit mean, logit icc) under uniform priors of mean and icc."""
    mean, other, e = expit(u), expit(-u), np.exp(v)
    out = np.log(mean) + np.log(other) - np.logaddexp(0, v) - np.logaddexp(0, -v)
    table = Counter(zip(map(int, n), map(int, successes), strict=True))
    wins, fails, trials = (np.zeros(max(n) + 1) for _ in range(3))
    for (size, win), many in table.items():
        wins[:win] += many
        fails[: size - win] += many
        trials[:size] += many
        out = out + many * (gammaln(size + 1) - gammaln(win + 1) - gammaln(size - win + 1))
    for j in range(max(n)):
        out = out + wins[j] * np.log(mean + j * e) + fails[j] * np.log(other + j * e)
        out = out - trials[j] * np.log1p(j * e)
    return out


def all_of(k, u, v):
    """E[p^k] at logit mean u and logit icc v."""
    mean, e = expit(u), np.exp(v)
    return np.exp(sum(np.log(mean + j * e) - np.log1p(j * e) for j in range(k)))


def any_of(k, u, v):
    """1 - E[(1-p)^k]."""
    return 1 - all_of(k, -u, v)


class Brute:
    """Posterior on a grid of `size` nodes an axis over where the density is within exp(-32)."""

    def __init__(self, n, successes, size=601):
        u = v = np.linspace(-60, 60, 601)
        for step in range(6):
            logs = log_posterior(n, successes, u[:, None], v[None, :])
            keep = logs > logs.max() - 32
            last = size if step == 5 else 301
            u, v = (
                np.linspace(x[i[0]] - 2 * (x[1] - x[0]), x[i[-1]] + 2 * (x[1] - x[0]), last)
                for x, i in ((u, np.flatnonzero(keep.any(1))), (v, np.flatnonzero(keep.any(0))))
            )
        logs = log_posterior(n, successes, u[:, None], v[None, :])
        self.weights = np.exp(logs - logs.max())
        area = (u[1] - u[0]) * (v[1] - v[0])
        self.log_evidence = logs.max() + np.log(self.weights.sum() * area)
        self.weights /= self.weights.sum()
        self.u, self.v = u, v
        self.cumulative = CubicSpline(u, self.weights, axis=0).antiderivative()

    def moments(self, function):
        """Mean and sd of function(u, v)."""
        values = function(self.u[:, None], self.v[None, :])
        mean = (self.weights * values).sum()
        return mean, np.sqrt((self.weights * (values - mean) ** 2).sum())

    def quantile(self, function, level):
        """Quantile of a function that grows with u."""
        values = function(self.u[:, None], self.v[None, :])[self.weights > 1e-16]
        total = self._below(np.full(len(self.v), self.u[-1]))

        def excess(x):
            low, high = (np.full(len(self.v), end) for end in (self.u[0], self.u[-1]))
            for _ in range(60):
                middle = (low + high) / 2
                more = function(middle, self.v) >= x
                low, high = np.where(more, low, middle), np.where(more, middle, high)
            return self._below(high) / total - level

        return brentq(excess, values.min(), values.max(), xtol=1e-15, rtol=1e-12)

    def _below(self, ends):
        """Mass at u below `ends`, one for each v."""
        i = np.clip(np.searchsorted(self.u, ends) - 1, 0, len(self.u) - 2)
        columns = np.arange(len(self.v))
        c = self.cumulative.c[:, i, columns]
        return np.polyval(c, ends - self.u[i]).sum()
