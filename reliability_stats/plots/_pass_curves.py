"""pass@k and pass^k against the number of tries k, with bands and the observed values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .._counts import listed
from .._numerics import IntArray
from .._summary import usual_k
from .._validation import check_k, check_over, check_prob
from ..estimands import PassAtK, PassHatK
from ..exceptions import ArgumentError
from ..posterior import Posterior
from ..trials import Counts
from ._data import check_columns, chosen, same_setting
from ._labels import above, end_labels, text_sizes
from ._style import drawing, figure_of, ink, set_height, small, system_look
from ._text import literal, percent, shorten

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

COLUMNS = (
    "system",
    "position",
    "kind",
    "k",
    "over",
    "prob",
    "mean",
    "lower",
    "upper",
    "identified",
    "observed",
    "n_tasks",
    "all_tasks",
)
KINDS: dict[str, type[PassAtK | PassHatK]] = {"pass@k": PassAtK, "pass^k": PassHatK}
MOST = 6
"""Systems that can be told apart in one plot."""
ALPHA = {1: 0.18, 2: 0.14, 3: 0.12, 4: 0.09, 5: 0.08, 6: 0.07}
"""Opacity of bands by number of systems."""
LINEAR = 40
"""Largest k up to which every integer is computed, and the axis is linear."""
HEADROOM = 0.1


def pass_curves_data(
    post: Posterior,
    *,
    k_max: int | None = None,
    over: str = "population",
    prob: float = 0.95,
    systems: str | list[str] | None = None,
) -> pd.DataFrame:
    """Compute what `pass_curves` draws.

    Parameters
    ----------
    post : Posterior
        A fit.
    k_max : int >= 2, optional
        Largest number of tries; by default somewhat beyond the usual number of trials of a task.
    over : {"population", "observed"}
        Tasks like these, or the very tasks of the table.
    prob : float in (0, 1), default 0.95
        Mass of the bands, which are equal-tailed at each k.
    systems : str or list of str, optional
        Systems to take; all by default.

    Returns
    -------
    pandas.DataFrame
        One row for each system, kind ("pass@k", "pass^k") and k: system, position (in
        ``post.systems``, decides the colour), kind, k, over, prob, mean, lower, upper, identified
        ("yes", "model", "no"), observed (the unbiased estimate from the tasks with at least k
        trials; NaN if there are none), n_tasks (how many they are), all_tasks. Beyond k = 40 only
        some k are computed.

    Raises
    ------
    ArgumentError
        If an argument is not allowed.

    Warns
    -----
    IdentifiabilityWarning
        If no task of a system was tried twice.

    Examples
    --------
    >>> import reliability_stats as rs
    >>> post = rs.fit(rs.datasets.load("tau-bench-airline-gpt4o"))
    >>> data = rs.plots.pass_curves_data(post)
    >>> data.loc[data["k"] == 4, ["kind", "mean", "observed", "identified"]].round(3)
          kind   mean  observed identified
    3   pass@k  0.700      0.72        yes
    11  pass^k  0.178      0.20        yes
    """
    import pandas as pd

    counts = post.trials.counts
    k_max = _reach(usual_k(counts)) if k_max is None else check_k(k_max, "k_max", minimum=2)
    over, prob = check_over(over), check_prob(prob)
    rows = chosen(systems, post.systems)
    ends = _identified(counts)[rows]
    ks = np.union1d(_steps(k_max), ends[ends <= k_max])
    estimands = [kind(int(k)) for kind in KINDS.values() for k in ks]
    summary = post.summary(estimands, over=over, prob=prob)
    shape = (len(KINDS), len(ks), len(post.systems))
    values = {
        name: summary[name].to_numpy().reshape(shape)
        for name in ("mean", "lower", "upper", "identified")
    }
    distinct = counts.distinct()
    frames = []
    for i in rows:
        mine = distinct.unit == i
        n, successes, weights = (
            array[mine] for array in (distinct.n, distinct.successes, distinct.multiplicity)
        )
        enough = np.array([weights[n >= k].sum() for k in ks])
        for j, (name, kind) in enumerate(KINDS.items()):
            observed = [_unbiased(kind(int(k)), n, successes, weights) for k in ks]
            columns = {
                "system": post.systems[i],
                "position": i,
                "kind": name,
                "k": ks,
                "over": over,
                "prob": prob,
                **{column: array[j, :, i] for column, array in values.items()},
                "observed": observed,
                "n_tasks": enough,
                "all_tasks": weights.sum(),
            }
            frames.append(pd.DataFrame(columns, columns=list(COLUMNS)))
    return pd.concat(frames, ignore_index=True)


def _identified(counts: Counts) -> IntArray:
    """Give the largest k that the data of each unit identify: half of its tasks have k trials."""
    order = np.lexsort((-counts.n, counts.unit))
    sizes = np.bincount(counts.unit)
    starts = np.cumsum(sizes) - sizes
    return np.asarray(counts.n[order][starts + (sizes + 1) // 2 - 1])


def _unbiased(
    estimand: PassAtK | PassHatK, n: IntArray, successes: IntArray, weights: IntArray
) -> float:
    """Estimate from the tasks with enough trials; NaN if there are none."""
    enough = n >= estimand.k
    if not enough.any():
        return float("nan")
    return estimand.from_counts(n[enough], successes[enough], weights=weights[enough])


def _reach(n: int) -> int:
    """Choose how far beyond n trials the curves go."""
    return max(n + 3, min(2 * n, 50), -(-5 * n // 4))


def _steps(k_max: int) -> IntArray:
    """Give all integers up to `LINEAR`, and beyond it some, ever farther apart."""
    start = np.arange(1, min(k_max, LINEAR) + 1)
    if k_max <= LINEAR:
        return start
    beyond = np.geomspace(LINEAR, k_max, 2 + int(8 * np.log2(k_max / LINEAR)))
    return np.unique(np.concatenate([start, beyond.round().astype(int)]))


def pass_curves(
    post: Posterior | pd.DataFrame,
    *,
    k_max: int | None = None,
    over: str = "population",
    prob: float = 0.95,
    systems: str | list[str] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw pass@k and pass^k against the number of tries k.

    Both start at the success rate, k = 1. pass@k rises: what can be done at least once. pass^k
    falls: what is done every time. The distance between them is the gap.

    Parameters
    ----------
    post : Posterior or pandas.DataFrame
        A fit, or what `pass_curves_data` made of it.
    k_max : int >= 2, optional
        Largest number of tries; by default somewhat beyond the usual number of trials of a task.
    over : {"population", "observed"}
        Tasks like these, or the very tasks of the table.
    prob : float in (0, 1), default 0.95
        Mass of the bands, which are equal-tailed at each k.
    systems : str or list of str, optional
        Systems to draw, at most six; all by default.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    matplotlib.axes.Axes
        Holds, for each system, two FillBetweenPolyCollections labelled "_band", Line2Ds labelled
        "_mean" (solid where the data identify the value, dashed beyond) and Line2Ds with the
        observed values, of which the first has the name of the system as label; and a Polygon or
        Rectangle labelled "_extrapolation".

    Raises
    ------
    ArgumentError
        If an argument is not allowed or contradicts the data given, or if there are more than six
        systems.

    Warns
    -----
    IdentifiabilityWarning
        If no task of a system was tried twice.

    Notes
    -----
    The points are unbiased estimates without a model. An open point rests on a part of the tasks,
    those with at least k trials.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> import reliability_stats as rs
    >>> post = rs.fit(rs.datasets.load("tau-bench-airline-gpt4o"))
    >>> ax = rs.plots.pass_curves(post, k_max=8)
    >>> ax.get_xlabel()
    'k, number of tries'
    >>> plt.close(ax.figure)
    """
    if isinstance(post, Posterior):
        _check_few(systems, post.systems)
        data = pass_curves_data(post, k_max=k_max, over=over, prob=prob, systems=systems)
    else:
        data = check_columns(post, COLUMNS, "pass_curves_data")
        names = list(dict.fromkeys(data["system"]))
        _check_few(systems, names)
        same_setting(data, {"over": "population", "prob": 0.95}, {"over": over, "prob": prob})
        data = data[data["system"].isin([names[i] for i in chosen(systems, names)])]
        if k_max is not None:
            data = data[data["k"] <= check_k(k_max, "k_max", minimum=2)]
    with drawing(ax, width=5.0) as axes:
        _frame(axes, data)
        for _, part in data.groupby("position", sort=False):
            _draw_system(axes, part, ALPHA[data["position"].nunique()])
        _mark_extrapolation(axes, data)
        if ax is None:
            set_height(axes, 0.75 * figure_of(axes).get_figwidth())
        _name_systems(axes, data)
        if ax is None:
            set_height(axes, figure_of(axes).get_figheight())
        _name_kinds(axes)
    return axes


