"""One client's connection: its requests are served one after the other, in the order in which they came."""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any, cast

from api.http1 import wire
from api.http1.exchange import Exchange
from api.http1.head import Head
from api.http1.reader import BAD_REQUEST, Incoming, Refused, RequestReader

HEAD_SECONDS = 10.0
"""How long a head may take to arrive, and how long a connection may be idle."""

LINGER_SECONDS = 2.0
"""How long the rest of a refused request is read and discarded. Closing at once would make the system tell the client
that the connection broke, and forget the response."""

MAX_PIPELINED = 100
"""Requests of a connection that may be here before the first of them is answered."""

UNREAD_BYTES = 64 * 1024
"""With more unread, no further request of a connection is served."""

Serve = Callable[[Head, Exchange], Awaitable[None]]
"""Serves one request. Once it returns, the response was sent."""

logger = logging.getLogger(__name__)


class Connection(asyncio.BufferedProtocol):
    """Used by one event loop.

    A client that has shut down its side is gone, unless its body is incomplete: then it gets told so.
    """

    def __init__(
        self, serve: Serve, dates: wire.Dates, buffer: memoryview, lost: Callable[["Connection"], None]
    ) -> None:
        """`buffer`: for what is read; all connections may share it. `lost`: is told about the end."""
        self._serve = serve
        self.dates = dates
        self._buffer = buffer
        self._lost = lost
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._reader: RequestReader | None = None
        self._exchanges: deque[Exchange] = deque()
        self._refusal: int | None = None
        self._is_refused = self._is_closing = self._has_ended = self.is_retired = False
        self._is_reading, self._may_write = True, True
        self._drained: asyncio.Future[None] | None = None
        self._quiet_since = self._loop.time()
        """When the last response was sent, or read if it was long, or when this connection began to close."""

    # What the event loop calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Be open."""
        self._transport = cast("asyncio.Transport", transport)
        self._transport.set_write_buffer_limits(high=UNREAD_BYTES, low=0)
        client, server = transport.get_extra_info("peername"), transport.get_extra_info("sockname")
        self._reader = RequestReader(self, _address(client), _address(server))

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
        """Close, unless somebody has to be told that a body broke off."""
        if not self._exchanges or self._exchanges[-1].is_complete:
            return False
        self._has_ended = True
        self._exchanges[-1].cut()
        return True

    def pause_writing(self) -> None:
        """Serve no further request."""
        self._may_write = False

    def resume_writing(self) -> None:
        """Go on: the client has read everything."""
        self._may_write = True
        self._quiet_since = self._loop.time()
        self._tell_drained()
        if self._exchanges and self._exchanges[0].task is None and not self._is_closing:
            self._start(self._exchanges[0])

    def connection_lost(self, exc: Exception | None) -> None:
        """Let all who wait for the client know."""
        del exc
        self._transport = None
        for exchange in self._exchanges:
            exchange.lose()
        self._tell_drained()
        self._lost(self)

    # What the reader calls.

    def begin(self, head: Head, *, keeps_alive: bool) -> Incoming:
        """Serve a request when those before it were answered."""
        if len(self._exchanges) >= MAX_PIPELINED:
            raise Refused(BAD_REQUEST)
        exchange = Exchange(self, head, keeps_alive=keeps_alive)
        self._exchanges.append(exchange)
        if len(self._exchanges) == 1 and self._may_write:
            self._start(exchange)
        return exchange

    # What exchanges call.

    def write(self, data: bytes) -> None:
        """Send; forget it when the client is gone."""
        if self._transport is not None:
            self._transport.write(data)

    @property
    def unread(self) -> int:
        """How many bytes were sent that the system has not taken yet."""
        return 0 if self._transport is None else self._transport.get_write_buffer_size()

    async def drained(self) -> None:
        """Wait until the client has read what was sent, or is gone."""
        if self._may_write or self._transport is None:
            return
        if self._drained is None:
            self._drained = self._loop.create_future()
        await asyncio.shield(self._drained)

    def answered(self, *, closes: bool) -> None:
        """Go on after the response of the current exchange."""
        exchange = self._exchanges.popleft()
        self._quiet_since = self._loop.time()
        if self._transport is None:
            return
        if closes or self.is_retired:
            self._close(lingers=not exchange.is_complete or bool(self._exchanges) or self._is_refused)
        elif self._exchanges:
            if self._may_write:
                self._start(self._exchanges[0])
            self.read_on()
        elif self._is_refused:
            self._send_refusal()
        else:
            self.read_on()

    def read_on(self) -> None:
        """Go on reading, if there is no reason not to."""
        if self._is_reading or self._transport is None or len(self._exchanges) > 1:
            return
        self._is_reading = True
        self._transport.resume_reading()

    # What the listener calls.

    def look(self, moment: float) -> None:
        """Close if the client was quiet for too long."""
        quiet = moment - self._quiet_since
        if self._transport is None or not self._may_write:
            return
        if self._is_closing:
            if quiet > LINGER_SECONDS and not self.unread:
                self._transport.abort()
        elif not self._exchanges and quiet > HEAD_SECONDS:
            self._close(lingers=False)

    def retire(self) -> None:
        """Close, after the response of a request that is being served."""
        self.is_retired = True
        if self._transport is not None and not self._exchanges and not self._is_closing:
            self._close(lingers=False)

    @property
    def _open(self) -> asyncio.Transport:
        return cast("asyncio.Transport", self._transport)

    def _start(self, exchange: Exchange) -> None:
        exchange.task = self._loop.create_task(self._run(exchange))

    async def _run(self, exchange: Exchange) -> None:
        """Serve a request. Who serves it answers to errors too; after one that slips through the connection ends."""
        try:
            await self._serve(exchange.head, exchange)
        except Exception:
            logger.exception("Unexpected error", extra={"path": exchange.head.path[:200]})
        if not exchange.is_answered:
            self._abort()

    def _abort(self) -> None:
        if self._transport is not None:
            self._transport.abort()

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
        self.write(wire.head(self._refusal, (), own))
        self._close(lingers=True)

    def _close(self, *, lingers: bool) -> None:
        self._is_closing = True
        self._quiet_since = self._loop.time()
        transport = self._open
        if not lingers or self._has_ended:
            transport.close()
            return
        transport.write_eof()
        if not self._is_reading:
            self._is_reading = True
            transport.resume_reading()

    def _tell_drained(self) -> None:
        if self._drained is not None and not self._drained.done():
            self._drained.set_result(None)
        self._drained = None


def _address(name: Any) -> str:  # noqa: ANN401  as the socket module has addresses
    """Return an address with its port; a client that is gone already has none."""
    if not name:
        return ":0"
    host = f"[{name[0]}]" if ":" in name[0] else name[0]
    return f"{host}:{name[1]}"
