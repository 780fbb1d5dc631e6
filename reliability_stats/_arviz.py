"""The differences between ArviZ 0.x and 1.x, all in one place."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ._numerics import FloatArray


def bfmi(energy: FloatArray) -> FloatArray:
    """Give the Bayesian fraction of missing information of each chain, by ArviZ.

    Energies of shape (chains, draws).
    """
    import arviz as az

    if _is_new(az):
        from arviz_stats.base import array_stats

        return np.asarray(array_stats.bfmi(energy), dtype=float)
    return np.asarray(az.bfmi(energy), dtype=float)


def smoothed(log_weights: FloatArray, r_eff: float = 1.0) -> tuple[FloatArray, FloatArray]:
    """Smooth importance weights by a generalised Pareto law, by ArviZ.

    Log weights of shape (groups, draws); gives normalised log weights and Pareto k of each group.
    """
    import warnings

    import arviz as az

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if _is_new(az):
            from arviz_stats.base import array_stats

            # takes log likelihoods, whose negatives are the log weights
            found = array_stats.psislw(-log_weights, r_eff=r_eff, axis=-1)
        else:
            found = az.psislw(log_weights, reff=r_eff)
    return np.asarray(found[0], dtype=float), np.asarray(found[1], dtype=float)


def _is_new(arviz: Any) -> bool:
    """Say whether this is ArviZ 1.x or later."""
    return int(arviz.__version__.split(".")[0]) >= 1


def from_groups(
    groups: Mapping[str, Mapping[str, FloatArray]],
    coords: Mapping[str, list[str]],
    dims: Mapping[str, list[str]],
    attrs: Mapping[str, str],
) -> Any:
    """Build InferenceData (ArviZ 0.x) or a DataTree (ArviZ 1.x) from named groups of arrays.

    Posterior arrays start with chain and draw; observed data have none of them.
    """
    import arviz as az

    used = {
        group: {name: np.asarray(value) for name, value in variables.items()}
        for group, variables in groups.items()
    }
    kept = {name: list(value) for name, value in dims.items()}
    if int(az.__version__.split(".")[0]) >= 1:
        tree = az.from_dict(used, coords=dict(coords), dims=kept)
        tree["posterior"].attrs.update(attrs)
        return tree
    data = az.from_dict(**used, coords=dict(coords), dims=kept)
    data["posterior"].attrs.update(attrs)
    return data


def chain_figures(values: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Give bulk and tail effective sample sizes and R-hat of (chains, draws, variables), by ArviZ.

    NaN where they are undefined: for constants, and R-hat for one chain.
    """
    import warnings

    import arviz as az
    import xarray as xr

    if values.shape[2] == 0:
        return (np.zeros(0),) * 3
    data = xr.Dataset({"x": (("chain", "draw", "variable"), values)})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = [az.ess(data, method="bulk"), az.ess(data, method="tail"), az.rhat(data)]
    bulk, tail, r_hat = (np.asarray(item["x"].values, dtype=float) for item in found)
    constant = np.ptp(values, axis=(0, 1)) == 0
    if values.shape[0] == 1:
        r_hat = np.full_like(bulk, np.nan)
    return tuple(np.where(constant, np.nan, item) for item in (bulk, tail, r_hat))  # type: ignore[return-value]
