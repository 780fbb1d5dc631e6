"""Take fields out of untrusted records: the type is checked, or the record is malformed."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from numbers import Real
from typing import Any

NEAR = 1e-6


class Malformed(Exception):  # noqa: N818
    """A record is not what its format says; caught where the record is read."""


def get(record: Any, path: str, default: Any = None) -> Any:
    """Follow a dotted path through nested objects; a key that itself has dots comes first."""
    if not isinstance(record, Mapping):
        return default
    if path in record:
        return record[path]
    head, _, rest = path.partition(".")
    return get(record[head], rest, default) if rest and head in record else default


def need(record: Any, path: str) -> Any:
    """Follow a dotted path that must be there."""
    missing = object()
    value = get(record, path, missing)
    if value is missing:
        if not isinstance(record, Mapping):
            raise Malformed(f"an object was expected, not {short(record)}")
        raise Malformed(f"there is no {path!r}; it has {', '.join(map(str, record)) or 'nothing'}")
    return value


def short(value: Any) -> str:
    """Write a value for a message, cut if long."""
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def mapping(value: Any, name: str) -> Mapping[str, Any]:
    """Give an object."""
    if not isinstance(value, Mapping):
        raise Malformed(f"{name} must be an object, not {short(value)}")
    return value


def items(value: Any, name: str) -> list[Any]:
    """Give a list."""
    if not isinstance(value, list):
        raise Malformed(f"{name} must be a list, not {short(value)}")
    return value


def label(value: Any, name: str) -> str:
    """Give a label as text: text that is not empty, or an integer."""
    if isinstance(value, str) and value.strip():
        if not value.isascii() and any("\ud800" <= mark <= "\udfff" for mark in value):
            raise Malformed(f"{name} holds half a character: {value!a}")
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return str(int(value))
    raise Malformed(f"{name} must be text or an integer, not {short(value)}")


def number(value: Any, name: str) -> float:
    """Give a finite number; true is 1 and false is 0."""
    if isinstance(value, Real):
        try:
            result = float(value)
        except OverflowError:
            result = math.inf
        if math.isfinite(result):
            return result
    raise Malformed(f"{name} must be a number, not {short(value)}")


def maybe_number(value: Any, name: str) -> float | None:
    """Give a finite number, or None for null."""
    return None if value is None else number(value, name)


def flag(value: Any, name: str) -> bool:
    """Give true or false, also from a number within 1e-6 of 1 or 0."""
    if isinstance(value, Real):
        result = number(value, name)
        if abs(result) <= NEAR or abs(result - 1) <= NEAR:
            return result > 0.5
    raise Malformed(f"{name} must be true, false, 1 or 0, not {short(value)}")


def moment(value: Any) -> datetime | None:
    """Give a time in UTC from ISO text, or seconds or milliseconds since 1970, or else None.

    A time without a zone is taken as UTC: logs of one machine keep their order. Times that pandas
    cannot hold to the nanosecond are none.
    """
    try:
        if isinstance(value, str) and value.strip():
            time = datetime.fromisoformat(value.strip())
            time = time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
        elif isinstance(value, (int, float)) and value is not True and value is not False:
            seconds = float(value)
            seconds = seconds / 1000 if abs(seconds) > 1e11 else seconds
            time = datetime.fromtimestamp(seconds, UTC)
        else:
            return None
    except (ValueError, OverflowError, OSError):
        return None
    return time if 1678 <= time.year <= 2261 else None


def passes(value: float, threshold: float) -> bool:
    """Say whether a score reaches a threshold, but for rounding."""
    return value >= threshold - NEAR
