"""HAL's robustness ratio, and the ratio of success rates with tasks resampled in pairs.

The formula is that of ``reliability_eval`` in https://github.com/princeton-pli/hal-harness.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from .._numerics import FloatArray
from .._validation import check_choice, check_prob
from ..exceptions import ArgumentError
from ..trials import Trials
from ._tables import by_unit, known_counts, within

if TYPE_CHECKING:
    import pandas as pd

EPSILON = 1e-8
SEED, RESAMPLES = 42, 200


@dataclass(frozen=True)
class RobustnessRatio:
    """HAL's robustness ratio; made by `hal_robustness_ratio`.

    Attributes
    ----------
    clamped : float in [0, 1]
        HAL's figure: accuracy under perturbation over accuracy without, at most 1.
    standard_error : float
        HAL's bootstrap standard error, over runs; NaN with fewer than two runs.
    ratio : float
        The ratio before it is cut at 1.

    Examples
    --------
    >>> from reliability_stats.compat import hal_robustness_ratio
    >>> hal_robustness_ratio([1, 1, 1, 1], [1, 1, 0, 0]).ratio
    0.5
    """

    clamped: float
    standard_error: float
    ratio: float


def hal_robustness_ratio(baseline: ArrayLike, perturbed: ArrayLike) -> RobustnessRatio:
    """Robustness ratio of HAL, with its bootstrap standard error, digit for digit.

    Parameters
    ----------
    baseline, perturbed : array_like of float in [0, 1]
        Outcomes of all runs in HAL's order, which decides the last digits of the standard error;
        any shape. NaN is no run. HAL cuts scores to whole numbers first: 0.8 is 0.

    Returns
    -------
    RobustnessRatio
        NaN if nothing succeeds in the baseline.

    Raises
    ------
    ArgumentError
        If there are no runs, or outcomes are not in [0, 1].

    Notes
    -----
    *When it misleads.* The ratio is cut at 1, so chance can only lower it: with no degradation at
    all its mean is .958 for 26 tasks x 5 runs, .966 for 50 x 4 and .983 for 165 x 5 (tasks as
    variable as tau-bench airline). A system is penalised for being measured on few tasks. The
    bootstrap takes all runs as independent, and so ignores that runs of one task are alike (it
    would be too small) and that both conditions hold the same tasks (too large); the two errors do
    not cancel. It resamples the clamped ratio.

    *Instead*: `hal_robustness` gives the ratio as it is, with tasks resampled in pairs.

    Examples
    --------
    >>> from reliability_stats.compat import hal_robustness_ratio
    >>> hal_robustness_ratio([1, 1, 1, 1], [1, 1, 0, 0])
    RobustnessRatio(clamped=0.5, standard_error=0.2567..., ratio=0.5)
    """
    base, other = _runs(baseline, "baseline"), _runs(perturbed, "perturbed")
    nothing = float("nan")
    if base.mean() < EPSILON:
        return RobustnessRatio(nothing, nothing, nothing)
    ratio = float(other.mean() / base.mean())
    if min(len(base), len(other)) < 2:
        return RobustnessRatio(min(ratio, 1.0), nothing, ratio)
    rng = np.random.default_rng(SEED)
    drawn = []
    for _ in range(RESAMPLES):
        below = base[rng.choice(len(base), size=len(base), replace=True)].mean()
        above = other[rng.choice(len(other), size=len(other), replace=True)].mean()
        if below > EPSILON:
            drawn.append(min(above / below, 1.0))
    error = float(np.std(drawn)) if len(drawn) >= 2 else nothing
    return RobustnessRatio(min(ratio, 1.0), error, ratio)


def _runs(values: ArrayLike, name: str) -> FloatArray:
    """Give outcomes as a list of 0 and 1, as HAL cuts them."""
    try:
        flat = np.asarray(values, dtype=float).ravel()
    except (TypeError, ValueError):
        raise ArgumentError(
            f"{name} must hold numbers from 0 to 1, in rows of one length."
        ) from None
    flat = within(flat, 0, 1, name)
    flat = np.floor(flat[~np.isnan(flat)])
    if not flat.size:
        raise ArgumentError(f"{name} holds no run.")
    return flat


def hal_robustness(
    trials: Trials, *, baseline: str = "baseline", prob: float = 0.95
) -> pd.DataFrame:
    """Robustness ratio of each system under each condition: HAL's, and with honest uncertainty.

    Parameters
    ----------
    trials : Trials
        The data, with conditions.
    baseline : str, default "baseline"
        Name of the condition without perturbation.
    prob : float in (0, 1), default 0.95
        Nominal coverage of the interval.

    Returns
    -------
    pandas.DataFrame
        One row a system and perturbed condition: system, condition, tasks (in either), baseline,
        perturbed (success rates over all runs, as HAL), clamped (HAL's figure), ratio, sd, lower,
        upper, prob. The ratio is not cut at 1; it is NaN if nothing succeeds in the baseline.

    Raises
    ------
    ArgumentError
        If there are no conditions, none is called as `baseline` says, or outcomes are unknown and
        kept as bounds.

    Notes
    -----
    `sd` and the interval take tasks as a sample, each with its trials under both conditions. The
    log of the ratio is linearised: task t moves it by e_t = (y_t - p n_t) / (p N) under the
    perturbation less the same in the baseline, with N trials and success rate p; its variance is
    T / (T - 1) times the sum of e_t^2, and the interval has T - 1 degrees of freedom. Measured
    coverage of nominal 95% intervals: 94 to 97% for 12 to 165 tasks with 4 or 5 trials and ratios
    of .7, .8 and 1 (2000 replications of each). There is none without variation.

    See Also
    --------
    hal_robustness_ratio : When HAL's figure misleads.
    reliability_stats.compare : Differences of conditions under a model.

    Examples
    --------
    >>> import reliability_stats as rs
    >>> from reliability_stats.compat import hal_robustness
    >>> rows = {"task": [0, 0, 1, 1, 2, 2], "condition": ["baseline", "fault"] * 3,
    ...         "n": [4] * 6, "successes": [4, 2, 2, 2, 3, 2]}
    >>> trials = rs.Trials.from_counts(rows, system=None, condition="condition")
    >>> hal_robustness(trials)[["condition", "clamped", "ratio", "sd"]].round(3)
      condition  clamped  ratio     sd
    0     fault    0.667  0.667  0.128
    """
    import pandas as pd

    prob = check_prob(prob)
    counts = known_counts(trials, "hal_robustness")
    if counts.condition is None:
        raise ArgumentError("hal_robustness needs conditions, and these trials have none.")
    check_choice(baseline, counts.conditions, "baseline")
    units = {(system, condition): cells for system, condition, cells in by_unit(counts)}
    rows = []
    for (system, condition), cells in units.items():
        if condition == baseline:
            continue
        base = units.get((system, baseline))
        if base is None:
            raise ArgumentError(f"System {system!r} has no trials under condition {baseline!r}.")
        table = np.zeros((4, counts.n_tasks))
        table[:2, counts.task[base]] = counts.n[base], counts.successes[base]
        table[2:, counts.task[cells]] = counts.n[cells], counts.successes[cells]
        ratio = _paired_ratio(table[:, table.any(axis=0)], prob)
        rows.append({"system": system, "condition": condition, **ratio, "prob": prob})
    return pd.DataFrame(rows)


def _paired_ratio(table: FloatArray, prob: float) -> dict[str, float]:
    """Give the ratio of success rates, from n and successes of tasks in baseline and perturbed."""
    from scipy import special

    n0, y0, n1, y1 = table
    p0, p1 = y0.sum() / n0.sum(), y1.sum() / n1.sum()
    ratio = p1 / p0 if p0 > 0 else np.nan
    sd = lower = upper = np.nan
    tasks = table.shape[1]
    if ratio > 0 and tasks > 1:
        moved = (y1 - p1 * n1) / (p1 * n1.sum()) - (y0 - p0 * n0) / (p0 * n0.sum())
        error = float(np.sqrt(tasks / (tasks - 1) * (moved**2).sum()))
        if error > 0:
            spread = np.exp(special.stdtrit(tasks - 1, (1 + prob) / 2) * error)
            sd, lower, upper = ratio * error, ratio / spread, ratio * spread
    return {"tasks": tasks, "baseline": p0, "perturbed": p1,
            "clamped": min(ratio, 1.0) if ratio == ratio else ratio, "ratio": ratio,
            "sd": sd, "lower": lower, "upper": upper}  # fmt: skip
