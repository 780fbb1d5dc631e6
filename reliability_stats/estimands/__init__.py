"""Frozen definitions of what is estimated; each can evaluate itself three ways."""

from .base import Estimand, MeanFunction, TaskMean
from .gpass import GPassAtK, MeanGPassAtK
from .moments import Disagreement, Gap, PassAtK, PassHatK, SuccessRate
from .ratios import ICC, Persistence, Recovery
from .scores import ScoreMean
from .thresholds import Dependable, FlickerMass, Reach
from .urn import Urn

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
    "ScoreMean",
    "SuccessRate",
    "TaskMean",
    "Urn",
]
