"""`flag_flicker`: states of tasks and verdicts on systems, with stated error."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np

from .._counts import plural
from .._validation import check_fraction, check_positive_int, check_thresholds
from ..estimands.thresholds import HIGH, LOW
from ..exceptions import ArgumentError
from ..fitting import fit
from ..models import GridMixture
from ..posterior import Posterior
from ..serial import Exchangeability, exchangeability
from ..trials import Trials
from ._cells import label_cells
from ._law import CellLaw
from ._states import STATES, Bounds, Grader
from ._systems import Tolerances, judge_systems

if TYPE_CHECKING:
    import pandas as pd

SHOWN = 20
"""Systems that are written out in full."""


@dataclass(frozen=True, eq=False, repr=False)
class Flags:
    """States of cells and verdicts on systems; made by `flag_flicker`.

    Attributes
    ----------
    systems : pandas.DataFrame
        One row a system: system, verdict, reason, n_tasks, n_trials (the usual number), shown
        (tasks done at least once), score, numbers of tasks in each state (persistent, flickering,
        apparent_flicker, not_shown, undetermined), score_from_flagged (share of the observed score
        that comes from tasks labelled flickering), score_from_flickering (the expected share from
        tasks that flicker, labelled or not), further_trials (median of the undetermined tasks),
        persistent_on (tasks), p_flickers, p_capable and p_dependable (the smallest over models),
        exchangeable.
    cells : pandas.DataFrame
        One row a cell: the columns of `Posterior.tasks`, with state probabilities averaged over the
        models, then likely (the most probable state), state, p_wrong (probability that the likely
        state is wrong), p_wrong_most (the largest over models), further_trials (until a state is
        more likely than not to be settled; NaN if settled or beyond 1000), note.
    models : pandas.DataFrame
        One row a system and model: system, model, p_flickers, p_capable, p_dependable, mcse.
    settings : dict
        All tolerances, as they were asked for.
    exchangeability : Exchangeability
        What was checked before anything was called flickering.
    """

    systems: pd.DataFrame
    cells: pd.DataFrame
    models: pd.DataFrame
    settings: dict[str, Any]
    exchangeability: Exchangeability

    def expected_wrong(self) -> pd.DataFrame:
        """Give, for each system and state, how many labels there are and how many may be wrong.

        Returns
        -------
        pandas.DataFrame
            Columns system, state, labels, expected_wrong, share.

        Examples
        --------
        >>> import reliability_stats as rs
        >>> flags = rs.flag_flicker(rs.fit(rs.datasets.load("tau-bench-airline-gpt4o")))
        >>> flags.expected_wrong()[["state", "labels", "share"]].round(4)
                state  labels   share
        0  flickering      14  0.0436
        """
        known = self.cells[self.cells["state"].isin(STATES)]
        keys = ["system", *(name for name in ("condition",) if name in known), "state"]
        table = known.groupby(keys, sort=False)["p_wrong"].agg(["size", "sum", "mean"])
        table.columns = ["labels", "expected_wrong", "share"]
        return table.reset_index()

    def _lines(self) -> list[str]:
        """Write each system in three lines."""
        s = self.settings
        head = f"not shown p <= {s['low']:g} < flickering < {s['high']:g} <= persistent"
        lines = [
            f"Flicker flags: {head}; at most {s['fdr']:.0%} of labels expected wrong; models: "
            + ", ".join(s["models"])
        ]
        for row in self.systems.head(SHOWN).to_dict("records"):
            lines += _system_lines(row)
        if len(self.systems) > SHOWN:
            lines.append(f"... and {len(self.systems) - SHOWN} more in .systems")
        if s["grader"] is None:
            error = min(s["low"], 1.0 - s["high"])
            lines.append(f"Grades are taken as given; wrong ones beyond {error:.0%} are excluded.")
        else:
            lines.append(f"Grader error is allowed for: {s['grader']!r}; pass@k is of grades.")
        return lines

    def __repr__(self) -> str:
        """Write the verdicts out."""
        return "\n".join(self._lines())

    def _repr_html_(self) -> str:
        """Give verdicts and numbers as a table for notebooks, escaped."""
        names: tuple[str, ...] = (
            "system",
            "verdict",
            "reason",
            "shown",
            "n_tasks",
            "persistent",
            "flickering",
        )
        names += ("apparent_flicker", "not_shown", "undetermined", "exchangeable")
        head = "".join(f"<th>{escape(name.replace('_', ' '))}</th>" for name in names)
        body = "".join(
            f"<tr>{''.join(f'<td>{escape(str(row[name]))}</td>' for name in names)}</tr>"
            for row in self.systems.to_dict("records")
        )
        lines = self._lines()
        return (
            f'<table class="reliability-stats"><caption style="text-align:left">{escape(lines[0])}'
            f"<br>{escape(lines[-1])}</caption><thead><tr>{head}</tr></thead>"
            f"<tbody>{body}</tbody></table>"
        )


def _system_lines(row: dict[Any, Any]) -> list[str]:
    """Write one system: verdict, tasks by state, score and order."""
    more = ""
    if row["undetermined"]:
        trials = row["further_trials"]
        often = (
            "more than 1000 further trials"
            if np.isnan(trials)
            else "about " + plural(round(trials), "further trial")
        )
        more = f" ({often} each)"
    states = [f"persistent on {row['persistent']}", f"flickering on {row['flickering']}"]
    if row["apparent_flicker"]:
        states.append(f"apparent flicker on {row['apparent_flicker']}")
    states += [f"not shown on {row['not_shown']}", f"undetermined on {row['undetermined']}{more}"]
    split = ""
    if row["score"]:
        split = (
            f"; {row['score_from_flagged']:.0%} of it from tasks labelled flickering, "
            f"{row['score_from_flickering']:.0%} expected from all that flicker"
        )
    shown = f"shown on {row['shown']} of {plural(row['n_tasks'], 'task')}"
    return [
        f"{row['system']}: {row['verdict']}",
        f"    {row['reason']}",
        f"    {shown}; {', '.join(states)}",
        f"    score {row['score']:.3f}{split}",
        f"    order of trials: {row['exchangeable']}",
    ]


def flag_flicker(
    post: Posterior | Trials,
    *,
    also: Posterior | Sequence[Posterior] = (),
    low: float = LOW,
    high: float = HIGH,
    fdr: float = 0.05,
    tolerance: float = 0.20,
    capability: float = 0.20,
    certainty: float = 0.95,
    min_tasks: int = 20,
    min_trials: int = 4,
    grader: Grader | None = None,
    check: Exchangeability | None = None,
) -> Flags:
    """Label tasks as not shown, flickering or persistent, and judge systems.

    Parameters
    ----------
    post : Posterior or Trials
        A fit; or trials, to which `BetaBinomial` and `GridMixture` are then fitted, the two that a
        verdict needs.
    also : Posterior or list of Posterior, optional
        Fits of other models to the same trials. State probabilities are averaged over all; a
        verdict on a system needs two kinds of model, one of them without the shape of a beta
        distribution, to agree.
    low, high : float in [0, 1], default 0.10 and 0.90
        Success probabilities that bound flickering. They should allow for wrong grades.
    fdr : float in (0, 1), default 0.05
        Share of the labels of each system and state that may be expected to be wrong.
    tolerance : float in [0, 1], default 0.20
        Share of tasks that may flicker.
    capability : float in [0, 1], default 0.20
        Smallest pass@k, at the usual number of trials, of a capable system; also the smallest
        dependable share of a persistent one.
    certainty : float in (0, 1), default 0.95
        Posterior probability that a verdict needs under every model, beyond Monte Carlo error.
    min_tasks, min_trials : int >= 1, default 20 and 4
        Design that a verdict needs: so many tasks with so many trials.
    grader : Grader, optional
        Sensitivity and specificity of the grader, if an audit is at hand. By default grades are
        taken as given.
    check : Exchangeability, optional
        Result of `exchangeability`; computed if not given.

    Returns
    -------
    Flags
        With ``systems``, ``cells`` and ``models``.

    Raises
    ------
    ArgumentError
        If an argument is not allowed, or posteriors are of different trials.

    Notes
    -----
    *Tasks.* Every task has a posterior probability of each state. For each system and state, the
    largest set of tasks whose mean probability of being wrong is at most `fdr` gets the label;
    tasks with equal counts are treated alike; all others are undetermined. Two successes in four
    trials are no proof of flicker at bounds of 0.05 and 0.95 by themselves, and four in four are
    not persistence: under a uniform prior, flicker needs at least 4 trials at the default bounds,
    and persistence 28 (`minimal_trials`).

    *Systems.* "flickering competence" needs the design, capability, more flicker than the tolerance
    under all models, and no cause such as drift that explains it. "capable and persistent" needs
    less flicker than the tolerance, and a dependable share of at least `capability`. "locally
    persistent" names tasks. "not shown" means that pass@k is below `capability`. All else is
    "undetermined". With one kind of model the verdict is "undetermined (one model)": the beta
    distribution alone mistakes tasks that are nearly deterministic, at 5% and 95%, for flicker.

    If only counts are known, drift and dependence cannot be excluded, and the result says so.

    With one trial a task nothing is labelled.

    References
    ----------
    Newton et al. (2004), https://doi.org/10.1093/biostatistics/5.2.155;
    Mueller et al. (2004), https://doi.org/10.1198/016214504000001646;
    Chow (1970), https://doi.org/10.1109/TIT.1970.1054406

    Examples
    --------
    >>> import reliability_stats as rs
    >>> flags = rs.flag_flicker(rs.fit(rs.datasets.load("tau-bench-airline-gpt4o")))
    >>> flags.cells["state"].value_counts().to_dict()
    {'undetermined': 36, 'flickering': 14}
    >>> flags.systems["verdict"][0]
    'undetermined (one model)'
    >>> trials = rs.datasets.load("tau-bench-airline-gpt4o")
    >>> rs.flag_flicker(trials).systems["verdict"][0]
    'flickering competence'
    """
    if isinstance(post, Trials):
        trials = post
        also = [fit(trials, model=GridMixture(), rng=0), *_listed(also)]
        post = fit(trials)
    posts = _posteriors(post, also)
    low, high = check_thresholds(low, high)
    if grader is not None and not isinstance(grader, Grader):
        raise ArgumentError(f"grader must be Grader(sensitivity, specificity), not {grader!r}.")
    tolerances = Tolerances(
        check_fraction(tolerance, "tolerance"),
        check_fraction(capability, "capability"),
        check_fraction(certainty, "certainty"),
        check_positive_int(min_tasks, "min_tasks"),
        check_positive_int(min_trials, "min_trials"),
    )
    fdr = check_fraction(fdr, "fdr")
    checked = exchangeability(post.trials) if check is None else _of_same(check, post)
    bounds = Bounds.of(low, high, grader)
    law = CellLaw.of(posts, bounds)
    cells = label_cells(posts, law, bounds, fdr, checked)
    systems, models = judge_systems(
        posts, cells, law.from_states(bounds), bounds, tolerances, checked
    )
    settings = {
        "low": low,
        "high": high,
        "fdr": fdr,
        "tolerance": tolerances.flicker,
        "capability": tolerances.capability,
        "certainty": tolerances.certainty,
        "min_tasks": tolerances.min_tasks,
        "min_trials": tolerances.min_trials,
        "grader": grader,
        "models": tuple(type(p.model).__name__ for p in posts),
    }
    return Flags(systems, cells, models, settings, checked)


def _listed(also: Any) -> list[Any]:
    """Give one or several posteriors as a list."""
    return [also] if isinstance(also, Posterior) else list(also)


def _posteriors(post: Any, also: Any) -> list[Posterior]:
    """Give all posteriors, which must be of the same trials."""
    posts = [post, *_listed(also)]
    for item in posts:
        if not isinstance(item, Posterior):
            raise ArgumentError(
                f"flag_flicker needs Trials or posteriors, made by fit(trials), not "
                f"{type(item).__name__}."
            )
        if item.trials != post.trials:
            raise ArgumentError(
                "All posteriors must be of the same trials, but fingerprints "
                f"{post.trials.fingerprint[:8]} and {item.trials.fingerprint[:8]} differ."
            )
    return posts


def _of_same(check: Any, post: Posterior) -> Exchangeability:
    """Give a check that was made before, which must be of the same systems."""
    if not isinstance(check, Exchangeability):
        raise ArgumentError(
            f"check must be what exchangeability(trials) gives, not {type(check).__name__}."
        )
    if tuple(check.systems["system"]) != post.systems:
        raise ArgumentError("check must be of the trials that were fitted, but systems differ.")
    return check
