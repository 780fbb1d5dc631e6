"""Friction: what an accepted output costs in review, rework and rollbacks."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from scipy import special

from .._counts import plural
from .._numerics import FloatArray, IntArray
from .._summary import COLUMNS
from .._validation import _as_float, check_choice, check_k, check_prob, check_rng
from ..exceptions import ArgumentError
from ._table import Flag, Label, Number, Table, read_table

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Friction", "FrictionEstimate"]


@dataclass(frozen=True)
class Friction:
    """Ratios of what outputs cost to how many of them last.

    Parameters
    ----------
    price_minute, price_rework, price_rollback : float >= 0, default 1, 0 and 0
        Price of a minute of review, of a round of rework, and of a rollback.
    interval : {"fieller", "bootstrap"}, default "fieller"
        How limits are found: by Fieller's theorem with Student's t, or by the studentised bootstrap
        of the logarithm of the ratio. Both treat users as clusters where they are named.
    resamples : int >= 200, default 2000
        Of the bootstrap.

    Notes
    -----
    A dependable success is an output that was accepted and not rolled back. The cost per dependable
    success is the ratio of two means, the costs of all outputs over the successes. Fieller's
    limits can be infinite: then the data do not exclude that successes are too rare for any bound.

    References
    ----------
    Fieller (1954), Some problems in interval estimation,
    https://doi.org/10.1111/j.2517-6161.1954.tb00159.x;
    Hall (1988), Theoretical comparison of bootstrap confidence intervals,
    https://doi.org/10.1214/aos/1176350933

    Examples
    --------
    >>> from reliability_stats.instruments import Friction
    >>> table = {"accepted": [1, 1, 0, 1], "minutes": [10, 20, 30, 20]}
    >>> found = Friction().estimate(table, system=None)
    >>> found.summary()[["estimand", "mean"]].round(2)
                          estimand   mean
    0  cost_per_dependable_success  26.67
    1         minutes_per_accepted  26.67
    2                   acceptance   0.75
    """

    price_minute: float = 1.0
    price_rework: float = 0.0
    price_rollback: float = 0.0
    interval: str = "fieller"
    resamples: int = 2000

    def __post_init__(self) -> None:
        """Check the fields."""
        for name in ("price_minute", "price_rework", "price_rollback"):
            value = _as_float(getattr(self, name), name, "a number of at least 0")
            if not 0 <= value < np.inf:
                raise ArgumentError(f"{name} must be a number of at least 0, not {value!r}.")
            object.__setattr__(self, name, value)
        check_choice(self.interval, ("fieller", "bootstrap"), "interval")
        check_k(self.resamples, "resamples", minimum=200)

    def estimate(
        self,
        data: Any,
        *,
        system: str | None = "system",
        accepted: str = "accepted",
        minutes: str = "minutes",
        rework: str | None = None,
        rolled_back: str | None = None,
        cost: str | None = None,
        user: str | None = None,
        rng: Any = 0,
    ) -> FrictionEstimate:
        """Estimate ratios for each system.

        Parameters
        ----------
        data : data frame or mapping of columns
            One row an output, those that were rejected included.
        system : str or None, default "system"
            Column of the system; None if all rows belong to one.
        accepted : str, default "accepted"
            Column that says whether the output was accepted in the end.
        minutes : str, default "minutes"
            Column of minutes of review.
        rework : str, optional
            Column of rounds of rework.
        rolled_back : str, optional
            Column that says whether an accepted output was taken back later.
        cost : str, optional
            Column of other costs of the output, such as of running the system.
        user : str, optional
            Column of the user; outputs of one user are then a cluster.
        rng : int, numpy.random.Generator, SeedSequence or None, default 0
            Seed of the bootstrap.

        Returns
        -------
        FrictionEstimate

        Raises
        ------
        TrialDataError
            If the table is not allowed; the message names the first row at fault.

        Examples
        --------
        >>> from reliability_stats.instruments import Friction
        >>> table = {"accepted": [1, 1, 0], "minutes": [5, 5, 9], "undone": [0, 1, 0]}
        >>> Friction().estimate(table, system=None, rolled_back="undone")
        FrictionEstimate of 1 system, 3 outputs
          system: cost per dependable success 19 [...]
          .summary()
        """
        generator = check_rng(rng)
        columns = {"system": system, "user": user, "accepted": accepted, "minutes": minutes}
        columns |= {"rework": rework, "rolled_back": rolled_back, "cost": cost}
        needs: dict[str, Any] = {"system": Label(), "user": Label(), "accepted": Flag()}
        needs |= {"minutes": Number(low=0), "rework": Number(low=0), "rolled_back": Flag()}
        needs["cost"] = Number(low=0)
        optional = ("system", "user", "rework", "rolled_back", "cost")
        table = read_table(data, columns, needs, what="output", optional=optional)
        zero = np.zeros(len(table), dtype=np.int64)
        back = _or(table, "rolled_back", zero)
        if "rolled_back" in table:
            wrong = (back == 1) & (table["accepted"] == 0)
            table.refuse(wrong, "rolled_back", "an output that was not accepted cannot be")
        again = _or(table, "rework", zero)
        price = _or(table, "cost", zero)
        price = price + self.price_minute * table["minutes"] + self.price_rework * again
        price = price + self.price_rollback * back
        lasting, taken = table["accepted"] * (1 - back), table["accepted"]
        ratios: dict[str, tuple[Any, Any]] = {
            "cost_per_dependable_success": (price, lasting),
            "minutes_per_accepted": (table["minutes"], taken),
        }
        if "rework" in table:
            ratios["rework_per_accepted"] = (again, taken)
        if "rolled_back" in table:
            ratios["rollbacks_per_accepted"] = (back, taken)
        ratios["acceptance"] = (taken, zero + 1)
        systems = table.labels.get("system", ("system",))
        unit = _or(table, "system", zero)
        cluster = _or(table, "user", np.arange(len(table)))
        rows = {
            name: [
                _clusters(above[unit == s], below[unit == s], cluster[unit == s])
                for s in range(len(systems))
            ]
            for name, (above, below) in ratios.items()
        }
        outputs = np.bincount(unit, minlength=len(systems))
        seed = int(generator.integers(2**62))
        return FrictionEstimate(self, systems, outputs, rows, table.fingerprint, seed)


def _or(table: Table, role: str, default: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Give a column, or what takes its place where it was not named."""
    if role in table:
        return table[role]
    return default


