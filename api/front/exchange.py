"""What the front needs of the server: one request's body, and its response."""

from collections.abc import Awaitable, Sequence
from typing import Protocol


class BodyStream(Protocol):
    """A body as it comes: it may be iterated once, and an empty chunk is its end, also where it breaks off."""

    @property
    def is_complete(self) -> bool:
        """Whether the whole request has arrived."""

    def __aiter__(self) -> "BodyStream":
        """Begin the iteration."""

    def __anext__(self) -> Awaitable[bytes]:
        """Return the next chunk once it has arrived."""


class ResponseStream(Protocol):
    """The body of a response, in pieces."""

    @property
    def unread(self) -> int:
        """How many bytes were sent that the system has not taken for the client yet."""

    def send(self, piece: bytes, /) -> None:
        """Send a piece; forget it when the client is gone."""

    def end(self) -> None:
        """Send the end."""


class Exchange(BodyStream, Protocol):
    """A request and its response. Its response has to be over when the call that serves it returns."""

    def whole_body(self) -> bytes | None:
        """Return the body if all of it is here, and was not taken before; else None."""

    async def disconnected(self) -> None:
        """Wait until the client has disconnected."""

    def respond(self, status: int, headers: Sequence[tuple[str, str]], body: bytes, /) -> None:
        """Send a whole response."""

    async def drained(self) -> None:
        """Wait until the client has read what was sent, or is gone."""

    def begin(self, status: int, headers: Sequence[tuple[str, str]], /) -> ResponseStream:
        """Send the head of a response whose body comes in pieces; return what takes these."""
