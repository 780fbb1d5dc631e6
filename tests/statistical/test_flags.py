"""Labels are wrong as seldom as stated: reduced forms of the tables of flags and verdicts."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from tests.statistical import flags_table, ground_truth, verdicts


@pytest.mark.slow
@pytest.mark.parametrize("name", ["U-shaped, Beta(.3, .3)", "three-point 0, 1/2, 1"])
def test_false_discoveries_of_flicker(name):
    row, diagram = flags_table.one(name, 8, 8)
    assert row["fdr"] <= 0.05 + 3 * max(row["se"], 0.01)
    assert row["power"] >= row["cp95_power"]
    full = diagram[diagram["cells"] >= 100]
    assert (full["predicted"] - full["observed"]).abs().max() < 0.2


@pytest.mark.slow
def test_nearly_deterministic_systems_are_not_called_flickering():
    draw, mass = verdicts.TRUTHS["5% or 95%"]
    found = verdicts.counted(draw, 50, 8, 40, [9, 1, 50, 8])
    assert mass == 0
    assert found["both"] <= 3


@pytest.mark.slow
def test_flaky_software_tests(shared_data):
    record = pd.read_csv(shared_data / ground_truth.FILE)
    found = ground_truth.row(record, 16, 0.1, np.random.default_rng(5))
    assert found["flickering_fdr"] <= 0.08
    assert found["flickering_power"] > 0.7
    assert found["mixed_fdr"] > 0.15
