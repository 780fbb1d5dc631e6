"""Coverage of the flicker mass where its true value rests on the shape of the distribution.

Run the whole table (about half an hour on one core) with::

    python tests/statistical/grid_coverage.py --replications 300

Success probabilities of tasks are drawn from U-shaped, two-point, three-point and spiked laws,
outcomes from them. For each nominal 95% interval the table gives the share that holds the truth
over the population, the mean of the estimates and the mean width: under `BetaBinomial`, under
`GridMixture`, and for the band of `identified_set`, whose estimate is the middle of the set.
"""

from __future__ import annotations

import argparse
import sys
import warnings
from collections.abc import Callable

import numpy as np
import pandas as pd
from scipy import special

import reliability_stats as rs
from reliability_stats.exceptions import ConvergenceWarning

Draw = Callable[[np.random.Generator, tuple[int, int]], np.ndarray]


def points(values: list[float], weights: list[float]) -> Draw:
    """Give draws from a law on a few points."""
    return lambda rng, size: rng.choice(values, p=weights, size=size)


def spiked(rng: np.random.Generator, size: tuple[int, int]) -> np.ndarray:
    """Draw from .3 at 0, .3 at 1 and .4 spread as Beta(2, 2)."""
    kind = rng.random(size)
    return np.where(kind < 0.3, 0.0, np.where(kind < 0.6, 1.0, rng.beta(2, 2, size)))


def between(a: float, b: float) -> float:
    """P(.1 < p < .9) under Beta(a, b)."""
    return float(special.betainc(a, b, 0.9) - special.betainc(a, b, 0.1))


TRUTHS: dict[str, tuple[Draw, float]] = {
    "U-shaped": (lambda rng, size: rng.beta(0.3, 0.3, size), between(0.3, 0.3)),
    "two-point": (points([0.05, 0.6], [0.5, 0.5]), 0.5),
    "three-point": (points([0.0, 0.5, 1.0], [0.4, 0.3, 0.3]), 0.3),
    "spike": (spiked, 0.4 * between(2, 2)),
}
DESIGNS = ((50, 4), (50, 8), (100, 4), (100, 8))


def simulated(draw: Draw, tasks: int, trials: int, size: int, rng: np.random.Generator):
    """Make every replication a system."""
    successes = rng.binomial(trials, draw(rng, (size, tasks)))
    outcomes = np.arange(trials) < successes[..., None]
    return rs.Trials.from_array(outcomes, systems=[f"r{i:04d}" for i in range(size)])


def row(name: str, tasks: int, trials: int, size: int, bands: int) -> list[dict[str, object]]:
    """Evaluate one truth and design."""
    draw, truth = TRUTHS[name]
    rng = np.random.default_rng([list(TRUTHS).index(name), tasks, trials])
    data = simulated(draw, tasks, trials, size, rng)
    flicker = rs.FlickerMass()
    found = {"BetaBinomial": rs.fit(data, rng=1).summary(flicker)}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        post = rs.fit(data, rs.GridMixture(), rng=1, draws=400, ess=400, max_thin=16)
    found["GridMixture"] = post.summary(flicker)
    few = simulated(draw, tasks, trials, bands, rng)
    table = rs.identified_set(few, flicker)
    found["band"] = table.assign(mean=(table["set_lower"] + table["set_upper"]) / 2)
    out = []
    for method, table in found.items():
        holds = (table["lower"] <= truth) & (truth <= table["upper"])
        fields = {"truth": name, "tasks": tasks, "trials": trials, "value": truth}
        fields |= {"method": method, "coverage": holds.mean(), "estimate": table["mean"].mean()}
        fields |= {"width": (table["upper"] - table["lower"]).mean(), "replications": len(table)}
        out.append(fields)
    return out


def main(arguments: list[str] | None = None) -> None:
    """Print the table, and write it if asked to."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--replications", type=int, default=300)
    parser.add_argument("--bands", type=int, default=100, help="replications of the slower band")
    parser.add_argument("--out", help="CSV file to write")
    options = parser.parse_args(arguments)
    rows: list[dict[str, object]] = []
    for name in TRUTHS:
        for tasks, trials in DESIGNS:
            rows += row(name, tasks, trials, options.replications, options.bands)
            print(pd.DataFrame(rows[-3:]).round(3).to_string(header=len(rows) == 3), flush=True)
    if options.out:
        pd.DataFrame(rows).round(4).to_csv(options.out, index=False)


if __name__ == "__main__":
    main(sys.argv[1:])
