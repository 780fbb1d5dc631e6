"""The section of a report on what a reliability score hides: rare successes, and local fit."""

from __future__ import annotations

from typing import Any

from .._counts import plural
from ..flicker import local_fit, singular
from ..posterior import Posterior
from ._document import Grid, Paragraph, Section, Terms
from ._verdicts import repeated

MOST_SUCCESSES = 20


def hidden(post: Posterior, prob: float) -> Section | None:
    """Show what is worth pursuing though it does not persist everywhere."""
    if not repeated(post):
        return None
    text = (
        "A mean counts these for little. They show what can be done, and where a system fits "
        "though it does not fit everywhere."
    )
    return Section(
        "hidden",
        "What a reliability score would hide",
        (Paragraph(text), *_singular(post, prob), *_local(post, prob)),
    )


def _singular(post: Posterior, prob: float) -> tuple[Any, ...]:
    """List successes that neither the system's other tasks nor other systems led one to expect."""
    table = singular(post, prob=prob)
    if table.empty:
        text = (
            "Singular achievements: none. No success came where the system's own rate, and the "
            "chance of every other system on the task, were at most 0.2."
        )
        return (Paragraph(text),)
    labels = [name for name in ("system", "task", "condition") if name in table.columns]
    rows = tuple(
        (
            *(str(row[name]) for name in labels),
            f"{row['successes']} of {row['n']}",
            f"{row['p_real']:.2f}",
            f"{row['own']:.2f}",
            f"{row['others']:.2f}" if row["n_others"] else "nobody else tried",
        )
        for row in table.head(MOST_SUCCESSES).to_dict("records")
    )
    head = (
        *labels,
        *(">successes", ">P(p > 0.1)", ">own rate elsewhere", ">best chance of others"),
    )
    left = len(table) - len(rows)
    note = (
        "Successes that were rare for the system and out of reach of the others (predicted chances "
        "of at most 0.2), the most surprising first. A success may also be a slip of the grader: "
        "look at the transcript." + (f" {plural(left, 'more row')} not listed." if left else "")
    )
    return (Grid(head, rows, note, "Singular achievements"),)


def _local(post: Posterior, prob: float) -> tuple[Any, ...]:
    """Say where a system is dependable that is not so overall."""
    ways = [by for by, known in (("group", _grouped(post)), ("family", _nested(post))) if known]
    if not ways:
        text = (
            "Local fit: no groups of users or families of tasks were named, so that a system that "
            "fits one place well cannot be told from one that fits none."
        )
        return (Paragraph(text),)
    return tuple(block for by in ways for block in _by(post, by, prob))


def _grouped(post: Posterior) -> bool:
    """Say whether every trial with an outcome names its group."""
    if "group" not in post.trials.columns:
        return False
    frame = post.trials.to_frame()
    return bool(frame.loc[frame["success"].notna(), "group"].notna().all())


def _nested(post: Posterior) -> bool:
    """Say whether the model knows families of tasks."""
    return bool(getattr(post.model, "families", None))


def _by(post: Posterior, by: str, prob: float) -> tuple[Any, ...]:
    """Say of each system whether some group shows it dependable."""
    found = local_fit(post, by, prob=prob)
    said = tuple((str(row["system"]), _where(row)) for row in found.systems.to_dict("records"))
    s = found.settings
    text = (
        f"Local fit by {by}: a group is dependable from a success rate of {s['dependable']:g}; at "
        f"most {s['fdr']:.0%} of these labels are expected to be wrong."
    )
    return Paragraph(text), Terms(said)


def _where(row: dict[Any, Any]) -> str:
    """Say where a system is dependable, beside its rate over all groups."""
    named = f": {row['groups']}" if row["groups"] else ""
    return (
        f"{row['verdict']}{named}. Success rate {row['mean']:.2f} over "
        f"{plural(row['n_groups'], 'group')}; a new group would be dependable with probability "
        f"{row['p_new_group']:.2f}."
    )
