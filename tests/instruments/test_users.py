"""Users: quadrature over logits, population of users, users one by one."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import special

from reliability_stats.exceptions import ArgumentError, TrialDataError
from reliability_stats.instruments import Users
from reliability_stats.instruments._logit_normal import draw_users, log_marginal
from reliability_stats.instruments.users import population_mean

COUNTS = {"user": list("abcdef"), "n": [20, 20, 15, 20, 8, 30], "y": [18, 9, 15, 20, 3, 24]}


def fit(table=None, **options):
    given = {"system": None, "n": "n", "successes": "y"} | options
    return Users().fit(COUNTS if table is None else table, **given)


@pytest.mark.parametrize(
    ("y", "n", "mu", "sigma", "value"),
    [
        (8, 16, 0, 4, -3.699775406855855),
        (30, 64, -2, 5, -5.368298211117878),
        (2, 4, -0.5, 2, -1.7718247957426492),
        (4, 4, -1.5, 3.4, -1.7047834320100552),
    ],
)
def test_integrals_of_the_reference(y, n, mu, sigma, value):
    found = log_marginal(*(np.array([float(x)]) for x in (n, y, mu, sigma)))[0]
    assert found + np.log(special.comb(n, y)) == pytest.approx(value, abs=1e-8)


@pytest.mark.parametrize(
    ("y", "n", "mu", "sigma"), [(0, 1000, 2, 3), (999, 1000, -1, 0.05), (1, 1, 0, 9)]
)
def test_integrals_agree_with_a_fine_grid(y, n, mu, sigma):
    z = np.linspace(-60, 60, 1_000_001)
    logs = y * (mu + sigma * z) - n * np.logaddexp(0, mu + sigma * z) - z**2 / 2
    exact = special.logsumexp(logs) + np.log((z[1] - z[0]) / np.sqrt(2 * np.pi))
    found = log_marginal(*(np.array([float(x)]) for x in (n, y, mu, sigma)))[0]
    assert found == pytest.approx(exact, abs=1e-6)


def test_draws_of_a_user_have_the_posterior_moments():
    mu, sigma = np.full(100_000, 0.5), np.full(100_000, 1.5)
    drawn = draw_users(10.0, 9.0, mu, sigma, np.random.default_rng(0))
    z = np.linspace(-9, 9, 20_001)
    p = special.expit(0.5 + 1.5 * z)
    weight = p**9 * (1 - p) * np.exp(-(z**2) / 2)
    weight /= weight.sum()
    assert drawn.mean() == pytest.approx(p @ weight, abs=1e-3)
    assert drawn.std() == pytest.approx(np.sqrt((p - p @ weight) ** 2 @ weight), abs=1e-3)


def test_the_posterior_agrees_with_a_plain_grid():
    post = fit(draws=10_000)
    mu = np.linspace(-4, 6, 241)[:, None]
    sigma = np.linspace(0.005, 6, 240)[None, :]
    log = -0.5 * (mu / 1.5) ** 2 - 0.5 * sigma**2
    for n, y in zip(COUNTS["n"], COUNTS["y"], strict=True):
        log = log + log_marginal(*np.broadcast_arrays(float(n), float(y), mu, sigma))
    weight = np.exp(log - log.max())
    weight /= weight.sum()
    table = post.summary().set_index("estimand")
    for name, values in {
        "median_user": special.expit(mu) + 0 * sigma,
        "user_sd": sigma + 0 * mu,
        "tenth_percentile_user": special.expit(mu + special.ndtri(0.1) * sigma),
        "mean_user": population_mean(*np.broadcast_arrays(mu, sigma)),
    }.items():
        mean = (weight * values).sum()
        sd = np.sqrt((weight * (values - mean) ** 2).sum())
        assert table.loc[name, "mean"] == pytest.approx(mean, abs=0.02 * sd + 1e-3), name
        assert table.loc[name, "sd"] == pytest.approx(sd, rel=0.03), name
    assert table.loc["new_user", "mean"] == pytest.approx(table.loc["mean_user", "mean"], abs=0.01)
    assert table.loc["new_user", "upper"] > table.loc["mean_user", "upper"]


def test_users_are_shrunk_and_ranked():
    table = fit().users(at_least=0.8).set_index("user")
    raw = table["successes"] / table["n"]
    middle = fit().summary()["mean"][0]
    assert ((table["mean"] - middle).abs() < (raw - middle).abs() + 0.02).all()
    assert table["p_worst"].sum() == pytest.approx(1)
    assert table["p_worst"].idxmax() in "be"
    assert table.loc["d", "p_served"] > 0.8 > table.loc["b", "p_served"]


def test_trials_and_counts_say_the_same():
    rows = {"user": np.repeat(COUNTS["user"], COUNTS["n"])}
    rows["success"] = np.concatenate(
        [np.arange(n) < y for n, y in zip(COUNTS["n"], COUNTS["y"], strict=True)]
    )
    assert Users().fit(rows, system=None).summary().equals(fit().summary())


def test_repeated_tasks_count_less():
    rng = np.random.default_rng(4)
    tasks = {"user": np.repeat(np.arange(12), 10), "task": np.tile(np.arange(10), 12)}
    solved = rng.random(120) < 0.6
    table = tasks | {"n": np.full(120, 5), "y": 5 * solved}
    counted = fit(table, task="task")
    assert counted.cells.icc[0] == pytest.approx(1)
    np.testing.assert_allclose(counted.cells.effect, 5)
    once = tasks | {"n": np.full(120, 1), "y": solved.astype(int)}
    same = fit(once).summary()["mean"]
    np.testing.assert_allclose(counted.summary()["mean"], same, atol=1e-9)
    # by hand: two users with two tasks each
    by_hand = {"user": [1, 1, 2, 2], "task": [1, 2, 1, 2], "n": [2] * 4, "y": [2, 0, 1, 1]}
    post = fit(by_hand, task="task")
    msb, msw = (2.0 + 0.0 + 0.5 + 0.5 - 1.0 - 1.0) / 2, (4 - 3.0) / 4
    assert post.cells.icc[0] == pytest.approx((msb - msw) / (msb + msw))


def test_what_is_not_identified_is_said():
    one = fit({"user": ["a"], "n": [50], "y": [40]}).summary()
    assert set(one["identified"]) == {"no"}
    single = fit({"user": list("abcdef"), "n": [1] * 6, "y": [1, 0, 1, 1, 0, 1]}).summary()
    assert set(single["identified"]) == {"no"}
    few = fit({"user": list("abc"), "n": [9] * 3, "y": [1, 5, 8]}).summary()
    assert set(few["identified"]) == {"model"}


@pytest.mark.parametrize("y", [0, 20])
def test_all_fail_and_all_pass_are_finite(y):
    table = fit({"user": list("abcdef"), "n": [20] * 6, "y": [y] * 6}).summary()
    assert np.isfinite(table[["mean", "lower", "upper"]].to_numpy()).all()
    assert (table["mean"][0] < 0.1) == (y == 0)


def test_bad_tables_are_refused():
    with pytest.raises(TrialDataError, match=r"row 1 .*must not exceed n"):
        fit({"user": ["a", "b"], "n": [3, 3], "y": [3, 4]})
    with pytest.raises(TrialDataError, match="no trial"):
        fit({"user": ["a"], "n": [0], "y": [0]})
    with pytest.raises(TrialDataError, match="either success, or both"):
        Users().fit(COUNTS, system=None, n="n")
    with pytest.raises(TrialDataError, match="no user in row 1"):
        Users().fit({"user": ["a", None], "success": [1, 1]}, system=None)
    with pytest.raises(ArgumentError, match="sd_scale"):
        Users(sd_scale=0)


def test_repositories_of_a_benchmark_differ(shared_data):
    table = pd.read_csv(shared_data / "swebench_verified_bash_only_instances.csv")
    table = table[table["system"] == table["system"].iloc[0]]
    table["repository"] = table["task"].str.partition("__")[0]
    post = Users().fit(table, system=None, user="repository")
    assert len(post.users()) == table["repository"].nunique()
    row = post.summary().set_index("estimand").loc["mean_user"]
    assert row["lower"] < table.groupby("repository")["success"].mean().mean() < row["upper"]
