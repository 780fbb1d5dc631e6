"""`exchangeability`: whether it is flicker, or something with a cause."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np

from .._counts import plural
from .._validation import check_fraction, check_rng
from ..exceptions import ArgumentError, TrialDataError
from ..trials import Trials
from ._association import association_test
from ._markov import log_bayes_factor, transitions
from ._order import runs_in, runs_test, trend_test
from ._strata import Ordered, Strata
from ._verdict import EXPLAINED, MINOR, UNCHECKED, Finding, judge

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = (
    *("system", "test", "n_mixed", "statistic", "expected", "variance", "z", "df", "p_value"),
    *("method", "share"),
)


@dataclass(frozen=True, eq=False, repr=False)
class Exchangeability:
    """What speaks against independent, identically distributed trials; made by `exchangeability`.

    Attributes
    ----------
    systems : pandas.DataFrame
        One row a system: system, n_mixed (tasks with both outcomes, the only ones that tell),
        verdict and cause. The verdict is "nothing found", "minor", "explained", "nothing to
        explain" (all tasks unanimous) or "could not be checked".
    tests : pandas.DataFrame
        One row a system and test: system, test, n_mixed, statistic, expected, variance, z, df,
        p_value (unadjusted), method and share (of the variation within tasks that is explained).
    cells : pandas.DataFrame
        One row a cell: system, task, [condition,] n, successes, runs and log_bayes_factor (of
        dependence on the trial before). Empty if only counts are known.
    error, material : float
        As they were asked for.
    """

    systems: pd.DataFrame
    tests: pd.DataFrame
    cells: pd.DataFrame
    error: float
    material: float

    def _lines(self) -> list[str]:
        """Give a sentence for each system."""
        columns = (
            self.systems[name].tolist() for name in ("system", "verdict", "cause", "n_mixed")
        )
        return [
            f"{name}: {sentence(verdict, cause)} ({plural(n_mixed, 'task')} with both outcomes)"
            for name, verdict, cause, n_mixed in zip(*columns, strict=True)
        ]

    def __repr__(self) -> str:
        """Give a sentence for each system."""
        head = f"Exchangeability of trials (error {self.error:g}, material {self.material:g})"
        return "\n".join([head, *(f"  {line}" for line in self._lines())])

    def _repr_html_(self) -> str:
        """Give the same for notebooks, escaped."""
        return f"<pre>{escape(repr(self))}</pre>"


def sentence(verdict: str, cause: str) -> str:
    """Write a verdict with its cause."""
    if verdict == EXPLAINED:
        return f"not exchangeable, apparent flicker explained by {cause}"
    if verdict == MINOR:
        return f"minor {cause}, which explains little of the flicker"
    return verdict if verdict != UNCHECKED else "could not be checked: the order is not known"


def exchangeability(
    trials: Trials, *, error: float = 0.05, material: float = 0.10, rng: Any = 0
) -> Exchangeability:
    """Check whether trials of a task could be exchanged for one another.

    Success that comes and goes by chance is flicker. Success that goes for good after an update,
    comes in clumps, or belongs to some users or conditions has a cause, and another remedy.

    Parameters
    ----------
    trials : Trials
        The data, made with `Trials.from_frame` or `Trials.from_array`. The order is that of
        `Trials.to_frame`: by time if it was named, then by trial, then as the rows came.
    error : float in [0, 1], default 0.05
        Chance, for each system, of finding something where there is nothing.
    material : float in [0, 1], default 0.10
        Share of the variation within tasks from which a finding counts as an explanation. Smaller
        findings are "minor".
    rng : int, numpy.random.Generator, SeedSequence or None, default 0
        Seed of permutations.

    Returns
    -------
    Exchangeability
        With ``systems``, ``tests`` and ``cells``. If only counts are known, the verdict of every
        system is "could not be checked".

    Raises
    ------
    ArgumentError
        If an argument is not allowed.

    Notes
    -----
    All tests are conditional on the successes of every task. Transitions are never pooled over
    tasks: tasks of different difficulty would look like dependence.

    - *runs*: too few clump (dependence, batches, drift), too many alternate.
    - *trend*: success grows more or less frequent along the trials.
    - *repetition*: whole rounds of the benchmark differ (Cochran's Q). Rounds are the values of the
      trial column if tasks share them, otherwise places in order.
    - *group*: success within a task goes with the group, if there is one.
    - *condition*: success of a task differs between conditions (each condition is judged by
      itself, so this explains nothing within one).
    - *markov*: log Bayes factor of a two-state chain over independent trials, summed over tasks.

    All but the condition share the error by Holm's rule, with the inverse Bayes factor of the chain
    as its p-value. p-values are exact or by permutation where counts are small. "Nothing found" is
    no proof: with few tasks of both outcomes, or few trials, only gross departures can be found.

    References
    ----------
    Wald and Wolfowitz (1940), https://doi.org/10.1214/aoms/1177731909;
    Cochran (1950), https://doi.org/10.1093/biomet/37.3-4.256;
    Holm (1979), Scandinavian Journal of Statistics 6, 65-70;
    Kass and Raftery (1995), https://doi.org/10.1080/01621459.1995.10476572

    Examples
    --------
    >>> import reliability_stats as rs
    >>> switched_off = [[1, 1, 1, 1, 1, 0, 0, 0, 0, 0]] * 6
    >>> rs.exchangeability(rs.Trials.from_array(switched_off))
    Exchangeability of trials (error 0.05, material 0.1)
      system: not exchangeable, apparent flicker explained by ... (6 tasks with both outcomes)
    """
    if not isinstance(trials, Trials):
        raise ArgumentError(f"exchangeability needs Trials, not {type(trials).__name__}.")
    error, material = check_fraction(error, "error"), check_fraction(material, "material")
    generator = check_rng(rng)
    try:
        data = Ordered.of(trials)
    except TrialDataError:
        return _unchecked(trials, error, material)
    return _checked(trials, data, error, material, generator)


def _unchecked(trials: Trials, error: float, material: float) -> Exchangeability:
    """Say of every system that it could not be checked."""
    import pandas as pd

    counts = trials.counts
    mixed = (counts.successes > 0) & (counts.successes < counts.n)
    systems = pd.DataFrame(
        {
            "system": list(counts.units),
            "n_mixed": np.bincount(counts.unit, weights=mixed).astype(int),
            "verdict": UNCHECKED,
            "cause": "",
        }
    )
    tests = pd.DataFrame(columns=list(COLUMNS))
    names = [*counts.to_frame().columns, "runs", "log_bayes_factor"]
    return Exchangeability(systems, tests, pd.DataFrame(columns=names), error, material)


def _checked(
    trials: Trials, data: Ordered, error: float, material: float, rng: np.random.Generator
) -> Exchangeability:
    """Test each unit, and each system across conditions."""
    import pandas as pd

    counts = trials.counts
    evidence = log_bayes_factor(transitions(data.cells))
    rows: list[dict[str, Any]] = []
    systems: list[dict[str, Any]] = []
    trial_bounds = np.concatenate([[0], np.cumsum(data.cells.n)])
    edges = np.searchsorted(data.unit, np.arange(len(counts.units) + 1))
    for unit, name in enumerate(counts.units):
        first, last = edges[unit], edges[unit + 1]
        part = slice(trial_bounds[first], trial_bounds[last])
        strata = Strata.of(data.cells.stratum[part], data.cells.success[part])
        levels = {key: value[part] for key, value in data.levels.items()}
        tests, findings = _tests(strata, levels, float(evidence[first:last].sum()), rng)
        rows += [{"system": name, **test} for test in tests]
        verdict, cause = judge(findings, error=error, material=material)
        n_mixed = int(strata.mixed.sum())
        systems.append({"system": name, "n_mixed": n_mixed, "verdict": verdict, "cause": cause})
    rows += _conditions(trials, data, rng)
    cells = counts.to_frame()
    cells["runs"], cells["log_bayes_factor"] = runs_in(data.cells), evidence
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    return Exchangeability(pd.DataFrame(systems), table, cells, error, material)


def _tests(
    strata: Strata,
    levels: dict[str, Any],
    evidence: float,
    rng: np.random.Generator,
) -> tuple[list[dict[str, Any]], list[Finding]]:
    """Run all tests of one unit: rows of the table, and what they may be signs of."""
    n_mixed = int(strata.mixed.sum())
    rows, findings = [], []
    signs = {
        "runs": "clumps of equal outcomes",
        "trend": "drift over trials",
        "repetition": "rounds that differ",
        "group": "groups that differ",
    }
    for name, test in (("runs", runs_test(strata)), ("trend", trend_test(strata))):
        fields = {key: getattr(test, key) for key in COLUMNS if hasattr(test, key)}
        rows.append({"test": name, "n_mixed": n_mixed, **fields})
        sign = "alternating outcomes" if name == "runs" and test.z > 0 else signs[name]
        findings.append(Finding(sign, test.p_value, test.share))
    for name, level in levels.items():
        found = association_test(strata, level, rng)
        fields = {key: getattr(found, key) for key in COLUMNS if hasattr(found, key)}
        rows.append({"test": name, "n_mixed": n_mixed, "df": found.freedom, **fields})
        findings.append(Finding(signs[name], found.p_value, found.share))
    share = findings[0].share
    rows.append({"test": "markov", "n_mixed": n_mixed, "statistic": evidence, "share": share})
    rows[-1]["method"] = "log Bayes factor"
    p_value = float(np.exp(-max(evidence, 0.0))) if n_mixed else float("nan")
    findings.append(Finding("dependence on the trial before", p_value, share))
    return rows, findings


def _conditions(trials: Trials, data: Ordered, rng: np.random.Generator) -> list[dict[str, Any]]:
    """Test each system's tasks across conditions."""
    counts = trials.counts
    if counts.condition is None:
        return []
    rows = []
    for system, name in enumerate(counts.systems):
        part = np.flatnonzero((data.system == system)[data.cells.stratum])
        cell = data.cells.stratum[part]
        order = np.argsort(data.task[cell], kind="stable")
        strata = Strata.of(data.task[cell][order], data.cells.success[part][order])
        found = association_test(strata, counts.condition[cell][order], rng)
        fields = {key: getattr(found, key) for key in COLUMNS if hasattr(found, key)}
        n_mixed = int(strata.mixed.sum())
        rows.append(
            {"system": name, "test": "condition", "n_mixed": n_mixed, "df": found.freedom, **fields}
        )
    return rows
