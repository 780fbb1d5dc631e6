"""Posteriors of the logit-normal and spike-and-slab models mean what they say: a reduced form."""

from __future__ import annotations

import os

import pytest

from tests.statistical.shapes_sbc import MODELS, table

FITS = 100 if os.environ.get("RELIABILITY_STATS_FULL") else 25


@pytest.mark.slow
@pytest.mark.parametrize("model", MODELS, ids=lambda model: type(model).__name__)
def test_ranks_are_uniform(model):
    found = table(model, FITS, rng=1)
    assert (found["p_value"] > 1e-3).all(), found.to_string()
    assert found["coverage_95"].between(1.0 - 2.4 * 0.05 * (100 / FITS) ** 0.5, 1.0).all(), (
        found.to_string()
    )
