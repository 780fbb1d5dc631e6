"""Warnings that go with a table of design-based estimates, gathered and given once."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from ._counts import Counts, listed, plural
from ._numerics import IntArray
from ._population import Estimates
from ._task_rows import TaskRows
from .estimands import Estimand
from .exceptions import ExclusionWarning, IdentifiabilityWarning, ReliabilityStatsWarning

FEWEST_STOPPED = 3
"""Number of shorter tasks from which a pattern of stopping is not put down to chance."""


@dataclass(eq=False)
class Notes:
    """Gathers what to warn of.

    Attributes
    ----------
    counts : Counts
        The counts behind the estimates.
    labels : tuple of str
        Units of the table.
    unit : (cells,) ndarray of int
        Unit of each cell in the order of `labels`, or -1.
    most : (units,) ndarray of int
        Largest number of trials of a task.
    """

    counts: Counts
    labels: tuple[str, ...]
    unit: IntArray = field(init=False)
    most: IntArray = field(init=False)
    no_value: list[str] = field(default_factory=list)
    no_interval: dict[str, list[str]] = field(default_factory=dict)
    excluded: dict[str, list[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Find the unit of each cell."""
        place = {label: i for i, label in enumerate(self.labels)}
        self.unit = np.array([place.get(x, -1) for x in self.counts.units])[self.counts.unit]
        self.most = np.zeros(len(self.labels), dtype=np.int64)
        inside = self.unit >= 0
        np.maximum.at(self.most, self.unit[inside], self.counts.n[inside])

    def add(self, estimand: Estimand, result: Estimates, *, ranges: npt.NDArray[np.bool_]) -> None:
        """Note what is missing from the rows of an estimand; `ranges` marks rows without a mean."""
        lacking = np.isnan(result.mean) & ~ranges
        short = lacking & (self.most < estimand.degree)
        if not np.isfinite(estimand.degree):
            self.no_value.append(f"{estimand.name} (no number of trials gives it without a model)")
        elif short.any():
            self.no_value.append(
                f"{estimand.name}{self._of(short)} (it needs {estimand.degree} trials of a "
                f"task; the most there are is {self.most[short].max()})"
            )
        undefined = lacking & ~short
        if undefined.any():
            self.no_value.append(f"{estimand.name}{self._of(undefined)} (0/0 in these counts)")
        for reason in dict.fromkeys(result.reason[result.reason != ""].tolist()):
            where = self._of(result.reason == reason)
            self.no_interval.setdefault(reason, []).append(f"{estimand.name}{where}")
        self._add_excluded(estimand, result)

    def _add_excluded(self, estimand: Estimand, result: Estimates) -> None:
        """Note the tasks left out of rows that have a value."""
        cells = np.bincount(self.unit[self.unit >= 0], minlength=len(self.labels))
        partly = (result.n_tasks > 0) & (result.n_tasks < cells)
        if not partly.any():
            return
        inside = (self.unit >= 0) & partly[self.unit]
        out = np.flatnonzero(inside & (self.counts.n < estimand.degree))
        text = (
            f"{len(out)} of {plural(int(inside.sum()), 'task')} with fewer than {estimand.degree} "
            f"trials (first: {self.counts.cell_name(int(out[0]))}, n={self.counts.n[out[0]]})"
        )
        self.excluded.setdefault(text, []).append(estimand.name)

    def _of(self, mask: npt.NDArray[np.bool_]) -> str:
        """Name the units of a mask, unless they are all."""
        if mask.all():
            return ""
        return f" of {listed(tuple(self.labels[i] for i in np.flatnonzero(mask)), 3)}"

    def warn(self, over: str, fit: str, stacklevel: int) -> None:
        """Give the warnings; `fit` is the call that gives a model-based answer."""
        remedy = f"{fit}.summary(..., over={over!r})"
        if self.no_value:
            text = (
                f"No unbiased estimate, so rows are NaN: {'; '.join(self.no_value)}. {remedy} "
                "gives values that rest on a model, and says so."
            )
            warnings.warn(text, IdentifiabilityWarning, stacklevel=stacklevel)
        if self.no_interval:
            listing = [f"{', '.join(rows)} ({why})" for why, rows in self.no_interval.items()]
            text = f"No interval: {'; '.join(listing)}. {remedy} gives one that rests on a model."
            warnings.warn(text, IdentifiabilityWarning, stacklevel=stacklevel)
        if self.excluded:
            listing = [f"{', '.join(rows)}: {what}" for what, rows in self.excluded.items()]
            text = f"Left out: from {'; from '.join(listing)}."
            warnings.warn(text, ExclusionWarning, stacklevel=stacklevel)

    def warn_stopped(self, rows: TaskRows, stacklevel: int) -> None:
        """Warn if trials seem to have gone on until the first success or failure.

        Then every task that has fewer trials than others ends with the one outcome that stopped it,
        and no task has that outcome twice.
        """
        most = np.zeros(rows.n_units, dtype=np.int64)
        np.maximum.at(most, rows.unit, rows.n)
        shorter = rows.n < most[rows.unit]
        enough = rows.total(shorter.astype(float)) >= FEWEST_STOPPED
        for outcome, number in (
            ("success", rows.successes),
            ("failure", rows.n - rows.successes),
        ):
            against = (number > 1) | (shorter & (number != 1))
            found = enough & (rows.total(against.astype(float)) == 0)
            if found.any():
                warnings.warn(
                    f"Trials{self._of(found)} look stopped at the first {outcome}: every task "
                    "with fewer trials than others has exactly one, and none has more. Estimates "
                    "without a model are biased if outcomes decide how many trials are made; "
                    "fit(trials).summary(...) is not misled by that.",
                    ReliabilityStatsWarning,
                    stacklevel=stacklevel,
                )
