"""`rank`: distributions of ranks on both axes, and the order that the data support."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from .._numerics import FloatArray, IntArray
from .._validation import check_fraction, check_k, check_prob
from ..estimands import Estimand
from ..exceptions import ArgumentError
from ..posterior import Posterior
from ..trials import Trials
from .axes import axis_of, both_axes
from .joint import HOW, Joint, check_data, joint
from .printed import chance, cut, grid, target, to_html

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False, repr=False)
class Ranking:
    """Ranks of systems on capability and on reliability; made by `rank`.

    Attributes
    ----------
    frame : pandas.DataFrame
        One row for each estimand and system; see `rank`.
    order : pandas.DataFrame
        The pairs whose order the data support: estimand, axis, better, worse, probability.
    probabilities : pandas.DataFrame
        P(rank) of every system: estimand, axis, system, rank, probability.
    how : str
        Where the joint distribution of the systems comes from, in words.
    draws : int
        Number of draws behind the probabilities.
    """

    frame: pd.DataFrame
    order: pd.DataFrame
    probabilities: pd.DataFrame
    how: str
    draws: int

    def top(self, m: int) -> pd.DataFrame:
        """Give the probability of each system to be among the first m.

        Parameters
        ----------
        m : int >= 1
            Number of places.

        Returns
        -------
        pandas.DataFrame
            Columns estimand, axis, system, m, p_top.

        Examples
        --------
        >>> import reliability_stats as rs
        >>> post = rs.fit(rs.datasets.load("simulated-three-systems"))
        >>> ranking = rs.rank(post, rs.PassHatK(4))
        >>> ranking.top(2)[["estimand", "system", "p_top"]].round(2)
          estimand      system  p_top
        0   pass@4  flickering   1.00
        1   pass@4      narrow   0.00
        2   pass@4      steady   1.00
        3   pass^4  flickering   0.73
        4   pass^4      narrow   0.27
        5   pass^4      steady   1.00
        """
        places = check_k(m, "m")
        kept = self.probabilities["probability"].where(self.probabilities["rank"] <= places, 0.0)
        out = self.frame[["estimand", "axis", "system"]].assign(m=places)
        keys = ["estimand", "system"]
        sums = kept.groupby([self.probabilities[key] for key in keys]).sum(min_count=1)
        index = list(zip(out["estimand"], out["system"], strict=True))
        out["p_top"] = np.minimum(sums.reindex(index).to_numpy(), 1.0)
        return out

    def __repr__(self) -> str:
        """Print each system on one line, capability beside reliability."""
        parts = list(self.frame.groupby("estimand", sort=False))
        heads: list[list[str]] = [["system"], [""]]
        for name, part in parts:
            axis = part["axis"].iloc[0]
            heads[0] += [f"{axis}: {name}" if axis != "other" else str(name), "", ""]
            heads[1] += ["value", "rank", "P(first)"]
        rows = []
        first = parts[0][1].reset_index(drop=True)
        for i in first["rank"].sort_values(kind="stable").index:
            line = [cut(str(first["system"].iloc[i]))]
            for _, part in parts:
                line += _cells(part.iloc[i])
            rows.append(line)
        edges = self.order.groupby("estimand", sort=False).size()
        pairs = len(first) * (len(first) - 1) // 2
        settled = ", ".join(f"{edges.get(name, 0)} on {name}" for name, _ in parts)
        notes = [
            f"Ranks {target(self.frame)}; rank 1 is the largest value",
            self.how,
            f"order settled for {settled}, of {pairs} pairs",
        ]
        return "\n".join([*notes, "", grid(heads, rows)])

    def _repr_html_(self) -> str:
        """Give the same for notebooks, escaped."""
        return to_html(repr(self))


def _cells(row: Any) -> list[str]:
    """Write the value, rank and chance to be first of a system."""
    if np.isnan(row["mean"]):
        return ["-", "-", "-"]
    mark = {"yes": "", "model": "*", "no": "?"}[row["identified"]]
    place = f"{row['rank']:.0f} [{row['lower']:.0f}, {row['upper']:.0f}]"
    return [f"{row['mean']:.3f}{mark}", place, chance(row["p_best"])]


def rank(
    data: Posterior | Trials,
    estimand: Estimand | Iterable[Estimand] | None = None,
    *,
    over: str = "population",
    prob: float = 0.95,
    fdr: float = 0.05,
    draws: int | None = None,
    rng: Any = 0,
) -> Ranking:
    """Rank systems on capability and on reliability, with the uncertainty of ranks.

    Parameters
    ----------
    data : Posterior or Trials
        A fit; or trials, for model-free ranks over the tasks that all systems ran.
    estimand : estimand or list of estimands, optional
        What to rank by; pass@k and pass^k by default. If only one axis is asked for, the other is
        added.
    over : {"population", "observed"}
        Tasks like these, or the very tasks of the table (with a Posterior only).
    prob : float in (0, 1), default 0.95
        Mass of the rank intervals.
    fdr : float in (0, 1), default 0.05
        A pair is ordered if the chance that the order is the other way is at most this. The
        expected share of wrong orders among those given is then at most this too.
    draws : int >= 1, optional
        Number of draws; by default as in `compare`.
    rng : int, numpy.random.Generator, SeedSequence or None, default 0
        Seed of the bootstrap and of the breaking of ties.

    Returns
    -------
    Ranking
        Its `frame` has the columns estimand, axis, system, over, mean, sd, rank (by the mean, 1 is
        the largest value), expected_rank, lower, upper (equal-tailed interval of the rank), prob,
        p_best (P(rank = 1)), band, identified, pairing. `band` is 1 plus the length of the longest
        chain of ordered pairs above a system: two systems in one band are never ordered.

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
        If a value restates the prior, or cannot be estimated from counts; such a system has no
        rank, and the others are ranked without it.
    ExclusionWarning
        If tasks are left out because not all systems ran them.

    Notes
    -----
    The order is a partial one. Where three systems are ordered in a row but the first and the last
    are not, the weaker of the two links is dropped, so that what is given never contradicts itself.

    Rank intervals are wide where systems are close: that is what the data say. They are intervals
    for each system, not for all at once.

    References
    ----------
    Goldstein and Spiegelhalter (1996), League tables and their limitations,
    https://doi.org/10.2307/2983325; Newton et al. (2004), Detecting differential gene expression
    with a semiparametric hierarchical mixture method, https://doi.org/10.1093/biostatistics/5.2.155

    Examples
    --------
    >>> import reliability_stats as rs
    >>> post = rs.fit(rs.datasets.load("simulated-three-systems"))
    >>> ranking = rs.rank(post, rs.PassHatK(4))
    >>> ranking.frame[["estimand", "system", "rank", "lower", "upper", "band"]]
      estimand      system  rank  lower  upper  band
    0   pass@4  flickering     1      1      1     1
    1   pass@4      narrow     3      3      3     3
    2   pass@4      steady     2      2      2     2
    3   pass^4  flickering     2      2      3     2
    4   pass^4      narrow     3      2      3     2
    5   pass^4      steady     1      1      1     1
    """
    prob, fdr = check_prob(prob), check_fraction(fdr, "fdr")
    if not 0 < fdr < 0.5:
        raise ArgumentError(f"fdr must be between 0 and 0.5, both excluded, not {fdr!r}.")
    wanted = both_axes(estimand, check_data(data, "rank"))
    drawn = joint(data, wanted, over=over, draws=draws, rng=rng, caller="rank")
    ties = np.random.default_rng(0)
    frames, orders, chances = [], [], []
    for i in range(len(wanted)):
        known = np.flatnonzero(~np.isnan(drawn.mean[i]))
        values = drawn.values[i][:, known]
        ranks = ranks_of(values, ties)
        better, worse, p = partial_order(values, fdr)
        frames.append(_frame(drawn, i, known, ranks, (better, worse), over, prob))
        orders.append(_order(drawn, i, known[better], known[worse], p))
        chances.append(_chances(drawn, i, known, ranks))
    import pandas as pd

    frame, order, table = (pd.concat(x, ignore_index=True) for x in (frames, orders, chances))
    return Ranking(frame, order, table, HOW[drawn.pairing], len(drawn.values[0]))


def ranks_of(values: FloatArray, rng: np.random.Generator) -> IntArray:
    """Rank within each draw (draws, systems), 1 for the largest; ties are broken at random."""
    order = np.lexsort((rng.random(values.shape), -values), axis=1)
    out = np.empty(values.shape, dtype=np.int64)
    np.put_along_axis(out, order, np.arange(1, values.shape[1] + 1)[None, :], axis=1)
    return out


def partial_order(values: FloatArray, fdr: float) -> tuple[IntArray, IntArray, FloatArray]:
    """Give the pairs (better, worse, probability) whose order holds with 1 - fdr, transitively."""
    size = values.shape[1]
    above = np.full((size, size), 0.5)
    for i in range(size):
        rest = values[:, i + 1 :]
        ahead = (values[:, [i]] > rest).mean(axis=0) + 0.5 * (values[:, [i]] == rest).mean(axis=0)
        above[i, i + 1 :], above[i + 1 :, i] = ahead, 1.0 - ahead
    edges = _transitive(above, above >= 1.0 - fdr)
    better, worse = np.nonzero(edges)
    return better, worse, above[better, worse]


def _transitive(above: FloatArray, edges: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Drop the weaker of two links that lead to an order which does not hold itself."""
    edges = edges.copy()
    while True:
        counts = edges.astype(np.int64)
        gaps = (counts @ counts > 0) & ~edges
        if not gaps.any():
            return edges
        a, c = np.argwhere(gaps)[0]
        middle = np.flatnonzero(edges[a] & edges[:, c])[0]
        weaker = (a, middle) if above[a, middle] <= above[middle, c] else (middle, c)
        edges[weaker] = False


