"""Success against the length of tasks, with bands and what was seen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .._validation import check_k, check_prob
from ..horizon import HorizonPosterior
from ._data import check_columns, chosen, rows_of
from ._style import drawing, set_height, small, system_look
from ._text import literal, percent, shorten

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

COLUMNS = ("system", "position", "kind", "length", "k", "mean", "lower", "upper", "prob", "n_tasks")
BINS = 8


def horizon_data(
    post: HorizonPosterior,
    *,
    k: int = 1,
    prob: float = 0.95,
    systems: str | list[str] | None = None,
) -> pd.DataFrame:
    """Compute what `horizon` draws.

    Parameters
    ----------
    post : HorizonPosterior
        A fit of `Horizon`.
    k : int >= 1, default 1
        Number of trials that must all succeed.
    prob : float in (0, 1), default 0.95
        Mass of the bands.
    systems : str or list of str, optional
        Systems to take; all by default.

    Returns
    -------
    pandas.DataFrame
        One row for each system and length: system, position, kind ("curve"; "observed": mean over
        tasks of similar length of the unbiased estimate of the chance that all of k succeed),
        length, k, mean, lower, upper (NaN for what was observed), prob, n_tasks.

    Examples
    --------
    >>> import reliability_stats as rs
    >>> rows = {"task": [1, 2, 3, 4], "hours": [1, 2, 4, 8], "success": [1, 1, 0, 0]}
    >>> trials = rs.Trials.from_frame(rows, system=None, length="hours")
    >>> data = rs.plots.horizon_data(rs.Horizon(length="hours").fit(trials))
    >>> data["kind"].value_counts().to_dict()
    {'curve': 60, 'observed': 4}
    """
    import pandas as pd

    k, prob = check_k(k), check_prob(prob)
    curve = post.curve(k=k, prob=prob)
    parts = []
    for position in chosen(systems, post.systems):
        name = post.systems[position]
        mine = curve[curve["system"] == name].assign(kind="curve", position=position, n_tasks=0)
        parts += [mine, _observed(post, position, k, prob)]
    return pd.concat(parts, ignore_index=True)[list(COLUMNS)]


def _observed(post: HorizonPosterior, unit: int, k: int, prob: float) -> pd.DataFrame:
    """Average the unbiased estimates of tasks of similar length."""
    import pandas as pd
    from scipy.special import comb

    data = post.fits[unit].data
    enough = data.n >= k
    x = data.x[data.place][enough]
    rate = comb(data.successes[enough], k) / comb(data.n[enough], k)
    edges = np.linspace(data.x[0], data.x[-1], BINS + 1)
    place = np.clip(np.searchsorted(edges, x, side="right") - 1, 0, BINS - 1)
    rows = []
    for i in np.unique(place):
        some = place == i
        row = {"system": post.systems[unit], "position": unit, "kind": "observed", "k": k}
        row |= {"length": float(np.exp2(x[some].mean())), "mean": float(rate[some].mean())}
        rows.append(row | {"lower": np.nan, "upper": np.nan, "prob": prob, "n_tasks": some.sum()})
    return pd.DataFrame(rows, columns=list(COLUMNS))


def horizon(
    post: Any,
    *,
    k: int = 1,
    prob: float = 0.95,
    systems: str | list[str] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw success against the length of tasks.

    Lines are posterior means with bands; markers are means over tasks of similar length, larger for
    more tasks.

    Parameters
    ----------
    post : HorizonPosterior or pandas.DataFrame
        A fit of `Horizon`, or the result of `horizon_data`.
    k, prob, systems
        See `horizon_data`.
    ax : matplotlib.axes.Axes, optional
        Axes to draw on; new ones by default.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    ArgumentError
        If an argument is not of the right kind.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> import reliability_stats as rs
    >>> rows = {"task": [1, 2, 3, 4], "hours": [1, 2, 4, 8], "success": [1, 1, 0, 0]}
    >>> trials = rs.Trials.from_frame(rows, system=None, length="hours")
    >>> ax = rs.plots.horizon(rs.Horizon(length="hours").fit(trials))
    >>> ax.get_xscale()
    'log'
    >>> plt.close(ax.figure)
    """
    if isinstance(post, HorizonPosterior):
        label = str(post.trials.columns.get("length", "length"))
        data = horizon_data(post, k=k, prob=prob, systems=systems)
    else:
        label, data = "length", post
    data = check_columns(data, COLUMNS, "horizon_data")
    own = ax is None
    with drawing(ax, width=4.6) as ax:
        ax.set_xscale("log", base=2)
        for name, part in data.groupby("system", sort=False):
            _one(ax, str(name), part)
        ax.set_ylim(-0.02, 1.02)
        ax.set_xlabel(f"length of the task ({literal(label)})")
        used = int(data["k"].iloc[0])
        ax.set_ylabel("P(success)" if used == 1 else f"P(all of {used} trials succeed)")
        ax.xaxis.set_major_formatter(lambda value, _: f"{value:.6g}")
        ax.axhline(0.5, lw=0.5, ls=":", color="0.5", zorder=0)
        title = f"{percent(float(data['prob'].iloc[0]))} bands"
        ax.legend(fontsize=small(), title=title, title_fontsize=small(), frameon=False)
        if own:
            set_height(ax, 3.2)
    return ax


def _one(ax: Axes, name: str, part: pd.DataFrame) -> None:
    """Draw one system."""
    position = int(part["position"].iloc[0])
    look = system_look(position)
    curve = part[part["kind"] == "curve"]
    style = ("-", "--", "-.", ":")[position % 4]
    label = literal(shorten(name, 24))
    ax.plot(curve["length"], curve["mean"], style, color=look.edge, label=label)
    ax.fill_between(curve["length"], curve["lower"], curve["upper"], color=look.edge, alpha=0.15)
    for row in rows_of(part[part["kind"] == "observed"]):
        size = 2.5 + 1.2 * np.sqrt(row.n_tasks)
        ax.plot(row.length, row.mean, look.marker, color=look.edge, ms=min(size, 10), alpha=0.8)
