"""Simulated trials carry the truth they were made from."""

import numpy as np
import pytest
from scipy import stats

import reliability_stats as rs
from reliability_stats import Beta, simulation


def test_array_of_p_is_kept_and_drives_the_outcomes():
    p = np.array([[1.0, 0.0, 0.5], [0.0, 1.0, 0.5]])
    result = rs.simulate(p, trials=400, systems=["a", "b"], rng=3)
    assert result.p.tolist() == p.tolist()
    assert result.trials.systems == ("a", "b")
    rates = (result.trials.counts.successes / 400).reshape(2, 3)
    assert rates[:, :2].tolist() == [[1.0, 0.0], [0.0, 1.0]]
    assert np.abs(rates[:, 2] - 0.5).max() < 0.1


def test_p_follows_labels_into_sorted_order():
    given = {"z": [1.0, 0.0, 1.0], "a": [0.0, 0.0, 1.0]}
    result = rs.simulate(given, tasks=["t10", "t9", "t1"], trials=2)
    assert result.trials.systems == ("a", "z")
    assert result.trials.tasks == ("t1", "t9", "t10")
    assert result.p.tolist() == [[1.0, 0.0, 0.0], [1.0, 0.0, 1.0]]
    frame = result.to_frame()
    assert (frame["successes"] == 2 * frame["p"]).all()
    assert frame.loc[(frame["system"] == "z") & (frame["task"] == "t10"), "p"].item() == 1.0


def test_sources_follow_systems_into_sorted_order():
    result = rs.simulate({"z": Beta(1, 1), "a": Beta(9, 1)}, tasks=5)
    assert result.sources == (Beta(9, 1), Beta(1, 1))
    truth = result.truth(rs.SuccessRate(), over="population").set_index("system")["value"]
    assert truth.to_dict() == pytest.approx({"a": 0.9, "z": 0.5})


def test_outcomes_keep_the_order_of_trials_and_stop_at_n():
    n = [[3, 1], [2, 3]]
    result = rs.simulate([[0.5, 0.5], [0.5, 0.5]], trials=n, rng=5)
    assert result.outcomes.shape == (2, 2, 3)
    assert (~np.isnan(result.outcomes)).sum(axis=2).tolist() == n
    assert np.isnan(result.outcomes[0, 1]).tolist() == [False, True, True]
    assert np.nansum(result.outcomes, axis=2).ravel().tolist() == (
        result.trials.counts.successes.tolist()
    )
    assert result.trials.counts.n.tolist() == [3, 1, 2, 3]


def test_unequal_n_follows_tasks_into_sorted_order():
    result = rs.simulate(0.5, tasks=["b", "a"], trials=[2, 7])
    assert dict(zip(result.trials.tasks, result.trials.counts.n, strict=True)) == {"a": 7, "b": 2}


@pytest.mark.parametrize("source", [Beta(2, 6), stats.beta(2, 6)])
def test_draws_have_the_moments_of_the_distribution(source):
    result = rs.simulate(source, tasks=20_000, trials=1, rng=7)
    assert result.p.mean() == pytest.approx(0.25, abs=0.005)
    assert result.p.std() == pytest.approx(np.sqrt(0.25 * 0.75 / 9), abs=0.005)
    assert result.trials.counts.successes.mean() == pytest.approx(0.25, abs=0.015)


@pytest.mark.parametrize(
    "estimand", [rs.PassHatK(4), rs.PassAtK(3), rs.Persistence(2), rs.ICC(), rs.FlickerMass()]
)
@pytest.mark.parametrize(("a", "b"), [(0.3, 0.3), (2.0, 5.0), (0.05, 0.4)])
def test_population_truth_of_scipy_agrees_with_closed_form(estimand, a, b):
    by_scipy = rs.simulate(stats.beta(a, b), tasks=2).truth(estimand, over="population")
    exact = rs.simulate(Beta(a, b), tasks=2).truth(estimand, over="population")
    assert by_scipy["value"].item() == pytest.approx(exact["value"].item(), abs=2e-5)
    assert exact["value"].item() == pytest.approx(float(estimand.from_beta(a, b)), abs=1e-12)


def test_population_truth_of_a_discrete_distribution():
    two_points = stats.rv_discrete(values=([0, 1], [0.7, 0.3]))
    result = rs.simulate(two_points, tasks=30, trials=3)
    table = result.truth([rs.PassHatK(3), rs.FlickerMass()], over="population")
    assert table["value"].tolist() == pytest.approx([0.3, 0.0], abs=1e-5)
    assert set(result.trials.counts.successes) == {0, 3}


def test_observed_truth_is_the_mean_over_the_tasks():
    result = rs.simulate({"a": [0.5, 1.0], "b": 0.0}, trials=2)
    table = result.truth([rs.PassHatK(2), rs.PassAtK(2)])
    assert table.columns.tolist() == ["estimand", "system", "over", "value"]
    assert table["value"].tolist() == [0.625, 0.0, 0.875, 0.0]
    assert set(table["over"]) == {"observed"}


def test_given_p_has_no_population():
    result = rs.simulate({"a": Beta(1, 1), "b": [0.1, 0.2]})
    with pytest.raises(rs.ArgumentError, match="'b' was given, not drawn"):
        result.truth(rs.PassHatK(2), over="population")


