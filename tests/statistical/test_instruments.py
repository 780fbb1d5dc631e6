"""A reduced form of the coverage table of the instruments."""

from __future__ import annotations

import numpy as np
import pytest

from tests.statistical.instruments_coverage import coverage


@pytest.mark.slow
def test_nominal_coverage():
    table = coverage(30, 3)
    # intervals of one replication are not independent: 30 stand for all of them
    slack = 3.5 * np.sqrt(0.95 * 0.05 / 30)
    assert (table["coverage"] > 0.95 - slack).all(), table.to_string()
