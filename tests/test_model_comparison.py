"""Comparing models by left-out prediction."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import optimize

import reliability_stats as rs
from reliability_stats.model_comparison import stacking_weights


@pytest.fixture(scope="module")
def fits():
    trials = rs.datasets.load("simulated-three-systems")
    return {
        "one rate": rs.fit(trials, rs.BetaBinomial.one_rate()),
        "tasks differ": rs.fit(trials),
        "other prior": rs.fit(trials, rs.BetaBinomial(icc_prior=rs.Beta(2, 2))),
    }


def test_published_difference(airline):
    table = rs.compare_models(
        {"one": rs.fit(airline, rs.BetaBinomial.one_rate()), "differ": rs.fit(airline)}
    )
    assert table["model"].tolist() == ["differ", "one"] * 2
    worse = table[table["model"] == "one"]
    # independent quadrature: -97.576 + 81.036 and -102.995 + 70.028
    assert worse["elpd_diff"].to_numpy() == pytest.approx([-16.540, -32.967], abs=1.2e-3)
    assert worse["verdict"].tolist() == ["worse", "worse"]
    assert (worse["weight"] < 0.15).all()
    assert worse["log_evidence"].to_numpy() == pytest.approx([-98.400, -103.590], abs=6e-4)


def test_differences_are_paired(fits):
    table = rs.compare_models(fits)
    assert table["system"].drop_duplicates().tolist() == list(fits["one rate"].systems)
    for system, block in table.groupby("system"):
        columns = {
            name: frame.loc[frame["system"] == system, "elpd"].to_numpy()
            for name, frame in ((name, post.loo().pointwise) for name, post in fits.items())
        }
        best = columns[block["model"].iloc[0]]
        for row in block.itertuples():
            difference = columns[row.model] - best
            assert row.elpd == pytest.approx(columns[row.model].sum())
            assert row.elpd_diff == pytest.approx(difference.sum())
            expected = np.sqrt(len(difference)) * difference.std(ddof=1)
            assert row.se_diff == pytest.approx(expected)
        assert (np.diff(block["elpd"]) <= 0).all()
        assert block["weight"].sum() == pytest.approx(1)


def test_priors_that_hardly_matter_are_alike(fits):
    table = rs.compare_models({k: fits[k] for k in ("tasks differ", "other prior")})
    assert set(table["verdict"]) == {"best", "alike"}


def test_a_model_equals_itself(fits):
    table = rs.compare_models({"a": fits["tasks differ"], "b": fits["tasks differ"]})
    assert (table["elpd_diff"] == 0).all()
    assert (table["se_diff"] == 0).all()
    assert table["weight"].to_numpy() == pytest.approx(np.full(6, 0.5))
    assert table["verdict"].tolist() == ["best", "alike"] * 3


def test_weights_are_optimal():
    rng = np.random.default_rng(0)
    for _ in range(5):
        logs = rng.normal(size=(60, 4)) + rng.normal(size=4)
        weights = stacking_weights(logs)
        mixture = np.exp(logs) @ weights
        gradient = (np.exp(logs) / mixture[:, None]).mean(axis=0)
        assert weights.sum() == pytest.approx(1)
        assert gradient.max() <= 1 + 1e-5  # no model deserves more
        assert np.allclose(gradient[weights > 1e-4], 1, atol=1e-4)


def test_weights_of_two_models_equal_a_line_search():
    logs = np.log(np.random.default_rng(1).uniform(0.05, 1, (40, 2)))
    best = optimize.minimize_scalar(
        lambda w: -np.log(np.exp(logs) @ [w, 1 - w]).sum(), bounds=(0, 1), method="bounded"
    )
    assert stacking_weights(logs)[0] == pytest.approx(best.x, abs=1e-4)


def test_weights_survive_extreme_densities():
    assert stacking_weights(np.array([[-2000.0, -1000], [-1500, -900]])) == pytest.approx([0, 1])
    assert stacking_weights(np.zeros((1, 3))) == pytest.approx(np.full(3, 1 / 3))


def test_bad_arguments(fits):
    post = fits["one rate"]
    with pytest.raises(rs.ArgumentError, match="takes a mapping"):
        rs.compare_models([post, post])
    with pytest.raises(rs.ArgumentError, match="at least two posteriors, not 1"):
        rs.compare_models({"a": post})
    with pytest.raises(rs.ArgumentError, match="'b' must be a Posterior, not int"):
        rs.compare_models({"a": post, "b": 1})
    other = rs.fit(rs.Trials.from_array([[1, 0]]))
    with pytest.raises(rs.ArgumentError, match="'a' and 'b' were fitted to different trials"):
        rs.compare_models({"a": post, "b": other})


def test_a_single_task():
    trials = rs.Trials.from_array([[1, 0, 1]])
    table = rs.compare_models(
        {"a": rs.fit(trials), "b": rs.fit(trials, rs.BetaBinomial.one_rate())}
    )
    assert np.isnan(table["se_diff"]).all()
    assert table["verdict"].tolist() == ["best", "alike"]
