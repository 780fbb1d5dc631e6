"""Public leaderboards, reanalysed.

Run all of it (a minute or two on one core) with::

    python tests/benchmarks/leaderboards.py --data ../shared/data

The folder holds tables of public results, which are no part of this repository; what is not there
is left out, and said so. Printed are, for

- ladders of pass^1 to pass^4 (tau_leaderboards_pass_hat_k.csv): how many are one histogram of whole
  tasks, several, or none;
- means with their standard error over runs (terminal_bench_2, mlebench): what they say of the
  correlation of trials of a task and of pass^2;
- outcomes by task of single runs (hal_instances, swebench_verified_bash_only): the chance that the
  first is the best, paired by task, and how many systems tie with it;
- systems of HAL with two runs: how often their two trials of a task disagree.
"""

from __future__ import annotations

import argparse
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

import reliability_stats as rs
from reliability_stats.leaderboard import Leaderboard, bounds, reconstruct

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"


def ladders(folder: Path) -> pd.DataFrame:
    """Recover the counts of every whole ladder."""
    table = pd.read_csv(folder / "tau_leaderboards_pass_hat_k.csv")
    table = table.rename(columns={"pass_hat_k": "value", "submission": "settings"})
    board = Leaderboard.from_frame(table.assign(metric="pass^k"))
    found = reconstruct(board)
    counts = found.groupby("benchmark")["status"].value_counts().unstack(fill_value=0)
    for name in ("unique", "several", "none"):
        counts[name] = counts.get(name, 0)
    counts = counts[["unique", "several", "none"]].assign(
        duplicates=found.groupby("benchmark")["duplicate_of"].count()
    )
    counts.loc["all"] = counts.sum()
    return counts.rename_axis("benchmark").reset_index()


def of_runs(table: pd.DataFrame) -> pd.DataFrame:
    """Say what means with standard errors over runs of the same tasks tell."""
    board = Leaderboard.from_frame(table.assign(metric="mean"))
    found = bounds(board, [rs.PassHatK(2), rs.ICC()])
    wide = found[found["identified"] == "yes"].pivot_table(
        index=["benchmark", "system"], columns="estimand", values=["mean", "lower", "upper"]
    )
    out = pd.DataFrame({"mean": table.set_index(["benchmark", "system"])["value"].astype(float)})
    for name in ("pass^2", "icc"):
        for column in ("mean", "lower", "upper"):
            if (column, name) in wide:
                out[f"{name} {column}"] = wide[column, name]
    return out.reset_index()


def spread(table: pd.DataFrame) -> pd.DataFrame:
    """Summarise over the systems of a benchmark."""
    groups = table.groupby("benchmark")
    return pd.DataFrame(
        {
            "systems": groups.size(),
            "score, median": groups["mean"].median(),
            "pass^2, median": groups["pass^2 mean"].median(),
            "ICC, median": groups["icc mean"].median(),
            "ICC, width of 95% interval": (table["icc upper"] - table["icc lower"])
            .groupby(table["benchmark"])
            .median(),
        }
    ).reset_index()


def terminal_bench(folder: Path) -> pd.DataFrame:
    """Reanalyse accuracies with standard errors over five trials of each task."""
    table = pd.read_csv(folder / "terminal_bench_2_leaderboard_dec2025.csv")
    table = table[table["implied_trials_per_task"].round() == 5]
    kept = table.rename(columns={"accuracy": "value", "stderr_within_task": "se"})
    kept = kept.drop_duplicates("system")[["system", "benchmark", "value", "se", "n_tasks"]]
    kept["value"] = kept["value"].map("{:.4f}".format)
    return spread(of_runs(kept.assign(n_runs=5)))


def mle_bench(folder: Path) -> pd.DataFrame:
    """Reanalyse medal rates with standard errors over three seeds."""
    table = pd.read_csv(folder / "mlebench_leaderboard.csv")
    table = table[~table["padded_with_failures"].astype(bool)]
    kept = table.rename(columns={"any_medal_mean": "value", "any_medal_sem": "se"})
    kept = kept.dropna(subset=["value", "se"]).drop_duplicates(["system", "benchmark"])
    kept = kept[["system", "benchmark", "value", "se", "n_tasks"]]
    kept["value"] = kept["value"].map("{:.4f}".format)
    return spread(of_runs(kept.assign(n_runs=3)))


