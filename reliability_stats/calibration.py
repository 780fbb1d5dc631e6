"""Simulation-based calibration: whether a model's posteriors mean what they say.

Parameters are drawn from the prior, data from the model at these parameters, and the model is
fitted to the data. If all is right, the rank of the true value among posterior draws is uniform,
for every quantity, also one that depends on the data.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from . import _ecdf_band
from ._account import Source
from ._cells import Cells
from ._counts import plural
from ._numerics import FloatArray, IntArray
from ._validation import check_positive_int, check_prob, check_rng
from .exceptions import ArgumentError, MissingExtraError, ModelError
from .fitting import fit
from .models import Model
from .models.generative import Generative, Parameters
from .trials import Counts, Trials

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Calibration", "sbc"]

BATCH = 250
"""Data sets fitted at once where units are apart."""
LIKELIHOOD = "log likelihood"
Quantity = Callable[[Parameters], FloatArray]


@dataclass(frozen=True, eq=False, repr=False)
class Calibration:
    """Ranks of true values among posterior draws; made by `sbc`.

    Attributes
    ----------
    ranks : pandas.DataFrame
        One row a simulation, one column a quantity: the share of the posterior below the truth,
        in (0, 1), uniform if the posterior is calibrated.
    table : pandas.DataFrame
        One row a quantity: quantity, simulations, p_value (of the largest departure of the ranks
        from uniform), calibrated, coverage_50 and coverage_95 (share of truths in the central
        intervals), mean (above 0.5: the posterior lies too low).
    verdict : str
        A sentence.
    prob : float
        Probability that a calibrated model shows no departure in any quantity.
    failures : tuple of str
        Messages of the fits that failed; their simulations are not in `ranks`.
    """

    ranks: pd.DataFrame
    table: pd.DataFrame
    verdict: str
    prob: float
    failures: tuple[str, ...] = ()

    @property
    def band_prob(self) -> float:
        """Probability of the band of each quantity, so that all together have `prob`."""
        return 1.0 - (1.0 - self.prob) / self.ranks.shape[1]

    def __repr__(self) -> str:
        """Give the verdict and the table."""
        return f"{self.verdict}\n{self.table.to_string(index=False)}"


@dataclass(frozen=True)
class _Task:
    """What one worker needs."""

    model: Any
    design: Counts
    size: int
    rng: np.random.Generator
    draws: int
    quantities: Mapping[str, Quantity]
    options: Mapping[str, Any]


def sbc(
    model: Model,
    design: Trials | Counts,
    n_sims: int = 1000,
    rng: Any = 0,
    *,
    draws: int = 999,
    quantities: Mapping[str, Quantity] | None = None,
    prob: float = 0.95,
    n_jobs: int | None = 1,
    progress: bool = False,
    **options: Any,
) -> Calibration:
    """Check by simulation that the posteriors of a model are calibrated.

    Parameters
    ----------
    model : model
        A model that can be simulated, such as `BetaBinomial`.
    design : Trials or Counts
        The systems, tasks and numbers of trials that data are simulated for; its outcomes are not
        used.
    n_sims : int >= 1, default 1000
        Data sets.
    rng : int, numpy.random.Generator, SeedSequence or None, default 0
        Seed. Every batch has a stream of its own: the result does not depend on `n_jobs`.
    draws : int >= 1, default 999
        Posterior draws that the truth is ranked among. With chains, ask for few, such as 99, so
        that they are nearly independent.
    quantities : mapping of str to callable, optional
        Further quantities: functions of the parameters, a mapping of names to arrays whose first
        axis is the draw.
    prob : float in (0, 1), default 0.95
        Probability that a calibrated model shows no departure in any quantity.
    n_jobs : int or None, default 1
        Processes; needs joblib unless 1. None takes what ``joblib.parallel_config`` says, such as a
        Dask cluster.
    progress : bool, default False
        Whether to show a progress bar.
    **options
        Options of `fit`.

    Returns
    -------
    Calibration
        Draw it with `plots.ecdf_difference`.

    Raises
    ------
    ModelError
        If the model cannot be simulated, or no fit succeeded.
    ArgumentError
        If an argument is not of the right kind.
    MissingExtraError
        If `n_jobs` asks for joblib and it is not installed.

    Notes
    -----
    Beside all parameters, the log likelihood is ranked, which depends on the data: ranks of
    parameters alone stay uniform even if the posterior ignores the data altogether (Modrák et al.
    2023). Ranks are spread evenly within ties, and the bands are exact (Säilynoja et al. 2022).

    Where units are modelled apart, all data sets of a batch are fitted as units of one table.

    References
    ----------
    Talts et al. (2018), https://doi.org/10.48550/arXiv.1804.06788;
    Modrák et al. (2023), https://doi.org/10.1214/23-BA1404;
    Säilynoja, Bürkner and Vehtari (2022), https://doi.org/10.1007/s11222-022-10090-6

    Examples
    --------
    >>> import reliability_stats as rs
    >>> design = rs.simulate(rs.Beta(1, 1), tasks=20, trials=4).trials
    >>> found = rs.calibration.sbc(rs.BetaBinomial(), design, 100, draws=99)
    >>> found.verdict
    'No departure found: the ranks of all 3 quantities are as uniform as those of 100 simulations
    should be.'
    """
    counts = _checked(model, design, quantities)
    sims, draws = check_positive_int(n_sims, "n_sims"), check_positive_int(draws, "draws")
    prob = check_prob(prob)
    size = BATCH if getattr(model, "separable", False) else 1
    sizes = [min(size, sims - start) for start in range(0, sims, size)]
    streams = check_rng(rng).spawn(len(sizes))
    extra = dict(quantities or {})
    tasks = [
        _Task(model, counts, many, stream, draws, extra, options)
        for many, stream in zip(sizes, streams, strict=True)
    ]
    results = list(_shown(_run(tasks, n_jobs), len(tasks), progress))
    return _gathered(results, prob)


def _checked(model: Any, design: Any, quantities: Any) -> Counts:
    """Give the counts of the design; refuse what cannot be simulated."""
    if not isinstance(model, Model) or isinstance(model, type):
        raise ArgumentError(f"model must be a model such as BetaBinomial(), not {model!r}.")
    if not isinstance(model, Generative):
        raise ModelError(
            f"{type(model).__name__} cannot be simulated: it does not give draw_prior, simulate "
            "and log_likelihood."
        )
    if quantities is not None and not (
        isinstance(quantities, Mapping) and all(map(callable, quantities.values()))
    ):
        raise ArgumentError("quantities must be a mapping of names to functions of the parameters.")
    if isinstance(design, Trials):
        return design.counts
    if not isinstance(design, Counts):
        raise ArgumentError(f"design must be Trials or Counts, not {type(design).__name__}.")
    return design


def _run(tasks: Sequence[_Task], n_jobs: int | None) -> Iterable[Any]:
    """Run all tasks here, or fan them out."""
    if n_jobs == 1:
        return map(_ranked, tasks)
    if n_jobs is not None and (
        isinstance(n_jobs, bool) or not isinstance(n_jobs, int) or not n_jobs
    ):
        raise ArgumentError(f"n_jobs must be an integer other than 0, or None, not {n_jobs!r}.")
    try:
        import joblib
    except ImportError as error:
        raise MissingExtraError(
            "n_jobs needs joblib: pip install 'reliability-stats[parallel]', or leave n_jobs at 1."
        ) from error
    parallel = joblib.Parallel(n_jobs=n_jobs, return_as="generator")
    results: Iterable[Any] = parallel(joblib.delayed(_ranked)(task) for task in tasks)
    return results


def _shown(results: Iterable[Any], total: int, progress: bool) -> Iterable[Any]:
    """Show a progress bar if wanted."""
    if not progress:
        return results
    from rich.progress import track

    return track(results, description="Simulating", total=total)


def _ranked(task: _Task) -> dict[str, FloatArray] | str:
    """Simulate, fit and rank one batch: name -> (simulations,); or the message of a failed fit."""
    first, second, third, last = task.rng.spawn(4)
    truth = dict(task.model.draw_prior(task.design, task.size, first))
    successes = task.model.simulate(truth, task.design, second)
    apart = bool(task.model.separable)
    trials = _tabled(task.design, successes)
    seed = int(third.integers(2**62))
    try:
        post = fit(trials, task.model, rng=seed, **task.options)
        drawn = post.engine.parameters(1, task.draws, cells=False)
    except ModelError as error:
        if apart:
            raise
        return str(error)
    values = {name: drawn[name][1][0] for name in truth}
    counts, units = trials.counts, len(task.design.units)
    if apart:  # (size, units) truths lie along the units of the joint table
        flat = {name: value.reshape(1, -1) for name, value in truth.items()}
    else:
        flat = {name: np.asarray(value) for name, value in truth.items()}
    pairs = {name: (flat[name], values[name]) for name in truth}
    for name, function in task.quantities.items():
        pairs[name] = np.asarray(function(flat)), np.asarray(function(values))
    likelihood = task.model.log_likelihood
    pairs[LIKELIHOOD] = likelihood(flat, counts), likelihood(values, counts)
    out: dict[str, FloatArray] = {}
    for name, (true, sample) in pairs.items():
        share = _share_below(true[0], sample, last)
        table = share.reshape(task.size, units) if apart else share.reshape(1, -1)
        labels = task.design.units if apart else tuple(map(str, range(table.shape[1])))
        single = table.shape[1] == 1
        out |= {
            name if single else f"{name}[{label}]": table[:, i] for i, label in enumerate(labels)
        }
    return out


def _share_below(truth: FloatArray, sample: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Give the share of the posterior below the truth, spread evenly within ties and ranks."""
    below, equal = (sample < truth).sum(axis=0), (sample == truth).sum(axis=0)
    return np.asarray((below + (equal + 1) * rng.random(truth.shape)) / (len(sample) + 1))


