"""The closing box against known integrals."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from reliability_stats import ConvergenceWarning, ModelError
from reliability_stats.inference.box import focus, weighted_below, weighted_figures


def product(*logs):
    """Log density of independent parameters."""

    def density(axes):
        parts = np.meshgrid(*axes, indexing="ij")
        return sum(log(x) for log, x in zip(logs, parts, strict=True))

    return density


def test_a_narrow_peak_far_from_the_middle_is_found():
    laws = [stats.norm(7.3, 0.01), stats.norm(-2, 1.5), stats.logistic(1, 0.2)]
    box = focus(product(*(law.logpdf for law in laws)), [(-20, 20)] * 3)
    points, weights = box.points()
    assert box.log_evidence == pytest.approx(0, abs=1e-4)
    for law, x in zip(laws, points, strict=True):
        mean, sd, low, high = weighted_figures(x, weights, 0.9)
        assert mean == pytest.approx(law.mean(), abs=1e-3 * law.std())
        assert sd == pytest.approx(law.std(), rel=3e-3)
        assert [low, high] == pytest.approx(law.ppf([0.05, 0.95]), abs=0.04 * law.std())
        assert weighted_below(x, weights, law.mean()) == pytest.approx(0.5, abs=0.01)


def test_a_ridge_is_followed():
    cover = np.array([[1.0, 0.9], [0.9, 1.0]])
    law = stats.multivariate_normal([3, -3], cover)
    box = focus(
        lambda axes: law.logpdf(np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1)),
        [(-30, 30)] * 2,
    )
    (x, y), weights = box.points()
    assert box.log_evidence == pytest.approx(0, abs=1e-4)
    assert weights @ ((x - 3) * (y + 3)) == pytest.approx(0.9, abs=0.01)
    assert box.marginal(0).sum() == pytest.approx(1)


def test_what_is_no_density_is_refused():
    with pytest.raises(ModelError, match="not a positive number"):
        focus(lambda axes: np.full(len(axes[0]), np.nan), [(0, 1)])


def test_peaks_that_no_lattice_resolves_are_told():
    with pytest.warns(ConvergenceWarning, match="has not settled"):
        focus(lambda axes: -np.minimum(axes[0] ** 2, (axes[0] - 1) ** 2) / 2e-8, [(0.0, 1.0)])
