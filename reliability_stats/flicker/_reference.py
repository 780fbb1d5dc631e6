"""What a number of trials can show of one task by itself, under a reference prior."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from .._numerics import FloatArray
from .._validation import check_choice, check_counts, check_fraction, check_thresholds
from ..estimands.thresholds import HIGH, LOW
from ..exceptions import ArgumentError
from ..models import Beta
from ._states import FLICKERING, NOT_SHOWN, PERSISTENT, STATES

MOST = 10_000_000
NARROW = 20_000
AROUND = 4


def minimal_trials(
    state: str,
    *,
    low: float = LOW,
    high: float = HIGH,
    fdr: float = 0.05,
    prior: Beta | None = None,
) -> int:
    """Give the fewest trials of a task that can show its state, whatever their outcome.

    Parameters
    ----------
    state : {"not shown", "flickering", "persistent"}
        What is to be shown: p <= low, low < p < high, or p >= high.
    low, high : float in [0, 1], default 0.10 and 0.90
        Success probabilities that bound flickering.
    fdr : float in (0, 1), default 0.05
        Allowed posterior probability that the label is wrong.
    prior : Beta, optional
        Prior of the task's success probability; uniform by default, `Beta(0.5, 0.5)` is Jeffreys'.

    Returns
    -------
    int
        Trials of the luckiest outcome; most outcomes need more.

    Raises
    ------
    ArgumentError
        If an argument is not allowed, or no number of trials below ten million (20 000 for
        flickering) is enough.

    Notes
    -----
    Two mixed outcomes show flicker quickly; persistence takes an order of magnitude more. Four
    successes in four trials are not persistence.

    Examples
    --------
    >>> import reliability_stats as rs
    >>> [rs.minimal_trials(state) for state in ("flickering", "persistent")]
    [4, 28]
    >>> rs.minimal_trials("persistent", high=0.95)
    58
    """
    state = check_choice(state, STATES, "state")
    low, high = check_thresholds(low, high)
    wrong = check_fraction(fdr, "fdr")
    if not 0 < wrong < 1:
        raise ArgumentError(f"fdr must be above 0 and below 1, not {fdr!r}.")
    beta = Beta(1, 1) if prior is None else prior
    if not isinstance(beta, Beta):
        raise ArgumentError(f"prior must be Beta(a, b), not {prior!r}.")
    if state == FLICKERING:
        return _fewest_mixed(low, high, wrong, beta)

    def shown(n: int) -> bool:
        if state == PERSISTENT:
            return bool(special.betainc(beta.a + n, beta.b, high) <= wrong)
        return bool(special.betaincc(beta.a, beta.b + n, low) <= wrong)

    top = 1
    while not shown(top):
        top *= 2
        if top > MOST:
            bound = f"high={high:g}" if state == PERSISTENT else f"low={low:g}"
            raise ArgumentError(
                f"Ten million trials cannot show that a task is {state} at {bound}."
            )
    bottom = top // 2
    while top - bottom > 1:
        middle = (top + bottom) // 2
        bottom, top = (bottom, middle) if shown(middle) else (middle, top)
    return top


def _fewest_mixed(low: float, high: float, wrong: float, prior: Beta) -> int:
    """Search the numbers of trials in blocks, at the outcomes nearest to the best centre."""
    # where the posterior density is equal at both bounds, in terms of log odds and log ratios
    up = np.log(high / low) if low > 0 else np.inf
    down = np.log((1.0 - low) / (1.0 - high)) if high < 1 else np.inf
    centre = (
        0.5 if np.isinf(up) and np.isinf(down) else (0.0 if np.isinf(up) else down / (up + down))
    )
    centre = 1.0 if np.isinf(down) and not np.isinf(up) else centre
    for start in range(1, NARROW, 2000):
        n = np.arange(start, start + 2000)[:, None]
        near = np.rint(centre * (n + prior.a + prior.b - 2.0) + 1.0 - prior.a)
        wins = np.clip(near + np.arange(-AROUND, AROUND + 1), 0, n)
        a, b = prior.a + wins, prior.b + n - wins
        outside = special.betainc(a, b, low) + special.betaincc(a, b, high)
        good = np.flatnonzero((outside <= wrong).any(axis=1))
        if good.size:
            return int(n[good[0], 0])
    raise ArgumentError(
        f"{NARROW:,} trials cannot show that low={low:g} < p < high={high:g}: the range is too "
        "narrow."
    )


def at_most(successes: ArrayLike, n: ArrayLike, *, prob: float = 0.95) -> FloatArray:
    """Give the success probability that a task does not exceed with probability `prob`.

    Parameters
    ----------
    successes, n : (cells,) array_like of int
        Successes and trials.
    prob : float in (0, 1), default 0.95
        Posterior probability under a uniform prior.

    Returns
    -------
    (cells,) ndarray
        Without a success, 1 - (1 - prob)^(1 / (n + 1)).

    Examples
    --------
    >>> at_most([0, 0], [4, 28]).round(4)
    array([0.4507, 0.0981])
    """
    trials, wins = check_counts(np.asarray(n), np.asarray(successes))
    return np.asarray(special.betaincinv(1.0 + wins, 1.0 + trials - wins, prob))


__all__ = ["NOT_SHOWN", "at_most", "minimal_trials"]
