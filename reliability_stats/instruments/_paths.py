"""Runs through the steps of a workflow: attempts grouped into visits, visits into paths.

A visit is one stay at a step: its attempts up to the one that is not a noticed failure, or up to
giving up. A visit is clean if no earlier visit of its run let an error escape.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from .._numerics import IntArray
from .._validation import suggest
from ..exceptions import ArgumentError, TrialDataError
from ._table import Label, Number, Table, read_table

OUTCOMES = ("passed", "escaped", "failed")
PASSED, ESCAPED, FAILED = range(3)
START, END = "(start)", "(end)"
BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Paths:
    """Visits of all runs, in order.

    Attributes
    ----------
    table : Table
        What was read.
    workflows, steps : tuple of str
        Labels.
    attempt_visit : (attempts,) ndarray
        Visit that each attempt belongs to; attempts are in order.
    attempt_outcome : (attempts,) ndarray
        Position in `OUTCOMES`.
    workflow, run, step, previous, position : (visits,) ndarray
        Codes; `previous` is -1 at the start of a run, `position` counts visits of a run from 0.
    following : (visits,) ndarray
        Step of the next visit of the run, -1 where there is none.
    outcome : (visits,) ndarray
        Of the last attempt.
    attempts : (visits,) ndarray
        Number of attempts.
    first : (visits,) ndarray
        Outcome of the first attempt.
    clean : (visits,) ndarray of bool
        Whether nothing had escaped before.
    unfinished : (visits,) ndarray of bool
        Whether the run stops after this visit although it went well and is not at its end.
    """

    table: Table
    workflows: tuple[str, ...]
    steps: tuple[str, ...]
    attempt_visit: IntArray
    attempt_outcome: IntArray
    workflow: IntArray
    run: IntArray
    step: IntArray
    previous: IntArray
    position: IntArray
    following: IntArray
    outcome: IntArray
    attempts: IntArray
    first: IntArray
    clean: BoolArray
    unfinished: BoolArray

    @cached_property
    def runs(self) -> IntArray:
        """Number of runs of each workflow."""
        starts = self.position == 0
        return np.bincount(self.workflow[starts], minlength=len(self.workflows))

    def label(self, role: str) -> IntArray:
        """Give the code of a role at the last attempt of each visit."""
        last = np.flatnonzero(np.diff(self.attempt_visit, append=-1))
        return np.asarray(self.table[role][self.order[last]])

    @cached_property
    def order(self) -> IntArray:
        """Rows of the table in the order of the attempts."""
        return attempt_order(self.table)


def attempt_order(table: Table) -> IntArray:
    """Sort rows by workflow, run and order; rows of equal order stay as they came."""
    keys: list[npt.NDArray[Any]] = [table["order"]] if "order" in table else []
    keys += [table["run"], table["workflow"]]
    return np.lexsort(keys)


def read_paths(data: Any, columns: dict[str, str | None], end: Any) -> Paths:
    """Check a table with one row an attempt, and group it.

    Parameters
    ----------
    data : frame or mapping
        The table.
    columns : dict
        Column of each role: workflow, run, step, outcome, order, agent, task.
    end : list of str or None
        Steps after which a run is complete; None to take every run that stops after success so.

    Returns
    -------
    Paths

    Raises
    ------
    TrialDataError
        If the table is not allowed, or a run goes on after a failure.
    ArgumentError
        If `end` names no step.
    """
    needs: dict[str, Any] = {"workflow": Label(), "run": Label(), "step": Label()}
    needs |= {"outcome": Label(levels=OUTCOMES), "order": Number(), "agent": Label()}
    needs["task"] = Label()
    optional = ("workflow", "order", "agent", "task")
    table = read_table(data, columns, needs, what="attempt", optional=optional)
    if "workflow" not in table:
        table = _one_workflow(table)
    if "order" in table:
        table.refuse_repeats("workflow", "run", "order")
    order = attempt_order(table)
    workflow, run, step, outcome = (
        table[role][order] for role in ("workflow", "run", "step", "outcome")
    )
    same_run = (np.diff(workflow, prepend=-1) == 0) & (np.diff(run, prepend=-1) == 0)
    before = np.concatenate([[PASSED], outcome[:-1]])
    same_step = np.diff(step, prepend=-1) == 0
    _refuse_going_on(table, order, same_run & ~same_step & (before == FAILED))
    begins = ~(same_run & same_step & (before == FAILED))
    first = np.flatnonzero(begins)
    last = np.append(first[1:], len(order)) - 1
    visit = np.cumsum(begins) - 1
    new_run = ~same_run[first]
    start = np.maximum.accumulate(np.where(new_run, np.arange(len(first)), 0))
    final = outcome[last]
    escaped = np.cumsum(final == ESCAPED)
    earlier = escaped - (final == ESCAPED)
    base = earlier[start]
    step_at = step[first]
    ends_run = np.append(new_run[1:], True)
    unfinished = ends_run & (final != FAILED) & ~_at_end(table.labels["step"], step_at, end)
    return Paths(
        table=table,
        workflows=table.labels["workflow"],
        steps=table.labels["step"],
        attempt_visit=visit,
        attempt_outcome=outcome,
        workflow=workflow[first],
        run=run[first],
        step=step_at,
        previous=np.where(new_run, -1, np.concatenate([[-1], step_at[:-1]])),
        position=np.arange(len(first)) - start,
        following=np.where(ends_run, -1, np.append(step_at[1:], -1)),
        outcome=final,
        attempts=last - first + 1,
        first=outcome[first],
        clean=earlier == base,
        unfinished=unfinished,
    )


def _one_workflow(table: Table) -> Table:
    """Add a workflow to a table without a column for it."""
    values = {**table.values, "workflow": np.zeros(len(table), dtype=np.int64)}
    labels = {**table.labels, "workflow": ("workflow",)}
    rest = (table.dated, table.row, table.n_given, table.excluded, table.columns, table.what)
    return Table(values, labels, *rest)


def _refuse_going_on(table: Table, order: IntArray, bad: BoolArray) -> None:
    """Refuse a run that reaches another step after a failure."""
    if bad.any():
        at = order[int(np.argmax(bad))]
        raise TrialDataError(
            f"The run in {table.place(int(at))} goes on to this step after the step before it "
            "failed. A failure that nobody noticed is 'escaped'; another way to do the same step "
            "is another attempt of it, under its name."
        )


def _at_end(steps: tuple[str, ...], step: IntArray, end: Any) -> BoolArray:
    """Mark visits of steps at which a run may end; all of them without `end`."""
    if end is None:
        return np.ones(len(step), dtype=bool)
    names = [end] if isinstance(end, str) else list(end) if isinstance(end, Iterable) else [end]
    for name in names:
        if name not in steps:
            raise ArgumentError(
                f"end names {name!r}, which is no step of the table{suggest(name, steps)}; the "
                f"steps are {', '.join(map(repr, steps[:20]))}."
            )
    return np.isin(step, [steps.index(name) for name in names])