def _tabled(design: Counts, successes: IntArray) -> Trials:
    """Lay out data sets as one table: each unit of each set a system of its own, if several."""
    if len(successes) == 1:
        labels = {"system": design.systems, "task": design.tasks}
        codes = {"system": design.system, "task": design.task}
        if design.condition is not None:
            labels["condition"], codes["condition"] = design.conditions, design.condition
        sets = 1
    else:
        sets, units = len(successes), len(design.units)
        width = len(str(sets * units))
        names = tuple(f"{i:0{width}d}" for i in range(sets * units))
        labels = {"system": names, "task": design.tasks}
        unit = (np.arange(sets)[:, None] * units + design.unit).ravel()
        codes = {"system": unit, "task": np.tile(design.task, sets)}
    n = np.tile(design.n, sets)
    nothing = np.zeros_like(n)
    cells = Cells(labels, codes, n, successes.ravel(), nothing, np.ones_like(n))
    return Trials._of(cells, "raise", (), None, Source("simulation"))


def _gathered(results: Sequence[dict[str, FloatArray] | str], prob: float) -> Calibration:
    """Put the batches together and judge every quantity."""
    import pandas as pd

    failures = tuple(item for item in results if isinstance(item, str))
    parts = [item for item in results if not isinstance(item, str)]
    if not parts:
        raise ModelError(f"All {len(failures)} fits failed; the first: {failures[0]}")
    ranks = pd.DataFrame({name: np.concatenate([p[name] for p in parts]) for name in parts[0]})
    limit = (1.0 - prob) / ranks.shape[1]
    rows = [_judged(str(name), ranks[name].to_numpy(), limit) for name in ranks]
    table = pd.DataFrame(rows)
    return Calibration(ranks, table, _verdict(table, ranks, failures), prob, failures)


