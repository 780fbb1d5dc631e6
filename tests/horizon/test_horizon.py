"""Horizons against brute force over the prior, closed forms, known truth, and edges."""

from __future__ import annotations

import mpmath
import numpy as np
import pandas as pd
import pytest
from scipy import special, stats

import reliability_stats as rs
from reliability_stats import (
    ArgumentError,
    Horizon,
    IdentifiabilityWarning,
    ModelError,
    TrialDataError,
    Trials,
)
from reliability_stats.horizon._curves import all_of_k, length_at, mean_for_all_of_k, mean_logit

MINUTES = np.array([1, 2, 4, 8, 15, 30, 60, 120, 240, 480])
WINS = np.array([4, 4, 3, 4, 3, 1, 2, 0, 1, 0])


def frame(minutes=MINUTES, wins=WINS, n=4, system="a"):
    """One row a trial."""
    size = len(minutes)
    return pd.DataFrame(
        {
            "system": system,
            "task": np.repeat([f"t{i}" for i in range(size)], n),
            "minutes": np.repeat(minutes, n),
            "success": (np.tile(np.arange(n), size) < np.repeat(wins, n)).astype(int),
        }
    )


def trials(*args, **kwargs):
    return Trials.from_frame(frame(*args, **kwargs), length="minutes")


@pytest.fixture(scope="module")
def post():
    return Horizon(length="minutes").fit(trials())


def brute_force(shape, size=200_000, seed=0):
    """Weigh draws from the prior by a likelihood written anew."""
    rng = np.random.default_rng(seed)
    x = np.log2(MINUTES)
    h = rng.normal(x.mean(), 5.0, size)
    b = np.exp(rng.normal(np.log(0.7), 0.8, size)) if shape != "half_life" else np.ones(size)
    icc = rng.uniform(size=size)
    logs = np.zeros(size)
    for value, wins in zip(x, WINS, strict=True):
        if shape == "logistic":
            mean = special.expit(-b * (value - h))
        else:
            mean = 0.5 ** (2 ** np.clip(b * (value - h), -99, 9))
        mean = np.clip(mean, 1e-9, 1 - 1e-9)
        total = 1 / icc - 1
        up, down = mean * total, (1 - mean) * total
        logs += special.betaln(up + wins, down + 4 - wins) - special.betaln(up, down)
        logs += np.log(special.comb(4, wins))
    logs = np.where(np.isnan(logs), -np.inf, logs)
    weights = np.exp(logs - logs.max())
    evidence = np.log(weights.mean()) + logs.max()
    return evidence, weights / weights.sum(), h, b, icc


@pytest.mark.parametrize("shape", ["logistic", "weibull", "half_life"])
def test_the_posterior_is_that_of_weighted_draws_from_the_prior(shape):
    evidence, weights, h, b, icc = brute_force(shape)
    spec = Horizon(length="minutes", shape=shape)
    fit = spec.fit(trials()).fits[0]
    assert fit.box.log_evidence == pytest.approx(evidence, abs=0.06)
    points, mass = fit.points
    for found, known in ((points[0], h), (special.expit(points[2]), icc)):
        mean, sd = mass @ found, np.sqrt(mass @ (found - mass @ found) ** 2)
        assert mean == pytest.approx(weights @ known, abs=0.06 * sd)
        spread = np.sqrt(weights @ (known - weights @ known) ** 2)
        assert sd == pytest.approx(spread, rel=0.06)
    if shape != "half_life":
        assert mass @ np.exp(points[1]) == pytest.approx(weights @ b, rel=0.02)


@pytest.mark.parametrize("shape", ["logistic", "weibull", "half_life"])
def test_a_horizon_is_where_the_curve_passes_the_level(shape):
    h, b = np.array([3.0, 7.5]), np.array([1.0, 1.0] if shape == "half_life" else [0.3, 1.7])
    for lower, upper in ((0.0, 1.0), (0.2, 0.95)):
        for level in (0.3, 0.5, 0.8, 0.94):
            x = length_at(shape, np.asarray(level), h, b, lower, np.asarray(upper))
            u = mean_logit(shape, x, h, b, lower, np.asarray(upper))
            assert special.expit(u) == pytest.approx(np.full(2, level), abs=1e-9)
    out = length_at(shape, np.asarray(0.97), h, b, 0.2, np.asarray(0.95))
    assert np.exp2(out).tolist() == [0.0, 0.0]


