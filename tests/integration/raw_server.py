"""A TCP server on 127.0.0.1 that answers with whatever bytes a test tells it to, as slowly as it tells it to."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

DRIP_SECONDS = 0.02


@dataclass
class RawServer:
    """Where it listens, what it was sent, and how many connections it has accepted and still holds."""

    port: int
    requests: list[bytes] = field(default_factory=list)
    accepted: int = 0
    ended: threading.Event = field(default_factory=threading.Event)
    stopping: threading.Event = field(default_factory=threading.Event)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def drip(self, connection: socket.socket, content: bytes) -> None:
        """Send one byte at a time, then go on with the last one for as long as the other side listens."""
        while content and not self.stopping.wait(DRIP_SECONDS):
            connection.sendall(content[:1])
            content = content[1:] or content[:1]


Respond = Callable[[RawServer, socket.socket, bytes], None]


@contextmanager
def raw_server(respond: Respond, *, greets: bool = False) -> Iterator[RawServer]:
    """Serve until the block ends. `respond` is called with each request's bytes; then the connection goes on.

    A server that `greets` speaks first: it responds to nothing, once.
    """
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = RawServer(listener.getsockname()[1])
        threading.Thread(
            target=_accept, args=(server, listener, respond), kwargs={"greets": greets}, daemon=True
        ).start()
        try:
            yield server
        finally:
            server.stopping.set()
            listener.shutdown(socket.SHUT_RDWR)


def answer(content: bytes, status: str = "200 OK", headers: str = "") -> Respond:
    """Answer each request with these bytes, whole."""

    def respond(_: RawServer, connection: socket.socket, __: bytes) -> None:
        connection.sendall(head(len(content), status, headers) + content)

    return respond


def head(length: int, status: str = "200 OK", headers: str = "") -> bytes:
    return f"HTTP/1.1 {status}\r\nContent-Length: {length}\r\n{headers}\r\n".encode()


def _accept(server: RawServer, listener: socket.socket, respond: Respond, *, greets: bool) -> None:
    with suppress(OSError):
        while True:
            connection, _ = listener.accept()
            server.accepted += 1
            threading.Thread(
                target=_serve, args=(server, connection, respond), kwargs={"greets": greets}, daemon=True
            ).start()


def _serve(server: RawServer, connection: socket.socket, respond: Respond, *, greets: bool) -> None:
    with suppress(OSError), connection:
        if greets:
            respond(server, connection, b"")
        while request := _request(connection):
            server.requests.append(request)
            respond(server, connection, request)
    server.ended.set()


def _request(connection: socket.socket) -> bytes:
    received = b""
    while b"\r\n\r\n" not in received:
        received += (piece := connection.recv(65536))
        if not piece:
            return b""
    _, _, body = received.partition(b"\r\n\r\n")
    missing = _content_length(received) - len(body)
    while missing > 0 and (piece := connection.recv(65536)):
        received += piece
        missing -= len(piece)
    return received


def _content_length(received: bytes) -> int:
    for line in received.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    return 0
