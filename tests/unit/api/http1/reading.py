"""A reader of requests, and what it has passed on."""

from dataclasses import dataclass, field

from api.http1.head import Head
from api.http1.known_heads import KnownHeads
from api.http1.reader import Refused, RequestReader

CLIENT, SERVER = "10.0.0.1:5000", "127.0.0.1:8000"


@dataclass
class Request:
    """One request, as far as it was read."""

    head: Head
    keeps_alive: bool
    body: bytes = b""
    is_complete: bool = False

    def receive(self, chunk: bytes) -> None:
        self.body += chunk

    def complete(self) -> None:
        assert not self.is_complete
        self.is_complete = True


@dataclass
class Read:
    """The requests of a connection. `refused_with`: one status, or None for no answer, if something was refused."""

    requests: list[Request] = field(default_factory=list)
    refused_with: list[int | None] = field(default_factory=list)

    def begin(self, head: Head, *, keeps_alive: bool) -> Request:
        self.requests.append(Request(head, keeps_alive))
        return self.requests[-1]


def read(*pieces: bytes, heads: KnownHeads | None = None) -> Read:
    """Feed a reader piece by piece, until it refuses one. `heads`: known from other connections."""
    found = Read()
    reader = RequestReader(found, KnownHeads() if heads is None else heads, CLIENT, SERVER)
    try:
        for piece in pieces:
            reader.feed(memoryview(piece))
    except Refused as err:
        found.refused_with.append(err.status)
    return found


def refusal(*pieces: bytes) -> list[int | None]:
    """Return with what these pieces are refused; nothing if they are not."""
    return read(*pieces).refused_with


def head_bytes(*lines: str, first: str = "POST /a HTTP/1.1") -> bytes:
    return "\r\n".join([first, "Host: localhost", *lines, "", ""]).encode("latin-1")
