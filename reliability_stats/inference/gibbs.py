"""Gibbs sampling of mixing distributions on a grid, from counts, for many systems at once.

Given the weights w of the nodes, the tasks with equal counts spread over the nodes as a multinomial
with probabilities proportional to w times the likelihood; given how many tasks each node holds, w
is a Dirichlet. Between the two, nodes exchange what they hold: disjoint pairs at one random
distance, each accepted by the ratio of its likelihoods, which lets groups of tasks move where
single tasks would have to go one by one. Cost depends on the number of distinct counts, not of
tasks. Chains of systems that mix slowly are run on, keeping fewer of their draws.

References
----------
Ishwaran and Zarepour (2002), https://doi.org/10.2307/3315951
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from .._numerics import FloatArray, IntArray
from .._validation import check_positive_int
from ..estimands import Estimand, FlickerMass, PassHatK, Reach, SuccessRate
from ..estimands.thresholds import Dependable
from ..exceptions import ArgumentError, ConvergenceWarning
from ..models import GridMixture
from ..trials import DistinctCounts, Trials
from .diagnostics import ess_bulk, r_hat
from .mixtures import Mixtures
from .nodes import Points
from .sparse import Mixing

FEW = 48
"""Tasks with equal counts up to which each is placed by itself."""
CHUNK = 2**18
"""Largest number of node weights of systems that are sampled together."""
TINY = 1e-250
STEPS = np.array([1, 1, 1, 2, 2, 3, 4, 6, 9, 14, 20, 30])
"""Distances, in nodes, over which nodes exchange what they hold."""
R_HAT = 1.01
WATCHED: tuple[Estimand, ...] = (
    SuccessRate(),
    PassHatK(8),
    FlickerMass(),
    Dependable(),
    Reach(),
)
"""Estimands whose chains decide whether to run on."""


@dataclass(frozen=True, eq=False)
class Chains:
    """Source of a posterior: stored draws of each unit, and posteriors of its cells."""

    mixings: tuple[Mixing, ...]
    cell_masses: FloatArray

    def mixing(self, unit: int) -> Mixing:
        """Draws of the mixing distribution."""
        return self.mixings[unit]

    def cell_mass(self, row: int) -> FloatArray:
        """Posterior of p, averaged over all sweeps rather than over the draws kept."""
        return np.asarray(self.cell_masses[row])


class Sampler:
    """Chains of some units, with counts as rows; state (chains, units, nodes)."""

    def __init__(
        self,
        model: GridMixture,
        n: IntArray,
        successes: IntArray,
        tasks: IntArray,
        unit: IntArray,
        chains: int,
        rng: np.random.Generator,
    ) -> None:
        """Start chains from the prior, spread wide."""
        self.prior = model.concentration * model.base
        self.logs = Points(model.grid).log_likelihood(n, successes)
        self.logs -= self.logs.max(axis=1, keepdims=True)
        self.likelihood = np.exp(self.logs)
        self.inner = np.where(np.isfinite(self.logs), self.logs, 0.0)
        self.tasks, self.unit, self.rng = tasks, unit, rng
        self.first = np.flatnonzero(np.diff(unit, prepend=-1))
        few = np.flatnonzero(tasks <= FEW)
        self.row_of_task = np.repeat(few, tasks[few])
        self.many = np.flatnonzero(tasks > FEW)
        size = (chains, len(self.first))
        flat = rng.dirichlet(np.ones(len(self.prior)), size=size)
        self.log_weight = np.log(np.maximum(flat, 1e-300))
        self.weight = flat
        self.cells = np.zeros(self.logs.shape)
        self.pairs = exchangeable(len(self.prior))
        self.sweeps = 0

    def sweep(self) -> None:
        """Place the tasks, exchange nodes, draw the weights."""
        held = self._exchange(self._placed())
        shape = held + np.where(self.prior > 0, self.prior, 1.0)
        # log of a gamma draw that keeps its digits at tiny shapes
        logs = np.log(self.rng.standard_gamma(shape + 1.0))
        logs -= self.rng.standard_exponential(shape.shape) / shape
        if (self.prior <= 0).any():
            logs[..., self.prior <= 0] = -np.inf
        self.log_weight = logs - logs.max(axis=-1, keepdims=True)
        weight = np.exp(self.log_weight)
        self.weight = weight / weight.sum(axis=-1, keepdims=True)

    def _placed(self) -> FloatArray:
        """Draw how many tasks of each row each node holds, (chains, rows, nodes)."""
        chance = self.weight[:, self.unit] * self.likelihood
        cumulative = np.cumsum(chance, axis=-1)
        total = cumulative[..., -1:].copy()
        bad = np.argwhere(~(total[..., 0] > TINY))
        for chain, row in bad:
            logs = self.log_weight[chain, self.unit[row]] + self.logs[row]
            chance[chain, row] = np.exp(logs - logs.max())
            cumulative[chain, row] = np.cumsum(chance[chain, row])
            total[chain, row] = cumulative[chain, row, -1]
        cumulative /= total
        chance /= total
        self.cells += chance.sum(axis=0)
        self.sweeps += len(chance)
        chains, rows, nodes = chance.shape
        out = np.zeros((chains, rows, nodes))
        if len(self.row_of_task):
            start = np.arange(chains)[:, None] * rows + self.row_of_task
            cumulative += np.arange(chains * rows).reshape(chains, rows, 1)
            u = self.rng.random(start.shape)
            at = np.searchsorted(cumulative.ravel(), (start + u * (1 - 1e-9)).ravel(), "right")
            counted = np.bincount(at, minlength=out.size).astype(float)
            out += counted.reshape(out.shape)
        if len(self.many):
            chance = chance[:, self.many]
            out[:, self.many] = self.rng.multinomial(self.tasks[self.many], chance)
        return out

    def _exchange(self, placed: FloatArray) -> FloatArray:
        """Let pairs of inner nodes exchange what they hold; give what each holds in the end."""
        held = np.add.reduceat(placed, self.first, axis=1)
        low, high = self.pairs[int(self.rng.integers(len(self.pairs)))]
        if not len(low):
            return np.asarray(held)
        change = placed[..., high] - placed[..., low]
        gain = change * (self.inner[:, low] - self.inner[:, high])
        score = np.add.reduceat(gain, self.first, axis=1)
        swap = -self.rng.standard_exponential(score.shape) < score
        move = np.where(swap, held[..., high] - held[..., low], 0.0)
        held[..., low] += move
        held[..., high] -= move
        return np.asarray(held)

    def run(self, draws: int, thin: int) -> FloatArray:
        """Give draws of the weights, each after `thin` sweeps, (chains, draws, units, nodes)."""
        chains, units, nodes = self.weight.shape
        out = np.empty((chains, draws, units, nodes))
        for i in range(draws):
            for _ in range(thin):
                self.sweep()
            out[:, i] = self.weight
        return out


def exchangeable(nodes: int) -> list[tuple[IntArray, IntArray]]:
    """Give sets of disjoint pairs of inner nodes; a set drawn evenly has a distance of `STEPS`."""
    out = []
    for distance in STEPS:
        low = np.arange(1, nodes - 1 - distance)
        for shift in np.arange(2 * STEPS.max()) * 2 * distance // (2 * STEPS.max()):
            kept = low[(low + shift) // distance % 2 == 0]
            out.append((kept, kept + distance))
    return out


def infer(
    trials: Trials,
    model: GridMixture,
    *,
    seed: int,
    chains: int = 4,
    draws: int = 1000,
    tune: int = 500,
    ess: int = 1000,
    max_thin: int = 64,
) -> tuple[Mixtures, dict[str, Any]]:
    """Fit mixing distributions on a grid by Gibbs sampling.

    Parameters
    ----------
    trials : Trials
        The data.
    model : GridMixture
        The prior.
    seed : int
        Seed of the chains and of all draws.
    chains : int >= 1
        Chains of each system.
    draws : int >= 4
        Draws kept of each chain.
    tune : int >= 1
        Sweeps at the start that are left out.
    ess : int >= 1
        Bulk effective sample size wanted of the success rate, pass^8, reach, flicker mass and
        dependable share; chains that have less are run on.
    max_thin : int >= 1
        Sweeps for each draw kept at which chains are given up, with a warning.

    Returns
    -------
    engine : Mixtures
    info : dict
    """
    options = {"chains": chains, "draws": draws, "tune": tune, "ess": ess, "max_thin": max_thin}
    for name, value in options.items():
        options[name] = check_positive_int(value, name=name)
    if options["draws"] < 4 or options["draws"] % 2:
        raise ArgumentError(f"draws must be an even number of at least 4, not {draws!r}.")
    counts = trials.counts
    distinct, names = counts.distinct(), counts.units
    runs: list[_Run] = []
    sizes = np.bincount(distinct.unit, minlength=len(names)) * options["chains"] * model.nodes
    starts = np.flatnonzero(np.diff(np.cumsum(sizes) // CHUNK, prepend=-1))
    streams = np.random.default_rng(seed).spawn(len(starts))
    for first, last, rng in zip(starts, [*starts[1:], len(names)], streams, strict=True):
        units = np.arange(first, last)
        runs.append(_sampled(model, distinct, units, options, rng))
    thin = np.concatenate([run.thin for run in runs])
    worst = np.concatenate([run.r_hat for run in runs])
    least = np.concatenate([run.ess for run in runs])
    _warn(names, worst, least, options["ess"], int(counts.n.max()), model)
    mixings = tuple(mixing for run in runs for mixing in run.mixings)
    source = Chains(mixings, np.concatenate([run.cells for run in runs]))
    shape = (options["chains"], options["draws"])
    how = f"Gibbs sampling, {shape[0]} chains of {shape[1]} draws, R-hat <= {worst.max():.3f}"
    unknown = np.full(len(names), np.nan)
    nodes = Points(model.grid)
    engine = Mixtures(source, nodes, counts, distinct, shape, unknown, how, seed)
    info = {"method": "Gibbs sampling on counts", **options, "thin": int(thin.max())}
    return engine, info | {"max_r_hat": float(worst.max()), "min_ess": float(least.min())}


@dataclass(frozen=True, eq=False)
class _Run:
    """What is kept of the chains of some units."""

    mixings: tuple[Mixing, ...]
    cells: FloatArray
    thin: IntArray
    r_hat: FloatArray
    ess: FloatArray


def _sampled(
    model: GridMixture,
    distinct: DistinctCounts,
    units: IntArray,
    options: Mapping[str, int],
    rng: np.random.Generator,
) -> _Run:
    """Run the chains of some neighbouring units until they have mixed or are given up."""
    offset = int(np.searchsorted(distinct.unit, units[0]))
    rows = np.arange(offset, int(np.searchsorted(distinct.unit, units[-1], side="right")))
    draws, thin = options["draws"], 4 if options["max_thin"] >= 4 else 1
    kept: list[Mixing | None] = [None] * len(units)
    cells = np.zeros((len(rows), model.nodes))
    worst, least = np.full(len(units), np.nan), np.full(len(units), np.nan)
    thins = np.zeros(len(units), dtype=np.int64)

    def sampler(active: IntArray) -> Sampler:
        """Set up chains of some units, by position."""
        chosen = rows[np.isin(distinct.unit[rows], units[active])]
        unit = np.searchsorted(units[active], distinct.unit[chosen])
        columns = (distinct.n[chosen], distinct.successes[chosen], distinct.multiplicity[chosen])
        return Sampler(model, *columns, unit, options["chains"], rng)

    active = np.arange(len(units))
    chain = sampler(active)
    for _ in range(options["tune"]):
        chain.sweep()
    chain.cells[:], chain.sweeps = 0.0, 0
    weights = chain.run(draws, thin)
    while True:
        ess, hat = _diagnosed(weights, model)
        done = ((ess >= options["ess"]) & (hat < R_HAT)) | (2 * thin > options["max_thin"])
        at = np.flatnonzero(np.isin(distinct.unit[rows], units[active[done]]))
        mine = np.isin(chain.unit, np.flatnonzero(done))
        cells[at] = chain.cells[mine] / chain.sweeps
        for i in np.flatnonzero(done):
            flat = weights[:, :, i].reshape(-1, model.nodes)
            kept[active[i]] = Mixing.of(flat)
        worst[active], least[active], thins[active] = hat, ess, thin
        if done.all():
            break
        chain, old = _continued(chain, sampler(active[~done]), np.flatnonzero(~done)), weights
        active, thin = active[~done], 2 * thin
        more = chain.run(draws // 2, thin)
        weights = np.concatenate([old[:, 1::2, ~done], more], axis=1)
    mixings = tuple(mixing for mixing in kept if mixing is not None)
    return _Run(mixings, cells, thins, worst, least)


def _continued(chain: Sampler, fresh: Sampler, units: IntArray) -> Sampler:
    """Hand the state of some units over to a sampler of these alone."""
    rows = np.isin(chain.unit, units)
    fresh.weight, fresh.log_weight = chain.weight[:, units], chain.log_weight[:, units]
    fresh.cells, fresh.sweeps = chain.cells[rows], chain.sweeps
    return fresh


def _diagnosed(weights: FloatArray, model: GridMixture) -> tuple[FloatArray, FloatArray]:
    """Smallest effective sample size and largest R-hat of what is watched, (units,) each."""
    nodes = Points(model.grid)
    ess, hat = [], []
    for estimand in WATCHED:
        values = weights @ nodes.kernel(estimand.parts[0])
        # What all draws agree upon to the last digits cannot be judged, and need not be.
        varied = values.std(axis=(0, 1)) > 1e-9
        size = float(values.shape[0] * values.shape[1])
        ess.append(np.where(varied, ess_bulk(values), size))
        hat.append(np.where(varied, r_hat(values), 1.0))
    return np.min(ess, axis=0), np.max(hat, axis=0)


def _warn(
    names: tuple[str, ...],
    worst: FloatArray,
    least: FloatArray,
    wanted: int,
    largest: int,
    model: GridMixture,
) -> None:
    """Warn of chains that have not mixed, and of a grid that is too coarse for the counts."""
    bad = np.flatnonzero((worst >= R_HAT) | (least < wanted))
    if bad.size:
        i = int(bad[np.argmin(least[bad])])
        warnings.warn(
            f"The chains of {bad.size} of {len(names)} systems have not mixed well enough. Worst "
            f"is {names[i]!r}: R-hat {worst[i]:.3f}, effective sample size {least[i]:.0f} of "
            f"{wanted} wanted. What the counts leave open (flicker mass, pass^k beyond the number "
            "of trials) is the least certain; see ess_bulk and r_hat in the summary. Raise "
            "max_thin, or lean on identified_set, which does not sample.",
            ConvergenceWarning,
            stacklevel=4,
        )
    if largest > (model.nodes - 1) ** 2:
        warnings.warn(
            f"A cell has {largest} trials, which tell its success probability more finely than the "
            f"{model.nodes} nodes of the grid. Fit GridMixture(nodes=1001).",
            ConvergenceWarning,
            stacklevel=4,
        )
