"""Time and memory of a fit and a full summary, beside a named alternative in the same run.

    python tests/benchmarks/scaling.py

Once counts are made (with their fingerprint), the cost depends on the number of distinct counts
and not on tasks. The alternative is `scipy.stats.betabinom`, whose log likelihood of all cells is
evaluated once on as many points as one lattice has: the least that a general-purpose grid would
cost a system.
"""

from __future__ import annotations

import platform
import subprocess
import sys
import time
import tracemalloc

import numpy as np
import scipy

import reliability_stats as rs


def seconds(call):
    """Run once and give the time and the result."""
    start = time.perf_counter()
    result = call()
    return time.perf_counter() - start, result


def counted(systems, tasks, trials, rng):
    """Make trials of beta-distributed tasks from counts."""
    shape = rng.uniform(0.2, 3.0, size=(2, systems, 1))
    successes = rng.binomial(trials, rng.beta(shape[0], shape[1], size=(systems, tasks)))
    table = {
        "system": np.repeat(np.arange(systems), tasks),
        "task": np.tile(np.arange(tasks), systems),
        "n": np.full(systems * tasks, trials),
        "successes": successes.ravel(),
    }

    def make():
        trials = rs.Trials.from_counts(table)
        return trials, trials.fingerprint, trials.counts.distinct()

    taken, (trials_made, *_) = seconds(make)
    return taken, trials_made


def alternative(trials):
    """Evaluate SciPy's beta-binomial over all cells at the nodes of one lattice."""
    from scipy import stats

    counts = trials.counts
    first = counts.unit == 0
    n, y = counts.n[first], counts.successes[first]
    grid = np.linspace(0.05, 0.95, 33)
    for mean in grid:
        total = 1 / grid[:, None] - 1
        stats.betabinom.logpmf(y, n, mean * total, (1 - mean) * total).sum(axis=1)


def import_ratio():
    """Median time to import the package over that of NumPy, in fresh interpreters, alternating."""
    taken: dict[str, list[float]] = {"numpy": [], "reliability_stats": []}
    for _ in range(11):
        for name, times in taken.items():
            code = (
                f"import time; t=time.perf_counter(); import {name}; print(time.perf_counter()-t)"
            )
            out = subprocess.run(
                [sys.executable, "-c", code], capture_output=True, text=True, check=True
            )
            times.append(float(out.stdout))
    return float(np.median(taken["reliability_stats"]) / np.median(taken["numpy"]))


def main():
    rng = np.random.default_rng(0)
    rs.fit(rs.Trials.from_array([[1, 0], [1, 1]])).summary()  # load what is loaded once
    print(f"Python {platform.python_version()}, numpy {np.__version__}, scipy {scipy.__version__}")
    print(f"import reliability_stats / import numpy: {import_ratio():.2f}")
    print("systems   tasks trials   counts s    fit s  summary s  peak MB  SciPy grid / ours")
    designs = [(1, 100, 10), (1, 10_000, 10), (1, 1_000_000, 10), (1000, 1000, 10)]
    for systems, tasks, trials in designs:
        made, data = counted(systems, tasks, trials, rng)
        fitted, post = seconds(lambda data=data: rs.fit(data))
        summed, _ = seconds(post.summary)
        tracemalloc.start()
        rs.fit(data).summary()
        peak = tracemalloc.get_traced_memory()[1] / 1e6
        tracemalloc.stop()
        ratio = float("nan")
        if tasks <= 10_000:
            ratio = seconds(lambda data=data: alternative(data))[0] / ((fitted + summed) / systems)
        print(
            f"{systems:7d} {tasks:7d} {trials:6d} {made:10.3f} {fitted:8.3f} {summed:10.3f} "
            f"{peak:8.0f} {ratio:10.1f}"
        )


if __name__ == "__main__":
    main()
