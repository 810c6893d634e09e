"""A line to a real server that can be slow, garble what the server says, or break in the middle of it."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

Spoil = Callable[[bytes], bytes | None]

SLOW_SECONDS = 0.2


@dataclass
class BadLine:
    """A port in front of a server. `spoil` sees all that the server says; None breaks the connection."""

    port: int
    spoil: Spoil = bytes

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def mend(self) -> None:
        self.spoil = bytes


def slow(said: bytes) -> bytes:
    time.sleep(SLOW_SECONDS)
    return said


def garbled(said: bytes) -> bytes:
    return bytes(byte ^ 0x5A for byte in said)


def broken(_: bytes) -> None:
    return None


def halved(said: bytes) -> bytes:
    return said[: len(said) // 2]


@contextmanager
def bad_line(server: tuple[str, int]) -> Iterator[BadLine]:
    """Listen until the block ends; good until told otherwise."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        line = BadLine(listener.getsockname()[1])
        threading.Thread(target=_accept, args=(listener, server, line), daemon=True).start()
        try:
            yield line
        finally:
            listener.shutdown(socket.SHUT_RDWR)


def _accept(listener: socket.socket, server: tuple[str, int], line: BadLine) -> None:
    with suppress(OSError):
        while True:
            client, _ = listener.accept()
            upstream = socket.create_connection(server)
            for ends, current in (((client, upstream), _good), ((upstream, client), lambda: line.spoil)):
                threading.Thread(target=_carry, args=(*ends, current), daemon=True).start()


def _good() -> Spoil:
    return bytes


def _carry(source: socket.socket, target: socket.socket, current: Callable[[], Spoil]) -> None:
    with suppress(OSError):
        while said := source.recv(65536):
            spoiled = current()(said)
            if spoiled is None:
                break
            target.sendall(spoiled)
    for end in (source, target):
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
    source.close()
