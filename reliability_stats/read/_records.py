"""One call of a reader: its files, the records found, and `Trials` with a report at the end."""

from __future__ import annotations

import logging
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from .._account import tally
from .._counts import plural
from .._outcomes import WHAT_MISSING_IS
from .._validation import check_choice, check_positive_int
from ..exceptions import ArgumentError, ExclusionWarning, TrialDataError
from ..trials import Trials
from ._fields import Malformed, label
from ._files import Paths, find, parse_json, read_json, read_text
from ._report import read_report

STATUSES = ("ok", "agent_failure", "infra_error", "grader_error", "missing")
WITHOUT_OUTCOME = STATUSES[2:]
POLICIES = ("raise", "drop", "failure", "bounds")
OPTIONAL = ("trial", "condition", "group", "time", "length", "score")
ROLES = ("system", "task", "success", "status", "error", "file", "place", *OPTIONAL)
DUPLICATES = ("raise", "last", "first", "renumber")
NO_CONDITION = "none"
ONE_SYSTEM = "system"
Named = str | Callable[[Path], str] | None

log = logging.getLogger("reliability_stats.read")


class Reading:
    """Collects the records of one call, and accounts for all of them."""

    def __init__(
        self,
        format: str,  # noqa: A002
        path: Paths,
        *,
        missing: str,
        on_duplicate: str,
        malformed: str,
        max_bytes: int,
    ) -> None:
        """Check the arguments that all readers have in common."""
        self.format = format
        self.path = path
        self.missing = check_choice(missing, POLICIES, "missing")
        self.on_duplicate = check_choice(on_duplicate, DUPLICATES, "on_duplicate")
        self.malformed = check_choice(malformed, ("raise", "skip"), "malformed")
        self.max_bytes = check_positive_int(max_bytes, "max_bytes")
        self.columns: dict[str, list[Any]] = {role: [] for role in ROLES}
        self.read: dict[Path, None] = {}
        self.cells: list[tuple[str, str, str | None, int, int, str]] = []
        self.left_out: Counter[str] = Counter()
        self.asked = {"duplicate", "malformed"}
        self.choices: list[str] = []
        self.duplicate_hint = ""

    def files(self, *patterns: str) -> list[Path]:
        """List the files of the path; in a folder, those whose names match."""
        return find(self.path, patterns)

    def json(self, file: Path) -> Any:
        """Read a JSON file."""
        self.read[file] = None
        return read_json(file, self.max_bytes)

    def text(self, file: Path) -> str:
        """Read a text file."""
        self.read[file] = None
        return read_text(file, self.max_bytes)

    def lines(self, file: Path) -> Iterator[tuple[str, Any]]:
        """Give place and value of each line of a JSON Lines file; empty lines are passed over."""
        for i, line in enumerate(self.text(file).split("\n"), 1):
            if line.strip():
                place = f"line {i}"
                try:
                    value = parse_json(line, f"{file}, {place}", lines=False)
                except TrialDataError as error:
                    if self.malformed == "raise":
                        raise
                    self.bad(file, place, str(error))
                    continue
                yield place, value

    @contextmanager
    def record(self, file: Path, place: str) -> Iterator[None]:
        """Refuse, or count as malformed, a record that is not what its format says."""
        before = len(self.columns["task"])
        try:
            yield
        except Malformed as error:
            for values in self.columns.values():
                del values[before:]
            self.bad(file, place, str(error))

    def bad(self, file: Path, place: str, why: str) -> None:
        """Refuse, or count, a record that is malformed."""
        if self.malformed == "raise":
            raise TrialDataError(
                f"{file}, {place}: no record of {self.format}: {why}. Mend it, or leave such "
                "records out with malformed='skip'."
            )
        log.info("left out: %s, %s: %s", file, place, why)
        self.left_out["malformed"] += 1

    @contextmanager
    def header(self, file: Path) -> Iterator[None]:
        """Refuse a file that is not what its format says; such a file is never passed over."""
        try:
            yield
        except Malformed as error:
            raise TrialDataError(f"{file}: no log of {self.format}: {error}.") from None

    def add(
        self,
        file: Path,
        place: str,
        *,
        system: str,
        task: Any,
        success: bool | None,
        status: str = "ok",
        trial: Any = None,
        **more: Any,
    ) -> None:
        """Keep one record; an outcome is given up where the status says that there is none."""
        row = {"score": None, "error": None, "condition": None, "group": None}
        row |= {"time": None, "length": None, **more}
        if status not in STATUSES:
            raise ValueError(status)
        if success is None and status == "ok":
            status = "missing"
        if success is None and status == "agent_failure":
            success = False
        values = {
            "system": label(system, "system"),
            "task": label(task, "task"),
            "trial": None if trial is None else label(trial, "trial"),
            "success": None if status in WITHOUT_OUTCOME or success is None else bool(success),
            "status": status,
            "file": file,
            "place": place,
            **row,
        }
        for role in ("condition", "group"):
            if values[role] is not None:
                values[role] = label(values[role], role)
        for role, column in self.columns.items():
            column.append(values[role])

    def extend(
        self,
        file: Path,
        places: list[str],
        roles: dict[str, list[Any]],
        errors: dict[int, str],
    ) -> None:
        """Keep many records, column by column, but for those with errors."""
        for row in sorted(errors):
            self.bad(file, places[row], errors[row])
        size = len(places)
        given = {"system": [ONE_SYSTEM] * size, "status": ["ok"] * size, **roles}
        status, success = given["status"], given["success"]
        given["status"] = [
            "missing" if o is None and s == "ok" else s
            for s, o in zip(status, success, strict=True)
        ]
        given["success"] = [
            None if s in WITHOUT_OUTCOME else False if o is None else o
            for s, o in zip(given["status"], success, strict=True)
        ]
        given |= {"file": [file] * size, "place": places}
        keep = [row for row in range(size) if row not in errors] if errors else None
        for role, column in self.columns.items():
            values = given.get(role) or [None] * size
            column.extend(values if keep is None else [values[row] for row in keep])

    def add_cell(
        self,
        file: Path,
        place: str,
        *,
        system: str,
        task: str,
        n: int,
        successes: int,
        condition: str | None = None,
    ) -> None:
        """Keep the counts of one cell."""
        if successes > n:
            raise Malformed(f"there are {successes} successes in {plural(n, 'trial')}")
        self.cells.append((system, task, condition, n, successes, f"{file}, {place}"))

    def leave_out(self, reason: str, number: int = 1, *, asked: bool = False) -> None:
        """Count records that are no trials to be counted; warn unless the user asked for it."""
        if number:
            self.left_out[reason] += number
            if asked:
                self.asked.add(reason)

    def choose(self, text: str) -> None:
        """Note a choice that the log leaves open."""
        if text not in self.choices:
            self.choices.append(text)

    def system(self, file: Path, given: Named, default: str | None) -> str:
        """Name the system: as the user says, or as the log does."""
        name = self.named(file, given, default, "system")
        if name is None:
            raise TrialDataError(
                f"{file}: the log does not name the system. Give system='name', or system= a "
                "function of the file's path."
            )
        return name

    def named(self, file: Path, given: Named, default: str | None, what: str) -> str | None:
        """Give a name that the user may give for all files, or work out from the path."""
        name = given(file) if callable(given) else given
        if name is None:
            return default
        if not isinstance(name, str) or not name.strip():
            raise ArgumentError(f"{what} must be text, or give text, not {name!r} for {file}.")
        return name

    def trials(self) -> Trials:
        """Apply the policies, and give the trials with their report."""
        self._settle_duplicates()
        columns = self.columns
        if any(columns["condition"]):
            columns["condition"] = [NO_CONDITION if c is None else c for c in columns["condition"]]
        outcomes = ("unknown" if s is None else "success" if s else "failure"
                    for s in columns["success"])  # fmt: skip
        self._check(Counter(zip(columns["status"], outcomes, strict=True)))
        self._warn()
        trials = Trials.from_frame(
            _frame(columns),
            status="status",
            missing=self.missing,
            **{role: role for role in OPTIONAL if any(v is not None for v in columns[role])},
        )
        return self.told(trials)

    def cell_trials(self) -> Trials:
        """Give trials read as counts, with their report."""
        import pandas as pd

        where: dict[Any, str] = {}
        for *key, _, _, place in self.cells:
            one = where.setdefault(tuple(key), place)
            if one != place:
                raise TrialDataError(
                    f"system {key[0]!r}, task {key[1]!r} is counted twice: in {one} and in "
                    f"{place}. Name a condition column, or add the counts up."
                )
        total = sum(cell[3] for cell in self.cells)
        if not total:
            raise TrialDataError(f"No trial is counted in {plural(len(self.read), 'file')}.")
        self._warn()
        names = ["system", "task", "condition", "n", "successes", "place"]
        table = pd.DataFrame(self.cells, columns=names)
        conditions = table["condition"].notna()
        table["condition"] = table["condition"].where(conditions, NO_CONDITION)
        trials = Trials.from_counts(table, condition="condition" if conditions.any() else None)
        return self.told(trials)

    def told(self, trials: Trials) -> Trials:
        """Give the trials with the format and files that they come from."""
        files, choices = tuple(map(str, self.read)), tuple(self.choices)
        source = replace(
            trials.source,
            format=self.format,
            files=files,
            left_out=dict(self.left_out),
            choices=choices,
        )
        told = replace(trials, source=source)
        log.info("%s", read_report(told))
        return told

    def _settle_duplicates(self) -> None:
        """Deal with records that have the key of an earlier one."""
        columns = self.columns
        unnumbered = columns["trial"].count(None)
        if unnumbered == len(columns["trial"]):
            return
        if unnumbered:
            row = columns["trial"].index(None)
            raise TrialDataError(
                f"{unnumbered} of {plural(len(columns['trial']), 'record')} have no trial, the "
                f"first in {columns['file'][row]}, {columns['place'][row]}, and the others have "
                "one. Read such files apart."
            )
        names = ("system", "task", "condition")
        cells = list(zip(*(columns[name] for name in names), strict=True))
        keys = list(zip(cells, columns["trial"], strict=True))
        first: dict[Any, int] = {}
        last: dict[Any, int] = {}
        for row, key in enumerate(keys):
            first.setdefault(key, row)
            last[key] = row
        extra = len(keys) - len(first)
        if not extra:
            return
        if self.on_duplicate == "raise":
            row = next(row for row, key in enumerate(keys) if first[key] != row)
            raise TrialDataError(self._duplicates(extra, first[keys[row]], row))
        if self.on_duplicate == "renumber":
            seen: Counter[Any] = Counter()
            for row, cell in enumerate(cells):
                columns["trial"][row] = str(seen[cell])
                seen[cell] += 1
            self.choose(f"{plural(extra, 'repeated record')} counted as further trials")
            return
        keep = sorted((first if self.on_duplicate == "first" else last).values())
        for role, values in columns.items():
            columns[role] = [values[row] for row in keep]
        self.left_out["duplicate"] += extra
        self.choose(f"of repeated records, the {self.on_duplicate} was kept")

    def _duplicates(self, extra: int, one: int, other: int) -> str:
        """Say which records repeat one another, and what can be done."""
        names = ("system", "task", "condition", "trial")
        what = ", ".join(
            f"{name} {self.columns[name][other]!r}"
            for name in names
            if self.columns[name][other] is not None
        )
        places = " and ".join(
            f"{self.columns['file'][row]}, {self.columns['place'][row]}" for row in (one, other)
        )
        hint = f" {self.duplicate_hint}" if self.duplicate_hint else ""
        return (
            f"{plural(extra, 'record')} of {len(self.columns['task'])} repeat an earlier one; the "
            f"first is {what}, in {places}. If they are copies or reruns, on_duplicate='last' or "
            "'first' keeps one of each; if all are trials, 'renumber' counts them; if they belong "
            f"to different systems, name these with system=.{hint}"
        )

    def _check(self, kept: Counter[tuple[str, str]]) -> None:
        """Refuse a reading without records, or with outcomes that no policy covers."""
        columns = self.columns
        if not columns["task"]:
            out = f" (left out: {tally(self.left_out)})" if self.left_out else ""
            raise TrialDataError(
                f"No {self.format} record in {plural(len(self.read), 'file')}{out}."
            )
        unknown = columns["success"].count(None)
        if not unknown or self.missing != "raise":
            return
        row = columns["success"].index(None)
        unknown_by = ((s, kept[s, o]) for s, o in sorted(kept, key=_rank) if o == "unknown")
        by_status = dict(unknown_by)
        error = columns["error"][row]
        why = f" ({_cut(error)})" if error else ""
        raise TrialDataError(
            f"{unknown} of {plural(len(columns['task']), 'trial')} have no outcome: "
            f"{tally(by_status)}. The first is system {columns['system'][row]!r}, task "
            f"{columns['task'][row]!r}, in {columns['file'][row]}, {columns['place'][row]}{why}. "
            f"{WHAT_MISSING_IS}"
        )

    def _warn(self) -> None:
        """Warn of records left out that the user did not ask to leave out."""
        unasked = {k: n for k, n in self.left_out.items() if k not in self.asked}
        if unasked:
            warnings.warn(
                f"Left out of the {self.format} log: {tally(unasked)}.",
                ExclusionWarning,
                stacklevel=4,
            )


def _rank(key: tuple[str, str]) -> tuple[int, str]:
    """Sort key of (status, outcome): most ordinary statuses first."""
    return STATUSES.index(key[0]), key[1]


def _cut(text: Any, most: int = 120) -> str:
    """Write an error in one line, cut if long."""
    line = " ".join(str(text).split())
    return line if len(line) <= most else f"{line[: most - 3]}..."


def _frame(columns: dict[str, list[Any]]) -> Any:
    """Make a table of the columns that have values."""
    import numpy as np
    import pandas as pd

    data: dict[str, Any] = {}
    for role in ("system", "task", "status", *OPTIONAL):
        values = columns[role]
        if role in ("score", "length"):
            data[role] = np.array([np.nan if v is None else v for v in values], dtype=float)
        elif role == "time":
            data[role] = pd.to_datetime(pd.Series(values, dtype=object), utc=True)
        else:
            data[role] = values
    outcome = [np.nan if v is None else float(v) for v in columns["success"]]
    data["success"] = np.array(outcome, dtype=float)
    return pd.DataFrame(data)
