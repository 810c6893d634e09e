"""JPEG: segments that begin with a marker, and scans of coded pixels between them (ITU-T T.81, annex B)."""

import re
import struct

from shared.domain.picture_formats.bounds import Shape, UnsupportedPicture, broken, too_many, truncated

MAX_SEGMENTS = 2_000
"""10 MB of metadata make 160 segments of 64 kB, and each scan adds a few."""

MAX_SCANS = 200
"""Each scan is a pass over the whole picture. Progressive encoders make about ten, or a hundred with odd settings."""

MAX_STRAY_BYTES = 4_096
"""Bytes between segments, before the pixels: fill bytes, and what some cameras leave. Decoders look at each of them."""

_NAME = "JPEG"
_START_BYTES = 2
_MARKER = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]")
_LENGTH = struct.Struct(">H")
_FRAME = struct.Struct(">HBHH")
_FIRST_WITH_LENGTH = 0xC0
_START_OF_IMAGE, _END_OF_IMAGE, _START_OF_SCAN = 0xD8, 0xD9, 0xDA
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}


def walk(content: bytes) -> Shape:
    """Return the shape; raise UnsupportedPicture for contradictory segments, and for too many segments or scans."""
    shape, scans, stray, place = None, 0, 0, _START_BYTES
    for _ in range(MAX_SEGMENTS):
        marker, start = _next_marker(content, place, len(content) if scans else place + MAX_STRAY_BYTES + 2)
        stray += 0 if scans else start - 2 - place
        _check_stray(stray)
        if marker == _END_OF_IMAGE:
            return _whole(shape, scans)
        place = start + _length(content, marker, start)
        if marker in _FRAMES:
            shape = _shape(content, start, shape)
        scans += marker == _START_OF_SCAN
        if scans > MAX_SCANS:
            raise too_many(_NAME, "scans", MAX_SCANS)
    raise too_many(_NAME, "segments", MAX_SEGMENTS)


def _next_marker(content: bytes, place: int, until: int) -> tuple[int, int]:
    """Return the next marker and the place after it; skip fill bytes, coded pixels and restart markers."""
    found = _MARKER.search(content, place, until)
    if found is None:
        raise truncated(_NAME) if until >= len(content) else _too_stray()
    return content[found.end() - 1], found.end()


def _length(content: bytes, marker: int, start: int) -> int:
    if marker < _FIRST_WITH_LENGTH or marker == _START_OF_IMAGE:
        return 0
    if start + _LENGTH.size > len(content):
        raise truncated(_NAME)
    (length,) = _LENGTH.unpack_from(content, start)
    if length < _LENGTH.size:
        raise broken(_NAME, "a segment has no length")
    return int(length)


def _shape(content: bytes, start: int, known: Shape | None) -> Shape:
    if known is not None:
        raise broken(_NAME, "it has two headers")
    if start + _FRAME.size > len(content):
        raise truncated(_NAME)
    _, _, height, width = _FRAME.unpack_from(content, start)
    return Shape(width, height)


def _check_stray(stray: int) -> None:
    if stray > MAX_STRAY_BYTES:
        raise _too_stray()


def _too_stray() -> UnsupportedPicture:
    return too_many(_NAME, "bytes between its segments", MAX_STRAY_BYTES)


def _whole(shape: Shape | None, scans: int) -> Shape:
    if shape is None or not scans:
        raise broken(_NAME, "it has no pixels")
    return shape
