"""The gallery of plots: each plot's example, run, with its code and picture."""

from __future__ import annotations

import doctest
import inspect
from pathlib import Path
from types import ModuleType


def example_of(plot: object) -> str:
    """Give the code of the example in a docstring, without closing the figure."""
    examples = doctest.DocTestParser().get_examples(inspect.getdoc(plot) or "")
    lines = "".join(example.source for example in examples).splitlines()
    kept = [line for line in lines if not line.startswith(("plt.close", "import matplotlib"))]
    while kept and not kept[-1].startswith(("ax = ", "...", "    ")):
        kept.pop()
    return "\n".join(kept)


def summary_of(plot: object) -> str:
    """Give the first line of a docstring."""
    return (inspect.getdoc(plot) or "").partition("\n")[0]


def draw(code: str, file: Path) -> None:
    """Run an example and save the figure that it leaves."""
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    names: dict[str, object] = {}
    try:
        exec(code, names)  # noqa: S102
        figure = names["ax"].figure  # type: ignore[attr-defined]
        figure.savefig(file, dpi=150, bbox_inches="tight")
    finally:
        plt.close("all")


def plots_of(module: ModuleType) -> list[str]:
    """Name the plots of a module: what is neither data nor a style."""
    return [name for name in module.__all__ if not name.endswith("_data") and name != "style"]


def write(module: ModuleType, folder: Path) -> Path:
    """Write the page and its pictures."""
    folder.mkdir(exist_ok=True)
    lines = ["Gallery of plots", "================", ""]
    lines += [
        "Each picture is made by the example below it when these pages are built. Every plot",
        "takes ``ax=`` and returns the Axes; what it draws can be had as a table by the function",
        "of the same name with ``_data`` appended.",
        "",
    ]
    for name in plots_of(module):
        plot = getattr(module, name)
        code = example_of(plot)
        draw(code, folder / f"{name}.png")
        lines += [name, "-" * len(name), "", summary_of(plot), ""]
        lines += [f".. image:: {name}.png", f"   :alt: {summary_of(plot)}", "   :width: 80%", ""]
        lines += [".. code-block:: python", ""]
        lines += [f"   {line}" for line in code.splitlines()]
        lines += ["", f"See :func:`reliability_stats.plots.{name}`.", ""]
    page = folder / "index.rst"
    page.write_text("\n".join(lines), encoding="utf-8")
    return page
