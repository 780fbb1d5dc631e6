"""Outcomes that are scores: what a run is worth, at best, at worst, and against a tolerance."""

from .model import ScoreModel
from .posterior import ScorePosterior
from .unbiased import estimate_scores

__all__ = ["ScoreModel", "ScorePosterior", "estimate_scores"]
