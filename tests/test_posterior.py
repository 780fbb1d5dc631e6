"""The result of a fit, as a user meets it."""

from __future__ import annotations

import copy

import numpy as np
import pandas as pd
import pytest

import reliability_stats as rs


@pytest.fixture(scope="module")
def airline():
    return rs.datasets.load("tau-bench-airline-gpt4o")


@pytest.fixture(scope="module")
def post(airline):
    return rs.fit(airline, rng=1)


@pytest.fixture(scope="module")
def conditions():
    rng = np.random.default_rng(0)
    table = pd.DataFrame(
        [
            (system, task, condition, 3, rng.integers(0, 4))
            for system in ("a", "b")
            for task in range(8)
            for condition in ("plain", "perturbed")
            if (system, condition) != ("b", "perturbed")
        ],
        columns=["system", "task", "condition", "n", "successes"],
    )
    return rs.fit(rs.Trials.from_counts(table, condition="condition"))


SCHEMA = "estimand system over mean sd lower upper prob interval identified ess_bulk r_hat"


def test_summary_schema(post):
    table = post.summary()
    assert list(table.columns) == SCHEMA.split()
    assert list(table["estimand"]) == [
        "success_rate",
        "pass@4",
        "pass^4",
        "gap@4",
        "persistence@1",
        "icc",
        "flicker_mass",
    ]
    assert set(table["over"]) == {"population"}
    assert set(table["interval"]) == {"eti"}
    assert set(table["prob"]) == {0.95}
    assert table[["ess_bulk", "r_hat"]].isna().all(axis=None)
    assert (table["lower"] < table["mean"]).all()
    assert (table["mean"] < table["upper"]).all()


def test_identification_is_told_in_every_row(post):
    table = post.summary([rs.PassHatK(4), rs.PassHatK(5), rs.FlickerMass(), rs.Dependable()])
    assert list(table["identified"]) == ["yes", "model", "model", "model"]


def test_one_estimand_needs_no_list(post):
    pd.testing.assert_frame_equal(post.summary(rs.ICC()), post.summary([rs.ICC()]))


def test_narrower_intervals_lie_inside(post):
    wide, narrow = (post.summary(prob=prob) for prob in (0.95, 0.5))
    assert (wide["lower"] < narrow["lower"]).all()
    assert (narrow["upper"] < wide["upper"]).all()


def test_gap_is_capability_minus_reliability(post):
    for over in ("population", "observed"):
        mean = post.summary([rs.PassAtK(4), rs.PassHatK(4), rs.Gap(4)], over=over)["mean"]
        assert mean[0] - mean[1] == pytest.approx(mean[2], abs=1e-10)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda p: p.summary(over="sample"), "over must be one of 'population', 'observed'"),
        (lambda p: p.summary(prob=95), "did you mean 0.95"),
        (lambda p: p.summary("pass^4"), "estimands"),
        (lambda p: p.summary(rs.ICC), "parentheses"),
        (lambda p: p.draws(rs.ICC(), draws=0), "draws must be an integer of at least 1"),
        (lambda p: p.draws(rs.ICC(), chains=2.5), "chains must be an integer"),
        (lambda p: p.tasks(low=0.9, high=0.1), "low must be smaller than high"),
        (lambda p: p.to_arviz(draws=10**6), "cells=False"),
    ],
)
def test_wrong_arguments(post, call, message):
    with pytest.raises(rs.ArgumentError, match=message):
        call(post)


def test_tasks_table(post, airline):
    cells = post.tasks()
    names = "system task n successes mean sd lower upper p_not_shown p_flickering p_persistent"
    assert list(cells.columns) == names.split()
    assert len(cells) == 50
    states = cells[["p_not_shown", "p_flickering", "p_persistent"]]
    np.testing.assert_allclose(states.sum(axis=1), 1, atol=1e-9)
    order = cells.sort_values("successes")["mean"]
    assert order.is_monotonic_increasing
    assert cells["successes"].sum() == 84


def test_tasks_mean_is_the_posterior_mean_over_observed_tasks(post):
    overall = post.summary(rs.SuccessRate(), over="observed")["mean"].iloc[0]
    assert post.tasks()["mean"].mean() == pytest.approx(overall, abs=1e-7)


def test_tasks_thresholds_move_the_states(post):
    strict, lax = post.tasks(high=0.99), post.tasks(high=0.6)
    assert (strict["p_persistent"] < lax["p_persistent"]).all()


def test_draws_have_the_dims_of_arviz(post):
    one = post.draws(rs.PassHatK(4))
    assert one.dims == ("chain", "draw", "system")
    assert one.shape == (4, 1000, 1)
    assert one.name == "pass^4"
    several = post.draws([rs.PassHatK(4), rs.ICC()], draws=10, chains=2)
    assert set(several.data_vars) == {"pass^4", "icc"}
    assert several["icc"].shape == (2, 10, 1)


