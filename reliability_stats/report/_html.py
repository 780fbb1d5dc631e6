"""Write a report as one HTML file that needs nothing else."""

from __future__ import annotations

from importlib.resources import files
from typing import Any

from ..exceptions import MissingExtraError
from ._document import Document
from ._figures import inline_svg


def to_html(document: Document) -> str:
    """Fill the template; every name is escaped.

    Raises
    ------
    MissingExtraError
        If Jinja2 is not installed.
    """
    try:
        from jinja2 import Environment, StrictUndefined
    except ImportError:
        raise MissingExtraError(
            "HTML reports need Jinja2: pip install 'reliability-stats[report]'. Markdown (.md) and "
            "LaTeX (.tex) reports need nothing."
        ) from None
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.globals.update(kind=_kind, svg=_svg, position=_position)
    template = environment.from_string(
        files("reliability_stats.report").joinpath("template.html").read_text(encoding="utf-8")
    )
    return str(template.render(document=document))


def _kind(block: Any) -> str:
    """Name the type of a block for the template."""
    return type(block).__name__


def _svg(figure: Any) -> Any:
    """Give the SVG of a figure, which our own plots made, unescaped."""
    from markupsafe import Markup

    return Markup(inline_svg(figure))  # noqa: S704


def _position(share: float) -> str:
    """Give a share as a coordinate on a line of 100."""
    return f"{100 * min(max(share, 0.0), 1.0):.2f}"
