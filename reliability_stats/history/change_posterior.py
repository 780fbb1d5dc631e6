"""What a fit of change points says: whether, where, how many, how much, and the rates."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import special

from .._validation import check_prob
from ..exceptions import ModelError
from ._change_fit import UnitFit
from ._lattice import lattice_ends, lattice_moments, mass_below, mixture_ends
from ._periods import History, name_periods

if TYPE_CHECKING:
    import pandas as pd

    from .change_point import ChangePoint


@dataclass(frozen=True, eq=False, repr=False)
class ChangePosterior:
    """Posterior of a `ChangePoint`; made by its `fit`.

    Attributes
    ----------
    spec : ChangePoint
        What was fitted.
    history : History
        Counts by period; an implementation detail.
    fits : list of UnitFit
        The posterior in arrays; an implementation detail.
    fingerprint : str
        Of the trials.
    """

    spec: ChangePoint
    history: History
    fits: list[UnitFit]
    fingerprint: str

    def _p_change(self, fit: UnitFit) -> float:
        """Posterior probability of a change."""
        return float(special.expit(special.logit(self.spec.p_change) + fit.log_factor))

    def summary(self, *, prob: float = 0.95) -> pd.DataFrame:
        """Say for each system whether, when and by how much its level has shifted.

        Parameters
        ----------
        prob : float in (0, 1), default 0.95
            Mass of the intervals.

        Returns
        -------
        pandas.DataFrame
            One row a system: system, n_periods, p_change, log_bayes_factor (of a change against
            none), at (the period that a change most likely begins with), p_at (its probability
            given a change), earliest and latest (ends of the interval of the place, with at least
            `prob`), then given one change: shift (mean, in log odds), sd, lower, upper, prob,
            p_decline (the shift is below 0), and identified ("no" if the data cannot tell a change
            of this system).

        Examples
        --------
        >>> import reliability_stats as rs
        >>> table = {"task": [1, 1], "version": ["a", "b"], "n": [50, 50], "successes": [45, 20]}
        >>> trials = rs.Trials.from_counts(table, system=None, condition="version")
        >>> post = rs.ChangePoint(period="version").fit(trials)
        >>> post.summary()[["shift", "lower", "upper"]].round(2)
           shift  lower  upper
        0  -2.05  -2.96   -1.2
        """
        import pandas as pd

        prob = check_prob(prob)
        return pd.DataFrame([self._row(u, fit, prob) for u, fit in enumerate(self.fits)])

    def _row(self, unit: int, fit: UnitFit, prob: float) -> dict[str, Any]:
        """Summarise one unit."""
        periods = self.history.periods
        row: dict[str, Any] = {
            "system": self.history.units[unit],
            "n_periods": len(fit.boundaries) + 1,
            "p_change": self._p_change(fit),
            "log_bayes_factor": fit.log_factor,
        }
        names = ("at", "p_at", "earliest", "latest", "shift", "sd", "lower", "upper", "prob")
        row |= dict.fromkeys((*names, "p_decline"), np.nan) | {"prob": prob}
        row |= {"at": None, "earliest": None, "latest": None, "identified": "no"}
        if not len(fit.boundaries):
            return row
        best = int(fit.at.argmax())
        share = special.softmax(fit.log_at)
        cumulative = share.cumsum()
        tail = (1 - prob) / 2
        first = int(np.argmax(cumulative > tail))
        last = int(np.argmax(cumulative >= 1 - tail - 1e-12))
        row |= {"at": periods[fit.boundaries[best]], "p_at": float(fit.at[best])}
        row |= {"earliest": periods[fit.boundaries[first]], "latest": periods[fit.boundaries[last]]}
        means, sds = lattice_moments(fit.nodes, fit.mass)
        mean = float(share @ means)
        sd = float(np.sqrt(share @ (sds**2 + (means - mean) ** 2)))
        low, high = mixture_ends(share, fit.nodes, fit.mass, prob)
        row |= {"shift": mean, "sd": sd, "lower": low, "upper": high}
        row["p_decline"] = float(share @ mass_below(fit.nodes, fit.mass, 0.0))
        row["identified"] = "yes" if np.abs(fit.log_at).max() > 1e-9 else "no"
        return row

    def places(self, *, prob: float = 0.95) -> pd.DataFrame:
        """Give every place that a change may have.

        Parameters
        ----------
        prob : float in (0, 1), default 0.95
            Mass of the intervals.

        Returns
        -------
        pandas.DataFrame
            One row for each system and each of its periods but the first: system, after and before
            (the periods on both sides), probability (that a change begins here, given that there
            is one or more), log_bayes_factor (of one change here against none), and given one
            change here: shift, sd, lower, upper, prob, p_decline. Then what was seen on both sides:
            n_before, rate_before, n_after, rate_after; with differing tasks these rates need not
            differ for the reason that the shift does.

        Examples
        --------
        >>> import reliability_stats as rs
        >>> table = {"task": [1, 1], "version": ["a", "b"], "n": [50, 50], "successes": [45, 20]}
        >>> trials = rs.Trials.from_counts(table, system=None, condition="version")
        >>> places = rs.ChangePoint(period="version").fit(trials).places()
        >>> places[["after", "before", "probability", "rate_before", "rate_after"]]
          after before  probability  rate_before  rate_after
        0     b      a          1.0          0.9         0.4
        """
        import pandas as pd

        prob = check_prob(prob)
        periods, rows = self.history.periods, []
        n, successes = self.history.totals()
        for u, fit in enumerate(self.fits):
            seen = np.flatnonzero(n[u])
            for i, b in enumerate(fit.boundaries):
                low, high = lattice_ends(fit.nodes[i], fit.mass[i], prob)
                mean, sd = lattice_moments(fit.nodes[i], fit.mass[i])
                before, after = n[u, :b].sum(), n[u, b:].sum()
                rows.append(
                    {
                        "system": self.history.units[u],
                        "after": periods[b],
                        "before": periods[seen[i]],
                        "probability": fit.at[i],
                        "log_bayes_factor": fit.log_at[i],
                        "shift": float(mean),
                        "sd": float(sd),
                        "lower": low,
                        "upper": high,
                        "prob": prob,
                        "p_decline": float(mass_below(fit.nodes[i], fit.mass[i], 0.0)),
                        "n_before": int(before),
                        "rate_before": successes[u, :b].sum() / before,
                        "n_after": int(after),
                        "rate_after": successes[u, b:].sum() / after,
                    }
                )
        return pd.DataFrame(rows)

    def number(self) -> pd.DataFrame:
        """Give the posterior of the number of changes.

        Returns
        -------
        pandas.DataFrame
            One row for each system and number: system, changes, probability.

        Examples
        --------
        >>> import reliability_stats as rs
        >>> table = {"task": [1, 1], "version": ["a", "b"], "n": [50, 50], "successes": [45, 20]}
        >>> trials = rs.Trials.from_counts(table, system=None, condition="version")
        >>> rs.ChangePoint(period="version").fit(trials).number().round(4)
           system  changes  probability
        0  system        0          0.0
        1  system        1          1.0
        """
        import pandas as pd

        rows = []
        for name, fit in zip(self.history.units, self.fits, strict=True):
            chance = self._p_change(fit)
            factors = np.zeros(0) if fit.segments is None else fit.segments.log_factor
            given = special.softmax(factors) if len(factors) else np.ones(1)
            shares = [1 - chance, *(chance * given)]
            rows += [
                {"system": name, "changes": m, "probability": float(share)}
                for m, share in enumerate(shares)
            ]
        return pd.DataFrame(rows)

    def rates(self, *, prob: float = 0.95) -> pd.DataFrame:
        """Give the rate of every period, averaged over the number and the places of changes.

        Parameters
        ----------
        prob : float in (0, 1), default 0.95
            Mass of the intervals.

        Returns
        -------
        pandas.DataFrame
            One row for each system and period: system, period, n, successes, mean, sd, lower,
            upper, prob.

        Raises
        ------
        ModelError
            With ``tasks="same"``, which compares tasks with themselves and has no level.

        Examples
        --------
        >>> import reliability_stats as rs
        >>> table = {"task": [1, 2], "version": ["a", "b"], "n": [1, 1], "successes": [1, 0]}
        >>> trials = rs.Trials.from_counts(table, system=None, condition="version")
        >>> post = rs.ChangePoint(period="version", tasks="fresh").fit(trials)
        >>> post.rates()[["period", "mean", "lower", "upper"]].round(3)
          period  mean  lower  upper
        0      a   0.6  0.121  0.979
        1      b   0.4  0.021  0.879
        """
        import pandas as pd

        prob = check_prob(prob)
        n, successes = self.history.totals()
        rows = []
        for u, (name, fit) in enumerate(zip(self.history.units, self.fits, strict=True)):
            if fit.segments is None:
                raise ModelError(
                    "With tasks='same' each task is compared with itself, and rates have no "
                    "posterior; places() has the rates that were seen."
                )
            chance = self._p_change(fit)
            factors = fit.segments.log_factor
            given = chance * special.softmax(factors) if len(factors) else []
            shares = np.array([1 - chance, *given]) if len(factors) else np.ones(1)
            mass = np.tensordot(shares, fit.segments.level, axes=1)
            rate = special.expit(fit.segments.logit)
            for i, w in enumerate(fit.segments.periods):
                mean, sd = lattice_moments(rate, mass[i] / mass[i].sum())
                low, high = special.expit(lattice_ends(fit.segments.logit, mass[i], prob))
                rows.append(
                    {
                        "system": name,
                        "period": self.history.periods[w],
                        "n": int(n[u, w]),
                        "successes": int(successes[u, w]),
                        "mean": float(mean),
                        "sd": float(sd),
                        "lower": float(low),
                        "upper": float(high),
                        "prob": prob,
                    }
                )
        return pd.DataFrame(rows)

    def __repr__(self) -> str:
        """Give the spec, the data and the answer for the first systems."""
        units = self.history.units
        head = f"{len(units)} system{'s' if len(units) > 1 else ''}, "
        lines = [
            f"ChangePosterior of {self.spec!r}",
            f"  {head}{name_periods(self.history.periods)}",
        ]
        for name, fit in list(zip(units, self.fits, strict=True))[:6]:
            text = f"  {name}: P(change) = {self._p_change(fit):.3f}"
            if len(fit.boundaries):
                best = int(fit.at.argmax())
                at = self.history.periods[fit.boundaries[best]]
                text += f", most likely at {at} ({fit.at[best]:.3f})"
            lines.append(text)
        if len(units) > 6:
            lines.append(f"  and {len(units) - 6} more")
        asked = ".summary(), .places()" + (
            ", .number(), .rates()" if self.spec.tasks == "fresh" else ""
        )
        return "\n".join([*lines, f"  {asked}"])

    def _repr_html_(self) -> str:
        """Give the same for notebooks, escaped."""
        return f"<pre>{escape(repr(self))}</pre>"
