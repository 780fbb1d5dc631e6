"""What criticism of a model asks of an engine, in arrays and without labels.

An engine that can be criticised has, beside the questions of `Engine`, the four methods of
`Checkable`. They are asked for one at a time: an engine that lacks one of them still serves the
others, and the result says that its model cannot answer.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from .._numerics import FloatArray, IntArray
from ..estimands import Estimand


@dataclass(frozen=True)
class LeftOut:
    """Predictive densities of groups of cells, each group left out of the fit as a whole.

    A group is what belongs to one task: a single cell where systems are modelled apart, the cells
    of all systems where they share the task. Success probabilities and effects of the task itself
    are integrated out, so a density never conditions on what is left out.

    Attributes
    ----------
    group : (cells,) ndarray of int
        Group of each cell, in the order of the counts; positions in the arrays below.
    outside : (groups,) ndarray
        Log density of the group's counts given all other groups.
    inside : (groups,) ndarray
        Log density of the group's counts given all groups, itself included.
    pareto_k : (groups,) ndarray
        Shape of the tail of the importance weights; NaN where the densities are exact.
    """

    group: IntArray
    outside: FloatArray
    inside: FloatArray
    pareto_k: FloatArray


@dataclass(frozen=True)
class Replicas:
    """Replicated counts of one unit, as rows with multiplicities.

    Row i says that data set `dataset[i]` has `tasks[i]` tasks with `successes[i]` of `n[i]`.

    Attributes
    ----------
    dataset, n, successes, tasks : (rows,) ndarray of int
        In any order; the same (dataset, n, successes) may occur more than once.
    """

    dataset: IntArray
    n: IntArray
    successes: IntArray
    tasks: IntArray

    @classmethod
    def of_cells(cls, n: IntArray, successes: IntArray) -> Replicas:
        """Lay out replicated successes of shape (datasets, cells), for cells with n trials."""
        datasets, cells = successes.shape
        return cls(
            np.repeat(np.arange(datasets), cells),
            np.tile(n, datasets),
            successes.ravel(),
            np.ones(successes.size, dtype=np.int64),
        )


@dataclass(frozen=True)
class Points:
    """Weighted points of a posterior: nodes of a lattice, or draws with equal weights.

    Attributes
    ----------
    unit : (units,) ndarray of int
        The units that the rows below belong to.
    weights : (units, points) ndarray
        Posterior probability of each point; rows sum to one.
    log_prior, log_likelihood : (units, points) ndarray
        Log densities at the points, up to a constant for each row, with respect to one measure that
        does not depend on the point's position in it. For chains, all that a unit shares with
        others is in every row: priors of all parameters, and the likelihood of all data.
    values : list of (units, points) ndarray
        The estimands asked for, over tasks like these.
    """

    unit: IntArray
    weights: FloatArray
    log_prior: FloatArray
    log_likelihood: FloatArray
    values: list[FloatArray]


@dataclass(frozen=True)
class Check:
    """One figure that tells whether a computation can be trusted.

    Attributes
    ----------
    name : str
        What is looked at: "r_hat", "ess_bulk", "divergences", "nodes".
    about : str
        The parameter or system that it belongs to; the worst one of many. Empty if it is about all.
    value, limit : float
        The figure, and what it should not exceed (or, with `at_least`, not fall below).
    at_least : bool
        Whether large values are good.
    remedy : str
        What to do if the check fails, as a sentence.
    """

    name: str
    about: str
    value: float
    limit: float
    at_least: bool
    remedy: str

    @property
    def passed(self) -> bool:
        """Whether the figure is on the good side of the limit; NaN is not."""
        return self.value >= self.limit if self.at_least else self.value <= self.limit


class Checkable(Protocol):
    """What an engine gives to criticism of its model."""

    def leave_out(self) -> LeftOut:
        """Predictive densities of tasks left out one at a time (for `Posterior.loo`)."""

    def replicate(self, datasets: int, rng: np.random.Generator) -> Iterator[Replicas]:
        """Replicated data of each unit in turn: new tasks, with the observed numbers of trials.

        Parameters are drawn from the posterior, one draw a data set, shared by all units; the
        tasks' success probabilities are drawn anew from the population (for `Posterior.ppc`).
        """

    def points(self, estimands: Sequence[Estimand]) -> Iterator[Points]:
        """Weighted points of the posterior of each unit (for `Posterior.prior_sensitivity`)."""

    def diagnostics(self) -> list[Check]:
        """Figures that tell whether the posterior was computed well (for `Posterior.diagnose`)."""
