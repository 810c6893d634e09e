"""A network of a test's own for calls to the web ports: its names, its addresses, and canaries at all that are private.

A canary has a valid picture for everybody who connects, so that a job that reaches one completes.
"""

import ipaddress
import socket
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.integration.asking import png
from tests.integration.raw_server import head

WEB_PORTS = (None, 80, 443)
V4_CANARY, V6_CANARY = "127.0.0.2", "::1"

AddressInfo = tuple[int, int, int, str, tuple[Any, ...]]


@dataclass
class Canary:
    """A listener that counts whoever connects."""

    host: str
    port: int
    visits: int = 0


@dataclass
class Network:
    """What names resolve to, and where a connection to an address and a web port leads.

    `names`: the successive answers of a name server for each name; the last one is repeated. `routes`: the port on
    127.0.0.1 for each public address and port. All other addresses lead to a canary.
    """

    names: Mapping[str, Sequence[Sequence[str]]]
    routes: Mapping[tuple[str, int], int]
    canaries: Mapping[int, Canary]
    answering: threading.Event = field(default_factory=threading.Event)
    """While it is not set, a name without addresses is not answered; then there is no such name."""
    _asked: dict[str, int] = field(default_factory=dict)

    @property
    def visits(self) -> int:
        """How many connections the canaries have seen."""
        return sum(each.visits for each in self.canaries.values())

    def forget(self) -> None:
        """Give each name its first answer again, and count visits anew."""
        self._asked.clear()
        for each in self.canaries.values():
            each.visits = 0

    def lookup(self, host: str, port: int | None, *_: object, **__: object) -> list[AddressInfo]:
        """Do what `socket.getaddrinfo` does."""
        return [self._place(address, port) for address in self._addresses(host)]

    def _addresses(self, host: str) -> Sequence[str]:
        name = host.lower().rstrip(".")
        if name not in self.names:
            found = _REAL_LOOKUP(host, None, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
            return [str(each[4][0]) for each in found]
        answers, asked = self.names[name], self._asked.get(name, 0)
        self._asked[name] = asked + 1
        if not (addresses := answers[min(asked, len(answers) - 1)]):
            self.answering.wait(60)
            raise socket.gaierror(socket.EAI_NONAME, "unknown")
        return addresses

    def _place(self, address: str, port: int | None) -> AddressInfo:
        family = socket.AF_INET if ipaddress.ip_address(address).version == 4 else socket.AF_INET6
        if port is None:
            return family, socket.SOCK_STREAM, 6, "", (address, 0)
        if (address, port) in self.routes:
            return socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", self.routes[address, port])
        canary = self.canaries[family]
        return family, socket.SOCK_STREAM, 6, "", (canary.host, canary.port)


@contextmanager
def network(names: Mapping[str, Sequence[Sequence[str]]], routes: Mapping[tuple[str, int], int]) -> Iterator[Network]:
    """Replace the lookup of names, and of addresses with a web port, for this process during the block."""
    with ExitStack() as stack:
        canaries = {
            socket.AF_INET: stack.enter_context(_canary(socket.AF_INET, V4_CANARY)),
            socket.AF_INET6: stack.enter_context(_canary(socket.AF_INET6, V6_CANARY)),
        }
        made = Network(names, routes, canaries)

        def lookup(host: Any, port: Any, *rest: Any, **options: Any) -> Any:
            ours = made.lookup if port in WEB_PORTS else _REAL_LOOKUP
            return ours(host, port, *rest, **options)

        patch = stack.enter_context(pytest.MonkeyPatch.context())
        patch.setattr(socket, "getaddrinfo", lookup)
        yield made


@contextmanager
def _canary(family: int, host: str) -> Iterator[Canary]:
    with socket.create_server((host, 0), family=family) as listener:
        canary = Canary(host, listener.getsockname()[1])
        threading.Thread(target=_welcome, args=(canary, listener), daemon=True).start()
        try:
            yield canary
        finally:
            listener.shutdown(socket.SHUT_RDWR)


def _welcome(canary: Canary, listener: socket.socket) -> None:
    picture = png()
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        canary.visits += 1
        with connection:
            connection.sendall(head(len(picture)) + picture)


_REAL_LOOKUP = socket.getaddrinfo
