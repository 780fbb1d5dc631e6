"""A report before it is written: sections of text, terms, tables and figures, without markup."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Paragraph:
    """One paragraph of text."""

    text: str


@dataclass(frozen=True)
class Bullets:
    """A list of sentences."""

    entries: tuple[str, ...]


@dataclass(frozen=True)
class Terms:
    """Names with what is said of each."""

    pairs: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Strip:
    """A share with its interval, drawn on a line from 0 to 1.

    Attributes
    ----------
    role, name, text : str
        What it is, such as "capability"; its estimand; value and interval in words.
    mean, lower, upper : float
        Shares; NaN where there is none.
    """

    role: str
    name: str
    text: str
    mean: float
    lower: float
    upper: float

    @property
    def drawn(self) -> bool:
        """Whether there is anything to draw."""
        return bool(np.isfinite([self.mean, self.lower, self.upper]).all())


@dataclass(frozen=True)
class Card:
    """A system: its name, capability and reliability side by side, and sentences."""

    title: str
    strips: tuple[Strip, ...]
    sentences: tuple[str, ...]


@dataclass(frozen=True)
class Grid:
    """A table of text. Columns whose head starts with ">" hold numbers."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""
    caption: str = ""

    @property
    def titles(self) -> tuple[str, ...]:
        """The heads, as they are shown."""
        return tuple(head.lstrip(">") for head in self.head)

    @property
    def numeric(self) -> tuple[bool, ...]:
        """Which columns hold numbers."""
        return tuple(head.startswith(">") for head in self.head)


@dataclass(frozen=True)
class Figure:
    """A plot that can be written to a file or buffer in a format of matplotlib."""

    key: str
    caption: str
    save: Callable[[object, str], None]


@dataclass(frozen=True)
class Source:
    """A work that a method comes from."""

    key: str
    method: str
    text: str
    bibtex: str


@dataclass(frozen=True)
class Sources:
    """The works of the methods that were used."""

    works: tuple[Source, ...]


Block = Paragraph | Bullets | Terms | Card | Grid | Figure | Sources


@dataclass(frozen=True)
class Section:
    """A part of a report."""

    key: str
    title: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True)
class Document:
    """A whole report."""

    title: str
    lead: str
    sections: tuple[Section, ...]
