"""Share of wrong labels of `regressions`, under truths that its model holds and under others.

Run the whole table (about 20 minutes on one core) with::

    python tests/statistical/regressions_fdr.py --replications 60

A label is wrong if the task's true change is not in the state. For each truth, design and state:
the mean over replications of (wrong labels / labels, 0 if none), the labels and the wrong labels in
all, the power (labels / tasks truly in the state), and the coverage of the 95% intervals of the
changes, over all tasks.
"""

from __future__ import annotations

import argparse
import sys

import numpy as np
import pandas as pd
from scipy import special

import reliability_stats as rs

STATES = ("regressed", "improved", "unchanged")
MARGIN = 0.10


def shifted(p, shift):
    """Move the log odds."""
    return special.expit(special.logit(np.clip(p, 1e-12, 1 - 1e-12)) + shift)


def flicker(rng, n):
    """No task changes; most flicker."""
    p = rng.beta(1.5, 1.5, n)
    return p, p


def steady(rng, n):
    """No task changes; most are done always or never."""
    p = rng.beta(0.2, 0.2, n)
    return p, p


def broken(rng, n):
    """A tenth of the tasks is lost altogether."""
    p = rng.beta(2, 0.7, n)
    return p, np.where(rng.random(n) < 0.1, 0.0, p)


def down(rng, n):
    """All tasks move down by the same log odds."""
    p = rng.beta(1, 1, n)
    return p, shifted(p, -0.7)


def just_below(rng, n):
    """All tasks get worse by a little less than the margin."""
    p = rng.uniform(0.2, 1, n)
    return p, p - 0.09


def spread(rng, n):
    """Every task moves by itself, a little."""
    p = rng.beta(1, 1, n)
    return p, shifted(p, rng.normal(0, 0.5, n))


def anew(rng, n):
    """The two versions have nothing in common."""
    return rng.beta(0.7, 0.7, n), rng.beta(0.7, 0.7, n)


def two_kinds(rng, n):
    """Tasks at 5% and 95%; a fifth changes places."""
    p = rng.choice([0.05, 0.95], n)
    return p, np.where(rng.random(n) < 0.2, 1 - p, p)


TRUTHS = (flicker, steady, broken, down, just_below, spread, anew, two_kinds)
DESIGNS = ((100, 2), (50, 4), (200, 4), (50, 16))


def rows(truth, tasks: int, trials: int, replications: int) -> list[dict[str, object]]:
    """Simulate one truth and design."""
    rng = np.random.default_rng([TRUTHS.index(truth), tasks, trials])
    share = {state: [] for state in STATES}
    total = {state: np.zeros(3) for state in STATES}
    held = []
    for _ in range(replications):
        p0, p1 = truth(rng, tasks)
        table = {"task": list(range(tasks)) * 2, "v": ["a"] * tasks + ["b"] * tasks}
        table |= {"n": [trials] * 2 * tasks, "successes": rng.binomial(trials, np.r_[p0, p1])}
        data = rs.Trials.from_counts(table, system=None, condition="v")
        found = rs.regressions(data, version="v", baseline="a", margin=MARGIN).tasks
        change = p1 - p0
        truly = np.select([change < -MARGIN, change > MARGIN], STATES[:2], STATES[2])
        state = found["state"].to_numpy()
        held.append(((found["lower"] <= change) & (change <= found["upper"])).mean())
        for name in STATES:
            mine = state == name
            wrong = int((mine & (truly != name)).sum())
            share[name].append(wrong / max(mine.sum(), 1))
            total[name] += mine.sum(), wrong, (truly == name).sum()
    return [
        {
            "truth": truth.__name__,
            "tasks": tasks,
            "trials": trials,
            "state": name,
            "fdr": np.mean(share[name]),
            "labels": int(total[name][0]),
            "wrong": int(total[name][1]),
            "truly": int(total[name][2]),
            "power": (total[name][0] - total[name][1]) / max(total[name][2], 1),
            "coverage": np.mean(held),
            "replications": replications,
        }
        for name in STATES
    ]


def main(arguments: list[str] | None = None) -> None:
    """Print the table, and write it if asked to."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--replications", type=int, default=60)
    parser.add_argument("--tasks", type=int, help="only designs with so many tasks")
    parser.add_argument("--out", help="CSV file to write")
    options = parser.parse_args(arguments)
    out: list[dict[str, object]] = []
    for truth in TRUTHS:
        for tasks, trials in DESIGNS:
            if options.tasks not in (None, tasks):
                continue
            out += rows(truth, tasks, trials, options.replications)
            print(pd.DataFrame(out[-3:]).round(3).to_string(header=len(out) == 3), flush=True)
    if options.out:
        pd.DataFrame(out).round(4).to_csv(options.out, index=False)


if __name__ == "__main__":
    main(sys.argv[1:])
