"""`model_range`: what the counts fix about an estimand, and what the model adds."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ._summary import COLUMNS, as_estimands
from ._validation import check_prob
from .estimands import Estimand
from .exceptions import ArgumentError, IdentifiabilityWarning
from .fitting import fit
from .identification import identified_set
from .models import BetaBinomial, GridMixture, LogitNormal, Model, SpikeSlab
from .trials import Trials

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["model_range"]

ALONE = "counts alone"
MORE = ("set_lower", "set_upper", "log_evidence", "within")


def usual_models() -> dict[str, Model]:
    """Give four shapes of the distribution of success over tasks."""
    return {
        "beta": BetaBinomial(),
        "logit-normal": LogitNormal(),
        "spike and slab": SpikeSlab(),
        "grid": GridMixture(),
    }


def model_range(
    trials: Trials,
    estimands: Estimand | Sequence[Estimand] | None = None,
    *,
    models: Mapping[str, Model] | None = None,
    prob: float = 0.95,
    rng: Any = 0,
) -> pd.DataFrame:
    """Give estimands under several models, beside what the counts alone allow.

    Parameters
    ----------
    trials : Trials
        The data.
    estimands : estimand or list of estimands, optional
        Over tasks like these; by default the usual ones.
    models : mapping of str to model, optional
        Names and models; by default "beta", "logit-normal", "spike and slab" and "grid", each with
        its own default priors.
    prob : float in (0, 1), default 0.95
        Mass of the intervals.
    rng : int, numpy.random.Generator, SeedSequence or None, default 0
        Seed.

    Returns
    -------
    pandas.DataFrame
        One row for each estimand, system and model, and one for the counts alone, in the summary
        schema with a column model after system, and at its end

        - set_lower, set_upper: the sharp bounds at the counts that fit best (`identified_set`);
        - log_evidence: of the model for the system, where it is known;
        - within: whether the mean lies in the sharp bounds widened to the sampling band.

        In the row "counts alone", lower and upper are the sampling band, and mean is empty unless
        the counts fix the value.

    Raises
    ------
    ArgumentError
        If an argument is not of the right kind.
    TrialDataError
        If outcomes are missing under ``missing="bounds"``.

    See Also
    --------
    identified_set : The bounds by themselves.
    compare_models : Which model predicts tasks better.

    Notes
    -----
    Where means differ between models by more than their intervals are wide, the number is the
    model's. The usual benchmark cannot tell the shapes apart: differences in log evidence or elpd
    below 4 decide nothing. Report the range.

    Examples
    --------
    >>> import reliability_stats as rs
    >>> trials = rs.datasets.load("tau-bench-airline-gpt4o")
    >>> table = rs.model_range(trials, rs.PassHatK(8))
    >>> table[["model", "mean", "set_lower", "set_upper"]].round(2)
                model  mean  set_lower  set_upper
    0            beta  0.11       0.18       0.19
    1    logit-normal  0.11       0.18       0.19
    2  spike and slab  0.18       0.18       0.19
    3            grid  0.18       0.18       0.19
    4    counts alone   NaN       0.18       0.19
    """
    import pandas as pd

    if not isinstance(trials, Trials):
        raise ArgumentError(
            f"model_range needs Trials, not {type(trials).__name__}; make them with "
            "Trials.from_frame(...)."
        )
    prob = check_prob(prob)
    wanted = as_estimands(estimands, trials.counts, model=True)
    chosen = _checked(models)
    bounds = identified_set(trials, list(wanted), prob=prob, rng=rng)
    bounds.insert(2, "model", ALONE)
    parts = []
    for name, model in chosen.items():
        post = fit(trials, model, rng=rng)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", IdentifiabilityWarning)  # "identified" says it
            table = post.summary(list(wanted), prob=prob)
        table.insert(2, "model", name)
        table["log_evidence"] = post.log_evidence.reindex(table["system"]).to_numpy()
        ends = bounds[["set_lower", "set_upper"]].to_numpy()
        table["set_lower"], table["set_upper"] = ends.T
        low, high = bounds["lower"].to_numpy(), bounds["upper"].to_numpy()
        mean = table["mean"].to_numpy()
        table["within"] = (mean >= np.fmin(low, ends[:, 0])) & (mean <= np.fmax(high, ends[:, 1]))
        parts.append(table)
    bounds["log_evidence"], bounds["within"] = np.nan, True
    columns = [*COLUMNS[:2], "model", *COLUMNS[2:], *MORE]
    rows = len(bounds)
    stacked = pd.concat([part[columns].astype({"within": bool}) for part in [*parts, bounds]])
    order = np.arange(rows * (len(parts) + 1)).reshape(-1, rows).T.ravel()
    return stacked.iloc[order].reset_index(drop=True)


def _checked(models: Any) -> dict[str, Model]:
    """Give names and models."""
    if models is None:
        return usual_models()
    if not isinstance(models, Mapping) or not models:
        raise ArgumentError(
            f"models must be a mapping of names to models, such as "
            f"{{'beta': BetaBinomial()}}, not {models!r}."
        )
    for name, model in models.items():
        if not isinstance(model, Model) or isinstance(model, type):
            raise ArgumentError(f"models[{name!r}] must be a model, not {model!r}.")
        if str(name) == ALONE:
            raise ArgumentError(f"{ALONE!r} is the name of the bounds; name the model otherwise.")
    return {str(name): model for name, model in models.items()}
