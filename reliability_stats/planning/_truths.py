"""Where the truths of simulated evaluations come from: a pilot's posterior, or a prior."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._numerics import FloatArray
from ..exceptions import ArgumentError
from ..models import BetaBinomial
from ..models.priors import Beta
from ..posterior import Posterior


def truths(
    pilot: Any, system: str | None, size: int, rng: np.random.Generator
) -> tuple[BetaBinomial, str, FloatArray, FloatArray]:
    """Draw true means and correlations from a pilot's posterior or from a prior."""
    if isinstance(pilot, Posterior):
        if not isinstance(pilot.model, BetaBinomial):
            raise ArgumentError("A pilot must be fitted by BetaBinomial.")
        if system is None and len(pilot.systems) > 1:
            raise ArgumentError(
                f"The pilot has {len(pilot.systems)} systems; name one with system=..., such as "
                f"{pilot.systems[0]!r}."
            )
        if system is not None and system not in pilot.systems:
            raise ArgumentError(
                f"The pilot has no system {system!r}; it has {', '.join(pilot.systems)}."
            )
        unit = pilot.systems.index(system) if system is not None else 0
        drawn = pilot.engine.parameters(1, max(size, 1000), cells=False)
        rows = rng.choice(max(size, 1000), size=size, replace=False)
        mean, icc = (drawn[name][1][0, rows, unit] for name in ("mean", "icc"))
        return pilot.model, f"the posterior of {pilot.systems[unit]!r}", mean, icc
    model = BetaBinomial() if pilot is None else pilot
    if not isinstance(model, BetaBinomial):
        raise ArgumentError(
            f"pilot must be a Posterior or BetaBinomial, not {type(pilot).__name__}."
        )
    priors = (model.mean_prior, model.icc_prior)
    if model.log_prior is not None or not all(isinstance(prior, Beta) for prior in priors):
        raise ArgumentError(
            "Truths can be drawn only from Beta priors; give priors as Beta(a, b), or fit a pilot."
        )
    mean, icc = (
        rng.beta(prior.a, prior.b, size=size) for prior in priors if isinstance(prior, Beta)
    )
    return model, f"the prior of {model!r}", mean, icc
