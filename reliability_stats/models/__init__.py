"""Model specifications: one frozen dataclass per file, priors as fields."""

from .beta_binomial import BetaBinomial
from .priors import Beta

__all__ = ["Beta", "BetaBinomial"]