def test_truth_refuses_what_is_no_estimand():
    with pytest.raises(rs.ArgumentError, match="must hold estimands"):
        rs.simulate(0.5).truth(["pass^4"])


def test_names_make_systems_drawn_apart_or_sharing_one_row():
    apart = rs.simulate(Beta(1, 1), tasks=20, systems=["a", "b"])
    assert (apart.p[0] != apart.p[1]).all()
    shared = rs.simulate([0.2, 0.9], systems=["a", "b"])
    assert shared.p.tolist() == [[0.2, 0.9]] * 2


def test_default_names_and_sizes():
    assert rs.simulate(0.5).trials.systems == ("system",)
    result = rs.simulate([[0.5] * 3] * 11)
    assert result.trials.systems[-1] == "system 10"
    assert rs.simulate(Beta()).p.shape == (1, 50)
    assert "1 system x 50 tasks, 200 trials" in repr(rs.simulate(0.5))


def test_seed_decides_and_generators_move_on():
    assert rs.simulate(Beta(1, 1), rng=4).trials == rs.simulate(Beta(1, 1), rng=4).trials
    assert rs.simulate(Beta(1, 1), rng=4).trials != rs.simulate(Beta(1, 1), rng=5).trials
    rng = np.random.default_rng(4)
    assert rs.simulate(Beta(1, 1), rng=rng).trials != rs.simulate(Beta(1, 1), rng=rng).trials


def test_large_simulations_draw_counts(monkeypatch):
    monkeypatch.setattr(simulation, "MAX_OUTCOMES", 10)
    given = {"z": [1.0, 0.5, 0.0], "a": [0.0, 0.25, 1.0]}
    result = rs.simulate(given, trials=[4, 4000, 6], tasks=["c", "b", "a"])
    assert result.outcomes is None
    frame = result.to_frame()
    assert frame["n"].tolist() == [6, 4000, 4, 6, 4000, 4]
    sure = frame[frame["n"] < 10]
    assert (sure["successes"] == sure["n"] * sure["p"]).all()
    middle = frame[frame["n"] == 4000]
    assert (middle["successes"] / 4000).tolist() == pytest.approx([0.25, 0.5], abs=0.04)
    same = rs.Trials.from_counts(frame.drop(columns="p"))
    assert same == result.trials


def test_a_hundred_thousand_tasks_with_many_trials():
    result = rs.simulate(Beta(0.6, 0.9), tasks=100_000, trials=1000, rng=0)
    assert result.outcomes is None
    assert result.trials.n_trials == 10**8
    rate = result.trials.counts.successes.sum() / 10**8
    assert rate == pytest.approx(0.4, abs=0.01)


def test_arrays_are_read_only():
    result = rs.simulate(0.5)
    for array in (result.p, result.outcomes):
        with pytest.raises(ValueError, match="read-only"):
            array[...] = 0.0


def test_the_callers_array_is_not_touched():
    p = np.array([0.2, 0.8])
    rs.simulate(p)
    p[0] = 0.3
    assert p.flags.writeable


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"distribution": [0.5, 1.2]}, r"but 1.2 came at \[1\]"),
        ({"distribution": float("nan")}, "but nan came"),
        ({"distribution": "x"}, "frozen scipy.stats distribution"),
        ({"distribution": {}}, "empty mapping"),
        ({"distribution": {"a": [0.1, 0.2], "b": [0.1]}}, r"p came for \[1, 2\]"),
        ({"distribution": {"a": [[0.1]]}}, r"'a' must have shape \(tasks,\)"),
        ({"distribution": {"a": 0.1}, "systems": "x"}, "must not be given"),
        ({"distribution": []}, "must be a number or have shape"),
        ({"distribution": stats.beta}, "Freeze it first"),
        ({"distribution": stats.norm(0, 1)}, "draws of the distribution must hold"),
        ({"distribution": 0.5, "trials": 0}, "at least 1 everywhere"),
        ({"distribution": 0.5, "trials": 2.5}, "must be an integer"),
        ({"distribution": 0.5, "trials": [1, 2]}, "does not fit 1 systems x 50 tasks"),
        ({"distribution": [0.1, 0.2], "tasks": 3}, "3 tasks, but p came for 2"),
        ({"distribution": 0.5, "tasks": 0}, "at least 1"),
        ({"distribution": 0.5, "tasks": []}, "0 tasks"),
        ({"distribution": 0.5, "systems": []}, "systems is empty"),
        ({"distribution": 0.5, "rng": "x"}, "rng must be"),
    ],
)
def test_refuses(arguments, message):
    distribution = arguments.pop("distribution")
    with pytest.raises(rs.ArgumentError, match=message):
        rs.simulate(distribution, **arguments)


@pytest.mark.parametrize(
    "arguments", [{"tasks": ["a", "a"]}, {"tasks": "ab"}, {"systems": ["a", "a"]}]
)
def test_refuses_labels(arguments):
    with pytest.raises(rs.TrialDataError):
        rs.simulate(0.5, **arguments)


def test_importing_the_module_does_not_hide_the_function():
    import importlib

    importlib.import_module("reliability_stats.simulation")
    assert callable(rs.simulate)
