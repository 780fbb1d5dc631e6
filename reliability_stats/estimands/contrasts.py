"""What a perturbation estimand is: a function of one estimand's values under several conditions."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike

from .._numerics import FloatArray
from .._validation import check_positive, suggest
from ..exceptions import ArgumentError
from .base import Estimand
from .moments import SuccessRate

PERSISTS, DEGRADES, IMPROVES, VARIES = "persists", "degrades", "improves", "varies"
UNDETERMINED = "undetermined"


@dataclass(frozen=True, kw_only=True)
class Contrast(ABC):
    """A comparison of conditions, within one system, on the same tasks.

    Parameters
    ----------
    of : estimand, default SuccessRate()
        What is compared, such as `PassHatK(4)`.
    baseline : str, optional
        The condition that others are set against. Left out, it is that of the fitted model or, of
        two conditions, the other one.
    margin : float > 0, optional
        The loss that is still tolerated. If it is stated, tables say how sure it is that the loss
        is smaller, and give a verdict.
    """

    of: Estimand = field(default_factory=SuccessRate)
    baseline: str | None = None
    margin: float | None = None
    beyond: ClassVar[str] = DEGRADES
    """Verdict where the loss surely exceeds the margin."""
    signed: ClassVar[bool] = True
    """Whether the loss can be negative, so that it may lie beyond the margin on the other side."""

    def __post_init__(self) -> None:
        """Check the fields."""
        if not isinstance(self.of, Estimand):
            raise ArgumentError(f"of must be an estimand such as PassHatK(4), not {self.of!r}.")
        if self.baseline is not None and not isinstance(self.baseline, str):
            raise ArgumentError(
                f"baseline must be the label of a condition, not {self.baseline!r}."
            )
        if self.margin is not None:
            object.__setattr__(self, "margin", check_positive(self.margin, "margin"))

    @property
    @abstractmethod
    def name(self) -> str:
        """Label in the ``estimand`` column of every table."""

    @abstractmethod
    def wanted(self, conditions: Sequence[str], baseline: str) -> tuple[str, ...]:
        """Give the conditions that are compared with the baseline, out of those there are."""

    @abstractmethod
    def combine(self, values: FloatArray) -> FloatArray:
        """Turn values of `of`, (..., conditions) with the baseline first, into the value."""

    def loss(self, value: FloatArray) -> FloatArray:
        """Give what is compared with the margin; large is bad."""
        return value

    def from_p(self, p: ArrayLike) -> FloatArray:
        """Evaluate at known success probabilities.

        Parameters
        ----------
        p : (..., conditions, tasks) array_like of float in [0, 1]
            Success probabilities, the baseline first.

        Returns
        -------
        (...) ndarray

        Raises
        ------
        ArgumentError
            If there are fewer than two conditions, or a probability lies outside [0, 1].

        Examples
        --------
        >>> from reliability_stats import Degradation
        >>> Degradation("noisy").from_p([[1.0, 0.8], [0.5, 0.7]]).round(3)
        np.float64(0.3)
        """
        values = np.asarray(self.of.from_p(p), dtype=float)
        if values.ndim < 1 or values.shape[-1] < 2:
            raise ArgumentError(
                "p must have at least two rows: success probabilities under the baseline and under "
                "another condition."
            )
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.asarray(self.combine(values))

    def levels(self, conditions: Sequence[str], baseline: str | None = None) -> tuple[str, ...]:
        """Give the conditions that enter, the baseline first.

        Parameters
        ----------
        conditions : sequence of str
            Those of the data.
        baseline : str, optional
            The model's, used where the estimand names none.

        Returns
        -------
        tuple of str

        Raises
        ------
        ArgumentError
            If a condition does not occur, or the baseline is not clear.
        """
        if len(conditions) < 2:
            have = f"only the condition {conditions[0]!r}" if conditions else "no conditions"
            raise ArgumentError(
                f"{self.name} compares conditions, but the trials have {have}. Name their column, "
                "as in Trials.from_frame(..., condition='condition')."
            )
        base = self._base(conditions, self.baseline or baseline)
        wanted = self.wanted(conditions, base)
        for label in (base, *wanted):
            if label not in conditions:
                shown = ", ".join(repr(name) for name in conditions[:10])
                raise ArgumentError(
                    f"{label!r} in {self.name} is no condition of the trials"
                    f"{suggest(label, conditions)}; these are: {shown}."
                )
        if base in wanted or not wanted:
            raise ArgumentError(f"{self.name} would compare the baseline {base!r} with itself.")
        return (base, *wanted)

    def _base(self, conditions: Sequence[str], baseline: str | None) -> str:
        """Give the baseline: the one named or, of two conditions, the one that is not compared."""
        if baseline is not None:
            return baseline
        named = set(self.wanted(conditions, ""))
        others = [name for name in conditions if name not in named]
        if len(others) == 1:
            return others[0]
        shown = ", ".join(repr(name) for name in conditions[:10])
        raise ArgumentError(
            f"{self.name} needs a baseline, one of the conditions {shown}: give "
            f"{type(self).__name__}(..., baseline={conditions[0]!r})."
        )


@dataclass(frozen=True)
class OfOneCondition(Contrast):
    """A comparison of one condition with the baseline."""

    condition: str

    def __post_init__(self) -> None:
        """Check the fields."""
        super().__post_init__()
        if not isinstance(self.condition, str):
            raise ArgumentError(
                f"condition must be the label of a condition, not {self.condition!r}."
            )
        if self.condition == self.baseline:
            raise ArgumentError(f"condition and baseline are both {self.condition!r}.")

    def wanted(self, conditions: Sequence[str], baseline: str) -> tuple[str, ...]:  # noqa: ARG002
        """Give the one condition."""
        return (self.condition,)


@dataclass(frozen=True)
class OfAllConditions(Contrast):
    """A comparison of all conditions, or of those that are named, with the baseline."""

    conditions: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        """Check the fields, and freeze the list of conditions."""
        super().__post_init__()
        if self.conditions is None:
            return
        given: object = self.conditions
        if isinstance(given, str) or not all(isinstance(name, str) for name in self.conditions):
            raise ArgumentError(f"conditions must be a list of labels, not {self.conditions!r}.")
        names = tuple(dict.fromkeys(self.conditions))
        if not names:
            raise ArgumentError("conditions is empty; leave it out to compare all.")
        object.__setattr__(self, "conditions", names)

    def wanted(self, conditions: Sequence[str], baseline: str) -> tuple[str, ...]:
        """Give the conditions named, or all but the baseline."""
        if self.conditions is not None:
            return self.conditions
        return tuple(name for name in conditions if name != baseline)


def verdicts(
    contrast: Contrast,
    below: FloatArray,
    within: FloatArray,
    beyond: FloatArray,
    prob: float,
    error: FloatArray | float = 0.0,
) -> list[str]:
    """Say of each system what is established with probability `prob`.

    Parameters
    ----------
    contrast : Contrast
        What was estimated.
    below, within, beyond : (systems,) array
        Probabilities that the loss is below the margin, within it on both sides, and beyond it.
    prob : float
        Probability from which something counts as established.
    error : (systems,) array or float
        Standard error of these probabilities. Nothing is decided within two of them.

    Returns
    -------
    list of str
        "persists", "degrades" (or "varies"), "improves" or "undetermined".
    """
    out = np.full(np.shape(below), UNDETERMINED, dtype=object)
    bar = prob + 2.0 * np.asarray(error)
    surely = contrast.signed & (below - within >= bar)
    kept = within if contrast.signed else below
    for found, word in ((kept >= bar, PERSISTS), (beyond >= bar, contrast.beyond)):
        out[np.asarray(found)] = word
    out[np.asarray(surely)] = IMPROVES
    return [str(word) for word in out]
