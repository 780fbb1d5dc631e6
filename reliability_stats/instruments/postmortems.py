"""Postmortems: what failures are made of, and what each mode of failure costs in reliability."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from .._numerics import FloatArray, IntArray
from .._validation import check_choice, check_positive, check_rng
from ._composition import sample
from ._drawn import CHAINS, total_draws
from ._labels import Labelled, read_labels
from .postmortem_posterior import PostmortemPosterior

__all__ = ["Postmortem"]

DRAWS = 1000


@dataclass(frozen=True)
class Postmortem:
    """Modes of failure, by labels: one or several a failure, by one or several annotators.

    Parameters
    ----------
    pooling : {"none", "systems", "tasks"}, default "none"
        "none": every system by itself, failures independent. "systems": compositions of systems are
        Dirichlet around a common one. "tasks": within a system, compositions of tasks are Dirichlet
        around the system's, so that many failures of one task do not count as many witnesses; needs
        `task` in `fit`.
    prior : float > 0, default 0.5
        Weight of every category in the Dirichlet prior, in failures.

    Notes
    -----
    A category is a set of modes that occurred together; every single mode is a category too.
    ``involved`` is the share of failures in which a mode occurs, ``sole`` the share in which it
    occurs alone. Where several annotators labelled a failure, every draw takes the labels of one of
    them at random, so that disagreement widens the intervals.

    References
    ----------
    Escobar and West (1995), Bayesian density estimation and inference using mixtures,
    https://doi.org/10.1080/01621459.1995.10476550

    Examples
    --------
    >>> from reliability_stats.instruments import Postmortem
    >>> table = {"failure": [1, 2, 2, 3, 4], "mode": ["tool", "tool", "context", "plan", "tool"]}
    >>> post = Postmortem().fit(table, system=None)
    >>> post.modes()[["mode", "failures", "involved", "sole"]].round(2)
          mode  failures  involved  sole
    0  context         1      0.33  0.08
    1     plan         1      0.25  0.25
    2     tool         3      0.67  0.42
    """

    pooling: str = "none"
    prior: float = 0.5

    def __post_init__(self) -> None:
        """Check the fields."""
        check_choice(self.pooling, ("none", "systems", "tasks"), "pooling")
        object.__setattr__(self, "prior", check_positive(self.prior, "prior"))

    def fit(
        self,
        data: Any,
        *,
        system: str | None = "system",
        failure: str = "failure",
        mode: str = "mode",
        task: str | None = None,
        annotator: str | None = None,
        rng: Any = 0,
        draws: int = DRAWS,
    ) -> PostmortemPosterior:
        """Compute the posterior of the composition of failures.

        Parameters
        ----------
        data : data frame or mapping of columns
            One row a label.
        system : str or None, default "system"
            Column of the system; None if all failures belong to one.
        failure : str, default "failure"
            Column that tells the failures of a system apart.
        mode : str, default "mode"
            Column of the mode of failure.
        task : str, optional
            Column of the task that failed.
        annotator : str, optional
            Column of who labelled.
        rng : int, numpy.random.Generator, SeedSequence or None, default 0
            Seed of the draws.
        draws : int >= 1, default 1000
            Draws of each of 4 chains; independent without pooling.

        Returns
        -------
        PostmortemPosterior

        Raises
        ------
        TrialDataError
            If the table is not allowed; the message names the first row at fault.

        Examples
        --------
        >>> from reliability_stats.instruments import Postmortem
        >>> table = {"failure": [1, 2, 3], "mode": ["tool", "tool", "plan"]}
        >>> Postmortem().fit(table, system=None)
        PostmortemPosterior of Postmortem(pooling='none', prior=0.5)
          1 system, 3 failures, 2 modes
          system: most often tool, in 62% of failures [...]
          .summary(), .modes(), .contrast(modes), .contributions(posterior), .agreement()
        """
        size = total_draws(draws)
        generator = check_rng(rng)
        columns = {"system": system, "failure": failure, "mode": mode}
        columns |= {"task": task, "annotator": annotator}
        labelled = read_labels(data, columns, needs_task=self.pooling == "tasks")
        shares, rho = _shares(self, labelled, size, generator)
        return PostmortemPosterior(self, labelled, shares, rho)


def _shares(
    spec: Postmortem, labelled: Labelled, size: int, rng: np.random.Generator
) -> tuple[FloatArray, FloatArray | None]:
    """Draw the shares of categories, (draws, systems, categories), and the correlation."""
    systems, k = len(labelled.systems), len(labelled.categories)
    prior = np.full(k, spec.prior)
    if spec.pooling == "none" or (spec.pooling == "systems" and systems == 1):
        return _independent(labelled, prior, size, rng), None
    if spec.pooling == "systems":
        counts = _counter(labelled, labelled.system, systems)
        _, theta, rho = sample(counts, prior, CHAINS, size // CHAINS, rng)
        return theta, rho[:, None]
    out, rhos = np.empty((size, systems, k)), np.empty((size, systems))
    for s in range(systems):
        mine = np.flatnonzero(labelled.system == s)
        _, group = np.unique(labelled.task[mine], return_inverse=True)
        counts = _counter(labelled, group, int(group.max()) + 1, mine)
        out[:, s], _, rhos[:, s] = sample(counts, prior, CHAINS, size // CHAINS, rng)
    return out, rhos


def _counter(
    labelled: Labelled, group: IntArray, groups: int, failures: IntArray | None = None
) -> Callable[[np.random.Generator], IntArray]:
    """Give a function that counts categories by group, with labels of a random annotator."""
    rows = np.arange(len(labelled.system)) if failures is None else failures
    k = len(labelled.categories)

    def count(rng: np.random.Generator) -> IntArray:
        at = group * k + labelled.choose(rows, rng)
        return np.bincount(at, minlength=groups * k).reshape(groups, k)

    if not labelled.uncertain[rows].any():
        fixed = count(np.random.default_rng(0))
        return lambda rng: fixed  # noqa: ARG005
    return count


def _independent(
    labelled: Labelled, prior: FloatArray, size: int, rng: np.random.Generator
) -> FloatArray:
    """Draw each system by itself."""
    systems, k = len(labelled.systems), len(prior)
    counts = _counter(labelled, labelled.system, systems)
    if labelled.uncertain.any():
        y = np.stack([counts(rng) for _ in range(size)])
    else:
        y = np.broadcast_to(counts(rng), (size, systems, k))
    gammas = np.maximum(rng.standard_gamma(prior + y), 1e-300)
    return np.asarray(gammas / gammas.sum(axis=2, keepdims=True))
