"""A closed-loop HTTP/1.1 load from this process on keep-alive connections to 127.0.0.1, which checks every answer.

Lean rather than general, so that it does not limit what it measures: one thread, one epoll, a few searches in the
bytes of each answer. Answers need a Content-Length.
"""

import gc
import select
import socket
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from bench.traffic import NUMBER, Load, Traffic

HEAD_END = b"\r\n\r\n"
RECEIVE_BYTES = 262_144
SHOWN_BYTES = 2000
PATIENCE_SECONDS = 120.0


class WrongAnswer(Exception):
    """An answer was not the one that this load is about."""


class _Stream:
    """One kind of traffic: its requests as they go out, and what came back."""

    def __init__(self, traffic: Traffic) -> None:
        self.traffic = traffic
        self.latencies: list[float] = []
        self.last = 0.0
        self.others: Counter[bytes] = Counter()
        self._parts = traffic.request.split(NUMBER)
        self._numbers = iter(traffic.numbers)
        self._length_name = b""

    def next_request(self) -> bytes | None:
        """Return what to send next, None when all numbers were asked for."""
        number = next(self._numbers, None)
        if number is None:
            return None
        return self._parts[0] if len(self._parts) == 1 else self.traffic.written(number).join(self._parts)

    def is_whole(self, received: bytes) -> bool:
        """Tell whether the answer is complete; raise WrongAnswer if it is another one than expected."""
        end = received.find(HEAD_END)
        if end < 0:
            return False
        if received[9:12] not in self.traffic.statuses:
            raise WrongAnswer(received[:SHOWN_BYTES].decode(errors="replace"))
        if len(received) - end - len(HEAD_END) < self._content_length(received, end):
            return False
        if received[9:12] != self.traffic.statuses[0]:
            self.others[received[9:12]] += 1
            return True
        for part in self.traffic.expected:
            if part not in received:
                message = f"no {part!r} in {received[:SHOWN_BYTES].decode(errors='replace')}"
                raise WrongAnswer(message)
        return True

    def _content_length(self, received: bytes, end: int) -> int:
        start = received.find(self._length_name, 0, end) if self._length_name else -1
        if start < 0:
            # Servers spell it differently, but each always in its way.
            start = received[:end].lower().find(b"\r\ncontent-length: ")
            if start < 0:
                raise WrongAnswer(received[:end].decode(errors="replace"))
            self._length_name = received[start : start + len("\r\ncontent-length: ")]
        start += len(self._length_name)
        return int(received[start : received.find(b"\r\n", start)])


@dataclass(slots=True)
class _Connection:
    sock: socket.socket
    stream: _Stream
    sent_at: float = 0.0
    received: bytes = b""

    def ask(self) -> bool:
        """Send the next request; return whether there was one."""
        request = self.stream.next_request()
        if request is None:
            return False
        self.sent_at = time.perf_counter()
        self.sock.sendall(request)
        return True


def run_load(traffic: Traffic, seconds: float = PATIENCE_SECONDS) -> Load:
    """Keep `connections` requests in flight for `seconds`, or until all numbers are answered."""
    return run_loads((traffic,), seconds)[0]


def run_loads(kinds: Iterable[Traffic], seconds: float) -> list[Load]:
    """Run several kinds of traffic at once; the run ends early when none has numbers left."""
    streams = [_Stream(traffic) for traffic in kinds]
    with _connected(streams) as (epoll, open_connections), _without_garbage_collection():
        started = time.perf_counter()
        asking = sum([connection.ask() for connection in open_connections.values()])
        _answer_loop(epoll, open_connections, asking, started + seconds)
        ended = time.perf_counter()
    for stream in streams:
        if not stream.latencies:
            message = f"no answer within {seconds:g} s: {stream.traffic.request[:200]!r}"
            raise WrongAnswer(message)
    # A kind that was answered in full ended with its last answer.
    ran_out = [next(stream._numbers, None) is None for stream in streams]  # noqa: SLF001  the class is ours
    return [
        Load((stream.last if over else ended) - started, sorted(stream.latencies), stream.others)
        for stream, over in zip(streams, ran_out, strict=True)
    ]


def _answer_loop(epoll: select.epoll, open_connections: dict[int, _Connection], asking: int, deadline: float) -> None:
    while asking and time.perf_counter() < deadline:
        ready = epoll.poll(1.0)
        # Answers lie there from now on; how long we then take to get to them is not the server's time.
        arrived = time.perf_counter()
        for descriptor, _ in ready:
            connection = open_connections[descriptor]
            part = connection.sock.recv(RECEIVE_BYTES)
            if not part:
                message = f"the server closed a connection: {connection.received[:SHOWN_BYTES]!r}"
                raise WrongAnswer(message)
            received = connection.received + part if connection.received else part
            stream = connection.stream
            if not stream.is_whole(received):
                connection.received = received
                continue
            connection.received = b""
            stream.latencies.append((arrived - connection.sent_at) * 1000)
            stream.last = arrived
            if not connection.ask():
                asking -= 1
                # The server may close it now.
                epoll.unregister(descriptor)


@contextmanager
def _connected(streams: Iterable[_Stream]) -> Iterator[tuple[select.epoll, dict[int, _Connection]]]:
    epoll = select.epoll()
    open_connections: dict[int, _Connection] = {}
    try:
        for stream in streams:
            for _ in range(stream.traffic.connections):
                sock = socket.create_connection(("127.0.0.1", stream.traffic.port), timeout=PATIENCE_SECONDS)
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                open_connections[sock.fileno()] = _Connection(sock, stream)
                epoll.register(sock.fileno(), select.EPOLLIN)
        yield epoll, open_connections
    finally:
        epoll.close()
        for connection in open_connections.values():
            with suppress(OSError):
                connection.sock.close()


@contextmanager
def _without_garbage_collection() -> Iterator[None]:
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
