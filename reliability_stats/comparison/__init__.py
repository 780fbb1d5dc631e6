"""Comparing systems: differences, ranks, reversals and zones, on both axes at once."""

from .closed_form import beta_greater
from .pairs import Comparison, compare
from .ranking import Ranking, rank
from .reversal import reversals
from .zone import ZONES, zones

__all__ = [
    "ZONES",
    "Comparison",
    "Ranking",
    "beta_greater",
    "compare",
    "rank",
    "reversals",
    "zones",
]
