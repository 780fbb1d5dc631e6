"""P(p1 > p2) for two independent beta distributions."""

from __future__ import annotations

from numbers import Real
from typing import Any

import numpy as np
from scipy import special

from ..exceptions import ArgumentError

MOST_TERMS = 100_000


def beta_greater(a1: float, b1: float, a2: float, b2: float) -> float:
    """Give P(p1 > p2) for independent p1 ~ Beta(a1, b1) and p2 ~ Beta(a2, b2).

    With one success rate for each of two systems and a Beta(1, 1) prior, ``a`` is the number of
    successes plus 1 and ``b`` that of failures plus 1. It speaks of trials of one task, or of tasks
    tried once; trials of several tasks are not exchangeable, and `compare` is for them.

    Parameters
    ----------
    a1, b1, a2, b2 : float > 0
        Parameters.

    Returns
    -------
    float
        A closed sum if a1 is an integer, otherwise by quadrature; within 1e-9.

    Raises
    ------
    ArgumentError
        If a parameter is not a positive number.

    References
    ----------
    Cook (2005), Exact calculation of beta inequalities, technical report, M. D. Anderson Cancer
    Center.

    Examples
    --------
    >>> from reliability_stats.comparison import beta_greater
    >>> round(beta_greater(16, 6, 13, 9), 5)
    0.83679
    """
    values: tuple[Any, ...] = (a1, b1, a2, b2)
    for name, value in zip(("a1", "b1", "a2", "b2"), values, strict=True):
        if isinstance(value, bool) or not isinstance(value, Real) or not 0 < float(value) < np.inf:
            raise ArgumentError(f"{name} must be a positive number, not {value!r}.")
    if float(a1).is_integer() and a1 <= MOST_TERMS:
        i = np.arange(int(a1))
        logs = special.betaln(a2 + i, b1 + b2) - np.log(b1 + i)
        logs -= special.betaln(1.0 + i, b1) + special.betaln(a2, b2)
        return float(min(np.exp(logs).sum(), 1.0))
    from scipy import integrate

    def chance(u: float) -> float:
        return float(special.betainc(a2, b2, special.betaincinv(a1, b1, u)))

    value, _ = integrate.quad(chance, 0.0, 1.0, epsabs=1e-11, epsrel=1e-11, limit=400)
    return float(np.clip(value, 0.0, 1.0))
