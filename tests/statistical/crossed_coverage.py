"""Simulation-based calibration and coverage of the crossed model, under its own prior.

Run the whole table (about half an hour on one core) with::

    python -m tests.statistical.crossed_coverage --minutes 32

For each variant of the design, parameters are drawn from the prior, success probabilities of cells
and outcomes from the model, and the model is fitted. Counted is how often nominal 95% and 50%
intervals hold the truth, over the population and over the observed tasks; and the ranks of the true
values among thinned draws are tested for uniformity, that of the log likelihood among them. Systems
of one data set share parameters, so that standard errors go by data sets.
"""

from __future__ import annotations

import argparse
import sys
import time
import warnings
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from scipy import special

import reliability_stats as rs
from reliability_stats._ecdf_band import p_value
from reliability_stats.inference.tasks_integral import over_tasks

OPTIONS = {"draws": 400, "tune": 400, "chains": 2, "cores": 1, "progress": False}
THINNED = 100


@dataclass(frozen=True)
class Variant:
    """A design, and the model that is fitted to it."""

    name: str
    systems: int
    tasks: int
    trials: int
    conditions: tuple[str, ...] = ()
    model: dict[str, Any] = field(default_factory=dict)
    missing: float = 0.0

    def counts(self) -> rs.Counts:
        """Give the cells; which of them are missing is fixed."""
        shape = self.systems, max(len(self.conditions), 1), self.tasks
        where = np.stack(np.indices(shape), axis=-1).reshape(-1, 3)
        kept = np.random.default_rng(11).permutation(len(where)) >= self.missing * len(where)
        where = where[kept]
        table = {
            "system": [f"s{i}" for i in where[:, 0]],
            "task": [f"t{i:02d}" for i in where[:, 2]],
            "n": np.full(len(where), self.trials),
            "successes": np.zeros(len(where), dtype=int),
        }
        if not self.conditions:
            return rs.Trials.from_counts(table).counts
        table["condition"] = [self.conditions[i] for i in where[:, 1]]
        return rs.Trials.from_counts(table, condition="condition").counts


FAMILIES = {f"t{i:02d}": f"f{i % 5}" for i in range(20)}
VARIANTS = (
    Variant("plain", 4, 20, 4),
    Variant("half missing", 5, 24, 4, missing=0.5),
    Variant("families", 3, 20, 4, model={"families": FAMILIES}),
    Variant("conditions", 3, 16, 4, ("x", "y"), {"baseline": "x"}),
)


def estimands(variant: Variant) -> list[Any]:
    """Give what is asked of every fit."""
    plain = [rs.SuccessRate(), rs.PassHatK(4), rs.PassAtK(4), rs.FlickerMass(), rs.ICC()]
    if not variant.conditions:
        return plain
    more = [rs.Degradation("y"), rs.Degradation("y", of=rs.PassHatK(4))]
    return [*plain, *more, rs.Retention("y"), rs.WorstCondition()]


def truths(asked: list[Any], layout: Any, truth: dict[str, Any], p: np.ndarray) -> dict[Any, Any]:
    """Give the true values: (estimand, over) -> (units,) or (systems,)."""
    counts = layout.counts
    centre, sd = layout.unit_logits(truth)
    phi = layout.concentration(truth)[:, layout.unit_system]
    found: dict[Any, Any] = {}
    for item in asked:
        of = item if isinstance(item, rs.Estimand) else item.of
        means = over_tasks(of.parts, centre, sd, phi)
        by_unit = {
            "population": of.combine(*means)[0],
            "observed": np.array(
                [of.from_p(p[counts.unit == unit]) for unit in range(len(counts.units))]
            ),
        }
        for over, value in by_unit.items():
            if isinstance(item, rs.Contrast):
                value = item.combine(value.reshape(counts.n_systems, -1))
            found[item, over] = value
    return found


