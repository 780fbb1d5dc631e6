"""`compare`: differences between systems, capability and reliability side by side."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np

from .._numerics import FloatArray
from .._summary import identification_by_unit, warn_unidentified
from .._validation import check_choice, check_fraction, check_prob, check_rng, suggest
from ..estimands import Estimand
from ..exceptions import ArgumentError, ReliabilityStatsWarning
from ..posterior import Posterior
from ..trials import Counts, Trials
from .axes import axis_of, both_axes
from .classical import adjusted, p_value
from .joint import (
    HOW,
    INDEPENDENT,
    JOINT,
    SHARED,
    check_data,
    check_size,
    check_target,
    is_joint,
    posterior_draws,
    warn_of_other_tasks,
    warn_stopped,
    warn_undefined,
)
from .printed import side_by_side, to_html
from .shared_tasks import Paired, Table

if TYPE_CHECKING:
    import pandas as pd

TESTS = ("t", "permutation", "none")
WORDS = ("no", "model", "yes")
AGAINST = 2.0
"""Standard errors below zero from which a correlation over tasks counts as negative."""

Pair = tuple[int, int]


@dataclass(frozen=True, eq=False, repr=False)
class Comparison:
    """Differences between pairs of systems; made by `compare`.

    Attributes
    ----------
    frame : pandas.DataFrame
        One row for each estimand and pair; see `compare`.
    how : str
        Where the joint distribution of two systems comes from, in words.
    draws : int
        Number of draws behind intervals and probabilities.
    """

    frame: pd.DataFrame
    how: str
    draws: int

    def __repr__(self) -> str:
        """Print each pair on one line, capability beside reliability."""
        return side_by_side(self.frame, self.how, self.draws)

    def _repr_html_(self) -> str:
        """Give the same for notebooks, escaped."""
        return to_html(repr(self))


def compare(
    data: Posterior | Trials,
    estimand: Estimand | Iterable[Estimand] | None = None,
    *,
    baseline: str | None = None,
    margin: float = 0.0,
    over: str = "population",
    prob: float = 0.95,
    test: str = "t",
    draws: int | None = None,
    rng: Any = 0,
) -> Comparison:
    """Compare systems in pairs, on capability and on reliability.

    Parameters
    ----------
    data : Posterior or Trials
        A fit; or trials, for a model-free answer paired by task.
    estimand : estimand or list of estimands, optional
        What to compare; pass@k and pass^k by default. If only one axis is asked for, the other is
        added: an estimand of capability never stands without one of reliability, nor the reverse.
    baseline : str, optional
        Compare all systems with this one; by default all pairs.
    margin : float in [0, 1], default 0.0
        Difference that matters, for `p_greater_by_margin` and `p_equivalent`.
    over : {"population", "observed"}
        Tasks like these, or the very tasks of the table (with a Posterior only).
    prob : float in (0, 1), default 0.95
        Mass of the intervals, which are equal-tailed.
    test : {"t", "permutation", "none"}, default "t"
        Classical test of no difference beside the model-free answer: paired Student's t on the
        tasks' influence, or random exchange of the two systems within tasks.
    draws : int >= 1, optional
        Number of draws; 20 000 from quadrature, 10 000 for each pair without a model, and all
        there are from chains.
    rng : int, numpy.random.Generator, SeedSequence or None, default 0
        Seed of the bootstrap and of the permutations; a Posterior has its own.

    Returns
    -------
    Comparison
        Its `frame` has the columns estimand, axis ("capability", "reliability", "other"), system,
        baseline, over, mean (system minus baseline), sd, lower, upper, prob, interval, p_greater
        (P(difference > 0)), margin, p_greater_by_margin (P(difference > margin)), p_equivalent
        (P(-margin <= difference <= margin); NaN if margin is 0), identified, pairing, n_shared
        (tasks that both ran; without a model those with enough trials for the estimand), n_system,
        n_baseline (tasks of each), correlation (over shared tasks, of their unbiased estimates),
        p_value, p_holm, p_bh (test, and adjusted for all pairs by Holm and by Benjamini and
        Hochberg; NaN with a Posterior).

    Raises
    ------
    ArgumentError
        If an argument is not allowed, or there is only one system.
    TrialDataError
        If outcomes are missing under ``missing="bounds"``.

    Warns
    -----
    IdentifiabilityWarning
        If a value restates the prior, or cannot be estimated from counts.
    ReliabilityStatsWarning
        If posteriors are independent but tasks that are easy for one system are hard for another:
        the difference is then less certain than independence says. Or if trials look stopped at
        the first success or failure.
    ExclusionWarning
        If systems are compared over observed tasks that are not the same.

    Notes
    -----
    *Posterior*. If the model is joint, so are the draws. Otherwise the posteriors of the systems
    are independent: right over the observed tasks, where only trials vary; conservative over the
    population where systems find the same tasks hard, because the luck of the tasks, which both
    share, is then counted twice. Mean and sd are exact; intervals and probabilities are from draws.

    *Trials*. Every task gives unbiased estimates for both systems, and the tasks that both ran are
    weighted at random by the Bayesian bootstrap. `mean` is the difference of the estimates and
    `sd` is s / sqrt(N + 1), with s the standard deviation over N tasks (divisor N). For intervals
    and probabilities an imaginary task is added on which one system, either with equal chance, is
    as far ahead as can be. Without it, a single task on which two systems differ would make one of
    them certainly better.

    References
    ----------
    Rubin (1981), The Bayesian bootstrap, https://doi.org/10.1214/aos/1176345338

    Examples
    --------
    >>> import reliability_stats as rs
    >>> trials = rs.datasets.load("simulated-three-systems")
    >>> result = rs.compare(trials, rs.PassHatK(4), baseline="flickering")
    >>> result.frame[["estimand", "system", "mean", "lower", "upper", "p_greater"]].round(2)
      estimand  system  mean  lower  upper  p_greater
    0   pass@4  narrow -0.71  -0.81  -0.56       0.00
    1   pass@4  steady -0.28  -0.39  -0.18       0.00
    2   pass^4  narrow -0.02  -0.15   0.11       0.37
    3   pass^4  steady  0.35   0.23   0.45       1.00
    """
    counts = check_data(data, "compare")
    over, prob = check_target(data, over), check_prob(prob)
    margin, test = check_fraction(margin, "margin"), check_choice(test, TESTS, "test")
    pairs = chosen_pairs(counts.units, baseline)
    wanted = both_axes(estimand, counts)
    table = Table.of(counts)
    if isinstance(data, Posterior):
        rows, size = _from_posterior(data, wanted, pairs, table, over, prob, margin, draws)
        pairing = JOINT if is_joint(data) else INDEPENDENT
    else:
        size = check_size(draws)
        rows = _from_trials(counts, wanted, pairs, table, prob, margin, test, size, rng)
        pairing = SHARED
    frame = _frame(rows, wanted, pairs, counts, over, prob, margin, pairing)
    return Comparison(frame, HOW[pairing], size)


def chosen_pairs(units: Sequence[str], baseline: str | None) -> list[Pair]:
    """Give the pairs to compare: all, or every system with the baseline."""
    if len(units) < 2:
        raise ArgumentError(f"There is only one system, {units[0]!r}; comparing needs two.")
    if baseline is None:
        return list(combinations(range(len(units)), 2))
    if baseline not in units:
        listed = ", ".join(repr(unit) for unit in units[:20])
        raise ArgumentError(
            f"There is no system {baseline!r} to be the baseline{suggest(baseline, units)}. The "
            f"systems are: {listed}."
        )
    at = units.index(baseline)
    return [(i, at) for i in range(len(units)) if i != at]


def _questions(difference: FloatArray, prob: float, margin: float) -> dict[str, Any]:
    """Answer all questions about draws of differences (draws, pairs) or (draws,)."""
    lower, upper = np.quantile(difference, [(1 - prob) / 2, (1 + prob) / 2], axis=0)
    unknown = np.isnan(difference).any(axis=0)
    close = (np.abs(difference) <= margin).mean(axis=0) if margin else np.nan * lower
    answers = {
        "lower": lower,
        "upper": upper,
        "p_greater": _share(difference, 0.0),
        "p_greater_by_margin": _share(difference, margin),
        "p_equivalent": close,
    }
    return {name: np.where(unknown, np.nan, value) for name, value in answers.items()}


def _share(difference: FloatArray, margin: float) -> FloatArray:
    """Share of draws above a margin; exact ties count half."""
    above = (difference > margin).mean(axis=0)
    return np.asarray(above + 0.5 * (difference == margin).mean(axis=0))


def _from_posterior(
    post: Posterior,
    estimands: tuple[Estimand, ...],
    pairs: list[Pair],
    table: Table,
    over: str,
    prob: float,
    margin: float,
    draws: int | None,
) -> tuple[list[dict[str, Any]], int]:
    """Give the columns of each estimand, (pairs,)."""
    counts = post.trials.counts
    first, second = np.array(pairs).T
    warn_of_other_tasks(post, _least_shared(table, pairs), over)
    solve = post.engine.population if over == "population" else post.engine.observed
    values = posterior_draws(post, estimands, over, draws)
    shared = [table.shared(pair) for pair in pairs]
    rows, unidentified, opposed = [], [], []
    for estimand, marginal, drawn in zip(estimands, solve(estimands, prob), values, strict=True):
        words = identification_by_unit(estimand, counts, over)
        if "no" in words:
            unidentified.append(estimand.name)
        difference = drawn[:, first] - drawn[:, second]
        exact = np.hypot(marginal.sd[first], marginal.sd[second])
        correlation = np.array([_correlation(tasks.estimate(estimand)) for tasks in shared])
        size = np.array([tasks.n_tasks for tasks in shared])
        if over == "population" and not is_joint(post):
            opposed += [
                (estimand, pairs[i], correlation[i])
                for i in np.flatnonzero(correlation < -AGAINST / np.sqrt(np.maximum(size, 1)))
            ]
        rows.append(
            {
                "mean": marginal.mean[first] - marginal.mean[second],
                "sd": difference.std(axis=0) if is_joint(post) else exact,
                **_questions(difference, prob, margin),
                "interval": "eti",
                "identified": [weakest((words[a], words[b])) for a, b in pairs],
                "n_shared": size,
                "correlation": correlation,
            }
        )
    warn_unidentified(unidentified, stacklevel=4)
    _warn_opposed(opposed, counts.units)
    return rows, len(values[0])


def _from_trials(
    counts: Counts,
    estimands: tuple[Estimand, ...],
    pairs: list[Pair],
    table: Table,
    prob: float,
    margin: float,
    test: str,
    draws: int,
    rng: Any,
) -> list[dict[str, Any]]:
    """Give the columns of each estimand, (pairs,), from the tasks that each pair shares."""
    warn_stopped(counts)
    generator = check_rng(rng)
    rows: list[list[dict[str, Any]]] = [[] for _ in estimands]
    undefined = np.zeros((len(estimands), len(counts.units)), dtype=bool)
    for pair in pairs:
        tasks = table.shared(pair)
        paired = [tasks.estimate(estimand) for estimand in estimands]
        drawn = tasks.draws(paired, draws, generator)
        for i, (item, values) in enumerate(zip(paired, drawn, strict=True)):
            bad = np.isnan(item.value)
            undefined[i, list(pair)] |= bad
            rows[i].append(
                {
                    "mean": item.value[0] - item.value[1],
                    "sd": item.sd_of_difference(item.spread(), 0, 1),
                    **_questions(values[:, 0] - values[:, 1], prob, margin),
                    "interval": "none" if bad.any() else "bayesian bootstrap",
                    "identified": "no" if bad.any() else "yes",
                    "n_shared": item.n_tasks,
                    "correlation": _correlation(item),
                    "p_value": p_value(item, test, generator),
                }
            )
    warn_undefined(estimands, list(undefined), counts.units)
    out = []
    for parts in rows:
        columns = {key: np.array([part[key] for part in parts]) for key in parts[0]}
        p = columns["p_value"]
        out.append(columns | {"p_holm": adjusted(p, "holm"), "p_bh": adjusted(p, "fdr_bh")})
    return out


def _correlation(paired: Paired) -> float:
    """Correlation over tasks of what they say of two systems; NaN if either does not vary."""
    if not paired.n_tasks or np.isnan(paired.value).any():
        return float("nan")
    spread = paired.spread()
    scale = spread[0, 0] * spread[1, 1]
    return float(spread[0, 1] / np.sqrt(scale)) if scale > 0 else float("nan")


def weakest(words: Iterable[str]) -> str:
    """Give the weakest of words on identification."""
    return min(words, key=WORDS.index)


def _least_shared(table: Table, pairs: list[Pair]) -> int:
    """Give the smallest number of tasks that a pair shares."""
    ran = table.n > 0
    return min(int((ran[a] & ran[b]).sum()) for a, b in pairs)


def _warn_opposed(opposed: list[tuple[Estimand, Pair, float]], units: Sequence[str]) -> None:
    """Warn where independent posteriors make a difference look too certain."""
    if not opposed:
        return
    estimand, (a, b), value = opposed[0]
    more = f", and {len(opposed) - 1} more" if len(opposed) > 1 else ""
    warnings.warn(
        f"Tasks that are easy for {units[a]!r} are hard for {units[b]!r} ({estimand.name}, "
        f"correlation {value:.2f}{more}), but the posteriors are independent, so that the "
        "difference is less certain than is said here. compare(trials) takes that into account.",
        ReliabilityStatsWarning,
        stacklevel=4,
    )


def _frame(
    rows: list[dict[str, Any]],
    estimands: tuple[Estimand, ...],
    pairs: list[Pair],
    counts: Counts,
    over: str,
    prob: float,
    margin: float,
    pairing: str,
) -> pd.DataFrame:
    """Stack the columns, estimand by estimand."""
    import pandas as pd

    n_tasks = np.bincount(counts.unit, minlength=len(counts.units))
    columns = (
        *("estimand", "axis", "system", "baseline", "over", "mean", "sd", "lower", "upper"),
        *("prob", "interval", "p_greater", "margin", "p_greater_by_margin", "p_equivalent"),
        *("identified", "pairing", "n_shared", "n_system", "n_baseline", "correlation"),
        *("p_value", "p_holm", "p_bh"),
    )
    frames = []
    for estimand, values in zip(estimands, rows, strict=True):
        fields = {
            "p_value": np.nan,
            "p_holm": np.nan,
            "p_bh": np.nan,
            **values,
            "estimand": estimand.name,
            "axis": axis_of(estimand),
            "system": [counts.units[a] for a, _ in pairs],
            "baseline": [counts.units[b] for _, b in pairs],
            "over": over,
            "prob": prob,
            "margin": margin,
            "pairing": pairing,
            "n_system": [n_tasks[a] for a, _ in pairs],
            "n_baseline": [n_tasks[b] for _, b in pairs],
        }
        frames.append(pd.DataFrame(fields, columns=list(columns)))
    return pd.concat(frames, ignore_index=True)
