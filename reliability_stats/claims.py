"""Portable claims: one sentence and one record that others can check and compare."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from html import escape
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from ._claim_parts import estimand_from, model_from, model_record, parameters_of
from ._claim_schema import SCHEMA, check_record
from ._counts import plural
from ._validation import check_over, check_prob
from ._version import __version__
from .estimands import Estimand
from .estimators import estimate
from .exceptions import ArgumentError
from .fitting import fit
from .models import BetaBinomial
from .posterior import Posterior
from .trials import Trials

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Claim", "ClaimCheck", "claim"]

Method = Literal["posterior", "design-based"]
UNSEEN = (
    ("condition", "perturbed conditions: paraphrases, tool faults, other settings"),
    ("time", "time: drift, new versions"),
    ("group", "other users, sites or repositories"),
)
NEVER_SEEN = (
    "handoffs, escalations and the cost of an error",
    "errors of the grader",
    "tasks that people stopped giving to the system",
)
MATCHING = ("estimand", "over", "prob", "condition", "missing_policy", "method", "model")
TOLERANCE = 1e-3
"""Allowed change of a value or end on a check, in widths of the interval."""


@dataclass(frozen=True, repr=False)
class Claim:
    """What was found about one system, and under which conditions.

    Made by `claim` or `Claim.from_json`.

    Attributes
    ----------
    estimand : str
        Its label, such as "pass^4".
    definition : dict
        Class of the estimand and its parameters.
    system : str
        The system.
    condition : str or None
        Condition under which it was tried.
    value, lower, upper : float or None
        Value and interval; None where there is none.
    prob : float
        Mass of the interval, or its nominal coverage.
    interval, identified, over : str
        As in a summary table.
    method : {"posterior", "design-based"}
        Where the value comes from.
    model : dict or None
        Class and priors of the model; None without a model.
    n_tasks, n_trials : int
        Tasks and trials of the system.
    trials_per_task : list of int
        Fewest and most.
    missing_policy : str
        What was done with missing outcomes.
    n_missing : int
        How many there were.
    not_observed : list of str
        What this claim says nothing about.
    fingerprint : str
        SHA-256 of the system's trials.
    version : str
        Version of the package.

    Examples
    --------
    >>> import reliability_stats as rs
    >>> post = rs.fit(rs.datasets.load("tau-bench-airline-gpt4o"))
    >>> made = rs.claim(post, rs.PassHatK(4))
    >>> print(made.sentence.split(" (")[0])
    gpt-4o tool calling: pass^4 is 0.18
    >>> rs.Claim.from_json(made.to_json()) == made
    True
    """

    estimand: str
    definition: dict[str, Any]
    system: str
    condition: str | None
    value: float | None
    lower: float | None
    upper: float | None
    prob: float
    interval: str
    identified: str
    over: str
    method: Method
    model: dict[str, Any] | None
    n_tasks: int
    n_trials: int
    trials_per_task: list[int]
    missing_policy: str
    n_missing: int
    not_observed: list[str]
    fingerprint: str
    version: str

    @property
    def sentence(self) -> str:
        """The claim in words, with its conditions and what it leaves out."""
        target = (
            f"tasks like the {self.n_tasks} tried"
            if self.over == "population"
            else f"the {plural(self.n_tasks, 'task')} tried"
        )
        condition = f" under {self.condition}" if self.condition is not None else ""
        number = "not estimable" if self.value is None else _digits(self.value, self)
        ends = ""
        if self.lower is not None and self.upper is not None:
            ends = f" ({self.prob:.4g} interval {_digits(self.lower, self)} to "
            ends += f"{_digits(self.upper, self)})"
        basis = {
            "yes": "fixed by the data",
            "model": "resting on the model",
            "no": "not identified by the data: it restates the prior or nothing",
            "bounds": "a range that holds whatever the missing outcomes were",
        }[self.identified]
        missing = ""
        if self.n_missing:
            missing = f", {plural(self.n_missing, 'missing outcome')} ({self.missing_policy})"
        low, high = self.trials_per_task
        each = f"{low}" if low == high else f"{low} to {high}"
        return (
            f"{self.system}{condition}: {self.estimand} is {number}{ends} for {target}, "
            f"{self.method}, {basis}; {plural(self.n_trials, 'trial')}, {each} a task{missing}. "
            f"Not observed: {'; '.join(self.not_observed)}."
        )

    def to_dict(self) -> dict[str, Any]:
        """Give the record as plain data.

        Returns
        -------
        dict
            Valid under `schema`.
        """
        return {"schema": SCHEMA["$id"], **asdict(self)}

    def to_json(self) -> str:
        """Give the record as JSON text with sorted keys.

        Returns
        -------
        str
            Valid under `schema`.
        """
        return json.dumps(self.to_dict(), indent=2, sort_keys=True, ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> Claim:
        """Read a record.

        Parameters
        ----------
        text : str
            As written by `to_json`.

        Returns
        -------
        Claim
            The same claim.

        Raises
        ------
        ArgumentError
            If the text is no valid record; the message names the first field at fault.
        """
        try:
            record = json.loads(text)
        except (TypeError, ValueError, RecursionError) as error:
            raise ArgumentError(f"A claim must be JSON text: {error}.") from None
        check_record(record)
        return cls(**{item.name: record[item.name] for item in fields(cls)})

    @staticmethod
    def schema() -> dict[str, Any]:
        """Give the JSON schema of the record.

        Returns
        -------
        dict
            JSON Schema, draft 2020-12.

        Examples
        --------
        >>> Claim.schema()["title"]
        'Reliability claim'
        """
        copy: dict[str, Any] = json.loads(json.dumps(SCHEMA))
        return copy

    def check(self, trials: Trials, *, model: BetaBinomial | None = None) -> ClaimCheck:
        """Compute the claim anew from data, and say what differs.

        Parameters
        ----------
        trials : Trials
            The data that the claim is said to rest on, or other data.
        model : BetaBinomial, optional
            The model, needed only if its priors cannot be written down as data.

        Returns
        -------
        ClaimCheck
            Whether data and numbers agree.

        Raises
        ------
        ArgumentError
            If the claim's model cannot be made from its record and `model` is not given.
        TrialDataError
            If the data do not hold the system.
        """
        part = _part(trials, self.system, self.condition)
        source: Trials | Posterior = part
        if self.method == "posterior":
            source = fit(part, model or model_from(self.model))
        again = claim(source, self.build_estimand(), over=self.over, prob=self.prob)
        differences = {}
        if again.fingerprint != self.fingerprint:
            differences["fingerprint"] = (self.fingerprint, again.fingerprint)
        for name in ("n_tasks", "n_trials", "missing_policy", "n_missing", "identified"):
            if getattr(self, name) != getattr(again, name):
                differences[name] = (getattr(self, name), getattr(again, name))
        slack = TOLERANCE * ((self.upper or 0.0) - (self.lower or 0.0)) + 1e-12
        for name in ("value", "lower", "upper"):
            mine, other = getattr(self, name), getattr(again, name)
            if (mine is None) != (other is None) or (
                mine is not None and abs(mine - other) > slack
            ):
                differences[name] = (mine, other)
        return ClaimCheck(self, again, differences)

    def build_estimand(self) -> Estimand:
        """Make the estimand from its definition.

        Returns
        -------
        Estimand
            One of this package's.

        Raises
        ------
        ArgumentError
            If it is none of this package's.
        """
        return estimand_from(self.definition)

    def compare(self, other: Claim) -> pd.DataFrame:
        """Set two claims side by side, only where their conditions match.

        Parameters
        ----------
        other : Claim
            About another system, or the same one elsewhere.

        Returns
        -------
        pandas.DataFrame
            One row a claim: system, value, lower, upper, n_tasks, n_trials. Overlap of intervals is
            no test of a difference: compare the systems on their trials for that.

        Raises
        ------
        ArgumentError
            If the claims differ in what they claim or under which conditions; the message says in
            what.
        """
        import pandas as pd

        if not isinstance(other, Claim):
            raise ArgumentError(f"A claim is compared with a Claim, not {type(other).__name__}.")
        unlike = [
            f"{name} ({getattr(self, name)!r} and {getattr(other, name)!r})"
            for name in MATCHING
            if getattr(self, name) != getattr(other, name)
        ]
        if unlike:
            raise ArgumentError(
                f"The claims cannot be compared: they differ in {', '.join(unlike)}."
            )
        names = ["system", "estimand", "value", "lower", "upper", "n_tasks", "n_trials"]
        return pd.DataFrame([[getattr(c, n) for n in names] for c in (self, other)], columns=names)

    def __repr__(self) -> str:
        """Give the sentence."""
        return f"Claim: {self.sentence}"

    def _repr_html_(self) -> str:
        """Give the sentence for notebooks, escaped."""
        return f"<p>{escape(self.sentence)}</p>"


@dataclass(frozen=True, repr=False)
class ClaimCheck:
    """Whether a claim holds on data.

    Attributes
    ----------
    claim, again : Claim
        The claim, and what the data give.
    differences : dict
        For each field that differs, the claimed and the found value.
    """

    claim: Claim
    again: Claim
    differences: Mapping[str, tuple[Any, Any]]

    @property
    def same_data(self) -> bool:
        """Whether the data are those of the claim."""
        return "fingerprint" not in self.differences

    @property
    def holds(self) -> bool:
        """Whether nothing differs."""
        return not self.differences

    def __bool__(self) -> bool:
        """Whether nothing differs."""
        return self.holds

    def __repr__(self) -> str:
        """Say what differs."""
        if self.holds:
            return "ClaimCheck: the claim holds on these data"
        listed = "; ".join(
            f"{name} was {old!r}, is {new!r}" for name, (old, new) in self.differences.items()
        )
        return f"ClaimCheck: the claim does not hold on these data: {listed}"

    def _repr_html_(self) -> str:
        """Say the same in notebooks, escaped."""
        return f"<p>{escape(repr(self))}</p>"


def claim(
    source: Posterior | Trials,
    estimand: Estimand,
    *,
    system: str | None = None,
    condition: str | None = None,
    over: str = "population",
    prob: float = 0.95,
) -> Claim:
    """Make a claim about one system: a sentence, and a record that can be checked.

    Parameters
    ----------
    source : Posterior or Trials
        A fitted posterior, or trials for a design-based claim.
    estimand : Estimand
        What is claimed.
    system, condition : str, optional
        About which system and condition; may be left out if there is one only.
    over : {"population", "observed"}
        Tasks like these, or the very tasks of the table.
    prob : float in (0, 1), default 0.95
        Mass of the interval.

    Returns
    -------
    Claim
        With the conditions under which it holds, and what was not observed.

    Raises
    ------
    ArgumentError
        If an argument is not of the right kind, or there are several systems and none is named.
    TrialDataError
        If the system or condition does not occur.

    Examples
    --------
    >>> import reliability_stats as rs
    >>> made = rs.claim(rs.datasets.load("tau-bench-airline-gpt4o"), rs.PassHatK(4))
    >>> made.value, made.interval
    (0.2, 't')
    """
    over, prob = check_over(over), check_prob(prob)
    if not isinstance(estimand, Estimand):
        raise ArgumentError(f"estimand must be an estimand such as PassHatK(4), not {estimand!r}.")
    posterior = isinstance(source, Posterior)
    if not posterior and not isinstance(source, Trials):
        raise ArgumentError(f"A claim needs a Posterior or Trials, not {type(source).__name__}.")
    trials = source.trials if isinstance(source, Posterior) else source
    system = str(_only(system, trials.systems, "system"))
    condition = _only(condition, trials.counts.conditions, "condition")
    part = _part(trials, system, condition)
    if isinstance(source, Posterior):
        table = source.summary(estimand, over=over, prob=prob)
    else:
        table = estimate(source, estimand, over=over, prob=prob)
    unit = system if condition is None else f"{system} [{condition}]"
    row = table[table["system"] == unit].iloc[0]
    counts = part.counts
    unseen = [text for role, text in UNSEEN if role not in part.columns]
    return Claim(
        estimand=estimand.name,
        definition={"class": type(estimand).__name__, "parameters": parameters_of(estimand)},
        system=system,
        condition=condition,
        value=_number(row["mean"]),
        lower=_number(row["lower"]),
        upper=_number(row["upper"]),
        prob=prob,
        interval=str(row["interval"]),
        identified=str(row["identified"]),
        over=over,
        method="posterior" if posterior else "design-based",
        model=model_record(source.model) if isinstance(source, Posterior) else None,
        n_tasks=counts.n_tasks,
        n_trials=part.n_trials,
        trials_per_task=[int(counts.n.min()), int(counts.n.max())],
        missing_policy=part.missing_policy,
        n_missing=part.n_missing,
        not_observed=[*unseen, *NEVER_SEEN],
        fingerprint=part.fingerprint,
        version=__version__,
    )


def _only(label: str | None, labels: tuple[str, ...], role: str) -> str | None:
    """Give the label asked for, or the only one; None if there are none."""
    if label is None and len(labels) > 1:
        raise ArgumentError(
            f"There are {len(labels)} {role}s; name one with {role}=..., such as {labels[0]!r}."
        )
    return label if label is not None else (labels[0] if labels else None)


def _part(trials: Trials, system: str | None, condition: str | None) -> Trials:
    """Take the trials of one system under one condition."""
    if not isinstance(trials, Trials):
        raise ArgumentError(f"A claim is checked on Trials, not {type(trials).__name__}.")
    return trials.select(systems=system, conditions=condition)


def _number(value: Any) -> float | None:
    """Give a finite float, or None."""
    return float(value) if np.isfinite(value) else None


def _digits(value: float, made: Claim) -> str:
    """Write a value with two digits of its interval's width."""
    width = (made.upper or 0.0) - (made.lower or 0.0)
    places = 3 if not width > 0 else int(np.clip(np.ceil(-np.log10(width)) + 1, 2, 8))
    return f"{value:.{places}f}"
