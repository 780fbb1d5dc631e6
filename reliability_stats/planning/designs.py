"""Plan an evaluation: what a number of tasks and trials is expected to tell."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from .._numerics import FloatArray
from .._summary import as_estimands
from .._validation import check_k, check_prob, check_rng, check_thresholds
from ..estimands import Estimand, Gap, PassAtK, PassHatK, SuccessRate
from ..estimands.thresholds import HIGH, LOW
from ..exceptions import ArgumentError
from ..fitting import fit
from ..models import BetaBinomial
from ..posterior import Posterior
from ..trials import Trials
from ._costs import Design, identified
from ._costs import designs as designs_of
from ._truths import truths

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Plan", "plan"]

SPREAD = (0.1, 0.9)
"""Quantiles of the width over simulated evaluations that are shown beside its mean."""


@dataclass(frozen=True, eq=False, repr=False)
class Plan:
    """Designs and what each is expected to tell; made by `plan`.

    Attributes
    ----------
    frame : pandas.DataFrame
        One row a design and estimand: tasks, trials, runs (tasks x trials), cost, estimand,
        identified, width (mean width of the interval), width_low and width_high (its 10% and 90%
        quantiles over evaluations), error (Monte Carlo standard error of the mean width), settled
        (share of tasks expected to be labelled with certainty).
    prob : float
        Mass of the intervals.
    simulations : int
        Simulated evaluations a design.
    source : str
        Where truths were drawn from.
    """

    frame: pd.DataFrame
    prob: float
    simulations: int
    source: str

    def best(self, estimand: Estimand | str, *, budget: float | None = None) -> pd.Series:
        """Give the design with the narrowest expected interval.

        Parameters
        ----------
        estimand : Estimand or str
            Which one, or its label.
        budget : float, optional
            Largest cost.

        Returns
        -------
        pandas.Series
            A row of `frame`.

        Raises
        ------
        ArgumentError
            If the estimand was not planned for, or no design is within the budget.

        Examples
        --------
        >>> import reliability_stats as rs
        >>> made = rs.plan(tasks=[20, 40], trials=2, estimands=rs.PassHatK(2), simulations=20)
        >>> int(made.best(rs.PassHatK(2))["tasks"])
        40
        """
        name = estimand.name if isinstance(estimand, Estimand) else estimand
        rows = self.frame[self.frame["estimand"] == name]
        if rows.empty:
            known = ", ".join(dict.fromkeys(self.frame["estimand"]))
            raise ArgumentError(f"{name!r} was not planned for; the estimands are: {known}.")
        if budget is not None:
            rows = rows[rows["cost"] <= budget]
        if rows.empty:
            least = self.frame["cost"].min()
            raise ArgumentError(
                f"No design costs at most {budget!r}; the cheapest costs {least:g}."
            )
        return rows.iloc[int(np.argmin(rows["width"].to_numpy()))]

    def __repr__(self) -> str:
        """Give the table and where truths came from."""
        return (
            f"Plan: expected widths of {self.prob:g} intervals, {self.simulations} simulated "
            f"evaluations a design, truths from {self.source}\n{self.frame.to_string(index=False)}"
        )

    def _repr_html_(self) -> str:
        """Give the table for notebooks."""
        return str(self.frame.to_html(index=False))


def plan(
    pilot: Posterior | BetaBinomial | None = None,
    *,
    tasks: int | Sequence[int] | None = None,
    trials: int | Sequence[int] = (1, 2, 4, 8),
    budget: float | None = None,
    cost_task: float = 0.0,
    cost_trial: float = 1.0,
    estimands: Estimand | Sequence[Estimand] | None = None,
    system: str | None = None,
    prob: float = 0.95,
    low: float = LOW,
    high: float = HIGH,
    certainty: float = 0.95,
    simulations: int = 200,
    rng: Any = 0,
    progress: bool = False,
) -> Plan:
    """Say what evaluations of N tasks with K trials each are expected to tell.

    Parameters
    ----------
    pilot : Posterior or BetaBinomial, optional
        Where truths are drawn from: the posterior of a pilot, or a prior. `BetaBinomial` with
        uniform priors by default.
    tasks : int or list of int, optional
        Numbers of tasks. Left out, `budget` decides: as many as it pays for.
    trials : int or list of int, default (1, 2, 4, 8)
        Numbers of trials a task.
    budget : float, optional
        What may be spent on each design.
    cost_task, cost_trial : float >= 0, default 0 and 1
        Cost of preparing a task, and of one trial.
    estimands : estimand or list of estimands, optional
        Whose intervals are looked at. By default success rate, and pass@k, pass^k and their gap at
        the largest number of trials.
    system : str, optional
        System of the pilot; may be left out if there is one only.
    prob : float in (0, 1), default 0.95
        Mass of the intervals.
    low, high : float in [0, 1], default 0.10 and 0.90
        Success probabilities that bound flickering.
    certainty : float in (0, 1), default 0.95
        Posterior probability from which a task counts as settled: not shown, flickering or
        persistent.
    simulations : int >= 2, default 200
        Simulated evaluations a design.
    rng : int, numpy.random.Generator, SeedSequence or None, default 0
        Seed. Designs share the simulated truths, so that they differ by design alone.
    progress : bool, default False
        Whether to show a progress bar.

    Returns
    -------
    Plan
        A table with one row a design and estimand.

    Raises
    ------
    ArgumentError
        If an argument is not allowed, or a design cannot be paid for.

    Notes
    -----
    For each truth (mean, icc), tasks and trials are simulated, and fitted by `BetaBinomial` with
    the pilot's priors on the new data alone: widths hold for an evaluation that does not reuse the
    pilot's trials. Intervals of estimands that need more trials than a design has rest on the model
    (`identified`), and may be narrow for that reason only.

    Examples
    --------
    >>> import reliability_stats as rs
    >>> made = rs.plan(budget=100, trials=[2, 5], estimands=rs.SuccessRate(), simulations=20)
    >>> made.frame[["tasks", "trials", "runs"]].to_numpy().tolist()
    [[50, 2, 100], [20, 5, 100]]
    """
    prob, certainty = check_prob(prob), check_prob(certainty)
    low, high = check_thresholds(low, high)
    size = check_k(simulations, "simulations", minimum=2)
    generator = check_rng(rng)
    designs = list(designs_of(tasks, trials, budget, cost_task, cost_trial))
    model, source, mean, icc = truths(pilot, system, size, generator)
    wanted = _wanted(estimands, max(k for _, k, _ in designs))
    rows = []
    seeds = generator.spawn(len(designs))
    for (n_tasks, k, cost), stream in zip(_shown(designs, progress), seeds, strict=True):
        data = _evaluations(mean, icc, n_tasks, k, stream)
        post = fit(data, model, rng=0)
        cells = post.engine.cells(prob, low, high)
        middle = 1.0 - cells.below - cells.above
        settled = np.maximum(np.maximum(cells.below, cells.above), middle) >= certainty
        results = post.engine.population(wanted, prob)
        for estimand, result in zip(wanted, results, strict=True):
            rows.append(
                {
                    "tasks": n_tasks,
                    "trials": k,
                    "runs": n_tasks * k,
                    "cost": cost,
                    "estimand": estimand.name,
                    "identified": identified(estimand, k),
                    **_width(result.upper - result.lower),
                    "settled": float(settled.mean()),
                }
            )
    import pandas as pd

    return Plan(pd.DataFrame(rows), prob, size, source)


def _width(widths: FloatArray) -> dict[str, float]:
    """Summarise widths over simulated evaluations."""
    ends = np.quantile(widths, SPREAD)
    return {
        "width": float(widths.mean()),
        "width_low": float(ends[0]),
        "width_high": float(ends[1]),
        "error": float(widths.std(ddof=1) / np.sqrt(len(widths))),
    }


def _wanted(estimands: Estimand | Sequence[Estimand] | None, largest: int) -> tuple[Estimand, ...]:
    """Give the estimands asked for, or the usual ones at the largest number of trials."""
    if estimands is None:
        usual = (PassAtK(largest), PassHatK(largest), Gap(largest)) if largest > 1 else ()
        return (SuccessRate(), *usual)
    return as_estimands(estimands, Trials.from_array([[1]]).counts, model=True)


def _evaluations(
    mean: FloatArray, icc: FloatArray, tasks: int, trials: int, rng: np.random.Generator
) -> Trials:
    """Simulate one evaluation for each truth; every one is a system."""
    icc = np.clip(icc, 1e-9, 1 - 1e-9)
    mean = np.clip(mean, 1e-9, 1 - 1e-9)
    total = 1.0 / icc - 1.0
    p = rng.beta((mean * total)[:, None], ((1.0 - mean) * total)[:, None], (len(mean), tasks))
    successes = rng.binomial(trials, p)
    names = [f"evaluation {i}" for i in range(len(mean))]
    return Trials.from_array(np.arange(trials) < successes[..., None], systems=names)


def _shown(designs: list[Design], progress: bool) -> Iterator[Design]:
    """Go through the designs, with a progress bar if it is wanted."""
    if not progress:
        yield from designs
        return
    from rich.progress import track

    yield from track(designs, description="Simulating designs", transient=True)
