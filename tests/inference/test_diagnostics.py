"""Diagnostics against ArviZ and against what is known."""

from __future__ import annotations

import numpy as np
import pytest

from reliability_stats.inference.diagnostics import ess_bulk, r_hat


def chains(rho, seed, shape=(4, 600)):
    rng = np.random.default_rng(seed)
    noise = rng.normal(size=shape)
    out = np.zeros(shape)
    out[:, 0] = noise[:, 0]
    for i in range(1, shape[1]):
        out[:, i] = rho * out[:, i - 1] + np.sqrt(1 - rho**2) * noise[:, i]
    return out


CASES = {
    "independent": chains(0.0, 0),
    "slow": chains(0.9, 1),
    "antithetic": chains(-0.4, 2),
    "apart": chains(0.3, 3) + np.arange(4)[:, None],
    "unequal spread": chains(0.3, 4) * np.array([1, 1, 1, 4])[:, None],
    "heavy": np.tan(np.pi * (np.random.default_rng(5).random((4, 600)) - 0.5)),
    "ties": np.round(chains(0.5, 6)),
    "odd": chains(0.2, 7, (3, 501)),
}


@pytest.mark.parametrize("draws", CASES.values(), ids=CASES)
def test_agrees_with_arviz(draws):
    az = pytest.importorskip("arviz")
    assert ess_bulk(draws[..., None])[0] == pytest.approx(
        float(np.asarray(az.ess(draws, method="bulk"))), rel=0.03
    )
    assert r_hat(draws[..., None])[0] == pytest.approx(
        float(np.asarray(az.rhat(draws, method="rank"))), abs=2e-3
    )


def test_all_units_at_once():
    both = np.stack([CASES["slow"], CASES["apart"]], axis=-1)
    for function in (ess_bulk, r_hat):
        alone = [function(both[..., [i]])[0] for i in range(2)]
        assert function(both) == pytest.approx(alone)


def test_known_autocorrelation():
    """An autoregressive chain has (1 - rho) / (1 + rho) of the draws' worth."""
    draws = chains(0.6, 8, (4, 5000))
    assert ess_bulk(draws[..., None])[0] == pytest.approx(20_000 * 0.25, rel=0.1)


def test_edges():
    constant = np.ones((4, 100, 1))
    assert ess_bulk(constant)[0] == 400
    assert np.isnan(r_hat(constant)[0])
    short = np.random.default_rng(0).normal(size=(4, 3, 1))
    assert np.isnan(ess_bulk(short)[0])
    assert np.isnan(r_hat(short)[0])
