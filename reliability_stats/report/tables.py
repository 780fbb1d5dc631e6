"""Summary tables for papers: escaped, with digits that the uncertainty warrants."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from html import escape as escape_html
from typing import TYPE_CHECKING, Any

import numpy as np

from .._summary import COLUMNS
from .._validation import check_choice
from ..exceptions import ArgumentError

if TYPE_CHECKING:
    import pandas as pd

STYLES = ("latex", "html", "markdown")
MOST_DIGITS = 8
LATEX = {
    "\\": r"\textbackslash{}",
    "&": r"\&",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "_": r"\_",
    "{": r"\{",
    "}": r"\}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "[": "{[}",  # after a line break it would be read as an optional argument
    "<": r"\textless{}",
    ">": r"\textgreater{}",
}
MARKDOWN = {character: f"\\{character}" for character in "\\`*_{}[]<>()#+-.!|~^$"}
BASIS = {
    "model": "rests on the model",
    "no": "not identified by the data",
    "bounds": "range that holds whatever the missing outcomes were",
}
MARKS = ("a", "b", "c")


def table(
    summary: pd.DataFrame, *, style: str = "latex", wide: bool = True, caption: str | None = None
) -> str:
    r"""Write a summary as a table for a paper.

    Parameters
    ----------
    summary : pandas.DataFrame
        As given by ``post.summary(...)`` or `estimate`.
    style : {"latex", "html", "markdown"}, default "latex"
        LaTeX uses booktabs.
    wide : bool, default True
        One row a system with one column an estimand; otherwise one row for each of both.
    caption : str, optional
        Shown above the table, escaped.

    Returns
    -------
    str
        The table, with every name escaped. Values are followed by their interval, both with as many
        digits as give the interval's width two; rows that rest on a model, or on nothing, are
        marked and explained below.

    Raises
    ------
    ArgumentError
        If the summary has not the columns of one, or a system has two rows for one estimand.

    Examples
    --------
    >>> import reliability_stats as rs
    >>> post = rs.fit(rs.datasets.load("tau-bench-airline-gpt4o"))
    >>> print(rs.table(post.summary([rs.PassAtK(4), rs.PassHatK(4)]), style="markdown"))
    | system | pass@4 | pass\^4 |
    | :--- | :--- | :--- |
    | gpt\-4o tool calling | 0.70 [0.57, 0.81] | 0.18 [0.09, 0.29] |
    <BLANKLINE>
    95% intervals (eti), over tasks like these.
    """
    style = check_choice(style, STYLES, "style")
    _check(summary)
    text, write = _writers()[style]
    marks = _marks(summary)
    cells = [_cell(row, marks, style) for row in summary.to_dict("records")]
    if wide:
        head, body = _wide(summary, cells, text)
    else:
        head = ["system", "estimand", "value and interval"]
        names = zip(summary["system"], summary["estimand"], cells, strict=True)
        body = [[text(str(system)), text(str(name)), cell] for system, name, cell in names]
    return write(head, body, [text(note) for note in _notes(summary)], marks, text(caption or ""))


Escape = Callable[[str], str]
Write = Callable[[Sequence[str], Sequence[Sequence[str]], Sequence[str], dict[str, str], str], str]


def _writers() -> dict[str, tuple[Escape, Write]]:
    """Give for each style how names are escaped and how the table is written."""
    return {
        "latex": (_latex_text, _latex),
        "html": (escape_html, _html),
        "markdown": (_markdown_text, _markdown),
    }


def _check(summary: Any) -> None:
    """Refuse what is no summary."""
    columns = list(getattr(summary, "columns", ()))
    missing = [name for name in COLUMNS if name not in columns]
    if missing:
        raise ArgumentError(
            "summary must be a table from summary() or estimate(); it has no column "
            f"{missing[0]!r}."
        )
    if not len(summary):
        raise ArgumentError("summary has no rows.")


def _wide(
    summary: pd.DataFrame, cells: list[str], text: Escape
) -> tuple[list[str], list[list[str]]]:
    """Give one row a system and one column an estimand, in order of appearance."""
    systems = list(dict.fromkeys(summary["system"]))
    estimands = list(dict.fromkeys(summary["estimand"]))
    grid: dict[tuple[str, str], str] = {}
    for system, name, cell in zip(summary["system"], summary["estimand"], cells, strict=True):
        if (system, name) in grid:
            raise ArgumentError(
                f"{system!r} has two rows for {name!r}; use wide=False, or tables of their own."
            )
        grid[system, name] = cell
    head = ["system", *(text(str(name)) for name in estimands)]
    body = [
        [text(str(system)), *(grid.get((system, name), "") for name in estimands)]
        for system in systems
    ]
    return head, body


def digits(lower: float, upper: float) -> int:
    """Give the decimals that show an interval's width with two digits.

    Parameters
    ----------
    lower, upper : float
        Ends of the interval.

    Returns
    -------
    int
        From 0 to 8; 3 where there is no interval.

    Examples
    --------
    >>> digits(0.09, 0.29), digits(0.4301, 0.4324), digits(2.0, 30.0)
    (2, 4, 0)
    """
    width = upper - lower
    if not (math.isfinite(width) and width > 0):
        return 3
    return int(np.clip(1 - math.floor(math.log10(width)), 0, MOST_DIGITS))


def _cell(row: dict[Any, Any], marks: dict[str, str], style: str) -> str:
    """Write a value with its interval and its mark."""
    places = digits(row["lower"], row["upper"])
    parts = []
    if np.isfinite(row["mean"]):
        parts.append(f"{row['mean']:.{places}f}")
    if np.isfinite(row["lower"]) and np.isfinite(row["upper"]):
        parts.append(f"[{row['lower']:.{places}f}, {row['upper']:.{places}f}]")
    out = " ".join(parts) or "--"
    mark = marks.get(row["identified"])
    if mark is None:
        return out
    return out + {"latex": f"$^{{{mark}}}$", "html": f"<sup>{mark}</sup>"}.get(style, f"^{mark}^")


def _marks(summary: pd.DataFrame) -> dict[str, str]:
    """Give a letter to each basis that is not the data."""
    found = [basis for basis in BASIS if (summary["identified"] == basis).any()]
    return dict(zip(found, MARKS, strict=False))


def _notes(summary: pd.DataFrame) -> list[str]:
    """Say what intervals and targets the rows have."""
    probs = ", ".join(f"{100 * prob:g}%" for prob in dict.fromkeys(summary["prob"]))
    kinds = ", ".join(dict.fromkeys(map(str, summary["interval"])))
    targets = {"population": "tasks like these", "observed": "the very tasks tried"}
    over = ", ".join(targets.get(str(o), str(o)) for o in dict.fromkeys(summary["over"]))
    return [f"{probs} intervals ({kinds}), over {over}."]


def _latex_text(value: str) -> str:
    """Escape for LaTeX."""
    return "".join(LATEX.get(character, character) for character in " ".join(value.split()))


def _markdown_text(value: str) -> str:
    """Escape for Markdown."""
    return "".join(MARKDOWN.get(character, character) for character in " ".join(value.split()))


def _latex(
    head: Sequence[str],
    body: Sequence[Sequence[str]],
    notes: Sequence[str],
    marks: dict[str, str],
    caption: str,
) -> str:
    """Write a booktabs table."""
    lines = [r"\begin{table}", r"\centering"]
    if caption:
        lines.append(rf"\caption{{{caption}}}")
    lines += [rf"\begin{{tabular}}{{{'l' * len(head)}}}", r"\toprule"]
    lines += [" & ".join(head) + r" \\", r"\midrule"]
    lines += [" & ".join(row) + r" \\" for row in body]
    lines += [r"\bottomrule", r"\end{tabular}"]
    told = [*notes, *(rf"$^{{{mark}}}$ {BASIS[basis]}." for basis, mark in marks.items())]
    lines += [rf"\par\smallskip {{\footnotesize {' '.join(told)}}}", r"\end{table}"]
    return "\n".join(lines)


def _html(
    head: Sequence[str],
    body: Sequence[Sequence[str]],
    notes: Sequence[str],
    marks: dict[str, str],
    caption: str,
) -> str:
    """Write an HTML table."""
    lines = ['<table class="reliability-stats">']
    if caption:
        lines.append(f"<caption>{caption}</caption>")
    cells = "".join(f'<th scope="col">{name}</th>' for name in head)
    lines.append(f"<thead><tr>{cells}</tr></thead>")
    lines.append("<tbody>")
    for first, *rest in body:
        cells = "".join(f"<td>{cell}</td>" for cell in rest)
        lines.append(f'<tr><th scope="row">{first}</th>{cells}</tr>')
    lines.append("</tbody>")
    told = [*notes, *(f"<sup>{mark}</sup> {BASIS[basis]}." for basis, mark in marks.items())]
    lines.append(f'<tfoot><tr><td colspan="{len(head)}">{" ".join(told)}</td></tr></tfoot>')
    return "\n".join([*lines, "</table>"])


def _markdown(
    head: Sequence[str],
    body: Sequence[Sequence[str]],
    notes: Sequence[str],
    marks: dict[str, str],
    caption: str,
) -> str:
    """Write a pipe table."""
    lines = [caption, ""] if caption else []
    lines += [f"| {' | '.join(row)} |" for row in (head, [":---"] * len(head), *body)]
    plain = [note.replace("\\", "") for note in notes]
    told = [*plain, *(f"^{mark}^ {BASIS[basis]}." for basis, mark in marks.items())]
    return "\n".join([*lines, "", " ".join(told)])
