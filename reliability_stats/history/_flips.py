"""Flips between two versions, those expected if no task has changed, and tests of that.

If a task has not changed, its trials of both versions are exchangeable. Given c successes in all
N = n0 + n1 trials, those of the new version are then hypergeometric, whatever the success
probability: all expectations below are exact and need no model.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import special

from .._numerics import FloatArray
from ._paired_law import Pairs

RESAMPLES = 9999


def flips(pairs: Pairs) -> dict[str, float]:
    """Count flips, and those expected under no change given the totals of each task.

    Parameters
    ----------
    pairs : Pairs
        Counts of the tasks seen with both versions.

    Returns
    -------
    dict
        ``to_fail``, ``to_pass``: expected number of tasks that pass one trial of the old version,
        drawn at random, and fail one of the new; and the reverse. ``broke``: tasks that passed
        every trial of the old version and not every one of the new. ``fixed``: the reverse. With
        ``_if_unchanged`` appended, what is expected if no task has changed.
    """
    n0, y0, n1, y1, many = (
        x.astype(float) for x in (pairs.n0, pairs.y0, pairs.n1, pairs.y1, pairs.many)
    )
    n, c = n0 + n1, y0 + y1
    expected = float(many @ (c * (n - c) / (n * (n - 1))))
    full_old, full_new = _chance_full(n0, n, c), _chance_full(n1, n, c)
    return {
        "to_fail": float(many @ (y0 * (n1 - y1) / (n0 * n1))),
        "to_fail_if_unchanged": expected,
        "to_pass": float(many @ ((n0 - y0) * y1 / (n0 * n1))),
        "to_pass_if_unchanged": expected,
        "broke": float(many @ ((y0 == n0) & (y1 < n1))),
        "broke_if_unchanged": float(many @ full_old),
        "fixed": float(many @ ((y0 < n0) & (y1 == n1))),
        "fixed_if_unchanged": float(many @ full_new),
    }


def _chance_full(size: FloatArray, n: FloatArray, c: FloatArray) -> FloatArray:
    """Chance that all of `size` trials succeed and not all of the rest, given c of n do."""
    with np.errstate(invalid="ignore"):
        log = (
            special.gammaln(c + 1)
            - special.gammaln(c - size + 1)
            - special.gammaln(n + 1)
            + special.gammaln(n - size + 1)
        )
    return np.where((c >= size) & (c < n), np.exp(log), 0.0)


def design_tests(pairs: Pairs, rng: np.random.Generator) -> dict[str, Any]:
    """Test that no task has changed, and that the mean over tasks like these has not.

    Returns
    -------
    dict
        ``p_unchanged``: p value of "no task has changed", two-sided: McNemar's exact test if every
        task has one trial of each version, otherwise the Cochran-Mantel-Haenszel test over tasks.
        ``test``: which. ``p_mean``: p value of "the mean over tasks has not changed", by exchanging
        the versions within tasks. NaN where there is nothing to test.
    """
    n0, y0, n1, y1, many = pairs.n0, pairs.y0, pairs.n1, pairs.y1, pairs.many
    single = bool((n0 == 1).all() and (n1 == 1).all())
    mixed = (y0 + y1 > 0) & (y0 + y1 < n0 + n1)
    out: dict[str, Any] = {
        "p_unchanged": float("nan"),
        "test": "McNemar" if single else "Cochran-Mantel-Haenszel",
    }
    if single:
        out["p_unchanged"] = _mcnemar(y0, y1, many)
    elif mixed.any():
        out["p_unchanged"] = _mantel_haenszel(pairs, mixed)
    difference = (y1 / n1 - y0 / n0)[pairs.row]
    out["p_mean"] = _exchanged(difference[difference != 0], rng)
    return out


def _mcnemar(y0: Any, y1: Any, many: Any) -> float:
    """McNemar's exact test."""
    from statsmodels.stats.contingency_tables import mcnemar

    table = np.zeros((2, 2))
    np.add.at(table, (y0, y1), many)
    return float(mcnemar(table, exact=True).pvalue)


def _mantel_haenszel(pairs: Pairs, mixed: Any) -> float:
    """Cochran-Mantel-Haenszel test over tasks."""
    from statsmodels.stats.contingency_tables import StratifiedTable

    rows = [[pairs.y0, pairs.n0 - pairs.y0], [pairs.y1, pairs.n1 - pairs.y1]]
    tables = np.repeat(np.array(rows)[:, :, mixed], pairs.many[mixed], axis=2)
    return float(StratifiedTable(tables.astype(float)).test_null_odds().pvalue)


def _exchanged(difference: FloatArray, rng: np.random.Generator) -> float:
    """Paired permutation test of the mean difference: signs exchanged, in all ways if few."""
    from scipy import stats

    if len(difference) < 2:  # SciPy wants two; one difference is as likely with either sign
        return 1.0
    result = stats.permutation_test(
        (difference,),
        lambda x, axis: np.round(x.sum(axis=axis), 9),
        permutation_type="samples",
        vectorized=True,
        n_resamples=RESAMPLES,
        batch=max(1, 2**20 // len(difference)),
        random_state=rng,
    )
    return float(result.pvalue)
