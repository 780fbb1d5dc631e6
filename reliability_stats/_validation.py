"""One function per common argument: give its canonical value, or say what is allowed."""

from __future__ import annotations

import difflib
import operator
from collections.abc import Iterable
from typing import Any, Literal, SupportsIndex, cast

import numpy as np
import numpy.typing as npt

from .exceptions import ArgumentError

Over = Literal["population", "observed"]


def suggest(value: object, allowed: Iterable[str]) -> str:
    """Give " (did you mean 'x'?)" for the nearest allowed name, or an empty string."""
    names = list(allowed)
    if not isinstance(value, str):
        return ""
    lowered = {name.lower(): name for name in reversed(names)}
    near = difflib.get_close_matches(value.lower(), lowered, n=1, cutoff=0.6)
    return f" (did you mean {lowered[near[0]]!r}?)" if near else ""


def _as_float(value: object, name: str, allowed: str) -> float:
    """Convert a real scalar to float; refuse bools, text, complex numbers, arrays and NaN."""
    number = float("nan")
    if not isinstance(value, (bool, np.bool_, str, bytes, complex, np.complexfloating, np.ndarray)):
        try:
            number = float(cast("Any", value))
        except (TypeError, ValueError, OverflowError):
            number = float("nan")
    if np.isnan(number):
        raise ArgumentError(f"{name} must be {allowed}, not {value!r}.")
    return number


def _as_int(value: object, name: str, minimum: int) -> int:
    """Convert an integer scalar to int; refuse bools, floats and values below the minimum."""
    allowed = f"{name} must be an integer of at least {minimum}"
    if isinstance(value, (bool, np.bool_, np.ndarray)):
        raise ArgumentError(f"{allowed}, not {value!r}.")
    try:
        number = operator.index(cast("SupportsIndex", value))
    except TypeError:
        raise ArgumentError(f"{allowed}, not {value!r}.") from None
    if number < minimum:
        raise ArgumentError(f"{allowed}, not {number}.")
    return number


def check_prob(prob: object, name: str = "prob") -> float:
    """Give the mass of an interval, or another probability, as a float in (0, 1)."""
    number = _as_float(prob, name, "a number between 0 and 1, both excluded")
    if not 0 < number < 1:
        hint = f" (did you mean {number / 100:g}?)" if 1 < number < 100 else ""
        raise ArgumentError(
            f"{name} must be a number between 0 and 1, both excluded, not {prob!r}{hint}."
        )
    return number


def check_k(k: object, name: str = "k", *, minimum: int = 1) -> int:
    """Give a number of trials as an int of at least `minimum`."""
    return _as_int(k, name, minimum)


def check_positive_int(value: object, name: str) -> int:
    """Give a count as an int of at least 1."""
    return _as_int(value, name, 1)


def check_choice(value: object, allowed: Iterable[str], name: str) -> str:
    """Give one of the allowed words; otherwise list them and suggest the nearest."""
    choices = list(allowed)
    if isinstance(value, str) and value in choices:
        return str(value)
    listed = ", ".join(repr(choice) for choice in choices)
    raise ArgumentError(f"{name} must be one of {listed}, not {value!r}{suggest(value, choices)}.")


def check_over(over: object) -> Over:
    """Give "population" (tasks like these) or "observed" (the tasks in the table)."""
    return cast("Over", check_choice(over, ("population", "observed"), "over"))


def check_rng(rng: object) -> np.random.Generator:
    """Give a random generator made from anything that `numpy.random.default_rng` takes."""
    try:
        if isinstance(rng, (bool, np.bool_)):
            raise TypeError
        return np.random.default_rng(cast("Any", rng))
    except (TypeError, ValueError):
        raise ArgumentError(
            "rng must be None, a non-negative integer, a numpy SeedSequence, BitGenerator or "
            f"Generator, not {rng!r}."
        ) from None


def check_fraction(x: object, name: str) -> float:
    """Give a share as a float in [0, 1]."""
    number = _as_float(x, name, "a number in [0, 1]")
    if not 0 <= number <= 1:
        raise ArgumentError(f"{name} must be a number in [0, 1], not {x!r}.")
    return number


def check_positive(x: object, name: str) -> float:
    """Give a scale as a positive finite float."""
    number = _as_float(x, name, "a positive number")
    if not 0 < number < np.inf:
        raise ArgumentError(f"{name} must be a positive number, not {x!r}.")
    return number


def check_thresholds(low: object, high: object) -> tuple[float, float]:
    """Give two success probabilities with 0 <= low < high <= 1."""
    bottom, top = check_fraction(low, "low"), check_fraction(high, "high")
    if not bottom < top:
        raise ArgumentError(f"low must be smaller than high, but low={low!r} and high={high!r}.")
    return bottom, top


def check_counts(
    n: npt.ArrayLike, successes: npt.ArrayLike
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Give trials and successes as integer arrays of one length, with 0 <= successes <= n."""
    trials, wins = _as_counts(n, "n"), _as_counts(successes, "successes")
    if trials.shape != wins.shape:
        raise ArgumentError(
            f"n and successes must have one length, but have shapes {trials.shape} and "
            f"{wins.shape}."
        )
    bad = np.flatnonzero(wins > trials)
    if bad.size:
        i = int(bad[0])
        raise ArgumentError(
            f"successes must not exceed n, but entry {i} has {wins[i]} successes in {trials[i]} "
            "trials."
        )
    return trials, wins


def _as_counts(values: npt.ArrayLike, name: str) -> npt.NDArray[np.int64]:
    """Convert to a 1-D array of non-negative integers."""
    try:
        array = np.atleast_1d(np.asarray(values))
    except ValueError:
        raise ArgumentError(
            f"{name} must be a list of integers of at least 0, not lists of different lengths."
        ) from None
    if array.ndim != 1 or array.dtype.kind not in "iuf":
        raise ArgumentError(
            f"{name} must be a list of integers of at least 0, not {array.ndim}-D data of type "
            f"{array.dtype}."
        )
    bad = np.flatnonzero(~((array >= 0) & (array == np.floor(array)) & (array < 2**62)))
    if bad.size:
        i = int(bad[0])
        raise ArgumentError(
            f"{name} must hold integers of at least 0, but entry {i} is {array[i]!s}."
        )
    return array.astype(np.int64)
