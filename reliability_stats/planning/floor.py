"""`noise_floor`: differences between scores that luck alone makes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import optimize, special

from .._numerics import FloatArray
from .._validation import check_fraction, check_k, check_positive_int, check_prob
from ..estimands import Disagreement, SuccessRate
from ..exceptions import ArgumentError
from ..posterior import Posterior

if TYPE_CHECKING:
    import pandas as pd

RERUN = "same system, same tasks"
FRESH = "same system, other tasks"
RIVAL = "equal system, same tasks"


def noise_floor(
    source: Posterior | float,
    *,
    n_tasks: int | None = None,
    n_trials: int = 1,
    icc: float | None = None,
    system: str | None = None,
    prob: float = 0.95,
) -> pd.DataFrame:
    """Smallest difference between two scores that luck alone does not explain.

    Parameters
    ----------
    source : Posterior or float in [0, 1]
        A fit, or a published score.
    n_tasks : int >= 1, optional
        Tasks of the benchmark; those of the fit by default.
    n_trials : int >= 1, default 1
        Trials of each task behind a score.
    icc : float in [0, 1], optional
        Correlation of trials of one task, if it is known beside a published score.
    system : str, optional
        System of the fit; may be left out if there is one only.
    prob : float in (0, 1), default 0.95
        Share of pairs of scores that luck keeps closer together than the floor.

    Returns
    -------
    pandas.DataFrame
        Three rows, by what is compared:

        - "same system, same tasks": two runs of one system, that differ by their trials alone;
        - "same system, other tasks": two runs of one system on two samples of tasks;
        - "equal system, same tasks": two systems with one true score. lower: they find the same
          tasks hard; floor: what is hard for one says nothing of the other; upper: what is hard for
          one is easy for the other.

        Columns comparison, floor (NaN where the score leaves a range), lower, upper (ends of that
        range), prob, identified ("yes", "bounds", or "model"), n_tasks, n_trials. Scores that
        differ by less than the floor are a tie, as far as they tell.

    Raises
    ------
    ArgumentError
        If an argument is not allowed, or n_tasks is not given beside a score.

    Notes
    -----
    Let v = m (1 - m) with m the score, and w = E[p(1 - p)], which lies between 0 and v. Over N
    tasks with K trials the variance of the difference is 2 w / (N K) for a rerun,
    2 (v - w + w / K) / N on other tasks, and at most 2 min(m, 1 - m) / N for two systems with one
    mean. A single run does not tell w, hence the range. Differences are taken as normal, with half
    a step of the score, 1 / (2 N K), added since scores lie on a lattice; and the score as the true
    one. With a `Posterior` both are drawn: the floor is a quantile of the predicted difference.

    Examples
    --------
    Two scores of 50 tasks, one run each: even 20 points may be luck.

    >>> from reliability_stats.planning import noise_floor
    >>> table = noise_floor(0.42, n_tasks=50)
    >>> table[["comparison", "floor", "lower", "upper"]].round(3)
                     comparison  floor  lower  upper
    0   same system, same tasks    NaN  0.000  0.203
    1  same system, other tasks  0.203  0.203  0.203
    2  equal system, same tasks    NaN  0.000  0.264
    """
    import pandas as pd

    prob, k = check_prob(prob), check_k(n_trials, "n_trials")
    if isinstance(source, Posterior):
        if icc is not None:
            raise ArgumentError("icc goes with a published score; a Posterior has its own.")
        n, score, within = _from_posterior(source, system, n_tasks)
        identified = "yes" if (source.trials.counts.n > 1).any() else "no"
        rows = _known(score, within, n, k, prob, identified)
    else:
        if system is not None:
            raise ArgumentError("system goes with a Posterior, not with a score.")
        m = np.array([check_fraction(source, "source")])
        if n_tasks is None:
            raise ArgumentError("Give n_tasks=..., the number of tasks behind the score.")
        n = check_positive_int(n_tasks, "n_tasks")
        if icc is None:
            rows = _bounded(m, n, k, prob)
        else:
            inside = m * (1 - m) * (1 - check_fraction(icc, "icc"))
            rows = _known(m, {RERUN: inside, FRESH: inside}, n, k, prob, "yes")
    frame = pd.DataFrame(rows, columns=["comparison", "floor", "lower", "upper", "identified"])
    frame.insert(4, "prob", prob)
    return frame.assign(n_tasks=n, n_trials=k)


def _from_posterior(
    post: Posterior, system: str | None, n_tasks: int | None
) -> tuple[int, FloatArray, dict[str, FloatArray]]:
    """Give tasks, and draws of the score and of E[p(1-p)] over observed tasks and over others."""
    if system is None and len(post.systems) > 1:
        raise ArgumentError(
            f"The fit has {len(post.systems)} systems; name one with system=..., such as "
            f"{post.systems[0]!r}."
        )
    name = post.systems[0] if system is None else system
    if name not in post.systems:
        raise ArgumentError(f"The fit has no system {name!r}; it has {', '.join(post.systems)}.")
    unit = post.systems.index(name)
    observed = int((post.trials.counts.unit == unit).sum())
    n = observed if n_tasks is None else check_positive_int(n_tasks, "n_tasks")
    asked = [SuccessRate(), Disagreement()]
    drawn = {
        over: [post.draws(asked, over=over)[e.name].values[..., unit].ravel() for e in asked]
        for over in ("population", "observed")
    }
    same = drawn["observed" if n == observed else "population"]
    score, other = drawn["population"]
    return n, score, {RERUN: same[1] / 2, FRESH: other / 2}


def _bounded(m: FloatArray, n: int, k: int, prob: float) -> list[tuple[object, ...]]:
    """Give floors from a score alone."""
    v = m * (1 - m)
    step = 1.0 / (n * k)
    rerun = _floor(2 * v / (n * k), prob, step)
    fresh = sorted((rerun, _floor(2 * v / n, prob, step)))
    rival = _floor(2 * np.minimum(m, 1 - m) / n, prob, step)
    told = "yes" if k == 1 else "bounds"
    return [
        (RERUN, np.nan, 0.0, rerun, "bounds"),
        (FRESH, fresh[1] if k == 1 else np.nan, *fresh, told),
        (RIVAL, np.nan, 0.0, rival, "bounds"),
    ]


def _known(
    m: FloatArray, within: dict[str, FloatArray], n: int, k: int, prob: float, identified: str
) -> list[tuple[object, ...]]:
    """Give floors where the variance within tasks is known, or drawn."""
    v = m * (1 - m)
    step = 1.0 / (n * k)
    rerun = _floor(2 * within[RERUN] / (n * k), prob, step)
    fresh = _floor(2 * (np.maximum(v - within[FRESH], 0) + within[FRESH] / k) / n, prob, step)
    rival = _floor(2 * np.minimum(m, 1 - m) / n, prob, step)
    return [
        (RERUN, rerun, rerun, rerun, identified),
        (FRESH, fresh, fresh, fresh, "yes" if k == 1 else identified),
        (RIVAL, fresh, rerun, max(rival, fresh), "model"),
    ]


def _floor(variance: FloatArray, prob: float, step: float) -> float:
    """Quantile of the size of a normal difference whose variance is drawn, and half a step."""
    sd = np.sqrt(np.maximum(variance, 0.0))
    largest = float(sd.max()) * float(special.ndtri((1 + prob) / 2))
    if largest <= 0:
        return 0.0
    if np.ptp(sd) < 1e-12:
        return largest + step / 2

    def beyond(x: float) -> float:
        with np.errstate(divide="ignore"):
            return float(np.mean(2 * special.ndtr(-x / sd))) - (1 - prob)

    return float(optimize.brentq(beyond, 1e-12, largest * 1.001)) + step / 2
