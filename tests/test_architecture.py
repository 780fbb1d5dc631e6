"""Modules import only from lower layers, heavy packages only where they are used."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[1] / "reliability_stats"

LAYERS = [
    {"_version", "exceptions"},
    {"_ecdf_band", "_numerics", "_validation"},
    {
        *("_arrays", "_arviz", "_cells", "_counts", "_intake", "_outcomes", "_reduce", "_rows"),
        *("_account", "_lazy"),
        *("_summary", "estimands", "intervals", "trials"),
    },
    {
        *("_bootstrap", "_completions", "_estimate_notes", "_population", "_task_rows", "_within"),
        *("_contrast_estimates", "_paired_tasks"),
        "compat",
        "datasets",
        "estimators",
        "models",
        "read",
        "serial",
        "simulation",
    },
    {"criticism", "inference", "posterior"},
    {"fitting"},
    {
        *("_claim_parts", "_claim_schema", "claims"),
        "calibration",
        "comparison",
        "extrapolation",
        "flicker",
        "history",
        "identification",
        "instruments",
        "leaderboard",
        "model_comparison",
        "planning",
    },
    {"plots", "_cli_files", "_cli_input", "_cli_report", "cli", "report"},
    {"__init__", "__main__"},
]
RANK = {name: rank for rank, names in enumerate(LAYERS) for name in names}
HEAVY = {
    "arviz",
    "matplotlib",
    "pandas",
    "polars",
    "pyarrow",
    "pymc",
    "rich",
    "statsmodels",
    "xarray",
}
SUBCLASSES_PANDAS = {"leaderboard/table.py"}
FILES = sorted(PACKAGE.rglob("*.py"))


def part_of(path: Path) -> str:
    """Name of the top-level module or subpackage that a file belongs to."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imports(path: Path, *, top_level: bool):
    """Give (module, level) of the imports of a file; with `top_level`, those run on import."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    nodes = tree.body if top_level else list(ast.walk(tree))
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from ((alias.name, 0) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            if node.level and not node.module:
                yield from ((alias.name, node.level) for alias in node.names)
            else:
                yield node.module or "", node.level


def targets(path: Path):
    """Give the parts of the package that a file imports, anywhere in it."""
    depth = len(path.relative_to(PACKAGE).parts) - 1
    for module, level in imports(path, top_level=False):
        if level and level == depth + 1:
            yield module.split(".")[0]
        elif not level and module.split(".")[0] == "reliability_stats":
            pieces = module.split(".")
            yield pieces[1] if len(pieces) > 1 else "__init__"


def test_every_module_has_a_layer():
    assert {part_of(path) for path in FILES} == set(RANK)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_go_down(path):
    own = part_of(path)
    if own == "__init__":
        return
    for target in targets(path):
        if target in RANK and target != own:
            assert RANK[target] <= RANK[own], f"{own} (layer {RANK[own]}) imports {target}"


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_heavy_packages_are_imported_where_they_are_used(path):
    roots = {module.split(".")[0] for module, level in imports(path, top_level=True) if not level}
    if str(path.relative_to(PACKAGE)) in SUBCLASSES_PANDAS:
        roots -= {"pandas"}
    assert not roots & HEAVY
    assert "scipy.stats" not in {module for module, _ in imports(path, top_level=True)}


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_modules_stay_small(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 500


def test_no_cycles_between_parts():
    edges = {name: set() for name in RANK}
    for path in FILES:
        own = part_of(path)
        if own != "__init__":
            edges[own] |= {t for t in targets(path) if t in RANK and t not in (own, "__init__")}
    done: set[str] = set()

    def visit(name: str, trail: tuple[str, ...]) -> None:
        assert name not in trail, " -> ".join((*trail, name))
        if name not in done:
            for other in edges[name]:
                visit(other, (*trail, name))
            done.add(name)

    for name in edges:
        visit(name, ())


def loaded_after(code: str) -> set[str]:
    """Names of the top-level packages that are loaded after running some code."""
    probe = f"{code}\nimport sys; print(' '.join(sorted(sys.modules)))"
    run = subprocess.run(
        [sys.executable, "-c", probe], capture_output=True, text=True, check=True, timeout=120
    )
    return set(run.stdout.split())


def test_import_loads_numpy_at_most():
    modules = loaded_after("import reliability_stats")
    heavy = {*HEAVY, "scipy", "narwhals"}
    assert not {name.split(".")[0] for name in modules} & heavy


def test_estimates_need_no_sampler():
    modules = loaded_after(
        "import reliability_stats as rs\nrs.fit(rs.Trials.from_array([[1, 0], [1, 1]])).summary()"
    )
    assert not modules & {"pymc", "arviz", "matplotlib", "statsmodels", "scipy.stats", "rich"}
