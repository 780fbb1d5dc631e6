"""What the fit of postmortems says: modes, contrasts, contributions, agreement."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from html import escape
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import special

from .._counts import plural
from .._numerics import FloatArray, IntArray
from .._validation import check_k, check_prob, suggest
from ..estimands import PassHatK
from ..exceptions import ArgumentError
from ._agreement import agreement_rows
from ._drawn import CHAINS, Quantity, array_of, ends, interval_columns, summarise
from ._labels import Labelled

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

    from .postmortems import Postmortem


@dataclass(frozen=True, eq=False, repr=False)
class PostmortemPosterior:
    """Posterior of a `Postmortem`; made by its `fit`.

    Attributes
    ----------
    spec : Postmortem
        What was fitted.
    labelled : Labelled
        Labels; an implementation detail.
    shares : (draws, systems, categories) ndarray
        Draws of the shares of categories, which are sets of modes.
    rho : ndarray or None
        Draws of the correlation within systems or tasks, if pooled.
    """

    spec: Postmortem
    labelled: Labelled
    shares: FloatArray
    rho: FloatArray | None

    @property
    def systems(self) -> tuple[str, ...]:
        """Labels of the systems."""
        return self.labelled.systems

    @property
    def mode_names(self) -> tuple[str, ...]:
        """Labels of the modes."""
        return self.labelled.modes

    def involved(self) -> FloatArray:
        """Give draws of the share of failures in which each mode occurs, (draws, systems, modes).

        Returns
        -------
        ndarray
        """
        return np.asarray(self.shares @ self.labelled.categories.astype(float))

    def sole(self) -> FloatArray:
        """Give draws of the share of failures with one mode alone, (draws, systems, modes).

        Returns
        -------
        ndarray
        """
        return self.shares[:, :, : len(self.mode_names)]

    @cached_property
    def _quantities(self) -> list[Quantity]:
        """Draws of the shares of modes."""
        involved, sole = self.involved(), self.sole()
        several = len(self.labelled.categories) > len(self.mode_names)
        out = []
        for m, name in enumerate(self.mode_names):
            out.append(Quantity(f"involved:{name}", involved[:, :, m], self.systems, "population"))
            if several:
                out.append(Quantity(f"sole:{name}", sole[:, :, m], self.systems, "population"))
        return out

    def summary(self, *, prob: float = 0.95) -> pd.DataFrame:
        """Give the shares of modes in the package's one schema.

        Parameters
        ----------
        prob : float in (0, 1), default 0.95
            Mass of the equal-tailed intervals.

        Returns
        -------
        pandas.DataFrame
            Estimands ``involved:mode`` and, where failures have several modes, ``sole:mode``, by
            system, over failures like these. With pooling, ess_bulk and r_hat are given.

        Examples
        --------
        >>> from reliability_stats.instruments import Postmortem
        >>> table = {"failure": [1, 2, 3], "mode": ["tool", "tool", "plan"]}
        >>> Postmortem().fit(table, system=None).summary()["estimand"].tolist()
        ['involved:plan', 'involved:tool']
        """
        return summarise(self._quantities, prob, chains=self.rho is not None)

    def draws(self, estimand: str) -> xr.DataArray:
        """Give posterior draws of an estimand of the summary.

        Parameters
        ----------
        estimand : str
            Its name, such as "involved:tool".

        Returns
        -------
        xarray.DataArray
            Dims chain, draw, system.

        Examples
        --------
        >>> from reliability_stats.instruments import Postmortem
        >>> table = {"failure": [1, 2, 3], "mode": ["tool", "tool", "plan"]}
        >>> Postmortem().fit(table, system=None).draws("involved:tool").shape
        (4, 1000, 1)
        """
        return array_of(self._quantities, estimand)

    def modes(self, *, prob: float = 0.95) -> pd.DataFrame:
        """Give every mode of every system.

        Parameters
        ----------
        prob : float in (0, 1), default 0.95
            Mass of the equal-tailed intervals.

        Returns
        -------
        pandas.DataFrame
            One row for each system and mode: system, mode, failures (in which any annotator saw
            it), involved, involved_lower, involved_upper, sole, sole_lower, sole_upper, p_first
            (probability that it is involved most often), prob.

        Examples
        --------
        >>> from reliability_stats.instruments import Postmortem
        >>> table = {"failure": [1, 2, 3], "mode": ["tool", "tool", "plan"]}
        >>> Postmortem().fit(table, system=None).modes()["failures"].tolist()
        [1, 2]
        """
        import pandas as pd

        prob = check_prob(prob)
        involved, sole = self.involved(), self.sole()
        seen = self._seen()
        frames = []
        for s, name in enumerate(self.systems):
            table: dict[str, Any] = {"system": name, "mode": list(self.mode_names)}
            table["failures"] = seen[s]
            for word, values in (("involved", involved[:, s]), ("sole", sole[:, s])):
                low, high = ends(values, prob)
                table |= {word: values.mean(axis=0), f"{word}_lower": low, f"{word}_upper": high}
            top = np.bincount(involved[:, s].argmax(axis=1), minlength=len(self.mode_names))
            frames.append(pd.DataFrame(table | {"p_first": top / len(involved), "prob": prob}))
        return pd.concat(frames, ignore_index=True)

    def _seen(self) -> IntArray:
        """Count failures by system and mode."""
        labelled = self.labelled
        given = np.logical_or.reduceat(labelled.categories[labelled.category], labelled.first)
        out = np.zeros((len(self.systems), len(self.mode_names)), dtype=np.int64)
        np.add.at(out, labelled.system, given)
        return out

    def _positions(self, modes: str | Iterable[str]) -> list[int]:
        """Give the positions of modes."""
        names = [modes] if isinstance(modes, str) else list(modes)
        for name in names:
            if name not in self.mode_names:
                raise ArgumentError(
                    f"There is no mode {name!r}{suggest(name, self.mode_names)}; the modes are "
                    f"{', '.join(map(repr, self.mode_names[:20]))}."
                )
        if not names:
            raise ArgumentError("modes is empty; name at least one.")
        return [self.mode_names.index(name) for name in names]

    def contrast(self, modes: str | Iterable[str], *, prob: float = 0.95) -> pd.DataFrame:
        """Compare systems by the share of failures in which any of some modes occurs.

        Parameters
        ----------
        modes : str or list of str
            Modes that belong together, such as all that have to do with brittle tool use.
        prob : float in (0, 1), default 0.95
            Mass of the equal-tailed intervals.

        Returns
        -------
        pandas.DataFrame
            One row a pair of systems: first, second, first_share, second_share (means), mean, sd,
            lower, upper, prob of the difference first minus second, and p_higher. With one system,
            one row with its share, and no second.

        Raises
        ------
        ArgumentError
            If a mode is unknown.

        Examples
        --------
        >>> from reliability_stats.instruments import Postmortem
        >>> table = {"system": list("aabb"), "failure": [1, 2, 1, 2]}
        >>> table["mode"] = ["tool", "tool", "plan", "tool"]
        >>> Postmortem().fit(table).contrast("tool")[["first", "second", "p_higher"]].round(1)
          first second  p_higher
        0     a      b       0.9
        """
        import pandas as pd

        prob = check_prob(prob)
        with_any = self.labelled.categories[:, self._positions(modes)].any(axis=1)
        values = self.shares[:, :, with_any].sum(axis=2)
        rows: list[dict[str, Any]] = []
        count = len(self.systems)
        pairs: list[tuple[int, int | None]] = list(combinations(range(count), 2))
        pairs = pairs or [(0, None)]
        for i, j in pairs:
            rest = 0.0 if j is None else values[:, j]
            column = interval_columns((values[:, i] - rest)[:, None], prob)
            row: dict[str, Any] = {"first": self.systems[i]}
            row["second"] = "" if j is None else self.systems[j]
            row["first_share"] = float(values[:, i].mean())
            row["second_share"] = np.nan if j is None else float(values[:, j].mean())
            row |= {name: np.ravel(value)[0] for name, value in column.items()}
            rows.append(row | {"p_higher": float((values[:, i] > rest).mean())})
        return pd.DataFrame(rows)

    def contributions(self, posterior: Any, *, k: int = 1, prob: float = 0.95) -> pd.DataFrame:
        """Say what share of the lost pass^k would come back if a mode of failure vanished.

        Parameters
        ----------
        posterior : Posterior
            Of trials of the same systems, as `rs.fit` gives it.
        k : int >= 1, default 1
            Number of trials that must all succeed.
        prob : float in (0, 1), default 0.95
            Mass of the equal-tailed intervals.

        Returns
        -------
        pandas.DataFrame
            One row for each system and mode: system, mode, k, pass_hat_k (mean), if_vanished (mean
            of pass^k without the mode), recovered (mean share of 1 - pass^k that comes back), sd,
            lower, upper, prob of that share.

        Raises
        ------
        ArgumentError
            If the posterior has none of a system.

        Notes
        -----
        Three assumptions. Competing causes: a failure whose only mode vanishes becomes a success,
        one that has another mode too stays a failure, and nothing else takes the place of the mode.
        Composition: failures of every task have the same shares of modes. Independence: of labels
        and rates. With s the sole share of the mode, p becomes p + (1 - p) s, so that pass^k
        becomes the sum over j of C(k, j) s^(k - j) (1 - s)^j E[p^j].

        Examples
        --------
        >>> import reliability_stats as rs
        >>> from reliability_stats.instruments import Postmortem
        >>> table = {"failure": [1, 2, 3], "mode": ["tool", "tool", "plan"]}
        >>> labels = Postmortem().fit(table, system=None)
        >>> trials = rs.Trials.from_array([[1, 0, 1], [1, 1, 0]])
        >>> found = labels.contributions(rs.fit(trials), k=2)
        >>> (found["if_vanished"] > found["pass_hat_k"]).tolist()
        [True, True]
        """
        import pandas as pd

        k, prob = check_k(k), check_prob(prob)
        missing = [name for name in self.systems if name not in posterior.systems]
        if missing:
            raise ArgumentError(
                f"The posterior has no system {missing[0]!r}; it has "
                f"{', '.join(map(repr, posterior.systems[:20]))}."
            )
        size = len(self.shares)
        drawn = posterior.draws(
            [PassHatK(j) for j in range(1, k + 1)], chains=CHAINS, draws=size // CHAINS
        )
        rng = np.random.default_rng(0)
        frames = []
        for s, name in enumerate(self.systems):
            u = list(posterior.systems).index(name)
            moments = [np.ones(size)]
            moments += [drawn[f"pass^{j}"].values.reshape(size, -1)[:, u] for j in range(1, k + 1)]
            share = self.sole()[rng.permutation(size), s]
            better = np.zeros_like(share)
            for j, moment in enumerate(moments):
                weight = special.binom(k, j) * share ** (k - j) * (1.0 - share) ** j
                better += weight * moment[:, None]
            lost = np.maximum(1.0 - moments[k], 1e-300)[:, None]
            part = (better - moments[k][:, None]) / lost
            columns = interval_columns(part, prob)
            columns["recovered"] = columns.pop("mean")
            table: dict[str, Any] = {"system": name, "mode": list(self.mode_names), "k": k}
            table |= {"pass_hat_k": moments[k].mean(), "if_vanished": better.mean(axis=0)}
            frames.append(pd.DataFrame(table | columns))
        order = ["system", "mode", "k", "pass_hat_k", "if_vanished", "recovered", "sd"]
        return pd.concat(frames, ignore_index=True)[[*order, "lower", "upper", "prob"]]

    def agreement(self, *, prob: float = 0.95, rng: Any = 0) -> pd.DataFrame:
        """Say how far annotators agree.

        Parameters
        ----------
        prob : float in (0, 1), default 0.95
            Nominal coverage.
        rng : int, default 0
            Seed of the resampling of failures.

        Returns
        -------
        pandas.DataFrame
            One row for the whole sets of modes, "(all modes)", and one for each mode, present or
            not: mode, failures, annotators (of each failure), all_agree (share), kappa (Fleiss, by
            statsmodels), lower, upper (percentile bootstrap over failures), prob, left_out
            (failures with another number of annotators). No rows if most failures have one
            annotator.

        References
        ----------
        Fleiss (1971), Measuring nominal scale agreement among many raters,
        https://doi.org/10.1037/h0031619

        Examples
        --------
        >>> from reliability_stats.instruments import Postmortem
        >>> table = {"failure": [1, 1, 2, 2], "by": list("xyxy"), "mode": ["t", "t", "p", "p"]}
        >>> Postmortem().fit(table, system=None, annotator="by").agreement()["kappa"].tolist()
        [1.0, 1.0, 1.0]
        """
        import pandas as pd

        rows = agreement_rows(self.labelled, prob, np.random.default_rng(rng))
        columns = ["mode", "failures", "annotators", "all_agree", "kappa", "lower", "upper"]
        return pd.DataFrame(rows, columns=[*columns, "prob", "left_out"])

    def __repr__(self) -> str:
        """Give the spec, the data and the answer for the first systems."""
        labelled = self.labelled
        head = [
            plural(len(self.systems), "system"),
            plural(len(labelled.system), "failure"),
            plural(len(self.mode_names), "mode"),
        ]
        doubtful = int(labelled.uncertain.sum())
        head += [f"{plural(doubtful, 'failure')} with differing labels"] if doubtful else []
        lines = [f"PostmortemPosterior of {self.spec!r}", f"  {', '.join(head)}"]
        table = self.modes()
        for name in self.systems[:6]:
            part = table[table["system"] == name]
            row = part.iloc[int(part["involved"].argmax())]
            lines.append(
                f"  {name}: most often {row['mode']}, in {100 * row['involved']:.0f}% of failures "
                f"[{100 * row['involved_lower']:.0f}%, {100 * row['involved_upper']:.0f}%]"
            )
        if len(self.systems) > 6:
            lines.append(f"  and {len(self.systems) - 6} more")
        asked = ".summary(), .modes(), .contrast(modes), .contributions(posterior), .agreement()"
        return "\n".join([*lines, f"  {asked}"])

    def _repr_html_(self) -> str:
        """Give the same for notebooks, escaped."""
        return f"<pre>{escape(repr(self))}</pre>"
