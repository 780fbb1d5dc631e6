"""What plans foretell, and what evaluations then give.

Run the whole table (about five minutes on one core) with::

    python tests/statistical/planning_predictions.py --replications 2000

Every row sets a prediction of `reliability_stats.planning` beside the figure that simulated
evaluations realise, with the Monte Carlo standard error of their difference. What is foretold
"at most" must not be exceeded. Evaluations are made and analysed apart from the code that predicts:
outcomes trial by trial, with `fit`, `estimate` and `compare`.
"""

from __future__ import annotations

import argparse
import sys
import warnings
from collections.abc import Callable, Iterator

import numpy as np
import pandas as pd
from scipy import stats

import reliability_stats as rs
from reliability_stats import planning
from reliability_stats.intervals import clopper_pearson, confidence_sequence

SHAPE = (0.64, 0.86)
MEAN, ICC = SHAPE[0] / sum(SHAPE), 1 / (sum(SHAPE) + 1)
Row = tuple[str, float, float, float]


def outcomes(p: np.ndarray, trials: int, rng: np.random.Generator) -> np.ndarray:
    """Run trials of tasks with these success probabilities, (..., tasks, trials)."""
    return rng.random((*p.shape, trials)) < p[..., None]


def cells_of(post: rs.Posterior, size: int) -> np.ndarray:
    """Draw the success probability of every cell, (size, cells)."""
    return np.asarray(post.engine.parameters(1, size, cells=True)["p"][1])[0]


def share(hits: np.ndarray) -> tuple[float, float]:
    """Give a share and its standard error."""
    value = float(np.mean(hits))
    return value, float(np.sqrt(max(value * (1 - value), 1 / len(hits)) / len(hits)))


