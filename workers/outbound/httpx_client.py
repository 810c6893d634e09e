"""An httpx client that waits no longer than the deadline of its call (see `deadline.py`)."""

import socket
import ssl
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, cast

import httpcore
import httpx

from workers.outbound.body_limit import bounded
from workers.outbound.content_coding import ACCEPTED, BadCoding
from workers.outbound.deadline import time_left, within

EVENTS = "text/event-stream"

_OF_THE_BODY = frozenset({b"content-encoding", b"content-length", b"transfer-encoding", b"content-type"})
"""Headers that are not true after decoding, or that could break their readers, such as an unknown charset."""

_ERRORS: tuple[tuple[type[Exception], type[httpx.TransportError]], ...] = (
    (httpcore.TimeoutException, httpx.TimeoutException),
    (httpcore.NetworkError, httpx.NetworkError),
    (httpcore.ProtocolError, httpx.ProtocolError),
    (httpcore.ProxyError, httpx.ProxyError),
    (httpcore.UnsupportedProtocol, httpx.UnsupportedProtocol),
)
"""Errors of httpcore, each with the error of httpx that replaces it."""


def bounded_client(max_bytes: int, transport: httpx.BaseTransport | None = None) -> httpx.Client:
    """Return a client that keeps connections open, follows no redirects, and ignores proxies of the environment.

    It keeps no cookies, because one that can't be sent would make every later call fail. It raises BodyTooLarge for an
    answer of more than `max_bytes` after decoding.
    """
    return _Client(
        transport=_WholeAnswers(transport or _BoundedTransport(), max_bytes),
        headers={"Accept-Encoding": ACCEPTED},
        trust_env=False,
        follow_redirects=False,
    )


class _NoCookies(httpx.Cookies):
    def extract_cookies(self, response: httpx.Response) -> None:
        """Look for none: that would cost each call as much as its request's headers."""


class _Client(httpx.Client):
    """A client whose cookies are none, whatever a server sets."""

    @property
    def cookies(self) -> httpx.Cookies:
        return _NoCookies()

    @cookies.setter
    def cookies(self, cookies: object) -> None:
        del cookies


class _WholeAnswers(httpx.BaseTransport):
    """Reads and decodes each answer to its end, within the limit, before the client sees it.

    A stream of events is decoded, within the limit, as the client reads it.
    """

    def __init__(self, inner: httpx.BaseTransport, max_bytes: int) -> None:
        self._inner = inner
        self._max_bytes = max_bytes

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        response = self._inner.handle_request(request)
        headers = [pair for pair in response.headers.raw if pair[0].lower() not in _OF_THE_BODY]
        body = _DecodedBody(response, self._max_bytes)
        if response.headers.get("Content-Type", "").lower().startswith(EVENTS):
            headers.append((b"content-type", EVENTS.encode()))
            return httpx.Response(response.status_code, headers=headers, stream=body)
        try:
            content = b"".join(body)
        finally:
            response.close()
        return httpx.Response(response.status_code, headers=headers, content=content)

    def close(self) -> None:
        self._inner.close()


class _DecodedBody(httpx.SyncByteStream):
    """The body of an answer without its coding, within the limit."""

    def __init__(self, response: httpx.Response, max_bytes: int) -> None:
        self._response = response
        self._max_bytes = max_bytes

    def __iter__(self) -> Iterator[bytes]:
        # The stream itself: `iter_bytes` would undo the coding, each chunk in one step, however much comes out of it.
        chunks = cast("httpx.SyncByteStream", self._response.stream)
        try:
            yield from bounded(chunks, self._max_bytes, self._response.headers.get("Content-Encoding", ""))
        except BadCoding as err:
            message = "the answer is not what its Content-Encoding says"
            raise httpx.DecodingError(message) from err

    def close(self) -> None:
        self._response.close()


class _BoundedTransport(httpx.BaseTransport):
    """A transport over httpcore's pool, which accepts our network backend; httpx's own transport accepts none."""

    def __init__(self) -> None:
        self._connections = httpcore.ConnectionPool(
            ssl_context=httpx.create_ssl_context(trust_env=False),
            max_connections=None,
            keepalive_expiry=30,
            network_backend=_BoundedBackend(),
        )

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        url = request.url
        asked = httpcore.Request(
            request.method,
            httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path),
            headers=request.headers.raw,
            content=request.read(),
            extensions=request.extensions,
        )
        with errors_of_httpx():
            answer = self._connections.handle_request(asked)
        return httpx.Response(answer.status, headers=answer.headers, stream=_Body(answer))

    def close(self) -> None:
        self._connections.close()


class _Body(httpx.SyncByteStream):
    """The body of an answer, read as it arrives."""

    def __init__(self, answer: httpcore.Response) -> None:
        self._answer = answer

    def __iter__(self) -> Iterator[bytes]:
        with errors_of_httpx():
            yield from self._answer.iter_stream()

    def close(self) -> None:
        self._answer.close()


@contextmanager
def errors_of_httpx() -> Iterator[None]:
    """Replace each error that httpcore raises in the block by the error of httpx for it."""
    try:
        yield
    except tuple(raised for raised, _ in _ERRORS) as err:
        raise next(known for raised, known in _ERRORS if isinstance(err, raised))(str(err)) from err


class _BoundedBackend(httpcore.NetworkBackend):
    """Opens TCP connections whose reads and writes end with the deadline."""

    def __init__(self) -> None:
        self._inner = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        return _connecting(
            timeout, lambda seconds: self._inner.connect_tcp(host, port, seconds, local_address, socket_options)
        )


class _BoundedStream(httpcore.NetworkStream):
    """A connection whose waits end with the deadline."""

    def __init__(self, inner: httpcore.NetworkStream) -> None:
        self._inner = inner

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._inner.read(max_bytes, _seconds_left(timeout, httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        # httpcore's own loop starts its timeout anew after each partial write.
        sock: socket.socket = self._inner.get_extra_info("socket")
        left = memoryview(buffer)
        while left:
            sock.settimeout(_seconds_left(timeout, httpcore.WriteTimeout))
            try:
                left = left[sock.send(left) :]
            except TimeoutError as err:
                raise httpcore.WriteTimeout(str(err)) from err
            except OSError as err:
                raise httpcore.WriteError(str(err)) from err

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        return _connecting(timeout, lambda seconds: self._inner.start_tls(ssl_context, server_hostname, seconds))

    def get_extra_info(self, info: str) -> object:
        return self._inner.get_extra_info(info)


def _connecting(
    timeout: float | None, connect: Callable[[float | None], httpcore.NetworkStream]
) -> httpcore.NetworkStream:
    """Connect in a thread of its own: neither DNS nor a handshake has one timeout for everything."""
    seconds = _seconds_left(timeout, httpcore.ConnectTimeout)
    if seconds is None:
        return _BoundedStream(connect(None))
    try:
        return _BoundedStream(within(seconds, lambda: connect(seconds)))
    except TimeoutError as err:
        raise httpcore.ConnectTimeout(str(err)) from err


def _seconds_left(timeout: float | None, error: type[httpcore.TimeoutException]) -> float | None:
    try:
        left = time_left()
    except TimeoutError as err:
        raise error(str(err)) from err
    if left is None or timeout is None:
        return left if timeout is None else timeout
    return min(left, timeout)
