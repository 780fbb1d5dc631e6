"""`fit`: trials and a model in, posterior out."""

from __future__ import annotations

import platform
from typing import Any

import numpy as np

from ._validation import check_rng
from ._version import __version__
from .exceptions import ArgumentError, TrialDataError
from .inference import grid
from .inference.quadrature import Quadrature
from .models import BetaBinomial
from .posterior import Posterior
from .trials import Trials


def fit(
    trials: Trials,
    model: BetaBinomial | None = None,
    *,
    rng: Any = 0,
    tol: float = 1e-4,
) -> Posterior:
    """Fit a model to trials.

    Parameters
    ----------
    trials : Trials
        The data. With conditions, each system is fitted separately under each condition.
    model : BetaBinomial, optional
        The model; `BetaBinomial` with uniform priors by default.
    rng : int, numpy.random.Generator, SeedSequence or None, default 0
        Seed of the draws that can be asked of the result. Summaries over the population do not use it.
    tol : float in (0, 0.1], default 1e-4
        Largest change of a posterior mean, in posterior sds, when the step of the quadrature is halved;
        the lattice is refined until it holds.

    Returns
    -------
    Posterior
        Immutable; remembers the data's fingerprint, the model, versions and the seed.

    Raises
    ------
    ModelError
        If the posterior is improper, which only improper priors can cause.
    TrialDataError
        If outcomes are missing under ``missing="bounds"``: a posterior needs definite counts.
    ArgumentError
        If an argument is not of the right kind.

    Examples
    --------
    >>> import reliability_stats as rs
    >>> trials = rs.Trials.from_array([[1, 1, 1], [0, 1, 0], [0, 0, 0]])
    >>> post = rs.fit(trials)
    >>> round(float(post.summary(rs.SuccessRate())["mean"].iloc[0]), 3)
    0.459
    """
    if not isinstance(trials, Trials):
        raise ArgumentError(
            f"fit needs Trials, not {type(trials).__name__}; make them with Trials.from_frame(...)."
        )
    if model is None:
        model = BetaBinomial()
    if isinstance(model, type) or not isinstance(model, BetaBinomial):
        raise ArgumentError(f"model must be a model such as BetaBinomial(), not {model!r}.")
    if not 0 < tol <= 0.1:
        raise ArgumentError(f"tol must lie in (0, 0.1], not {tol!r}.")
    if trials.missing_policy == "bounds" and trials.n_missing:
        raise TrialDataError(
            f"{trials.n_missing} outcomes are missing under missing='bounds', and a posterior needs definite "
            "counts. Fit trials.complete('failure') and trials.complete('success') to see both ends."
        )
    seed = int(check_rng(rng).integers(2**63 - 1))
    counts = trials.counts
    units = counts.units
    distinct = counts.distinct()
    density = model.log_density(distinct, len(units))
    lattices = grid.build(
        density, len(units), reach=model.reach, names=lambda i: f"system {units[i]!r}"
    )
    engine = Quadrature(lattices, density, model.reach, distinct, len(units), tol)
    info = {
        "method": "quadrature over (logit mean, logit icc)",
        "nodes": lattices[0].nodes ** 2,
        "tol": tol,
        "seed": seed,
        "fingerprint": trials.fingerprint,
        "versions": {
            "reliability_stats": __version__,
            "numpy": np.__version__,
            "python": platform.python_version(),
        },
    }
    return Posterior(trials, model, engine, info, seed)
