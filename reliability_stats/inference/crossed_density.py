"""The crossed model's log density and gradient in NumPy, so that small designs need no compiling.

It is the density of the PyMC graph (`models._crossed_graph`), on coordinates of its own: logarithms
of standard deviations, and effects with sum zero on an orthonormal basis. The log likelihood of a
cell with y successes in n trials and e = rho / (1 - rho) is

    sum_{j<y} log(mu + j e) + sum_{j<n-y} log(1 - mu + j e) - sum_{j<n} log(1 + j e).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from .._numerics import FloatArray, IntArray
from ..models._crossed_graph import count_weights
from ..models._crossed_layout import Layout
from ..models.priors import Beta
from .crossed_kernel import compiled

TINY = 1e-300
FARTHEST = 600.0
"""Largest absolute logit: beyond it, shares of cells underflow."""


def spread(z: FloatArray) -> FloatArray:
    """Turn coordinates, last axis, into one effect more, with sum zero; lengths are kept.

    Examples
    --------
    >>> import numpy as np
    >>> from reliability_stats.inference.crossed_density import spread
    >>> spread(np.array([1.0])).round(4)
    array([ 0.7071, -0.7071])
    """
    size = z.shape[-1] + 1
    root, total = np.sqrt(size), z.sum(axis=-1, keepdims=True)
    return np.concatenate([z - total / (root + size), -total / root], axis=-1)


def gather(g: FloatArray) -> FloatArray:
    """Turn a gradient by effects into that by coordinates: the transpose of `spread`."""
    size = g.shape[-1]
    root, total = np.sqrt(size), g[..., :-1].sum(axis=-1, keepdims=True)
    return np.asarray(g[..., :-1] - total / (root + size) - g[..., -1:] / root)


@dataclass(frozen=True)
class _Effect:
    """Effects of one kind: their standard deviation, and the shape of their coordinates."""

    variable: str
    sd: str
    shape: tuple[int, ...]
    centred: bool
    zero_sum: bool = True


@dataclass(frozen=True, eq=False)
class _Steps:
    """The steps of all cells' sums with j > 0, side by side."""

    cell: IntArray
    node: FloatArray
    weight: FloatArray
    system: IntArray

    @classmethod
    def of(cls, weights: FloatArray, nodes: FloatArray, system: IntArray) -> _Steps:
        """Take the weights (cells, nodes) that are not 0."""
        cell, q = np.nonzero(weights[:, 1:])
        return cls(cell, nodes[1:][q], weights[:, 1:][cell, q], system[cell])


