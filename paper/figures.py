"""Regenerate the paper: ``python paper/figures.py`` writes figures, numbers and paper.md.

Everything comes from data embedded in the package and from docs/validation/coverage.csv. The text
is paper.template.md; each ``{{name}}`` in it is replaced by a number from here, so that the text
cannot drift from the results.
"""

from __future__ import annotations

import csv
import json
import re
import sys
from pathlib import Path

import matplotlib.pyplot as plt
import pandas as pd

import reliability_stats as rs

HERE = Path(__file__).resolve().parent
COVERAGE = HERE.parent / "docs" / "validation" / "coverage.csv"


def three_systems(out: Path) -> dict[str, str]:
    """Two systems with one score, told apart by capability and reliability."""
    post = rs.fit(rs.datasets.load("simulated-three-systems"))
    with rs.plots.style(columns=2):
        figure, (left, right) = plt.subplots(1, 2, figsize=(7.0, 3.3), layout="constrained")
        rs.plots.capability_reliability(post, ax=left)
        rs.plots.pass_curves(post, ax=right)
        _save(figure, out / "three-systems")
    rates = post.summary(rs.SuccessRate()).set_index("system")["mean"]
    table = post.summary([rs.PassAtK(8), rs.PassHatK(8)]).set_index(["system", "estimand"])["mean"]
    numbers = {"rate_steady": rates["steady"], "rate_flickering": rates["flickering"]}
    for system in ("steady", "flickering"):
        numbers[f"capable_{system}"] = table[system, "pass@8"]
        numbers[f"reliable_{system}"] = table[system, "pass^8"]
    return {name: f"{100 * value:.0f}%" for name, value in numbers.items()}


def airline(out: Path) -> dict[str, str]:
    """Say what is known of the airline tasks of tau-bench, one by one and together."""
    post = rs.fit(rs.datasets.load("tau-bench-airline-gpt4o"))
    with rs.plots.style(columns=2):
        ax = rs.plots.task_map(post)
        _save(ax.figure, out / "airline-tasks")
    found = {}
    table = post.summary([rs.PassAtK(4), rs.PassHatK(4), rs.Gap(4), rs.PassHatK(8)])
    names = ("airline_capable", "airline_reliable", "airline_gap", "airline_reliable_8")
    for name, row in zip(names, table.to_dict("records"), strict=True):
        found[name] = _interval(row)
    counts = post.trials.counts
    always, never = counts.successes == counts.n, counts.successes == 0
    found["airline_always"] = str(int(always.sum()))
    found["airline_never"] = str(int(never.sum()))
    found["airline_between"] = str(int((~always & ~never).sum()))
    return found


def ladder() -> dict[str, str]:
    """Say the same from the four published figures alone."""
    board = rs.Leaderboard.from_frame(
        pd.DataFrame(
            {
                "system": "gpt-4o",
                "benchmark": "airline",
                "metric": "pass^k",
                "k": [1, 2, 3, 4],
                "value": ["0.420", "0.273", "0.220", "0.200"],
                "n_tasks": 50,
                "n_trials": 4,
            }
        )
    )
    found = rs.reconstruct(board)
    row = found.iloc[0] if hasattr(found, "iloc") else found.frame.iloc[0]
    post = rs.fit(found.trials("gpt-4o", "airline"))
    again = post.summary(rs.PassHatK(8)).to_dict("records")[0]
    return {
        "ladder_status": str(row["status"]),
        "ladder_histogram": ", ".join(map(str, row["histogram"])),
        "ladder_reliable_8": _interval(again),
    }


def coverage() -> dict[str, str]:
    """Coverage of the intervals, from the table of the documentation."""
    with COVERAGE.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    groups: dict[tuple[str, ...], list[float]] = {}
    for row in rows:
        key = tuple(row[name] for name in ("tasks", "trials", "estimand", "over"))
        groups.setdefault(key, []).append(float(row["ours"]))
    averages = [sum(values) / len(values) for values in groups.values()]
    return {
        "coverage_low": f"{100 * min(averages):.1f}%",
        "coverage_high": f"{100 * max(averages):.1f}%",
        "coverage_least": f"{100 * min(float(row['ours']) for row in rows):.1f}%",
        "coverage_flat": f"{100 * min(float(row['flat']) for row in rows):.0f}%",
        "coverage_clt": f"{100 * min(float(row['clt']) for row in rows if row['clt']):.1f}%",
    }


def build(out: Path = HERE) -> str:
    """Write everything into a folder and give the text of the paper."""
    figures = out / "figures"
    figures.mkdir(parents=True, exist_ok=True)
    numbers = {**three_systems(figures), **airline(figures), **ladder(), **coverage()}
    text = fill((HERE / "paper.template.md").read_text(encoding="utf-8"), numbers)
    record = json.dumps(numbers, indent=2, ensure_ascii=False) + "\n"
    (out / "numbers.json").write_text(record, encoding="utf-8")
    (out / "paper.md").write_text(text, encoding="utf-8")
    return text


def fill(template: str, numbers: dict[str, str]) -> str:
    """Replace each ``{{name}}``; a name without a number is an error, and so is the reverse."""
    named = set(re.findall(r"\{\{(\w+)\}\}", template))
    if named - set(numbers):
        raise KeyError(f"no number for {sorted(named - set(numbers))}")
    if set(numbers) - named:
        raise KeyError(f"not quoted: {sorted(set(numbers) - named)}")
    return re.sub(r"\{\{(\w+)\}\}", lambda match: numbers[match.group(1)], template)


def _interval(row: dict[str, object]) -> str:
    """Write a share with its interval in percent."""
    mean, lower, upper = (100 * float(row[name]) for name in ("mean", "lower", "upper"))
    return f"{mean:.0f}% [{lower:.0f}, {upper:.0f}]"


def _save(figure: plt.Figure, stem: Path) -> None:
    """Save for print and for the screen, without dates."""
    figure.savefig(stem.with_suffix(".pdf"), metadata={"CreationDate": None})
    figure.savefig(stem.with_suffix(".png"), dpi=200, metadata={"Software": None})
    plt.close(figure)


if __name__ == "__main__":
    plt.switch_backend("Agg")
    build(Path(sys.argv[1]) if len(sys.argv) > 1 else HERE)
