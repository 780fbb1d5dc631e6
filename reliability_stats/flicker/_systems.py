"""The verdict on a system: flickering competence, persistence, or what is missing for either."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from .._counts import listed, plural
from .._numerics import FloatArray
from ..estimands import Dependable, Estimand, FlickerMass, PassAtK
from ..models import BetaBinomial
from ..posterior import Posterior
from ..serial import Exchangeability
from ..serial._check import sentence
from ..serial._verdict import EXPLAINED
from ._states import APPARENT, FLICKERING, NOT_SHOWN, PERSISTENT, UNDETERMINED, Bounds

if TYPE_CHECKING:
    import pandas as pd

CAPABLE_PERSISTENT, FLICKERING_COMPETENCE = "capable and persistent", "flickering competence"
LOCALLY_PERSISTENT, ONE_MODEL = "locally persistent", "undetermined (one model)"
SHAPED = ("BetaBinomial", "Crossed", "LogitNormal", "SpikeSlab")
"""Models that assume a shape of the distribution of success probabilities."""


@dataclass(frozen=True)
class Tolerances:
    """What an institution accepts; all are arguments of `flag_flicker`."""

    flicker: float
    capability: float
    certainty: float
    min_tasks: int
    min_trials: int


@dataclass(frozen=True)
class Chances:
    """Posterior probabilities of one system under one model, and their Monte Carlo errors."""

    model: str
    flickers: float
    capable: float
    dependable: float
    error: FloatArray

    def sure(self, what: str, certainty: float, *, against: bool = False) -> bool:
        """Say whether something (or its contrary) is probable enough, beyond Monte Carlo error."""
        value = getattr(self, what)
        slack = 2.0 * float(self.error[("flickers", "capable", "dependable").index(what)])
        return bool((1.0 - value if against else value) - slack >= certainty)


def chances_of(
    post: Posterior, bounds: Bounds, tolerances: Tolerances, ks: Sequence[int]
) -> list[Chances]:
    """Ask one posterior about all systems."""
    size = len(post.systems)
    flickers, dependable = np.zeros(size), np.zeros(size)
    wanted: list[Estimand] = [PassAtK(k) for k in sorted(set(ks))]
    for low, high in bounds.pairs:
        wanted += [FlickerMass(low, high), Dependable(high)]
    drawn = _flat(post, wanted)
    for low, high in bounds.pairs:
        share = 1.0 / len(bounds.pairs)
        flickers += share * (drawn[FlickerMass(low, high)] > tolerances.flicker).mean(axis=0)
        dependable += share * (drawn[Dependable(high)] >= tolerances.capability).mean(axis=0)
    number = len(drawn[wanted[0]])
    out = []
    for unit, k in enumerate(ks):
        capable = float((drawn[PassAtK(k)][:, unit] >= tolerances.capability).mean())
        values = np.array([flickers[unit], capable, dependable[unit]])
        smooth = (values * number + 1.0) / (number + 2.0)
        error = np.sqrt(smooth * (1.0 - smooth) / number)
        name = type(post.model).__name__
        out.append(Chances(name, float(values[0]), float(values[1]), float(values[2]), error))
    return out


def _flat(post: Posterior, wanted: Sequence[Estimand]) -> dict[Estimand, FloatArray]:
    """Draw estimands over the population, each of shape (draws, systems)."""
    chains, draws = post.engine.default_shape
    wanted = list(dict.fromkeys(wanted))
    values = post.engine.draws(wanted, "population", chains, draws)
    return {e: v.reshape(-1, v.shape[-1]) for e, v in zip(wanted, values, strict=True)}


def several_kinds(posts: Sequence[Posterior]) -> bool:
    """Say whether there are two kinds of model, of which one assumes no shape."""
    names = {type(post.model).__name__ for post in posts}
    return len(names) > 1 and bool(names - set(SHAPED))


def judge_systems(
    posts: Sequence[Posterior],
    cells: pd.DataFrame,
    by_state: FloatArray,
    bounds: Bounds,
    tolerances: Tolerances,
    checked: Exchangeability,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Give one row a system, and one row a system and model."""
    import pandas as pd

    counts = posts[0].trials.counts
    usual = [
        int(np.quantile(counts.n[counts.unit == u], 0.5, method="lower"))
        for u in range(len(counts.units))
    ]
    each = [chances_of(post, bounds, tolerances, usual) for post in posts]
    verdicts = [*zip(*(checked.systems[c].tolist() for c in ("verdict", "cause")), strict=True)]
    enough = several_kinds(posts)
    rows = []
    for unit, name in enumerate(counts.units):
        at = counts.unit == unit
        part = cells[at]
        chances = [values[unit] for values in each]
        row = _facts(part, by_state[:, at], usual[unit])
        row |= {
            f"p_{key}": min(getattr(c, key) for c in chances)
            for key in ("flickers", "capable", "dependable")
        }
        row["exchangeable"] = sentence(*verdicts[unit])
        design = _design(counts.n[at], tolerances)
        verdict, reason = _verdict(row, chances, tolerances, verdicts[unit], design)
        if not enough:
            verdict, reason = ONE_MODEL, _alone(posts, verdict, reason)
        rows.append({"system": name, "verdict": verdict, "reason": reason, **row})
    table = pd.DataFrame(rows)
    models = pd.DataFrame(
        [
            {
                "system": name,
                "model": values[unit].model,
                "p_flickers": values[unit].flickers,
                "p_capable": values[unit].capable,
                "p_dependable": values[unit].dependable,
                "mcse": float(values[unit].error.max()),
            }
            for unit, name in enumerate(counts.units)
            for values in each
        ]
    )
    return table, models


