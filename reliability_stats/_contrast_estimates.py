"""Design-based comparisons of conditions, paired by task."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ._counts import Counts
from ._numerics import FloatArray, IntArray
from ._paired_tasks import PairedTasks
from ._population import EXACT, NONE
from .estimands import Contrast, Degradation, HeterogeneityAcrossConditions, WorstCondition
from .estimands.contrasts import verdicts
from .exceptions import ExclusionWarning, IdentifiabilityWarning

SIMULATED = 20_000
"""Draws of the norm of the noise."""
NAN = float("nan")


@dataclass(frozen=True)
class Found:
    """One comparison in one system: the columns of a summary, and chances about the margin."""

    mean: float = NAN
    sd: float = NAN
    lower: float = NAN
    upper: float = NAN
    interval: str = NONE
    below: float = NAN
    within: float = NAN
    beyond: float = NAN


Solver = Callable[[Contrast, PairedTasks, float, np.random.Generator], Found]


def degradation(
    contrast: Contrast, tasks: PairedTasks, prob: float, rng: np.random.Generator
) -> Found:
    """Task-paired Student's t of a difference."""
    del rng
    weights = np.array([1.0, -1.0])
    value, sd = float(weights @ tasks.value), tasks.sd(weights)
    half = tasks.quantile(weights, (1 + prob) / 2) * sd
    low, high = contrast.of.bounds
    most = high - low
    if not sd > 0 or value - half < -most or value + half > most:
        return _apart(contrast, tasks, prob, value)
    margin = NAN if contrast.margin is None else contrast.margin
    below = tasks.chance_below(weights, margin)
    within = max(0.0, below - tasks.chance_below(weights, -margin)) if margin > 0 else NAN
    return Found(value, sd, value - half, value + half, "t", below, within, 1.0 - below)


def retention(
    contrast: Contrast, tasks: PairedTasks, prob: float, rng: np.random.Generator
) -> Found:
    """Fieller's interval of a ratio of paired means."""
    del rng
    base, changed = tasks.value
    value = float(contrast.combine(tasks.value))
    weights = np.array([-value, 1.0])
    if math.isnan(value):
        return Found()
    sd = tasks.sd(weights)
    if not sd > 0:
        return _apart(contrast, tasks, prob, value)
    cov = tasks.covariance
    t2 = tasks.quantile(weights, (1 + prob) / 2) ** 2
    a, b = float(base**2 - t2 * cov[0, 0]), float(base * changed - t2 * cov[0, 1])
    c = changed**2 - t2 * cov[1, 1]
    if a <= 0:
        return _apart(contrast, tasks, prob, value)
    root = math.sqrt(max(float(b * b - a * c), 0.0))
    below = within = NAN
    if contrast.margin is not None:
        kept, raised = 1.0 - contrast.margin, 1.0 + contrast.margin
        below = 1.0 - tasks.chance_below(np.array([-kept, 1.0]), 0.0)
        within = max(0.0, below - 1.0 + tasks.chance_below(np.array([-raised, 1.0]), 0.0))
    lower, upper = max(float(b - root) / a, 0.0), float(b + root) / a
    return Found(value, sd / base, lower, upper, "fieller", below, within, 1.0 - below)


def worst(contrast: Contrast, tasks: PairedTasks, prob: float, rng: np.random.Generator) -> Found:
    """Largest of several differences, with limits that hold for all of them at once."""
    del rng
    others = len(tasks.value) - 1
    rows = np.hstack([np.ones((others, 1)), -np.eye(others)])
    value = rows @ tasks.value
    level = 1.0 - (1.0 - prob) / (2 * others)
    sd = np.array([tasks.sd(row) for row in rows])
    half = np.array([tasks.quantile(row, level) for row in rows]) * sd
    lower, upper = value - half, value + half
    interval = "t, all conditions at once"
    for i in np.flatnonzero(~(sd > 0)):
        exact = tasks.apart(1.0 - (1.0 - prob) / (2 * others))
        lower[i] = exact.lower[0] - exact.upper[i + 1]
        upper[i] = exact.upper[0] - exact.lower[i + 1]
        interval = EXACT
    at = int(np.argmax(value))
    if np.isnan(lower + upper).any():
        return Found(float(value[at]))
    chances = [NAN, NAN, NAN]
    if contrast.margin is not None and interval != EXACT:
        each = min(tasks.chance_below(row, contrast.margin) for row in rows)
        other = min(tasks.chance_below(row, -contrast.margin) for row in rows)
        chances = [each, max(0.0, each - other), max(0.0, 1.0 - others * each)]
    ends = float(lower.max()), float(upper.max())
    return Found(float(value[at]), float(sd[at]) or NAN, *ends, interval, *chances)


