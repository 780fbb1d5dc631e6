"""What the fit of a workflow says: the whole, steps, handoffs, retries, and independence."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np

from .._counts import plural
from .._numerics import FloatArray
from .._validation import check_prob
from ..exceptions import TrialDataError
from ._chain import Edges, completed, visits
from ._dependence import dependence
from ._drawn import Quantity, array_of, ends, interval_columns, summarise
from ._paths import START, Paths
from ._retries import attempts_of

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

    from .workflows import Workflow

Routes = tuple[FloatArray, FloatArray, FloatArray]


@dataclass(frozen=True, eq=False, repr=False)
class WorkflowPosterior:
    """Posterior of a `Workflow`; made by its `fit`.

    Attributes
    ----------
    spec : Workflow
        What was fitted.
    paths : Paths
        Runs; an implementation detail.
    edges : tuple of Edges
        Counts of each workflow; an implementation detail.
    well : list of (draws, edges) ndarray
        Reliability of each handoff of each workflow.
    routes : list
        Draws of how runs move; an implementation detail.
    fresh : (draws, steps) ndarray or None
        Reliabilities in a new workflow, where all are the same sequence and pooled.
    """

    spec: Workflow
    paths: Paths
    edges: tuple[Edges, ...]
    well: list[FloatArray]
    routes: list[Routes]
    fresh: FloatArray | None
    _rng: np.random.Generator
    _memo: dict[str, Any] = field(default_factory=dict)

    @property
    def workflows(self) -> tuple[str, ...]:
        """Labels of the workflows."""
        return self.paths.workflows

    @cached_property
    def _quantities(self) -> list[Quantity]:
        """Draws of the whole, by workflow."""
        whole, escaped, single = [], [], []
        rng = np.random.default_rng(self._seed)
        for edges, well, (start, move, stop) in zip(
            self.edges, self.well, self.routes, strict=True
        ):
            reach = visits(start, move, well)
            whole.append((reach * well * stop).sum(axis=1))
            wrong = edges.counts[:, 1:]
            silent = rng.beta(0.5 + wrong[:, 0], 0.5 + wrong[:, 1], well.shape)
            escaped.append((reach * (1.0 - well) * silent).sum(axis=1))
            n = edges.counts.sum(axis=1)
            prior = edges.prior(self.spec.prior).T
            first = rng.beta(
                prior[0] + edges.first_passed, prior[1] + n - edges.first_passed, well.shape
            )
            single.append(completed(start, move, stop, first))
        named = [("end_to_end", whole)]
        if (self.paths.outcome == 1).any():
            named.append(("escape", escaped))
        if (self.paths.attempts > 1).any():
            named.append(("end_to_end_without_retries", single))
        known = tuple("yes" if set(e.step) <= set(e.routes) else "no" for e in self.edges)
        out = [
            Quantity(name, np.stack(v, axis=1), self.workflows, identified=known)
            for name, v in named
        ]
        if self.fresh is not None:
            product = self.fresh.prod(axis=1, keepdims=True)
            new = Quantity("end_to_end", product, ("(new workflow)",), "population", "model")
            out.insert(1, new)
        return out

    @cached_property
    def _seed(self) -> int:
        """Seed of what is drawn beyond the handoffs."""
        return int(self._rng.integers(2**62))

    def summary(self, *, prob: float = 0.95) -> pd.DataFrame:
        """Give the reliability of the whole in the package's one schema.

        Parameters
        ----------
        prob : float in (0, 1), default 0.95
            Mass of the intervals.

        Returns
        -------
        pandas.DataFrame
            Column ``system`` is the workflow. Estimands: ``end_to_end`` (a run is completed, and
            nothing was wrong), ``escape`` (the first thing that goes wrong is not noticed; if
            anything escaped) and ``end_to_end_without_retries`` (if there were any). A new workflow
            has its own row over the population if all are the same sequence and pooled; its
            interval is that of one new workflow. ``identified`` is "no" where no run went well
            through some step: what would come after it is unknown, and taken to be nothing.

        Examples
        --------
        >>> from reliability_stats.instruments import Workflow
        >>> table = {"run": [1, 1, 2], "step": ["find", "fix", "find"]}
        >>> table["outcome"] = ["passed", "escaped", "passed"]
        >>> Workflow().fit(table).summary()["estimand"].tolist()
        ['end_to_end', 'escape']
        """
        return summarise(self._quantities, prob)

    def draws(self, estimand: str = "end_to_end") -> xr.DataArray:
        """Give posterior draws of an estimand of the summary.

        Parameters
        ----------
        estimand : str, default "end_to_end"
            Its name.

        Returns
        -------
        xarray.DataArray
            Dims chain, draw, system.

        Examples
        --------
        >>> from reliability_stats.instruments import Workflow
        >>> table = {"run": [1, 1], "step": ["find", "fix"], "outcome": ["passed", "passed"]}
        >>> Workflow().fit(table).draws().dims
        ('chain', 'draw', 'system')
        """
        return array_of(self._quantities, estimand)

    def steps(self, *, prob: float = 0.95) -> pd.DataFrame:
        """Give every step: how reliable, how likely the weakest, and what perfecting it would do.

        Parameters
        ----------
        prob : float in (0, 1), default 0.95
            Mass of the intervals.

        Returns
        -------
        pandas.DataFrame
            One row for each workflow and step: workflow, step, n (runs that reached it with nothing
            wrong), passed, escaped, failed; mean, sd, lower, upper, prob of its reliability given
            that all went well before (averaged over the ways to it); p_weakest (probability that no
            step is less reliable); if_perfect, if_perfect_lower, if_perfect_upper (end-to-end
            reliability if this step never failed), gain (their mean difference).

        Notes
        -----
        Perfecting a step sends runs on that now stop there. That the later steps would serve them
        as well as the runs they see today is an assumption that no log can check.

        Examples
        --------
        >>> from reliability_stats.instruments import Workflow
        >>> table = {"run": [1, 1, 2], "step": ["find", "fix", "find"]}
        >>> table["outcome"] = ["passed", "passed", "failed"]
        >>> Workflow().fit(table).steps()[["step", "n", "mean", "p_weakest"]].round(2)
           step  n  mean  p_weakest
        0  find  2  0.62       0.74
        1   fix  1  0.80       0.26
        """
        import pandas as pd

        prob = check_prob(prob)
        return pd.concat(
            [self._steps_of(w, prob) for w in range(len(self.workflows))], ignore_index=True
        )

    def _steps_of(self, w: int, prob: float) -> pd.DataFrame:
        """Give the steps of one workflow, in the order in which runs reach them."""
        import pandas as pd

        edges, well = self.edges[w], self.well[w]
        start, move, stop = self.routes[w]
        reach = visits(start, move, well)
        whole = (reach * well * stop).sum(axis=1)
        steps = self._order(w)
        columns = []
        perfect = []
        for step in steps:
            at = edges.step == step
            share = reach[:, at] / reach[:, at].sum(axis=1, keepdims=True)
            columns.append((well[:, at] * share).sum(axis=1))
            perfect.append(completed(start, move, stop, np.where(at, 1.0, well)))
        values, better = np.stack(columns, axis=1), np.stack(perfect, axis=1)
        lowest = np.bincount(values.argmin(axis=1), minlength=len(steps)) / len(values)
        counts = np.stack([edges.counts[edges.step == s].sum(axis=0) for s in steps])
        low, high = ends(better, prob)
        table: dict[str, Any] = {"workflow": self.workflows[w]}
        table |= {"step": [self.paths.steps[s] for s in steps]}
        table |= {"n": counts.sum(axis=1), "passed": counts[:, 0]}
        table |= {"escaped": counts[:, 1], "failed": counts[:, 2]}
        table |= interval_columns(values, prob) | {"p_weakest": lowest}
        table |= {"if_perfect": better.mean(axis=0), "if_perfect_lower": low}
        table |= {"if_perfect_upper": high, "gain": better.mean(axis=0) - whole.mean()}
        return pd.DataFrame(table)

    def _order(self, w: int) -> list[int]:
        """Sort the steps of a workflow by their mean position in runs."""
        mine = (self.paths.workflow == w) & self.paths.clean
        step, position = self.paths.step[mine], self.paths.position[mine]
        codes = np.unique(step)
        means = [position[step == code].mean() for code in codes]
        return [int(codes[i]) for i in np.argsort(means, kind="stable")]

    def handoffs(self, *, prob: float = 0.95) -> pd.DataFrame:
        """Give every handoff from one step to the next.

        Parameters
        ----------
        prob : float in (0, 1), default 0.95
            Mass of the intervals.

        Returns
        -------
        pandas.DataFrame
            One row for each workflow and handoff: workflow, giver, receiver, n, passed, escaped,
            failed, and mean, sd, lower, upper, prob of the probability that the receiving step goes
            well when it takes over from the giver, with nothing wrong so far. The giver of first
            steps is "(start)".

        Examples
        --------
        >>> from reliability_stats.instruments import Workflow
        >>> table = {"run": [1, 1, 2], "step": ["find", "fix", "find"]}
        >>> table["outcome"] = ["passed", "passed", "failed"]
        >>> Workflow().fit(table).handoffs()[["giver", "receiver", "n", "mean"]].round(2)
             giver receiver  n  mean
        0  (start)     find  2  0.62
        1     find      fix  1  0.80
        """
        import pandas as pd

        prob = check_prob(prob)
        names = (*self.paths.steps, START)
        frames = []
        for workflow, edges, well in zip(self.workflows, self.edges, self.well, strict=True):
            table: dict[str, Any] = {"workflow": workflow}
            table |= {"giver": [names[i] for i in edges.previous]}
            table |= {"receiver": [names[i] for i in edges.step], "n": edges.counts.sum(axis=1)}
            table |= {"passed": edges.counts[:, 0], "escaped": edges.counts[:, 1]}
            table |= {"failed": edges.counts[:, 2]}
            frames.append(pd.DataFrame(table | interval_columns(well, prob)))
        return pd.concat(frames, ignore_index=True)

    def retries(self, *, prob: float = 0.95) -> pd.DataFrame:
        """Say what trying again costs and brings.

        Parameters
        ----------
        prob : float in (0, 1), default 0.95
            Mass of the intervals.

        Returns
        -------
        pandas.DataFrame
            Three rows for each workflow: workflow, quantity, mean, sd, lower, upper, prob. The
            quantities are ``attempts_per_run`` (expected until the run ends),
            ``attempts_per_good_run`` (the same divided by the end-to-end reliability) and
            ``share_of_retries`` (of all attempts).

        Notes
        -----
        An absorbing chain: the first attempt at a step, and later attempts, have outcomes of their
        own; a noticed failure is followed by another attempt or not. Escaped errors go on, and
        cost what later steps cost.

        Examples
        --------
        >>> from reliability_stats.instruments import Workflow
        >>> table = {"run": [1, 1, 2], "step": ["fix", "fix", "fix"]}
        >>> table["outcome"] = ["failed", "passed", "passed"]
        >>> Workflow().fit(table).retries()["quantity"].tolist()
        ['attempts_per_run', 'attempts_per_good_run', 'share_of_retries']
        """
        import pandas as pd

        prob = check_prob(prob)
        rows = []
        for w, workflow in enumerate(self.workflows):
            rng = np.random.default_rng([self._seed, w, 1])
            total, again = attempts_of(self.paths, w, len(self.well[w]), rng)
            good = self._quantities[0].values[:, w]
            for name, values in (
                ("attempts_per_run", total),
                ("attempts_per_good_run", total / good),
                ("share_of_retries", again / total),
            ):
                fields = interval_columns(values[:, None], prob)
                fields = {key: np.ravel(value)[0] for key, value in fields.items()}
                rows.append({"workflow": workflow, "quantity": name, **fields})
        return pd.DataFrame(rows)

    def independence(self) -> pd.DataFrame:
        """Test whether steps go worse after trouble in the same run, or in runs of the same task.

        Returns
        -------
        pandas.DataFrame
            One row for each workflow and past: workflow, past ("run", and "task" if tasks were
            named), n (visits compared), correlation, z, p_value (two-sided). NaN where nothing can
            be compared: a run that stops at its first trouble says nothing about what would have
            come next.

        Notes
        -----
        Trouble is anything but passing at the first attempt. `end_to_end` needs no independence;
        multiplying rates of steps that were measured apart does. By run, the test is a permutation
        test that goes forward through the run; by task, signs of tasks are flipped. Without a
        difference found, dependence is still possible.

        Examples
        --------
        >>> from reliability_stats.instruments import Workflow
        >>> table = {"run": [1, 1, 2], "step": ["find", "fix", "find"]}
        >>> table["outcome"] = ["passed", "passed", "failed"]
        >>> Workflow().fit(table).independence()["p_value"].tolist()
        [nan]
        """
        import pandas as pd

        pasts = ("run", "task") if "task" in self.paths.table else ("run",)
        rows = []
        for w, workflow in enumerate(self.workflows):
            for past in pasts:
                rng = np.random.default_rng([self._seed, w, 2])
                found = dependence(self.paths, w, past, rng)
                rows.append({"workflow": workflow, "past": past, **found})
        return pd.DataFrame(rows)

    def agents(self, *, prob: float = 0.95) -> pd.DataFrame:
        """Compare steps that another agent takes over with those that the same agent goes on with.

        Parameters
        ----------
        prob : float in (0, 1), default 0.95
            Mass of the intervals.

        Returns
        -------
        pandas.DataFrame
            One row for each workflow, and step that was reached in both ways, and one for all such
            steps together (step "(all)"): workflow, step, n_same, passed_same, n_other,
            passed_other, mean, sd, lower, upper, prob of the reliability after a handoff minus that
            without, and p_worse (probability that it is below 0). Priors are uniform, and steps are
            weighted by n_same n_other / n.

        Raises
        ------
        TrialDataError
            If no agents were named.

        Examples
        --------
        >>> from reliability_stats.instruments import Workflow
        >>> table = {"run": [1, 1, 2, 2], "step": ["find", "fix"] * 2, "agent": list("aaab")}
        >>> table["outcome"] = ["passed", "passed", "passed", "failed"]
        >>> Workflow().fit(table, agent="agent").agents()[["n_same", "n_other", "mean"]].round(1)
           n_same  n_other  mean
        0       1        1  -0.3
        1       1        1  -0.3
        """
        import pandas as pd

        from ._agents import agent_rows

        prob = check_prob(prob)
        if "agent" not in self.paths.table:
            raise TrialDataError("No agents are known; name their column with agent=... in fit.")
        rows: list[dict[str, Any]] = []
        for w in range(len(self.workflows)):
            rng = np.random.default_rng([self._seed, w, 3])
            rows += agent_rows(self.paths, w, len(self.well[w]), prob, rng)
        columns = ["workflow", "step", "n_same", "passed_same", "n_other", "passed_other"]
        columns += ["mean", "sd", "lower", "upper", "prob", "p_worse"]
        return pd.DataFrame(rows, columns=columns)

    def __repr__(self) -> str:
        """Give the spec, the data and the answer for the first workflows."""
        paths = self.paths
        head = [
            plural(len(self.workflows), "workflow"),
            plural(int(paths.runs.sum()), "run"),
            plural(len(paths.steps), "step"),
            plural(len(paths.table), "attempt"),
        ]
        unfinished = int(paths.unfinished.sum())
        head += [f"{unfinished} unfinished"] if unfinished else []
        lines = [f"WorkflowPosterior of {self.spec!r}", f"  {', '.join(head)}"]
        table, whole = self.steps(), self.summary()
        for w, name in enumerate(self.workflows[:6]):
            row = whole.iloc[w]
            part = table[table["workflow"] == name]
            worst = part.iloc[int(part["p_weakest"].argmax())]
            lines.append(
                f"  {name}: end to end {row['mean']:.3f} [{row['lower']:.3f}, {row['upper']:.3f}]; "
                f"weakest link {worst['step']} (P = {worst['p_weakest']:.3f})"
            )
        if len(self.workflows) > 6:
            lines.append(f"  and {len(self.workflows) - 6} more")
        asked = ".summary(), .steps(), .handoffs(), .retries(), .independence(), .draws()"
        return "\n".join([*lines, f"  {asked}"])

    def _repr_html_(self) -> str:
        """Give the same for notebooks, escaped."""
        return f"<pre>{escape(repr(self))}</pre>"
