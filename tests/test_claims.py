"""Claims travel: they are checked on data and compared only where that is fair."""

from __future__ import annotations

import json
from dataclasses import replace

import pandas as pd
import pytest
from scipy import stats

import reliability_stats as rs


@pytest.fixture(scope="module")
def airline():
    return rs.datasets.load("tau-bench-airline-gpt4o")


@pytest.fixture(scope="module")
def made(airline):
    return rs.claim(rs.fit(airline), rs.PassHatK(4))


ESTIMANDS = [
    rs.SuccessRate(),
    rs.PassAtK(3),
    rs.PassHatK(2),
    rs.Gap(4),
    rs.Persistence(2),
    rs.Recovery(),
    rs.Disagreement(),
    rs.ICC(),
    rs.GPassAtK(4, 0.5),
    rs.MeanGPassAtK(4),
    rs.Reach(0.05),
    rs.FlickerMass(0.2, 0.8),
    rs.Dependable(0.95),
]


@pytest.mark.parametrize("estimand", ESTIMANDS, ids=lambda e: e.name)
def test_every_estimand_travels(airline, estimand):
    made = rs.claim(rs.fit(airline), estimand)
    back = rs.Claim.from_json(made.to_json())
    assert back == made
    assert back.build_estimand() == estimand
    assert back.check(airline)


def test_numbers_are_those_of_the_summary(airline, made):
    row = rs.fit(airline).summary(rs.PassHatK(4)).iloc[0]
    assert (made.value, made.lower, made.upper) == (row["mean"], row["lower"], row["upper"])
    assert (made.n_tasks, made.n_trials, made.trials_per_task) == (50, 200, [4, 4])
    assert made.identified == "yes"


def test_sentence_says_what_was_not_observed(made):
    for words in ("pass^4 is 0.18", "tasks like the 50 tried", "Not observed", "drift", "4 a task"):
        assert words in made.sentence


def test_design_based_claims(airline):
    made = rs.claim(airline, rs.PassHatK(4))
    assert made.method == "design-based"
    assert made.model is None
    assert made.check(airline).holds
    with pytest.warns(rs.IdentifiabilityWarning, match="No interval"):
        beyond = rs.claim(airline, rs.PassHatK(4), over="observed")
    assert beyond.lower is None
    assert "interval" not in beyond.sentence.split("Not observed")[0]


@pytest.mark.filterwarnings("ignore::reliability_stats.exceptions.IdentifiabilityWarning")
def test_without_an_estimate(airline):
    made = rs.claim(airline, rs.PassHatK(9))
    assert made.value is None
    assert "not estimable" in made.sentence
    assert rs.Claim.from_json(made.to_json()).check(airline)


def test_other_data_are_found_out(airline, made):
    frame = airline.counts.to_frame()
    frame.loc[0, "successes"] = 4
    check = made.check(rs.Trials.from_counts(frame))
    assert not check
    assert not check.same_data
    assert "value" in check.differences
    assert "does not hold" in repr(check)


def test_other_numbers_are_found_out(airline, made):
    check = replace(made, value=0.5).check(airline)
    assert check.same_data
    assert list(check.differences) == ["value"]


def test_row_order_does_not_matter(airline, made):
    shuffled = airline.counts.to_frame().sample(frac=1, random_state=0)
    assert made.check(rs.Trials.from_counts(shuffled)).holds


def two_systems():
    return rs.Trials.from_counts(
        pd.DataFrame(
            {
                "system": ["a", "a", "b", "b"],
                "task": [1, 2, 1, 2],
                "condition": ["x"] * 4,
                "n": [4] * 4,
                "successes": [1, 2, 3, 4],
            }
        ),
        condition="condition",
    )


