"""The crossed model's own log density: against PyMC's graph, differences, and the compiled loop."""

from __future__ import annotations

import numpy as np
import pytest

import reliability_stats as rs
from reliability_stats.inference import crossed_kernel
from reliability_stats.inference.crossed_density import CrossedDensity, fast, gather, spread

TABLE = {
    "system": ["a", "a", "a", "a", "b", "b", "b", "c"],
    "task": ["t", "u", "t", "u", "t", "u", "t", "u"],
    "condition": ["x", "x", "y", "z", "x", "x", "y", "y"],
    "n": [3, 4, 5, 1, 2, 6, 3, 7],
    "successes": [3, 1, 2, 0, 2, 3, 0, 5],
}
CONDITIONS = rs.Trials.from_counts(TABLE, condition="condition")
GRID = rs.Trials.from_array(np.arange(24).reshape(2, 3, 4) % 3 > 0, tasks=["t", "u", "v"])
MANY = rs.Trials.from_counts(
    {
        "system": ["a", "a", "b"],
        "task": ["t", "u", "u"],
        "n": [3, 700, 40],
        "successes": [1, 660, 9],
    }
)
VARIANTS = {
    "plain": (GRID, {}),
    "conditions": (CONDITIONS, {"baseline": "y", "icc_prior": rs.Beta(2, 3)}),
    "families": (GRID, {"families": {"t": "f", "u": "f", "v": "g"}, "mean_prior": rs.Beta(2, 2)}),
    "many trials": (MANY, {}),
    "one system": (rs.Trials.from_array([[1, 0], [1, 1]]), {}),
}


def make(name, parametrisation):
    trials, fields = VARIANTS[name]
    return CrossedDensity(
        rs.Crossed(parametrisation=parametrisation, **fields).layout(trials.counts)
    )


def test_effects_have_sum_zero_and_keep_their_length():
    rng = np.random.default_rng(0)
    z, g = rng.normal(size=(3, 6)), rng.normal(size=(3, 7))
    effects = spread(z)
    assert effects.sum(axis=-1) == pytest.approx(0)
    assert (effects**2).sum(axis=-1) == pytest.approx((z**2).sum(axis=-1))
    assert (effects * g).sum() == pytest.approx((z * gather(g)).sum())


@pytest.mark.parametrize("name", VARIANTS)
@pytest.mark.parametrize("parametrisation", ["centred", "non-centred"])
def test_gradient_and_compiled_loop(name, parametrisation):
    density = make(name, parametrisation)
    quick = fast(density)
    rng = np.random.default_rng(1)
    for scale in (0.5, 1.0, 3.0):
        x = scale * rng.normal(size=density.size)
        value, gradient = density(x)
        again = quick(x)
        assert again[0] == pytest.approx(value, rel=1e-12)
        assert again[1] == pytest.approx(gradient, rel=1e-8, abs=1e-8)
        if scale > 1.0:
            continue
        step = 1e-6
        for i in range(density.size):
            moved = step * (np.arange(density.size) == i)
            slope = (density(x + moved)[0] - density(x - moved)[0]) / (2 * step)
            assert gradient[i] == pytest.approx(slope, rel=1e-4, abs=1e-4)


@pytest.mark.parametrize("name", [name for name in VARIANTS if name != "many trials"])
@pytest.mark.parametrize("parametrisation", ["centred", "non-centred"])
def test_it_is_the_density_of_the_graph(name, parametrisation):
    """Differences between points are those of PyMC's, on the same variables."""
    density = make(name, parametrisation)
    model = density.layout.graph()
    points = np.random.default_rng(2).normal(size=(3, density.size))
    logp = model.compile_fn(
        model.logp(jacobian=True), inputs=model.value_vars, mode="FAST_COMPILE", point_fn=False
    )
    theirs = [
        logp(*(coordinates(density, model, x, v.name) for v in model.value_vars)) for x in points
    ]
    mine = [density(x)[0] for x in points]
    assert np.diff(mine) == pytest.approx(np.diff(theirs), rel=1e-8, abs=1e-8)


def coordinates(density, model, x, name):
    """Give the value of one of PyMC's variables; its zero-sum basis is that of `spread`."""
    bare = name.removesuffix("_zerosum__").removesuffix("_log__").removesuffix("_raw")
    if bare in density.scales:
        return np.asarray(x[density.places[bare].start])
    if bare.endswith("_logit_mean"):
        return np.asarray(x[density.places[bare].start])
    value = x[density.places[bare]]
    if bare in density.effects:
        value = value.reshape(density.effects[bare].shape)
    return value


def test_far_points_stay_finite():
    density = make("conditions", "non-centred")
    for scale in (30.0, 300.0):
        x = scale * np.random.default_rng(3).choice([-1.0, 1.0], density.size)
        x[[density.places[name].start for name in density.scales]] = 1.0
        for function in (density, fast(density)):
            value, gradient = function(x)
            assert np.isfinite(value)
            assert np.isfinite(gradient).all()


def test_without_numba_the_plain_version_is_used(monkeypatch):
    monkeypatch.setattr("reliability_stats.inference.crossed_density.compiled", lambda: None)
    density = make("plain", "centred")
    assert fast(density) is density
    assert callable(crossed_kernel.compiled)
