"""`reversals`: pairs of systems whose order differs between capability and reliability."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .._numerics import FloatArray
from .._validation import check_fraction, check_prob
from ..estimands import Estimand
from ..posterior import Posterior
from ..trials import Trials
from .axes import both_axes
from .joint import check_data, joint
from .pairs import chosen_pairs, weakest

if TYPE_CHECKING:
    import pandas as pd

CHANCES = (
    *("p_capability", "p_reliability", "p_dominates", "p_dominated", "p_capable_only"),
    *("p_reliable_only", "p_reversal", "p_close"),
)
CLASSES = ("dominates", "dominated", "reversal", "unresolved")


def two_axes(
    data: Posterior | Trials,
    capability: Estimand | None,
    reliability: Estimand | None,
    caller: str,
) -> tuple[Estimand, Estimand]:
    """Give the estimands of the two axes, pass@k and pass^k unless others are asked for."""
    given = [item for item in (capability, reliability) if item is not None]
    pair = both_axes(given or None, check_data(data, caller))
    return capability or pair[0], reliability or pair[-1 if len(pair) == 2 else 1]


def reversals(
    data: Posterior | Trials,
    capability: Estimand | None = None,
    reliability: Estimand | None = None,
    *,
    baseline: str | None = None,
    margin: float = 0.0,
    over: str = "population",
    prob: float = 0.95,
    draws: int | None = None,
    rng: Any = 0,
) -> pd.DataFrame:
    """Find pairs of systems whose order by capability and by reliability differs.

    Parameters
    ----------
    data : Posterior or Trials
        A fit; or trials, for a model-free answer over the tasks that all systems ran.
    capability, reliability : estimand, optional
        The two axes; pass@k and pass^k by default.
    baseline : str, optional
        Compare all systems with this one; by default all pairs.
    margin : float in [0, 1], default 0.0
        Differences of at most this count as none.
    over : {"population", "observed"}
        Tasks like these, or the very tasks of the table (with a Posterior only).
    prob : float in (0, 1), default 0.95
        Probability from which a verdict is given.
    draws : int >= 1, optional
        Number of draws; by default as in `compare`.
    rng : int, numpy.random.Generator, SeedSequence or None, default 0
        Seed of the bootstrap.

    Returns
    -------
    pandas.DataFrame
        One row a pair: system, baseline, capability, reliability (names of the estimands), over,
        margin, p_capability, p_reliability (chance that the system is better by more than the
        margin), p_dominates (better on both), p_dominated (worse on both), p_capable_only (more
        capable, less reliable), p_reliable_only (less capable, more reliable), p_reversal (the sum
        of the last two), p_close (the rest: a difference within the margin), verdict ("dominates",
        "dominated", "reversal", "unresolved"), prob, identified, pairing, n_shared (tasks that all
        systems ran).

    Raises
    ------
    ArgumentError
        If an argument is not allowed, or there is only one system.
    TrialDataError
        If no task was run by all systems and there is no model, or outcomes are missing under
        ``missing="bounds"``.

    Warns
    -----
    IdentifiabilityWarning
        If a value restates the prior, or cannot be estimated from counts.
    ExclusionWarning
        If tasks are left out because not all systems ran them.

    Notes
    -----
    A reversal is a fact about two systems, and no defect of either: one can do more, the other
    repeats better what it can do. It needs the joint distribution of all four values; the product
    of two probabilities from `compare` is not its probability.

    Examples
    --------
    >>> import reliability_stats as rs
    >>> post = rs.fit(rs.datasets.load("simulated-three-systems"))
    >>> pairs = rs.reversals(post, rs.PassAtK(4))
    >>> pairs[["system", "baseline", "p_dominates", "p_reversal", "verdict"]].round(2)
           system baseline  p_dominates  p_reversal     verdict
    0  flickering   narrow         0.73        0.27  unresolved
    1  flickering   steady         0.00        1.00    reversal
    2      narrow   steady         0.00        0.00   dominated
    """
    import pandas as pd

    margin, prob = check_fraction(margin, "margin"), check_prob(prob)
    axes = two_axes(data, capability, reliability, "reversals")
    pairs = chosen_pairs(check_data(data, "reversals").units, baseline)
    drawn = joint(data, axes, over=over, draws=draws, rng=rng, caller="reversals")
    rows = []
    for a, b in pairs:
        first, second = (values[:, a] - values[:, b] for values in drawn.values)
        chances = _classes(first, second, margin)
        rows.append(
            {
                "system": drawn.units[a],
                "baseline": drawn.units[b],
                "capability": axes[0].name,
                "reliability": axes[1].name,
                "over": over,
                "margin": margin,
                **chances,
                "verdict": _verdict(chances, prob),
                "prob": prob,
                "identified": weakest(words[i] for words in drawn.identified for i in (a, b)),
                "pairing": drawn.pairing,
                "n_shared": drawn.n_tasks,
            }
        )
    return pd.DataFrame(rows)


def _classes(capability: FloatArray, reliability: FloatArray, margin: float) -> dict[str, float]:
    """Give the probabilities of the four ways in which two systems can differ."""
    if np.isnan(capability).any() or np.isnan(reliability).any():
        return dict.fromkeys(CHANCES, float("nan"))
    more, less = capability > margin, capability < -margin
    steadier, looser = reliability > margin, reliability < -margin
    crossed = float((more & looser).mean()), float((less & steadier).mean())
    both = float((more & steadier).mean()), float((less & looser).mean())
    rest = max(0.0, 1.0 - sum(both) - sum(crossed))
    values = (float(more.mean()), float(steadier.mean()), *both, *crossed, sum(crossed), rest)
    return dict(zip(CHANCES, values, strict=True))


def _verdict(chances: dict[str, float], prob: float) -> str:
    """Name what is likely enough."""
    for name in CLASSES[:3]:
        if chances[f"p_{name}"] >= prob:
            return name
    return CLASSES[3]
