"""How long success lasts: the chance that the next m trials succeed, having succeeded once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .._summary import usual_k
from .._validation import check_positive_int, check_prob
from ..estimands import Persistence
from ..exceptions import ArgumentError
from ..posterior import Posterior
from ._data import chosen
from ._style import drawing, set_height, small, system_look
from ._text import literal, percent, shorten

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

MOST = 9
"""Systems that can be told apart."""


def persistence_curve_data(
    post: Posterior,
    *,
    most: int = 8,
    prob: float = 0.95,
    over: str = "population",
    systems: str | list[str] | None = None,
) -> pd.DataFrame:
    """Compute what `persistence_curve` draws.

    Parameters
    ----------
    post : Posterior
        A fit.
    most : int >= 1, default 8
        Largest number of further trials m.
    prob : float in (0, 1), default 0.95
        Mass of the bands.
    over : {"population", "observed"}
        Tasks like these, or the very tasks of the table.
    systems : str or list of str, optional
        Systems to take; all by default.

    Returns
    -------
    pandas.DataFrame
        The rows of ``post.summary`` for ``Persistence(1)`` to ``Persistence(most)``, with columns m
        and position (of the system in the posterior).

    Raises
    ------
    ArgumentError
        If an argument is not allowed.

    Examples
    --------
    >>> import reliability_stats as rs
    >>> post = rs.fit(rs.datasets.load("tau-bench-airline-gpt4o"))
    >>> data = rs.plots.persistence_curve_data(post, most=4)
    >>> data[["m", "mean", "identified"]].round(2)
       m  mean identified
    0  1  0.66        yes
    1  2  0.50        yes
    2  3  0.41        yes
    3  4  0.35      model
    """
    if not isinstance(post, Posterior):
        raise ArgumentError(f"persistence_curve takes a Posterior, not {type(post).__name__}.")
    rows = chosen(systems, post.systems)
    steps = np.arange(1, check_positive_int(most, "most") + 1)
    wanted = [Persistence(int(m)) for m in steps]
    frame = post.summary(wanted, over=over, prob=check_prob(prob))
    size = len(post.systems)
    frame["m"] = np.repeat(steps, size)
    frame["position"] = np.tile(np.arange(size), len(steps))
    frame = frame[frame["position"].isin(rows)]
    return frame.sort_values(["position", "m"], kind="stable").reset_index(drop=True)


def persistence_curve(
    post: Posterior,
    *,
    most: int = 8,
    prob: float = 0.95,
    over: str = "population",
    systems: str | list[str] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw P(the next m trials succeed, given one success) for m = 1, 2, ...

    A system whose tasks are each solved always or never stays at 1; one that flickers falls.

    Parameters
    ----------
    post : Posterior
        A fit.
    most : int >= 1, default 8
        Largest number of further trials m.
    prob : float in (0, 1), default 0.95
        Mass of the bands.
    over : {"population", "observed"}
        Tasks like these, or the very tasks of the table.
    systems : str or list of str, optional
        Systems to draw, at most nine; all by default.
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
    >>> post = rs.fit(rs.datasets.load("simulated-three-systems"))
    >>> ax = rs.plots.persistence_curve(post, most=6)
    >>> plt.close(ax.figure)
    """
    data = persistence_curve_data(post, most=most, prob=prob, over=over, systems=systems)
    names = list(dict.fromkeys(data["system"]))
    if len(names) > MOST:
        raise ArgumentError(
            f"{len(names)} systems are too many to tell apart; name at most {MOST}."
        )
    known = usual_k(post.trials.counts) - 1
    with drawing(ax, width=4.2) as axes:
        for name in names:
            part = data[data["system"] == name]
            look = system_look(int(part["position"].iloc[0]))
            m, mean = part["m"].to_numpy(), part["mean"].to_numpy()
            axes.fill_between(m, part["lower"], part["upper"], color=look.face, alpha=0.15, lw=0)
            axes.plot(m[m <= known], mean[m <= known], "-", color=look.edge)
            later = m >= known
            axes.plot(m[later], mean[later], "--", color=look.edge, lw=1.0)
            axes.plot(m, mean, look.marker, color=look.edge, ms=4.5, ls="none")
            axes.plot(
                [],
                [],
                "-",
                marker=look.marker,
                color=look.edge,
                ms=4.5,
                label=literal(shorten(name, 28)),
            )
        axes.set_ylim(0.0, 1.02)
        axes.set_xticks(range(1, most + 1, max(1, most // 8)))
        axes.set_xlabel("further trials m")
        axes.set_ylabel("P(next m succeed | one success)")
        note = f"bands: {percent(prob)}"
        if most > known:
            note += "; dashed: beyond the trials run, the model's extrapolation"
        axes.set_title(note, loc="left", fontsize=small())
        axes.legend(frameon=False, fontsize=small())
        if ax is None:
            set_height(axes, 2.9)
    return axes
