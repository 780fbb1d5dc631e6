"""What data functions share: choosing systems, and checking data that were made before."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from .._counts import listed
from .._validation import suggest
from ..exceptions import ArgumentError

if TYPE_CHECKING:
    import pandas as pd


def chosen(systems: Any, known: Sequence[str]) -> list[int]:
    """Give the positions of systems, in the order asked for; of all if None."""
    if systems is None:
        return list(range(len(known)))
    if isinstance(systems, str):
        wanted = [systems]
    else:
        try:
            wanted = list(systems)
        except TypeError:
            raise ArgumentError(
                f"systems must be a name or a list of names, not {systems!r}."
            ) from None
    where = {name: i for i, name in enumerate(known)}
    for name in wanted:
        if name not in where:
            raise ArgumentError(
                f"There is no system {name!r}{suggest(name, known)}. "
                f"The systems are: {listed(tuple(known), 20)}."
            )
    if not wanted:
        raise ArgumentError("systems is empty; give at least one name.")
    return [where[name] for name in dict.fromkeys(wanted)]


def rows_of(data: pd.DataFrame) -> Iterator[Any]:
    """Give the rows as tuples with names, whose types are known to the reader only."""
    return iter(data.itertuples(index=False))


def check_columns(data: Any, columns: Sequence[str], source: str) -> pd.DataFrame:
    """Give a data frame that has rows and the columns that a data function makes."""
    import pandas as pd

    if not isinstance(data, pd.DataFrame):
        raise ArgumentError(
            f"A plot takes a Posterior, as rs.fit gives it, or the result of {source}, "
            f"not {type(data).__name__}."
        )
    for name in columns:
        if name not in data:
            raise ArgumentError(
                f"The data have no column {name!r}; give the result of {source}, or a Posterior."
            )
    if data.empty:
        raise ArgumentError("The data have no rows: there is nothing to draw.")
    return data


def same_setting(data: pd.DataFrame, defaults: dict[str, Any], given: dict[str, Any]) -> None:
    """Refuse settings that contradict those the data were made with."""
    for name, value in given.items():
        made = data[name].iloc[0]
        made = made.item() if hasattr(made, "item") else made
        if value != defaults[name] and value != made:
            raise ArgumentError(
                f"{name}={value!r} contradicts the data, which were made with {name}={made!r}."
            )
