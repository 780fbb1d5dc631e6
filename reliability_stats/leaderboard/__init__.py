"""What published figures alone say about reliability: no more, and no less."""

from .bounds import bounds
from .frame import Leaderboard
from .moments import beta_through, mean_bounds, two_moment_bounds
from .reconstruct import reconstruct

__all__ = [
    "Leaderboard",
    "beta_through",
    "bounds",
    "mean_bounds",
    "reconstruct",
    "two_moment_bounds",
]
