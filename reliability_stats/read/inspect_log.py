"""Inspect AI logs: JSON here, `.eval` archives with inspect_ai where zip does not suffice."""

from __future__ import annotations

import importlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from string import Formatter
from typing import Any

from .._counts import plural
from ..exceptions import ArgumentError, MissingExtraError, TrialDataError
from ..trials import Trials
from ._fields import Malformed, get, items, label, mapping, moment, need, number, passes, short
from ._files import MAX_BYTES, Paths, parse_json
from ._records import Named, Reading
from ._zip import archive, member, readable

GRADES = {"C": 1.0, "P": 0.5, "I": 0.0, "N": 0.0}
WORDS = {"yes": 1.0, "true": 1.0, "no": 0.0, "false": 0.0}
OPERATOR = "operator"
PLANNED = "planned, but not there"
OUTCOME = ("scores", "error", "error_retries", "limit", "invalidation")
SAMPLE = ("id", "epoch", *OUTCOME, "completed_at", "metadata")


def recognise(data: Any) -> bool:
    """Say whether a parsed JSON file is of this format."""
    return isinstance(data, Mapping) and isinstance(get(data, "eval.model"), str)


@dataclass(frozen=True)
class Choice:
    """What to take from samples."""

    scorer: str | None
    threshold: float
    condition: tuple[str, ...]
    group: str | None


def read_inspect(
    path: Paths,
    *,
    scorer: str | None = None,
    threshold: float = 1.0,
    system: Named = "{model}",
    condition: str | Sequence[str] | None = None,
    group: str | None = None,
    missing: str = "raise",
    on_duplicate: str = "raise",
    malformed: str = "raise",
    max_bytes: int = MAX_BYTES,
) -> Trials:
    """Read logs of Inspect AI; epochs are trials.

    Grades C, P, I and N count as 1, 0.5, 0 and 0, as in Inspect. A sample that broke has no score:
    it is an infrastructure error, also in a log whose status is "success". A sample that reached a
    limit and was not scored is a failure of the agent. Samples that the log planned but does not
    hold are missing. Of several logs of one task id, as retries leave, the newest is read.

    Parameters
    ----------
    path : str, path or list of these
        File, folder with .json and .eval files, or glob pattern. Archives packed with Zstandard
        need the extra `inspect` before Python 3.14.
    scorer : str, optional
        Scorer that says success; needed if there are several. "scorer.key" is a key of a score
        with several values.
    threshold : float, default 1.0
        Least value that is a success.
    system : str or callable of a path, default "{model}"
        Name of the system; in braces, fields of the log's `eval`, or `solver`: "{model}",
        "{model} {solver}", "{metadata.system}", "{task_args.variant}".
    condition : str or list of str, optional
        Field or fields that tell conditions apart, of the log's `eval` or else of a sample, such
        as "task_args.variant" or "metadata.family".
    group : str, optional
        Field of the group, likewise; by default the task of the log.
    missing : {"raise", "drop", "failure", "bounds"}, default "raise"
        What to do with trials that have no outcome; see `Trials.from_frame`.
    on_duplicate : {"raise", "last", "first", "renumber"}, default "raise"
        What to do with a sample whose system, condition and epoch occurred before.
    malformed : {"raise", "skip"}, default "raise"
        What to do with a sample that is not of this format.
    max_bytes : int, default 2**29
        Largest file that is read, unpacked.

    Returns
    -------
    Trials
        Tasks are called "task/sample". With an account: `trials.report()`.

    Raises
    ------
    TrialDataError
        If a log is not of this format, a scorer must be named, samples repeat, or outcomes are
        unknown without a policy.
    ArgumentError
        If an argument is not allowed.
    ImportError
        If an archive needs inspect_ai.

    Warns
    -----
    ExclusionWarning
        If samples are invalidated, or belong to a log that was retried.

    Examples
    --------
    >>> import json, pathlib, tempfile
    >>> samples = [{"id": "q", "epoch": i + 1, "scores": {"match": {"value": grade}}}
    ...            for i, grade in enumerate("CI")]
    >>> log = {"eval": {"model": "openai/m", "task": "toy"}, "status": "success",
    ...        "samples": samples}
    >>> file = pathlib.Path(tempfile.mkdtemp()) / "log.json"
    >>> _ = file.write_text(json.dumps(log))
    >>> read_inspect(file).counts.to_frame()
         system   task  n  successes
    0  openai/m  toy/q  2          1
    """
    reading = Reading(
        "Inspect",
        path,
        missing=missing,
        on_duplicate=on_duplicate,
        malformed=malformed,
        max_bytes=max_bytes,
    )
    reading.duplicate_hint = (
        "Fields that may tell the logs apart go into the name or the condition: "
        "system='{model} {metadata.name}', condition='task_args.variant'."
    )
    conditions = (condition,) if isinstance(condition, str) else tuple(condition or ())
    choice = Choice(scorer, threshold, conditions, group)
    for file, log in _newest(reading, list(_logs(reading))):
        with reading.header(file):
            name = system
            if isinstance(system, str):
                name = _filled(system, log)
            common = {"system": reading.system(file, name, None)}
            samples = log.get("samples")
            if samples is None:
                raise Malformed("it holds no samples; it may be a header, or log_samples was off")
            samples = items(samples, "samples")
            picked = _scorer(samples, choice.scorer)
        planned = _planned(log)
        again = sum(bool(get(sample, "error_retries")) for sample in samples)
        if again:
            reading.choose(
                f"{file}: {plural(again, 'sample')} run again after an error; last counts"
            )
        if log.get("invalidated") is True:
            reading.leave_out("invalidated samples", len(samples))
            continue
        for i, sample in enumerate(samples):
            place = f"samples[{i}]"
            with reading.record(file, place):
                planned.discard(_add(reading, file, place, common, log, sample, picked, choice))
        for one, epoch in sorted(planned):
            with reading.record(file, PLANNED):
                values = _fields(log, {}, one, choice, strict=False)
                reading.add(file, PLANNED, **common, **values, trial=epoch, success=None)
    return reading.trials()