def heterogeneity(
    contrast: Contrast, tasks: PairedTasks, prob: float, rng: np.random.Generator
) -> Found:
    """Spread of conditions beyond chance; limits by the triangle inequality on the noise."""
    size = len(tasks.value)
    centring = np.eye(size) - 1.0 / size
    centred = centring @ tasks.value
    noise = centring @ tasks.covariance @ centring
    seen, excess = float(centred @ centred), float(np.trace(noise))
    if not excess > 0:
        return Found(math.sqrt(seen / size))
    value = math.sqrt(max(seen - excess, 0.0) / size)
    sd = math.sqrt(max(float(centred @ noise @ centred), 0.0) / (size * seen)) if seen > 0 else NAN
    spectrum = np.linalg.eigvalsh(noise)
    freedom = tasks.freedom(np.full(size, 1.0 / size))
    normal = rng.standard_normal((SIMULATED, size)) * np.sqrt(np.maximum(spectrum, 0.0))
    scale = np.sqrt(freedom / (2.0 * rng.standard_gamma(freedom / 2.0, SIMULATED)))
    norms = np.linalg.norm(normal, axis=1) * scale
    reach, root = float(np.quantile(norms, prob)), math.sqrt(seen)
    lower, upper = max(root - reach, 0.0) / math.sqrt(size), (root + reach) / math.sqrt(size)
    below = beyond = NAN
    if contrast.margin is not None:
        away = contrast.margin * math.sqrt(size) - root
        below, beyond = float((norms < away).mean()), float((norms < -away).mean())
    return Found(value, sd, lower, upper, "t, all conditions at once", below, below, beyond)


def _apart(contrast: Contrast, tasks: PairedTasks, prob: float, value: float) -> Found:
    """Combine limits of each condition, where pairs do not vary: together they hold with prob."""
    exact = tasks.apart(1.0 - (1.0 - prob) / 2)
    ends = np.array([[exact.lower[0], exact.upper[1]], [exact.upper[0], exact.lower[1]]])
    with np.errstate(invalid="ignore", divide="ignore"):
        lower, upper = np.sort(contrast.combine(ends))
    if not np.isfinite(lower + upper):
        return Found(value)
    return Found(value, NAN, float(lower), float(upper), EXACT)


def contrast_fields(
    contrast: Contrast,
    counts: Counts,
    *,
    over: str,
    prob: float,
    method: str,
    rng: np.random.Generator,
    resamples: int,
    stacklevel: int = 4,
) -> dict[str, Any]:
    """Estimate a comparison of conditions in every system: the columns of a summary.

    Parameters
    ----------
    contrast : Contrast
        What to estimate.
    counts : Counts
        The data.
    over, prob, method, rng, resamples
        As in `estimate`.
    stacklevel : int
        Of warnings.

    Returns
    -------
    dict
    """
    units = contrast_units(contrast, counts)
    solve = _solver(contrast)
    found, notes, short = [], [], []
    for system, row in enumerate(units):
        label = counts.systems[system]
        if (row < 0).any():
            notes.append(f"{label!r} was not run under all of its conditions")
            found.append(Found())
            continue
        tasks = PairedTasks.of(contrast.of, counts, row, over)
        most = max(int((counts.unit == unit).sum()) for unit in row)
        if not tasks.n_tasks or np.isnan(tasks.value).any():
            why = "0/0 in these counts" if tasks.n_tasks else _too_few(tasks, contrast)
            notes.append(f"{label!r}: {why}")
            found.append(Found())
            continue
        if tasks.n_tasks < most:
            short.append(f"{most - tasks.n_tasks} of {most} tasks of {label!r}")
        one = solve(contrast, tasks, prob, rng)
        if method == "bca" and one.interval in ("t", "fieller"):
            ends = tasks.resampled(contrast.combine, prob, rng, resamples)
            one = replace(one, lower=float(ends[0]), upper=float(ends[1]), interval="bca")
        if math.isnan(one.mean):
            notes.append(f"{label!r}: the baseline's value is 0")
        found.append(one)
    _warn(contrast, counts, notes, short, stacklevel)
    return _columns(contrast, counts, found, prob)


