"""Whether failures that were declared fixed come back."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import special

from .._counts import plural
from .._numerics import FloatArray, IntArray
from .._summary import COLUMNS
from .._validation import check_choice, check_positive, check_prob
from ._gamma_poisson import Mixture, alone, partial_pool
from ._table import Column, Label, Number, Table, count, read_table

if TYPE_CHECKING:
    import pandas as pd

SHARES = 48
"""Nodes of the share of fixes that hold."""
PARTS = 24
"""Nodes of what a failed fix leaves of the rate."""


def fix_effect(
    data: Any,
    *,
    failure_class: str = "failure_class",
    before: str = "before",
    exposure_before: str = "exposure_before",
    after: str = "after",
    exposure_after: str = "exposure_after",
    pooling: str = "partial",
    failed: str = "unchanged",
) -> FixEffect:
    """Compare incidents of failure classes before and after each was declared fixed.

    Parameters
    ----------
    data : frame or mapping
        One row a class.
    failure_class, before, exposure_before, after, exposure_after : str
        Names of columns: incidents and exposure until the fix, and since.
    pooling : {"partial", "none"}, default "partial"
        How rates before the fix are fitted: as in `IncidentRates`, conditional on at least one
        incident, or each by itself under Jeffreys' prior.
    failed : {"unchanged", "reduced"}, default "unchanged"
        What a fix that does not hold leaves: the rate as it was, or a part of it, uniform on
        (0, 1).

    Returns
    -------
    FixEffect

    Raises
    ------
    TrialDataError
        If a value is missing or not allowed, a class occurs twice, or a class has no incident
        before its fix.
    ArgumentError
        If an argument is not allowed.

    Notes
    -----
    A fix holds, and the class never recurs, with the same probability for all classes, uniform
    beforehand; or it fails. A class that has recurred shows that its fix failed. Silence tells
    little where the rate before was low or the exposure since is short, and the posterior says so.

    Classes are fixed because they were seen. Taking their rates at face value makes silence look
    like success (regression to the mean); ``pooling="partial"`` allows for it.

    References
    ----------
    Farewell (1982), The use of mixture models for the analysis of survival data with long-term
    survivors, https://doi.org/10.2307/2529885

    Examples
    --------
    >>> from reliability_stats.instruments import fix_effect
    >>> table = {
    ...     "failure_class": ["tool", "plan", "context"],
    ...     "before": [12, 3, 1], "exposure_before": [400, 400, 400],
    ...     "after": [0, 2, 0], "exposure_after": [400, 300, 100],
    ... }
    >>> fix_effect(table)
    FixEffect: 3 failure classes declared fixed, 1 of them seen again
      .recurrence(exposure), .holds(), .ratios()
    """
    check_choice(pooling, ("partial", "none"), "pooling")
    check_choice(failed, ("unchanged", "reduced"), "failed")
    columns = {"failure_class": failure_class, "before": before, "after": after}
    columns |= {"exposure_before": exposure_before, "exposure_after": exposure_after}
    needs: dict[str, Column] = {
        "failure_class": Label(),
        "before": count(low=1),
        "after": count(),
        "exposure_before": Number(low=0, above=True),
        "exposure_after": Number(low=0, above=True),
    }
    table = read_table(data, columns, needs, what="class")
    table.refuse_repeats("failure_class")
    known: IntArray = table["before"]
    exposure: FloatArray = table["exposure_before"]
    if pooling == "none":
        rates = alone(known, exposure)
    else:
        rates = partial_pool(known, exposure, seen_only=True, name="classes")[0]
    return FixEffect(table, rates, pooling, failed)


@dataclass(frozen=True, eq=False, repr=False)
class FixEffect:
    """What is known of fixes; made by `fix_effect`.

    Attributes
    ----------
    table : Table
        What was read.
    rates : Mixture
        Posterior of the rates before the fixes.
    pooling, failed : str
        As they were given.
    """

    table: Table
    rates: Mixture
    pooling: str
    failed: str

    def _parts(self) -> tuple[FloatArray, FloatArray]:
        """Give what a failed fix may leave of a rate, with weights."""
        if self.failed == "unchanged":
            return np.ones(1), np.ones(1)
        x, weight = special.roots_legendre(PARTS)
        return (x + 1) / 2, weight / 2

    def _failed(self) -> FloatArray:
        """Give the chance of what happened since under failed fixes, (classes, nodes, parts)."""
        part, _ = self._parts()
        after = self.table["after"][:, None, None]
        shape, rate = self.rates.shape[..., None], self.rates.rate[..., None]
        since = part * self.table["exposure_after"][:, None, None]
        log_p = special.gammaln(shape + after) - special.gammaln(shape)
        log_p = log_p - special.gammaln(after + 1.0) - shape * np.log1p(since / rate)
        return np.asarray(np.exp(log_p + after * (np.log(since) - np.log(rate + since))))

    def _posterior(self) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Give nodes of the share that holds, their joint weights, and failed / silent chances.

        Shapes (shares,), (nodes, shares) and (classes, nodes).
        """
        x, weight = special.roots_legendre(SHARES)
        share = (x + 1) / 2
        chance = self._failed() @ self._parts()[1]
        silent = (self.table["after"] == 0).astype(float)[:, None, None]
        with np.errstate(divide="ignore"):
            logs = np.log(share * silent + (1 - share) * chance[..., None]).sum(axis=0)
            logs = logs + np.log(self.rates.weight)[:, None] + np.log(weight)
        joint = np.exp(logs - logs.max())
        return share, joint / joint.sum(), chance

    def holds(self, *, prob: float = 0.95) -> pd.DataFrame:
        """Give the share of fixes that hold, over fixes like these.

        Parameters
        ----------
        prob : float in (0, 1), default 0.95
            Mass of the equal-tailed interval.

        Returns
        -------
        pandas.DataFrame
            The schema of all summaries, one row: fix_holds. It rests on the model: silence and
            success can be told apart only by what failed fixes would have shown.

        Raises
        ------
        ArgumentError
            If `prob` is not allowed.

        Examples
        --------
        >>> from reliability_stats.instruments import fix_effect
        >>> table = {
        ...     "failure_class": range(20), "before": [9] * 20, "exposure_before": [10] * 20,
        ...     "after": [0] * 15 + [8] * 5, "exposure_after": [10] * 20,
        ... }
        >>> fix_effect(table).holds()[["mean", "lower", "upper"]].round(3)
            mean  lower  upper
        0  0.727  0.528  0.887
        """
        import pandas as pd

        prob = check_prob(prob)
        share, joint, _ = self._posterior()
        mass = joint.sum(axis=0)
        mean = float(share @ mass)
        row: dict[str, Any] = {"estimand": "fix_holds", "system": "system", "over": "population"}
        row |= {"mean": mean, "sd": float(np.sqrt(share**2 @ mass - mean**2))}
        row |= dict(zip(("lower", "upper"), self._share_ends(share, mass, prob), strict=True))
        row |= {"prob": prob, "interval": "eti", "identified": "model"}
        return pd.DataFrame([row | {"ess_bulk": np.nan, "r_hat": np.nan}], columns=list(COLUMNS))

    @staticmethod
    def _share_ends(share: FloatArray, mass: FloatArray, prob: float) -> list[float]:
        """Give interval ends of the density that passes through the nodes, a polynomial."""
        weight = special.roots_legendre(SHARES)[1] / 2
        density = mass / weight
        fit = np.polynomial.legendre.Legendre.fit(share, density, SHARES - 1, domain=[0, 1])
        fine = np.linspace(0, 1, 4001)
        below = fit.integ(lbnd=0)(fine)
        below = np.maximum.accumulate(below / below[-1])
        return [float(np.interp((1 + side * prob) / 2, below, fine)) for side in (-1, 1)]

    def recurrence(self, exposure: float) -> pd.DataFrame:
        """Say how likely each class is fixed, and how likely it recurs.

        Parameters
        ----------
        exposure : float > 0
            Further exposure.

        Returns
        -------
        pandas.DataFrame
            One row a class: failure_class, before, after, p_fixed (the fix holds), exposure,
            p_recurs (at least one incident in the further exposure).

        Raises
        ------
        ArgumentError
            If the exposure is not allowed.

        Examples
        --------
        >>> from reliability_stats.instruments import fix_effect
        >>> table = {
        ...     "failure_class": ["tool", "plan", "context"],
        ...     "before": [12, 3, 1], "exposure_before": [400, 400, 400],
        ...     "after": [0, 2, 0], "exposure_after": [400, 300, 100],
        ... }
        >>> fix_effect(table).recurrence(400)[["failure_class", "p_fixed", "p_recurs"]].round(2)
          failure_class  p_fixed  p_recurs
        0          tool     1.00      0.00
        1          plan     0.00      0.90
        2       context     0.57      0.23
        """
        import pandas as pd

        x = check_positive(exposure, "exposure")
        share, joint, chance = self._posterior()
        part, weight = self._parts()
        after = self.table["after"]
        since = part * self.table["exposure_after"][:, None, None]
        shape, rate = self.rates.shape[..., None], self.rates.rate[..., None]
        none = np.exp(-(shape + after[:, None, None]) * np.log1p(part * x / (rate + since)))
        each = self._failed() * weight
        given_failed = (each * none).sum(axis=2) / each.sum(axis=2)
        silent = (after == 0).astype(float)
        held = share * silent[:, None, None]
        fixed = held / (held + (1 - share) * chance[..., None])
        p_fixed = np.einsum("cks,ks->c", fixed, joint)
        p_none = np.einsum("cks,ks->c", fixed + (1 - fixed) * given_failed[..., None], joint)
        return pd.DataFrame(
            {
                "failure_class": self.table.named("failure_class"),
                "before": self.table["before"],
                "after": after,
                "p_fixed": p_fixed,
                "exposure": x,
                "p_recurs": 1 - p_none,
            }
        )

    def ratios(self, *, prob: float = 0.95) -> pd.DataFrame:
        """Give the rate since the fix over the rate before, whether or not the fix holds.

        The rate since then has Jeffreys' prior, apart from the share of fixes that hold.

        Parameters
        ----------
        prob : float in (0, 1), default 0.95
            Mass of the equal-tailed intervals.

        Returns
        -------
        pandas.DataFrame
            One row a class: failure_class, before, after, median, lower, upper, prob, p_lower (the
            rate has fallen).

        Raises
        ------
        ArgumentError
            If `prob` is not allowed.
        """
        import pandas as pd

        prob = check_prob(prob)
        shape = self.table["after"][:, None] + 0.5
        scale = self.table["exposure_after"][:, None] / self.rates.rate

        def below(log_ratio: FloatArray) -> FloatArray:
            t = np.exp(log_ratio)[:, None] * scale
            return np.asarray(
                special.betainc(shape, self.rates.shape, t / (1 + t)) @ self.rates.weight
            )

        ends = {}
        for name, level in (("median", 0.5), ("lower", (1 - prob) / 2), ("upper", (1 + prob) / 2)):
            low, high = np.full(len(shape), -80.0), np.full(len(shape), 80.0)
            for _ in range(80):
                middle = (low + high) / 2
                less = below(middle) < level
                low, high = np.where(less, middle, low), np.where(less, high, middle)
            ends[name] = np.exp((low + high) / 2)
        return pd.DataFrame(
            {
                "failure_class": self.table.named("failure_class"),
                "before": self.table["before"],
                "after": self.table["after"],
                **ends,
                "prob": prob,
                "p_lower": below(np.zeros(len(shape))),
            }
        )

    def __repr__(self) -> str:
        """Give how many classes there are and have recurred."""
        again, number = int((self.table["after"] > 0).sum()), len(self.table)
        return (
            f"FixEffect: {plural(number, 'failure class').replace('classs', 'classes')} declared "
            f"fixed, {again} of them seen again\n  .recurrence(exposure), .holds(), .ratios()"
        )

    def _repr_html_(self) -> str:
        """Give the same for notebooks, escaped."""
        return f"<pre>{escape(repr(self))}</pre>"
