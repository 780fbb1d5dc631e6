"""What is shown to others: tables for papers, and whole reports.

The module itself can be called: ``rs.report(post, "report.html")``.
"""

from __future__ import annotations

import sys
from os import PathLike
from pathlib import Path
from types import ModuleType
from typing import Any

from ..posterior import Posterior
from ..trials import Trials
from ._write import report
from .tables import table

__all__ = ["report", "table"]


class _Reporter(ModuleType):
    """A module that writes a report when it is called, so that the name is both."""

    def __call__(
        self, source: Posterior | Trials, path: str | PathLike[str], **options: Any
    ) -> Path:
        """Write a report; see `report`."""
        return report(source, path, **options)


sys.modules[__name__].__class__ = _Reporter
