"""Severity of what goes wrong: expected cost, tail risk, cost of a dependable success."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from .._numerics import FloatArray
from .._validation import _as_float, check_positive, check_rng
from ..exceptions import ArgumentError
from ._drawn import DRAWS, total_draws
from ._table import Label, count, read_table
from .severity_posterior import SeverityPosterior

__all__ = ["Severity"]


@dataclass(frozen=True)
class Severity:
    """Every run ends at one of several ordered levels of severity, and each level has a cost.

    Parameters
    ----------
    costs : mapping of str to float
        Cost of a run that ends at each level, from least to worst. All levels must be listed, also
        those that did not occur; costs must not fall.
    good : str or list of str, optional
        Levels that are a dependable success; the first by default.
    prior : float > 0, default 0.5
        Weight of every level in the Dirichlet prior, in runs. 0.5 is the prior of Jeffreys.

    Notes
    -----
    Shares of levels are Dirichlet(prior + counts), each system by itself. With A the sum of these
    and m the expected cost under the mean shares, the expected cost has posterior mean m and
    variance (sum a c^2 / A - m^2) / (A + 1). Runs are independent: where several runs share a task
    or a cause, intervals are too narrow.

    References
    ----------
    Rockafellar and Uryasev (2000), Optimization of conditional value-at-risk,
    https://doi.org/10.21314/JOR.2000.038

    Examples
    --------
    >>> from reliability_stats.instruments import Severity
    >>> spec = Severity({"none": 0, "minor": 1, "major": 5, "critical": 50})
    >>> table = {"severity": ["none", "minor", "major", "critical"], "runs": [40, 6, 3, 1]}
    >>> post = spec.fit(table, system=None, n="runs")
    >>> post.summary()[["estimand", "mean", "sd"]].round(4).head(1)
            estimand    mean      sd
    0  expected_cost  1.9038  1.1517
    """

    costs: Mapping[str, float] | tuple[tuple[str, float], ...]
    good: str | tuple[str, ...] | None = None
    prior: float = 0.5

    def __post_init__(self) -> None:
        """Check the fields."""
        pairs = self.costs.items() if isinstance(self.costs, Mapping) else self.costs
        checked = tuple(
            (name, _as_float(cost, f"the cost of {name!r}", "a finite number"))
            for name, cost in pairs
        )
        if len(checked) < 2:
            raise ArgumentError("costs must list at least two levels, from least to worst.")
        for (before, less), (name, more) in pairwise(checked):
            if not isinstance(name, str) or not np.isfinite(more) or more < less:
                raise ArgumentError(
                    f"costs must be finite and not fall from one level to the next, but {name!r} "
                    f"costs {more:g} after {before!r} with {less:g}."
                )
        object.__setattr__(self, "costs", checked)
        good = (self.levels[0],) if self.good is None else self.good
        names = (good,) if isinstance(good, str) else tuple(good)
        for name in names:
            if name not in self.levels:
                raise ArgumentError(
                    f"good names {name!r}, but the levels are {', '.join(map(repr, self.levels))}."
                )
        object.__setattr__(self, "good", names)
        object.__setattr__(self, "prior", check_positive(self.prior, "prior"))

    @property
    def levels(self) -> tuple[str, ...]:
        """Levels from least to worst."""
        return tuple(name for name, _ in self._pairs())

    @property
    def values(self) -> FloatArray:
        """Cost of each level."""
        return np.array([cost for _, cost in self._pairs()])

    @property
    def is_good(self) -> npt.NDArray[np.bool_]:
        """Mark the levels that are a dependable success."""
        good = self.good or ()
        return np.array([name in good for name in self.levels])

    def _pairs(self) -> Iterable[tuple[str, float]]:
        """Levels with their costs."""
        return self.costs if isinstance(self.costs, tuple) else self.costs.items()

    def fit(
        self,
        data: Any,
        *,
        system: str | None = "system",
        severity: str = "severity",
        n: str | None = None,
        rng: Any = 0,
        draws: int = DRAWS,
    ) -> SeverityPosterior:
        """Compute the posterior of the shares of levels.

        Parameters
        ----------
        data : data frame or mapping of columns
            One row a run, runs without harm included, or one row for several runs of one severity.
        system : str or None, default "system"
            Column of the system; None if all runs belong to one.
        severity : str, default "severity"
            Column of the level.
        n : str, optional
            Column with how many runs a row stands for.
        rng : int, numpy.random.Generator, SeedSequence or None, default 0
            Seed of the draws.
        draws : int >= 1, default 2500
            Draws of each of 4 chains; independent.

        Returns
        -------
        SeverityPosterior

        Raises
        ------
        TrialDataError
            If the table is not allowed; the message names the first row at fault.

        Examples
        --------
        >>> from reliability_stats.instruments import Severity
        >>> table = {"severity": ["none", "none", "harm"]}
        >>> Severity({"none": 0, "harm": 10}).fit(table, system=None)
        SeverityPosterior of 2 levels, none (cost 0) to harm (cost 10)
          1 system, 3 runs; prior weight of a level 0.5
          system: expected cost 3.75 [0.38, 8.2], none in 62% of runs
          .summary(), .levels(), .risk(limit), .draws()
        """
        size = total_draws(draws)
        generator = check_rng(rng)
        columns = {"system": system, "severity": severity, "n": n}
        needs: dict[str, Any] = {"system": Label(), "severity": Label(levels=self.levels)}
        needs["n"] = count()
        table = read_table(data, columns, needs, what="run", optional=("system", "n"))
        systems = table.labels.get("system", ("system",))
        counts = np.zeros((len(systems), len(self.levels)), dtype=np.int64)
        row = table["system"] if "system" in table else np.zeros(len(table), dtype=np.int64)
        runs = table["n"] if "n" in table else np.ones(len(table), dtype=np.int64)
        np.add.at(counts, (row, table["severity"]), runs)
        shares = np.stack(
            [generator.dirichlet(self.prior + each, size=size) for each in counts], axis=1
        )
        return SeverityPosterior(self, systems, counts, shares, table.fingerprint)
