"""A limit for the bytes of an answer: for those that arrive, and for those that they are decoded to."""

from collections.abc import Iterable, Iterator

from workers.outbound.content_coding import decoded


class BodyTooLarge(Exception):
    """The body is longer than the caller's limit."""


def collect(chunks: Iterable[bytes], max_bytes: int, coding: str = "") -> bytes:
    """Return the chunks as one, without their coding (the value of Content-Encoding).

    Raises BodyTooLarge as soon as more than `max_bytes` have arrived or been decoded, and BadCoding.
    """
    return b"".join(bounded(chunks, max_bytes, coding))


def bounded(chunks: Iterable[bytes], max_bytes: int, coding: str = "") -> Iterator[bytes]:
    """Yield the chunks as they come, without their coding; raise as `collect` does."""
    return _limited(decoded(_limited(chunks, max_bytes), coding), max_bytes)


def _limited(chunks: Iterable[bytes], max_bytes: int) -> Iterator[bytes]:
    left = max_bytes
    for chunk in chunks:
        left -= len(chunk)
        if left < 0:
            raise BodyTooLarge
        yield chunk
