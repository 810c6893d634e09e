"""One connection to a server, with as many commands on their way as there are callers; replies come in order.

Commands of the same turn of the event loop share one write.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Any, Protocol

from shared.errors import ServerDown

Reply = Any
"""What a parser makes of a reply. Where it is an exception, that is raised."""


class Incomplete(Exception):
    """A reply has not arrived as a whole. `size`: how many bytes are needed at least, counted from its beginning."""

    def __init__(self, size: int = 0) -> None:
        super().__init__(size)
        self.size = size


class Malformed(OSError):
    """The server does not speak the protocol."""


LATE_SECONDS = 0.01

Parser = Callable[[bytes, int], tuple[Reply, int]]
"""Parses the reply that begins at an offset; returns it and where it ends. Raises Incomplete and Malformed."""


class Transport(Protocol):
    """The part of asyncio's transport that is used."""

    def write(self, data: bytes) -> None:
        """Send."""

    def abort(self) -> None:
        """Close at once."""


class PipelinedConnection(asyncio.Protocol):
    """A connection that is open until a reply takes longer than `seconds`, is malformed, or the server hangs up.

    Then every command that waits for its reply fails with ServerDown, and `on_failure` is called once.
    """

    def __init__(self, parse: Parser, seconds: float, on_failure: Callable[[Exception], None]) -> None:
        self._parse = parse
        self._seconds = seconds
        self._on_failure = on_failure
        self._loop = asyncio.get_running_loop()
        self._transport: Transport | None = None
        self._commands: list[bytes] = []
        self._waiting: deque[tuple[asyncio.Future[Reply], float]] = deque()
        self._received: list[bytes] = []
        self._received_size = self._needed = 0
        self._watching = False

    @property
    def is_open(self) -> bool:
        """Whether commands can be sent."""
        return self._transport is not None

    def ask(self, command: bytes) -> "asyncio.Future[Reply]":
        """Send a command; the result is its reply. Where the connection is closed already, it fails at once."""
        reply: asyncio.Future[Reply] = self._loop.create_future()
        if self._transport is None:
            reply.set_exception(ServerDown())
            return reply
        self._waiting.append((reply, time.monotonic() + self._seconds))
        if not self._commands:
            self._loop.call_soon(self._flush)
        self._commands.append(command)
        if not self._watching:
            self._watching = True
            self._loop.call_later(self._seconds, self._watch)
        return reply

    def close(self) -> None:
        """Close the connection. Commands on their way fail."""
        if self._transport is not None:
            self._transport.abort()
            self._transport = None
        self._fail_waiting(ServerDown())

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Be open."""
        self._transport = transport  # type: ignore[assignment]  # that of a stream

    def connection_lost(self, error: Exception | None) -> None:
        """Fail what waits."""
        self._fail(error or ConnectionResetError())

    def data_received(self, data: bytes) -> None:
        """Give each waiting caller its reply."""
        if self._received:
            self._received.append(data)
            self._received_size += len(data)
            if self._received_size < self._needed:
                return
            data = b"".join(self._received)
        start = 0
        try:
            while start < len(data):
                reply, start = self._parse(data, start)
                self._give(reply)
        except Incomplete as err:
            rest = data[start:]
            self._received, self._received_size, self._needed = [rest], len(rest), err.size
        except Malformed as err:
            self._fail(err)
        else:
            self._received = []

    def _give(self, reply: Reply) -> None:
        if not self._waiting:
            message = "a reply that nobody asked for"
            raise Malformed(message)
        waiting, _ = self._waiting.popleft()
        if waiting.done():
            return
        if isinstance(reply, Exception):
            waiting.set_exception(reply)
        else:
            waiting.set_result(reply)

    def _flush(self) -> None:
        commands, self._commands = self._commands, []
        if self._transport is not None:
            self._transport.write(b"".join(commands))

    def _watch(self, *, late: bool = False) -> None:
        """Look whether the oldest command is overdue; look again when it will be.

        `late`: it was overdue a moment ago. The loop may be late itself, so it first reads what has arrived meanwhile.
        """
        self._watching = bool(self._waiting)
        if not self._watching:
            return
        left = self._waiting[0][1] - time.monotonic()
        if left > 0:
            self._loop.call_later(left, self._watch)
        elif not late:
            self._loop.call_later(LATE_SECONDS, partial(self._watch, late=True))
        else:
            self._watching = False
            self._fail(TimeoutError())

    def _fail(self, error: Exception) -> None:
        if self._transport is not None:
            self._on_failure(error)
        self.close()

    def _fail_waiting(self, error: Exception) -> None:
        waiting, self._waiting = self._waiting, deque()
        for reply, _ in waiting:
            if not reply.done():
                reply.set_exception(error)
