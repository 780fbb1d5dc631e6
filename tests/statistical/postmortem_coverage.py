"""Coverage of the shares of modes of failure.

Run the whole table (a few minutes on one core) with::

    python tests/statistical/postmortem_coverage.py --replications 600

Independent: fixed shares, one mode a failure, or two together in a tenth of them. By task: shares
of each task are Dirichlet around the system's, and several failures of a task are seen; the truth
is the system's share. Pooled over tasks the intervals should hold it, unpooled they are too short.
"""

from __future__ import annotations

import argparse
import sys

import numpy as np
import pandas as pd

from reliability_stats.instruments import Postmortem

SHARES = np.array([0.5, 0.25, 0.15, 0.1])
MODES = np.array(["tool", "plan", "context", "environment"])


def independent(failures: int, both: float, size: int, seed: int) -> list[dict]:
    """Independent failures; every replication is a system."""
    rng = np.random.default_rng([1, seed])
    mode = rng.choice(4, size=(size, failures), p=SHARES)
    extra = rng.random((size, failures)) < both
    system = np.repeat([f"r{i:05d}" for i in range(size)], failures)
    failure = np.tile(np.arange(failures), size)
    again = extra.ravel()
    other = (mode.ravel()[again] + 1) % 4
    table = {
        "system": np.concatenate([system, system[again]]),
        "failure": np.concatenate([failure, failure[again]]),
        "mode": MODES[np.concatenate([mode.ravel(), other])],
    }
    found = Postmortem().fit(table, draws=250).modes()
    involved = SHARES + both * np.roll(SHARES, 1)
    name = f"{failures} failures" + (", a tenth with two modes" if both else "")
    return rows_of(found, {"involved": involved, "sole": SHARES * (1 - both)}, name)


def rows_of(found: pd.DataFrame, truths: dict, name: str) -> list[dict]:
    """Compare with the truth; one row a quantity and mode."""
    out = []
    for word, values in truths.items():
        for mode, value in zip(MODES, values, strict=True):
            part = found[found["mode"] == mode]
            inside = (part[f"{word}_lower"] <= value) & (value <= part[f"{word}_upper"])
            row = {"design": name, "interval": f"{word}:{mode}", "coverage": inside.mean()}
            row["bias"] = (part[word] - value).mean()
            out.append(row | {"replications": len(part)})
    return out


def by_task(pooling: str, size: int, seed: int) -> list[dict]:
    """Failures of 25 tasks, 1 to 8 each, correlation 0.3."""
    rng = np.random.default_rng([2, seed])
    concentration = 1 / 0.3 - 1
    frames = []
    for i in range(size):
        counts = rng.integers(1, 9, 25)
        shares = rng.dirichlet(concentration * SHARES, 25)
        task = np.repeat(np.arange(25), counts)
        mode = (shares[task].cumsum(axis=1) < rng.random((len(task), 1))).sum(axis=1)
        table = {"failure": np.arange(len(task)), "task": task, "mode": MODES[np.minimum(mode, 3)]}
        spec = Postmortem(pooling=pooling)
        frames.append(spec.fit(table, system=None, task="task", draws=100, rng=i).modes())
    name = f"25 tasks, correlation 0.3, pooling {pooling}"
    return rows_of(pd.concat(frames), {"involved": SHARES}, name)


def main(arguments: list[str] | None = None) -> pd.DataFrame:
    """Print the table, and write it if asked to."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--replications", type=int, default=600)
    parser.add_argument("--parts", nargs="+", default=["independent", "tasks"])
    parser.add_argument("--out", help="CSV file to write")
    options = parser.parse_args(arguments)
    size = options.replications
    rows: list[dict] = []
    if "independent" in options.parts:
        rows += independent(50, 0.0, size, 1) + independent(200, 0.1, size, 2)
    few = max(size // 8, 2)
    if "tasks" in options.parts:
        rows += by_task("none", few, 3) + by_task("tasks", few, 3)
    table = pd.DataFrame(rows)
    print(table.round(3).to_string(index=False), flush=True)
    if options.out:
        table.round(4).to_csv(options.out, index=False)
    return table


if __name__ == "__main__":
    main(sys.argv[1:])
