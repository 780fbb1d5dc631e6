"""Cells before a policy for missing outcomes is applied, and their labels."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import re
import warnings
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from decimal import Decimal
from numbers import Integral
from typing import Any

import numpy as np
import numpy.typing as npt

from ._counts import Counts, IntArray, frozen, listed, plural
from ._validation import suggest
from .exceptions import ExclusionWarning, TrialDataError

FINGERPRINT_FORMAT = "reliability_stats.trials/1"


@dataclass(frozen=True, eq=False)
class Cells:
    """All cells that were listed, before a policy for missing outcomes is applied.

    Cells are sorted by system, condition and task. `outcomes` holds each trial of each cell in its
    order, 1, 0 or -1 where none was run, with shape (cells, trials); None if only counts are known.
    `by_status` holds numbers of records by (status, outcome) for the statuses other than ok and
    missing; they are among `n` and `missing`.
    """

    labels: dict[str, tuple[str, ...]]
    codes: dict[str, IntArray]
    n: IntArray
    successes: IntArray
    missing: IntArray
    records: IntArray
    outcomes: npt.NDArray[np.int8] | None = None
    by_status: dict[tuple[str, str], IntArray] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Make the arrays read-only, so that they can be shared without copies."""
        for name in ("n", "successes", "missing", "records"):
            object.__setattr__(self, name, frozen(getattr(self, name), name))
        codes = {role: frozen(codes, role) for role, codes in self.codes.items()}
        object.__setattr__(self, "codes", codes)
        by_status = {
            key: frozen(values, "by_status")
            for key, values in self.by_status.items()
            if values.any()
        }
        object.__setattr__(self, "by_status", by_status)

    def keep(self, mask: npt.NDArray[np.bool_]) -> Cells:
        """Give the cells of a mask, and only the labels that these have."""
        if mask.all():
            return self
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
            None if self.outcomes is None else self.outcomes[mask],
            {key: values[mask] for key, values in self.by_status.items()},
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
            n if kept is self else n[mask],
            successes if kept is self else successes[mask],
            kept.missing,
        )


def fingerprint_of(cells: Cells, policy: str) -> str:
    """Digest labels and counts of the cells that have records, and the policy where it matters."""
    cells = cells.keep((cells.n > 0) | (cells.missing > 0))
    n, successes = cells.counted(policy)
    stated = policy if cells.missing.any() else None
    digest = hashlib.sha256(
        json.dumps([FINGERPRINT_FORMAT, stated, sorted(cells.labels.items())]).encode()
    )
    codes = (cells.codes[role] for role in sorted(cells.codes))
    for values in (*codes, n, successes, cells.missing):
        digest.update(np.ascontiguousarray(values, dtype="<i8").tobytes())
    return digest.hexdigest()


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


def is_null(value: Any) -> bool:
    """Say whether one value is None, NaN, or the missing value of an array library."""
    if value is None or type(value).__name__ in ("NAType", "NaTType", "MaskedConstant"):
        return True
    if isinstance(value, Decimal):
        return value.is_nan()
    return isinstance(value, (float, np.floating)) and bool(value != value)


def label_of(value: Any) -> str:
    """Write one value as a label: 1 and 1.0 as "1"."""
    value = plain(value)
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, tuple):
        return " / ".join(map(label_of, value))
    if isinstance(value, bytes):
        return value.decode("utf-8", "backslashreplace")
    if isinstance(value, bool):
        return str(value)
    if isinstance(value, Integral):
        return str(int(value))
    if isinstance(value, (float, Decimal)) and not is_null(value):
        if -(2**53) < value < 2**53 and value == int(value):
            return str(int(value))
        return str(value)
    if isinstance(value, dt.timedelta) and not getattr(value, "nanoseconds", 0):
        return str(dt.timedelta(value.days, value.seconds, value.microseconds))
    return str(value)


