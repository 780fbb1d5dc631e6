"""The figures of a report, drawn when they are written."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable
from io import StringIO
from typing import Any

from ..posterior import Posterior
from ._document import Figure

MOST_CURVES = 6
MOST_MAPPED = 40


def figures(post: Posterior, *, k: int, over: str, prob: float) -> tuple[Figure, ...]:
    """Choose what to draw: nothing of repetition where no task was tried twice."""
    counts = post.trials.counts
    if counts.n.max() == 1:
        return ()
    mass = f"{100 * prob:g}%"
    first = list(post.systems[:MOST_CURVES])
    left = len(post.systems) - len(first)
    out = [
        _figure(
            "capability-reliability",
            f"Capability (any of {k} trials succeeds) against reliability (all {k} succeed), with "
            f"joint {mass} regions. On the diagonal all trials of a task end alike.",
            lambda plots, **options: plots.capability_reliability(post, k=k, **options),
            over=over,
            prob=prob,
        ),
        _figure(
            "pass-curves",
            f"Capability (upward) and reliability (downward) as k grows, with {mass} bands."
            + (f" The first {len(first)} systems; {left} more are in the table." if left else ""),
            lambda plots, **options: plots.pass_curves(post, systems=first, **options),
            over=over,
            prob=prob,
        ),
    ]
    if len(post.systems) <= MOST_MAPPED:
        out.append(
            _figure(
                "task-map",
                f"Every task: its successes, and whether a {mass} posterior interval decides that "
                "it is persistent, flickering or not yet shown.",
                lambda plots, **options: plots.task_map(post, **options),
                prob=prob,
            )
        )
    return tuple(out)


def _figure(key: str, caption: str, draw: Callable[..., Any], **options: Any) -> Figure:
    """Make a figure that is drawn in the style of the package and closed again."""

    def save(file: Any, kind: str) -> None:
        import matplotlib as mpl
        from matplotlib import pyplot as plt

        from .. import plots

        metadata = {"svg": {"Date": None}, "pdf": {"CreationDate": None}}.get(kind)
        settings: dict[Any, Any] = {"svg.hashsalt": key, "pdf.fonttype": 42}
        with warnings.catch_warnings(record=True) as caught, plots.style(columns=2, font_size=9):
            warnings.simplefilter("always")
            ax = draw(plots, **options)
            lacking = any("missing from font" in str(warning.message) for warning in caught)
            # Text that matplotlib's font cannot draw is left to the fonts of the reader.
            settings["svg.fonttype"] = "none" if lacking else "path"
            with mpl.rc_context(settings):
                ax.figure.savefig(file, format=kind, metadata=metadata)
            plt.close(ax.figure)
        for warning in caught:
            if "missing from font" not in str(warning.message):
                warnings.warn(warning.message, stacklevel=2)

    return Figure(key, caption, save)


def inline_svg(figure: Figure) -> str:
    """Give a figure as an SVG element with ids of its own, named by its caption."""
    buffer = StringIO()
    figure.save(buffer, "svg")
    text = buffer.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    key = figure.key
    text = re.sub(r'\bid="([^"]+)"', rf'id="{key}-\1"', text)
    text = re.sub(r'(xlink:href|href)="#([^"]+)"', rf'\1="#{key}-\2"', text)
    text = re.sub(r"url\(#([^)]+)\)", rf"url(#{key}-\1)", text)
    return text.replace("<svg", f'<svg role="img" aria-labelledby="{key}-caption"', 1)
