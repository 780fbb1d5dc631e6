"""Success after a success and after a failure, beside what differences between tasks give."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .._validation import check_prob
from ..history.markov_posterior import MarkovPosterior
from ._data import check_columns, chosen, rows_of
from ._style import drawing, ink, set_height, small, system_look
from ._text import literal, shorten

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

COLUMNS = ("system", "position", "after", "kind", "mean", "lower", "upper", "prob", "identified")
KINDS = (("chain", ""), ("independent", ", independent"))


def after_outcome_data(
    post: MarkovPosterior, *, prob: float = 0.95, systems: str | list[str] | None = None
) -> pd.DataFrame:
    """Compute what `after_outcome` draws.

    Parameters
    ----------
    post : MarkovPosterior
        A fit of `MarkovPersistence`.
    prob : float in (0, 1), default 0.95
        Mass of the intervals.
    systems : str or list of str, optional
        Systems to take; all by default.

    Returns
    -------
    pandas.DataFrame
        One row for each system, outcome of the trial before (``after``: "success", "failure") and
        kind ("chain": what follows; "independent": what differences between tasks alone give):
        system, position, after, kind, mean, lower, upper, prob, identified.

    Examples
    --------
    >>> import reliability_stats as rs
    >>> trials = rs.Trials.from_array([[1, 1, 1, 0, 0, 0], [0, 0, 1, 1, 1, 1]])
    >>> data = rs.plots.after_outcome_data(rs.MarkovPersistence().fit(trials))
    >>> data[["after", "kind", "mean"]].round(2)
         after         kind  mean
    0  success        chain  0.73
    1  success  independent  0.65
    2  failure        chain  0.33
    3  failure  independent  0.42
    """
    import pandas as pd

    frame = post.summary(prob=check_prob(prob)).set_index(["estimand", "system"])
    rows = []
    for position in chosen(systems, post.systems):
        system = post.systems[position]
        for after in ("success", "failure"):
            for kind, ending in KINDS:
                found: Any = frame.loc[(f"p(success|{after}){ending}", system)]
                row = {"system": system, "position": position, "after": after, "kind": kind}
                names = ("mean", "lower", "upper", "prob", "identified")
                rows.append(row | {name: found[name] for name in names})
    return pd.DataFrame(rows, columns=list(COLUMNS))


def after_outcome(
    post: Any,
    *,
    prob: float = 0.95,
    systems: str | list[str] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw how often success follows a success, and how often it follows a failure.

    Filled markers with thick lines say what follows in the same task; hollow ones with thin lines
    what differences between tasks alone would give. Where both agree, trials are independent.

    Parameters
    ----------
    post : MarkovPosterior or pandas.DataFrame
        A fit of `MarkovPersistence`, or the result of `after_outcome_data`.
    prob, systems
        See `after_outcome_data`.
    ax : matplotlib.axes.Axes, optional
        Axes to draw on; new ones by default.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    ArgumentError
        If an argument is not of the right kind.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> import reliability_stats as rs
    >>> trials = rs.Trials.from_array([[1, 1, 1, 0, 0, 0], [0, 0, 1, 1, 1, 1]])
    >>> ax = rs.plots.after_outcome(rs.MarkovPersistence().fit(trials))
    >>> ax.get_xlabel()
    'P(success) in the next trial of the same task'
    >>> plt.close(ax.figure)
    """
    is_fit = isinstance(post, MarkovPosterior)
    data = after_outcome_data(post, prob=prob, systems=systems) if is_fit else post
    data = check_columns(data, COLUMNS, "after_outcome_data")
    own = ax is None
    with drawing(ax, width=5.0) as ax:
        labels = _draw(ax, data)
        ax.set_yticks(range(len(labels)), labels)
        ax.set_ylim(len(labels) - 0.5, -0.5)
        ax.set_xlim(0, 1)
        ax.set_xlabel("P(success) in the next trial of the same task")
        ax.grid(axis="x", lw=0.4, alpha=0.4)
        ax.set_axisbelow(True)
        ax.tick_params(axis="y", length=0)
        _key(ax, float(data["prob"].iloc[0]))
        if own:
            set_height(ax, 0.9 + 0.32 * len(labels))
    return ax


def _draw(ax: Axes, data: pd.DataFrame) -> list[str]:
    """Draw one line for each system and outcome before, and give the labels."""
    labels: list[str] = []
    places: dict[tuple[str, str], int] = {}
    for row in rows_of(data):
        key = row.system, row.after
        if key not in places:
            places[key] = len(places)
            labels.append(f"{literal(shorten(row.system, 24))}, after a {row.after}")
        look = system_look(row.position)
        chain = row.kind == "chain"
        y = places[key] + (-0.12 if chain else 0.16)
        ax.plot([row.lower, row.upper], [y, y], color=look.edge, lw=2.2 if chain else 0.8)
        face = look.face if chain else ax.get_facecolor()
        ax.plot(row.mean, y, look.marker, mfc=face, mec=look.edge, ms=5 if chain else 4)
    return labels


def _key(ax: Axes, prob: float) -> None:
    """Say what filled and hollow markers are."""
    from matplotlib.lines import Line2D

    def handle(face: Any, width: float, size: float) -> Line2D:
        return Line2D([], [], color=ink(), lw=width, marker="o", mfc=face, ms=size)

    handles = [handle(ink(), 2.2, 5), handle(ax.get_facecolor(), 0.8, 4)]
    labels = [f"what follows ({prob:.0%} interval)", "if trials were independent"]
    ax.legend(
        handles,
        labels,
        loc="lower left",
        bbox_to_anchor=(0, 1),
        ncols=2,
        fontsize=small(),
        columnspacing=1.0,
        frameon=False,
        borderaxespad=0.2,
    )
