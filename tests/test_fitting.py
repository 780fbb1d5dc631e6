"""`fit`: what it takes and what it refuses."""

from __future__ import annotations

import numpy as np
import pytest

import reliability_stats as rs

TRIALS = rs.Trials.from_array([[1, 1, 0], [0, 0, 0], [1, 1, 1]])


def test_default_model():
    post = rs.fit(TRIALS)
    assert post.model == rs.BetaBinomial()
    assert post.trials is TRIALS


def test_model_may_be_named():
    assert rs.fit(TRIALS, model=rs.BetaBinomial(icc_prior=rs.Beta(2, 2))).model.icc_prior.a == 2


@pytest.mark.parametrize("rng", [0, None, np.random.default_rng(3), np.random.SeedSequence(4)])
def test_takes_what_default_rng_takes(rng):
    assert rs.fit(TRIALS, rng=rng).draws(rs.ICC(), draws=3).shape == (4, 3, 1)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([[1, 0]],), "fit needs Trials, not list"),
        ((TRIALS, rs.BetaBinomial), "model must be a model such as"),
        ((TRIALS, "beta"), "model must be a model such as"),
    ],
)
def test_wrong_data_or_model(arguments, message):
    with pytest.raises(rs.ArgumentError, match=message):
        rs.fit(*arguments)


def test_unknown_options_are_refused():
    with pytest.raises(rs.ArgumentError, match=r"no option 'toll' for BetaBinomial \(did you"):
        rs.fit(TRIALS, toll=1e-3)
    with pytest.raises(rs.ArgumentError, match="no option 'seed'"):
        rs.fit(TRIALS, seed=3)


def test_wrong_rng():
    with pytest.raises(rs.ArgumentError, match="rng must be"):
        rs.fit(TRIALS, rng="today")


def test_bounded_missing_outcomes_need_an_end():
    rows = {"system": ["a"] * 4, "task": [1, 1, 2, 2], "success": [1, None, 0, 1]}
    trials = rs.Trials.from_frame(rows, missing="bounds")
    with pytest.raises(rs.TrialDataError, match=r"complete\('failure'\)"):
        rs.fit(trials)
    low, high = (
        rs.fit(trials.complete(end)).summary(rs.PassHatK(2))["mean"].iloc[0]
        for end in ("failure", "success")
    )
    assert low < high


def test_tighter_tolerance_refines():
    loose, tight = (rs.fit(TRIALS, tol=tol) for tol in (0.1, 1e-10))
    assert loose.sampler_info["nodes"] < tight.sampler_info["nodes"]
    means = [p.summary(rs.ICC())["mean"].iloc[0] for p in (loose, tight)]
    assert means[0] == pytest.approx(means[1], abs=1e-3)