def test_published_ratios_of_horizons():
    # Ord 2025: with a constant hazard T80 / T50 = .321928, T99 / T50 = .0144996
    zero, one = np.zeros(1), np.ones(1)
    for level, ratio in ((0.8, 0.321928), (0.95, 0.0740006), (0.99, 0.0144996)):
        x = length_at("half_life", np.asarray(level), zero, one, 0.0, one)
        assert np.exp2(x)[0] == pytest.approx(ratio, rel=1e-5)
    # Claude 3.7: slope and exponent through its published p50 and p80
    h, b = np.log2([60.388937]), np.array([0.704745])
    x = length_at("weibull", np.asarray(0.99), h, b, 0.0, one)
    assert np.exp2(x)[0] == pytest.approx(0.148596, rel=1e-4)
    x = length_at("logistic", np.asarray(0.99), h, np.array([0.597475]), 0.0, one)
    assert np.exp2(x)[0] == pytest.approx(0.292257, rel=1e-4)


def test_extreme_curves_keep_their_digits():
    x, h, b = np.array([10.0]), np.array([-2.0]), np.array([1.5])
    hazard = mpmath.log(2) * mpmath.mpf(2) ** 18
    truth = float(-hazard - mpmath.log(1 - mpmath.exp(-hazard)))
    assert mean_logit("weibull", x, h, b, 0.0, np.ones(1))[0] == max(truth, -600)
    x = np.array([-30.0])
    hazard = mpmath.log(2) * mpmath.mpf(2) ** -42
    truth = float(-mpmath.log(mpmath.expm1(hazard)))
    assert mean_logit("weibull", x, h, b, 0.0, np.ones(1))[0] == pytest.approx(truth)


def test_the_reliability_horizon_is_where_all_of_k_succeed_half_of_the_time(post):
    odds = np.array([1e-9, 0.1, 1.0, 50.0])
    mean = mean_for_all_of_k(odds, 5, 0.5)
    assert all_of_k(mean, odds, 5) == pytest.approx(np.full(4, 0.5), abs=1e-9)
    assert mean[0] == pytest.approx(0.5**0.2, abs=1e-6)
    table = post.summary(levels=0.5, k=[1, 2, 4, 9]).set_index("estimand")
    assert table["mean"]["reliability_horizon@1"] == pytest.approx(table["mean"]["horizon@50"])
    means = table["mean"][[f"reliability_horizon@{k}" for k in (1, 2, 4, 9)]]
    assert (np.diff(means) < 0).all()
    assert table["identified"]["reliability_horizon@9"] == "model"


def test_leaving_a_task_out_is_refitting_without_it():
    spec = Horizon(length="minutes")
    scores = spec.fit(trials()).loo()["elpd"].to_numpy()
    for out in (5,):
        keep = np.arange(len(MINUTES)) != out
        fit = spec.fit(trials(MINUTES[keep], WINS[keep])).fits[0]
        (h, b, v), weights = fit.points
        # the prior is centred on the lengths; move it to where the full data have it
        full, part = np.log2(MINUTES).mean(), np.log2(MINUTES[keep]).mean()
        weights = weights * np.exp(-0.5 * ((h - full) / 5) ** 2 + 0.5 * ((h - part) / 5) ** 2)
        weights = weights / weights.sum()
        mean = special.expit(-np.exp(b) * (np.log2(MINUTES[out]) - h))
        law = stats.betabinom(4, mean * np.exp(-v), np.maximum(1 - mean, 1e-12) * np.exp(-v))
        assert scores[out] == pytest.approx(np.log(weights @ law.pmf(WINS[out])), abs=0.02)


