"""`local_fit`: groups in which a system that is not dependable overall can be relied upon.

Within a group, tasks' success probabilities follow a beta distribution with the group's mean and an
intra-class correlation that all groups of the system share. Logits of group means are normal:

    logit mu_g ~ N(m, s),   m ~ N(0, 1.5),   s ~ HalfNormal(1),   rho ~ Uniform(0, 1),

so that groups with few trials are drawn towards the others. All of it is summed on grids.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import special

from .._numerics import FloatArray, IntArray
from .._validation import check_choice, check_fraction, check_prob, suggest
from ..estimands.thresholds import HIGH
from ..exceptions import ArgumentError, TrialDataError
from ..models.beta_binomial import LogLikelihood
from ..posterior import Posterior
from ..trials import DistinctCounts, Trials
from ._fdr import discoveries

if TYPE_CHECKING:
    import pandas as pd

FARTHEST = 14.0
"""Largest |logit| of a group's mean."""
MOST_NODES = 4001
CENTRES, SPREADS, CORRELATIONS = 81, 16, 24
LOCALLY, EVERYWHERE, OPEN = "locally fitted", "dependable overall", "no group shown"


@dataclass(frozen=True, eq=False, repr=False)
class LocalFit:
    """Groups and systems; made by `local_fit`.

    Attributes
    ----------
    groups : pandas.DataFrame
        One row a system and group: system, group, n_tasks, n_trials, successes, mean, lower, upper
        (of the success rate on tasks like the group's), p_dependable, dependable (whether it is
        labelled so at the false discovery rate asked for).
    systems : pandas.DataFrame
        One row a system: system, n_groups, mean (over the tasks of all groups), p_dependable (of
        that mean), p_new_group (that a group not seen yet is dependable), spread (posterior mean of
        the standard deviation between groups, in logits), verdict ("locally fitted", "dependable
        overall" or "no group shown"), groups (the names of those labelled).
    settings : dict
        As they were asked for.
    """

    groups: pd.DataFrame
    systems: pd.DataFrame
    settings: dict[str, Any]

    def __repr__(self) -> str:
        """Give a line for each system."""
        s = self.settings
        head = (
            f"Local fit by {s['by']}: success rate >= {s['dependable']:g}, at most {s['fdr']:.0%} "
            "of labels expected wrong"
        )
        lines = [head]
        for row in self.systems.to_dict("records"):
            where = f": {row['groups']}" if row["groups"] else ""
            lines.append(
                f"{row['system']}: {row['verdict']}{where} (rate {row['mean']:.2f} over all "
                f"{row['n_groups']} groups; P(a new group is dependable) {row['p_new_group']:.2f})"
            )
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        """Give the same for notebooks, escaped."""
        return f"<pre>{escape(repr(self))}</pre>"


def local_fit(
    data: Posterior | Trials,
    by: str | Mapping[str, str] = "group",
    *,
    dependable: float = HIGH,
    fdr: float = 0.05,
    prob: float = 0.95,
) -> LocalFit:
    """Find groups of users, tasks or trials in which a system is dependable.

    A system that fails overall may fit one domain or one group of users well. A single score hides
    that; separate scores of many small groups invent it.

    Parameters
    ----------
    data : Posterior or Trials
        The trials, or a fit to them (whose trials are taken).
    by : {"group", "family"} or mapping of str to str, default "group"
        "group": the group column of the trials. "family": the families of the `Crossed` model that
        was fitted. A mapping gives the group of every task.
    dependable : float in [0, 1], default 0.90
        Success rate from which a group counts as dependable.
    fdr : float in (0, 1), default 0.05
        Share of the labels of each system that may be expected to be wrong.
    prob : float in (0, 1), default 0.95
        Mass of the intervals.

    Returns
    -------
    LocalFit

    Raises
    ------
    ArgumentError
        If an argument is not allowed, or a task has no group.
    TrialDataError
        If trials have no group column, or only counts are known.

    Notes
    -----
    Groups are shrunk towards each other by a hierarchical model (see the module); with fewer than
    five groups its prior decides how much. A system is "locally fitted" if some group is labelled
    and the mean over all groups is more likely than not below `dependable`. Labels follow the
    Bayesian false discovery rule of `flag_flicker`. Groups that tried different tasks may differ
    by their tasks alone: this is no comparison of users.

    References
    ----------
    Gelman, Hill and Yajima (2012), https://doi.org/10.1080/19345747.2011.618213;
    Mueller et al. (2004), https://doi.org/10.1198/016214504000001646

    Examples
    --------
    >>> import reliability_stats as rs
    >>> rows = [[1] * 10] * 12 + [[0] * 7 + [1] * 3] * 24
    >>> trials = rs.Trials.from_array(rows)
    >>> domain = {str(i): "billing" if i < 12 else "travel" for i in range(36)}
    >>> rs.local_fit(trials, by=domain).systems[["verdict", "groups"]]
              verdict   groups
    0  locally fitted  billing
    """
    import pandas as pd

    trials = data.trials if isinstance(data, Posterior) else data
    if not isinstance(trials, Trials):
        raise ArgumentError(f"local_fit needs Trials or a Posterior, not {type(data).__name__}.")
    least, fdr = check_fraction(dependable, "dependable"), check_fraction(fdr, "fdr")
    prob = check_prob(prob)
    cells = _grouped(data, trials, by)
    groups, systems = [], []
    for system, part in cells.groupby("system", sort=False):
        table, summary = _one_system(part, least, fdr, prob)
        groups.append(table.assign(system=system))
        systems.append({"system": system} | summary)
    columns = ["system", *(name for name in groups[0] if name != "system")]
    frame = pd.concat(groups, ignore_index=True)[columns]
    how = by if isinstance(by, str) else "the groups given"
    settings = {"by": how, "dependable": least, "fdr": fdr, "prob": prob}
    return LocalFit(frame, pd.DataFrame(systems), settings)


