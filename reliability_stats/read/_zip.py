"""Members of a zip archive, each up to a size; nothing is written to disk."""

from __future__ import annotations

import lzma
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from ..exceptions import TrialDataError

MAX_MEMBERS = 1_000_000
MAX_RATIO = 1000
BROKEN = (
    *(zipfile.BadZipFile, OSError, EOFError, zlib.error, lzma.LZMAError, struct.error),
    *(ValueError, RuntimeError),  # RuntimeError: encrypted, or of a version that is not known
)
STORED_OR_DEFLATED = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)


@contextmanager
def archive(file: Path, max_bytes: int) -> Iterator[zipfile.ZipFile]:
    """Open an archive after its directory is found harmless."""
    if not file.is_file():
        raise TrialDataError(f"{file}: not a regular file.")
    try:
        with zipfile.ZipFile(file) as opened:
            _check(file, opened, max_bytes)
            yield opened
    except BROKEN as error:
        if isinstance(error, TrialDataError):
            raise
        raise TrialDataError(f"{file}: cannot be read as a zip archive: {error}.") from error


def _check(file: Path, opened: zipfile.ZipFile, max_bytes: int) -> None:
    """Refuse archives that escape, link, repeat a name or unpack to too much."""
    members = opened.infolist()
    if len(members) > MAX_MEMBERS:
        raise TrialDataError(f"{file}: more than {MAX_MEMBERS} members.")
    names = set()
    total = 0
    for member in members:
        path = PurePosixPath(member.filename.replace("\\", "/"))
        if path.is_absolute() or ".." in path.parts or ":" in member.filename:
            raise TrialDataError(
                f"{file}: the member {member.filename!r} lies outside the archive."
            )
        if stat.S_ISLNK(member.external_attr >> 16):
            raise TrialDataError(f"{file}: the member {member.filename!r} is a link.")
        if member.filename in names:
            raise TrialDataError(f"{file}: the member {member.filename!r} occurs twice.")
        names.add(member.filename)
        total += member.file_size
        if total > max_bytes or member.file_size > MAX_RATIO * max(member.compress_size, 1000):
            raise TrialDataError(
                f"{file}: unpacks to more than max_bytes={max_bytes} allows, or is packed too "
                "tightly. Give a larger max_bytes= if you trust it."
            )


def readable(opened: zipfile.ZipFile) -> bool:
    """Say whether the standard library can unpack every member."""
    known = {*STORED_OR_DEFLATED, getattr(zipfile, "ZIP_ZSTANDARD", zipfile.ZIP_STORED)}
    return all(member.compress_type in known for member in opened.infolist())


def member(opened: zipfile.ZipFile, name: str, file: Path, max_bytes: int) -> str:
    """Read a member as UTF-8 text."""
    with opened.open(name) as stream:
        data = stream.read(max_bytes + 1)
    if len(data) > max_bytes:
        raise TrialDataError(f"{file}, {name}: larger than {max_bytes} bytes.")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise TrialDataError(
            f"{file}, {name}: not UTF-8 text (byte {data[error.start]:#04x} at position "
            f"{error.start})."
        ) from None
