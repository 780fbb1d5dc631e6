"""Flickering competence: states of tasks, verdicts on systems, what the verdicts would hide."""

from ._flags import Flags, flag_flicker
from ._reference import minimal_trials
from ._states import Grader

__all__ = ["Flags", "Grader", "flag_flicker", "minimal_trials"]
