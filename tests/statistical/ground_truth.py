"""Flags on few reruns against the full record of some ten thousand reruns a test.

Run with (needs the folder of public data beside the repository)::

    python tests/statistical/ground_truth.py --out ground-truth.csv

22,245 tests of 24 Java projects were each run about 10,000 times (FlakeFlagger, Alshammari et al.
2021, https://doi.org/10.1109/ICSE43902.2021.00140). K reruns a test are drawn without replacement,
`BetaBinomial` is fitted to them, and the states of `flag_flicker` are compared with the pass rate
in the full record. Bounds are .1 and .9, and .01 and .99, since most flaky tests fail rarely.
`fdr` is the share of labels that are wrong, `power` the share of tests in the state that are
labelled, for "flickering" and for "persistent"; `mixed_fdr` and `mixed_power` are those of the
usual rule, which calls a test flaky as soon as it has passed and failed.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
import pandas as pd

import reliability_stats as rs
from reliability_stats.flicker._fdr import discoveries

FILE = "flakeflagger_test_reruns.csv.gz"
FOLDER = Path(__file__).resolve().parents[3] / "shared" / "data"
RERUNS = (4, 8, 16, 32, 64)


def rates(label: np.ndarray, truth: np.ndarray) -> tuple[float, float]:
    """Share of labels that are wrong, and of the truth that is labelled."""
    wrong = (label & ~truth).sum() / max(label.sum(), 1)
    return float(wrong), float((label & truth).sum() / max(truth.sum(), 1))


def row(
    record: pd.DataFrame, reruns: int, low: float, rng: np.random.Generator
) -> dict[str, float]:
    """Draw reruns, label tests, and compare with the record."""
    passed, failed = record["n_pass"].to_numpy(), record["n_fail"].to_numpy()
    p = passed / (passed + failed)
    wins = rng.hypergeometric(passed, failed, reruns)
    size = len(record)
    frame = {"task": np.arange(size), "n": np.full(size, reruns), "successes": wins}
    post = rs.fit(rs.Trials.from_counts(frame, system=None))
    cells = post.tasks(low=low, high=1 - low)
    at = cells["task"].astype(int).to_numpy()
    chance = np.empty((3, size))
    names = ["p_not_shown", "p_flickering", "p_persistent"]
    chance[:, at] = cells[names].to_numpy().T
    likely, wrong = chance.argmax(axis=0), 1.0 - chance.max(axis=0)
    known = discoveries(np.where(wrong < 0.5, wrong, np.nan), likely, 0.05)
    truth = np.stack([p <= low, (p > low) & (p < 1 - low), p >= 1 - low])
    out: dict[str, float] = {"reruns": reruns, "low": low, "flickering": int(truth[1].sum())}
    for i, state in ((1, "flickering"), (2, "persistent")):
        label = known & (likely == i)
        rate, power = rates(label, truth[i])
        out |= {f"{state}_labels": int(label.sum()), f"{state}_fdr": rate, f"{state}_power": power}
    mixed = rates((wins > 0) & (wins < reruns), truth[1])
    return out | {"mixed_fdr": mixed[0], "mixed_power": mixed[1]}


def main(arguments: list[str] | None = None) -> None:
    """Print the table, and write it if asked to."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=FOLDER)
    parser.add_argument("--out", help="CSV file to write")
    options = parser.parse_args(arguments)
    record = pd.read_csv(options.data / FILE)
    rows = []
    for low in (0.1, 0.01):
        for reruns in RERUNS:
            rng = np.random.default_rng([reruns, int(1000 * low)])
            rows.append(row(record, reruns, low, rng))
            print(pd.DataFrame(rows[-1:]).round(4).to_string(header=len(rows) == 1), flush=True)
    if options.out:
        pd.DataFrame(rows).round(4).to_csv(options.out, index=False)


if __name__ == "__main__":
    main(sys.argv[1:])
