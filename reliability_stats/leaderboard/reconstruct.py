"""`reconstruct`: from the printed ladder back to the count histogram."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._validation import check_choice, check_positive_int
from ..exceptions import ArgumentError
from .diagnose import diagnose
from .figures import ROUNDING
from .frame import Group, Leaderboard
from .ladder import Ladder, ladder_of

if TYPE_CHECKING:
    from .table import Reconstruction

__all__ = ["reconstruct"]

UNSETTLED = "the digits leave too much open: the search was stopped before it found two histograms"


def reconstruct(
    leaderboard: Leaderboard, *, max_solutions: int = 100_000, rounding: str = "nearest"
) -> Reconstruction:
    """Recover the count histograms behind published ladders pass^1..pass^K (or pass@1..pass@K).

    With K trials of each of N tasks, the K figures fix how many tasks had 0, 1, ..., K successes,
    up to rounding. All histograms of whole numbers of tasks that print the given digits are
    searched.

    Parameters
    ----------
    leaderboard : Leaderboard
        Published figures. A ladder needs all of k = 1..n_trials; where n_trials is not stated, it
        is taken as the highest k, which the column ``note`` says.
    max_solutions : int, default 100000
        The search of a ladder stops beyond this many histograms; ``n_solutions`` is then "at
        least", and ``complete`` is False.
    rounding : {"nearest", "down"}, default "nearest"
        How figures were printed: within half a unit of the last digit, both ends included, so that
        half up and half to even are allowed; or cut off.

    Returns
    -------
    Reconstruction
        A data frame, one row a ladder: system, benchmark, settings, n_tasks, n_trials, status
        ("unique", "several" or "none"), n_solutions, complete, histogram (tuple of the numbers of
        tasks with 0..K successes; of several, the one closest to the printed figures; None if there
        is none), duplicate_of (system whose ladder on the same benchmark is printed with the same
        digits), note (what could explain a ladder that fits nothing). Its ``trials(system,
        benchmark)`` gives `Trials`, ``histograms(...)`` all solutions, ``ranges(...)`` the range of
        estimands over them, and ``left_out`` the figures that are no whole ladder.

    Raises
    ------
    ArgumentError
        If an argument is not of the right kind.

    Notes
    -----
    The sums S_k = sum_c C(c, k) h_c = N C(K, k) pass^k are integers, and fix the histogram from the
    top. Ranges of them are searched exactly. A ladder without a solution is not what it says:
    another number of tasks or trials, excluded trials, averaged sets, or a misprint.

    References
    ----------
    Yao et al. (2024), tau-bench, https://doi.org/10.48550/arXiv.2406.12045;
    Brown and Heathers (2017), the GRIM test, https://doi.org/10.1177/1948550616673876

    Examples
    --------
    >>> from reliability_stats.leaderboard import Leaderboard, reconstruct
    >>> rows = {"system": "gpt-4o", "benchmark": "airline", "metric": "pass^k", "k": [1, 2, 3, 4],
    ...         "value": ["0.420", "0.273", "0.220", "0.200"], "n_tasks": 50, "n_trials": 4}
    >>> found = reconstruct(Leaderboard.from_frame(rows))
    >>> found[["system", "status", "n_solutions", "histogram"]]
       system  status  n_solutions            histogram
    0  gpt-4o  unique            1  (14, 12, 10, 4, 10)
    >>> found.trials("gpt-4o", "airline").n_trials
    200
    """
    from .table import Reconstruction, Recovered

    if not isinstance(leaderboard, Leaderboard):
        raise ArgumentError(
            f"reconstruct needs a Leaderboard, not {type(leaderboard).__name__}; make it with "
            "Leaderboard.from_frame(...)."
        )
    most = check_positive_int(max_solutions, "max_solutions")
    check_choice(rounding, ROUNDING, "rounding")
    recovered: list[Recovered] = []
    left_out: list[tuple[Group, str]] = []
    seen: dict[tuple[object, ...], Group] = {}
    for group in leaderboard.groups:
        ladder = ladder_of(group)
        if isinstance(ladder, str):
            left_out.append((group, ladder))
            continue
        found = ladder.solve(most, rounding)
        if not found.complete and len(found.histograms) < min(2, most):
            left_out.append((group, UNSETTLED))
            continue
        first = seen.setdefault(ladder.digits, group)
        twin = None if first is group else first.system
        recovered.append(Recovered(ladder, found, twin, _note(ladder, len(found.histograms))))
    return Reconstruction.of(recovered, left_out)


def _note(ladder: Ladder, solutions: int) -> str:
    """Say what was assumed, and what could explain that nothing fits."""
    notes = []
    if not ladder.declared:
        notes.append(f"n_trials is not stated; taken as {ladder.n_trials}, the highest k")
    if not solutions:
        notes.append(diagnose(ladder).text)
    return "; ".join(notes)
