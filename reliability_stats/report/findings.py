"""What a posterior says of each system, in words and in rows of a summary."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from .._counts import listed, plural
from .._summary import usual_k
from ..estimands import (
    ICC,
    Estimand,
    FlickerMass,
    Gap,
    PassAtK,
    PassHatK,
    Persistence,
    SuccessRate,
)
from ..posterior import Posterior
from ..trials import Counts

if TYPE_CHECKING:
    import pandas as pd

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


class Findings:
    """One posterior, asked for what reports show."""

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
        n, successes = self.counts(system)
        if n.max() == 1:
            return [self._bounds(system, places)]
        capability, reliability = self.values(system, f"pass@{k}", f"pass^{k}")
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
        k, (rate,) = self.k, self.values(system, "success_rate")
        low, high = rate["lower"], rate["upper"]
        best, worst = 1 - (1 - high) ** k, low**k
        return (
            f"{self._chance()} that one trial succeeds is {interval(rate, places)}. No task was "
            "tried twice, so capability and reliability over repeated trials are not identified. "
            f"Bounds, not estimates: at least 1 of {k} trials succeeds (capability, pass@{k}) with "
            f"{percent(low, places)} to {percent(best, places)}, all {k} succeed (reliability, "
            f"pass^{k}) with {percent(worst, places)} to {percent(high, places)}."
        )

    def values(self, system: str, *names: str) -> list[dict[str, Any]]:
        """Give rows of the summary of a system."""
        rows = self.rows[system]
        return [{str(key): value for key, value in rows.loc[name].items()} for name in names]

    def counts(self, system: str) -> tuple[Any, Any]:
        """Give trials and successes of the tasks of a system."""
        counts = self.post.trials.counts
        mask = counts.unit == counts.units.index(system)
        return counts.n[mask], counts.successes[mask]

    def conditions(self) -> list[tuple[str, str]]:
        """Say what was analysed, how, what was left out, and what is not shown."""
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
            labels = listed(counts.conditions)
            conditions = f"{labels}; each system is fitted under each by itself"
        not_shown = NOT_SHOWN + (NOT_SHOWN_CONDITIONS if counts.conditions else "")
        return [
            ("data", counts.describe()),
            ("missing", missing),
            ("excluded", excluded),
            ("conditions", conditions),
            ("target", TARGETS[self.over]),
            ("model", _model_name(self.post)),
            ("not shown", not_shown),
            ("fingerprint", trials.fingerprint[:16]),
        ]


def _model_name(post: Posterior) -> str:
    """Name the model, its priors and how it was computed."""
    return f"{post.model!r}; {post.sampler_info['method']}"
