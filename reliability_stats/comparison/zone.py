"""`zones`: where systems stand on the plane of capability and reliability."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .._summary import usual_k
from .._validation import check_fraction, check_prob
from ..estimands import Estimand, PassAtK, Persistence
from ..posterior import Posterior
from ..trials import Trials
from .joint import check_data, joint
from .pairs import weakest
from .reversal import two_axes

if TYPE_CHECKING:
    import pandas as pd

DEPENDABLE, FLICKERING = "dependable", "capable but flickering"
NARROW, IMMATURE = "narrow but dependable", "immature"
ZONES = (DEPENDABLE, FLICKERING, NARROW, IMMATURE)
UNDETERMINED = "undetermined"
COLUMNS = {
    DEPENDABLE: "p_dependable",
    FLICKERING: "p_flickering",
    NARROW: "p_narrow",
    IMMATURE: "p_immature",
}


def zones(
    data: Posterior | Trials,
    capability: Estimand | None = None,
    reliability: Estimand | None = None,
    *,
    capable: float,
    dependable: float,
    over: str = "population",
    prob: float = 0.95,
    draws: int | None = None,
    rng: Any = 0,
) -> pd.DataFrame:
    """Place systems in four zones by capability and reliability, with probabilities.

    Parameters
    ----------
    data : Posterior or Trials
        A fit; or trials, for a model-free answer over the tasks that all systems ran.
    capability : estimand, optional
        By default pass@k at the usual number of trials, at least 2.
    reliability : estimand, optional
        By default ``Persistence(k - 1)``: having succeeded once, the other k - 1 trials succeed
        too. Unlike pass^k it does not fall with capability, so that a system can be narrow and
        dependable.
    capable : float in [0, 1]
        Capability from which a system counts as capable. There is no default: it is a choice of
        whoever deploys the system.
    dependable : float in [0, 1]
        Reliability from which it counts as dependable.
    over : {"population", "observed"}
        Tasks like these, or the very tasks of the table (with a Posterior only).
    prob : float in (0, 1), default 0.95
        Probability from which a zone is given.
    draws : int >= 1, optional
        Number of draws; by default as in `compare`.
    rng : int, numpy.random.Generator, SeedSequence or None, default 0
        Seed of the bootstrap.

    Returns
    -------
    pandas.DataFrame
        One row a system: system, capability, reliability (names of the estimands), over,
        capability_mean, reliability_mean, capable, dependable (the thresholds), p_dependable
        (capable and dependable), p_flickering (capable, not dependable), p_narrow (dependable, not
        capable), p_immature (neither), zone ("dependable", "capable but flickering", "narrow but
        dependable", "immature", or "undetermined" if none has probability `prob`), prob,
        identified, pairing.

    Raises
    ------
    ArgumentError
        If an argument is not allowed.
    TrialDataError
        If no task was run by all systems and there is no model, or outcomes are missing under
        ``missing="bounds"``.

    Warns
    -----
    IdentifiabilityWarning
        If a value restates the prior, or cannot be estimated from counts.
    ExclusionWarning
        If tasks are left out because not all systems ran them.

    Examples
    --------
    >>> import reliability_stats as rs
    >>> post = rs.fit(rs.datasets.load("simulated-three-systems"))
    >>> table = rs.zones(post, rs.PassAtK(4), capable=0.5, dependable=0.7)
    >>> table[["system", "capability_mean", "reliability_mean", "zone"]].round(2)
           system  capability_mean  reliability_mean                    zone
    0  flickering             0.94              0.31  capable but flickering
    1      narrow             0.27              0.74            undetermined
    2      steady             0.69              0.85              dependable
    """
    import pandas as pd

    thresholds = check_fraction(capable, "capable"), check_fraction(dependable, "dependable")
    prob = check_prob(prob)
    first, second = two_axes(data, capability, reliability, "zones")
    if reliability is None:
        k = first.k if isinstance(first, PassAtK) else usual_k(check_data(data, "zones"))
        second = Persistence(max(1, k - 1))
    drawn = joint(data, (first, second), over=over, draws=draws, rng=rng, caller="zones")
    can, keeps = (v >= t for v, t in zip(drawn.values, thresholds, strict=True))
    unknown = np.isnan(drawn.mean[0]) | np.isnan(drawn.mean[1])
    shares = [(a & b).mean(axis=0) for a in (can, ~can) for b in (keeps, ~keeps)]
    chances = np.where(unknown, np.nan, np.stack(shares))
    best = np.where(unknown, 0, np.argmax(shares, axis=0))
    sure = np.take_along_axis(chances, best[None], axis=0)[0] >= prob
    fields = {
        "system": list(drawn.units),
        "capability": first.name,
        "reliability": second.name,
        "over": over,
        "capability_mean": drawn.mean[0],
        "reliability_mean": drawn.mean[1],
        "capable": thresholds[0],
        "dependable": thresholds[1],
        **dict(zip(COLUMNS.values(), chances, strict=True)),
        "zone": [ZONES[i] if ok else UNDETERMINED for i, ok in zip(best, sure, strict=True)],
        "prob": prob,
        "identified": [weakest(pair) for pair in zip(*drawn.identified, strict=True)],
        "pairing": drawn.pairing,
    }
    return pd.DataFrame(fields)
