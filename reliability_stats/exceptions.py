"""Errors and warnings of the package.

Every error inherits from `ReliabilityStatsError` and from the builtin that fits, so either can be
caught.
"""

from __future__ import annotations

__all__ = [
    "ArgumentError",
    "ConvergenceWarning",
    "ExclusionWarning",
    "IdentifiabilityWarning",
    "MissingExtraError",
    "ModelError",
    "ReliabilityStatsError",
    "ReliabilityStatsWarning",
    "TrialDataError",
]


class ReliabilityStatsError(Exception):
    """Root of all errors raised on purpose by this package.

    Examples
    --------
    >>> import reliability_stats as rs
    >>> try:
    ...     rs.Trials.from_array([[0, 2]])
    ... except rs.ReliabilityStatsError as error:
    ...     print(type(error).__name__)
    TrialDataError
    """


class TrialDataError(ReliabilityStatsError, ValueError):
    """The table of trials cannot be used as it is.

    Examples
    --------
    >>> issubclass(TrialDataError, ValueError)
    True
    """


class ArgumentError(ReliabilityStatsError, ValueError):
    """An argument has a value that is not allowed.

    Examples
    --------
    >>> issubclass(ArgumentError, ValueError)
    True
    """


class ModelError(ReliabilityStatsError, ValueError):
    """A model cannot be fitted to these data, for example because its posterior is improper.

    Examples
    --------
    >>> issubclass(ModelError, ReliabilityStatsError)
    True
    """


class MissingExtraError(ReliabilityStatsError, ImportError):
    """Something needs an optional package that is not installed.

    Examples
    --------
    >>> issubclass(MissingExtraError, ImportError)
    True
    """


class ReliabilityStatsWarning(UserWarning):
    """Root of all warnings given by this package.

    Examples
    --------
    >>> issubclass(ReliabilityStatsWarning, UserWarning)
    True
    """


class ConvergenceWarning(ReliabilityStatsWarning):
    """A computation has not reached its accuracy.

    Examples
    --------
    >>> issubclass(ConvergenceWarning, ReliabilityStatsWarning)
    True
    """


class IdentifiabilityWarning(ReliabilityStatsWarning):
    """The data leave a quantity undetermined, and the value rests on the prior or the model.

    Examples
    --------
    >>> issubclass(IdentifiabilityWarning, ReliabilityStatsWarning)
    True
    """


class ExclusionWarning(ReliabilityStatsWarning):
    """Something was left out of a computation.

    Examples
    --------
    >>> issubclass(ExclusionWarning, ReliabilityStatsWarning)
    True
    """