def encode(values: Sequence[Any], role: str) -> tuple[tuple[str, ...], IntArray]:
    """Give sorted labels and the position of each value in them."""
    distinct = dict.fromkeys(values)
    kinds = set(map(type, distinct))
    if kinds == {str}:
        names = list(distinct)
    elif kinds == {int}:
        names = list(map(str, distinct))
    else:
        names = _written(distinct, role)
    _check_text(names, role)
    order = label_order(names)
    codes = np.empty(len(order), dtype=np.int64)
    codes[order] = np.arange(len(order))
    if len(names) < len(values):
        place = dict(zip(distinct, codes.tolist(), strict=True))
        codes = np.fromiter(map(place.__getitem__, values), dtype=np.int64, count=len(values))
    return tuple(map(names.__getitem__, order.tolist())), codes


def _written(values: Iterable[Any], role: str) -> list[str]:
    """Write distinct values as labels, which must be distinct too."""
    origin: dict[str, Any] = {}
    for value in values:
        label = label_of(value)
        other = origin.setdefault(label, value)
        if other is not value:
            raise TrialDataError(
                f"Two {role} labels, {plain(other)!r} and {plain(value)!r}, are both written "
                f"{label!r}. Rename one, or give the column one type."
            )
    return list(origin)


def _check_text(labels: list[str], role: str) -> None:
    """Refuse text that is no Unicode, which neither pandas nor a file can hold."""
    try:
        "".join(labels).encode()
    except UnicodeEncodeError:
        first = next(filter(_is_broken, labels))
        raise TrialDataError(
            f"The {role} label {first!r} holds half a character (a lone surrogate), probably from "
            "reading a file in the wrong encoding. Mend it."
        ) from None


def _is_broken(label: str) -> bool:
    """Say whether text cannot be encoded."""
    return any("\ud800" <= character <= "\udfff" for character in label)


def label_order(labels: list[str]) -> IntArray:
    """Sort by number if all labels are one text followed by an integer, otherwise as text."""
    first, last = min(labels), max(labels)
    same = next(
        (i for i, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), len(first)
    )
    prefix = first[:same].rstrip("0123456789")
    prefix = "" if prefix == "-" else prefix
    integer = re.compile(r"[0-9]{1,18}" if prefix else r"-?[0-9]{1,18}").fullmatch
    tails = [label[len(prefix) :] for label in labels] if prefix else labels
    if all(map(integer, tails)):
        numbers = np.fromiter(map(int, tails), dtype=np.int64, count=len(tails))
        order = np.argsort(numbers, kind="stable")
        if (np.diff(numbers[order]) > 0).all():
            return order
        return np.array(sorted(order.tolist(), key=lambda i: (numbers[i], labels[i])))
    return np.array(sorted(range(len(labels)), key=labels.__getitem__), dtype=np.int64)


def axis_labels(labels: Any, size: int, name: str) -> list[Any]:
    """Check that there is one distinct label for each entry along an axis."""
    if isinstance(labels, (str, bytes, Set, Mapping)) or not isinstance(labels, Iterable):
        raise TrialDataError(f"{name} must be a list of {plural(size, 'label')}, not {labels!r}.")
    out = [plain(label) for label in labels]
    if len(out) != size:
        raise TrialDataError(
            f"{name} must have one label for each of the {size} in the array, but has {len(out)}."
        )
    seen: set[Any] = set()
    for i, label in enumerate(out):
        if is_null(label):
            raise TrialDataError(f"{name} must not hold None or NaN, but entry {i} does.")
        try:
            known = label in seen
        except TypeError:
            raise TrialDataError(
                f"{name} must hold text or numbers, but entry {i} is {label!r}."
            ) from None
        if known:
            raise TrialDataError(f"The label {label!r} occurs more than once in {name}.")
        seen.add(label)
    return out


def wanted(chosen: Any, names: tuple[str, ...], role: str) -> set[str]:
    """Give the labels asked for, which must all occur."""
    single = isinstance(chosen, (str, bytes)) or not isinstance(chosen, Iterable)
    labels = set(map(label_of, [chosen] if single else chosen))
    known = set(names)
    for name in sorted(labels - known):
        raise TrialDataError(
            f"There is no {role} {name!r}{suggest(name, names)}. "
            + (f"The {role}s are: {listed(names, 20)}." if names else f"There are no {role}s.")
        )
    return labels
