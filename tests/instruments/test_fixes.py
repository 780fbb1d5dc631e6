"""Fixes against brute force, simulation and edges."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import special, stats

from reliability_stats.exceptions import ArgumentError, TrialDataError
from reliability_stats.instruments import fix_effect

TABLE = {
    "failure_class": ["tool", "plan", "context"],
    "before": [12, 3, 1],
    "exposure_before": [400.0, 400.0, 200.0],
    "after": [0, 2, 0],
    "exposure_after": [400.0, 300.0, 100.0],
}


@pytest.mark.parametrize("failed", ["unchanged", "reduced"])
def test_posterior_agrees_with_draws_that_are_weighted(failed):
    """Importance sampling: share and rates from their priors, weighted by what was seen since."""
    rng = np.random.default_rng(0)
    size = 400_000
    share = rng.random(size)
    before, e1, after, e2 = (
        np.array(TABLE[name]) for name in ("before", "exposure_before", "after", "exposure_after")
    )
    rate = rng.gamma(before + 0.5, size=(size, 3)) / e1
    part = rng.random((size, 3)) if failed == "reduced" else np.ones((size, 3))
    fixed = rng.random((size, 3)) < share[:, None]
    left = np.where(fixed, 0.0, rate * part)
    weight = stats.poisson.pmf(after, left * e2).prod(axis=1)
    weight /= weight.sum()
    found = fix_effect(TABLE, pooling="none", failed=failed)
    table = found.recurrence(250)
    assert table["p_fixed"].to_numpy() == pytest.approx(weight @ fixed, abs=0.01)
    assert table["p_recurs"].to_numpy() == pytest.approx(weight @ -np.expm1(-left * 250), abs=0.01)
    holds = found.holds().iloc[0]
    assert holds["mean"] == pytest.approx(weight @ share, abs=0.005)
    order = np.argsort(share)
    below = weight[order].cumsum()
    for end, level in (("lower", 0.025), ("upper", 0.975)):
        assert holds[end] == pytest.approx(share[order][below.searchsorted(level)], abs=0.01)


def test_rate_ratios_by_hand():
    """Under Jeffreys, E2 r / (E1 + E2 r) is Beta(after + 1/2, before + 1/2)."""
    table = fix_effect(TABLE, pooling="none").ratios()
    x = special.betaincinv(2.5, 3.5, 0.975)
    assert table["upper"][1] == pytest.approx(400 / 300 * x / (1 - x))
    assert table["p_lower"][1] == pytest.approx(stats.beta(2.5, 3.5).cdf(300 / 700))


def test_silence_after_long_exposure_is_a_fix_and_after_a_short_one_is_nothing():
    base = {"failure_class": ["a"], "before": [10], "exposure_before": [10], "after": [0]}
    for exposure, low, high in ((100, 0.99, 1.0), (1e-6, 0.49, 0.51)):
        row = fix_effect({**base, "exposure_after": [exposure]}, pooling="none").recurrence(10)
        assert low <= row["p_fixed"][0] <= high
    again = fix_effect({**base, "after": [1], "exposure_after": [100]}, pooling="none")
    assert again.recurrence(10)["p_fixed"][0] == 0


def world(rng, *, classes=200, shape=0.5, holds=0.6, failed="unchanged"):
    """Classes with incidents before their fix, of many with small rates."""
    rate = rng.gamma(shape, 1 / shape, size=classes)
    before = rng.poisson(rate * 2.0)
    fixed = rng.random(classes) < holds
    part = rng.random(classes) if failed == "reduced" else 1.0
    left = np.where(fixed, 0.0, rate * part)
    after = rng.poisson(left * 1.5)
    seen = before > 0
    table = {
        "failure_class": np.arange(seen.sum()),
        "before": before[seen],
        "exposure_before": np.full(seen.sum(), 2.0),
        "after": after[seen],
        "exposure_after": np.full(seen.sum(), 1.5),
    }
    return table, fixed[seen], left[seen]


def test_chances_are_calibrated_though_classes_were_picked_by_their_incidents():
    rng = np.random.default_rng(3)
    pooled, truth = [], []
    for _ in range(15):
        table, _, left = world(rng, holds=rng.random(), classes=40)
        found = fix_effect(table)
        silent = np.array(table["after"]) == 0
        pooled.append(found.recurrence(5).loc[silent, "p_recurs"])
        truth.append(-np.expm1(-left * 5)[silent])
    want = np.concatenate(truth)
    error = np.std(want) / np.sqrt(len(want))
    assert np.concatenate(pooled).mean() == pytest.approx(want.mean(), abs=3.5 * error)


def test_share_of_fixes_that_hold_is_covered():
    rng = np.random.default_rng(1)
    inside = []
    for _ in range(20):
        holds = rng.random()
        row = fix_effect(world(rng, holds=holds, classes=30)[0]).holds().iloc[0]
        inside.append(row["lower"] <= holds <= row["upper"])
    assert np.mean(inside) == pytest.approx(0.95, abs=0.11)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"before": [12, 0, 1]}, r"before in row 1 .*'plan'.* is 0; it must be a whole number of"),
        ({"after": [0, -1, 0]}, r"after in row 1 .* is -1"),
        ({"exposure_after": [1, 1, 0]}, r"exposure_after in row 2 .* is 0; .* above 0"),
        ({"failure_class": ["a", "a", "b"]}, "repeat those of row 0"),
    ],
)
def test_bad_tables(change, message):
    with pytest.raises(TrialDataError, match=message):
        fix_effect({**TABLE, **change})


def test_bad_arguments_and_names(make_frame):
    with pytest.raises(ArgumentError, match="failed must be one of"):
        fix_effect(TABLE, failed="partly")
    with pytest.raises(ArgumentError, match="exposure must be a positive number"):
        fix_effect(TABLE).recurrence(0)
    found = fix_effect(make_frame(TABLE))
    assert "3 failure classes declared fixed, 1 of them seen again" in repr(found)
