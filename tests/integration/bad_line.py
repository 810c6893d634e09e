"""A line to a real server that can be slow, garble what the server says, break in the middle of it, or vanish."""

import ctypes
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

Spoil = Callable[[bytes], bytes | None]

SLOW_SECONDS = 0.2

SO_ATTACH_FILTER = 26
DROP_ALL = struct.pack("HBBI", 6, 0, 0, 0)
"""The only instruction of a filter of the kernel: let nothing of a segment through."""


@dataclass
class BadLine:
    """A port in front of a server. `spoil` sees all that the server says; None breaks the connection."""

    port: int
    spoil: Spoil = bytes
    clients: list[socket.socket] = field(default_factory=list)

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def mend(self) -> None:
        self.spoil = bytes

    def vanish(self) -> None:
        """Acknowledge nothing more to those who are connected, as when a firewall forgot them; others are let in."""
        for client in self.clients:
            if client.fileno() >= 0:
                _deafen(client)


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
            line.clients.append(client)
            upstream = socket.create_connection(server)
            for ends, current in (((client, upstream), _good), ((upstream, client), lambda: line.spoil)):
                threading.Thread(target=_carry, args=(*ends, current), daemon=True).start()


def _deafen(sock: socket.socket) -> None:
    instructions = ctypes.create_string_buffer(DROP_ALL, len(DROP_ALL))
    program = struct.pack("HP", 1, ctypes.addressof(instructions))
    sock.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, program)


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
