"""What a fit of incident rates says: rates, what comes next, and the exposure in between."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np

from .._counts import plural
from .._numerics import FloatArray, IntArray
from .._summary import COLUMNS
from .._validation import check_positive, check_prob
from ..exceptions import ModelError
from ._gamma_poisson import Mixture, alone
from .incidents import Incidents

if TYPE_CHECKING:
    import pandas as pd

    from .incident_rates import IncidentRates

ALL = "(all)"
"""What stands for all classes together."""


@dataclass(frozen=True, eq=False)
class Fit:
    """Posterior of the classes of one system.

    Attributes
    ----------
    rows : (cells,) ndarray of int
        Its cells.
    mixture : Mixture
        Posterior of the rate of each.
    weight, mean, shape : (nodes,) ndarray, or None
        Posterior of mean and shape of the law over classes.
    """

    rows: IntArray
    mixture: Mixture
    weight: FloatArray | None = None
    mean: FloatArray | None = None
    shape: FloatArray | None = None


@dataclass(frozen=True, eq=False, repr=False)
class IncidentPosterior:
    """Posterior of `IncidentRates`; made by its `fit`.

    Attributes
    ----------
    spec : IncidentRates
        What was fitted.
    incidents : Incidents
        The data.
    fits : tuple of Fit
        The posterior in arrays; an implementation detail.
    """

    spec: IncidentRates
    incidents: Incidents
    fits: tuple[Fit, ...]

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the table that was read."""
        return self.incidents.table.fingerprint

    def summary(self, *, prob: float = 0.95) -> pd.DataFrame:
        """Give the rate of every class per unit of exposure.

        Parameters
        ----------
        prob : float in (0, 1), default 0.95
            Mass of the equal-tailed intervals.

        Returns
        -------
        pandas.DataFrame
            The schema of all summaries, with the column failure_class after system. `identified` is
            "model" for classes without incidents: the data only bound their rate from above.

        Raises
        ------
        ArgumentError
            If `prob` is not allowed.

        Examples
        --------
        >>> from reliability_stats.instruments import IncidentRates, Incidents
        >>> table = {"failure_class": ["tool", "plan"], "incidents": [7, 1], "exposure": 1200}
        >>> post = IncidentRates().fit(Incidents.from_counts(table))
        >>> post.summary()[["estimand", "failure_class", "mean", "upper"]].round(4)
                estimand failure_class    mean   upper
        0  incident_rate          tool  0.0050  0.0096
        1  incident_rate          plan  0.0015  0.0042
        """
        prob = check_prob(prob)
        parts = [self._summarised(fit.mixture, prob) for fit in self.fits]
        values = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
        seen = np.concatenate([self.incidents.incidents[fit.rows] > 0 for fit in self.fits])
        return self._schema("incident_rate", values, prob, np.where(seen, "yes", "model"))

    def total(self, *, prob: float = 0.95) -> pd.DataFrame:
        """Give the rate of all classes of a system together, under Jeffreys' prior.

        Parameters
        ----------
        prob : float in (0, 1), default 0.95
            Mass of the equal-tailed intervals.

        Returns
        -------
        pandas.DataFrame
            As `summary`, one row a system; failure_class is "(all)".

        Raises
        ------
        ModelError
            If the classes of a system have different exposures.

        Examples
        --------
        >>> from reliability_stats.instruments import IncidentRates, Incidents
        >>> events = {"failure_class": ["tool", "tool", "tool", "plan", "plan", "plan", "plan"]}
        >>> post = IncidentRates().fit(Incidents.from_events(events, exposure=1200))
        >>> post.total()[["mean", "lower", "upper"]].round(7)
              mean     lower     upper
        0  0.00625  0.002609  0.011454
        """
        prob = check_prob(prob)
        counts, exposure = self._totals()
        values = self._summarised(alone(counts, exposure), prob)
        identified = np.where(counts > 0, "yes", "model")
        return self._schema("incident_rate", values, prob, identified, total=True)

    def _totals(self) -> tuple[IntArray, FloatArray]:
        """Give incidents and exposure of each system, whose classes must share it."""
        data = self.incidents
        exposure = np.asarray(data.exposure)
        counts, shared = [], []
        for fit, name in zip(self.fits, data.systems, strict=True):
            e = exposure[fit.rows]
            if e.min() != e.max():
                raise ModelError(
                    f"The classes of {name!r} have exposures from {e.min():g} to {e.max():g}, so "
                    "that there is no rate of all of them together. Give them one exposure."
                )
            counts.append(int(data.incidents[fit.rows].sum()))
            shared.append(float(e[0]))
        return np.array(counts, dtype=np.int64), np.array(shared)

    @staticmethod
    def _summarised(mixture: Mixture, prob: float) -> dict[str, FloatArray]:
        """Give moments and interval ends of each cell."""
        mean, sd = mixture.moments()
        ends = [mixture.quantiles((1 + side * prob) / 2) for side in (-1, 1)]
        return {"mean": mean, "sd": sd, "lower": ends[0], "upper": ends[1]}

    def _schema(
        self,
        estimand: str,
        values: dict[str, FloatArray],
        prob: float,
        identified: Any,
        *,
        total: bool = False,
    ) -> pd.DataFrame:
        """Lay results out in the schema of summaries."""
        import pandas as pd

        size = len(values["mean"])
        frame = pd.DataFrame(
            {
                "estimand": estimand,
                "over": "population",
                **values,
                "prob": prob,
                "interval": "eti",
                "identified": identified,
                "ess_bulk": np.full(size, np.nan),
                "r_hat": np.full(size, np.nan),
            }
        )
        return self._named(frame, total=total)[
            ["estimand", "system", "failure_class", *COLUMNS[2:]]
        ]

    def _named(self, frame: pd.DataFrame, *, total: bool) -> pd.DataFrame:
        """Add the names of systems and classes."""
        data = self.incidents
        names = list(data.systems) if total else [data.systems[i] for i in data.system]
        classes = ALL if total else [data.classes[i] for i in data.failure_class]
        return frame.assign(system=names, failure_class=classes)

    def predict(self, exposure: float, *, prob: float = 0.95) -> pd.DataFrame:
        """Say what the next exposure brings, if rates stay as they were.

        Parameters
        ----------
        exposure : float > 0
            How much more.
        prob : float in (0, 1), default 0.95
            The least mass of the intervals of the number of incidents.

        Returns
        -------
        pandas.DataFrame
            One row a class: system, failure_class, incidents (so far), exposure (further), p_none
            (no recurrence), mean and sd of the number, lower, upper (whole numbers), prob. Where
            the classes of all systems share an exposure, a row "(all)" for each system follows.

        Raises
        ------
        ArgumentError
            If an argument is not allowed.

        Examples
        --------
        >>> from reliability_stats.instruments import IncidentRates, Incidents
        >>> table = {"incidents": [7], "exposure": [1200]}
        >>> incidents = Incidents.from_counts(table, failure_class=None)
        >>> next = IncidentRates(pooling="none").fit(incidents).predict(100)
        >>> next[["failure_class", "p_none", "mean", "lower", "upper"]].round(6)
          failure_class    p_none   mean  lower  upper
        0           any  0.548636  0.625      0      3
        """
        import pandas as pd

        further, prob = check_positive(exposure, "exposure"), check_prob(prob)
        frames = [self._named(pd.concat(
            [_next(fit.mixture, self.incidents.incidents[fit.rows], further, prob)
             for fit in self.fits], ignore_index=True), total=False)]  # fmt: skip
        if len(self.incidents.classes) > 1:
            try:
                counts, known = self._totals()
            except ModelError:
                pass
            else:
                total = _next(alone(counts, known), counts, further, prob)
                frames.append(self._named(total, total=True))
        frame = pd.concat(frames, ignore_index=True)
        first = ["system", "failure_class"]
        return frame[[*first, *(name for name in frame if name not in first)]]

    def exposure_between(self, *, prob: float = 0.95) -> pd.DataFrame:
        """Give the mean exposure between two incidents of a class, the inverse of its rate.

        Parameters
        ----------
        prob : float in (0, 1), default 0.95
            Mass of the equal-tailed intervals.

        Returns
        -------
        pandas.DataFrame
            system, failure_class, incidents, median, lower, upper, prob. The mean of the inverse
            need not exist, so the median stands for it; an upper end may be infinite.

        Raises
        ------
        ArgumentError
            If `prob` is not allowed.

        Examples
        --------
        >>> from reliability_stats.instruments import IncidentRates, Incidents
        >>> table = {"incidents": [7], "exposure": [1200]}
        >>> incidents = Incidents.from_counts(table, failure_class=None)
        >>> between = IncidentRates(pooling="none").fit(incidents).exposure_between()
        >>> between[["median", "lower", "upper"]].round(1)
           median  lower  upper
        0   167.4   87.3  383.3
        """
        import pandas as pd

        prob = check_prob(prob)
        columns: dict[str, Any] = {}
        for name, level in (("median", 0.5), ("lower", (1 + prob) / 2), ("upper", (1 - prob) / 2)):
            rate = np.concatenate([fit.mixture.quantiles(level) for fit in self.fits])
            with np.errstate(divide="ignore"):
                columns[name] = 1.0 / rate
        counts = np.concatenate([self.incidents.incidents[fit.rows] for fit in self.fits])
        frame = pd.DataFrame({"incidents": counts, **columns, "prob": prob})
        first = ["system", "failure_class"]
        return self._named(frame, total=False)[[*first, *frame.columns]]

    def classes_differ(self) -> pd.DataFrame:
        """Say how much the rates of the classes of a system differ.

        Returns
        -------
        pandas.DataFrame
            One row a system: system, classes, mean_rate (over classes, median of its posterior),
            spread (coefficient of variation of the rates over classes: median), lower, upper (95%).

        Raises
        ------
        ModelError
            If classes were not pooled.

        Examples
        --------
        >>> from reliability_stats.instruments import IncidentRates, Incidents
        >>> table = {"failure_class": list("abcd"), "incidents": [40, 3, 1, 0], "exposure": 100}
        >>> post = IncidentRates().fit(Incidents.from_counts(table))
        >>> post.classes_differ()[["classes", "spread", "lower", "upper"]].round(2)
           classes  spread  lower  upper
        0        4    1.71   1.02   3.52
        """
        import pandas as pd

        rows = []
        for fit, name in zip(self.fits, self.incidents.systems, strict=True):
            if fit.weight is None or fit.shape is None or fit.mean is None:
                raise ModelError("Classes were fitted one by one; use IncidentRates('partial').")
            spread = 1 / np.sqrt(fit.shape)
            ends = [_weighted_quantile(spread, fit.weight, q) for q in (0.5, 0.025, 0.975)]
            rows.append(
                {
                    "system": name,
                    "classes": len(fit.rows),
                    "mean_rate": _weighted_quantile(fit.mean, fit.weight, 0.5),
                    "spread": ends[0],
                    "lower": ends[1],
                    "upper": ends[2],
                }
            )
        return pd.DataFrame(rows)

    def __repr__(self) -> str:
        """Give the model, the data and what can be asked."""
        data = self.incidents
        number = len(data.classes)
        return (
            f"IncidentPosterior of {self.spec!r}\n"
            f"  {plural(int(data.incidents.sum()), 'incident')} of {number} failure "
            f"class{'' if number == 1 else 'es'} in {plural(len(data.systems), 'system')}, "
            f"{data.describe_exposure()}\n"
            "  .summary(), .total(), .predict(exposure), .exposure_between(), .classes_differ()"
        )

    def _repr_html_(self) -> str:
        """Give the same for notebooks, escaped."""
        return f"<pre>{escape(repr(self))}</pre>"


def _next(mixture: Mixture, counts: IntArray, exposure: float, prob: float) -> pd.DataFrame:
    """Predict the number of incidents of each cell in a further exposure."""
    import pandas as pd

    mean, sd = mixture.moments()
    return pd.DataFrame(
        {
            "incidents": counts,
            "exposure": exposure,
            "p_none": mixture.none_in(exposure),
            "mean": exposure * mean,
            "sd": np.sqrt(exposure * mean + (exposure * sd) ** 2),
            "lower": mixture.count_quantiles((1 - prob) / 2, exposure),
            "upper": mixture.count_quantiles((1 + prob) / 2, exposure),
            "prob": prob,
        }
    )


def _weighted_quantile(values: FloatArray, weight: FloatArray, level: float) -> float:
    """Give a quantile of values with weights, between the middles of their steps."""
    order = np.argsort(values)
    below = weight[order].cumsum() - weight[order] / 2
    return float(np.interp(level, below, values[order]))
