"""The account of a reading: every record found, and what became of it."""

from __future__ import annotations

from .._account import ReadReport
from ..trials import Trials


def read_report(trials: Trials) -> ReadReport:
    """Give the account of how trials were read.

    Parameters
    ----------
    trials : Trials
        What a reader returned, or a part of it, or a table or array.

    Returns
    -------
    ReadReport
        Files, format, records by status, what was left out, and what the reader chose. Its
        `to_frame` is `trials.report()`.

    Examples
    --------
    >>> read_report(Trials.from_array([[1, 0]]))
    array: 2 records
      records: 1 failure, 1 success
    """
    return trials.source.report(trials._cells, trials.missing_policy)
