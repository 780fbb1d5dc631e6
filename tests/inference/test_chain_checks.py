"""Checks of chains and smoothed predictive densities."""

from __future__ import annotations

import numpy as np
import pytest

import reliability_stats as rs
from reliability_stats.inference.chain_checks import chain_checks, smoothed_left_out


def good(rng, shape=()):
    return rng.normal(size=(4, 500, *shape))


def by_name(checks):
    return {check.name: check for check in checks}


def test_independent_draws_pass():
    rng = np.random.default_rng(0)
    values = {"mean": good(rng), "effect": good(rng, (3, 2))}
    statistics = {"diverging": np.zeros((4, 500), bool), "energy": good(rng)}
    found = chain_checks(values, statistics)
    assert [check.name for check in found] == [
        "R-hat",
        "effective draws, bulk",
        "effective draws, tails",
        "divergences",
        "BFMI",
    ]
    assert all(check.passed for check in found)


def test_each_fault_is_found_and_named():
    rng = np.random.default_rng(1)
    shifted = good(rng, (3,))
    shifted[0, :, 1] += 3
    slow = np.cumsum(rng.normal(size=(4, 500)), axis=1)
    statistics = {"diverging": np.arange(2000).reshape(4, 500) < 7, "energy": slow}
    found = by_name(chain_checks({"x": good(rng), "effect": shifted}, statistics))
    assert found["R-hat"].about == "effect[1]"
    assert not found["R-hat"].passed
    assert found["divergences"].value == 7
    assert not found["divergences"].passed
    assert not found["BFMI"].passed
    assert found["BFMI"].about.startswith("chain ")
    walk = by_name(chain_checks({"walk": slow}, {}))
    assert not walk["effective draws, bulk"].passed
    assert not walk["effective draws, tails"].passed
    assert set(walk) == {"R-hat", "effective draws, bulk", "effective draws, tails"}


def test_energy_figure_equals_its_definition():
    energy = np.random.default_rng(2).normal(size=(3, 200)).cumsum(axis=1)
    found = by_name(chain_checks({"x": np.zeros((3, 200))}, {"energy": energy}))["BFMI"]
    steps = (np.diff(energy, axis=1) ** 2).mean(axis=1) / energy.var(axis=1)
    assert found.value == pytest.approx(steps.min(), rel=0.02)


def test_one_chain_cannot_show_agreement():
    found = by_name(chain_checks({"x": np.random.default_rng(0).normal(size=(1, 500))}, {}))
    assert not found["R-hat"].passed
    assert "Run several chains" in found["R-hat"].remedy


def test_smoothing_agrees_with_exact_densities(airline):
    # the same posterior: exactly on the lattice, and by importance sampling from its draws
    post = rs.fit(airline)
    exact = post.engine.leave_out()
    draws = post.to_arviz(draws=2000, chains=2, cells=False)["posterior"]
    counts = airline.counts
    mean, icc = (draws[name].to_numpy().reshape(4000, -1) for name in ("mean", "icc"))
    each = rs.Trials.from_counts(
        {
            "system": [f"{i:03d}" for i in range(counts.n_cells)],
            "task": ["t"] * counts.n_cells,
            "n": counts.n,
            "successes": counts.successes,
        }
    ).counts
    parameters = {"mean": mean[:, counts.unit], "icc": icc[:, counts.unit]}
    logs = rs.BetaBinomial().log_likelihood(parameters, each)
    found = smoothed_left_out(logs, exact.group)
    np.testing.assert_allclose(found.outside, exact.outside, atol=0.01)
    np.testing.assert_allclose(found.inside, exact.inside, atol=0.01)
    assert found.outside.sum() == pytest.approx(exact.outside.sum(), abs=0.1)
    assert (found.pareto_k < 0.5).all()


def test_heavy_tails_are_found_out():
    x = np.random.default_rng(0).normal(size=(4000, 1))
    found = smoothed_left_out(-2 * x**2, np.zeros(1, int))
    assert found.pareto_k[0] > 0.7
