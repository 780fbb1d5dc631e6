"""Which column of a table plays which role: as the user says, or by common names."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from .._validation import suggest
from ..exceptions import ArgumentError, TrialDataError
from ._fields import Malformed, flag, label, moment, number, passes, short
from ._records import STATUSES

Columns = Mapping[str, str | Sequence[str] | None]

COMMON = {
    "system": "system system_id model model_id model_name agent agent_name",
    "task": "task task_id task_name instance_id sample_id question_id problem_id item_id item",
    "success": "success is_success passed is_passed correct is_correct resolved is_resolved solved",
    "trial": "trial trial_id run run_id epoch attempt repetition repeat rep",
    "condition": "condition perturbation variant",
    "n": "n n_trials trials n_runs runs total",
    "successes": "successes n_successes n_success passes n_passed",
}
KEYS = ("system", "task", "trial", "condition", "group")
ROLES = (*KEYS, "success", "time", "length", "score", "status")
BLANK = frozenset({"", "nan", "none", "null", "na", "n/a", "<na>"})
WORDS = {
    word: outcome
    for outcome, words in (
        (True, "true t yes y pass passed success succeeded correct resolved"),
        (False, "false f no n fail failed failure incorrect unresolved"),
    )
    for word in words.split()
}


def assign(
    given: Columns | None, available: Sequence[str], roles: Iterable[str], *, nested: bool = False
) -> tuple[dict[str, list[str]], list[str]]:
    """Give the columns of each role, and the roles whose column was guessed."""
    given = {} if given is None else given
    roles = list(roles)
    if not isinstance(given, Mapping):
        raise ArgumentError(f"columns must map roles to column names, not {given!r}.")
    found: dict[str, list[str]] = {}
    guessed = []
    for role in given:
        if role not in roles:
            raise ArgumentError(
                f"There is no role {role!r} in columns{suggest(role, roles)}. The roles are "
                f"{', '.join(roles)}."
            )
    for role in roles:
        if role in given:
            chosen = given[role]
            names = [] if chosen is None else [chosen] if isinstance(chosen, str) else [*chosen]
            for name in names:
                if name not in available and not (nested and name.split(".")[0] in available):
                    raise TrialDataError(
                        f"There is no column {name!r} for {role}{suggest(name, available)}. The "
                        f"columns are: {', '.join(available)}."
                    )
            found[role] = names
        elif role in COMMON:
            found[role] = _guess(role, available)
            guessed += [role] if found[role] else []
    return found, guessed


def _guess(role: str, available: Sequence[str]) -> list[str]:
    """Find the one column with a common name for a role."""
    names = COMMON[role].split()
    hits = [name for name in available if name.strip().lower() in names]
    if len(hits) > 1:
        raise TrialDataError(
            f"Several columns may be the {role}: {', '.join(hits)}. Name one with "
            f"columns={{{role!r}: {hits[0]!r}}}, or give None for none."
        )
    return hits


def require(
    found: Mapping[str, list[str]], given: Columns | None, role: str, available: Sequence[str]
) -> None:
    """Refuse a table without a column that is needed; a system may be given as None."""
    if role == "system" and given is not None and given.get("system", "") is None:
        return
    if not found.get(role):
        one = (
            "; if all rows belong to one system, columns={'system': None}"
            if role == "system"
            else ""
        )
        raise TrialDataError(
            f"No column has a common name for the {role}; the columns are: "
            f"{', '.join(available) or 'none'}. Name it with columns={{{role!r}: ...}}{one}."
        )


def described(found: dict[str, list[str]], guessed: list[str]) -> str:
    """Say which column was read as what."""
    parts = [
        f"{role} from {' and '.join(repr(name) for name in names)}"
        + (" (guessed)" if role in guessed else "")
        for role, names in found.items()
        if names
    ]
    return ", ".join(parts)


def is_blank(value: Any) -> bool:
    """Say whether a value is absent: null, NaN, empty text or a word for these."""
    if isinstance(value, str):
        return value.strip().lower() in BLANK
    return value is None or (isinstance(value, float) and value != value)


def outcome(value: Any, threshold: float | None) -> bool | None:
    """Read an outcome: truth values, 0 and 1, their words, or a score and a threshold."""
    if is_blank(value):
        return None
    if isinstance(value, str):
        word = value.strip().lower()
        if threshold is None and word in WORDS:
            return WORDS[word]
        value = as_number(value)
    if threshold is not None:
        return passes(number(value, "the outcome"), threshold)
    return flag(value, "the outcome")


def as_number(value: Any) -> Any:
    """Turn text that writes a number into it."""
    if isinstance(value, str):
        try:
            return float(value)
        except ValueError:
            raise Malformed(f"{short(value)} is not a number or an outcome") from None
    return value


def keys_by_role(
    values: Mapping[str, list[Any]], found: Mapping[str, list[str]], errors: dict[int, str]
) -> dict[str, list[Any]]:
    """Turn columns into labels, several of one role into one; note what is wrong in which row."""
    out: dict[str, list[Any]] = {}
    for role in KEYS:
        names = found.get(role) or []
        parts = [convert(values[name], _labeller(role, name), errors) for name in names]
        if len(parts) == 1:
            out[role] = parts[0]
        elif parts:
            joint = zip(*parts, strict=True)
            out[role] = [None if None in one else " / ".join(one) for one in joint]
    return out


def by_role(
    values: Mapping[str, list[Any]], found: Mapping[str, list[str]], threshold: float | None
) -> tuple[dict[str, list[Any]], dict[int, str]]:
    """Turn columns into roles; give also what is wrong in which row."""
    errors: dict[int, str] = {}
    out = keys_by_role(values, found, errors)
    column = {role: values[names[0]] for role, names in found.items() if names}
    out["success"] = convert(column["success"], lambda one: outcome(one, threshold), errors)
    if threshold is not None:
        column.setdefault("score", column["success"])
    for role, function in (("score", _number), ("length", _number), ("time", _time)):
        if role in column:
            out[role] = convert(column[role], function, errors)
    if "status" in column:
        out["status"] = convert(column["status"], _status, errors)
    return out, errors


def convert(values: list[Any], function: Callable[[Any], Any], errors: dict[int, str]) -> list[Any]:
    """Apply a function to each value, once for equal values; note what it refuses."""
    known: dict[Any, Any] = {}
    out: list[Any] = []
    for i, value in enumerate(values):
        key: Any = (value.__class__, value)
        try:
            out.append(known[key])
            continue
        except KeyError:
            pass
        except TypeError:
            key = None
        try:
            result = function(value)
        except Malformed as error:
            errors.setdefault(i, str(error))
            out.append(None)
            continue
        if key is not None:
            known[key] = result
        out.append(result)
    return out


def _labeller(role: str, name: str) -> Callable[[Any], str | None]:
    """Make a function that gives labels; only a group may be absent."""

    def give(value: Any) -> str | None:
        if not _absent(value):
            return _label(value, role)
        if role == "group":
            return None
        raise Malformed(f"there is no {role} in {name!r}")

    return give


def _number(value: Any) -> float | None:
    """Give a number, or None for nothing."""
    return None if is_blank(value) else number(as_number(value), "the number")


def _absent(value: Any) -> bool:
    """Say whether a label is absent; "none" and "nan" may be labels."""
    if isinstance(value, str):
        return not value.strip()
    return is_blank(value)


def _label(value: Any, role: str) -> str:
    """Give a label; truth values and numbers may be labels of tables."""
    if isinstance(value, (bool, float)) and value == value:
        return str(value) if isinstance(value, bool) or not value.is_integer() else str(int(value))
    return label(value, role)


def _time(value: Any) -> Any:
    """Give a time, or None for nothing; text that is no time is malformed."""
    if is_blank(value):
        return None
    if isinstance(value, str) and value.strip().replace(".", "", 1).isdigit():
        value = float(value)
    value = value.isoformat() if hasattr(value, "isoformat") else value
    time = moment(value)
    if time is None:
        raise Malformed(f"{short(value)} is not a time")
    return time


def _status(value: Any) -> str:
    """Give a status; empty is ok."""
    word = "ok" if is_blank(value) else str(value).strip()
    if word not in STATUSES:
        raise Malformed(f"the status {short(value)} is none of {', '.join(STATUSES)}")
    return word


def statuses_known(values: Iterable[Any]) -> bool:
    """Say whether a column holds nothing but our words for statuses, and at least one of them."""
    words = {str(value).strip() for value in values if not is_blank(value)}
    return bool(words) and words <= set(STATUSES)


def whole(value: Any, name: str) -> int:
    """Give a count."""
    result = number(as_number(value), name)
    if result != int(result) or result < 0:
        raise Malformed(f"{name} must be an integer of at least 0, not {short(value)}")
    return int(result)
