"""Realised false discoveries and power of the states that `flag_flicker` gives to tasks.

Run the whole table (hours on one core) with::

    python tests/statistical/flags_table.py --systems 200 --out flags.csv --diagram diagram.csv

Success probabilities of 100 tasks a system are drawn from U-shaped, unimodal, three-point and
spike-and-slab laws, and n outcomes of each. Labels "flickering" (.1 < p < .9) come from the
average of `BetaBinomial` and `GridMixture` at a false discovery rate of 5%. `fdr` is the mean over
systems of the share of these labels that are wrong, with its Monte Carlo error `se`; `power` the
share of flickering tasks that are labelled. `cp95_fdr` and `cp95_power` are those of an exact rule
at its nominal level, a 95% Clopper-Pearson interval inside (.1, .9). `tuned_power` and
`cp_tuned_power` compare the two at equal rates: both at the most liberal setting whose realised
rate is at most 5%, chosen with the truth at hand. The diagram gives, for bins
of the probability of each state, its mean and the share of tasks in that state.
"""

from __future__ import annotations

import argparse
import sys
import warnings

import numpy as np
import pandas as pd
from scipy import special

import reliability_stats as rs
from reliability_stats.exceptions import ConvergenceWarning
from reliability_stats.flicker._fdr import discoveries
from tests.statistical.verdicts import OPTIONS, beta, points, spiked

TRUTHS = {
    "U-shaped, Beta(.3, .3)": beta(0.3, 0.3)[0],
    "unimodal, Beta(3, 3)": beta(3, 3)[0],
    "three-point 0, 1/2, 1": points((0.0, 0.3), (0.5, 0.4), (1.0, 0.3))[0],
    "spikes and slab, Beta(2, 2)": spiked(0.4, 2, 2)[0],
}
TASKS = 100
LEVELS = np.concatenate([np.geomspace(1e-6, 0.5, 60), np.linspace(0.5, 1.0, 40)])


def chances(successes: np.ndarray, n: int, seed: int) -> np.ndarray:
    """Average probability of each state, (3, systems, tasks)."""
    size = len(successes)
    frame = {
        "system": np.repeat([f"r{i:04d}" for i in range(size)], TASKS),
        "task": np.tile([f"t{i:03d}" for i in range(TASKS)], size),
        "n": np.full(successes.size, n),
        "successes": successes.ravel(),
    }
    data = rs.Trials.from_counts(frame)
    total = np.zeros((3, size, TASKS))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        posts = [rs.fit(data), rs.fit(data, rs.GridMixture(), rng=seed, **OPTIONS)]
    for post in posts:
        cells = post.tasks()[["p_not_shown", "p_flickering", "p_persistent"]].to_numpy().T
        total += cells.reshape(3, size, TASKS) / len(posts)
    return total


def shares(label: np.ndarray, truth: np.ndarray) -> tuple[float, float, float]:
    """False discovery rate, its Monte Carlo error, and power."""
    wrong = (label & ~truth).sum(axis=1) / np.maximum(label.sum(axis=1), 1)
    power = (label & truth).sum() / max(truth.sum(), 1)
    return float(wrong.mean()), float(wrong.std() / np.sqrt(len(wrong))), float(power)


def exact_rule(successes: np.ndarray, n: int, level: float) -> np.ndarray:
    """Label tasks whose Clopper-Pearson interval lies inside (.1, .9)."""
    y = np.arange(n + 1.0)
    low = np.where(y > 0, special.betaincinv(np.maximum(y, 0.5), n - y + 1, level / 2), 0.0)
    high = special.betaincinv(y + 1, np.maximum(n - y, 0.5), 1 - level / 2)
    inside = (low > 0.1) & (np.where(y < n, high, 1.0) < 0.9)
    return inside[successes]


def tuned(labels: list[np.ndarray], truth: np.ndarray) -> float:
    """Best power among settings whose realised rate is at most 5%."""
    found = [shares(label, truth) for label in labels]
    return max((power for rate, _, power in found if rate <= 0.05), default=0.0)


def one(name: str, n: int, systems: int) -> tuple[dict[str, object], pd.DataFrame]:
    """Evaluate one truth and number of trials."""
    rng = np.random.default_rng([list(TRUTHS).index(name), n])
    p = TRUTHS[name](rng, (systems, TASKS))
    successes = rng.binomial(n, p)
    chance = chances(successes, n, 1)
    states = np.stack([p <= 0.1, (p > 0.1) & (p < 0.9), p >= 0.9])
    likely = chance.argmax(axis=0)
    wrong = 1.0 - chance.max(axis=0)
    family = np.arange(systems)[:, None] * 3 + likely
    stated = np.where(wrong < 0.5, wrong, np.nan)
    known = discoveries(stated.ravel(), family.ravel(), 0.05).reshape(wrong.shape)
    row: dict[str, object] = {"truth": name, "trials": n, "tasks": TASKS, "systems": systems}
    rate, error, power = shares(known & (likely == 1), states[1])
    row |= {"fdr": rate, "se": error, "power": power}
    nominal = shares(exact_rule(successes, n, 0.05), states[1])
    row |= {"cp95_fdr": nominal[0], "cp95_power": nominal[2]}
    ours = [
        discoveries(stated.ravel(), family.ravel(), level).reshape(wrong.shape) & (likely == 1)
        for level in (*np.linspace(0.01, 0.3, 30), 0.4, 0.5)
    ]
    row["tuned_power"] = tuned(ours, states[1])
    exact = [exact_rule(successes, n, level) for level in LEVELS]
    row["cp_tuned_power"] = tuned(exact, states[1])
    for i, state in ((0, "not_shown"), (2, "persistent")):
        found = shares(known & (likely == i), states[i])
        row |= {f"{state}_fdr": found[0], f"{state}_power": found[2]}
    bins = np.minimum((chance.ravel() * 10).astype(int), 9)
    many = np.bincount(bins, minlength=10)
    diagram = pd.DataFrame(
        {
            "truth": name,
            "trials": n,
            "bin": np.arange(10) / 10,
            "predicted": np.bincount(bins, chance.ravel(), 10) / np.maximum(many, 1),
            "observed": np.bincount(bins, states.ravel(), 10) / np.maximum(many, 1),
            "cells": many,
        }
    )
    return row, diagram


def main(arguments: list[str] | None = None) -> None:
    """Print the table, and write it if asked to."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--systems", type=int, default=200)
    parser.add_argument("--out", help="CSV file to write")
    parser.add_argument("--diagram", help="CSV file for the reliability diagram")
    options = parser.parse_args(arguments)
    rows, diagrams = [], []
    for n in (4, 8, 16, 2, 32):
        for name in TRUTHS:
            row, diagram = one(name, n, options.systems)
            rows.append(row)
            diagrams.append(diagram)
            table = pd.DataFrame(rows).round(4)
            print(table.tail(1).to_string(header=len(rows) == 1), flush=True)
            if options.out:
                table.sort_values(["truth", "trials"]).to_csv(options.out, index=False)
            if options.diagram:
                pd.concat(diagrams).round(4).to_csv(options.diagram, index=False)


if __name__ == "__main__":
    main(sys.argv[1:])
