"""Which estimands are meant, what data identify, and the one schema of a summary."""

import numpy as np
import pytest

from reliability_stats import _summary
from reliability_stats.estimands import (
    ICC,
    Dependable,
    Disagreement,
    FlickerMass,
    Gap,
    GPassAtK,
    MeanGPassAtK,
    PassAtK,
    PassHatK,
    Persistence,
    Reach,
    Recovery,
    SuccessRate,
)
from reliability_stats.exceptions import ArgumentError, IdentifiabilityWarning
from reliability_stats.trials import Trials


def counts_of(*numbers_of_trials):
    """Counts of one system for each list of numbers of trials."""
    cells = [(s, t, n) for s, ns in enumerate(numbers_of_trials) for t, n in enumerate(ns)]
    system, task, n = zip(*cells, strict=True)
    table = {"system": [f"s{i}" for i in system], "task": task, "n": n, "successes": [0] * len(n)}
    return Trials.from_counts(table).counts


FOUR = counts_of([4, 4, 4])


def names(*estimands):
    return [estimand.name for estimand in estimands]


@pytest.mark.parametrize(
    "given",
    [
        [PassHatK(2), ICC()],
        (PassHatK(2), ICC()),
        (e for e in (PassHatK(2), ICC())),
        {PassHatK(2): 1, ICC(): 2}.keys(),
        np.array([PassHatK(2), ICC()], dtype=object),
        [PassHatK(2), ICC(), PassHatK(2), PassHatK(np.int64(2))],
    ],
    ids=["list", "tuple", "generator", "keys", "array", "repeated"],
)
def test_several_estimands_in_their_order(given):
    assert _summary.as_estimands(given, FOUR, model=True) == (PassHatK(2), ICC())


def test_one_estimand_is_a_list_of_one():
    assert _summary.as_estimands(Gap(3), FOUR, model=False) == (Gap(3),)


def test_equal_values_under_different_names_are_both_kept():
    both = _summary.as_estimands([SuccessRate(), PassHatK(1), PassAtK(1)], FOUR, model=True)
    assert names(*both) == ["success_rate", "pass^1", "pass@1"]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ([], "estimands is empty; give at least one, such as PassHatK\\(4\\)"),
        (iter(()), "estimands is empty"),
        ("pass^4", "such as PassHatK\\(4\\) or a list of them, not 'pass\\^4'"),
        (b"icc", "or a list of them, not b'icc'"),
        (4, "or a list of them, not 4"),
        ({"a": ICC()}, "or a list of them, not \\{'a': ICC\\(\\)\\}"),
        (PassHatK, "not the class PassHatK; write it with parentheses, PassHatK\\(...\\)"),
        (
            [ICC(), PassAtK],
            "must hold estimands .* not the class PassAtK; write it with parentheses, PassAtK",
        ),
        ([ICC(), "gap"], "must hold estimands such as PassHatK\\(4\\), not 'gap'"),
        ([ICC(), None], "not None"),
        ([[ICC()]], "not \\[ICC\\(\\)\\]"),
        ([int], "not <class 'int'>"),
    ],
)
def test_what_is_no_estimand_is_refused(given, message):
    with pytest.raises(ArgumentError, match=message):
        _summary.as_estimands(given, FOUR, model=True)


def test_different_estimands_of_one_name_are_refused():
    close = [GPassAtK(4, 0.5), GPassAtK(4, 0.5 + 1e-9)]
    with pytest.raises(ArgumentError, match=r"both be called 'g-pass@4_0.5'; leave one out"):
        _summary.as_estimands(close, FOUR, model=True)


# The usual estimands


@pytest.mark.parametrize(
    ("numbers", "k"),
    [
        ([4, 4, 4], 4),
        ([1], 1),
        ([1, 2], 1),
        ([1, 2, 9], 2),
        ([4, 4, 8, 8], 4),
        ([3, 8, 8], 8),
        ([10**6], 10**6),
    ],
)
def test_the_usual_k_is_had_by_at_least_half_of_the_cells(numbers, k):
    counts = counts_of(numbers)
    assert _summary.usual_k(counts) == k
    assert type(_summary.usual_k(counts)) is int
    assert np.mean(counts.n >= k) >= 0.5


def test_usual_estimands():
    usual = _summary.as_estimands(None, FOUR, model=False)
    expected = ["success_rate", "pass@4", "pass^4", "gap@4", "persistence@1", "icc"]
    assert names(*usual) == expected
    with_model = _summary.as_estimands(None, FOUR, model=True)
    assert names(*with_model) == [*expected, "flicker_mass"]


