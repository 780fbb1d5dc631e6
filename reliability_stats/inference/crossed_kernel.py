"""The crossed model's log density and gradient as one loop, compiled once by Numba and cached.

The plain NumPy version in `crossed_density` says the same and is its test.
"""

from __future__ import annotations

import math
from functools import cache
from typing import Any

import numpy as np

TINY = 1e-300
SMALL = 1e-150
FARTHEST = 600.0


def _forward(x: Any, start: int, size: int, scale: float, out: Any) -> None:
    """Add effects with sum zero, given on an orthonormal basis, times a scale."""
    root = math.sqrt(size)
    total = 0.0
    for i in range(size - 1):
        total += x[start + i]
    for i in range(size - 1):
        out[i] += scale * (x[start + i] - total / (root + size))
    out[size - 1] -= scale * total / root


def _backward(
    x: Any, start: int, size: int, sd: float, at_sd: int, centred: int, slope: Any, grad: Any
) -> float:
    """Turn a gradient by effects into that by coordinates; give the coordinates' log density."""
    root = math.sqrt(size)
    total = 0.0
    for i in range(size - 1):
        total += slope[i]
    square, along = 0.0, 0.0
    for i in range(size - 1):
        turned = slope[i] - total / (root + size) - slope[size - 1] / root
        z = x[start + i]
        square += z * z
        along += turned * z
        grad[start + i] = turned - z / sd**2 if centred else sd * turned - z
    if centred:
        grad[at_sd] += square / sd**2 - (size - 1)
        return -0.5 * square / sd**2 - (size - 1) * math.log(sd)
    grad[at_sd] += sd * along
    return -0.5 * square


def _sum_of_logs(
    first: int, last: int, node: Any, weight: Any, part: float, e: float, found: Any
) -> float:
    """Sum weight * log(part + node * e); put the derivatives by part and e into `found`."""
    total, product = 0.0, 1.0
    by_part, by_e = 0.0, 0.0
    for i in range(first, last):
        term = max(part + node[i] * e, TINY)
        ratio = weight[i] / term
        by_part += ratio
        by_e += ratio * node[i]
        if weight[i] == 1.0 and SMALL < term < 1.0 / SMALL:
            product *= term
            if product < SMALL or product > 1.0 / SMALL:
                total += math.log(product)
                product = 1.0
        else:
            total += weight[i] * math.log(term)
    found[0], found[1] = by_part, by_e
    return total + math.log(product)


def _likelihood(
    alpha: Any, rho: Any, beta: Any, fam: Any, delta: Any, gamma: Any,
    g_alpha: Any, g_rho: Any, g_beta: Any, g_fam: Any, g_delta: Any, g_gamma: Any,
    system: Any, task: Any, family: Any, level: Any,
    wins: Any, both: Any, ends: Any, node: Any, weight: Any, nodes: Any, trials: Any,
) -> float:  # fmt: skip
    """Log likelihood of all cells; its gradient by the effects is added to ``g_...``."""
    total = 0.0
    e = np.exp(np.minimum(np.maximum(rho, -FARTHEST), FARTHEST))
    found = np.zeros(2)
    for i in range(len(system)):
        si, ti, li = system[i], task[i], level[i]
        eta = alpha[si] + beta[ti] + fam[family[ti]] + delta[li, si] + gamma[li, ti]
        eta = min(max(eta, -FARTHEST), FARTHEST)
        small = math.exp(-abs(eta))
        larger = 1.0 / (1.0 + small)
        share, rest = (larger, small * larger) if eta > 0 else (small * larger, larger)
        total += wins[i] * eta - both[i] * (max(eta, 0.0) - math.log(larger))
        total += _sum_of_logs(ends[2 * i], ends[2 * i + 1], node, weight, share, e[si], found)
        up = found[0]
        g_rho[si] += found[1]
        total += _sum_of_logs(ends[2 * i + 1], ends[2 * i + 2], node, weight, rest, e[si], found)
        g_rho[si] += found[1]
        g = wins[i] - both[i] * share + share * rest * (up - found[0])
        g_alpha[si] += g
        g_beta[ti] += g
        g_fam[family[ti]] += g
        g_delta[li, si] += g
        g_gamma[li, ti] += g
    for i in range(len(rho)):
        for q in range(len(nodes)):
            if trials[i, q] != 0.0:
                ahead = nodes[q] * e[i]
                total -= trials[i, q] * math.log1p(ahead)
                g_rho[i] -= trials[i, q] * nodes[q] / (1.0 + ahead)
        g_rho[i] *= e[i]
    return total


