"""The one schema of a summary table."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ._numerics import FloatArray, IntArray
from .estimands import (
    ICC,
    Estimand,
    FlickerMass,
    Gap,
    PassAtK,
    PassHatK,
    Persistence,
    SuccessRate,
)
from .exceptions import ArgumentError, IdentifiabilityWarning
from .trials import Counts

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = (
    "estimand",
    "system",
    "over",
    "mean",
    "sd",
    "lower",
    "upper",
    "prob",
    "interval",
    "identified",
    "ess_bulk",
    "r_hat",
)


def as_estimands(
    estimands: Estimand | Sequence[Estimand] | None, counts: Counts, *, model: bool
) -> tuple[Estimand, ...]:
    """Accept one estimand, several, or None for the usual ones.

    Raises
    ------
    ArgumentError
        If something else than estimands is given, or two have the same name.
    """
    if estimands is None:
        return default_estimands(counts, model=model)
    if isinstance(estimands, Estimand):
        return (estimands,)
    if isinstance(estimands, (str, bytes)) or not isinstance(estimands, Iterable):
        raise ArgumentError(
            f"estimands must be an estimand such as PassHatK(4) or a list of them, not {estimands!r}."
        )
    out = tuple(estimands)
    for item in out:
        if not isinstance(item, Estimand):
            hint = " (write it with parentheses)" if isinstance(item, type) else ""
            raise ArgumentError(
                f"estimands must hold estimands such as PassHatK(4); got {item!r}{hint}."
            )
    if not out:
        raise ArgumentError("estimands is empty; give at least one, such as PassHatK(4).")
    return tuple(dict.fromkeys(out))


def usual_k(counts: Counts) -> int:
    """Number of trials that at least half of the cells have."""
    return int(np.quantile(counts.n, 0.5, method="lower"))


def default_estimands(counts: Counts, *, model: bool) -> tuple[Estimand, ...]:
    """Capability, reliability and their gap at the usual number of trials."""
    k = usual_k(counts)
    if k < 2:
        return (SuccessRate(), ICC())
    usual: tuple[Estimand, ...] = (
        SuccessRate(),
        PassAtK(k),
        PassHatK(k),
        Gap(k),
        Persistence(1),
        ICC(),
    )
    return (*usual, FlickerMass()) if model else usual


def identification(estimand: Estimand, n: IntArray) -> str:
    """Say whether counts with n trials a task fix the value: "yes", "model" or "no".

    "yes" if at least half of the tasks have as many trials as the estimand's degree; "no" if it needs
    repetition and no task was repeated; "model" if the value rests on the model's shape.
    """
    if np.mean(n >= estimand.degree) >= 0.5:
        return "yes"
    return "no" if n.max() == 1 else "model"


def identification_by_unit(estimand: Estimand, counts: Counts) -> list[str]:
    """Give `identification` for each unit of the counts."""
    order = np.argsort(counts.unit, kind="stable")
    groups = np.split(counts.n[order], np.flatnonzero(np.diff(counts.unit[order])) + 1)
    return [identification(estimand, n) for n in groups]


def warn_unidentified(names: Iterable[str], stacklevel: int = 3) -> None:
    """Warn that values repeat the prior because no task was tried twice."""
    listed = ", ".join(dict.fromkeys(names))
    if listed:
        warnings.warn(
            f"{listed}: not identified, since no task of some systems was tried more than once. "
            "The posterior of the correlation is its prior, and these rows only restate it. "
            "Run each task at least twice, or use the bounds mean^k <= pass^k <= mean.",
            IdentifiabilityWarning,
            stacklevel=stacklevel,
        )


def table(
    rows: Sequence[tuple[Estimand, dict[str, Any]]], units: Sequence[str], over: str, prob: float
) -> pd.DataFrame:
    """Stack results into the summary schema, estimand by estimand.

    Parameters
    ----------
    rows : sequence of (estimand, fields)
        Fields mean, sd, lower, upper (units,), interval (str or sequence), identified (sequence) and,
        where chains exist, ess_bulk and r_hat (units,).
    units : sequence of str
        Labels of the ``system`` column.
    over : str
        Target of inference.
    prob : float
        Interval mass.

    Returns
    -------
    pandas.DataFrame
    """
    import pandas as pd

    empty: FloatArray = np.full(len(units), np.nan)
    frames = []
    for estimand, fields in rows:
        values = {
            "estimand": estimand.name,
            "system": list(units),
            "over": over,
            "prob": prob,
            "ess_bulk": empty,
            "r_hat": empty,
            **fields,
        }
        frames.append(pd.DataFrame(values, columns=list(COLUMNS)))
    return pd.concat(frames, ignore_index=True)
