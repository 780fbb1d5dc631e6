"""Consistency of outcomes and predictability as the HAL harness computes them.

Formulas are those of ``reliability_eval`` in https://github.com/princeton-pli/hal-harness.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from .._numerics import FloatArray
from .._validation import check_choice, check_positive_int
from ..exceptions import ArgumentError
from ..trials import Trials
from ._tables import by_unit, known_counts, matrix, within

if TYPE_CHECKING:
    import pandas as pd

VERSIONS = ("squared", "variance ratio", "unbiased")
EPSILON = 1e-8


def hal_outcome_consistency(outcomes: ArrayLike, *, version: str = "squared") -> FloatArray:
    """Outcome consistency of each task, in either published version.

    "squared" is (2p - 1)^2, with p the share of successful runs; HAL's present version. "variance
    ratio" is 1 - s^2 / (p (1 - p)), clipped to [0, 1], with s^2 the variance over K - 1; the first
    version. As s^2 is K / (K - 1) times p (1 - p), it is 1 for a unanimous task and 0 for any
    other, so its mean is the share of unanimous tasks. Figures of the two are not comparable.

    Parameters
    ----------
    outcomes : (tasks, runs) array_like of float in [0, 1], or list of rows
        Outcomes or scores; NaN, or the end of a shorter row, is no run.
    version : {"squared", "variance ratio", "unbiased"}, default "squared"
        Formula. "unbiased" is ours: 1 - 4 s^2, which for outcomes 0 and 1 is without bias for
        (2p - 1)^2 at the true p, and may be negative for single tasks.

    Returns
    -------
    (tasks,) ndarray
        NaN for tasks with fewer than two runs.

    Raises
    ------
    ArgumentError
        If outcomes are not in [0, 1], or the version is not known.

    Notes
    -----
    *Difference.* "squared" puts the observed share in place of p, and is too large on average by
    4 p (1 - p) / K: with p = 1/2 and K = 5 it gives 0.2 where the truth is 0. Systems run a
    different number of times can therefore not be compared by it. `Disagreement` asks the same
    without bias: "unbiased" is 1 - 2 x disagreement.

    *When it misleads.* A system that always fails is perfectly consistent. Read it beside the
    success rate, never alone. The first version falls with every further run, as no task is then
    left unanimous.

    References
    ----------
    arXiv:2602.16666 (2026), https://doi.org/10.48550/arXiv.2602.16666

    Examples
    --------
    >>> from reliability_stats.compat import hal_outcome_consistency
    >>> hal_outcome_consistency([[1, 1, 1, 1, 0], [1, 1]]).round(2)
    array([0.36, 1.  ])
    >>> hal_outcome_consistency([[1, 1, 1, 1, 0], [1, 1]], version="variance ratio")
    array([0., 1.])
    """
    chosen = check_choice(version, VERSIONS, "version")
    x = within(matrix(outcomes, "outcomes"), 0, 1, "outcomes")
    runs = (~np.isnan(x)).sum(axis=1)
    size = np.maximum(runs, 1)
    p = np.nansum(x, axis=1) / size
    variance = np.nansum((x - p[:, None]) ** 2, axis=1) / np.maximum(runs - 1, 1)
    if chosen == "squared":
        value = (2 * p - 1) ** 2
    elif chosen == "unbiased":
        value = 1 - 4 * variance
    else:
        value = np.clip(1 - variance / (p * (1 - p) + EPSILON), 0, 1)
    return np.where(runs >= 2, value, np.nan)


def hal_consistency(trials: Trials) -> pd.DataFrame:
    """Outcome consistency of each system: both published versions, and without bias.

    Parameters
    ----------
    trials : Trials
        The data. Tasks with one trial are left out, as HAL does.

    Returns
    -------
    pandas.DataFrame
        One row a system (and condition): system, [condition], tasks, left_out (tasks with one
        trial), variance_ratio (the share of unanimous tasks), squared (HAL's present figure),
        unbiased, and bias, what `squared` is too large by: an estimate of 4 E[p (1 - p)] / K.

    Raises
    ------
    ArgumentError
        If outcomes are unknown and kept as bounds.

    See Also
    --------
    hal_outcome_consistency : Formulas, differences, and when they mislead.
    reliability_stats.Disagreement : The same question with intervals.

    Examples
    --------
    >>> import reliability_stats as rs
    >>> from reliability_stats.compat import hal_consistency
    >>> trials = rs.datasets.load("tau-bench-airline-gpt4o")
    >>> hal_consistency(trials)[["variance_ratio", "squared", "unbiased"]].round(4)
       variance_ratio  squared  unbiased
    0            0.48     0.56    0.4133
    """
    import pandas as pd

    counts = known_counts(trials, "hal_consistency")
    rows = []
    for system, condition, cells in by_unit(counts):
        n, c = counts.n[cells], counts.successes[cells]
        several = n >= 2
        n, c = n[several], c[several]
        inside = c * (n - c) / n
        squared = _mean(1 - 4 * inside / n)
        unbiased = _mean(1 - 4 * inside / np.maximum(n - 1, 1))
        rows.append({
            "system": system, "condition": condition, "tasks": len(n),
            "left_out": int((~several).sum()), "variance_ratio": _mean((c == 0) | (c == n)),
            "squared": squared, "unbiased": unbiased, "bias": squared - unbiased,
        })  # fmt: skip
    table = pd.DataFrame(rows)
    return table if counts.condition is not None else table.drop(columns="condition")


def _mean(values: ArrayLike) -> float:
    """Give the mean, or NaN of nothing."""
    array = np.asarray(values, dtype=float)
    return float(array.mean()) if array.size else float("nan")


@dataclass(frozen=True)
class Predictability:
    """How well stated confidence foretells success, by HAL's figures; larger is better.

    Attributes
    ----------
    calibration : float in [0, 1]
        1 - expected calibration error.
    auroc : float in [0, 1]
        Chance that a success was stated with more confidence than a failure, ties by half; NaN if
        all outcomes are alike.
    brier : float in [0, 1]
        1 - Brier score.

    Examples
    --------
    >>> from reliability_stats.compat import hal_predictability
    >>> hal_predictability([0.9, 0.1], [1, 0]).auroc
    1.0
    """

    calibration: float
    auroc: float
    brier: float


def hal_predictability(
    confidence: ArrayLike, success: ArrayLike, *, bins: int = 10
) -> Predictability:
    """Predictability by HAL's three figures.

    Parameters
    ----------
    confidence : (runs,) array_like of float in [0, 1]
        Confidence that the system stated in a run; NaN if none.
    success : (runs,) array_like of 0 and 1
        Outcomes; NaN if unknown. Runs without either are left out.
    bins : int >= 1, default 10
        Bins of equal width of the calibration error, each open above but for the last.

    Returns
    -------
    Predictability
        NaN where no run is left.

    Raises
    ------
    ArgumentError
        If the lists do not fit together, or hold a value that is not allowed.

    Notes
    -----
    *Difference.* We ask whether success is repeated, not what a system says of itself.

    *When it misleads.* The expected calibration error adds absolute differences, so it is positive
    for perfectly calibrated confidence as well: with 50 runs it takes about 0.14 off `calibration`,
    with 800 about 0.035, so systems with more runs look better. `brier` is mostly the base rate: a
    system that fails 90% of its tasks scores 0.91 for saying 0.1 every time. Runs of one task are
    not independent, and no figure here has an honest standard error without resampling tasks.

    Examples
    --------
    >>> from reliability_stats.compat import hal_predictability
    >>> hal_predictability([0.75, 0.5, 0.25, 0.5], [1, 1, 0, 0])
    Predictability(calibration=0.875, auroc=0.875, brier=0.84375)
    """
    bins = check_positive_int(bins, "bins")
    try:
        p, y = np.asarray(confidence, dtype=float), np.asarray(success, dtype=float)
    except (TypeError, ValueError):
        raise ArgumentError("confidence and success must be lists of numbers.") from None
    if p.ndim != 1 or p.shape != y.shape:
        raise ArgumentError(
            f"confidence and success must be lists of one length, not {p.shape} and {y.shape}."
        )
    within(p, 0, 1, "confidence")
    odd = np.flatnonzero(~(np.isnan(y) | (y == 0) | (y == 1)))
    if odd.size:
        raise ArgumentError(f"success must hold 0 and 1, but entry {odd[0]} is {y[odd[0]]}.")
    known = ~(np.isnan(p) | np.isnan(y))
    p, y = p[known], y[known]
    if not p.size:
        return Predictability(float("nan"), float("nan"), float("nan"))
    edges = np.linspace(0, 1, bins + 1)
    which = np.minimum(np.searchsorted(edges, p, side="right") - 1, bins - 1)
    error = np.abs(np.bincount(which, y - p, minlength=bins)).sum() / len(p)
    return Predictability(float(1 - error), _auroc(p, y), float(1 - ((p - y) ** 2).mean()))


def _auroc(p: FloatArray, y: FloatArray) -> float:
    """Give the chance that a success has the larger value, ties by half."""
    wins, losses = np.sort(p[y == 1]), np.sort(p[y == 0])
    if not (wins.size and losses.size):
        return float("nan")
    below = np.searchsorted(losses, wins, side="left").sum()
    upto = np.searchsorted(losses, wins, side="right").sum()
    return float((below + upto) / (2 * wins.size * losses.size))