def _too_few(tasks: PairedTasks, contrast: Contrast) -> str:
    """Say why there is no task."""
    if not tasks.n_common:
        return "no task was run under all of its conditions"
    return f"no task has enough trials for {contrast.of.name} under all of its conditions"


def _solver(contrast: Contrast) -> Solver:
    """Give the function that estimates a kind of comparison."""
    if isinstance(contrast, HeterogeneityAcrossConditions):
        return heterogeneity
    if isinstance(contrast, WorstCondition):
        return worst
    return degradation if isinstance(contrast, Degradation) else retention


def contrast_units(contrast: Contrast, counts: Counts) -> IntArray:
    """Give the unit of each system under each condition, (systems, conditions); -1 for none."""
    levels = contrast.levels(counts.conditions)
    first = np.flatnonzero(np.diff(counts.unit, prepend=-1))
    units = np.full((counts.n_systems, len(counts.conditions)), -1)
    if counts.condition is not None:
        units[counts.system[first], counts.condition[first]] = np.arange(len(first))
    return np.asarray(units[:, [counts.conditions.index(label) for label in levels]])


def _warn(
    contrast: Contrast, counts: Counts, notes: list[str], short: list[str], stacklevel: int
) -> None:
    """Warn of systems without an estimate, and of tasks left out."""
    if notes:
        warnings.warn(
            f"{contrast.name}: no estimate for {len(notes)} of {counts.n_systems} systems; "
            f"{notes[0]}. fit(trials, Crossed(baseline=...)) may give a value that rests on a "
            "model.",
            IdentifiabilityWarning,
            stacklevel=stacklevel,
        )
    if short:
        more = f", and of {len(short) - 1} more systems" if len(short) > 1 else ""
        warnings.warn(
            f"{contrast.name}: left out, since they were not run often enough under all of its "
            f"conditions: {short[0]}{more}.",
            ExclusionWarning,
            stacklevel=stacklevel,
        )


def _columns(contrast: Contrast, counts: Counts, found: list[Found], prob: float) -> dict[str, Any]:
    """Lay the results out as columns."""

    def column(name: str) -> FloatArray:
        return np.array([getattr(one, name) for one in found], dtype=float)

    out: dict[str, Any] = {
        "system": list(counts.systems),
        **{name: column(name) for name in ("mean", "sd", "lower", "upper")},
        "interval": [one.interval for one in found],
        "identified": ["no" if math.isnan(one.mean) else "yes" for one in found],
    }
    if contrast.margin is None:
        return out
    below, within, beyond = column("below"), column("within"), column("beyond")
    words = verdicts(contrast, below, within, beyond, prob)
    exact = np.array([one.interval == EXACT for one in found])
    if exact.any():
        ends = np.sort(contrast.loss(np.stack([out["lower"], out["upper"]])), axis=0)
        inside = (ends[1] < contrast.margin) & (ends[0] >= -contrast.margin) & exact
        outside = (ends[0] > contrast.margin) & exact
        by_ends = verdicts(contrast, inside * 1.0, inside * 1.0, outside * 1.0, prob)
        words = [a if use else b for use, a, b in zip(exact, by_ends, words, strict=True)]
    return out | {
        "margin": contrast.margin,
        "p_below_margin": below,
        "p_within_margin": within,
        "p_beyond_margin": beyond,
        "verdict": words,
    }
