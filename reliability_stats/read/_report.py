"""The account of a reading: every record found, and what became of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .._counts import html_table, listed, plural
from ..exceptions import TrialDataError
from ..trials import Trials

if TYPE_CHECKING:
    import pandas as pd

UNKNOWN = {
    "drop": "left out",
    "failure": "failure",
    "bounds": "unknown: failure or success",
    "raise": "refused",
}


@dataclass(frozen=True, repr=False)
class ReadReport:
    """What a reader found in log files, and what became of each record.

    Attributes
    ----------
    format : str
        Name of the format.
    files : tuple of str
        Files that were read.
    kept : dict
        Records by (status, outcome), where outcome is "success", "failure" or "unknown".
    left_out : dict
        Records that the reader left out, by reason.
    missing_policy : {"raise", "drop", "failure", "bounds"}
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
    kept: dict[tuple[str, str], int]
    left_out: dict[str, int]
    missing_policy: str
    choices: tuple[str, ...]

    @property
    def n_records(self) -> int:
        """Records found; each is in exactly one row of `to_frame`."""
        return sum(self.kept.values()) + sum(self.left_out.values())

    @property
    def by_status(self) -> dict[str, int]:
        """Records by status, without those that the reader left out."""
        totals: dict[str, int] = {}
        for (status, _), count in self.kept.items():
            totals[status] = totals.get(status, 0) + count
        return totals

    def to_frame(self) -> pd.DataFrame:
        """Give the accounting table; its records add up to `n_records`.

        Returns
        -------
        pandas.DataFrame
            Columns status (or the reason of leaving out), outcome, records, counted_as.

        Examples
        --------
        >>> kept = {("ok", "success"): 3, ("infra_error", "unknown"): 1}
        >>> report = ReadReport("tau-bench", ("a.json",), kept, {"malformed": 1}, "drop", ())
        >>> report.to_frame()
                status  outcome  records counted_as
        0           ok  success        3    success
        1  infra_error  unknown        1   left out
        2    malformed  unknown        1   left out
        """
        import pandas as pd

        rows = [
            (status, outcome, n, UNKNOWN[self.missing_policy] if outcome == "unknown" else outcome)
            for (status, outcome), n in self.kept.items()
        ]
        rows += [(reason, "unknown", n, "left out") for reason, n in self.left_out.items()]
        return pd.DataFrame(rows, columns=["status", "outcome", "records", "counted_as"])

    def _lines(self) -> list[tuple[str, str]]:
        """Give the report as pairs of heading and text."""
        kept = [
            f"{n} {status} {outcome}" if status != "ok" else f"{n} {outcome}"
            for (status, outcome), n in self.kept.items()
        ]
        lines = [("files", listed(self.files)), ("records", ", ".join(kept) or "none")]
        if self.left_out:
            lines.append(("left out", tally(self.left_out)))
        if any(outcome == "unknown" for _, outcome in self.kept):
            lines.append(("unknown outcomes", UNKNOWN[self.missing_policy]))
        return lines + [("choice", choice) for choice in self.choices]

    def __repr__(self) -> str:
        """Give the account as text."""
        head = f"{self.format}: {plural(self.n_records, 'record')}"
        head += f" in {plural(len(self.files), 'file')}"
        return "\n".join([head, *(f"  {name}: {text}" for name, text in self._lines())])

    def _repr_html_(self) -> str:
        """Give the same for notebooks, escaped."""
        return html_table(f"{self.format}: {plural(self.n_records, 'record')}", self._lines())


def tally(counts: dict[str, int]) -> str:
    """Write counts by reason."""
    return ", ".join(f"{n} {reason}" for reason, n in counts.items())


def attach(trials: Trials, report: ReadReport) -> Trials:
    """Keep the report with the trials that were read."""
    object.__setattr__(trials, "_source", report)
    return trials


def read_report(trials: Trials) -> ReadReport:
    """Give the account of how trials were read.

    Parameters
    ----------
    trials : Trials
        What a reader returned.

    Returns
    -------
    ReadReport
        Files, format, records by status, what was left out, and what the reader chose.

    Raises
    ------
    TrialDataError
        If the trials do not come straight from a reader.

    Examples
    --------
    >>> read_report(Trials.from_array([[1, 0]]))
    Traceback (most recent call last):
    ...
    reliability_stats.exceptions.TrialDataError: These trials have no report: ...
    """
    report: Any = getattr(trials, "_source", None)
    if not isinstance(report, ReadReport):
        raise TrialDataError(
            "These trials have no report: it belongs to what a reader such as read_tau_bench "
            "returns, not to a selection of it, or to a table or array."
        )
    return report
