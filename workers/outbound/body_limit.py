"""A limit for the bytes of an answer, counted after decoding."""

from collections.abc import Iterable


class BodyTooLarge(Exception):
    """The body is longer than the caller's limit."""


def collect(chunks: Iterable[bytes], max_bytes: int) -> bytes:
    """Return the chunks as one; raise BodyTooLarge as soon as they are more than `max_bytes`."""
    content = bytearray()
    for chunk in chunks:
        content += chunk
        if len(content) > max_bytes:
            raise BodyTooLarge
    return bytes(content)
