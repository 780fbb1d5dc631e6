"""One call writes a report."""

from __future__ import annotations

from os import PathLike
from pathlib import Path

from .._validation import check_fraction, check_k, check_over, check_prob
from ..exceptions import ArgumentError
from ..fitting import fit
from ..flicker import Flags
from ..posterior import Posterior
from ..trials import Trials
from ._compose import compose

KINDS = (".html", ".md", ".tex")


def report(
    source: Posterior | Trials,
    path: str | PathLike[str],
    *,
    k: int | None = None,
    over: str = "population",
    prob: float = 0.95,
    title: str = "Capability and reliability",
    flags: Flags | None = None,
    capable: float = 0.5,
    dependable: float = 0.8,
) -> Path:
    """Write a report: what each system can do, what it keeps doing, and what was not looked at.

    Parameters
    ----------
    source : Posterior or Trials
        A fit, or trials, which are then fitted with `BetaBinomial`. Trials whose missing outcomes
        are to be bounded are fitted twice, and the report shows both ends.
    path : str or path
        A file that ends in .html, .md or .tex; one that exists is replaced. HTML is one file that
        needs nothing else. Markdown and LaTeX write their figures beside it.
    k : int >= 2, optional
        Number of tries; the usual number of trials of a task by default.
    over : {"population", "observed"}
        Tasks like these, or the very tasks of the table.
    prob : float in (0, 1), default 0.95
        Mass of the intervals.
    title : str
        Heads the report.
    flags : Flags, optional
        What `flag_flicker` gave, with the tolerances of your choice. By default it is computed with
        its own defaults, for which a second model is fitted if there are at most 12 systems.
    capable, dependable : float in (0, 1), default 0.5 and 0.8
        Thresholds of the zones: of pass@k, and of ``Persistence(k - 1)``. They are a choice of
        whoever deploys the system, and the report shows them.

    Returns
    -------
    pathlib.Path
        The file.

    Raises
    ------
    ArgumentError
        If an argument is not allowed.
    MissingExtraError
        If HTML is asked for and Jinja2 (the extra "report") is not installed.
    OSError
        If the file cannot be written.

    Notes
    -----
    HTML reports load nothing from anywhere, run no code, and forbid both by a content security
    policy. Every name is escaped in every format.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> import reliability_stats as rs
    >>> post = rs.fit(rs.datasets.load("tau-bench-airline-gpt4o"))
    >>> file = rs.report(post, pathlib.Path(tempfile.mkdtemp()) / "report.html")
    >>> "What this report does not show" in file.read_text(encoding="utf-8")
    True
    """
    out = Path(path)
    kind = out.suffix.lower()
    if kind not in KINDS:
        raise ArgumentError(
            f"path must end in {', '.join(KINDS[:-1])} or {KINDS[-1]}, not {out.name!r}."
        )
    if k is not None:
        k = check_k(k, minimum=2)
    over, prob = check_over(over), check_prob(prob)
    document = compose(
        _ends(source),
        k=k,
        over=over,
        prob=prob,
        title=str(title),
        flags=flags,
        capable=check_fraction(capable, "capable"),
        dependable=check_fraction(dependable, "dependable"),
    )
    if kind == ".html":
        from ._html import to_html

        text = to_html(document)
    else:
        from ._text import to_latex, to_markdown

        text = (to_markdown if kind == ".md" else to_latex)(document, out)
    out.write_text(text, encoding="utf-8", newline="\n")
    return out


def _ends(source: Posterior | Trials) -> dict[str, Posterior]:
    """Give the posterior to report, or the two between which missing outcomes put it."""
    if isinstance(source, Posterior):
        return {"": source}
    if not isinstance(source, Trials):
        raise ArgumentError(
            f"A report is made of a Posterior or Trials, not {type(source).__name__}."
        )
    if source.missing_policy == "bounds" and source.n_missing:
        return {end: fit(source.complete(end)) for end in ("failure", "success")}
    return {"": fit(source)}
