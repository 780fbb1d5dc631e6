"""Answers of an engine with their labels: of estimands by unit, of comparisons by system."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .. import _summary
from .._counts import Counts
from .._numerics import FloatArray
from .._summary import Question
from ..estimands import Contrast, Estimand
from ..exceptions import ArgumentError
from .conditions import Paired, contrast_draws, contrast_rows, warn_of_pairs
from .engine import Engine

Row = tuple[Question, dict[str, Any]]


def summary_rows(
    engine: Engine,
    counts: Counts,
    wanted: Sequence[Question],
    baseline: str | None,
    over: str,
    prob: float,
) -> list[Row]:
    """Give the columns of a summary for each question, in the order asked."""
    plain = [item for item in wanted if isinstance(item, Estimand)]
    paired = {
        item: Paired.of(item, counts, baseline) for item in wanted if isinstance(item, Contrast)
    }
    warn_of_pairs(engine, counts, list(paired.values()), over)
    solve = engine.population if over == "population" else engine.observed
    marginals = dict(zip(plain, solve(plain, prob) if plain else [], strict=True))
    interval = getattr(engine, "interval", "eti")
    rows: list[Row] = []
    for item in wanted:
        if isinstance(item, Contrast):
            rows.append((item, contrast_rows(engine, counts, paired[item], over, prob)))
            continue
        marginal = marginals[item]
        fields = {
            "mean": marginal.mean,
            "sd": marginal.sd,
            "lower": marginal.lower,
            "upper": marginal.upper,
            "interval": interval,
            "identified": _summary.identification_by_unit(item, counts, over),
            "ess_bulk": marginal.ess_bulk,
            "r_hat": marginal.r_hat,
        }
        rows.append((item, fields))
    _summary.warn_unidentified(
        [item.name for item, f in rows if isinstance(item, Estimand) and "no" in f["identified"]],
        stacklevel=4,
    )
    return rows


def labelled_draws(
    engine: Engine,
    counts: Counts,
    wanted: Sequence[Question],
    baseline: str | None,
    over: str,
    chains: int,
    draws: int,
) -> list[tuple[str, tuple[str, ...], FloatArray]]:
    """Draw all questions jointly: name, labels and (chains, draws, labels) of each."""
    contrasts = [item for item in wanted if isinstance(item, Contrast)]
    plain = [item for item in wanted if isinstance(item, Estimand)]
    if contrasts and plain:
        raise ArgumentError(
            f"{contrasts[0].name} has a value for each system and {plain[0].name} one for each "
            "system under each condition; draw them in two calls: these are joint all the same."
        )
    if plain:
        values = engine.draws(plain, over, chains, draws)
        return [(e.name, counts.units, v) for e, v in zip(plain, values, strict=True)]
    paired = [Paired.of(item, counts, baseline) for item in contrasts]
    warn_of_pairs(engine, counts, paired, over)
    return [
        (p.contrast.name, counts.systems, contrast_draws(engine, p, over, chains, draws))
        for p in paired
    ]
