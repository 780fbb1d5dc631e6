"""Answers from one group's evidence: the rows of the table of `bounds`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from .._numerics import FloatArray
from ..estimands import Estimand, PassAtK, PassHatK, TaskMean
from ..fitting import fit
from ..inference.moment_problem import MomentProblem, thresholds, uncorrelated
from ..inference.ranges import Range, Ranges, quantiles, spread
from ..posterior import Posterior
from ..trials import Trials
from .evidence import Evidence
from .moments import mean_bounds, two_moment_bounds
from .sharp import first_two, problem_of

NUMBERS = ("mean", "sd", "lower", "upper", "ess_bulk", "r_hat", "set_lower", "set_upper")


@dataclass(frozen=True, eq=False)
class Answers:
    """What the evidence of a group says about estimands."""

    evidence: Evidence
    problem: MomentProblem
    prob: float

    @classmethod
    def of(cls, evidence: Evidence, estimands: Sequence[Estimand], prob: float) -> Answers:
        """Set up the moment problem, with nodes at the thresholds of the estimands."""
        axes = np.eye(len(evidence.values))
        if evidence.draws is not None:
            axes = uncorrelated(evidence.draws)
        problem = problem_of(evidence.figures, evidence.values, axes, thresholds(estimands))
        return cls(evidence, problem, prob)

    def rows(self, estimand: Estimand) -> list[dict[str, Any]]:
        """Give the rows of one estimand."""
        found = self._range(estimand)
        if isinstance(found, str):
            low, high = estimand.bounds
            return [self._row(estimand, found, identified="no", set_lower=low, set_upper=high)]
        fields: dict[str, Any] = dict(
            zip(("lower", "upper"), found.interval(self.prob), strict=True)
        )
        fields |= dict(zip(("set_lower", "set_upper"), found.ends.tolist(), strict=True))
        if found.identified:
            fields["mean"] = fields["set_lower"]
            if found.drawn is not None:
                fields["sd"] = spread(found.drawn[0])
            return [self._row(estimand, identified="yes", **fields)]
        model = self._model(estimand)
        if model is None:
            return [self._row(estimand, identified="bounds", **fields)]
        # What holds for any shape also holds for a beta distribution.
        for name, wider in (("lower", np.fmin), ("upper", np.fmax)):
            if np.isfinite(fields[name]):
                fields[name] = float(wider(fields[name], model.get(name, np.nan)))
        shared = {"identified": "model", "assumption": "beta mixing"}
        return [
            self._row(estimand, identified="bounds", **fields),
            self._row(estimand, **(shared | model)),
        ]

    def _row(self, estimand: Estimand, *more: str, **fields: Any) -> dict[str, Any]:
        """Fill in what rows share."""
        evidence, group = self.evidence, self.evidence.group
        notes = [*evidence.notes, *more]
        if self.problem.moved > max(float(f.unit) for f in evidence.figures) / 2 and not more:
            notes.append(
                "by sampling error no distribution has quite these figures; bounds are at the "
                f"nearest, which differ by up to {self.problem.moved:.2g}"
            )
        row: dict[str, Any] = dict.fromkeys(NUMBERS, np.nan)
        row |= {"estimand": estimand.name, "system": group.system, "benchmark": group.benchmark}
        row |= {"settings": group.settings, "over": "population", "prob": self.prob}
        row |= {"interval": "none" if evidence.draws is None or more else "simulated"}
        row |= {"assumption": evidence.assumption, "source": evidence.source}
        return row | {"note": "; ".join(notes)} | fields

    def _range(self, estimand: Estimand) -> Range | str:
        """Bound an estimand, or say why it cannot be."""
        if self.evidence.contradictory:
            return "the figures contradict each other: no mixture of tasks gives them"
        evidence = self.evidence
        return Ranges(self.problem, evidence.values, evidence.draws, self._closed).of(estimand)

    def _closed(self, estimand: TaskMean, values: FloatArray) -> FloatArray | None:
        """Bound pass^k or pass@k in closed form, if one or two moments are all that is known."""
        keys = [figure.key for figure in self.evidence.figures]
        known = {key: values[..., i] for i, key in enumerate(keys)}
        pair = first_two(known)
        if not isinstance(estimand, (PassHatK, PassAtK)) or ("^", 1) not in known:
            return None
        if len(keys) > 2 or (len(keys) == 2 and pair is None):
            return None
        failing = isinstance(estimand, PassAtK)
        m1 = 1 - known["^", 1] if failing else known["^", 1]
        if pair is None:
            ends = np.array(mean_bounds(estimand.k, m1))
        else:
            m2 = 1 - 2 * pair[0] + pair[1] if failing else pair[1]
            ends = np.array(two_moment_bounds(estimand.k, m1, m2))
        return 1 - ends[::-1] if failing else ends

    @cached_property
    def _posterior(self) -> Posterior:
        """Fit of the recovered counts."""
        histogram = self.evidence.histogram or ()
        successes = np.repeat(np.arange(len(histogram)), histogram)
        n = np.full(len(successes), len(histogram) - 1)
        data = {"task": np.arange(len(n)), "n": n, "successes": successes}
        return fit(Trials.from_counts(data, system=None))

    def _model(self, estimand: Estimand) -> dict[str, Any] | None:
        """Give the numbers of the beta model."""
        evidence = self.evidence
        if evidence.histogram is not None:
            summary = self._posterior.summary(estimand, prob=self.prob)
            names = ("mean", "sd", "lower", "upper", "interval")
            return {name: summary[name].iloc[0] for name in names}
        point = evidence.beta(self.problem.values)
        if point is None:
            return None
        mean = float(estimand.from_beta(*point))
        drawn = None if evidence.draws is None else evidence.beta(evidence.draws)
        if drawn is None:
            return {"mean": mean}
        found = estimand.from_beta(*drawn)
        low, high = quantiles(found, found, self.prob)
        return {
            "mean": mean,
            "sd": spread(found),
            "lower": min(low, mean),
            "upper": max(high, mean),
        }
