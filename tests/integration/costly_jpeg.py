"""A small JPEG that is whole and valid, and much work to decode: scan after scan over 25 megapixels of nothing."""

import struct

SIDE = 5_000
BLOCKS = (SIDE // 8) ** 2
LONGEST_RUN = 16_384

START, END = b"\xff\xd8", b"\xff\xd9"


def costly_jpeg(scans: int) -> bytes:
    """Return a progressive JPEG of so many scans; each but the first has some 60 bytes."""
    first = _scan(0, 0, BLOCKS // 8 + 1)
    # Each code says that there is nothing in the next 16,384 blocks.
    again = _scan(1, 63, (BLOCKS // LONGEST_RUN + 1) * 15 // 8 + 1)
    return b"".join((START, _QUANTIZERS, _FRAME, _codes(0x00, 0), _codes(0x10, 0xE0), first, again * (scans - 1), END))


def _segment(marker: int, content: bytes) -> bytes:
    return bytes((0xFF, marker)) + struct.pack(">H", len(content) + 2) + content


def _codes(table: int, symbol: int) -> bytes:
    """Make one zero bit mean this symbol."""
    return _segment(0xC4, bytes((table, 1)) + bytes(15) + bytes((symbol,)))


def _scan(first: int, last: int, size: int) -> bytes:
    return _segment(0xDA, bytes((1, 1, 0, first, last, 0))) + bytes(size)


_QUANTIZERS = _segment(0xDB, bytes((0,)) + bytes((1,)) * 64)
_FRAME = _segment(0xC2, struct.pack(">BHHBBBB", 8, SIDE, SIDE, 1, 1, 0x11, 0))