def bands(size: int, better: IntArray, worse: IntArray) -> IntArray:
    """Give 1 plus the length of the longest chain above each system."""
    out = np.ones(size, dtype=np.int64)
    for _ in range(size):
        moved = out.copy()
        np.maximum.at(moved, worse, out[better] + 1)
        if (moved == out).all():
            break
        out = moved
    return out


def _frame(
    drawn: Joint,
    i: int,
    known: IntArray,
    ranks: IntArray,
    edges: tuple[IntArray, IntArray],
    over: str,
    prob: float,
) -> pd.DataFrame:
    """Describe the ranks of all systems under one estimand."""
    import pandas as pd

    units = drawn.units
    tails = [(1 - prob) / 2, (1 + prob) / 2]
    lower, upper = np.quantile(ranks, tails, axis=0, method="inverted_cdf")
    mean = drawn.mean[i][known]
    place = np.array([1 + int((mean > value).sum()) for value in mean], dtype=np.int64)
    columns = {
        "rank": place,
        "expected_rank": ranks.mean(axis=0),
        "lower": lower,
        "upper": upper,
        "p_best": (ranks == 1).mean(axis=0),
        "band": bands(len(known), *edges),
    }
    whole = len(known) == len(units)
    spread = {}
    for name, values in columns.items():
        exact = whole and name in ("rank", "lower", "upper", "band")
        full = np.full(len(units), np.nan)
        full[known] = values
        spread[name] = full.astype(np.int64) if exact else full
    fields = {
        "estimand": drawn.estimands[i].name,
        "axis": axis_of(drawn.estimands[i]),
        "system": list(units),
        "over": over,
        "mean": drawn.mean[i],
        "sd": drawn.sd[i],
        "rank": spread["rank"],
        "expected_rank": spread["expected_rank"],
        "lower": spread["lower"],
        "upper": spread["upper"],
        "prob": prob,
        "p_best": spread["p_best"],
        "band": spread["band"],
        "identified": drawn.identified[i],
        "pairing": drawn.pairing,
    }
    return pd.DataFrame(fields)


def _order(drawn: Joint, i: int, better: IntArray, worse: IntArray, p: FloatArray) -> pd.DataFrame:
    """List ordered pairs, the most certain first."""
    import pandas as pd

    first = np.argsort(-p, kind="stable")
    fields = {
        "estimand": drawn.estimands[i].name,
        "axis": axis_of(drawn.estimands[i]),
        "better": [drawn.units[k] for k in better[first]],
        "worse": [drawn.units[k] for k in worse[first]],
        "probability": p[first],
    }
    return pd.DataFrame(fields)


def _chances(drawn: Joint, i: int, known: IntArray, ranks: IntArray) -> pd.DataFrame:
    """Give the probability of every rank of every system that has one."""
    import pandas as pd

    size = len(known)
    places = [np.bincount(column, minlength=size + 1)[1:] for column in ranks.T]
    table = np.array(places).reshape(size, size)
    fields = {
        "estimand": drawn.estimands[i].name,
        "axis": axis_of(drawn.estimands[i]),
        "system": np.repeat(np.array(drawn.units, dtype=object)[known], size),
        "rank": np.tile(np.arange(1, size + 1), size),
        "probability": (table / len(ranks)).ravel(),
    }
    return pd.DataFrame(fields)
