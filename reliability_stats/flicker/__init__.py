"""Flickering competence: states of tasks, verdicts on systems, what the verdicts would hide."""

from ._flags import Flags, flag_flicker
from ._local import LocalFit, local_fit
from ._reference import minimal_trials
from ._singular import singular
from ._states import Grader

__all__ = ["Flags", "Grader", "LocalFit", "flag_flicker", "local_fit", "minimal_trials", "singular"]
