"""Results that agree digit for digit with other software, for comparison with its figures."""

from __future__ import annotations

import importlib
from typing import Any

_HOMES = {
    "bayes": "bayes_at_n bayes_at_n_summary BayesAtN",
    "evalpower": (
        "audit_miss AuditMiss beta_binomial_moments MomentFit demonstrably_stochastic "
        "runs_needed zero_failure_upper_bound"
    ),
    "hal": ("hal_consistency hal_outcome_consistency hal_predictability Predictability"),
    "hal_ratio": "hal_robustness hal_robustness_ratio RobustnessRatio",
    "hal_traces": (
        "hal_trajectory_consistency hal_resource_consistency hal_overall_consistency hal_safety "
        "HalSafety"
    ),
    "metr": "metr_fit metr_horizons MetrFit",
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
