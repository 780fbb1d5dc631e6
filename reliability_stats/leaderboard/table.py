"""The data frame that `reconstruct` returns."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from .._counts import plural
from .._numerics import FloatArray, IntArray
from .._validation import suggest
from ..estimands import Estimand
from ..exceptions import IdentifiabilityWarning, TrialDataError
from ..trials import Trials
from .frame import Group
from .ladder import Ladder
from .search import Found
from .sharp import wanted

__all__ = ["Reconstruction"]


@dataclass(frozen=True, eq=False)
class Recovered:
    """A ladder and what was found for it."""

    ladder: Ladder
    found: Found
    twin: str | None
    note: str

    @property
    def status(self) -> str:
        """How many solutions there are: "unique", "several" or "none"."""
        known = len(self.found.histograms)
        if known == 1 and self.found.complete:
            return "unique"
        return "several" if known else "none"

    def row(self) -> dict[str, Any]:
        """Give the row of the table."""
        histograms = self.found.histograms
        return {
            "system": self.ladder.group.system,
            "benchmark": self.ladder.group.benchmark,
            "settings": self.ladder.group.settings,
            "n_tasks": self.ladder.n_tasks,
            "n_trials": self.ladder.n_trials,
            "status": self.status,
            "n_solutions": len(histograms),
            "complete": self.found.complete,
            "histogram": tuple(histograms[0].tolist()) if len(histograms) else None,
            "duplicate_of": self.twin,
            "note": self.note,
        }

    def values(self, estimand: Estimand) -> FloatArray:
        """Evaluate an estimand, design-based, at every solution; NaN if K trials are too few."""
        n_trials = self.ladder.n_trials
        counts = np.arange(n_trials + 1)
        features = estimand.count_features(np.full(n_trials + 1, n_trials), counts)
        means = self.found.histograms @ features / self.ladder.n_tasks
        with np.errstate(invalid="ignore", divide="ignore"):
            values = [float(estimand.combine_counts(m, float(self.ladder.n_tasks))) for m in means]
        return np.array(values)


class Reconstruction(pd.DataFrame):
    """Histograms recovered from published ladders: a data frame, one row a ladder.

    Made by `reconstruct`, which describes the columns. What is cut from it keeps the methods.
    """

    _metadata = ["_recovered", "_left_out"]  # noqa: RUF012
    _recovered: tuple[Recovered, ...]
    _left_out: tuple[tuple[Group, str], ...]

    @property
    def _constructor(self) -> Any:
        """Keep the class in what pandas makes of it."""
        return Reconstruction

    @classmethod
    def of(
        cls, recovered: Sequence[Recovered], left_out: Sequence[tuple[Group, str]]
    ) -> Reconstruction:
        """Build the frame."""
        columns = [
            "system",
            "benchmark",
            "settings",
            "n_tasks",
            "n_trials",
            "status",
            "n_solutions",
            "complete",
            "histogram",
            "duplicate_of",
            "note",
        ]
        data = {name: [item.row()[name] for item in recovered] for name in columns}
        texts = ("system", "benchmark", "settings", "status", "histogram", "duplicate_of", "note")
        out = cls({n: pd.Series(v, dtype=object if n in texts else None) for n, v in data.items()})
        out._recovered = tuple(recovered)
        out._left_out = tuple(left_out)
        return out

    @property
    def frame(self) -> pd.DataFrame:
        """The same as a plain data frame."""
        return pd.DataFrame(self)

    @property
    def left_out(self) -> pd.DataFrame:
        """What is no whole ladder: columns system, benchmark, settings, reason."""
        rows = [(g.system, g.benchmark, g.settings, why) for g, why in self._left_out]
        return pd.DataFrame(
            rows, columns=["system", "benchmark", "settings", "reason"], dtype=object
        )

    def _one(self, system: str, benchmark: str, settings: str | None) -> Recovered:
        """Find the ladder asked for."""
        mine = [r for r in self._recovered if r.ladder.group.system == system]
        mine = [r for r in mine if r.ladder.group.benchmark == benchmark]
        if settings is not None:
            mine = [r for r in mine if r.ladder.group.settings == settings]
        if len(mine) == 1:
            return mine[0]
        asked = f"system {system!r}, benchmark {benchmark!r}"
        if mine:
            listed = ", ".join(repr(r.ladder.group.settings) for r in mine)
            raise TrialDataError(
                f"There are {len(mine)} ladders of {asked}; choose one with settings=...: {listed}."
            )
        for group, why in self._left_out:
            if (group.system, group.benchmark) == (system, benchmark):
                raise TrialDataError(f"There is no whole ladder of {asked}: {why}.")
        names = [f"{r.ladder.group.system} / {r.ladder.group.benchmark}" for r in self._recovered]
        hint = suggest(f"{system} / {benchmark}", names)
        raise TrialDataError(f"There is no ladder of {asked}{hint}.")

    def histograms(self, system: str, benchmark: str, *, settings: str | None = None) -> IntArray:
        """Give all histograms that print a ladder.

        Parameters
        ----------
        system, benchmark : str
            Whose ladder.
        settings : str, optional
            Needed if the system has ladders under several settings.

        Returns
        -------
        (solutions, K + 1) ndarray of int
            Numbers of tasks with 0..K successes; the first is closest to the printed figures.

        Raises
        ------
        TrialDataError
            If there is no such ladder.
        """
        return self._one(system, benchmark, settings).found.histograms.copy()

    def trials(
        self,
        system: str,
        benchmark: str,
        *,
        settings: str | None = None,
        solution: int | None = None,
    ) -> Trials:
        """Give the recovered counts, for the rest of the package.

        Parameters
        ----------
        system, benchmark : str
            Whose ladder.
        settings : str, optional
            Needed if the system has ladders under several settings.
        solution : int, optional
            Which of several histograms, in the order of `histograms`; the first by default, with a
            warning.

        Returns
        -------
        Trials
            Which task had which count is not known: the labels ("<system> #1", ...) are arbitrary
            and differ between systems, so that tasks cannot be paired by mistake.

        Raises
        ------
        TrialDataError
            If there is no such ladder, or no histogram prints it.

        Warns
        -----
        IdentifiabilityWarning
            If several histograms print it and none was chosen.
        """
        item = self._one(system, benchmark, settings)
        histograms = item.found.histograms
        if not len(histograms):
            raise TrialDataError(
                f"No histogram of {item.ladder.n_tasks} tasks x {item.ladder.n_trials} trials "
                f"prints the ladder of {item.ladder.group.name} ({item.note}), so that there are "
                "no counts to give."
            )
        if solution is None and item.status == "several":
            least = "" if item.found.complete else "at least "
            warnings.warn(
                f"{least}{plural(len(histograms), 'histogram')} print the ladder of "
                f"{item.ladder.group.name}; this is the closest. See ranges(...) for what they "
                "agree on, or choose one with solution=...",
                IdentifiabilityWarning,
                stacklevel=2,
            )
        chosen = solution or 0
        if not 0 <= chosen < len(histograms):
            raise TrialDataError(
                f"solution must lie in 0..{len(histograms) - 1}, not {solution!r}."
            )
        successes = np.repeat(np.arange(item.ladder.n_trials + 1), histograms[chosen])
        return Trials.from_counts(
            {
                "system": [system] * len(successes),
                "task": [f"{system} #{i}" for i in range(1, len(successes) + 1)],
                "n": np.full(len(successes), item.ladder.n_trials),
                "successes": successes,
            }
        )

    def ranges(self, estimands: Estimand | Sequence[Estimand]) -> pd.DataFrame:
        """Give the range of design-based estimates over all histograms that print each ladder.

        Parameters
        ----------
        estimands : estimand or list of estimands
            What to evaluate.

        Returns
        -------
        pandas.DataFrame
            Columns estimand, system, benchmark, settings, lower, upper, n_solutions, complete. NaN
            where no histogram fits, or the estimand needs more trials than there were (see
            `bounds`). Where complete is False more solutions exist, and the range may be wider.
            Sampling uncertainty is not included.
        """
        rows = []
        for estimand in wanted(estimands):
            for item in self._recovered:
                values = item.values(estimand)
                ends = (values.min(), values.max()) if len(values) else (np.nan, np.nan)
                group = item.ladder.group
                rows.append((estimand.name, group.system, group.benchmark, group.settings, *ends))
        names = ["estimand", "system", "benchmark", "settings", "lower", "upper"]
        out = pd.DataFrame(rows, columns=names)
        repeats = len(out) // max(len(self._recovered), 1)
        out["n_solutions"] = [len(r.found.histograms) for r in self._recovered] * repeats
        out["complete"] = [r.found.complete for r in self._recovered] * repeats
        return out
