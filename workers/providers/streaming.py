"""Chat completions that a provider streams, in OpenAI's form. Nothing in a stream is trusted.

https://platform.openai.com/docs/api-reference/chat-streaming
"""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, TypeVar

from shared.domain.chunks import CHUNK, Assembly, chunks_of
from shared.domain.conversation import texts_of
from shared.domain.providers import STREAM_TIMEOUTS
from shared.domain.reading import UnusableAnswer, storable
from shared.jobs.errors import BadAnswer, ProviderError, ProviderUnavailable
from workers.outbound.deadline import prolong
from workers.outbound.event_stream import Event, events_of
from workers.providers.base import Completion, ModelCall, OnChunk
from workers.providers.chat_completion import parse_body
from workers.providers.errors import VendorError, error_fields
from workers.providers.key_echoes import refuse_key
from workers.providers.passed_on import passed_on, wanted_body

END = "[DONE]"
MEDIA_TYPE = "text/event-stream"
LINGER_SECONDS = 0.1
"""How long a stream is read after its end, so that its connection can be used again."""

T = TypeVar("T")

_HEAD: tuple[str, ...] = ("id", "created", "model", "system_fingerprint")
_CLIENT_ERROR, _LAST_ERROR = 400, 599
_SERVER_ERROR = 500


def streamed_body(call: ModelCall) -> dict[str, Any]:
    """Return what the provider is asked for; raise ProviderRejected for another kind of work."""
    return {**wanted_body(call), "stream": True, "stream_options": {"include_usage": True}}


def is_stream(content_type: str) -> bool:
    """Return whether an answer of this type is a stream. Some servers send a whole document all the same."""
    return content_type.partition(";")[0].strip().lower() == MEDIA_TYPE


def read_to_end(pieces: Iterable[bytes]) -> None:
    """Read what follows the end of a stream, which means nothing; raise what the iteration raises."""
    for _ in pieces:
        pass


@dataclass(frozen=True, slots=True)
class StreamReader:
    """Reads one streamed answer, and hands its chunks on as they come.

    `vendor`: the provider's name in messages. `secret`: its API key. `sent`: the client's text; no error quotes either.
    `seconds`: how long the next chunk may take; the whole stream may take STREAM_TIMEOUTS times as long.
    """

    vendor: str
    secret: str
    sent: str
    on_chunk: OnChunk
    seconds: float

    def read(self, pieces: Iterable[bytes], pause: float | None) -> Completion:
        """Return the completion, as soon as the stream says that it is over.

        Raises what the iteration raises; ProviderUnavailable for a stream that is broken off, and for an error in it
        what that error means; BadAnswer for anything else that is no completion.
        """
        assembly, counted = Assembly(), False
        for event in events_of(pieces):
            if event.data == END:
                break
            chunk = self._add(event, assembly)
            prolong(self.seconds, STREAM_TIMEOUTS * self.seconds)
            counted |= not chunk["choices"] and chunk.get("usage") is not None
        else:
            if not assembly.is_finished:
                message = f"{self.vendor} broke off its answer."
                raise ProviderUnavailable(message)
        document = _usable(assembly.document)
        refuse_key(json.dumps(document).encode(), self.secret)
        if not counted and "usage" in document:
            # Some send the usage with the last choice only. Those who ask for it look for it in a chunk of its own.
            self.on_chunk({**_head(document), "choices": [], "usage": document["usage"]})
        return passed_on(document, pause)

    def read_whole(self, content: bytes, pause: float | None) -> Completion:
        """Return the completion of a provider that does not stream; hand it on in chunks."""
        refuse_key(content, self.secret)
        completion = passed_on(parse_body(content), pause)
        for chunk in chunks_of(completion.result["completion"], include_usage=True):
            self.on_chunk(chunk)
        return completion

    def _add(self, event: Event, assembly: Assembly) -> dict[str, Any]:
        """Check a chunk, add it, hand it on, and return it."""
        refuse_key(event.data.encode(), self.secret)
        chunk = parse_body(event.data.encode())
        if event.name == "error" or (isinstance(chunk, dict) and chunk.get("error") is not None):
            raise self._error(chunk)
        _usable(lambda: _check(event.data, chunk))
        added = _usable(lambda: assembly.add(chunk))
        self.on_chunk(added)
        return added

    def _error(self, body: object) -> ProviderError:
        code, message = error_fields(body)
        said = VendorError(self.vendor, _status(body), code, message)
        return said.error(secret=self.secret, sent=self.sent)


def _head(document: dict[str, Any]) -> dict[str, Any]:
    """Return what each chunk of a completion has."""
    return {"object": CHUNK, **{name: document[name] for name in _HEAD if name in document}}


def _check(data: str, chunk: object) -> None:
    if "\\u" not in data:
        return
    for text in texts_of(chunk):
        storable(text)


def _status(body: object) -> int:
    """Return the HTTP status that an error in a stream would have had before; 500 if it does not say."""
    match body:
        case {"error": {"status_code": int() as status}} | {"error": {"code": int() as status}}:
            return status if _CLIENT_ERROR <= status <= _LAST_ERROR else _SERVER_ERROR
    return _SERVER_ERROR


def _usable(read: Callable[[], T]) -> T:
    try:
        return read()
    except UnusableAnswer as err:
        raise BadAnswer(str(err)) from err