def test_extrapolations_say_so(post):
    table = post.summary().set_index("estimand")["identified"]
    assert table["horizon@50"] == "yes"
    assert table["horizon@95"] == table["horizon@99"] == "model"
    short = Horizon(length="minutes").fit(trials(MINUTES[:3], np.array([4, 4, 4])))
    found = short.summary().set_index("estimand")
    assert (found["identified"][["horizon@50", "horizon@80"]] == "model").all()
    assert found["upper"]["horizon@50"] > 100 * found["lower"]["horizon@50"]


def test_one_trial_a_task_says_nothing_of_reliability():
    once = Horizon(length="minutes").fit(trials(wins=np.minimum(WINS, 1), n=1))
    with pytest.warns(IdentifiabilityWarning, match="twice"):
        table = once.summary(k=4).set_index("estimand")
    assert table["identified"]["reliability_horizon@4"] == "no"
    assert table["identified"]["icc"] == "no"
    assert table["mean"]["icc"] == pytest.approx(0.5, abs=0.01)
    once.summary(k=1)


def test_fixed_lower_and_estimated_upper_rates():
    spec = Horizon(length="minutes", lower=0.25)
    with pytest.raises(ArgumentError, match="above the lower rate"):
        spec.fit(trials()).summary(levels=0.2)
    few = trials(np.array([1, 4, 16]), np.array([18, 18, 1]), n=20)
    free = Horizon(length="minutes", upper=rs.Beta(9, 1)).fit(few).summary(k=2)
    assert free.set_index("estimand")["mean"]["upper"] == pytest.approx(0.9, abs=0.04)
    for bad in ({"lower": 0.5, "upper": 0.4}, {"upper": 1.2}, {"lower": 0.1, "upper": rs.Beta()}):
        with pytest.raises(ArgumentError, match="upper"):
            Horizon(**bad)


def test_shapes_side_by_side():
    found = rs.compare_horizons(trials(), shapes=["logistic", "weibull"])
    assert found.scores["elpd_diff"].max() == 0
    row = found.horizons.set_index("level").loc[0.99]
    assert row["ratio"] == pytest.approx(row["logistic"] / row["weibull"])
    assert "HorizonComparison" in repr(found)
    with pytest.raises(ArgumentError, match="shapes"):
        rs.compare_horizons(trials(), shapes=["cubic"])


def test_lengths_are_checked():
    with pytest.raises(TrialDataError, match="have no length"):
        Horizon().fit(Trials.from_array([[1, 0]]))
    rows = frame().assign(minutes=lambda f: f["minutes"].where(f["task"] != "t3", -2.0))
    with pytest.raises(TrialDataError, match=r"task 't3' is -2\.0"):
        Horizon().fit(Trials.from_frame(rows, length="minutes"))
    rows = frame()
    rows.loc[5, "minutes"] = 3
    with pytest.raises(TrialDataError, match="task 't1' is 2 in one trial and 3 in another"):
        Horizon().fit(Trials.from_frame(rows, length="minutes"))
    with pytest.raises(ModelError, match="have one length"):
        Horizon().fit(trials(minutes=np.full(10, 5)))
    with pytest.raises(ArgumentError, match="'hours' is not the column"):
        Horizon(length="hours").fit(trials())
    with pytest.raises(ArgumentError, match="needs Trials"):
        Horizon().fit(rows)


@pytest.mark.parametrize("wins", [0, 4])
def test_all_alike_gives_wide_proper_intervals(wins):
    post = Horizon(length="minutes").fit(trials(wins=np.full(10, wins), system="<x>"))
    table = post.summary().set_index("estimand")
    row = table.loc["horizon@50"]
    assert np.isfinite(row[["mean", "sd", "lower", "upper"]].to_numpy(dtype=float)).all()
    assert row["identified"] == "model"
    assert (row["lower"] > 60) if wins else (row["upper"] < 60)
    assert "&lt;x&gt;" in post._repr_html_()


def test_the_curve_falls_and_all_of_k_lies_below(post):
    one, four = post.curve(k=1), post.curve(k=4)
    assert (np.diff(one["mean"]) < 0).all()
    assert (four["mean"] < one["mean"]).all()
    assert (one["lower"] <= one["mean"]).all()
    assert len(post.curve([10, 20])) == 2
