"""Coverage of intervals of users and of friction.

Run the whole table (about ten minutes on one core) with::

    python tests/statistical/users_coverage.py --replications 1000

Users: logits normal between users, in some designs with tasks that users repeat. Friction: review
minutes lognormal with a long tail, longer for outputs that are rejected, in some designs with
differences between users. For each nominal 95% interval the table gives the share that holds the
truth and the error of the mean.
"""

from __future__ import annotations

import argparse
import sys

import numpy as np
import pandas as pd

from reliability_stats.instruments import Friction, Users
from reliability_stats.instruments.users import population_mean

Z10 = -1.2815515655446004


def expit(x):
    """Logistic function."""
    return 1 / (1 + np.exp(-x))


def users(size: int, number: int, n: int, mu: float, sd: float, seed: int, repeat: float = 0.0):
    """Simulate users; every replication is a system."""
    rng = np.random.default_rng([1, seed])
    logit = mu + sd * rng.standard_normal((size, number))
    truth = {"median_user": expit(mu), "tenth_percentile_user": expit(mu + Z10 * sd)}
    truth |= {"user_sd": sd, "new_user": expit(mu + sd * rng.standard_normal(size))}
    names = [f"r{i:05d}" for i in range(size)]
    table = {"system": np.repeat(names, number), "user": np.tile(np.arange(number), size)}
    options: dict = {"n": "n", "successes": "y"}
    if not repeat:
        truth["mean_user"] = float(population_mean(np.array([mu]), np.array([sd]))[0])
        table |= {"n": np.full(size * number, n)}
        table["y"] = rng.binomial(n, expit(logit)).ravel()
    else:  # n / 4 tasks of four trials each, beta-binomial within the user
        tasks, p = n // 4, expit(logit)[..., None]
        total = 1 / repeat - 1
        cell = rng.beta(p * total, (1 - p) * total, (size, number, tasks))
        table = {name: np.repeat(value, tasks) for name, value in table.items()}
        table |= {"n": np.full(size * number * tasks, 4)}
        table |= {"y": rng.binomial(4, cell).ravel()}
        table["task"] = np.tile(np.arange(tasks), size * number)
        options["task"] = "task"
    post = Users().fit(table, draws=500, **options).summary()
    name = f"users: {number} x {n}, sd {sd:g}" + (
        f", repeated tasks ({repeat:g})" if repeat else ""
    )
    return rows_of(post, truth, name)


def rows_of(table: pd.DataFrame, truth: dict, name: str) -> list[dict]:
    """Compare with the truth; one row an estimand."""
    out = []
    for estimand, value in truth.items():
        part = table[table["estimand"] == estimand]
        inside = (part["lower"] <= value) & (value <= part["upper"])
        error = float((part["mean"] - value).mean())
        row = {"design": name, "interval": estimand, "coverage": inside.mean(), "bias": error}
        out.append(row | {"replications": len(part)})
    return out


def friction(size: int, n: int, clusters: int, spread: float, interval: str, seed: int):
    """Simulate outputs; every replication is a system."""
    rng = np.random.default_rng([2, seed])
    user = np.tile(np.arange(n) % max(clusters, 1), (size, 1))
    effect = spread * rng.standard_normal((size, max(clusters, 1)))
    shift = np.take_along_axis(effect, user, 1) if clusters else 0.0
    taken = rng.random((size, n)) < 0.7
    back = taken & (rng.random((size, n)) < 0.05)
    minutes = np.exp(1.5 + shift + rng.standard_normal((size, n)) + 0.5 * ~taken)
    mean = np.exp(1.5 + spread**2 / 2 + 0.5) * (0.7 + 0.3 * np.exp(0.5))
    truth = {"cost_per_dependable_success": (mean + 60 * 0.035) / 0.665}
    truth |= {"minutes_per_accepted": mean / 0.7, "acceptance": 0.7}
    table = {"system": np.repeat([f"r{i:05d}" for i in range(size)], n)}
    table |= {"accepted": taken.ravel(), "rolled_back": back.ravel()}
    table |= {"minutes": minutes.ravel(), "user": user.ravel()}
    spec = Friction(price_rollback=60, interval=interval, resamples=500)
    more = {"user": "user"} if clusters else {}
    found = spec.estimate(table, rolled_back="rolled_back", **more).summary()
    name = f"friction: {n} outputs" + (f" of {clusters} users" if clusters else "")
    return rows_of(found, truth, f"{name}, {interval}")


def main(arguments: list[str] | None = None) -> pd.DataFrame:
    """Print the table, and write it if asked to."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--replications", type=int, default=1000)
    parser.add_argument("--parts", nargs="+", default=["friction", "users"])
    parser.add_argument("--out", help="CSV file to write")
    options = parser.parse_args(arguments)
    size = options.replications
    rows: list[dict] = []
    for i, interval in enumerate(("fieller", "bootstrap")):
        if "friction" not in options.parts:
            break
        rows += friction(size, 60, 0, 0.0, interval, 10 * i)
        rows += friction(size, 300, 0, 0.0, interval, 10 * i + 1)
        rows += friction(size, 400, 40, 0.5, interval, 10 * i + 2)
    few = max(size // 4, 2)
    if "users" in options.parts:
        rows += users(few, 20, 20, 1.0, 1.0, 1)
        rows += users(few, 20, 20, 2.0, 0.3, 2)
        rows += users(few, 50, 10, 0.0, 1.5, 3)
        rows += users(few, 8, 40, 1.0, 0.8, 4)
        rows += users(few, 20, 40, 1.0, 1.0, 5, repeat=0.4)
    table = pd.DataFrame(rows)
    print(table.round(3).to_string(index=False), flush=True)
    if options.out:
        table.round(4).to_csv(options.out, index=False)
    return table


if __name__ == "__main__":
    main(sys.argv[1:])
