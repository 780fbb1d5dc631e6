"""The crossed model: what it takes, what a design identifies, its density and its prior."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from scipy import special, stats

import reliability_stats as rs
from reliability_stats.models._crossed_graph import constant
from reliability_stats.models._crossed_prior import log_density, log_likelihood

TABLE = {
    "system": ["a", "a", "a", "a", "b", "b", "b", "c"],
    "task": ["t", "u", "t", "u", "t", "u", "t", "u"],
    "condition": ["x", "x", "y", "y", "x", "x", "y", "y"],
    "n": [3, 4, 5, 1, 2, 6, 3, 70],
    "successes": [3, 1, 2, 0, 2, 3, 0, 66],
}
CONDITIONS = rs.Trials.from_counts(TABLE, condition="condition")
PLAIN = rs.Trials.from_array(np.array([[[1, 0, 1], [0, 0, 0]], [[1, 1, 1], [0, 1, np.nan]]]))


def effects(trials, **fields):
    return rs.Crossed(**fields).layout(trials.counts).effects


def test_effects_that_designs_identify():
    assert effects(PLAIN) == ("system", "task")
    assert effects(rs.Trials.from_array([[1, 0], [1, 1]])) == ()
    assert effects(rs.Trials.from_array([[[1, 0]], [[1, 1]]])) == ("system",)
    every = ("system", "task", "condition", "condition_system", "condition_task")
    assert effects(CONDITIONS, baseline="x") == every
    alone = {key: values[:4] for key, values in TABLE.items()}
    one = rs.Trials.from_counts(alone, condition="condition")
    assert effects(one, baseline="x") == ("task", "condition")


def test_families_are_an_effect_if_several_tasks_share_one():
    trials = rs.Trials.from_array(np.ones((2, 3, 2)), tasks=["t", "u", "v"])
    assert "family" in effects(trials, families={"t": "f", "u": "f", "v": "g"})
    assert "family" not in effects(trials, families={"t": "f", "u": "g", "v": "h"})
    assert "family" not in effects(trials, families={"t": "f", "u": "f", "v": "f"})


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"baseline": 3}, "baseline must be the label"),
        ({"task_sd": 0}, "task_sd must be a positive number, not 0"),
        ({"icc_sd": np.inf}, "icc_sd must be a positive"),
        ({"mean_prior": 0.5}, r"mean_prior must be Beta\(a, b\)"),
        ({"parametrisation": "fast"}, "parametrisation must be"),
        ({"families": 3}, "families must map"),
        ({"families": {}}, "families is empty"),
    ],
)
def test_wrong_fields(fields, message):
    with pytest.raises(rs.ArgumentError, match=message):
        rs.Crossed(**fields)


@pytest.mark.parametrize(
    ("trials", "fields", "message"),
    [
        (CONDITIONS, {}, r"conditions \('x', 'y'\); name the one"),
        (CONDITIONS, {"baseline": "z"}, "'z' is no condition"),
        (PLAIN, {"baseline": "x"}, "the trials have no conditions"),
        (CONDITIONS, {"baseline": "x", "families": {"t": "f"}}, "'u' has none"),
    ],
)
def test_wrong_design(trials, fields, message):
    with pytest.raises(rs.ArgumentError, match=message):
        rs.Crossed(**fields).layout(trials.counts)


def test_spec_is_a_value():
    pairs = {"u": "g", "t": "f"}
    one, two = rs.Crossed(families=pairs), rs.Crossed(families=dict(reversed(pairs.items())))
    assert one == two
    assert hash(one) == hash(two)
    with pytest.raises(dataclasses.FrozenInstanceError):
        one.task_sd = 3.0


@pytest.mark.parametrize("n", [1, 5, 300])
@pytest.mark.parametrize("rho", [1e-13, 0.2, 0.999])
def test_density_of_counts(n, rho):
    logits = np.array([-9.0, -0.4, 0.0, 2.0])[:, None]
    y = np.unique(np.linspace(0, n, 7).astype(int))
    found = log_density(logits, np.full((4, 1), 1 / rho - 1), np.full(len(y), n), y)
    mean = special.expit(logits)
    law = stats.betabinom(n, mean * (1 / rho - 1), (1 - mean) * (1 / rho - 1))
    if rho < 1e-6:
        law = stats.binom(n, mean)
    assert found == pytest.approx(law.logpmf(y), rel=1e-5, abs=1e-6)


VARIANTS = {
    "plain": (PLAIN, {}),
    "conditions": (CONDITIONS, {"baseline": "y", "icc_prior": rs.Beta(2, 3)}),
    "families": (
        rs.Trials.from_array(np.arange(24).reshape(2, 3, 4) % 3 > 0, tasks=["t", "u", "v"]),
        {"families": {"t": "f", "u": "f", "v": "g"}, "mean_prior": rs.Beta(2, 2)},
    ),
    "one system": (rs.Trials.from_array([[1, 0], [1, 1]]), {}),
}


@pytest.mark.parametrize("name", VARIANTS)
@pytest.mark.parametrize("parametrisation", ["centred", "non-centred"])
def test_graph_has_the_density_of_the_model(name, parametrisation):
    """Differences of the graph's log likelihood between points are those of the plain formula."""
    import pymc as pm

    trials, fields = VARIANTS[name]
    layout = rs.Crossed(parametrisation=parametrisation, **fields).layout(trials.counts)
    model = layout.graph()
    names = [*layout.dims, "likelihood"]
    with model:
        outputs = [*(model[name] for name in layout.dims), model["likelihood"]]
    free = pm.draw(model.free_RVs, draws=4, random_seed=1, mode="FAST_COMPILE")
    function = model.compile_fn(
        outputs,
        inputs=model.free_RVs,
        mode="FAST_COMPILE",
        point_fn=False,
        on_unused_input="ignore",
    )
    rows = [function(*(x[i] for x in free)) for i in range(4)]
    draws = {name: np.stack([row[j] for row in rows]) for j, name in enumerate(names)}
    expected = log_likelihood(layout, draws) - constant(trials.counts)
    assert draws["likelihood"] == pytest.approx(expected, rel=1e-9)


