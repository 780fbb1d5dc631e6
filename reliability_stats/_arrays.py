"""From arrays of outcomes to cells that remember the order of their trials."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NoReturn

import numpy as np
import numpy.typing as npt

from ._cells import Cells, axis_labels, encode
from ._outcomes import ALLOWED_SUCCESS, TOLERANCE, others, shown, to_float
from .exceptions import TrialDataError

NOT_RUN = -1


def array_cells(
    array: Any, systems: str | Sequence[Any] | None, tasks: Sequence[Any] | None
) -> Cells:
    """Turn outcomes of shape (tasks, trials) or (systems, tasks, trials) into cells."""
    outcomes = read_outcomes(array)
    if outcomes.ndim == 2:
        outcomes = outcomes[None]
        systems = ["system"] if systems is None else systems
    n_systems, n_tasks, n_trials = outcomes.shape
    systems = [systems] if isinstance(systems, str) else systems
    labels = {}
    labels["system"], outcomes = _sorted(outcomes, 0, systems, "system")
    labels["task"], outcomes = _sorted(outcomes, 1, tasks, "task")
    outcomes = np.ascontiguousarray(outcomes.reshape(-1, n_trials))
    outcomes.setflags(write=False)
    n = np.count_nonzero(outcomes != NOT_RUN, axis=1)
    codes = {
        "system": np.repeat(np.arange(n_systems), n_tasks),
        "task": np.tile(np.arange(n_tasks), n_systems),
    }
    successes = np.count_nonzero(outcomes == 1, axis=1)
    return Cells(labels, codes, n, successes, np.zeros_like(n), n, outcomes)


def _sorted(
    outcomes: npt.NDArray[np.int8], axis: int, names: Sequence[Any] | None, role: str
) -> tuple[tuple[str, ...], npt.NDArray[np.int8]]:
    """Give the labels along an axis, sorted, and the outcomes in that order."""
    size = outcomes.shape[axis]
    if names is None:
        prefix = "system " if role == "system" else ""
        return tuple(f"{prefix}{i}" for i in range(size)), outcomes
    labels, rank = encode(axis_labels(names, size, f"{role}s"), role)
    if (np.diff(rank) > 0).all():
        return labels, outcomes
    return labels, np.take(outcomes, np.argsort(rank), axis=axis)


def read_outcomes(array: Any) -> npt.NDArray[np.int8]:
    """Give 1 for success, 0 for failure and -1 for a trial not run; refuse anything else."""
    masked = _has_mask(array)
    try:
        array = _stack(array) if masked else array
        given = array.data if masked else np.asarray(array)
    except (ValueError, TypeError):
        raise TrialDataError(
            "The array is ragged: its rows differ in length. Fill shorter rows with NaN for trials "
            "not run."
        ) from None
    if given.ndim not in (2, 3):
        raise TrialDataError(
            "The array must have shape (tasks, trials) or (systems, tasks, trials), not "
            f"{given.ndim} dimensions of shape {given.shape}."
        )
    if not given.size:
        raise TrialDataError(
            f"The array of shape {given.shape} is empty; at least one trial is needed."
        )
    values = given
    if given.dtype.kind not in "biuf":
        flat = [to_float(value) for value in given.ravel().tolist()]
        values = np.array([np.nan if v is None else v for v in flat]).reshape(given.shape)
    outcomes = np.full(given.shape, NOT_RUN, dtype=np.int8)
    known = np.ones(given.shape, dtype=bool)
    if values.dtype.kind == "f":
        outcomes[(values >= -TOLERANCE) & (values <= TOLERANCE)] = 0
        outcomes[(values >= 1 - TOLERANCE) & (values <= 1 + TOLERANCE)] = 1
        known = ~np.isnan(values)
    else:
        outcomes[values == 0] = 0
        outcomes[values == 1] = 1
    if masked:
        mask = np.ma.getmaskarray(array)
        outcomes[mask] = NOT_RUN
        known &= ~mask
    bad = known & (outcomes == NOT_RUN)
    if bad.any():
        _refuse_entry(given, bad)
    return outcomes


def _has_mask(array: Any) -> bool:
    """Say whether this is a masked array, or lists that hold masked arrays or entries."""
    if not isinstance(array, (list, tuple)):
        return isinstance(array, np.ma.MaskedArray)
    kinds = set(map(type, array))
    if any(issubclass(kind, np.ma.MaskedArray) for kind in kinds):
        return True
    return bool(kinds & {list, tuple}) and any(map(_has_mask, array))


def _stack(array: Any) -> Any:
    """Make one masked array of nested lists of masked arrays; NumPy forgets inner masks."""
    if isinstance(array, (list, tuple)):
        return np.ma.array([_stack(part) for part in array])
    return array


def _refuse_entry(given: npt.NDArray[Any], bad: npt.NDArray[np.bool_]) -> NoReturn:
    """Say which entry of an array is no outcome."""
    index = tuple(int(i) for i in np.unravel_index(int(np.argmax(bad)), bad.shape))
    place = ", ".join(map(str, index))
    raise TrialDataError(
        f"Entry [{place}] of the array is {shown(given[index])}"
        f"{others(int(bad.sum()) - 1)}. {ALLOWED_SUCCESS}, and None or NaN for a trial not run. "
        "For counts of successes use Trials.from_counts."
    )
