import numpy as np
import pytest

import reliability_stats as rs


def test_grid_and_base():
    model = rs.GridMixture()
    assert model.grid[[0, 10, 90, 100]].tolist() == [0.0, 0.1, 0.9, 1.0]
    assert model.base.sum() == pytest.approx(1)
    assert model.base[[0, 50, 100]] == pytest.approx([1 / 3, 1 / 297, 1 / 3])
    other = rs.GridMixture(at_zero=0.5, at_one=0, nodes=3)
    assert other.base.tolist() == [0.5, 0.5, 0.0]
    assert np.array_equal(other.grid, [0, 0.5, 1])


@pytest.mark.parametrize(
    "fields",
    [
        {"concentration": 0},
        {"concentration": np.inf},
        {"concentration": True},
        {"concentration": "2"},
        {"at_zero": -0.1},
        {"at_zero": 0.5, "at_one": 0.5},
        {"nodes": 2},
        {"nodes": 10.5},
    ],
    ids=str,
)
def test_fields_are_checked(fields):
    with pytest.raises(rs.ArgumentError, match=next(iter(fields))):
        rs.GridMixture(**fields)


def test_is_frozen_and_hashable():
    model = rs.GridMixture()
    assert model == rs.GridMixture()
    assert hash(model) == hash(rs.GridMixture())
    with pytest.raises(AttributeError):
        model.nodes = 5
