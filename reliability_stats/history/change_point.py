"""Whether, when and by how much a system's rate of success has shifted."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .._validation import _as_float, check_choice, check_k
from ..exceptions import ArgumentError
from ..trials import Trials
from ._change_fit import fit_fresh, fit_same
from ._periods import Period, check_period, history_of
from .change_posterior import ChangePosterior


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
        if self.tasks == "same":
            fits = fit_same(history, self.shift_scale)
        else:
            fits = fit_fresh(history, self.most)
        return ChangePosterior(self, history, fits, trials.fingerprint)
