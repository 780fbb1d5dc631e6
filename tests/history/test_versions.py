"""Regressions against hand counts, a sum over draws from the prior, other tests, and edges."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy import special, stats

import reliability_stats as rs
from reliability_stats import ArgumentError, TrialDataError, Trials
from reliability_stats.exceptions import ExclusionWarning
from reliability_stats.history._flips import design_tests, flips
from reliability_stats.history._paired_law import Pairs, pair_law


def pairs(*rows):
    return Pairs.of(*np.array(rows).T)


def table(old, new, n0, n1=None, **columns):
    size = len(old)
    n = [n0] * size + [n0 if n1 is None else n1] * size
    data = {"task": list(range(size)) * 2, "v": ["a"] * size + ["b"] * size}
    data |= {"n": n, "successes": [*old, *new], **columns}
    return Trials.from_counts(data, system=None, condition="v")


def test_flips_by_enumeration():
    n0, y0, n1, y1 = 3, 2, 2, 1
    found = flips(pairs((n0, y0, n1, y1)))
    outcomes = [1] * (y0 + y1) + [0] * (n0 + n1 - y0 - y1)
    orders = np.array(list(itertools.permutations(outcomes)))
    old, new = orders[:, :n0], orders[:, n0:]
    assert found["to_fail"] == pytest.approx(2 / 3 * 1 / 2)
    assert found["to_pass"] == pytest.approx(1 / 3 * 1 / 2)
    assert found["to_fail_if_unchanged"] == pytest.approx((old[:, 0] > new[:, 0]).mean())
    assert found["to_pass_if_unchanged"] == pytest.approx((old[:, 0] < new[:, 0]).mean())
    broke, fixed = old.all(axis=1) & ~new.all(axis=1), ~old.all(axis=1) & new.all(axis=1)
    assert found["broke_if_unchanged"] == pytest.approx(broke.mean())
    assert found["fixed_if_unchanged"] == pytest.approx(fixed.mean())
    assert (found["broke"], found["fixed"]) == (0, 0)


def test_law_agrees_with_draws_from_the_prior():
    """Draw hyperparameters, and for each of them tasks; weigh by the likelihood of each task."""
    rng, size, inner = np.random.default_rng(1), 4000, 250
    rows = ((6, 6, 6, 1), (4, 2, 5, 2), (3, 0, 3, 3))
    mean, icc, w = rng.random((3, size, 1))
    m, s = rng.normal(size=(size, 1)), 0.5 * np.abs(rng.normal(size=(size, 1)))
    total = 1 / icc - 1
    likely, parts = np.ones(size), []
    for n0, y0, n1, y1 in rows:
        draws = rng.beta(mean * total, (1 - mean) * total, (2, size, inner))
        theta, other = special.logit(np.clip(draws, 1e-300, 1 - 1e-16))
        delta = rng.normal(m, s, (size, inner))
        anew = rng.random((size, inner)) < w
        p0 = special.expit(np.where(anew, theta - m / 2, theta - delta / 2))
        p1 = special.expit(np.where(anew, other + m / 2, theta + delta / 2))
        weight = p0**y0 * (1 - p0) ** (n0 - y0) * p1**y1 * (1 - p1) ** (n1 - y1)
        likely *= weight.mean(axis=1)
        parts.append((p1 - p0, weight / np.maximum(weight.mean(axis=1, keepdims=True), 1e-300)))
    likely /= likely.sum()
    law = pair_law(pairs(*rows), 0.1)
    for d, (change, weight) in zip(pairs(*rows).row, parts, strict=True):
        for value, function in ((law.worse, change < -0.1), (law.better, change > 0.1)):
            assert value[d] == pytest.approx(likely @ (weight * function).mean(axis=1), abs=0.02)
        assert law.mean[d] == pytest.approx(likely @ (weight * change).mean(axis=1), abs=0.02)
    assert law.shift[0] == pytest.approx(float(likely @ m[:, 0]), abs=0.05)
    assert law.redrawn[0] == pytest.approx(float(likely @ w[:, 0]), abs=0.03)


def test_many_trials_agree_with_two_beta_posteriors():
    law = pair_law(pairs((1000, 840, 1000, 511)), 0.1)
    nodes = np.linspace(-1, 1, law.change.shape[1])
    assert law.mean[0] == pytest.approx(512 / 1002 - 841 / 1002, abs=2e-3)
    sd = np.sqrt(law.change[0] @ (nodes - law.mean[0]) ** 2)
    assert sd == pytest.approx(np.sqrt(0.84 * 0.16 / 1000 + 0.25 / 1000), rel=0.03)
    assert law.worse[0] == pytest.approx(1)


def test_exchanging_versions_exchanges_worse_and_better():
    old, new = [6, 6, 5, 3, 0, 2, 6], [0, 6, 6, 2, 0, 6, 5]
    one = rs.regressions(table(old, new, 6), version="v", baseline="a")
    two = rs.regressions(table(old, new, 6), version="v", baseline="b")
    assert one.tasks["p_worse"].to_numpy() == pytest.approx(two.tasks["p_better"], abs=1e-6)
    assert one.tasks["change"].to_numpy() == pytest.approx(-two.tasks["change"], abs=1e-6)
    assert one.tasks["lower"].to_numpy() == pytest.approx(-two.tasks["upper"], abs=2e-3)
    assert one.versions["broke"][0] == two.versions["fixed"][0]


def test_flicker_is_no_regression_and_breakage_is():
    rng = np.random.default_rng(2)
    p = rng.beta(1.5, 1.5, 60)
    old, new = rng.binomial(6, p), rng.binomial(6, p)
    still = rs.regressions(table(old, new, 6), version="v", baseline="a")
    assert not still.tasks["state"].isin(["regressed", "improved"]).any()
    row = still.versions.iloc[0]
    assert row["to_fail"] > 8
    assert row["to_fail"] == pytest.approx(row["to_fail_if_unchanged"], rel=0.2)
    p = rng.beta(6, 0.5, 60)
    q = np.where(np.arange(60) < 6, 0.0, p)
    old, new = rng.binomial(6, p), rng.binomial(6, q)
    lost = rs.regressions(table(old, new, 6), version="v", baseline="a")
    assert (lost.tasks["state"][:6] == "regressed").sum() >= 5
    assert (lost.tasks["state"][6:] == "regressed").sum() <= 1
    assert lost.versions["p_unchanged"][0] < 1e-4


def test_design_tests_are_the_classical_ones():
    single = pairs(*[(1, 1, 1, 0)] * 7, *[(1, 0, 1, 1)] * 2, *[(1, 1, 1, 1)] * 5)
    found = design_tests(single, np.random.default_rng(0))
    exact = stats.binomtest(2, 9, 0.5).pvalue
    assert found["test"] == "McNemar"
    assert found["p_unchanged"] == pytest.approx(exact)
    assert found["p_mean"] == pytest.approx(exact)
    several = pairs((4, 4, 5, 1), (3, 2, 3, 1), (2, 2, 2, 2))
    n0, y0, n1, y1 = np.array([(4, 4, 5, 1), (3, 2, 3, 1)]).T
    n, c = n0 + n1, y0 + y1
    z = (y1 - n1 * c / n).sum() ** 2 / (n0 * n1 * c * (n - c) / n**2 / (n - 1)).sum()
    assert design_tests(several, np.random.default_rng(0))["p_unchanged"] == pytest.approx(
        stats.chi2(1).sf(z)
    )


def test_one_trial_each_labels_nothing():
    old, new = [1] * 40 + [0] * 5, [1] * 10 + [0] * 30 + [0] * 5
    found = rs.regressions(table(old, new, 1), version="v", baseline="a")
    assert set(found.tasks["state"]) == {"undetermined"}
    assert found.versions["identified"][0] == "no"
    assert found.versions["p_unchanged"][0] < 1e-6
    assert "told from flicker" in repr(found)


def test_versions_may_be_systems_or_periods():
    rows = {"task": [0, 1] * 2, "system": ["old"] * 2 + ["new, <b>"] * 2}
    rows |= {"n": [9] * 4, "successes": [9, 5, 0, 5]}
    trials = Trials.from_counts(rows)
    found = rs.regressions(trials, version="system", baseline="old")
    assert found.versions[["system", "version"]].iloc[0].tolist() == ["all", "new, <b>"]
    assert "&lt;b&gt;" in found._repr_html_()
    rows = {"task": [0] * 8, "date": [1] * 4 + [2] * 4, "success": [1] * 4 + [0] * 4}
    trials = Trials.from_frame(rows, system=None, time="date")
    assert rs.regressions(trials, version="date", baseline="1").tasks["p_worse"][0] > 0.5


def test_tasks_of_one_version_are_named():
    rows = {"task": ["x", "y", "x"], "v": ["a", "a", "b"], "n": [4] * 3, "successes": [4, 4, 0]}
    trials = Trials.from_counts(rows, system=None, condition="v")
    with pytest.warns(ExclusionWarning, match="the first is 'y'"):
        found = rs.regressions(trials, version="v", baseline="a")
    assert found.versions["n_not_compared"][0] == 1
    assert found.tasks["task"].tolist() == ["x"]


@pytest.mark.parametrize("wins", [0, 5])
def test_all_alike(wins):
    found = rs.regressions(table([wins] * 20, [wins] * 20, 5), version="v", baseline="a")
    assert set(found.tasks["state"]) == {"unchanged"}
    assert np.isnan(found.versions["p_unchanged"][0])
    assert found.versions["p_mean"][0] == 1


def test_wrong_arguments_are_named():
    trials = table([1, 2], [2, 1], 3)
    with pytest.raises(ArgumentError, match="no version 'c'"):
        rs.regressions(trials, version="v", baseline="c")
    with pytest.raises(ArgumentError, match="margin must be"):
        rs.regressions(trials, version="v", baseline="a", margin=1)
    with pytest.raises(ArgumentError, match="no conditions"):
        rs.regressions(trials, version="system", baseline="a")
    with pytest.raises(ArgumentError, match="must be Trials"):
        rs.regressions([1], version="v", baseline="a")
    rows = {"task": ["x", "y"], "v": ["a", "b"], "n": [4] * 2, "successes": [4] * 2}
    apart = Trials.from_counts(rows, system=None, condition="v")
    with pytest.raises(TrialDataError, match="No task was run with both"):
        rs.regressions(apart, version="v", baseline="a")
