"""Which tasks a new version does worse than a baseline, with flicker told from regression."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np

from .._counts import listed, plural
from .._numerics import FloatArray, IntArray
from .._validation import _as_float, check_fraction, check_prob, check_rng, suggest
from ..exceptions import ArgumentError, ExclusionWarning, TrialDataError
from ..flicker._fdr import discoveries
from ..trials import Trials
from ._flips import design_tests, flips
from ._paired_law import BINS, Pairs, pair_law
from ._periods import History, check_period, history_of

if TYPE_CHECKING:
    import pandas as pd

REGRESSED, IMPROVED, UNCHANGED = "regressed", "improved", "unchanged"
UNDETERMINED = "undetermined"
SHOWN = 20
STATES = (REGRESSED, IMPROVED, UNCHANGED)


@dataclass(frozen=True, eq=False, repr=False)
class Regressions:
    """Changes of tasks against a baseline; made by `regressions`.

    Attributes
    ----------
    tasks : pandas.DataFrame
        One row for each system, version and task seen with both versions: system, version, task,
        n_baseline, successes_baseline, n, successes, change (posterior mean of the success
        probability minus that of the baseline), lower, upper, prob, p_worse (the change is below
        minus the margin), p_better (above the margin), p_unchanged (between), state, p_wrong (of
        the likeliest state).
    versions : pandas.DataFrame
        One row for each system and version: system, version, n_tasks, n_not_compared (tasks seen
        with one of the two versions only), rate_baseline and rate (means over the tasks compared),
        flips with what is expected under no change (see Notes of `regressions`), numbers of tasks
        in each state, expected_wrong (labels expected to be wrong), shift and shift_sd (posterior
        mean and sd of the common shift in log odds), redrawn (posterior mean share of tasks that
        changed by themselves), p_unchanged and test (design-based, that no
        task has changed), p_mean (that the mean has not), identified ("yes", or "no" if no task
        has two trials of one version, so that flicker cannot be told from change).
    baseline : str
        The version compared with.
    settings : dict
        margin, fdr and prob.
    """

    tasks: pd.DataFrame
    versions: pd.DataFrame
    baseline: str
    settings: dict[str, Any]

    def _lines(self) -> list[str]:
        """Write each comparison in four lines."""
        s = self.settings
        head = f"Changes against {self.baseline} by more than {s['margin']:g}; "
        lines = [head + f"at most {s['fdr']:.0%} of labels expected wrong"]
        for row in self.versions.head(SHOWN).to_dict("records"):
            lines += _version_lines(row)
        if len(self.versions) > SHOWN:
            lines.append(f"and {len(self.versions) - SHOWN} more in .versions")
        return lines

    def __repr__(self) -> str:
        """Write the comparisons out."""
        return "\n".join(self._lines())

    def _repr_html_(self) -> str:
        """Give the same for notebooks, escaped."""
        return f"<pre>{escape(repr(self))}</pre>"


def _version_lines(row: dict[Any, Any]) -> list[str]:
    """Write one comparison."""
    compared = f"{row['system']}, {row['version']}: {plural(row['n_tasks'], 'task')}, "
    states = ", ".join(f"{row[state]} {state}" for state in (*STATES, UNDETERMINED))
    if row["identified"] == "no":
        states = "one trial each: no task can be told from flicker"
    down = f"pass to fail {row['to_fail']:.1f} (if unchanged {row['to_fail_if_unchanged']:.1f})"
    up = f"fail to pass {row['to_pass']:.1f} (if unchanged {row['to_pass_if_unchanged']:.1f})"
    return [
        compared + f"rate {row['rate_baseline']:.3f} -> {row['rate']:.3f}",
        f"    {states}",
        f"    {down}, {up}",
        f"    no task changed: p = {row['p_unchanged']:.2g} ({row['test']})",
    ]


def regressions(
    trials: Trials,
    *,
    version: str | float,
    baseline: str,
    margin: float = 0.10,
    fdr: float = 0.05,
    prob: float = 0.95,
    rng: Any = 0,
) -> Regressions:
    """Say which tasks every version does worse, better or as well as a baseline.

    Parameters
    ----------
    trials : Trials
        With the versions as conditions, as systems, or as periods of time.
    version : str or float
        What a version is: "condition", "system", the name of the column that was read as one of
        them, or a period as in `ChangePoint`. With "system" all systems are versions of one.
    baseline : str
        Label of the version that all others are compared with.
    margin : float in [0, 1), default 0.10
        Changes of the success probability up to this size do not count.
    fdr : float in [0, 1], default 0.05
        Share of the labels of each system, version and state that may be expected to be wrong.
    prob : float in (0, 1), default 0.95
        Mass of the intervals.
    rng : optional
        Seed of the paired permutation test, which exchanges at random if there are more than some
        13 tasks that differ. Nothing else is random.

    Returns
    -------
    Regressions
        With ``tasks`` and ``versions``.

    Raises
    ------
    ArgumentError
        If an argument is not allowed, or there is no such baseline.
    TrialDataError
        If a system has no task in common with the baseline.

    Warns
    -----
    ExclusionWarning
        If tasks were seen with one of two versions only: they cannot be compared.

    Notes
    -----
    *Model.* A task either moves with the rest, by a shift of its log odds that is normal over tasks
    with mean m and sd s, or is drawn anew from the same beta law of tasks, with probability w.
    Where m and s are near 0, tasks that are not drawn anew keep their probability, and all their
    flips are flicker. The priors are wide: the mean and the intra-class correlation of the beta law
    and w are uniform, m is normal with sd 1 and s half-normal with scale 0.5. All is summed over
    grids; nothing is sampled. Exchanging versions exchanges worse and better.

    *Labels.* In each state, the largest set of tasks whose mean probability of not being in it is
    at most `fdr`. If every task has one trial of each version, nothing is labelled: a flip of one
    task is then no evidence of more than flicker, whatever the model makes of it. The rule holds on
    average over truths like those of the prior; the tables of the
    documentation give the share of wrong labels under truths that are none of them.

    *Flips.* ``to_fail`` and ``to_pass`` are the numbers of tasks that flip from one trial of the
    baseline to one of the version, averaged over all such pairs of trials. ``broke`` counts the
    tasks that passed all trials of the baseline and then failed one. Those with ``_if_unchanged``
    are expected if no task has changed, given each task's total of successes; they are exact,
    whatever the tasks are.

    *What this view cannot see.* Behaviour that no task tests, changes of the tasks or of the grader
    between the versions, and differences between the days of the runs: all are read as changes of
    the system.

    References
    ----------
    Newton et al. (2004), https://doi.org/10.1093/biostatistics/5.2.155;
    Efron (2008), https://doi.org/10.1214/07-STS236;
    McNemar (1947), https://doi.org/10.1007/BF02295996;
    Mantel and Haenszel (1959), https://doi.org/10.1093/jnci/22.4.719

    Examples
    --------
    >>> import reliability_stats as rs
    >>> old, new = [8] * 12 + [4] * 4, [0] * 2 + [8] * 10 + [3, 5, 4, 6]
    >>> table = {"task": list(range(16)) * 2, "version": ["v1"] * 16 + ["v2"] * 16}
    >>> table |= {"n": [8] * 32, "successes": old + new}
    >>> trials = rs.Trials.from_counts(table, system=None, condition="version")
    >>> rs.regressions(trials, version="version", baseline="v1")
    Changes against v1 by more than 0.1; at most 5% of labels expected wrong
    system, v2: 16 tasks, rate 0.875 -> 0.766
        2 regressed, 0 improved, 11 unchanged, 3 undetermined
        pass to fail 2.9 (if unchanged 1.6), fail to pass 1.1 (if unchanged 1.6)
        no task changed: p = 0.0053 (Cochran-Mantel-Haenszel)
    """
    import pandas as pd

    top = _as_float(margin, "margin", "a number in [0, 1)")
    if not 0 <= top < 1:
        raise ArgumentError(f"margin must be a number in [0, 1), not {margin!r}.")
    settings = {"margin": top, "fdr": check_fraction(fdr, "fdr"), "prob": check_prob(prob)}
    seed = check_rng(rng)
    history = _history(trials, version)
    old = _position(history, baseline)
    tasks, rows, lost = [], [], []
    for unit, name in enumerate(history.units):
        for new, label in enumerate(history.periods):
            both = _paired(history, unit, old, new) if new != old else None
            if both is None:
                continue
            task, pairs, alone = both
            frame, row = _compared(history, task, pairs, settings, seed)
            head = {"system": name, "version": label}
            tasks.append(frame.assign(**head)[[*head, *frame.columns]])
            rows.append(head | {"n_tasks": len(task), "n_not_compared": len(alone)} | row)
            lost += [(name, label, history.tasks[t]) for t in alone]
    if not rows:
        raise TrialDataError(
            f"No task was run with both {history.periods[old]!r} and another version by one "
            "system; if the versions are called systems, use version='system'."
        )
    _warn(lost)
    table = pd.concat(tasks, ignore_index=True)
    return Regressions(table, pd.DataFrame(rows), history.periods[old], settings)


def _history(trials: Trials, version: Any) -> History:
    """Count trials by system, version and task."""
    columns = trials.columns if isinstance(trials, Trials) else {}
    if version != "system" and (version is None or version != columns.get("system")):
        return history_of(trials, check_period(version))
    c = trials.counts
    if c.condition is not None:
        raise ArgumentError(
            "With version='system' there can be no conditions; select one with "
            "trials.select(condition=...)."
        )
    if trials.missing_policy == "bounds" and trials.n_missing:
        raise TrialDataError(
            "Outcomes are missing under missing='bounds', and a posterior needs definite counts; "
            "use trials.complete('failure') and trials.complete('success') to see both ends."
        )
    if len(c.systems) < 2:
        raise TrialDataError(f"There is one version only, {c.systems[0]!r}.")
    order = np.lexsort([c.task, c.system])
    keys = (values[order] for values in (c.system, c.task, c.n, c.successes))
    places = np.arange(len(c.systems))
    return History(("all",), c.systems, c.tasks, places, np.zeros_like(order), *keys)


def _position(history: History, baseline: Any) -> int:
    """Find the baseline."""
    label = str(baseline)
    if label not in history.periods:
        raise ArgumentError(
            f"There is no version {label!r} to be the baseline{suggest(label, history.periods)}; "
            f"the versions are {listed(history.periods, 20)}."
        )
    return history.periods.index(label)


def _paired(
    history: History, unit: int, old: int, new: int
) -> tuple[IntArray, Pairs, IntArray] | None:
    """Give the tasks seen with both versions, their counts, and the tasks seen with one only."""
    mine = (history.unit == unit) & (history.n > 0)
    sides = [np.flatnonzero(mine & (history.period == p)) for p in (old, new)]
    if not all(map(len, sides)):
        return None
    tasks = [history.task[side] for side in sides]
    both, i, j = np.intersect1d(tasks[0], tasks[1], assume_unique=True, return_indices=True)
    if not len(both):
        return None
    a, b = sides[0][i], sides[1][j]
    n, y = history.n, history.successes
    return (
        both,
        Pairs.of(n[a], y[a], n[b], y[b]),
        np.setxor1d(tasks[0], tasks[1], assume_unique=True),
    )


def _compared(
    history: History,
    task: IntArray,
    pairs: Pairs,
    settings: dict[str, Any],
    rng: np.random.Generator,
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Compare one version with the baseline: rows of tasks, and the row of the version."""
    import pandas as pd

    law = pair_law(pairs, settings["margin"])
    lower, upper = _ends(law.change, settings["prob"])
    chances = np.stack([law.worse, law.better, np.maximum(1 - law.worse - law.better, 0)], axis=1)
    likely = chances.argmax(axis=1)[pairs.row]
    wrong = 1 - chances.max(axis=1)[pairs.row]
    repeated = bool(max(pairs.n0.max(), pairs.n1.max()) > 1)
    called = discoveries(wrong, likely, settings["fdr"]) & repeated
    state = np.where(called, np.array(STATES, dtype=object)[likely], UNDETERMINED)
    columns: dict[str, Any] = {"task": [history.tasks[t] for t in task]}
    values = {
        "n_baseline": pairs.n0,
        "successes_baseline": pairs.y0,
        "n": pairs.n1,
        "successes": pairs.y1,
        "change": law.mean,
        "lower": lower,
        "upper": upper,
        "prob": np.full(len(lower), settings["prob"]),
        "p_worse": chances[:, 0],
        "p_better": chances[:, 1],
        "p_unchanged": chances[:, 2],
    }
    columns |= {name: value[pairs.row] for name, value in values.items()}
    frame = pd.DataFrame(columns | {"state": state, "p_wrong": wrong})
    row: dict[str, Any] = {
        "rate_baseline": float((pairs.y0 / pairs.n0)[pairs.row].mean()),
        "rate": float((pairs.y1 / pairs.n1)[pairs.row].mean()),
        **flips(pairs),
        **{name: int((state == name).sum()) for name in (*STATES, UNDETERMINED)},
        "expected_wrong": float(wrong[called].sum()),
        "shift": law.shift[0],
        "shift_sd": law.shift[1],
        "redrawn": law.redrawn[0],
        **design_tests(pairs, rng),
        "identified": "yes" if repeated else "no",
    }
    return frame, row


def _ends(change: FloatArray, prob: float) -> tuple[FloatArray, FloatArray]:
    """Give equal-tailed ends, to half a bin outwards."""
    nodes = np.linspace(-1, 1, BINS)
    cumulative = change.cumsum(axis=1)
    tail = (1 - prob) / 2
    low = (cumulative > tail).argmax(axis=1)
    high = (cumulative >= 1 - tail - 1e-12).argmax(axis=1)
    half = 1.0 / (BINS - 1)
    return np.maximum(nodes[low] - half, -1), np.minimum(nodes[high] + half, 1)


def _warn(lost: list[tuple[str, str, str]]) -> None:
    """Say which tasks could not be compared."""
    import warnings

    if lost:
        system, version, task = lost[0]
        warnings.warn(
            f"{plural(len(lost), 'task')} seen with one of two versions only and not compared; "
            f"the first is {task!r} of {system!r}, version {version!r}. versions['n_not_compared'] "
            "has the numbers.",
            ExclusionWarning,
            stacklevel=3,
        )
