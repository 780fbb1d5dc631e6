"""What is known about a stream of batches at every time: e-values, run lengths, CUSUM.

All functions take trials n and successes y of batches in their order, each (batches,).
"""

from __future__ import annotations

import numpy as np
from scipy import special

from .._numerics import FloatArray, IntArray
from .._validation import check_positive, check_positive_int, check_prob
from ..exceptions import ArgumentError

BETS = 32
"""Sizes of bets that are mixed."""


def e_values(n: IntArray, y: IntArray, rate: float, within: str) -> FloatArray:
    """Give the evidence, after each batch, that the rate has at some time fallen below `rate`.

    For a decline that begins with batch j, the evidence is a likelihood ratio averaged over lower
    rates ("independent"), or the capital of bets on the batch means ("any"). These are averaged
    over j with weights 1 / (j (j + 1)). While the mean rate of every batch is at least `rate`, the
    result is a nonnegative supermartingale that starts at 1, and so exceeds c at any time ever with
    probability at most 1 / c (Ville).
    """
    size = len(n)
    if within == "independent":
        fail = n - y
        won, lost = (np.concatenate([[0], x.cumsum()]) for x in (y, fail))
        s, f = won[1:, None] - won[:-1], lost[1:, None] - lost[:-1]  # batch of now, batch of start
        later = np.tri(size, dtype=bool)
        s, f = np.where(later, s, 0), np.where(later, f, 0)
        log = special.betaln(s + 1, f + 1) - np.log(rate)
        log += _log_betainc(s + 1.0, f + 1.0, rate)
        log -= s * np.log(rate) + f * np.log1p(-rate)
    else:
        bets = (np.arange(BETS) + 0.5) / BETS / (1 - rate)
        steps = np.log1p(bets[:, None] * (rate - y / n))
        capital = np.concatenate([np.zeros((BETS, 1)), steps.cumsum(axis=1)], axis=1)
        log = special.logsumexp(capital[:, 1:, None] - capital[:, None, :-1], axis=0) - np.log(BETS)
        later = np.tri(size, dtype=bool)
    start = np.arange(1, size + 1)
    weights = np.where(later, -np.log(start) - np.log1p(start), -np.inf)
    rest = -np.log1p(start)[:, None]
    with np.errstate(over="ignore"):
        return np.asarray(np.exp(special.logsumexp(np.hstack([log + weights, rest]), axis=1)))


def _log_betainc(a: FloatArray, b: FloatArray, x: float) -> FloatArray:
    """Log of the regularised incomplete beta function; by its first term where it underflows."""
    with np.errstate(divide="ignore"):
        log = np.log(special.betainc(a, b, x))
    first = a * np.log(x) + b * np.log1p(-x) - np.log(a) - special.betaln(a, b)
    return np.asarray(np.where(np.isfinite(log), log, first))


def confidence_sequence(n: IntArray, y: IntArray, prob: float) -> tuple[FloatArray, FloatArray]:
    """Give, after each batch, rates that all trials so far do not refute, valid at all times.

    The rates at which the likelihood ratio of a uniform mixture against them is below 1 / (1 -
    prob) (Robbins 1970).
    """
    total, won = n.cumsum().astype(float), y.cumsum().astype(float)
    level = special.betaln(won + 1, total - won + 1) + np.log(1 - prob)
    ends = []
    for side in (0.0, 1.0):
        outside, inside = np.full(len(n), side), won / total
        for _ in range(60):
            middle = (outside + inside) / 2
            value = special.xlogy(won, middle) + special.xlog1py(total - won, -middle)
            held = value > level
            inside, outside = np.where(held, middle, inside), np.where(held, outside, middle)
        exact = won == (0 if side == 0 else total)
        ends.append(np.where(exact, side, inside))
    return ends[0], ends[1]


