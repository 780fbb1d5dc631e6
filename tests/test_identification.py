"""Identified sets: reference values, sharpness, coverage of the band, edges."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import linprog

import reliability_stats as rs
from reliability_stats._summary import COLUMNS

POWERS = [rs.PassHatK(2), rs.PassHatK(4), rs.PassHatK(8)]


def histogram(counts):
    n = len(counts) - 1
    successes = np.repeat(np.arange(n + 1), counts)
    table = {"task": np.arange(len(successes)), "n": np.full(len(successes), n)}
    return rs.Trials.from_counts({**table, "successes": successes}, system=None)


def only(trials, estimand, **options):
    return rs.identified_set(trials, estimand, **options).iloc[0]


@pytest.mark.parametrize(
    ("estimand", "low", "high"),
    [
        (rs.FlickerMass(), 0.588, 0.679),
        (rs.Dependable(), 0.175, 0.198),
        (rs.PassHatK(8), 0.184, 0.188),
        (rs.PassHatK(4), 0.200, 0.200),
    ],
    ids=lambda x: getattr(x, "name", x),
)
def test_reference(airline, estimand, low, high):
    """Sets of gpt-4o on tau-bench airline that were computed by others on 2001 nodes."""
    row = only(airline, estimand)
    assert row[["set_lower", "set_upper"]].tolist() == pytest.approx([low, high], abs=6e-4)


@pytest.mark.parametrize("estimand", [rs.FlickerMass(), rs.PassHatK(9), rs.Reach(0.3)], ids=str)
def test_sharp_against_the_primal_program(estimand):
    """The ends are those of a linear program over p that was written down anew."""
    counts = np.array([20, 15, 14, 13, 38])
    grid = np.unique([*np.linspace(0, 1, 2001), 0.1, 0.3, 0.9])
    choose = np.array([1, 4, 6, 4, 1])[:, None]
    c = np.arange(5)[:, None]
    rows = choose * grid**c * (1 - grid) ** (4 - c)
    kernel = estimand.kernel(grid)
    ends = [sign * linprog(sign * kernel, A_eq=rows, b_eq=counts / 100).fun for sign in (1.0, -1.0)]
    row = only(histogram(counts), estimand)
    assert row[["set_lower", "set_upper"]].tolist() == pytest.approx(ends, abs=2e-3)
    assert row["set_lower"] <= ends[0] + 1e-6
    assert row["set_upper"] >= ends[1] - 1e-6


def test_schema_and_identification():
    out = rs.identified_set(histogram([5, 3, 2, 4, 9]), [*POWERS, rs.ICC(), rs.FlickerMass()])
    assert out.columns[: len(COLUMNS)].tolist() == list(COLUMNS)
    assert out["identified"].tolist() == ["yes", "yes", "bounds", "yes", "bounds"]
    assert out["mean"].isna().tolist() == [False, False, True, False, True]
    assert (out["lower"] <= out["set_lower"]).all()
    assert (out["upper"] >= out["set_upper"]).all()
    assert out["over"].eq("population").all()


def test_what_is_identified_agrees_with_the_estimate():
    trials = histogram([5, 3, 2, 4, 9])
    out = rs.identified_set(trials, [*POWERS[:2], rs.Persistence(1)])
    plain = rs.estimate(trials, [*POWERS[:2], rs.Persistence(1)])
    assert out["mean"].to_numpy() == pytest.approx(plain["mean"].to_numpy(), abs=1e-9)
    assert out["sd"].to_numpy() == pytest.approx(plain["sd"].to_numpy(), rel=0.15)


def test_one_trial_a_task_gives_the_bounds_of_a_mean():
    out = rs.identified_set(
        histogram([21, 29]), [rs.SuccessRate(), rs.PassHatK(4), rs.Persistence(), rs.ICC()]
    ).set_index("estimand")
    assert out.loc["success_rate", "mean"] == pytest.approx(0.58)
    ends = ["set_lower", "set_upper"]
    assert out.loc["pass^4", ends].tolist() == pytest.approx([0.58**4, 0.58], abs=1e-4)
    assert out.loc["persistence@1", ends].tolist() == pytest.approx([0.58, 1], abs=1e-3)
    assert out.loc["icc", ends].tolist() == pytest.approx([0, 1], abs=1e-3)
    assert out["identified"].tolist() == ["yes", "bounds", "bounds", "bounds"]


def test_all_alike_is_no_certainty():
    fails, passes = (rs.identified_set(histogram(h), POWERS) for h in ([12, 0, 0], [0, 0, 12]))
    assert fails["set_upper"].tolist() == [0, 0, 0]
    assert passes["set_lower"].tolist() == pytest.approx([1, 1, 1], abs=1e-7)
    assert fails["upper"].iloc[0] == pytest.approx(1 - 0.025 ** (1 / 12), abs=0.01)
    assert passes["lower"].iloc[0] == pytest.approx(0.025 ** (1 / 12), abs=0.01)
    assert (passes["lower"].diff().dropna() <= 1e-12).all()
    assert passes["lower"].iloc[2] < passes["lower"].iloc[1] - 0.05
    row = only(histogram([12, 0, 0]), rs.Persistence(1))
    assert (row["identified"], row["lower"], row["upper"]) == ("no", 0, 1)
    assert "0/0" in row["note"]


def test_says_when_the_set_is_a_point_for_want_of_data():
    row = only(histogram([3, 10, 2, 3, 7]), rs.FlickerMass())
    assert row["set_upper"] - row["set_lower"] < 1e-6
    assert "no mixture of binomials" in row["note"]
    assert row["upper"] - row["lower"] > 0.3
    assert only(histogram([3, 10, 2, 3, 7]), rs.PassHatK(2))["note"] == ""


def test_unequal_trials_are_counted_and_named():
    table = {"task": range(6), "n": [4, 4, 4, 1, 9, 9], "successes": [0, 2, 4, 1, 9, 3]}
    row = only(rs.Trials.from_counts(table, system=None), rs.PassHatK(2))
    assert (row["n_tasks"], row["n_trials"]) == (5, 4)
    assert "1 task with fewer than 4 trials left out" in row["note"]
    assert "random subsets of 4" in row["note"]


def test_many_systems_keep_their_own_rows():
    both = rs.Trials.from_array(
        np.array([[[1, 0], [1, 1], [0, 0]], [[0, 0], [0, 0], [0, 1]]]), systems=["a", "b"]
    )
    out = rs.identified_set(both, rs.PassHatK(2))
    assert out["system"].tolist() == ["a", "b"]
    assert out["mean"].tolist() == pytest.approx([1 / 3, 0])


def test_is_deterministic_by_seed(airline):
    one, same, other = (
        rs.identified_set(airline, rs.FlickerMass(), rng=seed) for seed in (1, 1, 2)
    )
    assert one.equals(same)
    assert not one["upper"].equals(other["upper"])


def test_band_covers_a_distribution_at_the_end_of_its_set():
    """Three-point truth, 40 replications of 40 tasks: the band holds the truth nearly always."""
    rng = np.random.default_rng(5)
    p = rng.choice([0.0, 0.5, 1.0], p=[0.4, 0.3, 0.3], size=(40, 40))
    outcomes = rng.random((40, 40, 4)) < p[..., None]
    names = [f"r{i:02d}" for i in range(40)]
    out = rs.identified_set(rs.Trials.from_array(outcomes, systems=names), rs.FlickerMass())
    assert ((out["lower"] <= 0.3) & (out["upper"] >= 0.3)).mean() >= 0.95


def test_wrong_arguments():
    with pytest.raises(rs.ArgumentError, match="needs Trials, not list"):
        rs.identified_set([[1, 0]])
    with pytest.raises(rs.ArgumentError, match="prob"):
        rs.identified_set(histogram([1, 1]), prob=1)
    with pytest.raises(rs.ArgumentError, match="estimands"):
        rs.identified_set(histogram([1, 1]), "pass^4")
    rows = {"system": ["a"] * 4, "task": [1, 1, 2, 2], "success": [1, None, 0, 1]}
    trials = rs.Trials.from_frame(rows, missing="bounds")
    with pytest.raises(rs.TrialDataError, match=r"complete\('failure'\)"):
        rs.identified_set(trials)
