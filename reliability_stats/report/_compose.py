"""From a posterior to a report without markup; each section is one function."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import numpy as np

from .._counts import plural
from .._summary import identification_by_unit
from .._version import __version__
from ..flicker import Flags
from ..posterior import Posterior
from ..trials import Trials
from ._blind_spots import blind_spots, seen_only_as_named
from ._document import (
    Bullets,
    Card,
    Document,
    Grid,
    Paragraph,
    Section,
    Sources,
    Strip,
    Terms,
)
from ._figures import figures
from ._hidden import hidden
from ._sources import used
from ._verdicts import flags_of, repeated, states, verdicts, zone_section
from .findings import Findings, estimands_for, interval, meaning
from .tables import BASIS, digits

MOST_CARDS = 12
ENDS = {"failure": "missing outcomes as failures", "success": "missing outcomes as successes"}


def compose(
    ends: dict[str, Posterior],
    *,
    k: int | None,
    over: str,
    prob: float,
    title: str,
    flags: Flags | None,
    capable: float,
    dependable: float,
) -> Document:
    """Make the report of a posterior, or of the two that bound missing outcomes.

    Parameters
    ----------
    ends : dict of str to Posterior
        Under the key "", or under "failure" and "success".
    k : int or None
        Number of tries; the usual number of trials if None.
    over, prob : str, float
        Target and mass of the intervals.
    title : str
        What the report is called.
    flags : Flags or None
        Made before; otherwise computed with the usual tolerances.
    capable, dependable : float
        Thresholds of the zones.
    """
    found = {end: Findings(post, k=k, over=over, prob=prob) for end, post in ends.items()}
    first = next(iter(found.values()))
    flagged = {end: flags_of(each.post, flags) for end, each in found.items()}
    seen = flagged[next(iter(flagged))]
    sections = [
        _headline(found),
        _figures(first),
        _summary(found),
        _verdicts(found, flagged),
        states(first.post, seen, prob) if seen is not None else None,
        zone_section(first.post, k=first.k, over=over, capable=capable, dependable=dependable),
        hidden(first.post, prob),
        _checks(first),
        _observed(first),
        _not_shown(first.post.trials),
        _methods(first, seen),
        _record(first),
    ]
    return Document(title, _lead(first), tuple(s for s in sections if s is not None))


def _lead(found: Findings) -> str:
    """Say what the two answers are."""
    counts = found.post.trials.counts
    base = (
        f"{plural(len(found.post.systems), 'system')}, {plural(counts.n_tasks, 'task')}, "
        f"{plural(found.post.trials.n_trials, 'trial')}."
    )
    if counts.n.max() == 1:
        return f"{base} No task was tried twice: repetition was not observed."
    return (
        f"{base} Capability is what a system can do at its best, any of {found.k} trials succeeds. "
        f"Reliability is what it keeps doing, all {found.k} succeed. What lies between is "
        "competence that flickers. The two are never merged."
    )


def _headline(found: dict[str, Findings]) -> Section:
    """Say of each system what it can do and what it keeps doing."""
    first = next(iter(found.values()))
    blocks: list[Any] = []
    for end, each in found.items():
        if end:
            blocks.append(Paragraph(f"With {ENDS[end]}:"))
        if len(each.rows) <= MOST_CARDS:
            blocks += [_card(each, system) for system in each.rows]
        else:
            blocks += [Paragraph(each.preface()), _overview(each)]
    titles = {True: "What it can do, and what it keeps doing", False: "What one trial shows"}
    return Section("headline", titles[repeated(first.post)], tuple(blocks))


def _card(found: Findings, system: str) -> Card:
    """Make the card of one system."""
    names = found.shown()
    roles = {f"pass@{found.k}": "capability", f"pass^{found.k}": "reliability"}
    strips = []
    for name, row in zip(names, found.values(system, *names), strict=True):
        if name not in roles and len(names) > 1:
            continue
        known = row["identified"] != "no"
        text = interval(row, found.decimals - 3) if known else "not identified"
        numbers = [float(row[key]) if known else np.nan for key in ("mean", "lower", "upper")]
        strips.append(Strip(roles.get(name, "success rate"), name, text, *numbers))
    return Card(system, tuple(strips), tuple(found.sentences(system)))


def _overview(found: Findings) -> Grid:
    """Lay many systems out, one a row."""
    shown = found.shown()
    rows = []
    for system in found.rows:
        cells = [
            interval(row, found.decimals - 3) if row["identified"] != "no" else "not identified"
            for row in found.values(system, *shown)
        ]
        rows.append((system, *cells))
    return Grid(("system", *(f">{name}" for name in shown)), tuple(rows))


def _figures(found: Findings) -> Section | None:
    """Show the plots."""
    drawn = figures(found.post, k=found.k, over=found.over, prob=found.prob)
    return Section("figures", "Figures", drawn) if drawn else None


def _summary(found: dict[str, Findings]) -> Section:
    """Give every estimand of every system."""
    grids = []
    for end, each in found.items():
        mass = f"{100 * each.prob:g}%"
        rows = tuple(_summary_rows(each))
        bases = dict.fromkeys(each.summary["identified"])
        notes = [f"{basis}: {BASIS[basis]}." for basis in bases if basis in BASIS]
        note = " ".join(["yes: the data fix the value.", *notes])
        head = ("system", "estimand", "meaning", ">mean", f">{mass} interval", "fixed by the data")
        grids.append(Grid(head, rows, note, ENDS[end].capitalize() if end else ""))
    return Section("summary", "Summary", tuple(grids))


def _summary_rows(found: Findings) -> Iterator[tuple[str, ...]]:
    """Give the rows of the summary, with the digits that the intervals warrant."""
    estimands = estimands_for(found.post.trials.counts, found.k)
    for system in found.rows:
        names = [estimand.name for estimand in estimands]
        for name, estimand, row in zip(names, estimands, found.values(system, *names), strict=True):
            known = row["identified"] != "no"
            places = digits(row["lower"], row["upper"])
            mean, lower, upper = (f"{row[key]:.{places}f}" for key in ("mean", "lower", "upper"))
            yield (
                system,
                name,
                meaning(estimand, found.k),
                mean if known else "not identified",
                f"[{lower}, {upper}]" if known else "",
                str(row["identified"]),
            )


def _verdicts(found: dict[str, Findings], flags: dict[str, Flags | None]) -> Section | None:
    """Judge the systems."""
    blocks: list[Any] = []
    for end in found:
        each = flags[end]
        if each is not None:
            blocks += verdicts(each, ENDS[end].capitalize() if end else "")
    return Section("verdicts", "Verdicts", tuple(blocks)) if blocks else None


def _checks(found: Findings) -> Section:
    """Say what was checked of the data and the computation."""
    summary, counts = found.summary, found.post.trials.counts
    diagnosis = found.post.diagnose()
    pairs = [("Computation", diagnosis.verdict)]
    unfixed = sum(
        identification_by_unit(estimand, counts, found.over).count("model")
        for estimand in estimands_for(counts, found.k)
    )
    total = len(summary)
    pairs.append(
        (
            "Rests on the model",
            f"{unfixed} of {plural(total, 'value')} in the summary, and not on the data alone.",
        )
    )
    return Section("checks", "Checks", (Terms(tuple(pairs)),))


def _observed(found: Findings) -> Section:
    """Say under which conditions all this was seen."""
    pairs = tuple((n, t) for n, t in found.conditions() if n not in ("not shown", "fingerprint"))
    return Section("observed", "Conditions observed", (Terms(pairs),))


def _not_shown(trials: Trials) -> Section:
    """Say what the view leaves out."""
    text = (
        "Every instrument reveals by excluding. Repeated trials were looked at, and nothing else. "
        "Trials of a task are taken as fresh and exchangeable. Not seen here:"
    )
    items = (*blind_spots(trials), *seen_only_as_named(trials))
    return Section("not-shown", "What this report does not show", (Paragraph(text), Bullets(items)))


def _methods(found: Findings, flags: Flags | None) -> Section:
    """Name the methods and their sources."""
    post = found.post
    names = [estimand.name for estimand in estimands_for(post.trials.counts, found.k)]
    text = (
        f"Model: {type(post.model).__name__}. Functionals such as p^k are applied to every task "
        "and then averaged; a mean rate is never raised to a power. Intervals are equal-tailed "
        "posterior intervals."
    )
    works = used(
        names,
        models={type(post.model).__name__, *(flags.settings["models"] if flags else ())},
        method=str(post.sampler_info.get("method", "")),
        regions=repeated(post),
        labels=flags is not None,
    )
    return Section("methods", "Methods", (Paragraph(text), Sources(works)))


def _record(found: Findings) -> Section:
    """Say what made this report, so that it can be made again."""
    info = found.post.sampler_info
    pairs = [("reliability_stats", __version__), ("Python", sys.version.split()[0])]
    versions = info.get("versions", {})
    pairs += [(str(n), str(v)) for n, v in versions.items() if n != "reliability_stats"]
    pairs += [
        ("model", repr(found.post.model)),
        ("computed by", str(info.get("method", ""))),
        ("seed", str(info.get("seed", "none"))),
        ("data fingerprint", found.post.trials.fingerprint),
    ]
    return Section("record", "Record", (Terms(tuple(pairs)),))
