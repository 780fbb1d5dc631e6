"""Time horizons as METR computes them: a penalised, weighted logistic fit on log2 of the length."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from .._numerics import FloatArray
from .._validation import _as_float, check_choice, check_fraction
from ..exceptions import ArgumentError, ModelError, ReliabilityStatsWarning

if TYPE_CHECKING:
    import pandas as pd

LEVELS = (0.5, 0.8, 0.95, 0.99)
STEPS = 200
FLAT = 1e-12


@dataclass(frozen=True)
class MetrFit:
    """A logistic curve: P(success) = expit(intercept + slope * log2(minutes)).

    Made by `metr_fit`. It is a point estimate under a penalty, without uncertainty.

    Attributes
    ----------
    slope, intercept : float
        Coefficients; a useful horizon needs a negative slope.
    p50, p80 : float
        Minutes at which the curve passes 50% and 80%; NaN if the slope is not negative.
    regularization : float
        Penalty: ``regularization / 2 * slope**2`` beside a log loss whose weights sum to
        `total_weight`.
    total_weight : float
        Sum of the weights.

    Examples
    --------
    >>> from reliability_stats.compat import metr_fit
    >>> metr_fit([1, 4, 16, 64], [1, 1, 0, 0])
    MetrFit(slope=-1.325..., intercept=3.977..., p50=8.00..., p80=3.87..., ...)
    """

    slope: float
    intercept: float
    p50: float
    p80: float
    regularization: float
    total_weight: float

    def horizon(self, level: float) -> float:
        """Give the length at which the curve passes a success probability.

        Parameters
        ----------
        level : float in (0, 1)
            Success probability.

        Returns
        -------
        float
            Minutes; NaN if the slope is not negative.

        Raises
        ------
        ArgumentError
            If the level is not in (0, 1).

        Examples
        --------
        >>> from reliability_stats.compat import metr_fit
        >>> fit = metr_fit([1, 4, 16, 64], [1, 1, 0, 0])
        >>> bool(fit.horizon(0.5) == fit.p50)
        True
        """
        return _horizon(self.slope, self.intercept, _check_level(level))


def metr_fit(
    minutes: ArrayLike,
    success: ArrayLike,
    weights: ArrayLike | None = None,
    regularization: float = 0.1,
    *,
    solver: str = "lbfgs",
) -> MetrFit:
    """Fit METR's curve of success against length, with its penalty.

    Minimises ``-sum(w * (y * log(p) + (1 - y) * log(1 - p))) + regularization / 2 * slope**2``,
    which is what scikit-learn's ``LogisticRegression(C=1 / regularization)`` does on
    ``log2(minutes)`` when fractional scores are split into weighted successes and failures. The
    intercept is not penalised.

    Parameters
    ----------
    minutes : (runs,) array_like of float > 0
        Time that a person needs for the task.
    success : (runs,) array_like of float in [0, 1]
        Outcomes; fractional scores count as that part of a success.
    weights : (runs,) array_like of float >= 0, optional
        Taken as they are; METR's sum to 1 for each system. Equal, with sum 1, by default.
    regularization : float >= 0, default 0.1
        Penalty. 0 gives maximum likelihood, and needs ``solver="newton"``.
    solver : {"lbfgs", "newton"}, default "lbfgs"
        "lbfgs" stops where scikit-learn's default solver stops, when no slope of the mean loss
        exceeds 1e-4, and so gives METR's own digits. "newton" goes on to the minimum, which differs
        in about the fourth digit.

    Returns
    -------
    MetrFit
        Slope, intercept, p50 and p80.

    Raises
    ------
    ArgumentError
        If the arrays do not fit together or hold a value that is not allowed.
    ModelError
        If there is no finite fit: all outcomes are alike, or without a penalty a length separates
        all successes from all failures.

    Warns
    -----
    ReliabilityStatsWarning
        If the slope is not negative, so that there is no horizon.

    Notes
    -----
    Since the weights sum to 1 whatever the number of runs, the penalty never vanishes: the slope is
    drawn to 0, and the 80% horizon away from the 50% horizon, even with endless data. See
    docs/how-to/metr-horizons.md.

    References
    ----------
    Kwa et al. (2025), Measuring AI ability to complete long tasks,
    https://doi.org/10.48550/arXiv.2503.14499

    Examples
    --------
    >>> from reliability_stats.compat import metr_fit
    >>> minutes = [1, 2, 4, 8, 15, 30, 60, 120, 240, 480]
    >>> fit = metr_fit(minutes, [1, 1, 1, 1, 1, 0, 1, 0, 0, 0])
    >>> round(fit.slope, 6), round(fit.p50, 4), round(fit.p80, 4)
    (-0.901784, 43.5465, 15.0033)
    """
    x, y, w = _checked(minutes, success, weights)
    penalty = _as_float(regularization, "regularization", "a number of at least 0")
    if not 0 <= penalty < np.inf:
        raise ArgumentError(f"regularization must be a number of at least 0, not {penalty!r}.")
    used = w > 0
    if np.all(y[used] == y[used][0]) and y[used][0] in (0.0, 1.0):
        word = "failures" if y[used][0] == 0 else "successes"
        raise ModelError(f"All outcomes are {word}, so the curve has no finite intercept.")
    if check_choice(solver, ("lbfgs", "newton"), "solver") == "newton":
        if penalty == 0:
            _refuse_separation(x[used], y[used])
        centre = float(w @ x / w.sum())
        shifted, slope = _newton(x - centre, y, w, penalty)
        intercept = shifted - slope * centre
    elif penalty == 0:
        raise ArgumentError("regularization must be above 0, or use solver='newton'.")
    else:
        intercept, slope = _lbfgs(x, y, w, penalty)
    if not slope < -FLAT:
        warnings.warn(
            f"Success does not fall with length (slope {slope:.3g}), so there is no horizon.",
            ReliabilityStatsWarning,
            stacklevel=2,
        )
    p50, p80 = (_horizon(slope, intercept, level) for level in (0.5, 0.8))
    return MetrFit(slope, intercept, p50, p80, penalty, float(w.sum()))


def metr_horizons(p50: float, p80: float, *, levels: Any = LEVELS) -> pd.DataFrame:
    """Extend published 50% and 80% horizons to other levels, by three shapes of the curve.

    Horizons beyond 80% are extrapolations: the shapes agree at the two published points and part
    beyond them, and the difference is a lower bound on what is not known.

    Parameters
    ----------
    p50, p80 : float > 0
        Published horizons, p80 < p50.
    levels : list of float in (0, 1), default 0.5, 0.8, 0.95, 0.99
        Success probabilities.

    Returns
    -------
    pandas.DataFrame
        One row a level: level, logistic, weibull, half_life (constant hazard, from p50 alone), in
        the unit given. ``attrs`` hold the logistic ``slope`` for log2 of the length, and the
        Weibull exponent ``kappa``; kappa < 1 means that the hazard falls with length, or that tasks
        of equal length differ in difficulty: one run a task cannot tell.

    Raises
    ------
    ArgumentError
        If the horizons are not positive and ordered, or a level is not in (0, 1).

    References
    ----------
    Ord (2025), Is there a half-life for the success rates of AI agents?,
    https://doi.org/10.48550/arXiv.2505.05115

    Examples
    --------
    >>> from reliability_stats.compat import metr_horizons
    >>> metr_horizons(60.388937, 12.09179).round(3)
       level  logistic  weibull  half_life
    0   0.50    60.389   60.389     60.389
    1   0.80    12.092   12.092     19.441
    2   0.95     1.984    1.501      4.469
    3   0.99     0.292    0.149      0.876
    """
    import pandas as pd

    half, most = (_as_float(v, n, "a number above 0") for v, n in ((p50, "p50"), (p80, "p80")))
    if not 0 < most < half < np.inf:
        raise ArgumentError(f"p50 and p80 must have 0 < p80 < p50, not p50={p50!r}, p80={p80!r}.")
    level = np.array([_check_level(item) for item in np.atleast_1d(levels).tolist()])
    slope = -np.log(4.0) / np.log2(half / most)
    kappa = np.log(np.log(0.8) / np.log(0.5)) / np.log(most / half)
    hazard = np.log(level) / np.log(0.5)
    frame = pd.DataFrame(
        {
            "level": level,
            "logistic": half * 2 ** (special.logit(level) / slope),
            "weibull": half * hazard ** (1 / kappa),
            "half_life": half * hazard,
        }
    )
    frame.attrs |= {"slope": float(slope), "kappa": float(kappa)}
    return frame


def _check_level(level: object) -> float:
    """Give a success probability in (0, 1)."""
    number = check_fraction(level, "level")
    if number in (0.0, 1.0):
        raise ArgumentError(
            f"level must be a number between 0 and 1, both excluded, not {level!r}."
        )
    return number


def _checked(
    minutes: ArrayLike, success: ArrayLike, weights: ArrayLike | None
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Give log2 lengths, outcomes and weights as arrays of one length."""
    size = np.size(minutes)
    given = {"minutes": minutes, "success": success}
    given["weights"] = np.full(max(size, 1), 1.0 / max(size, 1)) if weights is None else weights
    arrays = []
    for name, values in given.items():
        try:
            array = np.asarray(values, dtype=float)
        except (TypeError, ValueError):
            raise ArgumentError(f"{name} must be a list of numbers.") from None
        if array.ndim != 1 or not array.size or array.size != size:
            raise ArgumentError(
                f"{name} must be a list of numbers as long as minutes ({size}) and not empty, but "
                f"has shape {array.shape}."
            )
        arrays.append(array)
    t, y, w = arrays
    rules = (
        ("minutes", t, (t > 0) & np.isfinite(t), "finite numbers above 0"),
        ("success", y, (y >= 0) & (y <= 1), "numbers in [0, 1]"),
        ("weights", w, (w >= 0) & np.isfinite(w), "finite numbers of at least 0"),
    )
    for name, array, good, allowed in rules:
        if not good.all():
            i = int(np.argmin(good))
            raise ArgumentError(f"{name} must hold {allowed}, but entry {i} is {array[i]!s}.")
    if not w.sum() > 0:
        raise ArgumentError("weights must not all be 0.")
    return np.log2(t), y, w


