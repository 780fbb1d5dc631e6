"""Rates over periods, with bands."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..exceptions import ArgumentError
from ..history.drift_posterior import DriftPosterior
from ._data import check_columns
from ._style import drawing, figure_of, set_height, small, system_look
from ._text import literal, shorten

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

COLUMNS = ("estimand", "system", "period", "n", "successes", "mean", "lower", "upper", "prob")
MOST_TICKS = 8


def drift_bands_data(
    post: DriftPosterior, estimand: object = None, *, prob: float = 0.95
) -> pd.DataFrame:
    """Compute what `drift_bands` draws.

    Parameters
    ----------
    post : DriftPosterior
        A fit of `Drift`.
    estimand : SuccessRate, PassHatK or PassAtK, optional
        The success rate by default.
    prob : float in (0, 1), default 0.95
        Mass of the bands.

    Returns
    -------
    pandas.DataFrame
        As `DriftPosterior.periods` gives it.

    Raises
    ------
    ArgumentError
        If an argument is not allowed.

    Examples
    --------
    >>> import reliability_stats as rs
    >>> table = {"task": [0] * 3, "week": [1, 2, 3], "n": [40] * 3, "successes": [20, 22, 18]}
    >>> trials = rs.Trials.from_counts(table, system=None, condition="week")
    >>> post = rs.Drift(period="week", tasks="same").fit(trials)
    >>> rs.plots.drift_bands_data(post)["period"].tolist()
    ['1', '2', '3']
    """
    if not isinstance(post, DriftPosterior):
        raise ArgumentError(
            "drift_bands takes a fit of Drift or the result of drift_bands_data, not "
            f"{type(post).__name__}."
        )
    return post.periods(estimand, prob=prob)  # type: ignore[arg-type]


def drift_bands(
    post: DriftPosterior | pd.DataFrame,
    estimand: object = None,
    *,
    prob: float = 0.95,
    ax: Axes | None = None,
) -> Axes:
    """Draw the rate of each system over periods: mean, band, and the shares that were seen.

    Parameters
    ----------
    post : DriftPosterior or pandas.DataFrame
        A fit of `Drift`, or what `drift_bands_data` made of it.
    estimand : SuccessRate, PassHatK or PassAtK, optional
        The success rate by default.
    prob : float in (0, 1), default 0.95
        Mass of the bands, for each period by itself.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    matplotlib.axes.Axes
        Holds a line, a band and (for the success rate) markers for each system.

    Raises
    ------
    ArgumentError
        If an argument is not allowed.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> import reliability_stats as rs
    >>> table = {"task": [0] * 3, "week": [1, 2, 3], "n": [40] * 3, "successes": [20, 22, 18]}
    >>> trials = rs.Trials.from_counts(table, system=None, condition="week")
    >>> ax = rs.plots.drift_bands(rs.Drift(period="week", tasks="same").fit(trials))
    >>> ax.get_ylabel()
    'success rate'
    >>> plt.close(ax.figure)
    """
    import pandas as pd

    if isinstance(post, pd.DataFrame):
        data = check_columns(post, COLUMNS, "drift_bands_data")
    else:
        data = drift_bands_data(post, estimand, prob=prob)
    data = data[data["estimand"] == data["estimand"].iloc[0]]
    labels = list(dict.fromkeys(data["period"]))
    if data.groupby("system")["period"].agg(tuple).nunique() > 1:
        whole = data.groupby("system")["period"].agg(list)
        longest = max(whole, key=len)
        labels = longest + [label for label in labels if label not in longest]
    with drawing(ax, width=4.5) as axes:
        _draw(axes, data, {label: i for i, label in enumerate(labels)})
        if ax is None:
            set_height(axes, 0.62 * figure_of(axes).get_figwidth())
    return axes


def _draw(ax: Axes, data: pd.DataFrame, place: dict[str, int]) -> None:
    """Draw all systems."""
    name = str(data["estimand"].iloc[0])
    systems = list(data.groupby("system", sort=False))
    for i, (system, part) in enumerate(systems):
        look = system_look(i)
        x = part["period"].map(place).to_numpy()
        label = literal(shorten(str(system), 30))
        ax.fill_between(x, part["lower"], part["upper"], color=look.face, alpha=0.18, lw=0)
        ax.plot(x, part["mean"], color=look.edge, label=label, marker=look.marker, ms=3)
        if name == "success_rate":
            seen = part["successes"] / part["n"]
            ax.plot(x, seen, ls="none", marker=look.marker, ms=3.5, mfc="none", mec=look.edge)
    ticks = np.unique(np.linspace(0, len(place) - 1, min(MOST_TICKS, len(place))).astype(int))
    names = list(place)
    texts = [literal(shorten(names[t], 16)) for t in ticks]
    long = max(map(len, texts)) > 6 and len(ticks) > 3
    ax.set_xticks(ticks, texts, rotation=30 if long else 0, ha="right" if long else "center")
    ax.set_ylim(-0.02, 1.02)
    ax.set_ylabel(name.replace("_", " "))
    ax.set_xlabel("period")
    if len(systems) > 1:
        ax.legend(loc="best", frameon=False, fontsize=small())
