"""HAL: consistency in both versions, robustness, predictability, and what is read off traces.

Numbers with "HAL" are those of its tests, tests/reliability_eval of github.com/princeton-pli/
hal-harness, or of a run of its functions.
"""

import numpy as np
import pytest
from scipy import stats

import reliability_stats as rs
from reliability_stats import compat

TAU = rs.datasets.load("tau-bench-airline-gpt4o")


@pytest.mark.parametrize(
    ("outcomes", "value"),
    [
        ([1, 1, 1, 1, 0], 0.36),
        ([1, 1, 0], 1 / 9),
        ([1, 0], 0),
        ([1, 0] * 3, 0),
        ([0] * 5, 1),
        ([1, 0.9, 0.789, 0.98, 0.83, 0.67], 0.522729),
    ],
)
def test_hal_squared_consistency(outcomes, value):
    """HAL, test_consistency_metrics.py."""
    found = compat.hal_outcome_consistency([outcomes])
    np.testing.assert_allclose(found, [value], rtol=1e-12, atol=1e-15)


def test_one_run_has_no_consistency():
    for version in ("squared", "variance ratio", "unbiased"):
        assert np.isnan(compat.hal_outcome_consistency([[1]], version=version)).all()
    ragged = compat.hal_outcome_consistency([[1, np.nan, 0], [np.nan, 1, np.nan], [1, 1, 1]])
    np.testing.assert_array_equal(ragged, [0, np.nan, 1])


def test_the_first_version_is_the_share_of_unanimous_tasks():
    rng = np.random.default_rng(0)
    for runs in (2, 3, 5, 20):
        x = (rng.random((200, runs)) < rng.random((200, 1))).astype(int)
        p = x.mean(axis=1)
        theirs = np.clip(1 - x.var(axis=1, ddof=1) / (p * (1 - p) + 1e-8), 0, 1)
        ours = compat.hal_outcome_consistency(x, version="variance ratio")
        np.testing.assert_allclose(ours, theirs, atol=1e-12)
        np.testing.assert_allclose(ours, (p == 0) | (p == 1), atol=1e-6)


def test_bias_of_the_squared_version_is_4pq_over_k():
    p, runs = np.array([0.05, 0.3, 0.5]), 5
    c = np.arange(runs + 1)
    for rate in p:
        mass = stats.binom.pmf(c, runs, rate)
        rows = (c[:, None] > np.arange(runs)).astype(int)
        plugin = mass @ compat.hal_outcome_consistency(rows)
        unbiased = mass @ compat.hal_outcome_consistency(rows, version="unbiased")
        truth = (2 * rate - 1) ** 2
        assert plugin - truth == pytest.approx(4 * rate * (1 - rate) / runs, abs=1e-13)
        assert unbiased == pytest.approx(truth, abs=1e-13)


def test_tau_bench_airline():
    """Issue 57 of tau-bench: .56 by (2p - 1)^2; unbiased .413333; 24 of 50 tasks unanimous."""
    (row,) = compat.hal_consistency(TAU).to_dict("records")
    assert row["tasks"] == 50
    assert row["left_out"] == 0
    assert row["variance_ratio"] == pytest.approx(0.48)
    assert row["squared"] == pytest.approx(0.56, abs=1e-12)
    assert row["unbiased"] == pytest.approx(0.4133333, abs=1e-6)
    assert row["bias"] == pytest.approx(row["squared"] - row["unbiased"])
    own = rs.estimate(TAU, rs.Disagreement())["mean"][0]
    assert row["unbiased"] == pytest.approx(1 - 2 * own, abs=1e-12)


def test_consistency_by_system_and_condition():
    rows = {
        "system": ["a", "a", "a", "b"],
        "task": [1, 2, 1, 1],
        "condition": ["x", "x", "y", "x"],
        "n": [4, 1, 2, 3],
        "successes": [2, 1, 2, 0],
    }
    table = compat.hal_consistency(rs.Trials.from_counts(rows, condition="condition"))
    assert table[["system", "condition", "tasks", "left_out"]].values.tolist() == [
        ["a", "x", 1, 1],
        ["a", "y", 1, 0],
        ["b", "x", 1, 0],
    ]
    np.testing.assert_allclose(table["squared"], [0, 1, 1])
    np.testing.assert_allclose(table["unbiased"], [1 - 4 * 4 / 12, 1, 1])
    single = rs.Trials.from_array([[1], [0]])
    assert np.isnan(compat.hal_consistency(single)["squared"][0])


def test_unknown_outcomes_have_to_be_settled():
    rows = {"task": [1, 1, 1], "success": [1, 0, None]}
    trials = rs.Trials.from_frame(rows, system=None, missing="bounds")
    for ask in (compat.hal_consistency, compat.bayes_at_n_summary):
        with pytest.raises(rs.ArgumentError, match=r"complete\('failure'\)"):
            ask(trials)
        assert len(ask(trials.complete("failure"))) == 1
        with pytest.raises(rs.ArgumentError, match="takes Trials, not list"):
            ask([1])


