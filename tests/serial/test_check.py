"""Exchangeability of trials: published sequences, known causes, and what cannot be checked."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import reliability_stats as rs
from reliability_stats.serial._association import association_test
from reliability_stats.serial._markov import log_bayes_factor
from reliability_stats.serial._order import places_law, runs_law, runs_test, trend_test
from reliability_stats.serial._strata import Strata
from reliability_stats.serial._verdict import Finding, holm, judge

# Order of success in 4 trials of the 50 tasks of tau-bench airline, gpt-4o with tool calling:
# historical_trajectories/gpt-4o-airline.json of github.com/sierra-research/tau-bench at 59a200c.
SEQUENCES = {
    "0000": 14,
    "0001": 2,
    "0010": 2,
    "0011": 1,
    "0100": 3,
    "0101": 2,
    "0110": 3,
    "0111": 2,
    "1000": 5,
    "1001": 2,
    "1010": 2,
    "1101": 2,
    "1111": 10,
}


def outcomes(text):
    return [int(character) for character in text]


def strata(*texts):
    rows = [outcomes(text) for text in texts]
    stratum = np.repeat(np.arange(len(rows)), [len(row) for row in rows])
    return Strata.of(stratum, np.concatenate(rows))


def airline():
    return rs.Trials.from_array([outcomes(s) for s, k in SEQUENCES.items() for _ in range(k)])


def row(result, test):
    return result.tests.set_index("test").loc[test]


def test_tau_bench_airline():
    result = rs.exchangeability(airline())
    runs, trend, q = (row(result, name) for name in ("runs", "trend", "repetition"))
    assert (runs.n_mixed, runs.statistic, runs.expected) == (26, 72, 70)
    assert runs.variance == pytest.approx(10.6667, abs=1e-4)
    assert runs.z == pytest.approx(0.6124, abs=1e-4)
    assert (trend.statistic, trend.expected) == (-1, 0)
    assert trend.variance == pytest.approx(36.6667, abs=1e-4)
    assert trend.z == pytest.approx(-0.1651, abs=1e-4)
    assert (q.statistic, q.df) == (pytest.approx(0.2727, abs=1e-4), 3)
    assert q.p_value == pytest.approx(0.965, abs=5e-4)
    assert result.systems.verdict.tolist() == ["nothing found"]
    assert "nothing found (26 tasks with both outcomes)" in repr(result)


@pytest.mark.parametrize(
    ("text", "expected"),
    [("11111000001111100000", 3.7250), ("10" * 10, 9.7289), ("11011101001111011011", -0.3326)],
)
def test_markov_bayes_factors(text, expected):
    result = rs.exchangeability(rs.Trials.from_array([outcomes(text)]))
    assert result.cells.log_bayes_factor[0] == pytest.approx(expected, abs=5e-5)
    assert row(result, "markov").statistic == pytest.approx(expected, abs=5e-5)


def test_bayes_factor_by_counts():
    counts = np.array([[[8, 1], [2, 8]], [[0, 9], [10, 0]], [[3, 0], [0, 0]], [[0, 0], [0, 5]]])
    expected = [3.7250, 9.7289, 0.0, 0.0]
    assert log_bayes_factor(counts) == pytest.approx(expected, abs=5e-5)


def test_pooled_transitions_of_this_table_would_mislead():
    sequences = np.array([outcomes(s) for s, k in SEQUENCES.items() for _ in range(k)])
    pairs = (2 * sequences[:, :-1] + sequences[:, 1:]).ravel()
    pooled = np.bincount(pairs, minlength=4).reshape(2, 2)
    assert pooled.tolist() == [[64, 23], [23, 40]]
    assert log_bayes_factor(pooled) > 8
    assert row(rs.exchangeability(airline()), "markov").statistic < 0


@pytest.mark.parametrize(("ones", "zeros"), [(1, 1), (1, 5), (3, 2), (4, 4), (2, 6)])
def test_laws_by_enumeration(ones, zeros):
    n = ones + zeros
    runs, places = [], []
    for chosen in itertools.combinations(range(n), ones):
        sequence = np.isin(np.arange(n), chosen)
        runs.append(1 + np.count_nonzero(np.diff(sequence.astype(int))))
        places.append(sum(chosen) - ones * (n - 1) / 2)
    for law, found in ((runs_law(ones, zeros), runs), (places_law(ones, n), places)):
        values = law[0] + np.arange(len(law[1]))
        expected = [np.mean(np.abs(np.array(found) - value) < 1e-9) for value in values]
        assert law[1] == pytest.approx(expected, abs=1e-12)
        assert min(found) == values[0]


def test_exact_and_normal_p_values_agree_where_many(monkeypatch):
    rng = np.random.default_rng(3)
    rows = rng.random((58, 12)) < rng.random((58, 1))
    data = strata(*("".join("01"[int(v)] for v in r) for r in rows))
    for test in (runs_test, trend_test):
        exact = test(data)
        assert exact.method == "exact"
        with monkeypatch.context() as patch:
            patch.setattr("reliability_stats.serial._order.EXACT_STRATA", 0)
            normal = test(data)
        assert normal.method == "normal"
        assert exact.p_value == pytest.approx(normal.p_value, abs=0.05)


def test_trend_of_one_task_is_the_rank_sum_test():
    data = strata("000101110111")
    ones = np.flatnonzero(data.success) + 1
    zeros = np.flatnonzero(data.success == 0) + 1
    expected = stats.mannwhitneyu(ones, zeros, method="exact").pvalue
    assert trend_test(data).p_value == pytest.approx(expected, rel=1e-9)


def test_repetition_is_cochrans_q():
    from statsmodels.stats.contingency_tables import cochrans_q

    rng = np.random.default_rng(5)
    table = (rng.random((60, 4)) < [0.3, 0.5, 0.6, 0.7]).astype(int)
    expected = cochrans_q(table)
    data = Strata.of(np.repeat(np.arange(60), 4), table.ravel())
    found = association_test(data, np.tile(np.arange(4), 60), rng)
    assert found.statistic == pytest.approx(expected.statistic)
    assert found.p_value == pytest.approx(expected.pvalue)


def test_association_of_two_labels_is_mantel_haenszel():
    from statsmodels.stats.contingency_tables import StratifiedTable

    rng = np.random.default_rng(7)
    label = rng.integers(2, size=(40, 9))
    y = (rng.random((40, 9)) < 0.4 + 0.2 * label).astype(int)
    tables = [
        [[((label[i] == a) & (y[i] == b)).sum() for b in (0, 1)] for a in (0, 1)]
        for i in range(40)
        if 0 < label[i].sum() < 9 and 0 < y[i].sum() < 9
    ]
    expected = StratifiedTable([np.array(t) for t in tables]).test_null_odds()
    data = Strata.of(np.repeat(np.arange(40), 9), y.ravel())
    found = association_test(data, label.ravel(), rng)
    assert found.statistic == pytest.approx(expected.statistic)
    assert found.freedom == 1


def test_permutation_p_value_by_enumeration():
    data = strata("1100", "1000")
    level = np.array([0, 0, 1, 1, 0, 0, 1, 1])
    found = association_test(data, level, np.random.default_rng(0))
    assert found.method == "permutation"
    # 6 x 4 arrangements; excess of label 0 is at least as large in 2 of them, either way
    assert found.p_value == pytest.approx(4 / 24, abs=0.02)


def test_drift_is_named():
    rows = ["11111000", "11110000", "11100000", "11111100", "11110100", "11101000"]
    result = rs.exchangeability(rs.Trials.from_array([outcomes(s) for s in rows]))
    assert result.systems.verdict[0] == "explained"
    assert "drift over trials" in result.systems.cause[0]
    assert "apparent flicker explained by" in repr(result)


def test_alternation_is_named():
    result = rs.exchangeability(rs.Trials.from_array([outcomes("10" * 6), outcomes("01" * 6)]))
    assert "alternating outcomes" in result.systems.cause[0]


def test_a_broken_round_is_named():
    rng = np.random.default_rng(1)
    table = (rng.random((40, 5)) < 0.8).astype(int)
    table[:, 2] = rng.random(40) < 0.1
    result = rs.exchangeability(rs.Trials.from_array(table))
    assert result.systems.cause[0].startswith("rounds that differ")


def test_groups_are_named_and_order_comes_from_the_columns():
    rng = np.random.default_rng(2)
    frame = pd.DataFrame(
        [
            {"task": t, "trial": j, "group": g, "success": int(rng.random() < (0.9, 0.2)[g == "b"])}
            for t in range(20)
            for j, g in enumerate(rng.permutation(["a", "b"] * 4))
        ]
    )
    options = {"system": None, "trial": "trial", "group": "group"}
    trials = rs.Trials.from_frame(frame, **options)
    result = rs.exchangeability(trials)
    assert result.systems.cause[0].startswith("groups that differ")
    shuffled = rs.Trials.from_frame(frame.sample(frac=1.0, random_state=1), **options)
    pd.testing.assert_frame_equal(rs.exchangeability(shuffled).tests, result.tests)


def test_small_effects_are_minor():
    rng = np.random.default_rng(4)
    table = rng.random((3000, 4)) < np.array([0.45, 0.5, 0.5, 0.55])
    result = rs.exchangeability(rs.Trials.from_array(table))
    assert result.systems.verdict[0] == "minor"
    assert "explains little" in repr(result)
    assert rs.exchangeability(result_trials(table), material=0.0).systems.verdict[0] == "explained"


def result_trials(table):
    return rs.Trials.from_array(table)


def test_conditions_are_compared_within_tasks():
    rng = np.random.default_rng(6)
    chance = {"clean": 0.9, "noisy": 0.4}
    frame = pd.DataFrame(
        [
            {"task": t, "condition": c, "success": int(rng.random() < chance[c])}
            for t in range(30)
            for c in chance
            for _ in range(3)
        ]
    )
    trials = rs.Trials.from_frame(frame, system=None, condition="condition")
    result = rs.exchangeability(trials)
    assert row(result, "condition").p_value < 1e-6
    assert result.systems.system.tolist() == ["system [clean]", "system [noisy]"]
    assert "explained" not in result.systems.verdict.tolist()


def test_counts_alone_cannot_be_checked():
    trials = rs.datasets.load("tau-bench-airline-gpt4o")
    result = rs.exchangeability(trials)
    assert result.systems.verdict.tolist() == ["could not be checked"]
    assert result.systems.n_mixed.tolist() == [26]
    assert "could not be checked" in repr(result)
    assert result.tests.empty
    assert result.cells.empty


@pytest.mark.parametrize("table", [[[1]], [[0], [1]], [[1, 1], [0, 0]], [[1, None], [0, 0]]])
def test_nothing_to_explain(table):
    result = rs.exchangeability(rs.Trials.from_array(table))
    assert result.systems.verdict.tolist() == ["nothing to explain"]
    assert result.tests.p_value.isna().all()


def test_one_mixed_task_of_two_trials_says_nothing():
    result = rs.exchangeability(rs.Trials.from_array([[1, 0], [1, 1]]))
    assert result.systems.verdict[0] in ("nothing found", "nothing to explain")


def test_each_system_is_judged_alone():
    steady = [[1, 0, 1, 1, 0, 0, 1, 0]] * 6
    drifting = [[1, 1, 1, 1, 0, 0, 0, 0]] * 6
    trials = rs.Trials.from_array([steady, drifting], systems=["a", "<b>"])
    both = rs.exchangeability(trials)
    assert both.systems.set_index("system").verdict["<b>"] == "explained"
    alone = rs.exchangeability(trials.select(systems="<b>"))
    first = both.tests[both.tests.system == "<b>"].reset_index(drop=True)
    exact = first.method.isin(["exact", "log Bayes factor"])
    pd.testing.assert_frame_equal(first[exact], alone.tests[exact])
    assert "<b>" not in both._repr_html_()


def test_uneven_numbers_of_trials_and_missing_outcomes():
    frame = {
        "task": [1, 1, 1, 1, 2, 2, 2],
        "trial": [0, 1, 2, 3, 0, 1, 2],
        "success": [1, None, 0, 0, 0, 1, 1],
    }
    trials = rs.Trials.from_frame(frame, system=None, trial="trial", missing="drop")
    result = rs.exchangeability(trials)
    assert result.cells.runs.tolist() == [2, 2]
    assert row(result, "runs").statistic == 4


def test_labels_that_are_never_shared_give_way_to_places():
    frame = {"task": [1] * 4 + [2] * 4, "success": outcomes("11001100")}
    frame["trial"] = [f"id-{i:02d}" for i in range(8)]
    trials = rs.Trials.from_frame(frame, system=None, trial="trial")
    assert row(rs.exchangeability(trials), "repetition").df == 3


def test_holm():
    assert holm(np.array([0.01, 0.04, np.nan, 0.03])) == pytest.approx(
        [0.03, 0.06, np.nan, 0.06], nan_ok=True
    )


def test_judge_leads_with_the_clearest_sign():
    findings = [Finding("a", 0.01, 0.5), Finding("b", 0.001, 0.5), Finding("c", 0.9, 0.9)]
    assert judge(findings, error=0.05, material=0.1) == ("explained", "b, a")
    assert judge(findings, error=0.05, material=0.6) == ("minor", "b, a")
    assert judge(findings, error=0.0001, material=0.1) == ("nothing found", "")


def test_wrong_arguments():
    with pytest.raises(rs.ArgumentError, match="needs Trials, not list"):
        rs.exchangeability([[1, 0]])
    with pytest.raises(rs.ArgumentError, match="error must be a number in"):
        rs.exchangeability(airline(), error=2)
    with pytest.raises(rs.ArgumentError, match="rng must be"):
        rs.exchangeability(airline(), rng="now")
