"""Connections that misbehave: broken off before the headers, cut in the body, or dripping."""

import socket
import threading
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from flask import Response

from simulator.providers.wire import ProviderReply

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment


class _BrokenOff(Response):
    def __call__(self, _environ: "WSGIEnvironment", _start_response: "StartResponse") -> Iterable[bytes]:
        # The server takes this for a client that went away, and closes the connection without a word.
        raise ConnectionAbortedError


def broken_off() -> Response:
    """Return a response that ends the connection before any header is sent."""
    return _BrokenOff()


def cut_short(reply: ProviderReply) -> Response:
    """Return a response that promises the whole body and ends the connection after half of it."""
    return _streamed(reply, _half(reply.body))


def dripping(reply: ProviderReply, pause_seconds: float, released: threading.Event) -> Response:
    """Return a response that sends a byte at a time; once released, the rest follows at once."""
    return _streamed(reply, _drops(reply.body, pause_seconds, released))


def hung_up(client: socket.socket) -> bool:
    """Tell whether the client has closed its end. Only right once the request was read in full."""
    try:
        return client.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True


def _streamed(reply: ProviderReply, pieces: Iterator[bytes]) -> Response:
    response = Response(pieces, reply.status, dict(reply.headers), content_type=reply.content_type)
    response.content_length = len(reply.body)
    return response


def _half(body: bytes) -> Iterator[bytes]:
    yield body[: len(body) // 2]
    raise ConnectionAbortedError


def _drops(body: bytes, pause_seconds: float, released: threading.Event) -> Iterator[bytes]:
    for place in range(len(body)):
        if released.wait(pause_seconds):
            yield body[place:]
            return
        yield body[place : place + 1]
