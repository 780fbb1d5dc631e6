"""Placing names next to what they name, and keys where there are too many."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from .._numerics import FloatArray
from ._placement import LEADER, place, sampled, spread
from ._style import backing, figure_of, ink, small
from ._text import in_two_lines, literal, shorten_all

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.legend import Legend
    from matplotlib.text import Text

KEY_MARK = 3.4
"""Width of mark and gaps of an entry of a key, in sizes of its text."""
LIMITS = (60, 50, 42, 36, 30, 25, 21, 18, 15, 12)
"""Numbers of characters to which names in a key may be shortened."""
LONG_KEY, READABLE = 24, 5
"""Rows of a key that are split in any case, and limits at which names are still easy to read."""


def text_sizes(ax: Axes, texts: Sequence[str], fontsize: float) -> FloatArray:
    """Measure texts: (texts, 2) width and height in points."""
    scale = 72.0 / figure_of(ax).dpi
    probe = ax.text(0, 0, "")
    sizes = []
    for text in texts:
        probe.set(text=literal(text), fontsize=fontsize)
        box = probe.get_window_extent()
        sizes.append((box.width * scale, box.height * scale))
    probe.remove()
    return np.array(sizes).reshape(-1, 2)


def label_axes(ax: Axes, *, x: str = "", y: str = "") -> None:
    """Label axes; a label longer than its axis is broken after a comma or semicolon."""
    ax.apply_aspect()
    box = ax.get_window_extent()
    for axis, text, room in ((ax.xaxis, x, box.width), (ax.yaxis, y, box.height)):
        if not text:
            continue
        axis.set_label_text(literal(text))
        extent = axis.label.get_window_extent()
        if max(extent.width, extent.height) > 1.03 * room:
            mark = "; " if "; " in text else ", "
            axis.set_label_text(literal(text.replace(mark, mark.rstrip() + "\n", 1)))


def shorten_to(ax: Axes, names: Sequence[str], room: float) -> list[str]:
    """Shorten names until the longest fits into `room` points."""
    for limit in LIMITS:
        short = shorten_all(names, limit)
        longest = sorted(short, key=len)[-8:]
        if text_sizes(ax, longest, small())[:, 0].max() <= room:
            break
    return short


def to_points(ax: Axes, xy: FloatArray) -> FloatArray:
    """Turn data coordinates into points of the page."""
    return np.asarray(ax.transData.transform(xy)) * 72.0 / figure_of(ax).dpi


def label_points(
    ax: Axes,
    xy: FloatArray,
    texts: Sequence[str],
    *,
    segments: FloatArray,
    rims: Sequence[FloatArray] = (),
) -> None:
    """Write a text next to every point, away from points, segments and one another.

    Parameters
    ----------
    ax : Axes
    xy : (points, 2) array
        In data coordinates.
    texts : list of str
    segments : (segments, 2, 2) array
        Lines to keep clear of, in data coordinates.
    rims : list of (vertices, 2) array
        Outlines that labels should rather not cross, in data coordinates.
    """
    size = small()
    ax.apply_aspect()
    frame = to_points(ax, _corners(ax))
    marks = to_points(ax, xy)
    lines = sampled(to_points(ax, segments.reshape(-1, 2)).reshape(-1, 2, 2))
    soft = np.concatenate([to_points(ax, rim) for rim in rims]) if rims else np.empty((0, 2))
    offsets = place(marks, text_sizes(ax, texts, size), frame, lines, soft)
    for point, text, offset, gap in zip(xy, texts, *offsets, strict=True):
        arrow = {"arrowstyle": "-", "lw": 0.5, "color": ink(), "shrinkA": 0, "shrinkB": 2.5}
        ax.annotate(
            literal(text),
            tuple(point),
            xytext=tuple(offset),
            textcoords="offset points",
            ha="center",
            va="center",
            fontsize=size,
            color=ink(),
            annotation_clip=False,
            arrowprops=arrow if gap >= LEADER else None,
            bbox=backing(ax),
            zorder=6,
        )


def _corners(ax: Axes) -> FloatArray:
    """Give the two corners of the view in data coordinates."""
    return np.array([ax.get_xlim(), ax.get_ylim()]).T


def above(ax: Axes, x: float, text: str) -> Text:
    """Write a small note above the Axes, from the left (x = 0) or to the right end (x = 1)."""
    return ax.annotate(
        literal(text),
        (x, 1.0),
        xycoords="axes fraction",
        xytext=(0, 2.5),
        textcoords="offset points",
        ha="right" if x else "left",
        va="bottom",
        fontsize=small(),
        color=ink(),
    )


def end_labels(
    ax: Axes, x: float, y: FloatArray, names: Sequence[str], colours: Sequence[str]
) -> None:
    """Write names at the right of the Axes, each tied to the end of its curve at (x, y)."""
    size = small()
    texts = [in_two_lines(name, 20) for name in shorten_all(names, 38)]
    lines = 1 + max(text.count("\n") for text in texts)
    height = ax.get_window_extent().height * 72.0 / figure_of(ax).dpi
    low, high = ax.get_ylim()
    line = 1.25 * lines * size / height * (high - low)
    places = spread(y, line, low + line / 2, high - line / 2)
    for value, place_, text, colour in zip(y, places, texts, colours, strict=True):
        ax.annotate(
            literal(text),
            (x, value),
            xytext=(1.0, place_),
            xycoords="data",
            textcoords=ax.get_yaxis_transform(),
            ha="left",
            va="center",
            fontsize=size,
            color=ink(),
            linespacing=1.0,
            annotation_clip=False,
            arrowprops={
                "arrowstyle": "-",
                "lw": 0.7,
                "color": colour,
                "shrinkA": 1,
                "shrinkB": 1,
                "relpos": (0, 0.5),
            },
            zorder=6,
        )


def add_key(
    parent: Axes | Figure, handles: Sequence[Any], texts: Sequence[str], **options: Any
) -> Legend:
    """Add a legend whose texts are shown as they are, even those that begin with "_"."""
    options = {
        "frameon": False,
        "fontsize": small(),
        "borderaxespad": 0.0,
        "handletextpad": 0.3,
        "labelspacing": 0.35,
        "columnspacing": 1.0,
        "handlelength": 1.2,
    } | options
    legend = parent.legend(list(handles), [f"{i}" for i in range(len(texts))], **options)
    for item, text in zip(legend.get_texts(), texts, strict=True):
        item.set_text(literal(text))
    return legend


def numbered(
    ax: Axes, names: Sequence[str], room: float, columns: int | None = None
) -> tuple[list[str], int]:
    """Put numbers before names, and shorten these until they fit into columns.

    Parameters
    ----------
    ax : Axes
        Any of the figure, to measure on.
    names : list of str
    room : float
        Width of all columns together, in points.
    columns : int, optional
        By default as many as leave names readable, or two if one would be too long.

    Returns
    -------
    texts : list of str
    columns : int
    """
    size = small()
    plans: list[tuple[int, tuple[int, ...]]] = [(columns or 1, LIMITS)]
    if columns is None:
        plans = [(count, LIMITS[:READABLE]) for count in (4, 3, 2) if count <= len(names)]
        plans.append((1 if len(names) <= LONG_KEY else 2, LIMITS))
    for count, allowed in plans:
        for limit in allowed:
            short = shorten_all(names, limit)
            texts = [f"{i}  {name}" for i, name in enumerate(short, start=1)]
            longest = sorted(texts, key=len)[-8:]
            width = float(text_sizes(ax, longest, size)[:, 0].max()) + KEY_MARK * size
            if count * width <= room:
                return texts, count
    return texts, count
