"""Posterior predictive checks made for counts: what new tasks would look like under the model."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from .._counts import plural
from .._numerics import FloatArray, IntArray
from .._validation import check_positive_int, check_prob, check_rng
from ..inference.checks import Replicas
from ..trials import Counts, Trials
from ._ask import checkable

if TYPE_CHECKING:
    import pandas as pd

MOST_BARS = 20
"""Numbers of trials up to which every number of successes is a class of its own."""
ROWS = 2**22
"""Cells replicated at a time."""


@dataclass(frozen=True, eq=False, repr=False)
class PredictiveCheck:
    """Observed counts beside what the model predicts for new tasks; made by `Posterior.ppc`.

    Attributes
    ----------
    table : pandas.DataFrame
        One row for each system and statistic: system, statistic, observed, mean, lower, upper
        (of replicated data), mid_p (share of replicated values above the observed one, ties
        counted half), misfit (whether the observed value lies in the tails outside `prob`).
    histogram : pandas.DataFrame
        The rootogram: system, class (number of successes, or range of the success rate where tasks
        have more than 20 trials), observed (tasks), mean, lower, upper, mid_p, misfit.
    verdict : str
        A sentence.
    prob : float
        Mass of the intervals.
    datasets : int
        Replicated data sets.
    """

    table: pd.DataFrame
    histogram: pd.DataFrame
    verdict: str
    prob: float
    datasets: int

    def __repr__(self) -> str:
        """Give the verdict and the statistics."""
        return f"{self.verdict}\n{self.table.to_string(index=False)}"


@dataclass(frozen=True)
class _Sums:
    """Sums over the tasks of each data set."""

    replicas: Replicas
    datasets: int

    def of(self, values: npt.NDArray[Any]) -> FloatArray:
        """Sum a value of each row over the tasks of each data set."""
        rows, weights = self.replicas.dataset, values * self.replicas.tasks
        return np.bincount(rows, weights=weights, minlength=self.datasets).astype(float)


def _never(r: Replicas, total: _Sums) -> FloatArray:
    """Tasks that never succeeded."""
    return total.of(r.successes == 0)


def _always(r: Replicas, total: _Sums) -> FloatArray:
    """Tasks that always succeeded."""
    return total.of(r.successes == r.n)


def _mixed(r: Replicas, total: _Sums) -> FloatArray:
    """Share of tasks with successes and failures."""
    return total.of((r.successes > 0) & (r.successes < r.n)) / total.of(np.ones(len(r.n)))


def _rate(r: Replicas, total: _Sums) -> FloatArray:
    """Mean success rate of the tasks."""
    return total.of(r.successes / r.n) / total.of(np.ones(len(r.n)))


def _variance(r: Replicas, total: _Sums) -> FloatArray:
    """Variance of success rates between tasks; NaN for a single task."""
    rate, tasks = r.successes / r.n, total.of(np.ones(len(r.n)))
    centre = (total.of(rate) / tasks)[r.dataset]
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(tasks > 1, total.of((rate - centre) ** 2) / (tasks - 1), np.nan)


STATISTICS: dict[str, Callable[[Replicas, _Sums], FloatArray]] = {
    "success rate": _rate,
    "tasks never successful": _never,
    "tasks always successful": _always,
    "share of mixed tasks": _mixed,
    "variance between tasks": _variance,
}


def predictive_check(
    trials: Trials, engine: Any, *, datasets: int, prob: float, rng: Any
) -> PredictiveCheck:
    """Compare the counts with replicated ones; see `Posterior.ppc`."""
    import pandas as pd

    datasets, prob = check_positive_int(datasets, "datasets"), check_prob(prob)
    counts, stream = trials.counts, check_rng(rng)
    source = checkable(engine, "replicate", "ppc")
    rounds = [datasets]
    if counts.n_cells * datasets > ROWS and counts.n.max() > MOST_BARS:
        size = max(1, ROWS // counts.n_cells)
        rounds = [min(size, datasets - i) for i in range(0, datasets, size)]
    classes = [_Classes.of(counts.n[counts.unit == u]) for u in range(len(counts.units))]
    drawn: list[list[FloatArray]] = [[] for _ in counts.units]
    for size in rounds:
        for unit, replicas in enumerate(source.replicate(size, stream)):
            drawn[unit].append(_evaluate(replicas, size, classes[unit]))
    rows: list[dict[str, Any]] = []
    bars: list[dict[str, Any]] = []
    for unit, name in enumerate(counts.units):
        observed = _evaluate(_observed(counts, unit), 1, classes[unit])[:, 0]
        compared = _compare(observed, np.concatenate(drawn[unit], axis=1), prob)
        labels = [*STATISTICS, *classes[unit].labels]
        for i, label in enumerate(labels):
            values = {key: column[i] for key, column in compared.items()}
            kind = "statistic" if i < len(STATISTICS) else "class"
            (rows if i < len(STATISTICS) else bars).append({"system": name, kind: label, **values})
    table, histogram = pd.DataFrame(rows), pd.DataFrame(bars)
    verdict = _verdict(table, histogram, prob)
    if counts.n.max() == 1:
        verdict += " With one trial a task, counts cannot show how tasks differ."
    return PredictiveCheck(table, histogram, verdict, prob, datasets)


def _observed(counts: Counts, unit: int) -> Replicas:
    """Lay out the observed counts of a unit as a single data set."""
    cells = counts.unit == unit
    return Replicas.of_cells(counts.n[cells], counts.successes[None, cells])


@dataclass(frozen=True)
class _Classes:
    """Classes of the histogram: numbers of successes, or ranges of the success rate."""

    largest: int

    @classmethod
    def of(cls, n: IntArray) -> _Classes:
        """Choose classes by the largest number of trials."""
        return cls(int(n.max()))

    @property
    def labels(self) -> list[str]:
        """Names of the classes."""
        if self.largest <= MOST_BARS:
            return [str(i) for i in range(self.largest + 1)]
        ends = np.linspace(0, 1, MOST_BARS - 1)
        middle = [f"({low:.2f}, {high:.2f}]" for low, high in pairwise(ends)]
        middle[-1] = middle[-1].replace("]", ")")
        return ["0", *middle, "1"]

    def place(self, r: Replicas) -> IntArray:
        """Give the class of each row."""
        if self.largest <= MOST_BARS:
            return r.successes
        inner = np.ceil(r.successes / r.n * (MOST_BARS - 2) - 1e-9).astype(np.int64)
        inner = np.where(r.successes > 0, np.maximum(inner, 1), 0)
        return np.where(r.successes == r.n, MOST_BARS - 1, np.minimum(inner, MOST_BARS - 2))


def _evaluate(replicas: Replicas, datasets: int, classes: _Classes) -> FloatArray:
    """Evaluate statistics and histogram of each data set, (statistics + classes, datasets)."""
    total = _Sums(replicas, datasets)
    size = len(classes.labels)
    key = replicas.dataset * size + classes.place(replicas)
    bars = np.bincount(key, weights=replicas.tasks, minlength=datasets * size)
    values = [statistic(replicas, total) for statistic in STATISTICS.values()]
    return np.concatenate([np.array(values), bars.reshape(datasets, size).T])


def _compare(observed: FloatArray, drawn: FloatArray, prob: float) -> dict[str, Any]:
    """Give mean, interval and mid-p of replicated values, (values, datasets), and a flag."""
    close = 1e-9 * np.maximum(np.abs(observed), 1e-3)[:, None]
    above = (drawn > observed[:, None] + close).mean(axis=1)
    equal = (np.abs(drawn - observed[:, None]) <= close).mean(axis=1)
    mid = np.where(np.isnan(observed), np.nan, above + equal / 2)
    lower, upper = np.quantile(drawn, [(1 - prob) / 2, (1 + prob) / 2], axis=1)
    tail = (1 - prob) / 2
    return {
        "observed": observed,
        "mean": drawn.mean(axis=1),
        "lower": lower,
        "upper": upper,
        "mid_p": mid,
        "misfit": (mid < tail) | (mid > 1 - tail),
    }


def _verdict(table: pd.DataFrame, histogram: pd.DataFrame, prob: float) -> str:
    """Say in a sentence how many statistics are out of line."""
    used = table[table["mid_p"].notna()]
    bad = used[used["misfit"]]
    bars = int(histogram["misfit"].sum())
    head = (
        f"{len(bad)} of {plural(len(used), 'statistic')} and {bars} of "
        f"{plural(len(histogram), 'class').replace('classs', 'classes')} of successes lie outside "
        f"{prob:.0%} of what the model predicts"
    )
    expected = (1 - prob) * (len(used) + len(histogram))
    chance = f"of a model that fits, at most about {expected:.1f} would"
    if bad.empty and bars <= max(1.0, 2 * expected):
        return f"No misfit found: {head} ({chance})."
    if bad.empty:
        return f"Possible misfit: {head} ({chance}). Look at the rootogram."
    first = bad.iloc[0]
    return (
        f"Possible misfit: {head} ({chance}); first: {first['statistic']} of {first['system']} is "
        f"{first['observed']:.3g} where {first['lower']:.3g} to {first['upper']:.3g} is predicted."
    )
