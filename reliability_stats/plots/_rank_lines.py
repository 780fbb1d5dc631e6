"""Ranks on capability beside ranks on reliability, with a line for each system."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..comparison import Ranking
from ..exceptions import ArgumentError
from ._style import drawing, set_height, small, system_look
from ._text import literal, percent, shorten

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

MOST = 30
"""Systems that can be told apart."""


def rank_lines_data(ranking: Ranking) -> pd.DataFrame:
    """Compute what `rank_lines` draws.

    Parameters
    ----------
    ranking : Ranking
        The result of `rank`, with both axes.

    Returns
    -------
    pandas.DataFrame
        One row a system: system, position, and capability_rank, capability_lower,
        capability_upper, and the same of reliability; and the names of both estimands.

    Raises
    ------
    ArgumentError
        If there are not two axes, or too many systems to draw.

    Examples
    --------
    >>> import reliability_stats as rs
    >>> post = rs.fit(rs.datasets.load("simulated-three-systems"))
    >>> data = rs.plots.rank_lines_data(rs.rank(post, rs.PassHatK(4)))
    >>> data[["system", "capability_rank", "reliability_rank"]]
           system  capability_rank  reliability_rank
    0  flickering                1                 2
    1      narrow                3                 3
    2      steady                2                 1
    """
    import pandas as pd

    if not isinstance(ranking, Ranking):
        raise ArgumentError(
            f"rank_lines takes the result of rank(post), not {type(ranking).__name__}."
        )
    frame = ranking.frame
    names = list(dict.fromkeys(frame["estimand"]))
    if len(names) < 2:
        raise ArgumentError("rank_lines needs two estimands, a capability and a reliability.")
    sides = {"capability": frame[frame["estimand"] == names[0]]}
    sides["reliability"] = frame[frame["estimand"] == names[-1]]
    systems = sides["capability"]["system"].tolist()
    if len(systems) > MOST:
        raise ArgumentError(
            f"{len(systems)} systems are too many to tell apart; select at most {MOST}."
        )
    out = pd.DataFrame({"system": systems, "position": np.arange(len(systems))})
    for side, part in sides.items():
        rows = part.set_index("system").loc[systems]
        out[side] = rows["estimand"].to_numpy()
        for name in ("rank", "lower", "upper"):
            out[f"{side}_{name}"] = rows[name].to_numpy()
    out["prob"] = frame["prob"].iloc[0] if "prob" in frame else np.nan
    return out


def rank_lines(ranking: Ranking, *, ax: Axes | None = None) -> Axes:
    """Draw rank intervals for capability beside reliability, joined for each system.

    Lines that cross are reversals: the more capable system is the less reliable one.

    Parameters
    ----------
    ranking : Ranking
        The result of `rank`, with both axes.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    ArgumentError
        If an argument is not allowed.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> import reliability_stats as rs
    >>> post = rs.fit(rs.datasets.load("simulated-three-systems"))
    >>> ax = rs.plots.rank_lines(rs.rank(post, rs.PassHatK(4)))
    >>> plt.close(ax.figure)
    """
    data = rank_lines_data(ranking)
    size = len(data)
    with drawing(ax, width=4.6) as axes:
        shift = (np.arange(size) - (size - 1) / 2) * min(0.05, 0.4 / max(size, 1))
        for i, row in enumerate(data.to_dict("records")):
            look = system_look(int(row["position"]))
            places = [x + sign * shift[i] for x, sign in ((0.0, -1.0), (1.0, 1.0))]
            ranks = [row["capability_rank"], row["reliability_rank"]]
            axes.plot(places, ranks, color=look.edge, lw=1.1, alpha=0.75, zorder=2)
            for x, side in zip(places, ("capability", "reliability"), strict=True):
                ends = [row[f"{side}_lower"], row[f"{side}_upper"]]
                axes.plot([x, x], ends, color=look.edge, lw=3.5, alpha=0.35, zorder=1)
            axes.plot(places, ranks, look.marker, color=look.edge, ms=5.5, ls="none", zorder=3)
        for side, x, align in (("capability", -0.16, "right"), ("reliability", 1.16, "left")):
            for rank, part in data.groupby(f"{side}_rank"):
                text = ", ".join(literal(shorten(name, 22)) for name in part["system"])
                axes.text(x, float(str(rank)), text, ha=align, va="center", fontsize=small())
        axes.set_xlim(-0.75, 1.75)
        axes.set_ylim(size + 0.5, 0.5)
        axes.set_yticks(range(1, size + 1))
        axes.set_ylabel("rank (1 is best)")
        names = [literal(str(data[side].iloc[0])) for side in ("capability", "reliability")]
        labels = [f"capability\n{names[0]}", f"reliability\n{names[1]}"]
        axes.set_xticks([0, 1], labels)
        axes.tick_params(axis="x", length=0)
        axes.spines["bottom"].set_visible(False)
        if np.isfinite(data["prob"].iloc[0]):
            text = f"bars: {percent(float(data['prob'].iloc[0]))} intervals of ranks"
            axes.set_title(text, loc="left", fontsize=small())
        if ax is None:
            set_height(axes, 1.1 + 0.3 * max(size, 3))
    return axes
