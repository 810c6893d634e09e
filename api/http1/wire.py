"""Responses as the bytes that are sent."""

import functools
from collections.abc import Iterable
from email.utils import formatdate
from http import HTTPStatus
from time import time

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
LAST_CHUNK = b"0\r\n\r\n"
CHUNKED = "transfer-encoding: chunked\r\n"
OF_THE_CONNECTION = frozenset({"connection", "content-length", "transfer-encoding", "date"})
"""Fields that only the server sets."""

# As numbers: an enumeration's hash is made in Python.
_WITHOUT_BODY = frozenset({HTTPStatus.NO_CONTENT.value, HTTPStatus.NOT_MODIFIED.value})
_FIRST_LINES = {status.value: f"HTTP/1.1 {status.value} {status.phrase}\r\n" for status in HTTPStatus}


class Dates:
    """The Date of a response (RFC 9110, section 6.6.1), written once a second."""

    __slots__ = ("_line", "_second")

    def __init__(self) -> None:
        self._second = 0
        self._line = ""

    def line(self) -> str:
        """Return the field of this second."""
        if (second := int(time())) != self._second:
            self._second, self._line = second, f"date: {formatdate(second, usegmt=True)}\r\n"
        return self._line


def has_no_body(status: int) -> bool:
    """Whether responses of this status have neither a body nor a length (RFC 9110, section 6.4.1)."""
    return status in _WITHOUT_BODY


def length(size: int) -> str:
    """Return the field that says how long a body is."""
    return f"content-length: {size}\r\n"


def connection(*, closes: bool, is_old: bool) -> str:
    """Return what a response says about its connection. `is_old`: the client speaks HTTP/1.0."""
    if closes:
        return "connection: close\r\n"
    return "connection: keep-alive\r\n" if is_old else ""


def head(status: int, headers: Iterable[tuple[str, str]], own: str) -> bytes:
    """Return the head of a response. `own`: whole lines that the server adds.

    Raises ValueError where a header has a line break: it could be taken for another header.
    """
    lines = [f"{start}{value}\r\n" for name, value in headers if (start := _start(name))]
    text = "".join(lines)
    if text.count("\n") != len(lines) or text.count("\r") != len(lines):
        message = "a header with a line break"
        raise ValueError(message)
    first = _FIRST_LINES.get(status) or f"HTTP/1.1 {status} \r\n"
    return f"{first}{text}{own}\r\n".encode("latin-1")


@functools.lru_cache(maxsize=256)
def _start(name: str) -> str:
    """Return how the line of a field begins, nothing for a field that only the server sets."""
    low = name.lower()
    return "" if low in OF_THE_CONNECTION else f"{low}: "
