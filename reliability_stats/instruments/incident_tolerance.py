"""How many incidents an institution tolerates in some exposure, of all or of the worst kinds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import special

from .._numerics import FloatArray
from .._validation import check_positive, check_prob, suggest
from ..exceptions import ArgumentError, ModelError
from .incident_posterior import IncidentPosterior
from .tolerance import ToleranceCheck, check_assurance

if TYPE_CHECKING:
    import pandas as pd

MOST = 1e4
"""Largest multiple of the exposure so far that further exposure is looked for."""


@dataclass(frozen=True)
class IncidentTolerance:
    """At most so many incidents in an exposure, with the assurance that is asked for.

    Parameters
    ----------
    at_most : float > 0
        Expected incidents that can be borne ...
    per : float > 0, default 1
        ... in this exposure.
    failure_class : str, optional
        Of one class; of all together if left out.
    severity : str, optional
        Only incidents at least as severe; needs `Incidents` read with severities and their levels.
    assurance : float in (0.5, 1), default 0.95
        Posterior probability from which the limit counts as met (or as not met).

    Notes
    -----
    The rate of one class is that of the fit, pooled or not. For all classes together, and for the
    severe, Jeffreys' prior is used: the rate is Gamma(y + 1/2, exposure). `further` predicts with
    that prior for one class too.

    Examples
    --------
    >>> from reliability_stats.instruments import IncidentRates, Incidents, IncidentTolerance
    >>> table = {"failure_class": ["tool", "plan"], "incidents": [1, 0], "exposure": 1200}
    >>> post = IncidentRates().fit(Incidents.from_counts(table))
    >>> IncidentTolerance(at_most=5, per=1000).check(post)
    ToleranceCheck: at most 5 incidents in 1000 runs with assurance 0.95
      system: met, P(kept) = 0.9926
    """

    at_most: float
    per: float = 1.0
    failure_class: str | None = None
    severity: str | None = None
    assurance: float = 0.95

    def __post_init__(self) -> None:
        """Check the fields."""
        object.__setattr__(self, "at_most", check_positive(self.at_most, "at_most"))
        object.__setattr__(self, "per", check_positive(self.per, "per"))
        object.__setattr__(self, "assurance", check_assurance(self.assurance))
        if self.failure_class is not None and self.severity is not None:
            raise ArgumentError("Give failure_class or severity, not both.")

    @property
    def limit(self) -> float:
        """Largest rate per unit of exposure."""
        return self.at_most / self.per

    def _rule(self, unit: str) -> str:
        """Write the limit in words, with the unit of exposure."""
        what = "incidents"
        if self.failure_class is not None:
            what = f"incidents of class {self.failure_class!r}"
        if self.severity is not None:
            what = f"incidents of severity {self.severity!r} or worse"
        plural = "" if self.per == 1 else "s"
        return (
            f"at most {self.at_most:g} {what} in {self.per:g} {unit}{plural} with assurance "
            f"{self.assurance:g}"
        )

    @property
    def rule(self) -> str:
        """The limit in words."""
        return self._rule("unit of exposure" if self.per == 1 else "unit")

    def check(self, post: IncidentPosterior) -> ToleranceCheck:
        """Say whether each system keeps the limit.

        Parameters
        ----------
        post : IncidentPosterior
            From `IncidentRates().fit`.

        Returns
        -------
        ToleranceCheck
            Its table has two more columns: incidents and exposure.

        Raises
        ------
        ArgumentError
            If there is no such class or severity.
        ModelError
            If classes taken together have different exposures.
        """
        _refuse_others(post)
        p, counts, exposure = [], [], []
        for s in range(len(post.fits)):
            cell = self._cell(post, s)
            y, e = self._count(post, s, cell)
            counts.append(y)
            exposure.append(e)
            p.append(self._kept(post, s, cell, y, e, 0.0))
        seen = ["yes" if y else "model" for y in counts]
        named = _Named(self, self._rule(post.incidents.unit))
        more: dict[str, Any] = {"incidents": counts, "exposure": exposure}
        size = np.zeros(len(p))
        return ToleranceCheck.of(named, post.incidents.systems, np.array(p), size, seen, **more)

    def further(self, post: IncidentPosterior, *, power: float = 0.8) -> pd.DataFrame:
        """Say how much further exposure would settle whether the limit is kept.

        Parameters
        ----------
        post : IncidentPosterior
            From `IncidentRates().fit`.
        power : float in (0, 1), default 0.8
            Chance of a verdict (met or not met) that is aimed at, by the posterior now.

        Returns
        -------
        pandas.DataFrame
            One row a system: system, without_incidents (further exposure after which the limit is
            met if nothing more happens; 0 if it is met already), to_settle (further exposure after
            which there is a verdict with probability `power`; infinite if none up to 10 000 times
            the exposure so far will do), power.

        Raises
        ------
        ArgumentError
            As `check`.

        Examples
        --------
        >>> from reliability_stats.instruments import IncidentRates, Incidents, IncidentTolerance
        >>> table = {"incidents": [0], "exposure": [100]}
        >>> nothing = Incidents.from_counts(table, failure_class=None)
        >>> post = IncidentRates(pooling="none").fit(nothing)
        >>> IncidentTolerance(at_most=0.01).further(post)["without_incidents"].round(1)
        0    92.1
        Name: without_incidents, dtype: float64
        """
        import pandas as pd

        _refuse_others(post)
        power = check_prob(power, "power")
        rows = []
        for s, name in enumerate(post.incidents.systems):
            cell = self._cell(post, s)
            y, e = self._count(post, s, cell)

            def quiet(x: float, s: int = s, cell: Any = cell, y: int = y, e: float = e) -> bool:
                return self._kept(post, s, cell, y, e, x) >= self.assurance

            def likely(x: float, y: int = y, e: float = e) -> bool:
                return self._settled(y, e, x) >= power

            rows.append(
                {
                    "system": name,
                    "without_incidents": _smallest(quiet, e),
                    "to_settle": _smallest(likely, e),
                    "power": power,
                }
            )
        return pd.DataFrame(rows)

    def _cell(self, post: IncidentPosterior, s: int) -> int | None:
        """Give the row of the class among those of a system, None for all together."""
        data = post.incidents
        if self.failure_class is None:
            return None
        if self.failure_class not in data.classes:
            raise ArgumentError(
                f"There is no failure class {self.failure_class!r}"
                f"{suggest(self.failure_class, data.classes)}."
            )
        place = data.classes.index(self.failure_class)
        found = np.flatnonzero(data.failure_class[post.fits[s].rows] == place)
        if not found.size:
            raise ArgumentError(
                f"System {data.systems[s]!r} has no row of failure class {self.failure_class!r}."
            )
        return int(found[0])

    def _count(self, post: IncidentPosterior, s: int, cell: int | None) -> tuple[int, float]:
        """Give the incidents that the limit is about, and their exposure."""
        data = post.incidents
        if cell is not None:
            row = post.fits[s].rows[cell]
            return int(data.incidents[row]), float(np.asarray(data.exposure)[row])
        counts, exposure = post._totals()
        if self.severity is None:
            return int(counts[s]), float(exposure[s])
        if "severity" not in data.table:
            raise ModelError(
                "The incidents were read without severities; use Incidents.from_events("
                "..., severity=..., levels=[least, ..., worst])."
            )
        levels = data.table.labels["severity"]
        if self.severity not in levels:
            raise ArgumentError(
                f"severity must be one of {', '.join(map(repr, levels))}, not {self.severity!r}"
                f"{suggest(self.severity, levels)}."
            )
        severe = data.table["severity"] >= levels.index(self.severity)
        if "system" in data.table:
            severe &= data.table.named("system") == data.systems[s]
        return int(severe.sum()), float(exposure[s])

    def _kept(
        self, post: IncidentPosterior, s: int, cell: int | None, y: int, e: float, more: float
    ) -> float:
        """Give P(limit kept) after further exposure without incidents."""
        if cell is None:
            return float(special.gammainc(y + 0.5, (e + more) * self.limit))
        mixture = post.fits[s].mixture
        shape, rate = mixture.shape[cell], mixture.rate[cell]
        # Nothing more in `more` reweights the nodes by the chance of that.
        weight = mixture.weight * np.exp(-shape * np.log1p(more / rate))
        below = special.gammainc(shape, (rate + more) * self.limit)
        return float(below @ weight / weight.sum())

    def _settled(self, y: int, e: float, x: float) -> float:
        """Give the chance of a verdict after further exposure, under Gamma(y + 1/2, e)."""
        shape = y + 0.5
        mean, sd = shape * x / e, np.sqrt(shape * x / e * (1 + x / e))
        top = int(mean + 12 * sd + 30)
        if top > 2_000_000:
            return float("nan")
        j = np.arange(top + 1)
        log_p = (
            special.gammaln(shape + j)
            - special.gammaln(shape)
            - special.gammaln(j + 1.0)
            + shape * np.log(e / (e + x))
            + j * np.log(x / (e + x))
        )
        kept: FloatArray = special.gammainc(shape + j, (e + x) * self.limit)
        done = (kept >= self.assurance) | (kept <= 1 - self.assurance)
        return float(np.exp(log_p) @ done)


@dataclass(frozen=True)
class _Named:
    """A tolerance with its limit in words."""

    tolerance: IncidentTolerance
    rule: str

    @property
    def assurance(self) -> float:
        """As the tolerance has it."""
        return self.tolerance.assurance


def _refuse_others(post: object) -> None:
    """Refuse what is no posterior of incident rates."""
    if not isinstance(post, IncidentPosterior):
        raise ArgumentError(
            f"An incident tolerance is checked against an IncidentPosterior, not "
            f"{type(post).__name__}; make one with IncidentRates().fit(incidents)."
        )


def _smallest(enough: Any, scale: float) -> float:
    """Give the smallest further exposure that is enough, to 6 digits; infinite if none is."""
    if enough(1e-12 * scale):
        return 0.0
    low, high = 0.0, scale / 16
    while not enough(high):
        low, high = high, 2 * high
        if high > MOST * scale:
            return float("inf")
    while high - low > 1e-6 * high:
        middle = (low + high) / 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high
