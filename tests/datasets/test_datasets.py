"""Embedded data: figures as published, terms reachable, truth where it is known."""

import dataclasses
from importlib import resources
from itertools import product
from math import comb

import numpy as np
import pytest
from scipy import optimize, stats

import reliability_stats as rs

NAMES = rs.datasets.available()

# pass^1 .. pass^4 in https://github.com/sierra-research/tau-bench, README, airline
PUBLISHED = {
    "tau-bench-airline-gpt4o": (0.420, 0.273, 0.220, 0.200),
    "tau-bench-airline-react": (0.325, 0.233, 0.185, 0.160),
}


def histogram(name, k=4):
    return np.bincount(rs.datasets.load(name).counts.successes, minlength=k + 1).tolist()


def test_names():
    assert NAMES == (
        "tau-bench-airline-gpt4o",
        "tau-bench-airline-react",
        "researchgym",
        "rat-tumors",
        "simulated-three-systems",
    )


@pytest.mark.parametrize("name", NAMES)
def test_every_dataset_loads_and_says_what_it_is(name):
    trials, about = rs.datasets.load(name), rs.datasets.describe(name)
    assert isinstance(trials, rs.Trials)
    sizes = f"{trials.counts.n_systems} system{'s' * (trials.counts.n_systems > 1)} x "
    assert about.size.startswith(f"{sizes}{trials.counts.n_tasks} tasks")
    for field in dataclasses.fields(about):
        assert getattr(about, field.name).strip()
    assert about.url.startswith("https://")


@pytest.mark.parametrize("name", NAMES)
def test_every_dataset_has_its_file_and_no_file_is_left_over(name):
    files = {
        f.name for f in resources.files("reliability_stats.datasets").joinpath("data").iterdir()
    }
    assert files == {f"{name}.csv" for name in NAMES}


def test_fingerprints_do_not_change():
    found = {name: rs.datasets.load(name).fingerprint[:8] for name in NAMES}
    assert found == {
        "tau-bench-airline-gpt4o": "02596508",
        "tau-bench-airline-react": "f215766e",
        "researchgym": "461edfc0",
        "rat-tumors": "2902a39d",
        "simulated-three-systems": "9ebe401a",
    }


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_pass_hat_k(name):
    counts = rs.datasets.load(name).counts
    assert (counts.n == 4).all()
    for k, value in enumerate(PUBLISHED[name], 1):
        assert rs.PassHatK(k).from_counts(counts.n, counts.successes) == pytest.approx(
            value, abs=0.0005 + 1e-12
        )


def test_gpt4o_counts_by_task_id():
    trials = rs.datasets.load("tau-bench-airline-gpt4o")
    assert trials.tasks == tuple(map(str, range(50)))
    counts = trials.counts
    assert histogram("tau-bench-airline-gpt4o") == [14, 12, 10, 4, 10]
    assert counts.successes[[0, 12, 21, 49]].tolist() == [0, 4, 3, 4]
    assert np.mean((counts.successes > 0) & (counts.successes < 4)) == 0.52
    assert rs.ICC().from_counts(counts.n, counts.successes) == pytest.approx(0.40458436895885125)


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_rows_fit_one_histogram_only(name):
    target, found = PUBLISHED[name], []
    h4 = round(50 * target[3])
    for h1, h2, h3 in product(range(51 - h4), repeat=3):
        h = [50 - h1 - h2 - h3 - h4, h1, h2, h3, h4]
        if h[0] < 0:
            continue
        passes = [sum(h[c] * comb(c, k) for c in range(5)) / comb(4, k) / 50 for k in (1, 2, 3, 4)]
        if all(abs(p - t) <= 0.0005 + 1e-12 for p, t in zip(passes, target, strict=True)):
            found.append(h)
    assert found == [histogram(name)]


