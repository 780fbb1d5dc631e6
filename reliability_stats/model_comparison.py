"""Which of several models predicts tasks better, and whether the difference can be trusted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from ._numerics import FloatArray
from .criticism.loo import ALL, LeaveOneOut, standard_error
from .exceptions import ArgumentError
from .posterior import Posterior

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["compare_models"]

SMALL = 4.0
"""Differences in elpd below which models predict alike, whatever the standard error says."""


def compare_models(posteriors: Mapping[str, Posterior]) -> pd.DataFrame:
    """Compare models of the same trials by how well they predict tasks left out.

    Parameters
    ----------
    posteriors : mapping of str to Posterior
        Names and fits, at least two, of one and the same trials.

    Returns
    -------
    pandas.DataFrame
        One row for each system and model, the best first; one block for all systems where some
        model lets systems share tasks. Columns: system, model, tasks, elpd, se, elpd_diff (to the
        best; 0 or negative), se_diff (paired over tasks), log_evidence, weight (stacking), pareto_k
        (the worst; empty where exact), verdict: "best", "alike" (a difference under 4, or under two
        standard errors) or "worse".

    Raises
    ------
    ArgumentError
        If there are fewer than two posteriors, or they are of different trials.
    ModelError
        If a model has no left-out densities.

    Notes
    -----
    Log evidence depends on the priors, elpd hardly does; they answer different questions and may
    disagree. Standard errors are too small when tasks are few (under about 100) or when models
    predict nearly alike (Sivula et al. 2020), hence the limit of 4.

    Stacking weights maximise the log score of the mixture of the left-out predictions. They are no
    probabilities that a model is true.

    References
    ----------
    Vehtari, Gelman and Gabry (2017), https://doi.org/10.1007/s11222-016-9696-4;
    Yao et al. (2018), https://doi.org/10.1214/17-BA1091;
    Sivula, Magnusson, Matamoros and Vehtari (2020), https://doi.org/10.48550/arXiv.2008.10296

    Examples
    --------
    >>> import reliability_stats as rs
    >>> trials = rs.datasets.load("tau-bench-airline-gpt4o")
    >>> fits = {
    ...     "tasks differ": rs.fit(trials),
    ...     "one rate": rs.fit(trials, rs.BetaBinomial.one_rate()),
    ... }
    >>> rs.compare_models(fits)[["model", "elpd", "elpd_diff", "se_diff", "verdict"]].round(2)
              model   elpd  elpd_diff  se_diff verdict
    0  tasks differ -81.04       0.00     0.00    best
    1      one rate -97.58     -16.54     6.89   worse
    """
    import pandas as pd

    fits = _checked(posteriors)
    loos = {name: post.loo() for name, post in fits.items()}
    shared = any((loo.pointwise["system"] == ALL).any() for loo in loos.values())
    first = next(iter(fits.values()))
    systems = (ALL,) if shared else first.systems
    rows: list[dict[str, Any]] = []
    for system in systems:
        columns = [_by_task(loo, None if shared else system) for loo in loos.values()]
        table = pd.concat(columns, axis=1, keys=list(fits))
        pareto = [_pareto(loo, None if shared else system) for loo in loos.values()]
        evidence = [
            float(post.log_evidence.sum() if shared else post.log_evidence[system])
            for post in fits.values()
        ]
        rows += _block(system, list(fits), table.to_numpy(), evidence, pareto)
    return pd.DataFrame(rows)


def _checked(posteriors: object) -> dict[str, Posterior]:
    """Give the posteriors, at least two, all of the same trials."""
    if not isinstance(posteriors, Mapping):
        raise ArgumentError(
            "compare_models takes a mapping of names to posteriors, such as {'a': post_a, "
            f"'b': post_b}}, not {type(posteriors).__name__}."
        )
    fits = dict(posteriors)
    if len(fits) < 2:
        raise ArgumentError(f"compare_models needs at least two posteriors, not {len(fits)}.")
    for name, post in fits.items():
        if not isinstance(post, Posterior):
            raise ArgumentError(f"{name!r} must be a Posterior, not {type(post).__name__}.")
    names = list(fits)
    for name in names[1:]:
        if fits[name].trials.counts != fits[names[0]].trials.counts:
            raise ArgumentError(
                f"{names[0]!r} and {name!r} were fitted to different trials "
                f"({fits[names[0]].trials.counts.describe()}; "
                f"{fits[name].trials.counts.describe()}); their predictions cannot be compared."
            )
    return fits


def _rows_of(loo: LeaveOneOut, system: str | None) -> pd.DataFrame:
    """Give the tasks of one system, or of all."""
    frame = loo.pointwise
    return frame if system is None else frame[frame["system"] == system]


def _by_task(loo: LeaveOneOut, system: str | None) -> pd.Series:
    """Sum log densities by task."""
    return _rows_of(loo, system).groupby("task", sort=True)["elpd"].sum()


def _pareto(loo: LeaveOneOut, system: str | None) -> float:
    """Give the worst Pareto k; NaN where all are exact."""
    return float(_rows_of(loo, system)["pareto_k"].max())


def _block(
    system: str,
    names: list[str],
    logs: FloatArray,
    evidence: list[float],
    pareto: list[float],
) -> list[dict[str, Any]]:
    """Give the rows of one system from log densities of shape (tasks, models), best first."""
    weights = stacking_weights(logs)
    order = np.argsort(-logs.sum(axis=0), kind="stable")
    best = logs[:, order[0]]
    rows = []
    for rank, i in enumerate(order):
        difference = logs[:, i] - best
        diff, se = float(difference.sum()), standard_error(difference)
        rows.append(
            {
                "system": system,
                "model": names[i],
                "tasks": len(logs),
                "elpd": float(logs[:, i].sum()),
                "se": standard_error(logs[:, i]),
                "elpd_diff": diff,
                "se_diff": se,
                "log_evidence": evidence[i],
                "weight": float(weights[i]),
                "pareto_k": pareto[i],
                "verdict": "best" if not rank else _verdict(diff, se),
            }
        )
    return rows


def _verdict(difference: float, se: float) -> str:
    """Say whether a difference to the best can be trusted."""
    return "worse" if difference <= -SMALL and difference <= -2 * se else "alike"


def stacking_weights(logs: FloatArray) -> FloatArray:
    """Give the weights that maximise the log score of the mixture of predictions.

    Parameters
    ----------
    logs : (tasks, models) array
        Log densities of left-out tasks.

    Returns
    -------
    (models,) ndarray
        Weights, at least 0, that sum to one.

    Examples
    --------
    >>> import numpy as np
    >>> stacking_weights(np.log([[0.5, 0.1], [0.5, 0.4]])).round(3)
    array([1., 0.])
    """
    from scipy import optimize

    density = np.exp(logs - logs.max(axis=1, keepdims=True))
    size = density.shape[1]

    def loss(weights: FloatArray) -> tuple[float, FloatArray]:
        mixture = np.maximum(density @ weights, 1e-300)
        return -float(np.log(mixture).mean()), -(density / mixture[:, None]).mean(axis=0)

    weights = np.full(size, 1.0 / size)
    for _ in range(200):  # each step multiplies by the gradient and cannot make things worse
        weights = weights * -loss(weights)[1]
    found = optimize.minimize(
        loss,
        weights / weights.sum(),
        jac=True,
        method="SLSQP",
        bounds=[(0.0, 1.0)] * size,
        constraints={"type": "eq", "fun": lambda w: w.sum() - 1.0, "jac": np.ones_like},
        options={"ftol": 1e-12, "maxiter": 500},
    )
    polished = np.clip(found.x, 0.0, None)
    polished = polished / polished.sum()
    better = loss(polished)[0] <= loss(weights / weights.sum())[0]
    return np.asarray(polished if better else weights / weights.sum())
