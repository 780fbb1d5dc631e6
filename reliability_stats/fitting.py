"""`fit`: trials and a model in, posterior out."""

from __future__ import annotations

import importlib
import inspect
import platform
from typing import Any

import numpy as np

from ._validation import check_rng, suggest
from ._version import __version__
from .exceptions import ArgumentError, TrialDataError
from .models import BetaBinomial, Model
from .posterior import Posterior
from .trials import Trials

__all__ = ["fit"]


def fit(trials: Trials, model: Model | None = None, *, rng: Any = 0, **options: Any) -> Posterior:
    """Fit a model to trials.

    Parameters
    ----------
    trials : Trials
        The data. `BetaBinomial` fits each system separately, under each condition if there are any.
    model : model, optional
        The model; `BetaBinomial` with uniform priors by default.
    rng : int, numpy.random.Generator, SeedSequence or None, default 0
        Seed of the draws. Quadrature summaries over the population do not use it.
    **options
        Options of the inference that the model asks for. Quadrature (`BetaBinomial`) takes ``tol``,
        a float in (0, 0.1], 1e-4 by default: the largest change of a posterior mean, in posterior
        sds, when the step is halved; the lattice is refined until it holds. Gibbs sampling
        (`GridMixture`) takes chains (4), draws (1000), tune (500), ess (1000) and max_thin (64):
        chains are run on, up to max_thin sweeps for each draw, until the effective sample size of
        flicker mass and other watched estimands reaches ess.

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
    0.477
    """
    if not isinstance(trials, Trials):
        raise ArgumentError(
            f"fit needs Trials, not {type(trials).__name__}; make them with Trials.from_frame(...)."
        )
    spec = BetaBinomial() if model is None else model
    if isinstance(spec, type) or not isinstance(spec, Model):
        raise ArgumentError(f"model must be a model such as BetaBinomial(), not {model!r}.")
    if trials.missing_policy == "bounds" and trials.n_missing:
        raise TrialDataError(
            f"{trials.n_missing} outcomes are missing under missing='bounds', and a posterior "
            "needs definite counts. Fit trials.complete('failure') and trials.complete('success') "
            "to see both ends."
        )
    infer = importlib.import_module(f"{__package__}.inference.{spec.inference}").infer
    allowed = [
        name
        for name, item in inspect.signature(infer).parameters.items()
        if item.kind is item.KEYWORD_ONLY and name != "seed"
    ]
    for name in options:
        if name not in allowed:
            raise ArgumentError(
                f"fit has no option {name!r} for {type(spec).__name__}{suggest(name, allowed)}; "
                f"the options are: rng, {', '.join(allowed)}."
            )
    seed = int(check_rng(rng).integers(2**62))
    engine, info = infer(trials, spec, seed=seed, **options)
    versions = {
        "reliability_stats": __version__,
        "numpy": np.__version__,
        "python": platform.python_version(),
    }
    record = {"seed": seed, "fingerprint": trials.fingerprint, **info}
    record["versions"] = versions | info.get("versions", {})
    return Posterior(trials, spec, engine, record)
