"""Sampling the crossed model, and what follows from its draws."""

from __future__ import annotations

import pickle
import warnings

import numpy as np
import pytest
from scipy import integrate, special, stats

import reliability_stats as rs
from reliability_stats.inference import nuts
from reliability_stats.inference.chain_checks import chain_checks
from reliability_stats.inference.chains import Chains
from reliability_stats.inference.tasks_integral import over_tasks
from reliability_stats.models._crossed_prior import log_density

pytest.importorskip("nutpie")

OPTIONS = {"draws": 1000, "tune": 400, "chains": 4, "cores": 1, "progress": False}
RHO = np.array([0.1, 0.3, 0.2])
CENTRE, TASK_SD = np.array([1.0, -0.5, 0.2]), 1.5


def make_trials(tasks=60, trials=6, seed=0):
    rng = np.random.default_rng(seed)
    logits = CENTRE[:, None] + TASK_SD * rng.standard_normal(tasks)
    phi = (1 / RHO - 1)[:, None]
    p = rng.beta(special.expit(logits) * phi, special.expit(-logits) * phi)
    outcomes = rng.random((3, tasks, trials)) < p[..., None]
    return rs.Trials.from_array(outcomes.astype(float), systems=["a", "b", "c"]), p


def population_truth(estimand):
    """Value of a task mean of each system, over normally distributed tasks."""
    sd = np.full(3, TASK_SD)
    return over_tasks([estimand], CENTRE, sd, 1 / RHO - 1)[0]


@pytest.fixture(scope="module")
def fitted():
    trials, p = make_trials()
    return rs.fit(trials, rs.Crossed(), rng=1, **OPTIONS), p


def test_recovers_the_truth(fitted):
    post, p = fitted
    wanted = [rs.SuccessRate(), rs.PassHatK(4), rs.PassAtK(4), rs.FlickerMass()]
    population = post.summary(wanted, prob=0.999)
    observed = post.summary(wanted, over="observed", prob=0.999)
    for estimand in wanted:
        for table, truth in (
            (population, population_truth(estimand)),
            (observed, estimand.from_p(p)),
        ):
            rows = table[table["estimand"] == estimand.name]
            assert (rows["lower"] < truth).all()
            assert (truth < rows["upper"]).all()
    narrower = observed["sd"].to_numpy() < population["sd"].to_numpy()
    assert narrower[observed["identified"] == "yes"].all()
    assert (population["ess_bulk"] > 400).all()
    assert (population["interval"] == "eti").all()


def test_says_how_it_was_sampled(fitted):
    info = fitted[0].sampler_info
    assert info["sampler"] == "nutpie"
    assert info["effects"] == ("system", "task")
    assert info["draws"] == 1000
    assert {"pymc", "nutpie", "arviz"} <= set(info["versions"])
    assert info["checks"]["R-hat"] < 1.01
    assert "4 chains of 1000 draws by nutpie; all checks passed" in repr(fitted[0])


def test_equal_seeds_give_equal_draws(fitted):
    few = OPTIONS | {"draws": 50, "tune": 100, "chains": 2}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", rs.ConvergenceWarning)
        post, again, other = (
            rs.fit(fitted[0].trials, rs.Crossed(), rng=seed, **few) for seed in (1, 1, 2)
        )
    for over in ("population", "observed"):
        mine = post.draws(rs.PassHatK(3), over=over)
        assert mine.equals(again.draws(rs.PassHatK(3), over=over))
        assert not mine.equals(other.draws(rs.PassHatK(3), over=over))


def test_draws_and_summary_agree(fitted):
    post, _ = fitted
    for over in ("population", "observed"):
        draws = post.draws([rs.PassHatK(2), rs.ICC()], over=over)
        table = post.summary([rs.PassHatK(2), rs.ICC()], over=over).set_index("estimand")
        assert dict(draws.sizes) == {"chain": 4, "draw": 1000, "system": 3}
        for name in draws:
            mean = table.loc[name, "mean"].to_numpy()
            sd = table.loc[name, "sd"].to_numpy()
            assert np.abs(draws[name].mean(("chain", "draw")) - mean).max() < 0.1 * sd.min()
    assert post.draws(rs.ICC(), chains=2, draws=7).shape == (2, 7, 3)
    assert post.draws(rs.ICC(), chains=1, draws=900).shape == (1, 900, 3)
    with pytest.raises(rs.ArgumentError, match=r"fit\(..., draws=1001\)"):
        post.draws(rs.ICC(), draws=1001)


