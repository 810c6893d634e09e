"""HTTP/1.1 byte by byte: what is sent is anything, what comes back is read strictly (RFC 9112)."""

import re
import socket
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import urlsplit

SECONDS = 30
"""Longer than the server gives any head or body; a connection that is still silent then is a failure."""

LIVE = "/api/v1/health/live"
CANARY = f"GET {LIVE} HTTP/1.1\r\nHost: localhost\r\nX-Request-ID: canary\r\nConnection: close\r\n\r\n".encode()
SMUGGLED = b"GET /api/v1/tasks HTTP/1.1\r\nHost: localhost\r\nX-Request-ID: smuggled\r\n\r\n"
"""A request that is the content of another one, and so must not be answered."""

_STATUS = re.compile(rb"HTTP/1\.[01] ([1-5][0-9]{2}) [\t\x20-\x7e]*")
_FIELD = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+): ?([\x20-\x7e\t\x80-\xff]*)")


class NotHttp(Exception):
    """What came back can't be told apart into responses."""


@dataclass(frozen=True)
class Answer:
    """One response. Names of headers are in lower case; each has all its values."""

    status: int
    headers: dict[str, list[str]]
    body: bytes

    @property
    def known_as(self) -> str:
        """The X-Request-ID, empty if there is none."""
        return ", ".join(self.headers.get("x-request-id", []))


def exchange(url: str, *sent: bytes, to_head: bool = False) -> list[Answer]:
    """Send bytes on one connection, and return all responses until the server closes it.

    `to_head`: the first request is a HEAD, whose response has no body. Raises NotHttp, and TimeoutError if the
    server neither answers nor closes.
    """
    address = urlsplit(url)
    with socket.create_connection((str(address.hostname), int(address.port or 80)), timeout=SECONDS) as connection:
        # A server that has refused the beginning may be gone before the end has been sent.
        with suppress(ConnectionError):
            connection.sendall(b"".join(sent))
        return list(answers(_read(connection), to_head=to_head))


def _read(connection: socket.socket) -> bytes:
    received = bytearray()
    with suppress(ConnectionResetError):
        while part := connection.recv(65536):
            received += part
    return bytes(received)


def answers(received: bytes, *, to_head: bool = False) -> Iterator[Answer]:
    """Yield the responses of which these bytes consist; raise NotHttp if a byte is left over or missing."""
    has_body = not to_head
    while received:
        head, found, received = received.partition(b"\r\n\r\n")
        first, *lines = head.split(b"\r\n")
        status = _STATUS.fullmatch(first)
        if not found or status is None:
            raise NotHttp(head[:200])
        headers: dict[str, list[str]] = {}
        for line in lines:
            match = _FIELD.fullmatch(line)
            if match is None:
                raise NotHttp(line[:200])
            headers.setdefault(match[1].decode().lower(), []).append(match[2].decode("latin-1"))
        length = _length(int(status[1]), headers) if has_body else 0
        if len(received) < length:
            raise NotHttp(received[:200])
        yield Answer(int(status[1]), headers, received[:length])
        received, has_body = received[length:], True


def _length(status: int, headers: dict[str, list[str]]) -> int:
    if status < 200 or status in {204, 304}:
        return 0
    given = headers.get("content-length", [])
    if "transfer-encoding" in headers or len(given) != 1 or not given[0].isascii() or not given[0].isdigit():
        raise NotHttp(repr(headers))
    return int(given[0])
