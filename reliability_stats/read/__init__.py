"""Readers of evaluation logs, one file a format; calling the module recognises the format."""

from __future__ import annotations

import sys
from dataclasses import replace
from types import ModuleType
from typing import Any

from .._account import ReadReport
from .._validation import check_choice
from ..trials import Trials
from ._files import MAX_BYTES, Paths
from ._recognise import recognise
from ._report import read_report
from .evalpower import read_agentrelbench, read_evalpower
from .hal import read_hal
from .harbor import read_harbor
from .helm import read_helm
from .inspect_log import read_inspect
from .junit import read_junit
from .lm_eval import read_lm_eval
from .metr import read_metr
from .swe_bench import read_swe_bench
from .table import read_jsonl, read_table
from .tau2 import read_tau2
from .tau2_leaderboard import read_tau2_leaderboard
from .tau_bench import read_tau_bench
from .terminal_bench import read_terminal_bench

READERS = {
    reader.__name__.removeprefix("read_"): reader
    for reader in (
        read_agentrelbench,
        read_evalpower,
        read_hal,
        read_harbor,
        read_helm,
        read_inspect,
        read_jsonl,
        read_junit,
        read_lm_eval,
        read_metr,
        read_swe_bench,
        read_table,
        read_tau2,
        read_tau_bench,
        read_terminal_bench,
    )
}

__all__ = [
    "ReadReport",
    "read",
    "read_agentrelbench",
    "read_evalpower",
    "read_hal",
    "read_harbor",
    "read_helm",
    "read_inspect",
    "read_jsonl",
    "read_junit",
    "read_lm_eval",
    "read_metr",
    "read_report",
    "read_swe_bench",
    "read_table",
    "read_tau2",
    "read_tau2_leaderboard",
    "read_tau_bench",
    "read_terminal_bench",
]


def read(path: Paths, *, format: str | None = None, **options: Any) -> Trials:  # noqa: A002
    """Read logs of any known format into trials.

    The format is recognised by the content of the files, and named in the report. Tables and JSON
    Lines of no special format are read with columns found by common names.

    Parameters
    ----------
    path : str, path or list of these
        File, folder or glob pattern.
    format : str, optional
        Name of the format, such as "tau_bench": what follows ``read_`` in the name of its reader.
        Recognised by default.
    **options
        Arguments of the reader, such as ``missing="failure"``.

    Returns
    -------
    Trials
        With an account: `trials.report()`.

    Raises
    ------
    TrialDataError
        If no format or several are recognised, or as the reader says.
    ArgumentError
        If an argument is not allowed.
    TypeError
        If the reader has no such argument.

    Examples
    --------
    >>> import json, pathlib, tempfile
    >>> file = pathlib.Path(tempfile.mkdtemp()) / "m.json"
    >>> _ = file.write_text(json.dumps([{"task_id": 0, "trial": 0, "reward": 1.0, "info": {}}]))
    >>> trials = read(file)
    >>> read_report(trials).format
    'tau-bench'
    """
    if format is not None:
        return READERS[check_choice(format, READERS, "format")](path, **options)
    name = recognise(path, options.get("max_bytes", MAX_BYTES))
    trials = READERS[name](path, **options)
    told = f"format {name!r} was recognised by content"
    source = replace(trials.source, choices=(told, *trials.source.choices))
    return replace(trials, source=source)


class _Reader(ModuleType):
    """A module that reads when it is called, so that `read` is both its name and what it does."""

    def __call__(self, path: Paths, *, format: str | None = None, **options: Any) -> Trials:  # noqa: A002
        """Read logs of any known format into trials; see `read`."""
        return read(path, format=format, **options)


sys.modules[__name__].__class__ = _Reader
