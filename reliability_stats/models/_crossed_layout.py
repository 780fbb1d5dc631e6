"""Which effects a crossed design can tell apart, and what draws of them say of cells and tasks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .._counts import Counts
from .._numerics import FloatArray, IntArray
from .._validation import suggest
from ..exceptions import ArgumentError
from .priors import Beta

Draws = Mapping[str, FloatArray]
"""Draws of the model's variables; the first axis counts them."""

ENOUGH_TRIALS = 200
"""Trials of a slope of a task from which sampling slopes centred is quicker."""
FAR_TASKS = 25.0
"""Variance between tasks, in squared standard errors, from which the same holds for tasks."""
MOST = 46.0
"""Largest absolute logit of a correlation: rho and 1 - rho of 1e-20."""
FAR = 8.0
"""Variance between systems, in squared standard errors, from which the same holds for systems."""


@dataclass(frozen=True)
class Scales:
    """Scales of the priors of standard deviations; see `Crossed`."""

    system_sd: float
    task_sd: float
    icc_sd: float
    family_sd: float
    condition_sd: float
    condition_system_sd: float
    condition_task_sd: float


@dataclass(frozen=True, eq=False)
class Layout:
    """A crossed design: its effects, and where each cell and unit belongs.

    Attributes
    ----------
    counts : Counts
        The data.
    levels : tuple of str
        Conditions, the baseline first; empty without conditions.
    level : (cells,) ndarray of int
        Position of each cell's condition in `levels`; 0 without conditions.
    unit_system, unit_level : (units,) ndarray of int
        System and level of each unit.
    family : (tasks,) ndarray of int
        Family of each task; all 0 without families.
    families : tuple of str
        Labels of families; empty without.
    effects : tuple of str
        Of "system", "task", "family", "condition", "condition_system" and "condition_task", those
        that the design identifies.
    unpaired : tuple of str
        Conditions that share no task with the baseline within any system.
    centred : mapping of str to bool
        Whether the effects of "system", "task" and "condition_task" are sampled centred.
    """

    counts: Counts
    levels: tuple[str, ...]
    level: IntArray
    unit_system: IntArray
    unit_level: IntArray
    family: IntArray
    families: tuple[str, ...]
    effects: tuple[str, ...]
    unpaired: tuple[str, ...]
    centred: Mapping[str, bool]
    scales: Scales
    mean_prior: Beta
    icc_prior: Beta

    @classmethod
    def of(
        cls,
        counts: Counts,
        *,
        baseline: str | None,
        families: Mapping[str, str] | None,
        scales: Scales,
        mean_prior: Beta,
        icc_prior: Beta,
        parametrisation: str,
    ) -> Layout:
        """Look at the design; see `Crossed.layout`."""
        levels, level = _levels(counts, baseline)
        labels, family = _families(counts, families)
        first = np.flatnonzero(np.diff(counts.unit, prepend=-1))
        effects = tuple(_effects(counts, levels, level, labels, family))
        place = counts.task * max(len(levels), 1) + level
        centred = {
            "system": _far_apart(counts),
            "task": _tasks_apart(counts),
            "condition_task": _enough(place, counts.n),
        }
        if parametrisation != "auto":
            centred = dict.fromkeys(centred, parametrisation == "centred")
        return cls(
            counts=counts,
            levels=levels,
            level=level,
            unit_system=counts.system[first],
            unit_level=level[first],
            family=family,
            families=labels,
            effects=effects,
            unpaired=_unpaired(counts, levels, level),
            centred=centred,
            scales=scales,
            mean_prior=mean_prior,
            icc_prior=icc_prior,
        )

    @property
    def n_shifted(self) -> int:
        """Number of conditions beside the baseline."""
        return max(len(self.levels) - 1, 0)

    def cell_logits(self, draws: Draws, cells: IntArray | slice = slice(None)) -> FloatArray:
        """Logit of the mean of cells: (draws, cells).

        Parameters
        ----------
        draws : mapping
            Draws of the variables.
        cells : (cells,) array of int or slice
            Which cells.
        """
        c = self.counts
        system, task, level = c.system[cells], c.task[cells], self.level[cells]
        out = draws["system_logit"][:, system]
        if "task" in self.effects:
            out = out + draws["task_effect"][:, task]
        if "family" in self.effects:
            out = out + draws["family_effect"][:, self.family[task]]
        if "condition" in self.effects:
            out = out + _behind_zero(draws["condition_effect"])[:, system, level]
        if "condition_task" in self.effects:
            slopes = _behind_zero(np.swapaxes(draws["task_slope"], 1, 2))
            out = out + slopes[:, task, level]
        return np.asarray(out)

    def unit_logits(self, draws: Draws) -> tuple[FloatArray, FloatArray]:
        """Mean and sd over the population of tasks of the logit of the mean: (draws, units) each.

        Draws need the distances between observed tasks and their population; see `with_distances`.
        """
        centre = draws["system_logit"][:, self.unit_system]
        variance = np.zeros_like(centre)
        for name in ("task", "family"):
            if name in self.effects:
                sd = draws[f"{name}_sd"]
                centre = centre - draws[f"{name}_distance"][:, None]
                variance = variance + sd[:, None] ** 2
        if "condition" in self.effects:
            delta = _behind_zero(draws["condition_effect"])
            centre = centre + delta[:, self.unit_system, self.unit_level]
        if "condition_task" in self.effects:
            centre = centre - _behind_zero(draws["task_slope_distance"])[:, self.unit_level]
            away = (self.unit_level > 0)[None, :]
            variance = variance + away * draws["condition_task_sd"][:, None] ** 2
        return centre, np.sqrt(variance)

    def with_distances(self, draws: Draws, rng: np.random.Generator) -> dict[str, FloatArray]:
        """Add draws of the means of the observed effects, which the data do not speak of.

        Effects with sum zero leave their mean free: given the standard deviation it is N(0, sd^2 /
        size) whatever the data say, because the intercept takes it up.
        """
        out = dict(draws)
        size = len(draws["system_logit"])
        noise = rng.standard_normal((size, 2 + self.n_shifted))
        sizes = {"task": self.counts.n_tasks, "family": len(self.families)}
        for i, name in enumerate(("task", "family")):
            if name in self.effects:
                out[f"{name}_distance"] = noise[:, i] * draws[f"{name}_sd"] / np.sqrt(sizes[name])
        if "condition_task" in self.effects:
            scale = draws["condition_task_sd"] / np.sqrt(self.counts.n_tasks)
            out["task_slope_distance"] = noise[:, 2:] * scale[:, None]
        return out

    def concentration(self, draws: Draws) -> FloatArray:
        """Give (1 - rho) / rho of each system: (draws, systems)."""
        return np.asarray(np.exp(np.clip(-draws["icc_logit"], -MOST, MOST)))

    def log_hyperprior(self, draws: Draws) -> FloatArray:
        """Log density of the priors that are fields of the model, up to a constant: (draws,)."""
        total = np.zeros(len(draws["system_logit"]))
        for name, prior in (("system_logit", self.mean_prior), ("icc_logit", self.icc_prior)):
            total += prior.log_density(draws[f"{name}_mean"])
        for name, scale in self.sd_scales.items():
            total -= 0.5 * (draws[name] / scale) ** 2
        if "condition" in self.effects:
            total -= 0.5 * ((draws["condition_mean"] / self.scales.condition_sd) ** 2).sum(axis=1)
        return total

    @property
    def dims(self) -> dict[str, tuple[str, ...]]:
        """Dims, after that of draws, of every variable that says something of the data."""
        system = "modelled_system" if self.levels else "system"
        has = self.effects
        found: dict[str, tuple[str, ...]] = {"system_logit": (system,), "icc_logit": (system,)}
        if "task" in has:
            found["task_effect"] = ("task",)
        if "family" in has:
            found["family_effect"] = ("family",)
        if "condition" in has:
            found["condition_effect"] = (system, "condition")
        if "condition_task" in has:
            found["task_slope"] = ("condition", "task")
        return found | dict.fromkeys(self.sd_scales, ())

    @property
    def sd_scales(self) -> dict[str, float]:
        """Scale of the half-normal prior of each standard deviation that the model has."""
        found = {
            f"{name}_sd": getattr(self.scales, f"{name}_sd")
            for name in ("system", "task", "family", "condition_system", "condition_task")
            if name in self.effects
        }
        if "system" in self.effects:
            found["icc_sd"] = self.scales.icc_sd
        return found

    def graph(self) -> Any:
        """Build the PyMC model; see `_crossed_graph`."""
        from ._crossed_graph import build

        return build(self)


