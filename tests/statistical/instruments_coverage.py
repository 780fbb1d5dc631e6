"""Coverage of the instruments' intervals, with truths from their priors and with fixed ones.

Run the whole table (about ten minutes on one core) with::

    python tests/statistical/instruments_coverage.py --replications 400

"prior": truths are drawn from the model's own prior, so that coverage should be 95% exactly.
"fixed": one truth, possibly one that no prior of the model knows of.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator

import numpy as np
import pandas as pd
from scipy import special, stats

import reliability_stats as rs
from reliability_stats.instruments import (
    IncidentRates,
    Incidents,
    SafetyAudit,
    Tolerance,
    fix_effect,
    unseen_classes,
)
from reliability_stats.instruments._power_law import Process, count_quantile, rate_now

Row = tuple[str, float]
"""What was covered, and whether (or with what share)."""


def _incidents(counts: np.ndarray, exposure: np.ndarray, **options: bool) -> Incidents:
    names = np.arange(len(counts))
    table = {"failure_class": names, "incidents": counts, "exposure": exposure}
    return Incidents.from_counts(table, **options)


def _rates(rate: np.ndarray, exposure: np.ndarray, rng: np.random.Generator, name: str):
    """Fit classes listed beforehand, and those seen only; predict the same exposure again."""
    counts = rng.poisson(rate * exposure)
    seen = counts > 0
    for kind, keep in (("listed", np.ones(len(counts), bool)), ("seen", seen)):
        if not keep.any():
            continue
        data = _incidents(counts[keep], exposure[keep], seen_only=kind == "seen")
        post = IncidentRates().fit(data)
        below = post.fits[0].mixture.cdf(rate[keep])
        yield f"rate, {kind} classes, {name}", ((below > 0.025) & (below < 0.975)).mean()
        further = float(exposure.mean())
        next_ = post.predict(further)
        next_ = next_[next_["failure_class"] != "(all)"]
        more = rng.poisson(rate[keep] * further)
        inside = (next_["lower"] <= more) & (more <= next_["upper"])
        yield f"next number (at least 95%), {kind} classes, {name}", inside.mean()


def rates_prior(rng: np.random.Generator) -> Iterator[Row]:
    """Rates of 8 classes, mean and shape from their priors."""
    expected = stats.betaprime(0.5, 0.5).rvs(random_state=rng)
    shape = 1 / rng.uniform() - 1
    if expected < 1e5 and shape > 1e-4:
        rate = np.maximum(rng.gamma(shape, expected / shape, size=8), 1e-280)
        yield from _rates(rate, np.ones(8), rng, "prior")


def rates_fixed(rng: np.random.Generator) -> Iterator[Row]:
    """Rates of 25 classes from a gamma and a lognormal law, exposures that differ."""
    exposure = rng.choice([50.0, 100.0, 400.0], size=25)
    yield from _rates(rng.gamma(0.5, 0.04, size=25), exposure, rng, "gamma")
    yield from _rates(np.exp(rng.normal(-4.5, 1.2, size=25)), exposure, rng, "lognormal")


def growth(rng: np.random.Generator) -> Iterator[Row]:
    """Power-law processes, time- and failure-truncated."""
    for beta in (0.6, 1.4):
        number = max(rng.poisson(12.0), 1)
        times = np.sort(rng.random(number) ** (1 / beta))
        parts = {"time": Process(times, 1.0, False)}
        times = rng.exponential(size=12).cumsum() ** (1 / beta)
        parts["failure"] = Process(times, float(times[-1]), True)
        for kind, part in parts.items():
            scale = 12.0 if kind == "time" else 1.0
            below = special.gammainc(part.shape, beta * part.log_sum)
            yield f"shape {beta}, {kind}-truncated", 0.025 < below < 0.975
            rate = scale * beta * part.end ** (beta - 1)
            _, _, low, high = rate_now(part, 0.95)
            yield f"rate now, shape {beta}, {kind}-truncated", low <= rate <= high
            nodes, weight = part.beta_nodes()
            stretch = np.log1p(0.5)
            more = rng.poisson(scale * part.end**beta * np.expm1(beta * stretch))
            grown = np.expm1(nodes * stretch)
            ends = [count_quantile(part.n, grown, weight, level) for level in (0.025, 0.975)]
            inside = ends[0] <= more <= ends[1]
            yield f"next number (at least 95%), shape {beta}, {kind}-truncated", inside


def fixes(rng: np.random.Generator) -> Iterator[Row]:
    """Share of fixes that hold, of classes that were fixed because they were seen."""
    holds = rng.random()
    rate = rng.gamma(0.5, 2.0, size=60)
    before = rng.poisson(rate * 2)
    after = rng.poisson(np.where(rng.random(60) < holds, 0.0, rate) * 1.5)
    keep = before > 0
    table = {
        "failure_class": np.arange(keep.sum()),
        "before": before[keep],
        "exposure_before": np.full(keep.sum(), 2.0),
        "after": after[keep],
        "exposure_after": np.full(keep.sum(), 1.5),
    }
    row = fix_effect(table).holds().iloc[0]
    yield "share of fixes that hold", row["lower"] <= holds <= row["upper"]


def unseen(rng: np.random.Generator) -> Iterator[Row]:
    """Mass of unseen classes, under the prior and under Zipf laws."""
    d, w = rng.random(2)
    c, sizes = w / (1 - w), []
    for i in range(60):
        if rng.random() < (c + d * len(sizes)) / (c + i):
            sizes.append(1)
        else:
            weight = np.array(sizes) - d
            sizes[rng.choice(len(sizes), p=weight / weight.sum())] += 1
    cases = {"prior": (np.array(sizes), rng.beta(c + d * len(sizes), 60 - d * len(sizes)))}
    for power in (0.8, 1.5):
        p = np.arange(1, 2001.0) ** -power
        p /= p.sum()
        counts = rng.multinomial(200, p)
        cases[f"Zipf {power}"] = counts[counts > 0], p[counts == 0].sum()
    for name, (counts, mass) in cases.items():
        data = Incidents.from_counts(
            {"failure_class": np.arange(len(counts)), "incidents": counts}, exposure=None
        )
        row = unseen_classes(data).summary().iloc[0]
        yield f"unseen mass, {name}", row["lower"] <= mass <= row["upper"]


def safety(rng: np.random.Generator) -> Iterator[Row]:
    """Damage rate and audit misses: beta laws of clean runs, and one with cells that are safe."""
    size, cells, n = 20, 60, 6
    laws = {"Beta(1.2, 0.3)": (1.2, 0.3, 0.0), "Beta(4, 1)": (4.0, 1.0, 0.0)}
    laws["half safe, half Beta(1, 1)"] = (1.0, 1.0, 0.5)
    for name, (a, b, spared) in laws.items():
        p = rng.beta(a, b, (size, cells))
        p = np.where(rng.random(p.shape) < spared, 1.0, p)
        damaged = n - rng.binomial(n, p)
        table = {
            "system": np.repeat(np.arange(size), cells),
            "task": np.tile(np.arange(cells), size),
            "n": np.full(size * cells, n),
            "damaged": damaged.ravel(),
        }
        found = SafetyAudit().fit(table, system="system", n="n", damaged="damaged").summary(k=5)
        m = [spared + (1 - spared) * np.exp(special.betaln(a + j, b) - special.betaln(a, b))
             for j in range(7)]  # fmt: skip
        truth = {
            "damage_rate": 1 - m[1],
            "safe^5": m[5],
            "audit_miss@1": (m[1] - m[2]) / (1 - m[1]),
            "audit_miss@5": (m[1] - m[6]) / (1 - m[5]),
        }
        for estimand, value in truth.items():
            rows = found[found["estimand"] == estimand]
            inside = (rows["lower"] <= value) & (value <= rows["upper"])
            yield f"{estimand}, {name}", inside.mean()


def tolerance(rng: np.random.Generator) -> Iterator[Row]:
    """Verdicts that are right, of those given, for truths from the prior (at least 95%)."""
    mean, icc = rng.random((2, 30))
    a, b = mean * (1 / icc - 1), (1 - mean) * (1 / icc - 1)
    p = rng.beta(a[:, None], b[:, None], (30, 40))
    outcomes = np.arange(4) < rng.binomial(4, p)[..., None]
    post = rs.fit(rs.Trials.from_array(outcomes, systems=[f"s{i}" for i in range(30)]))
    table = Tolerance(rs.PassHatK(4), at_least=0.3).check(post, draws=500).table
    keeps = np.exp(special.betaln(a + 4, b) - special.betaln(a, b)) >= 0.3
    verdict = table["verdict"].to_numpy()
    given = np.isin(verdict, ("met", "not met"))
    yield "verdicts on pass^4 >= 0.3 that are right", (
        (verdict == "met") == keeps
    )[given].mean()  # fmt: skip


PARTS: dict[Callable[[np.random.Generator], Iterator[Row]], int] = {
    growth: 1,
    rates_prior: 1,
    fixes: 1,
    unseen: 1,
    rates_fixed: 7,
    tolerance: 7,
    safety: 10,
}
"""Parts, and how many intervals of each kind one replication gives, about."""


def coverage(replications: int, seed: int) -> pd.DataFrame:
    """Give the share of intervals that hold the truth, with its Monte Carlo error."""
    rows: dict[str, list[float]] = {}
    for number, (part, many) in enumerate(PARTS.items()):
        for i in range(max(2, replications // many)):
            for name, value in part(np.random.default_rng([seed, number, i])):
                rows.setdefault(name, []).append(float(value))
        print(f"{part.__name__} done", file=sys.stderr, flush=True)
    return pd.DataFrame(
        [
            {
                "quantity": name,
                "coverage": np.mean(values),
                "error": np.std(values) / np.sqrt(len(values)),
                "replications": len(values),
            }
            for name, values in rows.items()
        ]
    )


def main(arguments: list[str] | None = None) -> None:
    """Print the table, and write it if asked to."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--replications", type=int, default=400)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--out", help="CSV file to write")
    options = parser.parse_args(arguments)
    table = coverage(options.replications, options.seed)
    print(table.round(4).to_string(index=False))
    if options.out:
        table.round(4).to_csv(options.out, index=False)


if __name__ == "__main__":
    main()
