import numpy as np
import pytest
from scipy import stats

from reliability_stats.comparison import beta_greater
from reliability_stats.exceptions import ArgumentError


def test_worked_figure():
    assert beta_greater(16, 6, 13, 9) == pytest.approx(0.83679, abs=5e-6)


@pytest.mark.parametrize("first", [(3, 4), (2.5, 0.5), (0.3, 0.2), (40, 7.5)])
@pytest.mark.parametrize("second", [(1, 1), (0.7, 1.9), (30, 20)])
def test_agrees_with_numerical_integration(first, second):
    x = stats.beta.ppf((np.arange(200_000) + 0.5) / 200_000, *first)
    expected = stats.beta.cdf(x, *second).mean()
    assert beta_greater(*first, *second) == pytest.approx(expected, abs=2e-5)
    assert beta_greater(*first, *second) + beta_greater(*second, *first) == pytest.approx(1)


def test_equal_laws_are_even_even_if_large():
    assert beta_greater(20_000, 30_000, 20_000, 30_000) == pytest.approx(0.5, abs=1e-8)
    assert beta_greater(0.5, 0.5, 0.5, 0.5) == pytest.approx(0.5, abs=1e-9)


@pytest.mark.parametrize("bad", [0, -1, np.nan, np.inf, True, "1", None])
def test_parameters_are_positive_numbers(bad):
    with pytest.raises(ArgumentError, match="b2 must be a positive number"):
        beta_greater(1, 1, 1, bad)
