"""Rates that wander over periods."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import special

from .._validation import check_choice, check_positive
from ..exceptions import ArgumentError, IdentifiabilityWarning
from ..trials import Trials
from ._periods import History, Period, check_period, history_of
from ._walk import Walk, evidence_of, focused_levels, smoothed, tau_mass
from .drift_posterior import DriftPosterior

SCALES = np.exp(np.linspace(-2.5, 2.5, 21))
"""Common scale of the innovations, in units of the prior scale."""
SPREAD = 0.7


@dataclass(frozen=True)
class Drift:
    """A rate whose log odds wander from period to period.

    Parameters
    ----------
    period : str or float, default "time"
        What a period is, as in `ChangePoint`.
    tasks : {"fresh", "same"}, default "fresh"
        "fresh": every period draws new tasks, beta-binomial, and rates are over tasks like these.
        "same": the same tasks are run in every period, and the rate is their mean; trials are
        binomial, which errs on the wide side since tasks differ.
    sd_scale : float > 0, default 0.3
        Scale of the half-normal prior of the innovations' standard deviation, in log odds a period.
    pooled : bool, default True
        Whether systems inform each other about how much they wander: the scale is then common to
        all, and log-normal around `sd_scale` with sd 0.7. With one system this only widens the
        prior.

    Notes
    -----
    The logit of the mean rate starts uniform on the scale of the rate, and moves between periods by
    normal steps; where a period of the calendar has no trials, the step spans it. Fresh tasks have
    one intra-class correlation for all periods of a system, uniform on (0, 1). All is summed on
    grids: an exact filter and smoother over the level, at every node of the correlation and the
    standard deviation. Nothing is sampled.

    With ``tasks="fresh"``, tasks that do recur make the bands too wide, since the luck of the draw
    of tasks is then no part of a change. With ``tasks="same"``, a mix of tasks that changes is read
    as a change of the system, and a warning says so. `ChangePoint` compares each task with itself.

    References
    ----------
    Kitagawa (1987), Non-Gaussian state-space modeling of nonstationary time series,
    https://doi.org/10.1080/01621459.1987.10478534;
    Durbin and Koopman (2012), Time Series Analysis by State Space Methods,
    https://doi.org/10.1093/acprof:oso/9780199641178.001.0001

    Examples
    --------
    >>> import reliability_stats as rs
    >>> table = {"task": [0] * 6, "week": list(range(6)), "n": [100] * 6}
    >>> table["successes"] = [84, 80, 77, 70, 61, 51]
    >>> trials = rs.Trials.from_counts(table, system=None, condition="week")
    >>> post = rs.Drift(period="week", tasks="same").fit(trials)
    >>> post.summary()[["first", "last", "p_decline"]].round(2)
      first last  p_decline
    0     0    5        1.0
    """

    period: Period = "time"
    tasks: str = "fresh"
    sd_scale: float = 0.3
    pooled: bool = True

    def __post_init__(self) -> None:
        """Check the fields."""
        object.__setattr__(self, "period", check_period(self.period))
        check_choice(self.tasks, ("fresh", "same"), "tasks")
        object.__setattr__(self, "sd_scale", check_positive(self.sd_scale, "sd_scale"))
        if not isinstance(self.pooled, bool):
            raise ArgumentError(f"pooled must be True or False, not {self.pooled!r}.")

    def fit(self, trials: Trials) -> DriftPosterior:
        """Compute the posterior of each system, under each condition if there are any.

        Parameters
        ----------
        trials : Trials
            With a time, or with the periods as conditions.

        Returns
        -------
        DriftPosterior

        Raises
        ------
        TrialDataError
            If there are no times, a trial has none, or there is one period only.
        ModelError
            If the grid would be too large.

        Examples
        --------
        >>> import reliability_stats as rs
        >>> table = {"task": [0] * 3, "week": [1, 2, 3], "n": [40] * 3, "successes": [20, 22, 18]}
        >>> trials = rs.Trials.from_counts(table, system=None, condition="week")
        >>> rs.Drift(period="week").fit(trials)
        DriftPosterior of Drift(period='week', ...)
        ...
        """
        history = history_of(trials, self.period)
        if self.tasks == "same":
            _warn_of_mix(history)
        parts = []
        for unit in range(len(history.units)):
            levels, gaps = focused_levels(history, unit, binomial=self.tasks == "same")
            parts.append((levels, gaps, *evidence_of(levels, gaps)))
        logs = np.array([special.logsumexp(part[2], axis=0) for part in parts])
        priors = self._priors(logs)
        walks: list[Walk] = [
            smoothed(*part, prior) for part, prior in zip(parts, priors, strict=True)
        ]
        return DriftPosterior(self, history, walks, trials.fingerprint)

    def _priors(self, logs: Any) -> Any:
        """Give each system's prior mass of tau, informed by the other systems if pooled."""
        if not self.pooled:
            return np.broadcast_to(tau_mass(self.sd_scale), logs.shape)
        masses = tau_mass(self.sd_scale * SCALES)
        weight = -0.5 * (np.log(SCALES) / SPREAD) ** 2
        given = special.logsumexp(np.log(np.maximum(masses, 1e-300)) + logs[:, None], axis=2)
        others = special.softmax(weight + given.sum(axis=0) - given, axis=1)
        return others @ masses


def _warn_of_mix(history: History) -> None:
    """Warn if the shares of tasks differ between the periods of a system."""
    import warnings

    totals, _ = history.totals()
    share = history.n / totals[history.unit, history.period]
    for u, name in enumerate(history.units):
        mine = np.flatnonzero(history.unit == u)
        task = history.task[mine]
        periods = len(np.unique(history.period[mine]))
        low, high = np.full(len(history.tasks), np.inf), np.zeros(len(history.tasks))
        np.minimum.at(low, task, share[mine])
        np.maximum.at(high, task, share[mine])
        seen = np.bincount(task, minlength=len(history.tasks))
        odd = np.flatnonzero((seen > 0) & ((seen < periods) | (high > low + 1e-9)))
        if len(odd):
            warnings.warn(
                f"The mix of tasks of {name!r} differs between periods, first in task "
                f"{history.tasks[odd[0]]!r}; with tasks='same' that is read as a change of the "
                "rate. Give every period the same trials of the same tasks, or use ChangePoint.",
                IdentifiabilityWarning,
                stacklevel=3,
            )
            return
