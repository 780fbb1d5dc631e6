"""How long a task may be before a system fails: horizons by length of task."""

from .compared import HorizonComparison, compare_horizons
from .model import Horizon
from .posterior import HorizonPosterior

__all__ = ["Horizon", "HorizonComparison", "HorizonPosterior", "compare_horizons"]
