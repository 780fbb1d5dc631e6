"""Convergence of chains: rank-normalised split R-hat and bulk effective sample size.

Own, so that they cost no heavy import, take all systems at once, and mean the same under every
version of ArviZ.

References
----------
Vehtari, Gelman, Simpson, Carpenter and Buerkner (2021), https://doi.org/10.1214/20-BA1221
"""

from __future__ import annotations

import numpy as np
from scipy import special

from .._numerics import FloatArray


def split(draws: FloatArray) -> FloatArray:
    """Cut every chain in two halves: (chains, draws, units) to (2 chains, half, units)."""
    half = draws.shape[1] // 2
    return np.concatenate([draws[:, :half], draws[:, draws.shape[1] - half :]])


def _scores(draws: FloatArray) -> FloatArray:
    """Give normal scores of the ranks of all draws of a unit; ties share a rank."""
    flat = draws.reshape(-1, draws.shape[-1])
    ranks = np.empty(flat.shape)
    for unit, values in enumerate(flat.T):
        _, group, many = np.unique(values, return_inverse=True, return_counts=True)
        ranks[:, unit] = (np.cumsum(many) - (many - 1) / 2.0)[group]
    return np.asarray(special.ndtri((ranks - 0.375) / (len(flat) + 0.25)).reshape(draws.shape))


def _variances(draws: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Give the mean variance within chains, and the pooled estimate, each (units,)."""
    length = draws.shape[1]
    within = draws.var(axis=1, ddof=1).mean(axis=0)
    between = draws.mean(axis=1).var(axis=0, ddof=1)
    return within, within * (length - 1) / length + between


def r_hat(draws: FloatArray) -> FloatArray:
    """Rank-normalised split R-hat, the larger of that for location and that for spread.

    Parameters
    ----------
    draws : (chains, draws, units) array
        Draws of one quantity.

    Returns
    -------
    (units,) ndarray
        1 at convergence; NaN if all draws are equal or there are fewer than 4 a chain.

    Examples
    --------
    >>> import numpy as np
    >>> draws = np.random.default_rng(0).normal(size=(4, 500, 1))
    >>> bool(r_hat(draws)[0] < 1.01)
    True
    """
    if draws.shape[1] < 4:
        return np.full(draws.shape[-1], np.nan)
    halves = split(draws)
    middle = np.median(halves, axis=(0, 1))
    found = []
    for values in (halves, np.abs(halves - middle)):
        within, pooled = _variances(_scores(values))
        with np.errstate(invalid="ignore", divide="ignore"):
            found.append(np.sqrt(pooled / within))
    constant = np.ptp(draws, axis=(0, 1)) == 0
    return np.where(constant, np.nan, np.fmax(*found))


def ess_bulk(draws: FloatArray) -> FloatArray:
    """Bulk effective sample size: of rank-normalised split chains, by Geyer's initial sequence.

    Parameters
    ----------
    draws : (chains, draws, units) array
        Draws of one quantity.

    Returns
    -------
    (units,) ndarray
        NaN if there are fewer than 4 draws a chain; the number of draws if all are equal.

    Examples
    --------
    >>> import numpy as np
    >>> draws = np.random.default_rng(0).normal(size=(4, 500, 1))
    >>> bool(1700 < ess_bulk(draws)[0] < 2400)
    True
    """
    if draws.shape[1] < 4:
        return np.full(draws.shape[-1], np.nan)
    z = _scores(split(draws))
    chains, length, _ = z.shape
    total = chains * length
    within, pooled = _variances(z)
    constant = np.ptp(z, axis=(0, 1)) == 0
    pooled = np.where(constant, 1.0, pooled)
    rho = 1.0 - (within - _autocovariance(z).mean(axis=0)) / pooled
    rho[0] = 1.0
    even = length // 2 * 2
    pairs = rho[0:even:2] + rho[1:even:2]
    positive = np.logical_and.accumulate(pairs > 0, axis=0)
    falling = np.minimum.accumulate(np.where(positive, pairs, 0.0), axis=0)
    tau = -1.0 + 2.0 * falling.sum(axis=0)
    # One more even term, if it is positive, lowers the variance for antithetic chains.
    after = np.minimum(positive.sum(axis=0), len(pairs) - 1)
    tau += np.maximum(rho[2 * after, np.arange(len(tau))], 0.0)
    tau = np.maximum(tau, 1.0 / np.log10(total))
    return np.where(constant, float(total), total / tau)


def _autocovariance(draws: FloatArray) -> FloatArray:
    """Give autocovariances of each chain at every lag, all divided by the chain's length."""
    length = draws.shape[1]
    size = 2 ** int(np.ceil(np.log2(2 * length)))
    centred = draws - draws.mean(axis=1, keepdims=True)
    spectrum = np.abs(np.fft.rfft(centred, size, axis=1)) ** 2
    sums = np.fft.irfft(spectrum, size, axis=1)[:, :length]
    return np.asarray(sums / length)
