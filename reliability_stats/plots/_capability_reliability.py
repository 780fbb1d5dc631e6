"""Capability against reliability: pass@k and pass^k of every system, with joint regions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .._summary import usual_k
from .._validation import check_choice, check_k, check_over, check_prob
from ..estimands import Gap, PassAtK, PassHatK
from ..posterior import Posterior
from ._data import check_columns, chosen, rows_of, same_setting
from ._labels import add_key, label_axes, label_points, numbered
from ._region import highest_density_region
from ._style import drawing, figure_of, ink, set_height, small, system_look, trim_height
from ._text import literal, percent, shorten_all

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

COLUMNS = (
    "system",
    "position",
    "k",
    "over",
    "prob",
    "pass_at_k",
    "pass_hat_k",
    "gap",
    "identified",
    "region",
)
DRAWS = 5000
"""Draws in each chain where they are independent and cheap; they make the outlines smooth."""
FEW = 6
"""Systems up to which names are written next to the points, and gaps and filled regions drawn."""
VERY_FEW, SHORT_GAP = 3, 0.15
"""Systems up to which gaps are written out, and gap from which there is room for it."""
MOST_NAMES = 100
"""Systems beyond which none is named."""
MANY = 20
"""Systems beyond which the regions are only hinted at."""
TALL_KEY = 30
"""Systems beyond which a key goes below, in several columns."""
KEY_LINE = 1.42
"""Height of a line of the key, in sizes of its text."""
WHERE = ("auto", "points", "right", "below", "none")


def capability_reliability_data(
    post: Posterior,
    *,
    k: int | None = None,
    over: str = "population",
    prob: float = 0.95,
    systems: str | list[str] | None = None,
) -> pd.DataFrame:
    """Compute what `capability_reliability` draws.

    Parameters
    ----------
    post : Posterior
        A fit.
    k : int >= 2, optional
        Number of tries; the usual number of trials of a task by default, at least 2.
    over : {"population", "observed"}
        Tasks like these, or the very tasks of the table.
    prob : float in (0, 1), default 0.95
        Mass of the joint regions.
    systems : str or list of str, optional
        Systems to take; all by default.

    Returns
    -------
    pandas.DataFrame
        One row a system: system, position (in ``post.systems``, decides the colour), k, over, prob,
        pass_at_k, pass_hat_k, gap (posterior means), identified ("yes", "model", "no"), region
        (list of (vertices, 2) arrays: rings of (pass@k, pass^k), outer ones anticlockwise, holes
        clockwise).

    Raises
    ------
    ArgumentError
        If an argument is not allowed. With k = 1 both axes would show the same.

    Warns
    -----
    IdentifiabilityWarning
        If no task of a system was tried twice.

    Notes
    -----
    A region is the smallest that holds `prob` of the joint posterior draws: a highest-density
    region, from a kernel estimate on a logit scale on which the edges are far away. It is joint:
    its shadows on the axes are wider than intervals of the same mass.

    References
    ----------
    Hyndman (1996), Computing and graphing highest density regions,
    https://doi.org/10.1080/00031305.1996.10473359

    Examples
    --------
    >>> import reliability_stats as rs
    >>> post = rs.fit(rs.datasets.load("tau-bench-airline-gpt4o"))
    >>> data = rs.plots.capability_reliability_data(post)
    >>> data[["k", "pass_at_k", "pass_hat_k", "gap"]].round(3)
       k  pass_at_k  pass_hat_k    gap
    0  4        0.7       0.178  0.522
    """
    import pandas as pd

    k = max(2, usual_k(post.trials.counts)) if k is None else check_k(k, minimum=2)
    over, prob = check_over(over), check_prob(prob)
    rows = chosen(systems, post.systems)
    summary = post.summary([PassAtK(k), PassHatK(k), Gap(k)], over=over, prob=prob)
    names = list(post.systems)
    by_name = {str(name): part.set_index("system") for name, part in summary.groupby("estimand")}
    capability, reliability, gap = (
        by_name[name].loc[names] for name in (f"pass@{k}", f"pass^{k}", f"gap@{k}")
    )
    independent = str(post.sampler_info.get("method", "")).startswith("quadrature")
    more = DRAWS if independent else None
    draws = post.draws([PassAtK(k), PassHatK(k)], over=over, draws=more)
    joint = [draws[name].to_numpy() for name in (f"pass@{k}", f"pass^{k}")]
    regions = [
        highest_density_region(joint[0][..., i].ravel(), joint[1][..., i].ravel(), prob)
        for i in rows
    ]
    columns = {
        "system": [names[i] for i in rows],
        "position": rows,
        "k": k,
        "over": over,
        "prob": prob,
        "pass_at_k": capability["mean"].to_numpy()[rows],
        "pass_hat_k": reliability["mean"].to_numpy()[rows],
        "gap": gap["mean"].to_numpy()[rows],
        "identified": reliability["identified"].to_numpy()[rows],
        "region": pd.Series(regions, dtype=object),
    }
    return pd.DataFrame(columns, columns=list(COLUMNS))


def capability_reliability(
    post: Posterior | pd.DataFrame,
    *,
    k: int | None = None,
    over: str = "population",
    prob: float = 0.95,
    systems: str | list[str] | None = None,
    names: str = "auto",
    ax: Axes | None = None,
) -> Axes:
    """Draw capability (pass@k) against reliability (pass^k), with joint regions.

    On the diagonal all k tries of a task end alike; the vertical distance from it is the gap, the
    chance that they do not.

    Parameters
    ----------
    post : Posterior or pandas.DataFrame
        A fit, or what `capability_reliability_data` made of it.
    k : int >= 2, optional
        Number of tries; the usual number of trials of a task by default, at least 2.
    over : {"population", "observed"}
        Tasks like these, or the very tasks of the table.
    prob : float in (0, 1), default 0.95
        Mass of the joint regions.
    systems : str or list of str, optional
        Systems to draw; all by default.
    names : {"auto", "points", "right", "below", "none"}
        Where names go: next to the points, or numbers there and a key at the right or below. By
        default next to up to six points, in a key for up to 100, and else nowhere, which a note in
        the plot says.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    matplotlib.axes.Axes
        Holds, for each system, a PathPatch labelled "_region", a Line2D with the name of the system
        as label (the point), a Line2D labelled "_gap" when there are at most six systems, and an
        Annotation; and a Line2D labelled "_identity". In a new figure the key is a legend of the
        figure, otherwise of the Axes.

    Raises
    ------
    ArgumentError
        If an argument is not allowed, or contradicts the data given.

    Warns
    -----
    IdentifiabilityWarning
        If no task of a system was tried twice.

    Notes
    -----
    Open points and dashed outlines mark values that rest on the model, because most tasks have
    fewer than k trials, or on the prior, because no task was tried twice. Gaps that are not
    identified are not drawn.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> import reliability_stats as rs
    >>> post = rs.fit(rs.datasets.load("tau-bench-airline-gpt4o"))
    >>> ax = rs.plots.capability_reliability(post)
    >>> ax.get_xlabel()
    'capability: pass@4, succeeds at least once in 4 tries'
    >>> plt.close(ax.figure)
    """
    names = check_choice(names, WHERE, "names")
    if isinstance(post, Posterior):
        data = capability_reliability_data(post, k=k, over=over, prob=prob, systems=systems)
    else:
        data = check_columns(post, COLUMNS, "capability_reliability_data")
        defaults = {"k": None, "over": "population", "prob": 0.95}
        same_setting(data, defaults, {"k": k, "over": over, "prob": prob})
        data = data.iloc[chosen(systems, list(data["system"]))]
    width = 7.0 if FEW < len(data) <= MOST_NAMES else 4.6
    with drawing(ax, width=width, layout="compressed") as axes:
        names = _placed(names, len(data), figure_of(axes).get_figwidth(), own=ax is None)
        _frame(axes, data, names)
        _draw_systems(axes, data)
        if ax is None:
            set_height(axes, _side(axes, names))
        _label(axes, data)
        if ax is None:
            _fit(axes, data, names)
        elif names in ("right", "below"):
            _add_key(axes, data, names)
        _annotate(axes, data, names)
    return axes


def _placed(names: str, count: int, width: float, *, own: bool) -> str:
    """Choose where names go: next to few points, otherwise where there is room for a key."""
    if names != "auto":
        return names
    if count <= FEW:
        return "points"
    if count > MOST_NAMES:
        return "none"
    return "right" if not own or (width >= 5.5 and count <= TALL_KEY) else "below"


def _side(ax: Axes, names: str) -> float:
    """Give the side in inches of the square that a new figure keeps for the Axes."""
    width = figure_of(ax).get_figwidth()
    return 0.62 * width if names == "right" else min(width, 5.0)


def _label(ax: Axes, data: pd.DataFrame) -> None:
    """Say in words what the axes show."""
    k = data["k"].iloc[0]
    label_axes(
        ax,
        x=f"capability: pass@{k}, succeeds at least once in {k} tries",
        y=f"reliability: pass^{k}, succeeds in all {k} tries",
    )


def _fit(ax: Axes, data: pd.DataFrame, names: str) -> None:
    """Give a new figure the height that its square axes and its key need."""
    if names in ("right", "below"):
        rows = _add_key(ax, data, names, own=True)
        more = rows * KEY_LINE * small() / 72 if names == "below" else 0.0
        set_height(ax, _side(ax, names) + more)
    trim_height(ax)


def _frame(ax: Axes, data: pd.DataFrame, names: str) -> None:
    """Draw all that does not depend on the values: axes, diagonal, and what was asked."""
    over, prob = data["over"].iloc[0], float(data["prob"].iloc[0])
    ax.set(xlim=(0, 1), ylim=(0, 1), aspect="equal")
    ticks = [0, 0.2, 0.4, 0.6, 0.8, 1]
    ax.set_xticks(ticks)
    ax.set_yticks(ticks)
    ax.plot([0, 1], [0, 1], color=ink(), lw=0.7, label="_identity", zorder=1)
    ax.fill_between([0, 1], [0, 1], 1, color=ink(), alpha=0.04, lw=0, zorder=0)
    ax.text(
        0.5,
        0.515,
        literal("no gap: all tries end alike"),
        rotation=45,
        rotation_mode="anchor",
        ha="center",
        va="bottom",
        fontsize=small(),
        color=ink(),
    )
    tasks = "tasks like these" if over == "population" else "the tasks of the table"
    lines = [f"{percent(prob)} joint regions", f"over {tasks}"]
    if (data["identified"] == "model").any():
        lines.append("dashed: extrapolated by the model")
    if (data["identified"] == "no").any():
        lines.append("dashed: not identified, no task tried twice")
    if names == "none" and len(data) > 1:
        lines.append(f"{len(data):,} systems, not named")
    ax.text(
        0.02,
        0.98,
        literal("\n".join(lines)),
        ha="left",
        va="top",
        fontsize=small(),
        color=ink(),
        linespacing=1.3,
    )


def _marker(ax: Axes, row: Any, size: float) -> dict[str, Any]:
    """Give the look of a system's point: open where it rests on the model or the prior."""
    look = system_look(row.position)
    background = ax.get_facecolor()
    known = row.identified == "yes"
    return {
        "ls": "none",
        "marker": look.marker,
        "ms": size,
        "mfc": look.face if known else background,
        "mec": background if known else look.edge,
        "mew": 0.4 if known else 1.0,
    }


