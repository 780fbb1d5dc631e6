import numpy as np
import pytest
from scipy.optimize import linprog

import reliability_stats as rs
from reliability_stats.leaderboard import Leaderboard, bounds
from reliability_stats.leaderboard.figures import Figure
from reliability_stats.leaderboard.sharp import problem_of, wanted

FINE = np.unique([*np.linspace(0, 1, 1501), 0.1, 0.9])
ESTIMANDS = [
    rs.PassHatK(8),
    rs.PassAtK(10),
    rs.Gap(8),
    rs.GPassAtK(9, 0.5),
    rs.FlickerMass(),
    rs.Dependable(),
    rs.Reach(0.25),
]


def of_keys(keys, values, extra=()):
    figures = tuple(Figure(kind, k, 0, 3) for kind, k in keys)
    return problem_of(figures, np.asarray(values, dtype=float), np.eye(len(keys)), extra)


def moments(keys, points, weights):
    return [
        float(weights @ (points**k if kind == "^" else 1 - (1 - points) ** k)) for kind, k in keys
    ]


@pytest.mark.parametrize(
    "keys",
    [
        [("^", 1)],
        [("^", 1), ("^", 2)],
        [("^", 1), ("@", 10)],
        [("^", 1), ("^", 2), ("^", 3), ("^", 4)],
        [("@", 5)],
    ],
)
@pytest.mark.parametrize("estimand", ESTIMANDS, ids=lambda e: e.name)
def test_bounds_are_sharp(keys, estimand):
    """They hold for every distribution, and a distribution comes as close as a fine grid allows."""
    points = np.array([0.03, 0.3, 0.55, 0.8, 0.97])
    weights = np.array([0.2, 0.15, 0.25, 0.1, 0.3])
    values = np.array(moments(keys, points, weights))
    problem = of_keys(keys, values, (0.1, 0.25, 0.9))
    low, high = (float(b.at(values)) for b in problem.bounds(estimand, 0.0))
    truth = float(weights @ estimand.kernel(points))
    assert low - 1e-6 <= truth <= high + 1e-6
    rows = np.array(
        [
            np.ones_like(FINE),
            *np.transpose([moments(keys, np.array([p]), np.ones(1)) for p in FINE]),
        ]
    )
    kernel = estimand.kernel(FINE)
    # Thresholds count on either side: the bound is a limit that no single distribution reaches.
    near = [estimand.kernel(np.clip(FINE + step, 0, 1)) for step in (-1e-9, 1e-9)]
    reached = [
        sign * linprog(sign * envelope, A_eq=rows, b_eq=[1, *values]).fun
        for sign, envelope in ((1, np.min([kernel, *near], 0)), (-1, np.max([kernel, *near], 0)))
    ]
    assert (low, high) == pytest.approx(reached, abs=2e-5)


@pytest.mark.parametrize("slack", [0.0, 1.0])
@pytest.mark.parametrize("estimand", ESTIMANDS, ids=lambda e: e.name)
def test_bounds_hold_whatever_the_distribution(estimand, slack):
    keys = [("^", 1), ("^", 2), ("^", 3)]
    figures = tuple(Figure(kind, k, 0, 3) for kind, k in keys)
    values = np.array([0.5, 0.4, 0.35])
    axes = np.diag([20.0, 20.0, 20.0])
    problem = problem_of(figures, values, axes, (0.1, 0.25, 0.9))
    lower, upper = problem.bounds(estimand, slack)
    rng = np.random.default_rng(0)
    for _ in range(200):
        points = rng.random(4)
        weights = rng.dirichlet(np.ones(4))
        found = np.array(moments(keys, points, weights))
        value = float(weights @ estimand.kernel(points))
        assert lower.at(found) - 1e-4 <= value <= upper.at(found) + 1e-4


def test_what_figures_fix_exactly():
    problem = of_keys([("^", 1), ("^", 2)], [0.5, 0.4])
    assert problem.exact(rs.SuccessRate()).at(problem.values) == pytest.approx(0.5)
    assert problem.exact(rs.Disagreement()).at(problem.values) == pytest.approx(0.2)
    assert problem.exact(rs.PassAtK(2)).at(problem.values) == pytest.approx(0.6)
    assert problem.exact(rs.PassHatK(3)) is None
    assert problem.exact(rs.FlickerMass()) is None


def test_impossible_figures_are_moved_to_the_nearest():
    problem = of_keys([("^", 1), ("^", 2)], [0.5, 0.2])  # below .5^2
    assert problem.moved > 0.01
    assert problem.values[1] == pytest.approx(problem.values[0] ** 2, abs=1e-4)
    assert of_keys([("^", 1), ("^", 2)], [0.5, 0.3]).moved == 0


def test_reference_set(reference, ladder):
    """The set of distributions that fit gpt-4o on tau-bench airline."""
    table = bounds(
        Leaderboard.from_frame(ladder(["0.420", "0.273", "0.220", "0.200"], 50, 4)),
        [rs.FlickerMass(), rs.Dependable(), rs.PassHatK(8)],
    )
    found = table[table["identified"] == "bounds"].set_index("estimand")
    for name in ("flicker_mass", "dependable", "pass^8"):
        ends = found.loc[name, ["set_lower", "set_upper"]].tolist()
        assert ends == pytest.approx(reference["identified_set"][name], abs=1e-3)


def test_wanted_is_checked():
    assert wanted(rs.PassHatK(2)) == (rs.PassHatK(2),)
    with pytest.raises(rs.ArgumentError, match="empty"):
        wanted(None)
    with pytest.raises(rs.ArgumentError, match="estimands"):
        wanted([rs.PassHatK])
