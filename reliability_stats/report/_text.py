"""Write a report as Markdown or LaTeX, with its figures in files beside it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ._document import Block, Bullets, Card, Document, Figure, Grid, Paragraph, Sources, Terms
from .tables import latex_text, markdown_text

PREAMBLE = r"""\documentclass{article}
\usepackage{iftex}
% Names in scripts that pdfTeX lacks need XeLaTeX or LuaLaTeX and a font that has them.
\ifPDFTeX\usepackage[T1]{fontenc}\else\usepackage{fontspec}\fi
\usepackage{booktabs,longtable,graphicx,hyperref}
\setlength{\parindent}{0pt}\setlength{\parskip}{.5em}
\begin{document}"""


def to_markdown(document: Document, path: Path) -> str:
    """Write Markdown; figures become SVG files beside it."""
    lines = [f"# {markdown_text(document.title)}", "", markdown_text(document.lead), ""]
    for section in document.sections:
        lines += [f"## {markdown_text(section.title)}", ""]
        for block in section.blocks:
            lines += [*_markdown(block, path), ""]
    return "\n".join(lines).rstrip() + "\n"


def _markdown(block: Block, path: Path) -> list[str]:
    """Write one block."""
    text = markdown_text
    match block:
        case Paragraph():
            return [text(block.text)]
        case Bullets():
            return [f"- {text(item)}" for item in block.entries]
        case Terms():
            return [f"- **{text(name)}**: {text(value)}" for name, value in block.pairs]
        case Card():
            values = [
                f"- **{text(s.role)}** ({text(s.name)}): {text(s.text)}" for s in block.strips
            ]
            return [f"### {text(block.title)}", "", *values, "", *map(text, block.sentences)]
        case Grid():
            rule = ["---:" if number else ":---" for number in block.numeric]
            rows = [list(map(text, block.titles)), rule, *(list(map(text, r)) for r in block.rows)]
            lines = [f"**{text(block.caption)}**", ""] if block.caption else []
            lines += [f"| {' | '.join(row)} |" for row in rows]
            return [*lines, "", text(block.note)] if block.note else lines
        case Figure():
            name = _beside(block, path, "svg")
            return [f"![{text(block.caption)}](<{name}>)", "", text(block.caption)]
        case Sources():
            works = [f"- {text(work.method)}: {text(work.text)}" for work in block.works]
            return [*works, "", "```bibtex", *(work.bibtex for work in block.works), "```"]


def to_latex(document: Document, path: Path) -> str:
    """Write LaTeX with booktabs tables; figures become PDF files beside it."""
    lines = [PREAMBLE, rf"\section*{{{latex_text(document.title)}}}", latex_text(document.lead), ""]
    for section in document.sections:
        lines += [rf"\subsection*{{{latex_text(section.title)}}}", ""]
        for block in section.blocks:
            lines += [*_latex(block, path), ""]
    return "\n".join([*lines, r"\end{document}"]) + "\n"


def _latex(block: Block, path: Path) -> list[str]:
    """Write one block."""
    text = latex_text
    match block:
        case Paragraph():
            return [text(block.text)]
        case Bullets():
            return _list("itemize", [f"\\item {text(item)}" for item in block.entries])
        case Terms():
            items = [rf"\item[{{{text(name)}}}] {text(value)}" for name, value in block.pairs]
            return _list("description", items)
        case Card():
            values = [
                rf"\item[{text(s.role)}] {text(s.text)} ({text(s.name)})" for s in block.strips
            ]
            head = rf"\paragraph{{{text(block.title)}}}"
            return [head, *_list("description", values), *map(text, block.sentences)]
        case Grid():
            return _longtable(block)
        case Figure():
            name = _beside(block, path, "pdf")
            picture = rf"\includegraphics[width=\linewidth]{{{name}}}"
            caption = rf"\par {{\small {text(block.caption)}}}"
            return [r"\begin{center}", picture, caption, r"\end{center}"]
        case Sources():
            works = [f"\\item {text(work.method)}: {text(work.text)}" for work in block.works]
            bib = [f"% {line}" for work in block.works for line in work.bibtex.splitlines()]
            return [*_list("itemize", works), *bib]


def _list(kind: str, items: Sequence[str]) -> list[str]:
    """Wrap the items of a list; an empty one would not compile."""
    return [rf"\begin{{{kind}}}", *items, rf"\end{{{kind}}}"] if items else []


def _longtable(grid: Grid) -> list[str]:
    """Write a booktabs table that may go over pages; text columns share the line's width."""
    texts = len(grid.numeric) - sum(grid.numeric)
    width = f"p{{{0.55 / max(texts, 1):.3f}\\linewidth}}"
    columns = "".join("r" if number else width for number in grid.numeric)
    lines = [r"{\footnotesize", rf"\begin{{longtable}}{{{columns}}}"]
    if grid.caption:
        lines.append(rf"\multicolumn{{{len(grid.head)}}}{{l}}{{{latex_text(grid.caption)}}} \\")
    lines += [r"\toprule", " & ".join(map(latex_text, grid.titles)) + r" \\", r"\midrule"]
    lines += [" & ".join(map(latex_text, row)) + r" \\" for row in grid.rows]
    lines += [r"\bottomrule", r"\end{longtable}", "}"]
    return [*lines, rf"{{\small {latex_text(grid.note)}}}"] if grid.note else lines


def _beside(figure: Figure, path: Path, kind: str) -> str:
    """Write a figure beside the report and give its file's name."""
    target = path.with_name(f"{path.stem}-{figure.key}.{kind}")
    with target.open("wb") as file:
        figure.save(file, kind)
    return target.name
