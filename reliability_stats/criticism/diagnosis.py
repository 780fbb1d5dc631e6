"""Whether a posterior was computed well: figures, a verdict, and what to do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .._counts import plural
from ._ask import checkable

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False, repr=False)
class Diagnosis:
    """Figures on the computation of a posterior; made by `Posterior.diagnose`.

    Attributes
    ----------
    table : pandas.DataFrame
        One row a figure: check, about (the worst system or parameter), value, rule ("<=" or ">="),
        limit, passed, remedy (empty if passed).
    passed : bool
        Whether all figures are on the good side of their limits.
    verdict : str
        A sentence.
    """

    table: pd.DataFrame
    passed: bool
    verdict: str

    def __repr__(self) -> str:
        """Give the verdict and the figures."""
        return f"{self.verdict}\n{self.table.drop(columns='remedy').to_string(index=False)}"


def diagnose(engine: Any) -> Diagnosis:
    """Label the figures of an engine; see `Posterior.diagnose`."""
    import pandas as pd

    checks = checkable(engine, "diagnostics", "diagnose").diagnostics()
    rows = [
        {
            "check": check.name,
            "about": check.about,
            "value": check.value,
            "rule": ">=" if check.at_least else "<=",
            "limit": check.limit,
            "passed": check.passed,
            "remedy": "" if check.passed else check.remedy,
        }
        for check in checks
    ]
    failed = [check for check in checks if not check.passed]
    if not failed:
        verdict = f"Computed well: {plural(len(checks), 'check')} passed ({engine.describe()})."
    else:
        worst = "; ".join(
            f"{check.name} is {check.value:.3g}"
            + (f" for {check.about}" if check.about else "")
            + f", not {'at least' if check.at_least else 'at most'} {check.limit:.3g}"
            for check in failed
        )
        remedies = " ".join(dict.fromkeys(check.remedy for check in failed))
        verdict = (
            f"Not to be trusted: {len(failed)} of {plural(len(checks), 'check')} failed "
            f"({worst}). {remedies}"
        )
    return Diagnosis(pd.DataFrame(rows), not failed, verdict)
