"""PNG: a signature, then chunks of a length, a type, content and a checksum (ISO/IEC 15948)."""

import struct

from shared.domain.picture_formats.bounds import Shape, broken, too_many, truncated

SIGNATURE = b"\x89PNG\r\n\x1a\n"
MAX_CHUNKS = 10_000
"""Encoders write chunks of 8 kB or more, so that 10 MB make at most 1,250."""

_NAME = "PNG"
_CHUNK = struct.Struct(">I4s")
_SIZE = struct.Struct(">II")
_CHECKSUM_BYTES = 4
_HEADER_BYTES = 13


def walk(content: bytes) -> Shape:
    """Return the shape; raise UnsupportedPicture if the chunks contradict each other or are too many."""
    shape, place, has_pixels = None, len(SIGNATURE), False
    for _ in range(MAX_CHUNKS):
        length, kind = _chunk(content, place)
        start = place + _CHUNK.size
        place = start + length + _CHECKSUM_BYTES
        if place > len(content):
            raise truncated(_NAME)
        if shape is None:
            shape = _shape(content, start, length, kind)
        has_pixels |= kind == b"IDAT"
        if kind == b"IEND":
            if not has_pixels:
                raise broken(_NAME, "it has no pixels")
            return shape
    raise too_many(_NAME, "chunks", MAX_CHUNKS)


def _chunk(content: bytes, place: int) -> tuple[int, bytes]:
    if place + _CHUNK.size > len(content):
        raise truncated(_NAME)
    length, kind = _CHUNK.unpack_from(content, place)
    return length, kind


def _shape(content: bytes, start: int, length: int, kind: bytes) -> Shape:
    if kind != b"IHDR" or length != _HEADER_BYTES:
        raise broken(_NAME, "it does not begin with its header")
    return Shape(*_SIZE.unpack_from(content, start))
