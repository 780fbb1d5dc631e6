"""Incidents as they came, and the power-law process that was fitted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..exceptions import ArgumentError
from ..instruments.growth import IncidentGrowth
from ._data import check_columns
from ._labels import above, add_key
from ._style import drawing, figure_of, set_height, system_look
from ._text import percent, shorten_all

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

COLUMNS = ("system", "time", "observed", "mean", "lower", "upper", "prob")


def incident_growth_data(growth: IncidentGrowth, *, prob: float = 0.95) -> pd.DataFrame:
    """Compute what `incident_growth` draws.

    Parameters
    ----------
    growth : IncidentGrowth
        From `instruments.incident_growth`.
    prob : float in (0, 1), default 0.95
        Mass of the band.

    Returns
    -------
    pandas.DataFrame
        system, time, observed, mean, lower, upper, prob.

    Raises
    ------
    ArgumentError
        If an argument is not allowed.

    Examples
    --------
    >>> import reliability_stats as rs
    >>> growth = rs.instruments.incident_growth([2, 5, 11, 30, 71], end=100)
    >>> int(rs.plots.incident_growth_data(growth)["observed"].max())
    5
    """
    if not isinstance(growth, IncidentGrowth):
        raise ArgumentError(
            "incident_growth takes an IncidentGrowth or the result of incident_growth_data, not "
            f"{type(growth).__name__}."
        )
    return growth.expected(points=201, prob=prob)


def incident_growth(
    growth: IncidentGrowth | pd.DataFrame, *, prob: float = 0.95, ax: Axes | None = None
) -> Axes:
    """Draw the number of incidents up to each time, and the fitted expectation with its band.

    A line that bends downwards is growth of reliability. The band is that of the expected number;
    the steps themselves scatter about it.

    Parameters
    ----------
    growth : IncidentGrowth or pandas.DataFrame
        From `instruments.incident_growth`, or what `incident_growth_data` made of it.
    prob : float in (0, 1), default 0.95
        Mass of the band.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    ArgumentError
        If an argument is not allowed.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> import reliability_stats as rs
    >>> growth = rs.instruments.incident_growth([2, 5, 11, 30, 71], end=100)
    >>> ax = rs.plots.incident_growth(growth)
    >>> ax.get_ylabel()
    'incidents so far'
    >>> plt.close(ax.figure)
    """
    import pandas as pd

    if isinstance(growth, pd.DataFrame):
        data, unit = check_columns(growth, COLUMNS, "incident_growth_data"), ""
    else:
        data = incident_growth_data(growth, prob=prob)
        unit = " (days)" if growth.dated else ""
    with drawing(ax, width=4.0) as axes:
        _draw(axes, data)
        axes.set_xlabel(f"time since the start{unit}")
        if ax is None:
            set_height(axes, 0.75 * figure_of(axes).get_figwidth())
    return axes


def _draw(ax: Axes, data: pd.DataFrame) -> None:
    """Draw steps, line and band of each system."""
    from matplotlib.lines import Line2D

    groups = list(data.groupby("system", sort=False))
    handles = []
    styles = ("-", "--", ":", "-.")
    for i, (_, part) in enumerate(groups):
        colour, style = system_look(i).edge, styles[i % len(styles)]
        t = part["time"].to_numpy()
        ax.fill_between(t, part["lower"], part["upper"], color=colour, alpha=0.15, lw=0, zorder=1)
        ax.plot(t, part["mean"], color=colour, lw=1.2, ls=style, zorder=3)
        ax.step(t, part["observed"], where="post", color=colour, lw=0.8, alpha=0.9, zorder=2)
        handles.append(Line2D([], [], color=colour, lw=1.2, ls=style))
    ax.set_xlim(0, float(data["time"].max()))
    ax.set_ylim(0, 1.05 * float(np.maximum(data["upper"], data["observed"]).max()))
    ax.set_ylabel("incidents so far")
    note = f"steps: observed; line: expected, with {percent(data['prob'].iloc[0])} band"
    above(ax, 0.0, note)
    if len(groups) > 1:
        names = shorten_all([str(name) for name, _ in groups], 30)
        add_key(ax, handles, names, loc="upper left", borderaxespad=0.5)
