"""Simulation-based calibration of the beta-binomial model under its own prior.

Talts et al. (2018), https://doi.org/10.48550/arXiv.1804.06788: if parameters come from the prior
and data from the model, the posterior probability below the truth is uniform. The log likelihood at
the truth depends on the data too (Modrak et al. 2023, https://doi.org/10.1214/23-BA1404).
"""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from scipy.special import logit

import reliability_stats as rs
from reliability_stats.models.beta_binomial import LogLikelihood

SIMULATIONS = 1000


def simulated(rng, tasks, trials):
    mean, icc = rng.uniform(size=(2, SIMULATIONS))
    total = 1 / icc - 1
    p = rng.beta((mean * total)[:, None], ((1 - mean) * total)[:, None], (SIMULATIONS, tasks))
    return mean, icc, rng.binomial(trials, p)


@pytest.mark.slow
@pytest.mark.parametrize(("tasks", "trials"), [(10, 2), (50, 4)])
def test_ranks_are_uniform(tasks, trials):
    rng = np.random.default_rng([3, tasks])
    mean, icc, successes = simulated(rng, tasks, trials)
    outcomes = np.arange(trials) < successes[..., None]
    names = [f"{i:04d}" for i in range(SIMULATIONS)]
    post = rs.fit(rs.Trials.from_array(outcomes, systems=names), rng=5)
    draws = post.to_arviz(draws=250, chains=4, cells=False)["posterior"]
    flat = {name: draws[name].to_numpy().reshape(1000, -1) for name in ("mean", "icc")}
    likelihood = LogLikelihood.of(post.trials.counts.distinct(), SIMULATIONS)
    unit = np.arange(SIMULATIONS)
    at_truth = likelihood(unit, logit(mean)[:, None], logit(icc)[:, None])[:, 0]
    at_draws = likelihood(unit, logit(flat["mean"]).T, logit(flat["icc"]).T).T
    pairs = {"mean": (flat["mean"], mean), "icc": (flat["icc"], icc)}
    pairs["log likelihood"] = (at_draws, at_truth)
    for name, (drawn, truth) in pairs.items():
        below = (drawn < truth).mean(axis=0)
        assert stats.kstest(below, "uniform").pvalue > 1e-3, name