@pytest.mark.parametrize(
    ("baseline", "perturbed", "clamped", "error"),
    [
        ([1, 1, 1, 1], [1, 1, 0, 0], 0.5, 0.2567555987705039),
        ([1, 0, 0, 0], [1, 1, 1, 1], 1.0, 0.0),
        ([1] * 10, [0.8] * 10, 0.0, 0.0),
        ([0, 0], [1, 1], np.nan, np.nan),
        ([1], [1, 0], 0.5, np.nan),
    ],
)
def test_hal_robustness_ratio(baseline, perturbed, clamped, error):
    """HAL, tests of the robustness ratio; the last row by hand."""
    found = compat.hal_robustness_ratio(baseline, perturbed)
    np.testing.assert_allclose([found.clamped, found.standard_error], [clamped, error], rtol=1e-12)


@pytest.mark.parametrize(
    ("tasks", "runs", "mean"), [(26, 5, 0.9576), (50, 4, 0.9659), (165, 5, 0.9830)]
)
def test_clamping_finds_degradation_where_there_is_none(tasks, runs, mean):
    rng = np.random.default_rng(1)
    p = rng.beta(0.6418, 0.8575, (20_000, tasks))
    ratio = rng.binomial(runs, p).sum(axis=1) / rng.binomial(runs, p).sum(axis=1)
    assert np.minimum(ratio, 1).mean() == pytest.approx(mean, abs=0.0015)


def two_conditions(rng, tasks, runs, factor):
    p = rng.beta(0.64, 0.86, tasks)
    return {
        "task": [*range(tasks)] * 2,
        "condition": ["baseline"] * tasks + ["fault"] * tasks,
        "n": [runs] * (2 * tasks),
        "successes": [*rng.binomial(runs, p), *rng.binomial(runs, p * factor)],
    }


def test_paired_ratio_agrees_with_the_bootstrap_over_tasks():
    rows = two_conditions(np.random.default_rng(2), 60, 5, 0.7)
    trials = rs.Trials.from_counts(rows, system=None, condition="condition")
    (row,) = compat.hal_robustness(trials).to_dict("records")
    y0, y1 = np.array(rows["successes"]).reshape(2, 60)
    draws = np.random.default_rng(3).integers(60, size=(4000, 60))
    boot = y1[draws].sum(axis=1) / y0[draws].sum(axis=1)
    assert row["ratio"] == pytest.approx(y1.sum() / y0.sum())
    assert row["sd"] == pytest.approx(boot.std(), rel=0.08)
    assert row["lower"] < row["ratio"] < row["upper"]
    assert (row["tasks"], row["prob"]) == (60, 0.95)


def test_paired_ratio_covers():
    rng, hits = np.random.default_rng(4), 0
    from reliability_stats.compat.hal_ratio import _paired_ratio

    for _ in range(1000):
        y = np.array(two_conditions(rng, 26, 5, 0.8)["successes"]).reshape(2, 26)
        n = np.full(26, 5)
        found = _paired_ratio(np.array([n, y[0], n, y[1]], dtype=float), 0.95)
        hits += found["lower"] <= 0.8 <= found["upper"]
    assert 0.93 <= hits / 1000 <= 0.975


def test_robustness_where_there_is_little():
    rows = {"task": [0, 0, 0], "condition": ["baseline", "b", "c"], "n": [2] * 3}
    trials = rs.Trials.from_counts(
        {**rows, "successes": [2, 0, 2]}, system=None, condition="condition"
    )
    table = compat.hal_robustness(trials)
    assert table["clamped"].tolist() == [0, 1]
    assert table["sd"].isna().all()
    none = rs.Trials.from_counts(
        {**rows, "successes": [0, 0, 2]}, system=None, condition="condition"
    )
    assert compat.hal_robustness(none)[["clamped", "ratio", "sd"]].isna().all(axis=None)
    with pytest.raises(rs.ArgumentError, match="baseline must be one of 'b', 'baseline', 'c'"):
        compat.hal_robustness(none, baseline="d")
    with pytest.raises(rs.ArgumentError, match="needs conditions"):
        compat.hal_robustness(TAU)
    lost = {"system": ["a", "b", "b"], **rows, "successes": [1, 1, 1]}
    lost["condition"] = ["c", "baseline", "c"]
    with pytest.raises(rs.ArgumentError, match="System 'a' has no trials under"):
        compat.hal_robustness(rs.Trials.from_counts(lost, condition="condition"))


def test_predictability_by_other_means():
    rng = np.random.default_rng(5)
    p = rng.integers(0, 21, 300) / 20
    y = (rng.random(300) < p**2).astype(int)
    found = compat.hal_predictability(p, y)
    test = stats.mannwhitneyu(p[y == 1], p[y == 0])
    assert found.auroc == pytest.approx(test.statistic / (y.sum() * (1 - y).sum()))
    assert found.brier == pytest.approx(1 - np.mean((p - y) ** 2))
    edges, error = np.linspace(0, 1, 11), 0.0
    for i in range(10):
        inside = (p >= edges[i]) & ((p < edges[i + 1]) | (i == 9))
        if inside.any():
            error += inside.mean() * abs(y[inside].mean() - p[inside].mean())
    assert found.calibration == pytest.approx(1 - error)
    same = compat.hal_predictability([*p, np.nan, 0.3], [*y, 1, np.nan])
    assert same == found
    assert np.isnan(compat.hal_predictability([0.5], [1]).auroc)
    assert np.isnan(compat.hal_predictability([], []).brier)


