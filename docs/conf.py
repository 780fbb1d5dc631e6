"""Build the documentation: ``python -m sphinx -W docs docs/_build/html``."""

from __future__ import annotations

import importlib
import inspect
import re
import sys
import warnings
from pathlib import Path

import reliability_stats as rs

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
import plot_gallery as _plots_page  # noqa: E402

project = "reliability_stats"
copyright = "The reliability_stats developers"  # noqa: A001
version = release = rs.__version__
extensions = [
    "myst_parser",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.intersphinx",
    "sphinx.ext.mathjax",
    "sphinx_gallery.gen_gallery",
]
exclude_patterns = ["_build", "**/README.md", "validation/*.txt"]
source_suffix = {".md": "markdown", ".rst": "restructuredtext"}
html_theme = "pydata_sphinx_theme"
html_title = f"reliability_stats {release}"
html_theme_options = {
    "show_toc_level": 2,
    "navigation_with_keys": False,
    "footer_start": ["copyright"],
    "footer_end": [],
    "secondary_sidebar_items": ["page-toc"],
}
html_static_path: list[str] = []
html_copy_source = False
myst_enable_extensions = ["dollarmath", "deflist", "colon_fence"]
myst_heading_anchors = 3
numpydoc_show_class_members = False
numpydoc_class_members_toctree = False
autosummary_generate = True
autodoc_typehints = "none"
autodoc_default_options = {"members": True, "inherited-members": False}
intersphinx_mapping: dict[str, tuple[str, None]] = {}
suppress_warnings = ["config.cache"]

sphinx_gallery_conf = {
    "examples_dirs": "../examples",
    "gallery_dirs": "examples",
    "filename_pattern": r"\.py$",
    "ignore_pattern": r"__init__\.py",
    "within_subsection_order": "FileNameSortKey",
    "download_all_examples": False,
    "plot_gallery": True,
    "abort_on_example_error": True,
    "reference_url": {"reliability_stats": None},
    "matplotlib_animations": False,
    "min_reported_time": 1e9,
    "show_memory": False,
    "show_signature": False,
}


def _kind(value: object) -> str:
    """Name the part of the reference that a public object belongs to."""
    if isinstance(value, type) and issubclass(value, BaseException):
        return "Errors and warnings"
    module = getattr(value, "__module__", "").removeprefix("reliability_stats.").split(".")[0]
    parts = {
        "trials": "Data",
        "_counts": "Data",
        "datasets": "Data",
        "simulation": "Data",
        "read": "Readers",
        "estimands": "Estimands",
        "estimators": "Estimates and models",
        "fitting": "Estimates and models",
        "models": "Estimates and models",
        "posterior": "Estimates and models",
        "intervals": "Estimates and models",
        "leaderboard": "Published figures",
        "history": "Time",
        "instruments": "Instruments of deployment",
        "compat": "Numbers of other packages",
        "plots": "Plots",
        "report": "Reports",
    }
    return parts.get(module, "Questions")


ORDER = (
    "Data",
    "Readers",
    "Estimands",
    "Estimates and models",
    "Questions",
    "Time",
    "Instruments of deployment",
    "Published figures",
    "Plots",
    "Reports",
    "Numbers of other packages",
    "Errors and warnings",
)


def _public() -> dict[str, list[str]]:
    """Sort every public name, of the package and of its public modules."""
    found: dict[str, list[str]] = {}
    seen: set[int] = set()
    names = [(f"reliability_stats.{name}", getattr(rs, name)) for name in rs.__all__]
    modules = [(name, value) for name, value in names if inspect.ismodule(value)]
    for name, module in modules:
        names += [(f"{name}.{item}", getattr(module, item)) for item in module.__all__]
    for name, value in names:
        if inspect.ismodule(value) or name.endswith("__version__") or not callable(value):
            continue
        if id(value) in seen:
            continue
        seen.add(id(value))
        found.setdefault(_kind(value), []).append(name)
    return found


def _write_reference() -> None:
    """Write the reference's page, so that no public name can be left out."""
    found = _public()
    lines = ["Reference", "=========", "", "Every public name.", ""]
    for part in ORDER:
        names = found.pop(part, [])
        if not names:
            continue
        lines += [
            part,
            "-" * len(part),
            "",
            ".. autosummary::",
            "   :toctree: api",
            "   :nosignatures:",
            "",
        ]
        lines += [f"   {name}" for name in sorted(names)] + [""]
    if found:
        raise RuntimeError(f"no part of the reference for {found}")
    (HERE / "reference").mkdir(exist_ok=True)
    (HERE / "reference" / "index.rst").write_text("\n".join(lines), encoding="utf-8")


def _cited(docstring: str) -> list[str]:
    """Give the works that a docstring names in its section of references."""
    _, _, rest = docstring.partition("References\n----------\n")
    section = re.split(r"\n\n\w+\n-{3,}\n", rest)[0]
    items = re.split(r";\s", " ".join(section.split()) + " ")
    return [item.strip().rstrip(".;") for item in items if "doi.org" in item]


def _write_bibliography() -> None:
    """Collect what the docstrings cite, with where."""
    where: dict[str, set[str]] = {}
    for names in _public().values():
        for name in names:
            value: object = rs
            for part in name.split(".")[1:]:
                value = getattr(value, part)
            for work in _cited(inspect.getdoc(value) or ""):
                where.setdefault(work, set()).add(name.removeprefix("reliability_stats."))
    lines = ["# Bibliography", "", "What the reference cites, and where.", ""]
    for work in sorted(where):
        linked = re.sub(r"(https://doi\.org/\S+)", r"<\1>", work)
        lines.append(f"- {linked} ({', '.join(f'`{name}`' for name in sorted(where[work]))})")
    (HERE / "bibliography.md").write_text("\n".join(lines) + "\n", encoding="utf-8")


with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    importlib.import_module("arviz")
_write_reference()
_write_bibliography()
_plots_page.write(rs.plots, HERE / "gallery")
