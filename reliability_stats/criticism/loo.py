"""Leave-one-task-out prediction, labelled."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from .._counts import IntArray, plural
from .._numerics import FloatArray
from ..inference.checks import LeftOut
from ..trials import Counts, Trials
from ._ask import checkable

if TYPE_CHECKING:
    import pandas as pd

ALL = "all systems"
"""Label where the cells of several systems leave together."""
PARETO_LIMIT = 0.7


@dataclass(frozen=True, eq=False, repr=False)
class LeaveOneOut:
    """How well a model predicts a task that it has not seen; made by `Posterior.loo`.

    Attributes
    ----------
    table : pandas.DataFrame
        One row for each system, or one for all where systems share tasks: system, tasks, elpd (sum
        of log predictive densities of the tasks, each given all others), se (standard error over
        tasks), p_loo (effective number of parameters), pareto_k (the worst; empty where densities
        are exact).
    pointwise : pandas.DataFrame
        One row for each task of each system, or for each task where systems share tasks: system,
        task, elpd, inside (log density given all tasks, itself included), pareto_k.
    elpd, se : float
        Sum over everything, and its standard error, over tasks.
    """

    table: pd.DataFrame
    pointwise: pd.DataFrame
    elpd: float
    se: float

    def __repr__(self) -> str:
        """Give the total and the table."""
        exact = self.pointwise["pareto_k"].isna().all()
        how = "exact" if exact else "by Pareto-smoothed importance sampling"
        head = f"Leave-one-task-out, {how}: elpd {self.elpd:.2f} (se {self.se:.2f})"
        bad = int((self.pointwise["pareto_k"] > PARETO_LIMIT).sum())
        if bad:
            head += f"\n  unreliable: {plural(bad, 'task')} with Pareto k above {PARETO_LIMIT}"
        return f"{head}\n{self.table.to_string(index=False)}"


def leave_one_out(trials: Trials, engine: Any) -> LeaveOneOut:
    """Label the left-out densities of an engine; see `Posterior.loo`."""
    import pandas as pd

    counts = trials.counts
    left = checkable(engine, "leave_out", "loo").leave_out()
    groups = len(left.outside)
    first = np.empty(groups, dtype=np.int64)
    first[left.group[::-1]] = np.arange(counts.n_cells)[::-1]
    unit = counts.unit[first]
    shared = np.zeros(groups, dtype=bool)
    np.logical_or.at(shared, left.group, counts.unit != unit[left.group])
    together = bool(shared.any())
    unit = np.zeros_like(unit) if together else unit
    labels = (ALL,) if together else counts.units
    pointwise = _pointwise(counts, left, first, np.array(labels, dtype=object)[unit])
    rows = [_row(label, left, unit == i) for i, label in enumerate(labels)]
    tasks = counts.task[first]
    total = np.bincount(tasks, weights=left.outside, minlength=counts.n_tasks).astype(float)
    table = pd.DataFrame(rows)
    return LeaveOneOut(table, pointwise, float(total.sum()), standard_error(total))


def _pointwise(counts: Counts, left: LeftOut, first: IntArray, labels: Any) -> pd.DataFrame:
    """Label each group by its unit and the task of its first cell."""
    import pandas as pd

    return pd.DataFrame(
        {
            "system": labels,
            "task": np.array(counts.tasks, dtype=object)[counts.task[first]],
            "elpd": left.outside,
            "inside": left.inside,
            "pareto_k": left.pareto_k,
        }
    )


def _row(label: str, left: LeftOut, mask: np.ndarray) -> dict[str, Any]:
    """Sum the groups of a mask."""
    outside, k = left.outside[mask], left.pareto_k[mask]
    return {
        "system": label,
        "tasks": int(mask.sum()),
        "elpd": float(outside.sum()),
        "se": standard_error(outside),
        "p_loo": float((left.inside[mask] - outside).sum()),
        "pareto_k": float("nan") if np.isnan(k).all() else float(np.nanmax(k)),
    }


def standard_error(values: FloatArray) -> float:
    """Give the standard error of a sum of independent terms; NaN for a single one."""
    if len(values) < 2:
        return float("nan")
    return float(np.sqrt(len(values)) * values.std(ddof=1))
