"""GIF: a screen, then extensions and frames, each a chain of sub-blocks of at most 255 bytes (GIF89a)."""

import struct

from shared.domain.picture_formats.bounds import MAX_FRAMES, Shape, UnsupportedPicture, broken, too_many, truncated

MAX_EXTENSIONS = 2 * MAX_FRAMES + 1_000
MAX_STRAY_BYTES = 1_024
"""Bytes between blocks: some encoders leave zeros there."""

FEWEST_BYTES_PER_SUB_BLOCK = 64
SPARE_SUB_BLOCKS = 40_000
"""Encoders fill every sub-block of a chain except the last. The spare ones are for tiny frames, whose only sub-block is
the last."""

_NAME = "GIF"
_SCREEN = struct.Struct("<6xHHBxx")
_FRAME = struct.Struct("<HHHHB")
_EXTENSION, _IMAGE, _TRAILER = 0x21, 0x2C, 0x3B
_HAS_COLOURS = 0x80
_SIZE_OF_COLOURS = 0x07


def walk(content: bytes) -> Shape:
    """Return the shape; raise UnsupportedPicture if the blocks contradict each other or are too many."""
    try:
        return _Walk(content).shape()
    except (IndexError, struct.error) as err:
        raise truncated(_NAME) from err


class _Walk:
    """One pass over the blocks. Raises IndexError or struct.error if the file ends too early."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self._sub_blocks = len(content) // FEWEST_BYTES_PER_SUB_BLOCK + SPARE_SUB_BLOCKS

    def shape(self) -> Shape:
        width, height, flags = _SCREEN.unpack_from(self._content)
        shape, frames, extensions, stray = Shape(width, height), 0, 0, 0
        place = _SCREEN.size + _colours(flags)
        while (kind := self._content[place]) != _TRAILER:
            place += 1
            if kind == _EXTENSION:
                extensions += 1
                place = self._after_chain(place + 1)
            elif kind == _IMAGE:
                shape, place = self._frame(place, shape, first=not frames)
                frames += 1
            else:
                stray += 1
            _check(frames, extensions, stray)
        if not frames:
            raise broken(_NAME, "it has no pixels")
        return shape

    def _frame(self, place: int, screen: Shape, *, first: bool) -> tuple[Shape, int]:
        left, top, width, height, flags = _FRAME.unpack_from(self._content, place)
        place = self._after_chain(place + _FRAME.size + _colours(flags) + 1)
        # Decoders enlarge the screen to a first frame that exceeds it.
        shape = Shape(max(screen.width, left + width), max(screen.height, top + height)) if first else screen
        return shape, place

    def _after_chain(self, place: int) -> int:
        content, left = self._content, self._sub_blocks
        while size := content[place]:
            place += size + 1
            left -= 1
            if left < 0:
                raise _too_finely_cut()
        self._sub_blocks = left
        return place + 1


def _colours(flags: int) -> int:
    return 3 << (flags & _SIZE_OF_COLOURS) + 1 if flags & _HAS_COLOURS else 0


def _check(frames: int, extensions: int, stray: int) -> None:
    if frames > MAX_FRAMES:
        raise too_many(_NAME, "frames", MAX_FRAMES)
    if extensions > MAX_EXTENSIONS:
        raise too_many(_NAME, "extensions", MAX_EXTENSIONS)
    if stray > MAX_STRAY_BYTES:
        raise too_many(_NAME, "bytes between its blocks", MAX_STRAY_BYTES)


def _too_finely_cut() -> UnsupportedPicture:
    return broken(_NAME, "it is cut into too many small blocks")
