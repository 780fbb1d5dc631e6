"""HELM: per_instance_stats.json and run_spec.json of each run."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..exceptions import TrialDataError
from ..trials import Trials
from ._fields import NEAR, Malformed, get, items, label, mapping, need, number, passes
from ._files import MAX_BYTES, Paths, read_json
from ._records import Named, Reading

FLAGS = frozenset({"name", "robustness", "fairness", "computed_on"})
ORIGINAL = "original"


def recognise(data: Any) -> bool:
    """Say whether a parsed JSON file is of this format."""
    return (
        isinstance(data, list)
        and bool(data)
        and isinstance(data[0], Mapping)
        and {"instance_id", "stats"} <= set(data[0])
    )


def read_helm(
    path: Paths,
    *,
    metric: str = "exact_match",
    threshold: float | None = None,
    system: Named = None,
    missing: str = "raise",
    on_duplicate: str = "raise",
    malformed: str = "raise",
    max_bytes: int = MAX_BYTES,
) -> Trials:
    """Read statistics of instances from runs of HELM.

    Trials are draws of the examples in the prompt (`train_trial_index`). Perturbed instances are
    conditions beside "original". An instance without the metric has no outcome: HELM drops values
    that are no numbers.

    Parameters
    ----------
    path : str, path or list of these
        File, folder with files called per_instance_stats.json, or glob pattern. The run_spec.json
        beside a file is read, too.
    metric : str, default "exact_match"
        Statistic that says success.
    threshold : float, optional
        Least value that is a success; without it values must be 0 or 1.
    system : str or callable of a path, optional
        Name of the system; by default the model of the run.
    missing : {"raise", "drop", "failure", "bounds"}, default "raise"
        What to do with trials that have no outcome; see `Trials.from_frame`.
    on_duplicate : {"raise", "last", "first", "renumber"}, default "raise"
        What to do with an instance whose system, condition and trial occurred before.
    malformed : {"raise", "skip"}, default "raise"
        What to do with a record that is not of this format.
    max_bytes : int, default 2**29
        Largest file that is read.

    Returns
    -------
    Trials
        Tasks are called "scenario/instance", and the scenario is the group. With a report:
        `trials.report()`.

    Raises
    ------
    TrialDataError
        If a file or record is not of this format, no instance has the metric, records repeat, or
        outcomes are unknown without a policy.
    ArgumentError
        If an argument is not allowed.

    References
    ----------
    Liang et al. (2023), https://doi.org/10.48550/arXiv.2211.09110

    Examples
    --------
    >>> import json, pathlib, tempfile
    >>> rows = [{"instance_id": "id1", "train_trial_index": i,
    ...          "stats": [{"name": {"name": "exact_match"}, "count": 1, "mean": 1.0}]}
    ...         for i in range(2)]
    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> _ = (folder / "run_spec.json").write_text(
    ...     json.dumps({"name": "mmlu:model=m", "adapter_spec": {"model": "m"}}))
    >>> _ = (folder / "per_instance_stats.json").write_text(json.dumps(rows))
    >>> read_helm(folder).counts.to_frame()
      system      task  n  successes
    0      m  mmlu/id1  2          2
    """
    reading = Reading(
        "HELM",
        path,
        missing=missing,
        on_duplicate=on_duplicate,
        malformed=malformed,
        max_bytes=max_bytes,
    )
    seen: dict[str, None] = {}
    found = 0
    for file in reading.files("per_instance_stats.json"):
        with reading.header(file):
            rows = items(reading.json(file), "the file")
            spec = _spec(reading, file)
            scenario = _scenario(spec)
            name = reading.system(file, system, _system(spec))
        perturbed = any(get(row, "perturbation") for row in rows)
        for i, row in enumerate(rows):
            place = f"record {i}"
            with reading.record(file, place):
                derived = get(row, "perturbation.computed_on", "perturbed") != "perturbed"
                if derived:
                    reading.leave_out("records worked out from others")
                    continue
                value = _value(row, metric, seen)
                found += value is not None
                reading.add(
                    file,
                    place,
                    system=name,
                    task=f"{scenario}/{label(need(row, 'instance_id'), 'instance_id')}",
                    group=scenario,
                    condition=_condition(row) if perturbed else None,
                    trial=label(get(row, "train_trial_index", 0), "train_trial_index"),
                    success=None if value is None else _success(value, metric, threshold),
                    score=value,
                    error=None if value is not None else f"there is no {metric}",
                )
    if not found and seen:
        raise TrialDataError(
            f"No instance has the statistic {metric!r}. There are: {', '.join(seen)}. Name one "
            "with metric=."
        )
    return reading.trials()


def _spec(reading: Reading, file: Path) -> Any:
    """Read run_spec.json beside a file."""
    beside = file.with_name("run_spec.json")
    return read_json(beside, reading.max_bytes) if beside.is_file() else {}


def _system(spec: Any) -> str | None:
    """Name the model."""
    name = get(spec, "adapter_spec.model") or get(spec, "adapter_spec.model_deployment")
    return None if name is None else label(name, "the model")


def _scenario(spec: Any) -> str:
    """Name the scenario, with its arguments."""
    name = str(get(spec, "name", "scenario")).partition(":")[0]
    arguments = mapping(get(spec, "scenario_spec.args") or {}, "the scenario's args")
    parts = [f"{key}={value}" for key, value in sorted(arguments.items())]
    return f"{name}[{','.join(parts)}]" if parts else name


def _condition(row: Mapping[str, Any]) -> str:
    """Name the perturbation of an instance, with its settings."""
    perturbation = get(row, "perturbation")
    if not perturbation:
        return ORIGINAL
    name = label(need(perturbation, "name"), "the perturbation's name")
    extra = [f"{k}={v}" for k, v in sorted(perturbation.items()) if k not in FLAGS]
    return f"{name} ({', '.join(extra)})" if extra else name


def _value(row: Any, metric: str, seen: dict[str, None]) -> float | None:
    """Give the mean of a statistic, or None if it is not there; note the names seen."""
    values = []
    for stat in items(need(row, "stats"), "stats"):
        name = label(need(stat, "name.name"), "the name of a statistic")
        seen[name] = None
        if name == metric:
            values.append(number(need(stat, "mean"), metric))
    if len(set(values)) > 1:
        raise Malformed(f"there are {len(values)} values of {metric} that differ")
    return values[0] if values else None


def _success(value: float, metric: str, threshold: float | None) -> bool:
    """Turn a value into an outcome."""
    if threshold is not None:
        return passes(value, threshold)
    if abs(value) > NEAR and abs(value - 1) > NEAR:
        raise Malformed(f"{metric} is {value}, neither 0 nor 1: give threshold=")
    return value > 0.5
