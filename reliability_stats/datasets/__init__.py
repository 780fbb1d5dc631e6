"""Small published and simulated tables of repeated trials, and published figures.

>>> import reliability_stats as rs
>>> rs.datasets.load("tau-bench-airline-gpt4o")
Trials: 1 system x 50 tasks, 200 trials in 50 cells (4 per cell); fingerprint ...
"""

from __future__ import annotations

import csv
from importlib import resources
from typing import TYPE_CHECKING, Any

from .._validation import check_choice
from ..exceptions import ArgumentError
from ..trials import Trials
from ._catalogue import CATALOGUE, Description
from ._published import FIGURES

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Description", "available", "describe", "figures", "load", "truth"]


def available(kind: str = "trials") -> tuple[str, ...]:
    """Name the embedded datasets.

    Parameters
    ----------
    kind : {"trials", "figures"}
        Outcomes of trials, or published figures.

    Returns
    -------
    tuple of str
        What `load` and (for simulated data) `truth` take, or what `figures` takes; `describe`
        takes both.

    Raises
    ------
    ArgumentError
        If there is no such kind.

    Examples
    --------
    >>> import reliability_stats as rs
    >>> "rat-tumors" in rs.datasets.available()
    True
    """
    check_choice(kind, ("trials", "figures"), "kind")
    return tuple(CATALOGUE if kind == "trials" else FIGURES)


def describe(name: str) -> Description:
    """Say what a dataset is, whom to cite, and how it may be used.

    Parameters
    ----------
    name : str
        One of `available()` or ``available("figures")``.

    Returns
    -------
    Description
        Fields name, title, citation, url, licence, size and notes.

    Raises
    ------
    ArgumentError
        If there is no such dataset; the message lists them.

    Examples
    --------
    >>> import reliability_stats as rs
    >>> rs.datasets.describe("tau-bench-airline-gpt4o").size
    '1 system x 50 tasks, 4 trials each'
    """
    known = CATALOGUE | FIGURES
    return known[check_choice(name, known, "name")]


def load(name: str) -> Trials:
    """Load a dataset.

    Parameters
    ----------
    name : str
        One of `available()`.

    Returns
    -------
    Trials
        The table; see `describe` for its source and terms.

    Raises
    ------
    ArgumentError
        If there is no such dataset; the message lists them.

    Examples
    --------
    >>> import reliability_stats as rs
    >>> counts = rs.datasets.load("rat-tumors").counts
    >>> int(counts.successes.sum()), int(counts.n.sum())
    (267, 1739)
    """
    columns = _columns(check_choice(name, available(), "name"))
    columns.pop("p", None)
    return Trials.from_counts(columns)


def figures(name: str) -> pd.DataFrame:
    """Give a table of published figures.

    Parameters
    ----------
    name : str
        One of ``available("figures")``.

    Returns
    -------
    pandas.DataFrame
        For scores and ladders the long form that `Leaderboard.from_frame` takes: system,
        benchmark, metric, k, value (text, with the printed digits), n_tasks, n_trials, and what
        else is published. Otherwise the table as published.

    Raises
    ------
    ArgumentError
        If there is no such table; the message lists them.

    Examples
    --------
    >>> import reliability_stats as rs
    >>> table = rs.datasets.figures("tau-bench-ladders")
    >>> rs.Leaderboard.from_frame(table)
    Leaderboard: 36 figures of 6 systems on 2 benchmarks
    """
    import pandas as pd

    rows = _rows("published", check_choice(name, available("figures"), "name"))
    table = pd.DataFrame(rows)
    for column in ("n_tasks", "n_trials"):
        if column in table:
            table[column] = table[column].astype(int)
    printed = [name for name in rows[0] if name.startswith("pass^") or name == "mean"]
    if not printed:
        return table.assign(value=pd.to_numeric(table["value"]))
    rest = [name for name in rows[0] if name not in printed]
    long = table.melt(rest, printed, var_name="metric", ignore_index=False)
    long = long.sort_index(kind="stable").reset_index(drop=True)
    long["k"] = [1 if metric == "mean" else int(metric[5:]) for metric in long["metric"]]
    others = [name for name in rest if name not in ("system", "benchmark")]
    return long[["system", "benchmark", "metric", "k", "value", *others]]


def truth(name: str) -> pd.DataFrame:
    """Give the true success probabilities behind a simulated dataset.

    Parameters
    ----------
    name : str
        Name of a simulated dataset.

    Returns
    -------
    pandas.DataFrame
        Columns system, task, p; one row a cell, in the order of ``load(name).counts``.

    Raises
    ------
    ArgumentError
        If there is no such dataset, or its truth is not known because it is real.

    Examples
    --------
    >>> import reliability_stats as rs
    >>> p = rs.datasets.truth("simulated-three-systems")
    >>> p.groupby("system")["p"].mean().round(3).to_dict()
    {'flickering': 0.594, 'narrow': 0.204, 'steady': 0.594}
    """
    import pandas as pd

    columns = _columns(check_choice(name, available(), "name"))
    if "p" not in columns:
        known = ", ".join(repr(other) for other in available() if "p" in _columns(other))
        raise ArgumentError(
            f"The truth behind {name!r} is not known: it is not simulated. Known is that of "
            f"{known}."
        )
    return pd.DataFrame({role: columns[role] for role in ("system", "task", "p")})


def _columns(name: str) -> dict[str, list[Any]]:
    """Read the table of a dataset by columns."""
    rows = _rows("data", name)
    types: dict[str, Any] = {"n": int, "successes": int, "p": float}
    return {role: [types.get(role, str)(row[role]) for row in rows] for role in rows[0]}


def _rows(folder: str, name: str) -> list[dict[str, str]]:
    """Read an embedded table."""
    file = resources.files(__name__).joinpath(folder, f"{name}.csv")
    return list(csv.DictReader(file.read_text(encoding="utf-8").splitlines()))