def widths(size: int, rng: np.random.Generator) -> Iterator[Row]:
    """Expected widths of intervals, and settled tasks, under a pilot."""
    pilot = rs.fit(rs.datasets.load("tau-bench-airline-gpt4o"))
    wanted = [rs.PassHatK(4), rs.Persistence(1), rs.ICC()]
    size = max(50, size // 5)
    for tasks, trials in ((30, 4), (100, 2), (60, 8)):
        made = rs.plan(
            pilot,
            tasks=tasks,
            trials=trials,
            estimands=wanted,
            simulations=size,
            rng=rng.spawn(1)[0],
        ).frame
        drawn = pilot.draws([rs.SuccessRate(), rs.ICC()], draws=size, chains=1)
        mean, icc = (drawn[name].values.reshape(size, 1) for name in ("success_rate", "icc"))
        p = rng.beta(mean * (1 / icc - 1), (1 - mean) * (1 / icc - 1), (size, tasks))
        post = rs.fit(rs.Trials.from_array(outcomes(p, trials, rng)))
        table = post.summary(wanted)
        for row in made.itertuples():
            part = table[table["estimand"] == row.estimand]
            found = (part["upper"] - part["lower"]).to_numpy()
            error = np.hypot(row.error, found.std(ddof=1) / np.sqrt(size))
            yield f"width of {row.estimand}, {tasks} x {trials}", row.width, found.mean(), error
        cells = post.tasks()
        states = cells[["p_not_shown", "p_flickering", "p_persistent"]].max(axis=1) >= 0.95
        by_run = states.groupby(cells["system"]).mean()
        error = np.sqrt(2) * by_run.std() / np.sqrt(size)
        yield (
            f"share of tasks settled, {tasks} x {trials}",
            made["settled"][0],
            by_run.mean(),
            error,
        )


def standard_errors(size: int, rng: np.random.Generator) -> Iterator[Row]:
    """Standard errors of designs of one cost."""
    wanted = [rs.SuccessRate(), rs.PassHatK(2), rs.Persistence(1)]
    table = planning.split_budget((MEAN, ICC), budget=400, trials=[2, 4, 8], estimands=wanted)
    for row in table.itertuples():
        p = rng.beta(*SHAPE, (size, row.tasks))
        trials = rs.Trials.from_array(outcomes(p, row.trials, rng))
        estimand = next(e for e in wanted if e.name == row.estimand)
        found = rs.estimate(trials, estimand)["mean"].to_numpy()
        error = found.std() / np.sqrt(2 * size)
        yield f"sd of {row.estimand}, {row.tasks} x {row.trials}", row.sd, found.std(), error


def power(size: int, rng: np.random.Generator) -> Iterator[Row]:
    """Power of a paired t test at the detectable difference."""
    for tasks, trials in ((100, 1), (200, 4)):
        shift, base = 0.12, rng.beta(*SHAPE, 400_000)
        flip = rng.random(400_000) < 0.3
        other = np.where(flip, rng.beta(*SHAPE, 400_000), base)
        first, second = base * (1 - shift) + shift * base**0.5, other
        gap = first - second
        between, within = gap.var(), (first * (1 - first) + second * (1 - second)).mean()
        wanted = planning.detectable_difference(between, within, tasks=tasks, trials=trials)
        rows = rng.integers(len(gap), size=(size, tasks))
        a = rng.binomial(trials, first[rows]) / trials
        b = rng.binomial(trials, second[rows]) / trials
        moved = a - b - gap.mean() + wanted
        hits = stats.ttest_1samp(moved, 0.0, axis=1).pvalue < 0.05
        yield f"power at the detectable difference, {tasks} x {trials}", 0.8, *share(hits)


def contests(size: int, rng: np.random.Generator) -> Iterator[Row]:
    """Chance that a design settles which of two systems is better, by `compare`."""
    pilot = rs.fit(rs.datasets.load("simulated-three-systems"))
    size = max(50, size // 5)
    pair, wanted = ("steady", "flickering"), rs.PassHatK(2)
    drawn = cells_of(pilot, size)
    counts = pilot.trials.counts
    cells = [np.flatnonzero(counts.unit == pilot.systems.index(name)) for name in pair]
    for tasks, trials in ((20, 2), (40, 4)):
        told = planning.trials_needed(
            pilot, *pair, wanted, tasks=tasks, trials=trials, simulations=2000, rng=rng.spawn(1)[0]
        ).frame.iloc[0]
        hits = []
        for p in drawn:
            weights = rng.dirichlet(np.ones(len(cells[0])))
            chosen = rng.choice(len(weights), size=tasks, p=weights)
            found = rs.Trials.from_array(
                outcomes(np.stack([p[c][chosen] for c in cells]), trials, rng), systems=list(pair)
            )
            frame = rs.compare(found, wanted, test="none", draws=2000).frame
            chance = frame.loc[frame["estimand"] == wanted.name, "p_greater"].item()
            hits.append(max(chance, 1 - chance) >= 0.95)
        value, error = share(np.array(hits))
        yield (
            f"settles steady or flickering, {tasks} x {trials}",
            told["settled"],
            value,
            float(np.hypot(error, told["error"])),
        )


def floors(size: int, rng: np.random.Generator) -> Iterator[Row]:
    """Share of pairs of runs that differ by more than the floor."""
    for tasks, trials in ((50, 1), (200, 1), (100, 4)):
        told = rs.noise_floor(MEAN, n_tasks=tasks, n_trials=trials, icc=ICC).set_index("comparison")
        p = rng.beta(*SHAPE, (2, size, tasks))
        runs = rng.binomial(trials, p[:1].repeat(2, axis=0)).mean(axis=2) / trials
        fresh = rng.binomial(trials, p).mean(axis=2) / trials
        for name, found in (("same system, same tasks", runs), ("same system, other tasks", fresh)):
            gap = np.abs(found[0] - found[1])
            over = (gap > told.loc[name, "floor"]).mean()
            error = np.sqrt(0.05 * 0.95 / size)
            yield f"at most: beyond the floor, {name}, {tasks} x {trials}", 0.05, over, error


def further(size: int, rng: np.random.Generator) -> Iterator[Row]:
    """What remains unknown after the trials that `next_trials` chose.

    An upper limit, since the outcomes of other cells tell of the distribution over tasks too.
    """
    p = rng.beta(*SHAPE, 60)
    first = rng.binomial(4, p)
    frame = {"task": np.arange(60), "n": np.full(60, 4), "successes": first}
    post = rs.fit(rs.Trials.from_counts(frame, system=None))
    repeats = max(100, size // 10)
    drawn = cells_of(post, repeats)
    for wanted in (None, rs.PassHatK(4)):
        chosen = rs.next_trials(post, 120, estimand=wanted)
        extra = np.zeros(60, dtype=int)
        extra[chosen["task"].astype(int)] = chosen["trials"]
        left = []
        for truth in drawn:
            more = first + rng.binomial(extra, truth)
            frame = {"task": np.arange(60), "n": 4 + extra, "successes": more}
            again = rs.fit(rs.Trials.from_counts(frame, system=None))
            if wanted is None:
                cells = again.tasks().iloc[chosen["task"].astype(int)]
                states = cells[["p_not_shown", "p_flickering", "p_persistent"]]
                left.append(stats.entropy(states, axis=1, base=2).sum())
            else:
                values = cells_of(again, 1000) ** wanted.k
                left.append(values[:, chosen["task"].astype(int)].var(axis=0).sum() / 60**2)
        name = "bits of state" if wanted is None else f"variance of {wanted.name}, millionths"
        scale = 1 if wanted is None else 1e6
        error = np.std(left) / np.sqrt(repeats) * scale
        yield (
            f"at most: {name} left after 120 trials",
            chosen["expected"].sum() * scale,
            np.mean(left) * scale,
            error,
        )


def stopping(size: int, rng: np.random.Generator) -> Iterator[Row]:
    """Errors of stopping at the first verdict, and coverage of posteriors when one stops early."""
    size = max(200, size // 2)
    n = np.arange(1, 301)
    for p in (0.5, 0.8, 0.95):
        wins = (rng.random((size, 300)) < p).cumsum(axis=1)
        lower, upper = confidence_sequence(wins, n)
        hits = ((lower > p) | (upper < p)).any(axis=1)
        yield f"at most: sequence ever excludes p = {p:g}", 0.05, *share(hits)
        lower, upper = clopper_pearson(wins, np.broadcast_to(n, wins.shape))
        hits = ((lower > p) | (upper < p)).any(axis=1)
        yield f"for contrast: fixed-size interval ever excludes p = {p:g}", np.nan, *share(hits)
    mean = rng.random(size // 4)
    icc = rng.random(size // 4)
    total = 1 / icc - 1
    p = rng.beta((mean * total)[:, None], ((1 - mean) * total)[:, None], (len(mean), 80))
    seen = outcomes(np.clip(p, 0, 1), 4, rng)
    holds, done = np.zeros(len(mean), bool), np.zeros(len(mean), bool)
    for tasks in range(10, 81, 5):
        waiting = np.flatnonzero(~done)
        if not len(waiting):
            break
        table = rs.fit(rs.Trials.from_array(seen[waiting, :tasks])).summary(rs.SuccessRate())
        width = (table["upper"] - table["lower"]).to_numpy()
        stop = (width < 0.25) | (tasks == 80)
        inside = (table["lower"] <= mean[waiting]) & (mean[waiting] <= table["upper"])
        holds[waiting[stop]] = inside.to_numpy()[stop]
        done[waiting[stop]] = True
    yield "posterior interval holds the mean, stopped when narrow", 0.95, *share(holds)


PARTS: dict[str, Callable[[int, np.random.Generator], Iterator[Row]]] = {
    "widths": widths,
    "standard errors": standard_errors,
    "power": power,
    "contests": contests,
    "floors": floors,
    "further trials": further,
    "stopping": stopping,
}


def table(size: int, parts: tuple[str, ...] = tuple(PARTS), seed: int = 1) -> pd.DataFrame:
    """Run parts of the check."""
    rows = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", rs.ReliabilityStatsWarning)
        for name in parts:
            rng = np.random.default_rng([seed, list(PARTS).index(name)])
            rows += [(name, *row) for row in PARTS[name](size, rng)]
    out = pd.DataFrame(rows, columns=["part", "what", "predicted", "realised", "error"])
    return out.assign(z=(out["realised"] - out["predicted"]) / out["error"])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--replications", type=int, default=2000)
    sys.stdout.write(table(parser.parse_args().replications).round(4).to_string(index=False) + "\n")
