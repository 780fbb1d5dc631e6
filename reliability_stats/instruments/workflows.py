"""Workflows: which step or handoff breaks a run, and what the whole is worth."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from .._numerics import FloatArray, IntArray
from .._validation import check_choice, check_rng
from ._chain import Edges
from ._drawn import CHAINS, DRAWS, total_draws
from ._paths import read_paths
from .workflow_posterior import WorkflowPosterior

__all__ = ["Workflow"]


@dataclass(frozen=True)
class Workflow:
    """Runs that are handed from step to step until they are complete, or fail, or err unnoticed.

    Parameters
    ----------
    pooling : {"workflows", "none"}, default "workflows"
        Whether a handoff that occurs in several workflows is partially pooled over them: its
        reliabilities follow a beta law, whose mean has the prior below and whose correlation is
        uniform. A handoff of one workflow alone, and every one with "none", has the prior itself.
    prior : {"whole", "steps"}, default "whole"
        What is uniform beforehand: the end-to-end reliability, or that of every step. Uniform steps
        are a strong claim about the whole: that it is worth 1/2^H on average for H steps in a row.
    end : str or list of str, optional
        Steps after which a run is complete. A run that stops after success at any other step is
        unfinished: its steps count, but where it would have gone is left open. By default every run
        whose last step went well is complete.

    Notes
    -----
    Reliabilities are conditional: a handoff from a to b is judged on the runs that reached b with
    nothing wrong so far. By the chain rule the end-to-end reliability of a fixed sequence of steps
    is the product of these, whether or not steps depend on each other; every posterior draw is
    multiplied through. Where ways branch or return, the run is an absorbing Markov chain on
    handoffs: what comes next depends on the step, not on the way there.

    References
    ----------
    Kemeny and Snell (1976), Finite Markov Chains, Springer;
    Connor and Mosimann (1969), Concepts of independence for proportions with a generalization of
    the Dirichlet distribution, https://doi.org/10.1080/01621459.1969.10500963;
    Birnbaum (1969), On the importance of different components in a multicomponent system, in
    Multivariate Analysis II, Academic Press, 581-592

    Examples
    --------
    Five steps, all of which went well in each of 18 runs:

    >>> from reliability_stats.instruments import Workflow
    >>> rows = [(run, step, "passed") for run in range(18) for step in "abcde"]
    >>> table = dict(zip(("run", "step", "outcome"), zip(*rows)))
    >>> post = Workflow().fit(table, rng=0)
    >>> post.summary()[["estimand", "mean", "sd"]].round(3).head(1)
         estimand  mean     sd
    0  end_to_end  0.95  0.048
    """

    pooling: str = "workflows"
    prior: str = "whole"
    end: str | tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        """Check the fields."""
        check_choice(self.pooling, ("workflows", "none"), "pooling")
        check_choice(self.prior, ("whole", "steps"), "prior")
        if isinstance(self.end, Iterable) and not isinstance(self.end, str):
            object.__setattr__(self, "end", tuple(self.end))

    def fit(
        self,
        data: Any,
        *,
        workflow: str | None = None,
        run: str = "run",
        step: str = "step",
        outcome: str = "outcome",
        order: str | None = None,
        agent: str | None = None,
        task: str | None = None,
        rng: Any = 0,
        draws: int = DRAWS,
    ) -> WorkflowPosterior:
        """Compute the posterior of every handoff and of the whole.

        Parameters
        ----------
        data : data frame or mapping of columns
            One row an attempt at a step, in order within each run.
        workflow : str, optional
            Column of the workflow; None if all runs belong to one.
        run, step : str
            Columns of the run and of the step.
        outcome : str
            Column with "passed", "failed" (noticed: it is tried again, or the run stops) or
            "escaped" (wrong, but nobody noticed, and the run goes on).
        order : str, optional
            Column of numbers that order the attempts of a run; by default they are in order.
        agent : str, optional
            Column of who did the step, for handoffs between agents.
        task : str, optional
            Column of what the run was about, for the test of independence.
        rng : int, numpy.random.Generator, SeedSequence or None, default 0
            Seed of the draws.
        draws : int >= 1, default 2500
            Draws of each of 4 chains; independent.

        Returns
        -------
        WorkflowPosterior

        Raises
        ------
        TrialDataError
            If the table is not allowed; the message names the first row at fault.
        ArgumentError
            If an argument is not allowed.

        Examples
        --------
        >>> from reliability_stats.instruments import Workflow
        >>> table = {"run": [1, 1, 2], "step": ["find", "fix", "find"]}
        >>> table["outcome"] = ["passed", "passed", "failed"]
        >>> Workflow().fit(table)
        WorkflowPosterior of Workflow(pooling='workflows', prior='whole', end=None)
          1 workflow, 2 runs, 2 steps, 3 attempts
          workflow: end to end 0.498 [0.099, 0.902]; weakest link find (P = 0.742)
          .summary(), .steps(), .handoffs(), .retries(), .independence(), .draws()
        """
        columns = {"workflow": workflow, "run": run, "step": step, "outcome": outcome}
        columns |= {"order": order, "agent": agent, "task": task}
        size = total_draws(draws)
        generator = check_rng(rng)
        paths = read_paths(data, columns, self.end)
        edges = [Edges.of(paths, w) for w in range(len(paths.workflows))]
        streams = generator.spawn(3)
        well, fresh = _reliabilities(edges, self, size, streams[0])
        routes = [item.draw_routes(size, streams[1]) for item in edges]
        return WorkflowPosterior(self, paths, tuple(edges), well, routes, fresh, streams[2])


def _reliabilities(
    edges: list[Edges], spec: Workflow, size: int, rng: np.random.Generator
) -> tuple[list[FloatArray], FloatArray | None]:
    """Draw the reliability of each edge of each workflow, and of the edges of a new workflow."""
    priors = [e.prior(spec.prior) for e in edges]
    well = [
        rng.beta(
            prior[:, 0] + e.counts[:, 0],
            prior[:, 1] + e.counts[:, 1:].sum(axis=1),
            (size, len(e.step)),
        )
        for e, prior in zip(edges, priors, strict=True)
    ]
    if spec.pooling == "none" or len(edges) == 1:
        return well, None
    places: dict[tuple[int, int], list[tuple[int, int]]] = {}
    for w, e in enumerate(edges):
        for i, key in enumerate(zip(e.previous.tolist(), e.step.tolist(), strict=True)):
            places.setdefault(key, []).append((w, i))
    new = {}
    for key, where in places.items():
        if len(where) > 1:
            mean = np.mean([priors[w][i] for w, i in where], axis=0)
            counts = np.stack([edges[w].counts[i] for w, i in where])
            drawn, new[key] = _pooled(counts, mean, size, rng)
            for (w, i), values in zip(where, drawn.T, strict=True):
                well[w][:, i] = values
    ways = {e.way() if e.linear else None for e in edges}
    if len(ways) > 1 or None in ways:
        return well, None
    way = next(iter(ways)) or ()
    return well, np.stack([new[key] for key in zip((-1, *way), way, strict=False)], axis=1)


def _pooled(
    counts: IntArray, prior: FloatArray, size: int, rng: np.random.Generator
) -> tuple[FloatArray, FloatArray]:
    """Draw one edge's reliabilities: (draws, workflows), and (draws,) of a new workflow."""
    from ..fitting import fit
    from ..models import Beta, BetaBinomial
    from ..trials import Trials

    table = {"task": list(range(len(counts))), "n": counts.sum(axis=1), "successes": counts[:, 0]}
    model = BetaBinomial(mean_prior=Beta(float(prior[0]), float(prior[1])))
    post = fit(Trials.from_counts(table, system=None), model, rng=rng)
    drawn = post.engine.parameters(CHAINS, size // CHAINS, cells=True)
    mean, icc = (
        np.clip(drawn[name][1].reshape(size), 1e-12, 1 - 1e-12) for name in ("mean", "icc")
    )
    total = 1.0 / icc - 1.0
    new = rng.beta(np.maximum(mean * total, 1e-300), np.maximum((1.0 - mean) * total, 1e-300))
    return drawn["p"][1].reshape(size, -1), new
