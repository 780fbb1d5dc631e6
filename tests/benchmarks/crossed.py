"""Effective draws a second of the crossed model, beside the textbook formulation in PyMC.

    python -m tests.benchmarks.crossed                 # both designs, both formulations
    python -m tests.benchmarks.crossed --only ours --designs 10x100x5

The textbook formulation has one latent logit for each cell,

    y ~ Binomial(n, expit(a + alpha_s + beta_t + c_st)),

and is sampled by PyMC's own sampler; Bambi's ``(1|system)+(1|task)+(1|system:task)`` is the same.
Time includes compiling, and the smallest bulk effective sample size is over the parameters of
systems and the standard deviations, not over cells. The mean success rate of each system over the
observed tasks is compared in posterior standard deviations.
"""

from __future__ import annotations

import argparse
import time
import warnings
from typing import Any

import numpy as np
import pandas as pd
from scipy import special

import reliability_stats as rs
from reliability_stats._arviz import chain_figures

DESIGNS = {"10x100x5": (10, 100, 5), "4x500x8": (4, 500, 8)}
SETTINGS = {"draws": 1000, "tune": 1000, "chains": 4}


def simulate(systems: int, tasks: int, trials: int) -> rs.Trials:
    """Draw from the crossed model with usual parameters."""
    rng = np.random.default_rng([systems, tasks, trials])
    logits = rng.normal(0.3, 0.8, (systems, 1)) + rng.normal(0.0, 2.0, tasks)
    phi = 1 / 0.15 - 1
    p = rng.beta(special.expit(logits) * phi, special.expit(-logits) * phi)
    wins = rng.binomial(trials, p)
    outcomes = np.arange(trials) < wins[..., None]
    return rs.Trials.from_array(
        outcomes.astype(float), systems=[f"s{i:02d}" for i in range(systems)]
    )


def ours(trials: rs.Trials, cores: int) -> dict[str, Any]:
    """Fit `Crossed`."""
    start = time.perf_counter()
    post = rs.fit(trials, rs.Crossed(), cores=cores, progress=False, **SETTINGS)
    seconds = time.perf_counter() - start
    names = ("system_logit", "icc_logit", *post.engine.layout.sd_scales)
    values = [
        post.engine.values[name].reshape(4, -1, post.engine.values[name][0].size) for name in names
    ]
    rates = post.draws(rs.SuccessRate(), over="observed").to_numpy()
    divergences = post.sampler_info["checks"]["divergences"]
    return _row("Crossed", seconds, np.concatenate(values, axis=2), rates, divergences)


def textbook(trials: rs.Trials, cores: int) -> dict[str, Any]:
    """Fit one latent logit for each cell in PyMC, effects non-centred."""
    import pymc as pm

    counts = trials.counts
    start = time.perf_counter()
    with pm.Model():
        centre = pm.Normal("centre", 0.0, 1.5)
        sds = [pm.HalfNormal(name, scale) for name, scale in (("s", 1.5), ("t", 2.0), ("c", 1.0))]
        sizes = counts.n_systems, counts.n_tasks, counts.n_cells
        raw = [pm.Normal(f"raw{i}", shape=size) for i, size in enumerate(sizes)]
        system = pm.Deterministic("system", centre + sds[0] * raw[0])
        logit = system[counts.system] + (sds[1] * raw[1])[counts.task] + sds[2] * raw[2]
        p = pm.Deterministic("p", pm.math.sigmoid(logit))
        pm.Binomial("y", counts.n, p, observed=counts.successes)
        trace = pm.sample(
            **SETTINGS, cores=cores, random_seed=1, progressbar=False, nuts_sampler="pymc",
            target_accept=0.9, compute_convergence_checks=False,
        )  # fmt: skip
    seconds = time.perf_counter() - start
    found = trace["posterior"]
    values = [
        np.asarray(found[name].values).reshape(4, 1000, -1) for name in ("system", "s", "t", "c")
    ]
    p = np.asarray(found["p"].values)
    rates = np.stack(
        [p[..., counts.system == i].mean(axis=-1) for i in range(counts.n_systems)], -1
    )
    divergences = float(np.asarray(trace["sample_stats"]["diverging"].values).sum())
    return _row("textbook", seconds, np.concatenate(values, axis=2), rates, divergences)


def _row(
    name: str, seconds: float, values: np.ndarray, rates: np.ndarray, divergences: float
) -> dict[str, Any]:
    """Give one row of the table, with the means and sds of the rates."""
    least = float(np.nanmin(chain_figures(values)[0]))
    return {
        "model": name,
        "seconds": seconds,
        "least_bulk_ess": least,
        "ess_per_second": least / seconds,
        "divergences": divergences,
        "_rates": (rates.mean(axis=(0, 1)), rates.std(axis=(0, 1))),
    }


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--designs", nargs="*", default=list(DESIGNS), choices=list(DESIGNS))
    parser.add_argument("--only", choices=["ours", "textbook"])
    parser.add_argument("--cores", type=int, default=2)
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    rows = []
    for design in options.designs:
        trials = simulate(*DESIGNS[design])
        fits = {"ours": ours, "textbook": textbook}
        found = [fits[name](trials, options.cores) for name in fits if options.only in (None, name)]
        mean, sd = found[0]["_rates"]
        for row in found:
            away = float(np.abs((row.pop("_rates")[0] - mean) / sd).max())
            rows.append({"design": design, **row, "largest_distance_sd": away})
            print(pd.DataFrame(rows[-1:]).round(3).to_csv(index=False), flush=True)


if __name__ == "__main__":
    main()