def test_single_trials_have_no_usual_gap():
    single = _summary.default_estimands(counts_of([1, 1]), model=True)
    assert names(*single) == ["success_rate", "icc"]


# What data identify

POLYNOMIALS = [
    PassAtK(3),
    PassHatK(3),
    Gap(3),
    Persistence(2),
    GPassAtK(3, 0.5),
    MeanGPassAtK(3),
]
PAIRS = [Recovery(), Disagreement(), ICC(), Persistence(), PassHatK(2), Gap(2)]
SHARES = [Reach(), FlickerMass(), Dependable()]


@pytest.mark.parametrize("estimand", POLYNOMIALS, ids=repr)
def test_polynomials_up_to_the_number_of_trials_are_identified(estimand):
    assert _summary.identification(estimand, np.array([3, 3])) == "yes"
    assert _summary.identification(estimand, np.array([9, 4])) == "yes"
    assert _summary.identification(estimand, np.array([2, 2])) == "model"
    assert _summary.identification(estimand, np.array([1, 1])) == "no"


@pytest.mark.parametrize("estimand", PAIRS, ids=repr)
def test_two_trials_identify_what_compares_pairs(estimand):
    assert _summary.identification(estimand, np.array([2, 2])) == "yes"
    assert _summary.identification(estimand, np.array([1, 1])) == "no"


@pytest.mark.parametrize("estimand", SHARES, ids=repr)
def test_no_number_of_trials_identifies_a_share(estimand):
    assert _summary.identification(estimand, np.array([10**6, 10**6])) == "model"
    assert _summary.identification(estimand, np.array([1, 1])) == "no"


def test_one_trial_identifies_the_success_rate_only():
    for estimand in (SuccessRate(), PassAtK(1), PassHatK(1)):
        assert _summary.identification(estimand, np.array([1, 1])) == "yes"


def test_half_of_the_tasks_are_enough():
    assert _summary.identification(PassHatK(4), np.array([4, 4, 1, 1])) == "yes"
    assert _summary.identification(PassHatK(4), np.array([4, 3, 3])) == "model"
    assert _summary.identification(ICC(), np.array([1, 1, 1, 2])) == "model"


def test_no_task_identifies_nothing():
    assert _summary.identification(SuccessRate(), np.array([], dtype=int)) == "no"


def test_each_system_is_judged_by_its_own_trials():
    counts = counts_of([1, 1], [4, 4], [2, 2])
    assert _summary.identification_by_unit(PassHatK(4), counts, "population") == [
        "no",
        "yes",
        "model",
    ]
    assert _summary.identification_by_unit(SuccessRate(), counts, "population") == [
        "yes",
        "yes",
        "yes",
    ]


def test_a_warning_names_what_is_not_identified():
    with pytest.warns(
        IdentifiabilityWarning, match=r"^icc, pass\^2: not identified.*at least twice"
    ):
        _summary.warn_unidentified(["icc", "pass^2", "icc"])
    _summary.warn_unidentified([])


# The schema


def test_rows_are_stacked_estimand_by_estimand_and_never_rounded():
    fields = {
        "mean": np.array([1 / 3, 2 / 3]),
        "sd": np.array([0.1, 0.2]),
        "lower": np.array([0.0, 0.1]),
        "upper": np.array([0.9, 1.0]),
        "interval": "eti",
        "identified": ["yes", "no"],
    }
    chains = {**fields, "r_hat": np.array([1.0, 1.01]), "ess_bulk": np.array([400.0, 500.0])}
    frame = _summary.table([(ICC(), fields), (Gap(2), chains)], ["a, b", "<ß>"], "observed", 0.9)
    assert tuple(frame.columns) == _summary.COLUMNS
    assert frame["estimand"].tolist() == ["icc", "icc", "gap@2", "gap@2"]
    assert frame["system"].tolist() == ["a, b", "<ß>"] * 2
    assert frame["mean"].tolist() == [1 / 3, 2 / 3] * 2
    assert frame["identified"].tolist() == ["yes", "no"] * 2
    assert set(frame["over"]) == {"observed"}
    assert set(frame["prob"]) == {0.9}
    assert frame["ess_bulk"].isna().tolist() == [True, True, False, False]
    assert frame["r_hat"].tolist()[2:] == [1.0, 1.01]


def test_the_schema_is_the_contract():
    assert _summary.COLUMNS == (
        "estimand",
        "system",
        "over",
        "mean",
        "sd",
        "lower",
        "upper",
        "prob",
        "interval",
        "identified",
        "ess_bulk",
        "r_hat",
    )
