"""Bayes@N: figures of scorio, and moments by sampling."""

import numpy as np
import pytest

import reliability_stats as rs
from reliability_stats import compat

BINARY = [[0, 1, 1, 0, 1], [1, 1, 0, 1, 1]]
GRADED = [[0, 1, 2, 2, 1], [1, 1, 0, 2, 2]]
WEIGHTS = [0, 0.5, 1.0]


def test_figures_of_scorio():
    """scorio: docstrings of eval/bayes.py and README."""
    found = compat.bayes_at_n(BINARY)
    figures = [found.mean, found.sd, found.lower, found.upper]
    published = [0.6428571428571428, 0.11845088536983571, 0.4106976735953824, 0.8750166121189031]
    np.testing.assert_allclose(figures, published, rtol=1e-12)
    graded = compat.bayes_at_n(GRADED, weights=WEIGHTS)
    np.testing.assert_allclose([graded.mean, graded.sd], [0.5625, 0.0919975090242484], rtol=1e-12)
    more = compat.bayes_at_n(GRADED, weights=WEIGHTS, prior_results=[[0, 2], [1, 2]])
    np.testing.assert_allclose([more.mean, more.sd], [0.575, 0.08427498280790524], rtol=1e-12)


def test_tau_bench_airline():
    """Scorio, on historical_trajectories/gpt-4o-airline.json of tau-bench."""
    trials = rs.datasets.load("tau-bench-airline-gpt4o")
    table = compat.bayes_at_n_summary(trials)
    assert list(table.columns) == list(rs.estimate(trials).columns)
    (row,) = table.to_dict("records")
    figures = [row["mean"], row["sd"]]
    np.testing.assert_allclose(figures, [0.44666666666666666, 0.023162640965743445], rtol=1e-12)
    assert (row["over"], row["interval"]) == ("observed", "normal")


def test_moments_by_sampling():
    rng = np.random.default_rng(0)
    weights = np.array([-1.0, 0.25, 2.0])
    rows = [[0, 1, 2, 2], [1, 1], [2, 2, 2, 0, 1, 0]]
    counts = np.array([np.bincount(row, minlength=3) for row in rows])
    draws = np.mean([rng.dirichlet(one + 1, 200_000) @ weights for one in counts], axis=0)
    found = compat.bayes_at_n(rows, weights=weights)
    assert found.mean == pytest.approx(draws.mean(), abs=4 * draws.std() / 400)
    assert found.sd == pytest.approx(draws.std(), rel=0.01)
    assert -1 <= found.lower < found.mean < found.upper <= 2


def test_interval_is_cut_and_rows_may_differ_in_length():
    found = compat.bayes_at_n([[1, 1, 1]])
    assert found.upper == 1
    assert compat.bayes_at_n([[1, 1, 1], [0]]) == compat.bayes_at_n(
        [[1, np.nan, 1, 1], [0] + [np.nan] * 3]
    )
    narrow = compat.bayes_at_n(BINARY, prob=0.5)
    assert narrow.upper - narrow.mean == pytest.approx(0.6744897501960817 * narrow.sd)


def test_it_is_drawn_to_one_half_however_many_tasks():
    rng = np.random.default_rng(1)
    held = []
    for _ in range(200):
        p = rng.beta(0.5, 1.5, 50)
        found = compat.bayes_at_n((rng.random((50, 4)) < p[:, None]).astype(int))
        held.append((found.mean, found.lower <= p.mean() <= found.upper))
    mean, share = np.mean(held, axis=0)
    assert mean == pytest.approx((1 + 4 * 0.25) / 6, abs=0.006)
    assert share < 0.12


@pytest.mark.parametrize(
    ("arguments", "more", "words"),
    [
        ([[0, 2]], {}, "row 0, entry 1 is 2"),
        ([[0, 0.5]], {}, "categories from 0 to 1"),
        ([[0, -1]], {}, "entry 1 is -1"),
        ([], {}, "not empty"),
        ([[0, 1]], {"weights": [1]}, "at least two"),
        ([[0, 1]], {"weights": [0, np.inf]}, "finite"),
        ([[0, 1]], {"weights": ["a", "b"]}, "list of numbers"),
        ([[0, 1]], {"prior_results": [[1], [0]]}, "one row a task, 1, not 2"),
        ([[0, 1]], {"prob": 95}, "did you mean 0.95"),
    ],
)
def test_what_is_refused(arguments, more, words):
    with pytest.raises(rs.ArgumentError, match=words):
        compat.bayes_at_n(arguments, **more)
