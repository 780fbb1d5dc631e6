"""Counts by unit, period and task, from trials with a time or with periods as conditions."""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Real
from typing import TYPE_CHECKING, Any

import numpy as np

from .._cells import encode
from .._counts import listed, plural
from .._numerics import IntArray
from .._validation import suggest
from ..exceptions import ArgumentError, TrialDataError
from ..trials import Trials

if TYPE_CHECKING:
    import pandas as pd

CALENDAR = {"hour": "h", "day": "D", "week": "W", "month": "M", "quarter": "Q", "year": "Y"}
Period = str | int | float


@dataclass(frozen=True)
class History:
    """Trials counted by unit, period and task.

    Attributes
    ----------
    units, periods, tasks : tuple of str
        Labels; periods in order of time.
    place : (periods,) ndarray of int
        Place of each period, in periods: it leaps where a period of the calendar has no trials.
    unit, period, task : (rows,) ndarray of int
        Positions of each row, sorted by unit, then period, then task.
    n, successes : (rows,) ndarray of int
        Counted trials, at least 1, and successes.
    """

    units: tuple[str, ...]
    periods: tuple[str, ...]
    tasks: tuple[str, ...]
    place: IntArray
    unit: IntArray
    period: IntArray
    task: IntArray
    n: IntArray
    successes: IntArray

    def totals(self) -> tuple[IntArray, IntArray]:
        """Give trials and successes of each unit and period, (units, periods)."""
        shape = (len(self.units), len(self.periods))
        at = self.unit * shape[1] + self.period
        return tuple(  # type: ignore[return-value]
            np.bincount(at, weights=values, minlength=shape[0] * shape[1])
            .reshape(shape)
            .astype(np.int64)
            for values in (self.n, self.successes)
        )


def check_period(period: Any) -> Period:
    """Give a period as a name or a positive width."""
    if isinstance(period, str) and period:
        return period
    if not isinstance(period, (str, bool)) and isinstance(period, Real):
        width = float(period)
        if 0 < width < np.inf:
            return width
    raise ArgumentError(
        "period must be 'time', 'condition', one of "
        f"{', '.join(map(repr, CALENDAR))}, the column that was read as time or condition, or a "
        f"positive width, not {period!r}."
    )


def history_of(trials: Any, period: Period, *, least: int = 2) -> History:
    """Count trials by unit, period and task.

    Parameters
    ----------
    trials : Trials
        With a time, or with the periods as conditions.
    period : str or float
        See `check_period`.
    least : int, default 2
        Number of periods that are needed.

    Returns
    -------
    History

    Raises
    ------
    TrialDataError
        If there are too few periods, or a trial has no time.
    """
    if not isinstance(trials, Trials):
        raise ArgumentError(
            f"The history must be Trials, not {type(trials).__name__}; make them with "
            "Trials.from_frame(..., time=...) or Trials.from_counts(..., condition=...)."
        )
    if trials.missing_policy == "bounds" and trials.n_missing:
        raise TrialDataError(
            f"{trials.n_missing} outcomes are missing under missing='bounds', and a posterior "
            "needs definite counts. Use trials.complete('failure') and trials.complete('success') "
            "to see both ends."
        )
    role = _role(trials, period)
    out = _by_condition(trials) if role == "condition" else _by_time(trials, period)
    if len(out.periods) < least:
        raise TrialDataError(f"There is one period only, {out.periods[0]!r}; a change needs two.")
    return out


def _role(trials: Trials, period: Period) -> str:
    """Say whether the periods are conditions or times."""
    columns = {name: role for role, name in trials.columns.items() if isinstance(name, str)}
    if isinstance(period, str) and columns.get(period) == "condition":
        return "condition"
    if not isinstance(period, str) or period in CALENDAR or period == "time":
        return "time"
    if period == "condition":
        return period
    if columns.get(period) in ("time", "condition"):
        return columns[period]
    known = ["time", "condition", *CALENDAR]
    known += [name for name, role in columns.items() if role in ("time", "condition")]
    raise ArgumentError(
        f"period {period!r} names neither a unit of time nor the column of time or condition"
        f"{suggest(period, known)}; known are {', '.join(map(repr, known))}."
    )


