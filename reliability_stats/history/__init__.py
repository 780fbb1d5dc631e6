"""Questions about change: over periods, between versions, along a stream, in a run of trials."""

from __future__ import annotations

import importlib
from typing import Any

_HOMES = {
    "change_point": "ChangePoint",
    "change_posterior": "ChangePosterior",
    "_watch": "cusum_run_length",
    "drift": "Drift",
    "drift_posterior": "DriftPosterior",
    "stream": "Monitor monitor monitor_from_json",
    "versions": "Regressions regressions",
    "markov": "MarkovPersistence",
    "markov_posterior": "MarkovPosterior",
}
_HOME_OF = {name: module for module, names in _HOMES.items() for name in names.split()}

__all__ = sorted(_HOME_OF)  # noqa: PLE0605


def __getattr__(name: str) -> Any:
    """Load a name on first use."""
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{_HOME_OF[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """List the public names."""
    return list(__all__)
