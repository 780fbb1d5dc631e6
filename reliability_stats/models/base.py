"""What makes a frozen dataclass a model."""

from __future__ import annotations

from abc import ABC
from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True)
class Model(ABC):
    """A model specification: its fields are its priors and structure.

    Subclasses are frozen dataclasses that hold no data. `inference` names the module of
    ``reliability_stats.inference`` whose function ``infer(trials, model, *, seed, ...)`` fits them.
    `joint` says whether systems share parameters, so that one draw holds for all of them together.

    Examples
    --------
    >>> from reliability_stats.models import BetaBinomial, Model
    >>> isinstance(BetaBinomial(), Model)
    True
    """

    inference: ClassVar[str]
    joint: ClassVar[bool] = False
