"""Whether the outcome of a trial goes with that of the trial before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from .._numerics import FloatArray
from .._validation import check_positive
from ..exceptions import ArgumentError, TrialDataError
from ..inference.box import Box, focus
from ..models import BetaBinomial
from ..serial._markov import transitions
from ..serial._strata import Ordered
from ..trials import Trials
from ._markov_law import Patterns
from .markov_posterior import MarkovFit, MarkovPosterior

RANGE = 16.0
"""Largest absolute logit of mean and correlation."""


@dataclass(frozen=True)
class MarkovPersistence:
    """Success that begets success: trials of a task as a two-state chain.

    Every task has a rate p of its own; rates are beta-distributed over tasks, as in `BetaBinomial`.
    Within a task the odds of success are exp(d) times larger after a success than after a failure,
    at the same rate p. With d = 0 trials are independent and the model is `BetaBinomial`.

    Parameters
    ----------
    dependence_scale : float > 0, default 1
        Prior sd of the log odds ratio d, which is normal with mean 0.
    rates : BetaBinomial, default ``BetaBinomial()``
        Priors of mean and intra-class correlation of the rates.

    Notes
    -----
    Transitions are never pooled over tasks: tasks of different difficulty would look like
    dependence, since a success says that the task is an easy one. Here the rates of tasks are
    integrated out, and what is left is dependence.

    The chain is stationary: the first trial succeeds with probability p, as every other does. Given
    two trials a task, difficulty and dependence cannot be told apart; three are the least. Trials
    that were left out are skipped, so that the next one counts as following the one before.

    The posterior is a sum over three axes; nothing is sampled. The Bayes factor compares with the
    same model at d = 0.

    References
    ----------
    Plackett (1965), A class of bivariate distributions,
    https://doi.org/10.1080/01621459.1965.10480807;
    Anderson and Goodman (1957), Statistical inference about Markov chains,
    https://doi.org/10.1214/aoms/1177707039

    Examples
    --------
    >>> import numpy as np
    >>> import reliability_stats as rs
    >>> sticky = np.repeat([[1, 0, 1, 0], [0, 1, 0, 1]] * 5, 4, axis=1)
    >>> post = rs.MarkovPersistence().fit(rs.Trials.from_array(sticky))
    >>> post.evidence()[["log_bayes_factor", "p_dependence", "p_positive"]].round(2)
       log_bayes_factor  p_dependence  p_positive
    0             26.02           1.0         1.0
    """

    dependence_scale: float = 1.0
    rates: BetaBinomial = field(default_factory=BetaBinomial)

    def __post_init__(self) -> None:
        """Check the fields."""
        scale = check_positive(self.dependence_scale, "dependence_scale")
        object.__setattr__(self, "dependence_scale", scale)
        if not isinstance(self.rates, BetaBinomial):
            raise ArgumentError(f"rates must be a BetaBinomial(...), not {self.rates!r}.")

    def fit(self, trials: Trials) -> MarkovPosterior:
        """Compute the posterior of each system, under each condition if there are any.

        Parameters
        ----------
        trials : Trials
            With their order: made by `Trials.from_frame` or `Trials.from_array`. The order is that
            of `Trials.to_frame`: by time if it was named, then by trial, then as the rows came.

        Returns
        -------
        MarkovPosterior

        Raises
        ------
        TrialDataError
            If only counts are known, or outcomes are missing under ``missing="bounds"``.
        ArgumentError
            If no trials are given.

        Examples
        --------
        >>> import reliability_stats as rs
        >>> trials = rs.Trials.from_array([[1, 1, 1, 0, 0, 0], [0, 0, 1, 1, 1, 1]])
        >>> rs.MarkovPersistence().fit(trials)
        MarkovPosterior of MarkovPersistence(dependence_scale=1.0, ...)
          1 system, 2 tasks, 10 transitions
          system: log Bayes factor of dependence 0.5..., P(positive) = 0.8...
          .summary(), .evidence(), .tasks()
        """
        if not isinstance(trials, Trials):
            raise ArgumentError(
                f"MarkovPersistence needs Trials, not {type(trials).__name__}; make them with "
                "Trials.from_frame(...) or Trials.from_array(...)."
            )
        if trials.missing_policy == "bounds" and trials.n_missing:
            raise TrialDataError(
                f"{trials.n_missing} outcomes are missing under missing='bounds', and a posterior "
                "needs definite outcomes. Use trials.complete('failure') and "
                "trials.complete('success') to see both ends."
            )
        data = Ordered.of(trials)
        moves = transitions(data.cells)
        first = data.cells.success[data.cells.position == 0]
        fits = []
        for unit in range(len(trials.counts.units)):
            mine = data.unit == unit
            patterns = Patterns.of(first[mine], moves[mine])
            fits.append(MarkovFit(self._chain(patterns), self._alone(patterns).log_evidence))
        return MarkovPosterior(self, trials, fits, first, moves)

    def _chain(self, patterns: Patterns) -> Box:
        """Fit the chain."""
        scale = self.dependence_scale

        def density(axes: Sequence[FloatArray]) -> FloatArray:
            u, v, d = axes
            prior = -0.5 * (d / scale) ** 2 - np.log(scale * np.sqrt(2 * np.pi))
            return np.asarray(self._log_prior(u, v) + prior + patterns.log_likelihood(u, v, d))

        return focus(density, [(-RANGE, RANGE), (-RANGE, RANGE), (-7 * scale, 7 * scale)])

    def _alone(self, patterns: Patterns) -> Box:
        """Fit independent trials."""

        def density(axes: Sequence[FloatArray]) -> FloatArray:
            u, v = axes
            values = self._log_prior(u, v) + patterns.log_likelihood(u, v, np.zeros(1))
            return np.asarray(values[..., 0])

        return focus(density, [(-RANGE, RANGE), (-RANGE, RANGE)])

    def _log_prior(self, u: FloatArray, v: FloatArray) -> FloatArray:
        """Log prior of mean and correlation, (len(u), len(v), 1)."""
        first, second = np.meshgrid(u, v, indexing="ij")
        return np.asarray(self.rates.log_prior_logit(first, second)[..., None])
