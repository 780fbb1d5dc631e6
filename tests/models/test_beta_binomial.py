"""The beta-binomial likelihood and its priors."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import optimize, special, stats

import reliability_stats as rs
from reliability_stats.models import Beta, Model
from reliability_stats.models.beta_binomial import LogLikelihood


def likelihood_of(n, successes):
    table = {"system": ["s"] * len(n), "task": range(len(n)), "n": n, "successes": successes}
    return LogLikelihood.of(rs.Trials.from_counts(table).counts.distinct(), 1)


def value(likelihood, mean, icc):
    u, v = special.logit(mean), special.logit(icc)
    return float(likelihood(np.array([0]), np.array([[u]]), np.array([[v]]))[0, 0])


@pytest.mark.parametrize("largest", [1, 5, 64, 65, 300, 5000])
@pytest.mark.parametrize(("mean", "icc"), [(0.3, 0.2), (0.999, 0.9), (0.01, 1e-3), (0.5, 0.99)])
def test_equals_scipy(largest, mean, icc):
    rng = np.random.default_rng(largest)
    n = rng.integers(1, largest + 1, size=20)
    y = rng.integers(0, n + 1)
    total = 1 / icc - 1
    wanted = stats.betabinom.logpmf(y, n, mean * total, (1 - mean) * total).sum()
    assert value(likelihood_of(n, y), mean, icc) == pytest.approx(wanted, rel=1e-9, abs=1e-8)


def test_keeps_its_digits_for_nearly_binomial_data():
    n, y = np.array([50, 40]), np.array([20, 10])
    wanted = stats.binom.logpmf(y, n, 0.35).sum()
    assert value(likelihood_of(n, y), 0.35, 1e-13) == pytest.approx(wanted, abs=1e-8)


@pytest.mark.parametrize(
    ("histogram", "mean", "icc", "loglik"),
    [
        ([14, 12, 10, 4, 10], 0.428064, 0.400107, -78.975484),
        ([26, 4, 7, 5, 8], 0.318385, 0.593993, -68.043272),
    ],
)
def test_maximum_on_tau_bench_airline(histogram, mean, icc, loglik):
    # the note's likelihoods are of counts without binomial coefficients in one case: compare both
    y = np.repeat(np.arange(5), histogram)
    like = likelihood_of(np.full(50, 4), y)
    best = optimize.minimize(
        lambda x: -value(like, special.expit(x[0]), special.expit(x[1])), [0.0, 0.0], tol=1e-12
    )
    np.testing.assert_allclose(special.expit(best.x), [mean, icc], atol=2e-5)
    assert -best.fun == pytest.approx(loglik, abs=1e-5)


def test_maximum_on_rat_tumours():
    counts = rs.datasets.load("rat-tumors").counts
    like = LogLikelihood.of(counts.distinct(), 1)
    best = optimize.minimize(
        lambda x: -value(like, special.expit(x[0]), special.expit(x[1])), [-1.5, -2.5], tol=1e-12
    )
    mean, icc = special.expit(best.x)
    total = 1 / icc - 1
    np.testing.assert_allclose([mean * total, (1 - mean) * total], [2.341615, 14.114807], rtol=2e-4)


RATS = {
    "CTRL": (
        [13, 12, 9, 9, 8, 8, 13, 12, 10, 10, 9, 13, 5, 7, 10, 10],
        [13, 12, 9, 9, 8, 8, 12, 11, 9, 9, 8, 11, 4, 5, 7, 7],
        (0.897976, 0.0201965),
    ),
    "TREAT": (
        [12, 11, 10, 9, 11, 10, 10, 9, 9, 5, 9, 7, 10, 6, 10, 7],
        [12, 11, 10, 9, 10, 9, 9, 8, 8, 4, 7, 4, 5, 3, 3, 0],
        (0.740007, 0.3174358),
    ),
}
"""Weil (1970), as in the data set ``rats`` of the R package aod; Williams (1975) gives the fits."""


@pytest.mark.parametrize("group", RATS)
def test_maximum_on_weils_rats(group):
    n, y, wanted = RATS[group]
    like = likelihood_of(n, y)
    best = optimize.minimize(
        lambda x: -value(like, special.expit(x[0]), special.expit(x[1])), [1.0, -2.0], tol=1e-12
    )
    np.testing.assert_allclose(special.expit(best.x), wanted, atol=2e-5)


def test_is_a_frozen_model():
    model = rs.BetaBinomial()
    assert isinstance(model, Model)
    assert model == rs.BetaBinomial(mean_prior=Beta(1, 1))
    with pytest.raises(AttributeError):
        model.icc_prior = Beta(2, 2)


@pytest.mark.parametrize("x", [-700.0, -30.0, -1.0, 0.0, 2.5, 30.0])
def test_prior_density_of_the_logit(x):
    from mpmath import mp

    mp.dps = 40
    p = 1 / (1 + mp.exp(-mp.mpf(x)))
    wanted = mp.log(p**2.5 * (1 - p) ** 0.5 / mp.beta(2.5, 0.5))
    assert Beta(2.5, 0.5).log_density(np.array(x)) == pytest.approx(float(wanted), rel=1e-12)


def test_scipy_priors_equal_own_ones():
    own = rs.BetaBinomial(mean_prior=Beta(2, 3), icc_prior=Beta(0.5, 0.5))
    theirs = rs.BetaBinomial(mean_prior=stats.beta(2, 3), icc_prior=stats.beta(0.5, 0.5))
    u, v = np.meshgrid(np.linspace(-8, 8, 9), np.linspace(-8, 8, 9))
    np.testing.assert_allclose(own.log_prior_logit(u, v), theirs.log_prior_logit(u, v), atol=1e-9)
    trials = rs.Trials.from_array([[1, 0, 1, 1], [0, 0, 1, 0], [1, 1, 1, 1]])
    fits = [rs.fit(trials, model).summary([rs.ICC()]) for model in (own, theirs)]
    np.testing.assert_allclose(fits[0]["mean"], fits[1]["mean"], atol=1e-6)


def test_prior_with_jumps_is_respected_and_reported():
    narrow = rs.BetaBinomial(mean_prior=stats.uniform(0.4, 0.2))
    trials = rs.Trials.from_array(np.ones((20, 4), int))
    with pytest.warns(rs.ConvergenceWarning, match="Check the prior for jumps"):
        row = rs.fit(trials, narrow).summary(rs.SuccessRate()).iloc[0]
    assert 0.5 < row["lower"] < row["upper"] <= 0.6001


@pytest.mark.parametrize(
    ("prior", "message"),
    [
        (stats.norm(0, 1), r"support \[-inf, inf\]"),
        (stats.uniform(0, 2), r"support \[0, 2\]"),
        (stats.beta, "frozen"),
        (0.5, "frozen"),
        ("uniform", "frozen"),
    ],
)
def test_priors_must_live_on_the_unit_interval(prior, message):
    with pytest.raises(rs.ArgumentError, match=message):
        rs.BetaBinomial(icc_prior=prior)


@pytest.mark.parametrize("parameters", [(0, 1), (1, -2), (np.inf, 1), (np.nan, 1), (True, 1)])
def test_beta_needs_positive_parameters(parameters):
    with pytest.raises(rs.ArgumentError, match="positive finite"):
        Beta(*parameters)


def test_log_prior_must_be_a_function():
    with pytest.raises(rs.ArgumentError, match="must be a function"):
        rs.BetaBinomial(log_prior=1.0)
