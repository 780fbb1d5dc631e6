"""Capability and structural reliability of AI systems, from repeated trials.

The names below are loaded when they are first used (PEP 562), so that importing the package costs
little more than importing NumPy.
"""

from __future__ import annotations

import importlib
from typing import Any

from ._version import __version__

_HOMES = {
    "comparison": "compare Comparison rank Ranking reversals zones",
    "estimands": (
        "SuccessRate PassAtK PassHatK Gap Persistence Recovery Disagreement ICC GPassAtK "
        "MeanGPassAtK Reach FlickerMass Dependable Estimand Contrast Degradation Retention "
        "WorstCondition HeterogeneityAcrossConditions"
    ),
    "estimators": "estimate",
    "exceptions": (
        "ReliabilityStatsError TrialDataError ArgumentError ModelError ReliabilityStatsWarning "
        "MissingExtraError ConvergenceWarning IdentifiabilityWarning ExclusionWarning"
    ),
    "extrapolation": "model_range",
    "fitting": "fit",
    "claims": "claim Claim",
    "flicker": "Flags Grader flag_flicker minimal_trials LocalFit local_fit singular",
    "history": (
        "ChangePoint ChangePosterior Drift DriftPosterior MarkovPersistence MarkovPosterior "
        "Monitor monitor Regressions regressions"
    ),
    "horizon": "Horizon HorizonComparison HorizonPosterior compare_horizons",
    "leaderboard": "Leaderboard bounds reconstruct",
    "model_comparison": "compare_models",
    "models": "Beta BetaBinomial Crossed GridMixture LogitNormal SpikeSlab",
    "planning": "next_trials noise_floor plan Plan",
    "identification": "identified_set",
    "instruments": "Tolerance zero_failure_trials",
    "posterior": "Posterior",
    "read": (
        "ReadReport read_report read_agentrelbench read_evalpower read_hal read_harbor read_helm "
        "read_inspect read_jsonl read_junit read_lm_eval read_metr read_swe_bench read_table "
        "read_tau2 read_tau2_leaderboard read_tau_bench read_terminal_bench"
    ),
    "report": "table",
    "scores": "ScoreModel ScorePosterior estimate_scores",
    "serial": "exchangeability Exchangeability",
    "simulation": "simulate Simulation",
    "trials": "Trials Counts",
}
_HOME_OF = {name: module for module, names in _HOMES.items() for name in names.split()}
_MODULES = (
    *("calibration", "comparison", "compat", "datasets", "history", "instruments", "intervals"),
    *("leaderboard", "models", "planning", "plots", "read", "report"),
)

__all__ = [*sorted(_HOME_OF), *_MODULES, "__version__"]  # noqa: PLE0604


def __getattr__(name: str) -> Any:
    """Load a public name on first use."""
    if name in _HOME_OF:
        value = getattr(importlib.import_module(f"{__name__}.{_HOME_OF[name]}"), name)
    elif name in _MODULES:
        value = importlib.import_module(f"{__name__}.{name}")
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """List the public names."""
    return list(__all__)
