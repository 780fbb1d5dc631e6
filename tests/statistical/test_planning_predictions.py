"""Plans foretell what evaluations give: a reduced form of the whole table."""

from __future__ import annotations

import numpy as np
import pytest

from tests.statistical.planning_predictions import PARTS, table


@pytest.mark.slow
@pytest.mark.parametrize("part", PARTS)
def test_predictions_are_realised(part):
    found = table(300, (part,), seed=2)
    limits = found["what"].str.startswith("at most")
    close = found[~limits & found["predicted"].notna()]
    assert (close["z"].abs() < 4).all(), found.to_string()
    assert (found.loc[limits, "z"] < 3).all(), found.to_string()


@pytest.mark.slow
def test_the_check_would_see_a_wrong_prediction():
    found = table(300, ("power",), seed=2)
    wrong = np.abs(found["realised"] - 0.6) / found["error"]
    assert (wrong > 4).all()
