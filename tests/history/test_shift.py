"""The shift of recurring tasks against SciPy's noncentral hypergeometric law and quadrature."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy import integrate, stats

from reliability_stats import Trials
from reliability_stats.history._periods import history_of
from reliability_stats.history._shift import shift_posterior, splits_of, tilted


def trials_of(tables):
    """Two versions from rows (n before, successes before, n after, successes after)."""
    n1, y1, n2, y2 = np.array(tables).T
    tasks = list(range(len(tables)))
    return Trials.from_counts(
        {
            "task": [*tasks, *tasks],
            "version": ["a"] * len(tasks) + ["b"] * len(tasks),
            "n": [*n1, *n2],
            "successes": [*y1, *y2],
        },
        system=None,
        condition="version",
    )


def posterior(tables, scale=1.0):
    """Posterior of the shift between two versions."""
    return shift_posterior(splits_of(history_of(trials_of(tables), "condition")), scale)


@pytest.mark.parametrize("shift", [-3.0, 0.0, 0.7])
def test_tilted_law_is_noncentral_hypergeometric(shift):
    n1, n2, c = (np.array(x) for x in ([5, 1, 40, 3000], [3, 1, 60, 5000], [4, 1, 50, 4000]))
    log_normaliser, mean, variance = tilted(n1, n2, c, np.full((4, 1), shift))
    for i in range(4):
        law = stats.nchypergeom_fisher(n1[i] + n2[i], n2[i], c[i], np.exp(shift))
        central = stats.hypergeom(n1[i] + n2[i], n2[i], c[i])
        assert mean[i, 0] == pytest.approx(law.mean(), rel=1e-8)
        assert variance[i, 0] == pytest.approx(law.var(), rel=1e-6)
        if n1[i] < 100:
            k = np.arange(c[i] + 1)
            expected = np.log((central.pmf(k) * np.exp(shift * k)).sum())
            assert log_normaliser[i, 0] == pytest.approx(expected, abs=1e-9)


def test_bayes_factor_is_the_integral_of_the_likelihood_ratio():
    tables = [(4, 3, 4, 1), (4, 4, 4, 2), (4, 0, 4, 1), (2, 1, 6, 6)]

    def ratio(shift):
        value = stats.norm.pdf(shift, scale=1.5)
        for n1, y1, n2, y2 in tables:
            tilt = stats.nchypergeom_fisher(n1 + n2, n2, y1 + y2, np.exp(shift)).pmf(y2)
            value *= tilt / stats.hypergeom(n1 + n2, n2, y1 + y2).pmf(y2)
        return value

    total = integrate.quad(ratio, -12, 12, limit=200)[0]
    mean = integrate.quad(lambda x: x * ratio(x), -12, 12, limit=200)[0] / total
    post = posterior(tables, 1.5)
    assert post.log_factor[0] == pytest.approx(np.log(total), abs=1e-7)
    assert (post.nodes * post.weights).sum() == pytest.approx(mean, abs=1e-7)


def test_bayes_factor_has_mean_one_without_a_change_whatever_the_tasks_are():
    p, n1, n2 = (0.15, 0.8), 2, 3
    total = 0.0
    for y in itertools.product(range(n1 + 1), range(n2 + 1), range(n1 + 1), range(n2 + 1)):
        chance = np.prod(
            [
                stats.binom(n1, p[0]).pmf(y[0]) * stats.binom(n2, p[0]).pmf(y[1]),
                stats.binom(n1, p[1]).pmf(y[2]) * stats.binom(n2, p[1]).pmf(y[3]),
            ]
        )
        post = posterior([(n1, y[0], n2, y[1]), (n1, y[2], n2, y[3])])
        factor = post.log_factor[0]
        total += chance * np.exp(factor)
    assert total == pytest.approx(1.0, abs=1e-6)


def test_separated_data_keep_the_mass_and_the_prior_bounds_them():
    post = posterior([(1, 1, 1, 0)] * 2000, 1.0)
    mean = float((post.nodes * post.weights).sum())
    assert -8 < mean < -3
    assert post.weights.sum() == pytest.approx(1.0)
    assert post.weights[0, [0, -1]].max() < 1e-9