def test_cells_are_mixtures_of_beta_laws(fitted):
    post, _ = fitted
    table = post.tasks(prob=0.9)
    engine = post.engine
    a, b = engine.cell_laws(slice(None), np.array([7]))
    row = table.iloc[7]
    assert row["mean"] == pytest.approx((a / (a + b)).mean(), abs=0.005)
    below = stats.beta(a, b).cdf(row["lower"]).mean()
    assert below == pytest.approx(0.05, abs=0.01)
    assert row["p_persistent"] == pytest.approx(stats.beta(a, b).sf(0.9).mean(), abs=0.01)
    # strength is shared: with equal counts, the easier task is thought more likely to succeed
    same = table[(table["system"] == "a") & (table["successes"] == 3)]
    assert same["mean"].max() - same["mean"].min() > 0.05


def test_diagnosis_criticism_and_export(fitted):
    post, _ = fitted
    assert post.diagnose().passed
    assert not post.ppc(datasets=500).table["misfit"].any()
    sensitivity = post.prior_sensitivity(rs.PassHatK(4))
    assert (sensitivity["likelihood"] > sensitivity["prior"]).all()
    tree = post.to_arviz(draws=20, cells=True)["posterior"]
    assert tree["p"].dims == ("chain", "draw", "system", "task")
    assert tree["task_effect"].dims == ("chain", "draw", "task")
    assert pickle.loads(pickle.dumps(post)).summary(rs.ICC()).equals(post.summary(rs.ICC()))


def test_left_out_tasks_are_predicted_together(fitted):
    """Against plain Monte Carlo over new effects of the task, and the other model's prediction."""
    post, _ = fitted
    found = post.loo()
    assert list(found.table["system"]) == ["all systems"]
    assert found.pointwise["pareto_k"].max() < 0.7
    assert found.elpd > rs.fit(post.trials).loo().elpd + 10
    engine, counts = post.engine, post.trials.counts
    cells = np.flatnonzero(counts.task == 4)
    centre, sd = engine.layout.unit_logits(engine.values)
    rng = np.random.default_rng(0)
    logits = centre[:, None, :] + sd[:, None, :1] * rng.standard_normal((engine.total, 200, 1))
    phi = engine.layout.concentration(engine.values)[:, None, :]
    logs = log_density(logits, phi, counts.n[cells], counts.successes[cells]).sum(axis=-1)
    density = special.logsumexp(logs, axis=1) - np.log(200)
    inside = special.logsumexp(density) - np.log(len(density))
    assert found.pointwise["inside"].iloc[4] == pytest.approx(inside, abs=0.03)


@pytest.mark.parametrize("estimand", [rs.PassHatK(3), rs.PassAtK(2), rs.FlickerMass(0.2, 0.7)])
@pytest.mark.parametrize(
    ("centre", "sd", "rho"), [(0.3, 1.0, 0.2), (-2.0, 4.0, 0.002), (1, 0, 0.5)]
)
def test_means_over_tasks(estimand, centre, sd, rho):
    phi = 1 / rho - 1

    def value(z):
        logit = centre + sd * z
        return estimand.from_beta(phi * special.expit(logit), phi * special.expit(-logit))

    exact = integrate.quad(
        lambda z: value(z) * stats.norm.pdf(z), -9, 9, epsabs=1e-10, limit=500, points=(-1, 0, 1)
    )[0]
    found = over_tasks([estimand], np.array([centre]), np.array([sd]), np.array([phi]))[0]
    assert found[0] == pytest.approx(exact, abs=1e-7)