class CrossedDensity:
    """Log density, its gradient, and the variables at a point.

    Parameters
    ----------
    layout : Layout
        The design with its counts.
    """

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self.centres: dict[str, Beta] = {
            "system_logit_mean": layout.mean_prior,
            "icc_logit_mean": layout.icc_prior,
        }
        self.scales = layout.sd_scales
        self.effects = {effect.variable: effect for effect in _effects(layout)}
        self.places: dict[str, slice] = {}
        sizes = dict.fromkeys((*self.centres, *self.scales), 1)
        sizes |= {name: int(np.prod(effect.shape)) for name, effect in self.effects.items()}
        if "condition" in layout.effects:
            sizes["condition_mean"] = layout.n_shifted
        start = 0
        for name, size in sizes.items():
            self.places[name] = slice(start, start + size)
            start += size
        self.size = start
        self._set_counts()

    def _set_counts(self) -> None:
        """Lay the steps of the likelihood out."""
        counts = self.layout.counts
        nodes, weights = count_weights(counts)
        self.nodes, self.trials = nodes, weights["trials"]
        wins, fails = weights["successes"], weights["failures"]
        self.first = wins[:, 0], wins[:, 0] + fails[:, 0]
        self.steps = [_Steps.of(weight, nodes, counts.system) for weight in (wins, fails)]

    def variables(self, x: FloatArray) -> dict[str, FloatArray]:
        """Give the variables at points (..., size)."""
        at, layout = self.places, self.layout
        out: dict[str, Any] = {name: np.exp(x[..., at[name].start]) for name in self.scales}
        raw = {
            name: x[..., at[name]].reshape(*x.shape[:-1], *e.shape)
            for name, e in self.effects.items()
        }
        moved = {}
        for name, effect in self.effects.items():
            value = spread(raw[name]) if effect.zero_sum else raw[name]
            if not effect.centred:
                value = value * out[effect.sd].reshape(*x.shape[:-1], *[1] * len(effect.shape))
            moved[name] = value
        for name in ("system_logit", "icc_logit"):
            centre = x[..., at[f"{name}_mean"]]
            out[f"{name}_mean"] = centre[..., 0]
            out[name] = centre + moved.pop(name) if name in moved else centre
        if "condition" in layout.effects:
            mean = x[..., at["condition_mean"]]
            out["condition_mean"] = mean
            own = moved.pop("condition_effect", 0.0)
            shape = *x.shape[:-1], layout.counts.n_systems, layout.n_shifted
            out["condition_effect"] = np.broadcast_to(mean[..., None, :] + own, shape)
        return out | moved

    def __call__(self, x: FloatArray) -> tuple[float, FloatArray]:
        """Give the log density, up to a constant, and its gradient."""
        layout, at = self.layout, self.places
        v = self.variables(x)
        total, by_rate, by_icc = self._likelihood(v)
        slopes = _gradients(layout, by_rate)
        slopes["icc_logit"] = by_icc
        out = np.zeros(self.size)
        for name, prior in self.centres.items():
            value = x[at[name].start]
            high, low = _log_shares(value)
            total += prior.a * high + prior.b * low
            share = np.exp(high)
            out[at[name]] = prior.a * (1 - share) - prior.b * share
            out[at[name]] += slopes[name.removesuffix("_mean")].sum()
        for name, scale in self.scales.items():
            square = (v[name] / scale) ** 2
            total += -0.5 * square + x[at[name].start]
            out[at[name]] += 1.0 - square
        if "condition" in layout.effects:
            scale = layout.scales.condition_sd
            mean = x[at["condition_mean"]]
            total -= 0.5 * (mean**2).sum() / scale**2
            out[at["condition_mean"]] = slopes["condition_effect"].sum(axis=0) - mean / scale**2
        for name, effect in self.effects.items():
            total += self._effect(effect, x, v[effect.sd], slopes[name], out)
        return float(total), out

    def _effect(
        self, effect: _Effect, x: FloatArray, sd: FloatArray, slope: FloatArray, out: FloatArray
    ) -> float:
        """Add what effects of one kind contribute to the gradient; give their log density."""
        place, of_sd = self.places[effect.variable], self.places[effect.sd]
        z = x[place].reshape(effect.shape)
        turned = gather(slope) if effect.zero_sum else slope
        square = float((z**2).sum())
        if effect.centred:
            out[place] = (turned - z / sd**2).ravel()
            out[of_sd] += square / sd**2 - z.size
            return float(-0.5 * square / sd**2 - z.size * np.log(sd))
        out[place] = (sd * turned - z).ravel()
        out[of_sd] += sd * (turned * z).sum()
        return -0.5 * square

    def _likelihood(self, v: dict[str, FloatArray]) -> tuple[float, FloatArray, FloatArray]:
        """Give the log likelihood, and its gradient by cells' logits and systems' logits of rho."""
        layout = self.layout
        rate = layout.cell_logits({name: value[None] for name, value in v.items()})[0]
        rate = np.clip(rate, -FARTHEST, FARTHEST)
        e = np.exp(np.clip(v["icc_logit"], -FARTHEST, FARTHEST))
        small = np.exp(-np.abs(rate))
        larger = 1.0 / (1.0 + small)
        share = np.where(rate > 0, larger, small * larger)
        rest = np.where(rate > 0, small * larger, larger)
        wins, both = self.first
        total = float(wins @ rate - both @ (np.maximum(rate, 0.0) - np.log(larger)))
        moves = []
        by_e = np.zeros(len(e))
        for part, steps in zip((share, rest), self.steps, strict=True):
            term = np.maximum(part[steps.cell] + steps.node * e[steps.system], TINY)
            total += float(steps.weight @ np.log(term))
            ratio = steps.weight / term
            moves.append(np.bincount(steps.cell, ratio, minlength=len(rate)))
            by_e += np.bincount(steps.system, ratio * steps.node, minlength=len(e))
        ahead = self.nodes * e[:, None]
        total -= float((self.trials * np.log1p(ahead)).sum())
        by_e -= (self.trials * self.nodes / (1.0 + ahead)).sum(axis=1)
        by_rate = wins - both * share + share * rest * (moves[0] - moves[1])
        return total, by_rate, e * by_e

    def start(self, seed: int) -> FloatArray:
        """Give a point to start a chain from: small effects, typical standard deviations."""
        x = np.random.default_rng(seed).uniform(-0.5, 0.5, self.size)
        for name, scale in self.scales.items():
            x[self.places[name]] += np.log(0.5 * scale)
        return x


def _log_shares(x: float) -> tuple[float, float]:
    """Log of the inverse logit of x, and of its complement."""
    low = float(-np.logaddexp(0.0, x))
    return x + low, low


