"""What a sequential test does at every true success probability."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..exceptions import ArgumentError
from ..instruments.demonstration import SequentialTest
from ._data import check_columns
from ._labels import above
from ._style import PALETTE, drawing, figure_of, ink, set_height, small
from ._text import literal

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

COLUMNS = ("p_success", "accepted", "rejected", "undecided", "expected_trials")


def sequential_test_data(test: SequentialTest, *, points: int = 121) -> pd.DataFrame:
    """Compute what `sequential_test` draws.

    Parameters
    ----------
    test : SequentialTest
        A plan.
    points : int >= 2, default 121
        Success probabilities, around both that the plan names.

    Returns
    -------
    pandas.DataFrame
        p_success, accepted, rejected, undecided, expected_trials, acceptable, unacceptable.

    Raises
    ------
    ArgumentError
        If an argument is not allowed.

    Examples
    --------
    >>> import reliability_stats as rs
    >>> test = rs.instruments.SequentialTest(0.95, 0.8)
    >>> len(rs.plots.sequential_test_data(test, points=11))
    11
    """
    if not isinstance(test, SequentialTest):
        raise ArgumentError(
            "sequential_test takes a SequentialTest or the result of sequential_test_data, not "
            f"{type(test).__name__}."
        )
    gap = test.acceptable - test.unacceptable
    low, high = max(0.0, test.unacceptable - gap), min(1.0, test.acceptable + gap)
    data = test.oc(np.linspace(low, high, max(points, 2)))
    return data.assign(acceptable=test.acceptable, unacceptable=test.unacceptable)


def sequential_test(test: SequentialTest | pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw the chance that a test accepts, rejects or stays undecided, by the true probability.

    Parameters
    ----------
    test : SequentialTest or pandas.DataFrame
        A plan, or what `sequential_test_data` made of it.
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
    >>> ax = rs.plots.sequential_test(rs.instruments.SequentialTest(0.95, 0.8))
    >>> ax.get_xlabel()
    'true success probability'
    >>> plt.close(ax.figure)
    """
    import pandas as pd

    if isinstance(test, pd.DataFrame):
        data = check_columns(test, (*COLUMNS, "acceptable", "unacceptable"), "sequential_test_data")
    else:
        data = sequential_test_data(test)
    with drawing(ax, width=4.0) as axes:
        _draw(axes, data)
        if ax is None:
            set_height(axes, 0.72 * figure_of(axes).get_figwidth())
    return axes


def _draw(ax: Axes, data: pd.DataFrame) -> None:
    """Draw three chances, the two named probabilities, and the expected length."""
    p = data["p_success"].to_numpy()
    for name, colour, style in (
        ("accepted", PALETTE[0], "-"),
        ("rejected", PALETTE[3], "--"),
        ("undecided", ink(), ":"),
    ):
        if name == "undecided" and data[name].max() < 0.005:
            continue
        ax.plot(p, data[name], color=colour, ls=style, lw=1.4, label=name, zorder=3)
    for name in ("unacceptable", "acceptable"):
        x = float(data[name].iloc[0])
        length = float(np.interp(x, p, data["expected_trials"]))
        ax.axvline(x, color=ink(), lw=0.6, alpha=0.6, zorder=1)
        left = name == "unacceptable"
        ax.annotate(
            literal(f"{name}\n{x:g}\n{length:.0f} trials"),
            (x, 0.62),
            xytext=(-3 if left else 3, 0),
            textcoords="offset points",
            ha="right" if left else "left",
            va="center",
            fontsize=small(),
        )
    ax.set_xlim(p[0], p[-1])
    ax.set_ylim(-0.02, 1.02)
    ax.set_xlabel("true success probability")
    ax.set_ylabel("chance")
    above(ax, 0.0, "exact; trials are those expected")
    ax.legend(loc="lower left", bbox_to_anchor=(0.0, 0.08), frameon=False, fontsize=small())
