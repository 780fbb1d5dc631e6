"""Simulation-based calibration: right models pass, wrong ones are found out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest
from scipy import stats

import reliability_stats as rs
from reliability_stats.calibration import _shape, _share_below, sbc
from reliability_stats.models.beta_binomial import LogLikelihood

DESIGN = rs.simulate(rs.Beta(1, 1), tasks=12, trials=3, rng=0).trials


@dataclass(frozen=True)
class OneByOne(rs.BetaBinomial):
    """Fitted one data set at a time."""

    separable: ClassVar[bool] = False

    def log_likelihood(self, parameters, counts):
        return super().log_likelihood(parameters, counts).sum(axis=1, keepdims=True)


@dataclass(frozen=True)
class Overconfident(rs.BetaBinomial):
    """Counts the data three times."""

    def log_density(self, distinct, n_units):
        likelihood = LogLikelihood.of(distinct, n_units)
        return lambda unit, u, v: 3 * likelihood(unit, u, v) + self.log_prior_logit(u, v)


@dataclass(frozen=True)
class Deaf(rs.BetaBinomial):
    """Never looks at the data."""

    def log_density(self, distinct, n_units):
        return lambda unit, u, v: self.log_prior_logit(u, v)


@dataclass(frozen=True)
class Pessimist(rs.BetaBinomial):
    """Fits with a prior of its own."""

    def log_prior_logit(self, u, v):
        return super().log_prior_logit(u, v) - 3 * np.logaddexp(0, u)


def test_the_beta_binomial_is_calibrated():
    found = sbc(rs.BetaBinomial(), DESIGN, 500, rng=1, draws=199)
    assert found.ranks.shape == (500, 3)
    assert found.table["quantity"].tolist() == ["mean", "icc", "log likelihood"]
    assert found.table["calibrated"].all()
    assert found.verdict.startswith("No departure found")
    np.testing.assert_allclose(found.table["coverage_95"], 0.95, atol=0.04)
    np.testing.assert_allclose(found.table["coverage_50"], 0.5, atol=0.09)
    assert found.ranks.to_numpy().min() > 0
    assert found.ranks.to_numpy().max() < 1


@pytest.mark.parametrize(
    "model",
    [
        rs.BetaBinomial(rs.Beta(5, 2), rs.Beta(0.5, 0.5)),
        rs.BetaBinomial(icc_prior=stats.beta(2, 2)),
        rs.BetaBinomial.one_rate(),
    ],
    ids=["other betas", "scipy", "one rate"],
)
def test_other_priors_are_calibrated(model):
    found = sbc(model, DESIGN, 250, rng=2, draws=199, prob=0.999)
    assert found.table["calibrated"].all(), found


def test_too_narrow_posteriors_are_found_out():
    found = sbc(Overconfident(), DESIGN, 250, draws=199)
    assert not found.table["calibrated"].all()
    assert found.verdict.startswith("Not calibrated: ")
    assert (found.table["coverage_95"].iloc[:2] < 0.9).all()
    alone = found.table.set_index("quantity")["calibrated"]
    assert not alone["mean"]
    assert _shape(found.ranks["mean"].to_numpy()) == "the posterior is too narrow"


def test_posteriors_that_ignore_the_data_are_found_out_by_the_likelihood_alone():
    found = sbc(Deaf(), DESIGN, 250, draws=199).table.set_index("quantity")["calibrated"]
    assert found["mean"]
    assert found["icc"]
    assert not found["log likelihood"]


def test_shifted_posteriors_are_found_out():
    found = sbc(Pessimist(), DESIGN, 250, draws=199)
    row = found.table.set_index("quantity").loc["mean"]
    assert not row["calibrated"]
    assert row["mean"] > 0.55
    assert "lies too low" in found.verdict


def test_one_data_set_at_a_time():
    found = sbc(OneByOne(), DESIGN, 40, rng=3, draws=99, prob=0.999)
    assert found.ranks.shape == (40, 3)
    assert found.table["calibrated"].all()


def test_designs_with_several_systems_and_missing_cells():
    table = {"system": ["a", "a", "a", "b", "b"], "task": [1, 2, 3, 2, 3]}
    table |= {"n": [5, 1, 2, 4, 4], "successes": [0] * 5}
    design = rs.Trials.from_counts(table)
    for model in (rs.BetaBinomial(), OneByOne()):
        found = sbc(model, design.counts, 30, draws=19, prob=0.999)
        names = {name for name in found.ranks if name.startswith("mean[")}
        assert len(names) == 2
        assert len(found.ranks) == 30
    assert sbc(rs.BetaBinomial(), design, 30, draws=19).ranks.columns.tolist() == [
        "mean[a]",
        "mean[b]",
        "icc[a]",
        "icc[b]",
        "log likelihood[a]",
        "log likelihood[b]",
    ]


def test_conditions():
    table = {"system": ["a"] * 4, "task": [1, 2] * 2, "condition": ["x", "x", "y", "y"]}
    table |= {"n": [3] * 4, "successes": [1] * 4}
    design = rs.Trials.from_counts(table, condition="condition")
    for model, size in ((rs.BetaBinomial(), 6), (OneByOne(), 5)):
        found = sbc(model, design, 5, draws=9)
        assert found.ranks.shape == (5, size)


def test_further_quantities():
    def pass_2(parameters):
        mean, icc = parameters["mean"], parameters["icc"]
        return mean * (icc + (1 - icc) * mean)

    found = sbc(rs.BetaBinomial(), DESIGN, 200, draws=99, quantities={"pass^2": pass_2}, prob=0.999)
    assert found.table["quantity"].tolist() == ["mean", "icc", "pass^2", "log likelihood"]
    assert found.table["calibrated"].all()


def test_seeds_and_batches():
    first = sbc(rs.BetaBinomial(), DESIGN, 260, rng=7, draws=9)
    again = sbc(rs.BetaBinomial(), DESIGN, 260, rng=7, draws=9)
    other = sbc(rs.BetaBinomial(), DESIGN, 260, rng=8, draws=9)
    assert first.ranks.equals(again.ranks)
    assert not first.ranks.equals(other.ranks)
    assert len(first.ranks) == 260


def test_processes_give_the_same():
    pytest.importorskip("joblib")
    import joblib

    here = sbc(rs.BetaBinomial(), DESIGN, 300, draws=9)
    with joblib.parallel_config(backend="threading", n_jobs=2):
        there = sbc(rs.BetaBinomial(), DESIGN, 300, draws=9, n_jobs=None)
    assert here.ranks.equals(there.ranks)


def test_a_dask_cluster_gives_the_same():
    joblib = pytest.importorskip("joblib")
    distributed = pytest.importorskip("distributed")
    here = sbc(rs.BetaBinomial(), DESIGN, 300, rng=3, draws=9)
    with (
        distributed.LocalCluster(
            n_workers=1, threads_per_worker=1, dashboard_address=None, processes=True
        ) as cluster,
        distributed.Client(cluster),
        joblib.parallel_config(backend="dask"),
    ):
        there = sbc(rs.BetaBinomial(), DESIGN, 300, rng=3, draws=9, n_jobs=None, progress=True)
    assert here.ranks.equals(there.ranks)


def test_without_joblib(monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "joblib", None)
    with pytest.raises(rs.MissingExtraError, match=r"reliability-stats\[parallel\]"):
        sbc(rs.BetaBinomial(), DESIGN, 2, draws=9, n_jobs=2)
    assert len(sbc(rs.BetaBinomial(), DESIGN, 2, draws=9).ranks) == 2


def test_progress(capsys):
    sbc(rs.BetaBinomial(), DESIGN, 2, draws=9, progress=True)
    assert "Simulating" in capsys.readouterr().out


@dataclass(frozen=True)
class Fragile(OneByOne):
    """Fails on data without successes."""

    def log_density(self, distinct, n_units):
        if not distinct.successes.any():
            raise rs.ModelError("no success")
        return super().log_density(distinct, n_units)


def test_failed_fits_are_counted():
    design = rs.simulate(rs.Beta(1, 1), tasks=2, trials=2).trials
    found = sbc(Fragile(), design, 40, draws=9)
    assert 0 < len(found.failures) < 40
    assert len(found.ranks) + len(found.failures) == 40
    assert "failed and are left out; the first: no success" in found.verdict
    with pytest.raises(rs.ModelError, match=r"All \d+ fits failed; the first: no success"):
        sbc(Fragile(mean_prior=rs.Beta(1, 1e9)), design, 3, draws=9)


def test_shares_are_spread_within_ties():
    rng = np.random.default_rng(0)
    truth, sample = np.zeros(20_000), np.zeros((9, 20_000))
    share = _share_below(truth, sample, rng)
    assert stats.kstest(share, "uniform").pvalue > 1e-3
    assert (_share_below(np.ones(5), np.zeros((9, 5)), rng) > 0.9).all()
    assert (_share_below(-np.ones(5), np.zeros((9, 5)), rng) < 0.1).all()


class Unable(rs.models.Model):
    inference = "quadrature"


@pytest.mark.parametrize(
    ("model", "design", "options", "error", "message"),
    [
        ("x", DESIGN, {}, rs.ArgumentError, "model must be a model"),
        (rs.BetaBinomial, DESIGN, {}, rs.ArgumentError, "model must be a model"),
        (Unable(), DESIGN, {}, rs.ModelError, "Unable cannot be simulated"),
        (rs.BetaBinomial(), [[1, 0]], {}, rs.ArgumentError, "design must be Trials or Counts"),
        (rs.BetaBinomial(), DESIGN, {"n_sims": 0}, rs.ArgumentError, "n_sims"),
        (rs.BetaBinomial(), DESIGN, {"draws": 0}, rs.ArgumentError, "draws"),
        (rs.BetaBinomial(), DESIGN, {"prob": 2}, rs.ArgumentError, "prob"),
        (rs.BetaBinomial(), DESIGN, {"n_jobs": 0}, rs.ArgumentError, "n_jobs must be"),
        (rs.BetaBinomial(), DESIGN, {"n_jobs": 1.5}, rs.ArgumentError, "n_jobs must be"),
        (rs.BetaBinomial(), DESIGN, {"quantities": [1]}, rs.ArgumentError, "quantities must be"),
        (rs.BetaBinomial(), DESIGN, {"tolerance": 1}, rs.ArgumentError, "has no option"),
        (
            rs.BetaBinomial(log_prior=lambda m, r: 0 * m),
            DESIGN,
            {},
            rs.ModelError,
            "log_prior cannot be drawn from",
        ),
    ],
)
def test_bad_arguments(model, design, options, error, message):
    with pytest.raises(error, match=message):
        sbc(model, design, **({"n_sims": 3, "draws": 9} | options))
