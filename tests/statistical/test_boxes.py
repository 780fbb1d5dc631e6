"""Chains and horizons are calibrated: a reduced form of the whole tables."""

from __future__ import annotations

import pytest

from tests.statistical import horizon_coverage, markov_coverage


@pytest.mark.slow
@pytest.mark.parametrize("script", [markov_coverage, horizon_coverage])
def test_ranks_are_uniform_and_intervals_hold(script):
    table = script.table(15, seed=3, fixed=False)
    assert (table["ks_p"] > 1e-3).all(), table.to_string()
    # with 15 data sets, fewer than 11 held has a probability below 0.001
    assert (table["coverage"] >= 11 / 15).all(), table.to_string()
