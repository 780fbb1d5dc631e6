"""Chains against brute force, the beta-binomial, published order of trials, and edges."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy import integrate, optimize, special, stats

import reliability_stats as rs
from reliability_stats import ArgumentError, IdentifiabilityWarning, TrialDataError, Trials
from reliability_stats.history._markov_law import Patterns, log_chain, rate_means

AIRLINE = (
    "0000:14 0001:2 0010:2 0011:1 0100:3 0101:2 0110:3 0111:2 1000:5 1001:2 1010:2 1101:2 1111:10"
)


def airline():
    """Order of outcomes of gpt-4o in tau-bench airline, from its trajectories."""
    pairs = [item.split(":") for item in AIRLINE.split()]
    return Trials.from_array(
        [[int(c) for c in run] for run, many in pairs for _ in range(int(many))]
    )


def chain(p, d):
    """P(1|0) and P(1|1) by solving for the chain that has this rate and odds ratio."""
    most = min(1.0, p / (1 - p))

    def gap(share):
        leave = share * most
        return special.logit(1 - leave * (1 - p) / p) - special.logit(leave) - d

    p01 = most * optimize.brentq(gap, 1e-12, 1 - 1e-12, xtol=1e-15)
    return p01, 1 - p01 * (1 - p) / p


@pytest.mark.parametrize("d", [-3.0, -0.4, 1e-9, 0.7, 4.0])
@pytest.mark.parametrize("p", [0.02, 0.3, 0.5, 0.81])
def test_a_chain_has_its_rate_and_its_odds_ratio(p, d):
    log_p, log_q, p00, p01, p10, p11 = np.exp(log_chain(np.array(special.logit(p)), np.array(d)))
    assert (p01, p11) == pytest.approx(chain(p, d), rel=1e-6)
    assert (p00 + p01, p10 + p11) == pytest.approx((1, 1))
    assert log_q * p01 == pytest.approx(log_p * p10)


def test_extreme_rates_and_odds_keep_their_digits():
    grid = np.meshgrid(np.linspace(-20, 20, 41), np.linspace(-7, 7, 29))
    _, _, p00, p01, p10, p11 = log_chain(*grid)
    assert np.exp(p00) + np.exp(p01) == pytest.approx(np.ones(grid[0].shape))
    assert np.exp(p10) + np.exp(p11) == pytest.approx(np.ones(grid[0].shape))
    assert (p11 + p00 - p01 - p10) == pytest.approx(grid[1], abs=1e-8)


@pytest.mark.parametrize(("mean", "icc", "d"), [(0.3, 0.4, 1.2), (0.6, 0.02, -0.8), (0.1, 0.9, 2)])
def test_the_rate_of_a_task_is_integrated_out(mean, icc, d):
    runs = np.array([[1, 1, 0, 0, 0, 1, 1], [0, 0, 0, 0, 0, 0, 0]])
    law = stats.beta(mean * (1 / icc - 1), (1 - mean) * (1 / icc - 1))
    truth = 0.0
    for run in runs:

        def one(p, run=run):
            pairs = itertools.pairwise(run)
            p01, p11 = chain(p, d)
            steps = [(p11 if a else p01) if b else 1 - (p11 if a else p01) for a, b in pairs]
            return (p if run[0] else 1 - p) * np.prod(steps) * law.pdf(p)

        ends = [1e-5, 0.01, 0.1, 0.3, 0.6, 0.9, 0.99, 1 - 1e-5]
        parts = [integrate.quad(one, a, b, limit=200)[0] for a, b in itertools.pairwise(ends)]
        truth += np.log(sum(parts) + (law.cdf(1e-5) if not run.any() else 0.0))
    moves = np.zeros((2, 2, 2), dtype=int)
    for i, run in enumerate(runs):
        for a, b in itertools.pairwise(run):
            moves[i, a, b] += 1
    patterns = Patterns.of(runs[:, 0], moves)
    axes = [np.array([special.logit(mean)]), np.array([special.logit(icc)]), np.array([float(d)])]
    assert patterns.log_likelihood(*axes)[0, 0, 0] == pytest.approx(truth, abs=2e-4)


def test_runs_of_independent_trials_are_moments_of_the_beta_law():
    mean, icc = np.array([0.4, 0.4, 0.7]), np.array([0.5, 1e-4, 0.05])
    found = rate_means(special.logit(mean), special.logit(icc), np.zeros(3), [1, 3])
    a, b = mean * (1 / icc - 1), (1 - mean) * (1 / icc - 1)
    assert found["run 1"] == pytest.approx(mean, rel=1e-6)
    assert found["both"] == pytest.approx(a * (a + 1) / (a + b) / (a + b + 1), rel=1e-6)
    logs = special.betaln(a + 3, b) - special.betaln(a, b)
    assert found["run 3"] == pytest.approx(np.exp(logs), rel=1e-6)


def test_without_dependence_it_is_the_beta_binomial():
    trials = airline()
    post = rs.MarkovPersistence().fit(trials)
    c = trials.counts
    ways = special.gammaln(c.n + 1) - special.gammaln(c.successes + 1)
    ways -= special.gammaln(c.n - c.successes + 1)
    exact = rs.fit(trials).engine.log_evidence[0] - ways.sum()
    assert post.fits[0].log_alone == pytest.approx(exact, abs=1e-4)
    assert post.summary()["mean"][0] == pytest.approx(0.43, abs=0.01)


def test_differences_between_tasks_are_not_dependence():
    post = rs.MarkovPersistence().fit(airline())
    assert -2 < post.evidence()["log_bayes_factor"][0] < 0.5
    frame = post.summary().set_index("estimand")
    # pooled, 40 of 63 transitions from success stay, 23 of 87 from failure leave
    pooled = post.tasks()[["from_success", "from_failure"]].sum()
    assert pooled.to_list() == [63, 87]
    assert frame["mean"]["p(success|success)"] == pytest.approx(40 / 63, abs=0.03)
    assert frame["lower"]["log_odds_ratio"] < 0 < frame["upper"]["log_odds_ratio"]
    same = frame["mean"]["p(success|success), independent"]
    assert same == pytest.approx(frame["mean"]["p(success|success)"], abs=0.05)


def test_one_trial_a_task_restates_the_prior():
    post = rs.MarkovPersistence(dependence_scale=0.7).fit(Trials.from_array([[1], [0], [1]]))
    with pytest.warns(IdentifiabilityWarning, match="three trials"):
        frame = post.summary(k=[1, 2]).set_index("estimand")
    assert frame["sd"]["log_odds_ratio"] == pytest.approx(0.7, rel=1e-3)
    assert frame["identified"]["log_odds_ratio"] == "no"
    assert frame["identified"]["p(success|success)"] == "no"
    assert frame["identified"]["success_rate"] == "yes"
    assert post.evidence()["log_bayes_factor"][0] == pytest.approx(0, abs=1e-4)
    assert frame["mean"]["run^1"] == pytest.approx(frame["mean"]["success_rate"])
    assert np.isnan(post.tasks()["after_success"]).all()


def test_two_trials_a_task_fix_what_follows_but_not_why():
    rows = [[1, 1]] * 12 + [[0, 0]] * 10 + [[1, 0]] * 4 + [[0, 1]] * 4
    with pytest.warns(IdentifiabilityWarning):
        frame = rs.MarkovPersistence().fit(Trials.from_array(rows)).summary().set_index("estimand")
    assert frame["identified"]["p(success|success)"] == "yes"
    assert frame["mean"]["p(success|success)"] == pytest.approx(0.75, abs=0.03)
    assert frame["identified"]["p(success|success), independent"] == "no"


@pytest.mark.parametrize("outcome", [0, 1])
def test_all_alike_gives_proper_answers(outcome):
    post = rs.MarkovPersistence().fit(Trials.from_array(np.full((5, 4), outcome)))
    frame = post.summary()
    assert np.isfinite(frame[["mean", "lower", "upper"]].to_numpy(dtype=float)).all()
    assert (frame["lower"] <= frame["upper"]).all()


def test_alternation_and_clumps_are_told_apart():
    rows = [[0, 1] * 8] * 6
    names = ["a,b", "<b>"]
    clumps = [[0] * 8 + [1] * 8] * 6
    post = rs.MarkovPersistence().fit(Trials.from_array([rows, clumps], systems=names))
    found = post.evidence().set_index("system")
    assert found["p_positive"]["a,b"] < 1e-3
    assert found["p_positive"]["<b>"] > 0.999
    assert (found["log_bayes_factor"] > 5).all()
    assert "&lt;b&gt;" in post._repr_html_()


def test_order_must_be_known():
    counts = Trials.from_counts({"task": [1], "n": [4], "successes": [2]}, system=None)
    with pytest.raises(TrialDataError, match="counts only"):
        rs.MarkovPersistence().fit(counts)
    with pytest.raises(ArgumentError, match="needs Trials"):
        rs.MarkovPersistence().fit([[1, 0]])
    with pytest.raises(ArgumentError, match="dependence_scale"):
        rs.MarkovPersistence(dependence_scale=0)
    with pytest.raises(ArgumentError, match="BetaBinomial"):
        rs.MarkovPersistence(rates="flat")
    with pytest.raises(ArgumentError, match="k is empty"):
        rs.MarkovPersistence().fit(Trials.from_array([[1, 0, 1]])).summary(k=[])
