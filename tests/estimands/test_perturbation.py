"""Comparisons of conditions: definitions, design-based estimates, and the posterior's."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

import reliability_stats as rs

P = np.array([[0.9, 0.6, 0.3], [0.5, 0.6, 0.1], [0.9, 0.9, 0.6]])
ALL = (rs.Degradation, rs.Retention, rs.WorstCondition, rs.HeterogeneityAcrossConditions)


def make_trials(p, n=4, seed=0, systems=("a",), conditions=("clean", "noisy", "tool")):
    """Give trials with success probabilities p, (systems, conditions, tasks)."""
    p = np.broadcast_to(p, (len(systems), *np.shape(p)[-2:]))
    where = np.stack(np.indices(p.shape), axis=-1).reshape(-1, 3)
    wins = np.random.default_rng(seed).binomial(n, p.ravel())
    table = {
        "system": np.array(systems)[where[:, 0]],
        "condition": np.array(conditions)[where[:, 1]],
        "task": where[:, 2],
        "n": np.full(len(wins), n),
        "successes": wins,
    }
    return rs.Trials.from_counts(table, condition="condition"), wins.reshape(p.shape)


def test_values_at_known_probabilities():
    assert rs.Degradation("x").from_p(P[:2]) == pytest.approx(0.2)
    square = rs.Degradation("x", of=rs.PassHatK(2)).from_p(P[:2])
    assert square == pytest.approx((0.81 + 0.36 + 0.09 - 0.25 - 0.36 - 0.01) / 3)
    assert rs.Retention("x").from_p(P[:2]) == pytest.approx(2 / 3)
    assert rs.Retention("x").from_p(P[[0, 2]]) == pytest.approx(4 / 3)
    assert math.isnan(rs.Retention("x").from_p([[0.0], [0.5]]))
    assert rs.WorstCondition().from_p(P) == pytest.approx(0.2)
    assert rs.HeterogeneityAcrossConditions().from_p(P) == pytest.approx(np.std([0.6, 0.4, 0.8]))
    assert rs.WorstCondition().from_p(np.stack([P, P])).shape == (2,)
    with pytest.raises(rs.ArgumentError, match="at least two rows"):
        rs.WorstCondition().from_p([0.5])


def test_robustness_ratios_of_the_literature():
    """HAL: R = min(acc_perturbed / acc_base, 1); PromptBench: drop rate 1 - acc / acc."""
    kept = float(rs.Retention("x").from_p([[1.0], [0.5]]))
    assert min(kept, 1.0) == 0.5
    assert float(rs.Retention("x").loss(np.asarray(kept))) == 0.5


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: rs.Degradation(3), "condition must be the label"),
        (lambda: rs.Degradation("x", baseline="x"), "both 'x'"),
        (lambda: rs.Degradation("x", of="rate"), "of must be an estimand"),
        (lambda: rs.Degradation("x", margin=0), "margin must be"),
        (lambda: rs.Retention("x", baseline=1), "baseline must be the label"),
        (lambda: rs.WorstCondition("noisy"), "conditions must be a list"),
        (lambda: rs.WorstCondition([]), "conditions is empty"),
    ],
)
def test_wrong_fields(make, message):
    with pytest.raises(rs.ArgumentError, match=message):
        make()


@pytest.mark.parametrize(
    ("contrast", "message"),
    [
        (rs.Degradation("noisy"), "needs a baseline, one of the conditions 'clean'"),
        (rs.Degradation("nosy", baseline="clean"), r"'nosy' in .* is no condition.*'noisy'"),
        (rs.Degradation("noisy", baseline="no"), "'no' in .* is no condition"),
        (rs.WorstCondition(), "needs a baseline"),
        (rs.WorstCondition(["clean", "tool"], baseline="clean"), "baseline 'clean' with itself"),
    ],
)
def test_conditions_must_be_clear(contrast, message):
    trials, _ = make_trials(P)
    for ask in (rs.estimate, lambda t, e: rs.fit(t).summary(e)):
        with pytest.raises(rs.ArgumentError, match=message):
            ask(trials, contrast)
    with pytest.raises(rs.ArgumentError, match="have no conditions"):
        rs.estimate(rs.Trials.from_array([[1, 0]]), contrast)


def test_other_questions_refuse_comparisons():
    trials, _ = make_trials(P)
    with pytest.raises(rs.ArgumentError, match="which compares conditions: ask"):
        rs.compare(trials, [rs.Degradation("noisy", baseline="clean")])


def test_differences_are_paired_by_task():
    """Against SciPy's paired t test, on unbiased estimates of each task."""
    trials, wins = make_trials(np.random.default_rng(1).random((3, 25)), n=5)
    unbiased = wins[0] * (wins[0] - 1) / 20
    found = rs.estimate(
        trials, rs.Degradation("noisy", of=rs.PassHatK(2), baseline="clean", margin=0.1), prob=0.9
    ).iloc[0]
    test = stats.ttest_rel(unbiased[0], unbiased[1])
    low, high = test.confidence_interval(0.9)
    assert found["mean"] == pytest.approx((unbiased[0] - unbiased[1]).mean())
    assert (found["lower"], found["upper"]) == pytest.approx((low, high))
    less = stats.ttest_1samp(unbiased[0] - unbiased[1], 0.1, alternative="less")
    assert found["p_below_margin"] == pytest.approx(1 - less.pvalue)
    assert found["p_beyond_margin"] == pytest.approx(less.pvalue)
    assert found["interval"] == "t"


