"""Raw connections to the API, as no well-meaning client makes them."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from urllib.parse import urlsplit

PREDICT = "/api/v1/predict"
Attack = Callable[["Target"], None]


class Target:
    """Where to attack, and until when."""

    def __init__(self, url: str, pictures: str, seconds: float, number: int) -> None:
        """`pictures`: the address of the simulator, which serves what no picture server should."""
        address = urlsplit(url)
        self.host, self.port = str(address.hostname), int(address.port or 80)
        self.url, self.pictures, self.number = url, pictures, number
        self._ends_at = time.monotonic() + seconds
        self._count = 0
        self._lock = threading.Lock()

    @property
    def goes_on(self) -> bool:
        return time.monotonic() < self._ends_at

    @property
    def seconds_left(self) -> float:
        return max(0.0, self._ends_at - time.monotonic())

    def new_text(self) -> str:
        """Return a text that nobody has asked about."""
        with self._lock:
            self._count += 1
            return f"siege {self.number} {self._count}"

    @contextmanager
    def crowd(self, size: int, greeting: Callable[[int], bytes]) -> Iterator[list[socket.socket]]:
        """Hold so many connections, each after its first words."""
        connections: list[socket.socket] = []
        try:
            for number in range(size):
                with suppress(OSError):
                    connection = socket.create_connection((self.host, self.port), timeout=5)
                    connections.append(connection)
                    connection.sendall(greeting(number))
            yield connections
        finally:
            for connection in connections:
                connection.close()


def head(*lines: str, method: str = "POST", path: str = PREDICT) -> bytes:
    """Return a request's head."""
    return "\r\n".join([f"{method} {path} HTTP/1.1", "Host: localhost", *lines, "", ""]).encode()


def whole(body: bytes, *lines: str, media_type: str = "application/json") -> bytes:
    """Return a whole request of predict."""
    return head(f"Content-Type: {media_type}", f"Content-Length: {len(body)}", *lines) + body


def say(target: Target, request: bytes, patience: float = 30.0) -> bytes:
    """Send bytes on a connection of their own; return the first bytes that come back, none when it is cut."""
    with suppress(OSError), socket.create_connection((target.host, target.port), timeout=patience) as connection:
        connection.sendall(request)
        return connection.recv(4096)
    return b""
