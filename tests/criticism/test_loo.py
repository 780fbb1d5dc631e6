"""Leave-one-task-out against published figures and against leaving out for real."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import reliability_stats as rs
from reliability_stats.criticism.loo import ALL, leave_one_out
from reliability_stats.inference.checks import LeftOut
from reliability_stats.inference.left_out import Rows, evidence


def trials_of(n, successes, system="s"):
    successes = np.asarray(successes)
    table = {"system": [system] * len(successes), "task": np.arange(len(successes))}
    return rs.Trials.from_counts(
        table | {"n": np.broadcast_to(n, len(successes)), "successes": successes}
    )


# elpd and log evidence from an independent quadrature of both models
PUBLISHED = {
    "gpt-4o": (-81.036, -82.636, -97.576, -98.400),
    "gpt-4o ReAct": (-70.028, -71.660, -102.995, -103.590),
}


@pytest.mark.parametrize("system", PUBLISHED)
def test_equals_the_figures_of_an_independent_quadrature(airline_histograms, system):
    trials = trials_of(4, np.repeat(np.arange(5), airline_histograms[system]))
    for model, elpd, log_evidence in (
        (rs.BetaBinomial(), *PUBLISHED[system][:2]),
        (rs.BetaBinomial.one_rate(), *PUBLISHED[system][2:]),
    ):
        post = rs.fit(trials, model)
        assert post.loo().elpd == pytest.approx(elpd, abs=6e-4)
        assert post.log_evidence.iloc[0] == pytest.approx(log_evidence, abs=6e-4)


def test_one_rate_equals_the_binomial_in_closed_form():
    from scipy.special import betaln, gammaln

    n, y = np.array([3, 5, 2, 9]), np.array([1, 5, 0, 4])
    post = rs.fit(trials_of(n, y), rs.BetaBinomial.one_rate(rs.Beta(2, 3)))

    def log_marginal(n, y):
        choose = gammaln(n + 1) - gammaln(y + 1) - gammaln(n - y + 1)
        return choose.sum() + betaln(2 + y.sum(), 3 + (n - y).sum()) - betaln(2, 3)

    whole = log_marginal(n, y)
    left = [whole - log_marginal(np.delete(n, i), np.delete(y, i)) for i in range(4)]
    np.testing.assert_allclose(post.loo().pointwise["elpd"], left, atol=1e-6)


AWKWARD = {
    "unequal": ([3, 7, 1, 20, 400], [0, 7, 1, 3, 399]),
    "one task decides": ([1000] * 5 + [1], [0, 0, 0, 0, 1000, 1]),
    "all fail": ([5] * 8, [0] * 8),
    "all pass": ([5] * 8, [5] * 8),
    "two tasks apart": ([4, 4], [0, 4]),
    "one trial a task": ([1] * 10, [1, 0, 1, 1, 0, 0, 1, 1, 1, 0]),
    "usual": ([8] * 12, [0, 0, 8, 3, 5, 8, 8, 1, 0, 2, 8, 7]),
}


@pytest.mark.parametrize("case", AWKWARD)
def test_equals_leaving_each_task_out_for_real(case):
    n, y = map(np.array, AWKWARD[case])
    post = rs.fit(trials_of(n, y))
    whole = post.log_evidence.iloc[0]
    real = [
        whole - rs.fit(trials_of(np.delete(n, i), np.delete(y, i))).log_evidence.iloc[0]
        for i in range(len(n))
    ]
    np.testing.assert_allclose(post.loo().pointwise["elpd"], real, atol=1e-7)


def test_a_single_task_is_predicted_by_the_prior():
    loo = rs.fit(trials_of([1], [1])).loo()
    assert loo.elpd == pytest.approx(np.log(0.5), abs=1e-8)
    assert np.isnan(loo.se)


def test_inside_is_the_posterior_predictive_density():
    post = rs.fit(trials_of(1, [1, 1, 0, 1, 0]))
    mean = post.summary(rs.SuccessRate())["mean"].iloc[0]
    inside = post.loo().pointwise["inside"]
    np.testing.assert_allclose(np.exp(inside), [mean, mean, 1 - mean, mean, 1 - mean], atol=1e-6)


def test_each_system_by_itself(airline):
    both = rs.fit(airline).loo()
    assert both.table["system"].tolist() == list(airline.counts.units)
    assert both.table["elpd"].to_numpy() == pytest.approx([-81.036, -70.028], abs=6e-4)
    assert both.elpd == pytest.approx(both.table["elpd"].sum())
    assert both.table["tasks"].tolist() == [50, 50]
    assert "exact" in repr(both)
    values = both.pointwise.loc[both.pointwise["system"] == "gpt-4o", "elpd"]
    assert both.table["se"].iloc[0] == pytest.approx(np.sqrt(50) * values.std())


def test_conditions_are_apart():
    table = {"system": ["a"] * 4, "task": ["x", "y"] * 2, "condition": ["c", "c", "d", "d"]}
    table |= {"n": [3] * 4, "successes": [1, 2, 3, 0]}
    loo = rs.fit(rs.Trials.from_counts(table, condition="condition")).loo()
    assert loo.pointwise["system"].tolist() == ["a [c]", "a [c]", "a [d]", "a [d]"]
    assert loo.pointwise["task"].tolist() == ["x", "y", "x", "y"]


def test_an_improper_posterior_without_a_task_is_an_error():
    def prior(mean, icc):
        return -np.log(mean) - np.log1p(-mean) + 0 * icc

    post = rs.fit(trials_of(3, [3, 0]), rs.BetaBinomial(log_prior=prior))
    with pytest.raises(rs.ModelError, match=r"system 's' without task '[01]' is improper"):
        post.loo()


class Shared:
    """An engine in which systems share tasks."""

    def describe(self):
        return "chains"

    def leave_out(self):
        return LeftOut(
            np.array([0, 1, 0, 1]), np.array([-1.0, -3]), np.array([-0.5, -2]), np.array([0.2, 0.9])
        )


def test_groups_across_systems_are_one_block():
    trials = rs.Trials.from_array([[[1, 0], [1, 1]], [[0, 0], [0, 1]]], systems=["a", "b"])
    loo = leave_one_out(trials, Shared())
    assert loo.table.to_dict("records")[0] == {
        "system": ALL,
        "tasks": 2,
        "elpd": -4.0,
        "se": pytest.approx(2.0),
        "p_loo": pytest.approx(1.5),
        "pareto_k": 0.9,
    }
    assert loo.pointwise["task"].tolist() == ["0", "1"]
    assert "1 task with Pareto k above 0.7" in repr(loo)


class Silent:
    def describe(self):
        return "a guess"


def test_models_without_such_densities_say_so():
    trials = rs.Trials.from_array([[1, 0]])
    with pytest.raises(rs.ModelError, match=r"loo is not available .* \(a guess\)"):
        leave_one_out(trials, Silent())


def test_evidence_of_a_lattice_of_its_own():
    post = rs.fit(trials_of(4, [0, 1, 4]))
    engine = post.engine
    rows = Rows.of(engine.distinct)
    assert len(rows.distinct) == 3
    again = evidence(engine.density, 1, engine.reach, lambda i: "it")
    assert again[0] == pytest.approx(post.log_evidence.iloc[0], abs=1e-8)


def test_order_of_rows_does_not_matter():
    frame = pd.DataFrame({"system": "s", "task": list("edcba"), "n": 4, "successes": range(5)})
    straight = rs.fit(rs.Trials.from_counts(frame)).loo().pointwise
    turned = rs.fit(rs.Trials.from_counts(frame.iloc[::-1])).loo().pointwise
    pd.testing.assert_frame_equal(straight, turned)
