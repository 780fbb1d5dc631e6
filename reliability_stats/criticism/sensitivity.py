"""How much the posterior rests on the prior and on the likelihood, by power scaling.

The prior (or the likelihood) is raised to a power a little below and above one, and the distance
between the posteriors is taken per doubling of the power. The distance is the cumulative
Jensen-Shannon distance (Nguyen and Vreeken 2015), the larger of those from the left and from the
right, as in the R package priorsense.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import _summary
from .._numerics import FloatArray
from .._validation import _as_float
from ..estimands import Estimand
from ..exceptions import ArgumentError
from ..trials import Trials
from ._ask import checkable

if TYPE_CHECKING:
    import pandas as pd

TAIL = 1.7e-4
"""Mass beyond each end of the range: what 4000 draws leave out, for which the threshold is set."""
CONFLICT = "possible prior-data conflict"
WEAK = "strong prior or weak likelihood"


def power_scaling(
    trials: Trials,
    engine: Any,
    estimands: Estimand | Sequence[Estimand] | None,
    *,
    lower: float,
    upper: float,
    threshold: float,
) -> pd.DataFrame:
    """Tabulate the sensitivity of estimands to prior and likelihood; see `Posterior`."""
    import pandas as pd

    lower, upper, threshold = _settings(lower, upper, threshold)
    wanted = _summary.as_estimands(estimands, trials.counts, model=True)
    units = trials.counts.units
    out = np.full((2, len(wanted), len(units)), np.nan)
    source = checkable(engine, "points", "prior_sensitivity")
    for points in source.points(wanted):
        for row, unit in enumerate(points.unit):
            for i, values in enumerate(points.values):
                for j, logs in enumerate((points.log_prior, points.log_likelihood)):
                    scaled = values[row], points.weights[row], logs[row]
                    out[j, i, unit] = sensitivity(*scaled, lower=lower, upper=upper)
    rows = [
        {
            "estimand": estimand.name,
            "system": unit,
            "over": "population",
            "prior": out[0, i, s],
            "likelihood": out[1, i, s],
            "diagnosis": diagnosis(out[0, i, s], out[1, i, s], threshold),
        }
        for i, estimand in enumerate(wanted)
        for s, unit in enumerate(units)
    ]
    return pd.DataFrame(rows)


def _settings(lower: object, upper: object, threshold: object) -> tuple[float, float, float]:
    """Check the powers and the threshold."""
    low = _as_float(lower, "lower", "a power in (0, 1)")
    high = _as_float(upper, "upper", "a power above 1")
    limit = _as_float(threshold, "threshold", "a number above 0")
    for good, name, allowed, value in (
        (0 < low < 1, "lower", "a power in (0, 1)", lower),
        (1 < high < np.inf, "upper", "a power above 1", upper),
        (0 < limit < np.inf, "threshold", "a number above 0", threshold),
    ):
        if not good:
            raise ArgumentError(f"{name} must be {allowed}, not {value!r}.")
    return low, high, limit


def diagnosis(prior: float, likelihood: float, threshold: float) -> str:
    """Say what the two sensitivities mean together."""
    if np.isnan(prior) or np.isnan(likelihood):
        return "undefined"
    if prior < threshold:
        return "-"
    return CONFLICT if likelihood >= threshold else WEAK


@dataclass(frozen=True)
class _Sorted:
    """Distinct values in ascending order and the mass at each."""

    values: FloatArray
    group: Any

    @classmethod
    def of(cls, values: FloatArray) -> _Sorted:
        """Sort, and merge equal values."""
        distinct, group = np.unique(values, return_inverse=True)
        return cls(distinct, group)

    def cdf(self, weights: FloatArray) -> FloatArray:
        """Distribution function at the values, half of the mass at a value counted as below."""
        mass = np.bincount(self.group, weights=weights, minlength=len(self.values))
        mass = mass / mass.sum()
        return np.asarray(np.clip(np.cumsum(mass) - mass / 2, 0.0, 1.0))


def sensitivity(
    values: FloatArray,
    weights: FloatArray,
    logs: FloatArray,
    *,
    lower: float = 0.99,
    upper: float = 1.01,
) -> float:
    """Give the distance that a posterior moves per doubling of the power of a component.

    Parameters
    ----------
    values : (points,) array
        A quantity at the points of the posterior.
    weights : (points,) array
        Posterior probabilities of the points.
    logs : (points,) array
        Log density of the component that is raised to a power.
    lower, upper : float
        The powers, below and above one.

    Returns
    -------
    float
        Sensitivity, at least 0; 0 for a quantity that is constant, NaN for one that is undefined
        somewhere.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.linspace(-6, 6, 2001)
    >>> log_prior, log_likelihood = -x**2 / 2, -(x - 2) ** 2 / 2
    >>> weights = np.exp(log_prior + log_likelihood)
    >>> weights /= weights.sum()
    >>> round(sensitivity(x, weights, log_prior), 2)
    0.13
    """
    used = weights > 0
    if np.isnan(values[used]).any():
        return float("nan")
    order = _Sorted.of(values[used])
    if len(order.values) == 1:
        return 0.0
    base = order.cdf(weights[used])
    ends = np.interp([TAIL, 1 - TAIL], base, order.values)
    scale = logs[used] - logs[used].max()
    total = 0.0
    for power in (lower, upper):
        moved = order.cdf(weights[used] * np.exp((power - 1) * scale))
        total += _distance(np.clip(order.values, *ends), base, moved)
    return float(total / (np.log2(upper) - np.log2(lower)))


def _distance(x: FloatArray, p: FloatArray, q: FloatArray) -> float:
    """Cumulative Jensen-Shannon distance of two distribution functions, from the worse side."""
    width = np.diff(x)
    if not width.any():
        return 0.0
    return max(_one_sided(width, p, q), _one_sided(width, 1 - p, 1 - q))


def _one_sided(width: FloatArray, p: FloatArray, q: FloatArray) -> float:
    """Distance seen from one side, by the trapezoidal rule; divided by its upper bound."""
    middle = (p + q) / 2
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = np.where(p > 0, p * np.log2(p / middle), 0.0)
        terms = terms + np.where(q > 0, q * np.log2(q / middle), 0.0)
    integral = (width * (terms[1:] + terms[:-1]) / 2).sum()
    bound = (width * (middle[1:] + middle[:-1])).sum()
    return float(np.sqrt(max(integral, 0.0) / bound)) if bound > 0 else 0.0
