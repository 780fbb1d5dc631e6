from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest

from reliability_stats.leaderboard.figures import Figure, read_metric, read_value


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("pass^k", ("^", None)),
        ("pass^4", ("^", 4)),
        ("Pass@10", ("@", 10)),
        ("pass_hat_k", ("^", None)),
        ("pass_at_3", ("@", 3)),
        ("pass^{2}", ("^", 2)),
        ("mean", ("^", 1)),
        ("Accuracy", ("^", 1)),
        ("f1", None),
        ("pass^0.5", None),
    ],
)
def test_metric_names(text, expected):
    assert read_metric(text) == expected


@pytest.mark.parametrize(
    ("given", "value", "decimals", "from_float"),
    [
        ("0.420", Fraction(42, 100), 3, False),
        (" .5 ", Fraction(1, 2), 1, False),
        (Decimal("0.20"), Fraction(1, 5), 2, False),
        (0.2, Fraction(1, 5), 1, True),
        (np.float64(0.653333), Fraction(653333, 10**6), 6, True),
        (95.8333 / 100, Fraction(958333, 10**6), 6, True),  # noise of the division
        (1, Fraction(1), 0, True),
        (2 / 3, Fraction(2 / 3), None, True),
    ],
)
def test_values_keep_their_digits(given, value, decimals, from_float):
    assert read_value(given) == (value, decimals, from_float)


@pytest.mark.parametrize("given", ["n/a", None, float("nan"), float("inf"), True, "NaN", "42%"])
def test_what_is_no_number(given):
    assert read_value(given) is None


def test_half_a_unit_on_either_side_and_both_ends():
    figure = Figure("^", 1, Fraction("0.25"), 2)
    assert figure.interval() == (Fraction("0.245"), Fraction("0.255"))
    assert figure.interval("down") == (Fraction("0.25"), Fraction("0.26"))
    # 1/8 = 0.125 prints as 0.12 (half to even) or 0.13 (half up): both are accepted
    for text in ("0.12", "0.13"):
        assert Figure("^", 1, Fraction(text), 2).sums(8, 1) == (1, 1)
    assert Figure("^", 1, Fraction("0.14"), 2).sums(8, 1) == (2, 1)  # no integer


def test_full_precision_allows_only_noise():
    low, high = Figure("^", 1, Fraction(2 / 3), None).interval()
    assert high - low == Fraction(2, 10**9)
    assert low < Fraction(2, 3) < high


def test_sums_stay_possible():
    assert Figure("^", 2, Fraction("0.00"), 2).sums(10, 4) == (0, 0)
    assert Figure("^", 2, Fraction("1.00"), 2).sums(10, 4) == (60, 60)


def test_sums_of_pass_at_k_count_failures():
    # 50 tasks x 4 trials: pass@4 = .72 means that 14 tasks failed all four
    assert Figure("@", 4, Fraction("0.72"), 2).sums(50, 4) == (14, 14)
    assert Figure("@", 1, Fraction("0.42"), 2).sums(50, 4) == (83, 85)
    assert Figure("@", 1, Fraction("0.42"), 2).key == ("^", 1)


def test_text_shows_the_printed_digits():
    assert Figure("^", 1, Fraction("0.2"), 3).text == "0.200"
    assert Figure("^", 1, Fraction(2 / 3), None).text == "0.666666666667"
