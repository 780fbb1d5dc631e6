"""`sequential_verdict`: look after every trial, stop at any time, and stay calibrated."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from .._numerics import FloatArray
from .._validation import check_counts, check_prob
from ..exceptions import ArgumentError
from ..intervals import confidence_sequence

if TYPE_CHECKING:
    import pandas as pd

ABOVE, BELOW, OPEN = "above", "below", "undecided"


@dataclass(frozen=True, eq=False, repr=False)
class Verdict:
    """Whether a success probability lies above or below a threshold, by looking after every trial.

    Made by `sequential_verdict`.

    Attributes
    ----------
    frame : pandas.DataFrame
        One row a trial: n, successes, lower, upper, e_above, e_below, verdict.
    threshold, prob : float
        As given.
    """

    frame: pd.DataFrame
    threshold: float
    prob: float

    @property
    def verdict(self) -> str:
        """The latest: "above", "below" or "undecided"."""
        return str(self.frame["verdict"].iloc[-1])

    @property
    def decided_at(self) -> int | None:
        """Number of trials at which it was decided; None if it is not."""
        settled = np.flatnonzero((self.frame["verdict"] != OPEN).to_numpy())
        return int(self.frame["n"].iloc[settled[0]]) if len(settled) else None

    @property
    def interval(self) -> tuple[float, float]:
        """The latest interval."""
        last = self.frame.iloc[-1]
        return float(last["lower"]), float(last["upper"])

    def __repr__(self) -> str:
        """Say what is decided, and the latest interval."""
        last = self.frame.iloc[-1]
        low, high = self.interval
        when = "" if self.decided_at is None else f" since trial {self.decided_at}"
        return (
            f"Verdict: {self.verdict} {self.threshold:g}{when}; {int(last['successes'])} of "
            f"{int(last['n'])} trials succeeded, {self.prob:g} confidence sequence "
            f"{low:.3f} to {high:.3f}"
        )

    def _repr_html_(self) -> str:
        """Give the same for notebooks."""
        return f"<p>{self!r}</p>"


def sequential_verdict(outcomes: ArrayLike, threshold: float, *, prob: float = 0.95) -> Verdict:
    """Decide whether a success probability is above or below a threshold, looking at every trial.

    Parameters
    ----------
    outcomes : (n,) array_like of 0 and 1
        Outcomes in the order in which they came. For one task, its trials. For a system, one
        outcome for each *new task*, drawn at random: whether its trial passed (success rate), or
        whether all of its k trials passed (pass^k), or any did (pass@k).
    threshold : float in (0, 1)
        What the probability is compared with.
    prob : float in (0, 1), default 0.95
        Chance that no verdict is wrong, at any time and for any rule of stopping.

    Returns
    -------
    Verdict
        Its `frame` has one row a trial: n, successes, lower and upper (confidence sequence,
        intersected with all earlier ones), e_above and e_below (e-values against p <= threshold and
        p >= threshold: evidence that p is above, or below) and verdict.

    Raises
    ------
    ArgumentError
        If there is no outcome, one is neither 0 nor 1, or the threshold is out of range.

    Notes
    -----
    A verdict falls when the confidence sequence leaves the threshold out, and stands from then on.
    Several trials of one task are *not* independent outcomes of a system: they show the task. If
    success probabilities drift, the interval speaks of none of them.

    A Bayesian posterior may be looked at any time too, since its likelihood does not depend on why
    one has stopped, but its promise is one on average over the prior.

    References
    ----------
    Robbins (1970), Statistical methods related to the law of the iterated logarithm,
    https://doi.org/10.1214/aoms/1177696786

    Examples
    --------
    >>> from reliability_stats.planning import sequential_verdict
    >>> found = sequential_verdict([1] * 40, 0.8)
    >>> found.verdict, found.decided_at
    ('above', 29)
    """
    import pandas as pd

    y, prob = _outcomes(outcomes), check_prob(prob)
    threshold = check_prob(threshold, "threshold")
    n, wins = np.arange(1, len(y) + 1), np.cumsum(y)
    lower, upper = (np.asarray(end) for end in confidence_sequence(wins, n, prob=prob))
    lower, upper = np.maximum.accumulate(lower), np.minimum.accumulate(upper)
    above, below = lower > threshold, upper < threshold
    verdict = np.where(above, ABOVE, np.where(below, BELOW, OPEN)).astype(object)
    decided = np.flatnonzero(verdict != OPEN)
    if len(decided):
        verdict[decided[0] :] = verdict[decided[0]]
    frame = pd.DataFrame(
        {
            "n": n,
            "successes": wins,
            "lower": lower,
            "upper": upper,
            "e_above": e_value(wins, n, threshold),
            "e_below": e_value(n - wins, n, 1.0 - threshold),
            "verdict": verdict,
        }
    )
    return Verdict(frame, threshold, prob)


def e_value(successes: ArrayLike, n: ArrayLike, threshold: float) -> FloatArray:
    """Evidence against p <= threshold: its expectation is at most 1 if that holds.

    The likelihood ratio of p uniform on (threshold, 1) against the threshold. Reaching 1 / alpha
    at any time has a chance of at most alpha. E-values of independent tasks may be multiplied, and
    any may be averaged.

    Parameters
    ----------
    successes, n : (...) array_like of int
        Successes and trials.
    threshold : float in (0, 1)
        Largest success probability that is doubted.

    Returns
    -------
    ndarray
        At least 0; large is evidence that p > threshold.

    Raises
    ------
    ArgumentError
        If counts or the threshold are not allowed.

    References
    ----------
    Ramdas, Gruenwald, Vovk and Shafer (2023), Game-theoretic statistics and safe anytime-valid
    inference, https://doi.org/10.1214/23-STS894

    Examples
    --------
    >>> from reliability_stats.planning import e_value
    >>> float(e_value(60, 60, 0.9).round(4))
    91.0787
    """
    t = check_prob(threshold, "threshold")
    y, trials = np.broadcast_arrays(np.asarray(successes), np.asarray(n))
    counts, wins = check_counts(trials.ravel(), y.ravel())
    a, b = wins + 1.0, counts - wins + 1.0
    with np.errstate(divide="ignore", over="ignore"):
        logs = special.betaln(a, b) + np.log(special.betaincc(a, b, t)) - np.log1p(-t)
        logs -= wins * np.log(t) + (counts - wins) * np.log1p(-t)
        return np.asarray(np.exp(logs)).reshape(y.shape)


def _outcomes(values: ArrayLike) -> FloatArray:
    """Give outcomes as an array of 0 and 1."""
    array = np.asarray(values)
    if array.ndim != 1 or not array.size:
        raise ArgumentError(
            f"outcomes must be a list of at least one 0 or 1, not of shape {array.shape}."
        )
    if array.dtype.kind not in "biuf":
        raise ArgumentError(f"outcomes must be 0 or 1, not {array[0]!r}.")
    bad = np.flatnonzero(~np.isin(array, (0, 1)))
    if bad.size:
        raise ArgumentError(
            f"outcomes must be 0 or 1, but entry {int(bad[0])} is {array[bad[0]]!s}. Leave out "
            "trials that were not run only if that has nothing to do with their outcome."
        )
    return array.astype(np.int64)
