"""The specs of the logit-normal and spike-and-slab models."""

import numpy as np
import pytest
from scipy import special, stats

import reliability_stats as rs
from reliability_stats.models._logit_integral import log_mean


def test_binomial_logit_normal_integrals():
    """Values from mpmath, where Gauss-Hermite rules fail."""
    reference = {
        (16, 8, 0.0, 4.0): -3.699775406855855,
        (64, 30, -2.0, 5.0): -5.368298211117878,
        (4, 2, -0.5, 2.0): -1.7718247957426492,
        (4, 4, -1.5, 3.4): -1.7047834320100552,
    }
    for (n, y, location, scale), value in reference.items():
        found = log_mean(*(np.array([float(x)]) for x in (n, y, location, scale)))
        choose = stats.binom(n, 0.5).logpmf(y) - n * np.log(0.5)
        assert found[0] + choose == pytest.approx(value, abs=1e-10)


def test_integrals_reach_their_limits():
    tiny = log_mean(*(np.array([x]) for x in (10_000.0, 5000.0, 0.0, 1e-9)))
    assert tiny[0] == pytest.approx(10_000 * np.log(0.5), rel=1e-12)
    wide = log_mean(*(np.array([x]) for x in (8.0, 8.0, 0.0, 50.0)))
    z = np.linspace(-9, 9, 200_001)
    exact = np.exp(-z * z / 2 + 8 * special.log_expit(50 * z)).sum() * 9e-5 / np.sqrt(2 * np.pi)
    assert np.exp(wide[0]) == pytest.approx(exact, rel=1e-8)
    sums = sum(
        np.exp(log_mean(*(np.array([x]) for x in (60.0, float(y), 1.0, 3.0)))[0])
        * stats.binom(60, 0.5).pmf(y)
        / 0.5**60
        for y in range(61)
    )
    assert sums == pytest.approx(1.0, abs=1e-9)


def test_priors_are_normalised():
    def total(density, ends):
        axes = [np.linspace(low, high, 801) for low, high in ends]
        area = np.prod([axis[1] - axis[0] for axis in axes])
        return np.exp(density(*np.meshgrid(*axes, indexing="ij"))).sum() * area

    model = rs.LogitNormal(location_sd=0.7, scale_sd=3.0)
    assert total(model.log_prior, [(-6, 6), (-20, 4)]) == pytest.approx(1.0, abs=1e-6)
    slab = rs.SpikeSlab(weights=(0.5, 2.0, 1.5), mean_prior=rs.Beta(2, 1))
    ends = [(-40, 40), (-40, 40)]
    assert total(slab.log_prior_shares, ends) == pytest.approx(1.0, abs=1e-6)
    assert total(slab.log_prior_slab, ends) == pytest.approx(1.0, abs=1e-6)


@pytest.mark.parametrize(
    ("make", "match"),
    [
        (lambda: rs.LogitNormal(location_sd=0), "location_sd"),
        (lambda: rs.LogitNormal(scale_sd=np.inf), "scale_sd"),
        (lambda: rs.LogitNormal(scale_sd=True), "scale_sd"),
        (lambda: rs.SpikeSlab(weights=(1, 1)), "three positive numbers"),
        (lambda: rs.SpikeSlab(weights=3), "three positive numbers"),
        (lambda: rs.SpikeSlab(weights=(1, 0, 1)), r"weights\[1\] \(at 1\)"),
        (lambda: rs.SpikeSlab(mean_prior=0.5), "mean_prior"),
        (lambda: rs.SpikeSlab(max_icc=1.0), "max_icc"),
    ],
)
def test_fields_are_checked(make, match):
    with pytest.raises(rs.ArgumentError, match=match):
        make()


def test_log_likelihood_of_spikes_by_hand():
    trials = rs.Trials.from_counts(
        {"task": [0, 1, 2], "n": [2, 2, 2], "successes": [0, 1, 2]}, system=None
    )
    at = {"zero": 0.3, "one": 0.2, "slab_mean": 0.5, "slab_icc": 1 / 3}  # slab Beta(1, 1)
    at = {name: np.array([[value]]) for name, value in at.items()}
    value = rs.SpikeSlab().log_likelihood(at, trials.counts)[0, 0]
    assert np.exp(value) == pytest.approx((0.3 + 0.5 / 3) * (0.5 / 3) * (0.2 + 0.5 / 3))


def test_simulated_outcomes_have_the_right_moments():
    design = rs.Trials.from_counts(
        {"task": np.arange(4000), "n": np.full(4000, 4), "successes": np.zeros(4000, int)},
        system=None,
    ).counts
    rng = np.random.default_rng(0)
    at = {"zero": 0.3, "one": 0.2, "slab_mean": 0.4, "slab_icc": 0.1}
    at = {name: np.full((1, 1), value) for name, value in at.items()}
    rate = rs.SpikeSlab().simulate(at, design, rng).mean() / 4
    assert rate == pytest.approx(0.2 + 0.5 * 0.4, abs=0.03)
    at = {"location": np.full((1, 1), 20.0), "scale": np.full((1, 1), 1.0)}
    assert rs.LogitNormal().simulate(at, design, rng).min() == 4
