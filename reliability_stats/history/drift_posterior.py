"""What a fit of drift says: rates of periods with bands, changes, volatility."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import special

from .._counts import plural
from .._numerics import FloatArray
from .._summary import identification
from .._validation import check_fraction, check_prob
from ..estimands import PassAtK, PassHatK, SuccessRate
from ..exceptions import ArgumentError, ModelError
from ._levels import ICC_NODES, ICC_REACH
from ._periods import History, name_periods
from ._walk import TAU, Walk

if TYPE_CHECKING:
    import pandas as pd

    from .drift import Drift

TaskScore = SuccessRate | PassAtK | PassHatK


@dataclass(frozen=True, eq=False, repr=False)
class DriftPosterior:
    """Posterior of a `Drift`; made by its `fit`.

    Attributes
    ----------
    spec : Drift
        What was fitted.
    history : History
        Counts by period; an implementation detail.
    walks : list of Walk
        The posterior in arrays; an implementation detail.
    fingerprint : str
        Of the trials.
    """

    spec: Drift
    history: History
    walks: list[Walk]
    fingerprint: str

    def periods(
        self,
        estimands: TaskScore | Sequence[TaskScore] | None = None,
        *,
        prob: float = 0.95,
    ) -> pd.DataFrame:
        """Give the rate, or pass^k and pass@k, of every period that has trials.

        Parameters
        ----------
        estimands : SuccessRate, PassHatK, PassAtK or a list of them, optional
            The success rate by default.
        prob : float in (0, 1), default 0.95
            Mass of the bands, for each period by itself.

        Returns
        -------
        pandas.DataFrame
            One row for each estimand, system and period: estimand, system, period, n, successes,
            mean, sd, lower, upper, prob, identified.

        Raises
        ------
        ArgumentError
            If an argument is not allowed.
        ModelError
            If pass^k or pass@k is asked of a fit with ``tasks="same"``.

        Examples
        --------
        >>> import reliability_stats as rs
        >>> table = {"task": [0] * 3, "week": [1, 2, 3], "n": [40] * 3, "successes": [20, 22, 18]}
        >>> trials = rs.Trials.from_counts(table, system=None, condition="week")
        >>> rs.Drift(period="week").fit(trials).periods()["period"].tolist()
        ['1', '2', '3']
        """
        import pandas as pd

        prob = check_prob(prob)
        n, successes = self.history.totals()
        rows = []
        for estimand in self._allowed(estimands):
            for u, walk in enumerate(self.walks):
                word = identification(estimand, self.history.n[self.history.unit == u])
                values, share = _values(walk, estimand)
                order = np.argsort(values.ravel())
                for i, w in enumerate(walk.levels.periods):
                    mass = _over(values, walk.level[i], share).ravel()
                    row: dict[str, Any] = {
                        "estimand": estimand.name,
                        "system": self.history.units[u],
                    }
                    row |= {"period": self.history.periods[w], "n": int(n[u, w])}
                    row |= {"successes": int(successes[u, w])}
                    row |= _described(values.ravel(), mass, order, prob)
                    rows.append(row | {"prob": prob, "identified": word})
        return pd.DataFrame(rows)

    def summary(
        self,
        estimand: TaskScore | None = None,
        *,
        margin: float = 0.05,
        prob: float = 0.95,
    ) -> pd.DataFrame:
        """Say for each system how far it has come from its first period to its last.

        Parameters
        ----------
        estimand : SuccessRate, PassHatK or PassAtK, optional
            What changes; the success rate by default.
        margin : float in [0, 1], default 0.05
            Change that counts.
        prob : float in (0, 1), default 0.95
            Mass of the intervals.

        Returns
        -------
        pandas.DataFrame
            One row a system: estimand, system, n_periods, first, last (periods), change (mean of
            last minus first), sd, lower, upper, prob, p_decline (the change is below minus the
            margin), p_rise (above the margin), p_drift (the odds have changed by more than a factor
            of 1.5), volatility (mean of the innovations' sd, in log odds a period),
            volatility_lower, volatility_upper, identified.

        Raises
        ------
        ArgumentError
            If an argument is not allowed.
        ModelError
            If pass^k or pass@k is asked of a fit with ``tasks="same"``.

        Examples
        --------
        >>> import reliability_stats as rs
        >>> table = {"task": [0] * 3, "week": [1, 2, 3], "n": [40] * 3, "successes": [36, 22, 8]}
        >>> trials = rs.Trials.from_counts(table, system=None, condition="week")
        >>> post = rs.Drift(period="week", tasks="same").fit(trials)
        >>> post.summary()["p_decline"].round(2).tolist()
        [1.0]
        """
        import pandas as pd

        prob, margin = check_prob(prob), check_fraction(margin, "margin")
        (estimand,) = self._allowed([SuccessRate() if estimand is None else estimand])
        rows = [self._row(u, walk, estimand, margin, prob) for u, walk in enumerate(self.walks)]
        return pd.DataFrame(rows)

    def _allowed(self, estimands: Any) -> list[TaskScore]:
        """Give a list of estimands that this fit has."""
        items = _checked(estimands)
        for item in items:
            if self.spec.tasks == "same" and not isinstance(item, SuccessRate):
                raise ModelError(
                    f"{item.name} needs to know how tasks differ, and with tasks='same' only their "
                    "mean is followed; use tasks='fresh'."
                )
        return items

    def _row(
        self, unit: int, walk: Walk, estimand: TaskScore, margin: float, prob: float
    ) -> dict[str, Any]:
        """Summarise one unit."""
        values, share = _values(walk, estimand)
        change = values[:, None, :] - values[:, :, None]
        mass = _over(values, walk.ends, share)
        width = np.broadcast_to(np.abs(np.gradient(values, axis=1))[:, None, :], change.shape)
        flat, weight, width = change.ravel(), mass.ravel() / mass.sum(), width.ravel()
        keep = weight > 1e-12 * weight.max()
        flat, weight, width = flat[keep], weight[keep], width[keep]
        seen = walk.levels.periods
        logit = walk.levels.logit
        shift = np.abs(logit[None, :] - logit[:, None])
        drifted = 1 - _share_below(shift, np.full_like(shift, walk.levels.step), np.log(1.5))
        names = self.history.periods
        row: dict[str, Any] = {"estimand": estimand.name, "system": self.history.units[unit]}
        row |= {"n_periods": len(seen), "first": names[seen[0]], "last": names[seen[-1]]}
        described = _described(flat, weight, np.argsort(flat), prob)
        row |= {"change": described.pop("mean"), **described, "prob": prob}
        row |= {"p_decline": float(weight @ _share_below(flat, width, -margin))}
        row |= {"p_rise": float(weight @ (1 - _share_below(flat, width, margin)))}
        row["p_drift"] = float((walk.ends.sum(axis=0) * drifted).sum())
        tau = walk.weight.sum(axis=0)
        low, high = _tau_ends(tau, prob)
        row |= {"volatility": float(tau @ TAU), "volatility_lower": low, "volatility_upper": high}
        word = identification(estimand, self.history.n[self.history.unit == unit])
        if len(seen) < 2:
            unknown = ("change", "sd", "lower", "upper", "p_decline", "p_rise", "p_drift")
            return row | dict.fromkeys(unknown, np.nan) | {"identified": "no"}
        return row | {"identified": word}

    def __repr__(self) -> str:
        """Give the spec, the data and the answer for the first systems."""
        units = self.history.units
        lines = [
            f"DriftPosterior of {self.spec!r}",
            f"  {plural(len(units), 'system')}, {name_periods(self.history.periods)}",
        ]
        for u, walk in list(enumerate(self.walks))[:6]:
            row = self._row(u, walk, SuccessRate(), 0.05, 0.95)
            if row["n_periods"] < 2:
                lines.append(f"  {row['system']}: seen in one period only")
                continue
            lines.append(
                f"  {row['system']}: rate has changed by {row['change']:+.3f} "
                f"[{row['lower']:+.3f}, {row['upper']:+.3f}]; "
                f"P(decline > 0.05) = {row['p_decline']:.3f}"
            )
        if len(units) > 6:
            lines.append(f"  and {len(units) - 6} more")
        return "\n".join([*lines, "  .summary(), .periods()"])

    def _repr_html_(self) -> str:
        """Give the same for notebooks, escaped."""
        return f"<pre>{escape(repr(self))}</pre>"


def _checked(estimands: Any) -> list[TaskScore]:
    """Give a list of estimands that are allowed here."""
    if estimands is None:
        return [SuccessRate()]
    items = list(estimands) if isinstance(estimands, (list, tuple)) else [estimands]
    for item in items:
        if not isinstance(item, (SuccessRate, PassAtK, PassHatK)):
            raise ArgumentError(
                f"estimands must be SuccessRate(), PassHatK(k) or PassAtK(k), not {item!r}."
            )
    if not items:
        raise ArgumentError("Give at least one estimand.")
    return items


def _values(walk: Walk, estimand: TaskScore) -> tuple[FloatArray, FloatArray | None]:
    """Give the estimand at each (correlation, level), and the prior of the correlation if unseen.

    If no task was tried twice, the likelihood does not depend on the correlation, which then keeps
    its prior.
    """
    icc, share = walk.levels.icc, None
    if len(icc) == 1:
        icc = np.linspace(-ICC_REACH, ICC_REACH, ICC_NODES)
        share = special.softmax(special.log_expit(icc) + special.log_expit(-icc))
    rate = special.expit(walk.levels.logit)
    if isinstance(estimand, SuccessRate):
        return np.asarray(rate[None]), None
    total = np.exp(-icc)[:, None]
    values = estimand.from_beta(rate * total, special.expit(-walk.levels.logit) * total)
    return np.asarray(values, dtype=float), share


def _over(values: FloatArray, mass: FloatArray, share: FloatArray | None) -> FloatArray:
    """Give the mass (correlation, ...) that goes with values: summed, as it is, or spread."""
    if len(values) == 1:
        return np.asarray(mass.sum(axis=0, keepdims=True))
    return mass if share is None else np.asarray(mass * share.reshape(-1, *[1] * (mass.ndim - 1)))


def _share_below(values: FloatArray, width: FloatArray, limit: float) -> FloatArray:
    """Give the share below a limit of cells of some width around the values."""
    return np.asarray(np.clip((limit - values) / np.maximum(width, 1e-12) + 0.5, 0.0, 1.0))


def _described(values: FloatArray, mass: FloatArray, order: Any, prob: float) -> dict[str, float]:
    """Mean, sd and ends of a distribution on many points, each spread to its neighbours."""
    mass = mass / mass.sum()
    mean = float(mass @ values)
    sd = float(np.sqrt(mass @ (values - mean) ** 2))
    x, weight = values[order], mass[order]
    middle = weight.cumsum() - weight / 2
    tail = (1 - prob) / 2
    low, high = np.interp([tail, 1 - tail], middle, x)
    return {"mean": mean, "sd": sd, "lower": float(low), "upper": float(high)}


def _tau_ends(mass: FloatArray, prob: float) -> tuple[float, float]:
    """Give the ends of the interval of tau, with mass spread evenly on the log scale."""
    edges = np.sqrt(TAU[1:] * TAU[:-1])
    edges = np.concatenate([[0.0], edges, [TAU[-1] ** 1.5 / TAU[-2] ** 0.5]])
    below = np.concatenate([[0.0], mass.cumsum()])
    tail = (1 - prob) / 2
    low, high = np.interp([tail, 1 - tail], below, edges)
    return float(low), float(high)
