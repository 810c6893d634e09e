"""Vectors, as they are stored: little-endian 32-bit floats (IEEE 754) in base64, which is also OpenAI's `base64`."""

import base64
import math
import struct
from collections.abc import Sequence

BYTES = 4
"""Of one number."""


def packed(numbers: Sequence[float]) -> str:
    """Return a vector in base64; raise ValueError for an empty one, and where one is no finite 32-bit float."""
    try:
        content = struct.pack(f"<{len(numbers)}f", *numbers)
        finite = math.isfinite(sum(numbers))
    except (struct.error, OverflowError, TypeError) as err:
        message = "not all of it are numbers"
        raise ValueError(message) from err
    if not content or not finite:
        message = "it is empty or has infinite numbers"
        raise ValueError(message)
    return base64.b64encode(content).decode("ascii")


def repacked(text: str) -> str:
    """Return base64 as `packed` writes it, of what may be no vector; raise ValueError then."""
    return packed(numbers_of(text))


def numbers_of(text: str) -> tuple[float, ...]:
    """Return the numbers of a vector; raise ValueError for what is no base64 of 32-bit floats."""
    content = base64.b64decode(text, validate=True)
    try:
        return struct.unpack(f"<{len(content) // BYTES}f", content)
    except struct.error as err:
        message = f"it has {len(content)} bytes, which are no whole number of floats"
        raise ValueError(message) from err


def as_json(text: str) -> str:
    """Return a vector as a JSON list of numbers: in nine digits, which tell all 32-bit floats apart."""
    numbers = numbers_of(text)
    return f"[{('%.9g,' * len(numbers))[:-1]}]" % numbers


def dimensions_of(text: str) -> int:
    """Return how many numbers a vector has."""
    padding = text[-2:].count("=")
    return (len(text) * 3 // 4 - padding) // BYTES
