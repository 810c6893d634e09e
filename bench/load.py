"""A closed-loop HTTP/1.1 load on keep-alive connections of one address on 127.0.0.1, bounded in time."""

import selectors
import socket
import time
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Load:
    """What one run came to. Latencies in milliseconds, sorted."""

    requests: int
    seconds: float
    latencies_ms: list[float]

    @property
    def rate(self) -> float:
        """Requests a second."""
        return self.requests / self.seconds

    def percentile(self, share: float) -> float:
        """Return the latency below which `share` of the requests were."""
        return self.latencies_ms[min(len(self.latencies_ms) - 1, int(share * len(self.latencies_ms)))]


@dataclass(slots=True)
class _Connection:
    sock: socket.socket
    sent_at: float = 0.0
    received: bytes = b""


def run_load(port: int, request: bytes, connections: int, seconds: float) -> Load:
    """Keep `connections` requests in flight for `seconds`; every answer must be a 200 with a Content-Length."""
    selector = selectors.DefaultSelector()
    for _ in range(connections):
        connection = _Connection(socket.create_connection(("127.0.0.1", port)))
        selector.register(connection.sock, selectors.EVENT_READ, connection)
        _send(connection, request)
    latencies: list[float] = []
    started = time.perf_counter()
    while (elapsed := time.perf_counter() - started) < seconds:
        for key, _ in selector.select(timeout=1):
            connection = key.data
            connection.received += connection.sock.recv(65536)
            if _is_whole(connection.received):
                latencies.append((time.perf_counter() - connection.sent_at) * 1000)
                _send(connection, request)
    for key in list(selector.get_map().values()):
        key.data.sock.close()
    selector.close()
    return Load(len(latencies), elapsed, sorted(latencies))


def _send(connection: _Connection, request: bytes) -> None:
    connection.received = b""
    connection.sent_at = time.perf_counter()
    connection.sock.sendall(request)


def _is_whole(received: bytes) -> bool:
    head, separator, body = received.partition(b"\r\n\r\n")
    if not separator:
        return False
    if not head.startswith(b"HTTP/1.1 200"):
        message = head.decode(errors="replace")
        raise RuntimeError(message)
    length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n", 1)[0])
    return len(body) >= length
