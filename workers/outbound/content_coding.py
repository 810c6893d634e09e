"""Undoes the compression of an answer's body in small pieces, so that no body is much work between two of its reads.

The HTTP clients can do it too, but they accept chains of codings, such as `gzip, gzip, gzip`. A few kilobytes that were
compressed several times become many gigabytes within one step. No deadline and no limit of bytes applies to that step.
"""

import zlib
from collections.abc import Iterable, Iterator

ACCEPTED = "gzip"
"""The value of Accept-Encoding for calls whose answers may be compressed."""

PIECE_BYTES = 64 * 1024

_GZIP = ("gzip", "x-gzip")
_PLAIN = ("", "identity")
_GZIP_FORMAT = 16 + zlib.MAX_WBITS


class BadCoding(Exception):
    """The body has a coding that we did not ask for, or is not what its coding says."""


def decoded(chunks: Iterable[bytes], coding: str) -> Iterator[bytes]:
    """Yield the body without its coding, in pieces of at most PIECE_BYTES; a body without coding in its own chunks.

    `coding`: the value of Content-Encoding (RFC 9110). An empty body has none, and what follows after the end of the
    compressed data is ignored. Raises BadCoding.
    """
    name = coding.strip().lower()
    if name in _PLAIN:
        return iter(chunks)
    if name in _GZIP:
        return _unzipped(chunks)
    raise BadCoding


def _unzipped(chunks: Iterable[bytes]) -> Iterator[bytes]:
    unzip, empty = zlib.decompressobj(_GZIP_FORMAT), True
    try:
        for chunk in chunks:
            left, empty = chunk, False
            while left and not unzip.eof:
                yield unzip.decompress(left, PIECE_BYTES)
                left = unzip.unconsumed_tail
    except zlib.error as err:
        raise BadCoding from err
    if not unzip.eof and not empty:
        raise BadCoding
