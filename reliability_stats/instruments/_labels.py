"""Labels of failures: sets of modes by failure and annotator."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from .._numerics import IntArray
from ..exceptions import TrialDataError
from ._table import Label, Table, read_table


@dataclass(frozen=True, eq=False)
class Labelled:
    """Failures with the categories that annotators gave them.

    Attributes
    ----------
    table : Table
        What was read.
    systems, modes : tuple of str
        Labels.
    categories : (categories, modes) ndarray of bool
        Sets of modes; the single modes come first.
    system, task : (failures,) ndarray of int
        Codes; task is -1 where none was named.
    first, annotations : (failures,) ndarray of int
        Where the categories of a failure begin in `category`, and how many there are.
    category, annotator : (annotations,) ndarray of int
        What each annotator gave, failure by failure.
    """

    table: Table
    systems: tuple[str, ...]
    modes: tuple[str, ...]
    categories: npt.NDArray[np.bool_]
    system: IntArray
    task: IntArray
    first: IntArray
    annotations: IntArray
    category: IntArray
    annotator: IntArray

    @property
    def uncertain(self) -> npt.NDArray[np.bool_]:
        """Mark failures whose annotators disagree."""
        low = np.minimum.reduceat(self.category, self.first)
        return np.asarray(low != np.maximum.reduceat(self.category, self.first))

    def choose(self, failures: IntArray, rng: np.random.Generator) -> IntArray:
        """Give the category of each failure by one of its annotators at random."""
        pick = (rng.random(len(failures)) * self.annotations[failures]).astype(np.int64)
        return np.asarray(self.category[self.first[failures] + pick])


def read_labels(data: Any, columns: dict[str, str | None], *, needs_task: bool) -> Labelled:
    """Check a table with one row a label, and group it.

    Raises
    ------
    TrialDataError
        If the table is not allowed, a label is given twice by one annotator, a failure has two
        tasks, or tasks are needed and not named.
    """
    roles = ("system", "failure", "mode", "task", "annotator")
    optional = ("system", "task", "annotator")
    if needs_task and columns["task"] is None:
        raise TrialDataError("pooling='tasks' needs the column of the task: task=... in fit.")
    needs = {role: Label() for role in roles}
    table = read_table(data, columns, needs, what="label", optional=optional)
    named = [r for r in ("system", "failure", "annotator", "mode") if r in table]
    table.refuse_repeats(*named)
    zero = np.zeros(len(table), dtype=np.int64)
    system, task, annotator = (
        zero if role not in table else np.asarray(table[role])
        for role in ("system", "task", "annotator")
    )
    failures, at = np.unique(np.stack([system, table["failure"]]), axis=1, return_inverse=True)
    at = at.ravel()
    tasks = np.full(failures.shape[1], -1)
    tasks[at[::-1]] = task[::-1]
    if "task" in table:
        table.refuse(task != tasks[at], "task", "another row of this failure names another task")
    keys, where = np.unique(np.stack([at, annotator]), axis=1, return_inverse=True)
    modes = table.labels["mode"]
    sets = np.zeros((keys.shape[1], len(modes)), dtype=bool)
    sets[where.ravel(), table["mode"]] = True
    single = np.eye(len(modes), dtype=bool)
    several = np.unique(sets[sets.sum(axis=1) > 1], axis=0)
    categories = np.concatenate([single, several])
    index = {row.tobytes(): i for i, row in enumerate(categories)}
    category = np.array([index[row.tobytes()] for row in sets], dtype=np.int64)
    first = np.flatnonzero(np.diff(keys[0], prepend=-1))
    return Labelled(
        table=table,
        systems=table.labels.get("system", ("system",)),
        modes=modes,
        categories=categories,
        system=failures[0],
        task=tasks,
        first=first,
        annotations=np.diff(np.append(first, keys.shape[1])),
        category=category,
        annotator=keys[1],
    )
