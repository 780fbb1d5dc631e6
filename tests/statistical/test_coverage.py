"""Intervals hold the truth as often as they say: a reduced form of the whole coverage table."""

from __future__ import annotations

import numpy as np
import pytest

from tests.statistical.coverage import Design, coverage

REPLICATIONS = 400
DESIGNS = [Design((0.3, 0.3), 30, 3), Design((0.5, 1.5), 50, 4), Design((2.0, 2.0), 200, 8)]


@pytest.mark.slow
@pytest.mark.parametrize("design", DESIGNS, ids=str)
def test_nominal_coverage(design):
    rng = np.random.default_rng([7, design.tasks, design.trials])
    table = coverage(design, REPLICATIONS, rng, ("population", "observed"))
    # three standard errors of a share of .95 around the range that the full table has to keep
    slack = 3 * np.sqrt(0.95 * 0.05 / REPLICATIONS)
    assert (table["ours"] > 0.93 - slack).all(), table.to_string()
    assert (table["ours"] < 0.97 + slack).all(), table.to_string()
    assert (table["bias/sd"].abs() < 0.5).all(), table.to_string()


@pytest.mark.slow
def test_a_flat_prior_on_every_task_would_not_do():
    table = coverage(Design((0.3, 0.3), 200, 4), 200, np.random.default_rng(1), ("observed",))
    assert table["flat"].min() < 0.5
