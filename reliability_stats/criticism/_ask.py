"""Asking an engine for what not every engine has."""

from __future__ import annotations

from typing import Any, cast

from ..exceptions import ModelError
from ..inference.checks import Checkable


def checkable(engine: Any, method: str, name: str) -> Checkable:
    """Give the engine if it has a method; otherwise say that the model has no such check.

    Raises
    ------
    ModelError
        If the engine lacks the method.
    """
    if not hasattr(engine, method):
        raise ModelError(
            f"{name} is not available for this model: its engine ({engine.describe()}) does not "
            f"provide {method}()."
        )
    return cast("Checkable", engine)