def _behind_zero(values: FloatArray) -> FloatArray:
    """Put a zero, the baseline's, before the last axis' values."""
    return np.concatenate([np.zeros((*values.shape[:-1], 1)), values], axis=-1)


def _levels(counts: Counts, baseline: str | None) -> tuple[tuple[str, ...], IntArray]:
    """Put the baseline first among the conditions."""
    names = counts.conditions
    if counts.condition is None:
        if baseline is not None:
            raise ArgumentError(f"baseline is {baseline!r}, but the trials have no conditions.")
        return (), np.zeros(counts.n_cells, dtype=np.int64)
    listed = ", ".join(repr(name) for name in names[:10])
    if baseline is None:
        if len(names) > 1:
            raise ArgumentError(
                f"The trials have conditions ({listed}); name the one that others are set "
                f"against, as in Crossed(baseline={names[0]!r})."
            )
        baseline = names[0]
    if baseline not in names:
        raise ArgumentError(
            f"baseline {baseline!r} is no condition of the trials{suggest(baseline, names)}; "
            f"these are: {listed}."
        )
    levels = (baseline, *(name for name in names if name != baseline))
    position = np.array([levels.index(name) for name in names])
    return levels, position[counts.condition]


def _families(
    counts: Counts, families: Mapping[str, str] | None
) -> tuple[tuple[str, ...], IntArray]:
    """Give labels of families, and the family of each task."""
    if families is None:
        return (), np.zeros(counts.n_tasks, dtype=np.int64)
    missing = [task for task in counts.tasks if task not in families]
    if missing:
        raise ArgumentError(
            f"families must give every task a family, but task {missing[0]!r} has none "
            f"({len(missing)} of {counts.n_tasks} tasks)."
        )
    names = [families[task] for task in counts.tasks]
    labels = tuple(sorted(set(names)))
    place = {label: i for i, label in enumerate(labels)}
    return labels, np.array([place[name] for name in names], dtype=np.int64)


