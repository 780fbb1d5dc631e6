"""Nonparametric model: the distribution of success probabilities is any distribution on a grid."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from .._numerics import FloatArray
from .._validation import check_fraction, check_positive_int
from ..exceptions import ArgumentError
from .base import Model

THIRD = 1.0 / 3.0


@dataclass(frozen=True)
class GridMixture(Model):
    """Each system by itself: its tasks' success probabilities follow any distribution on a grid.

    The prior is a Dirichlet process around a base measure with atoms at 0 and 1: tasks that never
    and tasks that always succeed, and the rest spread evenly in between. No shape is assumed, so
    that two-point, three-point and spiked distributions are recovered as well as smooth ones. Where
    the data fix nothing (pass^k beyond the number of trials, flicker mass), values lie within what
    the data allow and lean on the base measure.

    Parameters
    ----------
    concentration : float > 0, default 2
        Weight of the base measure, in tasks.
    at_zero, at_one : float in [0, 1), default 1/3
        Share of the base measure at 0 and at 1; the rest is spread evenly over the grid between.
    nodes : int >= 3, default 101
        Points of the grid, evenly spaced from 0 to 1 with both ends. Take more for cells with
        thousands of trials.

    Raises
    ------
    ArgumentError
        If a field is out of range, or nothing is left between 0 and 1.

    References
    ----------
    Ferguson (1973), https://doi.org/10.1214/aos/1176342360;
    Escobar and West (1995), https://doi.org/10.1080/01621459.1995.10476550

    Examples
    --------
    >>> import reliability_stats as rs
    >>> trials = rs.datasets.load("tau-bench-airline-gpt4o")
    >>> post = rs.fit(trials, model=rs.GridMixture(), rng=0)
    >>> bool(0.6 < post.summary(rs.FlickerMass())["mean"].iloc[0] < 0.74)
    True
    """

    inference: ClassVar[str] = "gibbs"

    concentration: float = 2.0
    at_zero: float = THIRD
    at_one: float = THIRD
    nodes: int = 101

    def __post_init__(self) -> None:
        """Check the fields."""
        value = self.concentration
        number = isinstance(value, (int, float, np.number)) and not isinstance(value, bool)
        if not number or not np.isfinite(value) or value <= 0:
            raise ArgumentError(f"concentration must be a positive number, not {value!r}.")
        for name in ("at_zero", "at_one"):
            object.__setattr__(self, name, check_fraction(getattr(self, name), name=name))
        if self.at_zero + self.at_one >= 1:
            raise ArgumentError(
                f"at_zero + at_one must be below 1, so that something is left between 0 and 1; "
                f"they are {self.at_zero:g} + {self.at_one:g}."
            )
        object.__setattr__(self, "nodes", check_positive_int(self.nodes, name="nodes"))
        if self.nodes < 3:
            raise ArgumentError(f"nodes must be at least 3, not {self.nodes}.")

    @property
    def grid(self) -> FloatArray:
        """Success probabilities that can occur, shape (nodes,)."""
        return np.arange(self.nodes) / (self.nodes - 1)

    @property
    def base(self) -> FloatArray:
        """Base measure at the nodes, shape (nodes,); sums to one."""
        inside = (1.0 - self.at_zero - self.at_one) / (self.nodes - 2)
        base = np.full(self.nodes, inside)
        base[0], base[-1] = self.at_zero, self.at_one
        return base
