"""`bounds`: what published figures say about an estimand, with the assumption named."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from .._summary import COLUMNS
from .._validation import check_prob, check_rng
from ..estimands import ICC, Estimand, Gap, PassAtK, PassHatK, Persistence, SuccessRate
from ..exceptions import ArgumentError
from .answers import Answers
from .evidence import gather
from .frame import Leaderboard
from .sharp import wanted

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["bounds"]

MORE = ("assumption", "source", "set_lower", "set_upper", "note")


def bounds(
    leaderboard: Leaderboard,
    estimands: Estimand | Sequence[Estimand] | None = None,
    *,
    prob: float = 0.95,
    rng: Any = 0,
) -> pd.DataFrame:
    """Say what published figures alone tell of estimands: values, sharp bounds, and model values.

    Parameters
    ----------
    leaderboard : Leaderboard
        Published figures.
    estimands : estimand or list of estimands, optional
        What to report; by default the success rate, pass@k, pass^k, their gap, persistence and the
        correlation, with the highest published k (at least 2).
    prob : float in (0, 1), default 0.95
        Mass of the intervals.
    rng : int, numpy.random.Generator, SeedSequence or None, default 0
        Seed of the draws behind the intervals.

    Returns
    -------
    pandas.DataFrame
        The summary schema with benchmark and settings after system, and at the end:

        - assumption: "none" (one figure, any distribution of p over tasks), "exchangeable trials"
          (the figures are moments of one distribution), "beta mixing" (a beta distribution);
        - source: what was used;
        - set_lower, set_upper: the sharp bounds at the published figures, without sampling error;
        - note.

        identified is "yes" (the figures fix the value; mean and sd are given), "bounds" (they leave
        a range, and lower and upper are an interval for it), "model" (a beta distribution decides)
        or "no". Everything is over the population of tasks like these.

    Raises
    ------
    ArgumentError
        If an argument is not of the right kind.

    Notes
    -----
    What is used, in this order: a ladder that fits one histogram (see `reconstruct`); two or more
    figures; the mean and its standard error over runs of the same tasks; a single figure. Bounds
    are those of Markov and Krein for pass^k and pass@k given one or two moments, and linear
    programs over the distribution of p otherwise. Intervals treat tasks as a sample: a lower end is
    the quantile of the lower bound, an upper end that of the upper bound; where a beta
    distribution gives an interval too, that for any shape is widened to include it. Without the
    number of tasks there is none.

    Examples
    --------
    >>> from reliability_stats import PassHatK
    >>> from reliability_stats.leaderboard import Leaderboard, bounds
    >>> rows = {"system": ["a", "a"], "benchmark": ["b", "b"], "metric": ["pass^1", "pass^2"],
    ...         "value": ["0.604", "0.491"], "n_tasks": [115, 115], "n_trials": [4, 4]}
    >>> table = bounds(Leaderboard.from_frame(rows), PassHatK(8))
    >>> table[["identified", "assumption", "mean", "set_lower", "set_upper"]].round(3)
      identified           assumption   mean  set_lower  set_upper
    0     bounds  exchangeable trials    NaN      0.142      0.446
    1      model          beta mixing  0.309        NaN        NaN
    """
    import pandas as pd

    if not isinstance(leaderboard, Leaderboard):
        raise ArgumentError(
            f"bounds needs a Leaderboard, not {type(leaderboard).__name__}; make it with "
            "Leaderboard.from_frame(...)."
        )
    prob, generator = check_prob(prob), check_rng(rng)
    chosen = _usual(leaderboard) if estimands is None else wanted(estimands)
    streams = generator.spawn(len(leaderboard.groups))
    rows: dict[Estimand, list[dict[str, Any]]] = {estimand: [] for estimand in chosen}
    for group, stream in zip(leaderboard.groups, streams, strict=True):
        answers = Answers.of(gather(group, stream), chosen, prob)
        for estimand in chosen:
            rows[estimand] += answers.rows(estimand)
    names = [*COLUMNS[:2], "benchmark", "settings", *COLUMNS[2:], *MORE]
    return pd.DataFrame([row for found in rows.values() for row in found], columns=names)


def _usual(leaderboard: Leaderboard) -> tuple[Estimand, ...]:
    """Give the usual estimands at the highest published k."""
    k = max(2, *(f.k for group in leaderboard.groups for f in group.figures))
    return SuccessRate(), PassAtK(k), PassHatK(k), Gap(k), Persistence(1), ICC()
