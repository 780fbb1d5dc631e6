"""Predictive checks: oracles, a brute-force replication, calibration of mid-p, and edges."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

import reliability_stats as rs
from reliability_stats.criticism.predictive import predictive_check
from reliability_stats.inference.checks import Replicas
from reliability_stats.inference.lattice_checks import beta_binomial_pmf


@pytest.fixture(scope="module")
def tau():
    return rs.fit(rs.datasets.load("tau-bench-airline-gpt4o"))


def test_equals_the_figures_of_an_independent_replication(tau):
    check = tau.ppc(datasets=20_000)
    np.testing.assert_allclose(check.histogram["mid_p"], [0.57, 0.23, 0.28, 0.93, 0.36], atol=0.012)
    table = check.table.set_index("statistic")
    assert table.loc["share of mixed tasks", "mid_p"] == pytest.approx(0.51, abs=0.012)
    assert table["observed"].tolist() == pytest.approx([0.42, 14, 10, 0.52, 0.136327], abs=1e-6)
    assert check.histogram["observed"].tolist() == [14, 12, 10, 4, 10]
    assert not check.table["misfit"].any()
    assert check.verdict.startswith("No misfit found")


def exact_mid_p(post, observed, n):
    """Mid-p of each class by mixing binomial tails over draws of the parameters."""
    draws = post.to_arviz(draws=5000, chains=4, cells=False)["posterior"]
    mean, icc = (draws[name].to_numpy().ravel() for name in ("mean", "icc"))
    total = 1 / icc - 1
    share = stats.betabinom.pmf(np.arange(n + 1)[:, None], n, mean * total, (1 - mean) * total)
    law = stats.binom(observed.sum(), share)
    return (law.sf(observed[:, None]) + law.pmf(observed[:, None]) / 2).mean(axis=1)


def test_equals_exact_binomial_tails(tau):
    expected = exact_mid_p(tau, np.array([14, 12, 10, 4, 10]), 4)
    np.testing.assert_allclose(tau.ppc(datasets=20_000).histogram["mid_p"], expected, atol=0.012)


def test_one_common_rate_is_found_out(tau):
    post = rs.fit(tau.trials, rs.BetaBinomial.one_rate())
    check = post.ppc(datasets=2000)
    bad = check.table.set_index("statistic")["misfit"]
    assert bad["tasks always successful"]
    assert bad["share of mixed tasks"]
    assert bad["variance between tasks"]
    assert not bad["success rate"]
    assert check.verdict.startswith("Possible misfit: 4 of 5 statistics")


def test_two_kinds_of_tasks_are_found_out():
    # half of the tasks at exactly 1/2 and half never: no beta law has this gap
    counts = np.concatenate([np.zeros(100, int), np.full(100, 8) + np.arange(100) % 3 - 1])
    table = {"system": ["s"] * 200, "task": range(200), "n": [16] * 200, "successes": counts}
    check = rs.fit(rs.Trials.from_counts(table)).ppc(datasets=1000)
    assert check.histogram["misfit"].sum() > 5
    assert check.verdict.startswith("Possible misfit")


def test_mid_p_is_calibrated_under_the_model():
    # mid-p of a posterior predictive check is at most too central, never too extreme
    rng = np.random.default_rng(2)
    mean, total = rng.uniform(size=300), 1 / rng.uniform(size=300) - 1
    p = rng.beta(mean * total + 1e-12, (1 - mean) * total + 1e-12, (40, 300)).T
    outcomes = rng.random((300, 40, 4)) < p[..., None]
    table = rs.fit(rs.Trials.from_array(outcomes)).ppc(datasets=400).table
    used = table[table["statistic"] != "success rate"].dropna()
    assert used["misfit"].mean() < 0.06
    assert used["mid_p"].mean() == pytest.approx(0.5, abs=0.03)


@pytest.mark.parametrize(("a", "b"), [(0.3, 0.7), (2e9, 3e9), (1e-8, 1e-9), (50, 0.01)])
@pytest.mark.parametrize("n", [1, 5, 200])
def test_pmf(a, b, n):
    got = beta_binomial_pmf(n, np.array([a]), np.array([b]))[0]
    law = stats.binom(n, a / (a + b)) if a > 1e6 else stats.betabinom(n, a, b)
    np.testing.assert_allclose(got, law.pmf(np.arange(n + 1)), rtol=2e-5, atol=1e-9)


def test_histograms_and_single_tasks_have_one_law(monkeypatch):
    from reliability_stats.inference import lattice_checks

    table = {"system": ["s"] * 60, "task": range(60), "n": [6] * 30 + [3] * 30}
    table["successes"] = np.random.default_rng(0).binomial(table["n"], 0.4)
    post = rs.fit(rs.Trials.from_counts(table))
    fast = post.ppc(datasets=8000).table
    monkeypatch.setattr(lattice_checks, "FEW_OUTCOMES", 0)
    slow = post.ppc(datasets=8000, rng=1).table
    for name in ("mean", "lower", "upper"):
        scale = fast["upper"] - fast["lower"] + 1e-9
        assert (np.abs(fast[name] - slow[name]) / scale).max() < 0.05, name


def test_many_trials_are_put_in_ranges():
    table = {"system": ["s"] * 5, "task": range(5), "n": [3, 7, 1, 20, 400]}
    check = rs.fit(rs.Trials.from_counts(table | {"successes": [0, 7, 1, 3, 399]})).ppc(datasets=50)
    bars = check.histogram.set_index("class")["observed"]
    assert len(bars) == 20
    assert bars["0"] == 1
    assert bars["1"] == 2
    assert bars["(0.94, 1.00)"] == 1
    assert bars["(0.11, 0.17]"] == 1
    assert bars.sum() == 5


def test_rounds_give_as_many_data_sets(monkeypatch):
    from reliability_stats.criticism import predictive

    table = {"system": ["s"] * 3, "task": range(3), "n": [40, 30, 1], "successes": [3, 30, 0]}
    post = rs.fit(rs.Trials.from_counts(table))
    monkeypatch.setattr(predictive, "ROWS", 30)
    check = post.ppc(datasets=101)
    assert check.datasets == 101
    bars = check.histogram
    assert bars["mean"].sum() == pytest.approx(3)


def test_one_task_and_one_trial():
    check = rs.fit(rs.Trials.from_array([[1]])).ppc(datasets=500)
    table = check.table.set_index("statistic")
    assert np.isnan(table.loc["variance between tasks", "mid_p"])
    assert not table["misfit"].any()
    assert "With one trial a task" in check.verdict


def test_all_fail():
    check = rs.fit(rs.Trials.from_array(np.zeros((20, 4)))).ppc(datasets=500)
    assert not check.table["misfit"].any()
    assert check.histogram["observed"].tolist() == [20, 0, 0, 0, 0]


def test_seed_decides(tau):
    assert tau.ppc(datasets=50).table.equals(tau.ppc(datasets=50).table)
    assert not tau.ppc(datasets=50).table.equals(tau.ppc(datasets=50, rng=1).table)


@pytest.mark.parametrize(
    ("options", "message"),
    [({"datasets": 0}, "datasets"), ({"prob": 1.0}, "prob"), ({"rng": "x"}, "rng")],
)
def test_bad_arguments(tau, options, message):
    with pytest.raises(rs.ArgumentError, match=message):
        tau.ppc(**options)


class Copying:
    """An engine that always replicates the very data."""

    def __init__(self, counts):
        self.counts = counts

    def replicate(self, datasets, rng):
        for unit in range(len(self.counts.units)):
            cells = self.counts.unit == unit
            successes = np.tile(self.counts.successes[cells], (datasets, 1))
            yield Replicas.of_cells(self.counts.n[cells], successes)


def test_equal_data_have_mid_p_one_half(airline):
    check = predictive_check(airline, Copying(airline.counts), datasets=10, prob=0.9, rng=0)
    for table in (check.table, check.histogram):
        assert (table["mid_p"] == 0.5).all()
        assert np.allclose(table["mean"], table["observed"])
