"""lm-evaluation-harness: samples_*.jsonl of each task, with results_*.json beside them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..exceptions import TrialDataError
from ..trials import Trials
from ._fields import NEAR, Malformed, get, items, label, moment, need, number, passes
from ._files import MAX_BYTES, Paths, read_json
from ._records import Named, Reading

FILE_NAME = re.compile(r"samples_(?P<task>.+)_(?P<stamp>[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9.:-]+)")
RESULTS = "results_{}.json"
Scorer = Callable[[Any, Any], bool]


def recognise(record: Any) -> bool:
    """Say whether the first record of JSON Lines is of this format."""
    return isinstance(record, Mapping) and {"doc_id", "resps", "filtered_resps"} <= set(record)


@dataclass(frozen=True)
class Choice:
    """Which results of a row to take."""

    metric: str | None
    filter: str | None
    scorer: Scorer | None
    threshold: float


def read_lm_eval(
    path: Paths,
    *,
    metric: str | None = None,
    filter: str | None = None,  # noqa: A002
    scorer: Scorer | None = None,
    threshold: float = 1.0,
    system: Named = None,
    missing: str = "raise",
    on_duplicate: str = "raise",
    malformed: str = "raise",
    max_bytes: int = MAX_BYTES,
) -> Trials:
    """Read samples logged by the lm-evaluation-harness.

    With `repeats` the harness asks each question several times, but scores what a filter leaves.
    A filter that keeps all repeats gives the mean of a metric, hence the number of successes
    (their order is not known). A filter that takes the first scores one repeat only; such rows
    are refused unless a `scorer` scores every repeat. Separate runs are further trials.

    Parameters
    ----------
    path : str, path or list of these
        File, folder with files called samples_*.jsonl, or glob pattern.
    metric : str, optional
        Metric that says success; needed if the rows have several.
    filter : str, optional
        Filter whose rows to take; needed if there are several.
    scorer : callable of (response, target), optional
        Function that is true for a success, applied to every repeat instead of a metric.
    threshold : float, default 1.0
        Least value of the metric that is a success, for a single response.
    system : str or callable of a path, optional
        Name of the system; by default the model in results_*.json beside the file, else the name
        of the folder.
    missing : {"raise", "drop", "failure", "bounds"}, default "raise"
        What to do with trials that have no outcome; see `Trials.from_frame`.
    on_duplicate : {"raise", "last", "first", "renumber"}, default "raise"
        What to do with a document whose system, task and run occurred before.
    malformed : {"raise", "skip"}, default "raise"
        What to do with a line that is not of this format.
    max_bytes : int, default 2**29
        Largest file that is read.

    Returns
    -------
    Trials
        Tasks are called "task/doc_id", and the task is the group. With a report:
        `trials.report()`.

    Raises
    ------
    TrialDataError
        If a line is not of this format, a metric or filter must be named, repeats cannot be
        scored, one doc_id stands for two documents, or records repeat.
    ArgumentError
        If an argument is not allowed.

    References
    ----------
    Biderman et al. (2024), https://doi.org/10.48550/arXiv.2405.14782

    Examples
    --------
    >>> import json, pathlib, tempfile
    >>> row = {"doc_id": 0, "target": "1", "resps": [["1", "2", "1"]], "filter": "none",
    ...        "filtered_resps": [["1", "2", "1"]], "metrics": ["em"], "em": 2 / 3}
    >>> folder = pathlib.Path(tempfile.mkdtemp()) / "model"
    >>> folder.mkdir()
    >>> file = folder / "samples_add_2026-01-01T00-00-00.0.jsonl"
    >>> _ = file.write_text(json.dumps(row))
    >>> read_lm_eval(file).counts.to_frame()
      system   task  n  successes
    0  model  add/0  3          2
    """
    reading = Reading(
        "lm-evaluation-harness",
        path,
        missing=missing,
        on_duplicate=on_duplicate,
        malformed=malformed,
        max_bytes=max_bytes,
    )
    choice = Choice(metric, filter, scorer, threshold)
    documents: dict[str, str] = {}
    for file in reading.files("samples_*.jsonl"):
        match = FILE_NAME.fullmatch(file.stem)
        task, stamp = (match["task"], match["stamp"]) if match else (file.stem, file.stem)
        results = _results(reading, file, stamp)
        name = get(results, "model_name")
        if not name and system is None:
            reading.choose(f"no {RESULTS.format(stamp)}: the system is the folder's name")
        common = {
            "system": reading.system(file, system, str(name) if name else file.parent.name or None),
            "group": task,
            "time": moment(get(results, "date")),
        }
        rows = list(reading.lines(file))
        chosen, used = _choose(reading, file, rows, choice)
        for place, row in chosen:
            with reading.record(file, place):
                _same_document(documents, task, row)
                _add(reading, file, place, common, stamp, row, used)
    return reading.trials()


def _results(reading: Reading, file: Path, stamp: str) -> Any:
    """Read results_*.json of the same run, if it is there."""
    beside = file.with_name(RESULTS.format(stamp))
    return read_json(beside, reading.max_bytes) if beside.is_file() else None


def _choose(
    reading: Reading, file: Path, rows: list[tuple[str, Any]], choice: Choice
) -> tuple[list[tuple[str, Any]], Choice]:
    """Take the rows of one filter, and settle the metric."""
    filters = {str(get(row, "filter")): None for _, row in rows}
    one = choice.filter
    if one is None and len(filters) > 1 and choice.scorer is None:
        raise TrialDataError(
            f"{file}: there are rows of the filters {', '.join(filters)}. Name one with filter=."
        )
    one = next(iter(filters), None) if one is None else one
    if filters and one not in filters:
        raise TrialDataError(f"{file}: no row of the filter {one!r}, only {', '.join(filters)}.")
    chosen = [(place, row) for place, row in rows if str(get(row, "filter")) == one]
    reading.leave_out("rows of other filters", len(rows) - len(chosen), asked=True)
    metric = choice.metric
    if metric is None and choice.scorer is None:
        given = [get(row, "metrics") for _, row in chosen]
        named = [name for names in given if isinstance(names, list) for name in names]
        metrics = dict.fromkeys(map(str, named))
        if len(metrics) > 1:
            raise TrialDataError(
                f"{file}: the rows have the metrics {', '.join(metrics)}. Name one with metric=."
            )
        metric = next(iter(metrics), None)
    reading.choose(
        f"filter {one!r}, " + ("scored by scorer" if choice.scorer else f"metric {metric!r}")
    )
    return chosen, Choice(metric, one, choice.scorer, choice.threshold)


def _same_document(documents: dict[str, str], task: str, row: Any) -> None:
    """Refuse one doc_id for two documents, as when versions of a task are mixed."""
    key = f"{task}/{label(need(row, 'doc_id'), 'doc_id')}"
    digest = get(row, "doc_hash")
    if digest is not None and documents.setdefault(key, str(digest)) != str(digest):
        raise Malformed(f"{key} is another document than in an earlier file: its doc_hash differs")


def _add(
    reading: Reading,
    file: Path,
    place: str,
    common: dict[str, Any],
    stamp: str,
    row: Mapping[str, Any],
    choice: Choice,
) -> None:
    """Add the repeats of one document."""
    task = f"{common['group']}/{label(need(row, 'doc_id'), 'doc_id')}"
    for i, (success, score) in enumerate(_outcomes(row, choice)):
        reading.add(
            file,
            place,
            **common,
            task=task,
            trial=f"{stamp}/{i}",
            success=success,
            score=score,
        )


def _outcomes(row: Mapping[str, Any], choice: Choice) -> list[tuple[bool | None, float | None]]:
    """Give success and score of each repeat."""
    responses = [items(one, "a request's responses") for one in items(need(row, "resps"), "resps")]
    repeats = len(responses[0]) if responses else 0
    if choice.scorer is not None:
        if len(responses) != 1:
            raise Malformed(
                f"there are {len(responses)} requests for one document; scorer needs one"
            )
        target = need(row, "target")
        return [(bool(choice.scorer(one, target)), None) for one in responses[0]]
    if choice.metric is None:
        raise Malformed("there is no metric; give scorer=")
    value = need(row, choice.metric)
    if value is None:
        return [(None, None)]
    score = number(value, choice.metric)
    kept = items(need(row, "filtered_resps"), "filtered_resps")
    if repeats == 1:
        if choice.threshold == 1.0 and not (abs(score) <= NEAR or abs(score - 1) <= NEAR):
            raise Malformed(f"{choice.metric} is {score}, neither 0 nor 1: give threshold=")
        return [(passes(score, choice.threshold), score)]
    if len(kept) == 1 and isinstance(kept[0], list) and len(kept[0]) == repeats:
        wins = score * repeats
        if abs(wins - round(wins)) > NEAR * repeats or not 0 <= round(wins) <= repeats:
            raise Malformed(
                f"{choice.metric} is {score}, no mean of {repeats} outcomes of 0 or 1: give scorer="
            )
        return [(i < round(wins), None) for i in range(repeats)]
    raise Malformed(
        f"there are {repeats} repeats, but the filter {choice.filter!r} scored only one of them: "
        "name a filter that keeps all with filter=, or give scorer="
    )