def _logs(reading: Reading) -> Iterator[tuple[Path, Mapping[str, Any]]]:
    """Give the logs of all files."""
    for file in reading.files("*.json", "*.eval"):
        data = _archive(reading, file) if file.suffix == ".eval" else reading.json(file)
        with reading.header(file):
            mapping(need(data, "eval"), "eval")
        samples = data.get("samples")
        if isinstance(samples, list):
            samples = [_slim(sample) for sample in samples]
        kept = {name: data.get(name) for name in ("eval", "plan", "invalidated", "status")}
        yield file, {**kept, "samples": samples}


def _slim(sample: Any) -> Any:
    """Keep the fields of a sample that are needed; its messages may be large."""
    if not isinstance(sample, Mapping):
        return sample
    return {name: sample[name] for name in SAMPLE if name in sample}


def _archive(reading: Reading, file: Path) -> Any:
    """Read an .eval archive."""
    reading.read[file] = None
    limit = reading.max_bytes
    with archive(file, limit) as opened:
        if readable(opened):
            names = [info.filename for info in opened.infolist()]
            start = "header.json" if "header.json" in names else "_journal/start.json"
            if start not in names:
                raise TrialDataError(f"{file}: not an Inspect log: there is no header.json.")
            log = parse_json(member(opened, start, file, limit), f"{file}, {start}")
            samples = [name for name in names if name.startswith("samples/")]
            return {
                **mapping(log, start),
                "samples": [
                    parse_json(member(opened, name, file, limit), f"{file}, {name}")
                    for name in samples
                ],
            }
    try:
        inspect_ai: Any = importlib.import_module("inspect_ai.log")
    except ImportError:
        raise MissingExtraError(
            f"{file}: this archive is packed with Zstandard. Install the extra that reads it, pip "
            "install 'reliability_stats[inspect]', or turn it into JSON with: inspect log convert "
            f"--to json --output-dir json {file.name}"
        ) from None
    try:
        log = inspect_ai.read_eval_log(str(file))
    except Exception as error:  # inspect_ai raises what its parsers raise
        raise TrialDataError(f"{file}: inspect_ai cannot read it: {error}.") from error
    return parse_json(log.model_dump_json(exclude_none=True), str(file))


def _newest(
    reading: Reading, logs: list[tuple[Path, Mapping[str, Any]]]
) -> Iterator[tuple[Path, Mapping[str, Any]]]:
    """Give the newest log of each task id; a retry takes over what its forerunner finished."""
    newest: dict[str, tuple[str, int]] = {}
    for i, (path, log) in enumerate(logs):
        task_id = get(log, "eval.task_id")
        key = str(path) if task_id is None else f"{task_id} {get(log, 'eval.model')}"
        newest[key] = max(newest.get(key, ("", -1)), (str(get(log, "eval.created")), i))
    kept = {i for _, i in newest.values()}
    for i, (file, log) in enumerate(logs):
        if i in kept:
            if log["status"] not in (None, "success"):
                reading.choose(f"{file} has the status {log['status']!r}")
            yield file, log
        else:
            older = log.get("samples")
            number_of = len(older) if isinstance(older, list) else 0
            reading.leave_out("samples of logs that were retried", number_of)


def _filled(template: str, log: Mapping[str, Any]) -> str:
    """Fill the fields of a name; only plain fields, so that a template is text and no code."""
    parts = []
    try:
        pieces = list(Formatter().parse(template))
    except ValueError as error:
        raise ArgumentError(f"system={template!r} cannot be filled: {error}.") from None
    for text, field, form, conversion in pieces:
        parts.append(text)
        if field is None:
            continue
        if form or conversion or "[" in field:
            raise ArgumentError(f"system={template!r}: only plain fields such as {{model}}.")
        value = _solver(log) if field == "solver" else need(log["eval"], field)
        parts.append("" if value is None else label(value, field))
    return "".join(parts).strip()


