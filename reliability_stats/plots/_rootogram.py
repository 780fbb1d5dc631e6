"""Histogram of successes beside what the model predicts, on a square-root scale."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .._counts import listed
from .._numerics import FloatArray
from ..criticism.predictive import PredictiveCheck
from ..exceptions import ArgumentError
from ..posterior import Posterior
from ._data import check_columns, chosen
from ._labels import above
from ._style import drawing, figure_of, ink, set_height, small, system_look
from ._text import literal, percent, shorten

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

COLUMNS = (
    "system",
    "position",
    "class",
    "observed",
    "mean",
    "lower",
    "upper",
    "mid_p",
    "misfit",
    "prob",
)


def rootogram_data(
    check: Posterior | PredictiveCheck, *, system: str | None = None
) -> pd.DataFrame:
    """Give what `rootogram` draws.

    Parameters
    ----------
    check : Posterior or PredictiveCheck
        A fit, or the result of its `ppc`.
    system : str, optional
        Which system; needed if there are several.

    Returns
    -------
    pandas.DataFrame
        One row for each class: system, position (of the system, decides the colour), class (number
        of successes, or range of the success rate), observed (tasks), mean, lower, upper (of
        replicated data), mid_p, misfit, prob.

    Raises
    ------
    ArgumentError
        If there are several systems and none is chosen, or the system is unknown.

    Examples
    --------
    >>> import reliability_stats as rs
    >>> post = rs.fit(rs.datasets.load("tau-bench-airline-gpt4o"))
    >>> rs.plots.rootogram_data(post)[["class", "observed", "mean"]].round(0)
      class  observed  mean
    0     0      14.0  15.0
    1     1      12.0  10.0
    2     2      10.0   8.0
    3     3       4.0   8.0
    4     4      10.0   9.0
    """
    found = check.ppc() if isinstance(check, Posterior) else check
    if not isinstance(found, PredictiveCheck):
        raise ArgumentError(
            "rootogram takes a Posterior, the result of its ppc(), or of rootogram_data, not "
            f"{type(check).__name__}."
        )
    known = list(dict.fromkeys(found.histogram["system"]))
    position = _one(system, known)
    rows = found.histogram["system"] == known[position]
    data: pd.DataFrame = found.histogram.loc[rows].assign(position=position, prob=found.prob)
    return data[list(COLUMNS)].reset_index(drop=True)


def _one(system: str | None, known: list[str]) -> int:
    """Give the position of the one system to draw."""
    if system is None and len(known) > 1:
        raise ArgumentError(
            f"A rootogram shows one system; choose it with system=... . The systems are: "
            f"{listed(tuple(known), 20)}."
        )
    rows = chosen(system, known)
    if len(rows) != 1:
        raise ArgumentError(f"system must be one name, not {system!r}.")
    return rows[0]


def rootogram(
    check: Posterior | PredictiveCheck | pd.DataFrame,
    *,
    system: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw how many tasks had how many successes, and how many the model predicts.

    Bars are the data. Points with lines are means and intervals of data sets of new tasks drawn
    from the fitted model. Heights are on a square-root scale, on which counts vary about equally.

    Parameters
    ----------
    check : Posterior, PredictiveCheck or pandas.DataFrame
        A fit, the result of its `ppc`, or what `rootogram_data` made of them.
    system : str, optional
        Which system; needed if there are several.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    matplotlib.axes.Axes
        Holds bars labelled "observed", an ErrorbarContainer labelled "predicted", and, if any bar
        is out of line, a Line2D labelled "outside".

    Raises
    ------
    ArgumentError
        If an argument is not allowed, or there are several systems and none is chosen.

    References
    ----------
    Kleiber and Zeileis (2016), https://doi.org/10.1080/00031305.2016.1173590

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> import reliability_stats as rs
    >>> post = rs.fit(rs.datasets.load("tau-bench-airline-gpt4o"))
    >>> ax = rs.plots.rootogram(post)
    >>> ax.get_xlabel()
    'successes of a task'
    >>> plt.close(ax.figure)
    """
    import pandas as pd

    if isinstance(check, pd.DataFrame):
        data = check_columns(check, COLUMNS, "rootogram_data")
        known = list(dict.fromkeys(data["system"]))
        data = data[data["system"] == known[_one(system, known)]]
    else:
        data = rootogram_data(check, system=system)
    with drawing(ax, width=4.0) as axes:
        _draw(axes, data)
        if ax is None:
            set_height(axes, 0.75 * figure_of(axes).get_figwidth())
    return axes


