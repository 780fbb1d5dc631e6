"""The JSON schema of a claim's record, and its check without a validator."""

from __future__ import annotations

from typing import Any

from .exceptions import ArgumentError

NUMBER = {"type": ["number", "null"]}
TEXT = {"type": "string"}
COUNT = {"type": "integer", "minimum": 0}
FIELDS: dict[str, dict[str, Any]] = {
    "estimand": TEXT,
    "definition": {
        "type": "object",
        "required": ["class", "parameters"],
        "properties": {"class": TEXT, "parameters": {"type": "object"}},
    },
    "system": TEXT,
    "condition": {"type": ["string", "null"]},
    "value": NUMBER,
    "lower": NUMBER,
    "upper": NUMBER,
    "prob": {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1},
    "interval": TEXT,
    "identified": {"enum": ["yes", "model", "bounds", "no"]},
    "over": {"enum": ["population", "observed"]},
    "method": {"enum": ["posterior", "design-based"]},
    "model": {"type": ["object", "null"]},
    "n_tasks": COUNT,
    "n_trials": COUNT,
    "trials_per_task": {"type": "array", "items": COUNT, "minItems": 2, "maxItems": 2},
    "missing_policy": {"enum": ["raise", "drop", "failure", "success", "bounds"]},
    "n_missing": COUNT,
    "not_observed": {"type": "array", "items": TEXT},
    "fingerprint": {"type": "string", "pattern": "^[0-9a-f]{64}$"},
    "version": TEXT,
}
SCHEMA: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "$id": "urn:reliability_stats:claim:1",
    "title": "Reliability claim",
    "description": "What repeated trials show of one system, and what was not observed.",
    "type": "object",
    "properties": {"schema": {"const": "urn:reliability_stats:claim:1"}, **FIELDS},
    "required": ["schema", *FIELDS],
    "additionalProperties": False,
}
KINDS: dict[str, tuple[type, ...]] = {
    "number": (int, float),
    "integer": (int,),
    "string": (str,),
    "object": (dict,),
    "array": (list,),
    "null": (type(None),),
}


def check_record(record: Any) -> None:
    """Refuse what is no valid record, naming the first field at fault."""
    if not isinstance(record, dict):
        raise ArgumentError(f"A claim must be a JSON object, not {type(record).__name__}.")
    for name in SCHEMA["required"]:
        if name not in record:
            raise ArgumentError(f"The claim has no field {name!r}.")
    for name in record:
        if name not in SCHEMA["properties"]:
            raise ArgumentError(f"The claim has an unknown field {name!r}.")
    for name, rule in SCHEMA["properties"].items():
        _check(record[name], rule, name)


def _check(value: Any, rule: dict[str, Any], name: str) -> None:
    """Check one value against one rule of the schema."""
    shown = f"The claim's field {name!r} is {value!r}"
    if "const" in rule and value != rule["const"]:
        raise ArgumentError(f"{shown}; it must be {rule['const']!r}.")
    if "enum" in rule and value not in rule["enum"]:
        raise ArgumentError(f"{shown}; it must be one of {', '.join(map(repr, rule['enum']))}.")
    if "type" in rule:
        allowed = [rule["type"]] if isinstance(rule["type"], str) else rule["type"]
        kinds = tuple(kind for word in allowed for kind in KINDS[word])
        if not isinstance(value, kinds) or (isinstance(value, bool) and "boolean" not in allowed):
            raise ArgumentError(f"{shown}; it must be of type {' or '.join(allowed)}.")
    if isinstance(value, (int, float)):
        low, over, under = (
            rule.get(key) for key in ("minimum", "exclusiveMinimum", "exclusiveMaximum")
        )
        ok = (low is None or value >= low) and (over is None or value > over)
        if not ok or (under is not None and not value < under) or value != value:
            raise ArgumentError(f"{shown}, which is out of range.")
    if "pattern" in rule:
        import re

        if not re.search(rule["pattern"], value):
            raise ArgumentError(f"{shown}; it must match {rule['pattern']}.")
    if "minItems" in rule and not rule["minItems"] <= len(value) <= rule["maxItems"]:
        raise ArgumentError(f"{shown}; it must have {rule['minItems']} entries.")
    for item in value if "items" in rule else ():
        _check(item, rule["items"], name)
    for key, inner in rule.get("properties", {}).items() if name != "schema" else ():
        if key not in value:
            raise ArgumentError(f"{shown}; it must have {key!r}.")
        _check(value[key], inner, f"{name}.{key}")
