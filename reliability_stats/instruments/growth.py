"""Whether incidents become rarer or more frequent: a power-law process of their times."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import special

from .._counts import plural
from .._summary import COLUMNS
from .._validation import _as_float, check_positive, check_positive_int, check_prob, check_rng
from ..exceptions import ArgumentError, ModelError
from ._power_law import Process, count_moments, count_quantile, rate_now, scaled_quantiles
from ._table import Column, Label, Time, date_of, read_table
from ._tests_of_trend import cramer_von_mises, laplace, military_handbook

if TYPE_CHECKING:
    import pandas as pd


def incident_growth(
    data: Any,
    *,
    time: str = "time",
    start: Any = 0,
    end: Any = None,
    system: str | None = None,
) -> IncidentGrowth:
    """Fit a power-law process (Crow-AMSAA) to the times of incidents.

    Parameters
    ----------
    data : frame, mapping, or list of times
        One row an incident.
    time : str, default "time"
        Column of times: numbers in any unit of exposure, or dates.
    start : number or date, default 0
        When the observation began, not included. Times that are dates need one.
    end : number or date, optional
        When it ended, fixed beforehand (time-truncated). Without it, it ended with the last
        incident (failure-truncated).
    system : str, optional
        Column of systems, each fitted alone. `end` then has to be given.

    Returns
    -------
    IncidentGrowth

    Raises
    ------
    TrialDataError
        If a time is missing, not allowed, or outside the observation; the first is named.
    ModelError
        If a system has too few incidents: one if time-truncated, two if failure-truncated, are
        needed for a posterior.
    ArgumentError
        If an argument is not allowed.

    Notes
    -----
    Incidents form a Poisson process with expected number lambda t^beta up to time t: beta below 1
    is growth of reliability, above 1 decay, 1 a constant rate. The posterior of beta is
    Gamma(n, S) if time-truncated and Gamma(n - 1, S) if failure-truncated, S = sum ln(T / t_i);
    these come from the priors 1 / (lambda beta) and 1 / (lambda beta^2), and their intervals are
    the exact classical ones.

    Exposure has to run evenly with time: if use of the system grows, incidents become more frequent
    although the system does not become worse. Use cumulated exposure as time then.

    References
    ----------
    Crow (1982), Confidence interval procedures for the Weibull process with applications to
    reliability growth, https://doi.org/10.1080/00401706.1982.10487737;
    Rigdon and Basu (1989), The power law process: a model for the reliability of repairable
    systems, https://doi.org/10.1080/00224065.1989.11979183

    Examples
    --------
    >>> from reliability_stats.instruments import incident_growth
    >>> growth = incident_growth([2.7, 10.3, 12.5, 30.6, 57, 61.3, 80, 109.5, 125, 128.6], end=200)
    >>> growth
    IncidentGrowth: 10 incidents of 1 system in 200, time-truncated
      system: shape 0.60 (0.29 to 1.02), P(becoming rarer) = 0.97
      .summary(), .estimates(), .tests(), .predict(further), .expected()
    """
    table_of: dict[str, Any] = {time: data} if _is_list(data) else data
    needs: dict[str, Column] = {"system": Label(), "time": Time()}
    table = read_table(
        table_of,
        {"system": system, "time": time},
        needs,
        what="incident",
        optional=("system",),
    )
    dated = "time" in table.dated
    first, last = (
        _moment(start, "start", dated),
        None if end is None else _moment(end, "end", dated),
    )
    times = table["time"] - first
    begun = date_of(first) if dated else f"{first:g}"
    table.refuse(times <= 0, "time", f"observation began at {begun}; give an earlier start=")
    total = None if last is None else last - first
    if total is not None:
        if total <= 0:
            raise ArgumentError(f"end must be after start, but is {end!r}.")
        shown = date_of(last) if dated else f"{last:g}"  # type: ignore[arg-type]
        table.refuse(times > total, "time", f"observation ended at {shown}")
    names = table.labels.get("system", ("system",))
    if len(names) > 1 and total is None:
        raise ArgumentError(
            "Several systems need the end of the observation, end=..., to be compared."
        )
    code = table.values.get("system", np.zeros(len(table), dtype=np.int64))
    processes = []
    for s, name in enumerate(names):
        mine = np.sort(times[code == s])
        until = float(mine[-1]) if total is None else float(total)
        if len(mine) < (2 if total is None else 1) or mine[0] >= until:
            raise ModelError(
                f"{name!r} has {plural(len(mine), 'incident')} before the end; without end=..., at "
                "least two at different times are needed."
            )
        processes.append(Process(mine, until, total is None))
    return IncidentGrowth(names, tuple(processes), dated, first)


def _is_list(data: Any) -> bool:
    """Say whether bare times were given."""
    if isinstance(data, np.ndarray):
        return data.ndim == 1
    return isinstance(data, list | tuple)


def _moment(value: Any, name: str, dated: bool) -> float:
    """Give the start or end as a number, or as days since 1970."""
    if not dated:
        return _as_float(value, name, "a number, as the times are")
    import pandas as pd

    try:
        if isinstance(value, (int, float)):
            raise ValueError
        stamp = pd.Timestamp(value)
        if pd.isna(stamp):
            raise ValueError
    except (ValueError, TypeError):
        raise ArgumentError(
            f"{name} must be a date, as the times are, such as '2025-01-31', not {value!r}."
        ) from None
    stamp = stamp.tz_localize("UTC") if stamp.tzinfo is None else stamp.tz_convert("UTC")
    return float((stamp - pd.Timestamp(0, tz="UTC")) / pd.Timedelta(days=1))


@dataclass(frozen=True, eq=False, repr=False)
class IncidentGrowth:
    """Power-law processes of one or several systems; made by `incident_growth`.

    Attributes
    ----------
    systems : tuple of str
        Labels.
    processes : tuple of Process
        Incidents of each.
    dated : bool
        Whether times are in days since the start.
    start : float
        When the observation began.
    """

    systems: tuple[str, ...]
    processes: tuple[Process, ...]
    dated: bool
    start: float

    def summary(self, *, prob: float = 0.95) -> pd.DataFrame:
        """Give posteriors of the shape and of the rate at the end.

        Parameters
        ----------
        prob : float in (0, 1), default 0.95
            Mass of the equal-tailed intervals.

        Returns
        -------
        pandas.DataFrame
            The schema of all summaries: shape (beta) and rate_now (incidents per unit of time at
            the end of the observation) of each system.

        Raises
        ------
        ArgumentError
            If `prob` is not allowed.
        """
        import pandas as pd

        prob = check_prob(prob)
        rows = []
        for name, part in zip(self.systems, self.processes, strict=True):
            levels = [(1 - prob) / 2, (1 + prob) / 2]
            low, high = special.gammaincinv(part.shape, levels) / part.log_sum
            mean, sd = part.shape / part.log_sum, np.sqrt(part.shape) / part.log_sum
            values = {"shape": (mean, sd, low, high), "rate_now": rate_now(part, prob)}
            for estimand, figures in values.items():
                row: dict[str, Any] = {"estimand": estimand, "system": name, "over": "population"}
                row |= zip(("mean", "sd", "lower", "upper"), figures, strict=True)
                row |= {"prob": prob, "interval": "eti", "identified": "yes"}
                rows.append(row | {"ess_bulk": np.nan, "r_hat": np.nan})
        return pd.DataFrame(rows, columns=list(COLUMNS)).sort_values(
            "estimand", kind="stable", ascending=False, ignore_index=True
        )

    def estimates(self) -> pd.DataFrame:
        """Give the classical estimates, as other software prints them.

        Returns
        -------
        pandas.DataFrame
            One row a system: system, incidents, end, truncated ("time" or "failure"), shape and
            scale (maximum likelihood: expected number scale x t^shape), shape_unbiased, rate_now,
            exposure_between (its inverse, the instantaneous MTBF), p_rarer (posterior probability
            that the shape is below 1).
        """
        import pandas as pd

        rows = []
        for name, part in zip(self.systems, self.processes, strict=True):
            beta = part.n / part.log_sum
            rate = beta * part.n / part.end
            rows.append(
                {
                    "system": name,
                    "incidents": part.n,
                    "end": part.end,
                    "truncated": "failure" if part.by_failure else "time",
                    "shape": beta,
                    "scale": float(np.exp(np.log(part.n) - beta * np.log(part.end))),
                    "shape_unbiased": beta * (part.n - 1 - part.by_failure) / part.n,
                    "rate_now": rate,
                    "exposure_between": 1 / rate,
                    "p_rarer": float(special.gammainc(part.shape, part.log_sum)),
                }
            )
        return pd.DataFrame(rows)

    def tests(self, *, simulations: int = 9999, rng: Any = 0) -> pd.DataFrame:
        """Test whether the rate is constant, and whether a power law fits.

        Parameters
        ----------
        simulations : int >= 1, default 9999
            Simulated processes behind the p-value of the Cramer-von Mises test.
        rng : int, numpy.random.Generator, SeedSequence or None, default 0
            Seed.

        Returns
        -------
        pandas.DataFrame
            system, test ("laplace", "military handbook", "cramer-von mises"), null (what is
            tested), statistic, df, p (two-sided for the first two). NaN where there are too few
            incidents.

        References
        ----------
        Ascher and Feingold (1984), Repairable Systems Reliability, Marcel Dekker;
        Crow (1974), Reliability analysis for complex, repairable systems, in Reliability and
        Biometry, SIAM, 379-410
        """
        import pandas as pd

        size, random = check_positive_int(simulations, "simulations"), check_rng(rng)
        rows = []
        for name, part in zip(self.systems, self.processes, strict=True):
            times, end, by_failure = part.times, part.end, part.by_failure
            for test, null, result in (
                ("laplace", "constant rate", laplace(times, end, by_failure)),
                ("military handbook", "constant rate", military_handbook(times, end, by_failure)),
                (
                    "cramer-von mises",
                    "power law",
                    cramer_von_mises(times, end, by_failure, size, random),
                ),
            ):
                statistic, df, p = result
                rows.append(
                    {"system": name, "test": test, "null": null, "statistic": statistic}
                    | {"df": df, "p": p}
                )
        return pd.DataFrame(rows)

    def predict(self, further: float, *, prob: float = 0.95) -> pd.DataFrame:
        """Say what happens after the end of the observation, if the process goes on.

        Parameters
        ----------
        further : float > 0
            Time after the end; days if times are dates.
        prob : float in (0, 1), default 0.95
            The least mass of the intervals of the number of incidents.

        Returns
        -------
        pandas.DataFrame
            system, further, p_none, mean and sd of the number (infinite where it has too heavy a
            tail), lower, upper (whole numbers, infinite beyond 1e15), prob.

        Raises
        ------
        ArgumentError
            If an argument is not allowed.
        """
        import pandas as pd

        x, prob = check_positive(further, "further"), check_prob(prob)
        rows = []
        for name, part in zip(self.systems, self.processes, strict=True):
            stretch = np.log1p(x / part.end)
            beta, weight = part.beta_nodes()
            with np.errstate(over="ignore"):
                more = np.expm1(beta * stretch)
            mean, sd = count_moments(part, stretch)
            rows.append(
                {
                    "system": name,
                    "further": x,
                    "p_none": float((1 + part.n * stretch / part.log_sum) ** -part.shape),
                    "mean": mean,
                    "sd": sd,
                    "lower": count_quantile(part.n, more, weight, (1 - prob) / 2),
                    "upper": count_quantile(part.n, more, weight, (1 + prob) / 2),
                    "prob": prob,
                }
            )
        return pd.DataFrame(rows)

    def expected(self, *, points: int = 101, prob: float = 0.95) -> pd.DataFrame:
        """Give the expected number of incidents up to each time, for a picture.

        Parameters
        ----------
        points : int >= 2, default 101
            Times from the start to the end.
        prob : float in (0, 1), default 0.95
            Mass of the equal-tailed intervals.

        Returns
        -------
        pandas.DataFrame
            system, time (since the start), observed, mean, lower, upper, prob.

        Raises
        ------
        ArgumentError
            If an argument is not allowed.
        """
        import pandas as pd

        size, prob = check_positive_int(points, "points"), check_prob(prob)
        frames = []
        for name, part in zip(self.systems, self.processes, strict=True):
            at = np.linspace(0, part.end, max(size, 2))
            beta, weight = part.beta_nodes()
            with np.errstate(divide="ignore"):
                log_share = beta * np.log(at / part.end)[:, None]
            ends = [
                scaled_quantiles(part.n, log_share, weight, (1 + d * prob) / 2) for d in (-1, 1)
            ]
            frames.append(
                pd.DataFrame(
                    {
                        "system": name,
                        "time": at,
                        "observed": np.searchsorted(part.times, at, side="right"),
                        "mean": part.n * (np.exp(log_share) @ weight),
                        "lower": ends[0],
                        "upper": ends[1],
                        "prob": prob,
                    }
                )
            )
        return pd.concat(frames, ignore_index=True)

    def __repr__(self) -> str:
        """Give each shape with its interval, and what can be asked."""
        part = self.processes[0]
        how = "failure" if part.by_failure else "time"
        total = sum(process.n for process in self.processes)
        unit = " days" if self.dated else ""
        size = f"{plural(total, 'incident')} of {plural(len(self.systems), 'system')}"
        lines = [f"IncidentGrowth: {size} in {part.end:g}{unit}, {how}-truncated"]
        table = self.summary()
        rarer = self.estimates()["p_rarer"]
        for s, row in enumerate(table[table["estimand"] == "shape"].itertuples()):
            lines.append(
                f"  {row.system}: shape {row.mean:.2f} ({row.lower:.2f} to {row.upper:.2f}), "
                f"P(becoming rarer) = {rarer.iloc[s]:.2f}"
            )
        return "\n".join(
            [*lines, "  .summary(), .estimates(), .tests(), .predict(further), .expected()"]
        )

    def _repr_html_(self) -> str:
        """Give the same for notebooks, escaped."""
        return f"<pre>{escape(repr(self))}</pre>"