def _by_condition(trials: Trials) -> History:
    """Take the conditions as periods, in their order."""
    c = trials.counts
    if c.condition is None:
        raise TrialDataError(
            "There are no conditions to be periods; name their column with "
            "Trials.from_frame(..., condition=...)."
        )
    order = np.lexsort([c.task, c.condition, c.system])
    keys = (values[order] for values in (c.system, c.condition, c.task, c.n, c.successes))
    place = np.arange(len(c.conditions))
    return History(c.systems, c.conditions, c.tasks, place, *keys)


def _by_time(trials: Trials, period: Period) -> History:
    """Count rows by periods of time."""
    frame = trials.to_frame()
    if "time" not in frame:
        raise TrialDataError(
            "These trials have no time; name its column with Trials.from_frame(..., time=...), or "
            "give the periods as conditions and period='condition'."
        )
    frame = frame[frame["success"].notna()]
    labels, code, place = _codes(frame["time"], period)
    counts = trials.counts
    unit = frame["system"].to_numpy()
    if "condition" in frame:
        unit = np.array(
            [f"{s} [{c}]" for s, c in zip(unit, frame["condition"], strict=True)], dtype=object
        )
    at = {name: i for i, name in enumerate(counts.units)}
    tasks = {name: i for i, name in enumerate(counts.tasks)}
    keys = np.stack(
        [
            np.fromiter((at[name] for name in unit), dtype=np.int64, count=len(frame)),
            code,
            np.fromiter((tasks[name] for name in frame["task"]), dtype=np.int64, count=len(frame)),
        ]
    )
    cells, where, n = np.unique(keys, axis=1, return_inverse=True, return_counts=True)
    won = np.bincount(where.ravel(), weights=frame["success"].to_numpy(dtype=float))
    unit, code, task = cells
    wins = won.astype(np.int64)
    return History(counts.units, labels, counts.tasks, place, unit, code, task, n, wins)


def _codes(time: pd.Series[Any], period: Period) -> tuple[tuple[str, ...], IntArray, IntArray]:
    """Give labels of the periods in order, the period of each row, and places of the periods."""
    import pandas as pd

    none = time.isna().to_numpy()
    if none.any():
        raise TrialDataError(
            f"{plural(int(none.sum()), 'trial')} of {len(time)} have no time; give them one or "
            "leave them out."
        )
    if isinstance(period, (int, float)):
        if time.dtype.kind not in "iuf":
            raise TrialDataError(
                f"period={period:g} is a width, which needs times that are numbers; the first is "
                f"{time.iloc[0]!r}. Use a unit such as period='day' for dates."
            )
        step = np.floor(time.to_numpy(dtype=float) / period).astype(np.int64)
        values, code = np.unique(step, return_inverse=True)
        return tuple(f"{value * period:g}" for value in values), code.astype(np.int64), values
    if period in CALENDAR:
        if time.dtype.kind in "iuf":
            raise TrialDataError(
                f"period={period!r} needs times that are dates, not numbers such as "
                f"{time.iloc[0]!r}; give a width instead."
            )
        try:
            how: dict[str, Any] = {} if time.dtype.kind in "mM" else {"format": "ISO8601"}
            stamps = pd.to_datetime(time, utc=True, **how).dt.tz_localize(None)
        except (ValueError, TypeError) as error:
            raise TrialDataError(
                f"The times cannot be read as ISO 8601 dates: {str(error).splitlines()[0]}"
            ) from None
        spans = stamps.dt.to_period(CALENDAR[period])
        names, code = _sorted_codes(spans)
        place = np.array([name.ordinal for name in names], dtype=np.int64)
        return tuple(str(name).split("/")[0] for name in names), code, place
    if time.dtype.kind in "biufmM":
        names, code = _sorted_codes(time)
        return tuple(str(name) for name in names), code, np.arange(len(names))
    labels, code = encode([str(value) for value in time], "time")
    return labels, np.asarray(code, dtype=np.int64), np.arange(len(labels))


def _sorted_codes(values: pd.Series[Any]) -> tuple[list[Any], IntArray]:
    """Give the distinct values in order, and the place of each."""
    import pandas as pd

    code, names = pd.factorize(values, sort=True)
    return list(names), np.asarray(code, dtype=np.int64)


def name_periods(periods: tuple[str, ...]) -> str:
    """Name the first and last periods for a repr."""
    return f"{plural(len(periods), 'period')} ({listed((periods[0],))} to {listed((periods[-1],))})"
