"""The validated table of trials, and its counts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from ._account import Source, tally
from ._arrays import array_cells
from ._cells import Cells, fingerprint_of, wanted, warn_left_out
from ._counts import Counts, DistinctCounts, html_table, listed, plural
from ._intake import column_pairs, condition_roles, pick
from ._reduce import count_cells
from ._rows import Rows, collected, count_rows, frame_of_outcomes, frame_of_rows, rows_with
from ._validation import check_choice
from .exceptions import TrialDataError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Counts", "DistinctCounts", "Trials"]

POLICIES = ("raise", "drop", "failure", "bounds")


@dataclass(frozen=True, eq=False, repr=False)
class Trials:
    """Outcomes of repeated trials: systems x tasks x trials, checked and counted.

    Make it with `from_frame`, `from_counts` or `from_array`. It never changes; two tables are equal
    if their fingerprints are.

    Attributes
    ----------
    counts : Counts
        Trials and successes of each cell.
    missing_policy : {"raise", "drop", "failure", "success", "bounds"}
        What was done with outcomes that came without a value ("success" only after `complete`).
    n_rows : int
        Records read.
    n_missing : int
        Outcomes that came without a value, whatever the policy.
    n_empty_cells : int
        Cells that were listed but have no counted trial; they are not in `counts`.
    source : Source
        Format and files that the trials come from, and what was left out on the way; see `report`.

    Notes
    -----
    Outcomes without a value are remembered apart from `counts`, so that `complete` can count them
    later, even those of a cell or system in which no outcome is known.

    Examples
    --------
    >>> trials = Trials.from_array([[1, 1, 0, 1], [0, 0, 0, 0]])
    >>> trials
    Trials: 1 system x 2 tasks, 8 trials in 2 cells (4 per cell); fingerprint dd70d5a6
    """

    counts: Counts
    missing_policy: str
    n_rows: int
    n_missing: int
    n_empty_cells: int
    source: Source
    _columns: tuple[tuple[str, str | tuple[str, ...]], ...]
    _cells: Cells
    _rows: Rows | None = None

    @classmethod
    def from_frame(
        cls,
        frame: Any,
        *,
        system: str | None = "system",
        task: str = "task",
        success: str = "success",
        trial: str | None = None,
        condition: str | Sequence[str] | None = None,
        time: str | None = None,
        group: str | None = None,
        length: str | None = None,
        score: str | None = None,
        status: str | None = None,
        missing: str = "raise",
    ) -> Trials:
        """Read a table with one row a trial.

        Parameters
        ----------
        frame : data frame or mapping of columns
            pandas, Polars, PyArrow or another table that Narwhals supports.
        system : str or None, default "system"
            Column of the system; None if all rows belong to one.
        task : str, default "task"
            Column of the task.
        success : str, default "success"
            Column of the outcome: bool, 0/1, or floats within 1e-6 of these; None or NaN is
            missing.
        trial : str, optional
            Column that tells the trials of a cell apart. Repeated rows are then an error; without
            it every row is a trial.
        condition : str or list of str, optional
            Column or columns of the condition; the values of several are joined by " / ".
        time, group, length, score : str, optional
            Columns kept for analyses that use them; see `to_frame`. They may differ between the
            trials of a task, and may be columns that have another role, too.
        status : str, optional
            Column with ok, agent_failure, infra_error, grader_error or missing; empty is ok. The
            last three make the outcome missing whatever `success` says; agent_failure without an
            outcome is a failure.
        missing : {"raise", "drop", "failure", "bounds"}, default "raise"
            What to do with missing outcomes: refuse them; leave them out; count them as failures;
            leave them out but have estimates given as ranges.

        Returns
        -------
        Trials
            The checked table. Labels are text, sorted by number where all are one text followed by
            an integer ("7", "task 7"), otherwise as text.

        Raises
        ------
        TrialDataError
            If a column is not there, a row has no system or task, an outcome or status is not
            allowed, outcomes are missing without a policy, rows repeat, or there is nothing to
            count.
        ArgumentError
            If `missing` is none of the policies.

        Warns
        -----
        ExclusionWarning
            If no outcome of a system (under some condition) is known, so that it is left out.

        Examples
        --------
        >>> rows = {"system": ["a", "a", "a"], "task": [1, 1, 2], "success": [True, False, None]}
        >>> Trials.from_frame(rows, missing="failure").counts.to_frame()
          system task  n  successes  missing
        0      a    1  2          1        0
        1      a    2  1          0        1
        """
        policy = check_choice(missing, POLICIES, "missing")
        conditions = condition_roles(condition)
        columns = {"system": system, "task": task, **conditions, "success": success}
        columns |= {"trial": trial, "time": time, "group": group, "length": length, "score": score}
        columns["status"] = status
        cells, rows = count_rows(pick(frame, columns), policy)
        return cls._of(cells, policy, column_pairs(columns), rows, Source("data frame"))

    @classmethod
    def from_counts(
        cls,
        frame: Any,
        *,
        system: str | None = "system",
        task: str = "task",
        n: str = "n",
        successes: str = "successes",
        condition: str | Sequence[str] | None = None,
    ) -> Trials:
        """Read a table with one row a cell.

        Parameters
        ----------
        frame : data frame or mapping of columns
            pandas, Polars, PyArrow or another table that Narwhals supports.
        system : str or None, default "system"
            Column of the system; None if all rows belong to one.
        task : str, default "task"
            Column of the task.
        n, successes : str, default "n", "successes"
            Columns of trials and successes: integers with 0 <= successes <= n. Rows with n = 0 are
            counted as empty cells and left out.
        condition : str or list of str, optional
            Column or columns of the condition.

        Returns
        -------
        Trials
            The checked table.

        Raises
        ------
        TrialDataError
            If a column is not there, a cell has two rows, or counts are not allowed.

        Warns
        -----
        ExclusionWarning
            If a system (under some condition) has no trial, so that it is left out.

        Examples
        --------
        >>> table = {"system": ["a", "a"], "task": [1, 2], "n": [4, 4], "successes": [4, 1]}
        >>> Trials.from_counts(table)
        Trials: 1 system x 2 tasks, 8 trials in 2 cells (4 per cell); fingerprint dedcce0d
        """
        columns = {"system": system, "task": task, **condition_roles(condition)}
        columns |= {"n": n, "successes": successes}
        cells = count_cells(collected(pick(frame, columns)))
        return cls._of(cells, "raise", column_pairs(columns), None, Source("table of counts"))

    @classmethod
    def from_array(
        cls,
        R: Any,  # noqa: N803
        *,
        systems: str | Sequence[Any] | None = None,
        tasks: Sequence[Any] | None = None,
    ) -> Trials:
        """Read an array of outcomes.

        Parameters
        ----------
        R : (tasks, trials) or (systems, tasks, trials) array_like
            Outcomes: bool, 0/1, or floats within 1e-6 of these. NaN, None or a masked entry is a
            trial that was not run.
        systems : str or list, optional
            Names of the systems; "system", or "system 0", "system 1", ... by default.
        tasks : list, optional
            Names of the tasks; "0", "1", ... by default.

        Returns
        -------
        Trials
            The checked table, with labels sorted as in `from_frame`. The order of the trials is
            kept; see `to_frame`.

        Raises
        ------
        TrialDataError
            If the shape, an entry or a label is not allowed; the message names the first one.

        Warns
        -----
        ExclusionWarning
            If no trial of a system was run, so that it is left out.

        Examples
        --------
        >>> Trials.from_array([[1, 0, None], [1, 1, 1]], tasks=["easy", "hard"]).counts.n
        array([2, 3])
        """
        return cls._of(array_cells(R, systems, tasks), "raise", (), None, Source("array"))

    @classmethod
    def _of(
        cls,
        cells: Cells,
        policy: str,
        columns: tuple[tuple[str, str | tuple[str, ...]], ...],
        rows: Rows | None,
        source: Source,
    ) -> Trials:
        """Apply a policy to cells."""
        n_missing = int(cells.missing.sum())
        counted = cells.counted(policy)[0] > 0
        if not counted.any():
            remedy = "Count them with missing='failure', or check" if n_missing else "Check"
            raise TrialDataError(
                f"No trial can be counted: {plural(len(counted), 'cell')} listed, "
                f"{plural(n_missing, 'outcome')} missing, none known. {remedy} the data."
            )
        warn_left_out(cells, counted)
        return cls(
            counts=cells.counts(policy),
            missing_policy=policy,
            n_rows=int(cells.records.sum()),
            n_missing=n_missing,
            n_empty_cells=int((~counted).sum()),
            source=source.of(cells),
            _columns=columns,
            _cells=cells,
            _rows=rows,
        )

    @property
    def systems(self) -> tuple[str, ...]:
        """Labels of the systems."""
        return self.counts.systems

    @property
    def tasks(self) -> tuple[str, ...]:
        """Labels of the tasks."""
        return self.counts.tasks

    @property
    def n_trials(self) -> int:
        """Number of counted trials."""
        return int(self.counts.n.sum())

    @property
    def columns(self) -> dict[str, str | tuple[str, ...]]:
        """Column that each role was read from; empty for arrays."""
        return dict(self._columns)

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of the cells, as 64 hexadecimal digits.

        Covers labels, counted trials, successes and missing outcomes of each cell, and the policy
        where outcomes are missing. The order of rows, the type of labels and the frame library do
        not matter.
        """
        return fingerprint_of(self._cells, self.missing_policy)

    def complete(self, outcome: str) -> Trials:
        """Count every missing outcome as a failure, or as a success.

        The two results are the ends of what the missing outcomes may have been.

        Parameters
        ----------
        outcome : {"failure", "success"}
            What to count them as.

        Returns
        -------
        Trials
            With `missing_policy` set to `outcome`.

        Raises
        ------
        ArgumentError
            If `outcome` is neither.

        Examples
        --------
        >>> rows = {"system": ["a", "a"], "task": [1, 1], "success": [1, None]}
        >>> trials = Trials.from_frame(rows, missing="bounds")
        >>> [int(trials.complete(end).counts.successes[0]) for end in ("failure", "success")]
        [1, 2]
        """
        check_choice(outcome, ("failure", "success"), "outcome")
        return type(self)._of(self._cells, outcome, self._columns, self._rows, self.source)

    def report(self) -> pd.DataFrame:
        """Account for every record: where it was counted, or why it was not.

        Returns
        -------
        pandas.DataFrame
            Columns category, status, outcome, records, counted_as. The category is counted,
            errored, missing, duplicate, malformed, "left out" (for another reason, in the status
            column) or "not selected" (after `select`). The records add up to those that were found.
            Of counts and arrays, each trial is a record. `rs.read_report` gives the same as text,
            with the files and the reader's choices.

        Examples
        --------
        >>> rows = {"system": ["a"] * 3, "task": [1] * 3, "success": [1, 0, None]}
        >>> Trials.from_frame(rows, missing="drop").report()
          category   status  outcome  records counted_as
        0  counted       ok  failure        1    failure
        1  counted       ok  success        1    success
        2  missing  missing  unknown        1   left out
        """
        return self.source.report(self._cells, self.missing_policy).to_frame()

    def to_frame(self) -> pd.DataFrame:
        """Give one row a trial, in order within each cell.

        Returns
        -------
        pandas.DataFrame
            Columns system, task, condition (if there are conditions), trial, success, missing (if
            any outcome was), then those of time, group, length, score and status that were named.
            Rows are sorted by cell as in `counts`; within a cell by time if it was named, then by
            trial, then as they came. `trial` is as given, otherwise the position in the cell, from
            0; in an array, the position along the last axis. `success` is 1.0 or 0.0 as counted,
            and NaN for outcomes that are not, so that its sums are those of `counts`.

        Raises
        ------
        TrialDataError
            If only counts are known.

        Examples
        --------
        >>> Trials.from_array([[1, 0], [None, 1]]).to_frame()
           system task  trial  success
        0  system    0      0      1.0
        1  system    0      1      0.0
        2  system    1      1      1.0
        """
        if self._rows is not None:
            return frame_of_rows(self._rows, self._cells, self.missing_policy)
        if self._cells.outcomes is not None:
            return frame_of_outcomes(self._cells, self._cells.outcomes)
        raise TrialDataError(
            "These trials are known by their counts only, so their order, time and groups are not. "
            "Make them with Trials.from_frame or Trials.from_array, or use counts.to_frame()."
        )

    def select(
        self,
        *,
        systems: str | Iterable[str] | None = None,
        tasks: str | Iterable[str] | None = None,
        conditions: str | Iterable[str] | None = None,
    ) -> Trials:
        """Take some systems, tasks or conditions.

        Parameters
        ----------
        systems, tasks, conditions : str or list of str, optional
            Labels to keep; all if None. Numbers are taken as written.

        Returns
        -------
        Trials
            The part, with its own counts and fingerprint.

        Raises
        ------
        TrialDataError
            If a label does not occur, or nothing is left.

        Examples
        --------
        >>> trials = Trials.from_array([[[1, 0]], [[1, 1]]], systems=["a", "b"])
        >>> trials.select(systems="b").counts.successes
        array([2])
        """
        cells, rows = self._cells, self._rows
        mask = np.ones(len(cells.n), dtype=bool)
        for role, chosen in (("system", systems), ("task", tasks), ("condition", conditions)):
            if chosen is None:
                continue
            labels = wanted(chosen, cells.labels.get(role, ()), role)
            names = cells.labels[role]
            mask &= np.array([name in labels for name in names])[cells.codes[role]]
            if rows is not None:
                rows = rows_with(rows, role, labels)
        if not mask.any():
            raise TrialDataError("No cell has the chosen systems, tasks and conditions together.")
        part = cells.keep(mask)
        return type(self)._of(part, self.missing_policy, self._columns, rows, self.source)

    def _notes(self) -> list[str]:
        """Say what is not counted."""
        notes = []
        if self.n_missing:
            notes.append(
                f"{plural(self.n_missing, 'outcome')} missing (policy: {self.missing_policy})"
            )
        if self.n_empty_cells:
            notes.append(f"{plural(self.n_empty_cells, 'cell')} without a counted trial")
        if self.source.left_out:
            notes.append(f"left out: {tally(self.source.left_out)}")
        return notes

    def _head(self) -> str:
        """Say what this is, with the format of the log that it was read from."""
        return f"Trials from {self.source.format}" if self.source.is_log else "Trials"

    def __repr__(self) -> str:
        """Give sizes, what is not counted, and the fingerprint."""
        parts = [self.counts.describe(), *self._notes(), f"fingerprint {self.fingerprint[:8]}"]
        return f"{self._head()}: {'; '.join(parts)}"

    def _repr_html_(self) -> str:
        """Give the same for notebooks, escaped."""
        rows = [("systems", listed(self.systems)), ("tasks", listed(self.tasks))]
        if self.counts.conditions:
            rows.append(("conditions", listed(self.counts.conditions)))
        rows += [("not counted", note) for note in self._notes()]
        rows.append(("fingerprint", self.fingerprint[:16]))
        return html_table(f"{self._head()}: {self.counts.describe()}", rows)

    def __eq__(self, other: object) -> bool:
        """Compare fingerprints."""
        return (
            self.fingerprint == other.fingerprint if isinstance(other, Trials) else NotImplemented
        )

    def __hash__(self) -> int:
        """Hash the fingerprint."""
        return hash(self.fingerprint)
