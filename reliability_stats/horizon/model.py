"""Success against the length of tasks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from .._numerics import FloatArray
from .._validation import _as_float, check_choice, check_fraction, check_positive
from ..exceptions import ArgumentError
from ..inference.box import Box, focus
from ..models import Beta
from ..models.priors import FrozenDistribution, as_prior, logit_log_density
from ..trials import Trials
from ._curves import SHAPES, mean_logit
from ._lengths import Lengths, lengths_of
from .posterior import HorizonFit, HorizonPosterior

ICC_RANGE = 16.0
UPPER_RANGE = 14.0


@dataclass(frozen=True)
class Horizon:
    """Success that falls with the length of the task; each system alone.

    A task of a given length has a success probability of its own, beta-distributed around a mean
    that falls with log2 of the length. No penalty draws the curve to one side: the priors stay as
    they are when data come in, and fade.

    Parameters
    ----------
    length : str, default "length"
        Column that was read as length, as in ``Trials.from_frame(..., length="minutes")``; any unit
        above 0. A task needs one length, such as the time that a person takes.
    shape : {"logistic", "weibull", "half_life"}, default "logistic"
        Fall of the mean: logistic in log2 of the length; a Weibull survival curve; or that with a
        constant hazard, which halves success for every further ``horizon@50``.
    lower : float in [0, 1), default 0
        Success rate of endless tasks, such as that of guessing.
    upper : float in (0, 1] or Beta, default 1
        Success rate of the shortest tasks. A prior, such as ``Beta(9, 1)``, has it estimated: some
        failures have nothing to do with length, and without this they flatten the curve.
    half_sd : float > 0, default 5
        Prior sd of ``log2(horizon@50)``, in doublings, around the middle of the lengths.
    slope_median : float > 0, default 0.7
        Prior median of the steepness for one doubling: of the log odds (logistic), or the Weibull
        exponent.
    slope_sd : float > 0, default 0.8
        Prior sd of the log of the steepness.
    icc_prior : Beta or frozen scipy.stats distribution, default ``Beta(1, 1)``
        Prior of the intra-class correlation of trials of tasks of one length.

    Notes
    -----
    Success cannot rise with length in this model. The posterior is a sum over three axes (four, if
    `upper` is estimated); nothing is sampled.

    References
    ----------
    Kwa et al. (2025), Measuring AI ability to complete long tasks,
    https://doi.org/10.48550/arXiv.2503.14499;
    Ord (2025), Is there a half-life for the success rates of AI agents?,
    https://doi.org/10.48550/arXiv.2505.05115

    Examples
    --------
    >>> import numpy as np
    >>> import reliability_stats as rs
    >>> minutes = np.repeat([1, 2, 4, 8, 15, 30, 60, 120, 240, 480], 4)
    >>> wins = np.repeat([4, 4, 4, 3, 3, 2, 2, 1, 0, 0], 4)
    >>> rows = {"task": minutes, "minutes": minutes, "success": np.tile(range(4), 10) < wins}
    >>> trials = rs.Trials.from_frame(rows, system=None, length="minutes")
    >>> post = rs.Horizon(length="minutes").fit(trials)
    >>> post.summary(levels=[0.5, 0.8])[["estimand", "lower", "upper", "identified"]].round(1)
                    estimand  lower  upper identified
    0             horizon@50   13.6  103.3        yes
    1             horizon@80    1.9   26.7        yes
    2  reliability_horizon@4    1.9   26.4        yes
    3                  slope    0.4    1.4        yes
    4                    icc    0.0    0.4        yes
    """

    length: str = "length"
    shape: str = "logistic"
    lower: float = 0.0
    upper: float | Beta | FrozenDistribution = 1.0
    half_sd: float = 5.0
    slope_median: float = 0.7
    slope_sd: float = 0.8
    icc_prior: Beta | FrozenDistribution = field(default_factory=Beta)

    def __post_init__(self) -> None:
        """Check the fields."""
        if not isinstance(self.length, str) or not self.length:
            raise ArgumentError(f"length must be the name of a column, not {self.length!r}.")
        check_choice(self.shape, SHAPES, "shape")
        for name in ("half_sd", "slope_median", "slope_sd"):
            object.__setattr__(self, name, check_positive(getattr(self, name), name))
        lower = check_fraction(self.lower, "lower")
        object.__setattr__(self, "lower", lower)
        upper = self.upper
        if isinstance(upper, (Beta, FrozenDistribution)):
            if lower > 0:
                raise ArgumentError(
                    "An upper rate that is estimated needs lower=0: data hardly ever fix both."
                )
            object.__setattr__(self, "upper", as_prior(upper, "upper"))
        else:
            top = _as_float(upper, "upper", "a number in (0, 1] or a prior such as Beta(9, 1)")
            if not lower < top <= 1:
                raise ArgumentError(
                    f"upper must be above lower and at most 1, not {upper!r} with lower={lower!r}."
                )
            object.__setattr__(self, "upper", top)
        object.__setattr__(self, "icc_prior", as_prior(self.icc_prior, "icc_prior"))

    @property
    def estimates_upper(self) -> bool:
        """Whether the upper rate is a parameter."""
        return not isinstance(self.upper, float)

    def fit(self, trials: Trials) -> HorizonPosterior:
        """Compute the posterior of each system, under each condition if there are any.

        Parameters
        ----------
        trials : Trials
            With a length: ``Trials.from_frame(..., length="minutes")``.

        Returns
        -------
        HorizonPosterior

        Raises
        ------
        TrialDataError
            If there are no lengths, one is missing or not positive, or a task has several.
        ModelError
            If all tasks of a system have one length.

        Examples
        --------
        >>> import reliability_stats as rs
        >>> rows = {"task": [1, 2, 3, 4], "hours": [1, 2, 4, 8], "success": [1, 1, 0, 0]}
        >>> trials = rs.Trials.from_frame(rows, system=None, length="hours")
        >>> rs.Horizon(length="hours").fit(trials).systems
        ('system',)
        """
        data = lengths_of(trials, self.length)
        fits = [HorizonFit(item, self._box(item)) for item in data]
        return HorizonPosterior(self, trials, fits)

    def _box(self, data: Lengths) -> Box:
        """Fit one unit."""
        middle = float(data.x[data.place].mean())
        half = (middle - 6 * self.half_sd, middle + 6 * self.half_sd)
        slope = tuple(float(np.log(self.slope_median) + s * 6 * self.slope_sd) for s in (-1, 1))
        ranges = [half, (slope[0], slope[1]), (-ICC_RANGE, ICC_RANGE)]
        if self.estimates_upper:
            ranges.append((-UPPER_RANGE, UPPER_RANGE))

        def density(axes: Sequence[FloatArray]) -> FloatArray:
            grids = np.meshgrid(*axes, indexing="ij")
            flat = [grid.ravel() for grid in grids]
            logs = np.zeros(len(flat[0]))
            for some in np.array_split(np.arange(len(logs)), 1 + len(logs) * len(data.x) // 2**20):
                part = [values[some] for values in flat]
                logs[some] = self.log_prior(part, middle) + self.log_likelihood(data, part).sum(0)
            return logs.reshape(grids[0].shape)

        if self.shape == "half_life":
            return self._constant_hazard(density, ranges)
        return focus(density, ranges)

    def _constant_hazard(self, density: object, ranges: list[tuple[float, float]]) -> Box:
        """Fit without the axis of the exponent, which is 1, and put it back with one node."""

        def reduced(axes: Sequence[FloatArray]) -> FloatArray:
            values: FloatArray = density([axes[0], np.zeros(1), *axes[1:]])  # type: ignore[operator]
            return np.asarray(values[:, 0])

        found = focus(reduced, [ranges[0], *ranges[2:]])
        axes = (found.axes[0], np.zeros(1), *found.axes[1:])
        return Box(axes, found.log_mass[:, None], found.log_evidence)

    def log_prior(self, point: Sequence[FloatArray], middle: float) -> FloatArray:
        """Log prior density at (log2 half, log slope, logit icc[, logit upper]).

        Parameters
        ----------
        point : sequence of (points,) arrays
            Parameters.
        middle : float
            Mean log2 length of the tasks.

        Returns
        -------
        (points,) ndarray
        """
        h, b, v = point[:3]
        logs = -0.5 * ((h - middle) / self.half_sd) ** 2 - np.log(self.half_sd)
        if self.shape != "half_life":
            logs = logs - 0.5 * ((b - np.log(self.slope_median)) / self.slope_sd) ** 2
            logs = logs - np.log(self.slope_sd) - 0.5 * np.log(2 * np.pi)
        logs = logs - 0.5 * np.log(2 * np.pi) + logit_log_density(self.icc_prior, v)
        if self.estimates_upper:
            prior: Beta | FrozenDistribution = self.upper  # type: ignore[assignment]
            logs = logs + logit_log_density(prior, point[3])
        return np.asarray(logs)

    def log_likelihood(self, data: Lengths, point: Sequence[FloatArray]) -> FloatArray:
        """Log likelihood of each length at parameters, (lengths, points)."""
        u = self.logits(data.x, point)
        v = np.broadcast_to(point[2], u.shape)
        return data.likelihood(np.arange(len(data.x)), u, v)

    def logits(self, x: FloatArray, point: Sequence[FloatArray]) -> FloatArray:
        """Logit of the mean rate at log2 lengths, (lengths, points)."""
        h, b = point[0], np.exp(point[1])
        return mean_logit(self.shape, x[:, None], h, b, self.lower, self.upper_at(point))

    def upper_at(self, point: Sequence[FloatArray]) -> FloatArray:
        """Upper rate at parameters."""
        if self.estimates_upper:
            from scipy import special

            return np.asarray(special.expit(point[3]))
        return np.asarray(self.upper, dtype=float)
