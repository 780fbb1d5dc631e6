"""Open log files as data: size, depth and encoding are checked, links in folders not followed."""

from __future__ import annotations

import glob
import gzip
import json
import os
import re
import stat
import zlib
from collections.abc import Iterator, Sequence
from fnmatch import fnmatch
from pathlib import Path
from typing import Any, TypeAlias

from ..exceptions import ArgumentError, TrialDataError

Paths: TypeAlias = str | os.PathLike[str] | Sequence[str | os.PathLike[str]]

MAX_BYTES = 2**29
MAX_DEPTH = 16
MAX_FILES = 1_000_000


def find(path: Paths, patterns: tuple[str, ...]) -> list[Path]:
    """List the files of a path, folder, glob pattern or list of these, in natural order."""
    if isinstance(path, (str, os.PathLike)):
        return _unique(_find_one(path, patterns))
    given: object = path
    if isinstance(given, (bytes, bytearray)) or not isinstance(path, Sequence) or not path:
        raise ArgumentError(
            f"The path must be a file, a folder, a glob pattern or a list of these, not {path!r}."
        )
    return _unique([file for one in path for file in _find_one(one, patterns)])


def _find_one(path: str | os.PathLike[str], patterns: tuple[str, ...]) -> list[Path]:
    """List the files of one path or pattern."""
    if not isinstance(path, (str, os.PathLike)):
        raise ArgumentError(f"A path must be text or a path object, not {path!r}.")
    name = os.fspath(path)
    if not name.strip():
        raise ArgumentError(f"The path is {name!r}; name a file, a folder or a glob pattern.")
    root = Path(name)
    try:
        root = root.expanduser()
        folder, there = root.is_dir(), root.exists()
    except (OSError, RuntimeError, ValueError) as error:
        why = str(getattr(error, "strerror", None) or error).rstrip(".")
        raise ArgumentError(f"The path {name[:80]!r} cannot be used: {why}.") from None
    if folder:
        found = list(walk(root, patterns))
        if not found:
            raise TrialDataError(f"{root}: no file in this folder is called {_either(patterns)}.")
        return found
    if there:
        return [root]
    matches = [Path(match) for match in glob.glob(str(root), recursive=True)]
    if not matches:
        what = "matches nothing" if glob.has_magic(name) else "does not exist"
        raise ArgumentError(f"The path {name!r} {what}.")
    files = [match for match in matches if not match.is_dir()]
    for match in matches:
        if match.is_dir():
            files += walk(match, patterns)
    if not files:
        raise TrialDataError(f"{name}: no file here is called {_either(patterns)}.")
    return files


def walk(root: Path, patterns: tuple[str, ...], skip: tuple[str, ...] = ()) -> Iterator[Path]:
    """Give the files of a folder whose names match; links in it are not followed."""
    seen = 0
    for folder, folders, names in os.walk(root, followlinks=False):
        here = Path(folder)
        if len(here.relative_to(root).parts) >= MAX_DEPTH:
            raise TrialDataError(f"{here}: folders are nested more than {MAX_DEPTH} deep.")
        folders[:] = [name for name in folders if name not in skip]
        for name in names:
            seen += 1
            if seen > MAX_FILES:
                raise TrialDataError(f"{root}: more than {MAX_FILES} files in this folder.")
            if any(fnmatch(name, pattern) for pattern in patterns):
                file = here / name
                if not file.is_symlink():
                    yield file


def _either(patterns: tuple[str, ...]) -> str:
    """Write patterns as alternatives."""
    return "anything" if patterns == ("*",) else " or ".join(patterns)


def _unique(files: list[Path]) -> list[Path]:
    """Sort naturally, each file once."""
    once = {os.path.realpath(file): file for file in reversed(files)}
    return sorted(once.values(), key=natural)


def natural(path: object) -> list[tuple[int, int, str]]:
    """Sort key that reads runs of digits as numbers, so that 10 follows 9."""
    parts = re.split(r"([0-9]{1,18})", str(path))
    return [(1, int(part), "") if i % 2 else (0, 0, part) for i, part in enumerate(parts)]


def read_bytes(file: Path, max_bytes: int) -> bytes:
    """Read a regular file, gunzipped if its name ends in .gz, up to a size."""
    try:
        if not stat.S_ISREG(file.stat().st_mode):
            raise TrialDataError(f"{file}: not a regular file.")
        if file.suffix == ".gz":
            with gzip.open(file) as stream:
                data = stream.read(max_bytes + 1)
        else:
            with file.open("rb") as stream:
                data = stream.read(max_bytes + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise TrialDataError(f"{file}: cannot be read: {error}.") from error
    if len(data) > max_bytes:
        raise TrialDataError(
            f"{file}: larger than {max_bytes} bytes. Give a larger max_bytes= if you trust it."
        )
    return data


def read_text(file: Path, max_bytes: int) -> str:
    """Read UTF-8 text, with or without a byte order mark."""
    data = read_bytes(file, max_bytes)
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise TrialDataError(
            f"{file}, line {line}: not UTF-8 text (byte {data[error.start]:#04x} at position "
            f"{error.start})."
        ) from None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Make an object; a key that occurs twice would silently lose a value."""
    made = dict(pairs)
    if len(made) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for i, name in enumerate(names) if name in names[:i])
        raise ValueError(f"the key {twice!r} occurs twice in one object")
    return made


def parse_json(text: str, where: str, *, lines: bool = True) -> Any:
    """Parse JSON, naming the place of an error."""
    try:
        return json.loads(text, object_pairs_hook=_object)
    except json.JSONDecodeError as error:
        line = f", line {error.lineno}" if lines else ""
        ended = error.pos >= len(text.rstrip()) - 1 or error.msg.startswith("Unterminated")
        cut = " It may be cut off." if ended else ""
        raise TrialDataError(
            f"{where}{line}, column {error.colno}: not JSON ({error.msg}).{cut}"
        ) from None
    except RecursionError:
        raise TrialDataError(f"{where}: JSON nested too deeply.") from None
    except ValueError as error:
        raise TrialDataError(f"{where}: JSON with a value that cannot be read: {error}.") from None


def read_json(file: Path, max_bytes: int) -> Any:
    """Read a JSON file."""
    return parse_json(read_text(file, max_bytes), str(file))