def _clusters(above: Any, below: Any, cluster: IntArray) -> FloatArray:
    """Add up both terms of a ratio by cluster, (clusters, 2)."""
    _, at = np.unique(cluster, return_inverse=True)
    sums = [np.bincount(at, weights=np.asarray(x, dtype=float)) for x in (above, below)]
    return np.stack(sums, axis=1)


@dataclass(frozen=True, eq=False, repr=False)
class FrictionEstimate:
    """Estimates of `Friction`; made by its `estimate`.

    Attributes
    ----------
    spec : Friction
        How they were made.
    systems : tuple of str
        Labels.
    outputs : (systems,) ndarray of int
        Numbers of outputs.
    sums : dict of str to list of (clusters, 2) ndarray
        Terms of each ratio by cluster; an implementation detail.
    fingerprint : str
        Of the table.
    """

    spec: Friction
    systems: tuple[str, ...]
    outputs: IntArray
    sums: dict[str, list[FloatArray]]
    fingerprint: str
    _seed: int

    def summary(self, *, prob: float = 0.95) -> pd.DataFrame:
        """Give all ratios in the package's one schema.

        Parameters
        ----------
        prob : float in (0, 1), default 0.95
            Nominal coverage.

        Returns
        -------
        pandas.DataFrame
            Estimands ``cost_per_dependable_success``, ``minutes_per_accepted``,
            ``rework_per_accepted`` and ``rollbacks_per_accepted`` (if named) and ``acceptance``.
            Ratios without a success are infinite; limits are NaN with fewer than two clusters.

        Examples
        --------
        >>> from reliability_stats.instruments import Friction
        >>> table = {"accepted": [0, 0], "minutes": [5, 9]}
        >>> Friction().estimate(table, system=None).summary()["mean"].tolist()
        [inf, inf, 0.0]
        """
        import pandas as pd

        prob = check_prob(prob)
        rows = []
        for name, systems in self.sums.items():
            rng = np.random.default_rng(self._seed)
            for s, sums in enumerate(systems):
                mean, sd = ratio(sums)
                if self.spec.interval == "fieller":
                    lower, upper = fieller(sums, prob)
                else:
                    lower, upper = studentised(sums, prob, self.spec.resamples, rng)
                if name == "acceptance":
                    upper = min(upper, 1.0)
                row = {"estimand": name, "system": self.systems[s], "over": "observed"}
                fields = {"mean": mean, "sd": sd, "lower": lower, "upper": upper, "prob": prob}
                kind = {"interval": self.spec.interval, "identified": "yes"}
                rows.append({**row, **fields, **kind, "ess_bulk": np.nan, "r_hat": np.nan})
        return pd.DataFrame(rows, columns=list(COLUMNS))

    def __repr__(self) -> str:
        """Give the data and the answer for the first systems."""
        lines = [
            (
                f"FrictionEstimate of {plural(len(self.systems), 'system')}, "
                f"{plural(int(self.outputs.sum()), 'output')}"
            )
        ]
        table = self.summary()
        for s, name in enumerate(self.systems[:6]):
            row = table.iloc[s]
            lines.append(
                f"  {name}: cost per dependable success {row['mean']:.4g} "
                f"[{row['lower']:.4g}, {row['upper']:.4g}]"
            )
        if len(self.systems) > 6:
            lines.append(f"  and {len(self.systems) - 6} more")
        return "\n".join([*lines, "  .summary()"])

    def _repr_html_(self) -> str:
        """Give the same for notebooks, escaped."""
        return f"<pre>{escape(repr(self))}</pre>"


