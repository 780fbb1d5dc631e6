"""Joint draws of several estimands for all systems, whatever they come from."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .._estimate_notes import Notes
from .._numerics import FloatArray
from .._summary import identification_by_unit, warn_unidentified
from .._task_rows import TaskRows
from .._validation import check_over, check_positive_int, check_rng
from ..estimands import Estimand
from ..exceptions import ArgumentError, ExclusionWarning, IdentifiabilityWarning, TrialDataError
from ..posterior import Posterior
from ..trials import Counts, Trials
from .shared_tasks import Table

DRAWS = 20_000
"""Draws where they are independent and cheap."""
BOOTSTRAPS = 10_000
"""Draws of the bootstrap, which is made anew for every pair."""
JOINT = "joint posterior"
INDEPENDENT = "independent posteriors"
SHARED = "shared tasks"
HOW = {
    JOINT: "joint posterior of all systems",
    INDEPENDENT: "independent posteriors: pairing by task is not used, so that differences look "
    "less certain than they are where systems find the same tasks hard",
    SHARED: "model-free, paired by task: Bayesian bootstrap over the tasks that are shared",
}


@dataclass(frozen=True, eq=False)
class Joint:
    """Draws of estimands for all units.

    Attributes
    ----------
    estimands : tuple of Estimand
        What was drawn.
    units : tuple of str
        Labels.
    values : list of (draws, units) ndarray
        One array an estimand.
    mean, sd : list of (units,) ndarray
        Centre and spread of each.
    identified : list of list of str
        "yes", "model" or "no" for each estimand and unit.
    pairing : str
        Where the joint distribution comes from.
    n_tasks : int
        Tasks that all units share.
    """

    estimands: tuple[Estimand, ...]
    units: tuple[str, ...]
    values: list[FloatArray]
    mean: list[FloatArray]
    sd: list[FloatArray]
    identified: list[list[str]]
    pairing: str
    n_tasks: int


def check_data(data: Any, caller: str) -> Counts:
    """Give the counts behind a posterior or trials that can be compared."""
    if isinstance(data, Posterior):
        return data.trials.counts
    if not isinstance(data, Trials):
        raise ArgumentError(
            f"{caller} takes a Posterior, as rs.fit gives it, or Trials, not {type(data).__name__}."
        )
    if data.missing_policy == "bounds" and data.n_missing:
        raise TrialDataError(
            f"{data.n_missing} outcomes are missing under missing='bounds', and {caller} needs "
            "definite counts. Use trials.complete('failure') and trials.complete('success') to "
            "see both ends."
        )
    return data.counts


def check_target(data: Posterior | Trials, over: object) -> str:
    """Give the target of inference, which for trials is always the population."""
    target = check_over(over)
    if isinstance(data, Trials) and target == "observed":
        raise ArgumentError(
            "Without a model, over='observed' is not offered here: tasks are what is resampled. "
            "Use fit(trials) instead of trials, or over='population'."
        )
    return target


def is_joint(post: Posterior) -> bool:
    """Tell whether the systems of a posterior share parameters."""
    return bool(getattr(post.model, "joint", False))


def posterior_draws(
    post: Posterior, estimands: Sequence[Estimand], over: str, draws: int | None
) -> list[FloatArray]:
    """Draw estimands, each (draws, units)."""
    chains, usual = post.engine.default_shape
    if draws is not None:
        usual = -(-check_positive_int(draws, "draws") // chains)
    elif post.sampler_info["method"].startswith("quadrature"):
        usual = DRAWS // chains
    values = post.draws(list(estimands), over=over, draws=usual, chains=chains)
    size = len(post.systems)
    return [values[estimand.name].to_numpy().reshape(-1, size) for estimand in estimands]


def joint(
    data: Posterior | Trials,
    estimands: tuple[Estimand, ...],
    *,
    over: str,
    draws: int | None,
    rng: Any,
    caller: str,
) -> Joint:
    """Draw estimands jointly for all units; trials are cut down to the tasks that all share."""
    counts = check_data(data, caller)
    over = check_target(data, over)
    shared = Table.of(counts).shared(range(len(counts.units)))
    if isinstance(data, Posterior):
        warn_of_other_tasks(data, shared.n_tasks, over)
        identified = [identification_by_unit(e, counts, over) for e in estimands]
        names = zip(estimands, identified, strict=True)
        warn_unidentified([e.name for e, found in names if "no" in found], stacklevel=4)
        solve = data.engine.population if over == "population" else data.engine.observed
        marginals = solve(estimands, 0.95)
        return Joint(
            estimands,
            counts.units,
            posterior_draws(data, estimands, over, draws),
            [marginal.mean for marginal in marginals],
            [marginal.sd for marginal in marginals],
            identified,
            JOINT if is_joint(data) else INDEPENDENT,
            shared.n_tasks,
        )
    warn_stopped(counts)
    if not shared.n_tasks:
        raise TrialDataError(
            "No task was run by all systems, so they cannot be compared without a model on the "
            "same tasks. Use fit(trials), or trials.select(systems=[...])."
        )
    if shared.n_tasks < counts.n_tasks:
        warnings.warn(
            f"{counts.n_tasks - shared.n_tasks} of {counts.n_tasks} tasks are left out, since not "
            "all systems ran them.",
            ExclusionWarning,
            stacklevel=4,
        )
    paired = [shared.estimate(estimand) for estimand in estimands]
    warn_undefined(estimands, [np.isnan(item.value) for item in paired], counts.units)
    values = shared.draws(paired, check_size(draws), check_rng(rng))
    sd = [np.sqrt(np.diag(item.spread()) / (item.n_tasks + 1)) for item in paired]
    identified = [["no" if bad else "yes" for bad in np.isnan(item.value)] for item in paired]
    mean = [item.value for item in paired]
    return Joint(estimands, counts.units, values, mean, sd, identified, SHARED, shared.n_tasks)


def check_size(draws: int | None) -> int:
    """Give the number of draws of the bootstrap."""
    return BOOTSTRAPS if draws is None else check_positive_int(draws, "draws")


def warn_stopped(counts: Counts) -> None:
    """Warn of trials that were stopped by their outcomes: estimates from counts are biased then."""
    Notes(counts, counts.units).warn_stopped(TaskRows.of(counts), stacklevel=5)


def warn_undefined(
    estimands: Sequence[Estimand], undefined: Sequence[Any], units: Sequence[str]
) -> None:
    """Warn of estimates that do not exist."""
    found = [
        f"{estimand.name} of {units[int(np.argmax(bad))]!r}"
        + (f" and {int(np.sum(bad)) - 1} more" if np.sum(bad) > 1 else "")
        for estimand, bad in zip(estimands, undefined, strict=True)
        if np.any(bad)
    ]
    if found:
        warnings.warn(
            f"No unbiased estimate: {'; '.join(found)}. Either tasks have too few trials, or the "
            "value is 0/0 in these counts. fit(trials) gives values that rest on a model.",
            IdentifiabilityWarning,
            stacklevel=5,
        )


def warn_of_other_tasks(post: Posterior, n_shared: int, over: str) -> None:
    """Warn if systems are compared on tasks that are not the same."""
    n_tasks = post.trials.counts.n_tasks
    if over == "observed" and n_shared < n_tasks:
        warnings.warn(
            f"Only {n_shared} of {n_tasks} tasks were run by all systems, and over='observed' "
            "speaks of each system's own tasks, so that differences may come from the tasks. "
            "Fit the shared tasks alone, or use over='population'.",
            ExclusionWarning,
            stacklevel=5,
        )
