"""Rows behind the cells: one row a trial, in order within each cell."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from typing import TYPE_CHECKING, Any

import narwhals as nw
import numpy as np
import numpy.typing as npt

from ._cells import Cells, encode, label_of
from ._counts import IntArray
from ._intake import KEYS, in_memory, key_values, tidy_keys
from ._lazy import LazyRows, can_stay, collect, count_lazy
from ._outcomes import outcomes, refuse_missing
from ._reduce import reduce_rows
from .exceptions import TrialDataError

if TYPE_CHECKING:
    import pandas as pd

KEPT = ("time", "group", "length", "score", "status")
ROLES = ("system", "condition", "task")
Rows = nw.DataFrame[Any] | LazyRows


def collected(picked: nw.DataFrame[Any] | nw.LazyFrame[Any]) -> nw.DataFrame[Any]:
    """Bring a table into memory."""
    return in_memory(collect(picked) if isinstance(picked, nw.LazyFrame) else picked)


def count_rows(picked: nw.DataFrame[Any] | nw.LazyFrame[Any], policy: str) -> tuple[Cells, Rows]:
    """Check and count rows: in the engine of a lazy table, otherwise in memory."""
    if isinstance(picked, nw.LazyFrame) and can_stay(picked):
        return count_lazy(picked, policy)
    rows = outcomes(tidy_keys(collected(picked)))
    if policy == "raise":
        refuse_missing(rows)
    return reduce_rows(rows), rows


def rows_with(rows: Rows, role: str, labels: AbstractSet[str]) -> Rows:
    """Keep the rows that carry one of the labels."""
    if isinstance(rows, LazyRows):
        return rows.with_labels(role, labels)
    return _eager_with(rows, role, labels)


def _eager_with(rows: nw.DataFrame[Any], role: str, labels: AbstractSet[str]) -> nw.DataFrame[Any]:
    """Keep the rows of a table in memory that carry one of the labels."""
    values = key_values(rows, role)
    if values is None:
        return rows
    keep = {value: label_of(value) in labels for value in dict.fromkeys(values)}
    return rows.filter(list(map(keep.__getitem__, values)))


def _arrived(rows: LazyRows, cells: Cells) -> nw.DataFrame[Any]:
    """Bring rows into memory; refuse them if they are no longer those that were counted."""
    arrived = rows.rows()
    for role, labels in rows.chosen:
        arrived = _eager_with(arrived, role, labels)
    checked = outcomes(tidy_keys(in_memory(arrived)))
    successes = int(checked["success"].fill_null(0.0).to_numpy().round().sum())
    found = (len(checked), successes)
    counted = (int(cells.records.sum()), int(cells.successes.sum()))
    if found != counted:
        raise TrialDataError(
            f"The table has changed since it was counted: {found[0]} rows with {found[1]} "
            f"successes now, {counted[0]} with {counted[1]} then. Read it again."
        )
    return checked


def frame_of_rows(source: Rows, cells: Cells, policy: str) -> pd.DataFrame:
    """Give the rows of a table as a pandas frame, sorted by cell and then by order of trials."""
    import pandas as pd

    rows = _arrived(source, cells) if isinstance(source, LazyRows) else source
    columns: dict[str, Any] = {}
    zero = np.zeros(len(rows), dtype=np.int64)
    cell = zero
    for role in ROLES:
        values = key_values(rows, role)
        if values is None and role == "condition":
            continue
        labels, codes = (("system",), zero) if values is None else encode(values, role)
        columns[role] = np.array(labels, dtype=object)[codes]
        cell = cell * len(labels) + codes
    extra = {name: _pandas(rows[name]) for name in ("trial", *KEPT) if name in rows.columns}
    ranks = [_rank(extra[name], name) for name in ("trial", "time") if name in extra]
    order = np.lexsort([np.arange(len(rows)), *ranks, cell])
    cell = cell[order]
    success = rows["success"].to_numpy().astype(float)[order]
    missing = np.isnan(success)
    success = np.where(missing, {"failure": 0.0, "success": 1.0}.get(policy, np.nan), success > 0.5)
    keys = [role for role in KEYS if role in columns]
    data: dict[str, Any] = {role: columns[role][order] for role in keys}
    trial = extra.pop("trial", None)
    data["trial"] = _position(cell) if trial is None else trial.array[order]
    data["success"] = success
    if missing.any():
        data["missing"] = missing
    data |= {name: values.array[order] for name, values in extra.items()}
    return pd.DataFrame(data)


def frame_of_outcomes(cells: Cells, outcomes: npt.NDArray[np.int8]) -> pd.DataFrame:
    """Give the trials of an array as a pandas frame."""
    import pandas as pd

    cell, trial = np.nonzero(outcomes >= 0)
    data: dict[str, Any] = {
        role: np.array(cells.labels[role], dtype=object)[cells.codes[role][cell]]
        for role in ("system", "task")
    }
    return pd.DataFrame(data | {"trial": trial, "success": outcomes[cell, trial].astype(float)})


def _pandas(column: nw.Series[Any]) -> pd.Series[Any]:
    """Convert a column, without pyarrow."""
    import pandas as pd

    if column.implementation.is_pandas():
        series: pd.Series[Any] = column.to_native()
        return series
    if column.dtype.is_numeric():
        return pd.Series(column.to_numpy())
    return pd.Series(column.to_list())


def _rank(values: pd.Series[Any], name: str) -> IntArray:
    """Give the position of each value in order; missing ones come last."""
    import pandas as pd

    null = values.isna().to_numpy(dtype=bool)
    known = values[~null]
    rank = np.full(len(values), len(values), dtype=np.int64)
    if values.dtype.kind in "biufmM":
        rank[~null] = pd.factorize(known, sort=True)[0]
        return rank
    listed = known.tolist()
    if listed and not isinstance(listed[0], str):
        try:
            place = {value: i for i, value in enumerate(sorted(set(listed)))}
        except TypeError:
            pass
        else:
            rank[~null] = list(map(place.__getitem__, listed))
            return rank
    if listed:
        rank[~null] = encode(listed, name)[1]
    return rank


def _position(cell: IntArray) -> IntArray:
    """Give the position of each row within its run of equal cells, from 0."""
    first = np.flatnonzero(np.diff(cell, prepend=-1))
    return np.arange(len(cell)) - np.repeat(first, np.diff(first, append=len(cell)))
