"""Rates of incidents of each failure class, with their intervals."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..exceptions import ArgumentError
from ..instruments.incident_posterior import IncidentPosterior
from ._data import check_columns, rows_of
from ._labels import above, add_key
from ._style import drawing, figure_of, ink, set_height, small, system_look
from ._text import literal, percent, shorten_all

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

COLUMNS = ("system", "failure_class", "incidents", "mean", "lower", "upper", "prob", "unit")


def incident_rates_data(post: IncidentPosterior, *, prob: float = 0.95) -> pd.DataFrame:
    """Compute what `incident_rates` draws.

    Parameters
    ----------
    post : IncidentPosterior
        From `IncidentRates().fit`.
    prob : float in (0, 1), default 0.95
        Mass of the intervals.

    Returns
    -------
    pandas.DataFrame
        system, failure_class, incidents, mean, lower, upper, prob, unit; by falling rate.

    Raises
    ------
    ArgumentError
        If an argument is not allowed.

    Examples
    --------
    >>> import reliability_stats as rs
    >>> from reliability_stats.instruments import IncidentRates, Incidents
    >>> table = {"failure_class": ["plan", "tool"], "incidents": [1, 7], "exposure": 1200}
    >>> post = IncidentRates().fit(Incidents.from_counts(table))
    >>> rs.plots.incident_rates_data(post)["failure_class"].tolist()
    ['tool', 'plan']
    """
    if not isinstance(post, IncidentPosterior):
        raise ArgumentError(
            "incident_rates takes an IncidentPosterior or the result of incident_rates_data, not "
            f"{type(post).__name__}."
        )
    data = post.summary(prob=prob).assign(
        incidents=post.incidents.incidents, unit=post.incidents.unit
    )
    order = data.groupby("failure_class", sort=False)["mean"].transform("max")
    data = data.assign(order=-order).sort_values(["order", "failure_class", "system"])
    return data[list(COLUMNS)].reset_index(drop=True)


def incident_rates(
    post: IncidentPosterior | pd.DataFrame, *, prob: float = 0.95, ax: Axes | None = None
) -> Axes:
    """Draw the rate of every failure class with its interval, on a logarithmic axis.

    Open markers stand for classes without incidents: only the right end of their interval, a bound,
    says something, and it is drawn as an arrow to the left.

    Parameters
    ----------
    post : IncidentPosterior or pandas.DataFrame
        From `IncidentRates().fit`, or what `incident_rates_data` made of it.
    prob : float in (0, 1), default 0.95
        Mass of the intervals.
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
    >>> from reliability_stats.instruments import IncidentRates, Incidents
    >>> table = {"failure_class": ["plan", "tool"], "incidents": [1, 7], "exposure": 1200}
    >>> post = IncidentRates().fit(Incidents.from_counts(table))
    >>> ax = rs.plots.incident_rates(post)
    >>> ax.get_xlabel()
    'incidents per run'
    >>> plt.close(ax.figure)
    """
    import pandas as pd

    if isinstance(post, pd.DataFrame):
        data = check_columns(post, COLUMNS, "incident_rates_data")
    else:
        data = incident_rates_data(post, prob=prob)
    with drawing(ax, width=4.5) as axes:
        _draw(axes, data)
        if ax is None:
            set_height(axes, 0.9 + 0.22 * len(data))
            figure_of(axes)
    return axes


def _draw(ax: Axes, data: pd.DataFrame) -> None:
    """Draw a line for each class and system."""
    from matplotlib.lines import Line2D
    from matplotlib.ticker import FuncFormatter, NullFormatter

    systems = list(dict.fromkeys(data["system"]))
    y = np.arange(len(data))
    left = float(data.loc[data["incidents"] > 0, "lower"].min())
    if not np.isfinite(left) or left <= 0:
        left = float(data["upper"].min()) / 100
    ax.set_xscale("log")
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    ax.xaxis.set_minor_formatter(NullFormatter())
    for i, row in enumerate(rows_of(data)):
        look = system_look(systems.index(row.system))
        none = row.incidents == 0
        low = left / 2 if none else max(float(row.lower), left / 2)
        ax.plot([low, row.upper], [i, i], color=look.edge, lw=1.2, solid_capstyle="butt", zorder=2)
        if none:
            ax.plot(low, i, "<", color=look.edge, ms=4, clip_on=False, zorder=3)
        face = ax.get_facecolor() if none else look.face
        at = max(float(row.mean), left / 2)
        ax.plot(at, i, look.marker, mfc=face, mec=look.edge, ms=5, zorder=4)
    names = shorten_all([str(name) for name in data["failure_class"]], 30)
    counts = data["incidents"].tolist()
    ax.set_yticks(y, [literal(f"{name} ({n})") for name, n in zip(names, counts, strict=True)])
    ax.set_ylim(len(data) - 0.5, -0.5)
    ax.tick_params(axis="y", length=0)
    ax.grid(axis="x", lw=0.4, alpha=0.4, color=ink())
    ax.set_xlim(left / 2, 1.3 * float(data["upper"].max()))
    ax.set_xlabel(literal(f"incidents per {data['unit'].iloc[0]}"))
    above(ax, 0.0, f"mean and {percent(data['prob'].iloc[0])} interval; incidents in brackets")
    if len(systems) > 1:
        handles = [
            Line2D([], [], ls="-", color=system_look(s).edge, marker=system_look(s).marker, ms=5)
            for s in range(len(systems))
        ]
        add_key(ax, handles, shorten_all(systems, 30), loc="best", fontsize=small())
