"""A reduced form of `crossed_coverage`; the whole table is made by its command."""

from __future__ import annotations

import numpy as np
import pytest

from tests.statistical.crossed_coverage import VARIANTS, run


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_intervals_hold_the_truth():
    pytest.importorskip("nutpie")
    chosen = tuple(v for v in VARIANTS if v.name == "conditions")
    table = run(chosen, fits=12, minutes=2.0, seed=3)
    assert (table["with_divergences"] < 0.2).all()
    assert (table["p_uniform"] > 1e-4).all()
    covered = table["coverage_95"].dropna()
    assert np.mean(covered) > 0.8
