"""Tasks by the chance that their state is wrong, with the line that false discoveries draw."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..exceptions import ArgumentError
from ..flicker import Flags
from ..flicker._states import STATES as LABELS
from ._data import chosen
from ._style import FLICKERING, NOT_SHOWN, PERSISTENT, STATES, drawing, ink, set_height, small
from ._text import literal, percent

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

LOOKS = dict(zip(LABELS, (NOT_SHOWN, FLICKERING, PERSISTENT), strict=True))


def flicker_map_data(flags: Flags, *, system: str | None = None) -> pd.DataFrame:
    """Compute what `flicker_map` draws.

    Parameters
    ----------
    flags : Flags
        The result of `flag_flicker`.
    system : str, optional
        Which system; by default the only one.

    Returns
    -------
    pandas.DataFrame
        One row a task, by most likely state and then by the chance that it is wrong: task, likely,
        p_wrong, mean_wrong (the mean of p_wrong up to this task, within the state), labelled,
        rank (from 1, within the state).

    Raises
    ------
    ArgumentError
        If an argument is not allowed.

    Examples
    --------
    >>> import reliability_stats as rs
    >>> flags = rs.flag_flicker(rs.fit(rs.datasets.load("tau-bench-airline-gpt4o")))
    >>> data = rs.plots.flicker_map_data(flags)
    >>> data[data["labelled"]]["mean_wrong"].round(4).iloc[-1]
    np.float64(0.0436)
    """
    if not isinstance(flags, Flags):
        raise ArgumentError(
            f"flicker_map takes the result of flag_flicker, not {type(flags).__name__}."
        )
    names = flags.systems["system"].tolist()
    if system is None and len(names) > 1:
        raise ArgumentError(f"Name one system of: {', '.join(map(str, names[:20]))}.")
    name = names[chosen(system, names)[0]]
    cells = flags.cells
    if "condition" in cells:
        label = cells["system"].astype(str) + " [" + cells["condition"].astype(str) + "]"
        cells = cells[(label == name) | (cells["system"] == name)]
    else:
        cells = cells[cells["system"] == name]
    part = cells[["task", "likely", "state", "p_wrong", "n", "successes"]].copy()
    part["labelled"] = part["state"].isin(LABELS)
    order = {state: i for i, state in enumerate(LABELS)}
    part = part.assign(order=part["likely"].map(order))
    part = part.sort_values(["order", "p_wrong"], kind="stable").drop(columns="order")
    groups = part.groupby("likely", sort=False)["p_wrong"]
    part["rank"] = groups.cumcount() + 1
    part["mean_wrong"] = groups.cumsum() / part["rank"]
    out: pd.DataFrame = part.reset_index(drop=True)
    return out


def flicker_map(flags: Flags, *, system: str | None = None, ax: Axes | None = None) -> Axes:
    """Draw how sure the state of each task is, and which tasks may be labelled.

    Parameters
    ----------
    flags : Flags
        The result of `flag_flicker`.
    system : str, optional
        Which system; by default the only one.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    matplotlib.axes.Axes
        One marker a task: filled if labelled, open if undetermined. The line is the mean chance of
        being wrong among the surest tasks of a state; labels go on while it is under the dotted
        line, the false discovery rate asked for.

    Raises
    ------
    ArgumentError
        If an argument is not allowed.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> import reliability_stats as rs
    >>> flags = rs.flag_flicker(rs.fit(rs.datasets.load("tau-bench-airline-gpt4o")))
    >>> ax = rs.plots.flicker_map(flags)
    >>> plt.close(ax.figure)
    """
    data = flicker_map_data(flags, system=system)
    fdr = float(flags.settings["fdr"])
    with drawing(ax, width=5.2) as axes:
        start, ticks = 0, []
        for state, part in data.groupby("likely", sort=False):
            look = STATES[LOOKS[str(state)]]
            x = start + np.arange(1, len(part) + 1)
            face = np.where(part["labelled"], look.face, "none")
            axes.scatter(
                *(x, part["p_wrong"]), s=26, marker=look.marker, c=face.tolist(),
                edgecolors=look.edge, linewidths=0.9, zorder=3,
            )  # fmt: skip
            axes.plot(x, part["mean_wrong"], color=look.edge, lw=1.2, zorder=2)
            many = int(part["labelled"].sum())
            ticks.append((x.mean(), f"{state}\n{many} of {len(part)} labelled"))
            start += len(part) + max(2, len(data) // 20)
        axes.axhline(fdr, color=ink(), lw=0.9, ls=":")
        axes.text(1.0, fdr, f" {percent(fdr)}", transform=axes.get_yaxis_transform(), va="center",
                  fontsize=small())  # fmt: skip
        axes.set_xticks([x for x, _ in ticks], [literal(text) for _, text in ticks])
        axes.tick_params(axis="x", length=0)
        axes.set_ylim(-0.02, max(0.55, float(data["p_wrong"].max()) + 0.05))
        axes.set_ylabel("P(most likely state is wrong)")
        axes.set_title(
            "tasks by most likely state; filled: labelled; line: mean so far; dotted: allowed mean",
            loc="left",
            fontsize=small(),
        )
        if ax is None:
            set_height(axes, 3.0)
    return axes
