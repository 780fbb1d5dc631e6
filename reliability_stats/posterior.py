"""The result of a fit: immutable, asked for summaries, cells and draws."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from . import _summary
from ._summary import Question
from ._validation import check_over, check_positive_int, check_prob, check_thresholds
from .estimands import Estimand
from .estimands.thresholds import HIGH, LOW
from .exceptions import ArgumentError
from .inference.answers import labelled_draws, summary_rows
from .inference.engine import Engine
from .trials import Trials

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

    from .criticism.diagnosis import Diagnosis
    from .criticism.loo import LeaveOneOut
    from .criticism.predictive import PredictiveCheck

MAX_CELL_DRAWS = 50_000_000


@dataclass(frozen=True, eq=False, repr=False)
class Posterior:
    """Posterior of a model given trials.

    Made by `fit`; not meant to be built by hand.

    Attributes
    ----------
    trials : Trials
        The data.
    model : model
        The model and its priors.
    engine : Engine
        The fitted posterior in arrays; an implementation detail.
    sampler_info : mapping
        How the posterior was computed: method, versions, data fingerprint, seed.
    """

    trials: Trials
    model: Any
    engine: Engine
    sampler_info: Mapping[str, Any]

    def __post_init__(self) -> None:
        """Freeze the record of how it was computed."""
        object.__setattr__(self, "sampler_info", MappingProxyType(dict(self.sampler_info)))

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle through the constructor, since a mapping proxy cannot be."""
        return type(self), (self.trials, self.model, self.engine, dict(self.sampler_info))

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
        estimands: Question | Sequence[Question] | None = None,
        *,
        over: str = "population",
        prob: float = 0.95,
    ) -> pd.DataFrame:
        """Posterior means, sds and equal-tailed intervals in the package's one schema.

        Parameters
        ----------
        estimands : estimand or list of estimands, optional
            What to report. By default the success rate, pass@k, pass^k and their gap at the usual
            number of trials, persistence, ICC and flicker mass. Comparisons of conditions, such as
            `Degradation`, give one row a system.
        over : {"population", "observed"}
            Tasks like these, or the very tasks of the table.
        prob : float in (0, 1), default 0.95
            Mass of the intervals.

        Returns
        -------
        pandas.DataFrame
            Columns estimand, system, over, mean, sd, lower, upper, prob, interval, identified,
            ess_bulk, r_hat; one row for each estimand and system; never rounded. The last two are
            empty where there are no chains. The interval is called "eti (not converged)" if a check
            of the chains failed; see `diagnose`. If a comparison of conditions states a margin, the
            columns margin, p_below_margin, p_within_margin, p_beyond_margin and verdict follow.

        Warns
        -----
        IdentifiabilityWarning
            If a row only restates the prior because no task was tried twice, or a system was not
            run under a condition.

        Notes
        -----
        With quadrature, everything over the population is deterministic. Over the observed tasks,
        means and sds of task means are exact, and their intervals take the mean as beta-distributed
        given the beta parameters; for functions of such means (persistence, recovery, ICC) these
        are taken as jointly normal given the parameters. Where that is too rough, as with fewer
        than 20 tasks or rates near 0 or 1, intervals come from 20 000 draws.

        Examples
        --------
        >>> import reliability_stats as rs
        >>> post = rs.fit(rs.datasets.load("tau-bench-airline-gpt4o"))
        >>> table = post.summary([rs.PassAtK(4), rs.PassHatK(4)])
        >>> table[["estimand", "mean", "lower", "upper"]].round(3)
          estimand   mean  lower  upper
        0   pass@4  0.700  0.575  0.811
        1   pass^4  0.178  0.090  0.291
        """
        over, prob = check_over(over), check_prob(prob)
        wanted = _summary.as_questions(estimands, self.trials.counts, model=True)
        baseline = getattr(self.model, "baseline", None)
        rows = summary_rows(self.engine, self.trials.counts, wanted, baseline, over, prob)
        return _summary.table(rows, self.systems, over, prob)

    def draws(
        self,
        estimands: Question | Sequence[Question],
        *,
        over: str = "population",
        draws: int | None = None,
        chains: int | None = None,
    ) -> xr.DataArray | xr.Dataset:
        """Posterior draws of one or several estimands.

        Parameters
        ----------
        estimands : estimand or list of estimands
            What to draw. Several are drawn jointly, and so are separate calls with equal sizes: the
            seed of the fit decides the draws.
        over : {"population", "observed"}
            Tasks like these, or the very tasks of the table.
        draws, chains : int >= 1, optional
            Draws in each chain, and number of chains. Quadrature gives independent draws, 1000 in
            each of 4 chains by default; the chains only give them the shape that ArviZ expects.

        Returns
        -------
        xarray.DataArray or xarray.Dataset
            Dims chain, draw, system; a Dataset with one variable an estimand if a list is given. A
            comparison of conditions has systems where estimands have systems under one condition,
            so the two cannot be in one list.

        Examples
        --------
        >>> import reliability_stats as rs
        >>> post = rs.fit(rs.datasets.load("tau-bench-airline-gpt4o"), rng=1)
        >>> post.draws(rs.PassHatK(4), over="observed").sizes["draw"]
        1000
        """
        import xarray as xr

        over = check_over(over)
        chains, draws = self._shape(chains, draws)
        wanted = _summary.as_questions(estimands, self.trials.counts, model=True)
        baseline = getattr(self.model, "baseline", None)
        values = labelled_draws(
            self.engine, self.trials.counts, wanted, baseline, over, chains, draws
        )
        arrays = [
            xr.DataArray(
                value,
                coords={"chain": range(chains), "draw": range(draws), "system": list(labels)},
                dims=("chain", "draw", "system"),
                name=name,
                attrs={"over": over},
            )
            for name, labels, value in values
        ]
        if not isinstance(estimands, Iterable):
            return arrays[0]
        return xr.Dataset({str(array.name): array for array in arrays})

    def _shape(self, chains: int | None, draws: int | None) -> tuple[int, int]:
        """Give the number of chains and draws, checked, with the engine's own as defaults."""
        usual = self.engine.default_shape
        return (
            usual[0] if chains is None else check_positive_int(chains, name="chains"),
            usual[1] if draws is None else check_positive_int(draws, name="draws"),
        )

    def tasks(self, *, prob: float = 0.95, low: float = LOW, high: float = HIGH) -> pd.DataFrame:
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
            p_not_shown (P(p <= low)), p_flickering (P(low < p < high)) and p_persistent
            (P(p >= high)).

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
        cells = self.engine.cells(prob, low, high)
        frame = self.trials.counts.to_frame()
        for name in ("mean", "sd", "lower", "upper"):
            frame[name] = getattr(cells, name)
        frame["p_not_shown"] = cells.below
        frame["p_flickering"] = np.clip(1.0 - cells.below - cells.above, 0.0, 1.0)
        frame["p_persistent"] = cells.above
        return frame

    def to_arviz(
        self, *, draws: int | None = None, chains: int | None = None, cells: bool = True
    ) -> Any:
        """Posterior draws and data for ArviZ.

        Parameters
        ----------
        draws, chains : int >= 1, optional
            Shape of the draws, as in `draws`.
        cells : bool, default True
            Whether to draw the success probability ``p`` of every cell too.

        Returns
        -------
        arviz.InferenceData or xarray.DataTree
            The first with ArviZ 0.x, the second with ArviZ 1.x. Group ``posterior``: the model's
            variables (mean and icc of each system for the beta-binomial) and p
            (chain, draw, system, task), NaN for cells that were not run. Group ``observed_data``:
            n, successes (system, task).

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

        chains, draws = self._shape(chains, draws)
        counts = self.trials.counts
        shape = (len(self.systems), counts.n_tasks)
        size = chains * draws * shape[0] * shape[1]
        if cells and size > MAX_CELL_DRAWS:
            raise ArgumentError(
                f"{chains} x {draws} draws of {shape[0]} x {shape[1]} cells are {size:,} numbers, "
                f"more than {MAX_CELL_DRAWS:,}. Ask for fewer draws, or leave the cells out with "
                "cells=False."
            )
        posterior, dims = {}, {"n": ["system", "task"], "successes": ["system", "task"]}
        for name, (axes, values) in self.engine.parameters(chains, draws, cells=cells).items():
            posterior[name], dims[name] = values, list(axes)
            if axes == ("cell",):
                posterior[name], dims[name] = self._spread(values), ["system", "task"]
        data = {name: self._spread(getattr(counts, name)) for name in ("n", "successes")}
        coords = {"system": list(self.systems), "task": list(counts.tasks)}
        attrs = {"inference_library": "reliability_stats", "model": repr(self.model)}
        return from_groups({"posterior": posterior, "observed_data": data}, coords, dims, attrs)

    def diagnose(self) -> Diagnosis:
        """Say whether the posterior was computed well.

        Returns
        -------
        Diagnosis
            `table` with one row a figure, `passed`, and `verdict`: a sentence with what to do.

        Raises
        ------
        ModelError
            If the model's inference gives no such figures.

        Notes
        -----
        Quadrature: what halving the step still changes, in posterior sds and in the log evidence,
        and the mass at the edge of the lattice. Chains: R-hat, effective sample sizes, divergences
        and energies, by ArviZ.

        Examples
        --------
        >>> import reliability_stats as rs
        >>> post = rs.fit(rs.datasets.load("tau-bench-airline-gpt4o"))
        >>> post.diagnose().verdict
        'Computed well: 5 checks passed (deterministic quadrature on 33 x 33 nodes a system).'
        """
        from .criticism.diagnosis import diagnose

        return diagnose(self.engine)

    def loo(self) -> LeaveOneOut:
        """Predict every task from all the others.

        Returns
        -------
        LeaveOneOut
            `table` by system, `pointwise` by task, totals `elpd` and `se`.

        Raises
        ------
        ModelError
            If the model's inference has no such densities, or the posterior is improper without
            some task.

        Notes
        -----
        A task leaves with all its trials (and those of all systems, where the model lets systems
        share tasks), and its success probability is integrated out. With quadrature the densities
        are exact: the posterior is reweighted on its lattice, or laid anew where a task dominates.

        References
        ----------
        Merkle, Furr and Rabe-Hesketh (2019), https://doi.org/10.1007/s11336-019-09679-0

        Examples
        --------
        >>> import reliability_stats as rs
        >>> post = rs.fit(rs.datasets.load("tau-bench-airline-gpt4o"))
        >>> round(post.loo().elpd, 3)
        -81.036
        """
        from .criticism.loo import leave_one_out

        return leave_one_out(self.trials, self.engine)

    def ppc(self, *, datasets: int = 4000, prob: float = 0.95, rng: Any = 0) -> PredictiveCheck:
        """Compare the counts with those of new tasks under the model.

        Parameters
        ----------
        datasets : int >= 1, default 4000
            Replicated data sets.
        prob : float in (0, 1), default 0.95
            Mass of the intervals, outside which an observed value is marked.
        rng : int, numpy.random.Generator, SeedSequence or None, default 0
            Seed of the replicated data.

        Returns
        -------
        PredictiveCheck
            `table` of statistics by system (success rate, tasks never and always successful, share
            of mixed tasks, variance between tasks), `histogram` of successes, and `verdict`. Draw
            it with `plots.rootogram`.

        Raises
        ------
        ModelError
            If the model's inference cannot replicate data.

        References
        ----------
        Gelman, Meng and Stern (1996), Statistica Sinica 6, 733-760;
        Kleiber and Zeileis (2016), https://doi.org/10.1080/00031305.2016.1173590

        Examples
        --------
        >>> import reliability_stats as rs
        >>> post = rs.fit(rs.datasets.load("tau-bench-airline-gpt4o"))
        >>> post.ppc().histogram["mid_p"].round(1).tolist()
        [0.6, 0.2, 0.3, 0.9, 0.4]
        """
        from .criticism.predictive import predictive_check

        return predictive_check(self.trials, self.engine, datasets=datasets, prob=prob, rng=rng)

    def prior_sensitivity(
        self,
        estimands: Estimand | Sequence[Estimand] | None = None,
        *,
        lower: float = 0.99,
        upper: float = 1.01,
        threshold: float = 0.05,
    ) -> pd.DataFrame:
        """Say how much the posterior rests on the prior, and how much on the data.

        Parameters
        ----------
        estimands : estimand or list of estimands, optional
            Over tasks like these; by default as in `summary`.
        lower, upper : float, default 0.99 and 1.01
            Powers that prior and likelihood are raised to.
        threshold : float > 0, default 0.05
            Sensitivity from which one is marked.

        Returns
        -------
        pandas.DataFrame
            estimand, system, over, prior, likelihood (distance moved per doubling of the power of
            each), and diagnosis: "-" if the prior matters little, "possible prior-data conflict" if
            both matter, "strong prior or weak likelihood" if only the prior does.

        Raises
        ------
        ModelError
            If the model's inference does not give prior and likelihood apart.
        ArgumentError
            If an argument is not of the right kind.

        Notes
        -----
        Cumulative Jensen-Shannon distances as in the R package priorsense. For the beta-binomial
        the prior is scaled as a density of the logits of mean and icc, so that Beta(1, 1) becomes
        Beta(power, power); as a density of mean and icc it would be constant and seem without
        influence. With quadrature the reweighting is exact.

        References
        ----------
        Kallioinen, Paananen, Bürkner and Vehtari (2024), https://doi.org/10.1007/s11222-023-10366-5

        Examples
        --------
        >>> import reliability_stats as rs
        >>> post = rs.fit(rs.datasets.load("tau-bench-airline-gpt4o"))
        >>> post.prior_sensitivity(rs.PassHatK(4))[["prior", "likelihood"]].round(3)
           prior  likelihood
        0  0.011       0.108
        """
        from .criticism.sensitivity import power_scaling

        powers = {"lower": lower, "upper": upper, "threshold": threshold}
        return power_scaling(self.trials, self.engine, estimands, **powers)

    def _spread(self, values: Any) -> Any:
        """Lay values of the cells, last axis, out by system and task; NaN where nothing was run."""
        counts = self.trials.counts
        table = np.full((*values.shape[:-1], len(self.systems), counts.n_tasks), np.nan)
        table[..., counts.unit, counts.task] = values
        return table

    def __repr__(self) -> str:
        """Give the model, the data, how it was computed and what can be asked."""
        return (
            f"Posterior of {self.model!r}\n"
            f"  {self.trials!r}\n"
            f"  {self.engine.describe()}\n"
            "  .summary(), .tasks(), .draws(), .to_arviz()"
        )

    def _repr_html_(self) -> str:
        """Give the same for notebooks, escaped."""
        return f"<pre>{escape(repr(self))}</pre>"
