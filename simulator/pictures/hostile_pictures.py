"""Hostile pictures, as bytes or as streams of bytes, to test a reader's limits."""

import struct
import time
import zlib
from collections.abc import Iterator

PNG_START = b"\x89PNG\r\n\x1a\n"
BOMB_SIDE = 20_000
CHUNK = bytes(65_536)
DRIP_PAUSE = 0.05
ICON = (
    b'<svg xmlns="http://www.w3.org/2000/svg" width="64" height="64">'
    b'<circle cx="32" cy="32" r="28" fill="teal"/></svg>\n'
)
TEXT = b"This is text, whatever the headers say.\n"


def bomb() -> bytes:
    """Return a valid PNG of 400 million pixels in about 50 kB."""
    deflate = zlib.compressobj(9)
    row = bytes(1 + BOMB_SIDE // 8)
    pixels = b"".join(deflate.compress(row) for _ in range(BOMB_SIDE)) + deflate.flush()
    header = struct.pack(">IIBBBBB", BOMB_SIDE, BOMB_SIDE, 1, 0, 0, 0, 0)
    return PNG_START + _chunk(b"IHDR", header) + _chunk(b"IDAT", pixels) + _chunk(b"IEND", b"")


def large(total: int) -> Iterator[bytes]:
    """Yield `total` bytes that start like a PNG."""
    yield PNG_START[:total]
    left = total - len(PNG_START)
    while left > 0:
        yield CHUNK[:left]
        left -= len(CHUNK)


def squeezed(total: int) -> Iterator[bytes]:
    """Yield what `large` yields, compressed by gzip to a thousandth."""
    gzip = zlib.compressobj(9, zlib.DEFLATED, 16 + zlib.MAX_WBITS)
    for piece in large(total):
        yield gzip.compress(piece)
    yield gzip.flush()


def drip(content: bytes, seconds: float) -> Iterator[bytes]:
    """Yield the content in small pieces over this many seconds."""
    pieces = max(1, min(len(content), int(seconds / DRIP_PAUSE)))
    size = -(-len(content) // pieces)
    for place in range(0, len(content), size):
        time.sleep(seconds / pieces)
        yield content[place : place + size]


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