def _grouped(data: Any, trials: Trials, by: Any) -> pd.DataFrame:
    """Give one row a system, group and task: n and successes."""
    counts = trials.counts
    if isinstance(by, str) and check_choice(by, ("group", "family"), "by") == "group":
        frame = trials.to_frame()
        if "group" not in frame:
            raise TrialDataError(
                "These trials have no group column. Name it in Trials.from_frame(..., group=...), "
                "or give by= a mapping from tasks to groups."
            )
        frame = frame[frame["success"].notna()]
        missing = frame["group"].isna()
        if missing.any():
            row = frame[missing].iloc[0]
            raise TrialDataError(
                f"A trial of system {row['system']!r} and task {row['task']!r} has no group."
            )
        frame = frame.assign(group=frame["group"].astype(str))
        found = frame.groupby(["system", "group", "task"], sort=False)["success"]
        out = found.agg(["size", "sum"]).reset_index()
        return out.rename(columns={"size": "n", "sum": "successes"})
    if isinstance(by, str):
        pairs = getattr(getattr(data, "model", None), "families", None)
        if not pairs:
            raise ArgumentError(
                "by='family' needs a fit of Crossed(families=...); otherwise give by= a mapping "
                "from tasks to groups."
            )
        by = dict(pairs)
    if not isinstance(by, Mapping):
        raise ArgumentError(f"by must be 'group', 'family' or a mapping of tasks, not {by!r}.")
    named = {str(task): str(group) for task, group in by.items()}
    frame = counts.to_frame()
    for task in frame["task"]:
        if str(task) not in named:
            raise ArgumentError(f"by gives no group of task {task!r}{suggest(str(task), named)}.")
    frame["group"] = [named[str(task)] for task in frame["task"]]
    return frame


