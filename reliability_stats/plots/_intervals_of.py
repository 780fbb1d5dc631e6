"""Any summary table as rows of intervals."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..exceptions import ArgumentError
from ._data import check_columns
from ._labels import above, add_key, label_axes, shorten_to
from ._style import drawing, set_height, system_look
from ._text import literal, percent, shorten

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

COLUMNS = ("estimand", "system", "over", "mean", "lower", "upper", "prob", "identified")


def intervals_of_data(
    table: pd.DataFrame, *, estimands: str | list[str] | None = None
) -> pd.DataFrame:
    """Choose what `intervals_of` draws.

    Parameters
    ----------
    table : pandas.DataFrame
        A summary in the package's schema, of any model or instrument.
    estimands : str or list of str, optional
        Estimands to take, in this order; all by default.

    Returns
    -------
    pandas.DataFrame
        The rows, estimand by estimand.

    Raises
    ------
    ArgumentError
        If the table is none, or an estimand is not in it.

    Examples
    --------
    >>> import reliability_stats as rs
    >>> from reliability_stats.instruments import Escalation
    >>> data = {"escalated": [1, 0, 0], "failed": [1, 0, 0]}
    >>> table = Escalation().fit(data, system=None).summary()
    >>> len(rs.plots.intervals_of_data(table, estimands="silent_failure"))
    1
    """
    import pandas as pd

    data: pd.DataFrame = check_columns(table, COLUMNS, "summary()")
    names = list(dict.fromkeys(data["estimand"]))
    if estimands is not None:
        wanted = [estimands] if isinstance(estimands, str) else list(estimands)
        for name in wanted:
            if name not in names:
                raise ArgumentError(
                    f"There is no estimand {name!r} in the table; it has {', '.join(names)}."
                )
        names = list(dict.fromkeys(wanted))
    parts: list[pd.DataFrame] = [data[data["estimand"] == name] for name in names]
    return pd.concat(parts, ignore_index=True)


def intervals_of(
    table: pd.DataFrame,
    *,
    estimands: str | list[str] | None = None,
    log: bool = False,
    ax: Axes | None = None,
) -> Axes:
    """Draw means and intervals of a summary, one row for each estimand and system.

    Parameters
    ----------
    table : pandas.DataFrame
        A summary in the package's schema, of any model or instrument. Estimands in one plot should
        have one unit.
    estimands : str or list of str, optional
        Estimands to draw, in this order; all by default.
    log : bool, default False
        Whether the axis is logarithmic; means and limits must then be above 0.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    matplotlib.axes.Axes
        Hollow markers are values that rest on the model or the prior (``identified`` is not "yes").

    Raises
    ------
    ArgumentError
        If an argument is not allowed.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> import reliability_stats as rs
    >>> from reliability_stats.instruments import Escalation
    >>> data = {"escalated": [1, 0, 0], "failed": [1, 0, 0]}
    >>> ax = rs.plots.intervals_of(Escalation().fit(data, system=None).summary())
    >>> len(ax.get_yticklabels())
    6
    >>> plt.close(ax.figure)
    """
    data = intervals_of_data(table, estimands=estimands)
    if log and not (data[["mean", "lower", "upper"]] > 0).all(axis=None):
        raise ArgumentError("log=True needs means and limits above 0.")
    systems = list(dict.fromkeys(data["system"]))
    with drawing(ax, width=4.6) as axes:
        if ax is None:
            set_height(axes, 0.9 + 0.16 * len(data) + 0.14 * data["estimand"].nunique())
        _draw(axes, data, systems, log)
    return axes


def _draw(ax: Axes, data: pd.DataFrame, systems: list[str], log: bool) -> None:
    """Draw the rows, grouped by estimand."""
    from matplotlib.lines import Line2D

    names = list(dict.fromkeys(data["estimand"]))
    place, ticks = 0.0, []
    for name in names:
        part: Any = data[data["estimand"] == name]
        y = place + np.arange(len(part))
        ticks.append(float(y.mean()))
        for at, row in zip(y, part.itertuples(index=False), strict=True):
            look = system_look(systems.index(row.system))
            ax.hlines(at, row.lower, row.upper, color=look.edge, lw=1.5, zorder=2)
            face = look.face if row.identified == "yes" else ax.get_facecolor()
            ax.plot(
                row.mean, at, marker=look.marker, mfc=face, mec=look.edge, ms=5, ls="none", zorder=3
            )
        place = y[-1] + 1.6
    if log:
        ax.set_xscale("log")
    elif (data["lower"] >= 0).all():
        ax.set_xlim(left=0.0)
    ax.set_yticks(ticks, [literal(text) for text in shorten_to(ax, names, 150.0)])
    ax.set_ylim(place - 0.9, -0.7)
    above(ax, 0.0, f"mean and {percent(data['prob'].iloc[0])} interval")
    label_axes(ax, x="value")
    if len(systems) > 1:
        looks = [system_look(i) for i in range(len(systems))]
        handles = [
            Line2D([], [], color=x.edge, marker=x.marker, mfc=x.face, ms=5, lw=1.5) for x in looks
        ]
        add_key(ax, handles, [shorten(name, 40) for name in systems], loc="best")
