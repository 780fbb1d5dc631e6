"""Systems on the plane of capability and reliability, with their zones and probabilities."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._data import check_columns
from ._style import drawing, ink, set_height, small, system_look
from ._text import literal, percent, shorten

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

CHANCES = ("p_dependable", "p_flickering", "p_narrow", "p_immature")
COLUMNS = (
    *("system", "capability", "reliability", "capability_mean", "reliability_mean", "capable"),
    *("dependable", *CHANCES, "zone", "prob"),
)
WORDS = {
    "p_dependable": (1, 1, "dependable"),
    "p_flickering": (1, 0, "capable but flickering"),
    "p_narrow": (0, 1, "narrow but dependable"),
    "p_immature": (0, 0, "immature"),
}
SOURCE = "zones(post, capable=..., dependable=...)"


def zones_data(table: pd.DataFrame) -> pd.DataFrame:
    """Compute what `zones` draws.

    Parameters
    ----------
    table : pandas.DataFrame
        The result of `zones`.

    Returns
    -------
    pandas.DataFrame
        Columns system, capability_mean, reliability_mean, likely (the most probable zone), chance
        (its probability), zone ("undetermined" if none is probable enough).

    Raises
    ------
    ArgumentError
        If the table is not what `zones` gives.

    Examples
    --------
    >>> import reliability_stats as rs
    >>> post = rs.fit(rs.datasets.load("simulated-three-systems"))
    >>> table = rs.zones(post, rs.PassAtK(4), capable=0.5, dependable=0.7)
    >>> rs.plots.zones_data(table)[["system", "likely", "chance"]].round(2)
           system                  likely  chance
    0  flickering  capable but flickering    1.00
    1      narrow   narrow but dependable    0.7...
    2      steady              dependable    1.00
    """
    table = check_columns(table, COLUMNS, SOURCE)
    out = table[["system", "capability_mean", "reliability_mean", "zone"]].reset_index(drop=True)
    chances = table[list(CHANCES)].fillna(0.0).to_numpy()
    best = chances.argmax(axis=1)
    out["likely"] = [WORDS[CHANCES[i]][2] for i in best]
    out["chance"] = chances.max(axis=1)
    return out


def zones(table: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw where systems stand on capability and reliability, with the probability of the zone.

    Parameters
    ----------
    table : pandas.DataFrame
        The result of `zones`.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    matplotlib.axes.Axes
        Filled markers: the zone is settled; open ones: undetermined. Behind each name is the
        probability of its most probable zone.

    Raises
    ------
    ArgumentError
        If the table is not what `zones` gives.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> import reliability_stats as rs
    >>> post = rs.fit(rs.datasets.load("simulated-three-systems"))
    >>> ax = rs.plots.zones(rs.zones(post, rs.PassAtK(4), capable=0.5, dependable=0.7))
    >>> plt.close(ax.figure)
    """
    data = zones_data(table)
    row = table.iloc[0]
    capable, dependable = float(row["capable"]), float(row["dependable"])
    with drawing(ax, width=4.4) as axes:
        axes.axvline(capable, color=ink(), lw=0.8, ls=":")
        axes.axhline(dependable, color=ink(), lw=0.8, ls=":")
        axes.set_xlim(-0.03, 1.03)
        axes.set_ylim(-0.03, 1.03)
        for right, top, word in WORDS.values():
            x, y = (1.02 if right else -0.02), (1.02 if top else -0.02)
            axes.text(
                *(x, y, word),
                ha="right" if right else "left",
                va="top" if top else "bottom",
                fontsize=small(),
                alpha=0.65,
                style="italic",
            )
        for i, point in enumerate(data.to_dict("records")):
            look = system_look(i)
            fill = axes.get_facecolor() if point["zone"] == "undetermined" else look.face
            x, y = point["capability_mean"], point["reliability_mean"]
            axes.plot([x], [y], look.marker, mfc=fill, mec=look.edge, mew=1.3, ms=7)
            text = (
                f"{literal(shorten(str(point['system']), 24))} {percent(round(point['chance'], 2))}"
            )
            side = -1 if x > 0.75 else 1
            axes.annotate(
                *(text, (x, y)),
                xytext=(7 * side, 0),
                textcoords="offset points",
                ha="right" if side < 0 else "left",
                va="center",
                fontsize=small(),
            )
        axes.set_xlabel(f"capability: {literal(str(row['capability']))}")
        axes.set_ylabel(f"reliability: {literal(str(row['reliability']))}")
        if ax is None:
            set_height(axes, 3.7)
    return axes
