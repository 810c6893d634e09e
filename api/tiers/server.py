"""A server behind its breaker, reached by one pipelined connection that is made when it is needed."""

import asyncio
import time
from collections.abc import Awaitable, Callable

from api.tiers.connection import Malformed, Parser, PipelinedConnection, Reply
from shared.breaker import Breaker
from shared.errors import ServerDown

FAILURES = (OSError, TimeoutError)

Connect = Callable[[Callable[[], PipelinedConnection]], Awaitable[PipelinedConnection]]
"""Connects, logs in if need be, and returns the connection that the factory has made."""


class Server:
    """Used by one event loop. The breaker is shared with the blocking client of the same server."""

    def __init__(self, connect: Connect, parse: Parser, breaker: Breaker, seconds: float) -> None:
        """`seconds`: how long connecting may take, and each reply."""
        self._connect_to = connect
        self._parse = parse
        self._breaker = breaker
        self._seconds = seconds
        self._connection: PipelinedConnection | None = None
        self._connecting: asyncio.Task[PipelinedConnection] | None = None

    async def ask(self, command: bytes) -> Reply:
        """Return the reply to a command; raise ServerDown when the server is down, or slow, or its breaker is open."""
        self._breaker.refuse_if_open()
        connection = self._connection
        if connection is None or not connection.is_open:
            connection = await self._connected()
        asked_at = time.monotonic()
        reply = await connection.ask(command)
        self._breaker.took(time.monotonic() - asked_at)
        return reply

    def close(self) -> None:
        """Close the connection."""
        if self._connecting is not None:
            self._connecting.cancel()
        if self._connection is not None:
            self._connection.close()

    async def _connected(self) -> PipelinedConnection:
        """Return a new connection; all who ask while it is being made wait for the same one.

        A caller that is cancelled does not cancel it for the others. Raises ServerDown.
        """
        if self._connecting is None:
            self._connecting = asyncio.get_running_loop().create_task(self._connect())
            self._connecting.add_done_callback(self._connected_or_not)
        return await asyncio.shield(self._connecting)

    def _connected_or_not(self, connecting: "asyncio.Task[PipelinedConnection]") -> None:
        self._connecting = None
        if not connecting.cancelled() and connecting.exception() is None:
            self._connection = connecting.result()

    async def _connect(self) -> PipelinedConnection:
        try:
            async with asyncio.timeout(self._seconds):
                return await self._connect_to(self._new_connection)
        except FAILURES as err:
            self._note(err)
            raise ServerDown from err

    def _new_connection(self) -> PipelinedConnection:
        return PipelinedConnection(self._parse, self._seconds, self._note)

    def _note(self, error: Exception) -> None:
        self._breaker.failed("Malformed" if isinstance(error, Malformed) else type(error).__name__)


def tcp(host: str, port: int) -> Connect:
    """Return what connects to a server that needs no login."""

    async def connect(factory: Callable[[], PipelinedConnection]) -> PipelinedConnection:
        _, connection = await asyncio.get_running_loop().create_connection(factory, host, port)
        return connection

    return connect
