"""Plans foretell what evaluations then give."""

from __future__ import annotations

import numpy as np
import pytest

import reliability_stats as rs


def test_realised_widths_are_those_planned():
    pilot = rs.fit(rs.datasets.load("tau-bench-airline-gpt4o"))
    estimands = [rs.PassHatK(4), rs.PassAtK(4)]
    made = rs.plan(pilot, tasks=40, trials=4, estimands=estimands, simulations=150, rng=1)
    # evaluations simulated apart: truths from the pilot's draws, tasks and trials by hand
    draws = pilot.to_arviz(draws=150, chains=1, cells=False)["posterior"]
    rng = np.random.default_rng(9)
    outcomes = []
    for mean, icc in zip(draws["mean"].values.ravel(), draws["icc"].values.ravel(), strict=True):
        total = 1 / icc - 1
        p = rng.beta(mean * total, (1 - mean) * total, size=40)
        outcomes.append(rng.random((40, 4)) < p[:, None])
    post = rs.fit(rs.Trials.from_array(outcomes))
    table = post.summary(estimands)
    for name, row in made.frame.set_index("estimand").iterrows():
        part = table[table["estimand"] == name]
        widths = (part["upper"] - part["lower"]).to_numpy()
        error = np.hypot(row["error"], widths.std() / np.sqrt(len(widths)))
        assert abs(widths.mean() - row["width"]) < 4 * error


def test_more_tasks_and_trials_narrow_intervals():
    made = rs.plan(tasks=[20, 80], trials=[2, 8], estimands=rs.PassHatK(2), simulations=60)
    width = made.frame.set_index(["tasks", "trials"])["width"]
    assert width[80, 2] < width[20, 2]
    assert width[80, 8] < width[80, 2]
    settled = made.frame.set_index(["tasks", "trials"])["settled"]
    assert settled[80, 8] > settled[80, 2]


def test_one_trial_tells_nothing_of_repetition():
    estimands = [rs.SuccessRate(), rs.PassHatK(4)]
    made = rs.plan(tasks=10, trials=[1, 2, 4], estimands=estimands, simulations=5)
    told = made.frame.set_index(["trials", "estimand"])["identified"]
    assert told[1, "success_rate"] == "yes"
    assert list(told.xs("pass^4", level="estimand")) == ["no", "model", "yes"]


def test_budget_decides_the_number_of_tasks():
    made = rs.plan(
        budget=120,
        trials=[1, 4],
        cost_task=2,
        cost_trial=1,
        estimands=rs.SuccessRate(),
        simulations=5,
    )
    assert made.frame[["tasks", "trials", "cost"]].to_numpy().tolist() == [
        [40, 1, 120],
        [20, 4, 120],
    ]


def test_best_respects_the_budget():
    made = rs.plan(tasks=[10, 20, 40], trials=2, estimands=rs.SuccessRate(), simulations=30)
    assert made.best(rs.SuccessRate())["tasks"] == 40
    assert made.best("success_rate", budget=45)["tasks"] == 20
    with pytest.raises(rs.ArgumentError, match="No design costs at most 3; the cheapest costs 20"):
        made.best("success_rate", budget=3)
    with pytest.raises(rs.ArgumentError, match="was not planned for"):
        made.best(rs.ICC())


def test_seed_decides():
    options = {"tasks": 10, "trials": 2, "simulations": 10}
    first, again = (rs.plan(rng=3, **options).frame for _ in range(2))
    assert first.equals(again)
    assert not first.equals(rs.plan(rng=4, **options).frame)


def test_shows_itself():
    made = rs.plan(tasks=10, trials=2, simulations=5, progress=True)
    assert "truths from the prior" in repr(made)
    assert "<table" in made._repr_html_()
    assert list(made.frame["estimand"]) == ["success_rate", "pass@2", "pass^2", "gap@2"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "Give tasks=..., or budget="),
        ({"tasks": 0}, "tasks must be an integer of at least 1"),
        ({"tasks": []}, "tasks is empty"),
        ({"tasks": 5, "trials": 1.5}, "trials must be an integer"),
        ({"budget": -1}, "budget must be a finite number above 0"),
        ({"budget": 3, "trials": 4}, "does not pay for one task with 4 trials, which costs 4"),
        ({"tasks": 5, "cost_trial": -1}, "cost_trial must be a finite number"),
        ({"tasks": 5, "simulations": 1}, "simulations must be an integer of at least 2"),
        ({"tasks": 5, "pilot": "x"}, "pilot must be a Posterior or BetaBinomial"),
        ({"budget": 5, "trials": 1, "cost_trial": 0}, "must cost something"),
    ],
)
def test_wrong_arguments(options, message):
    with pytest.raises(rs.ArgumentError, match=message):
        rs.plan(**options)


def test_pilots_with_several_systems_need_a_name():
    pilot = rs.fit(rs.datasets.load("simulated-three-systems"))
    with pytest.raises(rs.ArgumentError, match="has 3 systems; name one"):
        rs.plan(pilot, tasks=5)
    with pytest.raises(rs.ArgumentError, match="has no system 'x'"):
        rs.plan(pilot, tasks=5, system="x")
    made = rs.plan(pilot, tasks=5, trials=2, system="steady", simulations=5)
    assert made.source == "the posterior of 'steady'"


def test_priors_that_cannot_be_drawn_from():
    model = rs.BetaBinomial(log_prior=lambda mean, icc: 0 * mean)
    with pytest.raises(rs.ArgumentError, match="only from Beta priors"):
        rs.plan(model, tasks=5)