def _effects(layout: Layout) -> list[_Effect]:
    """List the effects that the design has."""
    counts, has = layout.counts, layout.effects
    out = []
    if "system" in has:
        size = (counts.n_systems - 1,)
        out.append(_Effect("system_logit", "system_sd", size, layout.centred["system"]))
        out.append(_Effect("icc_logit", "icc_sd", size, centred=False))
    if "task" in has:
        centred = layout.centred["task"]
        out.append(_Effect("task_effect", "task_sd", (counts.n_tasks - 1,), centred))
    if "family" in has:
        size = (len(layout.families) - 1,)
        out.append(_Effect("family_effect", "family_sd", size, centred=False))
    if "condition_system" in has:
        shape = counts.n_systems, layout.n_shifted
        out.append(
            _Effect("condition_effect", "condition_system_sd", shape, centred=False, zero_sum=False)
        )
    if "condition_task" in has:
        shape = layout.n_shifted, counts.n_tasks - 1
        centred = layout.centred["condition_task"]
        out.append(_Effect("task_slope", "condition_task_sd", shape, centred))
    return out


def _gradients(layout: Layout, by_rate: FloatArray) -> dict[str, FloatArray]:
    """Sum a gradient by cells' logits up over the cells of each effect."""
    counts, has = layout.counts, layout.effects
    out: dict[str, Any] = {
        "system_logit": np.bincount(counts.system, by_rate, minlength=counts.n_systems)
    }
    if "task" in has:
        out["task_effect"] = np.bincount(counts.task, by_rate, minlength=counts.n_tasks)
    if "family" in has:
        family = layout.family[counts.task]
        out["family_effect"] = np.bincount(family, by_rate, minlength=len(layout.families))
    if "condition" in has:
        width = len(layout.levels)
        place = counts.system * width + layout.level
        table = np.bincount(place, by_rate, minlength=counts.n_systems * width)
        out["condition_effect"] = table.reshape(-1, width)[:, 1:]
    if "condition_task" in has:
        place = layout.level * counts.n_tasks + counts.task
        table = np.bincount(place, by_rate, minlength=len(layout.levels) * counts.n_tasks)
        out["task_slope"] = table.reshape(-1, counts.n_tasks)[1:]
    return out


KINDS = (
    "system_logit",
    "icc_logit",
    "task_effect",
    "family_effect",
    "condition_effect",
    "task_slope",
)
SDS = ("system_sd", "icc_sd", "task_sd", "family_sd", "condition_system_sd", "condition_task_sd")


def fast(density: CrossedDensity) -> Callable[[FloatArray], tuple[float, FloatArray]]:
    """Give the density as a compiled loop, or as it is if there is no Numba."""
    kernel = compiled()
    if kernel is None:
        return density
    layout, places = density.layout, density.places
    counts = layout.counts
    wins, fails = density.steps
    order = np.argsort(np.concatenate([2 * wins.cell, 2 * fails.cell + 1]), kind="stable")
    which = np.concatenate([2 * wins.cell, 2 * fails.cell + 1])[order]

    def first(name: str) -> int:
        return places[name].start if name in places else -1

    condition = max(first("condition_mean"), 0)
    arguments = (
        np.array(
            [counts.n_systems, counts.n_tasks, max(len(layout.families), 1), layout.n_shifted]
        ),
        np.array([first(name) for name in SDS]),
        np.array([first(name) for name in KINDS]),
        np.array(
            [int(name in density.effects and density.effects[name].centred) for name in KINDS]
        ),
        np.array([density.scales.get(name, 1.0) for name in SDS], dtype=float),
        np.array([[prior.a, prior.b] for prior in density.centres.values()], dtype=float),
        condition,
        float(layout.scales.condition_sd),
        *(np.array(x) for x in (counts.system, counts.task, layout.family, layout.level)),
        *(np.ascontiguousarray(x) for x in density.first),
        np.searchsorted(which, np.arange(2 * counts.n_cells + 1)),
        np.concatenate([wins.node, fails.node])[order],
        np.concatenate([wins.weight, fails.weight])[order],
        np.ascontiguousarray(density.nodes),
        np.ascontiguousarray(density.trials),
    )

    def call(x: FloatArray) -> tuple[float, FloatArray]:
        grad = np.empty(density.size)
        return kernel(np.ascontiguousarray(x), grad, *arguments), grad

    return call


def pyfunc_model(density: CrossedDensity, from_pyfunc: Callable[..., Any]) -> Any:
    """Wrap a density for nutpie; draws come back as points, under the name ``x``."""
    function = fast(density)

    def make_logp() -> Callable[[FloatArray], tuple[float, FloatArray]]:
        return function

    def make_expand(*_: int) -> Callable[[FloatArray], dict[str, FloatArray]]:
        return lambda x: {"x": np.asarray(x, dtype=np.float64)}

    return from_pyfunc(
        density.size,
        make_logp,
        make_expand,
        [np.dtype(np.float64)],
        [(density.size,)],
        ["x"],
        make_initial_point_fn=density.start,
    )
