"""Incident reports without exposure: what they can say, and what they cannot."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import special

from .._counts import plural
from .._numerics import FloatArray
from .._validation import check_positive_int, check_prob, check_rng
from ..exceptions import ArgumentError, ModelError
from ._table import Column, Label, Table, Time, date_of, read_table
from .growth import _moment

if TYPE_CHECKING:
    import pandas as pd

NO_RATES = (
    "Rates are not identified: no exposure is known. More reports may mean more use, more "
    "attention or more incidents. Only shares among what was reported can be compared."
)
DRAWS = 40_000


def reported_incidents(
    data: Any,
    *,
    time: str = "time",
    failure_class: str = "failure_class",
    reported: str | None = None,
    since: Any = None,
    until: Any = None,
    missing: str = "raise",
) -> ReportedIncidents:
    """Read reports of incidents whose exposure is not known.

    Parameters
    ----------
    data : frame or mapping
        One row an incident.
    time, failure_class : str
        Columns of when it happened, and of its class.
    reported : str, optional
        Column of when it was reported. It shows how late reports come.
    since, until : number or date, optional
        Incidents that happened before `since` are left out and counted, such as those before the
        collection of reports began. `until` is when the collection was read; by default the last
        time in the table.
    missing : {"raise", "drop"}
        What becomes of incidents without a class.

    Returns
    -------
    ReportedIncidents

    Raises
    ------
    TrialDataError
        If a value is missing or not allowed, or a report comes before its incident or after
        `until`; the first such row is named.
    ArgumentError
        If an argument is not allowed.

    References
    ----------
    Lagakos, Barraj and De Gruttola (1988), Nonparametric analysis of truncated survival data, with
    application to AIDS, https://doi.org/10.1093/biomet/75.3.515

    Examples
    --------
    >>> from reliability_stats.instruments import reported_incidents
    >>> table = {
    ...     "time": ["2024-01-05", "2024-02-01", "2024-06-01", "2024-07-01"],
    ...     "failure_class": ["planning", "tool", "tool", "tool"],
    ... }
    >>> reported_incidents(table)
    ReportedIncidents: 4 incidents of 2 classes, 2024-01-05 to 2024-07-01
      Rates are not identified: no exposure is known. ...
      .shares(split), .delays(), .completeness(width)
    """
    if missing not in ("raise", "drop"):
        raise ArgumentError(f"missing must be 'raise' or 'drop', not {missing!r}.")
    how: Any = missing
    needs: dict[str, Column] = {
        "failure_class": Label(missing=how),
        "time": Time(),
        "reported": Time(),
    }
    table = read_table(
        data,
        {"failure_class": failure_class, "time": time, "reported": reported},
        needs,
        what="incident",
        optional=("reported",),
    )
    dated = "time" in table.dated
    times = table["time"]
    last = float(times.max())
    if "reported" in table:
        if ("reported" in table.dated) != dated:
            raise ArgumentError("time and reported must both be dates or both be numbers.")
        table.refuse(table["reported"] < times, "reported", "it comes before the incident")
        last = max(last, float(table["reported"].max()))
    if until is not None:
        last = _moment(until, "until", dated)
        shown = date_of(last) if dated else f"{last:g}"
        table.refuse(times > last, "time", f"the table was read at {shown}")
        if "reported" in table:
            table.refuse(table["reported"] > last, "reported", f"the table was read at {shown}")
    first = -np.inf if since is None else _moment(since, "since", dated)
    keep = times >= first
    if not keep.any():
        raise ModelError("No incident happened since then.")
    delay = (table["reported"] - times)[keep] if "reported" in table else None
    return ReportedIncidents(
        table, times[keep], table["failure_class"][keep], delay, last, int((~keep).sum())
    )


@dataclass(frozen=True, eq=False, repr=False)
class ReportedIncidents:
    """Reports without exposure; made by `reported_incidents`.

    Attributes
    ----------
    table : Table
        What was read.
    times : (incidents,) ndarray
        When they happened; days since 1970 if they are dates.
    failure_class : (incidents,) ndarray of int
        Positions in the labels of the table.
    delay : (incidents,) ndarray, or None
        From incident to report.
    until : float
        When the collection was read.
    n_before : int
        Incidents left out because they happened too early.
    """

    table: Table
    times: FloatArray
    failure_class: Any
    delay: FloatArray | None
    until: float
    n_before: int

    @property
    def dated(self) -> bool:
        """Whether times are dates."""
        return "time" in self.table.dated

    def _shown(self, value: float) -> str:
        """Write a time."""
        return date_of(value) if self.dated else f"{value:g}"

    def shares(
        self, split: Any, *, before: Any = None, prob: float = 0.95, rng: Any = 0
    ) -> pd.DataFrame:
        """Compare the shares of the classes among reports, early and late.

        Parameters
        ----------
        split : number or date
            Late incidents happened from here on.
        before : number or date, optional
            Later ones are left out, such as those too recent to be all reported.
        prob : float in (0, 1), default 0.95
            Mass of the equal-tailed intervals.
        rng : int, numpy.random.Generator, SeedSequence or None, default 0
            Seed of the 40 000 draws behind them.

        Returns
        -------
        pandas.DataFrame
            One row a class: failure_class, early, late (incidents), share_early, share_late
            (posterior means), difference (mean), lower, upper, prob, p_more (the late share is
            larger), identified ("relative": to reporting).

        Raises
        ------
        ModelError
            If there is no incident on one side.
        ArgumentError
            If an argument is not allowed.

        Notes
        -----
        Shares have Dirichlet posteriors under Jeffreys' prior. A share can rise because another
        class falls, or because its reporting rises; if classes differ in how late they are
        reported, recent shares are those of the fast ones.

        Examples
        --------
        >>> from reliability_stats.instruments import reported_incidents
        >>> table = {"time": range(40), "failure_class": ["a"] * 18 + ["b", "a"] + ["b"] * 20}
        >>> rows = reported_incidents(table).shares(20)
        >>> rows[["failure_class", "early", "late", "p_more", "identified"]].round(3)
          failure_class  early  late  p_more identified
        0             a     19     0     0.0   relative
        1             b      1    20     1.0   relative
        """
        import pandas as pd

        prob, random = check_prob(prob), check_rng(rng)
        cut = _moment(split, "split", self.dated)
        stop = np.inf if before is None else _moment(before, "before", self.dated)
        names = self.table.labels["failure_class"]
        late = (self.times >= cut) & (self.times < stop)
        counts = [
            np.bincount(self.failure_class[side], minlength=len(names))
            for side in (self.times < cut, late)
        ]
        if not counts[0].sum() or not counts[1].sum():
            raise ModelError(
                f"There are {counts[0].sum()} early and {counts[1].sum()} late incidents; both "
                "sides need one."
            )
        drawn = [random.dirichlet(side + 0.5, size=DRAWS) for side in counts]
        change = drawn[1] - drawn[0]
        ends = np.quantile(change, [(1 - prob) / 2, (1 + prob) / 2], axis=0)
        means = [(side + 0.5) / (side + 0.5).sum() for side in counts]
        return pd.DataFrame(
            {
                "failure_class": list(names),
                "early": counts[0],
                "late": counts[1],
                "share_early": means[0],
                "share_late": means[1],
                "difference": means[1] - means[0],
                "lower": ends[0],
                "upper": ends[1],
                "prob": prob,
                "p_more": (change > 0).mean(axis=0),
                "identified": "relative",
            }
        )

    def delays(self) -> pd.DataFrame:
        """Give the law of reporting delays, corrected for those too recent to be reported.

        Returns
        -------
        pandas.DataFrame
            delay, reported (share of incidents reported within so long, among those reported within
            the longest time that could be seen), error (standard error of its logarithm). Late
            reports beyond that time are not known of.

        Raises
        ------
        ModelError
            If the table has no column of reports.
        """
        import pandas as pd

        if self.delay is None:
            raise ModelError("When incidents were reported is not known; name reported=...")
        limit = self.until - self.times
        values, deaths = np.unique(self.delay, return_counts=True)
        # Reported within so long, less those that had not so long to be (and so are among them).
        risk = np.searchsorted(np.sort(self.delay), values, side="right").astype(float)
        risk -= np.searchsorted(np.sort(limit), values, side="left")
        share = np.clip(1 - deaths / risk, 0.0, 1.0)
        share[0] = 0.0
        with np.errstate(divide="ignore", invalid="ignore"):
            terms = np.where(risk > deaths, deaths / (risk * (risk - deaths)), 0.0)
        reported = np.append(np.cumprod(share[::-1])[::-1][1:], 1.0)
        error = np.sqrt(np.append(np.cumsum(terms[::-1])[::-1][1:], 0.0))
        return pd.DataFrame({"delay": values, "reported": reported, "error": error})

    def completeness(
        self, width: float = 30.0, *, periods: int = 12, prob: float = 0.95
    ) -> pd.DataFrame:
        """Say how complete the last periods are.

        Parameters
        ----------
        width : float > 0, default 30
            Length of a period; days if times are dates.
        periods : int >= 1, default 12
            How many periods up to the end.
        prob : float in (0, 1), default 0.95
            Mass of the intervals.

        Returns
        -------
        pandas.DataFrame
            One row a period, the last first: start, incidents, complete (share reported by now,
            mean over the period), lower, upper, prob. Periods with an upper end well below 1 cannot
            be compared with earlier ones.

        Raises
        ------
        ModelError
            If the table has no column of reports.
        ArgumentError
            If an argument is not allowed.
        """
        import pandas as pd

        number, prob = check_positive_int(periods, "periods"), check_prob(prob)
        if not width > 0:
            raise ArgumentError(f"width must be a positive number, not {width!r}.")
        law = self.delays()
        z = -float(special.ndtri((1 - prob) / 2))
        rows = []
        for i in range(number):
            start = self.until - (i + 1) * width
            waits = np.linspace(i, i + 1, 41)[:-1] * width + width / 80
            place = np.searchsorted(law["delay"], waits, side="right") - 1
            known = np.where(place >= 0, law["reported"].to_numpy()[place], 0.0)
            error = np.where(place >= 0, law["error"].to_numpy()[place], 0.0)
            inside = (self.times >= start) & (self.times < start + width)
            rows.append(
                {
                    "start": self._shown(start),
                    "incidents": int(inside.sum()),
                    "complete": known.mean(),
                    "lower": (known * np.exp(-z * error)).mean(),
                    "upper": np.minimum(known * np.exp(z * error), 1.0).mean(),
                    "prob": prob,
                }
            )
        return pd.DataFrame(rows)

    def __repr__(self) -> str:
        """Give the sizes, and that rates are not identified."""
        kinds = len(self.table.labels["failure_class"])
        gone = dict(self.table.excluded)
        if self.n_before:
            gone["before the start"] = self.n_before
        left = "".join(f"\n  left out: {number} ({reason})" for reason, number in gone.items())
        first, last = self._shown(float(self.times.min())), self._shown(float(self.times.max()))
        return (
            f"ReportedIncidents: {plural(len(self.times), 'incident')} of {kinds} "
            f"class{'' if kinds == 1 else 'es'}, {first} to {last}{left}\n  {NO_RATES}\n"
            "  .shares(split), .delays(), .completeness(width)"
        )

    def _repr_html_(self) -> str:
        """Give the same for notebooks, escaped."""
        return f"<pre>{escape(repr(self))}</pre>"
