"""Names of the states of a cell, and their bounds on the success probability."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import special

from .._numerics import FloatArray
from .._validation import check_fraction
from ..exceptions import ArgumentError
from ..models import Beta

NOT_SHOWN, FLICKERING, PERSISTENT = "not shown", "flickering", "persistent"
STATES = (NOT_SHOWN, FLICKERING, PERSISTENT)
UNDETERMINED, APPARENT = "undetermined", "apparent flicker"

NODES = 5


@dataclass(frozen=True)
class Grader:
    """How often a grader is right, as far as that is known.

    Parameters
    ----------
    sensitivity : float in (0, 1] or Beta
        Chance that a true success is graded as one. `Beta(1 + right, 1 + wrong)` after an audit of
        true successes.
    specificity : float in (0, 1] or Beta
        Chance that a true failure is graded as one.

    Raises
    ------
    ArgumentError
        If an argument is of another kind, or the grader may be no better than a coin.

    Notes
    -----
    Grades pass at the rate p * sensitivity + (1 - p) * (1 - specificity). Outcomes alone do not
    identify the two; an audit sample does.

    References
    ----------
    Rogan and Gladen (1978), https://doi.org/10.1093/oxfordjournals.aje.a112510

    Examples
    --------
    >>> import reliability_stats as rs
    >>> rs.Grader(sensitivity=rs.Beta(98, 4), specificity=0.99)
    Grader(sensitivity=Beta(a=98, b=4), specificity=0.99)
    """

    sensitivity: Any
    specificity: Any

    def __post_init__(self) -> None:
        """Check the fields."""
        for name in ("sensitivity", "specificity"):
            value = getattr(self, name)
            if not isinstance(value, Beta):
                object.__setattr__(self, name, check_fraction(value, name))
        weakest = min(_nodes(self.sensitivity)) + min(_nodes(self.specificity))
        if weakest <= 1.0:
            raise ArgumentError(
                "sensitivity + specificity must exceed 1 over their plausible values, but may be "
                f"{weakest:.3g}: such grades say nothing. Audit more trials."
            )

    def rates(self, p: float) -> FloatArray:
        """Rates of passing grades at a true success probability, for plausible graders.

        Parameters
        ----------
        p : float in [0, 1]
            Success probability.

        Returns
        -------
        (graders,) ndarray
            All equally probable.

        Examples
        --------
        >>> Grader(0.9, 1.0).rates(0.5)
        array([0.45, ...])
        """
        hit, clear = np.meshgrid(_nodes(self.sensitivity), _nodes(self.specificity))
        return np.asarray(p * hit.ravel() + (1.0 - p) * (1.0 - clear.ravel()))


def _nodes(value: Any) -> FloatArray:
    """Give equally probable values of a known or uncertain share."""
    if isinstance(value, Beta):
        levels = (np.arange(NODES) + 0.5) / NODES
        return np.asarray(special.betaincinv(value.a, value.b, levels))
    return np.full(NODES, float(value))


@dataclass(frozen=True)
class Bounds:
    """Bounds of flickering, as rates of passing grades: pairs that are equally probable."""

    low: float
    high: float
    pairs: tuple[tuple[float, float], ...]

    @classmethod
    def of(cls, low: float, high: float, grader: Grader | None) -> Bounds:
        """Translate the bounds through a grader, if there is one."""
        if grader is None:
            return cls(low, high, ((low, high),))
        pairs = zip(grader.rates(low).tolist(), grader.rates(high).tolist(), strict=True)
        return cls(low, high, tuple(dict.fromkeys(pairs)) if _fixed(grader) else tuple(pairs))

    def weights(self, p: FloatArray) -> FloatArray:
        """Probability of each state given the rate of passing grades, shape (3, nodes)."""
        low, high = (np.array(side)[:, None] for side in zip(*self.pairs, strict=True))
        below, above = (p <= low).mean(axis=0), (p >= high).mean(axis=0)
        return np.stack([below, 1.0 - below - above, above])

    def edges(self) -> Sequence[float]:
        """All bounds."""
        return [bound for pair in self.pairs for bound in pair]


def _fixed(grader: Grader) -> bool:
    """Say whether a grader is fully known."""
    return not isinstance(grader.sensitivity, Beta) and not isinstance(grader.specificity, Beta)