def test_ratio_has_fiellers_interval():
    """The limits are the ratios that a paired t test does not reject."""
    trials, wins = make_trials(np.random.default_rng(2).random((3, 30)))
    base, noisy = wins[0, 0] / 4, wins[0, 1] / 4
    found = rs.estimate(trials, rs.Retention("noisy", baseline="clean", margin=0.2)).iloc[0]
    assert found["mean"] == pytest.approx(noisy.mean() / base.mean())
    for end in ("lower", "upper"):
        again = stats.ttest_1samp(noisy - found[end] * base, 0.0)
        assert again.pvalue == pytest.approx(0.05)
    less = stats.ttest_1samp(noisy - 0.8 * base, 0.0, alternative="greater")
    assert found["p_below_margin"] == pytest.approx(1 - less.pvalue)


def test_over_the_observed_tasks_only_trials_vary():
    trials, wins = make_trials(np.random.default_rng(3).random((3, 30)), n=6)
    found = rs.estimate(trials, rs.Degradation("tool", baseline="clean"), over="observed").iloc[0]
    rate = wins[0] / 6
    variance = (rate * (1 - rate) / 5).sum(axis=1) / 900
    assert found["sd"] == pytest.approx(np.sqrt(variance[0] + variance[2]))


def test_bootstrap_agrees_with_students_t():
    trials, _ = make_trials(np.random.default_rng(4).random((3, 60)))
    asked = [rs.Degradation("noisy", baseline="clean"), rs.Retention("noisy", baseline="clean")]
    boot = rs.estimate(trials, asked, method="bca", resamples=2000)
    usual = rs.estimate(trials, asked)
    assert (boot["interval"] == "bca").all()
    width = usual["upper"] - usual["lower"]
    assert (
        (boot[["lower", "upper"]] - usual[["lower", "upper"]]).abs().max(axis=1) < 0.15 * width
    ).all()


def test_tasks_not_run_under_both_are_left_out():
    table = {
        "system": ["a"] * 5 + ["b"],
        "task": ["t", "u", "v", "t", "u", "t"],
        "condition": ["x", "x", "x", "y", "y", "x"],
        "n": [4] * 6,
        "successes": [4, 2, 0, 2, 1, 3],
    }
    trials = rs.Trials.from_counts(table, condition="condition")
    with (
        pytest.warns(rs.ExclusionWarning, match="1 of 3 tasks of 'a'"),
        pytest.warns(rs.IdentifiabilityWarning, match="'b' was not run under all"),
    ):
        found = rs.estimate(trials, rs.Degradation("y", margin=0.1)).set_index("system")
    assert found.loc["a", "mean"] == pytest.approx(0.375)
    assert math.isnan(found.loc["b", "mean"])
    assert found["identified"].tolist() == ["yes", "no"]
    assert found.loc["b", "verdict"] == "undetermined"


def test_equal_outcomes_are_no_certainty():
    """If every trial succeeds under both conditions, exact limits of each are combined."""
    outcomes = np.ones((1, 2, 40))
    trials, _ = make_trials(outcomes, conditions=("x", "y"))
    found = rs.estimate(
        trials,
        [rs.Degradation("y", margin=0.05), rs.Degradation("y", of=rs.PassHatK(3), margin=0.2)],
    )
    limit = 1 - stats.beta.ppf(0.0125, 40, 1)
    assert found["upper"].to_numpy() == pytest.approx(limit)
    assert found["lower"].to_numpy() == pytest.approx(-limit)
    assert found["verdict"].tolist() == ["undetermined", "persists"]
    assert (found["interval"] == "clopper-pearson").all()
    kept = rs.estimate(trials, rs.Retention("y")).iloc[0]
    assert kept["lower"] == pytest.approx(1 - limit)
    assert kept["upper"] == pytest.approx(1 / (1 - limit))
    fails, _ = make_trials(0 * outcomes, conditions=("x", "y"))
    with pytest.warns(rs.IdentifiabilityWarning, match="0/0|baseline"):
        assert math.isnan(rs.estimate(fails, rs.Retention("y"))["mean"].iloc[0])


