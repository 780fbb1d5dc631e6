"""Results as text: one line a pair or a system, capability beside reliability."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

MOST_LINES = 40
WIDTH = 32


def chance(p: float) -> str:
    """Write a probability with two or three digits, never as a certainty."""
    if np.isnan(p):
        return "-"
    if p < 0.001:
        return "<.001"
    if p > 0.999:
        return ">.999"
    return f"{p:.3f}"[1:] if p < 0.1 or p > 0.9 else f"{p:.2f}"[1:]


def cut(name: str) -> str:
    """Shorten a name in its middle, on one line."""
    name = " ".join(name.split())
    if len(name) <= WIDTH:
        return name
    return f"{name[: WIDTH // 2 - 1]}...{name[len(name) - WIDTH // 2 + 2 :]}"


def to_html(text: str) -> str:
    """Show text in notebooks as it is."""
    return f"<pre>{escape(text)}</pre>"


def grid(header: list[list[str]], rows: list[list[str]]) -> str:
    """Align columns; the first to the left, the rest to the right."""
    shown = rows[:MOST_LINES]
    table = [*header, *shown]
    widths = [max(len(line[i]) for line in table) for i in range(len(table[0]))]
    lines = [
        "  ".join(
            cell.ljust(width) if i == 0 else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in table
    ]
    if len(rows) > MOST_LINES:
        lines.append(f"... and {len(rows) - MOST_LINES} more; see .frame")
    return "\n".join(lines)


def target(frame: pd.DataFrame) -> str:
    """Say what the numbers speak of, and the mass of the intervals."""
    over, prob = frame["over"].iloc[0], float(frame["prob"].iloc[0])
    tasks = "tasks like these" if over == "population" else "the tasks of the table"
    return f"over {tasks}; {100 * prob:.6g}% intervals"


def side_by_side(frame: pd.DataFrame, how: str, draws: int) -> str:
    """Print a comparison."""
    margin = float(frame["margin"].iloc[0])
    parts = list(frame.groupby("estimand", sort=False))
    heads: list[list[str]] = [["system - baseline"], [""]]
    for name, part in parts:
        axis = part["axis"].iloc[0]
        heads[0] += [f"{axis}: {name}" if axis != "other" else str(name), ""]
        heads[1] += ["difference", "P(> 0)"]
        if margin:
            heads[0] += [""]
            heads[1] += [f"P(within {margin:g})"]
    count = len(parts[0][1])
    rows = []
    for i in range(count):
        first = parts[0][1].iloc[i]
        line = [f"{cut(first['system'])} - {cut(first['baseline'])}"]
        for _, part in parts:
            line += _cells(part.iloc[i], margin)
        rows.append(line)
    notes = [
        f"Comparison {target(frame)}",
        how,
        f"Monte Carlo error of probabilities at most {0.5 / np.sqrt(draws):.2g} ({draws:,} draws)",
    ]
    if (frame["identified"] == "model").any():
        notes.append("* rests on the model: most tasks have too few trials for the data to tell")
    if (frame["identified"] == "no").any():
        notes.append("? not identified")
    return "\n".join([*notes, "", grid(heads, rows)])


def _cells(row: Any, margin: float) -> list[str]:
    """Write one difference."""
    mark = {"yes": "", "model": "*", "no": "?"}[row["identified"]]
    text = "-"
    if not np.isnan(row["mean"]):
        text = f"{row['mean']:+.3f} [{row['lower']:+.3f}, {row['upper']:+.3f}]"
    out = [text + mark, chance(row["p_greater"])]
    return [*out, chance(row["p_equivalent"])] if margin else out