def _draw_systems(ax: Axes, data: pd.DataFrame) -> None:
    """Draw regions, gaps and points."""
    from matplotlib.patches import PathPatch
    from matplotlib.path import Path

    few, crowded = len(data) <= FEW, len(data) > MANY
    for row in rows_of(data):
        colour = system_look(row.position).edge
        codes = [np.full(len(ring), Path.LINETO, dtype=np.uint8) for ring in row.region]
        for code in codes:
            code[0], code[-1] = Path.MOVETO, Path.CLOSEPOLY
        path = Path(np.concatenate(row.region), np.concatenate(codes))
        outline = PathPatch(path, label="_region", zorder=2)
        outline.set(
            facecolor=(colour, 0.18 if few else 0.0),
            edgecolor=(colour, 0.45 if crowded else 0.9),
            linewidth=0.4 if crowded else 0.9,
            linestyle="-" if row.identified == "yes" else (0, (4, 2)),
        )
        ax.add_artist(outline)
        x, y = row.pass_at_k, row.pass_hat_k
        if few and row.identified != "no":
            ax.plot([x, x], [y, x], color=colour, lw=0.7, label="_gap", zorder=3)
        marker = _marker(ax, row, 4.6 if crowded else 6.0)
        ax.plot([x], [y], label=literal(row.system), clip_on=False, zorder=5, **marker)


