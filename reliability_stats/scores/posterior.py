"""What a fit of scores says: best and worst of k runs, tolerances, and where the spread lies."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np

from .._counts import plural
from .._numerics import FloatArray
from .._summary import named_table
from .._validation import check_positive, check_prob
from ..exceptions import IdentifiabilityWarning
from ..inference.box import Box, weighted_figures
from ..trials import Trials
from ._read import Runs
from ._student import expected_best, share_above
from .unbiased import check_tolerance, listed_k

if TYPE_CHECKING:
    import pandas as pd

    from .model import ScoreModel

FEW = 10
"""Tasks below which what is said of tasks like these rests on the prior."""
NODES = 81
CHUNK = 2**20


@dataclass(frozen=True, eq=False)
class ScoreFit:
    """Runs of one unit, and posterior of (mean, log sd of tasks, log sd of runs), scaled."""

    runs: Runs
    box: Box

    @cached_property
    def points(self) -> tuple[list[FloatArray], FloatArray]:
        """Points and weights for quantiles."""
        return self.box.points()


@dataclass(frozen=True, eq=False, repr=False)
class ScorePosterior:
    """Posterior of a `ScoreModel`; made by its `fit`.

    Attributes
    ----------
    spec : ScoreModel
        What was fitted.
    trials : Trials
        The data.
    centre, scale : float
        Of the priors, as they were used.
    fits : list of ScoreFit
        The posterior in arrays; an implementation detail.
    """

    spec: ScoreModel
    trials: Trials
    centre: float
    scale: float
    fits: list[ScoreFit]

    @property
    def systems(self) -> tuple[str, ...]:
        """Labels of the systems, with their conditions if there are any."""
        return tuple(self.trials.counts.units)

    def summary(
        self, *, k: int | Sequence[int] = 3, tolerance: float | None = None, prob: float = 0.95
    ) -> pd.DataFrame:
        """Give what runs score, over tasks like these.

        Parameters
        ----------
        k : int or list of int, default 3
            Numbers of runs.
        tolerance : float, optional
            Score from which a run is good enough.
        prob : float in (0, 1), default 0.95
            Mass of the equal-tailed intervals.

        Returns
        -------
        pandas.DataFrame
            In the package's one schema: ``mean_score``; ``best_of_k`` and ``worst_of_k`` (expected
            best and worst of k runs of a task); with a tolerance ``p(score>=tolerance)``,
            ``all_of_k`` and ``any_of_k`` (all or any of k runs of a task reach it); ``run_sd`` (of
            runs of a task), ``task_sd`` (of the levels of tasks) and ``task_share`` (of the
            variance, that lies between tasks). ``identified`` is "model" with fewer than ten tasks,
            and "no" for what needs repeated runs where there are none.

        Warns
        -----
        IdentifiabilityWarning
            If no task of a system was run twice.

        Examples
        --------
        >>> import reliability_stats as rs
        >>> rows = {"task": [1, 1, 2, 2], "score": [0.1, 0.4, 0.0, 0.9], "success": [0, 0, 0, 1]}
        >>> trials = rs.Trials.from_frame(rows, system=None, score="score")
        >>> post = rs.ScoreModel(centre=0.5, scale=0.3).fit(trials)
        >>> post.summary(k=2)["estimand"].tolist()
        ['mean_score', 'best_of_2', 'worst_of_2', 'run_sd', 'task_sd', 'task_share']
        """
        several, limit, prob = listed_k(k), check_tolerance(tolerance), check_prob(prob)
        rows: dict[str, list[dict[str, Any]]] = {}
        for name, fit in zip(self.systems, self.fits, strict=True):
            for estimand, values in self._estimands(fit, several, limit).items():
                mean, sd, low, high = weighted_figures(values, fit.points[1], prob)
                row: dict[str, Any] = {"mean": mean, "sd": sd, "lower": low, "upper": high}
                row |= {"estimand": estimand, "system": name, "over": "population", "prob": prob}
                row["identified"] = _word(estimand, fit.runs)
                rows.setdefault(estimand, []).append(row)
        self._warn()
        return named_table([row for part in rows.values() for row in part])

    def sensitivity(
        self,
        *,
        factor: float = 2.0,
        k: int | Sequence[int] = 3,
        tolerance: float | None = None,
        prob: float = 0.95,
    ) -> pd.DataFrame:
        """Say how much the answers move when the scale of the priors is changed.

        Parameters
        ----------
        factor : float > 0, default 2
            The scale is divided and multiplied by it.
        k, tolerance, prob
            As in `summary`.

        Returns
        -------
        pandas.DataFrame
            One row for each estimand and system: estimand, system, mean, lower, upper, then
            lower_tight, upper_tight and lower_wide, upper_wide (with the smaller and the larger
            scale), and moved (largest move of an end of the interval, as a share of its width).
            Above about 0.1 the prior should be stated beside the result.

        Examples
        --------
        >>> import reliability_stats as rs
        >>> rows = {"task": [1, 1, 2, 2], "score": [0.1, 0.4, 0.0, 0.9], "success": [0, 0, 0, 1]}
        >>> trials = rs.Trials.from_frame(rows, system=None, score="score")
        >>> table = rs.ScoreModel(centre=0.5, scale=0.3).fit(trials).sensitivity(k=2)
        >>> bool(table["moved"].max() > 0.1)
        True
        """
        factor = check_positive(factor, "factor")
        tables = []
        for scale in (self.scale, self.scale / factor, self.scale * factor):
            same = scale == self.scale
            spec = replace(self.spec, centre=self.centre, scale=scale)
            post = self if same else spec.fit(self.trials)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", IdentifiabilityWarning)
                tables.append(post.summary(k=k, tolerance=tolerance, prob=prob))
        base, tight, wide = tables
        out = base[["estimand", "system", "mean", "lower", "upper"]].copy()
        moves = []
        for name, table in (("tight", tight), ("wide", wide)):
            for end in ("lower", "upper"):
                out[f"{end}_{name}"] = table[end]
                moves.append((table[end] - base[end]).abs() / (base["upper"] - base["lower"]))
        out["moved"] = np.max(np.stack(moves), axis=0)
        return out

    def _estimands(
        self, fit: ScoreFit, several: Sequence[int], limit: float | None
    ) -> dict[str, FloatArray]:
        """Evaluate all estimands at points of the posterior, in the unit of the scores."""
        df, points = self.spec.df, fit.points[0]
        mean = self.centre + self.scale * points[0]
        between, within = (self.scale * np.exp(x) for x in points[1:])
        out = {"mean_score": mean}
        for k in several:
            step = within * expected_best(k, df)
            out |= {f"best_of_{k}": mean + step, f"worst_of_{k}": mean - step}
        if limit is not None:
            found = _tolerated(mean, between, within, df, several, limit)
            out[f"p(score>={limit:.6g})"] = found["all_of_1"]
            out |= {name: found[name] for k in several for name in (f"all_of_{k}", f"any_of_{k}")}
        run_sd = within * (1.0 if np.isinf(df) else np.sqrt(df / (df - 2)))
        share = between**2 / (between**2 + run_sd**2)
        return out | {"run_sd": run_sd, "task_sd": between, "task_share": share}

    def _warn(self) -> None:
        """Warn of systems without repeated runs."""
        poor = [
            name for name, fit in zip(self.systems, self.fits, strict=True) if fit.runs.n.max() < 2
        ]
        if poor:
            warnings.warn(
                f"No task of {poor[0]!r}{' and other systems' if len(poor) > 1 else ''} was run "
                "twice, so the spread of runs cannot be told from that of tasks, and rows marked "
                "'no' rest on the prior. Run each task at least twice.",
                IdentifiabilityWarning,
                stacklevel=3,
            )

    def __repr__(self) -> str:
        """Give the spec, the data, and whether the prior matters."""
        sizes = [plural(len(self.fits), "system"), plural(len(self.trials.counts.tasks), "task")]
        sizes.append(plural(self.trials.n_trials, "run"))
        lines = [
            f"ScorePosterior of {self.spec!r}",
            f"  {', '.join(sizes)}; centre {self.centre:.4g}, scale {self.scale:.4g}",
        ]
        few = min(len(fit.runs.n) for fit in self.fits)
        if few < FEW:
            lines.append(
                f"  with {plural(few, 'task')} the prior matters; see .sensitivity() before quoting"
            )
        return "\n".join([*lines, "  .summary(), .sensitivity()"])

    def _repr_html_(self) -> str:
        """Give the same for notebooks, escaped."""
        return f"<pre>{escape(repr(self))}</pre>"


def _tolerated(
    mean: FloatArray,
    between: FloatArray,
    within: FloatArray,
    df: float,
    several: Sequence[int],
    limit: float,
) -> dict[str, FloatArray]:
    """Average over tasks the chance that all or any of k runs reach a tolerance."""
    z = np.linspace(-6.0, 6.0, NODES)
    weights = np.exp(-0.5 * z**2)
    weights /= weights.sum()
    names = [f"{word}_of_{k}" for k in {1, *several} for word in ("all", "any")]
    out = {name: np.empty(len(mean)) for name in names}
    for rows in np.array_split(np.arange(len(mean)), 1 + len(mean) * NODES // CHUNK):
        level = mean[rows, None] + between[rows, None] * z
        above = share_above((limit - level) / within[rows, None], df)
        for k in {1, *several}:
            out[f"all_of_{k}"][rows] = above**k @ weights
            out[f"any_of_{k}"][rows] = (1 - (1 - above) ** k) @ weights
    return out


def _word(estimand: str, runs: Runs) -> str:
    """Say whether the data fix a value, or the priors and the shape do."""
    alone = runs.n.max() < 2
    if alone and estimand != "mean_score" and not estimand.startswith("p("):
        return "no"
    if len(runs.n) < FEW:
        return "model"
    return "yes" if estimand in ("mean_score", "run_sd", "task_sd", "task_share") else "model"
