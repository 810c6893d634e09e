"""One client's connection: its requests are served one after the other, in the order in which they came."""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from typing import NamedTuple, cast

from api.http1 import wire
from api.http1.exchange import Exchange
from api.http1.head import Head
from api.http1.known_heads import KnownHeads
from api.http1.outflow import Outflow
from api.http1.reader import BAD_REQUEST, Incoming, Refused, RequestReader
from api.http1.sockets import address, cut, has_shut_down

HEAD_SECONDS = 10.0
"""How long a head may take to arrive, and how long a connection may be idle."""

LINGER_SECONDS = 2.0
"""How long the rest of a refused request is read and discarded. Closing at once would make the system tell the client
that the connection broke, and forget the response."""

MAX_PIPELINED = 100
"""Requests of a connection that may be here before the first of them is answered."""

UNREAD_BYTES = 64 * 1024
"""With more unread, no further request of a connection is served."""

MAX_LOGGED_PATH = 200

Serve = Callable[[Head, Exchange], Awaitable[None]]
"""Serves one request. Once it returns, the response was sent."""

logger = logging.getLogger(__name__)


class Shared(NamedTuple):
    """What connections share. `buffer`: for what is read. `unread_seconds`: how long clients may take nothing."""

    buffer: memoryview
    dates: wire.Dates
    heads: KnownHeads
    unread_seconds: float


