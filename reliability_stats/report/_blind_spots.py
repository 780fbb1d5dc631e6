"""What repeated trials cannot show, and the instrument that would."""

from __future__ import annotations

from ..trials import Trials

BLIND_SPOTS = (
    (
        "time",
        "Drift over time",
        "a longitudinal trace of the same tasks",
        "No times were recorded.",
    ),
    (
        "condition",
        "Perturbed prompts, tool faults and other settings",
        "trials of the same tasks under named conditions",
        "All trials ran under one setting.",
    ),
    (
        "group",
        "Users, sites or repositories that differ",
        "trials grouped by who or what they were for",
        "No groups were named.",
    ),
    (
        "length",
        "How success falls with the length of a task",
        "task lengths",
        "No lengths were given.",
    ),
    ("", "Regressions between versions", "a regression history", ""),
    ("", "Handoffs between steps, and their retries", "a workflow audit", ""),
    ("", "Failures that come back in use", "an incident database with exposure", ""),
    ("", "Why it fails", "postmortems with labelled failure modes", ""),
    ("", "What an error costs, and who has to step in", "escalation logs with severities", ""),
    ("", "How much failure is acceptable", "a stated tolerance of the institution", ""),
    ("", "Errors of the grader", "an audited sample of grades", ""),
    ("", "Tasks that people stopped giving to the system", "a log of what was not tried", ""),
)
"""Column of the trials that would open the view (none: no table of trials can), what is not seen,
the instrument that would show it, and why it is not seen here."""


def blind_spots(trials: Trials) -> tuple[str, ...]:
    """Say what these trials leave out, one sentence each."""
    out = []
    for column, what, instrument, why in BLIND_SPOTS:
        if column and column in trials.columns:
            continue
        out.append(f"{what}: {instrument} would show it.{' ' + why if why else ''}")
    return tuple(out)


def seen_only_as_named(trials: Trials) -> tuple[str, ...]:
    """Say how far the columns that are there reach."""
    reach = {
        "condition": "Conditions are the ones chosen here; others may do more harm.",
        "time": "Times are those of these trials; nothing is said of what came before or after.",
        "group": "Groups are the ones named here; a new one may differ more.",
    }
    return tuple(text for column, text in reach.items() if column in trials.columns)
