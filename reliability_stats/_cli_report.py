"""What the command line says about a posterior."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from io import StringIO
from typing import TYPE_CHECKING

from .report.findings import (
    Findings,
    estimands_for,
    interval,
    meaning,
)

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

IN_FULL = 5
"""Up to so many systems get sentences and a table each; more get one row each."""
NARROWEST = 60
"""Columns below which tables are not squeezed further."""
IDENTIFIED = (
    "identified: 'yes', the data fix the value; 'model', it rests on the beta-binomial shape of "
    "the model, which the data cannot check in full."
)


def make_console() -> tuple[Console, StringIO]:
    """Make a console that writes to a buffer as standard output would be written to."""
    from rich.console import Console

    plain = not sys.stdout.isatty() or bool(os.environ.get("NO_COLOR"))
    real = Console(file=sys.stdout)
    buffer = StringIO()
    console = Console(
        file=buffer,
        width=max(real.width, NARROWEST),
        force_terminal=not plain,
        color_system=None if plain else "standard",
        markup=False,
        highlight=False,
        emoji=False,
    )
    return console, buffer


def printable(label: str) -> str:
    """Write a label for the terminal, with control characters spelled out."""
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in label)


class Report(Findings):
    """Findings, laid out for a terminal."""

    def show(self, console: Console, about: Iterable[tuple[str, str]]) -> None:
        """Print everything."""
        if len(self.rows) <= IN_FULL:
            for system in self.rows:
                console.print(printable(system), style="bold")
                for sentence in self.sentences(system):
                    console.print(sentence)
                console.print(self.table(system))
            console.print(IDENTIFIED)
        else:
            console.print(self.preface())
            console.print(self.overview())
        console.print()
        console.print(self._about(about))

    def table(self, system: str) -> Table:
        """Lay out the summary of one system."""
        table = _table("estimand", "", ">mean", f">{100 * self.prob:g}% interval", "identified")
        estimands = estimands_for(self.post.trials.counts, self.k)
        values = self.values(system, *(estimand.name for estimand in estimands))
        for estimand, row in zip(estimands, values, strict=True):
            known = row["identified"] != "no"
            numbers = [f"{row[name]:.{self.decimals}f}" for name in ("mean", "lower", "upper")]
            table.add_row(
                estimand.name,
                meaning(estimand, self.k),
                numbers[0] if known else "-",
                f"[{numbers[1]}, {numbers[2]}]" if known else "-",
                str(row["identified"]),
            )
        return table

    def overview(self) -> Table:
        """Lay out one row a system; a star marks what the model extrapolates."""
        k, shown = self.k, self.shown()
        table = _table("system", *(f">{name}" for name in shown))
        for system in self.rows:
            cells = []
            for row in self.values(system, *shown):
                star = "*" if row["identified"] == "model" else ""
                known = row["identified"] != "no"
                cells.append(interval(row, self.decimals - 3) + star if known else "not identified")
            table.add_row(printable(system), *cells)
        if (self.summary.query("estimand in @shown")["identified"] == "model").any():
            table.caption_style, table.caption_justify = "none", "left"
            table.caption = f"* most tasks have fewer than {k} trials: the model extrapolates"
        return table

    def _about(self, about: Iterable[tuple[str, str]]) -> Table:
        """Lay out what was analysed and how."""
        from rich.table import Table

        grid = Table.grid(padding=(0, 2, 0, 0))
        grid.add_column(style="bold", no_wrap=True)
        grid.add_column(overflow="fold")
        for name, text in (*about, *self.conditions()):
            grid.add_row(name, printable(text))
        return grid


def _table(*heads: str) -> Table:
    """Make a table; heads that start with ">" are of columns of numbers."""
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=True)
    for head in heads:
        number = head.startswith(">")
        table.add_column(
            head.lstrip(">"),
            justify="right" if number else "left",
            no_wrap=number,
            overflow="fold",
        )
    return table
