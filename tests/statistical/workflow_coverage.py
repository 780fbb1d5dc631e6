"""Coverage of workflow intervals, and size and power of the test of independence.

Run the whole table (about two minutes on one core) with::

    python tests/statistical/workflow_coverage.py --replications 400

Coverage: runs through steps whose reliabilities are fixed, drawn anew from a beta law for each of
several workflows (pooled), or differ between easy and hard runs, so that steps depend on each
other. For each nominal 95% interval the table gives the share that holds the truth, and the error
of the mean. Size: share of p values below .05 where steps are independent, and where they are not.
"""

from __future__ import annotations

import argparse
import sys

import numpy as np
import pandas as pd

from reliability_stats.instruments import Workflow

RATES = (0.95, 0.9, 0.98, 0.85)


def frame(outcome, workflow=None, task=None, stop=True):
    """Turn (runs, steps) of success into a table of attempts, with `stop` to the first failure."""
    failed = np.cumsum(~outcome, axis=1) - ~outcome
    reached = (failed == 0) if stop else np.ones_like(outcome)
    r, s = np.nonzero(reached)
    word = np.where(outcome[r, s], "passed", "failed" if stop else "escaped")
    table = pd.DataFrame({"run": r, "step": s, "outcome": word})
    if workflow is not None:
        table["workflow"] = np.asarray(workflow)[r]
    if task is not None:
        table["task"] = np.asarray(task)[r]
    return table


def held(table, truth, estimand="end_to_end", over="observed"):
    """Give whether each interval holds its truth, and the errors of the means."""
    rows = table[(table["estimand"] == estimand) & (table["over"] == over)]
    if (rows["identified"] == "no").any():  # no run got past some step
        return np.zeros(0, dtype=bool), np.zeros(0)
    inside = (rows["lower"].to_numpy() <= truth) & (truth <= rows["upper"].to_numpy())
    return inside, rows["mean"].to_numpy() - truth


def coverage(name, size, rng):
    """Simulate one design; gives rows of the table."""
    found = []
    for i in range(size):
        if name == "fixed, 30 runs" or name == "fixed, 200 runs":
            n = 30 if "30" in name else 200
            outcome = rng.random((n, 4)) < RATES
            truth = np.prod(RATES)
            data, spec, options = frame(outcome), Workflow(), {}
        elif name == "uniform steps, 20 runs":
            rates = rng.random(3)
            truth = rates.prod()
            data = frame(rng.random((20, 3)) < rates)
            spec, options = Workflow(prior="steps"), {}
        elif name == "dependent steps, 100 runs":
            easy = rng.random((100, 1)) < 0.6
            outcome = rng.random((100, 4)) < np.where(easy, 0.98, 0.75)
            truth = 0.6 * 0.98**4 + 0.4 * 0.75**4
            data, spec, options = frame(outcome), Workflow(), {}
        else:
            workflows, n = 8, 25
            rates = rng.beta(18, 2, (workflows, 3))
            label = np.repeat(np.arange(workflows), n)
            outcome = rng.random((workflows * n, 3)) < rates[label]
            truth = rates.prod(axis=1)
            data, spec = frame(outcome, workflow=label), Workflow()
            options = {"workflow": "workflow"}
        table = spec.fit(data, rng=i, draws=500, **options).summary()
        found.append(held(table, truth))
        if "pooled" in name:
            new = rng.beta(18, 2, 3).prod()
            found[-1] = (*found[-1], *held(table, new, over="population"))
    rows = [("end_to_end", 0)] + ([("new workflow", 2)] if "pooled" in name else [])
    out = []
    for label, k in rows:
        inside, error = (np.concatenate([f[k + j] for f in found]) for j in (0, 1))
        out.append(
            {
                "design": name,
                "interval": label,
                "coverage": inside.mean(),
                "bias": error.mean(),
                "replications": size,
            }
        )
    return out


TESTS = {
    "independent, by run": ("run", 0.0),
    "independent, 25 runs": ("run", 0.0),
    "dependent, by run": ("run", 1.0),
    "independent, by task": ("task", 0.0),
    "one step differs by task": ("task", -1.0),
    "dependent, by task": ("task", 1.0),
}


def size_of_test(name, size, rng):
    """Simulate the test: share of p values below .05."""
    past, effect = TESTS[name]
    p = []
    for i in range(size):
        if past == "run":
            n = 25 if "25" in name else 100
            logit = np.log([4.0, 9.0, 6.0, 3.0]) + effect * rng.standard_normal((n, 1))
            data = frame(rng.random((n, 4)) < 1 / (1 + np.exp(-logit)), stop=False)
            post = Workflow().fit(data, rng=i, draws=1)
        else:
            task = np.repeat(np.arange(40), 5)
            logit = np.tile(np.log([9.0, 6.0, 4.0]), (40, 1))
            if effect < 0:
                logit[:, 2] += 2.0 * rng.standard_normal(40)
            else:
                logit = logit + effect * rng.standard_normal((40, 1))
            outcome = rng.random((200, 3)) < 1 / (1 + np.exp(-logit[task]))
            post = Workflow().fit(frame(outcome, task=task), task="task", rng=i, draws=1)
        p.append(post.independence().set_index("past")["p_value"][past])
    share = np.mean(np.array(p) <= 0.05)
    return {"design": name, "rejected_at_5%": share, "replications": size}


DESIGNS = (
    "fixed, 30 runs",
    "fixed, 200 runs",
    "uniform steps, 20 runs",
    "dependent steps, 100 runs",
    "8 workflows pooled, 25 runs each",
)


def main(arguments: list[str] | None = None) -> pd.DataFrame:
    """Print the tables, and write them if asked to."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--replications", type=int, default=400)
    parser.add_argument("--out", help="CSV file to write")
    options = parser.parse_args(arguments)
    rows = []
    for i, name in enumerate(DESIGNS):
        size = options.replications if "pooled" not in name else options.replications // 5
        rows += coverage(name, max(size, 1), np.random.default_rng([1, i]))
    for i, name in enumerate(TESTS):
        rows.append(size_of_test(name, options.replications, np.random.default_rng([2, i])))
    table = pd.DataFrame(rows)
    print(table.round(3).to_string(index=False), flush=True)
    if options.out:
        table.round(4).to_csv(options.out, index=False)
    return table


if __name__ == "__main__":
    main(sys.argv[1:])
