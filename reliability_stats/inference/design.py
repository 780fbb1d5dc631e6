"""Warnings of what a crossed design leaves to the priors."""

from __future__ import annotations

import warnings

from ..exceptions import IdentifiabilityWarning
from ..models._crossed_layout import Layout


def warn_of_design(layout: Layout, stacklevel: int = 4) -> None:
    """Warn of conditions without common tasks, and of systems that share none."""
    counts = layout.counts
    faults = []
    if layout.unpaired:
        faults.append(
            f"under condition {layout.unpaired[0]!r} no system was run on a task that it was also "
            f"run on under the baseline {layout.levels[0]!r} ({len(layout.unpaired)} of "
            f"{layout.n_shifted} conditions), so the difference is not paired: it rests on the "
            "tasks of both being alike. Run the same tasks under both"
        )
    if counts.n_tasks > 1 and "task" not in layout.effects:
        many = counts.n_systems > 1 or len(layout.levels) > 1
        if many:
            faults.append(
                "no task was run in two units, so tasks have no effects of their own: systems "
                "are compared as if their tasks were alike"
            )
    if faults:
        warnings.warn(
            f"The design leaves something to the priors: {'. Also, '.join(faults)}.",
            IdentifiabilityWarning,
            stacklevel=stacklevel,
        )
