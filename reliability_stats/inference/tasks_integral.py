"""Means over tasks whose difficulty is normal on the logit scale, in closed form given it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import special

from .._numerics import FloatArray
from ..estimands import TaskMean

REACH = 6.5
"""Standard deviations over which the rule extends."""
STEP = 0.5
"""Longest step of the rule, in logits, at which moments are exact to 1e-8."""
SIZES = np.array([21, 33, 65, 129, 257, 513, 1025])
CHUNK = 2**19
TINY = 1e-300


def over_tasks(
    parts: Sequence[TaskMean], centre: FloatArray, sd: FloatArray, concentration: FloatArray
) -> list[FloatArray]:
    """Integrate task means over tasks with logit mean ~ N(centre, sd^2).

    Given the logit, p ~ Beta with this mean and concentration, which is integrated in closed form.
    The trapezoidal rule converges exponentially for smooth integrands; shares of tasks beyond a
    threshold are as smooth as the beta law is wide, so that they get a finer rule where it is
    narrow.

    Parameters
    ----------
    parts : sequence of TaskMean
        What to integrate.
    centre, sd, concentration : array of equal shape
        Mean and standard deviation of the logit, and (1 - rho) / rho.

    Returns
    -------
    list of ndarray
        Of that shape, one for each part.
    """
    shape = centre.shape
    flat = [np.ravel(x) for x in np.broadcast_arrays(centre, sd, concentration)]
    out = []
    for part in parts:
        step = np.full(flat[0].shape, STEP)
        if not np.isfinite(part.degree):
            step = np.minimum(step, 2.0 / np.sqrt(flat[2]))
        needed = 2.0 * REACH * flat[1] / step + 1.0
        bucket = np.minimum(np.searchsorted(SIZES, needed), len(SIZES) - 1)
        value = np.empty(flat[0].shape)
        for i in np.unique(bucket):
            rows = np.flatnonzero(bucket == i)
            for some in np.array_split(rows, max(1, len(rows) * int(SIZES[i]) // CHUNK)):
                value[some] = _trapezoid(part, int(SIZES[i]), *(x[some] for x in flat))
        out.append(value.reshape(shape))
    return out


def _trapezoid(
    part: TaskMean, size: int, centre: FloatArray, sd: FloatArray, concentration: FloatArray
) -> FloatArray:
    """Integrate with `size` nodes."""
    z = np.linspace(-REACH, REACH, size)
    weights = np.exp(-0.5 * z**2)
    weights /= weights.sum()
    logits = centre[:, None] + sd[:, None] * z
    scale = concentration[:, None]
    a, b = (np.maximum(special.expit(x) * scale, TINY) for x in (logits, -logits))
    values = part.from_beta(a, b)
    return np.asarray(values @ weights)
