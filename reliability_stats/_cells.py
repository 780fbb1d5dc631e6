"""Cells before a policy for missing outcomes is applied, and their labels."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from numbers import Integral
from typing import Any

import numpy as np
import numpy.typing as npt

from ._counts import Counts, IntArray, listed, plural
from ._validation import suggest
from .exceptions import ExclusionWarning, TrialDataError


@dataclass(frozen=True, eq=False)
class Cells:
    """All cells that were listed, before a policy for missing outcomes is applied."""

    labels: dict[str, tuple[str, ...]]
    codes: dict[str, IntArray]
    n: IntArray
    successes: IntArray
    missing: IntArray
    records: IntArray

    def keep(self, mask: npt.NDArray[np.bool_]) -> Cells:
        """Give the cells of a mask, and only the labels that these have."""
        labels, codes = {}, {}
        for role, names in self.labels.items():
            old = self.codes[role][mask]
            used = np.bincount(old, minlength=len(names)) > 0
            labels[role] = tuple(name for name, use in zip(names, used, strict=True) if use)
            codes[role] = (np.cumsum(used) - 1)[old]
        return Cells(
            labels,
            codes,
            self.n[mask],
            self.successes[mask],
            self.missing[mask],
            self.records[mask],
        )

    def counted(self, policy: str) -> tuple[IntArray, IntArray]:
        """Give counted trials and successes of each cell under a policy for missing outcomes."""
        if policy == "failure":
            return self.n + self.missing, self.successes
        if policy == "success":
            return self.n + self.missing, self.successes + self.missing
        return self.n, self.successes

    def counts(self, policy: str) -> Counts:
        """Give the counts under a policy, leaving out cells without a counted trial."""
        n, successes = self.counted(policy)
        mask = n > 0
        kept = self.keep(mask)
        return Counts(
            kept.labels["system"],
            kept.labels["task"],
            kept.labels.get("condition", ()),
            kept.codes["system"],
            kept.codes["task"],
            kept.codes.get("condition"),
            n[mask],
            successes[mask],
            kept.missing,
        )


def warn_left_out(cells: Cells, counted: npt.NDArray[np.bool_]) -> None:
    """Warn of systems (under a condition) that lose all their cells."""
    unit = cells.codes["system"]
    conditions = cells.labels.get("condition")
    if conditions:
        unit = unit * len(conditions) + cells.codes["condition"]
    lost = np.setdiff1d(unit, unit[counted]).tolist()
    if lost:
        systems = cells.labels["system"]
        width = len(conditions) if conditions else 1
        names = tuple(
            f"{systems[i // width]} [{conditions[i % width]}]" if conditions else systems[i]
            for i in lost
        )
        warnings.warn(
            f"Left out, because no trial of theirs is counted: {listed(names)}.",
            ExclusionWarning,
            stacklevel=4,
        )


def plain(value: Any) -> Any:
    """Turn scalars of array libraries into Python's own, for messages."""
    value = value.as_py() if hasattr(value, "as_py") else value
    return value.item() if isinstance(value, np.generic) else value


def label_of(value: Any) -> str:
    """Write one value as a label: 1 and 1.0 as "1"."""
    value = plain(value)
    if isinstance(value, str):
        return str(value)
    if isinstance(value, tuple):
        return " / ".join(label_of(part) for part in value)
    if isinstance(value, bytes):
        return value.decode("utf-8", "backslashreplace")
    if isinstance(value, Integral) and not isinstance(value, bool):
        return str(int(value))
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return str(int(value))
    return str(value)


def encode(values: Sequence[Any], role: str) -> tuple[tuple[str, ...], IntArray]:
    """Give sorted labels and the position of each value in them."""
    name_of = {value: label_of(value) for value in dict.fromkeys(values)}
    origin = dict(zip(name_of.values(), name_of, strict=True))
    if len(origin) < len(name_of):
        for value, label in name_of.items():
            if origin[label] is not value:
                raise TrialDataError(
                    f"Two {role} labels, {plain(value)!r} and {plain(origin[label])!r}, are both "
                    f"written {label!r}. Rename one, or give the column one type."
                )
    ordered = sort_labels(list(origin))
    rank = {label: i for i, label in enumerate(ordered)}
    code_of = {value: rank[label] for value, label in name_of.items()}
    codes = np.fromiter(map(code_of.__getitem__, values), dtype=np.int64, count=len(values))
    return tuple(ordered), codes


def sort_labels(labels: list[str]) -> list[str]:
    """Sort by number if all labels are one text followed by an integer, otherwise as text."""
    first, last = min(labels), max(labels)
    same = next(
        (i for i, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), len(first)
    )
    prefix = first[:same].rstrip("0123456789")
    prefix = "" if prefix == "-" else prefix
    integer = re.compile(r"[0-9]{1,18}" if prefix else r"-?[0-9]{1,18}").fullmatch
    tails = [label[len(prefix) :] for label in labels]
    if not all(map(integer, tails)):
        return sorted(labels)
    return [label for _, label in sorted(zip(map(int, tails), labels, strict=True))]


def axis_labels(labels: Any, size: int, name: str) -> list[Any]:
    """Check that there is one distinct label for each entry along an axis."""
    if isinstance(labels, (str, bytes)):
        raise TrialDataError(f"{name} must be a list of {size} labels, not {labels!r}.")
    out = [plain(label) for label in labels]
    if len(out) != size:
        raise TrialDataError(
            f"There are {plural(len(out), 'label')} in {name} for {size} in the array."
        )
    if any(label is None or label != label for label in out):
        raise TrialDataError(f"{name} must not hold None or NaN.")
    if len(set(out)) < size:
        first = next(label for i, label in enumerate(out) if label in out[:i])
        raise TrialDataError(f"The label {first!r} occurs more than once in {name}.")
    return out


def wanted(chosen: str | Iterable[Any], names: tuple[str, ...], role: str) -> set[str]:
    """Give the labels asked for, which must all occur."""
    labels = {chosen} if isinstance(chosen, str) else {label_of(name) for name in chosen}
    known = set(names)
    for name in sorted(labels - known):
        raise TrialDataError(
            f"There is no {role} {name!r}{suggest(name, names)}. "
            + (f"The {role}s are: {listed(names, 20)}." if names else f"There are no {role}s.")
        )
    return labels
