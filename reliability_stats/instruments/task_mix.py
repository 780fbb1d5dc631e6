"""Whether a comparison of rates turns round when all are put on a common mix of tasks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np

from .._numerics import FloatArray
from .._validation import _as_float, check_prob, check_rng
from ..exceptions import ArgumentError
from ..fitting import fit
from ..models import BetaBinomial
from ..trials import Trials
from ._drawn import CHAINS, DRAWS, Quantity, summarise, total_draws

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Standardised", "standardise"]


def standardise(
    trials: Trials, *, mix: Mapping[str, float] | None = None, rng: Any = 0, draws: int = DRAWS
) -> Standardised:
    """Put systems (or users, given as systems) on a common mix of tasks.

    Parameters
    ----------
    trials : Trials
        Systems to compare; tasks may be kinds of tasks (strata). To compare users, read them as
        systems: ``Trials.from_frame(table, system="user", task="kind")``.
    mix : mapping of str to float, optional
        Weight of each task; by default the share of all trials that were on it.
    rng : int, numpy.random.Generator, SeedSequence or None, default 0
        Seed of the draws.
    draws : int >= 1, default 2500
        Draws of each of 4 chains; independent.

    Returns
    -------
    Standardised

    Raises
    ------
    ArgumentError
        If the mix names no task or has no positive weight.

    Notes
    -----
    The probabilities of a system's tasks are partially pooled by `BetaBinomial`. The crude rate
    weighs them by the system's own trials, the standardised rate by the mix. Where a system did
    not meet a task, its beta law stands in, and ``identified`` is "model".

    References
    ----------
    Simpson (1951), The interpretation of interaction in contingency tables,
    https://doi.org/10.1111/j.2517-6161.1951.tb00088.x

    Examples
    --------
    Two kinds of stones, two treatments (Charig et al. 1986):

    >>> import reliability_stats as rs
    >>> from reliability_stats.instruments import standardise
    >>> table = {"system": list("ABAB"), "task": ["small", "small", "large", "large"]}
    >>> table |= {"n": [87, 270, 263, 80], "successes": [81, 234, 192, 55]}
    >>> found = standardise(rs.Trials.from_counts(table))
    >>> found.reversals()[["first", "second", "crude_higher", "standard_higher"]].round(2)
      first second  crude_higher  standard_higher
    0     A      B          0.06             0.93
    """
    size = total_draws(draws)
    generator = check_rng(rng)
    counts = trials.counts
    weights = _weights(trials, mix)
    post = fit(trials, BetaBinomial(), rng=generator)
    drawn = post.engine.parameters(CHAINS, size // CHAINS, cells=True)
    values = {name: value.reshape(size, -1) for name, (_, value) in drawn.items()}
    units = counts.units
    crude, standard = np.empty((2, size, len(units)))
    known = []
    for u in range(len(units)):
        at = np.flatnonzero(counts.unit == u)
        p = _everywhere(values, u, counts.task[at], values["p"][:, at], len(weights), generator)
        own = np.bincount(counts.task[at], weights=counts.n[at], minlength=len(weights))
        crude[:, u] = p @ (own / own.sum())
        standard[:, u] = p @ weights
        known.append("yes" if (own[weights > 0] > 0).all() else "model")
    return Standardised(units, crude, standard, tuple(known))


def _weights(trials: Trials, mix: Mapping[str, float] | None) -> FloatArray:
    """Give the weight of each task; sums to one."""
    counts = trials.counts
    if mix is None:
        total = np.bincount(counts.task, weights=counts.n, minlength=counts.n_tasks)
        return np.asarray(total / total.sum())
    out = np.zeros(counts.n_tasks)
    for name, weight in mix.items():
        if str(name) not in counts.tasks:
            raise ArgumentError(f"mix names {name!r}, which is no task of the trials.")
        number = _as_float(weight, f"the weight of {name!r}", "a number of at least 0")
        if not 0 <= number < np.inf:
            raise ArgumentError(f"The weight of {name!r} must be at least 0, not {weight!r}.")
        out[counts.tasks.index(str(name))] = number
    if not out.sum() > 0:
        raise ArgumentError("mix has no task with a weight above 0.")
    return np.asarray(out / out.sum())


def _everywhere(
    values: dict[str, FloatArray],
    unit: int,
    tasks: Any,
    seen: FloatArray,
    n_tasks: int,
    rng: np.random.Generator,
) -> FloatArray:
    """Give draws for all tasks: those seen, and new ones from the unit's beta law."""
    if len(tasks) == n_tasks:
        out = np.empty((len(seen), n_tasks))
    else:
        mean, icc = (np.clip(values[k][:, unit], 1e-12, 1 - 1e-12) for k in ("mean", "icc"))
        total = 1.0 / icc - 1.0
        a, b = np.maximum(mean * total, 1e-300), np.maximum((1.0 - mean) * total, 1e-300)
        out = rng.beta(a[:, None], b[:, None], (len(seen), n_tasks))
    out[:, tasks] = seen
    return out


