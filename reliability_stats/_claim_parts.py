"""Estimands and models as plain data, and back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any

from . import estimands as known
from ._validation import check_choice
from .estimands import Estimand
from .exceptions import ArgumentError
from .models import Beta, BetaBinomial


def estimand_from(definition: Mapping[str, Any]) -> Estimand:
    """Make one of the package's estimands from its class and parameters."""
    name, parameters = definition["class"], definition["parameters"]
    names = [item for item in known.__all__ if isinstance(getattr(known, item), type)]
    kind = getattr(known, check_choice(name, names, "the estimand's class"))
    try:
        made = kind(**parameters)
    except TypeError as error:
        raise ArgumentError(f"{name} cannot be made from {parameters}: {error}.") from None
    if not isinstance(made, Estimand):
        raise ArgumentError(f"{name} is not an estimand.")
    return made


def parameters_of(estimand: Estimand) -> dict[str, Any]:
    """Give the fields that an estimand is made from."""
    return {item.name: getattr(estimand, item.name) for item in fields(estimand) if item.init}


def model_record(model: Any) -> dict[str, Any]:
    """Write a model down: its class and priors."""
    priors = {}
    for item in fields(model):
        value = getattr(model, item.name)
        priors[item.name] = asdict(value) if isinstance(value, Beta) else repr(value)
    return {"class": type(model).__name__, "priors": priors}


def model_from(record: Mapping[str, Any] | None) -> BetaBinomial:
    """Make a model from its record."""
    priors = dict((record or {}).get("priors", {}))
    log_prior = priors.pop("log_prior", "None")
    plain = log_prior == "None" and all(isinstance(value, dict) for value in priors.values())
    if not record or record["class"] != "BetaBinomial" or not plain:
        raise ArgumentError(
            "The claim's model cannot be made from its record, since a prior is code; give it with "
            "model=..."
        )
    made: dict[str, Any] = {name: Beta(**value) for name, value in priors.items()}
    return BetaBinomial(**made)
