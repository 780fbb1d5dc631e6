"""Scores of runs: tasks differ, and runs of a task differ."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .._numerics import FloatArray
from .._validation import _as_float, check_positive
from ..exceptions import ArgumentError, TrialDataError
from ..inference.box import Box, focus
from ..trials import Trials
from ._read import Runs, runs_of
from ._student import log_likelihood
from .posterior import ScoreFit, ScorePosterior


@dataclass(frozen=True)
class ScoreModel:
    """Scores on a real scale, such as improvement over a baseline; each system alone.

    The level of a task is normal over tasks. Runs of a task scatter around its level like Student's
    t, so that one run that goes astray does not move the rest.

    Parameters
    ----------
    centre : float, optional
        Prior median of the mean score; by default the median of all scores. With scores relative to
        a baseline, 0 says that no improvement is as likely as not.
    scale : float > 0, optional
        A typical difference between scores, in their unit; by default the standard deviation of all
        scores. The mean is normal around the centre with sd ``2.5 * scale``, and the sds between
        tasks and between runs are half-normal with scale ``scale``.
    df : float > 2, default 4
        Degrees of freedom of runs; infinity makes them normal.

    Notes
    -----
    The posterior is a sum over three axes with levels integrated out; nothing is sampled. With few
    tasks the sd between tasks, and all that is said of tasks like these, rests on the prior:
    `ScorePosterior.sensitivity` says how much. The default centre and scale look at the scores once
    to find their unit; state them where they are known.

    Scores that pile up at 0 or 1 do not scatter like Student's t. For these the model may give
    scores beyond the ends; `estimate_scores` assumes no distribution.

    References
    ----------
    Gelman (2006), Prior distributions for variance parameters in hierarchical models,
    https://doi.org/10.1214/06-BA117A;
    Lange, Little and Taylor (1989), Robust statistical modeling using the t distribution,
    https://doi.org/10.1080/01621459.1989.10478852

    Examples
    --------
    >>> import numpy as np
    >>> import reliability_stats as rs
    >>> score = [-3.0, 1.0, -2.0, -8.0, -7.5, -9.0, -1.0, 11.5, -2.0, -20.0, -14.0, -17.0]
    >>> rows = {"task": np.repeat([1, 2, 3, 4], 3), "score": score, "success": np.greater(score, 0)}
    >>> trials = rs.Trials.from_frame(rows, system=None, score="score")
    >>> post = rs.ScoreModel(centre=0, scale=10).fit(trials)
    >>> frame = post.summary(k=3, tolerance=0).set_index("estimand")
    >>> frame.loc["all_of_3", ["lower", "upper"]].astype(float).round(1).tolist()
    [0.0, 0.5]
    """

    centre: float | None = None
    scale: float | None = None
    df: float = 4.0

    def __post_init__(self) -> None:
        """Check the fields."""
        if self.centre is not None:
            number = _as_float(self.centre, "centre", "a finite number or None")
            if np.isinf(number):
                raise ArgumentError(f"centre must be a finite number or None, not {number!r}.")
            object.__setattr__(self, "centre", number)
        if self.scale is not None:
            object.__setattr__(self, "scale", check_positive(self.scale, "scale"))
        df = _as_float(self.df, "df", "a number above 2")
        if not df > 2:
            raise ArgumentError(f"df must be a number above 2, not {df!r}: the sd is infinite.")
        object.__setattr__(self, "df", df)

    def fit(self, trials: Trials) -> ScorePosterior:
        """Compute the posterior of each system, under each condition if there are any.

        Parameters
        ----------
        trials : Trials
            With a score: ``Trials.from_frame(..., score="score")``.

        Returns
        -------
        ScorePosterior

        Raises
        ------
        TrialDataError
            If there are no scores, one is not a finite number, or all are equal and no scale is
            given.

        Examples
        --------
        >>> import reliability_stats as rs
        >>> rows = {"task": [1, 1, 2, 2], "score": [0.1, 0.4, 0.0, 0.9], "success": [0, 0, 0, 1]}
        >>> trials = rs.Trials.from_frame(rows, system=None, score="score")
        >>> rs.ScoreModel(centre=0.5, scale=0.3).fit(trials).systems
        ('system',)
        """
        units = runs_of(trials)
        every = np.concatenate([runs.score for runs in units])
        centre = float(np.median(every)) if self.centre is None else self.centre
        scale = float(every.std()) if self.scale is None else self.scale
        if not scale > 0:
            raise TrialDataError(
                f"All {len(every)} scores are {every[0]:g}, so they do not show their unit; give "
                "scale=, a typical difference between scores."
            )
        fits = [ScoreFit(runs, self._box(runs, centre, scale)) for runs in units]
        return ScorePosterior(self, trials, centre, scale, fits)

    def _box(self, runs: Runs, centre: float, scale: float) -> Box:
        """Fit one unit, in units of the scale."""
        scaled = Runs((runs.score - centre) / scale, runs.n)

        def density(axes: Sequence[FloatArray]) -> FloatArray:
            mean, between, within = np.meshgrid(*axes, indexing="ij", sparse=True)
            prior = -0.5 * (mean / 2.5) ** 2 - np.log(2.5) - 0.5 * np.log(2 * np.pi)
            for log_sd in (between, within):
                prior = prior + 0.5 * np.log(2 / np.pi) - 0.5 * np.exp(2 * log_sd) + log_sd
            return np.asarray(prior + log_likelihood(scaled, axes, self.df))

        return focus(density, [(-15.0, 15.0), (-16.0, 2.0), (-16.0, 2.0)])
