"""Quantities known by their draws: the one summary schema, named arrays, intervals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from .._arviz import chain_figures
from .._numerics import FloatArray
from .._summary import COLUMNS
from .._validation import check_choice, check_positive_int, check_prob

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

CHAINS = 4
DRAWS = 2500
"""Draws of each chain. Independent unless a result says otherwise."""


@dataclass(frozen=True, eq=False)
class Quantity:
    """One estimand of one or several systems.

    Attributes
    ----------
    name : str
        For the column ``estimand``.
    values : (draws, systems) ndarray
        Draws, chain after chain.
    systems : tuple of str
        Labels.
    over : str
        Target of inference.
    identified : str or tuple of str
        For the column of that name.
    mean, sd : (systems,) ndarray, optional
        Exact moments, where they are known; otherwise those of the draws.
    """

    name: str
    values: FloatArray
    systems: tuple[str, ...]
    over: str = "observed"
    identified: str | tuple[str, ...] = "yes"
    mean: FloatArray | None = None
    sd: FloatArray | None = None


def ends(values: FloatArray, prob: float, axis: int = 0) -> tuple[FloatArray, FloatArray]:
    """Give equal-tailed limits of draws along an axis."""
    lower, upper = np.quantile(values, [(1 - prob) / 2, (1 + prob) / 2], axis=axis)
    return np.asarray(lower), np.asarray(upper)


def interval_columns(values: FloatArray, prob: float) -> dict[str, Any]:
    """Give mean, sd, lower, upper and prob of draws (draws, rows), as columns of a table."""
    lower, upper = ends(values, prob)
    fields: dict[str, Any] = {"mean": values.mean(axis=0), "sd": values.std(axis=0)}
    return fields | {"lower": lower, "upper": upper, "prob": prob}


def summarise(quantities: Sequence[Quantity], prob: float, *, chains: bool = False) -> pd.DataFrame:
    """Stack quantities into the summary schema.

    Parameters
    ----------
    quantities : sequence of Quantity
        One block of rows each.
    prob : float in (0, 1)
        Mass of the equal-tailed intervals.
    chains : bool, default False
        Whether draws depend on one another, so that ess_bulk and r_hat mean something.

    Returns
    -------
    pandas.DataFrame
    """
    import pandas as pd

    prob = check_prob(prob)
    frames = []
    for item in quantities:
        fields = interval_columns(item.values, prob)
        for name, exact in (("mean", item.mean), ("sd", item.sd)):
            if exact is not None:
                fields[name] = exact
        fields |= {"ess_bulk": np.nan, "r_hat": np.nan}
        if chains and np.ptp(item.values, axis=0).all():
            bulk, _, r_hat = chain_figures(item.values.reshape(CHAINS, -1, len(item.systems)))
            fields |= {"ess_bulk": bulk, "r_hat": r_hat}
        fields |= {"estimand": item.name, "system": list(item.systems), "over": item.over}
        fields |= {"interval": "eti", "identified": item.identified}
        frames.append(pd.DataFrame(fields, columns=list(COLUMNS)))
    return pd.concat(frames, ignore_index=True)


def array_of(quantities: Sequence[Quantity], name: str) -> xr.DataArray:
    """Give the draws of one quantity as a DataArray with dims chain, draw, system.

    Raises
    ------
    ArgumentError
        If there is no such quantity.
    """
    import xarray as xr

    names = list(dict.fromkeys(item.name for item in quantities))
    check_choice(name, names, "estimand")
    item = next(item for item in quantities if item.name == name)
    values = item.values.reshape(CHAINS, -1, len(item.systems))
    coords = {
        "chain": np.arange(CHAINS),
        "draw": np.arange(values.shape[1]),
        "system": list(item.systems),
    }
    dims = ("chain", "draw", "system")
    return xr.DataArray(values, coords=coords, dims=dims, name=name, attrs={"over": item.over})


def total_draws(draws: object) -> int:
    """Give the number of draws of all chains."""
    return CHAINS * check_positive_int(draws, "draws")
