"""Coverage of intervals of severity, escalation and session hazards.

Run the whole table (a few minutes on one core) with::

    python tests/statistical/escalation_coverage.py --replications 1000

Truths are fixed laws. For each nominal 95% interval the table gives the share that holds the truth
and the error of the mean.
"""

from __future__ import annotations

import argparse
import sys

import numpy as np
import pandas as pd

from reliability_stats.instruments import Escalation, SessionHazard, Severity

COSTS = {"none": 0.0, "minor": 1.0, "major": 5.0, "critical": 50.0}
SHARES = np.array([0.8, 0.12, 0.06, 0.02])
HAZARDS = {"flat": np.full(8, 0.08), "rising": np.linspace(0.02, 0.3, 8)}


def held(table: pd.DataFrame, truth: dict[str, np.ndarray]) -> pd.DataFrame:
    """Compare the intervals of all systems with the truth; one row an estimand."""
    rows = []
    for name, value in truth.items():
        part = table[table["estimand"] == name]
        inside = (part["lower"] <= value) & (value <= part["upper"])
        rows.append((name, inside.mean(), (part["mean"] - value).mean(), len(part)))
    return pd.DataFrame(rows, columns=["interval", "coverage", "bias", "replications"])


def severity(runs: int, size: int, seed: int) -> pd.DataFrame:
    """Severities of some runs; every replication is a system."""
    rng = np.random.default_rng([1, seed])
    counts = rng.multinomial(runs, SHARES, size=size)
    names = [f"r{i:05d}" for i in range(size)]
    table = {
        "system": np.repeat(names, 4),
        "severity": list(COSTS) * size,
        "n": counts.ravel(),
    }
    post = Severity(COSTS).fit(table, n="n", draws=500)
    cost = SHARES @ list(COSTS.values())
    truth = {"expected_cost": cost, "cost_per_dependable_success": cost / SHARES[0]}
    truth |= {f"severity>={name}": SHARES[i:].sum() for i, name in enumerate(COSTS) if i}
    return held(post.summary(), truth).assign(design=f"severity, {runs} runs")


def escalation(runs: int, audit: float, size: int, seed: int) -> pd.DataFrame:
    """Escalations; every replication is a system."""
    rng = np.random.default_rng([2, seed])
    failed = rng.random((size, runs)) < 0.1
    escalated = rng.random((size, runs)) < np.where(failed, 0.6, 0.1)
    known = escalated | (rng.random((size, runs)) < audit)
    table = {
        "system": np.repeat([f"r{i:05d}" for i in range(size)], runs),
        "escalated": escalated.ravel().astype(float),
        "failed": np.where(known, failed, np.nan).ravel(),
    }
    post = Escalation(unaudited="drop").fit(table, draws=500)
    rate = 0.1 * 0.6 + 0.9 * 0.1
    truth = {"escalation_rate": rate, "failure_if_not_escalated": 0.04 / (1 - rate)}
    truth |= {"silent_failure": 0.04, "escalation_if_failed": 0.6, "escalation_if_good": 0.1}
    truth["failure_rate"] = 0.1
    name = f"escalation, {runs} runs, {audit:.0%} audited"
    return held(post.summary(), truth).assign(design=name)


def hazard(name: str, sessions: int, size: int, seed: int) -> pd.DataFrame:
    """Sessions; every replication is a system."""
    rng = np.random.default_rng([3, seed])
    hazards, finish = HAZARDS[name], 0.15
    shape = (size, sessions, 8)
    event = rng.random(shape) < hazards
    done = rng.random(shape) < finish
    first = np.where((event | done).any(axis=2), (event | done).argmax(axis=2), 7)
    cut = rng.integers(3, 12, (size, sessions))  # administrative ends
    last = np.minimum(first + 1, cut)
    at = np.take_along_axis(event, (last - 1)[..., None], 2)[..., 0]
    over = np.take_along_axis(done, (last - 1)[..., None], 2)[..., 0]
    end = np.where(at, "escalated", np.where(over, "finished", "cut off"))
    table = {
        "system": np.repeat([f"r{i:05d}" for i in range(size)], sessions),
        "turns": last.ravel(),
        "end": end.ravel(),
    }
    post = SessionHazard(within=[2, 5, 8]).fit(table, draws=500)
    left = np.concatenate([[1.0], np.cumprod((1 - hazards) * (1 - finish))[:-1]])
    incidence = np.cumsum(left * hazards)
    truth = {f"escalated_within_{t}": incidence[t - 1] for t in (2, 5, 8)}
    return held(post.summary(), truth).assign(design=f"hazard {name}, {sessions} sessions")


def main(arguments: list[str] | None = None) -> pd.DataFrame:
    """Print the table, and write it if asked to."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--replications", type=int, default=1000)
    parser.add_argument("--out", help="CSV file to write")
    options = parser.parse_args(arguments)
    size = options.replications
    parts = [severity(50, size, 1), severity(500, size, 2)]
    parts += [escalation(100, 1.0, size, 3), escalation(500, 0.3, size, 4)]
    parts += [hazard("flat", 100, size // 2, 5), hazard("rising", 100, size // 2, 6)]
    table = pd.concat(parts, ignore_index=True)
    table = table[["design", "interval", "coverage", "bias", "replications"]]
    print(table.round(3).to_string(index=False), flush=True)
    if options.out:
        table.round(4).to_csv(options.out, index=False)
    return table


if __name__ == "__main__":
    main(sys.argv[1:])
