"""Incidents of failure classes, by system and exposure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from .._counts import listed, plural
from .._numerics import FloatArray, IntArray
from .._validation import check_positive, suggest
from ..exceptions import ArgumentError, TrialDataError
from ._table import Column, Label, Number, Table, Time, count, read_table

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False, repr=False)
class Incidents:
    """Numbers of incidents of each failure class and system; made by the two functions below.

    Attributes
    ----------
    systems, classes : tuple of str
        Labels.
    system, failure_class, incidents : (cells,) ndarray of int
        Positions of each cell, sorted, and its incidents, 0 or more.
    exposure : (cells,) ndarray, or None
        Runs, hours, kilometres ... in which they happened; None if not known. Rates cannot be told
        then.
    seen_only : bool
        Whether classes are listed because they occurred, so that those that did not are missing.
    unit : str
        What exposure counts.
    table : Table
        What was read.
    """

    systems: tuple[str, ...]
    classes: tuple[str, ...]
    system: IntArray
    failure_class: IntArray
    incidents: IntArray
    exposure: FloatArray | None
    seen_only: bool
    unit: str
    table: Table

    @classmethod
    def from_events(
        cls,
        data: Any,
        *,
        failure_class: str = "failure_class",
        system: str | None = None,
        time: str | None = None,
        severity: str | None = None,
        levels: Sequence[str] | None = None,
        exposure: float | Mapping[str, float] | None = None,
        classes: Sequence[str] | None = None,
        unit: str = "run",
        missing: str = "raise",
    ) -> Incidents:
        """Read a table with one row an incident.

        Parameters
        ----------
        data : frame or mapping
            Any frame that Narwhals supports, or a mapping of columns.
        failure_class, system, time, severity : str
            Names of columns; the last three may be None.
        levels : sequence of str, optional
            All severities, from the least to the worst.
        exposure : float > 0 or mapping of system to float, optional
            In how many runs, hours ... the incidents happened. Systems without incidents may be
            named here.
        classes : sequence of str, optional
            All classes that were watched for, seen or not. Without it, classes are taken as listed
            because they occurred.
        unit : str, default "run"
            What exposure counts.
        missing : {"raise", "drop"}
            What becomes of incidents without a class or a system.

        Returns
        -------
        Incidents

        Raises
        ------
        TrialDataError
            If a value is missing or not allowed; the first such row is named.
        ArgumentError
            If an argument is not allowed.

        Examples
        --------
        >>> from reliability_stats.instruments import Incidents
        >>> events = {"failure_class": ["tool call", "tool call", "planning"]}
        >>> Incidents.from_events(events, exposure=1200)
        Incidents: 3 incidents of 2 failure classes
          1 system, exposure 1200 runs
          classes are listed because they occurred
        """
        if missing not in ("raise", "drop"):
            raise ArgumentError(f"missing must be 'raise' or 'drop', not {missing!r}.")
        how: Any = missing
        columns = {"system": system, "failure_class": failure_class}
        columns |= {"severity": severity, "time": time}
        known = None if levels is None else tuple(levels)
        names = None if classes is None else _distinct(classes, "classes")
        needs: dict[str, Column] = {
            "system": Label(missing=how),
            "failure_class": Label(missing=how, levels=names),
            "severity": Label(levels=known),
            "time": Time(),
        }
        table = read_table(
            data,
            columns,
            needs,
            what="incident",
            optional=("system", "severity", "time"),
            allow_empty=names is not None,
        )
        systems, totals = _exposures(table, exposure)
        listed_classes = table.labels["failure_class"]
        place = np.zeros(len(table), dtype=np.int64)
        if "system" in table:
            at = [systems.index(name) for name in table.labels["system"]]
            place = np.array(at, dtype=np.int64)[table["system"]]
        shape = (len(systems), len(listed_classes))
        cells = np.bincount(
            place * shape[1] + table["failure_class"], minlength=shape[0] * shape[1]
        )
        s, c = np.divmod(np.arange(len(cells)), shape[1])
        e = None if totals is None else totals[s]
        return cls(systems, listed_classes, s, c, cells, e, names is None, _unit(unit), table)

    @classmethod
    def from_counts(
        cls,
        data: Any,
        *,
        failure_class: str | None = "failure_class",
        incidents: str = "incidents",
        exposure: str | None = "exposure",
        system: str | None = None,
        unit: str = "run",
        seen_only: bool = False,
    ) -> Incidents:
        """Read a table with one row a failure class (of a system): its incidents and exposure.

        Parameters
        ----------
        data : frame or mapping
            Any frame that Narwhals supports, or a mapping of columns.
        failure_class, incidents, exposure, system : str or None
            Names of columns. Without a class column all incidents are of one class; without an
            exposure column rates cannot be told.
        unit : str, default "run"
            What exposure counts.
        seen_only : bool, default False
            Whether classes are in the table because they occurred.

        Returns
        -------
        Incidents

        Raises
        ------
        TrialDataError
            If a value is missing or not allowed, or a class occurs twice.

        Examples
        --------
        >>> from reliability_stats.instruments import Incidents
        >>> table = {"failure_class": ["tool", "plan"], "incidents": [7, 0], "exposure": 1200}
        >>> Incidents.from_counts(table).to_frame()
           system failure_class  incidents  exposure
        0  system          tool          7    1200.0
        1  system          plan          0    1200.0
        """
        columns = {"system": system, "failure_class": failure_class}
        columns |= {"incidents": incidents, "exposure": exposure}
        needs: dict[str, Column] = {
            "system": Label(),
            "failure_class": Label(),
            "incidents": count(),
            "exposure": Number(low=0, above=True),
        }
        optional = ("system", "failure_class", "exposure")
        table = read_table(data, columns, needs, what="row", optional=optional)
        none = np.zeros(len(table), dtype=np.int64)
        keys = [role for role in ("system", "failure_class") if role in table]
        if not keys and len(table) > 1:
            raise TrialDataError(
                f"Without a column of classes or systems, one row is allowed, not {len(table)}. "
                "Name one with failure_class=... or system=..."
            )
        if keys:
            table.refuse_repeats(*keys)
        order = np.arange(len(table))
        if "system" in table:
            order = np.argsort(table["system"], kind="stable")
        return cls(
            table.labels.get("system", ("system",)),
            table.labels.get("failure_class", ("any",)),
            table.values.get("system", none)[order],
            table.values.get("failure_class", none)[order],
            table["incidents"][order],
            table["exposure"][order] if "exposure" in table else None,
            bool(seen_only),
            _unit(unit),
            table,
        )

    def to_frame(self) -> pd.DataFrame:
        """Give system, failure_class, incidents and, where it is known, exposure of each cell.

        Returns
        -------
        pandas.DataFrame
        """
        import pandas as pd

        data: dict[str, Any] = {
            "system": [self.systems[i] for i in self.system],
            "failure_class": [self.classes[i] for i in self.failure_class],
            "incidents": self.incidents,
        }
        if self.exposure is not None:
            data["exposure"] = self.exposure
        return pd.DataFrame(data)

    def describe_exposure(self) -> str:
        """Say how much exposure there was."""
        if self.exposure is None:
            return "exposure not known, so that rates are not identified"
        low, high = self.exposure.min(), self.exposure.max()
        size = f"{low:.10g}" if low == high else f"{low:.10g} to {high:.10g}"
        return f"exposure {size} {self.unit}{'' if high == 1 else 's'}"

    def __repr__(self) -> str:
        """Give the sizes, the exposure, and how the classes came to be listed."""
        total = int(self.incidents.sum())
        number = len(self.classes)
        kinds = f"{number} failure class{'' if number == 1 else 'es'}"
        how = (
            "classes are listed because they occurred"
            if self.seen_only
            else "classes were listed beforehand"
        )
        return (
            f"Incidents: {plural(total, 'incident')} of {kinds}\n"
            f"  {plural(len(self.systems), 'system')}, {self.describe_exposure()}\n  {how}"
        )


def _unit(unit: object) -> str:
    """Give the unit of exposure, a word."""
    if not isinstance(unit, str) or not unit.strip():
        raise ArgumentError(f"unit must be a word such as 'run' or 'hour', not {unit!r}.")
    return unit


def _distinct(names: Sequence[str], role: str) -> tuple[str, ...]:
    """Give a list of names that differ."""
    if isinstance(names, (str, bytes)) or not all(isinstance(name, str) for name in names):
        raise ArgumentError(f"{role} must be a list of names, not {names!r}.")
    out = tuple(names)
    if not out or len(set(out)) < len(out):
        raise ArgumentError(f"{role} must be a list of names that differ, at least one: {names!r}.")
    return out


def _exposures(
    table: Table, exposure: float | Mapping[str, float] | None
) -> tuple[tuple[str, ...], FloatArray | None]:
    """Give the systems, and the exposure of each where it is known."""
    seen = table.labels.get("system", ("system",))
    if not isinstance(exposure, Mapping):
        if exposure is None:
            return seen, None
        value = check_positive(exposure, "exposure")
        if len(seen) > 1:
            raise ArgumentError(
                f"exposure={exposure!r} is one number, but there are {len(seen)} systems "
                f"({listed(seen)}). Give a mapping of each system to its own."
            )
        return seen, np.array([value])
    given = {str(name): check_positive(x, f"exposure[{name!r}]") for name, x in exposure.items()}
    lacking = next((name for name in seen if name not in given), None)
    if lacking is not None:
        raise ArgumentError(
            f"exposure has no entry for system {lacking!r}{suggest(lacking, given)}; it has "
            f"{listed(tuple(given)) or 'none'}."
        )
    if "system" not in table:
        seen = ()
        if len(given) != 1:
            raise ArgumentError("exposure names several systems; name their column with system=...")
    systems = (*seen, *(name for name in given if name not in seen))
    return systems, np.array([given[name] for name in systems])
