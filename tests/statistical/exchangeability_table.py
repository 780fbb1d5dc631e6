"""How often `exchangeability` finds something, under exchangeable trials and under departures.

Run with (minutes on one core)::

    python tests/statistical/exchangeability_table.py --systems 400 --out exchangeability.csv

Systems have 30 tasks with success probabilities from Beta(.5, .5). Trials are independent ("none"),
drift (log odds fall by 2 from the first trial to the last), switch (at half time, log odds fall by
3 for good), or stick (with probability .4, a trial repeats the one before). `found` is the share of
systems of which anything is said, which should be at most 5% under "none"; `explained` the share
whose flicker is called explained; `se` the Monte Carlo error of `found`.
"""

from __future__ import annotations

import argparse
import sys

import numpy as np
import pandas as pd
from scipy import special

import reliability_stats as rs

TASKS = 30
KINDS = ("none", "drift", "switch", "stick")


def outcomes(kind: str, size: int, trials: int, rng: np.random.Generator) -> np.ndarray:
    """Draw outcomes, (size, TASKS, trials)."""
    logit = special.logit(np.clip(rng.beta(0.5, 0.5, (size, TASKS, 1)), 1e-6, 1 - 1e-6))
    place = np.linspace(0.5, -0.5, trials)
    shift = {"drift": 2.0 * place, "switch": 3.0 * (place > 0)}.get(kind, 0.0 * place)
    out = rng.random((size, TASKS, trials)) < special.expit(logit + shift)
    if kind == "stick":
        for j in range(1, trials):
            again = rng.random((size, TASKS)) < 0.4
            out[..., j] = np.where(again, out[..., j - 1], out[..., j])
    return out


def row(kind: str, trials: int, size: int) -> dict[str, object]:
    """Check systems of one kind."""
    rng = np.random.default_rng([KINDS.index(kind), trials])
    data = rs.Trials.from_array(outcomes(kind, size, trials, rng))
    verdict = rs.exchangeability(data).systems["verdict"]
    found = float(verdict.isin(["explained", "minor"]).mean())
    error = float(np.sqrt(max(found * (1 - found), 1 / size) / size))
    explained = float((verdict == "explained").mean())
    return {
        "departure": kind,
        "trials": trials,
        "tasks": TASKS,
        "found": found,
        "se": error,
        "explained": explained,
        "systems": size,
    }


def main(arguments: list[str] | None = None) -> None:
    """Print the table, and write it if asked to."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--systems", type=int, default=400)
    parser.add_argument("--out", help="CSV file to write")
    options = parser.parse_args(arguments)
    rows = []
    for trials in (4, 8, 16):
        for kind in KINDS:
            rows.append(row(kind, trials, options.systems))
            print(pd.DataFrame(rows[-1:]).round(4).to_string(header=len(rows) == 1), flush=True)
            if options.out:
                pd.DataFrame(rows).round(4).to_csv(options.out, index=False)


if __name__ == "__main__":
    main(sys.argv[1:])
