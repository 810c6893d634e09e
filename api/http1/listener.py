"""Accepts connections, up to a number, and ends them."""

import asyncio
import logging
import socket

from api.http1.connection import Connection, Serve, Shared
from api.http1.known_heads import KnownHeads
from api.http1.wire import Dates

BACKLOG = 65_535
"""Connections that wait to be accepted; net.core.somaxconn is the limit. The system drops what is beyond it without a
word, and its client tries again seconds later."""

READ_BYTES = 64 * 1024
"""What is read of a connection at once. Bytes beyond it wait in the kernel."""

AT_ONCE = 64
"""Connections that are accepted before the event loop does something else."""

LOOK_SECONDS = 1.0

logger = logging.getLogger(__name__)


def bind(address: str, port: int) -> socket.socket:
    """Return a socket for listeners."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    listening.bind((address, port))
    listening.setblocking(False)  # noqa: FBT003  socket's own
    return listening


class Listener:
    """Accepts connections in one event loop, and serves their requests."""

    def __init__(self, listening: socket.socket, serve: Serve, *, max_connections: int, unread_seconds: float) -> None:
        """`max_connections`: one more has to wait until another is closed.

        `unread_seconds`: a client that takes nothing of what was sent for so long is cut off.
        """
        self._listening = listening
        self._serve = serve
        self._max = max_connections
        self._loop = asyncio.get_running_loop()
        self._connections: dict[Connection, asyncio.Task[None]] = {}
        self._shared = Shared(memoryview(bytearray(READ_BYTES)), Dates(), KnownHeads(), unread_seconds)
        self._is_accepting = False
        self._is_draining = False
        self._empty = asyncio.Event()

    def start(self) -> None:
        """Begin to accept. Until then connections are refused, where no other process listens on this socket."""
        self._listening.listen(BACKLOG)
        self._accept_again()
        self._look()

    async def drain(self) -> None:
        """Accept no more, close idle connections, and wait until the others have their responses."""
        self._is_draining = True
        self._stop_accepting()
        self._listening.close()
        for connection in tuple(self._connections):
            connection.retire()
        while self._connections:
            self._empty.clear()
            await self._empty.wait()

    def _accept_again(self) -> None:
        if not self._is_accepting and not self._is_draining:
            self._is_accepting = True
            self._loop.add_reader(self._listening.fileno(), self._accept)

    def _stop_accepting(self) -> None:
        if self._is_accepting:
            self._is_accepting = False
            self._loop.remove_reader(self._listening.fileno())

    def _accept(self) -> None:
        for _ in range(AT_ONCE):
            if len(self._connections) >= self._max:
                self._stop_accepting()
                return
            try:
                accepted, _ = self._listening.accept()
            except (BlockingIOError, ConnectionAbortedError):
                return
            except OSError:
                # No more files, for example. What waits in the kernel would call again at once.
                logger.exception("Connections can't be accepted")
                self._stop_accepting()
                self._loop.call_later(LOOK_SECONDS, self._accept_again)
                return
            accepted.setblocking(False)  # noqa: FBT003  as above
            connection = Connection(self._serve, self._shared, self._closed)
            # What is opened is held here until it is closed, and so its task is.
            self._connections[connection] = self._loop.create_task(self._open(connection, accepted))

    async def _open(self, connection: Connection, accepted: socket.socket) -> None:
        try:
            await self._loop.connect_accepted_socket(lambda: connection, accepted)
        except OSError:
            accepted.close()
            self._closed(connection)
        if self._is_draining:
            connection.retire()

    def _closed(self, connection: Connection) -> None:
        self._connections.pop(connection, None)
        if not self._connections:
            self._empty.set()
        self._accept_again()

    def _look(self) -> None:
        moment = self._loop.time()
        for connection in tuple(self._connections):
            try:
                connection.look(moment)
            except Exception:
                # One must not keep the others from being looked at.
                logger.exception("A connection can't be looked at")
        if self._connections or not self._is_draining:
            self._loop.call_later(LOOK_SECONDS, self._look)
