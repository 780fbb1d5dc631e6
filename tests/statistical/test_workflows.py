"""Reduced forms of the coverage tables of instruments."""

from __future__ import annotations

import numpy as np
import pytest

from tests.statistical.workflow_coverage import coverage, size_of_test

pytestmark = pytest.mark.slow


def near(coverage, replications, nominal=0.95):
    """Whether a coverage is within four standard errors of the nominal one."""
    return abs(coverage - nominal) < 4 * np.sqrt(nominal * (1 - nominal) / replications)


def test_workflow_intervals_hold_the_truth():
    for name in ("fixed, 200 runs", "dependent steps, 100 runs"):
        (row,) = coverage(name, 300, np.random.default_rng(3))
        assert near(row["coverage"], 300)


def test_independence_has_its_size():
    found = size_of_test("independent, by run", 200, np.random.default_rng(4))
    assert found["rejected_at_5%"] < 0.05 + 4 * np.sqrt(0.05 * 0.95 / 200)
