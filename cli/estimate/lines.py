"""The records of log files, one after another. A line has one record, or a list or page of several."""

import gzip
import json
import sys
import zlib
from codecs import BOM_UTF8
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from cli.errors import CommandFailed
from cli.exit_codes import ExitCode
from cli.reading import reading

STDIN = Path("-")
MAX_LINE_BYTES = 32 * 1024 * 1024
"""A longer line is broken: memory must not depend on it."""

PAGES = ("data", "requests")
"""Members that hold the records of a page: of LiteLLM's `/spend/logs/v2`, and of our own `/api/v1/requests`."""


class Line(NamedTuple):
    """`file`: its index. `offset`, `size`: where it begins, and how long it is, in bytes.

    `records`: None if it is broken. `cut`: LiteLLM says in it that it has shortened a text.
    """

    file: int
    offset: int
    size: int
    records: Sequence[dict[str, Any]] | None
    cut: bool = False


# json.loads would look for another encoding than UTF-8 first.
_decode = json.JSONDecoder().decode

DAMAGED = (EOFError, gzip.BadGzipFile, zlib.error)
"""What the end of half a `.gz` raises, and what is none."""

CUT = b"(litellm_truncated skipped "


def lines_of(files: Sequence[Path]) -> Iterator[Line]:
    """Yield all lines of these files but empty ones, in order. `-` is the standard input, `.gz` is unpacked.

    Raises CommandFailed for a file that can't be read.
    """
    for index, path in enumerate(files):
        with reading(path):
            try:
                yield from _lines_of_one(index, path)
            except DAMAGED as error:
                message = f"{path} is damaged or cut off: {error}. Fetch or compress it anew"
                raise CommandFailed(message, ExitCode.USAGE) from error


def _lines_of_one(index: int, path: Path) -> Iterator[Line]:
    with opened(path) as file:
        offset = 0
        while line := file.readline(MAX_LINE_BYTES + 1):
            size = len(line)
            if size > MAX_LINE_BYTES:
                yield Line(index, offset, size, None)
                size += _skip(file)
            elif not line.isspace():
                yield Line(index, offset, size, records_in(line), CUT in line)
            offset += size


def opened(path: Path) -> BinaryIO:
    """Open a file for reading."""
    if path == STDIN:
        return sys.stdin.buffer
    return gzip.open(path) if path.suffix == ".gz" else path.open("rb")  # type: ignore[return-value]  # both read bytes


def records_in(line: bytes) -> Sequence[dict[str, Any]] | None:
    """Return the records of a line; None if it is no JSON, or not such JSON."""
    try:
        found = _decode(line.removeprefix(BOM_UTF8).decode())
    except (ValueError, RecursionError):
        return None
    if isinstance(found, dict):
        page = next((found[name] for name in PAGES if isinstance(found.get(name), list)), None)
        found = [found] if page is None else page
    if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
        return None
    return found


def _skip(file: BinaryIO) -> int:
    """Read to the end of a line; return how many bytes that were."""
    skipped = 0
    while part := file.readline(MAX_LINE_BYTES):
        skipped += len(part)
        if part.endswith(b"\n"):
            break
    return skipped
