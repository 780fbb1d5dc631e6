"""Files that the command line writes: two tables and three figures."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from ._cli_report import Report
from .exceptions import ExclusionWarning

MOST_PAGES = 10
"""Files up to which a figure is spread over several."""


def write(report: Report, directory: Path, formats: Sequence[str]) -> list[Path]:
    """Write summary.csv, tasks.csv and the figures; files of these names are replaced."""
    directory.mkdir(parents=True, exist_ok=True)
    written = [directory / "summary.csv", directory / "tasks.csv"]
    report.summary.to_csv(written[0], index=False)
    report.post.tasks(prob=report.prob).to_csv(written[1], index=False)
    return written + _figures(report, directory, formats)


def _figures(report: Report, directory: Path, formats: Sequence[str]) -> list[Path]:
    """Draw the three figures, each into one file a format and page."""
    import matplotlib as mpl

    if "matplotlib.pyplot" not in sys.modules:
        mpl.use("Agg")
    from .plots import capability_reliability, pass_curves, task_map
    from .plots._pass_curves import MOST as MOST_CURVES
    from .plots._tasks_of_several import MOST as MOST_ROWS

    post, k = report.post, report.k
    everyone = len(post.systems)
    common = {"over": report.over, "prob": report.prob}
    beyond = {"k_max": k} if k > post.trials.counts.n.max() else {}
    written = []
    for plot, most, settings in (
        (capability_reliability, everyone, {"k": k, **common}),
        (pass_curves, MOST_CURVES, {**beyond, **common}),
        (task_map, MOST_ROWS, {"prob": report.prob}),
    ):
        name = plot.__name__
        pages = [post.systems[i : i + most] for i in range(0, everyone, most)]
        if len(pages) > MOST_PAGES:
            warnings.warn(
                f"{name} was not drawn: {everyone} systems would take {len(pages)} figures. "
                "Analyse fewer at a time.",
                ExclusionWarning,
                stacklevel=2,
            )
            continue
        for number, systems in enumerate(pages, 1):
            stem = name if len(pages) == 1 else f"{name}_{number}"
            files = [directory / f"{stem}.{kind}" for kind in formats]
            _draw(plot, report, files, systems=list(systems), **settings)
            written += files
    return written


def _draw(plot: Callable[..., Any], report: Report, files: Sequence[Path], **settings: Any) -> None:
    """Draw one figure and save it in every format."""
    from matplotlib import pyplot as plt

    figure = plot(report.post, **settings).figure
    try:
        for file in files:
            figure.savefig(file, bbox_inches="tight", dpi=200)
    finally:
        plt.close(figure)
