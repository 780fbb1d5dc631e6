"""Comparisons of conditions out of a posterior: within systems, on the same tasks."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .._arviz import chain_figures
from .._counts import Counts
from .._numerics import FloatArray, IntArray
from .._summary import identification
from ..estimands import Contrast
from ..estimands.contrasts import verdicts
from ..exceptions import ExclusionWarning, IdentifiabilityWarning, ReliabilityStatsWarning
from .chains import Chains
from .engine import Engine

INDEPENDENT_DRAWS = (4, 5000)
"""Chains and draws where units are apart and draws are cheap."""


@dataclass(frozen=True, eq=False)
class Paired:
    """A comparison of conditions in every system.

    Attributes
    ----------
    contrast : Contrast
        What is compared.
    levels : tuple of str
        Conditions, the baseline first.
    units : (systems, conditions) ndarray of int
        Unit of each system and condition; -1 where the system was not run.
    tasks : list of (tasks,) ndarray of int
        Tasks that a system ran under all of them.
    """

    contrast: Contrast
    levels: tuple[str, ...]
    units: IntArray
    tasks: list[IntArray]

    @classmethod
    def of(cls, contrast: Contrast, counts: Counts, baseline: str | None) -> Paired:
        """Look up the units and the tasks they share."""
        levels = contrast.levels(counts.conditions, baseline)
        codes = [counts.conditions.index(label) for label in levels]
        first = np.flatnonzero(np.diff(counts.unit, prepend=-1))
        units = np.full((counts.n_systems, len(counts.conditions)), -1)
        assert counts.condition is not None  # noqa: S101
        units[counts.system[first], counts.condition[first]] = np.arange(len(first))
        units = units[:, codes]
        tasks = []
        for row in units:
            ran = [counts.task[counts.unit == unit] for unit in row]
            common = ran[0]
            for other in ran[1:]:
                common = np.intersect1d(common, other, assume_unique=True)
            tasks.append(common)
        return cls(contrast, levels, units, tasks)

    @property
    def complete(self) -> Any:
        """Whether each system was run under all the conditions, (systems,)."""
        return (self.units >= 0).all(axis=1)

    def usable(self, over: str) -> Any:
        """Whether there is a value of each system, (systems,)."""
        shared = np.array([len(tasks) > 0 for tasks in self.tasks])
        return self.complete & (shared if over == "observed" else True)


def contrast_draws(
    engine: Engine, paired: Paired, over: str, chains: int, draws: int
) -> FloatArray:
    """Draw a comparison for each system, (chains, draws, systems); NaN where it has no value."""
    of = paired.contrast.of
    usable = paired.usable(over)
    if over == "observed" and isinstance(engine, Chains):
        values = np.full((chains, draws, *paired.units.shape), np.nan)
        for system in np.flatnonzero(usable):
            units, tasks = paired.units[system], paired.tasks[system]
            drawn = engine.observed_among(of, units, tasks)
            values[:, :, system] = drawn[engine.rows(chains, draws)].reshape(chains, draws, -1)
    else:
        by_unit = engine.draws([of], over, chains, draws)[0]
        values = by_unit[:, :, np.maximum(paired.units, 0)]
        values[:, :, ~usable] = np.nan
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(paired.contrast.combine(values))


def contrast_rows(
    engine: Engine, counts: Counts, paired: Paired, over: str, prob: float
) -> dict[str, Any]:
    """Summarise a comparison: the columns of a summary, one row a system."""
    sampled = isinstance(engine, Chains)
    shape = engine.default_shape if sampled else INDEPENDENT_DRAWS
    value = contrast_draws(engine, paired, over, *shape)
    usable = paired.usable(over) & ~np.isnan(value).any(axis=(0, 1))
    flat = value.reshape(-1, value.shape[-1])
    lower, upper = np.quantile(flat, [(1 - prob) / 2, (1 + prob) / 2], axis=0)
    bulk, r_hat = np.full((2, len(usable)), np.nan)
    if sampled and usable.any():
        bulk[usable], _, r_hat[usable] = chain_figures(value[..., usable])
    found = {
        "system": list(counts.systems),
        "mean": flat.mean(axis=0),
        "sd": flat.std(axis=0),
        "lower": lower,
        "upper": upper,
        "interval": np.where(usable, getattr(engine, "interval", "eti"), "none"),
        "identified": _identified(paired, counts, usable),
        "ess_bulk": bulk,
        "r_hat": r_hat,
    }
    if paired.contrast.margin is not None:
        sound = (found["interval"] == "eti") & np.not_equal(found["identified"], "no")
        found |= _margins(paired.contrast, paired.contrast.margin, flat, sound, bulk, prob)
    return found


def _margins(
    contrast: Contrast, margin: float, flat: FloatArray, sound: Any, bulk: FloatArray, prob: float
) -> dict[str, Any]:
    """Give the probabilities that a loss is below, within and beyond the margin, and a verdict.

    Nothing is decided by chains that have not converged, or where the prior speaks alone.
    """
    loss = contrast.loss(flat)
    shares = [(loss < margin).mean(axis=0), (np.abs(loss) <= margin).mean(axis=0)]
    shares.append((loss > margin).mean(axis=0))
    unknown = np.isnan(loss).any(axis=0)
    below, within, beyond = (np.where(unknown, np.nan, share) for share in shares)
    size = np.where(np.isnan(bulk), len(flat), np.minimum(bulk, len(flat)))
    error = np.where(sound, np.sqrt(prob * (1 - prob) / size), np.inf)
    return {
        "margin": margin,
        "p_below_margin": below,
        "p_within_margin": within,
        "p_beyond_margin": beyond,
        "verdict": verdicts(contrast, below, within, beyond, prob, error),
    }


def _identified(paired: Paired, counts: Counts, usable: Any) -> list[str]:
    """Say for each system what its value rests on: the weakest of its conditions."""
    order = ("no", "model", "yes")
    found = []
    for row, known, tasks in zip(paired.units, usable, paired.tasks, strict=True):
        if not known:
            found.append("no")
            continue
        words = [identification(paired.contrast.of, counts.n[counts.unit == unit]) for unit in row]
        weakest = min(words, key=order.index)
        found.append(weakest if len(tasks) or weakest == "no" else "model")
    return found


def warn_of_pairs(
    engine: Engine, counts: Counts, all_paired: Sequence[Paired], over: str, stacklevel: int = 4
) -> None:
    """Warn of systems without a value, of tasks left out, and of posteriors that are apart."""
    for paired in all_paired:
        name, complete, usable = paired.contrast.name, paired.complete, paired.usable(over)
        if not usable.all():
            at = int(np.argmin(usable))
            lacking = paired.levels[int(np.argmin(paired.units[at]))]
            why = f"was not run under {lacking!r}" if not complete[at] else "has no task in common"
            warnings.warn(
                f"{name}: no value for {int((~usable).sum())} of {len(usable)} systems; "
                f"{counts.systems[at]!r} {why}.",
                IdentifiabilityWarning,
                stacklevel=stacklevel,
            )
        sizes = np.bincount(counts.unit)[np.maximum(paired.units, 0)].max(axis=1)
        shared = np.array([len(tasks) for tasks in paired.tasks])
        fewer = usable & (shared < sizes)
        if over == "observed" and fewer.any():
            at = int(np.argmax(fewer))
            what = "are left out" if isinstance(engine, Chains) else "are compared with other tasks"
            warnings.warn(
                f"{name}: of {counts.systems[at]!r}, {sizes[at] - shared[at]} of {sizes[at]} tasks "
                f"{what}, since they were not run under all of its conditions.",
                ExclusionWarning,
                stacklevel=stacklevel,
            )
    if all_paired and over == "population" and not isinstance(engine, Chains):
        warnings.warn(
            "Conditions were fitted apart, so their comparison is not paired by task and looks "
            "less certain than it is. Fit Crossed(baseline=...), or use estimate.",
            ReliabilityStatsWarning,
            stacklevel=stacklevel,
        )
