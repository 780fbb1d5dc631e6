"""Flags of tasks and verdicts on systems."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import reliability_stats as rs
from reliability_stats.flicker._law import CellLaw
from reliability_stats.flicker._states import Bounds
from reliability_stats.flicker._systems import Chances, Tolerances, _verdict, several_kinds

AIRLINE = "tau-bench-airline-gpt4o"


@pytest.fixture(scope="module")
def airline_post():
    return rs.fit(rs.datasets.load(AIRLINE))


def by_wins(flags, column):
    return flags.cells.groupby("successes")[column].first()


def test_worked_example(airline_post):
    flags = rs.flag_flicker(airline_post)
    expected = [0.418, 0.866, 0.976, 0.908, 0.544]
    assert by_wins(flags, "p_flickering").tolist() == pytest.approx(expected, abs=6e-4)
    states = by_wins(flags, "state").tolist()
    undetermined, flickering = "undetermined", "flickering"
    assert states == [undetermined, undetermined, flickering, flickering, undetermined]
    assert flags.systems.flickering.tolist() == [14]
    wrong = flags.expected_wrong()
    assert wrong.labels.tolist() == [14]
    assert wrong.share[0] == pytest.approx(0.0436, abs=1e-4)


def test_worked_example_with_wider_bounds(airline_post):
    flags = rs.flag_flicker(airline_post, low=0.05, high=0.95)
    assert by_wins(flags, "state").tolist()[1:4] == ["flickering"] * 3
    assert flags.systems.flickering.tolist() == [26]
    assert flags.expected_wrong().share[0] == pytest.approx(0.0283, abs=1e-4)


def test_four_of_four_is_not_persistence(airline_post):
    flags = rs.flag_flicker(airline_post)
    assert by_wins(flags, "p_persistent")[4] == pytest.approx(0.456, abs=1e-3)
    assert by_wins(flags, "state")[4] == "undetermined"


def test_score_is_split(airline_post):
    row = rs.flag_flicker(airline_post).systems.iloc[0]
    # 10 tasks at 2/4 and 4 at 3/4 of a score of 21 tasks
    assert row.score_from_flagged == pytest.approx(8 / 21)
    draws = airline_post.to_arviz()["posterior"]["p"].to_numpy().reshape(-1, 50)
    inside = (draws > 0.1) & (draws < 0.9)
    expected = (draws * inside).sum(axis=1).mean() / draws.sum(axis=1).mean()
    assert row.score_from_flickering == pytest.approx(expected, abs=0.01)


def test_further_trials_by_simulation(airline_post):
    flags = rs.flag_flicker(airline_post)
    further = by_wins(flags, "further_trials")
    assert further[[2, 3]].isna().all()
    rng = np.random.default_rng(0)
    draws = airline_post.to_arviz()["posterior"]
    mean, icc = (draws[name].to_numpy().ravel() for name in ("mean", "icc"))
    total = 1 / icc - 1
    for wins in (1, 4):
        m = int(further[wins])
        p = rng.beta(mean * total + wins, (1 - mean) * total + 4 - wins)
        then = rng.binomial(m, p)
        settled = 0.0
        for x in range(m + 1):
            a, b = mean * total + wins + x, (1 - mean) * total + 4 - wins + m - x
            like = np.exp(stats.betabinom.logpmf(x, m, a - x, b - (m - x)))
            below, above = (
                np.average(chance, weights=like)
                for chance in (stats.beta.cdf(0.1, a, b), stats.beta.sf(0.9, a, b))
            )
            if max(below, above, 1 - below - above) >= 0.95:
                settled += np.mean(then == x)
        assert 0.45 < settled < 0.8, (wins, m)


def test_law_keeps_masses_and_means(airline_post):
    bounds = Bounds.of(0.1, 0.9, None)
    law = CellLaw.of([airline_post], bounds)
    cells = airline_post.tasks()
    mass = (law.mass @ bounds.weights(law.p).T)[law.row_of_cell]
    names = ["p_not_shown", "p_flickering", "p_persistent"]
    assert mass == pytest.approx(cells[names].to_numpy(), abs=1e-9)
    assert (law.mass @ law.p)[law.row_of_cell] == pytest.approx(cells["mean"].to_numpy(), abs=2e-3)


def test_not_shown_has_its_bound():
    trials = rs.Trials.from_counts(
        {"task": range(40), "n": [60] * 40, "successes": [0] * 30 + [60] * 10}, system=None
    )
    cells = rs.flag_flicker(rs.fit(trials)).cells
    assert (cells.state[:30] == "not shown").all()
    assert (cells.state[30:] == "persistent").all()
    bound = 1 - 0.05 ** (1 / 61)
    assert cells.note[0] == f"not shown in 60 trials; p <= {bound:.2g} with 95%"
    assert cells.note[35] == ""


def test_one_model_gives_no_verdict(airline_post):
    row = rs.flag_flicker(airline_post).systems.iloc[0]
    assert row.verdict == "undetermined (one model)"
    assert "BetaBinomial alone points to: flickering competence" in row.reason
    twice = rs.flag_flicker(airline_post, also=airline_post).systems.iloc[0]
    assert twice.verdict == "undetermined (one model)"


def test_two_models_give_one(airline_post, fit_histogram):
    flags = rs.flag_flicker(airline_post, also=fit_histogram(airline_post.trials))
    row = flags.systems.iloc[0]
    assert row.verdict == "flickering competence"
    assert row.exchangeable.startswith("could not be checked")
    assert "could not be checked" in repr(flags)
    assert flags.models.model.tolist() == ["BetaBinomial", "Histogram"]
    assert row.p_flickers == flags.models.p_flickers.min()
    each = flags.cells.p_wrong_most >= flags.cells.p_wrong - 1e-12
    assert each.all()


def test_trials_get_both_models(airline_post):
    flags = rs.flag_flicker(airline_post.trials)
    assert flags.settings["models"] == ("BetaBinomial", "GridMixture")
    assert flags.systems["verdict"].tolist() == ["flickering competence"]
    assert flags.systems["flickering"].tolist() == [26]


def simulated(p, n, rng=0, tasks=60):
    return rs.simulate(np.asarray(p, dtype=float)[:tasks], trials=n, rng=rng).trials


def verdict(trials, fit_histogram, **options):
    flags = rs.flag_flicker(rs.fit(trials), also=[fit_histogram(trials)], **options)
    return flags.systems.iloc[0]


def test_capable_and_persistent(fit_histogram):
    row = verdict(simulated([1.0] * 50 + [0.0] * 10, 16), fit_histogram)
    assert row.verdict == "capable and persistent"
    assert row.exchangeable != ""


def test_locally_persistent(fit_histogram):
    row = verdict(simulated([1.0] * 6 + [0.0] * 54, 16), fit_histogram)
    assert row.verdict == "locally persistent"
    assert row.reason.startswith("on 6 of 60 tasks: 0, 1, 2, 3, 4, 5")


def test_not_shown(fit_histogram):
    row = verdict(simulated([0.0] * 60, 8), fit_histogram)
    assert row.verdict == "not shown"
    assert row.shown == 0
    assert np.isnan(row.score_from_flagged)


def test_thin_designs_are_undetermined(fit_histogram):
    row = verdict(simulated([0.5] * 60, 3), fit_histogram)
    assert (row.verdict, row.reason[:24]) == ("undetermined", "needs at least 20 tasks ")
    assert verdict(simulated([0.5] * 60, 3), fit_histogram, min_trials=3).verdict == (
        "flickering competence"
    )
    assert (
        "19 tasks have so many" in verdict(simulated([0.5] * 60, 9, tasks=19), fit_histogram).reason
    )


def test_drift_is_not_flicker(fit_histogram):
    rng = np.random.default_rng(0)
    table = rng.random((60, 8)) < np.where(np.arange(8) < 4, 0.95, 0.05)
    trials = rs.Trials.from_array(table)
    flags = rs.flag_flicker(rs.fit(trials), also=fit_histogram(trials))
    row = flags.systems.iloc[0]
    assert row.verdict == "undetermined"
    assert row.reason.startswith("apparent flicker explained by ")
    assert row.flickering == 0
    assert row.apparent_flicker > 40
    assert "flickering" not in set(flags.cells.state)
    noted = flags.cells[flags.cells.state == "apparent flicker"].note
    assert noted.str.startswith("explained by").all()


def test_a_single_task_that_was_switched_off_is_not_flicker():
    rng = np.random.default_rng(3)
    table = (rng.random((40, 20)) < 0.5).astype(int)
    table[7] = [1] * 11 + [0] * 9
    cells = rs.flag_flicker(rs.fit(rs.Trials.from_array(table))).cells
    assert cells.state[7] == "apparent flicker"
    assert "explained by its order" in cells.note[7]
    assert (cells.state == "flickering").sum() >= 38


def test_one_trial_says_nothing():
    trials = simulated([0.5] * 60, 1)
    flags = rs.flag_flicker(rs.fit(trials))
    assert set(flags.cells.state) == {"undetermined"}
    assert flags.cells.further_trials.isna().all()
    assert flags.cells.note.eq("one trial a task says nothing about repetition").all()


@pytest.mark.parametrize("value", [0, 1])
def test_single_cell(value):
    flags = rs.flag_flicker(rs.fit(rs.Trials.from_array([[value, value]])))
    assert flags.cells.state.tolist() == ["undetermined"]
    assert flags.cells.further_trials[0] > 1
    assert flags.systems.verdict[0] == "undetermined (one model)"


def test_systems_are_labelled_alone():
    rng = np.random.default_rng(8)
    table = rng.random((2, 30, 6)) < rng.beta(0.5, 0.5, (2, 30, 1))
    trials = rs.Trials.from_array(table, systems=["a", "b & <i>"])
    both = rs.flag_flicker(rs.fit(trials)).cells
    alone = rs.flag_flicker(rs.fit(trials.select(systems="a"))).cells
    assert both.state[both.system == "a"].tolist() == alone.state.tolist()
    text = rs.flag_flicker(rs.fit(trials))._repr_html_()
    assert "b &amp; &lt;i&gt;" in text
    assert "<i>" not in text


def test_conditions_are_units():
    table = {"task": [1, 1, 2, 2], "c": ["x", "y"] * 2, "n": [9] * 4, "successes": [9, 4, 9, 5]}
    trials = rs.Trials.from_counts(table, system=None, condition="c")
    flags = rs.flag_flicker(rs.fit(trials))
    assert flags.systems.system.tolist() == ["system [x]", "system [y]"]
    assert flags.systems.flickering.tolist() == [0, 2]
    assert flags.systems.persistent.tolist() == [2, 0]
    assert flags.expected_wrong().condition.tolist() == ["x", "y"]


def test_a_perfect_grader_changes_nothing(airline_post):
    plain = rs.flag_flicker(airline_post)
    graded = rs.flag_flicker(airline_post, grader=rs.Grader(1.0, 1.0))
    columns = ["p_not_shown", "p_flickering", "p_persistent", "state"]
    pd.testing.assert_frame_equal(plain.cells[columns], graded.cells[columns])
    assert "Grader error is allowed for" in repr(graded)


def test_grader_error_moves_the_bounds(airline_post):
    graded = rs.flag_flicker(airline_post, grader=rs.Grader(0.9, 0.95)).cells
    low, high = (p * 0.9 + (1 - p) * 0.05 for p in (0.1, 0.9))
    moved = airline_post.tasks(low=low, high=high)
    for name in ("p_not_shown", "p_persistent"):
        assert graded[name].to_numpy() == pytest.approx(moved[name].to_numpy())


def test_uncertain_grader_is_averaged(airline_post):
    certain = rs.flag_flicker(airline_post, grader=rs.Grader(0.95, 0.95)).cells
    vague = rs.flag_flicker(airline_post, grader=rs.Grader(rs.Beta(950, 50), 0.95)).cells
    assert vague.p_flickering.to_numpy() == pytest.approx(certain.p_flickering.to_numpy(), abs=5e-3)
    assert rs.Grader(rs.Beta(9, 1), 1.0).rates(1.0) == pytest.approx(
        stats.beta(9, 1).ppf(np.tile([0.1, 0.3, 0.5, 0.7, 0.9], 5))
    )


def test_useless_graders_are_refused():
    with pytest.raises(rs.ArgumentError, match=r"must exceed 1 .* may be 0\.9"):
        rs.Grader(0.5, 0.4)
    with pytest.raises(rs.ArgumentError, match="sensitivity must be a number in"):
        rs.Grader(1.2, 0.9)


def test_calibrated_under_its_own_model():
    rng = np.random.default_rng(11)
    wrong = labels = 0
    size = 36
    mean, icc = rng.uniform(size=(2, size))
    total = 1 / icc - 1
    p = rng.beta((mean * total)[:, None], ((1 - mean) * total)[:, None], (size, 40))
    post = rs.fit(rs.simulate(p, trials=6, rng=rng).trials)
    cells = rs.flag_flicker(post).cells
    truth = np.select([p <= 0.1, p >= 0.9], ["not shown", "persistent"], "flickering").ravel()
    order = cells.system.str.split().str[1].astype(int) * 40 + cells.task.astype(int)
    known = cells.state != "undetermined"
    wrong, labels = (cells.state != truth[order])[known].sum(), known.sum()
    assert labels > 250
    assert wrong / labels < 0.05 + 3 * np.sqrt(0.05 * 0.95 / labels)
    inside = cells.p_wrong.between(0.2, 0.4)
    missed = (cells.likely != truth[order])[inside].mean()
    assert missed == pytest.approx(cells.p_wrong[inside].mean(), abs=0.06)


def rule(flickers, capable=1.0, dependable=0.5, checked=("nothing found", ""), **facts):
    error = np.zeros(3)
    chances = [Chances("A", f, capable, dependable, error) for f in flickers]
    row = {"p_flickers": 0, "p_dependable": 0, "persistent": 0, "persistent_on": "t1"}
    row |= {"n_tasks": 20, "n_trials": 4, "flickering": 0, **facts}
    return _verdict(row, chances, Tolerances(0.2, 0.2, 0.95, 20, 4), checked, "")


def test_rule():
    assert rule([0.96, 0.97])[0] == "flickering competence"
    assert rule([0.96, 0.90]) == (
        "undetermined",
        "models disagree: probability of flickering 0.960 under A, 0.900 under A",
    )
    assert rule([0.99, 0.99], checked=("explained", "drift"))[1].endswith("explained by drift")
    assert rule([0.99, 0.99], checked=("minor", "drift"))[0] == "flickering competence"
    assert rule([0.99, 0.99], capable=0.5)[0] == "undetermined"
    assert rule([0.02, 0.01], dependable=0.99)[0] == "capable and persistent"
    assert rule([0.02, 0.10], dependable=0.99)[0] == "undetermined"
    assert rule([0.5, 0.5], persistent=1)[0] == "locally persistent"
    assert rule([0.02, 0.02], capable=0.01)[0] == "not shown"
    assert rule([0.02, 0.02], capable=0.01, flickering=1)[0] == "undetermined"


def test_monte_carlo_error_is_respected():
    sure = Chances("A", 0.955, 1.0, 0.5, np.array([0.001, 0.0, 0.0]))
    unsure = Chances("A", 0.955, 1.0, 0.5, np.array([0.01, 0.0, 0.0]))
    assert sure.sure("flickers", 0.95)
    assert not unsure.sure("flickers", 0.95)


def test_kinds_of_models(airline_post, fit_histogram):
    other = fit_histogram(airline_post.trials)
    assert several_kinds([airline_post, other])
    assert not several_kinds([other, other])
    assert not several_kinds([airline_post])


def test_wrong_arguments(airline_post):
    with pytest.raises(rs.ArgumentError, match="needs Trials or posteriors"):
        rs.flag_flicker(airline_post.summary(rs.PassHatK(2)))
    other = rs.fit(rs.Trials.from_array([[1, 0]]))
    with pytest.raises(rs.ArgumentError, match=r"same trials, but fingerprints .* differ"):
        rs.flag_flicker(airline_post, also=other)
    with pytest.raises(rs.ArgumentError, match="low must be smaller than high"):
        rs.flag_flicker(airline_post, low=0.9, high=0.1)
    with pytest.raises(rs.ArgumentError, match="systems differ"):
        rs.flag_flicker(airline_post, check=rs.exchangeability(other.trials))
    with pytest.raises(rs.ArgumentError, match="grader must be"):
        rs.flag_flicker(airline_post, grader=0.9)
    with pytest.raises(rs.ArgumentError, match="fdr must be"):
        rs.flag_flicker(airline_post, fdr=5)
