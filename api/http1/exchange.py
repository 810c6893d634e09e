"""One request of a connection, and its response."""

import asyncio
from collections.abc import Sequence
from typing import Protocol

from api.http1 import wire
from api.http1.head import Head
from api.http1.outflow import Outflow

BUFFERED_BYTES = 64 * 1024
"""Of a body that nobody takes so much is kept; then the connection is not read until it is taken."""

_CLOSE, _CLOSE_IN_LOWER_CASE = ("Connection", "close"), ("connection", "close")


class Channel(Protocol):
    """The connection of an exchange."""

    dates: wire.Dates
    outflow: Outflow

    def read_on(self) -> None:
        """Go on reading, if there is no reason not to."""

    def answered(self, *, closes: bool) -> None:
        """Take note that the response of the current exchange is over."""

    @property
    def is_retired(self) -> bool:
        """Whether the response of the current exchange is the last one."""


class Exchange:
    """A request and its response, for the event loop of its connection.

    Its body may be iterated once, in chunks as they come; an empty one is the end, also of a body that breaks off.
    """

    __slots__ = (
        "_channel",
        "_chunks",
        "_gone",
        "_is_lost",
        "_keeps_alive",
        "_more",
        "_size",
        "_waits_for_go_ahead",
        "head",
        "is_answered",
        "is_complete",
        "is_cut",
    )

    def __init__(self, channel: Channel, head: Head, *, keeps_alive: bool) -> None:
        self._channel = channel
        self.head = head
        self._keeps_alive = keeps_alive
        self._chunks: list[bytes] = []
        self._size = 0
        self._more: asyncio.Future[None] | None = None
        self._gone: asyncio.Future[None] | None = None
        self._is_lost = False
        expects = head.headers.get("expect", "").lower()
        self._waits_for_go_ahead = expects == "100-continue" and head.http_version == "1.1"
        self.is_complete = False
        """Whether the whole request has arrived."""
        self.is_cut = False
        """Whether the rest of the body will not come."""
        self.is_answered = False
        """Whether the whole response was sent."""

    # What the reader of the connection calls.

    def receive(self, chunk: bytes) -> None:
        """Take the next part of the body."""
        self._chunks.append(chunk)
        self._size += len(chunk)
        if self._more is not None:
            self._wake()

    def complete(self) -> None:
        """Take note that the whole request has arrived."""
        self.is_complete = True
        if self._more is not None:
            self._wake()

    def cut(self) -> None:
        """Take note that the rest of the body will not come."""
        self.is_cut = True
        if self._more is not None:
            self._wake()

    def lose(self) -> None:
        """Take note that the client has disconnected."""
        self._is_lost = True
        self.cut()
        if self._gone is not None and not self._gone.done():
            self._gone.set_result(None)

    @property
    def is_full(self) -> bool:
        """Whether so much of the body waits to be taken that no more should be read."""
        return self._size > BUFFERED_BYTES

    # What serves it calls.

    def whole_body(self) -> bytes | None:
        """Return the body if all of it is here, and was not taken before; else None."""
        if not self.is_complete:
            return None
        return self._take()

    def __aiter__(self) -> "Exchange":
        return self

    async def __anext__(self) -> bytes:
        """Return the next part of the body once there is one; an empty one at the end."""
        while not self._chunks and not self.is_complete and not self.is_cut:
            if self._waits_for_go_ahead:
                self._waits_for_go_ahead = False
                self._channel.outflow.write(wire.CONTINUE)
            self._more = asyncio.get_running_loop().create_future()
            await self._more
        return self._take()

    async def disconnected(self) -> None:
        """Wait until the client has disconnected."""
        if self._is_lost:
            return
        if self._gone is None:
            self._gone = asyncio.get_running_loop().create_future()
        await asyncio.shield(self._gone)

    def respond(self, status: int, headers: Sequence[tuple[str, str]], body: bytes) -> None:
        """Send a whole response."""
        closes = self._closes(headers)
        if wire.has_no_body(status):
            framing, body = "", b""
        elif self.head.method == "HEAD":
            framing, body = wire.length(_length_of(headers, body)), b""
        else:
            framing = wire.length(len(body))
        self._channel.outflow.write(wire.head(status, headers, framing + self._own(closes=closes)) + body)
        self.end(closes=closes)

    def begin(self, status: int, headers: Sequence[tuple[str, str]]) -> "ResponseStream":
        """Send the head of a response whose body comes in pieces; return what takes these."""
        is_old = self.head.http_version != "1.1"
        closes = is_old or self._closes(headers)
        own = self._own(closes=closes)
        self._channel.outflow.write(wire.head(status, headers, own if is_old else own + wire.CHUNKED))
        return ResponseStream(self, self._channel, is_chunked=not is_old, closes=closes)

    async def drained(self) -> None:
        """Wait until the client has read what was sent, or is gone."""
        await self._channel.outflow.drained()

    def end(self, *, closes: bool) -> None:
        """Take note that the response is over."""
        self.is_answered = True
        self._channel.answered(closes=closes)

    def _take(self) -> bytes:
        chunks = self._chunks
        if len(chunks) == 1:
            taken = chunks[0]
        elif chunks:
            taken = b"".join(chunks)
        else:
            return b""
        was_full = self.is_full
        self._chunks, self._size = [], 0
        if was_full:
            self._channel.read_on()
        return taken

    def _wake(self) -> None:
        if self._more is not None and not self._more.done():
            self._more.set_result(None)

    def _closes(self, headers: Sequence[tuple[str, str]]) -> bool:
        """Whether no other response comes after this one on the connection."""
        if not self._keeps_alive or not self.is_complete or self._channel.is_retired:
            return True
        return _CLOSE in headers or _CLOSE_IN_LOWER_CASE in headers

    def _own(self, *, closes: bool) -> str:
        is_old = self.head.http_version != "1.1"
        return self._channel.dates.line() + wire.connection(closes=closes, is_old=is_old)


class ResponseStream:
    """The body of a response, in pieces."""

    __slots__ = ("_channel", "_closes", "_exchange", "_is_chunked")

    def __init__(self, exchange: Exchange, channel: Channel, *, is_chunked: bool, closes: bool) -> None:
        self._exchange = exchange
        self._channel = channel
        self._is_chunked = is_chunked
        self._closes = closes

    @property
    def unread(self) -> int:
        """How many bytes were sent that the system has not taken for the client yet."""
        return self._channel.outflow.unread

    def send(self, piece: bytes) -> None:
        """Send a piece; forget it when the client is gone."""
        if piece:
            self._channel.outflow.write(b"%x\r\n%b\r\n" % (len(piece), piece) if self._is_chunked else piece)

    def end(self) -> None:
        """Send the end."""
        if self._is_chunked:
            self._channel.outflow.write(wire.LAST_CHUNK)
        self._exchange.end(closes=self._closes)


def _length_of(headers: Sequence[tuple[str, str]], body: bytes) -> int:
    """Return the length of the body that a GET would get."""
    given = next((value for name, value in headers if name.lower() == "content-length"), None)
    return len(body) if given is None else int(given)
