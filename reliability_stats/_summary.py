"""The one schema of a summary table."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from ._numerics import FloatArray, IntArray
from .estimands import (
    ICC,
    Contrast,
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

Question = Estimand | Contrast
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


MARGINS = ("margin", "p_below_margin", "p_within_margin", "p_beyond_margin", "verdict")
"""Columns that are added where an estimand states a margin."""


def as_estimands(
    estimands: Estimand | Iterable[Estimand] | None, counts: Counts, *, model: bool
) -> tuple[Estimand, ...]:
    """Accept one estimand, several, or None for the usual ones; repeated ones are given once.

    Raises
    ------
    ArgumentError
        If something else than estimands is given, or different ones have the same name.
    """
    wanted = as_questions(estimands, counts, model=model)
    for item in wanted:
        _checked(item)
    return cast("tuple[Estimand, ...]", wanted)


def as_questions(
    estimands: Question | Iterable[Question] | None, counts: Counts, *, model: bool
) -> tuple[Question, ...]:
    """Accept estimands and comparisons of conditions, as `as_estimands` does estimands.

    Raises
    ------
    ArgumentError
        If something else than estimands is given, or different ones have the same name.
    """
    if estimands is None:
        return default_estimands(counts, model=model)
    if isinstance(estimands, (Estimand, Contrast)):
        return (estimands,)
    several = isinstance(estimands, Iterable) and not isinstance(estimands, (str, bytes, Mapping))
    if not several:
        raise ArgumentError(
            "estimands must be an estimand such as PassHatK(4) or a list of them, not "
            f"{_described(estimands)}."
        )
    out: tuple[Question, ...] = tuple(
        dict.fromkeys(i if isinstance(i, Contrast) else _checked(i) for i in estimands)
    )
    if not out:
        raise ArgumentError("estimands is empty; give at least one, such as PassHatK(4).")
    named: dict[str, Question] = {}
    for item in out:
        if named.setdefault(item.name, item) is not item:
            raise ArgumentError(
                f"{named[item.name]!r} and {item!r} would both be called {item.name!r}; "
                "leave one out."
            )
    return out


def _checked(item: object) -> Estimand:
    """Give an item of a list of estimands, which must be one."""
    if not isinstance(item, Estimand):
        raise ArgumentError(
            f"estimands must hold estimands such as PassHatK(4), not {_described(item)}."
        )
    return item


def _described(item: object) -> str:
    """Describe what was given for an estimand."""
    if isinstance(item, Contrast):
        return f"{item.name}, which compares conditions: ask Posterior.summary or estimate for it"
    if isinstance(item, type) and issubclass(item, (Estimand, Contrast)):
        return f"the class {item.__name__}; write it with parentheses, {item.__name__}(...)"
    return repr(item)


def usual_k(counts: Counts) -> int:
    """Give the lower median of the numbers of trials: at least half of the cells have as many."""
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

    "yes" if at least half of the tasks have as many trials as the estimand's degree; "no" if it
    needs repetition and no task was repeated; "model" if the value rests on the model's shape.
    """
    n = np.asarray(n)
    if n.size and np.mean(n >= estimand.degree) >= 0.5:
        return "yes"
    return "no" if n.max(initial=0) <= 1 else "model"


def identification_by_unit(estimand: Estimand, counts: Counts, over: str) -> list[str]:
    """Give `identification` for each unit of the counts.

    Over the observed tasks, one trial a task fixes the mean but not how far it may be off: the
    width of the interval then rests on the model.
    """
    order = np.argsort(counts.unit, kind="stable")
    groups = np.split(counts.n[order], np.flatnonzero(np.diff(counts.unit[order])) + 1)
    found = [identification(estimand, n) for n in groups]
    if over == "population":
        return found
    return [
        "model" if word == "yes" and n.max() == 1 else word
        for word, n in zip(found, groups, strict=True)
    ]


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
    rows: Sequence[tuple[Question, dict[str, Any]]], units: Sequence[str], over: str, prob: float
) -> pd.DataFrame:
    """Stack results into the summary schema, estimand by estimand.

    Parameters
    ----------
    rows : sequence of (estimand, fields)
        Fields mean, sd, lower, upper (units,), interval (str or sequence), identified (sequence)
        and, where chains exist, ess_bulk and r_hat (units,). Comparisons of conditions give their
        own system, and the columns of `MARGINS` if they state a margin.
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

    columns = [*COLUMNS, *(MARGINS if any("margin" in fields for _, fields in rows) else ())]
    frames = []
    for estimand, fields in rows:
        empty: FloatArray = np.full(len(fields.get("system", units)), np.nan)
        values = {
            "estimand": estimand.name,
            "system": list(units),
            "over": over,
            "prob": prob,
            "ess_bulk": empty,
            "r_hat": empty,
            **dict.fromkeys(MARGINS[:-1], empty),
            "verdict": "",
            **fields,
        }
        frames.append(pd.DataFrame(values)[columns])
    return pd.concat(frames, ignore_index=True)


def named_table(rows: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """Give rows that name their own estimand in the summary schema.

    Parameters
    ----------
    rows : sequence of mapping
        With all columns but ess_bulk and r_hat, which are NaN where no chains exist, and interval,
        which is "eti" by default.

    Returns
    -------
    pandas.DataFrame
    """
    import pandas as pd

    empty = {"interval": "eti", "ess_bulk": np.nan, "r_hat": np.nan}
    return pd.DataFrame([{**empty, **row} for row in rows], columns=list(COLUMNS))
