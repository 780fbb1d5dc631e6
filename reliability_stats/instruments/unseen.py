"""How much lies in failure classes that have not been seen yet."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import special

from .._counts import plural
from .._numerics import FloatArray, IntArray, step_nodes
from .._summary import COLUMNS
from .._validation import check_positive_int, check_prob, check_rng
from ..exceptions import ArgumentError, ModelError
from ..inference import grid
from ._gamma_poisson import TOL, lattice_error
from .incidents import Incidents

if TYPE_CHECKING:
    import pandas as pd

REACH = 60.0
MOST = 100_000
DRAWS = 4000


def unseen_classes(incidents: Incidents, *, system: str | None = None) -> UnseenClasses:
    """Fit the sizes of failure classes, and what they say of classes not seen yet.

    Parameters
    ----------
    incidents : Incidents
        Exposure is not needed.
    system : str, optional
        Of one system; of all together if left out.

    Returns
    -------
    UnseenClasses

    Raises
    ------
    ModelError
        If there is no incident.
    ArgumentError
        If an argument is not allowed.

    Notes
    -----
    Classes come from a Pitman-Yor process with discount d and strength c: after n incidents of K
    classes, the next is of a new class with probability (c + d K) / (c + n), and the mass of all
    unseen classes is Beta(c + d K, n - d K). d and c / (1 + c) are uniform on (0, 1) beforehand;
    both are summed over a lattice.

    Incidents have to be like draws one by one from one stream: reports that follow a wave of
    attention, or a scheme of classes that was refined to fit, are not.

    References
    ----------
    Pitman and Yor (1997), The two-parameter Poisson-Dirichlet distribution derived from a stable
    subordinator, https://doi.org/10.1214/aop/1024404422;
    Favaro, Lijoi, Mena and Pruenster (2009), Bayesian non-parametric inference for species variety
    with a two-parameter Poisson-Dirichlet process prior,
    https://doi.org/10.1111/j.1467-9868.2009.00717.x;
    Good (1953), The population frequencies of species and the estimation of population parameters,
    https://doi.org/10.1093/biomet/40.3-4.237;
    Chao (1984), Nonparametric estimation of the number of classes in a population, Scandinavian
    Journal of Statistics 11, 265-270

    Examples
    --------
    >>> from reliability_stats.instruments import Incidents, unseen_classes
    >>> table = {"failure_class": list("abcdefgh"), "incidents": [5, 3, 3, 2, 1, 1, 1, 1]}
    >>> found = unseen_classes(Incidents.from_counts(table, exposure=None))
    >>> found
    UnseenClasses: 17 incidents of 8 classes, 4 classes seen once
      .summary(), .estimates(), .predict(further)
    >>> found.estimates()[["p_known", "chao1"]].round(6)
        p_known  chao1
    0  0.764706   11.0
    """
    if not isinstance(incidents, Incidents):
        raise ArgumentError(
            f"unseen_classes takes Incidents, not {type(incidents).__name__}; make them with "
            "Incidents.from_events or Incidents.from_counts."
        )
    mine = np.ones(len(incidents.incidents), dtype=bool)
    if system is not None:
        if system not in incidents.systems:
            raise ArgumentError(
                f"system must be one of {', '.join(map(repr, incidents.systems))}, not {system!r}."
            )
        mine = incidents.system == incidents.systems.index(system)
    sizes = np.bincount(
        incidents.failure_class[mine],
        weights=incidents.incidents[mine],
        minlength=len(incidents.classes),
    )
    sizes = np.sort(sizes[sizes > 0]).astype(np.int64)
    if not len(sizes):
        raise ModelError("There is no incident, so that nothing is known of classes.")
    return UnseenClasses(sizes, system or "system", *_fit(sizes))


def _fit(sizes: IntArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Give weights, discounts and strengths of the nodes."""
    n, k = int(sizes.sum()), len(sizes)
    nodes, (of_n, of_k) = step_nodes(n, np.array([n]), np.array([k]))
    inner, (within,) = step_nodes(int(sizes.max()), sizes - 1)
    inside = within.sum(axis=0)

    def density(_: IntArray, x: FloatArray, v: FloatArray) -> FloatArray:
        d, rest, c = (z[..., None] for z in (special.expit(x), special.expit(-x), np.exp(v)))
        out = special.log_expit(x) + special.log_expit(-x) + v - 2 * np.logaddexp(0.0, v)
        out = out + np.log(c + d * nodes) @ of_k[0] - np.log(c + nodes) @ of_n[0]
        return np.asarray(out + np.log(inner + rest) @ inside)

    lattice = grid.build(density, 1, reach=REACH, names=lambda _: "the classes")[0]
    while lattice.nodes < grid.MAX_NODES // 2 and lattice_error(lattice) > TOL:
        lattice = grid.refine(lattice, density, REACH)
    weight = lattice.weights[0].ravel()
    x, v = (axis[0].ravel() for axis in lattice.coordinates())
    keep = weight > 1e-10 * weight.max()
    return weight[keep] / weight[keep].sum(), special.expit(x[keep]), np.exp(v[keep])


