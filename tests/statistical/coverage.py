"""Coverage of nominal intervals for known truth, beside two usual alternatives.

Run the whole table (about ten minutes on two cores) with::

    python tests/statistical/coverage.py --replications 1000

Success probabilities of tasks are drawn from a beta law, outcomes from them, and the share of
intervals that hold the truth is counted: over the population, the value under the law; over the
observed tasks, the value at the drawn probabilities. Alternatives, on the same data:

- ``flat``: every task by itself with a Beta(1, 1) prior, normal interval from posterior mean and sd
  (the "Bayes@N" recipe; it speaks of the observed tasks, and is set beside both);
- ``clt``: unbiased estimate plus or minus 1.96 standard errors over tasks.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

import reliability_stats as rs

SHAPES = ((0.3, 0.3), (2.0, 2.0), (0.5, 1.5), (0.1, 0.1))
TASKS = (30, 50, 200)
TRIALS = (3, 4, 8)
Z = 1.959963984540054


@dataclass(frozen=True)
class Design:
    """One cell of the table: a beta law, and a number of tasks and trials."""

    shape: tuple[float, float]
    tasks: int
    trials: int

    def estimands(self) -> list[rs.Estimand]:
        """Give the estimands whose intervals are checked."""
        n = self.trials
        return [rs.PassHatK(n), rs.PassAtK(n), rs.Gap(n), rs.ICC()]


def designs() -> Iterator[Design]:
    """Give all cells of the full table."""
    for shape in SHAPES:
        for tasks in TASKS:
            for trials in TRIALS:
                yield Design(shape, tasks, trials)


def simulate(design: Design, replications: int, rng: np.random.Generator):
    """Draw success probabilities (replications, tasks) and successes of the same shape."""
    p = rng.beta(*design.shape, size=(replications, design.tasks))
    return p, rng.binomial(design.trials, p)


def as_trials(successes: np.ndarray, n: int) -> rs.Trials:
    """Make every replication a system."""
    systems, tasks = successes.shape
    outcomes = np.arange(n) < successes[..., None]
    return rs.Trials.from_array(
        outcomes, systems=[f"r{i}" for i in range(systems)], tasks=list(range(tasks))
    )


def flat(estimand: rs.Estimand, n: int, successes: np.ndarray):
    """Interval from independent Beta(1, 1) posteriors; ICC by the delta method."""
    a, b = 1.0 + successes, 1.0 + n - successes
    parts = [np.asarray(part.from_beta(a, b)) for part in estimand.parts]
    means = [part.mean(axis=1) for part in parts]
    if len(parts) == 1:
        second = np.asarray(estimand.square_from_beta(a, b))
        sd = np.sqrt((second - parts[0] ** 2).sum(axis=1)) / successes.shape[1]
        return means[0] - Z * sd, means[0] + Z * sd
    first, second = parts
    third = np.asarray(rs.PassHatK(3).from_beta(a, b))
    fourth = np.asarray(rs.PassHatK(4).from_beta(a, b))
    cov = np.stack([second - first**2, third - first * second, fourth - second**2])
    cov = cov.sum(axis=2) / successes.shape[1] ** 2
    return _delta(estimand, means, cov)


def _delta(estimand, means, cov):
    """Normal interval of a function of two means by numerical gradients."""
    h = 1e-6
    centre = estimand.combine(*means)
    g1 = (estimand.combine(means[0] + h, means[1]) - centre) / h
    g2 = (estimand.combine(means[0], means[1] + h) - centre) / h
    sd = np.sqrt(g1**2 * cov[0] + 2 * g1 * g2 * cov[1] + g2**2 * cov[2])
    return centre - Z * sd, centre + Z * sd


def clt(estimand: rs.Estimand, n: int, successes: np.ndarray):
    """Unbiased estimate plus or minus 1.96 standard errors over tasks."""
    parts = [part.unbiased(np.full_like(successes, n), successes) for part in estimand.parts]
    tasks = successes.shape[1]
    means = [part.mean(axis=1) for part in parts]
    if len(parts) == 1:
        sd = parts[0].std(axis=1, ddof=1) / np.sqrt(tasks)
        return means[0] - Z * sd, means[0] + Z * sd
    first, second = (part - part.mean(axis=1, keepdims=True) for part in parts)
    cov = np.stack([(first**2).sum(1), (first * second).sum(1), (second**2).sum(1)])
    return _delta(estimand, means, cov / (tasks * (tasks - 1)))


def coverage(
    design: Design, replications: int, rng: np.random.Generator, over: Sequence[str]
) -> pd.DataFrame:
    """Give the share of intervals that hold the truth, one row an estimand and target."""
    p, successes = simulate(design, replications, rng)
    post = rs.fit(as_trials(successes, design.trials))
    estimands = design.estimands()
    rows = []
    for target in over:
        table = post.summary(estimands, over=target).set_index(["estimand", "system"])
        for estimand in estimands:
            if target == "population":
                truth = np.full(replications, float(estimand.from_beta(*design.shape)))
            else:
                truth = estimand.from_p(p)
            mine = table.loc[estimand.name].loc[[f"r{i}" for i in range(replications)]]
            ours = mine["lower"].to_numpy(), mine["upper"].to_numpy()
            with np.errstate(all="ignore"):
                others = {
                    "flat": flat(estimand, design.trials, successes),
                    "clt": clt(estimand, design.trials, successes),
                }
            row = {
                "shape": f"Beta{design.shape}",
                "tasks": design.tasks,
                "trials": design.trials,
                "estimand": estimand.name.replace(str(design.trials), "n"),
                "over": target,
            }
            for name, (low, high) in {"ours": ours, **others}.items():
                row[name] = float(np.mean((low <= truth) & (truth <= high)))
            row["bias/sd"] = float(np.mean(mine["mean"].to_numpy() - truth) / mine["sd"].mean())
            row["width"] = float(np.mean(ours[1] - ours[0]))
            rows.append(row)
    return pd.DataFrame(rows)


def main(argv: Sequence[str] | None = None) -> int:
    """Print the table, its averages over the shapes, and its smallest entry."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--replications", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=2024)
    parser.add_argument("--out", help="write the table as CSV too")
    args = parser.parse_args(argv)
    frames = []
    for number, design in enumerate(designs()):
        rng = np.random.default_rng([args.seed, number])
        frames.append(coverage(design, args.replications, rng, ("population", "observed")))
        print(f"{number + 1}/36 {design}", file=sys.stderr)
    table = pd.concat(frames, ignore_index=True)
    if args.out:
        table.to_csv(args.out, index=False)
    keys = ["over", "estimand", "tasks", "trials"]
    print(table.to_string(index=False, float_format="%.3f"))
    print("\nAveraged over the shapes")
    average = table.groupby(keys)[["ours", "flat", "clt"]].mean()
    print(average.to_string(float_format="%.3f"))
    print("\nSmallest and largest")
    print(table.groupby("over")[["ours", "flat", "clt"]].agg(["min", "max"]).to_string())
    print(f"averages from {average['ours'].min():.3f} to {average['ours'].max():.3f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