def _density(
    x: Any, grad: Any, sizes: Any, at_sd: Any, start: Any, centred: Any, scale: Any, priors: Any,
    at_condition: int, condition_sd: float, system: Any, task: Any, family: Any, level: Any,
    wins: Any, both: Any, ends: Any, node: Any, weight: Any, nodes: Any, trials: Any,
) -> float:  # fmt: skip
    """Log density at x, its gradient into `grad`; kinds of effects in the order of `KINDS`."""
    s, t, f, c = sizes[0], sizes[1], sizes[2], sizes[3]
    grad[:] = 0.0
    total = 0.0
    sd = np.ones(6)
    for k in range(6):
        if at_sd[k] >= 0:
            sd[k] = math.exp(x[at_sd[k]])
            square = (sd[k] / scale[k]) ** 2
            total += -0.5 * square + x[at_sd[k]]
            grad[at_sd[k]] += 1.0 - square
    alpha, rho = np.full(s, x[0]), np.full(s, x[1])
    beta, fam = np.zeros(t), np.zeros(f)
    delta, gamma = np.zeros((c + 1, s)), np.zeros((c + 1, t))
    if start[0] >= 0:
        _forward(x, start[0], s, 1.0 if centred[0] else sd[0], alpha)
        _forward(x, start[1], s, 1.0 if centred[1] else sd[1], rho)
    if start[2] >= 0:
        _forward(x, start[2], t, 1.0 if centred[2] else sd[2], beta)
    if start[3] >= 0:
        _forward(x, start[3], f, 1.0 if centred[3] else sd[3], fam)
    for k in range(c):
        for i in range(s):
            delta[k + 1, i] = x[at_condition + k]
            if start[4] >= 0:
                delta[k + 1, i] += sd[4] * x[start[4] + i * c + k]
        if start[5] >= 0:
            own = 1.0 if centred[5] else sd[5]
            _forward(x, start[5] + k * (t - 1), t, own, gamma[k + 1])
    g_alpha, g_rho, g_beta, g_fam = np.zeros(s), np.zeros(s), np.zeros(t), np.zeros(f)
    g_delta, g_gamma = np.zeros((c + 1, s)), np.zeros((c + 1, t))
    total += _likelihood(
        alpha, rho, beta, fam, delta, gamma, g_alpha, g_rho, g_beta, g_fam, g_delta, g_gamma,
        system, task, family, level, wins, both, ends, node, weight, nodes, trials,
    )  # fmt: skip
    for k in range(2):
        low = -math.log1p(math.exp(-abs(x[k]))) - max(x[k], 0.0)
        total += priors[k, 0] * (x[k] + low) + priors[k, 1] * low
        up = math.exp(x[k] + low)
        grad[k] += priors[k, 0] * (1.0 - up) - priors[k, 1] * up
    grad[0] += g_alpha.sum()
    grad[1] += g_rho.sum()
    if start[0] >= 0:
        total += _backward(x, start[0], s, sd[0], at_sd[0], centred[0], g_alpha, grad)
        total += _backward(x, start[1], s, sd[1], at_sd[1], centred[1], g_rho, grad)
    if start[2] >= 0:
        total += _backward(x, start[2], t, sd[2], at_sd[2], centred[2], g_beta, grad)
    if start[3] >= 0:
        total += _backward(x, start[3], f, sd[3], at_sd[3], centred[3], g_fam, grad)
    for k in range(c):
        mean = x[at_condition + k]
        total -= 0.5 * (mean / condition_sd) ** 2
        grad[at_condition + k] += g_delta[k + 1].sum() - mean / condition_sd**2
        if start[4] >= 0:
            for i in range(s):
                z = x[start[4] + i * c + k]
                total -= 0.5 * z * z
                grad[start[4] + i * c + k] = sd[4] * g_delta[k + 1, i] - z
                grad[at_sd[4]] += sd[4] * g_delta[k + 1, i] * z
        if start[5] >= 0:
            total += _backward(
                x, start[5] + k * (t - 1), t, sd[5], at_sd[5], centred[5], g_gamma[k + 1], grad
            )
    return total


@cache
def compiled() -> Any:
    """Compile, or load what was compiled before; None without Numba."""
    try:
        from numba import njit
    except ImportError:
        return None
    for name in ("_forward", "_backward", "_sum_of_logs", "_likelihood"):
        globals()[name] = njit(cache=True, nogil=True, error_model="numpy")(globals()[name])
    return njit(cache=True, nogil=True, error_model="numpy")(_density)
