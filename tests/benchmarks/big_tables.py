"""Time and memory from a Parquet file to counts, beside the same raw group-by in the same run.

    python tests/benchmarks/big_tables.py --rows 1e8
    python tests/benchmarks/big_tables.py --rows 1e7 --engines polars duckdb spark --trial

The file has 20 systems and 5000 tasks, text labels and truth values, and is removed afterwards.
The raw group-by gives successes and rows of each cell (with `--trial` also the distinct trials)
without any check. Each measurement runs in a process of its own; raw and checked runs take turns,
and the ratio is that of the medians. Memory is the peak of the process; for Spark, of the Python
side alone.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SYSTEMS, TASKS, CHUNK = 20, 5000, 10**6


def write(file, rows):
    """Write the table, a chunk at a time."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    rng = np.random.default_rng(0)
    names = {"system": [f"model-{i}" for i in range(SYSTEMS)]}
    names["task"] = [f"task-{i}" for i in range(TASKS)]
    ease = rng.beta(0.7, 0.5, size=TASKS)
    schema = pa.schema(
        [("system", pa.string()), ("task", pa.string()), ("trial", pa.int64()),
         ("success", pa.bool_())]
    )  # fmt: skip
    with pq.ParquetWriter(file, schema, compression="zstd") as writer:
        for start in range(0, rows, CHUNK):
            size = min(CHUNK, rows - start)
            codes = {role: rng.integers(0, len(some), size) for role, some in names.items()}
            columns = {
                role: pa.array(names[role]).take(pa.array(values)) for role, values in codes.items()
            }
            columns["trial"] = np.arange(start, start + size)
            columns["success"] = rng.random(size) < ease[codes["task"]]
            writer.write_table(pa.table(columns, schema=schema))


def source(engine, file):
    """Open the file in an engine, without reading it."""
    if engine == "polars":
        import polars as pl

        return pl.scan_parquet(file)
    if engine == "duckdb":
        import duckdb

        return duckdb.read_parquet(str(file))
    from pyspark.sql import SparkSession

    builder = SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false")
    session = builder.config("spark.driver.memory", "2g").getOrCreate()
    session.sparkContext.setLogLevel("ERROR")
    return session.read.parquet(str(file))


def raw(engine, table, trial):
    """Group by cell in the engine's own words; give rows and successes in total."""
    if engine == "polars":
        import polars as pl

        more = [pl.col("trial").n_unique()] if trial else []
        sums = table.group_by("system", "task").agg(pl.col("success").sum(), pl.len(), *more)
        sums = sums.collect(engine="streaming")
        return int(sums["len"].sum()), int(sums["success"].sum())
    if engine == "duckdb":
        more = ", count(distinct trial)" if trial else ""
        query = f"system, task, sum(success::INT)::BIGINT AS wins, count(*) AS rows{more}"
        sums = table.aggregate(query, "system, task").to_arrow_table().to_pydict()
        return sum(sums["rows"]), sum(sums["wins"])
    from pyspark.sql import functions as f

    more = [f.count_distinct("trial").alias("trials")] if trial else []
    sums = table.groupBy("system", "task").agg(
        f.sum(f.col("success").cast("int")).alias("wins"), f.count("*").alias("rows"), *more
    )
    sums = sums.toArrow().to_pydict()
    return sum(sums["rows"]), sum(sums["wins"])


def checked(table, trial):
    """Count with all checks."""
    import reliability_stats as rs

    trials = rs.Trials.from_frame(table, trial="trial" if trial else None)
    return trials.n_rows, int(trials.counts.successes.sum()), trials.fingerprint


def measure(engine, file, kind, trial):
    """Run once in this process, and print what it took."""
    table = source(engine, file)
    if kind == "checked":
        import narwhals  # noqa: F401

        import reliability_stats.trials  # noqa: F401
    if engine == "spark":
        table.limit(1).collect()
    start = time.perf_counter()
    found = raw(engine, table, trial) if kind == "raw" else checked(table, trial)
    taken = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print("RESULT", json.dumps({"seconds": taken, "GiB": peak, "found": found}))


def apart(engine, file, kind, trial):
    """Run once in another process."""
    command = [sys.executable, __file__, "--one", engine, kind, str(file)]
    command += ["--trial"] if trial else []
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    line = next(line for line in run.stdout.splitlines() if line.startswith("RESULT"))
    return json.loads(line.removeprefix("RESULT"))


def compare(engines, file, repeats, trial):
    """Print a row for each engine; the counts of all must be equal."""
    print(f"{'engine':8} {'raw s':>8} {'checked s':>10} {'ratio':>6} {'raw GiB':>8} {'GiB':>6}")
    fingerprints = set()
    for engine in engines:
        runs = {"raw": [], "checked": []}
        for _ in range(repeats):
            for kind, results in runs.items():
                results.append(apart(engine, file, kind, trial))
        first = runs["raw"][0]["found"]
        for result in (*runs["raw"], *runs["checked"]):
            assert result["found"][:2] == first[:2], (engine, result, first)
        fingerprints |= {result["found"][2] for result in runs["checked"]}
        seconds = {k: statistics.median(r["seconds"] for r in v) for k, v in runs.items()}
        peak = {k: max(r["GiB"] for r in v) for k, v in runs.items()}
        print(
            f"{engine:8} {seconds['raw']:8.2f} {seconds['checked']:10.2f} "
            f"{seconds['checked'] / seconds['raw']:6.2f} {peak['raw']:8.2f} {peak['checked']:6.2f}",
            flush=True,
        )
    assert len(fingerprints) == 1, fingerprints
    print(f"fingerprint of all counts: {fingerprints.pop()[:16]}")


def main():
    """Parse arguments and run."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=float, default=1e7)
    parser.add_argument("--engines", nargs="+", default=["polars", "duckdb"])
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--trial", action="store_true", help="look for repeated trials, too")
    parser.add_argument(
        "--folder", help="where the file is written; a temporary folder if left out"
    )
    parser.add_argument("--one", nargs=3, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.one:
        engine, kind, file = given.one
        measure(engine, Path(file), kind, given.trial)
        return
    with tempfile.TemporaryDirectory(dir=given.folder) as folder:
        file = Path(folder) / "runs.parquet"
        write(file, int(given.rows))
        size = file.stat().st_size / 2**20
        print(f"{int(given.rows):,} rows, {size:.0f} MiB, {SYSTEMS * TASKS:,} cells")
        compare(given.engines, file, given.repeats, given.trial)


if __name__ == "__main__":
    main()