def _refuse_separation(x: FloatArray, y: FloatArray) -> None:
    """Refuse data whose likelihood has no maximum at a finite slope."""
    won, lost = x[y > 0], x[y < 1]
    if not np.ptp(x):
        raise ModelError("All lengths are equal, so without a penalty no slope is determined.")
    if won.max() <= lost.min() or lost.max() <= won.min():
        raise ModelError(
            "The fit has no finite solution: a length separates successes from failures. Give a "
            "regularization above 0."
        )


def _lbfgs(x: FloatArray, y: FloatArray, w: FloatArray, penalty: float) -> tuple[float, float]:
    """Give intercept and slope as scikit-learn's default solver does: same start, same stop."""
    from scipy import optimize

    part = (y > 0) & (y < 1)
    # Rows in METR's order, since rounding decides the last digits of an unfinished search.
    at = np.concatenate([x[~part], x[part], x[part]])
    won = np.concatenate([y[~part], np.zeros(part.sum()), np.ones(part.sum())])
    mass = np.concatenate([w[~part], (1 - y[part]) * w[part], y[part] * w[part]])
    total = mass.sum()

    def loss(point: FloatArray) -> tuple[float, FloatArray]:
        eta = at * point[0] + point[1]
        value = (mass * (np.logaddexp(0.0, eta) - won * eta)).sum() / total
        slopes = mass * (special.expit(eta) - won) / total
        ridge = penalty / total * point[0]
        return value + 0.5 * ridge * point[0], np.array([at @ slopes + ridge, slopes.sum()])

    options = {"maxiter": 100, "maxls": 50, "gtol": 1e-4, "ftol": 64 * np.finfo(float).eps}
    found = optimize.minimize(loss, np.zeros(2), method="L-BFGS-B", jac=True, options=options)
    return float(found.x[1]), float(found.x[0])


