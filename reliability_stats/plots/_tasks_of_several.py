"""Tasks of several systems: a map of states."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .._numerics import FloatArray
from ..exceptions import ArgumentError
from ._labels import label_axes, shorten_to
from ._states import MIXED, ORDER, THIN, add_state_key
from ._style import STATES, UNDETERMINED, figure_of, ink, set_height, small
from ._text import in_two_lines, literal, shorten_all

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

SHARE = 0.36
"""Part of the width of a new figure that names of systems may take."""
MOST = 200
"""Systems that a map can hold."""
TILES = 300
"""Tasks up to which every cell is a tile of its own."""
BINS, SUBROWS = 200, 40
"""Columns into which more tasks are gathered, and steps of the mix of states in them."""
FULL, SMALL = 0.9, 0.3
"""Height of the tile of a determined and of an undetermined cell."""


def draw_several(ax: Axes, data: pd.DataFrame, *, own: bool) -> None:
    """Draw systems by tasks, both ordered by their mean."""
    rows, columns, units, tasks = _places(data)
    if len(units) > MOST:
        raise ArgumentError(
            f"A map holds at most {MOST} systems, not {len(units)}; choose some with systems=[...]."
        )
    unrun = len(units) * len(tasks) - len(data)
    if own:
        line = float(np.clip(240.0 / len(units), 1.35 * small(), 16.0)) / 72
        set_height(ax, 1.1 + line * len(units))
    single = len(tasks) <= TILES
    if single:
        _draw_tiles(ax, data, rows, columns, (len(units), len(tasks)))
    else:
        _draw_mix(ax, data, rows, columns, (len(units), len(tasks)))
    ax.set_xlim(-0.5, len(tasks) - 0.5)
    ax.set_ylim(len(units) - 0.45, -0.55)
    _label_systems(ax, units, own=own)
    ax.tick_params(axis="both", length=0)
    add_state_key(ax, data, own=own, drawn=THIN if single else MIXED, unrun=unrun)
    if own:
        set_height(ax, figure_of(ax).get_figheight())
    _label_tasks(ax, tasks)


def _places(data: pd.DataFrame) -> tuple[Any, Any, list[str], list[str]]:
    """Give row and column of every cell, and the names of rows and columns, by falling mean."""
    import pandas as pd

    out: list[Any] = []
    names: list[list[str]] = []
    for column in ("system", "task"):
        means = data.groupby(column, sort=False)["mean"].mean()
        order = means.sort_values(ascending=False, kind="stable").index
        out.append(order.get_indexer(pd.Index(data[column])))
        names.append([str(name) for name in order])
    return out[0], out[1], names[0], names[1]


def _draw_tiles(
    ax: Axes, data: pd.DataFrame, rows: Any, columns: Any, shape: tuple[int, int]
) -> None:
    """Draw one tile a cell: high if its state is determined, otherwise thin."""
    from matplotlib.collections import PolyCollection

    decided = (data["state"] != UNDETERMINED).to_numpy()
    corners = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) / 2
    centres = np.stack([columns, rows], axis=1)[:, None].astype(float)
    for state in ORDER:
        mask = (data["likely"] == state).to_numpy()
        look = STATES[state]
        height = np.where(decided[mask], FULL, SMALL)
        sides = np.stack([np.full(len(height), FULL), height], axis=1)[:, None]
        tiles = PolyCollection(
            list(centres[mask] + sides * corners),
            facecolor=look.face,
            edgecolor=look.edge,
            linewidth=0.25,
            label=state,
            rasterized=len(data) > 5000,
            zorder=2,
        )
        ax.add_collection(tiles, autolim=False)
    free = np.ones(shape, dtype=bool)
    free[rows, columns] = False
    y, x = np.nonzero(free)
    if len(x):
        box = (
            np.asarray(ax.get_window_extent().size)
            * 72.0
            / figure_of(ax).dpi
            / np.array(shape[::-1])
        )
        side = float(np.clip(0.5 * box.min(), 0.8, 4.0))
        ax.scatter(x, y, s=side**2, marker="x", c=ink(), lw=0.4, label="_not run", zorder=2)


def _draw_mix(
    ax: Axes, data: pd.DataFrame, rows: Any, columns: Any, shape: tuple[int, int]
) -> None:
    """Draw, for neighbouring tasks together, the shares of the states expected among them."""
    from matplotlib.colors import to_rgba

    bins = columns * BINS // shape[1]
    sizes = np.bincount(np.arange(shape[1]) * BINS // shape[1], minlength=BINS)
    cell = rows * BINS + bins
    shares: list[FloatArray] = []
    for name in ("p_persistent", "p_flickering", "p_not_shown"):
        total = np.bincount(cell, weights=data[name].to_numpy(), minlength=shape[0] * BINS)
        shares.append(total.reshape(shape[0], BINS) / sizes)
    ends = np.cumsum(shares, axis=0)
    level = 1 - (np.arange(SUBROWS) + 0.5) / SUBROWS
    level = (level - 0.5) / FULL + 0.5
    colours = np.array([to_rgba(STATES[state].face) for state in ORDER] + [(0, 0, 0, 0)])
    which = (level[:, None, None, None] > ends).sum(axis=1)
    which[(level < 0) | (level > 1)] = len(ORDER)
    image = colours[which].transpose(1, 0, 2, 3).reshape(shape[0] * SUBROWS, BINS, 4)
    ax.imshow(
        image,
        aspect="auto",
        interpolation="nearest",
        extent=(-0.5, shape[1] - 0.5, shape[0] - 0.5, -0.5),
        zorder=2,
    )


def _label_systems(ax: Axes, units: list[str], *, own: bool) -> None:
    """Name the rows, in two lines if names are long and rows are high."""
    figure = figure_of(ax)
    names = shorten_all(units, 30)
    if own:
        names = shorten_to(ax, units, SHARE * figure.get_figwidth() * 72.0)
    row = ax.get_window_extent().height * 72.0 / figure.dpi / len(units)
    if row > 2.2 * small() and any("…" in name for name in names):
        names = [in_two_lines(name, 18) for name in shorten_all(units, 36)]
    ax.set_yticks(np.arange(len(units)), [literal(name) for name in names])
    for text in ax.get_yticklabels():
        text.set_linespacing(1.0)


def _label_tasks(ax: Axes, tasks: list[str]) -> None:
    """Name the tasks if there is room, otherwise count them; say what is drawn together."""
    total = len(tasks)
    room = ax.get_window_extent().width * 72.0 / figure_of(ax).dpi
    if total * 1.15 * small() <= room:
        names = shorten_all(tasks, 20)
        upright = max(map(len, names)) * total * 0.7 * small() > room
        ax.set_xticks(
            np.arange(total),
            [literal(name) for name in names],
            rotation=90 if upright else 0,
            fontsize=small(),
        )
        return
    ticks = [t for t in ax.xaxis.get_major_locator().tick_values(1, total) if 1 < t <= total]
    ax.set_xticks([0, *(t - 1 for t in ticks)], [f"{t:,.0f}" for t in (1, *ticks)])
    label = f"task, of {total:,} by mean over systems"
    if total > TILES:
        label += f"; each column is the expected mix of {_about(total / BINS)} tasks"
    label_axes(ax, x=label)


def _about(number: float) -> str:
    """Write a number of tasks: "500", or "1 or 2" if it is not whole."""
    low, high = int(np.floor(number)), int(np.ceil(number))
    return f"{low:,}" if low == high else f"{low:,} or {high:,}"
