"""Posteriors of the logit-normal and spike-and-slab models mean what they say: a reduced form."""

from __future__ import annotations

import pytest

from tests.statistical.shapes_sbc import MODELS, table


@pytest.mark.slow
@pytest.mark.parametrize("model", MODELS, ids=lambda model: type(model).__name__)
def test_ranks_are_uniform(model):
    found = table(model, 100, rng=1)
    assert (found["p_value"] > 1e-3).all(), found.to_string()
    assert found["coverage_95"].between(0.88, 1.0).all(), found.to_string()