def test_calibrated_confidence_is_marked_down_in_small_samples():
    rng = np.random.default_rng(6)

    def mean(size):
        p = rng.random((200, size))
        made = [compat.hal_predictability(row, rng.random(size) < row).calibration for row in p]
        return np.mean(made)

    assert mean(50) == pytest.approx(0.86, abs=0.01)
    assert mean(800) == pytest.approx(0.965, abs=0.005)


def test_trajectories():
    """HAL run; abc against abd by its tests."""
    agreement = compat.hal_trajectory_consistency
    assert agreement(["abc", "bcd", "cde"]) == pytest.approx(0.5555555555555556)
    assert agreement(["aab", "abb"]) == pytest.approx(0.9182958340544893)
    for runs, value in (
        (["abc", "abd"], 2 / 3),
        (["abcd", "acbd"], 0.5),
        (["abc", "bcd", "cde"], 2 / 9),
    ):
        assert agreement(runs, kind="sequence") == pytest.approx(value)
    assert agreement(["abc", "xyz", "abc"], [1, 0, 1]) == pytest.approx(1)
    assert np.isnan(agreement(["abc", "", "x"], [1, 1, 0]))
    with pytest.raises(rs.ArgumentError, match="for each of 2 runs"):
        agreement(["a", "b"], [1])


def test_resources_and_overall():
    """HAL's tests and runs."""
    costs = compat.hal_resource_consistency({"cost": [0.01, 10, 0.01, 10]})
    assert costs == pytest.approx(0.3158798230934396)
    assert compat.hal_resource_consistency([0.8, 0.9, 0.7]) == pytest.approx(0.8824969025845953)
    assert np.isnan(compat.hal_resource_consistency({"cost": [1, 0], "time": []}))
    both = compat.hal_resource_consistency({"a": [0.8, 0.9, 0.7], "b": [1, 1], "c": [3]})
    assert both == pytest.approx(np.exp(-0.125 / 2))
    overall = compat.hal_overall_consistency
    assert overall(0.36, 0.5, 0.7, 0.8) == pytest.approx(0.5866666666666667)
    assert overall(0.36, np.nan, np.nan, 0.8) == pytest.approx(0.58)
    assert overall(0.36, np.nan, 0.6, 0.8) == pytest.approx(0.5866666666666667)
    assert np.isnan(overall(*[np.nan] * 4))


@pytest.mark.parametrize(
    ("violations", "figures"),
    [
        ([["medium"], []], (0.5, 0.5, 0.75)),
        ([["high"], ["high"]], (0, 0, 0)),
        ([["low", "high"], ["medium"], [], []], (0.5, 0.25, 0.625)),
        ([[]], (1, 1, 1)),
    ],
)
def test_safety(violations, figures):
    """HAL's tests and runs."""
    found = compat.hal_safety(violations)
    assert (found.compliance, found.harm, found.score) == pytest.approx(figures)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: compat.hal_outcome_consistency([[1, 2]]), "entry 0, 1 is 2.0"),
        (lambda: compat.hal_outcome_consistency([]), "not empty"),
        (lambda: compat.hal_outcome_consistency([1, 0]), "rows of numbers"),
        (lambda: compat.hal_outcome_consistency([["a"]]), "rows of numbers"),
        (lambda: compat.hal_outcome_consistency([[1]], version="old"), "version must be"),
        (lambda: compat.hal_robustness_ratio([], [1]), "baseline holds no run"),
        (lambda: compat.hal_robustness_ratio([1], [3]), "entry 0 is 3.0"),
        (lambda: compat.hal_robustness_ratio([[1], [1, 0]], [1]), "baseline must hold numbers"),
        (lambda: compat.hal_predictability([0.5], [1, 0]), "one length"),
        (lambda: compat.hal_predictability([0.5], [0.5]), "success must hold 0 and 1"),
        (lambda: compat.hal_predictability([1.5], [1]), "confidence must hold"),
        (lambda: compat.hal_predictability(["x"], [1]), "lists of numbers"),
        (lambda: compat.hal_resource_consistency({"cost": ["x"]}), "cost must be a list"),
        (lambda: compat.hal_resource_consistency([np.inf, 1]), "finite"),
        (lambda: compat.hal_safety([]), "is empty"),
        (lambda: compat.hal_safety(["high"]), "a list for each task"),
        (lambda: compat.hal_safety([["huge"]]), "severity must be one of"),
        (lambda: compat.hal_trajectory_consistency(["a"], kind="edit"), "kind must be"),
    ],
)
def test_what_is_refused(call, words):
    with pytest.raises(rs.ArgumentError, match=words):
        call()