def _add_key(ax: Axes, data: pd.DataFrame, names: str, *, own: bool = False) -> int:
    """List numbers, markers and names beside or below the axes, and give the number of rows."""
    from matplotlib.lines import Line2D

    handles = [Line2D([], [], **_marker(ax, row, 5.0)) for row in rows_of(data)]
    figure = figure_of(ax)
    height = ax.get_window_extent().height * 72.0 / figure.dpi
    room = figure.get_figwidth() * 72.0
    if names == "right":
        long = len(data) * KEY_LINE * small() > height
        texts, columns = numbered(ax, list(data["system"]), 0.36 * room, 2 if long else 1)
        beside: dict[str, Any] = {"loc": "upper left", "bbox_to_anchor": (1.03, 1.0)}
    else:
        texts, columns = numbered(ax, list(data["system"]), 0.97 * room)
        beside = {"loc": "upper left", "bbox_to_anchor": (-0.1, -4.2 * small() / height)}
    outside = {"right": "outside right upper", "below": "outside lower center"}
    if own:
        add_key(figure, handles, texts, ncols=columns, loc=outside[names], borderaxespad=0.4)
    else:
        add_key(ax, handles, texts, ncols=columns, **beside)
    return -(-len(data) // columns)


def _annotate(ax: Axes, data: pd.DataFrame, names: str) -> None:
    """Write names or numbers next to the points, and the gaps of few systems."""
    x, y = data["pass_at_k"].to_numpy(), data["pass_hat_k"].to_numpy()
    where, texts = np.stack([x, y], axis=1), [str(i) for i in range(1, len(data) + 1)]
    if names == "points":
        texts = shorten_all(list(data["system"]), 24)
    elif names == "none":
        where, texts = where[:0], []
    segments = [[(0.0, 0.0), (1.0, 1.0)]]
    if len(data) <= FEW:
        segments += [[(a, b), (a, a)] for a, b in zip(x, y, strict=True)]
    if len(data) <= VERY_FEW:
        known = (data["identified"] != "no").to_numpy()
        wide = np.flatnonzero(known & (data["gap"].to_numpy() > SHORT_GAP))
        middle = np.stack([x, y + 0.55 * (x - y)], axis=1)[wide]
        where = np.concatenate([where, middle])
        texts = texts + [f"gap {data['gap'].iloc[i]:.2f}" for i in wide]
    rims = [ring for rings in data["region"] for ring in rings] if len(data) <= FEW else []
    label_points(ax, where, texts, segments=np.array(segments), rims=rims)
