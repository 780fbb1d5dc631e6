"""What the command line says about a posterior."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping
from io import StringIO
from typing import TYPE_CHECKING, Any

import numpy as np

from ._counts import listed, plural
from ._summary import usual_k
from .estimands import (
    ICC,
    Estimand,
    FlickerMass,
    Gap,
    PassAtK,
    PassHatK,
    Persistence,
    SuccessRate,
)
from .models import Beta
from .posterior import Posterior
from .trials import Counts

if TYPE_CHECKING:
    import pandas as pd
    from rich.console import Console
    from rich.table import Table

IN_FULL = 5
"""Up to so many systems get sentences and a table each; more get one row each."""
NARROWEST = 60
"""Columns below which tables are not squeezed further."""
TARGETS = {
    "population": "tasks like these, of which those in the table are a sample",
    "observed": "the very tasks in the table",
}
POLICIES = {
    "drop": "left out",
    "failure": "counted as failures",
    "success": "counted as successes",
}
NOT_SHOWN = (
    "Drift over time, other users and settings, friction between steps, and tasks that people "
    "stopped giving to the system. Trials of a task are taken as fresh and exchangeable, and the "
    "grader as right."
)
NOT_SHOWN_CONDITIONS = " Conditions are the ones chosen here; others may do more harm."
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


def estimands_for(counts: Counts, k: int) -> tuple[Estimand, ...]:
    """Choose what to report: only the success rate if no task was repeated."""
    if counts.n.max() == 1:
        return (SuccessRate(),)
    return (
        SuccessRate(),
        PassAtK(k),
        PassHatK(k),
        Gap(k),
        Persistence(1),
        ICC(),
        FlickerMass(),
    )


def choose_k(counts: Counts, k: int | None) -> int:
    """Give the k that was asked for, or the trials that at least half of the cells have."""
    return max(2, usual_k(counts)) if k is None else k


def meaning(estimand: Estimand, k: int) -> str:
    """Say in a few words what an estimand is."""
    words = {
        "success_rate": "one trial succeeds",
        f"pass@{k}": f"any of {k} succeeds",
        f"pass^{k}": f"all of {k} succeed",
        f"gap@{k}": f"{k} trials disagree",
        "persistence@1": "repeats a success",
        "icc": "trial correlation",
        "flicker_mass": "tasks .1 < p < .9",
    }
    return words.get(estimand.name, "")


def decimals(summary: pd.DataFrame) -> int:
    """Give the decimals that show two digits of the typical posterior sd."""
    sds = summary["sd"].to_numpy(dtype=float)
    sds = sds[np.isfinite(sds) & (sds > 0)]
    if not sds.size:
        return 3
    return int(np.clip(np.ceil(-np.log10(np.median(sds))) + 1, 3, 6))


def percent(value: float, places: int) -> str:
    """Write a share in percent; what is not quite 0 or 100 is not written so."""
    text = f"{100 * value:.{places}f}"
    if float(text) == 0 and value > 0:
        return f"<{10.0**-places:.{places}f}%"
    if float(text) == 100 and value < 1:
        return f">{100 - 10.0**-places:.{places}f}%"
    return f"{text}%"


def interval(row: Mapping[str, Any], places: int) -> str:
    """Write a mean with its interval in percent."""
    mean, lower, upper = (percent(row[name], places) for name in ("mean", "lower", "upper"))
    return f"{mean} [{lower}, {upper}]"


class Report:
    """One posterior, asked for what the command line shows."""

    def __init__(self, post: Posterior, *, k: int | None, over: str, prob: float) -> None:
        """Summarise once."""
        counts = post.trials.counts
        self.post, self.over, self.prob = post, over, prob
        self.k = choose_k(counts, k)
        self.summary = post.summary(estimands_for(counts, self.k), over=over, prob=prob)
        self.decimals = decimals(self.summary)
        self.rows = {
            str(system): part.set_index("estimand")
            for system, part in self.summary.groupby("system", sort=False)
        }

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

    def _chance(self) -> str:
        """Begin a sentence on a chance over the target."""
        if self.over == "population":
            return "On a task like these, the chance"
        return "On the tasks in the table, the average chance"

    def preface(self) -> str:
        """Say what the columns of the overview are."""
        shown, k = self.shown(), self.k
        mass = f"with {100 * self.prob:g}% intervals."
        if len(shown) == 1:
            return (
                f"{self._chance()} that one trial succeeds, {mass} No task was tried twice, so "
                "capability and reliability over repeated trials are not identified: pass@k, at "
                "least 1 of k, lies between rate and 1 - (1 - rate)^k, pass^k, all of k, between "
                "rate^k and rate."
            )
        words = {
            "success_rate": "that one trial succeeds",
            f"pass@{k}": f"that at least 1 of {k} succeeds (capability)",
            f"pass^{k}": f"that all {k} succeed (reliability)",
            f"gap@{k}": "that they disagree (gap)",
        }
        *parts, last = (words[name] for name in shown)
        return f"{self._chance()} {', '.join(parts)}, and {last}, {mass}"

    def shown(self) -> list[str]:
        """Choose the estimands of the overview, for which a terminal has room."""
        counts, k = self.post.trials.counts, self.k
        if counts.n.max() == 1:
            return ["success_rate"]
        if (self.summary["identified"] == "no").any():
            return ["success_rate", f"pass@{k}", f"pass^{k}"]
        return [f"pass@{k}", f"pass^{k}", f"gap@{k}"]

    def sentences(self, system: str) -> list[str]:
        """Say capability and reliability of a system, side by side."""
        k, places = self.k, self.decimals - 3
        n, successes = self._counts(system)
        if n.max() == 1:
            return [self._bounds(system, places)]
        capability, reliability = self._values(system, f"pass@{k}", f"pass^{k}")
        out = [
            (
                f"{self._chance()} that at least 1 of {k} trials succeeds is "
                f"{interval(capability, places)} (capability, pass@{k}), the chance that all {k} "
                f"succeed is {interval(reliability, places)} (reliability, pass^{k})."
            )
        ]
        if reliability["identified"] != "yes":
            out.append(f"Most tasks have fewer than {k} trials: the model extrapolates.")
        always, never = int((successes == n).sum()), int((successes == 0).sum())
        out.append(
            f"Of {plural(len(n), 'task')}, {always} always succeeded, {len(n) - always - never} "
            f"succeeded and failed, {never} never succeeded."
        )
        return out

    def _bounds(self, system: str, places: int) -> str:
        """Say what one trial a task leaves open."""
        k, (rate,) = self.k, self._values(system, "success_rate")
        low, high = rate["lower"], rate["upper"]
        best, worst = 1 - (1 - high) ** k, low**k
        return (
            f"{self._chance()} that one trial succeeds is {interval(rate, places)}. No task was "
            "tried twice, so capability and reliability over repeated trials are not identified. "
            f"Bounds, not estimates: at least 1 of {k} trials succeeds (capability, pass@{k}) with "
            f"{percent(low, places)} to {percent(best, places)}, all {k} succeed (reliability, "
            f"pass^{k}) with {percent(worst, places)} to {percent(high, places)}."
        )

    def _values(self, system: str, *names: str) -> list[dict[str, Any]]:
        """Give rows of the summary of a system."""
        rows = self.rows[system]
        return [{str(key): value for key, value in rows.loc[name].items()} for name in names]

    def _counts(self, system: str) -> tuple[Any, Any]:
        """Give trials and successes of the tasks of a system."""
        counts = self.post.trials.counts
        mask = counts.unit == counts.units.index(system)
        return counts.n[mask], counts.successes[mask]

    def table(self, system: str) -> Table:
        """Lay out the summary of one system."""
        table = _table("estimand", "", ">mean", f">{100 * self.prob:g}% interval", "identified")
        estimands = estimands_for(self.post.trials.counts, self.k)
        values = self._values(system, *(estimand.name for estimand in estimands))
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
            for row in self._values(system, *shown):
                star = "*" if row["identified"] == "model" else ""
                known = row["identified"] != "no"
                cells.append(interval(row, self.decimals - 3) + star if known else "not identified")
            table.add_row(printable(system), *cells)
        if (self.summary.query("estimand in @shown")["identified"] == "model").any():
            table.caption_style, table.caption_justify = "none", "left"
            table.caption = f"* most tasks have fewer than {k} trials: the model extrapolates"
        return table

    def _about(self, about: Iterable[tuple[str, str]]) -> Table:
        """Say what was analysed, how, what was left out, and what is not shown."""
        from rich.table import Table

        trials = self.post.trials
        counts = trials.counts
        missing = "none came without an outcome"
        if trials.n_missing:
            policy = trials.missing_policy
            missing = (
                f"{plural(trials.n_missing, 'outcome')}, {POLICIES[policy]} (policy: {policy})"
            )
        excluded = (
            f"{plural(trials.n_empty_cells, 'cell')} without a counted trial"
            if trials.n_empty_cells
            else "nothing"
        )
        conditions = "none named"
        if counts.conditions:
            labels = listed(tuple(map(printable, counts.conditions)))
            conditions = f"{labels}; each system is fitted under each by itself"
        not_shown = NOT_SHOWN + (NOT_SHOWN_CONDITIONS if counts.conditions else "")
        rows = [
            *about,
            ("data", counts.describe()),
            ("missing", missing),
            ("excluded", excluded),
            ("conditions", conditions),
            ("target", TARGETS[self.over]),
            ("model", _model_name(self.post)),
            ("not shown", not_shown),
            ("fingerprint", trials.fingerprint[:16]),
        ]
        grid = Table.grid(padding=(0, 2, 0, 0))
        grid.add_column(style="bold", no_wrap=True)
        grid.add_column(overflow="fold")
        for name, text in rows:
            grid.add_row(name, printable(text))
        return grid


def _model_name(post: Posterior) -> str:
    """Name the model, its priors and how it was computed."""
    model = post.model
    priors = ", ".join(
        f"{name} ~ Beta({prior.a:g}, {prior.b:g})"
        if isinstance(prior, Beta)
        else f"{name}: {prior}"
        for name, prior in (("mean", model.mean_prior), ("icc", model.icc_prior))
    )
    return f"{type(model).__name__}, {priors}; {post.sampler_info['method']}"


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
