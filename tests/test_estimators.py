"""Design-based estimates against published figures, other software and brute force."""

import itertools
import json
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy import stats

import reliability_stats as rs
from reliability_stats import ArgumentError, ExclusionWarning, IdentifiabilityWarning, intervals
from reliability_stats._summary import COLUMNS

REFERENCE = json.loads((Path(__file__).parent / "reference" / "design_based.json").read_text())
ALL = [
    rs.SuccessRate(),
    *(rs.PassHatK(k) for k in (1, 2, 3, 4)),
    *(rs.PassAtK(k) for k in (1, 2, 3, 4)),
    *(rs.GPassAtK(4, tau) for tau in (0.25, 0.5, 0.75, 1.0)),
    rs.MeanGPassAtK(4),
    *(rs.Persistence(m) for m in (1, 2, 3)),
    rs.Recovery(),
    rs.Disagreement(),
    rs.Gap(4),
    rs.ICC(),
]
RATIOS = [rs.Persistence(), rs.Recovery(), rs.ICC()]


def counts(n, successes, **columns):
    """Trials of one system, or of those in `columns`."""
    wins = np.asarray(successes)
    table = {"n": np.broadcast_to(n, wins.shape), "successes": wins, **columns}
    table.setdefault("task", np.arange(len(wins)))
    return rs.Trials.from_counts(table, system="system" if "system" in columns else None)


def row(trials, estimand, **options):
    """The only row of a table."""
    table = rs.estimate(trials, estimand, **options)
    assert len(table) == 1
    return table.iloc[0]


