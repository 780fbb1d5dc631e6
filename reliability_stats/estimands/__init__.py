"""Frozen definitions of what is estimated; each can evaluate itself three ways."""

from .base import Estimand, MeanFunction, TaskMean
from .moments import (
    Disagreement,
    Gap,
    GPassAtK,
    MeanGPassAtK,
    PassAtK,
    PassHatK,
    SuccessRate,
)
from .ratios import ICC, Persistence, Recovery
from .thresholds import Dependable, FlickerMass, Reach

__all__ = [
    "ICC",
    "Dependable",
    "Disagreement",
    "Estimand",
    "FlickerMass",
    "GPassAtK",
    "Gap",
    "MeanFunction",
    "MeanGPassAtK",
    "PassAtK",
    "PassHatK",
    "Persistence",
    "Reach",
    "Recovery",
    "SuccessRate",
    "TaskMean",
]
