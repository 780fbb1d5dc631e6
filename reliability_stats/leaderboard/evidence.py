"""What a group of published figures says: the figures, and draws of what they estimate.

Uncertainty of figures over N tasks is that of N independent tasks: those of the recovered
histogram, or of the beta-binomial distribution that has the published figures, drawn as in
`inference.ranges`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import ceil

import numpy as np

from .._numerics import FloatArray
from ..inference.ranges import DRAWS, drawn_moments
from .figures import Figure
from .frame import Group
from .ladder import Ladder, ladder_of, possible
from .moments import Pair, beta_through
from .sharp import first_two

MAX_SHARES = 65
"""Most distinct numbers of successes that a task is taken to have, when only figures are known."""
EXCHANGEABLE = "exchangeable trials"


@dataclass(frozen=True, eq=False)
class Evidence:
    """What bounds are computed from.

    Attributes
    ----------
    group : Group
        Where it comes from.
    source : str
        Such as "histogram", "pass^1, pass^2" or "mean of 3 runs".
    assumption : str
        "none" or "exchangeable trials".
    figures : tuple of Figure
        Figures used; their expected values are the constraints on the distribution of p.
    values : (figures,) ndarray
        The numbers.
    draws : (added, DRAWS, figures) ndarray or None
        Draws of their expected values, for each choice of what is added to what was seen; None if
        the number of tasks is not stated.
    histogram : tuple of int or None
        Recovered counts.
    notes : tuple of str
        What was assumed or not used.
    contradictory : bool
        Whether no mixture of tasks whatever prints the figures, so that nothing follows from them.
    """

    group: Group
    source: str
    assumption: str
    figures: tuple[Figure, ...]
    values: FloatArray
    draws: FloatArray | None
    histogram: tuple[int, ...] | None
    notes: tuple[str, ...]
    contradictory: bool = False

    def beta(self, values: FloatArray) -> Pair | None:
        """Give the beta distributions through the mean and the figure of highest k."""
        keys = [figure.key for figure in self.figures]
        if ("^", 1) not in keys or len(keys) < 2:
            return None
        other = max(range(len(keys)), key=lambda i: self.figures[i].k)
        mean = values[..., keys.index(("^", 1))]
        return beta_through(mean, values[..., other], self.figures[other].estimand.from_beta)


def gather(group: Group, rng: np.random.Generator) -> Evidence:
    """Take the most that a group of figures says."""
    ladder = ladder_of(group)
    notes: list[str] = []
    if isinstance(ladder, Ladder):
        found = ladder.solve(2)
        if len(found.histograms) == 1 and found.complete and ladder.n_trials > 1:
            if not ladder.declared:
                notes.append(f"n_trials is not stated; taken as {ladder.n_trials}")
            return _from_histogram(ladder, tuple(found.histograms[0].tolist()), notes, rng)
        if not len(found.histograms):
            notes.append("the figures fit no histogram of whole tasks; see reconstruct")
    figures, dropped = _usable(group)
    notes += dropped
    if len(figures) > 1:
        return _from_figures(group, figures, notes, rng)
    mean = group.figure("^", 1)
    if mean is not None and mean.se is not None:
        if mean.n_runs is not None and group.n_tasks is not None:
            return _from_runs(group, mean, notes, rng)
        notes.append(
            "the standard error is not used: whether it is over tasks or runs is not stated"
        )
    return _from_figures(group, figures, notes, rng)


def _usable(group: Group) -> tuple[tuple[Figure, ...], list[str]]:
    """Leave out pass@k of undeclared settings beside others, and what other figures imply."""
    figures, notes = list(group.figures), []
    if group.settings is None and len(figures) > 1:
        alone = [f for f in figures if f.key[0] == "^"]
        dropped = [f.name for f in figures if f not in alone]
        if dropped and alone:
            notes.append(
                f"{', '.join(dropped)} left out: not declared to have the settings of others"
            )
            figures = alone
    hat = {f.k for f in figures if f.key[0] == "^"}
    implied = [f for f in figures if f.key[0] == "@" and set(range(1, f.k + 1)) <= hat]
    return tuple(f for f in figures if f not in implied), notes


def _blur(draws: FloatArray, figures: tuple[Figure, ...], rng: np.random.Generator) -> FloatArray:
    """Add what rounding has hidden, and keep to possible values."""
    half = np.array([float(figure.unit) / 2 for figure in figures])
    draws = np.clip(draws + rng.uniform(-half, half, size=draws.shape), 0, 1)
    known = {figure.key: draws[..., i] for i, figure in enumerate(figures)}
    pair = first_two(known)
    if len(figures) == 2 and pair is not None:
        m2 = np.clip(pair[1], pair[0] ** 2, pair[0])
        other = next(i for i, figure in enumerate(figures) if figure.k == 2)
        draws[..., other] = m2 if figures[other].kind == "^" else 2 * pair[0] - m2
    return draws


def _from_histogram(
    ladder: Ladder, histogram: tuple[int, ...], notes: list[str], rng: np.random.Generator
) -> Evidence:
    """Use a recovered histogram: figures without rounding, and the exact shares."""
    rungs = [
        replace(ladder.rungs[k - 1], kind="^", k=k, decimals=None)
        for k in range(1, ladder.n_trials + 1)
    ]
    features = np.array([rung.of_counts(ladder.n_trials) for rung in rungs]).T
    shares = np.array(histogram) / ladder.n_tasks
    return Evidence(
        ladder.group,
        "histogram",
        EXCHANGEABLE,
        tuple(rungs),
        shares @ features,
        drawn_moments(shares, features, ladder.n_tasks, rng),
        histogram,
        tuple(notes),
    )


def _from_figures(
    group: Group, figures: tuple[Figure, ...], notes: list[str], rng: np.random.Generator
) -> Evidence:
    """Use figures as they are, with errors of independent tasks."""
    values = np.array([float(figure.value) for figure in figures])
    source = ", ".join("mean" if figure.k == 1 else figure.name for figure in figures)
    assumption = EXCHANGEABLE if len(figures) > 1 else "none"
    evidence = Evidence(group, source, assumption, figures, values, None, None, tuple(notes))
    if not possible(figures, _least_trials(figures)):
        return replace(evidence, contradictory=True)
    n_tasks = group.n_tasks
    if n_tasks is None:
        return replace(evidence, notes=(*notes, "no interval: the number of tasks is not stated"))
    parameters = evidence.beta(values)
    if len(figures) == 1:
        shares, features = np.array([1 - values[0], values[0]]), np.array([[0.0], [1.0]])
    elif parameters is None:
        return replace(evidence, notes=(*notes, "no interval: the mean is not published"))
    else:
        shares, features = _beta_shares(parameters, figures)
    draws = drawn_moments(shares, features, n_tasks, rng) + (values - shares @ features)
    return replace(evidence, draws=_blur(draws, figures, rng))


def _least_trials(figures: tuple[Figure, ...]) -> int:
    """Give the fewest trials of a task that the figures can come from."""
    stated = [figure.n_trials for figure in figures if figure.n_trials is not None]
    return max([min(stated, default=1), *(figure.k for figure in figures)])


def _beta_shares(parameters: Pair, figures: tuple[Figure, ...]) -> tuple[FloatArray, FloatArray]:
    """Give beta-binomial shares of tasks, and what each number of successes adds to figures."""
    n_trials = _least_trials(figures)
    pmf = _beta_binomial(n_trials, parameters)
    features = np.array([figure.of_counts(n_trials) for figure in figures]).T
    block = ceil(len(pmf) / MAX_SHARES)
    if block > 1:
        edges = np.arange(0, len(pmf), block)
        mass = np.add.reduceat(pmf, edges)
        features = (
            np.add.reduceat(pmf[:, None] * features, edges) / np.maximum(mass, 1e-300)[:, None]
        )
        pmf = mass
    return pmf / pmf.sum(), features


def _beta_binomial(n_trials: int, parameters: Pair) -> FloatArray:
    """Give the probabilities of 0..n_trials successes, also for parameters near 0."""
    a, b = (float(x) for x in parameters)
    steps = np.arange(n_trials)

    def rising(x: float) -> FloatArray:
        return np.concatenate([[0.0], np.cumsum(np.log(x + steps))])

    ways = rising(1.0)[-1] - rising(1.0) - rising(1.0)[::-1]
    return np.asarray(np.exp(ways + rising(a) + rising(b)[::-1] - rising(a + b)[-1]))


def _from_runs(group: Group, mean: Figure, notes: list[str], rng: np.random.Generator) -> Evidence:
    """Use the mean and its standard error over runs of the same tasks.

    The variance of a run's mean is the tasks' mean of p(1-p), over N. Its posterior is a scaled
    inverse chi-square with one degree of freedom fewer than runs, cut off at the largest possible
    value. Other tasks would have had another mean of p(1-p): as its spread is not known, it is
    taken as large as it can be.
    """
    n_tasks, runs, m1 = group.n_tasks or 1, mean.n_runs or 2, float(mean.value)
    half, se = float(mean.unit) / 2, mean.se or 0.0
    spread = se + rng.uniform(-0.5, 0.5, DRAWS) * mean.se_unit
    coarse = 1 / (12 * n_tasks**2)
    noise = n_tasks * np.maximum(runs * spread**2, coarse)
    cap = m1 * (1 - m1)
    within = _inverse_chi2(noise, runs - 1, max(cap, coarse), rng)
    variance = np.maximum(cap - within, 0) / n_tasks + within / (n_tasks * runs)
    size = cap / np.maximum(variance, 1e-300) if cap > 0 else np.full(DRAWS, float(n_tasks))
    centres = _beta(np.full(DRAWS, m1), size, rng)
    centres = np.clip(centres + rng.uniform(-half, half, DRAWS), 0, 1)
    withins = _beta(4 * np.minimum(within, 0.25), np.full(DRAWS, float(n_tasks)), rng) / 4
    draws = np.array(
        [[c, c - np.minimum(w, c * (1 - c))] for c in centres for w in withins]
    ).transpose(0, 2, 1)
    second = replace(mean, kind="^", k=2, decimals=None)
    plain = n_tasks * runs * se**2
    if plain > cap + 1e-9:
        notes = [*notes, "runs differ more than independent trials of the same tasks would"]
    return Evidence(
        group,
        f"mean and standard error of {runs} runs",
        EXCHANGEABLE,
        (mean, second),
        np.array([m1, m1 - min(plain, cap)]),
        draws,
        None,
        (*notes, "taken as runs of the same tasks"),
    )


def _beta(shares: FloatArray, sizes: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Draw shares given observed ones of `sizes` tasks, with a failure and with a success added."""
    wins, losses = np.maximum(shares * sizes, 1e-9), np.maximum((1 - shares) * sizes, 1e-9)
    return np.array([rng.beta(wins, losses + 1), rng.beta(wins + 1, losses)])


def _inverse_chi2(
    scale: FloatArray, df: int, largest: float, rng: np.random.Generator
) -> FloatArray:
    """Draw df * scale / chi2(df), cut off at `largest`."""
    from scipy.special import gammainc, gammaincinv

    # chi2 must be at least df * scale / largest: draw from its upper tail.
    low = gammainc(df / 2, df * scale / largest / 2)
    chi2 = 2 * gammaincinv(df / 2, low + (1 - low) * rng.uniform(size=len(scale)))
    return np.asarray(np.minimum(df * scale / np.maximum(chi2, 1e-300), largest))