def ratio(sums: FloatArray) -> tuple[float, float]:
    """Give a ratio of means and its linearised standard error."""
    above, below = sums.mean(axis=0)
    if not below:
        return (np.inf if above else np.nan), np.nan
    value = above / below
    if len(sums) < 2:
        return float(value), np.nan
    rest = sums[:, 0] - value * sums[:, 1]
    return float(value), float(rest.std(ddof=1) / (below * np.sqrt(len(sums))))


def fieller(sums: FloatArray, prob: float) -> tuple[float, float]:
    """Give Fieller's limits of a ratio of non-negative means.

    Parameters
    ----------
    sums : (clusters, 2) array
        Terms of the ratio.
    prob : float in (0, 1)
        Nominal coverage.

    Returns
    -------
    lower, upper : float
        In [0, inf]; NaN with fewer than two clusters.

    Examples
    --------
    >>> import numpy as np
    >>> lower, upper = fieller(np.array([[2.0, 1.0], [3.0, 1.0], [4.0, 1.0]]), 0.95)
    >>> round(lower, 3), round(upper, 3)  # 3 +- t(.975, 2) / sqrt(3)
    (0.516, 5.484)
    """
    size = len(sums)
    if size < 2:
        return np.nan, np.nan
    (x, s), t = sums.mean(axis=0), float(special.stdtrit(size - 1, (1.0 + prob) / 2.0))
    cov = np.cov(sums.T) * t**2 / size
    a, b, c = s**2 - cov[1, 1], x * s - cov[0, 1], x**2 - cov[0, 0]
    inside = b**2 - a * c
    if a <= 0:
        if inside < 0 or a == 0:
            return 0.0, np.inf
        return float(max((b - np.sqrt(inside)) / a if a else 0.0, 0.0)), np.inf
    root = np.sqrt(max(inside, 0.0))
    return float(max((b - root) / a, 0.0)), float((b + root) / a)


def studentised(
    sums: FloatArray, prob: float, resamples: int, rng: np.random.Generator
) -> tuple[float, float]:
    """Give limits by the studentised bootstrap of the logarithm of a ratio, over clusters."""
    value, error = ratio(sums)
    if len(sums) < 2 or not 0 < value < np.inf:
        return (np.nan, np.nan) if len(sums) < 2 else (0.0, np.inf)
    size, t = len(sums), []
    chunk = max(1, 2_000_000 // size)
    for start in range(0, resamples, chunk):
        at = rng.integers(size, size=(min(chunk, resamples - start), size))
        x, s = sums[at, 0], sums[at, 1]
        above, below = x.mean(axis=1), s.mean(axis=1)
        with np.errstate(divide="ignore", invalid="ignore"):
            r = above / below
            spread = (x - r[:, None] * s).std(axis=1, ddof=1) / (below * np.sqrt(size))
            t.append((np.log(r) - np.log(value)) / (spread / r))
    values = np.concatenate(t)
    values = values[np.isfinite(values)]
    if len(values) < resamples / 2 or not error > 0:
        return (0.0, np.inf) if error > 0 else (value, value)
    low, high = np.quantile(values, [(1 - prob) / 2, (1 + prob) / 2])
    scale = error / value
    return float(value * np.exp(-high * scale)), float(value * np.exp(-low * scale))