@pytest.mark.parametrize("over", ["population", "observed"])
def test_separate_draws_are_joint(post, over):
    together = post.draws([rs.PassAtK(4), rs.PassHatK(4)], over=over)
    for estimand in (rs.PassHatK(4), rs.PassAtK(4)):
        alone = post.draws(estimand, over=over)
        np.testing.assert_array_equal(alone, together[estimand.name])
    gap = post.draws(rs.Gap(4), over=over)
    np.testing.assert_allclose(gap, together["pass@4"] - together["pass^4"], atol=1e-12)


def test_seed_decides_the_draws(airline, post):
    again, other = rs.fit(airline, rng=1), rs.fit(airline, rng=2)
    first = post.draws(rs.ICC(), draws=50)
    np.testing.assert_array_equal(first, again.draws(rs.ICC(), draws=50))
    assert not np.array_equal(first, other.draws(rs.ICC(), draws=50))


def test_to_arviz(post, airline):
    data = post.to_arviz(draws=100)
    posterior, observed = data["posterior"], data["observed_data"]
    assert posterior["mean"].dims == ("chain", "draw", "system")
    assert posterior["p"].dims == ("chain", "draw", "system", "task")
    assert list(posterior["task"].to_numpy()) == list(airline.tasks)
    assert observed["successes"].sum() == 84
    cells = post.tasks()["mean"].to_numpy()
    drawn = posterior["p"].mean(("chain", "draw")).to_numpy()[0]
    np.testing.assert_allclose(drawn, cells, atol=0.06)
    assert posterior.attrs["inference_library"] == "reliability_stats"
    assert "p" not in post.to_arviz(draws=10, cells=False)["posterior"]


def test_arviz_summarises_what_it_is_given(post):
    import arviz as az

    table = az.summary(post.to_arviz(cells=False), var_names=["mean", "icc"], round_to="none")
    exact = post.summary([rs.SuccessRate(), rs.ICC()])["mean"].to_numpy()
    np.testing.assert_allclose(table["mean"].to_numpy(float), exact, atol=0.01)


def test_unrun_cells_are_nan_for_arviz():
    trials = rs.Trials.from_counts(
        {"system": ["a", "a", "b"], "task": [1, 2, 1], "n": [3, 3, 3], "successes": [1, 2, 3]}
    )
    p = rs.fit(trials).to_arviz(draws=5)["posterior"]["p"]
    assert np.isnan(p.sel(system="b", task="2")).all()
    assert not np.isnan(p.sel(system="b", task="1")).any()


def test_conditions_are_fitted_separately(conditions):
    assert conditions.systems == ("a [perturbed]", "a [plain]", "b [plain]")
    table = conditions.summary(rs.SuccessRate())
    assert list(table["system"]) == list(conditions.systems)
    cells = conditions.tasks()
    assert "condition" in cells
    assert len(cells) == 24
    assert conditions.to_arviz(draws=5)["posterior"]["p"].shape == (4, 5, 3, 8)


def test_log_evidence_is_a_series(conditions):
    evidence = conditions.log_evidence
    assert list(evidence.index) == list(conditions.systems)
    assert (evidence < 0).all()


def test_remembers_where_it_comes_from(post, airline):
    info = post.sampler_info
    assert info["fingerprint"] == airline.fingerprint
    assert info["versions"]["reliability_stats"] == rs.__version__
    assert {"method", "nodes", "tol", "seed"} <= set(info)
    with pytest.raises(TypeError):
        info["seed"] = 3
    with pytest.raises(AttributeError):
        post.trials = None


def test_is_copied_whole(post):
    twin = copy.deepcopy(post)
    pd.testing.assert_frame_equal(twin.summary(), post.summary())


def test_shows_itself(post):
    text = repr(post)
    assert "BetaBinomial" in text
    assert "50 tasks" in text
    assert "quadrature" in text
    trials = rs.Trials.from_counts({"system": ["<b>&x"], "task": ["t"], "n": [4], "successes": [2]})
    html = rs.fit(trials)._repr_html_()
    assert "<b>" not in html


def test_one_trial_rows_warn_and_say_no():
    trials = rs.Trials.from_counts(
        {"system": ["a"] * 5, "task": range(5), "n": [1] * 5, "successes": [0, 1, 1, 0, 1]}
    )
    post = rs.fit(trials)
    with pytest.warns(rs.IdentifiabilityWarning, match=r"pass\^3, icc"):
        table = post.summary([rs.SuccessRate(), rs.PassHatK(3), rs.ICC()])
    assert list(table["identified"]) == ["yes", "no", "no"]
    observed = post.summary(rs.SuccessRate(), over="observed")
    assert list(observed["identified"]) == ["model"]


def test_names_with_every_kind_of_character():
    names = ["a,b", "ü…", "<i>", "$x_1%&", "ナ"]
    trials = rs.Trials.from_counts(
        {"system": names, "task": ["t"] * 5, "n": [4] * 5, "successes": [0, 1, 2, 3, 4]}
    )
    post = rs.fit(trials)
    assert set(post.summary(rs.SuccessRate())["system"]) == set(names)
    assert set(post.draws(rs.ICC(), draws=3)["system"].to_numpy()) == set(names)