def test_one_of_several_systems():
    post = rs.fit(two_systems())
    with pytest.raises(rs.ArgumentError, match="There are 2 systems; name one with system="):
        rs.claim(post, rs.PassHatK(2))
    made = rs.claim(post, rs.PassHatK(2), system="b")
    assert made.condition == "x"
    assert "b under x" in made.sentence
    assert made.n_trials == 8
    assert made.check(two_systems()).holds
    assert made.check(two_systems().select(systems="b")).holds
    assert not any("perturbed" in text for text in made.not_observed)
    with pytest.raises(rs.TrialDataError, match="There is no system 'c'"):
        rs.claim(post, rs.PassHatK(2), system="c")


def test_claims_are_compared_on_matching_conditions():
    post = rs.fit(two_systems())
    first, second = (rs.claim(post, rs.PassHatK(2), system=name) for name in "ab")
    table = first.compare(second)
    assert list(table["system"]) == ["a", "b"]
    with pytest.raises(rs.ArgumentError, match=r"differ in estimand .*pass\^3"):
        first.compare(rs.claim(post, rs.PassHatK(3), system="b"))
    with pytest.raises(rs.ArgumentError, match="differ in over"):
        first.compare(rs.claim(post, rs.PassHatK(2), system="b", over="observed"))


def test_priors_that_are_code_must_be_given_again(airline):
    model = rs.BetaBinomial(icc_prior=stats.beta(2, 2))
    made = rs.claim(rs.fit(airline, model), rs.ICC())
    with pytest.raises(rs.ArgumentError, match="a prior is code"):
        made.check(airline)
    assert made.check(airline, model=model).holds


def test_priors_that_are_data_travel(airline):
    made = rs.claim(rs.fit(airline, rs.BetaBinomial(icc_prior=rs.Beta(2, 2))), rs.ICC())
    assert rs.Claim.from_json(made.to_json()).check(airline).holds


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"value": "0.18"}, "'value' is '0.18'; it must be of type number or null"),
        ({"prob": 1.0}, "'prob' is 1.0, which is out of range"),
        ({"over": "all"}, "'over' is 'all'; it must be one of 'population', 'observed'"),
        ({"n_tasks": -1}, "'n_tasks' is -1, which is out of range"),
        ({"n_tasks": True}, "'n_tasks' is True; it must be of type integer"),
        ({"trials_per_task": [4]}, "must have 2 entries"),
        ({"fingerprint": "abc"}, "must match"),
        ({"schema": "other"}, "'schema' is 'other'"),
        ({"extra": 1}, "unknown field 'extra'"),
        ({"definition": {"class": "PassHatK"}}, "must have 'parameters'"),
    ],
)
def test_broken_records_are_refused(made, change, message):
    record = {**made.to_dict(), **change}
    with pytest.raises(rs.ArgumentError, match=message):
        rs.Claim.from_json(json.dumps(record))


@pytest.mark.parametrize("text", ["", "[]", "{", '"x"', "[" * 100_000])
def test_what_is_no_record_is_refused(text):
    with pytest.raises(rs.ArgumentError, match="claim"):
        rs.Claim.from_json(text)


def test_missing_fields_are_named(made):
    record = made.to_dict()
    del record["over"]
    with pytest.raises(rs.ArgumentError, match="no field 'over'"):
        rs.Claim.from_json(json.dumps(record))


@pytest.mark.parametrize(
    "definition",
    [
        {"class": "ArgumentError", "parameters": {}},
        {"class": "PassHatK", "parameters": {"n": 4}},
        {"class": "PassHatK", "parameters": {"k": -1}},
        {"class": "TaskMean", "parameters": {}},
    ],
)
def test_only_the_packages_estimands_are_made(made, definition):
    with pytest.raises(rs.ArgumentError):
        replace(made, definition=definition).build_estimand()


def test_schema_names_every_field(made):
    schema = rs.Claim.schema()
    assert set(schema["required"]) == set(made.to_dict())
    schema["required"].clear()
    assert rs.Claim.schema()["required"]


def test_names_are_escaped(airline):
    frame = airline.counts.to_frame().assign(system="<b>x</b>")
    made = rs.claim(rs.Trials.from_counts(frame), rs.PassHatK(2))
    assert "<b>" not in made._repr_html_()
    assert rs.Claim.from_json(made.to_json()).system == "<b>x</b>"
