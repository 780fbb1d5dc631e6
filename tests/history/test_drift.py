"""Drift against sums over draws from the prior, Kalman's smoother, published figures, and edges."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import special, stats

import reliability_stats as rs
from reliability_stats import ArgumentError, Drift, IdentifiabilityWarning, ModelError, Trials
from reliability_stats.history._walk import TAU, kernel, tau_mass


def totals(successes, n, periods=None, **columns):
    size = len(successes)
    table = {"task": [0] * size, "w": list(range(size)) if periods is None else periods}
    table |= {"n": list(np.broadcast_to(n, size)), "successes": list(successes)} | columns
    return Trials.from_counts(table, system="system" if columns else None, condition="w")


def test_kernel_has_the_variance_of_the_step():
    logit = np.linspace(-5, 5, 101)
    for sd in (0.01, 0.05, 0.1, 0.3):
        column = kernel(logit, sd)[:, 50]
        assert column.sum() == pytest.approx(1, abs=1e-6)
        assert column @ logit**2 == pytest.approx(sd**2, rel=1e-3)


def test_prior_of_the_innovations_is_half_normal():
    mass = tau_mass(0.3)
    assert mass.sum() == pytest.approx(1)
    assert mass @ TAU == pytest.approx(0.3 * np.sqrt(2 / np.pi), rel=0.02)
    assert tau_mass(np.array([0.3, 1.0])).shape == (2, len(TAU))


def test_same_tasks_agree_with_draws_from_the_prior():
    rng, size = np.random.default_rng(0), 600_000
    y, n = np.array([9, 7, 4]), 12
    tau = np.abs(rng.normal(0, 0.3, size))
    first = special.logit(rng.random(size))
    theta = first[:, None] + np.cumsum(
        np.c_[np.zeros(size), rng.normal(size=(size, 2)) * tau[:, None]], axis=1
    )
    p = special.expit(theta)
    weight = stats.binom(n, p).pmf(y).prod(axis=1)
    weight /= weight.sum()
    post = Drift(period="w", tasks="same", pooled=False).fit(totals(y, n))
    periods, row = post.periods(), post.summary(margin=0.1).iloc[0]
    assert periods["mean"].to_numpy() == pytest.approx(weight @ p, abs=3e-3)
    for name, level in (("lower", 0.025), ("upper", 0.975)):
        below = [float(weight @ (p[:, w] < end)) for w, end in enumerate(periods[name])]
        assert below == pytest.approx([level] * 3, abs=4e-3)
    change = p[:, 2] - p[:, 0]
    assert row["change"] == pytest.approx(float(weight @ change), abs=3e-3)
    assert row["p_decline"] == pytest.approx(float(weight @ (change < -0.1)), abs=8e-3)
    drift = np.abs(theta[:, 2] - theta[:, 0]) > np.log(1.5)
    assert row["p_drift"] == pytest.approx(float(weight @ drift), abs=0.01)
    assert row["volatility"] == pytest.approx(float(weight @ tau), abs=5e-3)


def test_fresh_tasks_agree_with_draws_from_the_prior():
    rng, size = np.random.default_rng(1), 400_000
    y = np.array([[3, 3, 2], [0, 2, 1]])
    table = {"task": list(range(6)), "w": list("aaabbb"), "n": [3] * 6, "successes": y.ravel()}
    tau, icc = np.abs(rng.normal(0, 0.3, size)), rng.random(size)
    theta = (
        special.logit(rng.random(size))[:, None]
        + np.c_[np.zeros(size), tau * rng.normal(size=size)]
    )
    p, total = special.expit(theta), 1 / icc - 1
    a, b = p * total[:, None], (1 - p) * total[:, None]
    good = np.minimum(a, b).min(axis=1) > 1e-9
    good &= total < 1e6
    a, b, p, tau = a[good], b[good], p[good], tau[good]
    weight = np.ones(len(a))
    for w in range(2):
        for wins in y[w]:
            log = special.betaln(a[:, w] + wins, b[:, w] + 3 - wins)
            weight *= np.exp(log - special.betaln(a[:, w], b[:, w]))
    weight /= weight.sum()
    trials = Trials.from_counts(table, system=None, condition="w")
    post = Drift(period="w", pooled=False).fit(trials)
    cubes = np.exp(special.betaln(a + 3, b) - special.betaln(a, b))
    found = post.periods([rs.SuccessRate(), rs.PassHatK(3)])
    expected = np.r_[weight @ p, weight @ cubes]
    assert found["mean"].to_numpy() == pytest.approx(expected, abs=4e-3)
    row = post.summary(rs.PassHatK(3), margin=0.1).iloc[0]
    change = cubes[:, 1] - cubes[:, 0]
    assert row["change"] == pytest.approx(float(weight @ change), abs=4e-3)
    assert row["p_decline"] == pytest.approx(float(weight @ (change < -0.1)), abs=0.01)
    assert row["volatility"] == pytest.approx(float(weight @ tau), abs=5e-3)


def test_gaps_of_the_calendar_take_longer_steps():
    near = {"task": [0, 0], "when": ["2025-01-01", "2025-01-02"], "success": [1, 1]}
    far = near | {"when": ["2025-01-01", "2025-06-01"]}
    spread = [
        Drift(period="day", tasks="same")
        .fit(Trials.from_frame(rows, system=None, time="when"))
        .summary()["sd"][0]
        for rows in (near, far)
    ]
    assert spread[1] > 2 * spread[0]


def test_published_prime_figures():
    counts = {"task": ["prime"] * 4, "n": [1000] * 4, "successes": [840, 511, 496, 762]}
    counts |= {"system": ["GPT-4"] * 2 + ["GPT-3.5"] * 2, "v": ["2023-03", "2023-06"] * 2}
    post = Drift(period="v", tasks="same").fit(Trials.from_counts(counts, condition="v"))
    row = post.summary().set_index("system").loc["GPT-4"]
    assert row["change"] == pytest.approx(0.511 - 0.840, abs=0.006)
    assert row["sd"] == pytest.approx(np.sqrt(0.84 * 0.16 / 1000 + 0.25 / 1000), rel=0.05)
    assert row["p_decline"] > 0.9999


def test_pooling_lets_systems_inform_each_other():
    rng = np.random.default_rng(3)
    calm = [rng.binomial(200, 0.7, 8) for _ in range(6)]
    rows = {"system": np.repeat([f"s{i}" for i in range(7)], 8), "task": [0] * 56}
    rows |= {"w": list(range(8)) * 7, "n": [200] * 48 + [5] * 8}
    rows["successes"] = np.r_[np.concatenate(calm), rng.binomial(5, 0.7, 8)]
    trials = Trials.from_counts(rows, condition="w")
    alone = Drift(period="w", tasks="same", pooled=False).fit(trials).summary()
    pooled = Drift(period="w", tasks="same").fit(trials).summary()
    assert pooled["volatility"].iloc[-1] < 0.8 * alone["volatility"].iloc[-1]


@pytest.mark.parametrize("wins", [0, 20])
def test_all_alike_stays_inside(wins):
    row = Drift(period="w").fit(totals([wins] * 4, 20)).summary().iloc[0]
    assert row["change"] == pytest.approx(0, abs=0.02)
    assert row["p_decline"] < 0.3


def test_one_trial_a_task_leaves_pass_hat_k_open():
    rng = np.random.default_rng(4)
    rows = {"task": list(range(60)), "w": [0] * 30 + [1] * 30, "success": rng.random(60) < 0.8}
    trials = Trials.from_frame(rows, system=None, condition="w")
    found = Drift(period="w").fit(trials).periods([rs.SuccessRate(), rs.PassHatK(4)])
    assert found["identified"].tolist() == ["yes", "yes", "no", "no"]
    open_ = found[found["estimand"] == "pass^4"]
    assert (open_["upper"] - open_["lower"] > 0.2).all()
    assert (open_["upper"] <= 1).all()


def test_a_mix_that_changes_is_warned_of():
    rows = {"task": ["x", "y", "x"], "w": [0, 0, 1], "n": [5] * 3, "successes": [3, 4, 2]}
    with pytest.warns(IdentifiabilityWarning, match="mix of tasks of 'system'"):
        Drift(period="w", tasks="same").fit(Trials.from_counts(rows, system=None, condition="w"))


def test_a_system_seen_once_has_no_change():
    trials = totals([3, 4, 2], 5, system=["a", "a", "b <"], periods=[0, 1, 1])
    post = Drift(period="w").fit(trials)
    row = post.summary().set_index("system").loc["b <"]
    assert row["identified"] == "no"
    assert row[["change", "lower", "p_decline"]].isna().all()
    assert "seen in one period only" in repr(post)
    assert "b &lt;" in post._repr_html_()


def test_wrong_arguments_are_named():
    with pytest.raises(ArgumentError, match="sd_scale"):
        Drift(sd_scale=0)
    with pytest.raises(ArgumentError, match="pooled"):
        Drift(pooled=1)
    with pytest.raises(ArgumentError, match="tasks"):
        Drift(tasks="old")
    post = Drift(period="w", tasks="same").fit(totals([3, 4], 5))
    with pytest.raises(ModelError, match=r"pass\^2 needs"):
        post.periods(rs.PassHatK(2))
    with pytest.raises(ArgumentError, match="estimands must be"):
        post.periods("success_rate")
    with pytest.raises(ArgumentError, match="margin"):
        post.summary(margin=-1)