def synthetic(trials, model, size=400, seed=0):
    """An engine whose draws are those of the prior."""
    layout = model.layout(trials.counts)
    draws = model.draw_prior(trials.counts, size, np.random.default_rng(seed))
    for name in ("system_logit", "icc_logit"):
        draws[f"{name}_mean"] = draws[name].mean(axis=1)
    draws["condition_mean"] = draws["condition_effect"].mean(axis=1)
    values = {name: x.reshape(4, -1, *x.shape[1:]) for name, x in draws.items()}
    return Chains.of(layout, values, {}, chain_checks(values, {}), "test", seed)


def test_conditions_families_and_missing_cells():
    """Populations by quadrature equal averages over many simulated tasks."""
    rows = [
        (system, task, condition)
        for system in "ab"
        for task in "tuvw"
        for condition in "xy"
        if (system, task, condition) != ("b", "w", "y")
    ]
    columns = dict(zip(("system", "task", "condition"), zip(*rows, strict=True), strict=True))
    table = {key: list(value) for key, value in columns.items()}
    trials = rs.Trials.from_counts(
        table | {"n": [4] * 15, "successes": [i % 5 for i in range(15)]}, condition="condition"
    )
    families = {"t": "f", "u": "f", "v": "g", "w": "g"}
    engine = synthetic(trials, rs.Crossed(baseline="x", families=families))
    assert engine.layout.effects[:3] == ("system", "task", "family")
    values = engine.population_values([rs.PassHatK(2)])[0]
    assert values.shape == (400, 4)
    rng = np.random.default_rng(1)
    draw, v = 17, {name: x[17] for name, x in engine.values.items()}
    z = rng.standard_normal((3, 200_000))
    effect = v["task_sd"] * z[0] + v["family_sd"] * z[1]
    slope = v["condition_task_sd"] * z[2] - v["task_slope_distance"][0]
    base = v["system_logit"][1] - v["task_distance"] - v["family_distance"]
    phi = np.exp(-v["icc_logit"][1])
    for unit, extra in ((2, 0.0), (3, v["condition_effect"][1, 0] + slope)):
        mean = special.expit(base + effect + extra)
        assert values[draw, unit] == pytest.approx(
            rs.PassHatK(2).from_beta(mean * phi, (1 - mean) * phi).mean(), abs=0.004
        )
    left = engine.leave_out()
    assert np.isfinite(left.outside).all()
    assert len(left.outside) == 4
    replicas = list(engine.replicate(50, rng))
    assert [len(r.n) for r in replicas] == [200, 200, 200, 150]
    (points,) = engine.points([rs.ICC()])
    assert points.values[0].shape == points.log_prior.shape == (4, 400)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"draws": 5}, "draws must be"),
        ({"chains": 0}, "chains must be"),
        ({"sampler": "gibbs"}, "sampler must be"),
        ({"progress": 1}, "progress must be True, False or None"),
        ({"target_accept": 1.2}, "target_accept must be"),
        ({"cores": -1}, "cores must be"),
    ],
)
def test_wrong_options(options, message):
    with pytest.raises(rs.ArgumentError, match=message):
        rs.fit(make_trials(5)[0], rs.Crossed(), **options)


