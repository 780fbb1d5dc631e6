"""What every way of inference gives: the same few questions, answered in arrays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Protocol

import numpy as np

from .._numerics import FloatArray
from ..estimands import Estimand


@dataclass(frozen=True)
class Marginal:
    """Posterior of one estimand for each unit: arrays of shape (units,).

    Attributes
    ----------
    mean, sd, lower, upper : (units,) ndarray
        Moments, and ends of the equal-tailed interval.
    ess_bulk, r_hat : (units,) ndarray
        Diagnostics of chains; NaN where there are none.
    """

    mean: FloatArray
    sd: FloatArray
    lower: FloatArray
    upper: FloatArray
    ess_bulk: FloatArray
    r_hat: FloatArray

    @classmethod
    def empty(cls, size: int) -> Marginal:
        """Give arrays of NaN, to be filled in."""
        return cls(*(np.full(size, np.nan) for _ in fields(cls)))

    @classmethod
    def exact(
        cls, mean: FloatArray, sd: FloatArray, lower: FloatArray, upper: FloatArray
    ) -> Marginal:
        """Give a result that rests on no chains."""
        return cls(mean, sd, lower, upper, np.full(len(mean), np.nan), np.full(len(mean), np.nan))

    def put(self, units: Any, other: Marginal, rows: Any) -> None:
        """Fill in the results of some units from the rows of another."""
        for item in fields(self):
            getattr(self, item.name)[units] = getattr(other, item.name)[rows]


@dataclass(frozen=True)
class CellMarginal:
    """Posterior of the success probability of each cell: arrays of shape (cells,).

    Attributes
    ----------
    mean, sd, lower, upper : (cells,) ndarray
        Moments, and ends of the equal-tailed interval.
    below, above : (cells,) ndarray
        P(p <= low) and P(p >= high).
    """

    mean: FloatArray
    sd: FloatArray
    lower: FloatArray
    upper: FloatArray
    below: FloatArray
    above: FloatArray

    def take(self, rows: Any) -> CellMarginal:
        """Give the cells at these positions."""
        return CellMarginal(*(getattr(self, item.name)[rows] for item in fields(self)))


class Engine(Protocol):
    """A fitted posterior: answers in arrays, without labels."""

    @property
    def log_evidence(self) -> FloatArray:
        """Log marginal likelihood of each unit, (units,); NaN where it is not computed."""

    @property
    def default_shape(self) -> tuple[int, int]:
        """Chains and draws that are given when nothing is asked for."""

    def population(self, estimands: Sequence[Estimand], prob: float) -> list[Marginal]:
        """Posterior of estimands over tasks like these."""

    def observed(self, estimands: Sequence[Estimand], prob: float) -> list[Marginal]:
        """Posterior of estimands over the very tasks of the table."""

    def cells(self, prob: float, low: float, high: float) -> CellMarginal:
        """Posterior of every cell, in the order of the counts."""

    def draws(
        self, estimands: Sequence[Estimand], over: str, chains: int, draws: int
    ) -> list[FloatArray]:
        """Joint draws of estimands, each of shape (chains, draws, units)."""

    def parameters(
        self, chains: int, draws: int, *, cells: bool
    ) -> Mapping[str, tuple[tuple[str, ...], FloatArray]]:
        """Draws of the model's variables: name -> (dims after chain and draw, values).

        With `cells`, the success probability ``p`` of every cell has dim "cell".
        """

    def describe(self) -> str:
        """Say in a few words how the posterior was computed."""
