from decimal import Decimal
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest

from reliability_stats import _validation as v
from reliability_stats.exceptions import ArgumentError

NO_NUMBERS = ["0.5", None, True, np.True_, 0.5j, np.nan, pd.NA, [0.5], np.array([0.5]), b"0.5"]


@pytest.mark.parametrize("prob", [0.95, np.float32(0.5), Decimal("0.9"), Fraction(1, 3), 1e-300])
def test_prob(prob):
    assert v.check_prob(prob) == float(prob)
    assert type(v.check_prob(prob)) is float


@pytest.mark.parametrize("prob", [0, 1, -0.1, np.inf, 10**400, Decimal("sNaN"), *NO_NUMBERS])
def test_wrong_prob(prob):
    with pytest.raises(ArgumentError, match="prob must be a number between 0 and 1, both excluded"):
        v.check_prob(prob)


def test_prob_in_percent_gets_a_hint():
    with pytest.raises(ArgumentError, match=r"not 95 \(did you mean 0\.95\?\)"):
        v.check_prob(95)
    for prob in (1, 100):
        with pytest.raises(ArgumentError, match=f"not {prob}[.]$"):
            v.check_prob(prob)


@pytest.mark.parametrize("k", [1, np.int64(3), np.uint8(200), 10**30])
def test_k(k):
    assert v.check_k(k) == int(k)
    assert type(v.check_k(k)) is int


@pytest.mark.parametrize("k", [0, -1, 2.0, "2", True, np.True_, None, np.nan, np.array(2), [2]])
def test_wrong_k(k):
    with pytest.raises(ArgumentError, match="m must be an integer of at least 1, not "):
        v.check_k(k, "m")


def test_k_from_zero():
    assert v.check_k(0, minimum=0) == 0
    with pytest.raises(ArgumentError, match="k must be an integer of at least 0, not -1"):
        v.check_k(-1, minimum=0)


def test_positive_int():
    assert v.check_positive_int(1, "draws") == 1
    with pytest.raises(ArgumentError, match="draws must be an integer of at least 1, not 0"):
        v.check_positive_int(0, "draws")


@pytest.mark.parametrize("x", [0, 1, 0.3, np.float64(0.3)])
def test_fraction(x):
    assert v.check_fraction(x, "tau") == x


@pytest.mark.parametrize("x", [-1e-9, 1 + 1e-9, np.inf, *NO_NUMBERS])
def test_wrong_fraction(x):
    with pytest.raises(ArgumentError, match=r"tau must be a number in \[0, 1\], not "):
        v.check_fraction(x, "tau")


def test_thresholds():
    assert v.check_thresholds(0, 1) == (0.0, 1.0)
    for low, high in ((0.5, 0.5), (0.9, 0.1)):
        with pytest.raises(ArgumentError, match=f"low={low} and high={high}"):
            v.check_thresholds(low, high)
    with pytest.raises(ArgumentError, match=r"high must be a number in \[0, 1\], not 90"):
        v.check_thresholds(0.1, 90)


def test_choice_lists_and_suggests():
    assert v.check_choice("drop", ("raise", "drop"), "missing") == "drop"
    with pytest.raises(
        ArgumentError, match=r"'raise', 'drop', not 'Dorp' \(did you mean 'drop'\?\)"
    ):
        v.check_choice("Dorp", ("raise", "drop"), "missing")
    for wrong in (None, 1, ["drop"], "zzz"):
        with pytest.raises(ArgumentError, match=r"'drop', not [^(]*\.$"):
            v.check_choice(wrong, iter(("raise", "drop")), "missing")


def test_over():
    assert v.check_over("observed") == "observed"
    with pytest.raises(ArgumentError, match="'population', 'observed', not 'tasks'"):
        v.check_over("tasks")


def test_rng_takes_what_numpy_takes():
    generator = np.random.default_rng(3)
    assert v.check_rng(generator) is generator
    for rng in (3, np.int64(3), np.random.SeedSequence(3), np.random.PCG64(3)):
        assert v.check_rng(rng).random() == np.random.default_rng(3).random()
    assert v.check_rng([1, 2]).random() == np.random.default_rng([1, 2]).random()
    assert isinstance(v.check_rng(None), np.random.Generator)


@pytest.mark.parametrize("rng", [-1, 1.5, "0", True, np.False_, object(), [-1], np.nan])
def test_wrong_rng(rng):
    with pytest.raises(ArgumentError, match="rng must be None, a non-negative integer"):
        v.check_rng(rng)


def test_counts():
    n, successes = v.check_counts([4, 2**62 - 1], np.array([4.0, 0.0]))
    assert n.tolist() == [4, 2**62 - 1]
    assert successes.tolist() == [4, 0]
    assert n.dtype == successes.dtype == np.int64
    assert [x.size for x in v.check_counts([], [])] == [0, 0]
    assert [x.tolist() for x in v.check_counts(4, 1)] == [[4], [1]]


@pytest.mark.parametrize(
    ("n", "successes", "message"),
    [
        ([4, 4], [1, 5], "entry 1 has 5 successes in 4 trials"),
        ([4, -1], [0, 0], "n must hold integers of at least 0, but entry 1 is -1"),
        ([4, 4.5], [0, 0], r"entry 1 is 4\.5"),
        ([4, np.nan], [0, 0], "entry 1 is nan"),
        ([4, np.inf], [0, 0], "entry 1 is inf"),
        ([4, 2**62], [0, 0], f"entry 1 is {2**62}"),
        (np.array([4, 2**63], np.uint64), [0, 0], f"entry 1 is {2**63}"),
        ([4, 4], [0], r"shapes \(2,\) and \(1,\)"),
        ([[4]], [[0]], "not 2-D data of type int64"),
        (["4"], [0], "n must be a list of integers"),
        ([True], [False], "not 1-D data of type bool"),
        ([10**30], [0], "not 1-D data of type object"),
        ([None], [0], "not 1-D data of type object"),
        ([[1], [1, 2]], [0, 0], "n must be a list of integers of at least 0"),
    ],
)
def test_wrong_counts(n, successes, message):
    with pytest.raises(ArgumentError, match=message):
        v.check_counts(n, successes)


@pytest.mark.parametrize(
    ("value", "names", "hint"),
    [
        ("sucess", ["success", "task"], " (did you mean 'success'?)"),
        ("TASK", ["task", "Task"], " (did you mean 'task'?)"),
        ("zzz", ["success"], ""),
        (3, ["3"], ""),
        ("a", [], ""),
    ],
)
def test_suggest(value, names, hint):
    assert v.suggest(value, names) == hint
