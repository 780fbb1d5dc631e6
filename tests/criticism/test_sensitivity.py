"""Power scaling against ArviZ, refits, and cases whose answer is known."""

from __future__ import annotations

import numpy as np
import pytest

import reliability_stats as rs
from reliability_stats.criticism.sensitivity import CONFLICT, WEAK, sensitivity

ESTIMANDS = [rs.SuccessRate(), rs.ICC(), rs.PassHatK(4)]


def test_equals_arviz_on_draws():
    import arviz as az

    if not hasattr(az, "psense"):
        pytest.skip("this ArviZ has no psense")
    from scipy import stats

    x = stats.norm(0.7, 0.6).ppf((np.arange(4000) + 0.5) / 4000)
    x = np.random.default_rng(0).permutation(x).reshape(4, 1000)
    prior, likelihood = -((x / 1.3) ** 2) / 2, -((x - 1.2) ** 2)
    groups = {"posterior": {"x": x}, "log_prior": {"x": prior}}
    tree = az.from_dict(groups | {"log_likelihood": {"y": likelihood[..., None]}})
    weights = np.full(x.size, 1 / x.size)
    for group, logs in (("prior", prior), ("likelihood", likelihood)):
        theirs = float(az.psense(tree, group=group)["x"])
        ours = sensitivity(x.ravel(), weights, logs.ravel())
        assert ours == pytest.approx(theirs, rel=0.02)


def test_lattice_and_draws_agree(airline):
    # the same posterior as weighted nodes and as 20 000 equal draws
    post = rs.fit(airline)
    table = post.prior_sensitivity(ESTIMANDS).set_index(["estimand", "system"])
    draws = post.to_arviz(draws=5000, chains=4, cells=False)["posterior"]
    values = post.draws(ESTIMANDS, draws=5000, chains=4)
    for i, system in enumerate(post.systems):
        mean, icc = (draws[name].to_numpy()[..., i].ravel() for name in ("mean", "icc"))
        prior = np.log(mean * (1 - mean) * icc * (1 - icc))
        for estimand in ESTIMANDS:
            x = values[estimand.name].to_numpy()[..., i].ravel()
            ours = sensitivity(x, np.full(x.size, 1 / x.size), prior)
            assert table.loc[(estimand.name, system), "prior"] == pytest.approx(ours, rel=0.1)


def cjs(x, p, q):
    """Cumulative Jensen-Shannon distance by its definition, on a grid."""
    m = (p + q) / 2
    with np.errstate(divide="ignore", invalid="ignore"):
        one = np.nan_to_num(p * np.log2(p / m)) + np.nan_to_num(q * np.log2(q / m))
    return np.sqrt(np.trapezoid(one, x) / np.trapezoid(p + q, x))


def test_equals_distances_of_conjugate_posteriors():
    # Beta(a, b) prior as a density of the logit, one rate: its power is Beta(power a, power b)
    from scipy import stats

    n, y, a, b = 20, 3, 6.0, 2.0
    lower, upper = stats.beta(a + y, b + n - y).ppf([1.7e-4, 1 - 1.7e-4])
    x = np.linspace(lower, upper, 20001)
    base = stats.beta(a + y, b + n - y).cdf(x)
    moves = []
    for power in (0.99, 1.01):
        moved = stats.beta(power * a + y, power * b + n - y).cdf(x)
        moves.append(max(cjs(x, base, moved), cjs(x, 1 - base, 1 - moved)))
    expected = sum(moves) / (np.log2(1.01) - np.log2(0.99))
    trials = rs.Trials.from_counts(
        {"system": ["s"] * 4, "task": range(4), "n": [5] * 4, "successes": [1, 0, 2, 0]}
    )
    post = rs.fit(trials, rs.BetaBinomial.one_rate(rs.Beta(a, b)))
    table = post.prior_sensitivity(rs.SuccessRate())
    assert table["prior"].iloc[0] == pytest.approx(expected, rel=0.02)


def test_one_trial_a_task_leaves_the_correlation_to_the_prior():
    post = rs.fit(rs.Trials.from_array(np.arange(50)[:, None] < 21))
    table = post.prior_sensitivity([rs.SuccessRate(), rs.ICC()])
    assert table["diagnosis"].tolist() == ["-", WEAK]
    assert table["likelihood"].iloc[1] < 0.001
    assert table["prior"].iloc[1] > 0.05


def test_a_prior_against_the_data_is_a_conflict():
    trials = rs.datasets.load("tau-bench-airline-gpt4o")
    against = rs.fit(trials, rs.BetaBinomial(mean_prior=rs.Beta(60, 2)))
    assert against.prior_sensitivity(rs.SuccessRate())["diagnosis"].iloc[0] == CONFLICT
    usual = rs.fit(trials).prior_sensitivity(rs.SuccessRate())
    assert usual["diagnosis"].iloc[0] == "-"
    strict = rs.fit(trials).prior_sensitivity(rs.SuccessRate(), threshold=0.001)
    assert strict["diagnosis"].iloc[0] == CONFLICT


def test_many_trials_drown_the_prior():
    few = rs.fit(rs.simulate(rs.Beta(2, 2), tasks=10, trials=4, rng=1).trials)
    many = rs.fit(rs.simulate(rs.Beta(2, 2), tasks=1000, trials=20, rng=1).trials)
    first, second = (
        post.prior_sensitivity(rs.PassHatK(4))["prior"].iloc[0] for post in (few, many)
    )
    assert second < first / 5


def test_many_systems_are_done_in_groups(monkeypatch):
    from reliability_stats.inference import lattice_checks

    trials = rs.datasets.load("simulated-three-systems")
    whole = rs.fit(trials).prior_sensitivity(rs.PassHatK(4))
    monkeypatch.setattr(lattice_checks, "POINT_CHUNK", 1)
    parts = rs.fit(trials).prior_sensitivity(rs.PassHatK(4))
    assert whole.equals(parts)
    assert whole["system"].tolist() == list(rs.fit(trials).systems)


def test_constant_and_undefined_quantities():
    weights, logs = np.full(5, 0.2), np.arange(5.0)
    assert sensitivity(np.ones(5), weights, logs) == 0.0
    assert np.isnan(sensitivity(np.array([1, np.nan, 2, 3, 4]), weights, logs))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"lower": 1.0}, "lower must be a power in"),
        ({"upper": 0.9}, "upper must be a power above 1"),
        ({"threshold": 0}, "threshold must be a number above 0"),
        ({"threshold": "x"}, "threshold must be a number above 0"),
    ],
)
def test_bad_settings(options, message):
    post = rs.fit(rs.Trials.from_array([[1, 0]]))
    with pytest.raises(rs.ArgumentError, match=message):
        post.prior_sensitivity(**options)
