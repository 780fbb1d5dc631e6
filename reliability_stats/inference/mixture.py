"""Quantiles of a function of two parameters whose posterior is known on a lattice.

Nodes are not point masses: the mass of each is spread over its surroundings by a normal kernel
with a sd of about half a step, in which the function is taken as linear. Spreading alone would
widen the posterior; the weights are sharpened beforehand by the differences that undo this, and
values are moved by the function's curvature. The error falls with the fourth power of the step,
also for functions of one parameter alone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import special

from .._numerics import FloatArray, IntArray

KERNEL = 0.6
"""Standard deviation of the kernel, in steps of the lattice."""

Curve = Callable[[IntArray, FloatArray], tuple[FloatArray, FloatArray]]
"""(rows, x), both of shape (points,) -> distribution functions and densities at x."""


def _second(values: FloatArray, axis: int) -> FloatArray:
    """Second differences along an axis, zero at the ends."""
    out = np.zeros_like(values)
    inner = [slice(None)] * values.ndim
    inner[axis] = slice(1, -1)
    out[tuple(inner)] = np.diff(values, n=2, axis=axis)
    return out


def sharpen(weights: FloatArray) -> FloatArray:
    """Undo the widening by the kernel: (units, i, j) weights, some of which become negative.

    Along each axis, exp(-s^2 D^2 / 2) with s = `KERNEL`, in terms of central differences.
    """
    out = weights
    for axis in (1, 2):
        second = _difference(out, axis)
        fourth = _difference(second, axis)
        half = KERNEL**2 / 2
        out = out - half * second + (half / 12 + half**2 / 2) * fourth
    return np.asarray(out / out.sum(axis=(1, 2), keepdims=True))


def _difference(values: FloatArray, axis: int) -> FloatArray:
    """Second central difference along an axis, with zeros beyond the ends."""
    width = [(0, 0)] * values.ndim
    width[axis] = (1, 1)
    return np.diff(np.pad(values, width), n=2, axis=axis)


@dataclass(frozen=True)
class Spread:
    """A function's values on a lattice, spread by the kernel; arrays of shape (units, nodes)."""

    weights: FloatArray
    centre: FloatArray
    variance: FloatArray

    @classmethod
    def of(
        cls,
        weights: FloatArray,
        values: FloatArray,
        *,
        variance: FloatArray | None = None,
        floor: float = 1e-9,
    ) -> Spread:
        """Spread `values`, of shape (units, i, j), and add a `variance` of their own if given."""
        size = len(weights)
        own = KERNEL**2 * (np.gradient(values, axis=1) ** 2 + np.gradient(values, axis=2) ** 2)
        if variance is not None:
            own = own + variance
        centre = values + KERNEL**2 / 2 * (_second(values, 1) + _second(values, 2))
        flat = [array.reshape(size, -1) for array in (sharpen(weights), centre, own)]
        keep = int((np.abs(flat[0]) > floor).sum(axis=1).max())
        if keep < flat[0].shape[1]:
            order = np.argpartition(-np.abs(flat[0]), keep - 1, axis=1)[:, :keep]
            flat = [np.take_along_axis(array, order, axis=1) for array in flat]
            flat[0] = flat[0] / flat[0].sum(axis=1, keepdims=True)
        return cls(*flat)

    def merged(self) -> Spread:
        """Merge components that nearly agree in centre and variance, keeping both moments.

        Components within a sixteenth of the sd of all, and within a factor of the square root of
        two in variance, become one. Weights that sum to nothing are dropped.
        """
        mean = (self.weights * self.centre).sum(axis=1, keepdims=True)
        around = self.variance + (self.centre - mean) ** 2
        scale = np.sqrt(np.maximum((self.weights * around).sum(axis=1, keepdims=True), 1e-300))
        place = np.clip(np.floor((self.centre - mean) / scale * 16.0), -200, 199) + 200
        ratio = np.maximum(self.variance / scale**2, 2.0**-20)
        size = np.clip(np.floor(2.0 * np.log2(ratio)), -40, 23) + 40
        rows = np.broadcast_to(np.arange(len(mean))[:, None], self.centre.shape)
        key = ((rows * 400 + place.astype(np.int64)) * 64 + size.astype(np.int64)).ravel()
        keys, group = np.unique(key, return_inverse=True)
        weight, first, second = (
            np.bincount(group, weights=(self.weights * values).ravel(), minlength=len(keys))
            for values in (np.ones_like(self.centre), self.centre - mean, around)
        )
        kept = weight > 1e-12
        keys, weight = keys[kept], weight[kept]
        offset = first[kept] / weight
        variance = np.maximum(second[kept] / weight - offset**2, 0.0)
        row = keys // (400 * 64)
        rank = np.arange(len(row)) - np.searchsorted(row, row, side="left")
        out = np.zeros((3, len(mean), int(rank.max()) + 1))
        out[1] = mean
        out[0][row, rank] = weight
        out[1][row, rank] += offset
        out[2][row, rank] = variance
        out[0] /= out[0].sum(axis=1, keepdims=True)
        return Spread(*out)

    def curve(self) -> Curve:
        """Distribution function and density of the spread values."""
        sd = np.sqrt(np.maximum(self.variance, (1e-9 * np.maximum(np.abs(self.centre), 1e-6)) ** 2))
        scale = self.weights / (sd * np.sqrt(2 * np.pi))

        def evaluate(rows: IntArray, x: FloatArray) -> tuple[FloatArray, FloatArray]:
            t = (x[:, None] - self.centre[rows]) / sd[rows]
            cdf = np.einsum("ij,ij->i", self.weights[rows], special.ndtr(t))
            return cdf, np.einsum("ij,ij->i", scale[rows], np.exp(-0.5 * t * t))

        return evaluate

    def ends(self) -> tuple[FloatArray, FloatArray]:
        """Give values that hold all of the mass, each (units,)."""
        margin = 6 * np.sqrt(self.variance)
        return (self.centre - margin).min(axis=1), (self.centre + margin).max(axis=1)


