"""Figures on the computation, their verdict and remedy."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import reliability_stats as rs
from reliability_stats.criticism.diagnosis import diagnose
from reliability_stats.inference import grid
from reliability_stats.inference.checks import Check


@pytest.mark.parametrize("seed", range(4))
def test_usual_fits_pass(seed):
    rng = np.random.default_rng(seed)
    n = rng.integers(1, 12, (40, 25))
    p = rng.beta(*rng.uniform(0.05, 3, (2, 40, 1)), (40, 25))
    table = {"system": np.repeat(np.arange(40), 25), "task": np.tile(np.arange(25), 40)}
    table |= {"n": n.ravel(), "successes": rng.binomial(n, p).ravel()}
    found = rs.fit(rs.Trials.from_counts(table)).diagnose()
    assert found.passed, found
    assert found.table["passed"].all()
    assert found.verdict.startswith("Computed well: 5 checks passed")


@pytest.mark.parametrize(
    "outcomes", [np.zeros((1, 1)), np.ones((50, 4)), np.eye(2), [[1, 0, 1, 0]]]
)
def test_edges_pass(outcomes):
    found = rs.fit(rs.Trials.from_array(outcomes)).diagnose()
    assert found.passed, found


def test_one_rate_passes(airline):
    assert rs.fit(airline, rs.BetaBinomial.one_rate()).diagnose().passed


def test_a_rough_lattice_is_found_out(airline):
    post = rs.fit(airline)
    engine = post.engine
    rough = grid.build(engine.density, 2, reach=engine.reach, names=str, nodes=9)
    found = diagnose(replace(engine, lattices=tuple(rough)))
    assert not found.passed
    assert found.verdict.startswith("Not to be trusted: ")
    assert "Fit again with a smaller tol" in found.verdict
    failed = found.table[~found.table["passed"]]
    assert (failed["value"] > failed["limit"]).all()
    assert (failed["remedy"] != "").all()
    assert (found.table.loc[found.table["passed"], "remedy"] == "").all()


def test_a_cut_lattice_is_found_out(airline):
    engine = rs.fit(airline).engine
    (whole,) = engine.lattices
    cut = grid.lay(
        engine.density, whole.unit, whole.centre, whole.shear, whole.box * 0.3, whole.nodes
    )
    table = diagnose(replace(engine, lattices=(cut,))).table.set_index("check")
    row = table.loc["mass at the edge of the lattice"]
    assert not row["passed"]
    assert "proper prior" in row["remedy"]


class Chains:
    def __init__(self, *checks):
        self.checks = list(checks)

    def describe(self):
        return "4 chains"

    def diagnostics(self):
        return self.checks


def test_verdict_names_figures_and_remedies():
    good = Check("r_hat", "icc", 1.002, 1.01, False, "Sample longer.")
    bad = Check("ess_bulk", "mean[a]", 120.0, 400.0, True, "Sample longer.")
    worse = Check("r_hat", "", float("nan"), 1.01, False, "Sample longer.")
    assert diagnose(Chains(good)).verdict == "Computed well: 1 check passed (4 chains)."
    found = diagnose(Chains(good, bad, worse))
    assert found.verdict == (
        "Not to be trusted: 2 of 3 checks failed (ess_bulk is 120 for mean[a], not at least 400; "
        "r_hat is nan, not at most 1.01). Sample longer."
    )
    assert found.table["rule"].tolist() == ["<=", ">=", "<="]
    assert repr(found).startswith(found.verdict)