def quiet(trials, estimands, **options):
    """A table whose warnings are beside the point."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", rs.ReliabilityStatsWarning)
        return rs.estimate(trials, estimands, **options)


@pytest.fixture
def mixed():
    """Forty tasks with 4 to 9 trials."""
    rng = np.random.default_rng(11)
    n = rng.integers(4, 10, size=40)
    return n, rng.binomial(n, rng.beta(0.6, 0.6, size=40))


# --- Published figures --------------------------------------------------------------------------


@pytest.mark.parametrize("system", ["gpt-4o", "gpt-4o ReAct"])
def test_tau_bench_airline(airline, system):
    expected = REFERENCE["tau-bench airline"][system]
    table = rs.estimate(airline.select(systems=system), ALL).set_index("estimand")
    assert expected["mean"].items() <= table["mean"].round(6).to_dict().items()
    assert table["sd"].round(6).to_dict() == pytest.approx(
        table["sd"].round(6).to_dict() | expected["sd"], abs=1.1e-6
    )
    assert (table["identified"] == "yes").all()


@pytest.mark.parametrize("group", ["control", "treated"])
def test_weil_rats_icc(group):
    case = REFERENCE["Weil rats"][group]
    found = row(counts(case["n"], case["successes"]), rs.ICC())
    assert found["mean"] == pytest.approx(case["icc"], abs=5e-8)


def test_all_pass_interval_of_evalpower():
    found = row(counts(5, [0] * 16), rs.SuccessRate())
    assert found["upper"] == pytest.approx(0.20590721420785485)


# --- Other software -----------------------------------------------------------------------------


def long_form(n, successes):
    """One row a trial: task and outcome."""
    outcomes = [np.arange(size) < wins for size, wins in zip(n, successes, strict=True)]
    return np.repeat(np.arange(len(n)), n), np.concatenate(outcomes).astype(float)


@pytest.mark.parametrize("family", ["Gaussian", "Binomial"])
@pytest.mark.parametrize("structure", ["Independence", "Exchangeable"])
def test_success_rate_is_that_of_gee(airline_histograms, family, structure):
    wins = np.repeat(np.arange(5), airline_histograms["gpt-4o"])
    task, outcome = long_form(np.full(50, 4), wins)
    model = sm.GEE(
        outcome,
        np.ones((200, 1)),
        groups=task,
        family=getattr(sm.families, family)(),
        cov_struct=getattr(sm.cov_struct, structure)(),
    )
    fitted = model.fit(ctol=1e-12)
    mean, error = float(fitted.params[0]), float(fitted.bse[0])
    if family == "Binomial":
        mean = 1 / (1 + np.exp(-mean))
        error *= mean * (1 - mean)
    found = row(counts(4, wins), rs.SuccessRate())
    assert found["mean"] == pytest.approx(mean, abs=1e-9)
    # The sandwich divides by the number of clusters, the standard error by one less.
    assert found["sd"] == pytest.approx(error * np.sqrt(50 / 49), rel=1e-6)


def test_success_rate_is_that_of_cluster_robust_regression(mixed):
    n, wins = mixed
    task, outcome = long_form(n, wins)
    fitted = sm.WLS(outcome, np.ones((len(outcome), 1)), weights=1 / n[task]).fit(
        cov_type="cluster",
        cov_kwds={"groups": task, "use_correction": False},
    )
    found = row(counts(n, wins), rs.SuccessRate())
    assert found["mean"] == pytest.approx(fitted.params[0])
    assert found["sd"] == pytest.approx(fitted.bse[0] * np.sqrt(40 / 39))


@pytest.mark.parametrize("estimand", [rs.PassHatK(3), rs.PassAtK(3)], ids=lambda e: e.name)
def test_pass_k_is_a_regression_on_subsets_of_trials(mixed, estimand):
    n, wins = mixed
    task, outcome, weight = [], [], []
    for t, (size, y) in enumerate(zip(n, wins, strict=True)):
        lots = list(itertools.combinations(np.arange(size) < y, 3))
        task += [t] * len(lots)
        outcome += [float(all(x) if isinstance(estimand, rs.PassHatK) else any(x)) for x in lots]
        weight += [1 / len(lots)] * len(lots)
    fitted = sm.WLS(outcome, np.ones(len(outcome)), weights=weight).fit(
        cov_type="cluster", cov_kwds={"groups": np.array(task), "use_correction": False}
    )
    found = row(counts(n, wins), estimand)
    assert found["mean"] == pytest.approx(fitted.params[0])
    assert found["sd"] == pytest.approx(fitted.bse[0] * np.sqrt(40 / 39))


@pytest.mark.parametrize("estimand", RATIOS, ids=lambda e: e.name)
def test_standard_error_of_ratios_is_near_the_jackknife(estimand):
    rng = np.random.default_rng(12)
    n = rng.integers(4, 10, size=400)
    wins = rng.binomial(n, rng.beta(0.8, 0.8, size=400))
    others = np.array(
        [estimand.from_counts(np.delete(n, i), np.delete(wins, i)) for i in range(400)]
    )
    jackknife = np.sqrt(399 / 400 * ((others - others.mean()) ** 2).sum())
    assert row(counts(n, wins), estimand)["sd"] == pytest.approx(jackknife, rel=0.01)


def test_bca_is_that_of_scipy(mixed):
    n, wins = mixed
    values = rs.PassHatK(3).unbiased(n, wins)
    theirs = stats.bootstrap(
        (values,), np.mean, n_resamples=20_000, rng=np.random.default_rng(1), method="BCa"
    ).confidence_interval
    found = row(counts(n, wins), rs.PassHatK(3), method="bca", resamples=20_000)
    assert (found["lower"], found["upper"]) == pytest.approx(tuple(theirs), abs=0.006)
    assert found["interval"] == "bca"


# --- Over the population ------------------------------------------------------------------------


def test_t_interval_over_tasks(mixed):
    n, wins = mixed
    found = row(counts(n, wins), rs.PassAtK(2), prob=0.9)
    values = rs.PassAtK(2).unbiased(n, wins)
    half = stats.t.ppf(0.95, 39) * values.std(ddof=1) / np.sqrt(40)
    assert (found["lower"], found["upper"]) == pytest.approx(
        (values.mean() - half, values.mean() + half)
    )
    assert found["interval"] == "t"
    assert found["prob"] == 0.9


def test_tasks_that_say_nothing_give_no_degrees_of_freedom():
    wins = np.repeat([0, 1, 2, 3, 4], [60, 10, 10, 10, 10])
    trials = counts(4, wins)
    for estimand, telling in ((rs.Persistence(), 40), (rs.Recovery(), 90), (rs.ICC(), 40)):
        found = row(trials, estimand)
        half = stats.t.ppf(0.975, telling - 1) * found["sd"]
        assert found["upper"] - found["mean"] == pytest.approx(half)


def test_an_interval_that_would_leave_the_range_is_exact_instead():
    found = row(counts(4, [0] * 28 + [1, 2]), rs.PassAtK(4))
    assert found["mean"] - 2 * found["sd"] < 0
    assert found["interval"] == "clopper-pearson"
    assert (found["lower"], found["upper"]) == pytest.approx(intervals.clopper_pearson(2, 30))


@pytest.mark.parametrize("method", ["t", "bca"])
@pytest.mark.parametrize(
    ("wins", "estimand", "share"),
    [
        ([4] * 30, rs.SuccessRate(), (30, 30)),
        ([4] * 30, rs.PassHatK(4), (30, 30)),
        ([0] * 30, rs.PassAtK(4), (0, 30)),
        ([4] * 30, rs.Gap(2), (0, 30)),
        ([0] * 18 + [4] * 12, rs.Gap(4), (0, 30)),
        ([0] * 18 + [4] * 12, rs.Persistence(), (12, 12)),
        ([0] * 18 + [4] * 12, rs.Recovery(), (0, 18)),
    ],
)
def test_tasks_alike_are_not_certainty(wins, estimand, share, method):
    found = row(counts(4, wins), estimand, method=method)
    assert (found["lower"], found["upper"]) == pytest.approx(intervals.clopper_pearson(*share))
    assert found["interval"] == "clopper-pearson"
    assert np.isnan(found["sd"])


def test_icc_of_unanimous_tasks_follows_the_rarer_outcome():
    found = row(counts(4, [0] * 18 + [4] * 12), rs.ICC())
    lower = intervals.clopper_pearson(12, 12)[0]
    assert found["mean"] == found["upper"] == 1.0
    assert found["lower"] == pytest.approx((lower - 0.4) / 0.6)


def test_icc_stays_in_its_range_when_successes_are_rare():
    found = row(counts(4, [0] * 90 + [1] * 10), rs.ICC())
    assert found["interval"] == "clopper-pearson"
    assert found["lower"] <= found["mean"] < 0 < found["upper"]
    assert found["upper"] > 0.5


def test_equal_tasks_in_the_middle_are_not_certainty():
    found = row(counts(4, [2] * 10), rs.PassHatK(2))
    assert found["mean"] == pytest.approx(1 / 6)
    assert found["upper"] - found["lower"] > 0.3
    assert found["interval"] == "clopper-pearson"


def test_one_task_has_no_interval_over_the_population():
    with pytest.warns(IdentifiabilityWarning, match="one task does not show how tasks differ"):
        found = row(counts(4, [2]), rs.SuccessRate())
    assert found["mean"] == 0.5
    assert found[["sd", "lower", "upper"]].isna().all()
    assert found["interval"] == "none"
    assert found["identified"] == "yes"


def test_two_tasks_have_one():
    found = row(counts(4, [1, 3]), rs.SuccessRate())
    assert 0 <= found["lower"] < 0.1
    assert 0.9 < found["upper"] <= 1


@pytest.mark.parametrize(
    ("wins", "estimand"),
    [
        ([0] * 9, rs.Persistence()),
        ([4] * 9, rs.Recovery()),
        ([0] * 9, rs.ICC()),
        ([4] * 9, rs.ICC()),
    ],
)
@pytest.mark.parametrize("over", ["population", "observed"])
def test_a_ratio_of_nothing_is_not_a_number(wins, estimand, over):
    with pytest.warns(IdentifiabilityWarning, match=f"{estimand.name} .0/0 in these counts"):
        found = row(counts(4, wins), estimand, over=over)
    assert found[["mean", "sd", "lower", "upper"]].isna().all()
    assert (found["interval"], found["identified"]) == ("none", "no")


# --- Over the observed tasks --------------------------------------------------------------------


def literal_variance(estimand, n, y):
    """Leave out each trial in turn."""
    outcomes = np.arange(n) < y
    left = [
        float(estimand.unbiased(np.array([n - 1]), np.array([y - x]))[0])
        for x in outcomes.astype(int)
    ]
    return (n - 1) / n * ((np.array(left) - np.mean(left)) ** 2).sum()


@pytest.mark.parametrize(
    "estimand", [rs.SuccessRate(), rs.PassHatK(3), rs.PassAtK(2), rs.Gap(3)], ids=lambda e: e.name
)
def test_observed_variance_leaves_out_one_trial_at_a_time(mixed, estimand):
    n, wins = mixed
    found = row(counts(n, wins), estimand, over="observed")
    noise = np.array([literal_variance(estimand, a, b) for a, b in zip(n, wins, strict=True)])
    assert found["mean"] == pytest.approx(estimand.from_counts(n, wins))
    assert found["sd"] == pytest.approx(np.sqrt(noise.sum()) / 40)
    freedom = noise.sum() ** 2 / (noise**2 / (n - 1)).sum()
    half = stats.t.ppf(0.975, freedom) * found["sd"]
    assert found["upper"] == pytest.approx(min(found["mean"] + half, 1))
    assert found["lower"] == pytest.approx(max(found["mean"] - half, 0))


@pytest.mark.parametrize(
    "estimand", [rs.Persistence(2), rs.Recovery(), rs.ICC()], ids=lambda e: e.name
)
def test_observed_variance_of_ratios_is_a_numerical_derivative(mixed, estimand):
    n, wins = mixed

    def value(shift):
        means = [part.unbiased(n, wins).mean() for part in estimand.parts]
        return float(estimand.combine(*(m + s for m, s in zip(means, shift, strict=True))))

    slopes = [(value(step) - value(-step)) / 2e-6 for step in 1e-6 * np.eye(2)]
    noise = 0.0
    for a, b in zip(n, wins, strict=True):
        steps = [
            part.unbiased(np.array([a - 1, a - 1]), np.array([min(b, a - 1), max(b - 1, 0)]))
            for part in estimand.parts
        ]
        step = sum(s * (x[0] - x[1]) for s, x in zip(slopes, steps, strict=True))
        noise += (a - 1) * b * (a - b) / a**2 * step**2
    found = row(counts(n, wins), estimand, over="observed")
    assert found["mean"] == pytest.approx(value([0, 0]))
    assert found["sd"] == pytest.approx(np.sqrt(noise) / 40, rel=1e-6)


@pytest.mark.parametrize("n", [2, 3, 5, 8])
def test_success_rate_variance_is_exactly_unbiased(n):
    wins = np.arange(n + 1)
    table = quiet(
        counts(n, wins, system=wins, task=np.zeros(n + 1)), rs.SuccessRate(), over="observed"
    )
    variance = (table["sd"].fillna(0.0) ** 2).to_numpy()
    p = np.linspace(0, 1, 21)[:, None]
    expected = (stats.binom.pmf(wins, n, p) * variance).sum(axis=1)
    assert expected == pytest.approx((p * (1 - p) / n).ravel())


@pytest.mark.parametrize(
    "estimand",
    [rs.PassHatK(2), rs.PassHatK(5), rs.PassAtK(3), rs.Gap(2), rs.Gap(4), rs.GPassAtK(5, 0.5)],
    ids=lambda e: e.name,
)
def test_other_variances_are_never_too_small_on_average(estimand):
    n = 6
    wins = np.arange(n + 1)
    table = quiet(counts(n, wins, system=wins, task=np.zeros(n + 1)), estimand, over="observed")
    variance = (table["sd"].fillna(0.0) ** 2).to_numpy()
    p = np.linspace(0, 1, 41)[:, None]
    mass = stats.binom.pmf(wins, n, p)
    values = table["mean"].to_numpy()
    true = (mass * values**2).sum(axis=1) - (mass * values).sum(axis=1) ** 2
    assert ((mass * variance).sum(axis=1) >= true - 1e-12).all()
    assert ((mass * variance).sum(axis=1) > true + 1e-4).any()


def test_observed_needs_a_trial_to_spare(airline):
    with pytest.warns(
        IdentifiabilityWarning, match=r"pass\^4, gap@4 .tasks without a trial to spare"
    ):
        table = rs.estimate(airline, [rs.PassHatK(4), rs.PassHatK(3), rs.Gap(4)], over="observed")
    known = table.set_index("estimand")["lower"].notna()
    assert known["pass^3"].all()
    assert not known[["pass^4", "gap@4"]].any()
    assert table["mean"].notna().all()
    assert (table["over"] == "observed").all()


def test_one_trial_of_one_task_hides_the_noise():
    with pytest.warns(IdentifiabilityWarning, match="success_rate .tasks without a trial"):
        found = row(counts([1, 4, 4], [1, 2, 3]), rs.SuccessRate(), over="observed")
    assert found["mean"] == pytest.approx(0.75)
    assert np.isnan(found["lower"])


def test_noise_that_cannot_be_seen_gives_no_interval():
    with pytest.warns(IdentifiabilityWarning, match="no noise within tasks is seen"):
        found = row(counts(8, [1, 2, 3, 0]), rs.PassHatK(4), over="observed")
    assert found["mean"] == 0.0
    assert found[["sd", "lower", "upper"]].isna().all()


def test_rounding_is_not_noise():
    wins = [4] * 20 + [3] * 7
    with pytest.warns(IdentifiabilityWarning, match="recovery .no noise"):
        found = row(counts(4, wins), rs.Recovery(), over="observed")
    assert found["mean"] == pytest.approx(1.0)
    assert np.isnan(found["lower"])


@pytest.mark.parametrize("prob", [0.8, 0.95])
def test_unanimous_tasks_have_exact_limits_over_the_observed(prob):
    trials = counts(4, [4] * 30)
    lower = intervals.clopper_pearson(120, 120, prob=prob)[0]
    rate = row(trials, rs.SuccessRate(), over="observed", prob=prob)
    assert (rate["lower"], rate["upper"]) == pytest.approx((lower, 1.0))
    assert rate["interval"] == "clopper-pearson"
    assert row(trials, rs.PassHatK(3), over="observed", prob=prob)["lower"] == pytest.approx(
        lower**3
    )
    gap = row(trials, rs.Gap(2), over="observed", prob=prob)
    assert (gap["lower"], gap["upper"]) == pytest.approx((0.0, 2 * lower * (1 - lower)))


@pytest.mark.parametrize(
    "estimand",
    [rs.SuccessRate(), rs.PassHatK(3), rs.PassAtK(3), rs.Gap(3), rs.Persistence(), rs.Recovery()],
    ids=lambda e: e.name,
)
def test_unanimous_limits_are_not_exceeded_by_any_likely_truth(estimand):
    passes, fails, n = 3, 4, 5
    found = row(counts(n, [0] * fails + [n] * passes), estimand, over="observed")
    rng = np.random.default_rng(13)
    weights = rng.dirichlet(np.full(passes + fails, 0.3), size=20_000)
    weights = np.concatenate([weights, np.eye(passes + fails)])
    away = np.exp(np.log(0.025) * weights / n)  # chance of what was seen is 0.025 in all
    p = np.where(np.arange(passes + fails) < fails, 1 - away, away)
    values = estimand.from_p(p)
    assert values.min() >= found["lower"] - 1e-9
    assert values.max() <= found["upper"] + 1e-9
    assert values.min() < found["lower"] + 0.02 or values.max() > found["upper"] - 0.02


def test_unanimous_limits_take_the_fewest_trials():
    equal = row(counts(3, [3] * 10), rs.SuccessRate(), over="observed")
    unequal = row(counts([3] * 5 + [9] * 5, [3] * 5 + [9] * 5), rs.SuccessRate(), over="observed")
    assert unequal["lower"] == pytest.approx(equal["lower"])


def test_observed_icc_of_rare_successes_has_no_interval():
    with pytest.warns(IdentifiabilityWarning, match="icc .no noise within tasks is seen"):
        found = row(counts(4, [0] * 40 + [1] * 9 + [2]), rs.ICC(), over="observed")
    assert found["mean"] < 0.2
    assert np.isnan(found["lower"])


def test_observed_icc_is_that_of_these_tasks(airline):
    found = row(airline.select(systems="gpt-4o"), rs.ICC(), over="observed")
    assert found["mean"] == pytest.approx(0.397920, abs=5e-7)  # Fleiss and Cuzick's estimate


def test_observed_is_narrower_than_population(airline):
    wide = rs.estimate(airline, rs.SuccessRate())
    narrow = rs.estimate(airline, rs.SuccessRate(), over="observed")
    assert (narrow["sd"] < 0.7 * wide["sd"]).all()
    assert (narrow["mean"] == wide["mean"]).all()


# --- Too few trials, unequal numbers of trials --------------------------------------------------


def test_more_trials_than_any_task_has(airline):
    with pytest.warns(
        IdentifiabilityWarning, match=r"pass\^8 .it needs 8 trials .* most there are is 4"
    ):
        table = rs.estimate(airline, [rs.PassHatK(8), rs.PassHatK(4)])
    rows = table[table["estimand"] == "pass^8"]
    assert rows[["mean", "sd", "lower", "upper"]].isna().all(axis=None)
    assert (rows["identified"] == "no").all()
    assert table.loc[table["estimand"] == "pass^4", "mean"].notna().all()


def test_thresholds_have_no_design_based_value(airline):
    wanted = [rs.FlickerMass(), rs.Reach(), rs.Dependable()]
    with pytest.warns(IdentifiabilityWarning) as caught:
        table = rs.estimate(airline, wanted)
    assert len(caught) == 1
    assert all(f"{e.name} (no number of trials" in str(caught[0].message) for e in wanted)
    assert table["mean"].isna().all()
    assert (table["identified"] == "no").all()


def test_one_trial_a_task_says_nothing_of_repetition():
    trials = counts(1, [0, 1, 1, 0, 1, 1])
    with pytest.warns(IdentifiabilityWarning, match="icc .it needs 2 trials of a task"):
        table = rs.estimate(trials, [rs.SuccessRate(), rs.ICC(), rs.Persistence()])
    assert table["mean"].isna().tolist() == [False, True, True]
    assert table["sd"][0] == pytest.approx(np.std([0, 1, 1, 0, 1, 1], ddof=1) / np.sqrt(6))


def test_tasks_with_too_few_trials_are_left_out_and_counted():
    trials = counts([4, 2, 4, 3, 4], [4, 2, 1, 3, 2], task=["a", "b", "c", "d,e", "f"])
    with pytest.warns(ExclusionWarning) as caught:
        table = rs.estimate(trials, [rs.PassHatK(4), rs.PassAtK(4), rs.PassHatK(2)])
    text = str(caught[0].message)
    assert len(caught) == 1
    assert "from pass^4, pass@4: 2 of 5 tasks with fewer than 4 trials" in text
    assert "task 'b', n=2" in text
    assert table["mean"][0] == pytest.approx(rs.PassHatK(4).from_counts([4, 4, 4], [4, 1, 2]))
    assert (table["identified"] == "yes").all()


def test_systems_with_too_few_trials_are_named():
    trials = counts(
        [4, 4, 2, 2], [4, 1, 2, 1], system=["<a>", "<a>", "b & c", "b & c"], task=[1, 2, 1, 2]
    )
    with pytest.warns(IdentifiabilityWarning, match=r"pass\^4 of b & c .it needs 4 .* is 2\)"):
        table = rs.estimate(trials, rs.PassHatK(4))
    assert table["mean"].isna().tolist() == [False, True]
    assert table["system"].tolist() == ["<a>", "b & c"]


@pytest.mark.parametrize("outcome", ["success", "failure"])
def test_stopping_at_the_first_outcome_is_noticed(outcome):
    n = np.array([1, 3, 2, 8, 5, 8])
    wins = np.array([1, 1, 1, 0, 1, 1])
    wins = wins if outcome == "success" else n - wins
    with pytest.warns(rs.ReliabilityStatsWarning, match=f"stopped at the first {outcome}"):
        row(counts(n, wins), rs.SuccessRate())


@pytest.mark.parametrize(
    ("n", "wins"),
    [([1, 3, 2, 8, 5, 8], [1, 1, 0, 0, 1, 1]), ([7, 8, 7, 8], [1, 0, 1, 1]), ([4] * 6, [1] * 6)],
)
def test_other_numbers_of_trials_are_not_taken_for_stopping(n, wins):
    row(counts(n, wins), rs.SuccessRate())


# --- Missing outcomes ---------------------------------------------------------------------------


@pytest.fixture
def unsure():
    """A system with four missing outcomes, and one with none."""
    known = {
        "a": ["110?", "1??1", "0100", "101?", "0111"],
        "b": ["1100", "1111", "0001", "0110", "1101"],
    }
    rows = [
        (system, task, None if x == "?" else int(x))
        for system, tasks in known.items()
        for task, outcomes in enumerate(tasks)
        for x in outcomes
    ]
    frame = pd.DataFrame(rows, columns=["system", "task", "success"])
    return rs.Trials.from_frame(frame.astype({"success": "Int64"}), missing="bounds")


def completions(trials):
    """Every table of counts that the missing outcomes of system a allow."""
    low = trials.complete("failure").select(systems="a").counts
    high = trials.complete("success").select(systems="a").counts
    ranges = [range(a, b + 1) for a, b in zip(low.successes, high.successes, strict=True)]
    return [counts(low.n, wins) for wins in itertools.product(*ranges)]


@pytest.mark.parametrize("over", ["population", "observed"])
@pytest.mark.parametrize(
    "estimand",
    [
        rs.SuccessRate(),
        rs.PassAtK(3),
        rs.PassHatK(3),
        rs.Gap(3),
        rs.Persistence(),
        rs.Persistence(2),
        rs.Recovery(),
    ],
    ids=lambda e: e.name,
)
def test_missing_outcomes_give_the_widest_range(unsure, estimand, over):
    table = rs.estimate(unsure, estimand, over=over).set_index("system")
    every = [row(trials, estimand, over=over) for trials in completions(unsure)]
    worst = min(every, key=lambda r: r["mean"])
    best = max(every, key=lambda r: r["mean"])
    found = table.loc["a"]
    assert np.isnan(found["mean"])
    assert np.isnan(found["sd"])
    assert found["lower"] == pytest.approx(worst["lower"])
    assert found["upper"] == pytest.approx(best["upper"])
    assert (found["interval"], found["identified"]) == ("bounds", "bounds")
    assert table.loc["b", "mean"] == pytest.approx(
        row(unsure.complete("failure").select(systems="b"), estimand)["mean"]
    )
    assert table.loc["b", "identified"] == "yes"


def test_missing_outcomes_leave_no_known_range_of_the_icc(unsure):
    with pytest.warns(IdentifiabilityWarning, match="icc of a .its extremes .* not known"):
        table = rs.estimate(unsure, rs.ICC()).set_index("system")
    assert table.loc["a", ["mean", "lower", "upper"]].isna().all()
    assert table["identified"].to_dict() == {"a": "no", "b": "yes"}


def test_missing_outcomes_that_may_all_be_failures():
    rows = {"task": [1, 1, 2, 2], "success": [0, None, 0, None]}
    trials = rs.Trials.from_frame(pd.DataFrame(rows), system=None, missing="bounds")
    with pytest.warns(IdentifiabilityWarning, match="0/0 for some of what the missing"):
        found = row(trials, rs.Persistence())
    assert found["identified"] == "no"
    rate = row(trials, rs.SuccessRate())
    assert (rate["lower"], rate["upper"]) == pytest.approx(
        (0.0, intervals.clopper_pearson(1, 2)[1])
    )


def test_missing_outcomes_with_the_bootstrap(unsure):
    found = rs.estimate(unsure, rs.SuccessRate(), method="bca").set_index("system").loc["a"]
    assert found["lower"] < found["upper"]
    assert found["identified"] == "bounds"


# --- The table ----------------------------------------------------------------------------------


def test_schema_and_order(airline):
    table = rs.estimate(airline, [rs.PassHatK(2), rs.ICC()])
    assert tuple(table.columns) == COLUMNS
    assert table["estimand"].tolist() == ["pass^2", "pass^2", "icc", "icc"]
    assert table["system"].tolist() == list(airline.systems) * 2
    assert (table["over"] == "population").all()
    assert (table["prob"] == 0.95).all()
    assert table[["ess_bulk", "r_hat"]].isna().all(axis=None)
    assert table[["mean", "sd", "lower", "upper"]].dtypes.eq(float).all()


def test_default_estimands(airline):
    assert rs.estimate(airline)["estimand"].unique().tolist() == [
        "success_rate",
        "pass@4",
        "pass^4",
        "gap@4",
        "persistence@1",
        "icc",
    ]


def test_conditions_are_estimated_apart():
    table = {
        "system": ["a"] * 6,
        "task": [1, 2, 3] * 2,
        "c": ["calm"] * 3 + ["noisy"] * 3,
        "n": [4] * 6,
        "successes": [4, 3, 4, 1, 2, 0],
    }
    found = rs.estimate(rs.Trials.from_counts(table, condition="c"), rs.SuccessRate())
    assert found["system"].tolist() == ["a [calm]", "a [noisy]"]
    assert found["mean"].to_numpy() == pytest.approx([11 / 12, 3 / 12])


def test_systems_do_not_touch_each_other(mixed):
    n, wins = mixed
    both = counts(
        np.tile(n, 2),
        np.concatenate([wins, n - wins]),
        system=["x"] * 40 + ["y"] * 40,
        task=np.tile(np.arange(40), 2),
    )
    for options in ({}, {"over": "observed"}, {"method": "bca"}):
        together = quiet(both, ALL[:9] + RATIOS, **options)
        alone = quiet(counts(n, wins), ALL[:9] + RATIOS, **options)
        first = together[together["system"] == "x"].reset_index(drop=True)
        pd.testing.assert_frame_equal(first.drop(columns="system"), alone.drop(columns="system"))


def test_failure_mirrors_success(mixed):
    n, wins = mixed
    for over in ("population", "observed"):
        left = rs.estimate(counts(n, wins), [rs.PassHatK(3), rs.Gap(3), rs.ICC()], over=over)
        right = rs.estimate(counts(n, n - wins), [rs.PassAtK(3), rs.Gap(3), rs.ICC()], over=over)
        assert left["sd"].to_numpy() == pytest.approx(right["sd"].to_numpy())
        assert left["lower"][0] == pytest.approx(1 - right["upper"][0])
        assert left["lower"][1:].to_numpy() == pytest.approx(right["lower"][1:].to_numpy())


def test_bootstrap_is_reproducible_and_joint(airline):
    options = {"method": "bca", "resamples": 500}
    first = rs.estimate(airline, [rs.PassHatK(4), rs.PassAtK(4)], rng=3, **options)
    again = rs.estimate(airline, [rs.PassHatK(4)], rng=np.random.default_rng(3), **options)
    other = rs.estimate(airline, [rs.PassHatK(4)], rng=4, **options)
    pd.testing.assert_frame_equal(first.iloc[:2], again)
    assert (first["lower"].iloc[:2] != other["lower"]).any()
    assert (first["sd"].iloc[:2] == rs.estimate(airline, rs.PassHatK(4))["sd"]).all()


def test_bootstrap_takes_resamples_without_a_value_as_any_value():
    # One resample in twenty has none of the three tasks that ever succeed.
    found = row(counts(10, [0] * 40 + [5, 5, 6]), rs.Persistence(), method="bca")
    assert found["interval"] == "bca"
    assert found["upper"] == 1.0
    inner = row(counts(10, [0] * 40 + [5, 5, 6]), rs.Persistence(), method="bca", prob=0.8)
    assert 0.4 < inner["lower"] < inner["upper"] < 0.6


def test_a_million_tasks_cost_no_more_than_their_distinct_counts():
    wins = np.random.default_rng(14).binomial(6, 0.7, size=10**6)
    table = rs.estimate(counts(6, wins), [rs.SuccessRate(), rs.PassHatK(6), rs.ICC()], method="bca")
    assert table["mean"][0] == pytest.approx(wins.mean() / 6)
    assert (table["sd"] < 1e-3).all()
    assert (table["interval"] == "bca").all()


def test_many_trials_lose_no_digits():
    found = row(counts(10**6, [10**6 - 1, 10**6, 10**6, 10**6 - 2]), rs.PassHatK(3))
    assert found["mean"] == pytest.approx(1 - 3 * 3e-6 / 4, abs=1e-11)
    assert found["sd"] == pytest.approx(3e-6 * np.std([1, 0, 0, 2], ddof=1) / 2, rel=1e-5)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"over": "tasks"}, "over must be one of"),
        ({"prob": 95}, "did you mean"),
        ({"method": "BCA"}, "method must be one of 't', 'bca'"),
        ({"method": "bca", "over": "observed"}, "takes them as fixed"),
        ({"resamples": 10}, "resamples must be an integer of at least 100"),
        ({"rng": "x"}, "rng must be"),
        ({"estimands": [rs.PassHatK]}, "class PassHatK"),
        ({"estimands": []}, "empty"),
    ],
)
def test_wrong_arguments_are_refused(airline, options, words):
    with pytest.raises(ArgumentError, match=words):
        rs.estimate(airline, **options)


def test_only_trials_are_taken(airline):
    with pytest.raises(ArgumentError, match="estimate needs Trials, not Counts"):
        rs.estimate(airline.counts)