def _newton(x: FloatArray, y: FloatArray, w: FloatArray, penalty: float) -> tuple[float, float]:
    """Minimise the penalised loss over (intercept, slope) by Newton steps that never go uphill."""

    def loss(point: FloatArray) -> float:
        eta = point[0] + point[1] * x
        return float(w @ (np.logaddexp(0.0, eta) - y * eta) + 0.5 * penalty * point[1] ** 2)

    design = np.stack([np.ones_like(x), x], axis=1)
    ridge = np.array([0.0, penalty])
    rate = float(w @ y / w.sum())
    point = np.array([special.logit(rate), 0.0])
    value = loss(point)
    for _ in range(STEPS):
        p = special.expit(design @ point)
        gradient = design.T @ (w * (p - y)) + ridge * point
        hessian = (design * (w * p * (1 - p))[:, None]).T @ design + np.diag(ridge)
        step = np.linalg.solve(hessian, gradient)
        decrement = float(gradient @ step)
        if decrement <= 1e-13 * w.sum():
            # Quadratic convergence: one more full step is exact to rounding.
            return float(point[0] - step[0]), float(point[1] - step[1])
        size = 1.0
        while loss(point - size * step) > value and size > 1e-8:
            size /= 2
        point = point - size * step
        value = loss(point)
    raise ModelError(f"The fit did not settle in {STEPS} steps; scale the weights to sum to 1.")


def _horizon(slope: float, intercept: float, level: float) -> float:
    """Give the length at which the curve passes a level; NaN if it does not fall."""
    if not slope < -FLAT:
        return float("nan")
    return float(np.exp2((special.logit(level) - intercept) / slope))
