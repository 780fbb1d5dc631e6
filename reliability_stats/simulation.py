"""Trials with known truth, to try methods on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ._account import Source
from ._cells import Cells, axis_labels, encode
from ._numerics import FloatArray, IntArray
from ._validation import check_choice, check_positive_int, check_rng
from .estimands import Estimand
from .exceptions import ArgumentError
from .models.priors import Beta
from .trials import Trials

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Simulation", "simulate"]

MAX_OUTCOMES = 1_000_000
"""Largest systems x tasks x trials for which single outcomes are made."""
QUANTILES = 200_000
"""Points of the midpoint rule behind the truth of a scipy distribution."""


@dataclass(frozen=True, eq=False)
class Simulation:
    """Simulated trials and the truth behind them; made by `simulate`.

    Attributes
    ----------
    trials : Trials
        What an analyst would see.
    p : (systems, tasks) ndarray of float in [0, 1]
        True success probabilities in the order of ``trials.systems`` and ``trials.tasks``;
        read-only.
    outcomes : (systems, tasks, trials) ndarray of float, or None
        Single outcomes 1.0 and 0.0 in the order of the trials, NaN beyond the number of trials of a
        cell; read-only. None for large simulations, where only counts are drawn.
    sources : tuple
        What p came from, one entry a system: `Beta`, a scipy distribution, or None if p was given.

    Examples
    --------
    >>> import reliability_stats as rs
    >>> simulation = rs.simulate([0.9, 0.5], trials=4)
    >>> simulation
    Simulation of 1 system x 2 tasks, 8 trials in 2 cells (4 per cell); p known
    >>> simulation.p
    array([[0.9, 0.5]])
    """

    trials: Trials
    p: FloatArray
    outcomes: FloatArray | None
    sources: tuple[Any, ...]

    def truth(
        self, estimands: Estimand | Sequence[Estimand], *, over: str = "observed"
    ) -> pd.DataFrame:
        """Give the true values of estimands.

        Parameters
        ----------
        estimands : estimand or list of estimands
            What to evaluate.
        over : {"observed", "population"}
            The simulated tasks, or the distribution that they were drawn from.

        Returns
        -------
        pandas.DataFrame
            Columns estimand, system, over, value. Over the population, values are exact for `Beta`,
            and within 1e-5 for other distributions.

        Raises
        ------
        ArgumentError
            If `over` is "population" and p of some system was given, not drawn: there is no
            population then.

        Examples
        --------
        >>> import reliability_stats as rs
        >>> simulation = rs.simulate(rs.Beta(2, 2), tasks=100, trials=4)
        >>> simulation.truth(rs.PassHatK(4), over="population")
          estimand  system        over     value
        0   pass^4  system  population  0.142857
        """
        import pandas as pd

        over = check_choice(over, ("observed", "population"), "over")
        wanted = [estimands] if isinstance(estimands, Estimand) else list(estimands)
        for item in wanted:
            if not isinstance(item, Estimand):
                raise ArgumentError(f"estimands must hold estimands, not {item!r}.")
        rows = []
        for estimand in wanted:
            for system, p, source in zip(self.trials.systems, self.p, self.sources, strict=True):
                if over == "observed":
                    value = float(estimand.from_p(p))
                else:
                    value = _population_value(estimand, source, system)
                rows.append((estimand.name, system, over, value))
        return pd.DataFrame(rows, columns=["estimand", "system", "over", "value"])

    def to_frame(self) -> pd.DataFrame:
        """Give one row a cell, with its true p.

        Returns
        -------
        pandas.DataFrame
            Columns system, task, n, successes, p.

        Examples
        --------
        >>> import reliability_stats as rs
        >>> rs.simulate([1.0, 0.0], trials=3).to_frame()
           system task  n  successes    p
        0  system    0  3          3  1.0
        1  system    1  3          0  0.0
        """
        return self.trials.counts.to_frame().assign(p=self.p.ravel())

    def __repr__(self) -> str:
        """Give sizes."""
        return f"Simulation of {self.trials.counts.describe()}; p known"


def simulate(
    distribution: Any,
    *,
    tasks: int | Sequence[Any] | None = None,
    trials: int | npt.ArrayLike = 4,
    systems: str | Sequence[Any] | None = None,
    rng: Any = 0,
) -> Simulation:
    """Simulate independent repeated trials of tasks with known success probabilities.

    Parameters
    ----------
    distribution : Beta, frozen scipy.stats distribution, float, array_like or mapping
        Where success probabilities come from. A distribution on [0, 1] is drawn from, once a task
        and system; a number is the p of every task; an array of shape (tasks,) or (systems, tasks)
        gives p itself. A mapping from system names to any of the first four (one row each) mixes
        them.
    tasks : int or list, optional
        Number of tasks, or their names. Taken from the arrays where there are any, otherwise 50.
    trials : int or array_like of int >= 1, default 4
        Trials of each cell: one number, shape (tasks,), or shape (systems, tasks).
    systems : str or list, optional
        Names of the systems, unless `distribution` is a mapping. Several names with one
        distribution make systems that are alike but drawn apart; with one row of p, systems that
        share it.
    rng : int, numpy.random.Generator, SeedSequence or None, default 0
        Source of randomness.

    Returns
    -------
    Simulation
        With the trials in ``.trials`` and the truth in ``.p``. Up to a million outcomes, single
        trials are drawn in order; beyond, only counts, so that a million tasks cost little.

    Raises
    ------
    ArgumentError
        If p is outside [0, 1], shapes do not fit together, or an argument is not of the right kind.
    TrialDataError
        If names of systems or tasks are not distinct or do not match in number.

    Examples
    --------
    >>> import reliability_stats as rs
    >>> simulation = rs.simulate({"steady": [0.98, 0.02], "flickering": 0.5}, trials=8, rng=1)
    >>> simulation.trials
    Trials: 2 systems x 2 tasks, 32 trials in 4 cells (8 per cell); fingerprint ...
    >>> simulation.p
    array([[0.5 , 0.5 ],
           [0.98, 0.02]])
    """
    generator = check_rng(rng)
    names, sources = _sources(distribution, systems)
    labels = _task_labels(tasks, sources)
    p = np.stack([_draw_p(source, len(labels), generator) for source in sources])
    n = _trial_numbers(trials, p.shape)
    system_labels, row = _in_order(names, "system")
    task_labels, column = _in_order(labels, "task")
    p, n = p[row][:, column], n[row][:, column]
    result, outcomes = _run(p, n, system_labels, task_labels, generator)
    for array in (p, outcomes):
        if array is not None:
            array.setflags(write=False)
    kept = tuple(None if isinstance(sources[i], np.ndarray) else sources[i] for i in row)
    return Simulation(result, p, outcomes, kept)


def _sources(distribution: Any, systems: Any) -> tuple[list[Any], list[Any]]:
    """Give names of the systems and, for each, a distribution or a row of p (one value or many)."""
    if isinstance(distribution, Mapping):
        if systems is not None:
            raise ArgumentError("systems must not be given when distribution is a mapping.")
        if not distribution:
            raise ArgumentError("distribution is an empty mapping; it needs at least one system.")
        names = list(distribution)
        sources = [_source(value, f"p of {name!r}") for name, value in distribution.items()]
        for name, source in zip(names, sources, strict=True):
            if isinstance(source, np.ndarray) and source.ndim == 2:
                raise ArgumentError(f"p of {name!r} must have shape (tasks,), not {source.shape}.")
        return axis_labels(names, len(names), "systems"), sources
    source = _source(distribution, "distribution")
    rows = list(source) if isinstance(source, np.ndarray) and source.ndim == 2 else [source]
    if systems is None:
        size = len(rows)
        names = ["system"] if size == 1 else [f"system {i}" for i in range(size)]
    else:
        names = [systems] if isinstance(systems, str) else list(systems)
        rows = rows * len(names) if len(rows) == 1 else rows
    if not names:
        raise ArgumentError("systems is empty; name at least one.")
    return axis_labels(names, len(rows), "systems"), rows


def _source(value: Any, name: str) -> Any:
    """Accept a distribution as it is; turn numbers into an array of p."""
    if isinstance(value, Beta) or (hasattr(value, "rvs") and hasattr(value, "ppf")):
        return value
    try:
        p = np.asarray(value, dtype=float)
    except (TypeError, ValueError):
        raise ArgumentError(
            f"{name} must be Beta(a, b), a frozen scipy.stats distribution on [0, 1], or success "
            f"probabilities, not {value!r}."
        ) from None
    if p.ndim > 2 or not p.size:
        raise ArgumentError(
            f"{name} must be a number or have shape (tasks,) or (systems, tasks), not {p.shape}."
        )
    _check_p(p, name)
    return p


def _check_p(p: FloatArray, name: str) -> None:
    """Refuse values that are no probability, naming the first."""
    bad = ~((p >= 0) & (p <= 1))
    if bad.any():
        place = ", ".join(str(int(i)) for i in np.argwhere(bad)[0])
        where = f" at [{place}]" if place else ""
        raise ArgumentError(
            f"{name} must hold probabilities in [0, 1], but {p[bad].flat[0]:g} came{where}."
        )


def _task_labels(tasks: Any, sources: list[Any]) -> Sequence[Any]:
    """Give the names of the tasks, which must agree with the arrays of p."""
    sizes = {len(s) for s in sources if isinstance(s, np.ndarray) and s.ndim == 1}
    if len(sizes) > 1:
        raise ArgumentError(f"All systems need one number of tasks; p came for {sorted(sizes)}.")
    if tasks is None:
        return range(sizes.pop() if sizes else 50)
    if isinstance(tasks, (str, bytes)) or np.ndim(tasks):
        labels: Sequence[Any] = axis_labels(tasks, len(tasks), "tasks")
    else:
        labels = range(check_positive_int(tasks, "tasks"))
    if not labels or (sizes and len(labels) not in sizes):
        given = f", but p came for {sizes.pop()}" if sizes else ""
        raise ArgumentError(f"tasks gives {len(labels)} tasks{given}.")
    return labels


def _in_order(labels: Sequence[Any], role: str) -> tuple[tuple[str, ...], IntArray]:
    """Give labels as text, sorted as in every table of trials, and where each stood before."""
    if isinstance(labels, range):
        return tuple(map(str, labels)), np.arange(len(labels))
    names, codes = encode(labels, role)
    return names, np.argsort(codes)


def _draw_p(source: Any, size: int, rng: np.random.Generator) -> FloatArray:
    """Draw or repeat the success probabilities of one system."""
    if isinstance(source, np.ndarray):
        return np.array(np.broadcast_to(source, (size,)))
    if isinstance(source, Beta):
        drawn = rng.beta(source.a, source.b, size)
    else:
        try:
            drawn = source.rvs(size=size, random_state=rng)
        except TypeError as error:
            raise ArgumentError(
                f"{source!r} cannot be drawn from: {error}. Freeze it first, as in "
                "scipy.stats.beta(2, 3)."
            ) from error
    p = np.asarray(drawn, dtype=float)
    _check_p(p, "The draws of the distribution")
    return p


def _trial_numbers(trials: Any, shape: tuple[int, int]) -> IntArray:
    """Give the number of trials of every cell."""
    n = np.asarray(trials)
    if n.dtype.kind not in "iu":
        raise ArgumentError(f"trials must be an integer or an array of integers, not {trials!r}.")
    if n.size and n.min() < 1:
        raise ArgumentError(f"trials must be at least 1 everywhere, but {n.min()} came.")
    try:
        return np.array(np.broadcast_to(n, shape), dtype=np.int64)
    except ValueError:
        raise ArgumentError(
            f"trials of shape {n.shape} does not fit {shape[0]} systems x {shape[1]} tasks."
        ) from None


def _run(
    p: FloatArray,
    n: IntArray,
    systems: Sequence[str],
    tasks: Sequence[str],
    rng: np.random.Generator,
) -> tuple[Trials, FloatArray | None]:
    """Run the trials: one by one if they are few, otherwise their counts."""
    most = int(n.max())
    if p.size * most <= MAX_OUTCOMES:
        outcomes = (rng.random((*p.shape, most)) < p[..., None]).astype(float)
        outcomes[np.arange(most) >= n[..., None]] = np.nan
        return Trials.from_array(outcomes, systems=systems, tasks=tasks), outcomes
    n, successes = n.ravel(), rng.binomial(n, p).ravel().astype(np.int64)
    codes = {
        "system": np.repeat(np.arange(len(systems)), len(tasks)),
        "task": np.tile(np.arange(len(tasks)), len(systems)),
    }
    labels = {"system": tuple(systems), "task": tuple(tasks)}
    cells = Cells(labels, codes, n, successes, np.zeros_like(n), np.ones_like(n))
    return Trials._of(cells, "raise", (), None, Source("simulation")), None


def _population_value(estimand: Estimand, source: Any, system: str) -> float:
    """Evaluate an estimand on the distribution itself."""
    if source is None:
        raise ArgumentError(
            f"p of system {system!r} was given, not drawn, so there is no population; use "
            "over='observed'."
        )
    if isinstance(source, Beta):
        return float(estimand.from_beta(source.a, source.b))
    u = (np.arange(QUANTILES) + 0.5) / QUANTILES
    return float(estimand.from_p(np.asarray(source.ppf(u), dtype=float)))
