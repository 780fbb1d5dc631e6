"""Classical tests of no difference between two systems on shared tasks."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._numerics import FloatArray
from .shared_tasks import Paired

RESAMPLES = 9999


def p_value(paired: Paired, test: str, rng: np.random.Generator) -> float:
    """Two-sided p value of no difference between the two units; NaN if there is none."""
    if test == "none" or not paired.n_tasks or np.isnan(paired.value).any():
        return float("nan")
    return _exchange(paired, rng) if test == "permutation" else _student(paired)


def _student(paired: Paired) -> float:
    """Paired t test on the tasks' influence, which for means is that on their estimates."""
    from scipy import stats

    if paired.n_tasks < 2 or np.isnan(paired.sd_of_difference(paired.spread(), 0, 1)):
        return float("nan")
    moves = paired.influence
    difference = paired.value[0] - paired.value[1] + moves[0] - moves[1]
    return float(stats.ttest_1samp(np.repeat(difference, paired.tasks.astype(int)), 0.0).pvalue)


def _exchange(paired: Paired, rng: np.random.Generator) -> float:
    """Exchange the two systems within tasks at random, or in all ways where these are few."""
    from scipy import stats

    linear, size = paired.linear, float(paired.n_tasks)
    features = linear.features.reshape(2, len(paired.tasks), -1)
    features = np.repeat(features, paired.tasks.astype(int), axis=1)
    flat = features.reshape(-1, features.shape[-1])

    def difference(a: Any, b: Any, axis: int) -> FloatArray:
        means = [np.moveaxis(flat[np.asarray(x, dtype=int)], -1, 0) for x in (a, b)]
        axis = axis + 1 if axis >= 0 else axis
        one, two = (linear.combine(mean.mean(axis=axis), size) for mean in means)
        return np.asarray(np.real(one) - np.real(two))

    rows = np.arange(paired.n_tasks)
    # Rounding must not part exchanges that give the same difference.
    result = stats.permutation_test(
        (rows, rows + paired.n_tasks),
        lambda a, b, axis: np.round(difference(a, b, axis), 12),
        permutation_type="samples",
        vectorized=True,
        n_resamples=RESAMPLES,
        batch=max(1, 2**20 // paired.n_tasks),
        random_state=rng,
    )
    return float(result.pvalue)


def adjusted(p: FloatArray, method: str) -> FloatArray:
    """Adjust p values for all pairs; NaN stay NaN and do not count."""
    out: FloatArray = np.full(p.shape, np.nan)
    known = ~np.isnan(p)
    if known.any():
        from statsmodels.stats.multitest import multipletests

        out[known] = multipletests(p[known], method=method)[1]
    return out
