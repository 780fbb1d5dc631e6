"""Whether, when and by how much a system's rate of success has shifted."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import special

from .._numerics import FloatArray
from .._validation import _as_float, check_choice, check_k, check_prob
from ..exceptions import ArgumentError, ModelError
from ..trials import Trials
from ._lattice import lattice_ends, lattice_moments, mass_below, mixture_ends
from ._periods import History, Period, check_period, history_of, name_periods
from ._segments import Segments, segments_of
from ._shift import shift_posterior, splits_of

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class ChangePoint:
    """Levels that stay, and may shift between two periods.

    Parameters
    ----------
    period : str or float, default "time"
        What a period is: "time" (every distinct time), a unit of the calendar ("hour", "day",
        "week", "month", "quarter", "year"), a width for times that are numbers, or "condition"
        (each condition is a period, in the order of their labels). The column that was read as time
        or condition may be named instead.
    tasks : {"same", "fresh"}, default "same"
        "same": tasks recur, and each is compared with itself. All share a shift of the log odds,
        normal with mean 0; the success probabilities of the tasks cancel, whatever they are, so the
        mix of tasks cannot pass for a change. Tasks seen on one side only tell nothing.
        "fresh": every period draws new tasks. Levels are uniform on (0, 1) and independent, tasks
        of a period beta-binomial, with one correlation for all periods, uniform too.
    p_change : float in (0, 1), default 0.5
        Prior probability of a change. Its place is uniform over the boundaries between periods.
    shift_scale : float > 0, default 1
        Prior sd of the shift in log odds, for ``tasks="same"``.
    most : int >= 1, default 1
        Largest number of changes; more than 1 needs ``tasks="fresh"``. 1, 2, ... are equally
        likely beforehand, and so are all choices of their places.

    Notes
    -----
    Nothing is sampled: the posterior is a sum over places of one-dimensional integrals. With
    ``tasks="same"`` the mean of the Bayes factor over data without a change is exactly 1, so that
    it exceeds c with probability at most 1 / c, whatever the tasks are.

    Trials are independent given the level. Periods that differ for reasons of their own, such as
    days with an overloaded server, look like changes; see `Drift` for levels that wander.

    References
    ----------
    Smith (1975), A Bayesian approach to inference about a change-point in a sequence of random
    variables, https://doi.org/10.1093/biomet/62.2.407;
    Fearnhead (2006), Exact and efficient Bayesian inference for multiple changepoint problems,
    https://doi.org/10.1007/s11222-006-8450-8

    Examples
    --------
    >>> import reliability_stats as rs
    >>> rows = {"task": [], "week": [], "success": []}
    >>> for week in range(8):
    ...     for task in range(10):
    ...         rows["task"].append(task)
    ...         rows["week"].append(week)
    ...         rows["success"].append(task >= (2 if week < 5 else 8))
    >>> trials = rs.Trials.from_frame(rows, system=None, time="week")
    >>> post = rs.ChangePoint().fit(trials)
    >>> post.summary()[["p_change", "at", "p_at", "p_decline"]].round(3)
       p_change at   p_at  p_decline
    0       1.0  5  0.99...        1.0
    """

    period: Period = "time"
    tasks: str = "same"
    p_change: float = 0.5
    shift_scale: float = 1.0
    most: int = 1

    def __post_init__(self) -> None:
        """Check the fields."""
        object.__setattr__(self, "period", check_period(self.period))
        check_choice(self.tasks, ("same", "fresh"), "tasks")
        for name, top in (("p_change", 1.0), ("shift_scale", np.inf)):
            allowed = (
                "a number between 0 and 1, both excluded" if top == 1 else "a finite number above 0"
            )
            value = _as_float(getattr(self, name), name, allowed)
            if not 0 < value < top:
                raise ArgumentError(f"{name} must be {allowed}, not {value!r}.")
            object.__setattr__(self, name, value)
        object.__setattr__(self, "most", check_k(self.most, "most"))
        if self.most > 1 and self.tasks == "same":
            raise ArgumentError(
                "most > 1 needs tasks='fresh': with tasks='same' one shift is fitted."
            )

    def fit(self, trials: Trials) -> ChangePosterior:
        """Compute the posterior of each system, under each condition if there are any.

        Parameters
        ----------
        trials : Trials
            With a time, or with the periods as conditions.

        Returns
        -------
        ChangePosterior

        Raises
        ------
        TrialDataError
            If there are no times, a trial has none, or there is one period only.
        ModelError
            If with ``tasks="same"`` no task recurs.

        Examples
        --------
        >>> import reliability_stats as rs
        >>> table = {"task": [1, 1], "version": ["a", "b"], "n": [50, 50], "successes": [45, 20]}
        >>> trials = rs.Trials.from_counts(table, system=None, condition="version")
        >>> rs.ChangePoint(period="version").fit(trials)
        ChangePosterior of ChangePoint(period='version', ...)
          1 system, 2 periods (a to b)
          system: P(change) = 1.000, most likely at b (1.000)
          .summary(), .places()
        """
        history = history_of(trials, self.period)
        fits = _same(history, self) if self.tasks == "same" else _fresh(history, self)
        return ChangePosterior(self, history, fits, trials.fingerprint)


@dataclass(frozen=True, eq=False)
class UnitFit:
    """Posterior of one unit in arrays: see `ChangePosterior` for what is made of them.

    Attributes
    ----------
    boundaries : (places,) ndarray of int
        Periods that a change may begin with.
    log_factor : float
        Log Bayes factor of a change against none.
    log_at : (places,) ndarray
        The same for one change at each place.
    at : (places,) ndarray
        Probability that a change begins there, given that there is one or more.
    nodes, mass : (places, nodes) ndarray
        Shift in log odds, given one change there.
    segments : Segments or None
        More, if tasks are fresh.
    """

    boundaries: np.ndarray
    log_factor: float
    log_at: FloatArray
    at: FloatArray
    nodes: FloatArray
    mass: FloatArray
    segments: Segments | None = None


def _same(history: History, spec: ChangePoint) -> list[UnitFit]:
    """Fit one shift of recurring tasks."""
    splits = splits_of(history)
    if not len(splits.n1):
        raise ModelError(
            "No task occurs on both sides of any boundary with both outcomes, so none can be "
            "compared with itself. If every period has new tasks, use tasks='fresh'."
        )
    post = shift_posterior(splits, spec.shift_scale)
    fits = []
    for u in range(len(history.units)):
        mine = splits.unit == u
        log_at = post.log_factor[mine]
        log_factor = float(special.logsumexp(log_at) - np.log(len(log_at))) if len(log_at) else 0.0
        at = special.softmax(log_at) if len(log_at) else log_at
        parts = (splits.boundary[mine], log_factor, log_at, at, post.nodes[mine])
        fits.append(UnitFit(*parts, post.weights[mine]))
    return fits


def _fresh(history: History, spec: ChangePoint) -> list[UnitFit]:
    """Fit levels of fresh tasks."""
    fits = []
    for u in range(len(history.units)):
        found = segments_of(history, u, spec.most)
        if len(found.periods) < 2:
            nothing = np.zeros(0)
            fits.append(UnitFit(found.periods[1:], 0.0, nothing, nothing, nothing, nothing, found))
            continue
        log_factor = float(special.logsumexp(found.log_factor) - np.log(len(found.log_factor)))
        at = special.softmax(found.log_factor) @ found.at
        step = found.logit[1] - found.logit[0]
        half = len(found.logit) - 1
        nodes = np.broadcast_to(step * np.arange(-half, half + 1), found.shift.shape)
        parts = (found.periods[1:], log_factor, found.log_at, at, nodes)
        fits.append(UnitFit(*parts, found.shift, found))
    return fits


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
            given = np.ones(1) if fit.segments is None else special.softmax(fit.segments.log_factor)
            shares = [1 - chance, *(chance * given)] if len(given) else [1.0]
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
            given = special.softmax(fit.segments.log_factor) if len(fit.segments.at) else []
            shares = np.array([1 - chance, *(chance * np.asarray(given))])
            shares = shares[: len(fit.segments.level)] / shares[: len(fit.segments.level)].sum()
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
