"""Watch a rate as batches come in, with alarms that hold however often one looks."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np

from .._cells import label_order
from .._counts import plural
from .._validation import check_choice, check_prob
from ..exceptions import ArgumentError, TrialDataError
from ._periods import Period, check_period, history_of
from ._watch import confidence_sequence, cusum, e_values, present_rate, run_lengths

if TYPE_CHECKING:
    import pandas as pd

FORMAT, VERSION = "reliability_stats.monitor", 1
MAX_PERIODS = 5000
MAX_TEXT = 50_000_000
WITHIN = ("independent", "any")
Batch = tuple[str, int, int]


@dataclass(frozen=True, repr=False)
class Monitor:
    """State of a watch; made by `monitor`, and continued by `update`.

    Attributes
    ----------
    period : str or float
        What a period is.
    rate : float or None
        The rate that is promised.
    baseline : int or None
        Or: the number of first periods that set it.
    false_alarm : float
        Largest probability that an alarm is ever raised without cause.
    hazard : float
        Prior probability of a change between two periods.
    within : str
        "independent" or "any".
    streams : tuple of (system, batches)
        For each system its batches (period, n, successes).
    """

    period: Period
    rate: float | None
    baseline: int | None
    false_alarm: float
    hazard: float
    within: str
    streams: tuple[tuple[str, tuple[Batch, ...]], ...]

    def update(self, trials: Any) -> Monitor:
        """Take in later periods.

        Parameters
        ----------
        trials : Trials
            Later than what was seen, with periods as before. A period is taken in once, whole.

        Returns
        -------
        Monitor
            A new one; this one stays as it is.

        Raises
        ------
        TrialDataError
            If a period of a system is not later than its last.

        Examples
        --------
        >>> import reliability_stats as rs
        >>> def day(number, successes):
        ...     table = {"task": [0], "day": [number], "n": [50], "successes": [successes]}
        ...     return rs.Trials.from_counts(table, system=None, condition="day")
        >>> watch = rs.monitor(day(1, 45), period="day", rate=0.9)
        >>> for number, successes in [(2, 44), (3, 30), (4, 28)]:
        ...     watch = watch.update(day(number, successes))
        >>> watch.summary()[["n_periods", "alarm"]]
           n_periods alarm
        0          4     3
        """
        history = history_of(trials, self.period, least=1)
        n, successes = history.totals()
        streams = dict(self.streams)
        for u, name in enumerate(history.units):
            seen = streams.get(name, ())
            new = tuple(
                (label, int(n[u, w]), int(successes[u, w]))
                for w, label in enumerate(history.periods)
                if n[u, w]
            )
            if seen and new:
                _check_later(name, seen[-1][0], new[0][0])
            streams[name] = (*seen, *new)
            if len(streams[name]) > MAX_PERIODS:
                raise TrialDataError(
                    f"{name!r} has {len(streams[name]):,} periods, more than {MAX_PERIODS:,}; use "
                    "longer ones."
                )
        settings = {name: getattr(self, name) for name in SETTINGS}
        return Monitor(**settings, streams=tuple(streams.items()))

    @cached_property
    def _paths(self) -> tuple[pd.DataFrame, ...]:
        """Compute all that is known of each system after each period."""
        return tuple(self._path(name, batches) for name, batches in self.streams)

    def _path(self, name: str, batches: tuple[Batch, ...]) -> pd.DataFrame:
        """Compute the path of one system."""
        import pandas as pd

        labels = [label for label, _, _ in batches]
        n, y = (np.array([batch[i] for batch in batches], dtype=np.int64) for i in (1, 2))
        first = self.baseline or 0
        reference, limit = self._reference(n[:first], y[:first])
        e = np.ones(len(n))
        page = np.zeros(len(n))
        if len(n) > first and 0 < reference < 1:
            e[first:] = e_values(n[first:], y[first:], reference, self.within)
            odds = reference / (1 - reference) / 2
            page[first:] = cusum(n[first:], y[first:], reference, odds / (1 + odds))
        prob = 1 - self.false_alarm
        posterior, _ = run_lengths(n, y, self.hazard)
        mean, lower, upper = present_rate(n, y, posterior, prob)
        low, high = confidence_sequence(n, y, prob)
        begin = (posterior.cumsum(axis=1) >= 0.5).argmax(axis=1)
        columns: dict[str, Any] = {"system": name, "period": labels, "n": n, "successes": y}
        columns |= {"reference": reference, "e_value": e, "limit": limit}
        columns |= {"alarm": np.maximum.accumulate(e) >= limit}
        columns |= {"p_change": 1 - posterior[:, 0], "run_length": np.arange(len(n)) - begin + 1}
        columns |= {"rate": mean, "lower": lower, "upper": upper, "prob": prob}
        columns |= {"always_lower": low, "always_upper": high, "cusum": page}
        return pd.DataFrame(columns)

    def _reference(self, n: Any, y: Any) -> tuple[float, float]:
        """Give the rate that must be kept, and the e-value that raises the alarm."""
        if self.rate is not None:
            return self.rate, 1 / self.false_alarm
        from scipy import stats

        # Half of the error goes to the bound of the first periods, half to the test.
        won, total = int(y.sum()), int(n.sum())
        low = float(stats.beta(won, total - won + 1).ppf(self.false_alarm / 2)) if won else 0.0
        return low, 2 / self.false_alarm

    def path(self) -> pd.DataFrame:
        """Give what was known after each period.

        Returns
        -------
        pandas.DataFrame
            One row for each system and period: system, period, n, successes, reference (the rate
            that must be kept), e_value, limit (the e-value that raises an alarm), alarm (it was
            raised now or before), p_change (probability that the present run of periods with one
            rate does not reach back to the first), run_length (its median length in periods), rate
            (posterior mean of the present rate), lower, upper, prob, always_lower and always_upper
            (rates that all trials so far do not refute, at all times together, if the rate is
            one), cusum (Page's statistic for halved odds, for comparison).

        Examples
        --------
        >>> import reliability_stats as rs
        >>> table = {"task": [0] * 4, "day": [1, 2, 3, 4], "n": [50] * 4}
        >>> table["successes"] = [45, 44, 30, 28]
        >>> trials = rs.Trials.from_counts(table, system=None, condition="day")
        >>> watch = rs.monitor(trials, period="day", rate=0.9)
        >>> watch.path()[["period", "alarm", "p_change"]].round(2)
          period  alarm  p_change
        0      1  False      0.00
        1      2  False      0.00
        2      3   True      0.85
        3      4   True      1.00
        """
        import pandas as pd

        return pd.concat(self._paths, ignore_index=True)

    def summary(self) -> pd.DataFrame:
        """Say for each system how it stands now.

        Returns
        -------
        pandas.DataFrame
            One row a system: system, n_periods, n, successes, reference, e_value (now), highest
            (e-value so far), limit, alarm (the period that raised it, or None), p_change,
            run_length, rate, lower, upper, prob; see `path`.

        Examples
        --------
        >>> import reliability_stats as rs
        >>> table = {"task": [0] * 3, "day": [1, 2, 3], "n": [50] * 3, "successes": [45, 44, 46]}
        >>> trials = rs.Trials.from_counts(table, system=None, condition="day")
        >>> rs.monitor(trials, period="day", rate=0.9).summary()["alarm"].tolist()
        [None]
        """
        import pandas as pd

        rows = []
        for path in self._paths:
            last = path.iloc[-1]
            raised = path.loc[path["alarm"], "period"]
            row = {"system": last["system"], "n_periods": len(path), "n": int(path["n"].sum())}
            row |= {"successes": int(path["successes"].sum()), "reference": last["reference"]}
            row |= {"e_value": last["e_value"], "highest": path["e_value"].max()}
            row |= {"limit": last["limit"], "alarm": raised.iloc[0] if len(raised) else None}
            names = ("p_change", "run_length", "rate", "lower", "upper", "prob")
            rows.append(row | {name: last[name] for name in names})
        return pd.DataFrame(rows)

    def to_json(self) -> str:
        """Write the state as JSON, to be read by `monitor_from_json`.

        Examples
        --------
        >>> import reliability_stats as rs
        >>> table = {"task": [0], "day": [1], "n": [50], "successes": [45]}
        >>> trials = rs.Trials.from_counts(table, system=None, condition="day")
        >>> watch = rs.monitor(trials, period="day", rate=0.9)
        >>> rs.history.monitor_from_json(watch.to_json()) == watch
        True
        """
        state = {"format": FORMAT, "version": VERSION}
        state |= {name: getattr(self, name) for name in SETTINGS}
        streams = [{"system": name, "batches": batches} for name, batches in self.streams]
        return json.dumps(state | {"streams": streams}, ensure_ascii=False)

    def __repr__(self) -> str:
        """Say how the first systems stand."""
        lines = [
            f"Monitor: alarm with probability at most {self.false_alarm:g} ever without a decline"
        ]
        for row in self.summary().head(12).to_dict("records"):
            now = "no alarm" if row["alarm"] is None else f"ALARM at {row['alarm']}"
            lines.append(
                f"  {row['system']}: {now} in {plural(row['n_periods'], 'period')} "
                f"(e-value {row['e_value']:.3g}, limit {row['limit']:g}); rate now "
                f"{row['rate']:.3f} [{row['lower']:.3f}, {row['upper']:.3f}], to be kept "
                f"{row['reference']:.3f}"
            )
        if len(self.streams) > 12:
            lines.append(f"  and {len(self.streams) - 12} more")
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        """Give the same for notebooks, escaped."""
        return f"<pre>{escape(repr(self))}</pre>"


SETTINGS = ("period", "rate", "baseline", "false_alarm", "hazard", "within")


def _check_later(name: str, last: str, new: str) -> None:
    """Refuse a period that does not come after the last."""
    if last == new or label_order([last, new])[0] != 0:
        raise TrialDataError(
            f"Period {new!r} of {name!r} is not later than {last!r}, which was taken in before; "
            "give each period once, whole and in order."
        )


def monitor(
    history: Any,
    *,
    period: Period = "time",
    rate: float | None = None,
    baseline: int | None = None,
    false_alarm: float = 0.05,
    hazard: float = 0.01,
    within: str = "independent",
) -> Monitor:
    """Begin to watch rates of success for a decline.

    Parameters
    ----------
    history : Trials
        With a time, or with the periods as conditions: all that there is so far, at least one
        period.
    period : str or float, default "time"
        As in `ChangePoint`.
    rate : float in (0, 1), optional
        The rate that must be kept.
    baseline : int >= 1, optional
        Instead of `rate`: the number of first periods that set it. The alarm is then against their
        lower confidence bound, with half of the error spent on it.
    false_alarm : float in (0, 1), default 0.05
        Largest probability that a system that keeps its rate ever raises an alarm.
    hazard : float in (0, 1), default 0.01
        Prior probability that the rate changes between two periods, for the run lengths.
    within : {"independent", "any"}, default "independent"
        "independent": trials of a period are independent, given the tasks; tasks may differ in
        difficulty. "any": they may depend on each other, as on days when a server fails; each
        period then counts as one observation, and alarms are later.

    Returns
    -------
    Monitor

    Raises
    ------
    ArgumentError
        If an argument is not allowed, or not exactly one of `rate` and `baseline` is given.
    TrialDataError
        If there are no times, or a trial has none.

    Notes
    -----
    *Alarm.* An e-process: for a decline beginning with period j, the likelihood ratio of rates
    uniform below the reference; averaged over j with weights 1 / (j (j + 1)). While every period's
    mean rate, over the tasks that were run, is at least the reference, its mean is at most 1 at
    any time that one may stop, and it ever exceeds 1 / `false_alarm` with at most that
    probability. One may look after every period, and stop when one likes. Each system has its own
    error.

    *Run lengths.* The posterior of Adams and MacKay, by exact summation: rates are uniform on
    (0, 1), and drawn anew between periods with probability `hazard`. It says what the rate is now,
    and since when; it has no guarantee against false alarms.

    *What this view cannot see.* If the mix of tasks becomes harder, the rate falls though the
    system has not changed: run the same tasks in every period, or draw them alike. Declines within
    the reference are none.

    References
    ----------
    Ramdas et al. (2023), Game-theoretic statistics and safe anytime-valid inference,
    https://doi.org/10.1214/23-STS894;
    Shin, Ramdas and Rinaldo (2022), E-detectors, https://doi.org/10.48550/arXiv.2203.03532;
    Waudby-Smith and Ramdas (2024), https://doi.org/10.1093/jrsssb/qkad009;
    Adams and MacKay (2007), https://doi.org/10.48550/arXiv.0710.3742

    Examples
    --------
    >>> import reliability_stats as rs
    >>> table = {"task": [0] * 4, "day": [1, 2, 3, 4], "n": [50] * 4}
    >>> table["successes"] = [45, 44, 30, 28]
    >>> trials = rs.Trials.from_counts(table, system=None, condition="day")
    >>> rs.monitor(trials, period="day", rate=0.9)
    Monitor: alarm with probability at most 0.05 ever without a decline
      system: ALARM at 3 in 4 periods (e-value ..., limit 20); rate now 0.5..., to be kept 0.900
    """
    settings = _settings(
        {
            "period": period,
            "rate": rate,
            "baseline": baseline,
            "false_alarm": false_alarm,
            "hazard": hazard,
            "within": within,
        }
    )
    return Monitor(**settings, streams=()).update(history)


def _settings(given: dict[str, Any]) -> dict[str, Any]:
    """Check the settings."""
    rate, baseline = given["rate"], given["baseline"]
    if (rate is None) == (baseline is None):
        raise ArgumentError(
            "Give exactly one of rate=, the rate that must be kept, and baseline=, the number of "
            "first periods that set it."
        )
    if baseline is not None and (
        isinstance(baseline, bool) or not isinstance(baseline, (int, np.integer)) or baseline < 1
    ):
        raise ArgumentError(f"baseline must be an integer of at least 1, not {baseline!r}.")
    return {
        "period": check_period(given["period"]),
        "rate": None if rate is None else check_prob(rate, "rate"),
        "baseline": None if baseline is None else int(baseline),
        "false_alarm": check_prob(given["false_alarm"], "false_alarm"),
        "hazard": check_prob(given["hazard"], "hazard"),
        "within": check_choice(given["within"], WITHIN, "within"),
    }


def monitor_from_json(text: str) -> Monitor:
    """Resume a watch from what `Monitor.to_json` wrote.

    Parameters
    ----------
    text : str
        JSON, at most 50 MB. It is checked as data from outside.

    Returns
    -------
    Monitor

    Raises
    ------
    TrialDataError
        If the text is no such state; the message names the first wrong entry.
    ArgumentError
        If a setting is not allowed.

    Examples
    --------
    >>> import reliability_stats as rs
    >>> rs.history.monitor_from_json("{}")
    Traceback (most recent call last):
    ...
    reliability_stats.exceptions.TrialDataError: This is no state of a monitor: format is None...
    """
    if not isinstance(text, str) or len(text) > MAX_TEXT:
        raise TrialDataError(f"The state must be text of at most {MAX_TEXT:,} characters.")
    try:
        state = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise TrialDataError(f"The state is no JSON: {error}") from None
    if not isinstance(state, dict) or state.get("format") != FORMAT:
        found = state.get("format") if isinstance(state, dict) else type(state).__name__
        raise TrialDataError(f"This is no state of a monitor: format is {found!r}, not {FORMAT!r}.")
    if state.get("version") != VERSION:
        raise TrialDataError(f"The version is {state.get('version')!r}; {VERSION} can be read.")
    keys = {"format", "version", "streams", *SETTINGS}
    if set(state) != keys:
        odd = sorted(set(state) ^ keys)
        raise TrialDataError(f"The entries of the state are wrong; first {odd[0]!r}.")
    settings = _settings({name: state[name] for name in SETTINGS})
    if not isinstance(state["streams"], list):
        raise TrialDataError("streams must be a list.")
    streams = [_stream(item, i) for i, item in enumerate(state["streams"])]
    names = [name for name, _ in streams]
    for name in names:
        if names.count(name) > 1:
            raise TrialDataError(f"The system {name!r} occurs more than once.")
    return Monitor(**settings, streams=tuple(streams))


def _stream(item: Any, place: int) -> tuple[str, tuple[Batch, ...]]:
    """Check the batches of one system."""
    where = f"streams[{place}]"
    if not isinstance(item, dict) or set(item) != {"system", "batches"}:
        raise TrialDataError(f"{where} must have the entries 'system' and 'batches' and no other.")
    name, batches = item["system"], item["batches"]
    if not isinstance(name, str) or not isinstance(batches, list) or not batches:
        raise TrialDataError(f"{where} must have a name that is text, and a list of batches.")
    if len(batches) > MAX_PERIODS:
        raise TrialDataError(f"{where} has more than {MAX_PERIODS:,} batches.")
    out: list[Batch] = []
    for i, batch in enumerate(batches):
        good = isinstance(batch, list) and len(batch) == 3 and isinstance(batch[0], str)
        good = good and all(type(x) is int for x in batch[1:]) and 0 <= batch[2] <= batch[1]
        if not good or not 0 < batch[1] < 2**53:
            raise TrialDataError(
                f"{where}, batch {i} is {batch!r}; it must be [period, n, successes] with a period "
                "that is text and integers 0 <= successes <= n, n >= 1."
            )
        if out:
            _check_later(name, out[-1][0], batch[0])
        out.append((batch[0], batch[1], batch[2]))
    return name, tuple(out)
