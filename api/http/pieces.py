"""Chunks of a chat completion as the server-sent events that clients get, made once for all of them."""

import json
from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from api.http.reply import json_bytes
from shared.domain.chunks import CHUNK

DONE = b"data: [DONE]\n\n"
COMMENT = b": still waiting\n\n"
"""A line that clients ignore. It keeps what lies between from taking the connection for dead."""

_END = b"\n\n"
NO_CHUNK: Mapping[str, Any] = MappingProxyType({})


class Piece(NamedTuple):
    """One event, without its beginning, in which each client's id stands.

    `plain`: for clients who do not ask for the usage; None if the event has nothing else. `counted`: for the others.
    `chunk`: what it was made of, for clients who get other events.
    """

    plain: bytes | None
    counted: bytes
    chunk: Mapping[str, Any] = NO_CHUNK


OURS = frozenset({"id", "usage", "x_askonce"})
"""Members that each client gets from us, whatever a provider says in them."""


def start_of(known_as: str) -> bytes:
    """Return how each event begins for a client. `known_as`: the id of its response, in ASCII without quotes."""
    return b'data: {"id":"%b",' % known_as.encode()


def piece_of(chunk: Mapping[str, Any], ours: Mapping[str, Any]) -> Piece:
    """Return the event of a chunk. `ours`: is said with the usage, as `x_askonce`."""
    head = {"object": CHUNK, **{name: value for name, value in chunk.items() if name not in OURS}}
    if not chunk.get("choices") and chunk.get("usage") is not None:
        return Piece(None, _rest({**head, "choices": [], "usage": chunk.get("usage"), "x_askonce": ours}), chunk)
    return Piece(_rest(head), _rest({**head, "usage": None}), chunk)


def events_of(
    chunks: Iterable[Mapping[str, Any]], known_as: str, ours: Mapping[str, Any], *, counts_tokens: bool
) -> Iterator[bytes]:
    """Yield the events of chunks, for a client that wants the usage or not; see `start_of` and `piece_of`."""
    start = start_of(known_as)
    for chunk in chunks:
        piece = piece_of(chunk, ours)
        rest = piece.counted if counts_tokens else piece.plain
        if rest is not None:
            yield start + rest


def read_piece(chunk: bytes, ours: Mapping[str, Any]) -> Piece:
    """Return the event of a chunk that a worker has sent; raise ValueError for anything else."""
    parsed = json.loads(chunk)
    if not isinstance(parsed, dict):
        message = "a chunk that is no object"
        raise ValueError(message)  # noqa: TRY004  as for all that is no chunk
    return piece_of(parsed, ours)


def error_event(error: bytes) -> bytes:
    """Return the event that ends a stream which can't go on. `error`: a JSON document in OpenAI's shape."""
    return b"data: " + error + _END


def _rest(document: Mapping[str, Any]) -> bytes:
    """Return the document without its first bracket, and the end of the event."""
    return json_bytes(document)[1:] + _END
