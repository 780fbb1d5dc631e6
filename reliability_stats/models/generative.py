"""What a model gives beside its fit, so that data can be simulated from it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Protocol, runtime_checkable

import numpy as np

from .._numerics import FloatArray, IntArray
from ..trials import Counts

Parameters = Mapping[str, FloatArray]


@runtime_checkable
class Generative(Protocol):
    """A model that data can be drawn from: its prior, its likelihood.

    Parameters have the names, and after their first axis the shapes, that the engine's
    ``parameters`` gives them; only the number of trials of the cells of `design` is used.

    Attributes
    ----------
    separable : bool
        Whether units have parameters of their own and nothing in common, last axis of each array,
        so that many data sets can be fitted at once as units of one.
    """

    separable: ClassVar[bool]

    def draw_prior(self, design: Counts, size: int, rng: np.random.Generator) -> Parameters:
        """Draw parameters from the prior: arrays of shape (size, ...)."""

    def simulate(
        self, parameters: Parameters, design: Counts, rng: np.random.Generator
    ) -> IntArray:
        """Draw the successes of every cell, (size, cells), one data set for each parameter."""

    def log_likelihood(self, parameters: Parameters, counts: Counts) -> FloatArray:
        """Log likelihood at each parameter: (size, units) if separable, otherwise (size, 1)."""
