"""The result of a fit: immutable, asked for summaries, cells and draws."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from . import _summary
from ._numerics import FloatArray
from ._validation import check_over, check_positive_int, check_prob, check_thresholds
from .estimands import Estimand, TaskMean
from .estimands.thresholds import HIGH, LOW
from .exceptions import ArgumentError
from .inference.quadrature import Marginal, Quadrature, beta_parameters, observed_draws
from .models import BetaBinomial
from .trials import Trials

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

SUMMARY_DRAWS = 8000
"""Draws behind the summary of a ratio over the observed tasks."""
MAX_CELL_DRAWS = 50_000_000


@dataclass(frozen=True, eq=False)
class Posterior:
    """Posterior of a model given trials.

    Made by `fit`; not meant to be built by hand.

    Attributes
    ----------
    trials : Trials
        The data.
    model : BetaBinomial
        The model and its priors.
    sampler_info : mapping
        How the posterior was computed: method, nodes, tolerance, versions, data fingerprint, seed.
    """

    trials: Trials
    model: BetaBinomial
    engine: Quadrature
    sampler_info: Mapping[str, Any]
    seed: int

    def __post_init__(self) -> None:
        object.__setattr__(self, "sampler_info", MappingProxyType(dict(self.sampler_info)))

    @property
    def systems(self) -> tuple[str, ...]:
        """Labels of what was fitted: systems, or systems under one condition."""
        return self.trials.counts.units

    @property
    def log_evidence(self) -> pd.Series:
        """Log marginal likelihood of each system under the model and its priors.

        Returns
        -------
        pandas.Series
            Indexed by system. Improper priors make it meaningless up to a constant.
        """
        import pandas as pd

        index = pd.Index(self.systems, name="system")
        return pd.Series(self.engine.log_evidence, index=index, name="log_evidence")

    def summary(
        self,
        estimands: Estimand | Sequence[Estimand] | None = None,
        *,
        over: str = "population",
        prob: float = 0.95,
    ) -> pd.DataFrame:
        """Posterior means, sds and equal-tailed intervals in the package's one schema.

        Parameters
        ----------
        estimands : estimand or list of estimands, optional
            What to report. By default the success rate, pass@k, pass^k and their gap at the usual
            number of trials, persistence, ICC and flicker mass.
        over : {"population", "observed"}
            Tasks like these, or the very tasks of the table.
        prob : float in (0, 1), default 0.95
            Mass of the intervals.

        Returns
        -------
        pandas.DataFrame
            Columns estimand, system, over, mean, sd, lower, upper, prob, interval, identified, ess_bulk,
            r_hat; one row for each estimand and system; never rounded. The last two are empty, since
            there are no chains.

        Warns
        -----
        IdentifiabilityWarning
            If a row only restates the prior because no task was tried twice.

        Notes
        -----
        Over the population, everything is deterministic quadrature. Over the observed tasks, means and
        sds of task means are exact and their intervals take the mean as beta-distributed given the beta
        parameters; ratios (persistence, recovery, ICC) are summarised from 8000 draws.

        Examples
        --------
        >>> import reliability_stats as rs
        >>> post = rs.fit(rs.datasets.load("tau-bench-airline-gpt4o"))
        >>> table = post.summary([rs.PassAtK(4), rs.PassHatK(4)])
        >>> table[["estimand", "mean", "lower", "upper"]].round(3)
          estimand   mean  lower  upper
        0   pass@4  0.700  0.577  0.814
        1   pass^4  0.178  0.090  0.291
        """
        over, prob = check_over(over), check_prob(prob)
        wanted = _summary.as_estimands(estimands, self.trials.counts, model=True)
        rows, unidentified = [], []
        for estimand in wanted:
            marginal = self._marginal(estimand, over, prob)
            identified = _summary.identification_by_unit(estimand, self.trials.counts)
            if "no" in identified:
                unidentified.append(estimand.name)
            fields = {
                "mean": marginal.mean,
                "sd": marginal.sd,
                "lower": marginal.lower,
                "upper": marginal.upper,
                "interval": "eti",
                "identified": identified,
            }
            rows.append((estimand, fields))
        _summary.warn_unidentified(unidentified)
        return _summary.table(rows, self.systems, over, prob)

    def _marginal(self, estimand: Estimand, over: str, prob: float) -> Marginal:
        """Summarise one estimand for all systems."""
        if over == "population":
            return self.engine.population(estimand, prob)
        if isinstance(estimand, TaskMean):
            return self.engine.observed(estimand, prob)
        values = self._draws([estimand], over, SUMMARY_DRAWS, self.seed)[0]
        ends = np.quantile(values, [(1 - prob) / 2, (1 + prob) / 2], axis=1)
        return Marginal(values.mean(axis=1), values.std(axis=1), ends[0], ends[1])

    def draws(
        self,
        estimands: Estimand | Sequence[Estimand],
        *,
        over: str = "population",
        draws: int = 1000,
        chains: int = 4,
    ) -> xr.DataArray | xr.Dataset:
        """Independent posterior draws of one or several estimands.

        Parameters
        ----------
        estimands : estimand or list of estimands
            What to draw. Several are drawn jointly, and so are separate calls with equal sizes: the
            seed of the fit decides the draws.
        over : {"population", "observed"}
            Tasks like these, or the very tasks of the table.
        draws, chains : int >= 1
            Draws in each chain, and number of chains. The draws are independent; chains only give
            them the shape that ArviZ expects.

        Returns
        -------
        xarray.DataArray or xarray.Dataset
            Dims chain, draw, system; a Dataset with one variable for each estimand if a list is given.

        Notes
        -----
        Nodes of the lattice are drawn in proportion to their weight, stratified, and moved uniformly
        within their cell; weights are sharpened so that this does not widen the posterior.

        Examples
        --------
        >>> import reliability_stats as rs
        >>> post = rs.fit(rs.datasets.load("tau-bench-airline-gpt4o"), rng=1)
        >>> post.draws(rs.PassHatK(4), over="observed").sizes["draw"]
        1000
        """
        import xarray as xr

        over = check_over(over)
        draws = check_positive_int(draws, name="draws")
        chains = check_positive_int(chains, name="chains")
        wanted = _summary.as_estimands(estimands, self.trials.counts, model=True)
        values = self._draws(wanted, over, draws * chains, self.seed)
        coords = {
            "chain": np.arange(chains),
            "draw": np.arange(draws),
            "system": list(self.systems),
        }
        arrays = [
            xr.DataArray(
                value.T.reshape(chains, draws, -1),
                coords=coords,
                dims=("chain", "draw", "system"),
                name=estimand.name,
                attrs={"over": over},
            )
            for estimand, value in zip(wanted, values, strict=True)
        ]
        if isinstance(estimands, Estimand):
            return arrays[0]
        return xr.Dataset({str(array.name): array for array in arrays})

    def _draws(
        self, estimands: Sequence[Estimand], over: str, size: int, seed: int
    ) -> list[FloatArray]:
        """Draw each estimand jointly; arrays of shape (units, size)."""
        rng = np.random.default_rng(seed)
        a, b = beta_parameters(*self.engine.draw(size, rng))
        if over == "population":
            return [estimand.from_beta(a, b) for estimand in estimands]
        distinct = self.engine.distinct
        out = [np.empty(a.shape) for _ in estimands]
        parts = tuple(dict.fromkeys(part for e in estimands for part in e.parts))
        for unit, stream in enumerate(rng.spawn(len(a))):
            rows = slice(*np.searchsorted(distinct.unit, [unit, unit + 1]))
            counts = distinct.n[rows], distinct.successes[rows], distinct.multiplicity[rows]
            means = dict(
                zip(parts, observed_draws(parts, a[unit], b[unit], *counts, stream), strict=True)
            )
            for value, estimand in zip(out, estimands, strict=True):
                value[unit] = estimand.combine(*(means[part] for part in estimand.parts))
        return out

    def tasks(
        self, *, prob: float = 0.95, low: float = LOW, high: float = HIGH
    ) -> pd.DataFrame:
        """Posterior of the success probability of every cell.

        Parameters
        ----------
        prob : float in (0, 1), default 0.95
            Mass of the equal-tailed intervals.
        low, high : float in [0, 1], default 0.10 and 0.90
            Success probabilities that bound flickering.

        Returns
        -------
        pandas.DataFrame
            One row for each cell: system, task, [condition,] n, successes, mean, sd, lower, upper,
            p_not_shown (P(p <= low)), p_flickering (P(low < p < high)), p_persistent (P(p >= high)).

        Examples
        --------
        >>> import reliability_stats as rs
        >>> post = rs.fit(rs.datasets.load("tau-bench-airline-gpt4o"))
        >>> cells = post.tasks()
        >>> cells.loc[cells["successes"] == 2, "p_flickering"].round(3).iloc[0]
        np.float64(0.976)
        """
        prob = check_prob(prob)
        low, high = check_thresholds(low, high)
        distinct = self.engine.distinct
        cells = self.engine.cells(prob, low, high)
        frame = self.trials.counts.to_frame()
        at = distinct.row_of_cell
        for name in ("mean", "sd", "lower", "upper"):
            frame[name] = getattr(cells, name)[at]
        frame["p_not_shown"] = cells.below[at]
        frame["p_flickering"] = np.clip(1.0 - cells.below - cells.above, 0.0, 1.0)[at]
        frame["p_persistent"] = cells.above[at]
        return frame

    def to_arviz(self, *, draws: int = 1000, chains: int = 4, cells: bool = True) -> Any:
        """Posterior draws and data for ArviZ.

        Parameters
        ----------
        draws, chains : int >= 1
            Shape of the draws.
        cells : bool, default True
            Whether to draw the success probability ``p`` of every cell too.

        Returns
        -------
        arviz.InferenceData or xarray.DataTree
            The first with ArviZ 0.x, the second with ArviZ 1.x. Group ``posterior``: mean, icc
            (chain, draw, system) and p (chain, draw, system, task), NaN for cells that were not run.
            Group ``observed_data``: n, successes (system, task).

        Raises
        ------
        ArgumentError
            If drawing all cells would take more than 50 million numbers.

        Examples
        --------
        >>> import reliability_stats as rs
        >>> post = rs.fit(rs.datasets.load("tau-bench-airline-gpt4o"))
        >>> post.to_arviz(draws=50)["posterior"]["p"].dims
        ('chain', 'draw', 'system', 'task')
        """
        from ._arviz import from_groups

        size = check_positive_int(draws, name="draws") * check_positive_int(chains, name="chains")
        counts = self.trials.counts
        shape = (len(self.systems), len(counts.tasks))
        if cells and size * shape[0] * shape[1] > MAX_CELL_DRAWS:
            raise ArgumentError(
                f"{size} draws of {shape[0]} x {shape[1]} cells are more than {MAX_CELL_DRAWS:,} numbers. "
                "Ask for fewer draws, or leave the cells out with cells=False."
            )
        rng = np.random.default_rng(self.seed)
        u, v = self.engine.draw(size, rng)
        lead = (chains, draws)
        posterior = {
            "mean": _expit(u).T.reshape(*lead, -1),
            "icc": _expit(v).T.reshape(*lead, -1),
        }
        data = {name: np.full(shape, np.nan) for name in ("n", "successes")}
        data["n"][counts.unit, counts.task] = counts.n
        data["successes"][counts.unit, counts.task] = counts.successes
        dims = {"mean": ["system"], "icc": ["system"]}
        if cells:
            a, b = beta_parameters(u, v)
            p = np.full((size, *shape), np.nan)
            wins, fails = counts.successes, counts.n - counts.successes
            p[:, counts.unit, counts.task] = rng.beta(a[counts.unit].T + wins, b[counts.unit].T + fails)
            posterior["p"] = p.reshape(*lead, *shape)
            dims["p"] = ["system", "task"]
        coords = {"system": list(self.systems), "task": list(counts.tasks)}
        dims |= {"n": ["system", "task"], "successes": ["system", "task"]}
        attrs = {"inference_library": "reliability_stats", "model": repr(self.model)}
        return from_groups({"posterior": posterior, "observed_data": data}, coords, dims, attrs)

    def __repr__(self) -> str:
        nodes = self.sampler_info["nodes"]
        return (
            f"Posterior of {self.model!r}\n"
            f"  {self.trials!r}\n"
            f"  exact quadrature, {nodes} nodes a system; .summary(), .tasks(), .draws(), .to_arviz()"
        )

    def _repr_html_(self) -> str:
        from html import escape

        return f"<pre>{escape(repr(self))}</pre>"


def _expit(x: FloatArray) -> FloatArray:
    """Inverse logit."""
    from scipy import special

    return np.asarray(special.expit(x))