def _check_few(systems: Any, known: Any) -> None:
    """Refuse more systems than can be told apart."""
    names = [known[i] for i in chosen(systems, known)]
    if len(names) > MOST:
        raise ArgumentError(
            f"{len(names)} systems cannot be told apart in one plot of curves; choose at most "
            f"{MOST} with systems=[...]. The systems are: {listed(tuple(names), 20)}."
        )


def _frame(ax: Axes, data: pd.DataFrame) -> None:
    """Set limits, ticks and labels."""
    from matplotlib.ticker import FixedLocator, MaxNLocator, NullLocator, ScalarFormatter

    k_max = int(data["k"].max())
    over, prob = data["over"].iloc[0], data["prob"].iloc[0]
    label = "k, number of tries"
    if k_max > LINEAR:
        ax.set_xscale("log")
        ax.set_xlim(0.9, k_max * 1.08)
        ticks = [m * 10**e for e in range(8) for m in (1, 2, 5) if m * 10**e <= k_max]
        ax.xaxis.set_major_locator(FixedLocator(ticks[:: 1 + len(ticks) // 12]))
        ax.xaxis.set_minor_locator(NullLocator())
        ax.xaxis.set_major_formatter(ScalarFormatter())
        label += " (log scale)"
    else:
        ax.set_xlim(0.6, k_max + 0.5)
        whole = MaxNLocator(nbins=12, integer=True, min_n_ticks=2)
        ticks = [1, *(t for t in whole.tick_values(1, k_max) if 1 < t <= k_max)]
        ax.xaxis.set_major_locator(FixedLocator(ticks))
    ax.set_ylim(-HEADROOM, 1 + HEADROOM)
    ax.set_yticks([0, 0.2, 0.4, 0.6, 0.8, 1])
    tasks = "tasks like these" if over == "population" else "the tasks of the table"
    ax.set_xlabel(literal(label))
    ax.set_ylabel(literal(f"chance over {tasks}"))
    if not ax.spines["top"].get_visible():
        ax.spines["left"].set_bounds(0, 1)
    above(ax, 0.0, f"{percent(prob)} bands")


def _name_kinds(ax: Axes) -> None:
    """Say above the curves what pass@k is, and below them what pass^k is, in words that fit."""
    room = 0.97 * ax.get_window_extent().width * 72.0 / figure_of(ax).dpi
    options = (
        (
            1 + HEADROOM / 2,
            "capability: pass@k, succeeds at least once in k tries",
            "capability: pass@k, at least one success",
            "pass@k: at least once",
            "pass@k",
        ),
        (
            -HEADROOM / 2,
            "reliability: pass^k, succeeds in all k tries",
            "reliability: pass^k, successes only",
            "pass^k: every time",
            "pass^k",
        ),
    )
    widths = [text_sizes(ax, texts, small())[:, 0] for _, *texts in options]
    fits = (np.max(widths, axis=0) <= room).nonzero()[0]
    choice = int(fits[0]) if len(fits) else -1
    for y, *texts in options:
        ax.text(
            0.015,
            y,
            literal(texts[choice]),
            transform=ax.get_yaxis_transform(),
            ha="left",
            va="center",
            fontsize=small(),
            color=ink(),
            zorder=6,
        )


def _draw_system(ax: Axes, data: pd.DataFrame, alpha: float) -> None:
    """Draw both curves of a system with bands, and its observed values."""
    look = system_look(int(data["position"].iloc[0]))
    name: str | None = literal(str(data["system"].iloc[0]))
    for _, part in data.groupby("kind", sort=False):
        k, mean = part["k"].to_numpy(), part["mean"].to_numpy()
        known = int((part["identified"] == "yes").to_numpy().cumprod().sum())
        ends = part["lower"].to_numpy(), part["upper"].to_numpy()
        ax.fill_between(k, *ends, color=look.face, alpha=alpha, lw=0, label="_band", zorder=2)
        for end in ends:
            ax.plot(k, end, color=look.edge, alpha=2 * alpha, lw=0.5, label="_end", zorder=2)
        ax.plot(k[:known], mean[:known], color=look.edge, lw=1.2, label="_mean", zorder=3)
        rest = slice(max(known - 1, 0), None)
        ax.plot(
            k[rest], mean[rest], color=look.edge, lw=1.2, ls=(0, (4, 2)), label="_mean", zorder=3
        )
        observed = part["observed"].to_numpy()
        whole = (part["n_tasks"] == part["all_tasks"]).to_numpy()
        there = ~np.isnan(observed)
        for mask, face in ((there & whole, look.face), (there & ~whole, ax.get_facecolor())):
            if not mask.any():
                continue
            ax.plot(
                k[mask],
                observed[mask],
                ls="none",
                marker=look.marker,
                ms=4.5 if len(k) <= 30 else 2.5,
                mfc=face,
                mec=ax.get_facecolor() if face is look.face else look.edge,
                mew=0.5 if face is look.face else 0.8,
                label=name or "_observed",
                clip_on=False,
                zorder=4,
            )
            name = None


def _mark_extrapolation(ax: Axes, data: pd.DataFrame) -> None:
    """Shade the k that no system's data identify, and say so."""
    k_max = int(data["k"].max())
    sure = data.loc[data["identified"] == "yes", "k"]
    n = int(sure.max()) if len(sure) else 0
    if n >= k_max:
        return
    linear = k_max <= LINEAR
    start = n + 0.5 if linear else float(np.sqrt(max(n, 0.9) * (n + 1)))
    ax.axvspan(
        start, ax.get_xlim()[1], color=ink(), alpha=0.06, lw=0, label="_extrapolation", zorder=0
    )
    unknown = (data["identified"] == "no").any()
    text = "restates the prior" if unknown else "extrapolation (model)"
    above(ax, 1.0, f"k > {n}: {text}")


def _name_systems(ax: Axes, data: pd.DataFrame) -> None:
    """Write the name above the plot of one system, and at the ends of the curves of several."""
    names = list(dict.fromkeys(data["system"]))
    if len(names) == 1:
        title = ax.set_title(literal(shorten(names[0], 60)), loc="left", pad=1.8 * small())
        title.set_color(ink())
        return
    last = data[data["k"] == data["k"].max()]
    ends = {kind: part["mean"].to_numpy() for kind, part in last.groupby("kind", sort=False)}
    apart = {kind: np.diff(np.sort(values)).min() for kind, values in ends.items()}
    kind = max(apart, key=lambda name: float(apart[name]))
    part = last[last["kind"] == kind]
    colours = [system_look(i).edge for i in part["position"]]
    end_labels(ax, int(data["k"].max()), part["mean"].to_numpy(), list(part["system"]), colours)