def single_runs(table: pd.DataFrame, name: str) -> dict[str, object]:
    """Rank systems by one run each, paired by task."""
    trials = rs.Trials.from_frame(table)
    ranking = rs.rank(trials, rs.SuccessRate(), draws=4000)
    frame = ranking.frame
    frame = frame[frame["estimand"] == "success_rate"].sort_values("mean", ascending=False)
    first = frame.iloc[0]
    order = ranking.order
    worse = order[(order["estimand"] == "success_rate") & (order["better"] == first["system"])]
    floor = rs.noise_floor(float(first["mean"]), n_tasks=trials.counts.n_tasks)
    return {
        "benchmark": name,
        "systems": len(frame),
        "tasks": trials.counts.n_tasks,
        "first": str(first["system"])[:40],
        "score": first["mean"],
        "P(first is best)": first["p_best"],
        "tie with first": len(frame) - 1 - worse["worse"].nunique(),
        "floor, other tasks": floor["floor"].iloc[1],
    }


def hal(folder: Path) -> pd.DataFrame:
    """Rank the systems of the Holistic Agent Leaderboard, benchmark by benchmark."""
    table = pd.read_csv(folder / "hal_instances.csv.gz")
    rows = []
    for name, part in table[table["trial"] == 0].groupby("benchmark"):
        size = part.groupby("system")["task"].nunique()
        full = size.index[size == size.max()]
        rows.append(single_runs(part[part["system"].isin(full)], str(name)))
    return pd.DataFrame(rows)


def hal_twice(folder: Path) -> pd.DataFrame:
    """Say how often two runs of one system disagree on a task."""
    table = pd.read_csv(folder / "hal_instances.csv.gz")
    key = table["benchmark"] + " | " + table["system"]
    twice = table.assign(system=key)[key.isin(key[table["trial"] > 0])]
    sizes = twice.groupby(["system", "task"])["trial"].transform("nunique")
    trials = rs.Trials.from_frame(twice[sizes == 2][["system", "task", "trial", "success"]])
    found = rs.estimate(trials, [rs.SuccessRate(), rs.Disagreement(), rs.PassHatK(2)])
    out = found.pivot(index="system", columns="estimand", values="mean")
    out["tasks"] = trials.counts.to_frame().groupby("system").size()
    return out.rename_axis(None, axis=1).reset_index()


def swe_bench(folder: Path) -> pd.DataFrame:
    """Rank models on SWE-bench Verified by their outcomes of single instances."""
    table = pd.read_csv(folder / "swebench_verified_bash_only_instances.csv")
    kept = table[table["per_instance_consistent"] == 1]
    return pd.DataFrame([single_runs(kept, "SWE-bench Verified, bash only")])


PARTS: dict[str, tuple[str, Callable[[Path], pd.DataFrame]]] = {
    "Ladders of tau-bench and tau2-bench": ("tau_leaderboards_pass_hat_k.csv", ladders),
    "Terminal-Bench 2: accuracy and standard error of five trials a task": (
        "terminal_bench_2_leaderboard_dec2025.csv",
        terminal_bench,
    ),
    "MLE-bench: medals and standard error over three seeds": (
        "mlebench_leaderboard.csv",
        mle_bench,
    ),
    "Holistic Agent Leaderboard: single runs": ("hal_instances.csv.gz", hal),
    "Holistic Agent Leaderboard: systems with two runs": ("hal_instances.csv.gz", hal_twice),
    "SWE-bench Verified, bash only: single runs": (
        "swebench_verified_bash_only_instances.csv",
        swe_bench,
    ),
}


def main(folder: Path) -> None:
    """Print all tables, with the time that each took."""
    pd.set_option("display.width", 250, "display.max_columns", 30)
    for title, (file, part) in PARTS.items():
        sys.stdout.write(f"\n{title}\n{'=' * len(title)}\n")
        if not (folder / file).exists():
            sys.stdout.write(f"left out: {file} is not there\n")
            continue
        start = time.perf_counter()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", rs.ReliabilityStatsWarning)
            table = part(folder)
        took = time.perf_counter() - start
        sys.stdout.write(table.round(3).to_string(index=False) + f"\n({took:.1f} s)\n")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--data", type=Path, default=DATA, help="folder of public tables")
    np.seterr(all="ignore")
    main(parser.parse_args().data)
