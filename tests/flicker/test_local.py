"""Groups in which a system is dependable, and successes that nothing led one to expect."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import special

import reliability_stats as rs
from reliability_stats.flicker._local import Hierarchy


def grouped(groups):
    rows = [
        {"task": f"{name} {i}", "success": outcome, "group": name}
        for name, tasks in groups.items()
        for i, task in enumerate(tasks)
        for outcome in task
    ]
    columns = {key: [row[key] for row in rows] for key in rows[0]}
    return rs.Trials.from_frame(columns, system=None, task="task", success="success", group="group")


def test_group_means_against_importance_sampling():
    group = np.array([0, 0, 1, 1, 1, 2])
    n, wins = np.array([4, 4, 3, 3, 3, 5]), np.array([4, 3, 0, 1, 0, 5])
    found = Hierarchy.of(group, n, wins, 3)
    rng, size = np.random.default_rng(0), 200_000
    m, s = 1.5 * rng.standard_normal(size), np.abs(rng.standard_normal(size))
    rho = rng.uniform(size=size)
    mu = special.expit(m[:, None] + s[:, None] * rng.standard_normal((size, 3)))
    total = (1 / rho - 1)[:, None]
    a, b = mu[:, group] * total, (1 - mu[:, group]) * total
    logs = (special.betaln(a + wins, b + n - wins) - special.betaln(a, b)).sum(axis=1)
    weight = np.exp(logs - logs.max())
    error = 4 * np.sqrt((weight**2).sum()) / weight.sum()
    mean = found.mass @ special.expit(found.nodes)
    assert mean == pytest.approx(np.average(mu, weights=weight, axis=0), abs=error)
    assert found.spread == pytest.approx(np.average(s, weights=weight), abs=2 * error)


def test_a_good_group_of_a_poor_system_is_found():
    good, poor = [[1] * 8] * 20, [[1, 0, 0, 1, 0, 0, 1, 0]] * 20
    fit = rs.local_fit(grouped({"billing": good, "travel": poor, "<b>law</b>": poor}))
    assert fit.systems["verdict"].tolist() == ["locally fitted"]
    assert fit.systems["groups"].tolist() == ["billing"]
    label = fit.groups.set_index("group")["dependable"].to_dict()
    assert label == {"billing": True, "travel": False, "<b>law</b>": False}
    assert "<b>" not in fit._repr_html_()
    assert fit.groups["n_trials"].tolist() == [160, 160, 160]


def test_few_trials_are_shrunk_and_not_labelled():
    poor = [[1, 0, 0, 1]] * 15
    fit = rs.local_fit(grouped({"lucky": [[1, 1, 1]], **{f"g{i}": poor for i in range(6)}}))
    row = fit.groups.set_index("group").loc["lucky"]
    assert row["mean"] < 0.8
    assert not row["dependable"]
    assert fit.systems["verdict"].iloc[0] == "no group shown"


def test_labels_are_wrong_as_seldom_as_stated():
    rng, wrong, labels = np.random.default_rng(1), 0, 0
    for _ in range(12):
        truth = special.expit(1.5 + 1.2 * rng.standard_normal(8))
        code = np.repeat(np.arange(8), 15)
        wins = rng.binomial(6, truth[code])
        trials = rs.Trials.from_counts(
            {"task": np.arange(120), "n": np.full(120, 6), "successes": wins}, system=None
        )
        found = rs.local_fit(trials, by={str(i): str(code[i]) for i in range(120)}, dependable=0.8)
        good = found.groups["dependable"].to_numpy()
        wrong, labels = wrong + int((truth[good] < 0.8).sum()), labels + int(good.sum())
    assert labels > 20
    assert wrong / labels < 0.15


def test_local_fit_refuses():
    trials = rs.Trials.from_array([[1, 0], [1, 1]])
    with pytest.raises(rs.TrialDataError, match="no group column"):
        rs.local_fit(trials)
    with pytest.raises(rs.ArgumentError, match="no group of task '1'"):
        rs.local_fit(trials, by={"0": "a"})
    with pytest.raises(rs.ArgumentError, match="Crossed"):
        rs.local_fit(rs.fit(trials), by="family")
    with pytest.raises(rs.ArgumentError, match="mapping"):
        rs.local_fit(trials, by=3)
    with pytest.raises(rs.ArgumentError, match="needs Trials"):
        rs.local_fit([1])


def test_singular_successes():
    never = [[0, 0, 0, 0]]
    one = never * 14 + [[1, 1, 0, 1], [1, 0, 0, 0]]
    two = never * 15 + [[1, 1, 1, 1]]
    post = rs.fit(rs.Trials.from_array([one, two, never * 16], systems=["a", "b", "c"]))
    found = rs.singular(post)
    assert found[["system", "task"]].to_numpy().tolist() == [["a", "14"]]
    row = found.iloc[0]
    assert row["n_others"] == 2
    assert row["others"] < 0.1
    assert row["p_real"] > 0.9
    chance = post.summary(rs.GPassAtK(4, 0.75)).set_index("system").loc["a", "mean"]
    assert row["surprise"] == pytest.approx(-np.log2(chance))
    tasks = post.tasks(low=0.1, high=1.0)
    mine = tasks[(tasks["system"] == "a") & (tasks["task"] == "14")].iloc[0]
    assert row["mean"] == mine["mean"]


def test_singular_alone_and_empty():
    alone = rs.fit(rs.Trials.from_array([[0] * 5] * 9 + [[0, 1, 0, 0, 0]]))
    found = rs.singular(alone)
    assert found["n_others"].tolist() == [0]
    assert np.isnan(found["others"].iloc[0])
    assert found["best_other"].tolist() == [""]
    good = rs.fit(rs.Trials.from_array([[1, 1]] * 5))
    assert rs.singular(good).empty
    assert "surprise" in rs.singular(good)
    with pytest.raises(rs.ArgumentError, match="Posterior"):
        rs.singular(3)
