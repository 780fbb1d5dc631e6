"""Steps of a workflow: how reliable each is, and what remains of the whole."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..exceptions import ArgumentError
from ..instruments.workflow_posterior import WorkflowPosterior
from ._data import check_columns
from ._labels import above, label_axes, shorten_to
from ._style import PALETTE, drawing, ink, set_height, small
from ._text import literal, percent

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

COLUMNS = ("step", "kind", "mean", "lower", "upper", "p_weakest", "prob")
WHOLE = "end to end"


def workflow_steps_data(
    post: WorkflowPosterior, *, workflow: str | None = None, prob: float = 0.95
) -> pd.DataFrame:
    """Compute what `workflow_steps` draws.

    Parameters
    ----------
    post : WorkflowPosterior
        The fit of a `Workflow`.
    workflow : str, optional
        Which workflow; may be left out if there is one only.
    prob : float in (0, 1), default 0.95
        Mass of the intervals.

    Returns
    -------
    pandas.DataFrame
        One row a step, in order, and a last one for the whole: step, kind ("step" or "whole"), n,
        mean, lower, upper, p_weakest, if_perfect, prob.

    Raises
    ------
    ArgumentError
        If an argument is not allowed.

    Examples
    --------
    >>> import reliability_stats as rs
    >>> from reliability_stats.instruments import Workflow
    >>> table = {"run": [1, 1, 2], "step": ["find", "fix", "find"]}
    >>> table["outcome"] = ["passed", "passed", "failed"]
    >>> rs.plots.workflow_steps_data(Workflow().fit(table))["step"].tolist()
    ['find', 'fix', 'end to end']
    """
    import pandas as pd

    if not isinstance(post, WorkflowPosterior):
        raise ArgumentError(
            "workflow_steps takes the fit of a Workflow, or the result of workflow_steps_data, "
            f"not {type(post).__name__}."
        )
    if workflow is None and len(post.workflows) > 1:
        raise ArgumentError(
            f"There are {len(post.workflows)} workflows; name one with workflow=..., such as "
            f"{post.workflows[0]!r}."
        )
    name = post.workflows[0] if workflow is None else workflow
    if name not in post.workflows:
        raise ArgumentError(f"There is no workflow {name!r}.")
    steps = post.steps(prob=prob)
    steps = steps[steps["workflow"] == name].assign(kind="step")
    table = post.summary(prob=prob)
    whole = table[(table["system"] == name) & (table["estimand"] == "end_to_end")]
    whole = whole.assign(kind="whole", step=WHOLE)
    kept = ["step", "kind", "n", "mean", "lower", "upper", "p_weakest", "if_perfect", "prob"]
    out = pd.concat([steps, whole.reindex(columns=steps.columns)], ignore_index=True)
    return out[kept]


def workflow_steps(
    post: WorkflowPosterior | pd.DataFrame,
    *,
    workflow: str | None = None,
    prob: float = 0.95,
    ax: Axes | None = None,
) -> Axes:
    """Draw the reliability of every step, of the whole, and of the whole if a step were perfect.

    Parameters
    ----------
    post : WorkflowPosterior or pandas.DataFrame
        The fit of a `Workflow`, or what `workflow_steps_data` made of it.
    workflow : str, optional
        Which workflow; may be left out if there is one only.
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
    >>> from reliability_stats.instruments import Workflow
    >>> table = {"run": [1, 1, 2], "step": ["find", "fix", "find"]}
    >>> table["outcome"] = ["passed", "passed", "failed"]
    >>> ax = rs.plots.workflow_steps(Workflow().fit(table))
    >>> [text.get_text() for text in ax.get_yticklabels()]
    ['find', 'fix', 'end to end']
    >>> plt.close(ax.figure)
    """
    import pandas as pd

    if isinstance(post, pd.DataFrame):
        data = check_columns(post, COLUMNS, "workflow_steps_data")
    else:
        data = workflow_steps_data(post, workflow=workflow, prob=prob)
    with drawing(ax, width=4.6) as axes:
        if ax is None:
            set_height(axes, 0.9 + 0.3 * len(data))
        _draw(axes, data)
    return axes


def _draw(ax: Axes, data: pd.DataFrame) -> None:
    """Draw dots with intervals, hollow marks for perfected steps, chances of being weakest."""
    y = np.arange(len(data), dtype=float)
    y[-1] += 0.4
    whole = (data["kind"] == "whole").to_numpy()
    for mask, colour, marker in ((~whole, PALETTE[0], "o"), (whole, PALETTE[3], "D")):
        part: Any = data[mask]
        ax.hlines(y[mask], part["lower"], part["upper"], color=colour, lw=1.6, zorder=2)
        ax.plot(part["mean"], y[mask], ls="none", marker=marker, color=colour, ms=5, zorder=3)
    steps = data[~whole]
    ax.plot(
        steps["if_perfect"],
        y[~whole],
        ls="none",
        marker="D",
        mfc=ax.get_facecolor(),
        mec=PALETTE[3],
        ms=5,
        zorder=3,
    )
    centre = float(data.loc[whole, "mean"].iloc[0])
    ax.axvline(centre, color=PALETTE[3], lw=0.8, ls=":", zorder=1)
    names = shorten_to(ax, data["step"].tolist(), 110.0)
    ax.set_yticks(y, [literal(name) for name in names])
    ax.set_ylim(y[-1] + 0.6, -0.6)
    ax.set_xlim(max(0.0, np.floor(10.0 * float(data["lower"].min()) - 1.0) / 10.0), 1.0)
    for place, chance in zip(y[~whole], steps["p_weakest"], strict=True):
        ax.text(
            1.02,
            place,
            percent(round(float(chance), 2)),
            transform=ax.get_yaxis_transform(),
            va="center",
            fontsize=small(),
            color=ink(),
        )
    above(ax, 1.0, "P(weakest)")
    above(
        ax,
        0.0,
        f"{percent(data['prob'].iloc[0])} intervals; hollow: if perfect",
    )
    label_axes(ax, x="reliability, given that all went well before")