def test_reconstructed_tasks_cannot_be_matched_by_accident():
    react = rs.datasets.load("tau-bench-airline-react")
    real = rs.datasets.load("tau-bench-airline-gpt4o")
    assert not set(react.tasks) & set(real.tasks)
    assert "RECONSTRUCTED" in rs.datasets.describe("tau-bench-airline-react").notes


def test_rat_tumors_sums_and_last_experiment():
    counts = rs.datasets.load("rat-tumors").counts
    assert counts.n_cells == 71
    assert (counts.successes.sum(), counts.n.sum()) == (267, 1739)
    assert (counts.successes[-1], counts.n[-1]) == (4, 14)
    assert (counts.n.min(), counts.n.max()) == (10, 52)


def test_rat_tumors_maximum_likelihood():
    # Beta-binomial maximum likelihood on all 71 experiments, computed independently
    counts = rs.datasets.load("rat-tumors").counts

    def loss(x):
        return -stats.betabinom.logpmf(counts.successes, counts.n, *np.exp(x)).sum()

    best = optimize.minimize(
        loss, np.log([1.0, 5.0]), method="Nelder-Mead", options={"xatol": 1e-10, "fatol": 1e-12}
    )
    assert np.exp(best.x) == pytest.approx([2.341615, 14.114807], abs=2e-5)


def test_three_systems_truth_follows_its_formula():
    table = rs.datasets.truth("simulated-three-systems")
    counts = rs.datasets.load("simulated-three-systems").counts.to_frame()
    assert table[["system", "task"]].equals(counts[["system", "task"]])
    t = np.arange(60)
    p = {system: part["p"].to_numpy() for system, part in table.groupby("system")}
    assert p["steady"] == pytest.approx(np.where(t < 36, 0.97, 0.03))
    assert p["flickering"] == pytest.approx(0.889 - 0.01 * t)
    assert p["narrow"] == pytest.approx(np.where(t >= 48, 0.98, 0.01))
    assert p["steady"].mean() == pytest.approx(p["flickering"].mean(), abs=1e-12)
    assert rs.FlickerMass().from_p(p["flickering"]) == 1.0
    assert rs.FlickerMass().from_p(p["steady"]) == 0.0
    assert rs.Dependable().from_p(p["narrow"]) == 0.2
    assert rs.PassHatK(8).from_p(p["steady"]) > 4 * rs.PassHatK(8).from_p(p["flickering"])


def test_three_systems_counts_come_from_the_simulator():
    table = rs.datasets.truth("simulated-three-systems")
    p = {system: part["p"].to_numpy() for system, part in table.groupby("system")}
    assert rs.simulate(p, trials=8, rng=1).trials == rs.datasets.load("simulated-three-systems")


@pytest.mark.parametrize("name", [n for n in NAMES if "simulated" not in n])
def test_no_truth_of_real_data(name):
    with pytest.raises(rs.ArgumentError, match="Known is that of 'simulated-three-systems'"):
        rs.datasets.truth(name)


@pytest.mark.parametrize("ask", [rs.datasets.load, rs.datasets.describe, rs.datasets.truth])
def test_unknown_name_lists_and_suggests(ask):
    with pytest.raises(rs.ArgumentError) as error:
        ask("rat_tumours")
    assert "did you mean 'rat-tumors'?" in str(error.value)
    assert all(repr(name) in str(error.value) for name in NAMES)


def test_description_is_frozen_and_readable():
    about = rs.datasets.describe("tau-bench-airline-react")
    with pytest.raises(dataclasses.FrozenInstanceError):
        about.licence = "mine"
    lines = repr(about).splitlines()
    assert lines[0] == "tau-bench-airline-react"
    assert max(map(len, lines)) <= 79
    flat = " ".join(repr(about).split())
    for part in ("title", "citation", "url", "licence", "size", "notes"):
        assert f"{part} {getattr(about, part)}" in flat
    assert "<caption" in about._repr_html_()
    assert "pass^1" in about._repr_html_()
