"""One estimand of one system under several models, beside what the counts alone allow."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._validation import suggest
from ..exceptions import ArgumentError
from ..extrapolation import ALONE
from ._data import check_columns, rows_of
from ._style import DARK, PALETTE, drawing, ink, set_height, small
from ._text import literal, percent

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

COLUMNS = (
    *("estimand", "system", "model", "mean", "lower", "upper", "prob", "set_lower", "set_upper"),
)
SOURCE = "model_range(trials, estimand)"


def model_range_data(
    table: pd.DataFrame, *, estimand: str | None = None, system: str | None = None
) -> pd.DataFrame:
    """Pick what `model_range` draws.

    Parameters
    ----------
    table : pandas.DataFrame
        The result of `model_range`.
    estimand, system : str, optional
        Which rows; by default the only ones there are.

    Returns
    -------
    pandas.DataFrame
        The rows of one estimand and system.

    Raises
    ------
    ArgumentError
        If a name is not in the table, or there are several and none was named.

    Examples
    --------
    >>> import reliability_stats as rs
    >>> trials = rs.datasets.load("tau-bench-airline-gpt4o")
    >>> models = {"beta": rs.BetaBinomial(), "logit-normal": rs.LogitNormal()}
    >>> table = rs.model_range(trials, [rs.PassHatK(4), rs.PassHatK(8)], models=models)
    >>> rs.plots.model_range_data(table, estimand="pass^8")["model"].tolist()
    ['beta', 'logit-normal', 'counts alone']
    """
    table = check_columns(table, COLUMNS, SOURCE)
    for column, name in (("estimand", estimand), ("system", system)):
        known = list(dict.fromkeys(table[column]))
        if name is None and len(known) > 1:
            raise ArgumentError(f"Name one {column} of: {', '.join(map(str, known[:20]))}.")
        wanted = known[0] if name is None else name
        if wanted not in known:
            raise ArgumentError(f"There is no {column} {wanted!r}{suggest(str(wanted), known)}.")
        table = table[table[column] == wanted]
    return table.reset_index(drop=True)


def model_range(
    table: pd.DataFrame,
    *,
    estimand: str | None = None,
    system: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw one estimand under several models, beside what the counts alone allow.

    Parameters
    ----------
    table : pandas.DataFrame
        The result of `model_range`.
    estimand, system : str, optional
        Which rows; by default the only ones there are.
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
    >>> trials = rs.datasets.load("tau-bench-airline-gpt4o")
    >>> models = {"beta": rs.BetaBinomial(), "logit-normal": rs.LogitNormal()}
    >>> ax = rs.plots.model_range(rs.model_range(trials, rs.PassHatK(8), models=models))
    >>> ax.get_xlabel()
    'pass^8, tasks like these'
    >>> plt.close(ax.figure)
    """
    data = model_range_data(table, estimand=estimand, system=system)
    alone = data[data["model"] == ALONE].iloc[0]
    with drawing(ax, width=4.6) as axes:
        grey = "#9AA5AE"
        axes.axvspan(alone["lower"], alone["upper"], color=grey, alpha=0.18, lw=0)
        axes.axvspan(alone["set_lower"], alone["set_upper"], color=grey, alpha=0.65, lw=0)
        if alone["set_upper"] - alone["set_lower"] < 0.004:
            axes.axvline(0.5 * (alone["set_lower"] + alone["set_upper"]), color=grey, lw=2)
        models = data[data["model"] != ALONE]
        for i, row in enumerate(rows_of(models)):
            colour = ink() if PALETTE[i % len(PALETTE)] == DARK else PALETTE[i % len(PALETTE)]
            axes.plot([row.lower, row.upper], [i, i], color=colour, lw=1.6, solid_capstyle="butt")
            axes.plot([row.mean], [i], "o", color=colour, ms=5)
        axes.set_yticks(range(len(models)), [literal(name) for name in models["model"]])
        axes.set_ylim(len(models) - 0.4, -0.6)
        axes.tick_params(axis="y", length=0)
        prob = percent(float(alone["prob"]))
        axes.set_xlabel(f"{alone['estimand']}, tasks like these")
        axes.set_title(
            f"{literal(str(alone['system']))}: {prob} intervals by model; dark: what the counts\n"
            "allow at best fit, light: with sampling error",
            loc="left",
            fontsize=small(),
        )
        if ax is None:
            set_height(axes, 1.05 + 0.27 * len(models))
    return axes
