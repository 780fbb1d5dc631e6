"""Where trials come from, and the account of every record that was found there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from ._cells import Cells
from ._counts import html_table, listed, plural
from ._outcomes import STATUSES

if TYPE_CHECKING:
    import pandas as pd

UNKNOWN = {
    "drop": "left out",
    "failure": "failure",
    "success": "success",
    "bounds": "unknown: failure or success",
    "raise": "refused",
}
NOT_SELECTED = "not selected"
CATEGORIES = {"infra_error": "errored", "grader_error": "errored", "missing": "missing"}
OWN_CATEGORY = ("duplicate", "malformed", NOT_SELECTED)


@dataclass(frozen=True)
class Source:
    """Where trials come from; kept through selections and copies.

    Attributes
    ----------
    format : str
        Name of the format: of a reader, or "data frame", "table of counts", "array", "simulation".
    files : tuple of str
        Files that were read.
    left_out : dict
        Records that never came to be trials, by reason: "duplicate", "malformed" and others.
    choices : tuple of str
        What was chosen where the log leaves it open.
    n_kept : int or None
        Records found that were not left out. Of counts, these are trials.

    Examples
    --------
    >>> from reliability_stats.trials import Trials
    >>> Trials.from_array([[1, 0]]).source.format
    'array'
    """

    format: str
    files: tuple[str, ...] = ()
    left_out: Mapping[str, int] = field(default_factory=dict)
    choices: tuple[str, ...] = ()
    n_kept: int | None = None

    @property
    def is_log(self) -> bool:
        """Whether files were read."""
        return bool(self.files)

    def of(self, cells: Cells) -> Source:
        """Remember the number of records, if this is not known yet."""
        if self.n_kept is not None:
            return self
        return replace(self, n_kept=int(cells.n.sum()) + int(cells.missing.sum()))

    def report(self, cells: Cells, policy: str) -> ReadReport:
        """Account for all records, of which the cells hold all, or those that were selected."""
        kept = kept_records(cells)
        others = (self.n_kept or 0) - sum(kept.values())
        left_out = dict(self.left_out) | ({NOT_SELECTED: others} if others else {})
        return ReadReport(self.format, self.files, kept, left_out, policy, self.choices)


def kept_records(cells: Cells) -> dict[tuple[str, str], int]:
    """Give the number of records by status and outcome, most ordinary statuses first."""
    totals = {key: int(values.sum()) for key, values in cells.by_status.items()}
    wins = int(cells.successes.sum())
    whole = {
        ("ok", "success"): wins,
        ("ok", "failure"): int(cells.n.sum()) - wins,
        ("missing", "unknown"): int(cells.missing.sum()),
    }
    for key, number in whole.items():
        totals[key] = number - sum(n for (_, outcome), n in totals.items() if outcome == key[1])
    order = sorted(totals, key=lambda key: (STATUSES.index(key[0]), key[1]))
    return {key: totals[key] for key in order if totals[key]}


@dataclass(frozen=True, repr=False)
class ReadReport:
    """What was found in log files or a table, and what became of each record.

    Attributes
    ----------
    format : str
        Name of the format.
    files : tuple of str
        Files that were read.
    kept : dict
        Records by (status, outcome), where outcome is "success", "failure" or "unknown".
    left_out : dict
        Records that are not among the trials, by reason.
    missing_policy : {"raise", "drop", "failure", "success", "bounds"}
        What was done with unknown outcomes.
    choices : tuple of str
        What the reader chose where the log leaves it open.

    Examples
    --------
    >>> ReadReport("tau-bench", ("a.json",), {("ok", "success"): 3}, {}, "raise", ()).n_records
    3
    """

    format: str
    files: tuple[str, ...]
    kept: Mapping[tuple[str, str], int]
    left_out: Mapping[str, int]
    missing_policy: str
    choices: tuple[str, ...]

    @property
    def n_records(self) -> int:
        """Records found; each is in exactly one row of `to_frame`."""
        return sum(self.kept.values()) + sum(self.left_out.values())

    @property
    def by_status(self) -> dict[str, int]:
        """Records by status, without those that were left out."""
        totals: dict[str, int] = {}
        for (status, _), count in self.kept.items():
            totals[status] = totals.get(status, 0) + count
        return totals

    def to_frame(self) -> pd.DataFrame:
        """Give the accounting table; its records add up to `n_records`.

        Returns
        -------
        pandas.DataFrame
            Columns category, status (or the reason of leaving out), outcome, records, counted_as.
            The category is counted, errored, missing, duplicate, malformed, not selected, or left
            out (for a reason that the status column gives).

        Examples
        --------
        >>> kept = {("ok", "success"): 3, ("infra_error", "unknown"): 1}
        >>> report = ReadReport("tau-bench", ("a.json",), kept, {"malformed": 1}, "drop", ())
        >>> report.to_frame()
            category       status  outcome  records counted_as
        0    counted           ok  success        3    success
        1    errored  infra_error  unknown        1   left out
        2  malformed    malformed  unknown        1   left out
        """
        import pandas as pd

        unknown = UNKNOWN[self.missing_policy]
        rows = [
            (
                CATEGORIES.get(status, "counted"),
                status,
                outcome,
                n,
                unknown if outcome == "unknown" else outcome,
            )
            for (status, outcome), n in self.kept.items()
        ]
        rows += [
            (reason if reason in OWN_CATEGORY else "left out", reason, "unknown", n, "left out")
            for reason, n in self.left_out.items()
        ]
        return pd.DataFrame(
            rows, columns=["category", "status", "outcome", "records", "counted_as"]
        )

    def _lines(self) -> list[tuple[str, str]]:
        """Give the report as pairs of heading and text."""
        kept = [
            f"{n} {status} {outcome}" if status != "ok" else f"{n} {outcome}"
            for (status, outcome), n in self.kept.items()
        ]
        lines = [("files", listed(self.files))] if self.files else []
        lines.append(("records", ", ".join(kept) or "none"))
        if self.left_out:
            lines.append(("left out", tally(self.left_out)))
        if any(outcome == "unknown" for _, outcome in self.kept):
            lines.append(("unknown outcomes", UNKNOWN[self.missing_policy]))
        return lines + [("choice", choice) for choice in self.choices]

    def __repr__(self) -> str:
        """Give the account as text."""
        head = f"{self.format}: {plural(self.n_records, 'record')}"
        if self.files:
            head += f" in {plural(len(self.files), 'file')}"
        return "\n".join([head, *(f"  {name}: {text}" for name, text in self._lines())])

    def _repr_html_(self) -> str:
        """Give the same for notebooks, escaped."""
        return html_table(f"{self.format}: {plural(self.n_records, 'record')}", self._lines())


def tally(counts: Mapping[str, int]) -> str:
    """Write counts by reason."""
    return ", ".join(f"{n} {reason}" for reason, n in counts.items())
