"""From tests to one sentence a system: nothing found, something minor, or an explanation."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .._numerics import FloatArray

NOTHING_FOUND, MINOR, EXPLAINED = "nothing found", "minor", "explained"
UNCHECKED, UNANIMOUS = "could not be checked", "nothing to explain"

STRONG = float(np.log(20.0))
"""Log Bayes factor from which evidence counts as strong (Kass and Raftery 1995)."""


@dataclass(frozen=True)
class Finding:
    """One test of one system: what it would be a sign of, p-value and share explained."""

    sign: str
    p_value: float
    share: float


def holm(p_values: FloatArray) -> FloatArray:
    """Adjust p-values for their number (Holm 1979); NaN stays and does not count."""
    out = np.full(len(p_values), np.nan)
    known = np.flatnonzero(~np.isnan(p_values))
    order = known[np.argsort(p_values[known])]
    factor = np.arange(len(order), 0, -1)
    out[order] = np.minimum(np.maximum.accumulate(p_values[order] * factor), 1.0)
    return out


def judge(findings: list[Finding], *, error: float, material: float) -> tuple[str, str]:
    """Give the kind of verdict and what it names.

    Parameters
    ----------
    findings : list of Finding
        Tests of one system.
    error : float
        Chance of finding anything where there is nothing.
    material : float
        Share of the variation within tasks from which a finding explains flicker.

    Returns
    -------
    verdict, cause : str
    """
    adjusted = holm(np.array([finding.p_value for finding in findings]))
    found = [
        f for f, p in sorted(zip(findings, adjusted, strict=True), key=lambda x: x[1]) if p <= error
    ]
    causes = [f.sign for f in found if f.share >= material]
    if causes:
        return EXPLAINED, ", ".join(dict.fromkeys(causes))
    if found:
        return MINOR, ", ".join(dict.fromkeys(f.sign for f in found))
    if np.isnan(adjusted).all():
        return UNANIMOUS, ""
    return NOTHING_FOUND, ""
