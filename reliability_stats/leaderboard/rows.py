"""Rows of a table of published figures, checked one by one."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import narwhals as nw
import numpy as np

from .._cells import label_of, plain
from .._intake import as_frame
from .._validation import suggest
from ..exceptions import TrialDataError
from .figures import METRICS, Figure, read_metric, read_value

NEEDED = ("system", "benchmark", "metric", "value")
MAX_DECIMALS = 30


def read_columns(
    frame: Any, columns: Mapping[str, str], needed: Collection[str]
) -> dict[str, list[Any]]:
    """Read the columns that are there as lists of plain values, by role."""
    table: Any = as_frame(frame)
    there = list(table.collect_schema().names())
    for role in needed:
        name = columns[role]
        if name not in there:
            raise TrialDataError(
                f"There is no column {name!r} for {role}{suggest(name, map(str, there))}. The "
                f"columns are: {', '.join(map(repr, there)) or 'none'}. Name the right one with "
                f"{role}=..."
            )
    chosen = {role: name for role, name in columns.items() if name in there}
    rows: Any = table.select(*(nw.col(name).alias(role) for role, name in chosen.items()))
    if isinstance(rows, nw.LazyFrame):
        rows = rows.collect()
    if not len(rows):
        raise TrialDataError("The table has no rows; at least one figure is needed.")
    return {role: [plain(v) for v in rows[role].to_list()] for role in chosen}


def _absent(value: Any) -> bool:
    """Say whether an entry is empty."""
    if value is None or type(value).__name__ in ("NAType", "NaTType"):
        return True
    return value != value or (isinstance(value, str) and not value.strip())


class Rows:
    """Reads rows, and names them in messages; `columns` are lists by role."""

    def __init__(self, columns: dict[str, list[Any]]) -> None:
        self.columns = columns

    def get(self, row: int, role: str) -> Any:
        """Give an entry, None if empty or if there is no such column."""
        values = self.columns.get(role)
        value = None if values is None else values[row]
        return None if _absent(value) else value

    def name(self, row: int) -> str:
        """Name a row for messages."""
        parts = [f"{r} {label_of(self.get(row, r))!r}" for r in ("system", "benchmark", "metric")]
        return f"row {row} ({', '.join(parts)})"

    def at(self, row: int) -> str:
        """Name a row at the start of a sentence."""
        return f"R{self.name(row)[1:]}, counting rows from 0,"

    def label(self, row: int, role: str) -> str:
        """Read a label that must be there."""
        value = self.get(row, role)
        if value is None:
            raise TrialDataError(
                f"Row {row} (counting from 0) has no {role}. Every figure needs one: fill in the "
                "column or remove the row."
            )
        return label_of(value)

    def settings(self, row: int) -> str | None:
        """Read the settings."""
        value = self.get(row, "settings")
        return None if value is None else label_of(value).strip()

    def whole(self, row: int, role: str, minimum: int) -> int | None:
        """Read an integer, also given as a float or as text."""
        value = self.get(row, role)
        if value is None:
            return None
        try:
            number = float(value)
        except (TypeError, ValueError):
            number = float("nan")
        if isinstance(value, bool) or not (
            number == np.floor(number) and minimum <= number < 2**53
        ):
            raise TrialDataError(
                f"{role} in {self.name(row)}, counting rows from 0, is {value!r}; it must be an "
                f"integer of at least {minimum}, or empty if not stated."
            )
        return int(number)

    def metric(self, row: int) -> tuple[str, int]:
        """Read kind and k."""
        given = self.label(row, "metric")
        read = read_metric(given)
        if read is None:
            raise TrialDataError(
                f"The metric in {self.name(row)}, counting rows from 0, is not known. Allowed are "
                f"{METRICS}. Leave out other figures."
            )
        kind, k = read
        stated = self.whole(row, "k", 1)
        if k is None and stated is None:
            raise TrialDataError(
                f"{self.at(row)} has no k; fill in the column "
                f"k, or write it into the metric, as in {given.replace('k', '4')!r}."
            )
        if k is not None and stated is not None and k != stated:
            raise TrialDataError(
                f"{self.at(row)} has k={stated} in the column "
                f"k, which contradicts the metric (k={k})."
            )
        return kind, k or stated or 1

    def figure(self, row: int) -> Figure:
        """Read one figure."""
        kind, k = self.metric(row)
        given = self.get(row, "value")
        read = read_value(given)
        if read is None or not 0 <= read[0] <= 1:
            percent = read is not None and 1 < read[0] <= 100
            percent |= isinstance(given, str) and given.strip().endswith("%")
            remedy = (
                "It looks like a percentage: divide values by 100, as text or with decimals=... so "
                "that the printed digits are kept (42.0 becomes '0.420')."
                if percent
                else "It must be a fraction from 0 to 1; remove rows without a figure."
            )
            raise TrialDataError(
                f"The value in {self.name(row)}, counting rows from 0, is {given!r}. {remedy}"
            )
        value, digits, from_float = read
        decimals = self.whole(row, "decimals", 0)
        if decimals is not None:
            if digits is None or digits > decimals or decimals > MAX_DECIMALS:
                raise TrialDataError(
                    f"The value in {self.name(row)}, counting rows from 0, is {given!r}, which "
                    f"does not have {decimals} decimals. Give the figure as it was printed."
                )
            digits, from_float = decimals, False
        n_trials = self.whole(row, "n_trials", 1)
        if n_trials is not None and k > n_trials:
            raise TrialDataError(
                f"{self.at(row)} has k={k}, but n_trials="
                f"{n_trials}: {k} trials cannot be taken from fewer."
            )
        return Figure(
            kind,
            k,
            value,
            digits,
            n_tasks=self.whole(row, "n_tasks", 1),
            n_trials=n_trials,
            row=row,
            from_float=from_float,
            **self.error(row),
        )

    def error(self, row: int) -> dict[str, Any]:
        """Read the standard error and the number of runs."""
        given = self.get(row, "se")
        n_runs = self.whole(row, "n_runs", 1)
        if given is None:
            return {"n_runs": n_runs}
        read = read_value(given)
        if read is None or not 0 <= read[0] <= 1:
            raise TrialDataError(
                f"se in {self.name(row)}, counting rows from 0, is {given!r}; it must be a number "
                "from 0 to 1, in the unit of the values, or empty if not stated."
            )
        if n_runs == 1:
            raise TrialDataError(
                f"{self.at(row)} has a standard error over n_runs=1; at least 2 runs are needed. "
                "Leave n_runs empty if the error is over tasks."
            )
        unit = 0.0 if read[1] is None else 10.0 ** -read[1]
        return {"n_runs": n_runs, "se": float(read[0]), "se_unit": unit}
