"""Plans that demonstrate a reliability: how many trials must end well, and sequential tests."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import special

from .._numerics import FloatArray, IntArray
from .._validation import (
    check_choice,
    check_fraction,
    check_k,
    check_positive_int,
    check_prob,
)
from ..exceptions import ArgumentError
from ..models.priors import Beta

if TYPE_CHECKING:
    import pandas as pd

PRIORS = {"uniform": (1.0, 1.0), "jeffreys": (0.5, 0.5)}
MOST = 10**12


def zero_failure_trials(
    reliability: float, assurance: float, *, prior: str | Beta | None = None, failures: int = 0
) -> int:
    """Give how many trials, with no failure or few, demonstrate a reliability.

    Parameters
    ----------
    reliability : float in (0, 1)
        Success probability r to be demonstrated.
    assurance : float in (0, 1)
        Classical: a system with success probability below r passes with probability below
        1 - assurance. With a prior: the posterior probability of at least r after passing.
    prior : {None, "uniform", "jeffreys"} or Beta, default None
        None for the classical plan.
    failures : int >= 0, default 0
        Failures that the plan allows. With a prior, the posterior is that after exactly so many.

    Returns
    -------
    int
        The smallest number of trials.

    Raises
    ------
    ArgumentError
        If an argument is not allowed, or more than a million million trials are needed.

    Notes
    -----
    All trials have one success probability. Trials of the same task do not, if tasks differ: with
    correlation rho among K trials of a task, n trials tell as much of the mean as
    n / (1 + (K - 1) rho) tasks tried once. Use `Tolerance` on a fitted posterior then.

    References
    ----------
    Meeker, Hahn and Escobar (2017), Statistical Intervals, 2nd ed., section 9.5,
    https://doi.org/10.1002/9781118594841

    Examples
    --------
    >>> import reliability_stats as rs
    >>> [rs.zero_failure_trials(0.95, 0.95, prior=p) for p in (None, "uniform", "jeffreys")]
    [59, 58, 38]
    >>> rs.zero_failure_trials(0.95, 0.95, failures=1)
    93
    """
    r, wanted = check_prob(reliability, "reliability"), check_prob(assurance, "assurance")
    allowed = check_k(failures, "failures", minimum=0)
    shape = _shape(prior)

    def shown(n: int) -> bool:
        """Say whether n trials are enough."""
        if n < allowed or (n == allowed and shape is None):
            return False
        if shape is None:
            return float(special.betainc(allowed + 1, n - allowed, 1 - r)) >= wanted - 1e-12
        a, b = shape
        return float(special.betainc(b + allowed, a + n - allowed, 1 - r)) >= wanted - 1e-12

    low, high = allowed - 1, max(allowed, 1)
    while not shown(high):
        low, high = high, 2 * high
        if high > MOST:
            raise ArgumentError(
                f"reliability={r!r} with assurance={wanted!r} takes more than {MOST:,} trials."
            )
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if shown(middle) else (middle, high)
    return high


def zero_failure_upper(n: int, *, prob: float = 0.95, prior: str | Beta | None = None) -> float:
    """Bound the failure probability from above after trials without a failure.

    Parameters
    ----------
    n : int >= 1
        Trials, all of them successes.
    prob : float in (0, 1), default 0.95
        Chance that the failure probability is below the bound.
    prior : {None, "uniform", "jeffreys"} or Beta, default None
        Prior of the success probability; None for the classical bound, 1 - (1 - prob)^(1/n).

    Returns
    -------
    float in (0, 1)

    Raises
    ------
    ArgumentError
        If an argument is not allowed.

    Examples
    --------
    >>> from reliability_stats.instruments import zero_failure_upper
    >>> round(zero_failure_upper(30), 7), round(zero_failure_upper(30, prior="uniform"), 7)
    (0.0950339, 0.0921141)
    """
    trials, prob = check_positive_int(n, "n"), check_prob(prob)
    shape = _shape(prior)
    if shape is None:
        return float(-np.expm1(np.log1p(-prob) / trials))
    a, b = shape
    return float(special.betaincinv(b, a + trials, prob))


def _shape(prior: str | Beta | None) -> tuple[float, float] | None:
    """Give the parameters of a prior of the success probability."""
    if prior is None:
        return None
    if isinstance(prior, Beta):
        return float(prior.a), float(prior.b)
    return PRIORS[check_choice(prior, tuple(PRIORS), "prior")]


@dataclass(frozen=True)
class SequentialTest:
    """Wald's sequential test of a success probability, cut off after some trials.

    Parameters
    ----------
    acceptable : float in (0, 1)
        A success probability that should be accepted.
    unacceptable : float in (0, 1)
        A lower one that should be rejected.
    producer_risk, consumer_risk : float in (0, 0.5), default 0.05
        Wanted chances of rejecting the acceptable and of accepting the unacceptable one.
    most : int in [1, 20000], default 2000
        Trials after which the test ends undecided.

    Notes
    -----
    The log likelihood ratio of unacceptable against acceptable grows with every failure and falls
    with every success; the test ends when it leaves Wald's two boundaries. These bound the sum of
    both risks only, and steps overshoot, so that the true risks differ from those wanted: `oc`
    gives them exactly, by summing over all ways of the count, not by Wald's approximation.

    All trials have one success probability: see `zero_failure_trials`.

    References
    ----------
    Wald (1945), Sequential tests of statistical hypotheses,
    https://doi.org/10.1214/aoms/1177731118

    Examples
    --------
    >>> from reliability_stats.instruments import SequentialTest
    >>> test = SequentialTest(0.95, 0.80)
    >>> test.oc([0.95, 0.80]).round(4)
       p_success  accepted  rejected  undecided  expected_trials
    0       0.95    0.9678    0.0322        0.0          30.5559
    1       0.80    0.0446    0.9554        0.0          22.5906
    >>> test.decide([1] * 18).verdict
    'accepted'
    """

    acceptable: float
    unacceptable: float
    producer_risk: float = 0.05
    consumer_risk: float = 0.05
    most: int = 2000

    def __post_init__(self) -> None:
        """Check the fields."""
        good = check_prob(self.acceptable, "acceptable")
        bad = check_prob(self.unacceptable, "unacceptable")
        if not bad < good:
            raise ArgumentError(
                f"unacceptable must be smaller than acceptable, but is {bad!r} and not below "
                f"{good!r}."
            )
        for name in ("producer_risk", "consumer_risk"):
            risk = check_prob(getattr(self, name), name)
            if risk >= 0.5:
                raise ArgumentError(f"{name} must be below 0.5, not {risk!r}.")
            object.__setattr__(self, name, risk)
        object.__setattr__(self, "acceptable", good)
        object.__setattr__(self, "unacceptable", bad)
        most = check_positive_int(self.most, "most")
        if most > 20_000:
            raise ArgumentError(f"most must be at most 20000, not {most}.")
        object.__setattr__(self, "most", most)

    @cached_property
    def _limits(self) -> tuple[IntArray, IntArray]:
        """Most failures that accept (or -1) and least that reject, after 1, 2, ... trials."""
        worse = math.log((1 - self.unacceptable) / (1 - self.acceptable))
        better = math.log(self.acceptable / self.unacceptable)
        n = np.arange(1, self.most + 1)
        accept = math.log(self.consumer_risk / (1 - self.producer_risk))
        reject = math.log((1 - self.consumer_risk) / self.producer_risk)
        low = np.floor((accept + n * better) / (worse + better) + 1e-12)
        high = np.ceil((reject + n * better) / (worse + better) - 1e-12)
        return np.maximum(low, -1).astype(np.int64), high.astype(np.int64)

    def boundaries(self) -> pd.DataFrame:
        """Give the failures that end the test after each number of trials.

        Returns
        -------
        pandas.DataFrame
            trials, accept_at (at most so many failures; -1 if none accepts yet), reject_at (at
            least so many; above `trials` if none rejects yet).
        """
        import pandas as pd

        low, high = self._limits
        n = np.arange(1, self.most + 1)
        return pd.DataFrame({"trials": n, "accept_at": low, "reject_at": high})

    def oc(self, p_success: float | Sequence[float] | FloatArray) -> pd.DataFrame:
        """Give what the test does at success probabilities: its operating characteristic.

        Parameters
        ----------
        p_success : float or (values,) array_like of float in [0, 1]
            True success probabilities.

        Returns
        -------
        pandas.DataFrame
            p_success, accepted, rejected, undecided (chances, which sum to 1) and expected_trials.

        Raises
        ------
        ArgumentError
            If a probability is not in [0, 1].
        """
        import pandas as pd

        values = [check_fraction(p, "p_success") for p in np.atleast_1d(np.asarray(p_success))]
        p = np.array(values)
        low, high = self._limits
        alive = np.zeros((len(p), int(high[-1]) + 1))
        alive[:, 0] = 1.0
        out = {name: np.zeros(len(p)) for name in ("accepted", "rejected")}
        trials = np.zeros(len(p))
        for a, r in zip(low.tolist(), high.tolist(), strict=True):
            trials += alive.sum(axis=1)
            step = alive * p[:, None]
            step[:, 1:] += alive[:, :-1] * (1 - p)[:, None]
            if a >= 0:
                out["accepted"] += step[:, : a + 1].sum(axis=1)
                step[:, : a + 1] = 0.0
            out["rejected"] += step[:, r:].sum(axis=1)
            step[:, r:] = 0.0
            alive = step
        left = alive.sum(axis=1)
        return pd.DataFrame({"p_success": p, **out, "undecided": left, "expected_trials": trials})

    def decide(self, outcomes: Sequence[Any] | FloatArray) -> Decision:
        """Go through outcomes in their order until the test ends.

        Parameters
        ----------
        outcomes : (trials,) array_like of bool or 0/1
            Successes are true. Those after the end are not looked at.

        Returns
        -------
        Decision
            `verdict` ("accepted", "rejected", "go on", or "undecided" after `most` trials),
            `trials` and `failures` up to the end.

        Raises
        ------
        ArgumentError
            If an outcome is neither a success nor a failure.
        """
        given = np.asarray(outcomes)
        if given.ndim != 1 or (given.size and given.dtype.kind not in "biuf"):
            raise ArgumentError("outcomes must be a list of True/False or 1/0.")
        bad = np.flatnonzero(~np.isin(given, (0, 1)))
        if bad.size:
            raise ArgumentError(
                f"outcomes must be True/False or 1/0, but entry {bad[0]} is {given[bad[0]]!s}."
            )
        low, high = self._limits
        failures = np.cumsum(given[: self.most] == 0)
        size = len(failures)
        ended = np.flatnonzero((failures <= low[:size]) | (failures >= high[:size]))
        if ended.size:
            end = int(ended[0])
            verdict = "accepted" if failures[end] <= low[end] else "rejected"
            return Decision(verdict, end + 1, int(failures[end]))
        verdict = "undecided" if size == self.most else "go on"
        return Decision(verdict, size, int(failures[-1]) if size else 0)


@dataclass(frozen=True)
class Decision:
    """Where a `SequentialTest` stands; made by its `decide`.

    Attributes
    ----------
    verdict : str
        "accepted", "rejected", "go on" or "undecided".
    trials, failures : int
        How many were looked at.
    """

    verdict: str
    trials: int
    failures: int
