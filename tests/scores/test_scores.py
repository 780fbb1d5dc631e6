"""Scores against enumeration, brute force over the prior, mpmath, and edges."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy import integrate, special, stats

import reliability_stats as rs
from reliability_stats import ArgumentError, IdentifiabilityWarning, TrialDataError, Trials
from reliability_stats.scores._read import Runs
from reliability_stats.scores._student import expected_best, log_likelihood
from reliability_stats.scores.unbiased import best_of

SCORES = [-30, -12, -25, -55, -50, -61, -5, 11.5, -9, -40, -38, -71, -20, -33, -18]


def trials(scores=SCORES, runs=3, system="agent"):
    """Five tasks of three runs, relative to a human baseline, one of which improves on it."""
    scores = np.asarray(scores, dtype=float)
    rows = {
        "system": [system] * len(scores),
        "task": np.repeat(np.arange(len(scores) // runs), runs),
    }
    return Trials.from_frame(rows | {"gain": scores, "success": scores > 0}, score="gain")


@pytest.fixture(scope="module")
def post():
    return rs.ScoreModel(centre=0, scale=25).fit(trials())


@pytest.mark.parametrize("k", [1, 2, 3, 5])
def test_best_of_k_is_the_mean_over_all_choices(k):
    scores = np.array([0.3, -1.0, 0.3, 2.5, 7.0])
    every = [max(choice) for choice in itertools.combinations(scores, k)]
    assert best_of(scores, k) == pytest.approx(np.mean(every))
    worst = [min(choice) for choice in itertools.combinations(scores, k)]
    assert -best_of(-scores, k) == pytest.approx(np.mean(worst))


def test_best_of_k_is_unbiased_and_the_best_of_all_is_not():
    rng = np.random.default_rng(0)
    draws = rng.normal(size=(20_000, 6))
    found = np.mean([best_of(row, 3) for row in draws[:4000]])
    assert found == pytest.approx(expected_best(3, np.inf), abs=0.03)
    assert draws.max(axis=1).mean() > found + 0.3


def test_expected_best_of_k():
    assert expected_best(1, 4.0) == pytest.approx(0, abs=1e-12)
    assert expected_best(2, np.inf) == pytest.approx(1 / np.sqrt(np.pi), rel=1e-7)
    assert expected_best(3, np.inf) == pytest.approx(1.5 / np.sqrt(np.pi), rel=1e-7)
    law = stats.t(4)
    exact = integrate.quad(lambda x: 8 * x * law.pdf(x) * law.cdf(x) ** 7, -np.inf, np.inf)[0]
    assert expected_best(8, 4.0) == pytest.approx(exact, rel=1e-5)


@pytest.mark.parametrize(("between", "within"), [(1.0, 0.3), (0.2, 1.0), (2.0, 0.05), (0.01, 0.5)])
@pytest.mark.parametrize("df", [4.0, np.inf])
def test_the_level_of_a_task_is_integrated_out(between, within, df):
    scores, mean = [0.2, 0.5, 1.1], 0.4
    law = stats.norm if np.isinf(df) else stats.t(df)
    x = np.union1d(np.linspace(-12, 12, 40_001), mean + between * np.linspace(-8, 8, 4001))
    runs = np.prod([law.pdf((s - x) / within) / within for s in scores], axis=0)
    exact = np.log(np.trapezoid(stats.norm(mean, between).pdf(x) * runs, x))
    axes = [np.array([mean]), np.log([between]), np.log([within])]
    found = log_likelihood(Runs(np.array(scores), np.array([3])), axes, df)[0, 0, 0]
    assert found == pytest.approx(exact, abs=0.02)


def test_normal_runs_have_their_closed_form():
    scores = np.array([0.2, 0.5, 1.1, -0.4, 0.0])
    runs = Runs(scores, np.array([3, 2]))
    for between, within in ((0.7, 0.3), (0.1, 0.9)):
        exact = 0.0
        for part in (scores[:3], scores[3:]):
            size = len(part)
            cover = between**2 * np.ones((size, size)) + within**2 * np.eye(size)
            exact += stats.multivariate_normal(np.full(size, 0.4), cover).logpdf(part)
        axes = [np.array([0.4]), np.log([between]), np.log([within])]
        assert log_likelihood(runs, axes, np.inf)[0, 0, 0] == pytest.approx(exact, abs=0.01)


def test_the_posterior_is_that_of_weighted_draws_from_the_prior():
    """With normal runs, whose likelihood is known in closed form."""
    rng, size = np.random.default_rng(0), 200_000
    mean = rng.normal(0, 2.5, size)
    between, within = np.abs(rng.normal(size=(2, size)))
    y = np.array(SCORES).reshape(5, 3) / 25
    inside = ((y - y.mean(axis=1, keepdims=True)) ** 2).sum()
    spread = between**2 + within**2 / 3
    logs = -10 * np.log(within) - inside / within**2 / 2 - 2.5 * np.log(spread)
    logs -= ((y.mean(axis=1) - mean[:, None]) ** 2).sum(axis=1) / spread / 2
    weights = np.exp(logs - logs.max())
    weights /= weights.sum()
    fit = rs.ScoreModel(centre=0, scale=25, df=np.inf).fit(trials()).fits[0]
    points, mass = fit.points
    for found, known in (
        (points[0], mean),
        (np.exp(points[1]), between),
        (np.exp(points[2]), within),
    ):
        middle = weights @ known
        sd = np.sqrt(weights @ (known - middle) ** 2)
        assert mass @ found == pytest.approx(middle, abs=0.04 * sd)
        assert np.sqrt(mass @ (found - mass @ found) ** 2) == pytest.approx(sd, rel=0.05)


def test_five_tasks_of_three_runs_give_a_sober_answer(post):
    table = post.summary(k=3, tolerance=0).set_index("estimand")
    assert (table["identified"] == "model").all()
    assert table["lower"]["any_of_3"] < 0.1
    assert table["upper"]["any_of_3"] > 0.5
    assert table["lower"]["all_of_3"] < 0.01
    assert table["upper"]["all_of_3"] > 0.2
    assert table["lower"]["best_of_3"] < 0 < table["upper"]["best_of_3"]
    assert "the prior matters" in repr(post)


def test_estimands_agree_with_draws_of_new_tasks(post):
    (mean, between, within), weights = post.fits[0].points
    rng = np.random.default_rng(1)
    i = rng.choice(len(weights), 100_000, p=weights)
    level = 25 * (mean[i] + np.exp(between[i]) * rng.normal(size=len(i)))
    runs = level[:, None] + 25 * np.exp(within[i])[:, None] * rng.standard_t(4, size=(len(i), 3))
    table = post.summary(k=3, tolerance=0).set_index("estimand")["mean"]
    assert table["best_of_3"] == pytest.approx(runs.max(axis=1).mean(), abs=0.4)
    assert table["worst_of_3"] == pytest.approx(runs.min(axis=1).mean(), abs=0.4)
    assert table["all_of_3"] == pytest.approx((runs >= 0).all(axis=1).mean(), abs=0.004)
    assert table["any_of_3"] == pytest.approx((runs >= 0).any(axis=1).mean(), abs=0.006)


def test_one_run_a_task_cannot_split_the_spread():
    once = rs.ScoreModel(centre=0, scale=25).fit(trials(runs=1))
    with pytest.warns(IdentifiabilityWarning, match="run twice"):
        table = once.summary(k=1).set_index("estimand")
    assert table["identified"]["run_sd"] == "no"
    assert table["identified"]["mean_score"] == "yes"


def test_design_based_intervals_are_never_points():
    found = rs.estimate_scores(trials(), k=[1, 3], tolerance=0).set_index("estimand")
    row = found.loc["all_of_3"]
    assert (row["mean"], row["lower"]) == (0, 0)
    assert row["upper"] == pytest.approx(1 - 0.025 ** (1 / 5))
    assert found.loc["any_of_1", "mean"] == pytest.approx(1 / 15)
    one = rs.estimate_scores(trials(SCORES[:3]), k=2).set_index("estimand")
    assert np.isnan(one.loc["best_of_2", "lower"])
    assert one.loc["best_of_2", "mean"] == pytest.approx((-12 - 12 - 25) / 3)
    same = rs.estimate_scores(trials([1.0] * 6), tolerance=1.0).set_index("estimand")
    assert same.loc["all_of_1", "lower"] == pytest.approx(0.025**0.5)
    assert np.isnan(same.loc["mean_score", "upper"])


def test_what_is_asked_for_is_checked():
    with pytest.raises(TrialDataError, match=r"Task '0' .* has 3 runs, fewer than k = 4"):
        rs.estimate_scores(trials(), k=4)
    with pytest.raises(TrialDataError, match="have no score"):
        rs.estimate_scores(Trials.from_array([[1, 0]]))
    with pytest.raises(TrialDataError, match="task '1', trial '2' is nan"):
        rs.ScoreModel().fit(trials([1, 2, 3, 4, 5, np.nan]))
    with pytest.raises(TrialDataError, match="All 6 scores are 2"):
        rs.ScoreModel().fit(trials([2.0] * 6))
    for bad in ({"df": 2}, {"scale": 0}, {"centre": np.inf}):
        with pytest.raises(ArgumentError, match=next(iter(bad))):
            rs.ScoreModel(**bad)
    with pytest.raises(ArgumentError, match="tolerance"):
        rs.estimate_scores(trials(), tolerance=np.inf)
    with pytest.raises(ArgumentError, match="k is empty"):
        rs.estimate_scores(trials(), k=[])


def test_units_do_not_matter():
    small = rs.ScoreModel().fit(trials(np.array(SCORES) / 1000)).summary(k=2)
    large = rs.ScoreModel().fit(trials(system="<b>"))
    table = large.summary(k=2)
    assert table["upper"][0] == pytest.approx(1000 * small["upper"][0], rel=1e-6)
    assert special.logit(table["mean"].iloc[-1]) == pytest.approx(
        special.logit(small["mean"].iloc[-1]), abs=1e-6
    )
