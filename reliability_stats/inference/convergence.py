"""Whether chains have converged: figures of all variables, and a warning with a remedy."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from .._arviz import chain_figures
from .._numerics import FloatArray
from ..exceptions import ConvergenceWarning

R_HAT_LIMIT = 1.01
ESS_LIMIT = 400.0
"""Least effective number of draws, in the bulk and in the tails."""

Worst = tuple[str, float]
"""Name of the variable, with its position, and its figure."""


@dataclass(frozen=True)
class Figures:
    """Diagnostics of chains.

    Attributes
    ----------
    worst_r_hat, worst_bulk, worst_tail : (str, float)
        The variable with the worst figure, and the figure; NaN where it cannot be computed.
    divergences : int
        Draws at which the simulated path broke down.
    draws : int
        Number of all draws.
    """

    worst_r_hat: Worst
    worst_bulk: Worst
    worst_tail: Worst
    divergences: int
    draws: int


def figures_of(values: Mapping[str, FloatArray], statistics: Mapping[str, FloatArray]) -> Figures:
    """Compute the figures of all variables.

    Parameters
    ----------
    values : mapping
        Arrays of shape (chains, draws, ...).
    statistics : mapping
        With ``diverging`` (chains, draws).
    """
    r_hats, bulks, tails = [], [], []
    for name, value in values.items():
        flat = value.reshape(*value.shape[:2], -1)
        bulk, tail, r_hat = chain_figures(flat)
        for out, figure, pick in (
            (r_hats, r_hat, np.nanargmax),
            (bulks, bulk, np.nanargmin),
            (tails, tail, np.nanargmin),
        ):
            if not np.isnan(figure).all():
                at = int(pick(figure))
                place = np.unravel_index(at, value.shape[2:]) if value.ndim > 2 else ()
                index = f"[{', '.join(str(int(i)) for i in place)}]" if place else ""
                out.append((f"{name}{index}", float(figure[at])))
    diverging = statistics.get("diverging", np.zeros(1))
    size = next(iter(values.values())).shape
    none = ("", float("nan"))
    return Figures(
        worst_r_hat=max(r_hats, key=lambda item: item[1], default=none),
        worst_bulk=min(bulks, key=lambda item: item[1], default=none),
        worst_tail=min(tails, key=lambda item: item[1], default=none),
        divergences=int(np.sum(diverging)),
        draws=int(size[0] * size[1]),
    )


def warn_unless_converged(figures: Figures, chains: int, stacklevel: int = 4) -> None:
    """Warn if a figure fails, naming the variable, the figure and the remedy."""
    faults = []
    name, r_hat = figures.worst_r_hat
    if chains == 1:
        faults.append("one chain alone cannot show that chains agree (R-hat); run four")
    elif r_hat > R_HAT_LIMIT:
        faults.append(
            f"chains disagree: R-hat of {name} is {r_hat:.3f}, above {R_HAT_LIMIT}; raise tune "
            "and draws"
        )
    for label, (name, ess) in (("bulk", figures.worst_bulk), ("tail", figures.worst_tail)):
        if ess < ESS_LIMIT:
            faults.append(
                f"the {label} effective sample size of {name} is {ess:.0f} of {figures.draws} "
                f"draws, below {ESS_LIMIT:.0f}; raise draws"
            )
    if figures.divergences:
        faults.append(
            f"{figures.divergences} of {figures.draws} draws diverged, so that parts of the "
            "posterior may be missing; raise tune, or try the other parametrisation"
        )
    if faults:
        warnings.warn(
            f"The chains have not converged: {'. Also, '.join(faults)}.",
            ConvergenceWarning,
            stacklevel=stacklevel,
        )
