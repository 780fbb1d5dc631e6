"""What draws of chains give to criticism: convergence, and predictive densities by smoothing."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from scipy import special

from .._arviz import bfmi, chain_figures, smoothed
from .._numerics import FloatArray, IntArray
from .checks import Check, LeftOut

R_HAT = 1.01
ESS = 400.0
BFMI = 0.3
"""Fraction of missing information below which chains explore energies too slowly."""
LONGER = "Raise tune and draws."
OTHER = "Raise tune or target_accept, or try the other parametrisation."


def chain_checks(
    values: Mapping[str, FloatArray], statistics: Mapping[str, FloatArray]
) -> list[Check]:
    """Judge chains by R-hat, effective sample sizes, divergences and energies.

    Parameters
    ----------
    values : mapping of str to (chains, draws, ...) array
        Draws of all variables that vary.
    statistics : mapping of str to (chains, draws) array
        With ``diverging`` and ``energy``, as far as the sampler gives them.

    Returns
    -------
    list of Check
        The worst variable for each figure; NaN, which fails, where a figure is undefined for all.

    References
    ----------
    Vehtari et al. (2021), https://doi.org/10.1214/20-BA1221;
    Betancourt (2016), https://doi.org/10.48550/arXiv.1604.00695
    """
    names, flat = _flattened(values)
    bulk, tail, r_hat = chain_figures(flat)
    checks = [
        _worst("R-hat", names, r_hat, R_HAT, False),
        _worst("effective draws, bulk", names, bulk, ESS, True),
        _worst("effective draws, tails", names, tail, ESS, True),
    ]
    if "diverging" in statistics:
        total = float(np.sum(statistics["diverging"]))
        checks.append(Check("divergences", "", total, 0.0, False, OTHER))
    if "energy" in statistics:
        figures = bfmi(statistics["energy"])
        chains = [f"chain {i}" for i in range(len(figures))]
        checks.append(_worst("BFMI", chains, figures, BFMI, True, OTHER))
    return checks


def _flattened(values: Mapping[str, FloatArray]) -> tuple[list[str], FloatArray]:
    """Lay all variables side by side, (chains, draws, variables), and name them."""
    names, columns = [], []
    for name, value in values.items():
        for place in np.ndindex(value.shape[2:]):
            index = ", ".join(map(str, place))
            names.append(f"{name}[{index}]" if index else name)
        columns.append(value.reshape(*value.shape[:2], -1))
    return names, np.concatenate(columns, axis=2)


def _worst(
    name: str,
    about: list[str],
    figures: FloatArray,
    limit: float,
    at_least: bool,
    remedy: str = LONGER,
) -> Check:
    """Give the check of the worst of several figures."""
    known = ~np.isnan(figures)
    if not known.any():
        return Check(name, "", float("nan"), limit, at_least, f"Run several chains. {remedy}")
    at = int(np.nanargmin(figures) if at_least else np.nanargmax(figures))
    return Check(name, about[at], float(figures[at]), limit, at_least, remedy)


def smoothed_left_out(log_density: FloatArray, group: IntArray, r_eff: float = 1.0) -> LeftOut:
    """Give predictive densities of groups left out, by Pareto-smoothed importance sampling.

    Parameters
    ----------
    log_density : (draws, groups) array
        Log density of the counts of each group at each draw, with everything that belongs to the
        group alone integrated out.
    group : (cells,) array of int
        Group of each cell.
    r_eff : float, default 1.0
        Effective draws for each draw.

    Returns
    -------
    LeftOut

    References
    ----------
    Vehtari, Gelman and Gabry (2017), https://doi.org/10.1007/s11222-016-9696-4;
    Vehtari et al. (2024), https://jmlr.org/papers/v25/19-556.html
    """
    logs = np.ascontiguousarray(log_density.T)
    weights, pareto = smoothed(-logs, r_eff)
    weights = weights - special.logsumexp(weights, axis=1, keepdims=True)
    outside = special.logsumexp(weights + logs, axis=1)
    inside = special.logsumexp(logs, axis=1) - np.log(logs.shape[1])
    return LeftOut(np.asarray(group), outside, inside, np.atleast_1d(pareto))
