"""Success rate, pass@k, pass^k and their gap: what k trials of a task do together."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from .._numerics import FloatArray
from .._validation import check_k
from .scores import ScoreMean
from .urn import Urn


@dataclass(frozen=True)
class ScoreOfK(ScoreMean):
    """A mean score of k trials, with k as a field."""

    k: int
    _least: ClassVar[int] = 1

    def __post_init__(self) -> None:
        """Check k."""
        object.__setattr__(self, "k", check_k(self.k, minimum=self._least))

    @property
    def degree(self) -> float:
        """Equal to k."""
        return self.k

    @property
    def bounds(self) -> tuple[float, float]:
        """Zero and one, as for every chance."""
        return 0.0, 1.0


@dataclass(frozen=True)
class PassHatK(ScoreOfK):
    r"""pass^k: the chance that all of k trials of a task succeed, averaged over tasks.

    :math:`E[p^k]`, estimated without bias by :math:`\binom{y}{k} / \binom{n}{k}` for each task with
    y successes in n trials.

    Parameters
    ----------
    k : int >= 1
        Number of trials.

    Raises
    ------
    ArgumentError
        If k is not an integer of at least 1.

    References
    ----------
    Yao et al. (2024), tau-bench, https://doi.org/10.48550/arXiv.2406.12045

    Examples
    --------
    >>> from reliability_stats import PassHatK
    >>> round(PassHatK(2).from_counts([4, 4], [4, 2]), 4)
    0.5833
    """

    @property
    def name(self) -> str:
        """``pass^k``."""
        return f"pass^{self.k}"

    def scores(self) -> FloatArray:
        """One if all trials succeed."""
        return np.asarray(np.arange(self.k + 1) == self.k, dtype=float)

    def chance(self, urn: Urn) -> FloatArray:
        """Chance that all succeed."""
        return urn.all(self.k)

    def chance_square(self, urn: Urn) -> FloatArray:
        """Chance that all of twice as many succeed."""
        return urn.all(2 * self.k)


@dataclass(frozen=True)
class SuccessRate(PassHatK):
    """Mean success rate E[p], the score that most leaderboards print; equal to pass^1 and pass@1.

    Examples
    --------
    >>> from reliability_stats import SuccessRate
    >>> SuccessRate().from_p([0.2, 0.6])
    np.float64(0.4)
    """

    k: int = field(default=1, init=False, repr=False)

    @property
    def name(self) -> str:
        """``success_rate``."""
        return "success_rate"


@dataclass(frozen=True)
class PassAtK(ScoreOfK):
    r"""pass@k: the chance that at least one of k trials of a task succeeds, averaged over tasks.

    :math:`1 - E[(1-p)^k]`, estimated without bias by :math:`1 - \binom{n-y}{k} / \binom{n}{k}` for
    each task with y successes in n trials.

    Parameters
    ----------
    k : int >= 1
        Number of trials.

    Raises
    ------
    ArgumentError
        If k is not an integer of at least 1.

    References
    ----------
    Chen et al. (2021), https://doi.org/10.48550/arXiv.2107.03374

    Examples
    --------
    >>> from reliability_stats import PassAtK
    >>> round(PassAtK(2).from_counts([10], [3]), 6)
    0.533333
    """

    @property
    def name(self) -> str:
        """``pass@k``."""
        return f"pass@{self.k}"

    def scores(self) -> FloatArray:
        """One if any trial succeeds."""
        return np.asarray(np.arange(self.k + 1) > 0, dtype=float)

    def chance(self, urn: Urn) -> FloatArray:
        """Chance that any succeeds."""
        return urn.any(self.k)

    def chance_square(self, urn: Urn) -> FloatArray:
        """Chance that any succeeds in each of two lots."""
        return urn.any_square(self.k)


@dataclass(frozen=True)
class Gap(ScoreOfK):
    r"""Capability minus reliability: pass@k - pass^k, the chance that k trials of a task disagree.

    :math:`1 - E[p^k] - E[(1-p)^k]`. It needs no threshold and no model up to k = n.

    Parameters
    ----------
    k : int >= 2
        Number of trials.

    Raises
    ------
    ArgumentError
        If k is not an integer of at least 2.

    Examples
    --------
    >>> from reliability_stats import Gap
    >>> round(Gap(4).from_counts([4, 4, 4, 4], [0, 2, 3, 4]), 6)
    0.5
    """

    _least: ClassVar[int] = 2

    @property
    def name(self) -> str:
        """``gap@k``."""
        return f"gap@{self.k}"

    def scores(self) -> FloatArray:
        """One if some trials succeed and others fail."""
        successes = np.arange(self.k + 1)
        return np.asarray((successes > 0) & (successes < self.k), dtype=float)

    def chance(self, urn: Urn) -> FloatArray:
        """Chance that not all end alike."""
        return urn.disagree(self.k)

    def chance_square(self, urn: Urn) -> FloatArray:
        """Chance that not all end alike in each of two lots."""
        return urn.disagree_square(self.k)


@dataclass(frozen=True)
class Disagreement(Gap):
    """The chance that two trials of a task disagree, 2 E[p(1-p)]; equal to ``Gap(2)``.

    Examples
    --------
    >>> from reliability_stats import Disagreement
    >>> round(float(Disagreement().from_beta(1, 1)), 6)
    0.333333
    """

    k: int = field(default=2, init=False, repr=False)

    @property
    def name(self) -> str:
        """``disagreement``."""
        return "disagreement"