def run_lengths(n: IntArray, y: IntArray, hazard: float) -> tuple[FloatArray, FloatArray]:
    """Give the posterior of the beginning of the present run, after each batch.

    Between batches the rate is drawn anew from the uniform law with probability `hazard`.

    Returns
    -------
    posterior : (batches, batches) ndarray
        Row: after this batch; column: the batch that the present run began with.
    log_evidence : (batches,) ndarray
        Log probability of all outcomes so far, in their order.

    References
    ----------
    Adams and MacKay (2007), https://doi.org/10.48550/arXiv.0710.3742;
    Fearnhead and Liu (2007), https://doi.org/10.1111/j.1467-9868.2007.00601.x
    """
    size = len(n)
    won, lost = (np.concatenate([[0], x.cumsum()]) for x in (y, n - y))
    posterior, evidence = np.zeros((size, size)), np.zeros(size)
    begin = np.zeros(size)
    stay = np.log1p(-hazard)
    for t in range(size):
        begin[t] = np.log(hazard) + evidence[t - 1] if t else 0.0
        first = np.arange(t + 1)
        part = special.betaln(1 + won[t + 1] - won[first], 1 + lost[t + 1] - lost[first])
        joint = begin[: t + 1] + (t - first) * stay + part
        evidence[t] = special.logsumexp(joint)
        posterior[t, : t + 1] = np.exp(joint - evidence[t])
    return posterior, evidence


def present_rate(
    n: IntArray, y: IntArray, posterior: FloatArray, prob: float
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Give mean and equal-tailed ends of the rate of the present run, after each batch."""
    size = len(n)
    won, lost = (np.concatenate([[0], x.cumsum()]) for x in (y, n - y))
    out = np.empty((3, size))
    for t in range(size):
        keep = np.flatnonzero(posterior[t, : t + 1] > 1e-9)
        share = posterior[t, keep] / posterior[t, keep].sum()
        a, b = 1.0 + won[t + 1] - won[keep], 1.0 + lost[t + 1] - lost[keep]
        out[0, t] = share @ (a / (a + b))
        low, high = np.zeros(2), np.ones(2)
        tails = np.array([(1 - prob) / 2, (1 + prob) / 2])
        for _ in range(45):
            middle = (low + high) / 2
            below = special.betainc(a[:, None], b[:, None], middle).T @ share < tails
            low, high = np.where(below, middle, low), np.where(below, high, middle)
        out[1:, t] = (low + high) / 2
    return out[0], out[1], out[2]


def cusum(n: IntArray, y: IntArray, rate: float, fallen: float) -> FloatArray:
    """Give Page's statistic after each batch: log likelihood ratio of `fallen` against `rate`."""
    step = y * np.log(fallen / rate) + (n - y) * np.log((1 - fallen) / (1 - rate))
    out, level = np.empty(len(n)), 0.0
    for t, move in enumerate(step):
        level = max(0.0, level + float(move))
        out[t] = level
    return out


def cusum_run_length(failure: float, *, up: int, threshold: int, down: int = 1) -> float:
    """Give the mean number of trials until a Bernoulli CUSUM raises its alarm.

    The sum starts at 0, goes up by `up` with each failure and down by `down` with each success, not
    below 0; at `threshold` or more it raises the alarm. Exact, by a Markov chain.

    Parameters
    ----------
    failure : float in (0, 1)
        Probability of failure of a trial.
    up, threshold, down : int >= 1
        The design, in integers.

    Returns
    -------
    float
        Average run length, in trials.

    Raises
    ------
    ArgumentError
        If an argument is not allowed.

    References
    ----------
    Reynolds and Stoumbos (1999), A CUSUM chart for monitoring a proportion when inspecting
    continuously, https://doi.org/10.1080/00224065.1999.11979900

    Examples
    --------
    >>> from reliability_stats.history import cusum_run_length
    >>> round(cusum_run_length(0.10, up=5, threshold=24), 3)  # in control
    1512.573
    >>> round(cusum_run_length(0.25, up=5, threshold=24), 3)
    40.959
    """
    failure = check_prob(failure, "failure")
    up, down = check_positive_int(up, "up"), check_positive_int(down, "down")
    size = check_positive_int(threshold, "threshold")
    if size > 5000:
        raise ArgumentError(f"threshold must be at most 5000, not {size}.")
    chain = np.eye(size)
    for level in range(size):
        chain[level, max(level - down, 0)] -= 1 - failure
        if level + up < size:
            chain[level, level + up] -= failure
    return check_positive(float(np.linalg.solve(chain, np.ones(size))[0]), "run length")
