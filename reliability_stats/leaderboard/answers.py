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
from ..posterior import Posterior
from ..trials import Trials
from .evidence import Evidence
from .moments import mean_bounds, two_moment_bounds
from .sharp import MomentProblem, first_two

SLACK = 1.0
"""Sampling errors, in sds, for which the linear bounds behind intervals are best."""
NUMBERS = ("mean", "sd", "lower", "upper", "ess_bulk", "r_hat", "set_lower", "set_upper")


@dataclass(frozen=True, eq=False)
class Range:
    """Lower and upper bound of an estimand: at the figures (2,), at draws (2, added, draws)."""

    ends: FloatArray
    drawn: FloatArray | None
    identified: bool

    def interval(self, prob: float) -> tuple[float, float]:
        """Give the quantile of the lower bound and that of the upper bound."""
        if self.drawn is None:
            return np.nan, np.nan
        low, high = quantiles(self.drawn[0], self.drawn[1], prob)
        return min(low, float(self.ends[0])), max(high, float(self.ends[1]))


def quantiles(lower: FloatArray, upper: FloatArray, prob: float) -> tuple[float, float]:
    """Give the ends of an interval from draws (added, draws), over the worst and best added."""
    low = np.nanquantile(np.fmin.reduce(lower), (1 - prob) / 2)
    high = np.nanquantile(np.fmax.reduce(upper), (1 + prob) / 2)
    return float(low), float(high)


def spread(drawn: FloatArray) -> float:
    """Give the sd of draws (added, draws), for a given addition."""
    return float(np.sqrt(np.nanmean(np.nanvar(drawn, axis=1))))


@dataclass(frozen=True, eq=False)
class Answers:
    """What the evidence of a group says about estimands."""

    evidence: Evidence
    problem: MomentProblem
    prob: float

    @classmethod
    def of(cls, evidence: Evidence, estimands: Sequence[Estimand], prob: float) -> Answers:
        """Set up the moment problem, with nodes at the thresholds of the estimands."""
        parts = [part for estimand in estimands for part in estimand.parts]
        ends = [getattr(part, end, None) for part in parts for end in ("low", "high")]
        size = len(evidence.values)
        axes = np.eye(size)
        if evidence.draws is not None:
            flat = evidence.draws.reshape(-1, size)
            variances, axes = np.linalg.eigh(np.cov(flat, rowvar=False).reshape(size, size))
            axes = axes / np.sqrt(np.maximum(variances, 1e-12))
        thresholds = [end for end in ends if end is not None]
        problem = MomentProblem.of(evidence.figures, evidence.values, axes, thresholds)
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
        out = [self._row(estimand, identified="bounds", **fields)]
        model = self._model(estimand)
        if model is not None:
            shared = {"identified": "model", "assumption": "beta mixing"}
            out.append(self._row(estimand, **(shared | model)))
        return out

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
        if isinstance(estimand, TaskMean):
            return self._mean_range(estimand)
        parts = [self._mean_range(part) for part in estimand.parts]
        if sum(not part.identified for part in parts) > 1:
            return "needs the mean"
        ends = self._combine(estimand, [part.ends for part in parts])
        if np.isnan(ends).any():
            return "0/0 at the published figures"
        drawn = [part.drawn for part in parts if part.drawn is not None]
        identified = all(part.identified for part in parts)
        return Range(ends, self._combine(estimand, drawn) if drawn else None, identified)

    @staticmethod
    def _combine(estimand: Estimand, parts: Sequence[FloatArray]) -> FloatArray:
        """Evaluate a function of means at the ends of the one that is open, and sort them."""
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.sort(np.clip(estimand.combine(*parts), *estimand.bounds), axis=0)

    def _mean_range(self, estimand: TaskMean) -> Range:
        """Bound a mean over tasks."""
        draws, values, published = self.evidence.draws, self.problem.values, self.evidence.values
        exact = self.problem.exact(estimand)
        if exact is not None:
            both = exact, exact
        elif self._closed(estimand, values) is not None:
            ends = self._closed(estimand, values)
            drawn = None if draws is None else self._closed(estimand, draws)
            return Range(np.asarray(ends), drawn, False)
        else:
            both = self.problem.bounds(estimand, 0.0)
        ends = np.array([bound.at(values if exact is None else published) for bound in both])
        if draws is not None:
            if exact is None:
                both = self.problem.bounds(estimand, SLACK)
            draws = np.clip([bound.at(draws) for bound in both], 0, 1)
        return Range(np.clip(ends.round(12), 0, 1), draws, exact is not None)

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
