"""Logit-normal and spike-and-slab posteriors against brute force, published values and edges."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import special

import reliability_stats as rs
from reliability_stats.inference import spike_slab
from reliability_stats.models._logit_integral import log_mean
from reliability_stats.models.spike_slab import rows_alone

MODELS = [rs.LogitNormal(), rs.SpikeSlab()]
ids = [type(model).__name__ for model in MODELS]


def trials_of(n, successes):
    table = {"task": np.arange(len(n)), "n": n, "successes": successes}
    return rs.Trials.from_counts(table, system=None)


@pytest.fixture(scope="module")
def uneven():
    rng = np.random.default_rng(3)
    n = rng.integers(1, 7, 30)
    return trials_of(n, rng.binomial(n, rng.choice([0.0, 0.3, 0.8, 1.0], 30)))


@pytest.mark.parametrize(
    ("model", "evidence", "flicker", "eight"),
    [
        (rs.LogitNormal(), (-81.802, -71.758), 0.687, 0.108),
        (rs.SpikeSlab(), (-82.309, -71.484), 0.646, 0.179),
    ],
    ids=ids,
)
def test_reference(airline, model, evidence, flicker, eight):
    """Values computed by others."""
    post = rs.fit(airline, model)
    found = post.log_evidence
    assert [found["gpt-4o"], found["gpt-4o ReAct"]] == pytest.approx(evidence, abs=0.006)
    table = post.summary([rs.FlickerMass(), rs.PassHatK(8)])
    means = table[table["system"] == "gpt-4o"]["mean"].tolist()
    assert means == pytest.approx([flicker, eight], abs=0.001)


def test_logit_normal_against_a_plain_grid(uneven):
    """A fine regular grid, importance weights and brute-force sums over tasks."""
    post = rs.fit(uneven, rs.LogitNormal())
    x, v = np.linspace(-7, 7, 81), np.linspace(-7, 3, 81)
    location, log_scale = (axis.ravel() for axis in np.meshgrid(x, v, indexing="ij"))
    scale = np.exp(log_scale)
    d = uneven.counts.distinct()
    logs = rs.LogitNormal().log_prior(location, log_scale)
    for n, y, many in zip(d.n, d.successes, d.multiplicity, strict=True):
        size = np.ones_like(scale)
        logs = logs + many * log_mean(n * size, y * size, location, scale)
        logs = logs + many * np.log(special.comb(n, y))
    area = (x[1] - x[0]) * (v[1] - v[0])
    assert post.log_evidence.iloc[0] == pytest.approx(
        special.logsumexp(logs) + np.log(area), abs=1e-4
    )
    weight = np.exp(logs - special.logsumexp(logs))
    low, high = ((special.logit(p) - location) / scale for p in (0.1, 0.9))
    flicker = weight @ (special.ndtr(high) - special.ndtr(low))
    z = np.linspace(-8, 8, 321)
    normal = np.exp(-z * z / 2) / np.exp(-z * z / 2).sum()
    three = weight @ (special.expit(location[:, None] + scale[:, None] * z) ** 3 @ normal)
    table = post.summary([rs.FlickerMass(), rs.PassHatK(3)])
    assert table["mean"].tolist() == pytest.approx([flicker, three], abs=1e-5)


def test_two_ways_to_integrate_shares_out(uneven, monkeypatch):
    d, model = uneven.counts.distinct(), rs.SpikeSlab(weights=(0.7, 1.5, 2.0))
    problem = spike_slab.Problem(model, d, rows_alone(d.n, d.successes), uneven.counts.units)
    u, w, unit = np.array([[-1.0, 0.0, 2.0]]), np.array([[0.0, -8.0, 5.0]]), np.array([0])
    summed = problem.density(unit, u, w)
    monkeypatch.setattr(spike_slab, "EXACT", 0)
    assert problem.density(unit, u, w) == pytest.approx(summed, abs=1e-7)


def test_spikes_against_importance_sampling(uneven):
    """Draws from the prior, weighted by the likelihood."""
    model, rng = rs.SpikeSlab(), np.random.default_rng(0)
    few = trials_of([3, 3, 2, 4, 4, 1], [0, 3, 1, 0, 4, 1])
    drawn = model.draw_prior(few.counts, 200_000, rng)
    logs = model.log_likelihood(drawn, few.counts)[:, 0]
    weight = np.exp(logs - logs.max())
    error = 4 * np.sqrt((weight**2).sum()) / weight.sum()
    post = rs.fit(few, model)
    assert post.log_evidence.iloc[0] == pytest.approx(np.log(weight.mean()) + logs.max(), abs=error)
    zero, one, mean = (drawn[name][:, 0] for name in ("zero", "one", "slab_mean"))
    rate = np.average(one + (1 - zero - one) * mean, weights=weight)
    assert post.summary(rs.SuccessRate())["mean"].iloc[0] == pytest.approx(rate, abs=error)
    two = rs.SpikeSlab(max_icc=1e-9)
    power = post.summary(rs.PassHatK(2))["mean"].iloc[0]
    icc = drawn["slab_icc"][:, 0]
    square = mean**2 + icc * mean * (1 - mean)
    assert power == pytest.approx(
        np.average(one + (1 - zero - one) * square, weights=weight), abs=error
    )
    assert rs.fit(few, two).log_evidence.iloc[0] < 0


@pytest.mark.parametrize("model", MODELS, ids=ids)
def test_draws_agree_with_summaries(uneven, model):
    post = rs.fit(uneven, model)
    wanted = [rs.PassHatK(3), rs.FlickerMass(), rs.Persistence(1)]
    for over in ("population", "observed"):
        draws = post.draws(wanted, over=over)
        table = post.summary(wanted, over=over).set_index("estimand")
        for estimand in wanted:
            row, values = table.loc[estimand.name], draws[estimand.name]
            assert float(values.mean()) == pytest.approx(row["mean"], abs=0.08 * row["sd"])
            assert float(values.std()) == pytest.approx(row["sd"], rel=0.06)
            ends = np.quantile(values, [0.025, 0.975])
            assert ends == pytest.approx([row["lower"], row["upper"]], abs=0.2 * row["sd"])
    data = post.to_arviz(draws=300, chains=4)["posterior"]
    cells = post.tasks()
    order = [list(uneven.counts.tasks).index(task) for task in cells["task"]]
    p = data["p"].to_numpy()[..., 0, :][..., order].reshape(-1, 30)
    assert p.mean(axis=0) == pytest.approx(cells["mean"].to_numpy(), abs=0.04)
    assert (p <= 0.1).mean(axis=0) == pytest.approx(cells["p_not_shown"].to_numpy(), abs=0.06)
    assert np.quantile(p, 0.975, axis=0) == pytest.approx(cells["upper"].to_numpy(), abs=0.06)


@pytest.mark.filterwarnings("ignore::reliability_stats.exceptions.IdentifiabilityWarning")
@pytest.mark.parametrize("model", MODELS, ids=ids)
@pytest.mark.parametrize(
    ("n", "successes"),
    [([1], [1]), ([4] * 12, [0] * 12), ([4] * 12, [4] * 12), ([1] * 8, [0, 1] * 4), ([3000], [7])],
    ids=str,
)
def test_edges(model, n, successes):
    post = rs.fit(trials_of(n, successes), model)
    cells = post.tasks()
    table = post.summary([rs.SuccessRate(), rs.FlickerMass()])
    assert np.isfinite(table[["mean", "sd", "lower", "upper"]].to_numpy()).all()
    assert (table["lower"] <= table["mean"]).all()
    assert (table["mean"] <= table["upper"]).all()
    assert ((cells["lower"] <= cells["mean"]) & (cells["mean"] <= cells["upper"])).all()
    if sum(n) > 20:
        assert table["mean"].iloc[0] == pytest.approx(sum(successes) / sum(n), abs=0.2) or n == [
            3000
        ]


@pytest.mark.parametrize("model", MODELS, ids=ids)
def test_failing_mirrors_succeeding(model):
    low, high = (rs.fit(trials_of([4] * 10, [y] * 10), model) for y in (0, 4))
    ends = [
        post.summary(rs.SuccessRate())[["lower", "upper"]].to_numpy()[0] for post in (low, high)
    ]
    assert ends[0] == pytest.approx(1 - ends[1][::-1], abs=1e-3)


def test_more_tasks_than_the_sum_can_take():
    y = np.repeat(np.arange(5), [300, 60, 60, 60, 220])
    post = rs.fit(trials_of(np.full(700, 4), y), rs.SpikeSlab())
    row = post.summary(rs.SuccessRate()).iloc[0]
    assert row["mean"] == pytest.approx(y.mean() / 4, abs=0.005)
    assert row["sd"] == pytest.approx((y / 4).std() / np.sqrt(700), rel=0.1)
