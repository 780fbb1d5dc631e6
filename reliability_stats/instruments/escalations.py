"""Escalations: what is handed to people, what should have been, and what goes wrong in silence."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np

from .._counts import plural
from .._numerics import IntArray
from .._validation import check_choice, check_rng
from ._drawn import DRAWS, Quantity, array_of, summarise, total_draws
from ._table import Flag, Label, read_table

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

__all__ = ["Escalation", "EscalationPosterior"]


@dataclass(frozen=True)
class Escalation:
    """Whether the runs that are escalated are those that fail.

    Parameters
    ----------
    unaudited : {"raise", "drop"}, default "raise"
        What to do with runs of which it is not known whether they failed: refuse the table, or use
        them for the rate of escalation only. The latter is right if, among escalated runs and among
        others, those that were looked into are a random sample.

    Notes
    -----
    With all four counts known the prior is Dirichlet(1/2, 1/2, 1/2, 1/2), that of Jeffreys:
    P(escalated) is uniform, and P(failed) given either has Beta(1/2, 1/2). Where only some runs
    were audited the same factors are kept and combined by Bayes' theorem. Runs are independent.

    Examples
    --------
    >>> from reliability_stats.instruments import Escalation
    >>> table = {"escalated": [1] * 10 + [0] * 90, "failed": [1] * 8 + [0] * 2 + [1] * 3 + [0] * 87}
    >>> post = Escalation().fit(table, system=None)
    >>> post.summary()[["estimand", "mean"]].round(2)
                       estimand  mean
    0           escalation_rate  0.11
    1  failure_if_not_escalated  0.04
    2            silent_failure  0.03
    3      escalation_if_failed  0.71
    4        escalation_if_good  0.03
    5              failure_rate  0.12
    """

    unaudited: str = "raise"

    def __post_init__(self) -> None:
        """Check the field."""
        check_choice(self.unaudited, ("raise", "drop"), "unaudited")

    def fit(
        self,
        data: Any,
        *,
        system: str | None = "system",
        escalated: str = "escalated",
        failed: str = "failed",
        rng: Any = 0,
        draws: int = DRAWS,
    ) -> EscalationPosterior:
        """Compute the posterior of each system.

        Parameters
        ----------
        data : data frame or mapping of columns
            One row a run.
        system : str or None, default "system"
            Column of the system; None if all runs belong to one.
        escalated : str, default "escalated"
            Column that says whether a run was handed to a person.
        failed : str, default "failed"
            Column that says whether the system's own answer was wrong.
        rng : int, numpy.random.Generator, SeedSequence or None, default 0
            Seed of the draws.
        draws : int >= 1, default 2500
            Draws of each of 4 chains; independent.

        Returns
        -------
        EscalationPosterior

        Raises
        ------
        TrialDataError
            If the table is not allowed; the message names the first row at fault.

        Examples
        --------
        >>> from reliability_stats.instruments import Escalation
        >>> table = {"escalated": [1, 0, 0], "failed": [1, 0, None]}
        >>> Escalation(unaudited="drop").fit(table, system=None).unknown.tolist()
        [[1, 0]]
        """
        size = total_draws(draws)
        generator = check_rng(rng)
        columns = {"system": system, "escalated": escalated, "failed": failed}
        missing: Any = "raise" if self.unaudited == "raise" else "keep"
        needs: dict[str, Any] = {"system": Label(), "escalated": Flag()}
        needs["failed"] = Flag(missing=missing)
        table = read_table(data, columns, needs, what="run", optional=("system",))
        systems = table.labels.get("system", ("system",))
        row = table["system"] if "system" in table else np.zeros(len(table), dtype=np.int64)
        counts = np.zeros((len(systems), 2, 3), dtype=np.int64)
        np.add.at(counts, (row, table["escalated"], table["failed"]), 1)
        seed = int(generator.integers(2**62))
        return EscalationPosterior(
            self, systems, counts[:, :, :2], counts[:, :, 2], table.fingerprint, size, seed
        )


@dataclass(frozen=True, eq=False, repr=False)
class EscalationPosterior:
    """Posterior of an `Escalation`; made by its `fit`.

    Attributes
    ----------
    spec : Escalation
        What was fitted.
    systems : tuple of str
        Labels.
    counts : (systems, 2, 2) ndarray of int
        Audited runs, by escalated (no, yes) and failed (no, yes).
    unknown : (systems, 2) ndarray of int
        Runs without audit, by escalated.
    fingerprint : str
        Of the table.
    """

    spec: Escalation
    systems: tuple[str, ...]
    counts: IntArray
    unknown: IntArray
    fingerprint: str
    _size: int
    _seed: int

    @cached_property
    def _quantities(self) -> list[Quantity]:
        """Draws of all quantities."""
        rng = np.random.default_rng(self._seed)
        total = self.counts.sum(axis=2) + self.unknown
        shape = (self._size, len(self.systems))
        e = rng.beta(1.0 + total[:, 1], 1.0 + total[:, 0], shape)
        quiet, loud = (
            rng.beta(0.5 + self.counts[:, g, 1], 0.5 + self.counts[:, g, 0], shape) for g in (0, 1)
        )
        silent, caught = (1.0 - e) * quiet, e * loud
        good = 1.0 - silent - caught
        values = {
            "escalation_rate": e,
            "failure_if_not_escalated": quiet,
            "silent_failure": silent,
            "escalation_if_failed": caught / (silent + caught),
            "escalation_if_good": e * (1.0 - loud) / good,
            "failure_rate": silent + caught,
        }
        return [Quantity(name, value, self.systems) for name, value in values.items()]

    def summary(self, *, prob: float = 0.95) -> pd.DataFrame:
        """Give the quality of escalation in the package's one schema.

        Parameters
        ----------
        prob : float in (0, 1), default 0.95
            Mass of the equal-tailed intervals.

        Returns
        -------
        pandas.DataFrame
            Estimands, by system: ``escalation_rate``; ``failure_if_not_escalated``, the chance that
            an answer which nobody was asked to check is wrong; ``silent_failure``, the chance of a
            run that fails and is not escalated; ``escalation_if_failed``; ``escalation_if_good``,
            the burden; ``failure_rate``.

        Examples
        --------
        >>> from reliability_stats.instruments import Escalation
        >>> table = {"escalated": [1, 1, 0, 0], "failed": [1, 0, 0, 0]}
        >>> len(Escalation().fit(table, system=None).summary())
        6
        """
        return summarise(self._quantities, prob)

    def draws(self, estimand: str = "silent_failure") -> xr.DataArray:
        """Give posterior draws of an estimand of the summary.

        Parameters
        ----------
        estimand : str, default "silent_failure"
            Its name.

        Returns
        -------
        xarray.DataArray
            Dims chain, draw, system.

        Examples
        --------
        >>> from reliability_stats.instruments import Escalation
        >>> table = {"escalated": [1, 1, 0, 0], "failed": [1, 0, 0, 0]}
        >>> Escalation().fit(table, system=None).draws().name
        'silent_failure'
        """
        return array_of(self._quantities, estimand)

    def __repr__(self) -> str:
        """Give the data and the answer for the first systems."""
        runs = int(self.counts.sum() + self.unknown.sum())
        unknown = int(self.unknown.sum())
        note = f", {unknown} of them not audited" if unknown else ""
        lines = [
            (
                f"EscalationPosterior of {plural(len(self.systems), 'system')}, "
                f"{plural(runs, 'run')}{note}"
            )
        ]
        table = self.summary()
        rows = table[table["estimand"] == "failure_if_not_escalated"]
        for s, name in enumerate(self.systems[:6]):
            row = rows.iloc[s]
            lines.append(
                f"  {name}: of runs not escalated {100 * row['mean']:.1f}% fail "
                f"[{100 * row['lower']:.1f}%, {100 * row['upper']:.1f}%]"
            )
        if len(self.systems) > 6:
            lines.append(f"  and {len(self.systems) - 6} more")
        return "\n".join([*lines, "  .summary(), .draws()"])

    def _repr_html_(self) -> str:
        """Give the same for notebooks, escaped."""
        return f"<pre>{escape(repr(self))}</pre>"