def _one_system(
    part: pd.DataFrame, least: float, fdr: float, prob: float
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Fit the groups of one system."""
    import pandas as pd

    names = list(dict.fromkeys(part["group"]))
    code = pd.Index(names).get_indexer(part["group"]).astype(np.int64)
    n, wins = (part[name].to_numpy().astype(np.int64) for name in ("n", "successes"))
    fit = Hierarchy.of(code, n, wins, len(names))
    p = special.expit(fit.nodes)
    at_least = p >= least - 1e-12
    chance = fit.mass[:, at_least].sum(axis=1)
    levels = [(1 - prob) / 2, (1 + prob) / 2]
    ends = np.array([np.interp(levels, np.cumsum(m) - m / 2, p) for m in fit.mass])
    label = discoveries(
        np.where(chance > 0.5, 1.0 - chance, np.nan), np.zeros(len(names), int), fdr
    )
    tasks = np.bincount(code, minlength=len(names))
    table = pd.DataFrame(
        {
            "group": names,
            "n_tasks": tasks,
            "n_trials": np.bincount(code, weights=n, minlength=len(names)).astype(int),
            "successes": np.bincount(code, weights=wins, minlength=len(names)).astype(int),
            "mean": fit.mass @ p,
            "lower": ends[:, 0],
            "upper": ends[:, 1],
            "p_dependable": chance,
            "dependable": label,
        }
    )
    share = tasks / tasks.sum()
    overall = fit.overall(share, least)
    where = [name for name, good in zip(names, label, strict=True) if good]
    verdict = OPEN
    if where:
        verdict = LOCALLY if overall < 0.5 else EVERYWHERE
    elif overall >= 1.0 - fdr:
        verdict = EVERYWHERE
    return table, {
        "n_groups": len(names),
        "mean": float(share @ (fit.mass @ p)),
        "p_dependable": overall,
        "p_new_group": float(fit.new[at_least].sum()),
        "spread": fit.spread,
        "verdict": verdict,
        "groups": ", ".join(where),
    }


@dataclass(frozen=True, eq=False)
class Hierarchy:
    """Posterior of the means of the groups of one system.

    Attributes
    ----------
    nodes : (nodes,) ndarray
        Logits.
    mass : (groups, nodes) ndarray
        Posterior of the logit of each group's mean; rows sum to one.
    new : (nodes,) ndarray
        That of a group not seen yet.
    spread : float
        Posterior mean of the standard deviation between groups.
    """

    nodes: FloatArray
    mass: FloatArray
    new: FloatArray
    spread: float

    @classmethod
    def of(cls, group: IntArray, n: IntArray, wins: IntArray, groups: int) -> Hierarchy:
        """Sum over centre, spread and correlation on grids."""
        largest = np.bincount(group, weights=n, minlength=groups).max()
        step = min(0.1, 2.0 / np.sqrt(largest))
        size = int(min(MOST_NODES, 2 * np.ceil(FARTHEST / step) + 1))
        x = np.linspace(-FARTHEST, FARTHEST, size)
        pooled = special.logit((wins.sum() + 0.5) / (n.sum() + 1.0))
        reach = np.arcsinh(FARTHEST / 0.05)
        t = np.linspace(-reach, reach, CENTRES)
        centre = pooled + 0.05 * np.sinh(t)
        spread = np.geomspace(max(0.05, x[1] - x[0]), 4.0, SPREADS)
        v = np.linspace(-9.0, 7.0, CORRELATIONS)
        m, s = (a.ravel() for a in np.meshgrid(centre, spread, indexing="ij"))
        prior = -0.5 * (m / 1.5) ** 2 - 0.5 * s**2 + np.log(s)
        prior = prior + np.repeat(np.log(np.cosh(t)), SPREADS)
        normal = np.exp(-0.5 * ((x - m[:, None]) / s[:, None]) ** 2)
        normal /= np.maximum(normal.sum(axis=1, keepdims=True), 1e-300)
        logs = _likelihood(group, n, wins, groups, x, v)
        top = logs.max(axis=1, keepdims=True)
        like = np.exp(logs - top)  # (groups, nodes, correlations)
        inner = np.stack([normal @ like[g] for g in range(groups)])
        inner = np.maximum(inner, 1e-300)
        post = np.log(inner).sum(axis=0) + top[:, 0].sum(axis=0) + prior[:, None]
        post = post - np.logaddexp(0.0, v) - np.logaddexp(0.0, -v)  # rho uniform
        post = np.exp(post - post.max())
        post /= post.sum()
        mass = np.stack(
            [((normal.T @ (post / inner[g])) * like[g]).sum(axis=1) for g in range(groups)]
        )
        mass /= mass.sum(axis=1, keepdims=True)
        hyper = post.sum(axis=1)
        return cls(x, mass, hyper @ normal, float(hyper @ s))

    def overall(self, share: FloatArray, least: float) -> float:
        """Chance that the mean over groups, with these shares, is at least this.

        Groups are taken as independent given the data, and their mean as a beta distribution.
        """
        p = special.expit(self.nodes)
        mean = self.mass @ p
        variance = self.mass @ p**2 - mean**2
        centre, spread = float(share @ mean), float(share**2 @ variance)
        total = max(centre * (1 - centre) / max(spread, 1e-12) - 1.0, 1e-6)
        return float(special.betaincc(centre * total, (1 - centre) * total, least))


def _likelihood(
    group: IntArray, n: IntArray, wins: IntArray, groups: int, x: FloatArray, v: FloatArray
) -> FloatArray:
    """Beta-binomial log likelihood of every group, (groups, nodes, correlations)."""
    table = np.stack([group, n, wins], axis=1)
    rows, back, many = np.unique(table, axis=0, return_inverse=True, return_counts=True)
    distinct = DistinctCounts(rows[:, 0], rows[:, 1], rows[:, 2], many, back.ravel())
    likelihood = LogLikelihood.of(distinct, groups)
    u, w = (axis.ravel() for axis in np.meshgrid(x, v, indexing="ij"))
    out = np.empty((groups, len(x), len(v)))
    for g in range(groups):
        out[g] = likelihood(np.array([g]), u[None], w[None])[0].reshape(len(x), len(v))
    return out
