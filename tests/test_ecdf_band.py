"""Simultaneous bands of the empirical distribution function."""

from __future__ import annotations

import numpy as np
import pytest

from reliability_stats import _ecdf_band


@pytest.mark.parametrize(("size", "sets"), [(1, 20_000), (13, 8000), (300, 4000)])
@pytest.mark.parametrize("prob", [0.8, 0.95])
def test_uniform_values_stay_inside_as_often_as_said(size, sets, prob):
    rng = np.random.default_rng([size, 1])
    lower, upper = _ecdf_band.band(size, prob)
    counts = np.array([_ecdf_band.counts_below(rng.random(size)) for _ in range(sets)])
    inside = ((counts >= lower * size - 1e-9) & (counts <= upper * size + 1e-9)).all(axis=1).mean()
    error = np.sqrt(prob * (1 - prob) / sets)
    assert inside > prob - 4 * error
    if size > 100:  # with few values only few levels exist
        assert inside < prob + 4 * error + 0.005


def test_probability_equals_that_of_all_orders_for_two_values():
    # the counts at 0.01, ..., 0.99 of two values, by summing over the 100 x 100 cells
    gamma = 0.3
    lower, upper = _ecdf_band.limits(2, gamma)
    points = np.arange(99)
    cell = np.arange(100)
    below = (cell[:, None] <= points).astype(int)
    counts = below[:, None, :] + below[None, :, :]
    exact = ((counts >= lower) & (counts <= upper)).all(axis=2).mean()
    assert _ecdf_band.inside(2, gamma) == pytest.approx(exact, abs=1e-12)


def test_p_values_and_bands_agree():
    rng = np.random.default_rng(5)
    lower, upper = _ecdf_band.band(150, 0.9)
    seen = set()
    for a in np.linspace(0.75, 1.25, 60):
        values = rng.beta(a, a, 150)
        share = _ecdf_band.counts_below(values) / 150
        inside = bool(((share >= lower - 1e-12) & (share <= upper + 1e-12)).all())
        assert inside == (_ecdf_band.p_value(values) >= 0.1 - 1e-3)
        seen.add(inside)
    assert seen == {True, False}


def test_p_values_are_uniform():
    rng = np.random.default_rng(2)
    values = np.array([_ecdf_band.p_value(rng.random(200)) for _ in range(400)])
    for level in (0.05, 0.2, 0.5):
        assert (values <= level).mean() == pytest.approx(level, abs=0.07)


def test_equals_arviz():
    az = pytest.importorskip("arviz")
    utils = getattr(getattr(az, "stats", None), "ecdf_utils", None)
    if utils is None:
        pytest.skip("this ArviZ has no ecdf_utils of that name")
    z = _ecdf_band.grid_points()
    lower, upper = utils.ecdf_confidence_band(100, z, z, prob=0.95, method="optimized")
    ours = _ecdf_band.band(100, 0.95)
    np.testing.assert_allclose(ours[0], lower, atol=0.0101)
    np.testing.assert_allclose(ours[1], upper, atol=0.0101)


def test_strays_are_noticed():
    assert _ecdf_band.p_value(np.linspace(0.001, 0.5, 100)) < 1e-10
    assert _ecdf_band.p_value(np.full(50, 0.5)) < 1e-6
    assert _ecdf_band.p_value((np.arange(200) + 0.5) / 200) > 0.99
