"""Plan evaluations: what designs tell, where to run next, what is noise, when to stop."""

from .contest import Contest, trials_needed
from .designs import Plan, plan
from .detectable import detectable_difference, tasks_needed
from .floor import noise_floor
from .next import next_trials
from .sequential import Verdict, e_value, sequential_verdict
from .split import split_budget

__all__ = [
    "Contest",
    "Plan",
    "Verdict",
    "detectable_difference",
    "e_value",
    "next_trials",
    "noise_floor",
    "plan",
    "sequential_verdict",
    "split_budget",
    "tasks_needed",
    "trials_needed",
]
