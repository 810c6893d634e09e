"""What a client gets who hears an answer while it is made."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from api.http.pieces import Piece
from shared.errors import AskOnceError

EVENTS = "text/event-stream"
"""The media type of server-sent events."""


@dataclass(frozen=True, slots=True)
class Told:
    """What is told how a stream ended. Both may block.

    `ended`: called at the end of every stream that has begun; its argument says why that is no proper end. `abandoned`:
    called in addition, and also where none has begun, if the client has disconnected before the end.
    """

    ended: Callable[[AskOnceError | None], object]
    abandoned: Callable[[], object]


class Voice(Protocol):
    """Makes one client's events, where they are not the chunks themselves. Nothing in it blocks or raises."""

    def pieces(self, pieces: Sequence[Piece]) -> bytes:
        """Return the events of the next pieces."""

    def rest(self, events: bytes) -> bytes:
        """Return the events that are missing at the end. `events`: all of the whole answer."""

    def error(self, body: bytes) -> bytes:
        """Return the event that ends a stream which can't go on. `body`: a JSON document in OpenAI's shape."""


@dataclass(frozen=True, slots=True)
class Listens:
    """How a client's stream begins, and who is told how it ends.

    `known_as`: the id of the response. `counts_tokens`: it wants the usage at the end. `headers`: those of a stream.
    `beyond`: attempts of the job up to this claim are over. `voice`: None for a client that gets the chunks.
    """

    known_as: str
    counts_tokens: bool
    headers: Mapping[str, str]
    beyond: int
    told: Told
    voice: Voice | None = None