def _draw(ax: Axes, data: pd.DataFrame) -> None:
    """Draw bars, intervals, labels."""
    colour: Any = system_look(int(data["position"].iloc[0])).face
    x = np.arange(len(data))
    observed, mean = data["observed"].to_numpy(), data["mean"].to_numpy()
    lower, upper = data["lower"].to_numpy(), data["upper"].to_numpy()
    ax.set_yscale("function", functions=(_root, _square))
    ax.bar(x, observed, width=0.8, color=colour, alpha=0.45, lw=0, label="observed", zorder=2)
    size = 4.5 if len(x) <= 12 else 3.0
    ax.errorbar(
        x,
        mean,
        yerr=np.maximum([mean - lower, upper - mean], 0.0),
        fmt="o",
        ms=size,
        color=ink(),
        elinewidth=1.0,
        capsize=0,
        label=literal(f"predicted, {percent(data['prob'].iloc[0])}"),
        zorder=3,
    )
    out = data["misfit"].to_numpy(dtype=bool)
    if out.any():
        ax.plot(
            x[out],
            observed[out],
            ls="none",
            marker="D",
            ms=size + 1,
            mfc=ax.get_facecolor(),
            mec=ink(),
            label="outside",
            clip_on=False,
            zorder=4,
        )
    top = max(float(np.max(observed)), float(np.max(upper)), 1.0)
    ax.set_ylim(0, 1.35 * top)
    ax.set_yticks(_ticks(top))
    ax.set_xlim(-0.6, len(x) - 0.4)
    _label(ax, data)


def _root(x: FloatArray) -> FloatArray:
    """Square root, with negative numbers mirrored."""
    return np.asarray(np.sign(x) * np.sqrt(np.abs(x)))


def _square(x: FloatArray) -> FloatArray:
    """Undo `_root`."""
    return np.asarray(np.sign(x) * np.square(x))


def _ticks(top: float) -> list[float]:
    """Give round numbers that lie about evenly after the square root."""
    steps = [m * 10.0**e for e in range(12) for m in (1, 2, 5)]
    step = next(s for s in steps if top / s <= 30)
    marks = [0, 1, 2, 5, 10, 15, 20, 25, 30]
    return [m * step for m in marks if m * step <= 1.3 * top]


def _label(ax: Axes, data: pd.DataFrame) -> None:
    """Name axes, classes and the system."""
    names = [str(name) for name in data["class"]]
    ranges = any(name.startswith("(") for name in names)
    every = 1 if len(names) <= 12 else 2
    if ranges:
        size = len(names) - 2
        at = [0, *(np.array([0.25, 0.5, 0.75]) * size + 0.5), size + 1]
        ax.set_xticks(at, ["0", "0.25", "0.5", "0.75", "1"])
        ax.set_xlabel("success rate of a task")
    else:
        ax.set_xticks(np.arange(len(names))[::every], names[::every])
        ax.set_xlabel("successes of a task")
    ax.set_ylabel("tasks (square-root scale)")
    above(ax, 0.0, shorten(str(data["system"].iloc[0]), 60))
    handles, labels = ax.get_legend_handles_labels()
    order = sorted(range(len(labels)), key=lambda i: (labels[i] == "outside", labels[i]))
    ax.legend(
        [handles[i] for i in order],
        [labels[i] for i in order],
        loc="upper center",
        ncols=3,
        frameon=False,
        fontsize=small(),
        handlelength=1.0,
        handletextpad=0.4,
        columnspacing=1.0,
        borderaxespad=0.2,
    )