def test_prior_of_the_graph_is_that_which_is_drawn():
    """Quantiles of every variable agree between the graph's prior and `draw_prior`."""
    import pymc as pm

    model = rs.Crossed(baseline="x")
    layout = model.layout(CONDITIONS.counts)
    graph = layout.graph()
    names = list(layout.dims)
    size = 3000
    found = pm.draw([graph[name] for name in names], draws=size, random_seed=2, mode="FAST_COMPILE")
    mine = model.draw_prior(CONDITIONS.counts, size, np.random.default_rng(3))
    assert set(mine) == set(names)
    for name, theirs in zip(names, found, strict=True):
        assert mine[name].shape == theirs.shape
        for column in (0, -1):
            a, b = (np.reshape(x, (size, -1))[:, column] for x in (mine[name], theirs))
            assert stats.ks_2samp(a, b).pvalue > 1e-4, name


def test_simulated_data_have_the_means_of_the_parameters():
    model = rs.Crossed(baseline="x")
    layout = model.layout(CONDITIONS.counts)
    one = model.draw_prior(CONDITIONS.counts, 1, np.random.default_rng(4))
    many = {name: np.repeat(value, 20000, axis=0) for name, value in one.items()}
    counts = model.simulate(many, CONDITIONS.counts, np.random.default_rng(5))
    mean = special.expit(layout.cell_logits(one))[0]
    assert counts.mean(axis=0) / CONDITIONS.counts.n == pytest.approx(mean, abs=0.015)
    assert model.log_likelihood(one, CONDITIONS.counts).shape == (1, 1)


def test_population_is_centred_on_zero_effects():
    """Of many observed tasks the mean logit is that of their population, up to the distance."""
    layout = rs.Crossed(baseline="x").layout(CONDITIONS.counts)
    rng = np.random.default_rng(6)
    draws = layout.with_distances(
        rs.Crossed(baseline="x").draw_prior(CONDITIONS.counts, 5000, rng), rng
    )
    centre, sd = layout.unit_logits(draws)
    assert centre.shape == sd.shape == (5000, 5)
    shift = draws["system_logit"][:, 0] - centre[:, 0]
    assert np.std(shift / draws["task_sd"]) == pytest.approx(1 / np.sqrt(2), rel=0.05)
    assert np.all(sd[:, 1] > sd[:, 0])
