"""The exact engine against numbers from elsewhere and an independent computation."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
from scipy import special

import reliability_stats as rs
from reliability_stats.inference import grid
from tests.inference.brute import Brute, all_of, any_of

AIRLINE = np.repeat(np.arange(5), [14, 12, 10, 4, 10])
"""Successes of 4 trials on the 50 airline tasks of tau-bench, gpt-4o with tool calling."""
REACT = np.repeat(np.arange(5), [26, 4, 7, 5, 8])


def trials_of(successes, n, system="s"):
    successes = np.asarray(successes)
    table = {"system": [system] * len(successes), "task": np.arange(len(successes))}
    table |= {"n": np.broadcast_to(n, len(successes)), "successes": successes}
    return rs.Trials.from_counts(table)


def fit_counts(successes, n, **options):
    return rs.fit(trials_of(successes, n), **options)


def rows(post, estimands, **options):
    """Mean, sd, lower, upper of each estimand."""
    table = post.summary(estimands, **options)
    return table[["mean", "sd", "lower", "upper"]].to_numpy()


def test_evidence_and_mean_equal_adaptive_integration():
    # scipy dblquad of the same model
    post = fit_counts(AIRLINE, 4)
    assert post.log_evidence["s"] == pytest.approx(-82.6363452566801, abs=1e-8)
    mean = post.summary(rs.SuccessRate())["mean"].iloc[0]
    assert mean == pytest.approx(0.430300396005272, abs=1e-10)


AIRLINE_POSTERIOR = [
    # independent 2-D grid: mean, sd; pass^k, persistence and flicker also 2.5% and 97.5%
    (rs.SuccessRate(), 0.43030, 0.05102, None, None),
    (rs.ICC(), 0.40385, 0.07891, None, None),
    (rs.PassHatK(4), 0.17820, 0.05178, 0.08985, 0.29097),
    (rs.PassHatK(8), 0.10812, 0.04627, 0.03556, 0.21401),
    (rs.PassAtK(4), 0.70020, 0.06063, None, None),
    (rs.PassAtK(8), 0.79527, 0.06090, None, None),
    (rs.Persistence(1), 0.65992, 0.05698, 0.54501, 0.76737),
    (rs.Persistence(3), 0.40865, None, 0.24679, 0.57842),
    (rs.FlickerMass(0.05, 0.95), 0.80049, 0.08677, None, None),
    (rs.FlickerMass(), 0.68853, 0.09626, 0.49880, 0.87288),
    (rs.Dependable(), 0.10327, None, None, None),
]


@pytest.mark.parametrize(("estimand", "mean", "sd", "lower", "upper"), AIRLINE_POSTERIOR)
def test_airline_posterior(estimand, mean, sd, lower, upper):
    got = rows(fit_counts(AIRLINE, 4), estimand)[0]
    assert got[0] == pytest.approx(mean, abs=6e-6)
    for value, wanted, tol in ((got[1], sd, 6e-6), (got[2], lower, 6e-4), (got[3], upper, 6e-4)):
        assert wanted is None or value == pytest.approx(wanted, abs=tol)


def test_react_posterior():
    post = fit_counts(REACT, 4)
    got = rows(post, [rs.ICC(), rs.Persistence(1), rs.FlickerMass(), rs.PassHatK(8)])
    np.testing.assert_allclose(got[:, 0], [0.58937, 0.72146, 0.41043, 0.12539], atol=6e-6)
    np.testing.assert_allclose(got[1, 2:], [0.59469, 0.83171], atol=5e-4)
    np.testing.assert_allclose(got[2, 2:], [0.25315, 0.59112], atol=5e-4)


def test_airline_observed_tasks():
    got = rows(
        fit_counts(AIRLINE, 4), [rs.PassHatK(1), rs.PassHatK(2), rs.PassHatK(4)], over="observed"
    )
    np.testing.assert_allclose(got[:, 0], [0.42247, 0.27554, 0.17007], atol=6e-6)
    np.testing.assert_allclose(got[:, 1], [0.02701, 0.02933, 0.03280], atol=6e-6)


def test_airline_cells_by_successes():
    cells = fit_counts(AIRLINE, 4).tasks().drop_duplicates("successes")
    wanted = [0.418, 0.866, 0.976, 0.908, 0.544]
    np.testing.assert_allclose(cells["p_flickering"], wanted, atol=6e-4)
    assert cells["p_persistent"].iloc[-1] == pytest.approx(0.456, abs=6e-4)
    narrow = fit_counts(AIRLINE, 4).tasks(low=0.05, high=0.95).drop_duplicates("successes")
    np.testing.assert_allclose(
        narrow["p_flickering"], [0.592, 0.952, 0.996, 0.971, 0.713], atol=6e-4
    )


def beta_draws(rng, a, b, size):
    return rng.beta(a, b, size)


def awkward():
    rng = np.random.default_rng(5)
    mixed = np.arange(1, 41)
    return {
        "all zero": (np.zeros(20, int), np.full(20, 4), 4),
        "all one": (np.full(20, 4), np.full(20, 4), 4),
        "u-shaped": (np.repeat([0, 8, 3], [22, 26, 2]), np.full(50, 8), 8),
        "two tasks": (np.array([1, 4]), np.full(2, 4), 4),
        "two unanimous tasks": (np.array([0, 4]), np.full(2, 4), 4),
        "one task": (np.array([2]), np.array([4]), 4),
        "one trial": (np.array([1]), np.array([1]), 2),
        "one trial a task": (np.repeat([0, 1], [29, 21]), np.ones(50, int), 2),
        "unequal n": (rng.binomial(mixed, rng.beta(0.4, 0.6, 40)), mixed, 8),
        "no spread": (np.repeat([4, 5, 6], [10, 30, 10]), np.full(50, 10), 8),
    }


def check_against_brute(successes, n, k, *, size=401, tol=5e-4):
    """Means, sds and quantiles within `tol` posterior sds of the independent computation."""
    with pytest.warns(rs.IdentifiabilityWarning) if n.max() == 1 else no_warning():
        got = rows(fit_counts(successes, n), [rs.PassHatK(k), rs.PassAtK(k)])
    brute = Brute(n, successes, size)
    for values, function in zip(got, (all_of, any_of), strict=True):
        function = partial(function, k)
        mean, sd = brute.moments(function)
        ends = [brute.quantile(function, level) for level in (0.025, 0.975)]
        assert np.abs(values[:2] - [mean, sd]).max() < 1e-6 * sd
        assert np.abs(values[2:] - ends).max() < tol * sd


class no_warning:
    def __enter__(self):
        return self

    def __exit__(self, *args):
        return False


@pytest.mark.parametrize("name", awkward())
def test_awkward_data_against_brute_force(name):
    check_against_brute(*awkward()[name])


@pytest.mark.slow
@pytest.mark.parametrize("name", ["n to 1000", "n 1000", "million tasks", "million zero"])
def test_large_data_against_brute_force(name):
    rng = np.random.default_rng(6)
    cases = {
        "n to 1000": (np.array([1, 2, 4, 90, 20, 999]), np.array([1, 3, 10, 100, 1000, 999]), 8),
        "n 1000": (rng.binomial(1000, rng.beta(2, 2, 30)), np.full(30, 1000), 8),
        "million tasks": (rng.binomial(4, rng.beta(0.3, 0.7, 10**6)), np.full(10**6, 4), 4),
        "million zero": (np.zeros(10**6, int), np.full(10**6, 4), 4),
    }
    check_against_brute(*cases[name], size=301, tol=1e-3)


def test_evidence_against_brute_force():
    successes, n, _ = awkward()["unequal n"]
    post = fit_counts(successes, n)
    assert post.log_evidence["s"] == pytest.approx(Brute(n, successes, 301).log_evidence, abs=1e-8)


def test_two_tasks_against_mpmath():
    import mpmath as mp

    def pmf(y, n, mean, icc):
        e = icc / (1 - icc)
        top = mp.mpf(1)
        for j in range(n):
            top *= (mean + j * e if j < y else 1 - mean + (j - y) * e) / (1 + j * e)
        return mp.binomial(n, y) * top

    def integral(f):
        return mp.quad(
            lambda r: mp.quad(lambda m: pmf(1, 3, m, r) * pmf(3, 3, m, r) * f(m, r), [0, 1]), [0, 1]
        )

    mp.mp.dps = 15
    evidence = integral(lambda _m, _r: 1)
    mean = integral(lambda m, _r: m) / evidence
    both = integral(lambda m, r: m * (m + (1 - m) * r)) / evidence
    post = fit_counts([1, 3], 3)
    assert post.log_evidence["s"] == pytest.approx(float(mp.log(evidence)), abs=1e-7)
    got = post.summary([rs.SuccessRate(), rs.PassHatK(2)])["mean"]
    np.testing.assert_allclose(got, [float(mean), float(both)], atol=1e-7)


def test_one_trial_a_task_leaves_the_prior_of_the_correlation():
    post = fit_counts(np.repeat([0, 1], [29, 21]), 1)
    with pytest.warns(rs.IdentifiabilityWarning, match=r"persistence@1, icc: not identified"):
        got = rows(post, [rs.Persistence(1), rs.ICC()])
    np.testing.assert_allclose(got[1], [0.5, 1 / np.sqrt(12), 0.025, 0.975], atol=2e-4)
    # persistence is mean + (1 - mean) icc, with mean ~ Beta(22, 30) and icc uniform
    u = (np.arange(200_000) + 0.5) / 200_000
    mean = special.betaincinv(22, 30, u)
    for level, end in ((0.025, got[0, 2]), (0.975, got[0, 3])):
        below = np.clip((end - mean) / (1 - mean), 0, 1).mean()
        assert below == pytest.approx(level, abs=1e-4)


BDA_RATS = (2.40256, 14.31949)
OWN_RATS = (2.29667, 13.66550)


def test_rat_tumours_with_the_book_and_with_our_prior():
    trials = rs.datasets.load("rat-tumors")

    def log_prior(mean, icc):
        # (a + b)^(-5/2) in (a, b), in terms of mean and icc
        total = 1 / icc - 1
        return -2.5 * np.log(total) + np.log(total) - 2 * np.log(icc)

    draws = {}
    for name, model in (("book", rs.BetaBinomial(log_prior=log_prior)), ("own", None)):
        post = rs.fit(trials, model)
        values = post.to_arviz(draws=20_000, chains=4, cells=False)["posterior"]
        total = 1 / values["icc"].to_numpy() - 1
        mean = values["mean"].to_numpy()
        draws[name] = (mean * total).mean(), ((1 - mean) * total).mean()
    # the book cuts the grid at 1 <= log(a + b) <= 5; its far tail makes a difference of a percent
    np.testing.assert_allclose(draws["book"], BDA_RATS, rtol=0.03)
    np.testing.assert_allclose(draws["own"], OWN_RATS, rtol=0.03)


def test_rat_tumours_of_the_last_group():
    trials = rs.datasets.load("rat-tumors")
    cells = rs.fit(trials).tasks()
    last = cells[(cells["n"] == 14) & (cells["successes"] == 4)]
    assert last["mean"].iloc[0] == pytest.approx(0.212470, abs=2e-6)
    icc = rs.fit(trials).summary(rs.ICC())["mean"].iloc[0]
    assert icc == pytest.approx(0.065136, abs=2e-6)


def test_improper_posteriors_are_refused():
    def log_prior(mean, icc):
        total = 1 / icc - 1
        return -1.5 * np.log(total) - 2 * np.log(icc)

    model = rs.BetaBinomial(log_prior=log_prior)
    assert fit_counts(AIRLINE, 4, model=model)
    for unanimous in ([0] * 10, [4] * 10, [0, 4, 4, 0]):
        with pytest.raises(rs.ModelError, match="system 's' is improper"):
            fit_counts(unanimous, 4, model=model)


@pytest.mark.parametrize(
    ("log_prior", "message"),
    [
        (lambda mean, icc: np.full(mean.shape, np.nan), "NaN or"),
        (lambda mean, icc: np.full(mean.shape, -np.inf), "zero everywhere"),
        (lambda mean, icc: 0.0, "one value for each"),
    ],
)
def test_broken_priors_are_refused(log_prior, message):
    with pytest.raises(rs.ModelError, match=message):
        fit_counts(AIRLINE, 4, model=rs.BetaBinomial(log_prior=log_prior))


def test_log_prior_equal_to_the_default_changes_nothing():
    same = rs.BetaBinomial(log_prior=lambda mean, icc: np.zeros(mean.shape))
    estimands = [rs.PassHatK(4), rs.ICC()]
    ours, theirs = (rows(fit_counts(AIRLINE, 4, model=m), estimands) for m in (None, same))
    np.testing.assert_allclose(ours, theirs, atol=1e-5)


def test_systems_do_not_influence_each_other():
    both = rs.Trials.from_counts(
        {
            "system": ["a"] * 50 + ["b"] * 50,
            "task": [*range(50), *range(50)],
            "n": [4] * 100,
            "successes": [*AIRLINE, *REACT],
        }
    )
    estimands = [rs.PassAtK(4), rs.PassHatK(6), rs.FlickerMass()]
    for over in ("population", "observed"):
        joint = rs.fit(both).summary(estimands, over=over).set_index(["estimand", "system"])
        for name, y in (("a", AIRLINE), ("b", REACT)):
            alone = rows(fit_counts(y, 4), estimands, over=over)
            part = joint.xs(name, level="system")[["mean", "sd", "lower", "upper"]]
            np.testing.assert_allclose(part, alone, atol=2e-6)


def test_results_do_not_depend_on_what_was_asked_before():
    first, second = fit_counts(AIRLINE, 4), fit_counts(AIRLINE, 4)
    second.summary([rs.FlickerMass(0.01, 0.99), rs.PassHatK(50)])
    second.draws(rs.ICC(), draws=10)
    np.testing.assert_array_equal(rows(first, rs.ICC()), rows(second, rs.ICC()))
    np.testing.assert_array_equal(
        first.draws(rs.ICC()).to_numpy(), second.draws(rs.ICC()).to_numpy()
    )


@pytest.mark.parametrize("successes", [AIRLINE, np.array([1, 4]), np.zeros(30, int)])
def test_draws_agree_with_the_quadrature(successes):
    post = fit_counts(successes, 4, rng=11)
    estimands = [rs.SuccessRate(), rs.PassHatK(4), rs.PassAtK(4), rs.ICC(), rs.FlickerMass()]
    for over in ("population", "observed"):
        table = rows(post, estimands, over=over)
        draws = post.draws(estimands, over=over, draws=10_000)
        for (mean, sd, lower, upper), estimand in zip(table, estimands, strict=True):
            values = draws[estimand.name].to_numpy().ravel()
            assert abs(values.mean() - mean) < 5 * sd / np.sqrt(len(values))
            fourth = ((values - mean) ** 4).mean() / sd**4
            assert values.std() == pytest.approx(sd, rel=3 * np.sqrt(fourth / len(values)))
            # a share of few observed tasks is discrete; its interval is smoothed over one step
            smooth = estimand.name == "flicker_mass" and over == "observed"
            slack = 1 / len(successes) if smooth else 0.02 * sd
            for level, end in ((0.025, lower), (0.975, upper)):
                low, high = np.quantile(values, [level - 0.01, level + 0.01])
                assert low - slack <= end <= high + slack


def test_observed_ratios_in_closed_form_agree_with_draws():
    post = fit_counts(AIRLINE, 4, rng=3)
    estimands = [rs.Persistence(1), rs.Recovery(), rs.ICC()]
    table = rows(post, estimands, over="observed")
    draws = post.draws(estimands, over="observed", draws=20_000)
    for row, estimand in zip(table, estimands, strict=True):
        values = draws[estimand.name].to_numpy().ravel()
        wanted = [values.mean(), values.std(), *np.quantile(values, [0.025, 0.975])]
        np.testing.assert_allclose(row, wanted, atol=0.06 * row[1])


def test_one_observed_task_is_the_mixture_of_its_betas():
    post = fit_counts([2], 4)
    got = rows(post, [rs.SuccessRate(), rs.PassHatK(4)], over="observed")
    cell = post.tasks().iloc[0]
    np.testing.assert_allclose(got[0, :2], cell[["mean", "sd"]].to_numpy(float), atol=1e-6)
    np.testing.assert_allclose(got[0, 2:], cell[["lower", "upper"]].to_numpy(float), atol=0.01)
    np.testing.assert_allclose(got[1, 2:], got[0, 2:] ** 4, atol=1e-6)


def test_million_equal_tasks_cost_no_more_than_few():
    rng = np.random.default_rng(0)
    y = rng.binomial(4, rng.beta(0.3, 0.7, 10**5))
    post = fit_counts(y, 4)
    assert len(post.engine.distinct) == 5
    assert len(post.engine.lattices) == 1
    mean = post.summary(rs.SuccessRate())["mean"].iloc[0]
    assert mean == pytest.approx(y.mean() / 4, abs=5e-4)


def test_unsettled_quadrature_warns(monkeypatch):
    monkeypatch.setattr(grid, "MAX_NODES", 33)
    with pytest.warns(rs.ConvergenceWarning, match=r"pass\^500 has not settled for 's' at 33"):
        fit_counts(np.zeros(30, int), 4).summary(rs.PassHatK(500))


@pytest.mark.parametrize("tol", [0, -1, 0.5, "small", None])
def test_tolerance_must_be_small_and_positive(tol):
    with pytest.raises(rs.ArgumentError, match="tol must be a number in"):
        fit_counts(AIRLINE, 4, tol=tol)
