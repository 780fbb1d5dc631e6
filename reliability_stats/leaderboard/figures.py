"""One published figure: what it is, its printed digits, and what they leave open."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from math import ceil, comb, floor
from numbers import Real
from typing import Any

import numpy as np

from .._cells import plain
from .._numerics import FloatArray
from ..estimands import PassAtK, PassHatK, TaskMean

FULL_PRECISION = 10
"""From this many decimals on, a float counts as given in full."""
FULL_TOLERANCE = Fraction(1, 10**9)
ROUNDING = ("nearest", "down")
MEAN_WORDS = ("mean", "success_rate", "accuracy", "score", "success rate", "average")
METRICS = "'pass^k', 'pass@k' or 'mean' (also 'pass^4', 'pass@1', 'success_rate', 'accuracy')"
_PATTERN = re.compile(r"pass[ _]*(\^|@|hat|at)[ _]*\{?(k|\d+)\}?")


@dataclass(frozen=True)
class Figure:
    """A published figure of one system on one benchmark.

    Attributes
    ----------
    kind : {"^", "@"}
        "^": all of k trials succeed (the mean is k = 1); "@": any of k does.
    k : int
        Number of trials it speaks of.
    value : fractions.Fraction
        The number as printed, in [0, 1].
    decimals : int or None
        Printed decimals; None if given in full precision.
    n_tasks, n_trials, n_runs : int or None
        Tasks, trials of a task, whole-benchmark runs; None where not stated.
    se : float or None
        Published standard error.
    se_unit : float
        One unit in its last printed digit.
    row : int
        Row of the table it was read from.
    from_float : bool
        Whether trailing zeros may have been lost.

    Examples
    --------
    >>> from fractions import Fraction
    >>> figure = Figure("^", 4, Fraction("0.200"), 3, n_tasks=50, n_trials=4)
    >>> figure.name, figure.sums(50, 4)
    ('pass^4', (10, 10))
    """

    kind: str
    k: int
    value: Fraction
    decimals: int | None
    n_tasks: int | None = None
    n_trials: int | None = None
    n_runs: int | None = None
    se: float | None = None
    se_unit: float = 0.0
    row: int = 0
    from_float: bool = False

    @property
    def key(self) -> tuple[str, int]:
        """Kind and k; pass@1 is pass^1, and both are the mean."""
        return (self.kind if self.k > 1 else "^", self.k)

    @property
    def name(self) -> str:
        """Such as ``pass^4``."""
        return f"pass{self.kind}{self.k}"

    @property
    def unit(self) -> Fraction:
        """One unit in the last printed digit."""
        return FULL_TOLERANCE if self.decimals is None else Fraction(1, 10**self.decimals)

    @property
    def text(self) -> str:
        """The number with its printed decimals."""
        return (
            f"{float(self.value):.{12 if self.decimals is None else self.decimals}g}"
            if (self.decimals is None)
            else f"{float(self.value):.{self.decimals}f}"
        )

    def interval(self, rounding: str = "nearest") -> tuple[Fraction, Fraction]:
        """Give the closed range of exact values that print as this figure.

        Both ends of half a unit belong to it, so that rounding half up and half to even are
        allowed.
        """
        if self.decimals is None:
            return self.value - FULL_TOLERANCE, self.value + FULL_TOLERANCE
        if rounding == "down":
            return self.value, self.value + self.unit
        return self.value - self.unit / 2, self.value + self.unit / 2

    def sums(
        self,
        n_tasks: int,
        n_trials: int,
        rounding: str = "nearest",
        *,
        failures: bool | None = None,
    ) -> tuple[int, int]:
        """Give the range of integers that n_tasks * C(n_trials, k) * value can be.

        With `failures`, which is the default for "@" with k > 1, the same sum for 1 - value.
        """
        low, high = self.interval(rounding)
        if self.key[0] == "@" if failures is None else failures:
            low, high = 1 - high, 1 - low
        total = n_tasks * comb(n_trials, self.k)
        return max(ceil(low * total), 0), min(floor(high * total), total)

    @property
    def estimand(self) -> TaskMean:
        """What the figure estimates."""
        return PassHatK(self.k) if self.key[0] == "^" else PassAtK(self.k)

    def of_counts(self, n_trials: int) -> FloatArray:
        """Give what a task adds to the mean with 0..n_trials successes, shape (n_trials + 1,)."""
        counts = np.arange(n_trials + 1)
        return self.estimand.unbiased(np.full_like(counts, n_trials), counts)


def read_metric(text: Any) -> tuple[str, int | None] | None:
    """Give (kind, k) of a metric's name, k None if the name leaves it open; None if unknown."""
    word = str(text).strip().lower()
    if word in MEAN_WORDS:
        return "^", 1
    match = _PATTERN.fullmatch(word)
    if match is None:
        return None
    kind = {"hat": "^", "at": "@"}.get(match[1], match[1])
    return kind, None if match[2] == "k" else int(match[2])


def read_value(given: Any) -> tuple[Fraction, int | None, bool] | None:
    """Give the exact value, its decimals and whether it was a float; None if it is no number."""
    given = plain(given)
    if isinstance(given, str):
        try:
            given = Decimal(given.strip())
        except InvalidOperation:
            return None
    if isinstance(given, Decimal):
        if not given.is_finite():
            return None
        exponent = given.as_tuple().exponent
        return Fraction(given), max(-int(exponent), 0), False
    if isinstance(given, bool) or not isinstance(given, Real) or not np.isfinite(float(given)):
        return None
    number = float(given)
    for decimals in range(FULL_PRECISION):
        short = round(number, decimals)
        if abs(short - number) <= 1e-12:
            return Fraction(repr(short)), decimals, True
    return Fraction(number), None, True
