"""Which statements to make so that few of them are expected to be wrong."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .._numerics import FloatArray, IntArray

TIE = 1e-9
ROUNDING = 1e-12


def discoveries(wrong: FloatArray, family: IntArray, fdr: float) -> npt.NDArray[np.bool_]:
    """Take in each family the largest set whose mean chance of being wrong is at most `fdr`.

    The Bayesian rule of Newton et al. (2004), https://doi.org/10.1093/biostatistics/5.2.155, and
    Mueller et al. (2004), https://doi.org/10.1198/016214504000001646. Equal chances, such as those
    of tasks with equal counts, are taken together or not at all. Since it holds in each family, it
    holds in their union.

    Parameters
    ----------
    wrong : (statements,) ndarray
        Posterior probability that a statement is wrong; NaN for none.
    family : (statements,) ndarray of int
        Family of each, from 0.
    fdr : float in [0, 1]
        Allowed mean.

    Returns
    -------
    (statements,) ndarray of bool

    Examples
    --------
    >>> import numpy as np
    >>> discoveries(np.array([0.02, 0.06, 0.30, 0.02]), np.zeros(4, dtype=int), 0.05)
    array([ True,  True, False,  True])
    """
    out = np.zeros(len(wrong), dtype=bool)
    rows = np.flatnonzero(~np.isnan(wrong))
    if not len(rows):
        return out
    order = rows[np.lexsort((wrong[rows], family[rows]))]
    chance, group = wrong[order], family[order]
    first = np.flatnonzero(np.diff(group, prepend=-1))
    size = np.diff(first, append=len(group))
    total = np.cumsum(chance)
    before = np.repeat(np.concatenate([[0.0], total])[first], size)
    rank = np.arange(len(order)) - np.repeat(first, size) + 1
    last_of_tie = np.ones(len(order), dtype=bool)
    last_of_tie[:-1] = (np.diff(chance) > TIE) | (np.diff(group) != 0)
    good = np.flatnonzero(last_of_tie & ((total - before) / rank <= fdr + ROUNDING))
    best = np.full(int(family.max()) + 1, -1)
    np.maximum.at(best, group[good], good)
    out[order] = np.arange(len(order)) <= best[group]
    return out
