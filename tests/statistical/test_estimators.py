"""Design-based estimates on simulated trials of known truth: bias, standard errors, coverage.

Each replication is one system of one table, so that a whole design is estimated by one call.
"""

import warnings

import numpy as np
import pytest

import reliability_stats as rs

pytestmark = pytest.mark.slow

REPLICATIONS = 2000
POLYNOMIALS = [
    rs.SuccessRate(),
    rs.PassAtK(3),
    rs.PassHatK(3),
    rs.GPassAtK(3, 0.5),
    rs.Disagreement(),
    rs.Gap(3),
]


def trials_of(n, successes):
    """One system for each replication: (replications, tasks) arrays."""
    systems, tasks = successes.shape
    return rs.Trials.from_counts(
        {
            "system": np.repeat(np.arange(systems), tasks),
            "task": np.tile(np.arange(tasks), systems),
            "n": np.broadcast_to(n, successes.shape).ravel(),
            "successes": successes.ravel(),
        }
    )


def estimates(n, successes, estimands, **options):
    """One table for each estimand, with a row for each replication; warnings are expected."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", rs.ReliabilityStatsWarning)
        table = rs.estimate(trials_of(n, successes), estimands, **options)
    return {name: rows.reset_index(drop=True) for name, rows in table.groupby("estimand")}


def coverage(rows, truth):
    """Share of the intervals given that hold the truth, and share of rows with an interval."""
    given = rows["lower"].notna().to_numpy()
    held = (rows["lower"].to_numpy() <= truth) & (truth <= rows["upper"].to_numpy())
    return held[given].mean() if given.any() else np.nan, given.mean()


def drawn(shape, tasks, n, seed, replications=REPLICATIONS):
    """Draw success probabilities and successes, both (replications, tasks)."""
    rng = np.random.default_rng(seed)
    p = rng.beta(*shape, size=(replications, tasks))
    return p, rng.binomial(n, p)


@pytest.mark.parametrize("estimand", POLYNOMIALS, ids=lambda e: e.name)
def test_means_are_unbiased_with_unequal_n(estimand):
    rng = np.random.default_rng(1)
    p = rng.beta(0.5, 0.5, size=20)
    n = rng.integers(3, 10, size=20)
    rows = estimates(n, rng.binomial(n, p, size=(4000, 20)), [estimand])[estimand.name]
    error = rows["mean"].std() / np.sqrt(len(rows))
    assert abs(rows["mean"].mean() - float(estimand.from_p(p))) < 4 * error


@pytest.mark.parametrize("estimand", POLYNOMIALS, ids=lambda e: e.name)
def test_variance_over_the_population_is_unbiased(estimand):
    n = np.random.default_rng(2).integers(3, 10, size=30)
    _, wins = drawn((0.5, 0.8), 30, n, seed=3, replications=4000)
    rows = estimates(n, wins, [estimand])[estimand.name]
    squares = (rows["mean"] - rows["mean"].mean()) ** 2
    gap = rows["sd"] ** 2 - squares
    assert abs(gap.mean()) < 4 * gap.std() / np.sqrt(len(rows))


@pytest.mark.parametrize("estimand", POLYNOMIALS, ids=lambda e: e.name)
def test_variance_over_the_observed_is_never_too_small(estimand):
    rng = np.random.default_rng(4)
    p, n = rng.beta(0.8, 0.8, size=30), rng.integers(4, 10, size=30)
    rows = estimates(n, rng.binomial(n, p, size=(4000, 30)), [estimand], over="observed")
    rows = rows[estimand.name]
    assert rows["sd"].notna().all()
    variance = rows["mean"].var()
    ratio, error = (rows["sd"] ** 2).mean() / variance, 4 * np.sqrt(2 / len(rows))
    assert 1 - error < ratio < (1 + error if estimand.degree == 1 else 2)


SHAPES = {"u": (0.3, 0.3), "hump": (2.0, 2.0), "split": (0.1, 0.1), "skewed": (0.5, 1.5)}


@pytest.mark.parametrize(("tasks", "least", "ratios"), [(30, 0.90, 0.88), (100, 0.90, 0.92)])
@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
@pytest.mark.parametrize("n", [4, 8])
def test_t_coverage_over_the_population(shape, n, tasks, least, ratios):
    _, wins = drawn(shape, tasks, n, seed=5)
    means = [rs.SuccessRate(), rs.PassAtK(4), rs.PassHatK(4), rs.Gap(4)]
    quotients = [rs.Persistence(), rs.Recovery(), rs.ICC()]
    found = estimates(n, wins, means + quotients)
    for group, lowest in ((means, least), (quotients, ratios)):
        for estimand in group:
            held, given = coverage(found[estimand.name], float(estimand.from_beta(*shape)))
            assert given == 1.0
            assert held > lowest, estimand.name


@pytest.mark.parametrize("shape", [(0.5, 9.5), (9.5, 0.5)], ids=["near 0", "near 1"])
@pytest.mark.parametrize("tasks", [10, 30])
def test_population_intervals_hold_near_the_ends_of_the_range(shape, tasks):
    _, wins = drawn(shape, tasks, 4, seed=6)
    wanted = [rs.SuccessRate(), rs.PassAtK(4), rs.PassHatK(4), rs.Gap(4), rs.Persistence()]
    found = estimates(4, wins, [*wanted, rs.ICC()])
    for estimand in (*wanted, rs.ICC()):
        held, given = coverage(found[estimand.name], float(estimand.from_beta(*shape)))
        assert given > 0.8
        assert held > 0.95, estimand.name


def test_a_clipped_t_interval_would_not_hold_there():
    shape = (0.5, 9.5)
    _, wins = drawn(shape, 30, 4, seed=6)
    rows = estimates(4, wins, [rs.PassHatK(4)])["pass^4"]
    assert (rows["interval"] == "clopper-pearson").all()
    half = 2.045 * rows["sd"].fillna(0.0)
    clipped = (rows["mean"] - half <= 0) & (rs.PassHatK(4).from_beta(*shape) <= rows["mean"] + half)
    assert clipped.mean() < 0.1


def test_rare_tasks_defeat_intervals_without_a_model():
    rng = np.random.default_rng(7)
    p = np.where(rng.random((REPLICATIONS, 10)) < 0.05, 1.0, 0.2)
    rows = estimates(8, rng.binomial(8, p), [rs.Persistence()])["persistence@1"]
    truth = (0.05 + 0.95 * 0.2**2) / (0.05 + 0.95 * 0.2)
    assert 0.5 < coverage(rows, truth)[0] < 0.75


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_bca_coverage_over_the_population(shape):
    _, wins = drawn(shape, 50, 4, seed=8, replications=500)
    wanted = [rs.PassHatK(4), rs.Persistence(), rs.ICC()]
    found = estimates(4, wins, wanted, method="bca", resamples=2000)
    for estimand in wanted:
        held, given = coverage(found[estimand.name], float(estimand.from_beta(*shape)))
        assert given == 1.0
        assert held > 0.90, estimand.name


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
@pytest.mark.parametrize("n", [4, 8])
def test_coverage_over_the_observed(shape, n):
    p, wins = drawn(shape, 50, n, seed=9)
    wanted = [rs.SuccessRate(), rs.PassAtK(n // 2), rs.PassHatK(n // 2), rs.Gap(n // 2)]
    wanted += [rs.PassHatK(n - 1), rs.Persistence(), rs.ICC()]
    found = estimates(n, wins, wanted, over="observed")
    for estimand in wanted:
        held, given = coverage(found[estimand.name], np.asarray(estimand.from_p(p)))
        assert held > 0.93, estimand.name
        assert given > 0.80, estimand.name


def test_unanimous_tasks_keep_their_coverage_over_the_observed():
    p = np.full((REPLICATIONS, 20), 0.97)
    wins = np.random.default_rng(10).binomial(4, p)
    exact = (wins == 4).all(axis=1)
    assert 0.05 < exact.mean() < 0.2
    for estimand in (rs.SuccessRate(), rs.PassHatK(3), rs.Gap(2)):
        rows = estimates(4, wins, [estimand], over="observed")[estimand.name]
        assert (rows.loc[exact, "interval"] == "clopper-pearson").all()
        held, given = coverage(rows, float(estimand.from_p([0.97])))
        assert given > 0.98
        assert held > 0.95, estimand.name
