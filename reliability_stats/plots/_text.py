"""Names and labels: shown literally, shortened where they are long."""

from __future__ import annotations

import re
from collections.abc import Sequence

_TEX = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "$": r"\$",
    "&": r"\&",
    "#": r"\#",
    "%": r"\%",
    "_": r"\_",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "≤": r"$\leq$",
    "≥": r"$\geq$",
    "…": r"\ldots{}",
}
_SEPARATOR = re.compile(r"[-_/ .:,|…]+")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")


def literal(text: str) -> str:
    """Escape text so that matplotlib shows it as it is: no mathematics, and no TeX commands."""
    import matplotlib as mpl

    if mpl.rcParams["text.usetex"]:
        return "".join(_TEX.get(character, character) for character in text)
    return text.replace("$", r"\$")


def shorten(name: str, limit: int) -> str:
    """Give a name on one line with at most `limit` characters, the middle left out if need be."""
    name = _CONTROL.sub(" ", name)
    name = name if name.strip() else "(blank)"
    if len(name) <= limit:
        return name
    tail = (limit - 1) // 2
    return f"{name[: limit - 1 - tail].rstrip()}…{name[len(name) - tail :].lstrip()}"


def shorten_all(names: Sequence[str], limit: int) -> list[str]:
    """Shorten names, but never so that two different ones look the same."""
    short = [shorten(name, limit) for name in names]
    longest = max((len(name) for name in names), default=0)
    while limit < longest:
        taken: dict[str, set[str]] = {}
        for name, text in zip(names, short, strict=True):
            taken.setdefault(text, set()).add(name)
        if all(len(group) == 1 for group in taken.values()):
            break
        limit += 4
        short = [
            shorten(name, limit) if len(taken[text]) > 1 else text
            for name, text in zip(names, short, strict=True)
        ]
    return short


def in_two_lines(name: str, limit: int) -> str:
    """Break a name longer than `limit`, if possible after a separator near its middle."""
    if len(name) <= limit:
        return name
    middle = len(name) / 2
    costs = {
        match.end(): abs(match.end() - middle) + (3 if match[0] in "-." else 0)
        for match in _SEPARATOR.finditer(name)
        if abs(match.end() - middle) <= 0.25 * len(name)
    }
    at = min(costs, key=costs.__getitem__, default=int(middle))
    return f"{name[:at].rstrip()}\n{name[at:].lstrip()}"


def percent(prob: float) -> str:
    """Write a mass as a percentage: 0.95 as "95%"."""
    return f"{100 * prob:.6g}%"
