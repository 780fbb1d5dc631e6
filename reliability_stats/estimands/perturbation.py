"""Whether success persists when conditions change: losses, ratios, the worst case, the spread."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from .._numerics import FloatArray
from .contrasts import VARIES, OfAllConditions, OfOneCondition


@dataclass(frozen=True)
class Degradation(OfOneCondition):
    r"""Loss under a condition: the value under the baseline less that under the condition.

    :math:`D = E[g(p_0)] - E[g(p_1)]`, on the same tasks; positive if the condition harms. The
    performance drop of the literature, in points.

    Parameters
    ----------
    condition : str
        The condition that is set against the baseline.
    of : estimand, default SuccessRate()
        What is compared, such as `PassHatK(4)`.
    baseline : str, optional
        By default that of the fitted model or, of two conditions, the other one.
    margin : float > 0, optional
        Loss that is still tolerated, in points. "persists" is said where \|D\| is surely within it,
        "degrades" where D surely exceeds it, "improves" where -D does.

    Raises
    ------
    ArgumentError
        If a field is not of the right kind.

    References
    ----------
    Schuirmann (1987), https://doi.org/10.1007/BF01068419

    Examples
    --------
    >>> import reliability_stats as rs
    >>> rs.Degradation("noisy", of=rs.PassHatK(4), margin=0.05).name
    'degradation(pass^4, noisy)'
    """

    @property
    def name(self) -> str:
        """``degradation(success_rate, condition)``."""
        return f"degradation({self.of.name}, {self.condition})"

    def combine(self, values: FloatArray) -> FloatArray:
        """Value under the baseline less that under the condition."""
        return np.asarray(values[..., 0] - values[..., 1])


@dataclass(frozen=True)
class Retention(OfOneCondition):
    r"""Share that is kept under a condition: the value under it over that under the baseline.

    :math:`R = E[g(p_1)] / E[g(p_0)]`, not clipped: where nothing is lost, estimates lie above 1 as
    often as below, and cutting them there would feign a loss. Robustness as min(R, 1) (Princeton
    HAL) and the performance drop rate 1 - R (PromptBench) are functions of it.

    Parameters
    ----------
    condition : str
        The condition that is set against the baseline.
    of : estimand, default SuccessRate()
        What is compared.
    baseline : str, optional
        By default that of the fitted model or, of two conditions, the other one.
    margin : float > 0, optional
        Loss 1 - R that is still tolerated, as a share of the baseline's value.

    Raises
    ------
    ArgumentError
        If a field is not of the right kind.

    References
    ----------
    Fieller (1954), https://doi.org/10.1111/j.2517-6161.1954.tb00159.x;
    Zhu et al. (2023), PromptBench, https://doi.org/10.48550/arXiv.2306.04528

    Examples
    --------
    >>> import reliability_stats as rs
    >>> rs.Retention("noisy").from_p([[0.5, 0.5], [0.5, 0.7]]).round(3)
    np.float64(1.2)
    """

    @property
    def name(self) -> str:
        """``retention(success_rate, condition)``."""
        return f"retention({self.of.name}, {self.condition})"

    def combine(self, values: FloatArray) -> FloatArray:
        """Value under the condition over that under the baseline; NaN where the latter is 0."""
        base = np.where(values[..., 0] == 0.0, np.nan, values[..., 0])
        return np.asarray(values[..., 1] / base)

    def loss(self, value: FloatArray) -> FloatArray:
        """1 - R."""
        return np.asarray(1.0 - value)


@dataclass(frozen=True)
class WorstCondition(OfAllConditions):
    r"""Loss under whichever condition harms most: :math:`\max_x D_x`.

    The largest of several noisy estimates lies too high on average, so without a model only its
    limits should be read: they hold for all conditions at once.

    Parameters
    ----------
    conditions : list of str, optional
        Conditions that are set against the baseline; by default all others.
    of : estimand, default SuccessRate()
        What is compared.
    baseline : str, optional
        By default that of the fitted model.
    margin : float > 0, optional
        Loss that is still tolerated; "persists" is said where no condition exceeds it.

    Raises
    ------
    ArgumentError
        If a field is not of the right kind.

    References
    ----------
    Berger (1982), https://doi.org/10.1080/00401706.1982.10487790

    Examples
    --------
    >>> import reliability_stats as rs
    >>> rs.WorstCondition().from_p([[0.9, 0.9], [0.5, 0.7], [0.8, 1.0]]).round(3)
    np.float64(0.3)
    """

    signed: ClassVar[bool] = False

    @property
    def name(self) -> str:
        """``worst_degradation(success_rate)``."""
        return f"worst_degradation({self.of.name})"

    def combine(self, values: FloatArray) -> FloatArray:
        """Largest loss against the baseline."""
        return np.asarray(values[..., 0] - values[..., 1:].min(axis=-1))


@dataclass(frozen=True)
class HeterogeneityAcrossConditions(OfAllConditions):
    r"""How far conditions are apart: the standard deviation of the value over them.

    :math:`\{\frac{1}{C} \sum_x (v_x - \bar v)^2\}^{1/2}` over all C conditions: these,
    not a population of conditions. It is 0 if none matters.

    Parameters
    ----------
    conditions : list of str, optional
        Conditions that enter; by default all.
    of : estimand, default SuccessRate()
        What is compared.
    baseline : str, optional
        Of no effect here.
    margin : float > 0, optional
        Standard deviation that is still tolerated.

    Raises
    ------
    ArgumentError
        If a field is not of the right kind.

    References
    ----------
    Sclar et al. (2023), https://doi.org/10.48550/arXiv.2310.11324

    Examples
    --------
    >>> import reliability_stats as rs
    >>> rs.HeterogeneityAcrossConditions().from_p([[0.9], [0.5]]).round(3)
    np.float64(0.2)
    """

    signed: ClassVar[bool] = False
    beyond: ClassVar[str] = VARIES

    @property
    def name(self) -> str:
        """``heterogeneity(success_rate)``."""
        return f"heterogeneity({self.of.name})"

    def wanted(self, conditions: Sequence[str], baseline: str) -> tuple[str, ...]:
        """Give the conditions named, or all, without the one that comes first."""
        return tuple(name for name in self.conditions or conditions if name != baseline)

    def _base(self, conditions: Sequence[str], baseline: str | None) -> str:
        """Any condition can come first."""
        return (self.conditions or (baseline or conditions[0],))[0]

    def combine(self, values: FloatArray) -> FloatArray:
        """Give the standard deviation over conditions, with divisor C."""
        return np.asarray(values.std(axis=-1))
