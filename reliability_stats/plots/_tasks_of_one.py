"""Tasks of one system: mean and interval of each success probability, in order."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ._labels import label_axes
from ._states import OPEN, ORDER, add_state_key
from ._style import STATES, UNDETERMINED, figure_of, ink, set_height, small
from ._text import literal, percent, shorten, shorten_all

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

NAMED = 60
"""Tasks up to which each has its name in a new figure."""
DRAWN = 250
"""Tasks up to which all are drawn."""


def draw_one(ax: Axes, data: pd.DataFrame, *, own: bool) -> None:
    """Draw the tasks of one system, the one with the highest mean at the top."""
    total = len(data)
    every = -(-total // DRAWN)
    place = np.arange(total)[(every - 1) // 2 :: every]
    shown = data.iloc[place]
    if own:
        line = 1.25 * small() / 72
        set_height(ax, 1.25 + max(4, total) * line if total <= NAMED else 5.0)
    ax.set_xlim(-0.02, 1.02)
    ax.set_xticks([0, 0.2, 0.4, 0.6, 0.8, 1])
    ax.set_ylim(total - 0.4, -0.6)
    interval = percent(float(data["prob"].iloc[0]))
    label_axes(ax, x=f"success probability of the task, mean and {interval} interval")
    for name in ("low", "high"):
        ax.axvline(float(data[name].iloc[0]), color=ink(), lw=0.5, ls=(0, (1, 2)), zorder=1)
    room = ax.get_window_extent().height * 72.0 / figure_of(ax).dpi
    _draw_states(ax, shown, place, room)
    _label_tasks(ax, data, every, room)
    name = shorten(str(data["system"].iloc[0]), 60)
    add_state_key(ax, data, own=own, drawn=OPEN, title=name)
    if own:
        set_height(ax, figure_of(ax).get_figheight())


def _draw_states(ax: Axes, shown: pd.DataFrame, place: np.ndarray, room: float) -> None:
    """Draw means and intervals, one collection of each for every state."""
    row = room / max(len(place), 1)
    size = float(np.clip(0.55 * row, 1.6, 4.5))
    for state in ORDER:
        look = STATES[state]
        for decided in (True, False):
            known = shown["state"] != UNDETERMINED
            mask = ((shown["likely"] == state) & (known == decided)).to_numpy()
            if not mask.any():
                continue
            part, y = shown[mask], place[mask]
            ax.hlines(
                y,
                part["lower"],
                part["upper"],
                colors=look.edge,
                lw=float(np.clip(0.2 * row, 0.3, 1.0)),
                label="_interval",
                zorder=2,
                rasterized=len(place) > 1000,
            )
            ax.scatter(
                part["mean"],
                y,
                s=size**2,
                marker=look.marker,
                facecolor=look.face if decided else ax.get_facecolor(),
                edgecolor=look.edge,
                linewidth=min(0.8, 0.2 * size),
                label=state if decided else f"_{state}",
                clip_on=False,
                zorder=3,
            )


def _label_tasks(ax: Axes, data: pd.DataFrame, every: int, room: float) -> None:
    """Name the tasks if there is room, otherwise count them."""
    total = len(data)
    if total * 1.15 * small() <= room:
        names = shorten_all(list(data["task"]), 26)
        ax.set_yticks(np.arange(total), [literal(name) for name in names], fontsize=small())
        ax.tick_params(axis="y", length=0)
        return
    ticks = [t for t in ax.yaxis.get_major_locator().tick_values(1, total) if 1 < t <= total]
    ax.set_yticks([0, *(t - 1 for t in ticks)], [f"{t:,.0f}" for t in (1, *ticks)])
    label = f"task, of {total:,} by mean"
    label_axes(ax, y=label + (f"; 1 in {every:,} drawn" if every > 1 else ""))
