"""What all plots share: colours, markers, sizes, and the Axes that they draw on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from numbers import Real
from typing import TYPE_CHECKING, Any, cast

from ..exceptions import ArgumentError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTHS = {1: 3.35, 2: 7.0}
"""Inches of one and of two columns of a journal."""
FONT_SIZE = 8.0
PAD = 0.04
"""Inches around the contents of a figure."""

DARK, LIGHT = "#333333", "#CCCCCC"
"""Softened black, and what takes its place on dark backgrounds."""
PALETTE = ("#0072B2", "#E69F00", "#009E73", "#D55E00", DARK, "#56B4E9", "#CC79A7")
"""Okabe and Ito (2008), black softened, without yellow, which is lost on white."""
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "<", ">")
"""Nine, so that with seven colours the first 63 systems all look different."""


@dataclass(frozen=True)
class Look:
    """How something is drawn: fill, line and marker."""

    face: str
    edge: str
    marker: str


PERSISTENT, FLICKERING, NOT_SHOWN = "persistent", "flickering", "not yet shown"
UNDETERMINED = "undetermined"
STATES = {
    PERSISTENT: Look("#0B4F7D", "#0B4F7D", "o"),
    FLICKERING: Look("#EE9A3A", "#B85C00", "D"),
    NOT_SHOWN: Look("#D3DAE0", "#66727C", "v"),
}
"""Dark, middle and light, so that they differ in grey as well."""


def system_look(position: int) -> Look:
    """Give colour and marker of the system at a position; the same in all plots."""
    import matplotlib as mpl

    colour = PALETTE[position % len(PALETTE)]
    if colour == DARK and sum(mpl.colors.to_rgb(ink())) > 1.5:
        colour = LIGHT
    return Look(colour, colour, MARKERS[position % len(MARKERS)])


_width: ContextVar[float | None] = ContextVar("reliability_stats_plot_width", default=None)


@contextmanager
def style(columns: int = 1, *, font_size: float = FONT_SIZE) -> Iterator[None]:
    """Set sizes for print while the context lasts.

    Figures that the plots of this package make inside it are one or two columns of a journal wide;
    own figures made inside it take the same fonts, sizes and lines. Outside, nothing changes.

    Parameters
    ----------
    columns : {1, 2}, default 1
        3.35 or 7 inches wide.
    font_size : float in [4, 40], default 8
        Size of text in points; small text is 7/8 of it.

    Yields
    ------
    None

    Raises
    ------
    ArgumentError
        If an argument is not allowed.

    Notes
    -----
    Text stays text in PDF and SVG files, so that it can be searched and edited.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> import reliability_stats as rs
    >>> post = rs.fit(rs.datasets.load("tau-bench-airline-gpt4o"))
    >>> with rs.plots.style(columns=1):
    ...     ax = rs.plots.pass_curves(post)
    >>> float(ax.figure.get_figwidth())
    3.35
    >>> plt.close(ax.figure)
    """
    import matplotlib as mpl

    if isinstance(columns, bool) or columns not in WIDTHS:
        raise ArgumentError(f"columns must be 1 or 2, not {columns!r}.")
    given: Any = font_size
    if isinstance(given, bool) or not isinstance(given, Real) or not 4 <= float(given) <= 40:
        raise ArgumentError(f"font_size must be a number of points in [4, 40], not {font_size!r}.")
    width = WIDTHS[columns]
    token = _width.set(width)
    try:
        with mpl.rc_context(_settings(width, float(font_size))):
            yield
    finally:
        _width.reset(token)


def _settings(width: float, size: float) -> dict[Any, Any]:
    """Give the rcParams of a figure for print."""
    return {
        "figure.figsize": (width, 0.75 * width),
        "figure.constrained_layout.use": True,
        "font.size": size,
        "axes.titlesize": size,
        "axes.labelsize": size,
        "xtick.labelsize": 0.875 * size,
        "ytick.labelsize": 0.875 * size,
        "legend.fontsize": 0.875 * size,
        "legend.frameon": False,
        "axes.linewidth": 0.6,
        "xtick.major.width": 0.6,
        "ytick.major.width": 0.6,
        "xtick.major.size": 3.0,
        "ytick.major.size": 3.0,
        "lines.linewidth": 1.2,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "savefig.dpi": 300,
        "pdf.fonttype": 42,
        "ps.fonttype": 42,
        "svg.fonttype": "none",
    }


@contextmanager
def drawing(ax: Any, *, width: float, layout: str = "constrained") -> Iterator[Axes]:
    """Give the Axes to draw on: those given, as they are, or those of a new figure in our style.

    `width` is the width of a new figure outside `style`; its height is for the caller to set.
    """
    if ax is not None:
        yield _checked(ax)
        return
    import matplotlib as mpl
    from matplotlib import pyplot as plt

    wide = _width.get()
    size = float(mpl.rcParams["font.size"]) if wide else FONT_SIZE
    with mpl.rc_context(_settings(wide or width, size)):
        figure, new = plt.subplots(layout=layout)
        try:
            # Ticks are made lazily, when the context has ended.
            new.tick_params(which="both", labelsize=0.875 * size, width=0.6, length=3)
            yield new
        except BaseException:
            plt.close(figure)
            raise


def _checked(ax: Any) -> Axes:
    """Give plain matplotlib Axes, or say what came instead."""
    from matplotlib.axes import Axes

    if not isinstance(ax, Axes):
        hint = {
            "Figure": "; give figure.subplots()",
            "ndarray": "; give one of its entries",
            "list": "; give one of its entries",
        }.get(type(ax).__name__, "")
        raise ArgumentError(
            f"ax must be one matplotlib Axes or None, not a {type(ax).__name__}{hint}."
        )
    if ax.name != "rectilinear":
        raise ArgumentError(f"ax must have rectilinear axes, but these are {ax.name}.")
    return ax


def figure_of(ax: Axes) -> Figure:
    """Give the figure that Axes belong to, even through subfigures."""
    return cast("Figure", cast("Any", ax.figure).figure)


def set_height(ax: Axes, inches: float) -> None:
    """Set the height of a new figure and settle its layout, so that text can be measured."""
    figure_of(ax).set_figheight(inches)
    _lay_out(ax)


def trim_height(ax: Axes) -> None:
    """Take away what a new figure has in height beyond its contents, as with equal axes."""
    figure = figure_of(ax)
    _lay_out(ax)
    needed = figure.get_tightbbox().height + 2 * PAD
    if needed < figure.get_figheight() - 0.02:
        set_height(ax, needed)


def _lay_out(ax: Axes) -> None:
    """Move the Axes to where they will be when the figure is drawn."""
    figure = figure_of(ax)
    engine = figure.get_layout_engine()
    if engine is not None:
        engine.execute(figure)
    ax.apply_aspect()


def ink() -> str:
    """Colour of text and lines that carry no other meaning."""
    import matplotlib as mpl

    return str(mpl.rcParams["text.color"])


def backing(ax: Axes) -> dict[str, Any]:
    """Give the look of a box behind text that keeps it readable over lines."""
    return {"boxstyle": "square,pad=0.0", "fc": ax.get_facecolor(), "ec": "none", "alpha": 0.6}


def small() -> float:
    """Size of small text in points."""
    import matplotlib as mpl

    return 0.875 * float(mpl.rcParams["font.size"])
