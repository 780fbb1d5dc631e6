"""Whether outcomes go with a label of the trials: repetition, group or condition.

The generalised Cochran-Mantel-Haenszel statistic, conditional on the successes of every task. With
one trial a task under each label it is Cochran's Q.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import special

from .._numerics import FloatArray, IntArray
from ._order import adjusted_share
from ._strata import Strata

MAX_LEVELS = 200
LEAST_VARIANCE = 5.0
"""Variance of a level's successes from which the chi-squared distribution is good enough."""
PERMUTATIONS = 4999


@dataclass(frozen=True)
class AssociationTest:
    """Chi-squared statistic of labels, its degrees of freedom, and how unusual it is."""

    statistic: float
    freedom: float
    p_value: float
    method: str
    share: float


NOTHING = AssociationTest(float("nan"), 0.0, float("nan"), "none", float("nan"))


def association_test(strata: Strata, level: IntArray, rng: np.random.Generator) -> AssociationTest:
    """Test whether success within strata goes with a label.

    Parameters
    ----------
    strata : Strata
        Trials.
    level : (trials,) ndarray of int
        Label of each trial; those with -1 are left out.
    rng : numpy.random.Generator
        Source of permutations within strata, which are used where counts are small.

    Returns
    -------
    AssociationTest
        With ``method`` "none" if labels do not vary within any mixed stratum, all differ, or are
        more than 200.
    """
    known = level >= 0
    strata, level = strata.take(known), level[known]
    rows = strata.in_mixed
    strata, level = strata.take(rows), level[rows]
    if not len(level):
        return NOTHING
    _, level = np.unique(level, return_inverse=True)
    size = int(level.max()) + 1
    # labels that all differ leave nothing to compare
    if size > MAX_LEVELS or size < 2 or size == len(level):
        return NOTHING
    table = np.zeros((len(strata.n), size))
    np.add.at(table, (strata.stratum, level), 1.0)
    n, wins = strata.n.astype(float), strata.wins.astype(float)
    scatter = np.diag(table.sum(axis=0)) - (table / n[:, None]).T @ table
    weight = wins * (n - wins) / (n * (n - 1.0))
    variance = np.diag((weight[:, None] * table).sum(axis=0))
    variance -= ((weight / n)[:, None] * table).T @ table
    freedom = int(np.linalg.matrix_rank(variance, tol=1e-9 * max(1.0, float(variance.max()))))
    if freedom == 0:
        return NOTHING
    expected = (wins / n) @ table
    inverse = np.linalg.pinv(variance, rcond=1e-10, hermitian=True)
    excess = np.bincount(level, weights=strata.success, minlength=size) - expected
    statistic = float(excess @ inverse @ excess)
    explained = float(excess @ np.linalg.pinv(scatter, rcond=1e-10, hermitian=True) @ excess)
    within, spare = float((wins * (n - wins) / n).sum()), float((n - 1.0).sum())
    share = adjusted_share(explained, within, float(freedom), spare)
    varying = np.diag(variance)[np.diag(variance) > 0]
    if varying.min() >= LEAST_VARIANCE:
        p_value, method = float(special.chdtrc(freedom, statistic)), "chi-squared"
    else:
        p_value = _by_permutation(strata, level, expected, inverse, statistic, rng)
        method = "permutation"
    return AssociationTest(statistic, float(freedom), p_value, method, share)


def _by_permutation(
    strata: Strata,
    level: IntArray,
    expected: FloatArray,
    inverse: FloatArray,
    statistic: float,
    rng: np.random.Generator,
) -> float:
    """Permute outcomes within strata; the data themselves count as one permutation."""
    reached, size = 1, len(level)
    most = max(1, 2_000_000 // size)
    left = PERMUTATIONS
    while left:
        times = min(left, most)
        left -= times
        # sorting by stratum plus a random fraction shuffles within strata
        order = np.argsort(strata.stratum + rng.random((times, size)), axis=1)
        drawn = strata.success[order]
        sums = np.stack([drawn[:, level == k].sum(axis=1) for k in range(len(expected))], axis=1)
        excess = sums - expected
        values = np.einsum("pi,ij,pj->p", excess, inverse, excess)
        reached += int((values >= statistic - 1e-9).sum())
    return reached / (PERMUTATIONS + 1)
