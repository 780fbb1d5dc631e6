"""Sharp bounds in closed form from one or two moments, and the beta distribution through figures.

References
----------
Krein and Nudelman (1977), The Markov Moment Problem and Extremal Problems, American Mathematical
Society.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike

from .._numerics import FloatArray
from .._validation import check_k

__all__ = ["beta_through", "mean_bounds", "two_moment_bounds"]

Pair = tuple[FloatArray, FloatArray]
TINY = 1e-9


def mean_bounds(k: int, mean: ArrayLike) -> Pair:
    """Bound pass^k from the mean success rate alone.

    The lower end is reached if all tasks have one p, the upper end if every task always or never
    succeeds. For pass@k use 1 - mean, and take the result from 1.

    Parameters
    ----------
    k : int >= 1
        Number of trials.
    mean : array_like of float in [0, 1]
        E[p].

    Returns
    -------
    lower, upper : ndarray
        mean^k and mean.

    Raises
    ------
    ArgumentError
        If k is not a positive integer.

    Examples
    --------
    >>> lower, upper = mean_bounds(4, 0.604)
    >>> round(float(lower), 6), float(upper)
    (0.133091, 0.604)
    """
    m = np.asarray(mean, dtype=float)
    return np.asarray(m ** check_k(k)), m


def two_moment_bounds(k: int, m1: ArrayLike, m2: ArrayLike) -> Pair:
    """Bound pass^k from pass^1 and pass^2 (Markov-Krein).

    The lower end is reached by tasks at p = 0 and p = m2 / m1, the upper end by tasks at
    p = (m1 - m2) / (1 - m1) and p = 1. For pass@k use the moments of 1 - p.

    Parameters
    ----------
    k : int >= 1
        Number of trials.
    m1, m2 : array_like of float in [0, 1]
        E[p] and E[p^2]; m2 beyond m1^2 <= m2 <= m1 is taken as the nearer end.

    Returns
    -------
    lower, upper : ndarray
        Smallest and largest E[p^k].

    Raises
    ------
    ArgumentError
        If k is not a positive integer.

    Examples
    --------
    >>> lower, upper = two_moment_bounds(4, 0.604, 0.491)
    >>> round(float(lower), 6), round(float(upper), 6)
    (0.324467, 0.449554)
    """
    k = check_k(k)
    m1, m2 = np.asarray(m1, dtype=float), np.asarray(m2, dtype=float)
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        ratio = np.where(m1 > 0, np.clip(m2 / m1, m1, 1), 0.0)
        x = np.where(m1 < 1, np.clip((m1 - m2) / (1 - m1), 0, m1), 1.0)
        below = np.where(x < 1, (1 - m1) / (1 - x), 0.0)
    return m1 * ratio ** (k - 1), 1 - below + below * x**k


def beta_through(mean: ArrayLike, value: ArrayLike, curve: Callable[..., FloatArray]) -> Pair:
    """Give the beta distribution with a mean and one more published figure.

    Parameters
    ----------
    mean : array_like of float in [0, 1]
        E[p].
    value : array_like of float
        The other figure.
    curve : callable
        (a, b) -> the figure under Beta(a, b); monotone in the correlation 1 / (a + b + 1).

    Returns
    -------
    a, b : ndarray
        Parameters; the correlation is kept in [1e-9, 1 - 1e-9].

    Examples
    --------
    >>> from reliability_stats import PassHatK
    >>> a, b = beta_through(0.604, 0.491, PassHatK(2).from_beta)
    >>> round(float(a), 6), round(float(b), 6)
    (0.540893, 0.354625)
    """
    mu = np.clip(np.asarray(mean, dtype=float), TINY, 1 - TINY)
    target = np.asarray(value, dtype=float)

    def parameters(rho: FloatArray) -> Pair:
        size = (1 - rho) / rho
        return mu * size, (1 - mu) * size

    low = np.full(np.broadcast(mu, target).shape, TINY)
    high = 1 - low
    rising = curve(*parameters(high)) >= curve(*parameters(low))
    for _ in range(60):
        middle = (low + high) / 2
        above = (curve(*parameters(middle)) >= target) == rising
        low, high = np.where(above, low, middle), np.where(above, middle, high)
    return parameters((low + high) / 2)