def _effects(
    counts: Counts,
    levels: Sequence[str],
    level: IntArray,
    families: Sequence[str],
    family: IntArray,
) -> list[str]:
    """List the effects that the design identifies."""
    width = max(len(levels), 1)
    found = []
    if counts.n_systems > 1:
        found.append("system")
    if counts.n_tasks > 1 and np.bincount(counts.task).max() > 1:
        found.append("task")
    if len(families) > 1 and np.bincount(family).max() > 1:
        found.append("family")
    if width > 1:
        found.append("condition")
        if counts.n_systems > 1 and _levels_of(counts.system, level, width).max() > 1:
            found.append("condition_system")
        away = level > 0
        together = np.bincount(counts.task[away] * width + level[away])
        if counts.n_tasks > 1 and together.max() > 1 and "task" in found:
            found.append("condition_task")
    return found


def _levels_of(codes: IntArray, level: IntArray, width: int) -> IntArray:
    """Count the levels that each code occurs with."""
    pairs = np.unique(codes * width + level)
    return np.bincount(pairs // width)


def _unpaired(counts: Counts, levels: Sequence[str], level: IntArray) -> tuple[str, ...]:
    """List the conditions that share no task with the baseline within any system."""
    place = counts.system * counts.n_tasks + counts.task
    base = place[level == 0]
    return tuple(
        name
        for i, name in enumerate(levels)
        if i and not np.isin(place[level == i], base, assume_unique=True).any()
    )


def _enough(codes: IntArray, n: IntArray) -> bool:
    """Tell whether the median effect has enough trials to be sampled centred."""
    trials = np.bincount(codes, weights=n)
    return bool(np.median(trials[trials > 0]) >= ENOUGH_TRIALS)


def _tasks_apart(counts: Counts) -> bool:
    """Tell whether tasks' success rates differ by far more than those of systems on one task.

    Centred effects of tasks that hardly differ make a funnel that chains get stuck in.
    """
    cells = np.bincount(counts.task)
    if len(cells) < 2 or np.median(cells) < 2:
        return False
    rate = counts.successes / counts.n
    rate = rate - (np.bincount(counts.unit, rate) / np.bincount(counts.unit))[counts.unit]
    mean = np.bincount(counts.task, rate) / cells
    square = np.bincount(counts.task, (rate - mean[counts.task]) ** 2)
    several = cells > 1
    noise = (square[several] / (cells[several] - 1) / cells[several]).mean()
    return bool(mean.var(ddof=1) > FAR_TASKS * noise > 0)


def _far_apart(counts: Counts) -> bool:
    """Tell whether systems' success rates differ by more than chance, roughly."""
    size = counts.n_systems
    cells = np.bincount(counts.system, minlength=size)
    if size < 2 or cells.min() < 2:
        return False
    rate = counts.successes / counts.n
    mean = np.bincount(counts.system, rate) / cells
    square = np.bincount(counts.system, (rate - mean[counts.system]) ** 2) / (cells - 1)
    return bool(mean.var(ddof=1) > FAR * (square / cells).mean())
