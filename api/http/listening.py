"""What a client gets who hears an answer while it is made."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from shared.errors import AskOnceError

EVENTS = "text/event-stream"
"""The media type of server-sent events."""


@dataclass(frozen=True, slots=True)
class Listens:
    """How a client's stream begins, and who is told how it ended.

    `known_as`: the id of the response. `counts_tokens`: it wants the usage at the end. `headers`: those of a stream.
    `beyond`: attempts of the job up to this claim are over. `record`: records the call, once; its argument says why the
    stream has no proper end. It may block.
    """

    known_as: str
    counts_tokens: bool
    headers: Mapping[str, str]
    beyond: int
    record: Callable[[AskOnceError | None], object]
