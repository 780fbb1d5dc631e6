"""The sections of a report that decide: verdicts, states of tasks, zones."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

from .._counts import listed, plural
from ..comparison import zones
from ..estimands import PassAtK, Persistence
from ..exceptions import ArgumentError, IdentifiabilityWarning
from ..fitting import fit
from ..flicker import Flags, flag_flicker
from ..models import BetaBinomial, GridMixture
from ..posterior import Posterior
from ._document import Bullets, Grid, Paragraph, Section, Terms

if TYPE_CHECKING:
    import pandas as pd

MOST_JUDGED = 12
"""Systems up to which a second model is fitted for their verdicts."""
MOST_ROWS = 100
"""Rows of the list of tasks in between."""


def repeated(post: Posterior) -> bool:
    """Say whether any task was tried twice."""
    return bool(post.trials.counts.n.max() > 1)


def flags_of(post: Posterior, given: Flags | None = None) -> Flags | None:
    """Give the flags of a posterior; none without repetition.

    A verdict needs a second kind of model, which is fitted here for up to `MOST_JUDGED` systems.
    """
    if given is not None:
        return _of_same(given, post)
    if not repeated(post):
        return None
    also = []
    if len(post.trials.counts.units) <= MOST_JUDGED:
        second = BetaBinomial() if isinstance(post.model, GridMixture) else GridMixture()
        also = [fit(post.trials, second, rng=0)]
    return flag_flicker(post, also=also)


def _of_same(flags: Flags, post: Posterior) -> Flags:
    """Give flags that were made before, which must be of the same cells."""
    if not isinstance(flags, Flags):
        raise ArgumentError(f"flags must be what flag_flicker gives, not {type(flags).__name__}.")
    here, there = post.tasks(), flags.cells
    keys = ["system", "task", "n", "successes"]
    if len(here) != len(there) or not (here[keys].to_numpy() == there[keys].to_numpy()).all():
        raise ArgumentError("flags must be of the trials that are reported, but cells differ.")
    return flags


def verdicts(flags: Flags, caption: str = "") -> tuple[Any, ...]:
    """Say of each system whether it is persistent, flickers, or what is missing to tell."""
    records = flags.systems.to_dict("records")
    said = tuple(
        (str(row["system"]), f"{_capitalized(str(row['verdict']))}: {row['reason']}.")
        for row in records
    )
    rows = tuple(
        (
            str(row["system"]),
            *(str(row[state]) for state in ("persistent", "flickering", "not_shown")),
            str(row["undetermined"] + row["apparent_flicker"]),
            _share(row["score_from_flickering"]),
        )
        for row in records
    )
    head = (
        *("system", ">persistent", ">flickering", ">not shown", ">undetermined"),
        ">score from flicker",
    )
    above = (Paragraph(f"{caption}:"),) if caption else ()
    return (*above, Terms(said), Grid(head, rows, _settings(flags)), Bullets(_order(flags)))


def _capitalized(text: str) -> str:
    """Begin with a capital letter, and leave the rest as it is."""
    return text[:1].upper() + text[1:]


def _share(value: float) -> str:
    """Write a share as a percentage; there is none of a score of zero."""
    return f"{100 * value:.0f}%" if value == value else "no score"


def _settings(flags: Flags) -> str:
    """Say what the verdicts tolerate; another choice may give another verdict."""
    s = flags.settings
    grader = (
        "grades are taken as given" if s["grader"] is None else f"grader error: {s['grader']!r}"
    )
    return (
        f"A task is persistent if p >= {s['high']:g}, flickers if {s['low']:g} < p < "
        f"{s['high']:g}, and is not shown if p <= {s['low']:g}; at most {s['fdr']:.0%} of these "
        "labels are expected to be wrong, and tasks that allow none stay undetermined. A system "
        f"flickers if more than {s['tolerance']:.0%} of its tasks do, and is capable from pass@k "
        f"of {s['capability']:.0%}, with probability {s['certainty']:g} under every model "
        f"({', '.join(s['models'])}) and at least {s['min_tasks']} tasks of {s['min_trials']} "
        f"trials; {grader}. Columns count tasks; the last is the share of the score that is "
        "expected to come from tasks that flicker, labelled or not. None of the verdicts is a "
        "failure: undetermined says that more trials would tell."
    )


def _order(flags: Flags) -> tuple[str, ...]:
    """Say of the order of trials what was found; systems that agree share a sentence."""
    found: dict[str, list[str]] = {}
    for row in flags.systems.to_dict("records"):
        found.setdefault(str(row["exchangeable"]), []).append(str(row["system"]))
    if len(found) == 1:
        return (f"Order of trials, all systems: {next(iter(found))}.",)
    return tuple(f"Order of trials, {', '.join(names)}: {text}." for text, names in found.items())


def states(post: Posterior, flags: Flags, prob: float) -> Section:
    """List the tasks that both succeeded and failed, those that most probably flicker first."""
    title = "Where competence flickers"
    cells = flags.cells
    between = cells[(cells["successes"] > 0) & (cells["successes"] < cells["n"])]
    if between.empty:
        text = "No task both succeeded and failed. That alone does not show that none flickers."
        return Section("tasks", title, (Paragraph(text),))
    order = between.sort_values("p_flickering", ascending=False, kind="stable")
    ends = post.tasks(prob=prob).loc[order.index, ["lower", "upper"]]
    labels = [name for name in ("system", "condition") if name in cells.columns]
    alike: dict[tuple[str, ...], list[str]] = {}
    for row, lower, upper in zip(
        order.to_dict("records"), ends["lower"], ends["upper"], strict=True
    ):
        said = (
            *(str(row[name]) for name in labels),
            f"{row['successes']} of {row['n']}",
            str(row["state"]),
            f"{row['p_flickering']:.2f}",
            f"[{lower:.2f}, {upper:.2f}]",
            _further(row["further_trials"]),
        )
        alike.setdefault(said, []).append(str(row["task"]))
    rows = tuple(
        (*said, str(len(tasks)), listed(tuple(tasks)))
        for said, tasks in list(alike.items())[:MOST_ROWS]
    )
    s = flags.settings
    head = (
        *labels,
        *(">successes", "state", f">P({s['low']:g} < p < {s['high']:g})"),
        *(f">{100 * prob:g}% interval of p", ">further trials", ">tasks", "which"),
    )
    left = sum(len(tasks) for tasks in list(alike.values())[MOST_ROWS:])
    note = (
        "Tasks that both succeeded and failed, the most probable to flicker first; tasks alike in "
        "all of this share a row. Further trials: how many it takes until a state is more likely "
        "than not to be settled." + (f" {plural(left, 'more task')} not listed." if left else "")
    )
    return Section("tasks", title, (Grid(head, rows, note),))


def _further(trials: float) -> str:
    """Write the number of further trials; settled tasks need none."""
    return f"{trials:.0f}" if trials == trials else ""


def zone_section(
    post: Posterior, *, k: int, over: str, capable: float, dependable: float
) -> Section | None:
    """Place the systems on the two axes, with the probability of each zone."""
    if not repeated(post):
        return None
    with warnings.catch_warnings():
        # The summary of the report says of every value what it rests on.
        warnings.simplefilter("ignore", IdentifiabilityWarning)
        table = zones(
            post,
            PassAtK(k),
            Persistence(k - 1),
            capable=capable,
            dependable=dependable,
            over=over,
        )
    return Section("zones", "Two axes, four zones", (_zones(table, k),))


def _zones(table: pd.DataFrame, k: int) -> Grid:
    """Lay out the probabilities of the zones, one system a row."""
    columns = ("p_dependable", "p_flickering", "p_narrow", "p_immature")
    rows = tuple(
        (str(row["system"]), str(row["zone"]), *(f"{row[name]:.2f}" for name in columns))
        for row in table.to_dict("records")
    )
    first = table.iloc[0]
    note = (
        f"Capable: pass@{k} of at least {first['capable']:g}. Dependable: after one success, all "
        f"of the next {k - 1} succeed with probability of at least {first['dependable']:g}. A zone "
        f"is named from probability {first['prob']:g}. The thresholds are a choice: set them to "
        "what your use of the system tolerates."
    )
    head = (
        *("system", "zone", ">dependable", ">capable but flickering"),
        *(">narrow but dependable", ">immature"),
    )
    return Grid(head, rows, note)
