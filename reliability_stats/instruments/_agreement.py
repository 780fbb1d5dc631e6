"""Agreement of annotators, by statsmodels."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._numerics import IntArray
from .._validation import check_prob
from ._labels import Labelled

RESAMPLES = 1000


def agreement_rows(
    labelled: Labelled, prob: float, rng: np.random.Generator
) -> list[dict[str, Any]]:
    """Give kappa of every mode (present or not), and of the whole set of modes."""
    prob = check_prob(prob)
    usual = int(np.bincount(labelled.annotations).argmax())
    rows: list[dict[str, Any]] = []
    if usual < 2:
        return rows
    kept = np.flatnonzero(labelled.annotations == usual)
    at = labelled.first[kept][:, None] + np.arange(usual)
    sets = labelled.category[at]
    columns = [("(all modes)", sets)]
    given = labelled.categories[sets]
    columns += [(name, given[:, :, m].astype(int)) for m, name in enumerate(labelled.modes)]
    for name, values in columns:
        rows.append(
            _kappa(name, values, prob, rng) | {"left_out": len(labelled.system) - len(kept)}
        )
    return rows


def _kappa(name: str, values: IntArray, prob: float, rng: np.random.Generator) -> dict[str, Any]:
    """Give Fleiss' kappa of (failures, annotators), with an interval by resampling failures."""
    from statsmodels.stats.inter_rater import aggregate_raters, fleiss_kappa

    counts = aggregate_raters(values)[0]
    share = float((values == values[:, :1]).all(axis=1).mean())
    row: dict[str, Any] = {"mode": name, "failures": len(values), "annotators": values.shape[1]}
    if counts.shape[1] == 1:
        kappa, low, high = np.nan, np.nan, np.nan
    else:
        kappa = float(fleiss_kappa(counts))
        found = np.array([_fleiss(counts[at]) for at in _resamples(len(counts), rng)])
        found = found[np.isfinite(found)]
        low, high = np.quantile(found, [(1 - prob) / 2, (1 + prob) / 2])
    return row | {"all_agree": share, "kappa": kappa, "lower": low, "upper": high, "prob": prob}


def _resamples(size: int, rng: np.random.Generator) -> IntArray:
    """Give rows of resampled failures."""
    return rng.integers(size, size=(RESAMPLES, size))


def _fleiss(counts: IntArray) -> float:
    """Give Fleiss' kappa of a table of counts (failures, categories); NaN without variation."""
    n = counts.sum(axis=1)[0]
    p = counts.sum(axis=0) / counts.sum()
    chance = float(p @ p)
    seen = float(((counts**2).sum(axis=1) - n).mean() / (n * (n - 1)))
    return (seen - chance) / (1.0 - chance) if chance < 1 else np.nan
