"""`Leaderboard`: published figures, checked, with their printed digits kept."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from .._counts import html_table, listed, plural
from .._validation import check_k
from ..exceptions import ExclusionWarning, TrialDataError
from .figures import Figure
from .rows import NEEDED, Rows, read_columns

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Group", "Leaderboard"]

Key = tuple[str, str, str | None]


@dataclass(frozen=True)
class Group:
    """All figures of one system on one benchmark under one setting.

    Attributes
    ----------
    system, benchmark : str
        Labels.
    settings : str or None
        Declared settings; None if not stated.
    figures : tuple of Figure
        Sorted by k; one of each kind and k.
    """

    system: str
    benchmark: str
    settings: str | None
    figures: tuple[Figure, ...]

    @property
    def name(self) -> str:
        """For messages: ``system 'a', benchmark 'b'``."""
        name = f"system {self.system!r}, benchmark {self.benchmark!r}"
        return name if self.settings is None else f"{name}, settings {self.settings!r}"

    @property
    def n_tasks(self) -> int | None:
        """Number of tasks, if stated."""
        return next((f.n_tasks for f in self.figures if f.n_tasks is not None), None)

    def figure(self, kind: str, k: int) -> Figure | None:
        """Give the figure of this kind and k, if published; pass@1 is pass^1."""
        key = (kind if k > 1 else "^", k)
        return next((f for f in self.figures if f.key == key), None)


@dataclass(frozen=True, eq=False, repr=False)
class Leaderboard:
    """Published figures of systems on benchmarks.

    Make it with `from_frame`; hand it to `reconstruct` and `bounds`.

    Attributes
    ----------
    groups : tuple of Group
        Figures of each system on each benchmark under each setting, in the order of the table.
    n_copies : int
        Rows that repeated the figure of an earlier one, and were left out.

    Examples
    --------
    >>> rows = {"system": "a", "benchmark": "b", "metric": "pass^k", "k": [1, 2],
    ...         "value": ["0.420", "0.273"], "n_tasks": 50, "n_trials": 4}
    >>> Leaderboard.from_frame(rows)
    Leaderboard: 2 figures of 1 system on 1 benchmark
    """

    groups: tuple[Group, ...]
    n_copies: int = 0

    @classmethod
    def from_frame(
        cls,
        frame: Any,
        *,
        system: str = "system",
        benchmark: str = "benchmark",
        metric: str = "metric",
        k: str = "k",
        value: str = "value",
        n_tasks: str = "n_tasks",
        n_trials: str = "n_trials",
        se: str = "se",
        n_runs: str = "n_runs",
        settings: str = "settings",
        decimals: str | int | None = None,
    ) -> Leaderboard:
        """Read a table with one row a figure.

        Parameters
        ----------
        frame : data frame or mapping of columns
            pandas, Polars, PyArrow or another table that Narwhals supports.
        system, benchmark, metric, value : str
            Columns that must be there. A metric is "pass^k", "pass@k" or "mean", or holds its k, as
            in "pass^4". Values are fractions in [0, 1]: text keeps its printed digits; floats are
            taken to have as many as the longest of the same system, benchmark and settings.
        k, n_tasks, n_trials, se, n_runs, settings : str
            Columns that may be there: k of the metric; tasks; trials of each task; standard error
            of the mean, over n_runs runs of the whole benchmark; anything that must be equal for
            figures to belong together, such as the temperature. Empty is not stated.
        decimals : int or str, optional
            Printed decimals of all values, or the column of them; by default the column "decimals"
            if there is one.

        Returns
        -------
        Leaderboard
            The checked figures.

        Raises
        ------
        TrialDataError
            If a column is not there, an entry is not allowed (percentages, for example), two rows
            give different numbers for one figure, or pass@k at different k are not declared to have
            equal settings. The message names the first such row, counted from 0.

        Warns
        -----
        ExclusionWarning
            If rows repeat the figures of earlier ones.

        Examples
        --------
        >>> rows = {"system": ["a"], "benchmark": ["b"], "metric": ["mean"], "value": ["0.42"]}
        >>> Leaderboard.from_frame(rows).to_frame()[["metric", "k", "value", "decimals"]]
          metric  k  value  decimals
        0   pass^k  1   0.42         2
        """
        columns: dict[str, str] = {"system": system, "benchmark": benchmark, "metric": metric}
        columns |= {"value": value, "k": k, "n_tasks": n_tasks, "n_trials": n_trials, "se": se}
        columns |= {"n_runs": n_runs, "settings": settings}
        columns["decimals"] = decimals if isinstance(decimals, str) else "decimals"
        needed = (*NEEDED, "decimals") if isinstance(decimals, str) else NEEDED
        table = read_columns(frame, columns, needed)
        size = len(table["system"])
        if decimals is not None and not isinstance(decimals, str):
            table["decimals"] = [check_k(decimals, "decimals", minimum=0)] * size
        rows = Rows(table)
        found: dict[Key, list[Figure]] = {}
        for row in range(size):
            key = (rows.label(row, "system"), rows.label(row, "benchmark"), rows.settings(row))
            found.setdefault(key, []).append(rows.figure(row))
        groups = [
            Group(*key, _distinct(_same_digits(figures), rows)) for key, figures in found.items()
        ]
        _check_settings(found, rows)
        said = {
            key: {(rows.label(f.row, "metric"), f.k) for f in figures}
            for key, figures in found.items()
        }
        n_copies = size - sum(map(len, said.values()))
        if n_copies:
            warnings.warn(
                f"{plural(n_copies, 'row')} of {size} left out, because they repeat an "
                "earlier row.",
                ExclusionWarning,
                stacklevel=2,
            )
        return cls(tuple(groups), n_copies)

    @property
    def systems(self) -> tuple[str, ...]:
        """Labels of the systems, in the order of the table."""
        return tuple(dict.fromkeys(group.system for group in self.groups))

    @property
    def benchmarks(self) -> tuple[str, ...]:
        """Labels of the benchmarks, in the order of the table."""
        return tuple(dict.fromkeys(group.benchmark for group in self.groups))

    def __len__(self) -> int:
        """Give the number of figures."""
        return sum(len(group.figures) for group in self.groups)

    def to_frame(self) -> pd.DataFrame:
        """Give one row a figure, as understood.

        Returns
        -------
        pandas.DataFrame
            Columns system, benchmark, settings, metric, k, value (float), decimals, n_tasks,
            n_trials, se, n_runs.
        """
        import pandas as pd

        rows = [
            {
                "system": group.system,
                "benchmark": group.benchmark,
                "settings": group.settings,
                "metric": f"pass{figure.kind}k",
                "k": figure.k,
                "value": float(figure.value),
                "decimals": figure.decimals,
                "n_tasks": figure.n_tasks,
                "n_trials": figure.n_trials,
                "se": figure.se,
                "n_runs": figure.n_runs,
            }
            for group in self.groups
            for figure in group.figures
        ]
        table = pd.DataFrame(rows)
        whole = ["decimals", "n_tasks", "n_trials", "n_runs"]
        return table.astype({**dict.fromkeys(whole, "Int64"), "se": float})

    def __repr__(self) -> str:
        """Give sizes."""
        copies = f"; {plural(self.n_copies, 'repeated row')} left out" if self.n_copies else ""
        return (
            f"Leaderboard: {plural(len(self), 'figure')} of {plural(len(self.systems), 'system')} "
            f"on {plural(len(self.benchmarks), 'benchmark')}{copies}"
        )

    def _repr_html_(self) -> str:
        """Give the same for notebooks, escaped."""
        rows = [("systems", listed(self.systems)), ("benchmarks", listed(self.benchmarks))]
        return html_table(repr(self), rows)


def _same_digits(figures: list[Figure]) -> list[Figure]:
    """Give floats of one ladder the decimals of the longest, since floats lose trailing zeros."""
    floats = [figure.decimals for figure in figures if figure.from_float]
    if not floats:
        return figures
    longest = None if None in floats else max(d for d in floats if d is not None)
    return [replace(f, decimals=longest) if f.from_float else f for f in figures]


def _distinct(figures: list[Figure], rows: Rows) -> tuple[Figure, ...]:
    """Keep one figure of each kind and k; refuse contradictions."""
    kept: dict[tuple[str, int], Figure] = {}
    tasks: Figure | None = None
    for figure in figures:
        if figure.n_tasks is not None:
            tasks = tasks or figure
            if figure.n_tasks != tasks.n_tasks:
                raise TrialDataError(
                    f"{rows.at(figure.row)} has n_tasks="
                    f"{figure.n_tasks}, but row {tasks.row} of the same system and benchmark has "
                    f"{tasks.n_tasks}. Tell them apart by the column settings or by names."
                )
        first = kept.setdefault(figure.key, figure)
        (low, high), (other_low, other_high) = first.interval(), figure.interval()
        if low > other_high or other_low > high:
            raise TrialDataError(
                f"{rows.at(figure.row)} gives {figure.name} = {figure.text}, but row {first.row} "
                f"gives {first.text} for the same system and benchmark. Tell them apart by the "
                "column settings or by names."
            )
        best = min(first, figure, key=lambda f: f.unit)
        error = first if first.se is not None else figure
        kept[figure.key] = replace(best, se=error.se, se_unit=error.se_unit, n_runs=error.n_runs)
    return tuple(sorted(kept.values(), key=lambda figure: (figure.k, figure.kind)))


def _check_settings(found: Mapping[Key, Sequence[Figure]], rows: Rows) -> None:
    """Refuse pass@k at different k that are not declared to have equal settings."""
    together: dict[tuple[str, str], dict[str | None, dict[int, int]]] = {}
    for (system, benchmark, settings), figures in found.items():
        first = {f.k: f.row for f in reversed(figures) if f.kind == "@"}
        together.setdefault((system, benchmark), {})[settings] = first
    for sets in together.values():
        row_of = {k: row for first in sets.values() for k, row in first.items()}
        undeclared = len(sets.get(None, {})) > 1
        if not undeclared and any(set(first) == set(row_of) for first in sets.values()):
            continue
        (k, row), *others = sorted(row_of.items(), key=lambda item: item[1])
        raise TrialDataError(
            f"Pass@{others[0][0]} in {rows.name(others[0][1])} and pass@{k} in row {row}, counting "
            f"rows from 0, have {'undeclared' if undeclared else 'different'} settings. Figures at "
            "different k are often chosen at different temperatures, which makes them different "
            "systems. If settings are equal, say so in the column settings; otherwise give the "
            "systems different names."
        )
