"""What the fit of users says: the population of users, a new user, and every user seen."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import special

from .._counts import plural
from .._numerics import FloatArray
from .._validation import check_fraction, check_prob
from ._drawn import Quantity, array_of, interval_columns, summarise
from ._logit_normal import draw_users

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

    from .users import Cells, Users

FEW = 5


@dataclass(frozen=True, eq=False, repr=False)
class UsersPosterior:
    """Posterior of `Users`; made by its `fit`.

    Attributes
    ----------
    spec : Users
        What was fitted.
    systems, names : tuple of str
        Labels of systems and of users.
    cells : Cells
        Counts of each user; an implementation detail.
    mu, sigma : (draws, systems) ndarray
        Draws of the mean logit and of the sd between users.
    fingerprint : str
        Of the table.
    """

    spec: Users
    systems: tuple[str, ...]
    names: tuple[str, ...]
    cells: Cells
    mu: FloatArray
    sigma: FloatArray
    fingerprint: str
    _rng: np.random.Generator

    @cached_property
    def _seed(self) -> int:
        """Seed of what is drawn beyond the two parameters."""
        return int(self._rng.integers(2**62))

    @cached_property
    def _quantities(self) -> list[Quantity]:
        """Draws over the population of users."""
        from .users import population_mean

        known = []
        for s in range(len(self.systems)):
            mine = self.cells.system == s
            one = mine.sum() < 2 or (self.cells.n[mine] < 2).all()
            known.append("no" if one else "yes" if mine.sum() >= FEW else "model")
        rng = np.random.default_rng([self._seed, 0])
        new = special.expit(self.mu + self.sigma * rng.standard_normal(self.mu.shape))
        tail = special.expit(self.mu + special.ndtri(0.1) * self.sigma)
        variance = self.sigma**2
        values = {
            "median_user": special.expit(self.mu),
            "mean_user": population_mean(self.mu, self.sigma),
            "tenth_percentile_user": tail,
            "new_user": new,
            "user_sd": self.sigma,
            "share_between_users": variance / (variance + np.pi**2 / 3.0),
        }
        return [
            Quantity(name, value, self.systems, "population", tuple(known))
            for name, value in values.items()
        ]

    def summary(self, *, prob: float = 0.95) -> pd.DataFrame:
        """Give the population of users in the package's one schema.

        Parameters
        ----------
        prob : float in (0, 1), default 0.95
            Mass of the equal-tailed intervals.

        Returns
        -------
        pandas.DataFrame
            Estimands, by system: ``median_user``, ``mean_user`` and ``tenth_percentile_user``
            (success probability of such users), ``new_user`` (its interval holds the success
            probability of one more user with chance `prob`), ``user_sd`` (of logits), and
            ``share_between_users`` (of the variance of a logistic latent variable).

        Examples
        --------
        >>> from reliability_stats.instruments import Users
        >>> table = {"user": ["a", "a", "b", "b"], "success": [1, 1, 0, 1]}
        >>> Users().fit(table, system=None).summary()["identified"].unique().tolist()
        ['model']
        """
        return summarise(self._quantities, prob)

    def draws(self, estimand: str = "new_user") -> xr.DataArray:
        """Give posterior draws of an estimand of the summary.

        Parameters
        ----------
        estimand : str, default "new_user"
            Its name.

        Returns
        -------
        xarray.DataArray
            Dims chain, draw, system.

        Examples
        --------
        >>> from reliability_stats.instruments import Users
        >>> table = {"user": ["a", "a", "b", "b"], "success": [1, 1, 0, 1]}
        >>> Users().fit(table, system=None).draws("user_sd").shape
        (4, 2500, 1)
        """
        return array_of(self._quantities, estimand)

    def users(self, *, at_least: float = 0.9, prob: float = 0.95) -> pd.DataFrame:
        """Give every user.

        Parameters
        ----------
        at_least : float in [0, 1], default 0.9
            Success probability that counts as served.
        prob : float in (0, 1), default 0.95
            Mass of the equal-tailed intervals.

        Returns
        -------
        pandas.DataFrame
            One row for each system and user: system, user, n, successes, effect (design effect),
            mean, sd, lower, upper, prob of the success probability, p_served (that it is at least
            `at_least`) and p_worst (that no user of the system has a lower one).

        Examples
        --------
        >>> from reliability_stats.instruments import Users
        >>> table = {"user": ["a", "b"], "n": [50, 50], "k": [49, 30]}
        >>> post = Users().fit(table, system=None, n="n", successes="k")
        >>> post.users()["p_worst"].round(2).tolist()
        [0.0, 1.0]
        """
        import pandas as pd

        prob, bar = check_prob(prob), check_fraction(at_least, "at_least")
        frames = []
        for s, name in enumerate(self.systems):
            at = np.flatnonzero(self.cells.system == s)
            rng = np.random.default_rng([self._seed, 1, s])
            values = np.stack([self._drawn(int(i), rng) for i in at], axis=1)
            worst = np.bincount(values.argmin(axis=1), minlength=len(at)) / len(values)
            table: dict[str, Any] = {"system": name}
            table["user"] = [self.names[u] for u in self.cells.user[at]]
            table |= {"n": self.cells.n[at], "successes": self.cells.successes[at]}
            table |= {"effect": self.cells.effect[at]} | interval_columns(values, prob)
            table |= {"p_served": (values >= bar).mean(axis=0), "p_worst": worst}
            frames.append(pd.DataFrame(table))
        return pd.concat(frames, ignore_index=True)

    def _drawn(self, i: int, rng: np.random.Generator) -> FloatArray:
        """Draw the success probability of one user."""
        cells, s = self.cells, self.cells.system[i]
        effect = cells.effect[i]
        mu, sigma = self.mu[:, s], self.sigma[:, s]
        return draw_users(cells.n[i] / effect, cells.successes[i] / effect, mu, sigma, rng)

    def __repr__(self) -> str:
        """Give the data and the answer for the first systems."""
        lines = [
            (
                f"UsersPosterior of {plural(len(self.systems), 'system')}, "
                f"{plural(len(self.cells.n), 'user')}, {plural(int(self.cells.n.sum()), 'trial')}"
            )
        ]
        table = self.summary()
        middles = table[table["estimand"] == "median_user"]
        news = table[table["estimand"] == "new_user"]
        for s, name in enumerate(self.systems[:6]):
            middle, new = middles.iloc[s], news.iloc[s]
            lines.append(
                f"  {name}: median user {middle['mean']:.3f} [{middle['lower']:.3f}, "
                f"{middle['upper']:.3f}]; a new user [{new['lower']:.3f}, {new['upper']:.3f}]"
            )
        if len(self.systems) > 6:
            lines.append(f"  and {len(self.systems) - 6} more")
        return "\n".join([*lines, "  .summary(), .users(), .draws(estimand)"])

    def _repr_html_(self) -> str:
        """Give the same for notebooks, escaped."""
        return f"<pre>{escape(repr(self))}</pre>"
