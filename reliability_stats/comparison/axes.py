"""Which axis an estimand belongs to, and what is shown beside it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from .._summary import as_estimands, usual_k
from ..estimands import (
    Dependable,
    Estimand,
    GPassAtK,
    MeanGPassAtK,
    PassAtK,
    PassHatK,
    Persistence,
    Reach,
    SuccessRate,
)
from ..trials import Counts

CAPABILITY, RELIABILITY, OTHER = "capability", "reliability", "other"
_KINDS = {
    CAPABILITY: (SuccessRate, PassAtK, Reach),
    RELIABILITY: (PassHatK, Persistence, GPassAtK, MeanGPassAtK, Dependable),
}


def axis_of(estimand: Estimand) -> str:
    """Say whether an estimand is of capability, of reliability, or of neither alone."""
    for axis, kinds in _KINDS.items():
        if isinstance(estimand, kinds):
            return axis
    return OTHER


def both_axes(
    estimands: Estimand | Iterable[Estimand] | None, counts: Counts
) -> tuple[Estimand, ...]:
    """Add what is missing for capability and reliability to stand side by side.

    Capability comes first, then reliability, then the rest. What is added has the number of tries
    of the first estimand that has one, otherwise the usual number of trials, at least 2.
    """
    asked = () if estimands is None else as_estimands(estimands, counts, model=True)
    axes = {axis_of(estimand) for estimand in asked}
    k = _tries(asked, counts)
    added: list[Estimand] = []
    if CAPABILITY not in axes:
        added.append(PassAtK(k))
    if RELIABILITY not in axes:
        added.append(PassHatK(k))
    order = {CAPABILITY: 0, RELIABILITY: 1, OTHER: 2}
    return tuple(sorted((*asked, *added), key=lambda estimand: order[axis_of(estimand)]))


def _tries(estimands: Sequence[Estimand], counts: Counts) -> int:
    """Give the number of tries to use for what is added."""
    for estimand in estimands:
        k = estimand.m + 1 if isinstance(estimand, Persistence) else getattr(estimand, "k", 0)
        if isinstance(k, int) and k > 1:
            return k
    return max(2, usual_k(counts))
