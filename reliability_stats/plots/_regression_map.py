"""Changes of tasks against a baseline, in order."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..exceptions import ArgumentError
from ..history.versions import Regressions
from ._data import check_columns
from ._style import PALETTE, Look, drawing, figure_of, ink, set_height, small
from ._text import literal, shorten

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

COLUMNS = ("system", "version", "task", "change", "lower", "upper", "state")
LOOKS = {
    "regressed": Look(PALETTE[3], PALETTE[3], "v"),
    "improved": Look(PALETTE[0], PALETTE[0], "^"),
    "unchanged": Look("#888888", "#666666", "o"),
    "undetermined": Look("none", "#BBBBBB", "o"),
}
NAMED = 25
"""Tasks that are named on the axis."""


def regression_map_data(
    found: Regressions, *, system: str | None = None, version: str | None = None
) -> pd.DataFrame:
    """Compute what `regression_map` draws.

    Parameters
    ----------
    found : Regressions
        The result of `regressions`.
    system, version : str, optional
        Which comparison; the first by default.

    Returns
    -------
    pandas.DataFrame
        Rows of ``found.tasks``, from the largest loss to the largest gain.

    Raises
    ------
    ArgumentError
        If an argument is not allowed.

    Examples
    --------
    >>> import reliability_stats as rs
    >>> table = {"task": [0, 1, 0, 1], "v": ["a", "a", "b", "b"], "n": [8] * 4}
    >>> trials = rs.Trials.from_counts(
    ...     table | {"successes": [8, 8, 8, 0]}, system=None, condition="v"
    ... )
    >>> found = rs.regressions(trials, version="v", baseline="a")
    >>> rs.plots.regression_map_data(found)["task"].tolist()
    ['1', '0']
    """
    if not isinstance(found, Regressions):
        raise ArgumentError(
            "regression_map takes the result of regressions or of regression_map_data, not "
            f"{type(found).__name__}."
        )
    data = found.tasks
    for name, value in (("system", system), ("version", version)):
        wanted = data[name].iloc[0] if value is None else value
        if wanted not in set(data[name]):
            raise ArgumentError(f"There is no {name} {value!r} among those compared.")
        data = data[data[name] == wanted]
    return data.sort_values(["change", "task"]).reset_index(drop=True)


def regression_map(
    found: Regressions | pd.DataFrame,
    *,
    system: str | None = None,
    version: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw the change of every task with its interval, from the largest loss to the largest gain.

    Parameters
    ----------
    found : Regressions or pandas.DataFrame
        The result of `regressions`, or what `regression_map_data` made of it.
    system, version : str, optional
        Which comparison; the first by default.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    matplotlib.axes.Axes
        Holds a marker and a line for each task; the shape of the marker is the state.

    Raises
    ------
    ArgumentError
        If an argument is not allowed.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> import reliability_stats as rs
    >>> table = {"task": [0, 1, 0, 1], "v": ["a", "a", "b", "b"], "n": [8] * 4}
    >>> trials = rs.Trials.from_counts(
    ...     table | {"successes": [8, 8, 8, 0]}, system=None, condition="v"
    ... )
    >>> ax = rs.plots.regression_map(rs.regressions(trials, version="v", baseline="a"))
    >>> ax.get_ylabel()
    'change of success probability'
    >>> plt.close(ax.figure)
    """
    import pandas as pd

    if isinstance(found, pd.DataFrame):
        data = check_columns(found, COLUMNS, "regression_map_data")
    else:
        data = regression_map_data(found, system=system, version=version)
    with drawing(ax, width=5.0) as axes:
        _draw(axes, data)
        if ax is None:
            set_height(axes, 0.6 * figure_of(axes).get_figwidth())
    return axes


def _draw(ax: Axes, data: pd.DataFrame) -> None:
    """Draw all tasks."""
    ax.axhline(0, color=ink(), lw=0.6, alpha=0.6)
    place = np.arange(len(data))
    for state, look in LOOKS.items():
        mine = (data["state"] == state).to_numpy()
        if not mine.any():
            continue
        x, part = place[mine], data[mine]
        width = 0.9 if len(data) <= 150 else 0.4
        ax.vlines(x, part["lower"], part["upper"], color=look.edge, lw=width, alpha=0.7)
        ax.plot(
            x,
            part["change"],
            ls="none",
            marker=look.marker,
            mfc=look.face,
            mec=look.edge,
            ms=4 if len(data) <= 150 else 2,
            label=f"{state} ({mine.sum()})",
        )
    if len(data) <= NAMED:
        names = [literal(shorten(str(task), 14)) for task in data["task"]]
        ax.set_xticks(place, names, rotation=90, fontsize=small())
        ax.set_xlabel("task")
    else:
        ax.set_xticks([])
        ax.set_xlabel(f"{len(data)} tasks, in order of change")
    reach = float(max(np.abs(data[["lower", "upper"]].to_numpy()).max(), 0.1))
    ax.set_ylim(-1.05 * reach, 1.05 * reach)
    ax.set_ylabel("change of success probability")
    first = data.iloc[0]
    ax.set_title(literal(shorten(f"{first['system']}, {first['version']}", 50)), loc="left")
    ax.legend(loc="best", frameon=False, fontsize=small())
