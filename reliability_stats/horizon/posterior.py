"""What a fit of success against length says: horizons, curves, and how well they predict."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import special

from .._counts import plural
from .._numerics import FloatArray
from .._summary import named_table, usual_k
from .._validation import check_k, check_positive, check_prob
from ..exceptions import ArgumentError, IdentifiabilityWarning
from ..inference.box import Box, weighted_figures, weighted_quantiles
from ..trials import Trials
from ._curves import all_of_k, length_at, mean_for_all_of_k
from ._lengths import Lengths, likelihood_of

if TYPE_CHECKING:
    import pandas as pd

    from .model import Horizon

LEVELS = (0.5, 0.8, 0.95, 0.99)
HIGHEST = 0.8
"""Success rate up to which a horizon may be fixed by the data."""


@dataclass(frozen=True, eq=False)
class HorizonFit:
    """Data of one unit, and posterior of (log2 half, log slope, logit icc[, logit upper])."""

    data: Lengths
    box: Box

    @cached_property
    def points(self) -> tuple[list[FloatArray], FloatArray]:
        """Points and weights for quantiles."""
        return self.box.points()


@dataclass(frozen=True, eq=False, repr=False)
class HorizonPosterior:
    """Posterior of a `Horizon`; made by its `fit`.

    Attributes
    ----------
    spec : Horizon
        What was fitted.
    trials : Trials
        The data.
    fits : list of HorizonFit
        The posterior in arrays; an implementation detail.
    """

    spec: Horizon
    trials: Trials
    fits: list[HorizonFit]

    @property
    def systems(self) -> tuple[str, ...]:
        """Labels of the systems, with their conditions if there are any."""
        return tuple(self.trials.counts.units)

    def summary(
        self,
        *,
        levels: float | Sequence[float] = LEVELS,
        k: int | Sequence[int] | None = None,
        prob: float = 0.95,
    ) -> pd.DataFrame:
        """Give lengths up to which tasks succeed, over tasks like these.

        Parameters
        ----------
        levels : float or list of float in (0, 1), default 0.5, 0.8, 0.95, 0.99
            Mean success rates.
        k : int or list of int, optional
            Numbers of trials that must all succeed; by default the usual number of trials.
        prob : float in (0, 1), default 0.95
            Mass of the equal-tailed intervals.

        Returns
        -------
        pandas.DataFrame
            In the package's one schema. ``horizon@80`` is the length, in the unit of the data, at
            which tasks succeed in 80% of trials on average; ``reliability_horizon@k`` the length at
            which all of k trials of a task succeed with probability 50%; ``slope`` the steepness
            for one doubling; ``icc`` the correlation of trials of a task; ``upper`` the rate of the
            shortest tasks, if estimated. Horizons are skewed: read the interval, not the sd. One
            is 0 where not even the shortest tasks reach the level.

            ``identified`` is "yes" for a horizon up to 80% whose whole interval lies among the
            lengths that were tried, otherwise "model": it is an extrapolation, and another shape
            gives another value (`compare_horizons`).

        Raises
        ------
        ArgumentError
            If a level is not above the lower rate and below 1.

        Warns
        -----
        IdentifiabilityWarning
            If no task of a system was tried twice and a reliability horizon is asked for.

        Examples
        --------
        >>> import reliability_stats as rs
        >>> rows = {"task": [1, 2, 3, 4], "hours": [1, 2, 4, 8], "success": [1, 1, 0, 0]}
        >>> trials = rs.Trials.from_frame(rows, system=None, length="hours")
        >>> post = rs.Horizon(length="hours").fit(trials)
        >>> frame = post.summary(levels=0.5, k=1)
        >>> frame[["estimand", "identified"]].values.tolist()[0]
        ['horizon@50', 'model']
        """
        prob = check_prob(prob)
        wanted = [self._level(item) for item in _listed(levels, "levels")]
        usual = usual_k(self.trials.counts)
        several = [check_k(item) for item in _listed(usual if k is None else k, "k")]
        rows: dict[str, list[dict[str, Any]]] = {}
        for unit, name in enumerate(self.systems):
            fit = self.fits[unit]
            for estimand, values in self._estimands(unit, wanted, several).items():
                figures = weighted_figures(values, fit.points[1], prob)
                row: dict[str, Any] = dict(
                    zip(("mean", "sd", "lower", "upper"), figures, strict=True)
                )
                row |= {"estimand": estimand, "system": name, "over": "population", "prob": prob}
                row["identified"] = _word(estimand, fit.data, row)
                rows.setdefault(estimand, []).append(row)
        self._warn(several)
        return named_table([row for part in rows.values() for row in part])

    def curve(
        self, lengths: Sequence[float] | None = None, *, k: int = 1, prob: float = 0.95
    ) -> pd.DataFrame:
        """Give success against length.

        Parameters
        ----------
        lengths : list of float > 0, optional
            Where; by default 60 lengths from the shortest task to the longest.
        k : int >= 1, default 1
            Number of trials that must all succeed.
        prob : float in (0, 1), default 0.95
            Mass of the equal-tailed intervals.

        Returns
        -------
        pandas.DataFrame
            One row for each system and length: system, length, k, mean, lower, upper, prob.

        Examples
        --------
        >>> import reliability_stats as rs
        >>> rows = {"task": [1, 2, 3, 4], "hours": [1, 2, 4, 8], "success": [1, 1, 0, 0]}
        >>> trials = rs.Trials.from_frame(rows, system=None, length="hours")
        >>> curve = rs.Horizon(length="hours").fit(trials).curve([1, 8])
        >>> bool(curve["mean"][0] > curve["mean"][1])
        True
        """
        import pandas as pd

        k, prob = check_k(k), check_prob(prob)
        rows = []
        for name, fit in zip(self.systems, self.fits, strict=True):
            if lengths is None:
                x = np.linspace(fit.data.x[0], fit.data.x[-1], 60)
            else:
                x = np.log2([check_positive(item, "lengths") for item in lengths])
            points, weights = fit.points
            odds = np.exp(points[2])
            for value in x:
                mean = special.expit(self.spec.logits(np.array([value]), points)[0])
                figures = weighted_figures(all_of_k(mean, odds, k), weights, prob)
                row = {"system": name, "length": float(np.exp2(value)), "k": k, "mean": figures[0]}
                rows.append(row | {"lower": figures[2], "upper": figures[3], "prob": prob})
        return pd.DataFrame(rows)

    def medians(
        self, levels: float | Sequence[float] = LEVELS, *, prob: float = 0.95
    ) -> pd.DataFrame:
        """Give medians and intervals of horizons, which are skewed.

        Parameters
        ----------
        levels : float or list of float in (0, 1), default 0.5, 0.8, 0.95, 0.99
            Mean success rates.
        prob : float in (0, 1), default 0.95
            Mass of the equal-tailed intervals.

        Returns
        -------
        pandas.DataFrame
            One row for each system and level: system, level, median, lower, upper, prob.

        Examples
        --------
        >>> import reliability_stats as rs
        >>> rows = {"task": [1, 2, 3, 4], "hours": [1, 2, 4, 8], "success": [1, 1, 0, 0]}
        >>> trials = rs.Trials.from_frame(rows, system=None, length="hours")
        >>> rs.Horizon(length="hours").fit(trials).medians(0.5)["median"].round(0).tolist()
        [3.0]
        """
        import pandas as pd

        prob = check_prob(prob)
        wanted = [self._level(item) for item in _listed(levels, "levels")]
        ends = ((1 - prob) / 2, 0.5, (1 + prob) / 2)
        rows = []
        for unit, name in enumerate(self.systems):
            found = self._estimands(unit, wanted, [])
            for level in wanted:
                values = found[f"horizon@{100 * level:.6g}"]
                low, middle, high = weighted_quantiles(values, self.fits[unit].points[1], ends)
                row = {"system": name, "level": level, "median": middle}
                rows.append(row | {"lower": low, "upper": high, "prob": prob})
        return pd.DataFrame(rows)

    def loo(self) -> pd.DataFrame:
        """Give how well each task is predicted from the others.

        Returns
        -------
        pandas.DataFrame
            One row a cell: system, task, [condition,] n, successes, elpd (log predictive
            probability of its count, the task left out). Exact up to the lattice: no sampling, and
            no approximation by importance weights of draws.

        Examples
        --------
        >>> import reliability_stats as rs
        >>> rows = {"task": [1, 2, 3, 4], "hours": [1, 2, 4, 8], "success": [1, 1, 0, 0]}
        >>> trials = rs.Trials.from_frame(rows, system=None, length="hours")
        >>> len(rs.Horizon(length="hours").fit(trials).loo())
        4
        """
        frame = self.trials.counts.to_frame()
        out = np.empty(len(frame))
        for unit, fit in enumerate(self.fits):
            out[self.trials.counts.unit == unit] = self._left_out(fit)
        return frame.assign(elpd=out)

    def _left_out(self, fit: HorizonFit) -> FloatArray:
        """Predict each task of a unit from the others."""
        data = fit.data
        keys = np.stack([data.place, data.n, data.successes])
        distinct, row = np.unique(keys, axis=1, return_inverse=True)
        size = distinct.shape[1]
        each = likelihood_of(np.arange(size), distinct[1], distinct[2], size)
        points = [grid.ravel() for grid in np.meshgrid(*fit.box.axes, indexing="ij")]
        mass = fit.box.log_mass.ravel()
        out = np.empty(size)
        for i in range(size):
            u = self.spec.logits(data.x[distinct[0, i]][None], points)
            logs = each(np.array([i]), u, points[2][None])[0]
            out[i] = -special.logsumexp(mass - logs)
        return out[row.ravel()]

    def _level(self, level: object) -> float:
        """Check a level."""
        number = check_prob(level, "levels")
        if number <= self.spec.lower:
            raise ArgumentError(
                f"levels must lie above the lower rate, {self.spec.lower:g}, which even endless "
                f"tasks have; not {level!r}."
            )
        return number

    def _estimands(
        self, unit: int, levels: Sequence[float], several: Sequence[int]
    ) -> dict[str, FloatArray]:
        """Evaluate all estimands at points of the posterior."""
        points = self.fits[unit].points[0]
        h, b, odds = points[0], np.exp(points[1]), np.exp(points[2])
        shape, lower, upper = self.spec.shape, self.spec.lower, self.spec.upper_at(points)
        out: dict[str, FloatArray] = {}
        for level in levels:
            at = length_at(shape, np.asarray(level), h, b, lower, upper)
            out[f"horizon@{100 * level:.6g}"] = np.exp2(at)
        for k in several:
            mean = mean_for_all_of_k(odds, k, 0.5)
            at = length_at(shape, mean, h, b, lower, upper)
            out[f"reliability_horizon@{k}"] = np.exp2(at)
        out |= {"slope": b, "icc": special.expit(points[2])}
        if self.spec.estimates_upper:
            out["upper"] = upper
        return out

    def _warn(self, several: Sequence[int]) -> None:
        """Warn of reliability horizons of tasks that were tried once."""
        poor = [
            name for name, fit in zip(self.systems, self.fits, strict=True) if fit.data.n.max() < 2
        ]
        if poor and max(several) > 1:
            warnings.warn(
                f"No task of {poor[0]!r}{' and other systems' if len(poor) > 1 else ''} was tried "
                "twice, so the correlation of its trials, and with it the reliability horizon, "
                "restates the prior. Run each task at least twice, or ask for k=1.",
                IdentifiabilityWarning,
                stacklevel=3,
            )

    def __repr__(self) -> str:
        """Give the spec, the data and the 50% horizons of the first systems."""
        counts = self.trials.counts
        head = f"{plural(len(self.fits), 'system')}, {plural(len(counts.tasks), 'task')}"
        lines = [f"HorizonPosterior of {self.spec!r}", f"  {head}"]
        for name, fit in list(zip(self.systems, self.fits, strict=True))[:6]:
            _, _, low, high = weighted_figures(np.exp2(fit.points[0][0]), fit.points[1], 0.95)
            lines.append(f"  {name}: half way down at a length of {low:.3g} to {high:.3g}")
        if len(self.fits) > 6:
            lines.append(f"  and {len(self.fits) - 6} more")
        return "\n".join([*lines, "  .summary(), .curve(), .loo()"])

    def _repr_html_(self) -> str:
        """Give the same for notebooks, escaped."""
        return f"<pre>{escape(repr(self))}</pre>"


def _listed(values: Any, name: str) -> list[Any]:
    """Give one value or several as a list that is not empty."""
    out = list(values) if isinstance(values, (list, tuple, np.ndarray)) else [values]
    if not out:
        raise ArgumentError(f"{name} is empty; give at least one.")
    return out


def _word(estimand: str, data: Lengths, row: dict[str, Any]) -> str:
    """Say whether the data fix a value, or the shape of the curve does."""
    most = int(data.n.max())
    if estimand == "icc":
        return "yes" if most > 1 else "no"
    if estimand in ("slope", "upper"):
        return "yes" if estimand == "slope" else "model"
    inside = bool(
        np.exp2(data.x[0]) <= row["lower"] and row["upper"] <= np.exp2(data.x[-1]) * (1 + 1e-12)
    )
    kind, at = estimand.split("@")
    if kind == "horizon":
        return "yes" if inside and float(at) <= 100 * HIGHEST + 1e-9 else "model"
    k = int(at)
    if k > 1 and most < 2:
        return "no"
    return "yes" if inside and np.mean(data.n >= k) >= 0.5 else "model"