def test_sampler_must_be_installed(monkeypatch):
    monkeypatch.setattr(nuts.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(rs.MissingExtraError, match="needs the package numpyro"):
        rs.fit(make_trials(5)[0], rs.Crossed(), sampler="numpyro")
    assert nuts._chosen("auto") == "pymc"


def test_failures_of_samplers_are_explained(monkeypatch):
    def broken(layout, settings):
        raise ValueError("no luck\nsecond line")

    monkeypatch.setitem(nuts._SAMPLERS, "nutpie", broken)
    with pytest.raises(rs.ModelError, match=r"nutpie could not sample this model: no luck\. Try"):
        rs.fit(make_trials(5)[0], rs.Crossed(), sampler="nutpie")


def test_unconverged_chains_warn_and_mark_every_row(monkeypatch):
    trials = rs.Trials.from_counts(
        {
            "system": ["a", "a", "b", "b"] * 2,
            "task": ["t", "u"] * 4,
            "condition": ["x"] * 4 + ["y"] * 4,
            "n": [3] * 8,
            "successes": [0, 1, 2, 3] * 2,
        },
        condition="condition",
    )
    model = rs.Crossed(baseline="x")
    engine = synthetic(trials, model, size=80)
    values = {name: x.reshape(4, 20, *x.shape[1:]) for name, x in engine.values.items()}
    values["task_sd"][0] += 9
    draws = {name: values[name] for name in model.layout(trials.counts).dims}
    extra = ("system_logit_mean", "icc_logit_mean", "condition_mean")
    draws |= {name: values[name] for name in extra}
    statistics = {"diverging": np.ones((4, 20), dtype=bool)}
    monkeypatch.setitem(nuts._SAMPLERS, "nutpie", lambda layout, s: (draws, statistics, {}))
    with pytest.warns(rs.ConvergenceWarning, match="R-hat is .* for task_sd.*divergences is 80"):
        post = rs.fit(trials, model, sampler="nutpie")
    assert (post.summary(rs.PassHatK(2))["interval"] == "eti (not converged)").all()
    assert not post.diagnose().passed
    assert "2 checks failed" not in repr(post)


def test_design_without_common_tasks_is_warned_of():
    rows = {"system": ["a", "a", "b", "b"], "task": ["t", "u", "v", "w"], "n": [4] * 4}
    trials = rs.Trials.from_counts(rows | {"successes": [0, 1, 2, 3]})
    with pytest.warns(rs.IdentifiabilityWarning, match="tasks have no effects of their own"):
        nuts.warn_of_design(rs.Crossed().layout(trials.counts))
    apart = rows | {"successes": [0, 1, 2, 3], "condition": ["x", "y", "x", "y"]}
    trials = rs.Trials.from_counts(apart, condition="condition")
    with pytest.warns(rs.IdentifiabilityWarning, match="under condition 'y' no system"):
        nuts.warn_of_design(rs.Crossed(baseline="x").layout(trials.counts))


@pytest.mark.slow
@pytest.mark.parametrize("sampler", ["pymc", "nutpie"])
def test_one_system_equals_quadrature(sampler):
    trials = rs.Trials.from_array(make_trials(40, 5)[1][:1, :, None] > np.linspace(0.1, 0.9, 5))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", rs.ConvergenceWarning)
        post = rs.fit(trials, rs.Crossed(), sampler=sampler, draws=1500, cores=2, progress=False)
    exact = rs.fit(trials).summary()
    found = post.summary()
    error = (found["mean"] - exact["mean"]).abs() / exact["sd"]
    assert error.max() < 0.12
    assert ((found["sd"] / exact["sd"]) - 1).abs().max() < 0.1


@pytest.mark.slow
@pytest.mark.parametrize(
    "outcomes",
    [
        np.zeros((2, 10, 3)),
        np.ones((2, 10, 3)),
        np.stack([np.zeros((10, 3)), np.ones((10, 3))]),
        np.array([[[1.0, 0, 1]], [[0.0, 0, 1]]]),
        np.arange(20).reshape(2, 10, 1) % 3 > 0,
    ],
    ids=["all fail", "all pass", "separated", "one task", "one trial"],
)
def test_extreme_data(outcomes):
    """The answer is sane, warned of if anything, and never a stack trace of the sampler."""
    trials = rs.Trials.from_array(np.asarray(outcomes, dtype=float), systems=["a", "b"])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", (rs.ConvergenceWarning, rs.IdentifiabilityWarning))
        post = rs.fit(trials, rs.Crossed(), cores=2, progress=False)
        table = post.summary([rs.SuccessRate(), rs.PassHatK(2)])
        rates = np.asarray(outcomes, dtype=float).mean(axis=(1, 2))
    mean = table.loc[table["estimand"] == "success_rate", "mean"].to_numpy()
    assert np.abs(mean - rates).max() < 0.25
    assert np.isfinite(table[["mean", "sd", "lower", "upper"]].to_numpy()).all()