def _judged(name: str, values: FloatArray, limit: float) -> dict[str, Any]:
    """Give the row of one quantity."""
    p = _ecdf_band.p_value(values)
    return {
        "quantity": name,
        "simulations": len(values),
        "p_value": p,
        "calibrated": p >= limit,
        "coverage_50": float((np.abs(values - 0.5) <= 0.25).mean()),
        "coverage_95": float((np.abs(values - 0.5) <= 0.475).mean()),
        "mean": float(values.mean()),
    }


def _verdict(table: pd.DataFrame, ranks: pd.DataFrame, failures: tuple[str, ...]) -> str:
    """Say in a sentence what was found."""
    lost = ""
    if failures:
        lost = f" {plural(len(failures), 'fit')} failed and are left out; the first: {failures[0]}"
    bad = table[~table["calibrated"]]
    if bad.empty:
        return (
            f"No departure found: the ranks of all {len(table)} quantities are as uniform as those "
            f"of {plural(len(ranks), 'simulation')} should be.{lost}"
        )
    worst = bad.sort_values("p_value").iloc[0]
    values = ranks[worst["quantity"]].to_numpy()
    return (
        f"Not calibrated: {len(bad)} of {len(table)} quantities depart from uniform; the worst is "
        f"{worst['quantity']} (p = {worst['p_value']:.2g}): {_shape(values)}.{lost}"
    )


def _shape(values: FloatArray) -> str:
    """Say how ranks depart from uniform."""
    error = np.sqrt(1 / 12 / len(values))
    shift = (values.mean() - 0.5) / error
    spread = (((values - 0.5) ** 2).mean() * 12 - 1) / np.sqrt(0.8 / len(values))
    if abs(shift) > max(3.0, abs(spread)):
        return f"the posterior lies too {'low' if shift > 0 else 'high'}"
    if abs(spread) > 3.0:
        return f"the posterior is too {'narrow' if spread > 0 else 'wide'}"
    return "look at the plot of the ranks"
