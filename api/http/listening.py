"""What a client gets who hears an answer while it is made."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

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


@dataclass(frozen=True, slots=True)
class Listens:
    """How a client's stream begins, and who is told how it ends.

    `known_as`: the id of the response. `counts_tokens`: it wants the usage at the end. `headers`: those of a stream.
    `beyond`: attempts of the job up to this claim are over.
    """

    known_as: str
    counts_tokens: bool
    headers: Mapping[str, str]
    beyond: int
    told: Told
