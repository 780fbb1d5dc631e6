"""`identified_set`: what counts alone say about an estimand, without a model of the tasks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from ._counts import plural
from ._numerics import FloatArray, IntArray
from ._summary import COLUMNS, as_estimands
from ._validation import check_prob, check_rng
from .estimands import Estimand
from .estimands.scores import ScoreMean
from .exceptions import ArgumentError, TrialDataError
from .inference.moment_problem import NODES, MomentProblem, thresholds, uncorrelated
from .inference.nodes import log_kernel
from .inference.npmle import Best, npmle
from .inference.ranges import Ranges, drawn_moments, spread
from .trials import Counts, Trials

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["identified_set"]

MORE = ("set_lower", "set_upper", "n_tasks", "n_trials", "note")
MOST = 32
"""Most trials a task whose outcomes are used one by one; of more, random subsets of that size."""
POINT = (
    "the counts are no mixture of binomials: one distribution fits best, and the set is a point or "
    "nearly, for want of data rather than of doubt; read lower and upper"
)


@dataclass(frozen=True)
class ExactlyC(ScoreMean):
    """The chance that exactly c of k trials of a task succeed, averaged over tasks."""

    k: int
    c: int

    @property
    def name(self) -> str:
        """``exactly c of k``."""
        return f"exactly {self.c} of {self.k}"

    def scores(self) -> ArrayLike:
        """One if c succeed."""
        return np.asarray(np.arange(self.k + 1) == self.c, dtype=float)


def identified_set(
    trials: Trials,
    estimands: Estimand | Sequence[Estimand] | None = None,
    *,
    prob: float = 0.95,
    rng: Any = 0,
) -> pd.DataFrame:
    """Bound estimands by the counts alone, whatever the distribution of success over tasks.

    K exchangeable trials a task fix the first K moments of the distribution of success
    probabilities, and nothing else about it. Between the bounds, any value is had by some
    distribution that fits the counts best; where in between it lies is the model's answer, not the
    data's.

    Parameters
    ----------
    trials : Trials
        The data.
    estimands : estimand or list of estimands, optional
        What to bound; by default the usual ones.
    prob : float in (0, 1), default 0.95
        Mass of the sampling band.
    rng : int, numpy.random.Generator, SeedSequence or None, default 0
        Seed of the draws behind the band.

    Returns
    -------
    pandas.DataFrame
        The summary schema, and at its end

        - set_lower, set_upper: the sharp bounds at the counts that fit best;
        - n_tasks, n_trials: the tasks used and the trials of each;
        - note.

        lower and upper are the sampling band: the quantile of the lower bound and that of the upper
        bound for tasks like these. identified is "yes" (the counts fix the value, which is mean),
        "bounds" (they do not, and mean is empty) or "no". Everything is over the population.

    Raises
    ------
    ArgumentError
        If an argument is not of the right kind.
    TrialDataError
        If outcomes are missing under ``missing="bounds"``.

    See Also
    --------
    model_range : These bounds beside the values of models.

    Notes
    -----
    Bounds are linear programs over the distribution of p on a fine grid, with the shares of tasks
    that have 0, 1, ..., K successes fixed at those of the nonparametric maximum likelihood. If the
    observed shares are no mixture of binomials, the best distribution is the only one, and the set
    is a point: that is no certainty, and only the band tells what is known. For the band, tasks get
    random weights, one more task that may have any outcome is added, and the bounds are those dual
    to the linear programs, which hold for any distribution.

    With unequal numbers of trials, K is the lower median, and tasks with fewer are left out of the
    band. With more than 32 trials a task, the band and the set use what random subsets of 32 fix.

    References
    ----------
    Lindsay (1995), https://doi.org/10.1214/cbms/1462106013;
    Tian, Kong and Valiant (2017), https://doi.org/10.48550/arXiv.1709.02707

    Examples
    --------
    >>> import reliability_stats as rs
    >>> trials = rs.datasets.load("tau-bench-airline-gpt4o")
    >>> table = rs.identified_set(trials, [rs.PassHatK(4), rs.PassHatK(8), rs.FlickerMass()])
    >>> table[["estimand", "identified", "mean", "set_lower", "set_upper"]].round(3)
           estimand identified  mean  set_lower  set_upper
    0        pass^4        yes   0.2      0.200      0.200
    1        pass^8     bounds   NaN      0.184      0.188
    2  flicker_mass     bounds   NaN      0.588      0.679
    """
    import pandas as pd

    if not isinstance(trials, Trials):
        raise ArgumentError(
            f"identified_set needs Trials, not {type(trials).__name__}; make them with "
            "Trials.from_frame(...)."
        )
    if trials.missing_policy == "bounds" and trials.n_missing:
        raise TrialDataError(
            f"{trials.n_missing} outcomes are missing under missing='bounds', and the set needs "
            "definite counts. Use trials.complete('failure') and trials.complete('success')."
        )
    prob, generator = check_prob(prob), check_rng(rng)
    wanted = as_estimands(estimands, trials.counts, model=True)
    streams = generator.spawn(len(trials.counts.units))
    parts = [_Unit.of(trials.counts, i, wanted, stream) for i, stream in enumerate(streams)]
    rows = [part.row(estimand, prob) for estimand in wanted for part in parts]
    return pd.DataFrame(rows, columns=[*COLUMNS, *MORE])


@dataclass(frozen=True, eq=False)
class _Unit:
    """The moment problem of one system."""

    system: str
    ranges: Ranges
    n_tasks: int
    n_trials: int
    note: str
    point: bool
    """Whether one distribution fits best, because the counts are no mixture of binomials."""

    @classmethod
    def of(
        cls, counts: Counts, unit: int, estimands: Sequence[Estimand], rng: np.random.Generator
    ) -> _Unit:
        """Set up the problem of one system."""
        mine = counts.unit == unit
        rows, tasks = np.unique(
            np.stack([counts.n[mine], counts.successes[mine]]), axis=1, return_counts=True
        )
        n, successes = rows
        k = min(int(np.quantile(np.repeat(n, tasks), 0.5, method="lower")), MOST)
        moments = [ExactlyC(k, c) for c in range(1, k + 1)]
        enough = n >= k
        used = int(tasks[enough].sum())
        features = np.stack([m.unbiased(n[enough], successes[enough]) for m in moments], axis=1)
        shares = tasks[enough] / used
        vertices = np.vstack([np.zeros(k), np.eye(k)])
        draws = drawn_moments(shares, features, used, rng, vertices)
        best = likeliest(n, successes, tasks)
        fitted = np.array([m.kernel(grid()) @ best.weights for m in moments])
        places = thresholds(estimands)
        problem = MomentProblem.of(moments, fitted, uncorrelated(draws), places)
        return cls(
            counts.units[unit],
            Ranges(problem, shares @ features, draws, centred=True),
            used,
            k,
            _remarks(n, k, tasks),
            bool((n == k).all() and np.abs(shares @ features - fitted).max() > 1e-6),
        )

    def row(self, estimand: Estimand, prob: float) -> dict[str, Any]:
        """Give the row of one estimand."""
        found = self.ranges.of(estimand)
        row: dict[str, Any] = dict.fromkeys((*COLUMNS, *MORE), np.nan)
        row |= {"estimand": estimand.name, "system": self.system, "over": "population"}
        row |= {"prob": prob, "interval": "simulated"}
        row |= {"n_tasks": self.n_tasks, "n_trials": self.n_trials, "note": self.note}
        if isinstance(found, str):
            low, high = estimand.bounds
            ends = {"set_lower": low, "set_upper": high, "lower": low, "upper": high}
            note = "; ".join(filter(None, [self.note, found]))
            return row | ends | {"identified": "no", "interval": "none", "note": note}
        row["identified"] = "yes" if found.identified else "bounds"
        if self.point and not found.identified:
            row["note"] = "; ".join(filter(None, [self.note, POINT]))
        row["set_lower"], row["set_upper"] = found.ends.tolist()
        row["lower"], row["upper"] = found.interval(prob)
        if found.identified and found.drawn is not None:
            row["mean"], row["sd"] = row["set_lower"], spread(found.drawn[0])
        return row


def _remarks(n: IntArray, k: int, tasks: IntArray) -> str:
    """Say what was left out."""
    notes = []
    left_out = int(tasks[n < k].sum())
    if left_out:
        notes.append(f"{plural(left_out, 'task')} with fewer than {k} trials left out of the band")
    if n.max() > k:
        notes.append(f"of tasks with more than {k} trials, random subsets of {k}")
    return "; ".join(notes)


def grid() -> FloatArray:
    """Give the grid of success probabilities on which the likeliest distribution is sought."""
    return np.linspace(0.0, 1.0, NODES)


def likeliest(n: IntArray, successes: IntArray, tasks: IntArray) -> Best:
    """Find a likeliest distribution of p for counts."""
    return npmle(log_kernel(grid(), n, successes), tasks)