class Connection(asyncio.BufferedProtocol):
    """Used by one event loop.

    A client that has shut down its side counts as gone, since most that do have closed. It gets the responses that it
    can have without waiting.
    """

    def __init__(self, serve: Serve, shared: Shared, lost: Callable[["Connection"], None]) -> None:
        """`lost`: is told about the end."""
        self._serve = serve
        self._buffer, self.dates, self._heads, self._unread_seconds = shared
        self._lost = lost
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._reader: RequestReader | None = None
        self._exchanges: deque[Exchange] = deque()
        self._refusal: int | None = None
        self._is_refused = self._is_closing = self._has_ended = self.is_retired = False
        self._is_reading = True
        self.outflow = Outflow()
        self._turn: asyncio.Future[None] | None = None
        self._serving: asyncio.Task[None] | None = None
        self._quiet_since = self._loop.time()
        """When the last response was sent, or read if it was long, or when this connection began to close."""

    # What the event loop calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Be open."""
        self._transport = cast("asyncio.Transport", transport)
        self._transport.set_write_buffer_limits(high=UNREAD_BYTES, low=0)
        self.outflow.open(self._transport)
        client, server = transport.get_extra_info("peername"), transport.get_extra_info("sockname")
        self._reader = RequestReader(self, self._heads, address(client), address(server))
        # One task for all requests: it costs a hit less than one for each.
        self._serving = self._loop.create_task(self._serve_all())

    def get_buffer(self, sizehint: int) -> memoryview:
        """Return where the next bytes go."""
        del sizehint
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        """Read what has arrived."""
        if self._is_closing or self._is_refused or self._reader is None:
            return
        try:
            self._reader.feed(self._buffer[:nbytes])
        except Refused as err:
            self._refuse(err.status)
        if self._is_reading and (len(self._exchanges) > 1 or (self._exchanges and self._exchanges[0].is_full)):
            self._is_reading = False
            self._open.pause_reading()

    def eof_received(self) -> bool:
        """Let all who wait for the client know; close once it has its responses."""
        self._has_ended = True
        self._lose()
        if not self._exchanges:
            self._close(lingers=False)
        return True

    def pause_writing(self) -> None:
        """Serve no further request."""
        self.outflow.block()

    def resume_writing(self) -> None:
        """Go on: the client has read everything."""
        self.outflow.free()
        self._quiet_since = self._loop.time()
        self._go_on()

    def connection_lost(self, exc: Exception | None) -> None:
        """Let all who wait for the client know."""
        del exc
        self._transport = None
        self._lose()
        self.outflow.lose()
        self._go_on()
        self._lost(self)

    # What the reader calls.

    def begin(self, head: Head, *, keeps_alive: bool) -> Incoming:
        """Serve a request when those before it were answered."""
        if len(self._exchanges) >= MAX_PIPELINED:
            raise Refused(BAD_REQUEST)
        exchange = Exchange(self, head, keeps_alive=keeps_alive)
        self._exchanges.append(exchange)
        self._go_on()
        return exchange

    # What exchanges call.

    def answered(self, *, closes: bool) -> None:
        """Go on after the response of the current exchange."""
        exchange = self._exchanges.popleft()
        self._quiet_since = self._loop.time()
        if self._transport is None or self._transport.is_closing():
            return
        if closes or self.is_retired:
            self._close(lingers=not exchange.is_complete or bool(self._exchanges) or self._is_refused)
        elif self._is_refused and not self._exchanges:
            self._send_refusal()
        elif self._has_ended and not self._exchanges:
            self._close(lingers=False)
        else:
            self.read_on()

    def read_on(self) -> None:
        """Go on reading, if there is no reason not to."""
        transport = self._transport
        if self._is_reading or transport is None or transport.is_closing() or len(self._exchanges) > 1:
            return
        self._is_reading = True
        transport.resume_reading()

    # What the listener calls.

    def look(self, moment: float) -> None:
        """Close if the client was quiet for too long, or takes nothing of what was sent."""
        transport = self._transport
        if transport is None or transport.is_closing():
            return
        quiet, untaken = moment - self._quiet_since, self.outflow.untaken_seconds(moment)
        if untaken is not None and untaken > self._unread_seconds:
            cut(transport)
        elif self._is_closing:
            if untaken is None and (self._has_ended or quiet > LINGER_SECONDS):
                transport.abort()
        elif not self.outflow.is_free:
            return
        elif not self._exchanges and quiet > HEAD_SECONDS:
            self._close(lingers=False)
        elif not self._is_reading and has_shut_down(transport):
            self._lose()

    def retire(self) -> None:
        """Close, after the response of a request that is being served."""
        self.is_retired = True
        self.outflow.leave_to_system()
        if self._transport is not None and not self._exchanges and not self._is_closing:
            self._close(lingers=False)

    @property
    def _open(self) -> asyncio.Transport:
        return cast("asyncio.Transport", self._transport)

    async def _serve_all(self) -> None:
        """Serve one request after the other. Who serves answers to errors too; one that slips through ends all."""
        while self._transport is not None:
            if not self._exchanges or self._is_closing or not self.outflow.is_free:
                self._turn = self._loop.create_future()
                await self._turn
                continue
            exchange = self._exchanges[0]
            try:
                await self._serve(exchange.head, exchange)
            except Exception:
                logger.exception("Unexpected error", extra={"path": exchange.head.path[:MAX_LOGGED_PATH]})
            if not exchange.is_answered and self._transport is not None:
                self._transport.abort()
                return

    def _lose(self) -> None:
        for exchange in self._exchanges:
            exchange.lose()

    def _go_on(self) -> None:
        """Let the next request be served, if it can be."""
        if self._turn is not None:
            turn, self._turn = self._turn, None
            if not turn.done():
                turn.set_result(None)

    def _refuse(self, status: int | None) -> None:
        """Read nothing more; answer once the requests before were answered."""
        self._is_refused, self._refusal = True, status
        if self._exchanges and not self._exchanges[-1].is_complete:
            # Its body is malformed: who serves it will say so, and the connection ends with that.
            self._exchanges[-1].cut()
        elif not self._exchanges:
            self._send_refusal()

    def _send_refusal(self) -> None:
        if self._refusal is None:
            self._close(lingers=False)
            return
        own = wire.length(0) + self.dates.line() + wire.connection(closes=True, is_old=False)
        self.outflow.write(wire.head(self._refusal, (), own))
        self._close(lingers=True)

    def _close(self, *, lingers: bool) -> None:
        self._is_closing = True
        self._quiet_since = self._loop.time()
        transport = self._open
        if (not lingers or self._has_ended) and self.outflow.untaken_seconds(self._quiet_since) is None:
            transport.close()
            return
        # What the client has not taken yet would be the system's alone, for as long as the client lives.
        transport.write_eof()
        if not self._is_reading:
            self._is_reading = True
            transport.resume_reading()
