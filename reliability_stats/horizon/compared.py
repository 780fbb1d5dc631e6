"""Shapes of the fall with length side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np

from .._validation import check_choice
from ..exceptions import ArgumentError
from ..trials import Trials
from ._curves import SHAPES
from .model import Horizon
from .posterior import LEVELS, HorizonPosterior

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False, repr=False)
class HorizonComparison:
    """Shapes of success against length side by side; made by `compare_horizons`.

    Attributes
    ----------
    scores : pandas.DataFrame
        One row for each system and shape, best first: system, shape, elpd (sum over tasks of the
        log predictive probability, the task left out), elpd_diff (to the best), se_diff (its
        standard error over tasks), log_evidence.
    horizons : pandas.DataFrame
        One row for each system and level: system, level, then for each shape its posterior median
        and interval, as ``logistic``, ``logistic_lower``, ``logistic_upper``, and so on, and
        ``ratio`` (largest median over smallest).
    posteriors : dict of str to HorizonPosterior
        The fits, by shape.
    """

    scores: pd.DataFrame
    horizons: pd.DataFrame
    posteriors: dict[str, HorizonPosterior]

    def __repr__(self) -> str:
        """Give the scores."""
        text = self.scores.round(2).to_string(index=False, max_rows=20)
        return f"HorizonComparison\n{text}\n  .scores, .horizons, .posteriors"

    def _repr_html_(self) -> str:
        """Give the same for notebooks, escaped."""
        return f"<pre>{escape(repr(self))}</pre>"


def compare_horizons(
    trials: Trials,
    model: Horizon | None = None,
    *,
    shapes: Sequence[str] = SHAPES,
    levels: Sequence[float] = LEVELS,
    prob: float = 0.95,
) -> HorizonComparison:
    """Fit several shapes of success against length, and compare them.

    Horizons at 95% and 99% are extrapolations. The shapes agree where the data are and part beyond;
    how far says what the data do not.

    Parameters
    ----------
    trials : Trials
        With a length.
    model : Horizon, optional
        Gives everything but the shape.
    shapes : list of {"logistic", "weibull", "half_life"}
        Shapes to fit; all by default.
    levels : list of float in (0, 1), default 0.5, 0.8, 0.95, 0.99
        Success rates of the horizons.
    prob : float in (0, 1), default 0.95
        Mass of the intervals.

    Returns
    -------
    HorizonComparison

    Raises
    ------
    ArgumentError
        If a shape is not known, or the model is not a `Horizon`.

    Notes
    -----
    A difference of less than about two standard errors, or of less than 4, says little (Sivula et
    al. 2020). A Weibull exponent below 1 says that the hazard falls along the task, or that tasks
    of one length differ; only repeated trials of a task tell these apart.

    References
    ----------
    Vehtari, Gelman and Gabry (2017), https://doi.org/10.1007/s11222-016-9696-4;
    Sivula et al. (2020), https://doi.org/10.48550/arXiv.2008.10296

    Examples
    --------
    >>> import numpy as np
    >>> import reliability_stats as rs
    >>> minutes = np.repeat([1, 2, 4, 8, 15, 30, 60, 120, 240, 480], 4)
    >>> wins = np.repeat([4, 4, 4, 3, 3, 2, 2, 1, 0, 0], 4)
    >>> rows = {"task": minutes, "minutes": minutes, "success": np.tile(range(4), 10) < wins}
    >>> trials = rs.Trials.from_frame(rows, system=None, length="minutes")
    >>> found = rs.compare_horizons(trials)
    >>> sorted(found.scores["shape"])
    ['half_life', 'logistic', 'weibull']
    """
    import pandas as pd

    spec = Horizon() if model is None else model
    if not isinstance(spec, Horizon):
        raise ArgumentError(f"model must be a Horizon(...), not {model!r}.")
    names = [check_choice(shape, SHAPES, "shapes") for shape in dict.fromkeys(shapes)]
    if not names:
        raise ArgumentError("shapes is empty; give at least one.")
    posts = {shape: replace(spec, shape=shape).fit(trials) for shape in names}
    tables = {shape: post.loo() for shape, post in posts.items()}
    unit = trials.counts.unit
    rows: list[dict[str, Any]] = []
    for i, system in enumerate(trials.counts.units):
        each = {s: t["elpd"].to_numpy()[unit == i] for s, t in tables.items()}
        best = max(each, key=lambda s: each[s].sum())
        for shape in sorted(each, key=lambda s: -each[s].sum()):
            gap = each[shape] - each[best]
            spread = np.std(gap, ddof=1) if len(gap) > 1 else np.nan
            rows.append(
                {
                    "system": system,
                    "shape": shape,
                    "elpd": each[shape].sum(),
                    "elpd_diff": gap.sum(),
                    "se_diff": float(np.sqrt(len(gap)) * spread),
                    "log_evidence": posts[shape].fits[i].box.log_evidence,
                }
            )
    horizons = _side_by_side(posts, levels, prob)
    return HorizonComparison(pd.DataFrame(rows), horizons, posts)


def _side_by_side(
    posts: dict[str, HorizonPosterior], levels: Sequence[float], prob: float
) -> pd.DataFrame:
    """Give the horizons of all shapes in one row a system and level."""
    import pandas as pd

    tables = {s: post.medians(levels, prob=prob) for s, post in posts.items()}
    first = next(iter(tables.values()))
    out = first[["system", "level"]].copy()
    for shape, table in tables.items():
        out[shape] = table["median"]
        out[f"{shape}_lower"], out[f"{shape}_upper"] = table["lower"], table["upper"]
    middle = out[list(tables)].to_numpy(dtype=float)
    with np.errstate(divide="ignore", invalid="ignore"):
        out["ratio"] = middle.max(axis=1) / middle.min(axis=1)
    return pd.DataFrame(out)
