"""Hierarchical Dirichlet-multinomial composition, by Gibbs sampling on counts.

y_g ~ Multinomial(n_g, theta_g), theta_g ~ Dirichlet(c phi), phi ~ Dirichlet(prior), and
rho = 1 / (1 + c) uniform on (0, 1), as the correlation of the beta-binomial. With theta integrated
out, the numbers of tables m_gk of the Chinese restaurant process make phi conjugate: m_gk given c
phi_k is a sum of Bernoulli(c phi_k / (c phi_k + j)), j < y_gk, phi given m is Dirichlet(prior + sum
of m), and p(c | m, n) is proportional to p(c) prod_g c^(m_g) Gamma(c) / Gamma(c + n_g), which is
drawn on a lattice in logit rho (Antoniak 1974; Escobar and West 1995).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy import special

from .._numerics import FloatArray, IntArray

BURN = 300
LATTICE = np.linspace(-9.0, 9.0, 181)
"""Logits of rho."""


def sample(
    counts: Callable[[np.random.Generator], IntArray],
    prior: FloatArray,
    chains: int,
    draws: int,
    rng: np.random.Generator,
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Sample composition of the population and of every group.

    Parameters
    ----------
    counts : callable
        Gives the counts (groups, categories) for one sweep, anew where labels are uncertain.
    prior : (categories,) array
        Parameters of the Dirichlet prior of the population's composition.
    chains, draws : int
        Shape of the result. Each draw is two sweeps.
    rng : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    phi : (chains * draws, categories) ndarray
    theta : (chains * draws, groups, categories) ndarray
    rho : (chains * draws,) ndarray
    """
    phis, thetas, rhos = [], [], []
    for _ in range(chains):
        y = counts(rng)
        phi = rng.dirichlet(prior + y.sum(axis=0))
        rho = float(rng.random())
        for sweep in range(BURN + 2 * draws):
            y = counts(rng)
            c = 1.0 / rho - 1.0
            tables = _tables(y, c * phi, rng)
            phi = rng.dirichlet(prior + tables.sum(axis=0))
            rho = _correlation(y.sum(axis=1), int(tables.sum()), rng)
            if sweep >= BURN and (sweep - BURN) % 2 == 1:
                weight = np.maximum((1.0 / rho - 1.0) * phi + y, 1e-300)
                gammas = np.maximum(rng.standard_gamma(weight), 1e-300)
                phis.append(phi)
                thetas.append(gammas / gammas.sum(axis=1, keepdims=True))
                rhos.append(rho)
    return np.array(phis), np.array(thetas), np.array(rhos)


def _tables(y: IntArray, weight: FloatArray, rng: np.random.Generator) -> IntArray:
    """Draw numbers of tables, (groups, categories)."""
    g, k = np.nonzero(y)
    size = y[g, k]
    row = np.repeat(np.arange(len(size)), size)
    first = np.concatenate([[0], np.cumsum(size)[:-1]]) if len(size) else size
    j = np.arange(len(row)) - np.repeat(first, size)
    a = np.maximum(weight[k[row]], 1e-300)
    new = rng.random(len(row)) * (a + j) < a
    out = np.zeros_like(y)
    out[g, k] = np.bincount(row, weights=new, minlength=len(size)).astype(np.int64)
    return out


def _correlation(n: IntArray, tables: int, rng: np.random.Generator) -> float:
    """Draw rho given the numbers of tables, inside the cells of the lattice."""
    c = np.exp(-LATTICE)
    sizes, times = np.unique(n, return_counts=True)
    logs = tables * np.log(c) - np.logaddexp(0, LATTICE) - np.logaddexp(0, -LATTICE)
    for size, count in zip(sizes, times, strict=True):
        if size:
            logs = logs - count * (special.gammaln(c + size) - special.gammaln(c))
    p = np.exp(logs - logs.max())
    at = rng.choice(len(c), p=p / p.sum())
    step = LATTICE[1] - LATTICE[0]
    return float(special.expit(LATTICE[at] + step * (rng.random() - 0.5)))