@dataclass(frozen=True, eq=False, repr=False)
class UnseenClasses:
    """What is known of classes not seen yet; made by `unseen_classes`.

    Attributes
    ----------
    sizes : (classes,) ndarray of int
        Incidents of each class that was seen, ascending.
    system : str
        Label.
    weight, discount, strength : (nodes,) ndarray
        Posterior of the process.
    """

    sizes: IntArray
    system: str
    weight: FloatArray
    discount: FloatArray
    strength: FloatArray

    @property
    def n(self) -> int:
        """Number of incidents."""
        return int(self.sizes.sum())

    def _shapes(self) -> tuple[FloatArray, FloatArray]:
        """Give the beta parameters of the unseen mass at the nodes."""
        known = self.discount * len(self.sizes)
        return self.strength + known, self.n - known

    def summary(self, *, prob: float = 0.95) -> pd.DataFrame:
        """Give the mass of unseen classes: the chance that the next incident is of a new class.

        Parameters
        ----------
        prob : float in (0, 1), default 0.95
            Mass of the equal-tailed interval.

        Returns
        -------
        pandas.DataFrame
            The schema of all summaries, one row: unseen_mass. It rests on the model, and with one
            incident on nothing else ("no").

        Raises
        ------
        ArgumentError
            If `prob` is not allowed.
        """
        import pandas as pd

        prob = check_prob(prob)
        a, b = self._shapes()
        mean = a / (a + b)
        centre = float(mean @ self.weight)
        second = float((mean * (a + 1) / (a + b + 1)) @ self.weight)
        ends = []
        for level in ((1 - prob) / 2, (1 + prob) / 2):
            low, high = 0.0, 1.0
            for _ in range(60):
                middle = (low + high) / 2
                below = float(special.betainc(a, b, middle) @ self.weight)
                low, high = (middle, high) if below < level else (low, middle)
            ends.append((low + high) / 2)
        row: dict[str, Any] = {"estimand": "unseen_mass", "system": self.system}
        row |= {"over": "population", "mean": centre, "sd": float(np.sqrt(second - centre**2))}
        row |= {"lower": ends[0], "upper": ends[1], "prob": prob, "interval": "eti"}
        row |= {"identified": "model" if self.n > 1 else "no", "ess_bulk": np.nan, "r_hat": np.nan}
        return pd.DataFrame([row], columns=list(COLUMNS))

    def estimates(self) -> pd.DataFrame:
        """Give the classical estimates of Good and Turing and of Chao.

        Returns
        -------
        pandas.DataFrame
            incidents, classes, once and twice (classes seen so often), p_known (that the next is of
            a known class, 1 - once / incidents), chao1 (number of classes, seen and unseen, bias-
            corrected; a lower bound).
        """
        import pandas as pd

        once, twice = (int((self.sizes == size).sum()) for size in (1, 2))
        row: dict[str, float] = {
            "incidents": self.n,
            "classes": len(self.sizes),
            "once": once,
            "twice": twice,
        }
        row |= {"p_known": 1 - once / self.n}
        return pd.DataFrame(
            [row | {"chao1": len(self.sizes) + once * (once - 1) / (2 * (twice + 1))}]
        )

    def predict(self, further: int, *, prob: float = 0.95, rng: Any = 0) -> pd.DataFrame:
        """Say how many new classes further incidents bring.

        Parameters
        ----------
        further : int in [1, 100000]
            Further incidents.
        prob : float in (0, 1), default 0.95
            The least mass of the interval.
        rng : int, numpy.random.Generator, SeedSequence or None, default 0
            Seed of the 4000 draws behind the interval.

        Returns
        -------
        pandas.DataFrame
            further, p_none (no new class; exact), mean (new classes; exact), lower, upper, prob.

        Raises
        ------
        ArgumentError
            If an argument is not allowed.
        """
        import pandas as pd

        m, prob, random = check_positive_int(further, "further"), check_prob(prob), check_rng(rng)
        if m > MOST:
            raise ArgumentError(f"further must be at most {MOST:,}, not {m}.")
        d, c, k = self.discount, self.strength, len(self.sizes)
        node = random.choice(len(d), p=self.weight, size=DRAWS)
        drawn = np.full(DRAWS, float(k))
        mean, log_none = np.full(len(d), float(k)), np.zeros(len(d))
        for i in range(self.n, self.n + m):
            log_none += np.log1p(-(c + d * k) / (c + i))
            mean = mean + (c + d * mean) / (c + i)
            new = (c[node] + d[node] * drawn) / (c[node] + i)
            drawn += random.random(DRAWS) < new
        ends = np.quantile(drawn - k, [(1 - prob) / 2, (1 + prob) / 2], method="inverted_cdf")
        row: dict[str, float] = {"further": m, "p_none": float(np.exp(log_none) @ self.weight)}
        row |= {"mean": float(mean @ self.weight) - k, "lower": ends[0], "upper": ends[1]}
        return pd.DataFrame([row | {"prob": prob}])

    def __repr__(self) -> str:
        """Give the sizes."""
        once = int((self.sizes == 1).sum())
        seen = f"{len(self.sizes)} class{'' if len(self.sizes) == 1 else 'es'}"
        return (
            f"UnseenClasses: {plural(self.n, 'incident')} of {seen}, "
            f"{once} class{'' if once == 1 else 'es'} seen once\n"
            "  .summary(), .estimates(), .predict(further)"
        )

    def _repr_html_(self) -> str:
        """Give the same for notebooks, escaped."""
        return f"<pre>{escape(repr(self))}</pre>"
