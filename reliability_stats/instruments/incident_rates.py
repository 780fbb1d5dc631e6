"""How often failures of each class happen, and whether they will happen again."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .._validation import check_choice
from ..exceptions import ArgumentError, ModelError
from ._gamma_poisson import alone, partial_pool
from .incident_posterior import Fit, IncidentPosterior
from .incidents import Incidents


@dataclass(frozen=True)
class IncidentRates:
    """Poisson counts whose rates, over the classes of a system, share a gamma law.

    Parameters
    ----------
    pooling : {"partial", "none"}, default "partial"
        "partial": rates of the classes of one system come from a gamma law whose mean and shape are
        learned, so that classes with little exposure borrow from the others. "none": every class by
        itself, under Jeffreys' prior.

    Notes
    -----
    Incidents y of a class are Poisson with mean rate x exposure; rates are Gamma with mean m and
    shape a. Priors: 1 / (1 + a), which is 0 if all classes have one rate, is uniform on (0, 1); the
    expected number of incidents of one class in the mean exposure is beta-prime(1/2, 1/2), which is
    Jeffreys' prior near 0 and proper. Rates are integrated out; mean and shape are summed over a
    lattice, so nothing is sampled.

    If classes are in the table because they occurred, the likelihood of each is conditional on at
    least one incident; otherwise classes that chance has shown would seem to be all there are.

    Incidents are independent given the rate, which does not change: see `incident_growth` for rates
    that do. Incidents that come in bursts make the intervals too narrow.

    References
    ----------
    Gelman et al. (2013), Bayesian Data Analysis, 3rd ed., section 2.7;
    Good (1953), The population frequencies of species and the estimation of population parameters,
    https://doi.org/10.1093/biomet/40.3-4.237

    Examples
    --------
    >>> from reliability_stats.instruments import IncidentRates, Incidents
    >>> table = {"failure_class": ["tool", "plan"], "incidents": [7, 0], "exposure": 1200}
    >>> post = IncidentRates(pooling="none").fit(Incidents.from_counts(table))
    >>> post.summary()[["failure_class", "mean", "lower", "upper"]].round(5)
      failure_class     mean    lower    upper
    0          tool  0.00625  0.00261  0.01145
    1          plan  0.00042  0.00000  0.00209
    """

    pooling: str = "partial"

    def __post_init__(self) -> None:
        """Check the field."""
        check_choice(self.pooling, ("partial", "none"), "pooling")

    def fit(self, incidents: Incidents) -> IncidentPosterior:
        """Compute the posterior of the rate of every class.

        Parameters
        ----------
        incidents : Incidents
            With their exposure.

        Returns
        -------
        IncidentPosterior

        Raises
        ------
        ModelError
            If the exposure is not known: rates are not identified then.

        Examples
        --------
        >>> from reliability_stats.instruments import IncidentRates, Incidents
        >>> table = {"failure_class": ["tool", "plan"], "incidents": [7, 0], "exposure": 1200}
        >>> IncidentRates().fit(Incidents.from_counts(table))
        IncidentPosterior of IncidentRates(pooling='partial')
          7 incidents of 2 failure classes in 1 system, exposure 1200 runs
          .summary(), .total(), .predict(exposure), .exposure_between(), .classes_differ()
        """
        if not isinstance(incidents, Incidents):
            raise ArgumentError(
                f"fit takes Incidents, not {type(incidents).__name__}; make them with "
                "Incidents.from_events or Incidents.from_counts."
            )
        if incidents.exposure is None:
            raise ModelError(
                "Rates are not identified: it is not known in how much exposure the incidents "
                "happened. Give it with exposure=..., or ask what can be told without it: "
                "reported_incidents, unseen_classes."
            )
        fits = []
        for s, name in enumerate(incidents.systems):
            rows = np.flatnonzero(incidents.system == s)
            y, e = incidents.incidents[rows], incidents.exposure[rows]
            if self.pooling == "none":
                fits.append(Fit(rows, alone(y, e)))
                continue
            fits.append(
                Fit(rows, *partial_pool(y, e, seen_only=incidents.seen_only, name=repr(name)))
            )
        return IncidentPosterior(self, incidents, tuple(fits))
