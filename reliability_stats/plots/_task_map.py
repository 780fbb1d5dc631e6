"""Where a system is persistent, where it flickers, and where it has not been shown to succeed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .._validation import check_fraction, check_prob, check_thresholds
from ..estimands.thresholds import HIGH, LOW
from ..posterior import Posterior
from ._data import check_columns, chosen, same_setting
from ._style import (
    FLICKERING,
    NOT_SHOWN,
    PERSISTENT,
    UNDETERMINED,
    drawing,
)
from ._tasks_of_one import draw_one
from ._tasks_of_several import draw_several

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

SETTINGS = {"low": LOW, "high": HIGH, "prob": 0.95, "decide": 0.95}
COLUMNS = (
    "system",
    "position",
    "task",
    "n",
    "successes",
    "mean",
    "lower",
    "upper",
    "p_not_shown",
    "p_flickering",
    "p_persistent",
    "likely",
    "state",
    *SETTINGS,
)


def task_map_data(
    post: Posterior,
    *,
    low: float = LOW,
    high: float = HIGH,
    prob: float = 0.95,
    decide: float = 0.95,
    systems: str | list[str] | None = None,
) -> pd.DataFrame:
    """Compute what `task_map` draws.

    Parameters
    ----------
    post : Posterior
        A fit.
    low, high : float in [0, 1], default 0.10 and 0.90
        Success probabilities that bound flickering.
    prob : float in (0, 1), default 0.95
        Mass of the intervals.
    decide : float in [0, 1], default 0.95
        Probability from which a state counts as determined.
    systems : str or list of str, optional
        Systems to take; all by default.

    Returns
    -------
    pandas.DataFrame
        One row a cell, by system as asked for and then by falling mean: system (with its
        condition, if any), position (in ``post.systems``), task, n, successes, mean, lower, upper,
        p_not_shown, p_flickering, p_persistent, likely (the most probable state: "not yet shown",
        "flickering" or "persistent"), state (the same if its probability is at least `decide`,
        otherwise "undetermined"), and the settings low, high, prob, decide. Cells that were not run
        are absent.

    Raises
    ------
    ArgumentError
        If an argument is not allowed.

    Examples
    --------
    >>> import reliability_stats as rs
    >>> post = rs.fit(rs.datasets.load("tau-bench-airline-gpt4o"))
    >>> data = rs.plots.task_map_data(post)
    >>> data.groupby("successes")["state"].agg("first").to_dict()
    {0: 'undetermined', 1: 'undetermined', 2: 'flickering', 3: 'undetermined', 4: 'undetermined'}
    """
    low, high = check_thresholds(low, high)
    prob, decide = check_prob(prob), check_fraction(decide, "decide")
    rows = chosen(systems, post.systems)
    frame = post.tasks(prob=prob, low=low, high=high)
    unit = post.trials.counts.unit
    frame["system"] = np.array(post.systems, dtype=object)[unit]
    frame["position"] = unit
    chances = frame[["p_not_shown", "p_flickering", "p_persistent"]].to_numpy()
    states = np.array([NOT_SHOWN, FLICKERING, PERSISTENT], dtype=object)
    frame["likely"] = states[chances.argmax(axis=1)]
    frame["state"] = np.where(chances.max(axis=1) >= decide, frame["likely"], UNDETERMINED)
    for name, value in zip(SETTINGS, (low, high, prob, decide), strict=True):
        frame[name] = value
    rank = np.full(len(post.systems), -1)
    rank[rows] = np.arange(len(rows))
    order = np.lexsort((-frame["mean"].to_numpy(), rank[unit]))
    order = order[rank[unit[order]] >= 0]
    return frame.loc[order, list(COLUMNS)].reset_index(drop=True)


def task_map(
    post: Posterior | pd.DataFrame,
    *,
    low: float = LOW,
    high: float = HIGH,
    prob: float = 0.95,
    decide: float = 0.95,
    systems: str | list[str] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw the state of every task: persistent, flickering, not yet shown, or undetermined.

    For one system: the posterior mean and interval of the success probability of each task, ordered
    by the mean. For several: a map of systems by tasks. Colour and marker (in the map, colour) tell
    the most probable state; it is drawn open (in the map, thin) while its probability is less than
    `decide`.

    Parameters
    ----------
    post : Posterior or pandas.DataFrame
        A fit, or what `task_map_data` made of it.
    low, high : float in [0, 1], default 0.10 and 0.90
        Success probabilities that bound flickering.
    prob : float in (0, 1), default 0.95
        Mass of the intervals.
    decide : float in [0, 1], default 0.95
        Probability from which a state counts as determined.
    systems : str or list of str, optional
        Systems to draw; all by default.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    matplotlib.axes.Axes
        With one system it holds, for each state, a LineCollection labelled "_interval" and a
        PathCollection of means labelled with the state, after "_" if they are undetermined. With
        several it holds a PolyCollection labelled with each state, or one AxesImage if there are
        too many tasks. The legend is that of a new figure, otherwise of the Axes.

    Raises
    ------
    ArgumentError
        If an argument is not allowed or contradicts the data given, or if there are more than 200
        systems.

    Notes
    -----
    Many tasks are not all drawn, and the label of the axis says so: of one system every m-th in the
    order is drawn; of several, neighbours are drawn together as the mix of states expected among
    them. The legend always counts all.

    Few trials cannot show that a task is persistent: four successes in four trials are compatible
    with a success probability of 0.5. Such tasks stay undetermined.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> import reliability_stats as rs
    >>> post = rs.fit(rs.datasets.load("tau-bench-airline-gpt4o"))
    >>> ax = rs.plots.task_map(post)
    >>> ax.get_xlabel()
    'success probability of the task, mean and 95% interval'
    >>> plt.close(ax.figure)
    """
    if isinstance(post, Posterior):
        data = task_map_data(post, low=low, high=high, prob=prob, decide=decide, systems=systems)
    else:
        data = check_columns(post, COLUMNS, "task_map_data")
        given = {"low": low, "high": high, "prob": prob, "decide": decide}
        same_setting(data, SETTINGS, given)
        names = list(dict.fromkeys(data["system"]))
        data = data[data["system"].isin([names[i] for i in chosen(systems, names)])]
    one = data["position"].nunique() == 1
    with drawing(ax, width=5.0 if one else 7.0) as axes:
        if one:
            draw_one(axes, data, own=ax is None)
        else:
            draw_several(axes, data, own=ax is None)
    return axes
