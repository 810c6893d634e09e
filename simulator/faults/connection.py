"""Connections that misbehave: closed before the headers, cut in the body, or sending byte by byte."""

import socket
import threading
import time
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from flask import Response

from simulator.providers.wire import ProviderReply

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment


#: How often a call that waits looks whether its client is still there, in seconds.
CLIENT_CHECK = 0.05


class _BrokenOff(Response):
    def __call__(self, _environ: "WSGIEnvironment", _start_response: "StartResponse") -> Iterable[bytes]:
        # The server treats this as a client that went away, and closes the connection silently.
        raise ConnectionAbortedError


def broken_off() -> Response:
    """Return a response that closes the connection before any header is sent."""
    return _BrokenOff()


def cut_short(reply: ProviderReply) -> Response:
    """Return a response that announces the whole body and closes the connection after half of it."""
    return _streamed(reply, _half(reply.body))


def dripping(reply: ProviderReply, pause_seconds: float, released: threading.Event) -> Response:
    """Return a response that sends one byte at a time; once released, it sends the rest at once."""
    return _streamed(reply, _drops(reply.body, pause_seconds, released))


def wait_with(client: socket.socket | None, seconds: float, released: threading.Event | None = None) -> bool:
    """Wait so long, or until released; return False, soon after, if the client has gone meanwhile."""
    end = time.monotonic() + seconds
    # To sleep costs a tenth of what waiting for an event does, and many streams do it for every chunk.
    wait = released.wait if released else time.sleep
    while (left := end - time.monotonic()) > 0:
        if wait(min(CLIENT_CHECK, left)):
            return True
        if left > CLIENT_CHECK and client is not None and hung_up(client):
            return False
    return True


def hung_up(client: socket.socket) -> bool:
    """Return whether the client has closed its end. Only correct after the request was read in full."""
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
