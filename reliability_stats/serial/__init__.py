"""Whether trials of a task are exchangeable: drift, dependence, groups, conditions."""

from ._check import Exchangeability, exchangeability

__all__ = ["Exchangeability", "exchangeability"]