def _solver(log: Mapping[str, Any]) -> str | None:
    """Name the solver: as given, or by the steps of the plan."""
    given = get(log, "eval.solver")
    if given is not None:
        return str(given)
    steps = get(log, "plan.steps") or []
    return "+".join(str(get(step, "solver")) for step in items(steps, "plan.steps")) or None


def _scorer(samples: list[Any], wanted: str | None) -> str | None:
    """Settle the scorer: the one named, or the only one; None if nothing was scored."""
    names: dict[str, None] = {}
    for sample in samples:
        scores = get(sample, "scores") or {}
        names |= dict.fromkeys(mapping(scores, "scores"))
    if wanted is not None:
        if names and wanted not in names and wanted.split(".")[0] not in names:
            raise Malformed(f"there is no scorer {wanted!r}, only {', '.join(names)}")
        return wanted
    if len(names) > 1:
        raise Malformed(f"there are the scorers {', '.join(names)}: name one with scorer=")
    return next(iter(names), None)


def _planned(log: Mapping[str, Any]) -> set[tuple[str, int]]:
    """List the samples and epochs that the log was to hold."""
    ids, epochs = get(log, "eval.dataset.sample_ids"), get(log, "eval.config.epochs") or 1
    if not isinstance(ids, list) or not isinstance(epochs, int) or not 0 < epochs <= 10_000:
        return set()
    names = [str(one) for one in ids if isinstance(one, (str, int))]
    return {(name, epoch) for name in names for epoch in range(1, epochs + 1)}


def _add(
    reading: Reading,
    file: Path,
    place: str,
    common: dict[str, Any],
    log: Mapping[str, Any],
    sample: Any,
    scorer: str | None,
    choice: Choice,
) -> tuple[str, int]:
    """Add one sample, and give its id and epoch."""
    name = label(need(sample, "id"), "id")
    epoch = int(number(get(sample, "epoch", 1), "epoch"))
    if get(sample, "invalidation") is not None:
        reading.leave_out("invalidated samples")
        return name, epoch
    value = _value(sample, scorer)
    error, limit = get(sample, "error"), get(sample, "limit.type")
    success = None if value is None else passes(value, choice.threshold)
    status = "ok"
    if error is not None and value is None:
        status = "infra_error"
    elif limit == OPERATOR and value is None:
        status = "missing"
    elif limit is not None and not success:
        status = "agent_failure"
    reading.add(
        file,
        place,
        **common,
        **_fields(log, sample, name, choice, strict=True),
        trial=epoch,
        success=success,
        status=status,
        score=value,
        error=get(error, "message") or (None if limit is None else f"limit: {limit}"),
        time=moment(get(sample, "completed_at")),
    )
    return name, epoch


def _fields(
    log: Mapping[str, Any], sample: Any, name: str, choice: Choice, *, strict: bool
) -> dict[str, Any]:
    """Give task, condition and group of a sample; leniently where the sample is not there."""
    task = str(get(log, "eval.task") or "task")

    def field(path: str) -> str:
        value = get(log["eval"], path)
        value = get(sample, path) if value is None else value
        if value is None and strict:
            raise Malformed(f"neither the log's eval nor the sample has {path!r}")
        if value is None:
            return "none"
        return value if isinstance(value, str) else json.dumps(value, sort_keys=True)

    return {
        "task": f"{task}/{name}",
        "condition": " / ".join(map(field, choice.condition)) or None,
        "group": task if choice.group is None else field(choice.group),
    }


def _value(sample: Mapping[str, Any], scorer: str | None) -> float | None:
    """Give the score as a number, or None if there is none."""
    if scorer is None:
        return None
    scores = get(sample, "scores") or {}
    score = scores.get(scorer)
    if score is None and "." in scorer:
        head, _, key = scorer.rpartition(".")
        score = scores.get(head)
        value = None if score is None else need(mapping(need(score, "value"), "value"), key)
    else:
        value = None if score is None else need(score, "value")
    if value is None:
        return None
    if isinstance(value, str):
        word = value.strip()
        if word in GRADES or word.lower() in WORDS:
            return GRADES.get(word, WORDS.get(word.lower()))
        try:
            value = float(word)
        except ValueError:
            raise Malformed(f"the score {short(value)} is no grade and no number") from None
    if isinstance(value, (Mapping, list)):
        keys = f": name one with scorer='{scorer}.key'" if isinstance(value, Mapping) else ""
        raise Malformed(f"the score {short(value)} has several values{keys}")
    return number(value, "score")
