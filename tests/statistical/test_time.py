"""Reduced forms of the tables of regressions, monitors and drift."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from reliability_stats.history._watch import e_values
from tests.statistical import drift_coverage, monitor_delay, regressions_fdr


@pytest.mark.slow
@pytest.mark.parametrize("truth", [regressions_fdr.flicker, regressions_fdr.broken])
def test_few_labels_are_wrong(truth):
    table = pd.DataFrame(regressions_fdr.rows(truth, 50, 4, 8)).set_index("state")
    assert table.loc[["regressed", "improved"], "wrong"].sum() <= 6, table.to_string()
    assert table["coverage"].min() > 0.9, table.to_string()


@pytest.mark.slow
@pytest.mark.parametrize("within", ["independent", "any"])
def test_false_alarms_under_peeking(within):
    rng = np.random.default_rng(5)
    size = np.full(monitor_delay.BATCHES, 20)
    limit = monitor_delay.LIMIT
    days = within == "any"
    raised = [
        (e_values(size, monitor_delay.stream(rng, 20, 0.9, days), 0.9, within) >= limit).any()
        for _ in range(100)
    ]
    assert np.mean(raised) <= 0.05 + 2 * np.sqrt(0.05 * 0.95 / 100)


@pytest.mark.slow
def test_drift_is_calibrated_under_its_prior():
    found = drift_coverage.row("prior", 6, 20, 3, 60)
    assert found["SBC p"] > 1e-3
    for name in ("rate", "change", "pass^k last"):
        assert found[name] > 0.95 - 4 * np.sqrt(0.95 * 0.05 / 60), found
