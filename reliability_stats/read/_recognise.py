"""Which format a log has, by the content of its files."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..exceptions import TrialDataError
from . import (
    evalpower,
    hal,
    harbor,
    helm,
    inspect_log,
    lm_eval,
    metr,
    swe_bench,
    tau2,
    tau_bench,
    terminal_bench,
)
from ._files import Paths, find, read_json
from ._tables import ARROW, CSV, PARQUET, suffix

JSON: dict[str, Callable[[Any], bool]] = {
    "tau_bench": tau_bench.recognise,
    "tau2": tau2.recognise,
    "terminal_bench": terminal_bench.recognise,
    "harbor": harbor.recognise,
    "hal": hal.recognise,
    "swe_bench": swe_bench.recognise,
    "helm": helm.recognise,
    "inspect": inspect_log.recognise,
}
LINES: dict[str, Callable[[Any], bool]] = {
    "lm_eval": lm_eval.recognise,
    "metr": metr.recognise,
    "agentrelbench": evalpower.recognise,
}
ROOT = re.compile(rb"<testsuites?[\s>/]")
HEAD = 2**20
SAME_KIND = 5
GENERIC = ("jsonl", "table")


def recognise(path: Paths, max_bytes: int) -> str:
    """Name the one format that the files of a path have."""
    files = find(path, ("*",))
    kinds: Counter[str] = Counter()
    votes: dict[str, Path] = {}
    for file in files:
        kind = file.name if suffix(file) == ".json" else suffix(file)
        kinds[kind] += 1
        if kinds[kind] <= SAME_KIND:
            name = _classify(file, max_bytes)
            if name is not None:
                votes.setdefault(name, file)
    special = {name: file for name, file in votes.items() if name not in GENERIC}
    found = special or votes
    if len(found) == 1:
        return next(iter(found))
    if not found:
        raise TrialDataError(
            f"No known format in {len(files)} files, such as {files[0]}. Name one with format=, or "
            "use read_table or read_jsonl with columns=."
        )
    each = ", ".join(f"{name} ({file})" for name, file in found.items())
    raise TrialDataError(f"Several formats are there: {each}. Name one with format=.")


def _classify(file: Path, max_bytes: int) -> str | None:
    """Name the format of one file, or None."""
    ending = suffix(file)
    if ending == ".eval":
        return "inspect"
    if ending in CSV + PARQUET + ARROW and ending != ".txt":
        return "table"
    if ending == ".xml":
        with file.open("rb") as stream:
            return "junit" if ROOT.search(stream.read(4096)) else None
    if ending in (".jsonl", ".ndjson"):
        return _one(file, LINES, _first_line(file)) or "jsonl"
    return _one(file, JSON, read_json(file, max_bytes)) if ending == ".json" else None


def _first_line(file: Path) -> Any:
    """Parse the first line of JSON Lines; None if that cannot be done."""
    if file.suffix == ".gz":
        return None
    with file.open("rb") as stream:
        line = stream.readline(HEAD).lstrip(b"\xef\xbb\xbf")
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None


def _one(file: Path, tests: dict[str, Callable[[Any], bool]], data: Any) -> str | None:
    """Name the one format whose test the content passes."""
    names = [name for name, test in tests.items() if test(data)]
    if len(names) > 1:
        raise TrialDataError(f"{file} may be {' or '.join(names)}. Name one with format=.")
    return names[0] if names else None
