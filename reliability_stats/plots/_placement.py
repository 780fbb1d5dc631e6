"""Where labels go: next to their marks, away from one another. All lengths in points."""

from __future__ import annotations

import numpy as np

from .._numerics import FloatArray

RADII = (5.0, 8.0, 12.0, 17.0, 24.0, 32.0, 42.0, 54.0, 68.0)
"""Distances in points between a mark and the nearest corner or side of its label."""
ANGLES = np.deg2rad(np.arange(0, 360, 22.5))
LEADER = 7.0
"""Distance in points from which a label is tied to its mark by a line."""


def sampled(segments: FloatArray) -> FloatArray:
    """Give points along segments, about two points of the page apart: (points, 2)."""
    out = [np.empty((0, 2))]
    for start, stop in segments:
        count = 2 + int(np.hypot(*(stop - start)) / 2)
        out.append(np.linspace(start, stop, count))
    return np.concatenate(out)


def place(
    marks: FloatArray, sizes: FloatArray, frame: FloatArray, lines: FloatArray, soft: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Choose the centre of every label, in points relative to its mark; crowded marks go first.

    Returns offsets (labels, 2) and the distances between marks and the edges of their labels.
    """
    crowd = np.exp(-(np.linalg.norm(marks[:, None] - marks, axis=-1) ** 2) / 800.0).sum(axis=1)
    offsets, gaps = np.zeros_like(marks), np.zeros(len(marks))
    boxes = np.empty((0, 4))
    ties = np.empty((0, 2))
    for i in np.argsort(-crowd, kind="stable"):
        options, distance = _options(sizes[i])
        centres = marks[i] + options
        half = sizes[i] / 2 + 0.8
        box = np.concatenate([centres - half, centres + half], axis=1)
        cost = 0.25 * distance + 0.02 * np.abs(np.arctan2(options[:, 1], options[:, 0]))
        cost += 400.0 * _outside(box, frame)
        cost += 60.0 * _overlap(box, boxes)
        cost += 25.0 * _hits(box, marks, 3.5) + 5.0 * np.minimum(_hits(box, lines, 0.5), 8)
        cost += 0.15 * np.minimum(_hits(box, soft, 0.0), 20) + 8.0 * np.minimum(
            _hits(box, ties, 0.5), 6
        )
        far = distance >= LEADER
        cost += np.where(
            far, 2.0 + _tie_cost(marks[i], centres, boxes, np.delete(marks, i, 0)), 0.0
        )
        best = int(np.argmin(cost))
        offsets[i], gaps[i] = options[best], distance[best]
        boxes = np.concatenate([boxes, box[[best]]])
        if far[best]:
            ties = np.concatenate([ties, sampled(np.stack([marks[i], centres[best]])[None])])
    return offsets, gaps


def _options(size: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Give centres of a label around a mark at the origin, and how far its edge then is."""
    radius, angle = (x.ravel() for x in np.meshgrid(RADII, ANGLES, indexing="ij"))
    direction = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    # The label touches a circle with the side or corner that faces the mark.
    shift = np.sign(np.round(direction, 6)) * size / 2
    shift[np.abs(direction) < 0.3] *= 0.0
    return direction * radius[:, None] + shift, radius


def _outside(box: FloatArray, frame: FloatArray) -> FloatArray:
    """Tell which boxes leave the frame."""
    low, high = frame
    return np.asarray((box[:, :2] < low).any(axis=1) | (box[:, 2:] > high).any(axis=1), dtype=float)


def _overlap(box: FloatArray, others: FloatArray) -> FloatArray:
    """Count the other boxes that each box overlaps."""
    apart = (box[:, None, :2] > others[None, :, 2:]) | (box[:, None, 2:] < others[None, :, :2])
    return np.asarray((~apart.any(axis=-1)).sum(axis=1), dtype=float)


def _hits(box: FloatArray, points: FloatArray, margin: float) -> FloatArray:
    """Count the points in each box, which is first grown by a margin."""
    inside = (points > box[:, None, :2] - margin) & (points < box[:, None, 2:] + margin)
    return np.asarray(inside.all(axis=-1).sum(axis=1), dtype=float)


def _tie_cost(
    mark: FloatArray, centres: FloatArray, boxes: FloatArray, others: FloatArray
) -> FloatArray:
    """Price lines from a mark to possible labels: through other labels, or close by other marks."""
    steps = np.linspace(0.1, 0.9, 9)[:, None, None]
    path = (mark + steps * (centres - mark))[:, :, None]
    through = ((path > boxes[:, :2]) & (path < boxes[:, 2:])).all(axis=-1).any(axis=0)
    near = (((path - others) ** 2).sum(axis=-1) < 9.0).any(axis=0)
    return np.asarray(20.0 * through.sum(axis=1) + 8.0 * near.sum(axis=1))


def spread(wanted: FloatArray, gap: float, low: float, high: float) -> FloatArray:
    """Move positions as little as possible so that neighbours are `gap` apart, within bounds."""
    order = np.argsort(wanted, kind="stable")
    count = len(order)
    gap = min(gap, (high - low) / max(count - 1, 1))
    # Isotonic regression of what is left after the gaps are taken out: pool adjacent violators.
    target = wanted[order] - gap * np.arange(count)
    blocks: list[list[float]] = []
    for value in target:
        blocks.append([float(value), 1.0])
        while len(blocks) > 1 and blocks[-2][0] > blocks[-1][0]:
            (m1, n1), (m2, n2) = blocks[-2], blocks[-1]
            blocks[-2:] = [[(m1 * n1 + m2 * n2) / (n1 + n2), n1 + n2]]
    level = np.concatenate([np.full(int(n), mean) for mean, n in blocks]) if blocks else target
    level = np.clip(level, low, high - gap * (count - 1))
    out = np.empty(count)
    out[order] = level + gap * np.arange(count)
    return out