@dataclass(frozen=True, eq=False, repr=False)
class Standardised:
    """Rates of systems under their own and under a common mix of tasks; made by `standardise`.

    Attributes
    ----------
    systems : tuple of str
        Labels.
    crude, standard : (draws, systems) ndarray
        Posterior draws.
    identified : tuple of str
        "yes" if the system met every task of the mix, otherwise "model".
    """

    systems: tuple[str, ...]
    crude: FloatArray
    standard: FloatArray
    identified: tuple[str, ...]

    def summary(self, *, prob: float = 0.95) -> pd.DataFrame:
        """Give crude and standardised rates in the package's one schema.

        Parameters
        ----------
        prob : float in (0, 1), default 0.95
            Mass of the equal-tailed intervals.

        Returns
        -------
        pandas.DataFrame
            Estimands ``crude_rate`` and ``standardised_rate``, by system, over the observed tasks.

        Examples
        --------
        >>> import reliability_stats as rs
        >>> from reliability_stats.instruments import standardise
        >>> found = standardise(rs.Trials.from_array([[1, 0], [1, 1]]))
        >>> found.summary()["estimand"].tolist()
        ['crude_rate', 'standardised_rate']
        """
        crude = Quantity("crude_rate", self.crude, self.systems)
        standard = Quantity(
            "standardised_rate", self.standard, self.systems, identified=self.identified
        )
        return summarise([crude, standard], prob)

    def reversals(self, *, prob: float = 0.95) -> pd.DataFrame:
        """Compare every pair, crude and standardised.

        Parameters
        ----------
        prob : float in (0, 1), default 0.95
            Probability from which both verdicts count for ``reversed``.

        Returns
        -------
        pandas.DataFrame
            One row a pair: first, second, crude_higher and standard_higher (probabilities that the
            first has the higher rate), p_reversed (that the two disagree), reversed (whether both
            probabilities are beyond `prob`, on opposite sides).

        Examples
        --------
        >>> import reliability_stats as rs
        >>> from reliability_stats.instruments import standardise
        >>> found = standardise(rs.Trials.from_array([[[1, 0], [1, 1]], [[0, 0], [1, 0]]]))
        >>> found.reversals()["reversed"].tolist()
        [False]
        """
        import pandas as pd

        prob = check_prob(prob)
        rows = []
        for i, j in combinations(range(len(self.systems)), 2):
            crude = self.crude[:, i] > self.crude[:, j]
            standard = self.standard[:, i] > self.standard[:, j]
            a, b = float(crude.mean()), float(standard.mean())
            turned = min(a, b) <= 1 - prob and max(a, b) >= prob
            row: dict[str, Any] = {"first": self.systems[i], "second": self.systems[j]}
            row |= {"crude_higher": a, "standard_higher": b}
            rows.append(row | {"p_reversed": float((crude != standard).mean()), "reversed": turned})
        columns = ["first", "second", "crude_higher", "standard_higher", "p_reversed", "reversed"]
        return pd.DataFrame(rows, columns=columns)

    def __repr__(self) -> str:
        """Say how many pairs turn round."""
        turned = int(self.reversals()["reversed"].sum())
        return (
            f"Standardised rates of {len(self.systems)} systems; pairs that turn round: {turned}\n"
            "  .summary(), .reversals()"
        )
