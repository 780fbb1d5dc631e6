"""When sessions are escalated: discrete-time hazards, with sessions that finish or are cut off."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np

from .._counts import plural
from .._numerics import FloatArray, IntArray
from .._validation import check_positive_int, check_prob, check_rng
from ..exceptions import TrialDataError
from ._drawn import CHAINS, DRAWS, Quantity, array_of, interval_columns, summarise, total_draws
from ._table import Label, count, read_table

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

__all__ = ["SessionHazard", "SessionHazardPosterior"]

ENDS = ("escalated", "finished", "cut off")
MOST_TURNS = 1000


@dataclass(frozen=True)
class SessionHazard:
    """Hazard of escalation, turn by turn, over a session that may also finish or be cut off.

    Parameters
    ----------
    within : int or list of int, optional
        Numbers of turns for the summary. By default the median and the largest number seen.

    Notes
    -----
    Of the sessions that reach a turn, some are escalated in it; of the others, some finish with it.
    Both hazards are partially pooled over turns: each follows a beta law with uniform priors of its
    mean and correlation, by exact quadrature, so that turns that few sessions reach borrow from the
    others. Sessions that were cut off count as far as they were seen. A session that finishes can
    no longer be escalated: the summary gives the cumulative incidence with both, not one minus a
    survival curve that pretends that sessions went on for ever.

    References
    ----------
    Singer and Willett (1993), It's about time, https://doi.org/10.3102/10769986018002155;
    Aalen and Johansen (1978), An empirical transition matrix for non-homogeneous Markov chains,
    Scandinavian Journal of Statistics 5, 141-150

    Examples
    --------
    >>> from reliability_stats.instruments import SessionHazard
    >>> table = {"turns": [1, 2, 2, 3, 3, 5], "end": ["escalated", "finished"] * 3}
    >>> post = SessionHazard(within=[1, 5]).fit(table, system=None)
    >>> post.summary()[["estimand", "identified"]]
               estimand identified
    0  escalated_within_1        yes
    1  escalated_within_5        yes
    """

    within: int | tuple[int, ...] | None = None

    def __post_init__(self) -> None:
        """Check the field."""
        if self.within is not None:
            given = self.within
            many = isinstance(given, Iterable) and not isinstance(given, (str, bytes))
            values = list(given) if many else [given]  # type: ignore[arg-type]
            checked = tuple(check_positive_int(value, "within") for value in values)
            object.__setattr__(self, "within", tuple(dict.fromkeys(checked)))

    def fit(
        self,
        data: Any,
        *,
        system: str | None = "system",
        turns: str = "turns",
        end: str = "end",
        rng: Any = 0,
        draws: int = DRAWS,
    ) -> SessionHazardPosterior:
        """Compute the posterior of each system.

        Parameters
        ----------
        data : data frame or mapping of columns
            One row a session.
        system : str or None, default "system"
            Column of the system; None if all sessions belong to one.
        turns : str, default "turns"
            Column of the number of turns seen, from 1.
        end : str, default "end"
            Column with how the session ended at its last turn: "escalated", "finished" or
            "cut off" (nobody knows how it would have gone on).
        rng : int, numpy.random.Generator, SeedSequence or None, default 0
            Seed of the draws.
        draws : int >= 1, default 2500
            Draws of each of 4 chains; independent.

        Returns
        -------
        SessionHazardPosterior

        Raises
        ------
        TrialDataError
            If the table is not allowed; the message names the first row at fault.

        Examples
        --------
        >>> from reliability_stats.instruments import SessionHazard
        >>> table = {"turns": [1, 2, 2], "end": ["escalated", "finished", "cut off"]}
        >>> SessionHazard().fit(table, system=None).hazards()[["turn", "at_risk", "escalated"]]
           turn  at_risk  escalated
        0     1        3          1
        1     2        2          0
        """
        size = total_draws(draws)
        generator = check_rng(rng)
        columns = {"system": system, "turns": turns, "end": end}
        needs: dict[str, Any] = {"system": Label(), "end": Label(levels=ENDS)}
        needs["turns"] = count(low=1)
        table = read_table(data, columns, needs, what="session", optional=("system",))
        table.refuse(table["turns"] > MOST_TURNS, "turns", f"at most {MOST_TURNS} are allowed")
        systems = table.labels.get("system", ("system",))
        row = table["system"] if "system" in table else np.zeros(len(table), dtype=np.int64)
        counts = np.zeros((len(systems), int(table["turns"].max()), 3), dtype=np.int64)
        np.add.at(counts, (row, table["turns"] - 1, table["end"]), 1)
        streams = generator.spawn(2)
        escalated = [_hazard(each, 0, size, streams[0]) for each in counts]
        finished = [_hazard(each, 1, size, streams[1]) for each in counts]
        return SessionHazardPosterior(self, systems, counts, escalated, finished, table.fingerprint)


def at_risk(counts: IntArray) -> IntArray:
    """Give the sessions that reach each turn, from counts of ends (turns, 3)."""
    return np.asarray(counts.sum(axis=1)[::-1].cumsum()[::-1])


def _hazard(counts: IntArray, event: int, size: int, rng: np.random.Generator) -> FloatArray:
    """Draw the hazards of one event, (draws, turns), and of a turn not seen as the last column."""
    from ..fitting import fit
    from ..trials import Trials

    n = at_risk(counts)
    if event:
        n = n - counts[:, 0]
    used = np.flatnonzero(n)
    y = counts[used, event]
    if not counts[:, event].any() and event:
        return np.zeros((size, len(n) + 1))
    if not len(used):
        return rng.beta(0.5, 0.5, (size, len(n) + 1))
    table = {"task": [f"turn {t}" for t in used], "n": n[used], "successes": y}
    post = fit(Trials.from_counts(table, system=None), rng=rng)
    drawn = post.engine.parameters(CHAINS, size // CHAINS, cells=True)
    mean, icc = (np.clip(drawn[k][1].reshape(size), 1e-12, 1 - 1e-12) for k in ("mean", "icc"))
    total = 1.0 / icc - 1.0
    a, b = np.maximum(mean * total, 1e-300), np.maximum((1.0 - mean) * total, 1e-300)
    out = rng.beta(a[:, None], b[:, None], (size, len(n) + 1))
    out[:, used] = drawn["p"][1].reshape(size, -1)
    return out


@dataclass(frozen=True, eq=False, repr=False)
class SessionHazardPosterior:
    """Posterior of a `SessionHazard`; made by its `fit`.

    Attributes
    ----------
    spec : SessionHazard
        What was fitted.
    systems : tuple of str
        Labels.
    counts : (systems, turns, 3) ndarray of int
        Sessions by their last turn: escalated, finished, cut off.
    escalated, finished : list of (draws, turns + 1) ndarray
        Hazards of each system; the last column is that of a turn beyond those seen.
    fingerprint : str
        Of the table.
    """

    spec: SessionHazard
    systems: tuple[str, ...]
    counts: IntArray
    escalated: list[FloatArray]
    finished: list[FloatArray]
    fingerprint: str

    def _incidence(self, s: int) -> FloatArray:
        """Cumulative incidence of escalation by turn, (draws, turns)."""
        e, f = self.escalated[s][:, :-1], self.finished[s][:, :-1]
        left = np.cumprod((1.0 - e) * (1.0 - f), axis=1)
        before = np.concatenate([np.ones((len(e), 1)), left[:, :-1]], axis=1)
        return np.asarray(np.cumsum(before * e, axis=1))

    def _within(self) -> tuple[int, ...]:
        """Give the turns for the summary."""
        if self.spec.within is not None:
            return tuple(np.atleast_1d(self.spec.within).tolist())
        turns = np.arange(1, self.counts.shape[1] + 1)
        total = self.counts.sum(axis=(0, 2))
        middle = int(turns[np.searchsorted(total.cumsum(), total.sum() / 2)])
        return tuple(dict.fromkeys((middle, int(turns[-1]))))

    @cached_property
    def _quantities(self) -> list[Quantity]:
        """Draws of the cumulative incidence."""
        last = self.counts.shape[1]
        seen = [int(np.flatnonzero(at_risk(each))[-1]) + 1 for each in self.counts]
        curves = [self._incidence(s) for s in range(len(self.systems))]
        out = []
        for turn in self._within():
            if turn > last:
                raise TrialDataError(
                    f"No session was seen for {turn} turns; the longest has {last}. Ask for fewer."
                )
            values = np.stack([curve[:, turn - 1] for curve in curves], axis=1)
            known = tuple("yes" if turn <= most else "model" for most in seen)
            name = f"escalated_within_{turn}"
            out.append(Quantity(name, values, self.systems, "population", known))
        return out

    def summary(self, *, prob: float = 0.95) -> pd.DataFrame:
        """Give the chance that a session is escalated within some turns, in the one schema.

        Parameters
        ----------
        prob : float in (0, 1), default 0.95
            Mass of the equal-tailed intervals.

        Returns
        -------
        pandas.DataFrame
            Estimands ``escalated_within_t``, by system. ``identified`` is "model" beyond the
            longest session of a system.

        Examples
        --------
        >>> from reliability_stats.instruments import SessionHazard
        >>> table = {"turns": [1, 2, 2], "end": ["escalated", "finished", "cut off"]}
        >>> SessionHazard(within=2).fit(table, system=None).summary()["estimand"].tolist()
        ['escalated_within_2']
        """
        return summarise(self._quantities, prob)

    def draws(self, estimand: str) -> xr.DataArray:
        """Give posterior draws of an estimand of the summary.

        Parameters
        ----------
        estimand : str
            Its name, such as "escalated_within_5".

        Returns
        -------
        xarray.DataArray
            Dims chain, draw, system.

        Examples
        --------
        >>> from reliability_stats.instruments import SessionHazard
        >>> table = {"turns": [1, 2, 2], "end": ["escalated", "finished", "cut off"]}
        >>> SessionHazard().fit(table, system=None).draws("escalated_within_2").dims
        ('chain', 'draw', 'system')
        """
        return array_of(self._quantities, estimand)

    def hazards(self, *, prob: float = 0.95) -> pd.DataFrame:
        """Give the hazard of escalation and its cumulative incidence, turn by turn.

        Parameters
        ----------
        prob : float in (0, 1), default 0.95
            Mass of the equal-tailed intervals.

        Returns
        -------
        pandas.DataFrame
            One row for each system and turn: system, turn, at_risk, escalated, finished, cut_off;
            mean, sd, lower, upper, prob of the hazard; incidence, incidence_lower, incidence_upper.

        Examples
        --------
        >>> from reliability_stats.instruments import SessionHazard
        >>> table = {"turns": [1, 2, 2], "end": ["escalated", "finished", "cut off"]}
        >>> len(SessionHazard().fit(table, system=None).hazards())
        2
        """
        import pandas as pd

        prob = check_prob(prob)
        frames = []
        for s, name in enumerate(self.systems):
            risk = at_risk(self.counts[s])
            last = int(np.flatnonzero(risk)[-1]) + 1
            table: dict[str, Any] = {"system": name, "turn": np.arange(1, last + 1)}
            table["at_risk"] = risk[:last]
            for k, word in enumerate(("escalated", "finished", "cut_off")):
                table[word] = self.counts[s, :last, k]
            table |= interval_columns(self.escalated[s][:, :last], prob)
            curve = interval_columns(self._incidence(s)[:, :last], prob)
            table |= {"incidence": curve["mean"], "incidence_lower": curve["lower"]}
            table["incidence_upper"] = curve["upper"]
            frames.append(pd.DataFrame(table))
        return pd.concat(frames, ignore_index=True)

    def __repr__(self) -> str:
        """Give the data and the answer for the first systems."""
        sessions = int(self.counts.sum())
        lines = [
            (
                f"SessionHazardPosterior of {plural(len(self.systems), 'system')}, "
                f"{plural(sessions, 'session')} of up to {plural(self.counts.shape[1], 'turn')}; "
                f"{int(self.counts[:, :, 0].sum())} escalated, "
                f"{int(self.counts[:, :, 2].sum())} cut off"
            )
        ]
        table = self.summary()
        for _, row in table.head(6).iterrows():
            lines.append(
                f"  {row['system']}: {row['estimand']} {row['mean']:.3f} "
                f"[{row['lower']:.3f}, {row['upper']:.3f}]"
            )
        if len(table) > 6:
            lines.append(f"  and {len(table) - 6} more")
        return "\n".join([*lines, "  .summary(), .hazards(), .draws(estimand)"])

    def _repr_html_(self) -> str:
        """Give the same for notebooks, escaped."""
        return f"<pre>{escape(repr(self))}</pre>"
