"""WebP: chunks in a RIFF container; the first one is the picture, or says how large it is (RFC 9649)."""

import struct

from shared.domain.picture_formats.bounds import MAX_FRAMES, Shape, broken, too_many, truncated

CONTAINER, FORMAT = b"RIFF", b"WEBP"
MAX_CHUNKS = MAX_FRAMES + 1_000

_NAME = "WebP"
_RIFF = struct.Struct("<4sI4s")
_CHUNK = struct.Struct("<4sI")
_LOSSY_START = b"\x9d\x01\x2a"
_LOSSLESS_START = 0x2F
_FOURTEEN_BITS = 0x3FFF


def walk(content: bytes) -> Shape:
    """Return the shape; raise UnsupportedPicture if the chunks contradict each other or are too many."""
    try:
        return _walk(content)
    except (IndexError, struct.error) as err:
        raise truncated(_NAME) from err


def _walk(content: bytes) -> Shape:
    _, size, _ = _RIFF.unpack_from(content)
    end = size + 8
    if end > len(content):
        raise truncated(_NAME)
    shape, place, frames, chunks = None, _RIFF.size, 0, 0
    while place + _CHUNK.size <= end:
        kind, length = _CHUNK.unpack_from(content, place)
        start = place + _CHUNK.size
        place = start + length + length % 2
        if start + length > end:
            raise truncated(_NAME)
        shape = shape or _shape(content, kind, start)
        frames += kind in {b"VP8 ", b"VP8L", b"ANMF"}
        chunks += 1
        _check(frames, chunks)
    if shape is None or not frames:
        raise broken(_NAME, "it has no pixels")
    return shape


def _shape(content: bytes, kind: bytes, start: int) -> Shape:
    if kind == b"VP8X":
        width, height = (int.from_bytes(content[at : at + 3], "little") + 1 for at in (start + 4, start + 7))
        return Shape(width, height)
    if kind == b"VP8 " and content[start + 3 : start + 6] == _LOSSY_START:
        width, height = struct.unpack_from("<HH", content, start + 6)
        return Shape(width & _FOURTEEN_BITS, height & _FOURTEEN_BITS)
    if kind == b"VP8L" and content[start] == _LOSSLESS_START:
        (bits,) = struct.unpack_from("<I", content, start + 1)
        return Shape((bits & _FOURTEEN_BITS) + 1, (bits >> 14 & _FOURTEEN_BITS) + 1)
    raise broken(_NAME, "it does not begin with its header")


def _check(frames: int, chunks: int) -> None:
    if frames > MAX_FRAMES:
        raise too_many(_NAME, "frames", MAX_FRAMES)
    if chunks > MAX_CHUNKS:
        raise too_many(_NAME, "chunks", MAX_CHUNKS)
