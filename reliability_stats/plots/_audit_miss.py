"""How often an audit of several runs misses damage."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..exceptions import ArgumentError
from ..instruments.safety import SafetyPosterior
from ._data import check_columns
from ._labels import above, add_key
from ._style import drawing, figure_of, ink, set_height, system_look
from ._text import percent, shorten_all

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

COLUMNS = ("system", "runs", "mean", "lower", "upper", "prob", "identified")
RUNS = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64)


def audit_miss_data(post: SafetyPosterior, *, k: int = 1, prob: float = 0.95) -> pd.DataFrame:
    """Compute what `audit_miss` draws.

    Parameters
    ----------
    post : SafetyPosterior
        From `SafetyAudit().fit`.
    k : int >= 1, default 1
        Other runs, at least one of which does damage.
    prob : float in (0, 1), default 0.95
        Mass of the intervals.

    Returns
    -------
    pandas.DataFrame
        system, runs (1 to 64), mean, lower, upper, prob, identified.

    Raises
    ------
    ArgumentError
        If an argument is not allowed.

    Examples
    --------
    >>> import reliability_stats as rs
    >>> cells = {"task": range(9), "n": [8] * 9, "damaged": [0] * 6 + [1, 3, 8]}
    >>> post = rs.instruments.SafetyAudit().fit(cells, n="n", damaged="damaged")
    >>> int(rs.plots.audit_miss_data(post)["runs"].max())
    64
    """
    if not isinstance(post, SafetyPosterior):
        raise ArgumentError(
            "audit_miss takes a SafetyPosterior or the result of audit_miss_data, not "
            f"{type(post).__name__}."
        )
    data = post.audit(k=k, runs=RUNS, prob=prob)
    return data.sort_values(["system", "runs"])[list(COLUMNS)].reset_index(drop=True)


def audit_miss(
    post: SafetyPosterior | pd.DataFrame,
    *,
    k: int = 1,
    prob: float = 0.95,
    ax: Axes | None = None,
) -> Axes:
    """Draw how often an audit of so many runs is clean although the cell does damage.

    Open markers rest on the model's shape: no cell has as many runs.

    Parameters
    ----------
    post : SafetyPosterior or pandas.DataFrame
        From `SafetyAudit().fit`, or what `audit_miss_data` made of it.
    k : int >= 1, default 1
        Other runs, at least one of which does damage: see `instruments.AuditMiss`.
    prob : float in (0, 1), default 0.95
        Mass of the intervals.
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
    >>> cells = {"task": range(9), "n": [8] * 9, "damaged": [0] * 6 + [1, 3, 8]}
    >>> post = rs.instruments.SafetyAudit().fit(cells, n="n", damaged="damaged")
    >>> ax = rs.plots.audit_miss(post)
    >>> ax.get_xlabel()
    'clean runs of an audit'
    >>> plt.close(ax.figure)
    """
    import pandas as pd

    if isinstance(post, pd.DataFrame):
        data = check_columns(post, COLUMNS, "audit_miss_data")
    else:
        data = audit_miss_data(post, k=k, prob=prob)
    with drawing(ax, width=4.0) as axes:
        _draw(axes, data)
        if ax is None:
            set_height(axes, 0.72 * figure_of(axes).get_figwidth())
    return axes


def _draw(ax: Axes, data: pd.DataFrame) -> None:
    """Draw a line with a band for each system."""
    from matplotlib.lines import Line2D
    from matplotlib.ticker import FixedLocator, NullLocator, ScalarFormatter

    handles, names = [], []
    for i, (name, part) in enumerate(data.groupby("system", sort=False)):
        look = system_look(i)
        runs = part["runs"].to_numpy()
        ax.fill_between(runs, part["lower"], part["upper"], color=look.edge, alpha=0.15, lw=0)
        ax.plot(runs, part["mean"], color=look.edge, lw=1.2, zorder=2)
        for face, mask in (
            (look.face, part["identified"] == "yes"),
            (None, part["identified"] != "yes"),
        ):
            ax.plot(
                runs[mask], part["mean"][mask], look.marker, color=look.edge, ms=4.5, zorder=3,
                mfc=ax.get_facecolor() if face is None else face,
            )  # fmt: skip
        handles.append(Line2D([], [], color=look.edge, marker=look.marker, ms=4.5))
        names.append(str(name))
    ax.set_xscale("log", base=2)
    ax.xaxis.set_major_locator(FixedLocator([1, 2, 4, 8, 16, 32, 64]))
    ax.xaxis.set_minor_locator(NullLocator())
    ax.xaxis.set_major_formatter(ScalarFormatter())
    ax.set_ylim(0, 1)
    ax.grid(axis="y", lw=0.4, alpha=0.4, color=ink())
    ax.set_xlabel("clean runs of an audit")
    ax.set_ylabel("chance that damage is missed")
    above(ax, 0.0, f"mean and {percent(data['prob'].iloc[0])} band; open: rests on the model")
    if len(names) > 1:
        add_key(ax, handles, shorten_all(names, 30), loc="upper right")