def _facts(part: pd.DataFrame, by_state: FloatArray, usual: int) -> dict[str, Any]:
    """Count the cells of a system by state, and split its score."""
    state = part["state"].to_numpy()
    rate = (part["successes"] / part["n"]).to_numpy()
    score, total = float(rate.sum()), float(by_state.sum())
    flagged = np.isin(state, (FLICKERING,))
    return {
        "n_tasks": len(part),
        "n_trials": usual,
        "shown": int((part["successes"] > 0).sum()),
        "score": score / len(part),
        **{
            name.replace(" ", "_"): int((state == name).sum())
            for name in (PERSISTENT, FLICKERING, APPARENT, NOT_SHOWN, UNDETERMINED)
        },
        "score_from_flagged": float(rate[flagged].sum() / score) if score else float("nan"),
        "score_from_flickering": float(by_state[1].sum() / total) if total else float("nan"),
        "further_trials": float(part["further_trials"].median())
        if part["further_trials"].notna().any()
        else float("nan"),
        "persistent_on": listed(tuple(part["task"][state == PERSISTENT])),
    }


def _design(n: Any, tolerances: Tolerances) -> str:
    """Say what the design lacks, or nothing."""
    rich = int((n >= tolerances.min_trials).sum())
    if rich >= tolerances.min_tasks:
        return ""
    return (
        f"needs at least {tolerances.min_tasks} tasks with {tolerances.min_trials} trials; "
        f"{plural(rich, 'task')} {'has' if rich == 1 else 'have'} so many"
    )


def _verdict(
    row: dict[str, Any],
    chances: Sequence[Chances],
    tolerances: Tolerances,
    checked: tuple[str, str],
    design: str,
) -> tuple[str, str]:
    """Apply the rule to one system: verdict and reason."""
    sure = tolerances.certainty

    def all_sure(what: str, *, against: bool = False) -> bool:
        return all(c.sure(what, sure, against=against) for c in chances)

    if design:
        return UNDETERMINED, design
    if all_sure("flickers") and all_sure("capable"):
        if checked[0] == EXPLAINED:
            return UNDETERMINED, f"apparent flicker explained by {checked[1]}"
        return FLICKERING_COMPETENCE, (
            f"more than {tolerances.flicker:.0%} of tasks flicker ({_at_least(row['p_flickers'])})"
        )
    steady = all_sure("flickers", against=True)
    if steady and all_sure("dependable"):
        return CAPABLE_PERSISTENT, (
            f"dependable on at least {tolerances.capability:.0%} of tasks "
            f"({_at_least(row['p_dependable'])}), flicker on less than "
            f"{tolerances.flicker:.0%}"
        )
    if row["persistent"]:
        rest = "" if steady else "; whether it flickers elsewhere is undetermined"
        on = f"on {row['persistent']} of {plural(row['n_tasks'], 'task')}"
        return LOCALLY_PERSISTENT, f"{on}: {row['persistent_on']}{rest}"
    if all_sure("capable", against=True) and not row["flickering"]:
        return NOT_SHOWN, (
            f"pass@{row['n_trials']} is below {tolerances.capability:.0%} "
            f"({_at_least(1.0 - max(c.capable for c in chances))})"
        )
    return UNDETERMINED, _open(chances, sure)


def _chance(value: float) -> str:
    """Write a probability that is never quite certain."""
    return "above .999" if value > 0.9995 else "below .001" if value < 0.0005 else f"{value:.3f}"


def _at_least(value: float) -> str:
    """Write the smallest of several probabilities."""
    return "probability above .999" if value > 0.9995 else f"probability at least {value:.3f}"


def _open(chances: Sequence[Chances], sure: float) -> str:
    """Say which question is open."""
    if all(c.sure("flickers", sure, against=True) for c in chances):
        return "little flicker, but whether it is dependable or not capable is open"
    says = ", ".join(f"{_chance(c.flickers)} under {c.model}" for c in chances)
    if len({c.sure("flickers", sure) for c in chances}) > 1:
        return f"models disagree: probability of flickering {says}"
    if all(c.sure("flickers", sure) for c in chances):
        return "it flickers, but its capability is too low or uncertain"
    return f"probability of flickering {says}; {sure:g} is asked for either way"


def _alone(posts: Sequence[Posterior], verdict: str, reason: str) -> str:
    """Say what one kind of model points to, and what is missing."""
    names = " and ".join(dict.fromkeys(type(post.model).__name__ for post in posts))
    other = (
        "BetaBinomial()"
        if not any(isinstance(post.model, BetaBinomial) for post in posts)
        else "GridMixture()"
    )
    return f"{names} alone points to: {verdict} ({reason}); a verdict needs {other} too, by also="
