"""Simulation-based calibration of the logit-normal and the spike-and-slab model.

Run the whole table (about half an hour on one core) with::

    python tests/statistical/shapes_sbc.py --simulations 500 --out shapes-sbc.csv

Parameters are drawn from the prior, counts of 30 tasks (half with 4 trials, half with 8) from the
model, and the model is fitted. The ranks of the truth among the draws, of every parameter and of
the log likelihood, should be uniform: `p_value` is that of the largest departure, and `coverage_95`
the share of truths in the central 95% intervals.
"""

from __future__ import annotations

import argparse
import sys

import numpy as np
import pandas as pd

import reliability_stats as rs

MODELS = (rs.LogitNormal(), rs.SpikeSlab())


def design() -> rs.Trials:
    """Give 30 tasks, half with 4 and half with 8 trials."""
    n = np.repeat([4, 8], 15)
    return rs.Trials.from_counts({"task": np.arange(30), "n": n, "successes": n // 2}, system=None)


def table(model: rs.models.Model, simulations: int, rng: int = 0) -> pd.DataFrame:
    """Calibrate one model."""
    found = rs.calibration.sbc(model, design(), simulations, rng=rng)
    return found.table.assign(model=type(model).__name__)


def main(arguments: list[str] | None = None) -> None:
    """Print the table, and write it if asked to."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--simulations", type=int, default=500)
    parser.add_argument("--out", help="CSV file to write")
    options = parser.parse_args(arguments)
    parts = []
    for model in MODELS:
        parts.append(table(model, options.simulations))
        print(parts[-1].round(4).to_string(index=False), flush=True)
        if options.out:
            pd.concat(parts).round(4).to_csv(options.out, index=False)


if __name__ == "__main__":
    main(sys.argv[1:])
