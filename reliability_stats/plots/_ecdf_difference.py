"""Ranks of simulation-based calibration: departure of their distribution from uniform."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .. import _ecdf_band
from .._counts import plural
from ..calibration import Calibration
from ..exceptions import ArgumentError
from ._data import check_columns, chosen
from ._labels import above
from ._style import PALETTE, drawing, figure_of, ink, set_height, small, system_look
from ._text import literal, percent, shorten

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

COLUMNS = ("quantity", "z", "difference", "lower", "upper", "calibrated", "prob")


def ecdf_difference_data(
    calibration: Calibration, *, quantities: str | list[str] | None = None
) -> pd.DataFrame:
    """Compute what `ecdf_difference` draws.

    Parameters
    ----------
    calibration : Calibration
        The result of `calibration.sbc`.
    quantities : str or list of str, optional
        Quantities to take; all by default.

    Returns
    -------
    pandas.DataFrame
        One row for each quantity and point: quantity, z (the point), difference (share of ranks up
        to z, minus z), lower, upper (of the simultaneous band), calibrated, prob (of all bands
        together).

    Raises
    ------
    ArgumentError
        If an argument is not allowed.

    Examples
    --------
    >>> import reliability_stats as rs
    >>> design = rs.simulate(rs.Beta(1, 1), tasks=10, trials=3).trials
    >>> found = rs.calibration.sbc(rs.BetaBinomial(), design, 50, draws=49)
    >>> data = rs.plots.ecdf_difference_data(found)
    >>> data["quantity"].unique().tolist()
    ['mean', 'icc', 'log likelihood']
    """
    import pandas as pd

    if not isinstance(calibration, Calibration):
        raise ArgumentError(
            "ecdf_difference takes the result of calibration.sbc or of ecdf_difference_data, not "
            f"{type(calibration).__name__}."
        )
    names = [str(name) for name in calibration.ranks]
    size = len(calibration.ranks)
    z = np.concatenate([[0.0], _ecdf_band.grid_points(), [1.0]])
    lower, upper = _ecdf_band.band(size, calibration.band_prob)
    fine = calibration.table["calibrated"].to_numpy(dtype=bool)
    frames = []
    for i in _wanted(quantities, names):
        below = _ecdf_band.counts_below(calibration.ranks[names[i]].to_numpy()) / size
        columns = {
            "quantity": names[i],
            "z": z,
            "difference": np.concatenate([[0.0], below, [1.0]]) - z,
            "lower": np.concatenate([[0.0], lower, [1.0]]) - z,
            "upper": np.concatenate([[0.0], upper, [1.0]]) - z,
            "calibrated": fine[i],
            "prob": calibration.prob,
        }
        frames.append(pd.DataFrame(columns, columns=list(COLUMNS)))
    return pd.concat(frames, ignore_index=True)


def _wanted(quantities: str | list[str] | None, names: list[str]) -> list[int]:
    """Give the positions of quantities."""
    try:
        return chosen(quantities, names)
    except ArgumentError as error:
        text = str(error).replace("systems", "quantities").replace("system", "quantity")
        raise ArgumentError(text) from None


def ecdf_difference(
    calibration: Calibration | pd.DataFrame,
    *,
    quantities: str | list[str] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw how the ranks of simulation-based calibration depart from uniform.

    A calibrated quantity stays inside the band. A line above zero throughout says that the
    posterior lies too high, one below, too low. A wave that starts upwards says that the posterior
    is too narrow, one that starts downwards, too wide.

    Parameters
    ----------
    calibration : Calibration or pandas.DataFrame
        The result of `calibration.sbc`, or what `ecdf_difference_data` made of it.
    quantities : str or list of str, optional
        Quantities to draw; all by default. More than seven are drawn in grey, and those that leave
        the band in colour.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    matplotlib.axes.Axes
        Holds a FillBetweenPolyCollection labelled "_band" and a Line2D for each quantity.

    Raises
    ------
    ArgumentError
        If an argument is not allowed.

    References
    ----------
    Säilynoja, Bürkner and Vehtari (2022), https://doi.org/10.1007/s11222-022-10090-6

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> import reliability_stats as rs
    >>> design = rs.simulate(rs.Beta(1, 1), tasks=10, trials=3).trials
    >>> found = rs.calibration.sbc(rs.BetaBinomial(), design, 50, draws=49)
    >>> ax = rs.plots.ecdf_difference(found)
    >>> len(ax.get_legend().get_texts())
    3
    >>> plt.close(ax.figure)
    """
    import pandas as pd

    if isinstance(calibration, pd.DataFrame):
        data = check_columns(calibration, COLUMNS, "ecdf_difference_data")
        names = list(dict.fromkeys(data["quantity"]))
        data = data[data["quantity"].isin([names[i] for i in _wanted(quantities, names)])]
    else:
        data = ecdf_difference_data(calibration, quantities=quantities)
    with drawing(ax, width=4.0) as axes:
        _draw(axes, data)
        if ax is None:
            set_height(axes, 0.75 * figure_of(axes).get_figwidth())
    return axes


def _draw(ax: Axes, data: pd.DataFrame) -> None:
    """Draw the band, the lines and their names."""
    groups = list(data.groupby("quantity", sort=False))
    few = len(groups) <= len(PALETTE)
    first = groups[0][1]
    z = first["z"].to_numpy()
    ends = first["lower"].to_numpy(), first["upper"].to_numpy()
    ax.fill_between(z, *ends, color=ink(), alpha=0.12, lw=0, label="_band", zorder=1)
    ax.axhline(0.0, color=ink(), lw=0.6, alpha=0.6, label="_zero", zorder=1)
    named = 0
    for name, part in groups:
        shown = few or not part["calibrated"].iloc[0]
        label = literal(shorten(str(name), 40)) if shown else f"_{name}"
        if not part["calibrated"].iloc[0] and shown:
            label += " (departs)"
        colour = system_look(named).edge if shown else ink()
        ax.plot(
            part["z"],
            part["difference"],
            color=colour,
            lw=1.2 if shown else 0.6,
            alpha=1.0 if shown else 0.35,
            label=label,
            zorder=3 if shown else 2,
        )
        named += shown
    reach = float(max(np.abs(data[["difference", "lower", "upper"]].to_numpy()).max(), 0.01))
    ax.set_xlim(0, 1)
    ax.set_ylim(-1.15 * reach, 1.15 * reach)
    ax.set_xlabel("share of the posterior below the truth")
    ax.set_ylabel("ECDF minus uniform")
    title = f"{percent(first['prob'].iloc[0])} band"
    if len(groups) > 1:
        title += f", for {plural(len(groups), 'quantity').replace('ys', 'ies')} together"
    above(ax, 0.0, title)
    if named:
        ax.legend(loc="best", frameon=False, fontsize=small())
