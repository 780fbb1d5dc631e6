"""Instruments of deployment: incidents, workflows, postmortems, escalations, users, tolerances.

Every instrument reads a table of its own, which is checked in one way for all, and gives intervals
in the schema that all results share where its quantities are rates or probabilities.
"""

from __future__ import annotations

import importlib
from typing import Any

_HOMES = {
    "_gamma_poisson": "zero_incident_upper",
    "demonstration": "Decision SequentialTest zero_failure_trials zero_failure_upper",
    "fixes": "FixEffect fix_effect",
    "growth": "IncidentGrowth incident_growth",
    "incident_posterior": "IncidentPosterior",
    "incident_rates": "IncidentRates",
    "incident_tolerance": "IncidentTolerance",
    "incidents": "Incidents",
    "escalations": "Escalation EscalationPosterior",
    "friction": "Friction FrictionEstimate",
    "postmortem_posterior": "PostmortemPosterior",
    "postmortems": "Postmortem",
    "session_hazard": "SessionHazard SessionHazardPosterior",
    "severity": "Severity",
    "severity_posterior": "SeverityPosterior",
    "task_mix": "Standardised standardise",
    "users": "Users",
    "users_posterior": "UsersPosterior",
    "workflows": "Workflow",
    "workflow_posterior": "WorkflowPosterior",
    "reporting": "ReportedIncidents reported_incidents",
    "safety": "AuditMiss SafetyAudit SafetyPosterior",
    "tolerance": "Tolerance ToleranceCheck",
    "unseen": "UnseenClasses unseen_classes",
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
