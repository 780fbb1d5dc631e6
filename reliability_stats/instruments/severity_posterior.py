"""What the fit of severities says: levels, costs, and the risk of many runs."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np

from .._counts import plural
from .._numerics import FloatArray, IntArray
from .._validation import _as_float, check_positive_int, check_prob, check_rng
from ..exceptions import ArgumentError
from ._drawn import Quantity, array_of, interval_columns, summarise

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

    from .severity import Severity


@dataclass(frozen=True, eq=False, repr=False)
class SeverityPosterior:
    """Posterior of a `Severity`; made by its `fit`.

    Attributes
    ----------
    spec : Severity
        What was fitted.
    systems : tuple of str
        Labels.
    counts : (systems, levels) ndarray of int
        Runs.
    shares : (draws, systems, levels) ndarray
        Posterior draws of the shares of levels.
    fingerprint : str
        Of the table.
    """

    spec: Severity
    systems: tuple[str, ...]
    counts: IntArray
    shares: FloatArray
    fingerprint: str

    @property
    def _weights(self) -> FloatArray:
        """Parameters of the Dirichlet posterior, (systems, levels)."""
        return np.asarray(self.spec.prior + self.counts, dtype=np.float64)

    @cached_property
    def _quantities(self) -> list[Quantity]:
        """Costs and chances of harm."""
        c, a = self.spec.values, self._weights
        total = a.sum(axis=1)
        mean = a @ c / total
        sd = np.sqrt((a @ c**2 / total - mean**2) / (total + 1.0))
        cost = self.shares @ c
        out = [Quantity("expected_cost", cost, self.systems, mean=mean, sd=sd)]
        success = self.shares[:, :, self.spec.is_good].sum(axis=2)
        out.append(Quantity("cost_per_dependable_success", cost / success, self.systems))
        for level in range(1, len(c)):
            values = self.shares[:, :, level:].sum(axis=2)
            b = a[:, level:].sum(axis=1)
            p = b / total
            exact = {"mean": p, "sd": np.sqrt(p * (1 - p) / (total + 1.0))}
            name = f"severity>={self.spec.levels[level]}"
            out.append(Quantity(name, values, self.systems, **exact))
        return out

    def summary(self, *, prob: float = 0.95) -> pd.DataFrame:
        """Give costs and chances of harm in the package's one schema.

        Parameters
        ----------
        prob : float in (0, 1), default 0.95
            Mass of the equal-tailed intervals.

        Returns
        -------
        pandas.DataFrame
            Estimands ``expected_cost`` (of a run; mean and sd are exact),
            ``cost_per_dependable_success`` (expected cost over the chance of a good level) and
            ``severity>=level`` (the chance of at least that level), each by system.

        Examples
        --------
        >>> from reliability_stats.instruments import Severity
        >>> post = Severity({"none": 0, "harm": 10}).fit({"severity": ["none"] * 9}, system=None)
        >>> post.summary()["estimand"].tolist()
        ['expected_cost', 'cost_per_dependable_success', 'severity>=harm']
        """
        return summarise(self._quantities, prob)

    def draws(self, estimand: str = "expected_cost") -> xr.DataArray:
        """Give posterior draws of an estimand of the summary.

        Parameters
        ----------
        estimand : str, default "expected_cost"
            Its name.

        Returns
        -------
        xarray.DataArray
            Dims chain, draw, system.

        Examples
        --------
        >>> from reliability_stats.instruments import Severity
        >>> post = Severity({"none": 0, "harm": 10}).fit({"severity": ["none"] * 9}, system=None)
        >>> post.draws("severity>=harm").shape
        (4, 2500, 1)
        """
        return array_of(self._quantities, estimand)

    def levels(self, *, prob: float = 0.95) -> pd.DataFrame:
        """Give the share of every level.

        Parameters
        ----------
        prob : float in (0, 1), default 0.95
            Mass of the equal-tailed intervals.

        Returns
        -------
        pandas.DataFrame
            One row for each system and level: system, severity, cost, n, mean, sd, lower, upper,
            prob.

        Examples
        --------
        >>> from reliability_stats.instruments import Severity
        >>> post = Severity({"none": 0, "harm": 10}).fit({"severity": ["none"] * 9}, system=None)
        >>> post.levels()["mean"].round(2).tolist()
        [0.95, 0.05]
        """
        import pandas as pd

        prob = check_prob(prob)
        frames = []
        for s, name in enumerate(self.systems):
            table: dict[str, Any] = {"system": name, "severity": list(self.spec.levels)}
            table |= {"cost": self.spec.values, "n": self.counts[s]}
            columns = interval_columns(self.shares[:, s], prob)
            columns["mean"] = self._weights[s] / self._weights[s].sum()
            frames.append(pd.DataFrame(table | columns))
        return pd.concat(frames, ignore_index=True)

    def risk(
        self, limit: float, *, runs: int = 1, level: float = 0.95, prob: float = 0.95, rng: Any = 0
    ) -> pd.DataFrame:
        """Say how likely the total cost of the next runs exceeds a limit, and how bad it can get.

        Parameters
        ----------
        limit : float
            Total cost that should not be exceeded.
        runs : int >= 1, default 1
            Number of runs that are added up.
        level : float in (0, 1), default 0.95
            Level of value at risk and of conditional value at risk.
        prob : float in (0, 1), default 0.95
            Mass of the interval of the probability.
        rng : int, numpy.random.Generator, SeedSequence or None, default 0
            Seed of the simulated totals.

        Returns
        -------
        pandas.DataFrame
            One row a system: system, runs, limit, p_exceed (predictive probability that the total
            exceeds the limit), error (its Monte Carlo standard error; 0 for one run, which is
            exact), lower, upper, prob (interval of the probability, for one run only),
            value_at_risk (total that is exceeded with probability at most 1 - level) and
            conditional_value_at_risk (mean of the worst 1 - level of totals), level.

        Notes
        -----
        A level that has not occurred has the prior's weight, and with costs that grow by orders of
        magnitude this weight alone decides the tail. Vary `prior` to see it.

        Examples
        --------
        >>> from reliability_stats.instruments import Severity
        >>> spec = Severity({"none": 0, "minor": 1, "major": 5, "critical": 50})
        >>> table = {"severity": ["none", "minor", "major", "critical"], "runs": [40, 6, 3, 1]}
        >>> post = spec.fit(table, system=None, n="runs")
        >>> post.risk(10).loc[0, ["p_exceed", "value_at_risk"]].astype(float).round(4).tolist()
        [0.0288, 5.0]
        """
        import pandas as pd

        edge = _as_float(limit, "limit", "a number")
        runs, level, prob = (
            check_positive_int(runs, "runs"),
            check_prob(level, "level"),
            check_prob(prob),
        )
        generator = check_rng(rng)
        rows = []
        for s, name in enumerate(self.systems):
            row: dict[str, Any] = {"system": name, "runs": runs, "limit": edge}
            found = (
                self._one(s, edge, level, prob)
                if runs == 1
                else self._many(s, edge, runs, level, generator)
            )
            rows.append(row | found | {"prob": prob, "level": level})
        order = ["system", "runs", "limit", "p_exceed", "error", "lower", "upper", "prob"]
        order += ["value_at_risk", "conditional_value_at_risk", "level"]
        return pd.DataFrame(rows)[order]

    def _one(self, s: int, limit: float, level: float, prob: float) -> dict[str, float]:
        """Risk of one run: exact."""
        c = self.spec.values
        p = self._weights[s] / self._weights[s].sum()
        over = c > limit
        lower, upper = np.quantile(
            self.shares[:, s, over].sum(axis=1), [(1 - prob) / 2, (1 + prob) / 2]
        )
        var, cvar = tail(c, p, level)
        return {
            "p_exceed": float(p[over].sum()),
            "error": 0.0,
            "lower": float(lower),
            "upper": float(upper),
            "value_at_risk": var,
            "conditional_value_at_risk": cvar,
        }

    def _many(
        self, s: int, limit: float, runs: int, level: float, rng: np.random.Generator
    ) -> dict[str, float]:
        """Risk of the total of many runs: simulated, with shares drawn anew for each total."""
        if runs > 10**12:
            raise ArgumentError(f"runs must be at most 10^12, not {runs}.")
        totals = rng.multinomial(runs, self.shares[:, s]) @ self.spec.values
        p = float((totals > limit).mean())
        var, cvar = tail(np.sort(totals), np.full(len(totals), 1.0 / len(totals)), level)
        return {
            "p_exceed": p,
            "error": float(np.sqrt(p * (1 - p) / len(totals))),
            "lower": np.nan,
            "upper": np.nan,
            "value_at_risk": var,
            "conditional_value_at_risk": cvar,
        }

    def __repr__(self) -> str:
        """Give the spec, the data and the answer for the first systems."""
        spec, levels = self.spec, self.spec.levels
        first = f"{levels[0]} (cost {spec.values[0]:g}) to {levels[-1]} (cost {spec.values[-1]:g})"
        lines = [
            f"SeverityPosterior of {plural(len(levels), 'level')}, {first}",
            (
                f"  {plural(len(self.systems), 'system')}, "
                f"{plural(int(self.counts.sum()), 'run')}; "
                f"prior weight of a level {spec.prior:g}"
            ),
        ]
        table = self.summary()
        cost = table[table["estimand"] == "expected_cost"]
        share = self._weights[:, spec.is_good].sum(axis=1) / self._weights.sum(axis=1)
        names = " or ".join(spec.good or ())
        for s, name in enumerate(self.systems[:6]):
            row = cost.iloc[s]
            lines.append(
                f"  {name}: expected cost {row['mean']:.3g} [{row['lower']:.2g}, "
                f"{row['upper']:.2g}], {names} in {100 * share[s]:.0f}% of runs"
            )
        if len(self.systems) > 6:
            lines.append(f"  and {len(self.systems) - 6} more")
        return "\n".join([*lines, "  .summary(), .levels(), .risk(limit), .draws()"])

    def _repr_html_(self) -> str:
        """Give the same for notebooks, escaped."""
        return f"<pre>{escape(repr(self))}</pre>"


def tail(values: FloatArray, p: FloatArray, level: float) -> tuple[float, float]:
    """Give value at risk and conditional value at risk of a discrete law with ascending values.

    Parameters
    ----------
    values : (points,) array
        Ascending.
    p : (points,) array
        Probabilities.
    level : float in (0, 1)

    Returns
    -------
    var, cvar : float

    Examples
    --------
    >>> import numpy as np
    >>> var, cvar = tail(np.array([0.0, 10.0, 100.0]), np.array([0.9, 0.08, 0.02]), 0.95)
    >>> var, round(cvar, 6)
    (10.0, 46.0)
    """
    below = np.cumsum(p)
    at = int(np.searchsorted(below, level - 1e-12))
    at = min(at, len(values) - 1)
    rest = (values[at + 1 :] @ p[at + 1 :]) + values[at] * (below[at] - level)
    return float(values[at]), float(rest / (1.0 - level))
