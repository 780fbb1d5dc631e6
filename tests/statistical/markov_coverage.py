"""Calibration of `MarkovPersistence`: simulation-based calibration, coverage and false alarms.

Run the whole table (about ten minutes on one core) with::

    python tests/statistical/markov_coverage.py --replications 300

In the first rows parameters are drawn from the priors and data from the model; the rank of each
parameter in its posterior must be uniform (``ks_p``), and 95% intervals must hold it 95% of the
time. In the others parameters are fixed. ``p_strong`` is the share of data sets with a log Bayes
factor of dependence above log 10.
"""

from __future__ import annotations

import argparse
import sys

import numpy as np
import pandas as pd
from scipy import special, stats

import reliability_stats as rs
from reliability_stats.history._markov_law import log_chain
from reliability_stats.inference.box import weighted_below, weighted_figures

NAMES = ("mean", "icc", "log_odds_ratio")
DESIGNS = ((20, 8), (40, 4))
FIXED = ((0.5, 0.5, 0.0), (0.5, 0.5, 1.0), (0.4, 0.1, 0.5))


def simulate(mean, icc, d, tasks, trials, rng):
    """Draw runs of one system."""
    mean = np.clip(mean, 1e-9, 1 - 1e-9)
    total = max(1 / max(icc, 1e-9) - 1, 1e-9)
    p = np.clip(rng.beta(mean * total, (1 - mean) * total, tasks), 1e-8, 1 - 1e-8)
    _, _, _, p01, _, p11 = np.exp(log_chain(special.logit(p), np.asarray(d)))
    out = np.empty((tasks, trials), dtype=int)
    out[:, 0] = rng.random(tasks) < p
    for j in range(1, trials):
        out[:, j] = rng.random(tasks) < np.where(out[:, j - 1] == 1, p11, p01)
    return out


def rows(truths, tasks, trials, rng, label):
    """Fit one data set for each truth, and tabulate calibration."""
    found = []
    for truth in truths:
        runs = rs.Trials.from_array(simulate(*truth, tasks, trials, rng))
        fit = rs.MarkovPersistence().fit(runs).fits[0]
        (u, v, d), weights = fit.points
        factor = fit.box.log_evidence - fit.log_alone
        scaled = (special.logit(truth[0]), special.logit(truth[1]), truth[2])
        for name, x, value in zip(NAMES, (u, v, d), scaled, strict=True):
            mean, sd, low, high = weighted_figures(x, weights, 0.95)
            rank = weighted_below(x, weights, value)
            found.append((name, rank, low <= value <= high, mean - value, sd, factor))
    columns = ["parameter", "rank", "covered", "error", "sd", "log_bayes_factor"]
    frame = pd.DataFrame(found, columns=columns)
    out = []
    for name, part in frame.groupby("parameter", sort=False):
        error = part["error"]
        out.append(
            {
                "truth": label,
                "tasks": tasks,
                "trials": trials,
                "parameter": name,
                "coverage": part["covered"].mean(),
                "bias": error.mean(),
                "bias_se": error.std() / np.sqrt(len(error)),
                "ks_p": stats.kstest(part["rank"], "uniform").pvalue,
                "p_strong": (part["log_bayes_factor"] > np.log(10)).mean(),
                "replications": len(part),
            }
        )
    return out


def table(replications: int, seed: int = 0, *, fixed: bool = True) -> pd.DataFrame:
    """Give the whole table."""
    rng = np.random.default_rng(seed)
    out = []
    for tasks, trials in DESIGNS if fixed else DESIGNS[:1]:
        draws = np.column_stack([rng.random((replications, 2)), rng.normal(size=replications)])
        draws[:, :2] = np.clip(draws[:, :2], 1e-6, 1 - 1e-6)
        out += rows(draws, tasks, trials, rng, "from the priors")
        print(pd.DataFrame(out[-3:]).round(3).to_string(), flush=True)
    for truth in FIXED if fixed else ():
        label = "mean {:g}, icc {:g}, d {:g}".format(*truth)
        out += rows([truth] * replications, 30, 8, rng, label)
        print(pd.DataFrame(out[-3:]).round(3).to_string(), flush=True)
    return pd.DataFrame(out)


def main(arguments: list[str] | None = None) -> None:
    """Print the table, and write it if asked to."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--replications", type=int, default=300)
    parser.add_argument("--out", help="CSV file to write")
    options = parser.parse_args(arguments)
    result = table(options.replications)
    if options.out:
        result.round(4).to_csv(options.out, index=False)


if __name__ == "__main__":
    main(sys.argv[1:])
