"""Intervals for one success probability: Wilson, Clopper-Pearson, Jeffreys; anytime-valid ones.

They hold for trials with one common success probability, such as repeated trials of one task.
Trials of different tasks do not have one: use `reliability_stats.estimate` or
`reliability_stats.fit` then.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from ._numerics import FloatArray, IntArray
from ._validation import check_counts, check_positive, check_prob
from .exceptions import ArgumentError

__all__ = ["clopper_pearson", "confidence_sequence", "jeffreys", "wilson"]

HALVINGS = 64
"""Steps of bisection: ends are exact to 1e-19."""

Limits: TypeAlias = tuple[float, float] | tuple[FloatArray, FloatArray]


def wilson(successes: ArrayLike, n: ArrayLike, *, prob: float = 0.95) -> Limits:
    """Score interval of Wilson, without continuity correction.

    Its coverage is close to `prob` on average over success probabilities.

    Parameters
    ----------
    successes, n : int or (...) array_like of int
        Successes and trials, 0 <= successes <= n; broadcast against each other.
    prob : float in (0, 1), default 0.95
        Nominal coverage.

    Returns
    -------
    lower, upper : float or (...) ndarray, in [0, 1]
        Exactly 0 below no success, exactly 1 above no failure, and 0 to 1 for no trial at all.

    Raises
    ------
    ArgumentError
        If counts or `prob` are not allowed.

    References
    ----------
    Wilson (1927), https://doi.org/10.1080/01621459.1927.10502953;
    Brown, Cai and DasGupta (2001), https://doi.org/10.1214/ss/1009213286

    Examples
    --------
    >>> from reliability_stats import intervals
    >>> lower, upper = intervals.wilson(5, 10)
    >>> round(lower, 4), round(upper, 4)
    (0.2366, 0.7634)
    """
    y, trials, shape = _counts(successes, n)
    z = -float(special.ndtri((1.0 - check_prob(prob)) / 2.0))
    size = np.maximum(trials, 1.0)
    p = y / size
    centre = p + z**2 / (2.0 * size)
    half = z * np.sqrt(p * (1.0 - p) / size + z**2 / (4.0 * size**2))
    scale = 1.0 + z**2 / size
    return _given((centre - half) / scale, (centre + half) / scale, y, trials, shape)


def clopper_pearson(successes: ArrayLike, n: ArrayLike, *, prob: float = 0.95) -> Limits:
    """Exact interval of Clopper and Pearson.

    Its coverage is at least `prob` whatever the success probability, and often well above.

    Parameters
    ----------
    successes, n : int or (...) array_like of int
        Successes and trials, 0 <= successes <= n; broadcast against each other.
    prob : float in (0, 1), default 0.95
        Smallest coverage.

    Returns
    -------
    lower, upper : float or (...) ndarray, in [0, 1]
        Exactly 0 below no success, exactly 1 above no failure, and 0 to 1 for no trial at all.

    Raises
    ------
    ArgumentError
        If counts or `prob` are not allowed.

    References
    ----------
    Clopper and Pearson (1934), https://doi.org/10.1093/biomet/26.4.404

    Examples
    --------
    Sixteen failures in a row do not exclude a success probability of one in five:

    >>> from reliability_stats import intervals
    >>> lower, upper = intervals.clopper_pearson(0, 16)
    >>> lower, round(upper, 4)
    (0.0, 0.2059)
    """
    y, trials, shape = _counts(successes, n)
    return _given(*exact_limits(y, trials, check_prob(prob)), y, trials, shape)


def jeffreys(successes: ArrayLike, n: ArrayLike, *, prob: float = 0.95) -> Limits:
    """Equal-tailed interval under the prior of Jeffreys, with the ends of Brown, Cai and DasGupta.

    The limits are quantiles of Beta(successes + 1/2, n - successes + 1/2), but 0 below no success
    and 1 above no failure, where a quantile would exclude the outcome that was seen every time.
    (statsmodels gives the bare quantiles.)

    Parameters
    ----------
    successes, n : int or (...) array_like of int
        Successes and trials, 0 <= successes <= n; broadcast against each other.
    prob : float in (0, 1), default 0.95
        Posterior mass between the quantiles.

    Returns
    -------
    lower, upper : float or (...) ndarray, in [0, 1]
        Exactly 0 below no success, exactly 1 above no failure, and 0 to 1 for no trial at all.

    Raises
    ------
    ArgumentError
        If counts or `prob` are not allowed.

    References
    ----------
    Brown, Cai and DasGupta (2001), https://doi.org/10.1214/ss/1009213286

    Examples
    --------
    >>> from reliability_stats import intervals
    >>> lower, upper = intervals.jeffreys([7, 10], 10)
    >>> lower.round(4), upper.round(4)
    (array([0.3942, 0.7828]), array([0.9073, 1.    ]))
    """
    y, trials, shape = _counts(successes, n)
    tail = (1.0 - check_prob(prob)) / 2.0
    a, b = y + 0.5, trials - y + 0.5
    lower = np.asarray(special.betaincinv(a, b, tail), dtype=float)
    upper = np.asarray(special.betainccinv(a, b, tail), dtype=float)
    return _given(lower, upper, y, trials, shape)


def confidence_sequence(
    successes: ArrayLike, n: ArrayLike, *, prob: float = 0.95, a: float = 1.0, b: float = 1.0
) -> Limits:
    """Interval that may be looked at after every trial, and at which one may stop at any time.

    The intervals of all n together hold the success probability with chance `prob`, whatever the
    rule by which the last n was chosen. Other intervals of this module hold it for a number of
    trials that was fixed beforehand.

    Parameters
    ----------
    successes, n : int or (...) array_like of int
        Successes and trials, 0 <= successes <= n; broadcast against each other.
    prob : float in (0, 1), default 0.95
        Smallest coverage of all intervals together.
    a, b : float > 0, default 1.0
        Parameters of the beta distribution that alternatives are mixed by. They decide for which p
        the intervals are short, never whether they hold.

    Returns
    -------
    lower, upper : float or (...) ndarray, in [0, 1]
        Exactly 0 below no success, exactly 1 above no failure, and 0 to 1 for no trial at all.

    Raises
    ------
    ArgumentError
        If counts, `prob`, a or b are not allowed.

    Notes
    -----
    The p for which the beta mixture of likelihood ratios against p, a martingale under p, has
    stayed below 1 / (1 - prob) now (Ville 1939). Intersecting the intervals of 1, ..., n keeps the
    coverage.

    References
    ----------
    Robbins (1970), Statistical methods related to the law of the iterated logarithm,
    https://doi.org/10.1214/aoms/1177696786;
    Ramdas, Gruenwald, Vovk and Shafer (2023), Game-theoretic statistics and safe anytime-valid
    inference, https://doi.org/10.1214/23-STS894

    Examples
    --------
    >>> from reliability_stats import intervals
    >>> lower, upper = intervals.confidence_sequence([10, 20], 20)
    >>> lower.round(4), upper.round(4)
    (array([0.2043, 0.7393]), array([0.7957, 1.    ]))
    """
    y, trials, shape = _counts(successes, n)
    a, b = check_positive(a, "a"), check_positive(b, "b")
    mixed = special.betaln(a + y, b + trials - y) - special.betaln(a, b)
    level = -np.log1p(-check_prob(prob))

    def excluded(p: FloatArray) -> FloatArray:
        likelihood = special.xlogy(y, p) + special.xlog1py(trials - y, -p)
        return np.asarray(mixed - likelihood >= level)

    middle = y / np.maximum(trials, 1.0)
    ends = []
    for far in (np.zeros_like(middle), np.ones_like(middle)):
        out, inside = far, middle
        for _ in range(HALVINGS):
            half = (out + inside) / 2.0
            beyond = excluded(half)
            out, inside = np.where(beyond, half, out), np.where(beyond, inside, half)
        ends.append(out)
    return _given(ends[0], ends[1], y, trials, shape)


def exact_limits(
    successes: FloatArray, n: FloatArray, prob: float
) -> tuple[FloatArray, FloatArray]:
    """Give Clopper-Pearson limits, also for counts that are no integers.

    Parameters
    ----------
    successes, n : (...) array of float
        Successes and size, 0 <= successes <= n; not checked.
    prob : float in (0, 1)
        Smallest coverage.

    Returns
    -------
    lower, upper : (...) ndarray

    References
    ----------
    Korn and Graubard (1998), Confidence intervals for proportions with small expected number of
    positive counts estimated from survey data, Survey Methodology 24, 193-201

    Examples
    --------
    >>> import numpy as np
    >>> lower, upper = exact_limits(np.array(0.5), np.array(10.0), 0.95)
    >>> round(float(lower), 4), round(float(upper), 4)
    (0.0, 0.3813)
    """
    tail = (1.0 - prob) / 2.0
    fails = n - successes
    tiny = np.finfo(float).tiny
    lower = special.betaincinv(np.maximum(successes, tiny), fails + 1.0, tail)
    upper = special.betainccinv(successes + 1.0, np.maximum(fails, tiny), tail)
    return np.where(successes > 0, lower, 0.0), np.where(fails > 0, upper, 1.0)


def _counts(successes: ArrayLike, n: ArrayLike) -> tuple[FloatArray, FloatArray, tuple[int, ...]]:
    """Check counts and give them flat, as floats, with their common shape."""
    y, trials = np.asarray(successes), np.asarray(n)
    try:
        y, trials = np.broadcast_arrays(y, trials)
    except ValueError:
        raise ArgumentError(
            f"successes and n must have shapes that broadcast, not {y.shape} and {trials.shape}."
        ) from None
    checked: tuple[IntArray, IntArray] = check_counts(trials.ravel(), y.ravel())
    return checked[1].astype(float), checked[0].astype(float), y.shape


def _given(
    lower: FloatArray, upper: FloatArray, y: FloatArray, n: FloatArray, shape: tuple[int, ...]
) -> Limits:
    """Set the exact ends, and give floats for scalars."""
    lower = np.clip(np.where(y > 0, lower, 0.0), 0.0, 1.0).reshape(shape)
    upper = np.clip(np.where(y < n, upper, 1.0), 0.0, 1.0).reshape(shape)
    return (lower, upper) if shape else (float(lower), float(upper))