def beta_mixture(
    weights: FloatArray,
    mean: FloatArray,
    variance: FloatArray,
    low: FloatArray,
    high: FloatArray,
) -> Curve:
    """Mixture over nodes of beta distributions on [low, high] with given means and variances.

    Arrays of shape (units, nodes); `low` and `high` of shape (units, 1).
    """
    width = high - low
    centre = np.clip((mean - low) / width, 1e-12, 1 - 1e-12)
    spread = np.clip(variance / width**2, 1e-16, 0.999 * centre * (1 - centre))
    total = np.minimum(centre * (1 - centre) / spread - 1.0, 1e12)
    a, b = centre * total, (1 - centre) * total

    log_beta = special.betaln(a, b)

    def evaluate(rows: IntArray, x: FloatArray) -> tuple[FloatArray, FloatArray]:
        t = np.clip((x[:, None] - low[rows]) / width[rows], 1e-300, 1 - 1e-16)
        aa, bb, w = a[rows], b[rows], weights[rows]
        cdf = np.einsum("ij,ij->i", w, special.betainc(aa, bb, t))
        logs = (aa - 1) * np.log(t) + (bb - 1) * np.log1p(-t) - log_beta[rows]
        pdf = np.einsum("ij,ij->i", w, np.exp(np.minimum(logs, 700.0)))
        return cdf, pdf / width[rows, 0]

    return evaluate


def matched_quantiles(
    mean: FloatArray, sd: FloatArray, levels: FloatArray, low: float, high: float
) -> FloatArray:
    """Quantiles, (rows, levels), of beta distributions on [low, high] with given means and sds."""
    width = high - low
    centre = np.clip((mean - low) / width, 1e-12, 1 - 1e-12)
    variance = np.clip((sd / width) ** 2, 1e-18, 0.99 * centre * (1 - centre))
    total = np.minimum(centre * (1 - centre) / variance - 1.0, 1e12)
    unit = special.betaincinv(
        (centre * total)[:, None], ((1 - centre) * total)[:, None], np.asarray(levels)
    )
    return np.asarray(low + width * unit)


def interval(
    curve: Curve, prob: float, mean: FloatArray, sd: FloatArray, low: FloatArray, high: FloatArray
) -> FloatArray:
    """Give the ends of equal-tailed intervals, shape (rows, 2).

    Parameters
    ----------
    curve : callable
        Distribution functions and densities.
    prob : float
        Mass between the ends.
    mean, sd : (rows,) array
        Moments, for the first guess and the tolerance.
    low, high : (rows,) array
        Ends of what can hold the quantiles.

    Returns
    -------
    (rows, 2) ndarray
    """
    levels = np.array([(1 - prob) / 2, (1 + prob) / 2])
    start = matched_quantiles(mean, sd, levels, 0.0, 1.0)
    return solve(curve, levels, start, low, high, tol=np.maximum(1e-4 * sd, 1e-15))


def solve(
    curve: Curve,
    levels: FloatArray,
    start: FloatArray,
    low: FloatArray,
    high: FloatArray,
    *,
    tol: FloatArray,
) -> FloatArray:
    """Find where distribution functions reach the levels, by Newton steps kept in a bracket.

    Parameters
    ----------
    curve : callable
        Distribution functions and densities.
    levels : (levels,) array
        Probabilities.
    start : (rows, levels) array
        First guesses.
    low, high : (rows,) array
        Ends of what can hold the quantiles.
    tol : (rows,) array
        Absolute tolerances.

    Returns
    -------
    (rows, levels) ndarray
    """
    shape = start.shape
    rows = np.repeat(np.arange(shape[0]), shape[1])
    target = np.tile(levels, shape[0])
    below, above, close = low[rows], high[rows], tol[rows]
    x = np.clip(start.ravel(), below, above)
    active = np.arange(len(x))
    for _ in range(200):
        now = x[active]
        cdf, pdf = curve(rows[active], now)
        error = cdf - target[active]
        above[active] = np.where(error >= 0, now, above[active])
        below[active] = np.where(error < 0, now, below[active])
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            newton = now - error / pdf
        inside = (newton > below[active]) & (newton < above[active])
        middle = (below[active] + above[active]) / 2
        x[active] = np.where(inside, newton, middle)
        moved = np.abs(x[active] - now) > close[active]
        active = active[moved & (above[active] - below[active] > close[active])]
        if not len(active):
            break
    return x.reshape(shape)
