"""Damage that appears in some runs only: how often, in which cells, and how often it is missed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from .._counts import plural
from .._validation import check_k, check_positive_int, check_prob
from ..estimands import MeanFunction, PassHatK, Reach, SuccessRate, TaskMean
from ..exceptions import ArgumentError
from ..fitting import fit
from ..posterior import Posterior
from ..trials import Trials
from ._table import Column, Flag, Label, Table, count, read_table

if TYPE_CHECKING:
    import pandas as pd

LIMIT = 0.05
"""Damage probability from which a cell counts as unsafe."""


@dataclass(frozen=True)
class AuditMiss(MeanFunction):
    r"""Chance that an audit of a cell that does damage sees none.

    With s the chance that a run of the cell is clean, all of `runs` audit runs are clean although
    at least one of `k` other runs of the same cell does damage:
    :math:`E[s^r (1 - s^k)] / E[1 - s^k]`. In `Trials`, a success is a clean run.

    Parameters
    ----------
    k : int >= 1, default 1
        Runs by which the cell is known to do damage. With 1, cells count by how often they do
        damage; the more, the more alike all cells count that do damage at all.
    runs : int >= 1, default 1
        Runs of the audit.

    Notes
    -----
    The runs that show the damage and those of the audit are different ones. A plug-in that picks
    cells by damage seen and then counts clean runs among the same runs is biased: what makes a cell
    be picked also lowers its clean share. The bias does not go away with more cells.

    Examples
    --------
    >>> from reliability_stats.instruments import AuditMiss
    >>> round(float(AuditMiss(k=1).from_p([1.0, 0.75, 0.5])), 4)  # clean in all, 3/4, 1/2 of runs
    0.5833
    """

    k: int = 1
    runs: int = 1

    def __post_init__(self) -> None:
        """Check the fields."""
        object.__setattr__(self, "k", check_k(self.k))
        object.__setattr__(self, "runs", check_k(self.runs, "runs"))

    @property
    def name(self) -> str:
        """``audit_miss@k``, followed by the runs of the audit if there are several."""
        return f"audit_miss@{self.k}" + (f"_{self.runs}" if self.runs > 1 else "")

    @property
    def parts(self) -> tuple[TaskMean, ...]:
        """All clean: in the runs of the audit, in all runs, in the other runs."""
        return PassHatK(self.runs), PassHatK(self.runs + self.k), PassHatK(self.k)

    def combine(self, *means: Any) -> Any:
        """Audits that miss among cells that do damage."""
        return np.asarray((means[0] - means[1]) / (1.0 - means[2]))

    def from_beta(self, a: ArrayLike, b: ArrayLike) -> Any:
        """Combine the moments of Beta(a, b)."""
        return self.combine(*(part.from_beta(a, b) for part in self.parts))


@dataclass(frozen=True)
class SafetyAudit:
    """Cells (system x task) run repeatedly, each run with damage or clean.

    Parameters
    ----------
    model : model, optional
        Of the clean runs, as `fit` takes it: `BetaBinomial` by default, or `GridMixture`.

    Notes
    -----
    The chance of damage varies over cells by a law that is fitted to all cells, those without
    damage included. So nothing is conditioned on damage that was seen.

    Examples
    --------
    >>> from reliability_stats.instruments import SafetyAudit
    >>> cells = {"task": ["a", "b", "c"], "n": [16, 16, 32], "damaged": [4, 0, 12]}
    >>> SafetyAudit().fit(cells, n="n", damaged="damaged")
    SafetyPosterior: damage in 16 of 64 runs, in 2 of 3 cells of 1 system
      .summary(), .cells(), .audit(), .posterior
    """

    model: Any = None

    def fit(
        self,
        data: Any,
        *,
        task: str = "task",
        system: str | None = None,
        damage: str | None = None,
        n: str | None = None,
        damaged: str | None = None,
        missing: str = "raise",
        rng: Any = 0,
    ) -> SafetyPosterior:
        """Compute the posterior.

        Parameters
        ----------
        data : frame or mapping
            Any frame that Narwhals supports, or a mapping of columns.
        task, system : str
            Names of columns; without a system column all runs are of one.
        damage : str, optional
            Column that says whether a run did damage: one row a run.
        n, damaged : str, optional
            Columns of the number of runs and of those with damage: one row a cell.
        missing : {"raise", "drop"}
            What becomes of runs of which it is not known whether they did damage. A run that broke
            off is not a clean run.
        rng : int, numpy.random.Generator, SeedSequence or None, default 0
            Seed.

        Returns
        -------
        SafetyPosterior

        Raises
        ------
        TrialDataError
            If a value is missing or not allowed; the first such row is named.
        ArgumentError
            If neither runs nor counts are named, or both.
        """
        if missing not in ("raise", "drop"):
            raise ArgumentError(f"missing must be 'raise' or 'drop', not {missing!r}.")
        if (damage is None) == (n is None and damaged is None) or (n is None) != (damaged is None):
            raise ArgumentError(
                "Name either the column damage=... (one row a run) or both n=... and damaged=... "
                "(one row a cell)."
            )
        how: Any = missing
        columns = {"system": system, "task": task, "damage": damage, "n": n, "damaged": damaged}
        needs: dict[str, Column] = {
            "system": Label(),
            "task": Label(),
            "damage": Flag(missing=how),
            "n": count(low=1),
            "damaged": count(),
        }
        optional = ("system", "damage", "n", "damaged")
        what = "cell" if damage is None else "run"
        table = read_table(data, columns, needs, what=what, optional=optional)
        trials = _clean_trials(table)
        post = fit(trials, self.model, rng=rng) if self.model is not None else fit(trials, rng=rng)
        return SafetyPosterior(post, table)


def _clean_trials(table: Table) -> Trials:
    """Count runs and clean runs of every cell."""
    none = np.zeros(len(table), dtype=np.int64)
    system = table.values.get("system", none)
    names = table.labels.get("system", ("system",))
    tasks = table.labels["task"]
    if "damage" in table:
        n, damaged = np.ones(len(table), dtype=np.int64), table["damage"]
    else:
        table.refuse_repeats(*(role for role in ("system", "task") if role in table))
        n, damaged = table["n"], table["damaged"]
        table.refuse(damaged > n, "damaged", "it must not exceed the number of runs")
    at = system * len(tasks) + table["task"]
    size = len(names) * len(tasks)
    runs, bad = (
        np.bincount(at, weights=x, minlength=size).round().astype(np.int64) for x in (n, damaged)
    )
    cells = np.flatnonzero(runs)
    frame = {
        "system": [names[i // len(tasks)] for i in cells],
        "task": [tasks[i % len(tasks)] for i in cells],
        "n": runs[cells],
        "successes": (runs - bad)[cells],
    }
    return Trials.from_counts(frame)


@dataclass(frozen=True, eq=False, repr=False)
class SafetyPosterior:
    """What repeated runs say of damage; made by `SafetyAudit.fit`.

    Attributes
    ----------
    posterior : Posterior
        Of the clean runs; a success is a clean run, and pass^k is k clean runs in a row.
    table : Table
        What was read.
    """

    posterior: Posterior
    table: Table

    def summary(
        self, *, k: int | None = None, limit: float = LIMIT, prob: float = 0.95
    ) -> pd.DataFrame:
        """Give the rate of damage, what repeats clean, and what a single clean run misses.

        Parameters
        ----------
        k : int >= 1, optional
            Runs for safe^k and for ``audit_miss@k``; by default one fewer than the usual number of
            runs of a cell, so that both are identified.
        limit : float in (0, 1), default 0.05
            Damage probability from which a cell counts as unsafe.
        prob : float in (0, 1), default 0.95
            Mass of the intervals.

        Returns
        -------
        pandas.DataFrame
            The schema of all summaries, over tasks like these: damage_rate, safe^k, unsafe_share
            (of cells whose damage probability is at least the limit; it rests on the model),
            ``audit_miss@1`` (a clean run, given that another run of the cell did damage) and
            ``audit_miss@k`` (given damage in at least one of k other runs).

        Raises
        ------
        ArgumentError
            If an argument is not allowed.

        Examples
        --------
        >>> from reliability_stats.instruments import SafetyAudit
        >>> cells = {"task": range(40), "n": [8] * 40, "damaged": [0] * 30 + [1, 2, 4, 5, 8] * 2}
        >>> post = SafetyAudit().fit(cells, n="n", damaged="damaged")
        >>> post.summary()[["estimand", "mean", "lower", "upper"]].round(2)
                    estimand  mean  lower  upper
        0        damage_rate  0.14   0.07   0.24
        1             safe^7  0.74   0.60   0.86
        2  unsafe_share_0.05  0.29   0.16   0.44
        3       audit_miss@1  0.32   0.15   0.52
        4       audit_miss@7  0.49   0.30   0.67
        """
        import pandas as pd

        usual = int(np.quantile(self.posterior.trials.counts.n, 0.5, method="lower"))
        many = max(1, usual - 1) if k is None else check_k(k)
        bound = check_prob(limit, "limit")
        wanted = [SuccessRate(), PassHatK(many), Reach(1.0 - bound), AuditMiss(1), AuditMiss(many)]
        wanted = list(dict.fromkeys(wanted))
        frames = []
        for estimand in wanted:
            rows = self.posterior.summary(estimand, prob=prob)
            if isinstance(estimand, SuccessRate | Reach):
                rows[["lower", "upper"]] = 1.0 - rows[["upper", "lower"]].to_numpy()
                rows["mean"] = 1.0 - rows["mean"]
            name = {SuccessRate: "damage_rate", Reach: f"unsafe_share_{bound:g}"}
            rows["estimand"] = name.get(type(estimand), estimand.name).replace("pass^", "safe^")
            frames.append(rows)
        return pd.concat(frames, ignore_index=True)

    def cells(self, *, limit: float = LIMIT, prob: float = 0.95) -> pd.DataFrame:
        """Give the chance of damage in every cell.

        Parameters
        ----------
        limit : float in (0, 1), default 0.05
            Damage probability from which a cell counts as unsafe.
        prob : float in (0, 1), default 0.95
            Mass of the equal-tailed intervals.

        Returns
        -------
        pandas.DataFrame
            One row a cell: system, task, n, damaged, mean, sd, lower, upper (of the damage
            probability), p_unsafe (it is at least `limit`).

        Raises
        ------
        ArgumentError
            If an argument is not allowed.
        """
        bound = check_prob(limit, "limit")
        rows = self.posterior.tasks(prob=prob, low=1.0 - bound, high=1.0)
        return rows[["system", "task", "n"]].assign(
            damaged=rows["n"] - rows["successes"],
            mean=1.0 - rows["mean"],
            sd=rows["sd"],
            lower=1.0 - rows["upper"],
            upper=1.0 - rows["lower"],
            p_unsafe=rows["p_not_shown"],
        )

    def audit(
        self, *, k: int = 1, runs: Sequence[int] = (1, 2, 4, 8, 16, 32, 64), prob: float = 0.95
    ) -> pd.DataFrame:
        """Say how often audits of several runs a cell miss damage.

        Parameters
        ----------
        k : int >= 1, default 1
            Other runs, at least one of which does damage: see `AuditMiss`.
        runs : sequence of int >= 1
            Runs of the audit, all of which are clean.
        prob : float in (0, 1), default 0.95
            Mass of the intervals.

        Returns
        -------
        pandas.DataFrame
            The schema of all summaries with a column runs; `identified` turns to "model" where no
            cell has as many runs as an audit and the k others together.

        Raises
        ------
        ArgumentError
            If an argument is not allowed.

        Examples
        --------
        >>> from reliability_stats.instruments import SafetyAudit
        >>> cells = {"task": range(40), "n": [8] * 40, "damaged": [0] * 30 + [1, 2, 4, 5, 8] * 2}
        >>> post = SafetyAudit().fit(cells, n="n", damaged="damaged")
        >>> post.audit(runs=[1, 4, 16])[["runs", "mean", "upper", "identified"]].round(2)
           runs  mean  upper identified
        0     1  0.32   0.52        yes
        1     4  0.10   0.20        yes
        2    16  0.03   0.05      model
        """
        import pandas as pd

        sizes = [check_positive_int(size, "runs") for size in runs]
        if not sizes:
            raise ArgumentError("runs is empty; give at least one number of runs.")
        frames = [
            self.posterior.summary(AuditMiss(k, size), prob=prob).assign(runs=size)
            for size in sizes
        ]
        return pd.concat(frames, ignore_index=True)

    def __repr__(self) -> str:
        """Give how much damage was seen."""
        counts = self.posterior.trials.counts
        bad = counts.n - counts.successes
        seen = f"{int((bad > 0).sum())} of {plural(len(counts.n), 'cell')}"
        gone = "".join(
            f"\n  left out: {number} with {reason}"
            for reason, number in self.table.excluded.items()
        )
        return (
            f"SafetyPosterior: damage in {int(bad.sum())} of {plural(int(counts.n.sum()), 'run')}, "
            f"in {seen} of {plural(len(self.posterior.systems), 'system')}{gone}\n"
            "  .summary(), .cells(), .audit(), .posterior"
        )

    def _repr_html_(self) -> str:
        """Give the same for notebooks, escaped."""
        return f"<pre>{escape(repr(self))}</pre>"
