"""The legend of states, and how tasks are labelled."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ._labels import KEY_MARK, add_key, text_sizes
from ._style import (
    FLICKERING,
    NOT_SHOWN,
    PERSISTENT,
    STATES,
    UNDETERMINED,
    figure_of,
    ink,
    small,
)
from ._text import literal, percent

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

OPEN, THIN, MIXED = "undetermined, open", "undetermined, thin", "undetermined one by one"
"""How undetermined cells are drawn: open markers, thin tiles, or only as part of a mix."""
ORDER = (PERSISTENT, FLICKERING, NOT_SHOWN)


def meanings(data: pd.DataFrame, drawn: str) -> dict[str, str]:
    """Say what each state means and how many cells are in it, or are expected in a mix."""
    low, high, decide = (float(data[name].iloc[0]) for name in ("low", "high", "decide"))
    words = {
        PERSISTENT: f"persistent (p ≥ {high:g})",
        FLICKERING: f"flickering ({low:g} < p < {high:g})",
        NOT_SHOWN: f"not yet shown (p ≤ {low:g})",
        UNDETERMINED: f"{drawn} (none reaches {percent(decide)})",
    }
    number = data["state"].value_counts()
    count = {state: f"{int(number.get(state, 0)):,}" for state in words}
    if drawn == MIXED:
        chances = data[["p_persistent", "p_flickering", "p_not_shown"]].mean()
        count |= {
            state: f"{percent(round(share, 3))} expected"
            for state, share in zip(ORDER, chances, strict=True)
        }
    return {state: f"{word}: {count[state]}" for state, word in words.items()}


def add_state_key(
    ax: Axes,
    data: pd.DataFrame,
    *,
    own: bool,
    drawn: str,
    unrun: int = 0,
    title: str | None = None,
) -> None:
    """List the states above the Axes, with what they mean and how many cells are in them."""
    from matplotlib.lines import Line2D

    def handle(marker: str, face: Any, edge: Any, size: float = 6.0) -> Line2D:
        return Line2D([], [], ls="none", marker=marker, ms=size, mfc=face, mec=edge, mew=0.8)

    open_ = drawn == OPEN
    handles = [
        handle(STATES[state].marker if open_ else "s", STATES[state].face, STATES[state].edge)
        for state in ORDER
    ]
    if open_:
        handles.append(handle("o", ax.get_facecolor(), ink(), 5.0))
    else:
        handles.append(handle("_", ink(), ink() if drawn == THIN else "none"))
        handles[-1].set_markeredgewidth(2.2)
    labels = [*meanings(data, drawn).values()]
    if unrun:
        handles.append(handle("x", ink(), ink() if drawn == THIN else "none", 4.0))
        labels.append(f"not run{'' if drawn == THIN else ', left blank'}: {unrun:,}")
    figure = figure_of(ax)
    wide = figure.get_figwidth() * figure.dpi if own else ax.get_window_extent().width
    entry = text_sizes(ax, labels, small())[:, 0].max() + KEY_MARK * small()
    columns = max(1, min(len(labels), int(0.98 * wide * 72.0 / figure.dpi / entry)))
    options: dict[str, Any] = {"ncols": columns, "title": title and literal(title)}
    if own:
        options |= {"loc": "outside upper left", "borderaxespad": 0.3}
    else:
        options |= {"loc": "lower left", "bbox_to_anchor": (0.0, 1.0), "borderaxespad": 0.6}
    add_key(figure if own else ax, handles, labels, alignment="left", **options)
