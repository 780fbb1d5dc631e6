"""Escalations: quality of escalation, and hazards over sessions."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

import reliability_stats as rs
from reliability_stats.exceptions import ArgumentError, TrialDataError
from reliability_stats.instruments import Escalation, SessionHazard


def counted(silent, quiet_good, caught, burden):
    """Make a table of runs from the four counts."""
    n = silent + quiet_good, caught + burden
    escalated = [0] * n[0] + [1] * n[1]
    failed = [1] * silent + [0] * quiet_good + [1] * caught + [0] * burden
    return {"escalated": escalated, "failed": failed}


def test_every_quantity_has_its_beta_law():
    post = Escalation().fit(counted(3, 87, 8, 2), system=None, draws=25_000)
    table = post.summary().set_index("estimand")
    laws = {
        "escalation_rate": (11, 91),
        "failure_if_not_escalated": (3.5, 87.5),
        "silent_failure": (3.5, 98.5),
        "escalation_if_failed": (8.5, 3.5),
        "escalation_if_good": (2.5, 87.5),
        "failure_rate": (12, 90),
    }
    assert table.index.tolist() == list(laws)
    for name, (a, b) in laws.items():
        law, found = stats.beta(a, b), table.loc[name]
        assert found["mean"] == pytest.approx(law.mean(), abs=3e-3)
        assert found["sd"] == pytest.approx(law.std(), rel=0.03)
        ends = found[["lower", "upper"]].astype(float)
        np.testing.assert_allclose(ends, law.ppf([0.025, 0.975]), atol=0.01)


def test_audited_samples_are_weighted_by_what_they_stand_for():
    data = counted(5, 95, 10, 10)
    whole = Escalation().fit(data, system=None).summary()["mean"]
    some = {name: [*values, *[None] * 400] for name, values in data.items()}
    some["escalated"][120:] = [0] * 400
    post = Escalation(unaudited="drop").fit(some, system=None)
    table = post.summary().set_index("estimand")["mean"]
    assert post.unknown.tolist() == [[400, 0]]
    assert table["failure_if_not_escalated"] == pytest.approx(whole[1], abs=2e-3)
    assert table["silent_failure"] == pytest.approx(500 / 520 * 5.5 / 101, abs=5e-3)
    assert "400 of them not audited" in repr(post)
    with pytest.raises(TrialDataError, match="no failed in row 120"):
        Escalation().fit(some, system=None)


def test_one_run_and_bad_flags():
    row = Escalation().fit({"escalated": [0], "failed": [0]}, system=None).summary().iloc[1]
    assert row["mean"] == pytest.approx(0.25, abs=0.01)
    with pytest.raises(TrialDataError, match=r"row 1 .* True or False"):
        Escalation().fit({"escalated": [0, 2], "failed": [0, 0]}, system=None)
    with pytest.raises(ArgumentError, match="unaudited must be one of"):
        Escalation(unaudited="failure")


def sessions(n, hazard, finish, cut, rng):
    """Simulate sessions with constant hazards, cut off after some turns."""
    turns, end = [], []
    for _ in range(n):
        for turn in range(1, cut + 1):
            if rng.random() < hazard:
                word = "escalated"
            elif rng.random() < finish:
                word = "finished"
            elif turn == cut:
                word = "cut off"
            else:
                continue
            turns.append(turn)
            end.append(word)
            break
    return {"turns": turns, "end": end}


def test_hazards_are_those_of_the_beta_binomial():
    data = sessions(80, 0.1, 0.2, 6, np.random.default_rng(1))
    found = SessionHazard().fit(data, system=None, draws=10_000).hazards()
    counts = {"task": found["turn"], "n": found["at_risk"], "successes": found["escalated"]}
    tasks = rs.fit(rs.Trials.from_counts(counts, system=None)).tasks()
    np.testing.assert_allclose(found["mean"], tasks["mean"], atol=3e-3)
    assert found["at_risk"][0] == 80
    gone = found[["escalated", "finished", "cut_off"]].sum(axis=1)
    assert (found["at_risk"].diff()[1:].to_numpy() == -gone[:-1].to_numpy()).all()


def test_incidence_agrees_with_aalen_and_johansen_in_large_samples():
    data = sessions(20_000, 0.05, 0.2, 8, np.random.default_rng(2))
    found = SessionHazard().fit(data, system=None).hazards()
    left, incidence = 1.0, 0.0
    for _, row in found.iterrows():
        incidence += left * row["escalated"] / row["at_risk"]
        rest = row["at_risk"] - row["escalated"]
        left *= (1 - row["escalated"] / row["at_risk"]) * (1 - row["finished"] / max(rest, 1))
        assert row["incidence"] == pytest.approx(incidence, abs=2e-3)


def test_without_finishing_it_is_one_minus_kaplan_meier():
    from statsmodels.duration.survfunc import SurvfuncRight

    data = sessions(5_000, 0.08, 0.0, 10, np.random.default_rng(3))
    found = SessionHazard().fit(data, system=None).hazards()
    events = np.array(data["end"]) == "escalated"
    km = SurvfuncRight(np.array(data["turns"]), events)
    np.testing.assert_allclose(found["incidence"][: len(km.surv_prob)], 1 - km.surv_prob, atol=4e-3)


def test_summary_turns_and_what_is_beyond_a_system():
    table = {
        "system": ["a", "a", "b"],
        "turns": [2, 4, 2],
        "end": ["escalated", "finished", "cut off"],
    }
    post = SessionHazard(within=[2, 4]).fit(table)
    rows = post.summary().set_index(["estimand", "system"])["identified"]
    assert rows["escalated_within_4", "a"] == "yes"
    assert rows["escalated_within_4", "b"] == "model"
    assert len(post.hazards()) == 6
    with pytest.raises(TrialDataError, match="the longest has 4"):
        SessionHazard(within=5).fit(table).summary()
    with pytest.raises(TrialDataError, match=r"row 1 .*whole number of at least 1"):
        SessionHazard().fit({"turns": [1, 0], "end": ["finished"] * 2}, system=None)
    with pytest.raises(TrialDataError, match="at most 1000"):
        SessionHazard().fit({"turns": [1001], "end": ["finished"]}, system=None)
    with pytest.raises(ArgumentError, match="within"):
        SessionHazard(within=0)
