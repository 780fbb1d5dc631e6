"""Likelihood of the mean rate of each period on a grid, with tasks integrated out.

Each period draws fresh tasks: a task with n trials and y successes is beta-binomial with the
period's mean and one intra-class correlation for all periods of a unit.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import special

from .._numerics import FloatArray
from ..exceptions import ModelError
from ..models.beta_binomial import LogLikelihood
from ..trials import DistinctCounts
from ._periods import History

ICC_NODES = 33
ICC_REACH = 12.0
COARSEST = 0.1
MAX_CELLS = 60_000_000
"""Most values of the likelihood at once: half a gigabyte."""


@dataclass(frozen=True)
class Levels:
    """Log likelihood of the periods of one unit.

    Attributes
    ----------
    periods : (periods,) ndarray of int
        Periods that have trials.
    logit : (nodes,) ndarray
        Logits of the mean, evenly spaced.
    icc : (icc_nodes,) ndarray
        Logits of the correlation, evenly spaced; one node if no task was repeated in a period,
        since it then has no influence.
    log_icc_prior : (icc_nodes,) ndarray
        Log prior mass of each node.
    values : (periods, icc_nodes, nodes) ndarray
        Log likelihood.
    """

    periods: np.ndarray
    logit: FloatArray
    icc: FloatArray
    log_icc_prior: FloatArray
    values: FloatArray

    @property
    def step(self) -> float:
        """Distance of the nodes of the mean."""
        return float(self.logit[1] - self.logit[0])

    @property
    def log_prior(self) -> FloatArray:
        """Log prior mass of each node of the mean, uniform on (0, 1)."""
        return np.asarray(_log_uniform(self.logit) + np.log(self.step))


def _log_uniform(x: FloatArray) -> FloatArray:
    """Log density of the logit of a uniform variable."""
    return np.asarray(special.log_expit(x) + special.log_expit(-x), dtype=float)


def likelihood_of(history: History, unit: int) -> tuple[np.ndarray, LogLikelihood, float]:
    """Give the periods of a unit, their likelihood, and the largest number of trials of a task."""
    mine = history.unit == unit
    periods, period = np.unique(history.period[mine], return_inverse=True)
    n, successes = history.n[mine], history.successes[mine]
    keys = np.stack([period, n, successes])
    distinct, row, many = np.unique(keys, axis=1, return_inverse=True, return_counts=True)
    counts = DistinctCounts(distinct[0], distinct[1], distinct[2], many, row.ravel())
    return periods, LogLikelihood.of(counts, len(periods)), float(n.max())


def levels_of(
    history: History,
    unit: int,
    *,
    icc: FloatArray | None = None,
    spacing: float | None = None,
    binomial: bool = False,
) -> Levels:
    """Evaluate the likelihood of every period of a unit.

    Parameters
    ----------
    history : History
        The data.
    unit : int
        Position of the unit.
    icc : (icc_nodes,) array, optional
        Logits of the correlation, evenly spaced; wide by default.
    spacing : float, optional
        Largest step of the logit of the mean; by default fine enough for any run of periods.
    binomial : bool, default False
        Whether all tasks of a period are one, with the mean as its probability.
    """
    periods, likelihood, largest = likelihood_of(history, unit)
    total = float(history.n[history.unit == unit].sum())
    step = min(COARSEST, 2 / np.sqrt(total)) if spacing is None else spacing
    reach = 12.0 + np.log1p(total)
    logit = step * np.arange(-np.ceil(reach / step), np.ceil(reach / step) + 1)
    if largest == 1 or binomial:
        icc, mass = np.zeros(1), np.zeros(1)
    else:
        icc = np.linspace(-ICC_REACH, ICC_REACH, ICC_NODES) if icc is None else icc
        mass = _log_uniform(icc) + np.log(icc[1] - icc[0])
    shape = (len(periods), len(icc), len(logit))
    if np.prod(shape, dtype=float) > MAX_CELLS:
        raise ModelError(
            f"{shape[0]} periods with {total:.0f} trials need a grid of {shape[1]} x {shape[2]} "
            f"points each, more than {MAX_CELLS:,} in all. Use longer periods, or tasks='same'."
        )
    if binomial:
        n, y = (total[unit, periods, None, None] for total in history.totals())
        values = y * special.log_expit(logit) + (n - y) * special.log_expit(-logit)
        return Levels(periods, logit, icc, mass, values)
    values = np.empty(shape)
    everyone = np.arange(len(periods))
    for j, v in enumerate(icc):
        u = np.broadcast_to(logit, (shape[0], shape[2]))
        values[:, j] = likelihood(everyone, u, np.full_like(u, v))
    return Levels(periods, logit, icc, mass, values)


def focused_icc(icc: FloatArray, log_mass: FloatArray) -> FloatArray | None:
    """Give a finer grid of the correlation where its posterior mass lies; None if it is so."""
    if len(icc) == 1:
        return None
    near = np.flatnonzero(log_mass > log_mass.max() - 30)
    low, high = max(near[0] - 1, 0), min(near[-1] + 1, len(icc) - 1)
    if high - low > 0.6 * (len(icc) - 1):
        return None
    return np.linspace(icc[low], icc[high], len(icc))
