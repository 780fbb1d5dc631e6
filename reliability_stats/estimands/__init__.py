"""Frozen definitions of what is estimated; each can evaluate itself three ways."""

from .base import Estimand, MeanFunction, TaskMean
from .contrasts import Contrast
from .gpass import GPassAtK, MeanGPassAtK
from .moments import Disagreement, Gap, PassAtK, PassHatK, SuccessRate
from .perturbation import (
    Degradation,
    HeterogeneityAcrossConditions,
    Retention,
    WorstCondition,
)
from .ratios import ICC, Persistence, Recovery
from .scores import ScoreMean
from .thresholds import Dependable, FlickerMass, Reach
from .urn import Urn

__all__ = [
    "ICC",
    "Contrast",
    "Degradation",
    "Dependable",
    "Disagreement",
    "Estimand",
    "FlickerMass",
    "GPassAtK",
    "Gap",
    "HeterogeneityAcrossConditions",
    "MeanFunction",
    "MeanGPassAtK",
    "PassAtK",
    "PassHatK",
    "Persistence",
    "Reach",
    "Recovery",
    "Retention",
    "ScoreMean",
    "SuccessRate",
    "TaskMean",
    "Urn",
    "WorstCondition",
]
