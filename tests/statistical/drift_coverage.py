"""Coverage and simulation-based calibration of `Drift` under its prior, and coverage off it.

Run the whole table (about 15 minutes on one core) with::

    python tests/statistical/drift_coverage.py --replications 400

"prior": the first rate uniform, innovations with half-normal sd (scale 0.3), correlation uniform;
each replication is a system, and the shares of the posterior below the truth must be uniform: the
p value is that of Kolmogorov and Smirnov. Others: a level that stays, one that wanders by 0.2 a
period, and one that falls by 1 in the middle, each from logit 1 with correlation 0.3. Per design:
coverage of nominal 95% bands of the rate of all periods, of pass^k (k the number of trials) in the
last, and of the total change, and the share of replications with P(decline > 0.05) above 95%.
"""

from __future__ import annotations

import argparse
import sys

import numpy as np
import pandas as pd
from scipy import special, stats

import reliability_stats as rs

TRUTHS = ("prior", "stays", "wanders", "falls")
DESIGNS = ((6, 20, 3), (20, 20, 1), (20, 30, 4))


def levels(truth, periods, size, rng):
    """Draw logits (size, periods) and correlations (size,)."""
    if truth == "prior":
        first = special.logit(rng.random((size, 1)))
        steps = rng.normal(size=(size, periods - 1)) * 0.3 * np.abs(rng.normal(size=(size, 1)))
        return first + np.c_[np.zeros(size), steps.cumsum(axis=1)], rng.random(size)
    steps = np.zeros((size, periods - 1))
    if truth == "wanders":
        steps = rng.normal(0, 0.2, steps.shape)
    if truth == "falls":
        steps[:, periods // 2] = -1.0
    return 1.0 + np.c_[np.zeros(size), steps.cumsum(axis=1)], np.full(size, 0.3)


def row(truth, periods, tasks, trials, size):
    """Evaluate one design."""
    rng = np.random.default_rng([TRUTHS.index(truth), periods, tasks, trials])
    logit, icc = levels(truth, periods, size, rng)
    rate, total = special.expit(logit), (1 / icc - 1)[:, None]
    a, b = rate * total, (1 - rate) * total
    shape = (size, periods, tasks)
    p = rng.beta(np.maximum(a, 1e-12)[..., None], np.maximum(b, 1e-12)[..., None], shape)
    y = rng.binomial(trials, p)
    index = np.indices(shape).reshape(3, -1)
    names = np.array([f"r{i:04d}" for i in range(size)])
    table = {"system": names[index[0]], "w": index[1], "task": index[2] + tasks * index[1]}
    table |= {"n": np.full(y.size, trials), "successes": y.ravel()}
    data = rs.Trials.from_counts(table, condition="w")
    post = rs.Drift(period="w", pooled=False).fit(data)
    found = post.periods()
    ends = found[["lower", "upper"]].to_numpy().reshape(size, periods, 2)
    last = post.periods(rs.PassHatK(trials)).iloc[periods - 1 :: periods]
    log = special.betaln(a[:, -1] + trials, b[:, -1]) - special.betaln(a[:, -1], b[:, -1])
    power = np.exp(log)
    total_change = post.summary(margin=0.05)
    change = rate[:, -1] - rate[:, 0]
    below = [float(mass_below(walk, rate[i, -1])) for i, walk in enumerate(post.walks)]
    out = {"truth": truth, "periods": periods, "tasks": tasks, "trials": trials}
    out |= {"rate": ((ends[..., 0] <= rate) & (rate <= ends[..., 1])).mean()}
    held = (last["lower"].to_numpy() <= power) & (power <= last["upper"].to_numpy())
    out |= {"pass^k last": held.mean()}
    held = (total_change["lower"] <= change) & (change <= total_change["upper"])
    out |= {"change": held.mean(), "declines": (total_change["p_decline"] > 0.95).mean()}
    out |= {"truly declines": (change < -0.05).mean()}
    uniform = stats.kstest(below, "uniform").pvalue if truth == "prior" else np.nan
    return out | {"SBC p": uniform, "replications": size}


def mass_below(walk, rate):
    """Share of the posterior of the last rate below a value."""
    mass = walk.level[-1].sum(axis=0)
    middle = mass.cumsum() - mass / 2
    return np.interp(special.logit(rate), walk.levels.logit, middle / mass.sum())


def main(arguments: list[str] | None = None) -> None:
    """Print the table, and write it if asked to."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--replications", type=int, default=400)
    parser.add_argument("--out", help="CSV file to write")
    options = parser.parse_args(arguments)
    out = []
    for truth in TRUTHS:
        for design in DESIGNS:
            out.append(row(truth, *design, options.replications))
            print(pd.DataFrame(out[-1:]).round(3).to_string(header=len(out) == 1), flush=True)
    if options.out:
        pd.DataFrame(out).round(4).to_csv(options.out, index=False)


if __name__ == "__main__":
    main(sys.argv[1:])
