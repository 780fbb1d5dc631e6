"""Users: how much reliability differs between them, and what a new one must expect."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import special

from .._numerics import FloatArray, IntArray
from .._validation import check_positive, check_rng
from ..exceptions import TrialDataError
from ..inference import grid
from ..inference.quadrature import jittered
from ._drawn import DRAWS, total_draws
from ._logit_normal import log_marginal
from ._table import Flag, Label, Table, count, read_table
from .users_posterior import UsersPosterior

__all__ = ["Users"]

REACH = 40.0


@dataclass(frozen=True)
class Users:
    """Success probabilities of users (sites, accents, repositories), normal on the logit scale.

    Parameters
    ----------
    mean_scale : float > 0, default 1.5
        Prior sd of the mean logit, which has mean 0; with 1.5 its probability is nearly uniform.
    sd_scale : float > 0, default 1
        Scale of the half-normal prior of the sd between users.

    Notes
    -----
    Successes of a user are binomial given the user; two hyperparameters a system are integrated on
    a lattice, users by an adaptive trapezoidal rule. Tasks are those of the table: users are new,
    tasks are not. If users repeat tasks, name the task: trials of one task of a user then count
    less, by the design effect 1 + (m - 1) rho with rho their correlation within users (analysis of
    variance over all users of a system), m the mean size (Rao and Scott 1992).

    With fewer than five users the prior of the sd decides much of the answer (``identified`` is
    "model"); with one user, or one trial each, all of it ("no").

    References
    ----------
    Rao and Scott (1992), A simple method for the analysis of clustered binary data,
    https://doi.org/10.2307/2532311

    Examples
    --------
    >>> from reliability_stats.instruments import Users
    >>> table = {"user": list("abcdefgh"), "n": [20] * 8, "good": [19, 20, 12, 18, 20, 7, 19, 16]}
    >>> post = Users().fit(table, system=None, n="n", successes="good")
    >>> post.summary()[["estimand", "mean"]].round(2)
                    estimand  mean
    0            median_user  0.85
    1              mean_user  0.78
    2  tenth_percentile_user  0.47
    3               new_user  0.78
    4                user_sd  1.55
    5    share_between_users  0.41
    """

    mean_scale: float = 1.5
    sd_scale: float = 1.0

    def __post_init__(self) -> None:
        """Check the fields."""
        for name in ("mean_scale", "sd_scale"):
            object.__setattr__(self, name, check_positive(getattr(self, name), name))

    def fit(
        self,
        data: Any,
        *,
        system: str | None = "system",
        user: str = "user",
        success: str | None = None,
        n: str | None = None,
        successes: str | None = None,
        task: str | None = None,
        rng: Any = 0,
        draws: int = DRAWS,
    ) -> UsersPosterior:
        """Compute the posterior of each system.

        Parameters
        ----------
        data : data frame or mapping of columns
            One row a trial (`success`), or one row for several trials (`n` and `successes`).
        system : str or None, default "system"
            Column of the system; None if all rows belong to one.
        user : str, default "user"
            Column of the user, site, accent, repository ...
        success : str, optional
            Column of the outcome of a trial; "success" if no counts are named.
        n, successes : str, optional
            Columns of counts.
        task : str, optional
            Column of the task, if users repeat tasks.
        rng : int, numpy.random.Generator, SeedSequence or None, default 0
            Seed of the draws.
        draws : int >= 1, default 2500
            Draws of each of 4 chains; independent.

        Returns
        -------
        UsersPosterior

        Raises
        ------
        TrialDataError
            If the table is not allowed; the message names the first row at fault.

        Examples
        --------
        >>> from reliability_stats.instruments import Users
        >>> table = {"user": ["a", "a", "b", "b"], "success": [1, 1, 0, 1]}
        >>> Users().fit(table, system=None).users()[["user", "n", "successes"]]
          user  n  successes
        0    a  2          2
        1    b  2          1
        """
        size = total_draws(draws)
        generator = check_rng(rng)
        if (n is None) != (successes is None) or (n is not None and success is not None):
            raise TrialDataError("Name either success, or both n and successes.")
        outcome = "success" if n is None and success is None else success
        columns = {"system": system, "user": user, "task": task, "success": outcome}
        columns |= {"n": n, "successes": successes}
        needs: dict[str, Any] = {"system": Label(), "user": Label(), "task": Label()}
        needs |= {"success": Flag(), "n": count(), "successes": count()}
        optional = ("system", "task", "success", "n", "successes")
        table = read_table(data, columns, needs, what="row", optional=optional)
        cells = _cells(table)
        systems = table.labels.get("system", ("system",))
        fitted = _lattices(self, cells, systems)
        streams = generator.spawn(len(systems) + 1)
        mu, sigma = np.empty((2, size, len(systems)))
        for lattice in fitted:
            for i, unit in enumerate(lattice.unit):
                one = lattice.take(np.array([i]))
                mu[:, unit], log_sd = jittered(one, size, streams[unit])
                sigma[:, unit] = np.exp(log_sd)
        names = table.labels["user"]
        return UsersPosterior(
            self, systems, names, cells, mu, sigma, table.fingerprint, streams[-1]
        )


@dataclass(frozen=True, eq=False)
class Cells:
    """Counts of each user of each system.

    Attributes
    ----------
    system, user : (cells,) ndarray of int
        Codes.
    n, successes : (cells,) ndarray of int
        Trials and successes.
    effect : (cells,) ndarray
        Design effect by which both are divided.
    icc : (systems,) ndarray
        Correlation of the trials of one task of a user; 0 where no task is repeated.
    """

    system: IntArray
    user: IntArray
    n: IntArray
    successes: IntArray
    effect: FloatArray
    icc: FloatArray


def _cells(table: Table) -> Cells:
    """Add up the rows of each user, and find design effects."""
    rows = len(table)
    n = table["n"] if "n" in table else np.ones(rows, dtype=np.int64)
    y = table["successes"] if "n" in table else table["success"]
    if "n" in table:
        table.refuse(y > n, "successes", "successes must not exceed n")
    if not n.any():
        raise TrialDataError("There is no trial: n is 0 in all rows.")
    system = table["system"] if "system" in table else np.zeros(rows, dtype=np.int64)
    used = n > 0
    task = table["task"] if "task" in table else np.arange(rows)
    keys = np.stack([system, table["user"], task])[:, used]
    inner, at = np.unique(keys, axis=1, return_inverse=True)
    sizes = np.bincount(at.ravel(), weights=n[used])
    wins = np.bincount(at.ravel(), weights=y[used])
    outer, where = np.unique(inner[:2], axis=1, return_inverse=True)
    where = where.ravel()
    total = np.bincount(where, weights=sizes)
    good = np.bincount(where, weights=wins)
    systems = int(system.max()) + 1
    icc, effect = np.zeros(systems), np.ones(len(total))
    if "task" in table:
        for s in range(systems):
            mine = inner[0] == s
            icc[s] = _icc_within(sizes[mine], wins[mine], where[mine])
        mean = np.bincount(where, weights=sizes**2) / total
        effect = 1.0 + (mean - 1.0) * icc[outer[0]]
    as_int = (total.astype(np.int64), good.astype(np.int64))
    return Cells(outer[0], outer[1], *as_int, effect, icc)


def _icc_within(n: FloatArray, y: FloatArray, user: IntArray) -> float:
    """Estimate the correlation within tasks within users by analysis of variance; at least 0."""
    _, at = np.unique(user, return_inverse=True)
    total, wins = np.bincount(at, weights=n), np.bincount(at, weights=y)
    between, within = len(n) - len(total), n.sum() - len(n)
    if between < 1 or within < 1:
        return 0.0
    msb = ((y**2 / n).sum() - (wins**2 / total).sum()) / between
    msw = (y.sum() - (y**2 / n).sum()) / within
    size = (n.sum() - (np.bincount(at, weights=n**2) / total).sum()) / between
    whole = msb + (size - 1.0) * msw
    return float(np.clip((msb - msw) / whole, 0.0, 1.0)) if whole > 0 else 0.0


def _lattices(spec: Users, cells: Cells, systems: tuple[str, ...]) -> list[grid.Lattice]:
    """Lay a lattice over (mean logit, log sd) of each system."""
    n, y = cells.n / cells.effect, cells.successes / cells.effect
    data = []
    for s in range(len(systems)):
        mine = cells.system == s
        pairs, times = np.unique(np.stack([n[mine], y[mine]]), axis=1, return_counts=True)
        data.append((pairs[0], pairs[1], times.astype(float)))

    def density(unit: IntArray, u: FloatArray, v: FloatArray) -> FloatArray:
        sigma = np.exp(np.minimum(v, 20.0))
        out = -0.5 * (u / spec.mean_scale) ** 2 - 0.5 * (sigma / spec.sd_scale) ** 2 + v
        for i, s in enumerate(unit):
            alive = out[i] > -700.0
            # far out in the prior nothing is left to integrate
            mu, sd = u[i, alive], sigma[i, alive]
            for size, wins, times in zip(*data[s], strict=True):
                out[i, alive] += times * log_marginal(
                    np.full(mu.shape, size), np.full(mu.shape, wins), mu, sd
                )
        return np.asarray(out)

    def name(i: int) -> str:
        return f"system {systems[i]!r}"

    return grid.build(density, len(systems), reach=REACH, names=name)


def population_mean(mu: FloatArray, sigma: FloatArray) -> FloatArray:
    """Give the mean success probability over users, for arrays of (mu, sigma)."""
    z = np.linspace(-8.0, 8.0, 161)
    weight = np.exp(-0.5 * z**2)
    weight /= weight.sum()
    out = np.zeros(mu.shape)
    for node, share in zip(z, weight, strict=True):
        out += share * special.expit(mu + sigma * node)
    return out
