"""Small published and simulated tables of repeated trials.

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

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Description", "available", "describe", "load", "truth"]


def available() -> tuple[str, ...]:
    """Name the embedded datasets.

    Returns
    -------
    tuple of str
        What `load`, `describe` and (for simulated data) `truth` take.

    Examples
    --------
    >>> import reliability_stats as rs
    >>> "rat-tumors" in rs.datasets.available()
    True
    """
    return tuple(CATALOGUE)


def describe(name: str) -> Description:
    """Say what a dataset is, whom to cite, and how it may be used.

    Parameters
    ----------
    name : str
        One of `available()`.

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
    return CATALOGUE[check_choice(name, available(), "name")]


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
    columns = _columns(describe(name).name)
    columns.pop("p", None)
    return Trials.from_counts(columns)


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

    columns = _columns(describe(name).name)
    if "p" not in columns:
        known = ", ".join(repr(other) for other in available() if "p" in _columns(other))
        raise ArgumentError(
            f"The truth behind {name!r} is not known: it is not simulated. Known is that of "
            f"{known}."
        )
    return pd.DataFrame({role: columns[role] for role in ("system", "task", "p")})


def _columns(name: str) -> dict[str, list[Any]]:
    """Read the table of a dataset by columns."""
    file = resources.files(__name__).joinpath("data", f"{name}.csv")
    rows = list(csv.DictReader(file.read_text(encoding="utf-8").splitlines()))
    types: dict[str, Any] = {"n": int, "successes": int, "p": float}
    return {role: [types.get(role, str)(row[role]) for row in rows] for role in rows[0]}
