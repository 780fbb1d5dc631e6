"""Calibration of `Horizon`: simulation-based calibration and coverage of horizons.

Run the whole table (about fifteen minutes on one core) with::

    python tests/statistical/horizon_coverage.py --replications 200

In the first rows parameters are drawn from the priors; ``ks_p`` tests whether their ranks in the
posterior are uniform. In the others parameters are fixed, and 95% intervals should hold the true
horizons 95% of the time. ``error`` is the median of log2(posterior median / truth).
"""

from __future__ import annotations

import argparse
import sys

import numpy as np
import pandas as pd
from scipy import special, stats

import reliability_stats as rs
from reliability_stats.horizon._curves import length_at, mean_logit
from reliability_stats.inference.box import weighted_below, weighted_quantiles

FIXED = (("logistic", 5.0, 0.8, 0.3), ("weibull", 5.0, 0.7, 0.3), ("logistic", 7.0, 0.5, 0.6))
LEVELS = (0.5, 0.8, 0.95)


def simulate(shape, h, b, icc, lengths, trials, rng):
    """Draw trials of one system whose tasks have the given log2 lengths."""
    size = np.shape(lengths)
    u = mean_logit(shape, lengths, np.full(size, h), np.full(size, b), 0.0, np.ones(size))
    icc = np.clip(icc, 1e-9, 1 - 1e-9)
    total = 1 / icc - 1
    up, down = (np.maximum(special.expit(z) * total, 1e-300) for z in (u, -u))
    rate = rng.beta(up, down)
    task = np.repeat(np.arange(size[0]), trials)
    rows = {
        "task": task,
        "minutes": 2 ** lengths[task],
        "success": rng.random(len(task)) < rate[task],
    }
    return rs.Trials.from_frame(rows, system=None, length="minutes")


def checked(shape, truths, tasks, trials, rng, label):
    """Fit one data set for each truth, and tabulate calibration."""
    found = []
    for h, b, icc in truths:
        lengths = np.linspace(0, 10, tasks)
        post = rs.Horizon(shape=shape).fit(simulate(shape, h, b, icc, lengths, trials, rng))
        points, weights = post.fits[0].points
        values = {"log2 horizon@50": (points[0], h), "icc": (points[2], special.logit(icc))}
        if shape != "half_life":
            values["slope"] = (points[1], np.log(b))
        for level in LEVELS[1:]:
            at = length_at(shape, np.asarray(level), points[0], np.exp(points[1]), 0.0, 1.0)
            truth = length_at(shape, np.asarray(level), h, b, 0.0, 1.0)
            values[f"log2 horizon@{100 * level:g}"] = (at, truth)
        for name, (x, truth) in values.items():
            low, middle, high = weighted_quantiles(x, weights, (0.025, 0.5, 0.975))
            rank = weighted_below(x, weights, float(truth))
            found.append((name, rank, low <= truth <= high, middle - truth, high - low))
    frame = pd.DataFrame(found, columns=["quantity", "rank", "covered", "error", "width"])
    return [
        {
            "truth": label,
            "shape": shape,
            "tasks": tasks,
            "trials": trials,
            "quantity": name,
            "coverage": part["covered"].mean(),
            "error": part["error"].median(),
            "width": part["width"].median(),
            "ks_p": stats.kstest(part["rank"], "uniform").pvalue,
            "replications": len(part),
        }
        for name, part in frame.groupby("quantity", sort=False)
    ]


def table(replications: int, seed: int = 0, *, fixed: bool = True) -> pd.DataFrame:
    """Give the whole table."""
    rng = np.random.default_rng(seed)
    out = []
    draws = np.column_stack(
        [
            rng.normal(5.0, 5.0, replications),
            np.exp(rng.normal(np.log(0.7), 0.8, replications)),
            np.clip(rng.random(replications), 1e-6, 1 - 1e-6),
        ]
    )
    out += checked("logistic", draws, 40, 4, rng, "from the priors")
    print(pd.DataFrame(out).round(3).to_string(), flush=True)
    for shape, *truth in FIXED if fixed else ():
        label = "half {:g}, slope {:g}, icc {:g}".format(*truth)
        part = checked(shape, [truth] * replications, 80, 4, rng, label)
        print(pd.DataFrame(part).round(3).to_string(header=False), flush=True)
        out += part
    return pd.DataFrame(out)


def main(arguments: list[str] | None = None) -> None:
    """Print the table, and write it if asked to."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--replications", type=int, default=200)
    parser.add_argument("--out", help="CSV file to write")
    options = parser.parse_args(arguments)
    result = table(options.replications)
    if options.out:
        result.round(4).to_csv(options.out, index=False)


if __name__ == "__main__":
    main(sys.argv[1:])
