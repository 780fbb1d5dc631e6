"""What an institution tolerates, and whether a posterior meets it."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np

from .._numerics import FloatArray
from .._validation import _as_float, check_over, check_positive_int, check_prob, check_rng
from ..estimands import Estimand
from ..exceptions import ArgumentError, IdentifiabilityWarning, ModelError
from ..fitting import fit
from ..inference.diagnostics import ess_bulk
from ..models import BetaBinomial
from ..posterior import Posterior
from ..trials import Trials

if TYPE_CHECKING:
    import pandas as pd

MET, NOT_MET, UNDETERMINED = "met", "not met", "undetermined"
NOT_IDENTIFIED = "not identified"
DRAWS = 25_000
"""Draws a chain where they are independent and cost little."""
MOST_DRAWS = 20_000_000


@dataclass(frozen=True)
class Tolerance:
    """A limit that an estimand has to keep, with the assurance that is asked for.

    Parameters
    ----------
    estimand : Estimand
        What is limited, such as ``PassHatK(4)``: all of four trials succeed.
    at_least, at_most : float
        The limit; exactly one of them is given.
    assurance : float in (0.5, 1), default 0.95
        Posterior probability from which the limit counts as met (or as not met).
    over : {"population", "observed"}
        Tasks like these, or the very tasks of the table.

    Notes
    -----
    The limit encodes what one institution can bear; another may set it elsewhere. Met means that
    P(limit kept | data) is at least the assurance; one minus it is the chance, given model and
    prior, that the verdict is wrong. Nothing is decided within two Monte Carlo standard errors of
    the assurance, nor where the data do not identify the estimand.

    Examples
    --------
    >>> import reliability_stats as rs
    >>> post = rs.fit(rs.datasets.load("tau-bench-airline-gpt4o"))
    >>> rs.Tolerance(rs.PassHatK(4), at_least=0.30).check(post)
    ToleranceCheck: pass^4 >= 0.3 with assurance 0.95, over tasks like these
      gpt-4o tool calling: not met, P(kept) = 0.018...
    """

    estimand: Estimand
    at_least: float | None = None
    at_most: float | None = None
    assurance: float = 0.95
    over: str = "population"

    def __post_init__(self) -> None:
        """Check the fields."""
        if not isinstance(self.estimand, Estimand):
            raise ArgumentError(
                f"estimand must be an estimand such as PassHatK(4), not {self.estimand!r}."
            )
        if (self.at_least is None) == (self.at_most is None):
            raise ArgumentError("Give one limit, either at_least or at_most.")
        for name in ("at_least", "at_most"):
            if getattr(self, name) is not None:
                value = _as_float(getattr(self, name), name, "a number")
                low, high = self.estimand.bounds
                if not low <= value <= high:
                    raise ArgumentError(
                        f"{name} must be in [{low:g}, {high:g}] for {self.estimand.name}, not "
                        f"{value!r}."
                    )
                object.__setattr__(self, name, value)
        object.__setattr__(self, "assurance", check_assurance(self.assurance))
        check_over(self.over)

    @property
    def rule(self) -> str:
        """The limit in words."""
        sign, limit = (">=", self.at_least) if self.at_most is None else ("<=", self.at_most)
        where = "tasks like these" if self.over == "population" else "the tasks of the table"
        return (
            f"{self.estimand.name} {sign} {limit:g} with assurance {self.assurance:g}, over {where}"
        )

    def keeps(self, values: FloatArray) -> Any:
        """Say which values keep the limit; NaN does not."""
        low = -np.inf if self.at_least is None else self.at_least
        high = np.inf if self.at_most is None else self.at_most
        return (values >= low) & (values <= high)

    def check(self, post: Posterior, *, draws: int | None = None) -> ToleranceCheck:
        """Say whether each system of a posterior meets the limit.

        Parameters
        ----------
        post : Posterior
            Of any model.
        draws : int >= 1, optional
            Draws in each chain; by default all that a sampler kept, or 25 000 independent ones.

        Returns
        -------
        ToleranceCheck

        Raises
        ------
        ArgumentError
            If no posterior is given.

        Examples
        --------
        >>> import reliability_stats as rs
        >>> post = rs.fit(rs.datasets.load("tau-bench-airline-gpt4o"))
        >>> found = rs.Tolerance(rs.PassAtK(4), at_least=0.5).check(post).table
        >>> found[["system", "verdict", "identified"]]
                        system verdict identified
        0  gpt-4o tool calling     met        yes
        """
        if not isinstance(post, Posterior):
            raise ArgumentError(f"check takes a Posterior from fit, not {type(post).__name__}.")
        values = self._draws(post, draws)
        kept = self.keeps(values)
        p = kept.mean(axis=(0, 1))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", IdentifiabilityWarning)
            known = post.summary(self.estimand, over=self.over)
        chains = known["ess_bulk"].notna().to_numpy()
        size = np.full(len(p), float(kept.shape[0] * kept.shape[1]))
        if chains.any():
            found = ess_bulk(kept.astype(float))
            size = np.where(chains & np.isfinite(found), np.minimum(found, size), size)
        error = np.sqrt(p * (1 - p) / size)
        identified = known["identified"].tolist()
        return ToleranceCheck.of(self, post.systems, p, error, identified)

    def _draws(self, post: Posterior, draws: int | None) -> FloatArray:
        """Give draws of the estimand, (chains, draws, systems)."""
        if draws is None and isinstance(post.model, BetaBinomial):
            units = max(len(post.systems), 1)
            draws = int(min(DRAWS, max(1000, MOST_DRAWS // (4 * units))))
        values = post.draws(self.estimand, over=self.over, draws=draws)
        return np.asarray(values, dtype=float)

    def further(
        self,
        post: Posterior,
        *,
        system: str | None = None,
        trials: int | None = None,
        power: float = 0.8,
        simulations: int = 200,
        most: int = 100_000,
        rng: Any = 0,
    ) -> pd.DataFrame:
        """Say how many further tasks are likely to settle whether the limit is kept.

        Truths are drawn from the posterior, new tasks and their outcomes from the truths, and each
        enlarged table is fitted anew.

        Parameters
        ----------
        post : Posterior
            Of a `BetaBinomial`, over tasks like these.
        system : str, optional
            Which one; may be left out if there is one.
        trials : int >= 1, optional
            Trials of each new task; by default the usual number of the table.
        power : float in (0, 1), default 0.8
            Chance of a verdict (met or not met) that is aimed at. The number of tasks doubles until
            it is reached.
        simulations : int >= 1, default 200
            Simulated tables of each size.
        most : int >= 1, default 100000
            No design with more further tasks is tried.
        rng : int, numpy.random.Generator, SeedSequence or None, default 0
            Seed.

        Returns
        -------
        pandas.DataFrame
            One row a size: tasks (further), trials, runs, p_met, p_not_met, p_settled, error (Monte
            Carlo standard error of p_settled), enough (p_settled reaches `power`). The first row
            has no further task. If no row is enough, more than `most` tasks are needed.

        Raises
        ------
        ModelError
            If the model is none that new tasks can be simulated from here.
        ArgumentError
            If an argument is not allowed, or `trials` are too few to identify the estimand.

        Examples
        --------
        >>> import reliability_stats as rs
        >>> post = rs.fit(rs.datasets.load("tau-bench-airline-gpt4o"))
        >>> limit = rs.Tolerance(rs.SuccessRate(), at_least=0.4)
        >>> plan = limit.further(post, power=0.5, simulations=50)
        >>> plan[["tasks", "runs"]].head(2)
           tasks  runs
        0      0     0
        1     50   200
        """
        import pandas as pd

        if self.over != "population" or not isinstance(post.model, BetaBinomial):
            raise ModelError(
                "New tasks are simulated from a BetaBinomial posterior, for a tolerance "
                "over='population'."
            )
        unit = _only(post.systems, system)
        counts = post.trials.counts
        mine = counts.unit == unit
        n, y = counts.n[mine], counts.successes[mine]
        k = int(np.quantile(n, 0.5, method="lower")) if trials is None else trials
        k = check_positive_int(k, "trials")
        if k < self.estimand.degree and np.isfinite(self.estimand.degree):
            raise ArgumentError(
                f"{self.estimand.name} needs tasks with at least {self.estimand.degree} trials to "
                f"be identified; trials={k} would not settle it."
            )
        power, size = check_prob(power, "power"), check_positive_int(simulations, "simulations")
        most, random = check_positive_int(most, "most"), check_rng(rng)
        rows = [self._size(post, unit, 0, k, size, random, (n, y))]
        tasks = max(len(n), 1)
        while rows[-1]["p_settled"] < power and tasks <= most:
            rows.append(self._size(post, unit, tasks, k, size, random, (n, y)))
            tasks *= 2
        frame = pd.DataFrame(rows)
        return frame.assign(enough=frame["p_settled"] >= power)

    def _size(
        self,
        post: Posterior,
        unit: int,
        tasks: int,
        k: int,
        size: int,
        random: np.random.Generator,
        old: tuple[Any, Any],
    ) -> dict[str, Any]:
        """Say how often so many further tasks settle the matter."""
        row: dict[str, Any] = {"tasks": tasks, "trials": k, "runs": tasks * k}
        if not tasks:
            p = np.array([self.check(post).table["p_kept"].iloc[unit]])
        else:
            draws = post.engine.parameters(1, size, cells=False)
            mean, icc = (np.clip(draws[name][1][0][:, unit], 1e-9, 1 - 1e-9) for name in
                         ("mean", "icc"))  # fmt: skip
            total = 1 / icc - 1
            shape = (tasks, size)
            q = random.beta(mean * total, (1 - mean) * total, shape).T
            p = np.concatenate(
                [
                    self._kept(post.model, old, random.binomial(k, part), k)
                    for part in np.array_split(q, max(1, size * (tasks + len(old[0])) // 400_000))
                ]
            )
        met, not_met = (p >= self.assurance).mean(), (p <= 1 - self.assurance).mean()
        settled = met + not_met
        error = np.sqrt(settled * (1 - settled) / len(p)) if tasks else 0.0
        return row | {"p_met": met, "p_not_met": not_met, "p_settled": settled, "error": error}

    def _kept(self, model: Any, old: tuple[Any, Any], successes: Any, k: int) -> FloatArray:
        """Give P(limit kept) for tables of old cells with new ones, (tables,)."""
        many, new = successes.shape
        n = np.tile(np.concatenate([old[0], np.full(new, k)]), many)
        y = np.concatenate([np.tile(old[1], (many, 1)), successes], axis=1).ravel()
        width = new + len(old[0])
        table = {
            "system": np.repeat(np.arange(many), width),
            "task": np.tile(np.arange(width), many),
            "n": n,
            "successes": y,
        }
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", IdentifiabilityWarning)
            post = fit(Trials.from_counts(table), model, rng=0)
        values = np.asarray(post.draws(self.estimand, draws=1000), dtype=float)
        return np.asarray(self.keeps(values).mean(axis=(0, 1)))


@dataclass(frozen=True, eq=False, repr=False)
class ToleranceCheck:
    """Verdicts on a limit; made by the `check` of a tolerance.

    Attributes
    ----------
    tolerance : Tolerance or IncidentTolerance
        The limit.
    table : pandas.DataFrame
        One row a system: system, p_kept (posterior probability that the limit is kept), mcse (its
        Monte Carlo standard error, 0 where it is exact), verdict ("met", "not met", "undetermined",
        or "not identified"), p_wrong (chance that the verdict is wrong, NaN without one),
        identified.
    """

    tolerance: Any
    table: pd.DataFrame

    @classmethod
    def of(
        cls,
        tolerance: Any,
        systems: tuple[str, ...],
        p_kept: FloatArray,
        mcse: FloatArray,
        identified: list[str],
        **more: Any,
    ) -> ToleranceCheck:
        """Decide on each system."""
        import pandas as pd

        aim = tolerance.assurance
        verdicts, wrong = [], []
        for p, e, how in zip(p_kept.tolist(), mcse.tolist(), identified, strict=True):
            if how == "no":
                verdict = NOT_IDENTIFIED
            elif p - 2 * e >= aim:
                verdict = MET
            elif p + 2 * e <= 1 - aim:
                verdict = NOT_MET
            else:
                verdict = UNDETERMINED
            verdicts.append(verdict)
            wrong.append({MET: 1 - p, NOT_MET: p}.get(verdict, float("nan")))
        table = pd.DataFrame(
            {
                "system": list(systems),
                **more,
                "p_kept": p_kept,
                "mcse": mcse,
                "verdict": verdicts,
                "p_wrong": wrong,
                "identified": identified,
            }
        )
        return cls(tolerance, table)

    def __repr__(self) -> str:
        """Give the limit and each verdict."""
        lines = [f"ToleranceCheck: {self.tolerance.rule}"]
        for row in self.table.itertuples():
            rest = "" if row.identified != "model" else " (rests on the model)"
            lines.append(f"  {row.system}: {row.verdict}, P(kept) = {row.p_kept:.4f}{rest}")
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        """Give the same for notebooks, escaped."""
        return f"<pre>{escape(repr(self))}</pre>"


def check_assurance(assurance: object) -> float:
    """Give an assurance, which must be above one half."""
    value = check_prob(assurance, "assurance")
    if value <= 0.5:
        raise ArgumentError(f"assurance must be above 0.5, not {value!r}.")
    return value


def _only(systems: tuple[str, ...], system: str | None) -> int:
    """Give the position of the system that is meant."""
    if system is None and len(systems) == 1:
        return 0
    if system in systems:
        return systems.index(system)
    raise ArgumentError(f"system must be one of {', '.join(map(repr, systems))}, not {system!r}.")
