"""A requests session that waits no longer than the deadline of its call (see `deadline.py`)."""

import io
import logging
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPException, HTTPResponse
from typing import TYPE_CHECKING, Any, TypeVar

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError
from urllib3.response import BaseHTTPResponse

from workers.outbound.body_limit import bounded, collect
from workers.outbound.content_coding import ACCEPTED, BadCoding
from workers.outbound.deadline import has_passed, time_left, waits_on

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

CHUNK_BYTES = 64 * 1024

_NOT_HTTP = (HTTPException, BadCoding, OverflowError, ValueError)
"""Errors for an answer that is not HTTP: a chunk of negative size, for example, raises ValueError."""

S = TypeVar("S", bound=requests.Session)


class NotHTTP(requests.RequestException):
    """The answer is not HTTP. It replaces errors that are no subclasses of the libraries' own."""


def under_deadline(session: S) -> S:
    """Limit the waits of the session's connections; make it ignore the environment's proxies and passwords.

    It asks for no coding but the one that `read` undoes.
    """
    # urllib3 logs whole URLs, and the URL of a picture is a client's input.
    logging.getLogger("urllib3").setLevel(logging.ERROR)
    session.trust_env = False
    session.headers["Accept-Encoding"] = ACCEPTED
    for adapter in session.adapters.values():
        if isinstance(adapter, HTTPAdapter):
            adapter.poolmanager.pool_classes_by_scheme = {"http": _HTTPPool, "https": _HTTPSPool}
    return session


def send(session: requests.Session, request: requests.Request) -> requests.Response:
    """Send the request once; return the response with its body unread. The caller must close it.

    It uses the adapter, because a session reads the whole body of a redirect, even when told not to follow it. Raises
    requests.RequestException, and what `time_left` and the address check raise.
    """
    prepared = session.prepare_request(request)
    adapter = session.get_adapter(prepared.url or "")
    with _named_errors():
        return adapter.send(prepared, stream=True, timeout=time_left(), verify=True)


def read(response: requests.Response, max_bytes: int) -> bytes:
    """Return the decoded body; raise BodyTooLarge for more than `max_bytes`, and requests.RequestException."""
    chunks = response.raw.stream(CHUNK_BYTES, decode_content=False)
    with _named_errors():
        return collect(chunks, max_bytes, response.headers.get("Content-Encoding", ""))


def arriving(response: requests.Response, max_bytes: int) -> Iterator[bytes]:
    """Yield the decoded body as it comes; raise as `read` does."""
    with _named_errors():
        yield from bounded(_as_it_comes(response.raw), max_bytes, response.headers.get("Content-Encoding", ""))


def _as_it_comes(raw: BaseHTTPResponse) -> Iterator[bytes]:
    if raw.chunked:
        yield from raw.stream(CHUNK_BYTES, decode_content=False)
        return
    # `stream` would wait until it has as much as it was asked for.
    while piece := raw.read1(CHUNK_BYTES, decode_content=False):
        yield piece


@contextmanager
def _named_errors() -> Iterator[None]:
    try:
        yield
    except (requests.RequestException, HTTPError) as err:
        # requests reports a timeout while sending, or within the body, as a connection error.
        if has_passed():
            raise requests.Timeout(err) from err
        if isinstance(err, HTTPError):
            raise requests.ConnectionError(err) from err
        raise
    except _NOT_HTTP as err:
        raise NotHTTP(err) from err


class _BoundedFile(io.RawIOBase):
    """The reading end of a socket. No read waits longer than the deadline."""

    def __init__(self, raw: io.RawIOBase, sock: socket.socket) -> None:
        self._raw = raw
        self._sock = sock

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer") -> int | None:
        _bound(self._sock)
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()


class _BoundedResponse(HTTPResponse):
    """Reads status line, headers and body through a file whose reads end with the deadline."""

    def __init__(self, sock: socket.socket, debuglevel: int = 0, method: str | None = None) -> None:
        super().__init__(sock, debuglevel, method)
        self.fp = io.BufferedReader(_BoundedFile(self.fp.detach(), sock))


class _BoundedConnection:
    """A mixin for urllib3's connections: reads, and writes in pieces, that end with the deadline."""

    response_class: Any = _BoundedResponse
    sock: Any

    def send(self, data: object) -> None:
        for piece in _pieces(data) if isinstance(data, bytes) else (data,):
            if self.sock is not None:
                _bound(self.sock)
            super().send(piece)  # type: ignore[misc]  # the connection's own


def _pieces(content: bytes) -> Iterator[bytes]:
    return (content[start : start + CHUNK_BYTES] for start in range(0, len(content), CHUNK_BYTES))


def _bound(sock: socket.socket) -> None:
    # In this order: a call that must stop before `time_left` finds no time left; later, its socket is shut down.
    waits_on(sock)
    left = time_left()
    if left is not None:
        sock.settimeout(left)


class _HTTPConnection(_BoundedConnection, HTTPConnection):
    pass


class _HTTPSConnection(_BoundedConnection, HTTPSConnection):
    pass


class _HTTPPool(HTTPConnectionPool):
    ConnectionCls = _HTTPConnection


class _HTTPSPool(HTTPSConnectionPool):
    ConnectionCls = _HTTPSConnection
