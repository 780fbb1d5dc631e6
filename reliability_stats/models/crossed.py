"""Crossed model: systems share tasks, and conditions are set against a baseline.

Cell likelihood: successes ~ BetaBinomial(n, mean mu, intra-class correlation rho), with the success
probability of the cell integrated out. For system s, task t and condition x,

    logit mu = alpha_s + beta_t + f_family(t) + delta_{s,x} + gamma_{t,x},    logit rho = r_s,

where delta and gamma are zero at the baseline, alpha_s ~ N(m, s_a), beta_t ~ N(0, s_b), f ~ N(0,
s_f), delta_{s,x} ~ N(d_x, s_d), gamma_{t,x} ~ N(0, s_g) and r_s ~ N(m_r, s_r). Deviations of
systems from m and m_r have sum zero, so that m and m_r belong to the systems of the table.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, cast

import numpy as np

from .._counts import Counts
from .._numerics import FloatArray, IntArray
from .._validation import check_choice, check_positive
from ..exceptions import ArgumentError
from ._crossed_layout import Layout, Scales
from .base import Model
from .generative import Parameters
from .priors import Beta

PARAMETRISATIONS = ("auto", "centred", "non-centred")


@dataclass(frozen=True)
class Crossed(Model):
    """Systems that share tasks: effects of systems, tasks, conditions and families of tasks.

    Tasks' difficulties are learnt from all systems, so differences between systems, and between
    conditions, are paired by task. The flicker of each system, its intra-class correlation given
    the difficulties, is partially pooled. Success probabilities of cells are never sampled.

    An effect is left out where the design cannot tell it from another: task effects if no task was
    run in two units (system and condition), slopes of tasks if no task was run by two systems under
    one condition. Without task effects each system's tasks spread as in `BetaBinomial`.

    Parameters
    ----------
    baseline : str, optional
        The condition that others are set against. Needed if the trials have several conditions.
    families : mapping, optional
        From the label of every task to that of its family; families get effects of their own.
    mean_prior : Beta, default Beta(1, 1)
        Prior of the success rate at a task of average difficulty, of the average of the systems.
    icc_prior : Beta, default Beta(1, 1)
        Prior of the intra-class correlation given the difficulty, of the average of the systems.
    system_sd, task_sd, icc_sd, family_sd : float > 0, default 1.5, 2.0, 1.0, 1.0
        Scales of the half-normal priors of the standard deviations, in logits, between systems,
        tasks, systems' correlations, and families.
    condition_sd : float > 0, default 1.0
        Standard deviation of the normal prior of the effect of each condition, in logits.
    condition_system_sd, condition_task_sd : float > 0, default 0.5, 0.5
        Scales of the half-normal priors of the standard deviations of that effect between systems
        and between tasks.
    parametrisation : {"auto", "centred", "non-centred"}
        How effects of systems and tasks are sampled. It changes the speed, not the posterior;
        "auto" goes by the number of trials of a task, and by how far systems are apart.

    Raises
    ------
    ArgumentError
        If a scale is not positive, or an argument is not of the right kind.

    Notes
    -----
    Task effects are sampled with sum zero; the distance between the mean of the observed tasks and
    that of their population, N(0, s_b^2 / tasks), is added when the target is the population.

    References
    ----------
    Skellam (1948), https://doi.org/10.1111/j.2517-6161.1948.tb00014.x;
    Betancourt and Girolami (2015), https://doi.org/10.1201/b18502-5

    Examples
    --------
    >>> import reliability_stats as rs
    >>> rs.Crossed(baseline="plain", task_sd=1.0).task_sd
    1.0
    """

    inference: ClassVar[str] = "nuts"
    separable: ClassVar[bool] = False
    joint: ClassVar[bool] = True

    baseline: str | None = None
    families: Mapping[str, str] | tuple[tuple[str, str], ...] | None = field(
        default=None, repr=False
    )
    mean_prior: Beta = field(default_factory=Beta)
    icc_prior: Beta = field(default_factory=Beta)
    system_sd: float = 1.5
    task_sd: float = 2.0
    icc_sd: float = 1.0
    family_sd: float = 1.0
    condition_sd: float = 1.0
    condition_system_sd: float = 0.5
    condition_task_sd: float = 0.5
    parametrisation: str = "auto"

    def __post_init__(self) -> None:
        """Check every field, and freeze the families."""
        if self.baseline is not None and not isinstance(self.baseline, str):
            raise ArgumentError(f"baseline must be the label of a condition, not {self.baseline!r}")
        for name in ("mean_prior", "icc_prior"):
            if not isinstance(getattr(self, name), Beta):
                raise ArgumentError(f"{name} must be Beta(a, b), not {getattr(self, name)!r}.")
        for name in Scales.__annotations__:
            object.__setattr__(self, name, check_positive(getattr(self, name), name))
        check_choice(self.parametrisation, PARAMETRISATIONS, "parametrisation")
        if self.families is not None:
            object.__setattr__(self, "families", _pairs(self.families))

    def layout(self, counts: Counts) -> Layout:
        """Say which effects the data can tell apart, and where each cell belongs.

        Parameters
        ----------
        counts : Counts
            The data.

        Returns
        -------
        Layout
            Builds the graph for a sampler, and turns draws into logits of cells and populations.

        Raises
        ------
        ArgumentError
            If the baseline is missing or does not occur, or a task has no family.

        Examples
        --------
        >>> import reliability_stats as rs
        >>> trials = rs.Trials.from_array([[[1, 0]], [[1, 1]]], systems=["a", "b"])
        >>> rs.Crossed().layout(trials.counts).effects
        ('system',)
        """
        pairs = cast("tuple[tuple[str, str], ...] | None", self.families)
        return Layout.of(
            counts,
            baseline=self.baseline,
            families=None if pairs is None else dict(pairs),
            scales=Scales(**{name: getattr(self, name) for name in Scales.__annotations__}),
            mean_prior=self.mean_prior,
            icc_prior=self.icc_prior,
            parametrisation=self.parametrisation,
        )

    def draw_prior(self, design: Counts, size: int, rng: np.random.Generator) -> Parameters:
        """Draw parameters from the prior.

        Parameters
        ----------
        design : Counts
            Gives systems, tasks, conditions and cells.
        size : int
            Number of draws.
        rng : numpy.random.Generator
            Source of randomness.

        Returns
        -------
        dict of str to (size, ...) ndarray
            Named as in `Posterior.to_arviz`.
        """
        from ._crossed_prior import draw_prior

        return draw_prior(self.layout(design), size, rng)

    def simulate(
        self, parameters: Parameters, design: Counts, rng: np.random.Generator
    ) -> IntArray:
        """Draw the successes of every cell.

        Parameters
        ----------
        parameters : mapping of str to (size, ...) array
            As `draw_prior` gives them.
        design : Counts
            Gives the cells and their numbers of trials.
        rng : numpy.random.Generator
            Source of randomness.

        Returns
        -------
        (size, cells) ndarray of int
        """
        from ._crossed_prior import simulate

        return simulate(self.layout(design), parameters, rng)

    def log_likelihood(self, parameters: Parameters, counts: Counts) -> FloatArray:
        """Log likelihood of all cells, at several parameters.

        Parameters
        ----------
        parameters : mapping of str to (size, ...) array
            As `draw_prior` gives them.
        counts : Counts
            The data.

        Returns
        -------
        (size, 1) ndarray
        """
        from ._crossed_prior import log_likelihood

        return log_likelihood(self.layout(counts), parameters)[:, None]


def _pairs(families: object) -> tuple[tuple[str, str], ...]:
    """Give task and family as sorted pairs of text, which can be hashed."""
    try:
        pairs = dict(families)  # type: ignore[call-overload]
    except (TypeError, ValueError):
        raise ArgumentError(
            f"families must map the label of every task to its family, not {families!r}."
        ) from None
    if not pairs:
        raise ArgumentError("families is empty; leave it out, or give every task a family.")
    return tuple(sorted((str(task), str(family)) for task, family in pairs.items()))
