"""Numbers of tasks and trials, and what they cost."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from .._validation import check_positive_int
from ..estimands import Estimand
from ..exceptions import ArgumentError

Design = tuple[int, int, float]
"""Tasks, trials a task, cost."""


def listed(values: Any, name: str) -> list[int]:
    """Accept one number or several."""
    if isinstance(values, Iterable) and not isinstance(values, (str, bytes)):
        out = [check_positive_int(value, name) for value in values]
        if not out:
            raise ArgumentError(f"{name} is empty; give at least one number.")
        return list(dict.fromkeys(out))
    return [check_positive_int(values, name)]


def check_costs(cost_task: Any, cost_trial: Any) -> None:
    """Refuse costs that are no finite numbers of at least 0."""
    for name, value in (("cost_task", cost_task), ("cost_trial", cost_trial)):
        if not isinstance(value, (int, float)) or not 0 <= value < np.inf:
            raise ArgumentError(f"{name} must be a finite number of at least 0, not {value!r}.")


def check_budget(budget: Any) -> None:
    """Refuse a budget that is no finite number above 0."""
    if not isinstance(budget, (int, float)) or not 0 < budget < np.inf:
        raise ArgumentError(f"budget must be a finite number above 0, not {budget!r}.")


def affordable(budget: float, k: int, cost_task: float, cost_trial: float) -> int:
    """Give the number of tasks with k trials each that a budget pays for."""
    each = cost_task + k * cost_trial
    if not each > 0:
        raise ArgumentError("With a budget, a task must cost something.")
    number = int(budget / each + 1e-9)
    if number < 1:
        raise ArgumentError(
            f"A budget of {budget:g} does not pay for one task with {k} trials, which costs "
            f"{each:g}."
        )
    return number


def designs(
    tasks: Any, trials: Any, budget: float | None, cost_task: float, cost_trial: float
) -> Iterator[Design]:
    """Give tasks, trials and cost of every design."""
    check_costs(cost_task, cost_trial)
    if tasks is None and budget is None:
        raise ArgumentError("Give tasks=..., or budget=... to spend on as many as it pays for.")
    if budget is not None:
        check_budget(budget)
    for k in listed(trials, "trials"):
        each = cost_task + k * cost_trial
        if tasks is None and budget is not None:
            number = affordable(budget, k, cost_task, cost_trial)
            yield number, k, number * each
            continue
        for number in listed(tasks, "tasks"):
            if budget is None or number * each <= budget:
                yield number, k, number * each


def identified(estimand: Estimand, k: int) -> str:
    """Say what an interval rests on with k trials a task."""
    if k >= estimand.degree:
        return "yes"
    return "no" if k == 1 else "model"
