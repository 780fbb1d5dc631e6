"""The noise floor: by hand, against simulation, and where a score leaves a range."""

from __future__ import annotations

import numpy as np
import pytest

import reliability_stats as rs
from reliability_stats.planning.floor import FRESH, RERUN, RIVAL

Z = 1.959964


def test_by_hand_from_a_score():
    table = rs.noise_floor(0.42, n_tasks=50).set_index("comparison")
    largest = Z * np.sqrt(2 * 0.42 * 0.58 / 50) + 0.01
    assert table.loc[RERUN, ["lower", "upper"]].tolist() == pytest.approx([0, largest])
    assert table.loc[FRESH, "floor"] == pytest.approx(largest)
    assert table.loc[RIVAL, "upper"] == pytest.approx(Z * np.sqrt(2 * 0.42 / 50) + 0.01)
    assert table["identified"].tolist() == ["bounds", "yes", "bounds"]
    assert np.isnan(table.loc[RERUN, "floor"])


def test_several_trials_leave_a_range_for_other_tasks_too():
    row = rs.noise_floor(0.5, n_tasks=100, n_trials=4).set_index("comparison").loc[FRESH]
    assert row["identified"] == "bounds"
    assert (row["lower"], row["upper"]) == pytest.approx(
        (Z * np.sqrt(0.5 / 400) + 1 / 800, Z * np.sqrt(0.005) + 1 / 800)
    )


def test_a_known_correlation_settles_it():
    table = rs.noise_floor(0.5, n_tasks=100, n_trials=4, icc=0.6).set_index("comparison")
    assert table.loc[RERUN, "floor"] == pytest.approx(Z * np.sqrt(2 * 0.1 / 400) + 1 / 800)
    assert table.loc[FRESH, "floor"] == pytest.approx(
        Z * np.sqrt(2 * (0.15 + 0.1 / 4) / 100) + 1 / 800
    )
    assert rs.noise_floor(0.5, n_tasks=9, icc=1.0)["floor"].iloc[0] == 0.0


@pytest.mark.parametrize("score", [0.0, 1.0])
def test_a_score_at_an_end_has_no_noise_to_show(score):
    assert (rs.noise_floor(score, n_tasks=10)["upper"] == 0).all()


def test_bounds_are_reached():
    # one p for all tasks is the noisiest rerun; opposed certain tasks are the worst rivals
    rng = np.random.default_rng(2)
    table = rs.noise_floor(0.3, n_tasks=400).set_index("comparison")["upper"]
    rerun = rng.binomial(400, 0.3, 20_000) - rng.binomial(400, 0.3, 20_000)
    kind = rng.choice(3, p=[0.3, 0.3, 0.4], size=(20_000, 400))
    rival = (kind == 0).sum(axis=1) - (kind == 1).sum(axis=1)
    for name, found in ((RERUN, rerun), (RIVAL, rival)):
        assert np.quantile(np.abs(found) / 400, 0.95) == pytest.approx(table[name], abs=0.004)


def test_a_fit_foretells_reruns():
    rng = np.random.default_rng(3)
    p = rng.beta(0.5, 0.5, 300)
    post = rs.fit(rs.Trials.from_array(rng.random((300, 8)) < p[:, None]))
    table = rs.noise_floor(post, n_trials=2).set_index("comparison")
    runs = rng.binomial(2, p, (2, 5000, 300)).mean(axis=2) / 2
    assert np.quantile(np.abs(runs[0] - runs[1]), 0.95) == pytest.approx(
        table.loc[RERUN, "floor"], rel=0.1
    )
    assert table.loc[RERUN, "floor"] < table.loc[FRESH, "floor"]
    assert table["identified"].tolist() == ["yes", "yes", "model"]


def test_one_trial_does_not_tell():
    post = rs.fit(rs.Trials.from_array(np.eye(20)[:, :1]))
    table = rs.noise_floor(post)
    assert table["identified"].tolist() == ["no", "yes", "model"]


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        ((1.2,), {"n_tasks": 5}, r"source must be a number in \[0, 1\]"),
        ((0.5,), {}, "Give n_tasks"),
        ((0.5,), {"n_tasks": 0}, "n_tasks must be an integer"),
        ((0.5,), {"n_tasks": 5, "icc": 2}, "icc must be a number"),
        ((0.5,), {"n_tasks": 5, "system": "a"}, "system goes with a Posterior"),
    ],
)
def test_wrong_arguments(arguments, options, message):
    with pytest.raises(rs.ArgumentError, match=message):
        rs.noise_floor(*arguments, **options)


def test_fits_of_several_systems_need_a_name():
    post = rs.fit(rs.datasets.load("simulated-three-systems"))
    with pytest.raises(rs.ArgumentError, match="has 3 systems; name one"):
        rs.noise_floor(post)
    with pytest.raises(rs.ArgumentError, match="no system 'x'"):
        rs.noise_floor(post, system="x")
    with pytest.raises(rs.ArgumentError, match="has its own"):
        rs.noise_floor(post, system="steady", icc=0.5)
    floors = [
        rs.noise_floor(post, system=name)["floor"].iloc[0] for name in ("steady", "flickering")
    ]
    assert floors[0] < floors[1]
