"""Figures printed by other software, papers and independent computations, each with its source.

`published.json` holds the figures. A row names an estimand, the way it is evaluated, and the value:

- counts: unbiased, from counts;
- plug-in: at the observed rates taken as known p;
- posterior mean, posterior sd: tasks independent, each Beta(prior + successes, prior + failures);
- beta: for p ~ Beta(a, b) over tasks;
- consistency: 1 - 2 x disagreement at the observed rates, and without bias from counts.

Left out, because the package has no such quantity among its estimands:

- scorio: best of k rewards (S30), areas under pass@k curves and geometric means of passes (S11-S15,
  S21-S25), the sd of an average (S05, S06), and normal intervals mean +- 1.96 sd cut at 0 and 1
  (S21-S25: mean and sd are checked, the ends follow from them); maj@k is here as G-Pass@k with a
  threshold above one half;
- passwedge: entropy of action windows (P23), z test of two proportions (P24);
- agentrel: numbers of runs (A04: planning); of the six figures of A01 the others are steps towards
  the correlation.

Elsewhere: intervals (A03, E1_*) in `intervals.json`; Bayes@N (S02-S04), evalpower (E01, E1_*, E20,
E21, E22), the moment estimate of the ICC (T01), HAL's trajectories, confidence, ratios and safety
(H10-H18) and METR (M01, M02) in `tests/compat`.
"""

import json
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

import reliability_stats.estimands as home
from reliability_stats.estimands import Dependable, Disagreement, FlickerMass, Reach

CASES = json.loads((Path(__file__).parent / "published.json").read_text(encoding="utf-8"))
ROWS = [(case, row) for case in CASES for row in case["rows"]]


def made(text):
    """Make an estimand from its text, with fractions such as 2/3 as floats."""
    name, arguments = text.rstrip(")").split("(")
    numbers = [
        float(Fraction(item)) if not item.isdigit() else int(item)
        for item in arguments.split(",")
        if item
    ]
    return getattr(home, name)(*numbers)


def counts_of(case):
    """Trials and successes of each task."""
    counts = case["counts"]
    if "histogram" in counts:
        tasks = counts["histogram"]
        successes = np.repeat(np.arange(len(tasks)), tasks)
        return np.full(len(successes), len(tasks) - 1), successes
    return np.array(counts["n"]), np.array(counts["successes"])


def evaluated(case, estimand, way):
    if way == "beta":
        return estimand.from_beta(*case["beta"])
    if "consistency" in way:
        assert isinstance(estimand, Disagreement)
    if "p" in case:
        return 1 - 2 * estimand.from_p(case["p"])
    n, y = counts_of(case)
    if way == "consistency":
        return 1 - 2 * estimand.from_p(y / n)
    if way == "unbiased consistency":
        return 1 - 2 * estimand.from_counts(n, y)
    if way == "counts":
        return estimand.from_counts(n, y)
    if way == "plug-in":
        return estimand.from_p(y / n)
    a, b = case["prior"]
    first = estimand.from_beta(a + y, b + n - y)
    if way == "posterior mean":
        return first.mean()
    assert way == "posterior sd"
    return np.sqrt((estimand.square_from_beta(a + y, b + n - y) - first**2).sum()) / len(n)


@pytest.mark.parametrize(
    ("case", "row"), ROWS, ids=[f"{case['id']}: {row[0]}, {row[1]}" for case, row in ROWS]
)
def test_published_figure(case, row):
    text, way, value = row[:3]
    digits = row[3] if len(row) > 3 else case.get("digits")
    tolerance = 1e-12 if digits is None else 0.51 * 10.0**-digits
    assert evaluated(case, made(text), way) == pytest.approx(value, abs=tolerance), case["source"]


def test_published_intervals_hold_their_mass():
    (case,) = [case for case in CASES if "intervals" in case]
    n, (a, b) = case["intervals"]["n"], case["prior"]
    assert len(case["intervals"]["ends"]) == 9
    for successes, (lower, upper) in case["intervals"]["ends"].items():
        posterior = a + int(successes), b + n - int(successes)
        assert Reach(lower).from_beta(*posterior) == pytest.approx(0.975, abs=1e-12)
        assert Dependable(upper).from_beta(*posterior) == pytest.approx(0.025, abs=1e-12)
        assert FlickerMass(lower, upper).from_beta(*posterior) == pytest.approx(0.95, abs=1e-12)


MOMENTS = [
    # pass^1, pass^2; pass^3, pass^4 of the beta distribution through them (computed independently)
    (0.692, 0.576, 0.509673, 0.464977),
    (0.626, 0.506, 0.440790, 0.398005),
    (0.460, 0.326, 0.260980, 0.221406),
    (0.42, 0.42 * 0.650794, 0.205053, 0.165180),
    (0.325, 0.70 / 3, 0.191737, 0.166749),
    (0.365, 0.65 / 3, 0.151923, 0.116028),
]


@pytest.mark.parametrize(("first", "second", "third", "fourth"), MOMENTS)
def test_beta_through_two_published_moments(first, second, third, fourth):
    """tau-bench README, retail and airline: what a beta distribution makes of pass^1 and pass^2."""
    total = (first - second) / (second - first**2)
    a, b = first * total, (1 - first) * total
    for k, value in ((1, first), (2, second), (3, third), (4, fourth)):
        assert home.PassHatK(k).from_beta(a, b) == pytest.approx(value, abs=2e-6)


def test_every_figure_names_its_source():
    ids = [case["id"] for case in CASES]
    assert len(set(ids)) == len(ids)
    assert all(len(case["source"]) > 5 for case in CASES)
