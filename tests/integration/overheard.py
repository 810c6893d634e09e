"""A line to PostgreSQL on which all is heard that clients send."""

import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from sqlalchemy import make_url

HEAD = struct.Struct("!cI")
LENGTH = struct.Struct("!I")


@dataclass
class Heard:
    """Where to connect to, and the statements of each message, in the order in which they came."""

    url: str
    messages: list[str] = field(default_factory=list)

    def during(self, act: Callable[[], object]) -> list[str]:
        """Return what was sent while something was done; each message is a round trip."""
        before = len(self.messages)
        act()
        return self.messages[before:]


@contextmanager
def overheard(url: str) -> Iterator[Heard]:
    """Listen until the block ends. `url`: of PostgreSQL, in SQLAlchemy's form."""
    server = make_url(url)
    assert server.host
    assert server.port
    with socket.create_server(("127.0.0.1", 0)) as listener:
        through = server.set(host="127.0.0.1", port=listener.getsockname()[1]).update_query_dict({"sslmode": "disable"})
        heard = Heard(through.render_as_string(hide_password=False))
        arguments = (listener, (server.host, server.port), heard.messages)
        threading.Thread(target=_accept, args=arguments, daemon=True).start()
        try:
            yield heard
        finally:
            listener.shutdown(socket.SHUT_RDWR)


def _accept(listener: socket.socket, server: tuple[str, int], messages: list[str]) -> None:
    with suppress(OSError):
        while True:
            client, _ = listener.accept()
            upstream = socket.create_connection(server)
            threading.Thread(target=_carry_back, args=(upstream, client), daemon=True).start()
            threading.Thread(target=_carry, args=(client, upstream, messages), daemon=True).start()


def _carry_back(upstream: socket.socket, client: socket.socket) -> None:
    with suppress(OSError), client:
        while said := upstream.recv(65536):
            client.sendall(said)
        # To close it would not be enough: the other thread still has its file.
        client.shutdown(socket.SHUT_RDWR)


def _carry(client: socket.socket, upstream: socket.socket, messages: list[str]) -> None:
    with suppress(OSError), upstream, client.makefile("rb") as said:
        # Only the first message has no type.
        length = said.read(LENGTH.size)
        upstream.sendall(length + said.read(LENGTH.unpack(length)[0] - LENGTH.size))
        while head := said.read(HEAD.size):
            kind, size = HEAD.unpack(head)
            content = said.read(size - LENGTH.size)
            if kind == b"Q":
                messages.append(content.rstrip(b"\0").decode())
            upstream.sendall(head + content)
