"""Files that the command line writes: two tables and three figures."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from ._cli_report import Report
from .posterior import Posterior


def write(report: Report, directory: Path, formats: Sequence[str]) -> list[Path]:
    """Write summary.csv, tasks.csv and the figures; files of these names are replaced."""
    directory.mkdir(parents=True, exist_ok=True)
    written = [directory / "summary.csv", directory / "tasks.csv"]
    report.summary.to_csv(written[0], index=False)
    report.post.tasks(prob=report.prob).to_csv(written[1], index=False)
    return written + _figures(report.post, directory, formats)


def _figures(post: Posterior, directory: Path, formats: Sequence[str]) -> list[Path]:
    """Draw the three figures, each into one file a format."""
    import matplotlib as mpl

    if "matplotlib.pyplot" not in sys.modules:
        mpl.use("Agg")
    from matplotlib import pyplot as plt

    from .plots import capability_reliability, pass_curves, task_map

    written = []
    for plot in (capability_reliability, pass_curves, task_map):
        figure = plot(post).figure
        try:
            for kind in formats:
                written.append(directory / f"{plot.__name__}.{kind}")
                figure.savefig(written[-1], bbox_inches="tight", dpi=200)
        finally:
            plt.close(figure)
    return written
