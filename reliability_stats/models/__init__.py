"""Model specifications: one frozen dataclass per file, priors as fields."""

from .base import Model
from .beta_binomial import BetaBinomial
from .crossed import Crossed
from .grid_mixture import GridMixture
from .logit_normal import LogitNormal
from .priors import Beta
from .spike_slab import SpikeSlab

__all__ = ["Beta", "BetaBinomial", "Crossed", "GridMixture", "LogitNormal", "Model", "SpikeSlab"]
