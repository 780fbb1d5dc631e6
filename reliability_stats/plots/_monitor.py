"""The evidence of a decline over time, with the alarm."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..exceptions import ArgumentError
from ..history.stream import Monitor
from ._data import check_columns
from ._style import drawing, figure_of, ink, set_height, small, system_look
from ._text import literal, shorten

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

COLUMNS = ("system", "period", "e_value", "limit", "alarm")
LEAST, MOST = 1e-2, 1e6
MOST_TICKS = 8


def monitor_path_data(watch: Monitor) -> pd.DataFrame:
    """Compute what `monitor_path` draws.

    Parameters
    ----------
    watch : Monitor
        The result of `monitor`.

    Returns
    -------
    pandas.DataFrame
        As `Monitor.path` gives it.

    Raises
    ------
    ArgumentError
        If it is no Monitor.

    Examples
    --------
    >>> import reliability_stats as rs
    >>> table = {"task": [0] * 3, "run": [1, 2, 3], "n": [40] * 3, "successes": [36, 22, 8]}
    >>> trials = rs.Trials.from_counts(table, system=None, condition="run")
    >>> watch = rs.monitor(trials, period="run", rate=0.9)
    >>> rs.plots.monitor_path_data(watch)["alarm"].tolist()
    [False, True, True]
    """
    if not isinstance(watch, Monitor):
        raise ArgumentError(
            "monitor_path takes the result of monitor or of monitor_path_data, not "
            f"{type(watch).__name__}."
        )
    return watch.path()


def monitor_path(watch: Monitor | pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw the e-value of a decline after every period, on a log scale, with the limit.

    A line above 1 speaks for a decline. Where it reaches the limit the alarm is raised, marked by
    a large marker. Values are cut at 0.01 and a million.

    Parameters
    ----------
    watch : Monitor or pandas.DataFrame
        The result of `monitor`, or what `monitor_path_data` made of it.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    matplotlib.axes.Axes
        Holds a line for each system, and the limit.

    Raises
    ------
    ArgumentError
        If an argument is not allowed.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> import reliability_stats as rs
    >>> table = {"task": [0] * 3, "run": [1, 2, 3], "n": [40] * 3, "successes": [36, 22, 8]}
    >>> trials = rs.Trials.from_counts(table, system=None, condition="run")
    >>> ax = rs.plots.monitor_path(rs.monitor(trials, period="run", rate=0.9))
    >>> ax.get_yscale()
    'log'
    >>> plt.close(ax.figure)
    """
    import pandas as pd

    if isinstance(watch, pd.DataFrame):
        data = check_columns(watch, COLUMNS, "monitor_path_data")
    else:
        data = monitor_path_data(watch)
    with drawing(ax, width=4.5) as axes:
        _draw(axes, data)
        if ax is None:
            set_height(axes, 0.62 * figure_of(axes).get_figwidth())
    return axes


def _draw(ax: Axes, data: pd.DataFrame) -> None:
    """Draw all systems and the limit."""
    systems = list(data.groupby("system", sort=False))
    longest = max((part for _, part in systems), key=len)["period"].tolist()
    labels = [*longest, *(x for x in dict.fromkeys(data["period"]) if x not in set(longest))]
    place = {label: i for i, label in enumerate(labels)}
    ax.axhline(1, color=ink(), lw=0.6, alpha=0.5)
    for limit in data["limit"].unique():
        ax.axhline(limit, color=ink(), lw=0.9, ls="--", label=f"limit {limit:g}")
    for i, (system, part) in enumerate(systems):
        look = system_look(i)
        x = part["period"].map(place).to_numpy()
        y = np.clip(part["e_value"].to_numpy(dtype=float), LEAST, MOST)
        ax.plot(
            x,
            y,
            color=look.edge,
            marker=look.marker,
            ms=2.5,
            label=literal(shorten(str(system), 30)),
        )
        raised = part["alarm"].to_numpy(dtype=bool)
        if raised.any():
            at = int(np.argmax(raised))
            ax.plot(x[at], y[at], marker=look.marker, ms=9, mfc="none", mec=look.edge, mew=1.5)
    ticks = np.unique(np.linspace(0, len(labels) - 1, min(MOST_TICKS, len(labels))).astype(int))
    texts = [literal(shorten(labels[t], 16)) for t in ticks]
    long = max(map(len, texts)) > 6 and len(ticks) > 3
    ax.set_yscale("log")
    ax.set_xticks(ticks, texts, rotation=30 if long else 0, ha="right" if long else "center")
    ax.set_ylabel("e-value of a decline")
    ax.set_xlabel("period")
    ax.legend(loc="best", frameon=False, fontsize=small())
