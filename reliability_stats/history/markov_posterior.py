"""What a fit of chains says: dependence, runs, and what independence would give."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import special

from .._counts import plural
from .._numerics import FloatArray, IntArray
from .._summary import named_table
from .._validation import check_k, check_prob
from ..exceptions import ArgumentError, IdentifiabilityWarning
from ..inference.box import Box, weighted_below, weighted_figures
from ..trials import Trials
from ._markov_law import log_chain, rate_means

if TYPE_CHECKING:
    import pandas as pd

    from .markov import MarkovPersistence

FIGURES = ("mean", "sd", "lower", "upper")
LEAST = 3
"""Trials of a task from which dependence can be told from difficulty."""


@dataclass(frozen=True, eq=False)
class MarkovFit:
    """Posterior of (logit mean, logit icc, log odds ratio), and the evidence of independence."""

    box: Box
    log_alone: float

    @cached_property
    def points(self) -> tuple[list[FloatArray], FloatArray]:
        """Points and weights for quantiles."""
        return self.box.points()


@dataclass(frozen=True, eq=False, repr=False)
class MarkovPosterior:
    """Posterior of a `MarkovPersistence`; made by its `fit`.

    Attributes
    ----------
    spec : MarkovPersistence
        What was fitted.
    trials : Trials
        The data.
    fits : list of MarkovFit
        The posterior in arrays; an implementation detail.
    first : (cells,) ndarray of int
        First outcome of each cell.
    transitions : (cells, 2, 2) ndarray of int
        From (failure, success) to (failure, success), cell by cell.
    """

    spec: MarkovPersistence
    trials: Trials
    fits: list[MarkovFit]
    first: IntArray
    transitions: IntArray

    @property
    def systems(self) -> tuple[str, ...]:
        """Labels of the systems, with their conditions if there are any."""
        return tuple(self.trials.counts.units)

    def summary(self, *, k: int | Sequence[int] = 4, prob: float = 0.95) -> pd.DataFrame:
        """Give what follows what, over tasks like these, beside what independence would give.

        Parameters
        ----------
        k : int or list of int, default 4
            Lengths of unbroken runs of successes.
        prob : float in (0, 1), default 0.95
            Mass of the equal-tailed intervals.

        Returns
        -------
        pandas.DataFrame
            In the package's one schema. The estimands are

            - ``p(success|success)``, ``p(success|failure)``: of the next trial of the same task;
              ``, independent``: what the differences between tasks alone would give;
            - ``success_run``, ``failure_run``: mean length of unbroken runs, in trials, over all
              runs of all tasks;
            - ``run^k``: k successive trials succeed; ``pass^k, independent``: k independent trials
              with the same rates do;
            - ``log_odds_ratio`` and ``autocorrelation`` (of successive trials of a task whose rate
              is the mean): dependence within a task.

            ``identified`` is "no" for what needs more than two trials a task where there are none.

        Warns
        -----
        IdentifiabilityWarning
            If no task of a system has three trials, so that dependence and difficulty cannot be
            told apart.

        Examples
        --------
        >>> import numpy as np
        >>> import reliability_stats as rs
        >>> sticky = np.repeat([[1, 0, 1, 0], [0, 1, 0, 1]] * 5, 4, axis=1)
        >>> post = rs.MarkovPersistence().fit(rs.Trials.from_array(sticky))
        >>> post.summary()[["estimand", "mean", "lower", "upper"]].round(2)
                                           estimand  mean  lower  upper
        0                      success_rate  0.50   0.36   0.64
        1                p(success|success)  0.78   0.69   0.86
        2                p(success|failure)  0.22   0.14   0.31
        3   p(success|success), independent  0.52   0.39   0.66
        4   p(success|failure), independent  0.48   0.34   0.61
        5                       success_run  4.72   3.18   7.1...
        6                       failure_run  4.72   3.18   7.1...
        7                             run^4  0.25   0.13   0.39
        8               pass^4, independent  0.09   0.02   0.20
        9                    log_odds_ratio  2.48   1.77   3.2...
        10                  autocorrelation  0.54   0.4...   0.66
        """
        prob = check_prob(prob)
        given = k if isinstance(k, (list, tuple, np.ndarray)) else [k]
        lengths = [check_k(item) for item in given]
        if not lengths:
            raise ArgumentError("k is empty; give at least one length, such as 4.")
        rows: dict[str, list[dict[str, Any]]] = {}
        for unit, (name, fit) in enumerate(zip(self.systems, self.fits, strict=True)):
            weights = fit.points[1]
            known = self._identified(unit, lengths)
            for estimand, values in _estimands(fit.points[0], lengths).items():
                figures = weighted_figures(values, weights, prob)
                row: dict[str, Any] = dict(zip(FIGURES, figures, strict=True))
                row |= {"estimand": estimand, "system": name, "over": "population", "prob": prob}
                row["identified"] = known.get(estimand, known["dependence"])
                rows.setdefault(estimand, []).append(row)
        self._warn()
        return named_table([row for several in rows.values() for row in several])

    def evidence(self) -> pd.DataFrame:
        """Say how strongly the data speak for dependence.

        Returns
        -------
        pandas.DataFrame
            One row a system: system, n_tasks, n_transitions, log_bayes_factor (of dependence
            against independence), p_dependence (at even prior odds), p_positive (success makes
            success more likely, given dependence), identified.

        Examples
        --------
        >>> import reliability_stats as rs
        >>> trials = rs.Trials.from_array([[1, 1, 1, 0, 0, 0], [0, 0, 1, 1, 1, 1]])
        >>> found = rs.MarkovPersistence().fit(trials).evidence().round(2)
        >>> found[["n_transitions", "log_bayes_factor", "p_dependence", "p_positive"]]
           n_transitions  log_bayes_factor  p_dependence  p_positive
        0             10              0.59          0.64         0.9
        """
        import pandas as pd

        counts = self.trials.counts
        rows = []
        for unit, (name, fit) in enumerate(zip(self.systems, self.fits, strict=True)):
            mine = counts.unit == unit
            factor = fit.box.log_evidence - fit.log_alone
            (_, _, d), weights = fit.points
            rows.append(
                {
                    "system": name,
                    "n_tasks": int(mine.sum()),
                    "n_transitions": int(self.transitions[mine].sum()),
                    "log_bayes_factor": factor,
                    "p_dependence": float(special.expit(factor)),
                    "p_positive": 1.0 - weighted_below(d, weights, 0.0),
                    "identified": self._identified(unit, [])["dependence"],
                }
            )
        return pd.DataFrame(rows)

    def tasks(self) -> pd.DataFrame:
        """Give the transitions of every task as they were seen.

        Returns
        -------
        pandas.DataFrame
            One row a cell: system, task, [condition,] n, successes, then from_success and
            from_failure (transitions), and after_success and after_failure (share of them that
            lead to a success; NaN if there are none). Means of these shares over tasks are biased
            against persistence when runs are short, and sums over tasks are biased towards it.

        Examples
        --------
        >>> import reliability_stats as rs
        >>> trials = rs.Trials.from_array([[1, 1, 1, 0, 0, 0], [0, 0, 1, 1, 1, 1]])
        >>> rs.MarkovPersistence().fit(trials).tasks()[["task", "after_success", "after_failure"]]
          task  after_success  after_failure
        0    0       0.666667            0.0
        1    1       1.000000            0.5
        """
        frame = self.trials.counts.to_frame()
        for state, word in ((1, "success"), (0, "failure")):
            frame[f"from_{word}"] = self.transitions[:, state].sum(axis=1)
        for state, word in ((1, "success"), (0, "failure")):
            total = self.transitions[:, state].sum(axis=1).astype(float)
            won = self.transitions[:, state, 1]
            share = np.full(len(total), np.nan)
            frame[f"after_{word}"] = np.divide(won, total, out=share, where=total > 0)
        return frame

    def _identified(self, unit: int, lengths: Sequence[int]) -> dict[str, str]:
        """Say for each estimand whether the numbers of trials fix it."""
        n = self.trials.counts.n[self.trials.counts.unit == unit]

        def word(least: int) -> str:
            if np.mean(n >= least) >= 0.5:
                return "yes"
            return "model" if n.max() >= min(least, LEAST) else "no"

        known = {"success_rate": "yes", "dependence": word(LEAST)}
        pairs = ("p(success|success)", "p(success|failure)", "success_run", "failure_run")
        known |= dict.fromkeys(pairs, word(2))
        for k in lengths:
            known[f"run^{k}"] = word(k)
            known[f"pass^{k}, independent"] = word(max(k, LEAST)) if k > 1 else "yes"
        return known

    def _warn(self) -> None:
        """Warn of systems whose dependence is not identified."""
        import warnings

        poor = [
            name
            for unit, name in enumerate(self.systems)
            if self._identified(unit, [])["dependence"] == "no"
        ]
        if poor:
            warnings.warn(
                f"No task of {poor[0]!r}{' and other systems' if len(poor) > 1 else ''} has three "
                "trials, so dependence cannot be told from differences between tasks, and rows "
                "marked 'no' restate the prior. Run each task at least three times.",
                IdentifiabilityWarning,
                stacklevel=3,
            )

    def __repr__(self) -> str:
        """Give the spec, the data and the answer for the first systems."""
        counts = self.trials.counts
        sizes = [plural(len(self.fits), "system"), plural(len(counts.tasks), "task")]
        sizes.append(plural(int(self.transitions.sum()), "transition"))
        lines = [
            f"MarkovPosterior of {self.spec!r}",
            f"  {', '.join(sizes)}",
        ]
        lines += [
            f"  {row['system']}: log Bayes factor of dependence "
            f"{row['log_bayes_factor']:.2f}, P(positive) = {row['p_positive']:.3f}"
            for row in self.evidence().head(6).to_dict("records")
        ]
        if len(self.fits) > 6:
            lines.append(f"  and {len(self.fits) - 6} more")
        return "\n".join([*lines, "  .summary(), .evidence(), .tasks()"])

    def _repr_html_(self) -> str:
        """Give the same for notebooks, escaped."""
        return f"<pre>{escape(repr(self))}</pre>"


def _estimands(points: Sequence[FloatArray], lengths: Sequence[int]) -> dict[str, FloatArray]:
    """Evaluate all estimands at points of the posterior."""
    u, v, d = points
    mean, other, step = special.expit(u), special.expit(-u), np.exp(v)
    chain = rate_means(u, v, d, lengths)
    again = mean * (mean + step) / (1 + step)
    stay = np.clip(chain["both"] / mean, 0.0, 1.0)
    switch = np.clip((mean - chain["both"]) / other, 0.0, 1.0)
    out = {
        "success_rate": mean,
        "p(success|success)": stay,
        "p(success|failure)": switch,
        "p(success|success), independent": again / mean,
        "p(success|failure), independent": (mean - again) / other,
        "success_run": 1 / np.maximum(1 - stay, 1e-15),
        "failure_run": 1 / np.maximum(switch, 1e-15),
    }
    for k in lengths:
        steps = np.arange(k)[:, None] * step
        out[f"run^{k}"] = chain[f"run {k}"]
        out[f"pass^{k}, independent"] = np.prod((mean + steps) / (1 + steps), axis=0)
    root = np.exp(log_chain(u, d)[4]) / other  # P(0|1) / q = 2 / (1 + R)
    return out | {"log_odds_ratio": d, "autocorrelation": 1 - root}
