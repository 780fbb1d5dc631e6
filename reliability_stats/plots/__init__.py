"""Plots: each takes a posterior (or its own data), ``ax=None``, and returns the Axes.

Every plot has a data function of the same name with ``_data`` appended: what is drawn, as a
DataFrame, without matplotlib.
"""

from __future__ import annotations

import importlib
from typing import Any

_HOMES = {
    "_after_outcome": "after_outcome after_outcome_data",
    "_capability_reliability": "capability_reliability capability_reliability_data",
    "_drift": "drift_bands drift_bands_data",
    "_ecdf_difference": "ecdf_difference ecdf_difference_data",
    "_intervals_of": "intervals_of intervals_of_data",
    "_flicker_map": "flicker_map flicker_map_data",
    "_model_range": "model_range model_range_data",
    "_monitor": "monitor_path monitor_path_data",
    "_pass_curves": "pass_curves pass_curves_data",
    "_regression_map": "regression_map regression_map_data",
    "_rootogram": "rootogram rootogram_data",
    "_style": "style",
    "_task_map": "task_map task_map_data",
    "_workflow_steps": "workflow_steps workflow_steps_data",
    "_persistence_curve": "persistence_curve persistence_curve_data",
    "_rank_lines": "rank_lines rank_lines_data",
    "_zones": "zones zones_data",
}
_HOME_OF = {name: module for module, names in _HOMES.items() for name in names.split()}

__all__ = sorted(_HOME_OF)  # noqa: PLE0605


def __getattr__(name: str) -> Any:
    """Load a plot on first use."""
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{_HOME_OF[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """List the public names."""
    return list(__all__)
