"""Model specifications: one frozen dataclass per file, priors as fields."""

from .base import Model
from .beta_binomial import BetaBinomial
from .grid_mixture import GridMixture
from .priors import Beta

__all__ = ["Beta", "BetaBinomial", "GridMixture", "Model"]
