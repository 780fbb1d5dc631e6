"""Published figures of the tau2-bench leaderboard: one submission.json a submission."""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .._validation import check_positive_int
from ..exceptions import ArgumentError, ExclusionWarning, TrialDataError
from ._fields import Malformed, get, label, mapping, need, number
from ._files import MAX_BYTES, Paths, find, read_json

if TYPE_CHECKING:
    import pandas as pd

N_TASKS = {"airline": 50, "retail": 114, "telecom": 114, "banking_knowledge": 97}
PASS_K = re.compile(r"pass_([1-9][0-9]?)")
EXAMPLE = "A_EXAMPLE"
COLUMNS = ("system", "benchmark", "metric", "k", "value", "n_tasks", "settings", "submission")


def read_tau2_leaderboard(
    path: Paths, *, n_tasks: Mapping[str, int] | None = None, max_bytes: int = MAX_BYTES
) -> pd.DataFrame:
    """Read submissions to the tau2-bench leaderboard into a table of figures.

    These are aggregates, not trials: pass^k of each domain, in percent. The files do not say how
    many trials a task had, nor how many tasks a domain has.

    Parameters
    ----------
    path : str, path or list of these
        File, folder with files called submission.json, or glob pattern.
    n_tasks : mapping of str to int, optional
        Number of tasks of each domain; by default those of the published domains.
    max_bytes : int, default 2**29
        Largest file that is read.

    Returns
    -------
    pandas.DataFrame
        One row a figure: system, benchmark, metric ("pass^k"), k, value (a fraction), n_tasks,
        settings (who submitted, when, and what else must be equal for figures to belong together)
        and submission (the folder). It is what `leaderboard.Leaderboard.from_frame` takes.

    Raises
    ------
    TrialDataError
        If a file is not of this format.
    ArgumentError
        If an argument is not allowed.

    Warns
    -----
    ExclusionWarning
        If examples of the format are left out.

    Examples
    --------
    >>> import json, pathlib, tempfile
    >>> file = pathlib.Path(tempfile.mkdtemp()) / "submission.json"
    >>> _ = file.write_text(json.dumps({"model_name": "Claude Opus 4.5",
    ...     "results": {"airline": {"pass_1": 84.0, "pass_2": 77.67}}}))
    >>> read_tau2_leaderboard(file)[["system", "benchmark", "k", "value", "n_tasks"]]
                system     benchmark  k   value  n_tasks
    0  Claude Opus 4.5  tau2/airline  1  0.8400       50
    1  Claude Opus 4.5  tau2/airline  2  0.7767       50
    """
    import pandas as pd

    check_positive_int(max_bytes, "max_bytes")
    if n_tasks is not None and not isinstance(n_tasks, Mapping):
        raise ArgumentError(f"n_tasks must map domains to numbers, not {n_tasks!r}.")
    sizes = {**N_TASKS, **(n_tasks or {})}
    rows: list[tuple[Any, ...]] = []
    examples = 0
    for file in find(path, ("submission.json",)):
        if file.parent.name.startswith(EXAMPLE):
            examples += 1
            continue
        data = read_json(file, max_bytes)
        try:
            rows += _figures(file, mapping(data, "the file"), sizes)
        except Malformed as error:
            raise TrialDataError(f"{file}: no submission to tau2-bench: {error}.") from None
    if examples:
        warnings.warn(
            f"Left out: {examples} examples of the format.", ExclusionWarning, stacklevel=2
        )
    if not rows:
        raise TrialDataError("No figure of the tau2-bench leaderboard was found.")
    return pd.DataFrame(rows, columns=list(COLUMNS)).astype({"n_tasks": "Int64"})


def _figures(
    file: Path, data: Mapping[str, Any], sizes: Mapping[str, int]
) -> list[tuple[Any, ...]]:
    """Give the figures of one submission."""
    system = label(need(data, "model_name"), "model_name")
    rows = []
    for domain, results in mapping(need(data, "results"), "results").items():
        if results is None:
            continue
        settings = _settings(data, results)
        for name, value in mapping(results, domain).items():
            match = PASS_K.fullmatch(name)
            if match is None or value is None:
                continue
            percent = number(value, f"{domain} {name}")
            if not 0 <= percent <= 100:
                raise Malformed(f"{domain} {name} must be a percentage, not {percent}")
            figure = float(Decimal(repr(percent)) / 100)
            k = int(match[1])
            size = sizes.get(domain)
            place = file.parent.name
            rows.append((system, f"tau2/{domain}", "pass^k", k, figure, size, settings, place))
    return rows


def _settings(data: Mapping[str, Any], results: Any) -> str:
    """Say what must be equal for figures to belong together."""
    parts = {
        "": get(data, "submitting_organization"),
        "on ": get(data, "submission_date"),
        "version ": get(data, "methodology.tau2_bench_version"),
        "user ": get(data, "methodology.user_simulator"),
        "effort ": get(data, "reasoning_effort"),
        "retrieval ": get(results, "retrieval_config"),
    }
    return ", ".join(f"{word}{value}" for word, value in parts.items() if value is not None)
