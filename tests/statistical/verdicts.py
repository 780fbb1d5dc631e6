"""How often a system is called flickering, by truth and design.

Run the whole table (hours on one core; it is printed and written again after each round, so that it
can be stopped at any time) with::

    python tests/statistical/verdicts.py --replications 1000 --out verdicts.csv

Systems are drawn from laws of success over tasks whose flicker mass (.1 < p < .9) is known, and
outcomes from them. For each rule the table gives the share of systems called "flickering
competence" (at most 5% should be where the flicker mass does not exceed the tolerance of .20):
under `BetaBinomial` alone, under `GridMixture` alone, and under both, which is the rule of
`flag_flicker`; and the share called "capable and persistent" under both. `se` is the Monte Carlo
standard error of the share under both. Trials are exchangeable here; what happens when they are not
is another table (`exchangeability_table.py`).
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
from reliability_stats.flicker._states import Bounds
from reliability_stats.flicker._systems import Chances, Tolerances, chances_of

Draw = Callable[[np.random.Generator, tuple[int, int]], np.ndarray]
TOLERANCES = Tolerances(0.20, 0.20, 0.95, 20, 4)
BATCH = 125


def between(a: float, b: float) -> float:
    """P(.1 < p < .9) under Beta(a, b)."""
    return float(special.betainc(a, b, 0.9) - special.betainc(a, b, 0.1))


def points(*atoms: tuple[float, float]) -> tuple[Draw, float]:
    """Give a law on points (value, weight), and its flicker mass."""
    values, weights = np.array(atoms).T
    mass = float(weights[(values > 0.1) & (values < 0.9)].sum())
    return lambda rng, size: rng.choice(values, p=weights, size=size), mass


def beta(a: float, b: float) -> tuple[Draw, float]:
    """Give a beta law, and its flicker mass."""
    return lambda rng, size: rng.beta(a, b, size), between(a, b)


def spiked(slab: float, a: float, b: float) -> tuple[Draw, float]:
    """Give a law with equal spikes at 0 and 1 and the rest from a beta law."""

    def draw(rng: np.random.Generator, size: tuple[int, int]) -> np.ndarray:
        spike = rng.integers(2, size=size).astype(float)
        return np.where(rng.random(size) < slab, rng.beta(a, b, size), spike)

    return draw, slab * between(a, b)


TRUTHS: dict[str, tuple[Draw, float]] = {
    "2% or 98%": points((0.02, 0.5), (0.98, 0.5)),
    "5% or 95%": points((0.05, 0.5), (0.95, 0.5)),
    "9% or 91%": points((0.09, 0.5), (0.91, 0.5)),
    "0, 1/2 or 1, at tolerance": points((0.0, 0.4), (0.5, 0.2), (1.0, 0.4)),
    "U-shaped, at tolerance": beta(0.10809, 0.10809),
    "spikes and slab, at tolerance": spiked(0.2 / between(2, 2), 2, 2),
    "0, 1/2 or 1, .4 flicker": points((0.0, 0.3), (0.5, 0.4), (1.0, 0.3)),
    "U-shaped, Beta(.3, .3)": beta(0.3, 0.3),
    "spikes and slab, .4 flicker": spiked(0.4 / between(2, 2), 2, 2),
    "0, 1/2 or 1, .6 flicker": points((0.0, 0.2), (0.5, 0.6), (1.0, 0.2)),
    "unimodal, Beta(3, 3)": beta(3, 3),
}
DESIGNS = ((50, 4), (50, 8), (100, 4), (100, 8), (50, 16))
OPTIONS = {"chains": 2, "draws": 200, "tune": 200, "ess": 200, "max_thin": 8}


def systems(draw: Draw, tasks: int, trials: int, size: int, rng: np.random.Generator) -> rs.Trials:
    """Make every replication a system; successes in random order."""
    successes = rng.random((size, tasks, trials)) < draw(rng, (size, tasks))[..., None]
    return rs.Trials.from_array(successes, systems=[f"r{i:04d}" for i in range(size)])


def called(each: list[list[Chances]], what: str, *, against: bool = False) -> np.ndarray:
    """Say which systems are sure of something under all of the models."""
    sure = TOLERANCES.certainty
    return np.all([[c.sure(what, sure, against=against) for c in cs] for cs in each], axis=0)


def counted(draw: Draw, tasks: int, trials: int, size: int, seed: list[int]) -> dict[str, int]:
    """Count what systems of one truth and design are called."""
    data = systems(draw, tasks, trials, size, np.random.default_rng(seed))
    posts = [rs.fit(data)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        posts.append(rs.fit(data, rs.GridMixture(), rng=seed[0], **OPTIONS))
    bounds = Bounds.of(0.1, 0.9, None)
    each = [chances_of(post, bounds, TOLERANCES, [trials] * size) for post in posts]
    capable = called(each, "capable")
    persistent = called(each, "flickers", against=True) & called(each, "dependable")
    return {
        "beta_alone": int((called(each[:1], "flickers") & capable).sum()),
        "grid_alone": int((called(each[1:], "flickers") & capable).sum()),
        "both": int((called(each, "flickers") & capable).sum()),
        "persistent": int(persistent.sum()),
        "replications": size,
    }


def table(counts: dict[tuple[str, int, int], dict[str, int]]) -> pd.DataFrame:
    """Turn counts into shares."""
    rows = []
    for (name, tasks, trials), found in counts.items():
        many = found["replications"]
        row = {"truth": name, "flicker_mass": TRUTHS[name][1], "tasks": tasks, "trials": trials}
        shares = {key: value / many for key, value in found.items() if key != "replications"}
        smooth = (found["both"] + 1) / (many + 2)
        error = np.sqrt(smooth * (1 - smooth) / many)
        rows.append(row | shares | {"se": error, "replications": many})
    return pd.DataFrame(rows).round(4)


def main(arguments: list[str] | None = None) -> None:
    """Print the table after each round, and write it if asked to."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--replications", type=int, default=1000)
    parser.add_argument("--designs", type=int, default=len(DESIGNS), help="how many of the designs")
    parser.add_argument("--out", help="CSV file to write")
    options = parser.parse_args(arguments)
    counts: dict[tuple[str, int, int], dict[str, int]] = {}
    size = min(BATCH, options.replications)
    for turn in range(-(-options.replications // size)):
        for tasks, trials in DESIGNS[: options.designs]:
            for i, (name, (draw, _)) in enumerate(TRUTHS.items()):
                found = counted(draw, tasks, trials, size, [turn, i, tasks, trials])
                old = counts.get((name, tasks, trials), dict.fromkeys(found, 0))
                counts[name, tasks, trials] = {key: old[key] + found[key] for key in found}
                if options.out:
                    table(counts).to_csv(options.out, index=False)
        print(table(counts).to_string(), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