def test_missing_outcomes_are_refused():
    table = {
        "system": ["a"] * 3,
        "task": ["t", "t", "t"],
        "condition": ["x", "y", "y"],
        "success": [1.0, 1.0, float("nan")],
    }
    trials = rs.Trials.from_frame(table, condition="condition", missing="bounds")
    with pytest.raises(rs.TrialDataError, match="needs definite counts"):
        rs.estimate(trials, rs.Degradation("y"))


@pytest.mark.parametrize(
    ("levels", "asked", "words"),
    [
        ((0.6, 0.6), rs.Degradation("y", margin=0.05), "persists"),
        ((0.6, 0.3), rs.Degradation("y", margin=0.05), "degrades"),
        ((0.3, 0.6), rs.Degradation("y", margin=0.05), "improves"),
        ((0.6, 0.55), rs.Degradation("y", margin=0.05), "undetermined"),
        ((0.6, 0.6), rs.Retention("y", margin=0.1), "persists"),
        ((0.3, 0.6), rs.WorstCondition(margin=0.05, baseline="x"), "persists"),
        ((0.6, 0.3), rs.WorstCondition(margin=0.05, baseline="x"), "degrades"),
        ((0.6, 0.3), rs.HeterogeneityAcrossConditions(margin=0.05), "varies"),
        ((0.6, 0.6), rs.HeterogeneityAcrossConditions(margin=0.05), "persists"),
    ],
)
def test_verdicts(levels, asked, words):
    p = np.repeat(np.array(levels)[:, None], 500, axis=1)
    trials, _ = make_trials(p, n=8, conditions=("x", "y"))
    assert rs.estimate(trials, asked)["verdict"].iloc[0] == words
    post = rs.fit(trials)
    assert post.summary(asked, over="observed")["verdict"].iloc[0] == words


def test_intervals_cover():
    """Coverage over the population of nominal 95%, and of verdicts at the margin."""
    rng = np.random.default_rng(7)
    tasks, sets = 40, 400
    systems = [f"{i:03d}" for i in range(sets)]
    base = rng.beta(1.0, 0.7, size=(sets, tasks))
    p = np.stack([base, base * rng.beta(6, 2, size=base.shape), 0.95 * base], axis=1)
    trials, _ = make_trials(p, systems=systems)
    truth = np.array([1.0, 0.75, 0.95]) / 1.7
    asked = {
        rs.Degradation("noisy", baseline="clean", margin=truth[0] - truth[1]): truth[0] - truth[1],
        rs.Retention("noisy", baseline="clean"): 0.75,
        rs.WorstCondition(baseline="clean"): truth[0] - truth[1],
        rs.HeterogeneityAcrossConditions(): truth.std(),
    }
    found = rs.estimate(trials, list(asked))
    for contrast, value in asked.items():
        rows = found[found["estimand"] == contrast.name]
        held = ((rows["lower"] <= value) & (value <= rows["upper"])).mean()
        assert held > 0.92, contrast.name
        if isinstance(contrast, (rs.Degradation, rs.Retention)):
            assert held < 0.98, contrast.name
    at_margin = found[found["estimand"].str.startswith("degradation")]
    assert ((at_margin["verdict"] != "undetermined").mean()) < 0.13
    spread = found[found["estimand"].str.startswith("hetero")]
    assert spread["mean"].mean() == pytest.approx(truth.std(), abs=0.01)
    assert (found[found["estimand"].str.startswith("worst")]["mean"] >= 0).all()


def test_posterior_answers_in_the_one_schema():
    trials, _ = make_trials(P, systems=("a", "b"))
    post = rs.fit(trials)
    asked = [rs.SuccessRate(), *(make("noisy", baseline="clean") for make in ALL[:2])]
    with pytest.warns(rs.ReliabilityStatsWarning, match="not paired by task"):
        table = post.summary(asked)
    assert "verdict" not in table
    assert table["system"].tolist()[-4:] == ["a", "b"] * 2
    with pytest.raises(rs.ArgumentError, match="in two calls"):
        post.draws(asked)
    drawn = post.draws(rs.Degradation("noisy", baseline="clean"), over="observed")
    units = post.draws(rs.SuccessRate(), over="observed")
    assert drawn.dims == ("chain", "draw", "system")
    assert drawn.sel(system="a").to_numpy() == pytest.approx(
        (units.sel(system="a [clean]") - units.sel(system="a [noisy]")).to_numpy()
    )
    assert isinstance(
        post.draws([rs.Retention("noisy", baseline="clean")], over="observed"),
        type(post.draws([rs.SuccessRate()])),
    )