def replicate(variant: Variant, design: rs.Counts, rng: np.random.Generator) -> dict[str, Any]:
    """Simulate, fit and look: quantity -> dict of hits and ranks."""
    model = rs.Crossed(**variant.model)
    layout = model.layout(design)
    truth = layout.with_distances(model.draw_prior(design, 1, rng), rng)
    mean = special.expit(layout.cell_logits(truth)[0])
    phi = layout.concentration(truth)[0][design.system]
    p = rng.beta(np.maximum(mean * phi, 1e-300), np.maximum((1 - mean) * phi, 1e-300))
    table = design.to_frame()
    table["successes"] = rng.binomial(design.n, p)
    condition = {"condition": "condition"} if variant.conditions else {}
    trials = rs.Trials.from_counts(table, **condition)
    post = rs.fit(trials, model, rng=int(rng.integers(2**31)), **OPTIONS)
    out: dict[str, Any] = {"converged": post.diagnose().passed}
    checks = post.sampler_info["checks"]
    out["divergences"], out["r_hat"] = checks["divergences"], checks["R-hat"]
    asked = estimands(variant)
    for (item, over), value in truths(asked, layout, truth, p).items():
        drawn = post.draws(item, over=over).to_numpy().reshape(-1, len(value))
        share = (drawn < value).mean(axis=0)
        known = ~np.isnan(value) & ~np.isnan(drawn).any(axis=0)
        rows = np.linspace(0, len(drawn) - 1, THINNED).astype(int)
        out[f"{item.name}|{over}"] = share[known], rank(drawn[rows], value, rng)[known][:1]
    values = post.engine.parameters(1, THINNED, cells=False)
    draws = {name: values[name][1][0] for name in layout.dims}
    for name in layout.dims:
        if name.endswith(("_sd", "_logit")):
            flat = draws[name].reshape(THINNED, -1)
            out[f"{name}|parameter"] = None, rank(flat, truth[name].reshape(-1), rng)[:1]
    likelihood = model.log_likelihood(draws, trials.counts)
    at_truth = model.log_likelihood({n: truth[n] for n in layout.dims}, trials.counts)
    out["log likelihood|parameter"] = None, rank(likelihood, at_truth[0], rng)
    return out


def rank(drawn: np.ndarray, value: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Give the share of draws below the truth, spread evenly within ranks."""
    below, equal = (drawn < value).sum(axis=0), (drawn == value).sum(axis=0)
    return (below + (equal + 1) * rng.random(value.shape)) / (len(drawn) + 1)


def summarise(variant: Variant, results: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Give one row a quantity."""
    rows = []
    names = [name for name in results[0] if "|" in name]
    for name in names:
        found = [result[name] for result in results]
        ranks = np.concatenate([r for _, r in found])
        label, over = name.split("|")
        row = {"variant": variant.name, "quantity": label, "over": over, "fits": len(results)}
        if found[0][0] is not None:
            for prob in (0.95, 0.5):
                hits = [(np.abs(s - 0.5) <= prob / 2).mean() for s, _ in found if len(s)]
                row[f"coverage_{100 * prob:.0f}"] = np.mean(hits)
                row[f"error_{100 * prob:.0f}"] = np.std(hits, ddof=1) / np.sqrt(len(hits))
        row["p_uniform"] = p_value(ranks)
        row["not_converged"] = np.mean([not r["converged"] for r in results])
        row["with_divergences"] = np.mean([r["divergences"] > 0 for r in results])
        rows.append(row)
    return rows


def run(variants: tuple[Variant, ...], fits: int, minutes: float, seed: int) -> pd.DataFrame:
    """Fit as many data sets of each variant as the time allows, at most `fits`."""
    rows = []
    warnings.simplefilter("ignore")
    for i, variant in enumerate(variants):
        start, results = time.monotonic(), []
        design = variant.counts()
        for stream in np.random.default_rng([seed, i]).spawn(fits):
            if time.monotonic() - start > 60 * minutes / len(variants) and len(results) > 1:
                break
            results.append(replicate(variant, design, stream))
        rows += summarise(variant, results)
        print(f"{variant.name}: {len(results)} fits", file=sys.stderr, flush=True)
    return pd.DataFrame(rows)


def main() -> None:
    """Print the table as CSV."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=35.0)
    parser.add_argument("--fits", type=int, default=1000)
    parser.add_argument("--variants", nargs="*", default=[v.name for v in VARIANTS])
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    chosen = tuple(v for v in VARIANTS if v.name in options.variants)
    table = run(chosen, options.fits, options.minutes, options.seed)
    print(table.to_csv(index=False, float_format="%.4f"), end="")


if __name__ == "__main__":
    main()
