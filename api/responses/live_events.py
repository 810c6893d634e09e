"""The events of a response while its answer is made, of the chunks of a chat completion."""

import json
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from api.http.errors import StreamInterrupted
from api.http.openai_errors import in_openai_shape
from api.http.pieces import Piece
from api.http.problems import error_reply
from api.responses.events import (
    BEFORE_ALL,
    Numbered,
    beginning,
    event,
    events_of,
    item_closing,
    item_opening,
    text_closing,
    text_delta,
    text_of,
    text_opening,
    texts_in,
)
from api.responses.input_items import Item
from api.responses.output_items import REASONING, call_item, item_id, message_item, reasoning_item, text_part

_LAST = b"\ndata: "
_THOUGHTS, _TEXT, _CALLS = range(3)
"""In this order items come."""

_Key = tuple[int, int]


class LiveEvents:
    """What one client hears; see `Voice`.

    What can't be said at once, such as items in another order, is left to the end: then the rest comes of the whole
    answer, if that goes on from what was said.
    """

    def __init__(self, begun: Mapping[str, Any], response_id: UUID, after: int = BEFORE_ALL) -> None:
        """`begun`: the response before it has an answer. `after`: the number of the last event that the client has."""
        self._begun = begun
        self._id = response_id
        self._numbered = Numbered(after)
        self._said: list[tuple[Item, list[str]]] = []
        """Items without texts, and their texts in pieces. All but the last one are closed."""
        self._key: _Key | None = None
        self._is_silent = False

    def pieces(self, pieces: Sequence[Piece]) -> bytes:
        """Return the events of the next chunks."""
        return b"".join(self._of_chunk(piece.chunk) for piece in pieces)

    def rest(self, events: bytes) -> bytes:
        """Return what is missing. `events`: those of the whole answer, of which the last one has the response."""
        response = json.loads(events.rpartition(_LAST)[2])["response"]
        if not self._goes_on_to(response["output"]):
            return self.error(in_openai_shape(error_reply(StreamInterrupted())).body)
        return events_of(response, self._numbered.last)

    def error(self, body: bytes) -> bytes:
        """Return the event that ends a stream which can't go on. `body`: the error, in OpenAI's shape."""
        found = json.loads(body)["error"]
        return event("error", self._numbered.last + 1, {name: found[name] for name in ("code", "message", "param")})

    def _of_chunk(self, chunk: Mapping[str, Any]) -> bytes:
        events = beginning(self._begun, self._numbered) if self._numbered.number == BEFORE_ALL else b""
        choices = chunk.get("choices")
        for choice in choices if isinstance(choices, list) else ():
            match choice:
                case {"index": 0, "delta": dict(delta)}:
                    events += self._of_delta(delta)
        return events

    def _of_delta(self, delta: Mapping[str, Any]) -> bytes:
        thoughts = next((delta[name] for name in REASONING if delta.get(name)), None)
        events = self._say((_THOUGHTS, 0), reasoning_item(""), thoughts)
        events += self._say((_TEXT, 0), message_item([text_part("")]), delta.get("content"))
        calls = delta.get("tool_calls")
        for call in calls if isinstance(calls, list) else ():
            match call:
                case {"index": int(number), "function": dict(function)}:
                    events += self._call((_CALLS, number), call.get("id"), function)
                case _:
                    self._is_silent = True
        self._is_silent = self._is_silent or bool(delta.get("refusal"))
        return events

    def _call(self, key: _Key, call_id: object, function: Mapping[str, Any]) -> bytes:
        name = function.get("name")
        if key != self._key and not (isinstance(call_id, str) and isinstance(name, str)):
            self._is_silent = True
        item = call_item(str(call_id), str(name), "")
        return self._say(key, item, function.get("arguments") or "", even_if_empty=True)

    def _say(self, key: _Key, item: Item, text: object, *, even_if_empty: bool = False) -> bytes:
        """Return the events of a piece of an item's text. `item`: with empty texts, without id and status."""
        if self._is_silent or not isinstance(text, str) or not (text or even_if_empty):
            return b""
        events = b""
        if key != self._key:
            if self._key is not None and key < self._key:
                self._is_silent = True
                return b""
            events = self._close() + self._open(key, item)
        if not text:
            return events
        begun, texts = self._said[-1]
        texts.append(text)
        part, place = next(texts_in(begun, len(self._said) - 1))
        return events + text_delta(part, text, place, self._numbered)

    def _open(self, key: _Key, item: Item) -> bytes:
        index = len(self._said)
        begun = {"id": item_id(item["type"], self._id, index), "status": "completed", **item}
        self._key = key
        self._said.append((begun, []))
        part, place = next(texts_in(begun, index))
        return item_opening(begun, index, self._numbered) + text_opening(part, place, self._numbered)

    def _close(self) -> bytes:
        if not self._said:
            return b""
        index, (begun, texts) = len(self._said) - 1, self._said[-1]
        text = "".join(texts)
        if begun["type"] == "function_call":
            whole = {**begun, "arguments": text}
        else:
            whole = {**begun, "content": [{**begun["content"][0], "text": text}]}
        part, place = next(texts_in(whole, index))
        return text_closing(part, place, self._numbered) + item_closing(whole, index, self._numbered)

    def _goes_on_to(self, output: Sequence[Item]) -> bool:
        """Return whether the whole answer begins with what was said."""
        if len(output) < len(self._said):
            return False
        last = len(self._said) - 1
        for index, (begun, texts) in enumerate(self._said):
            item, text = output[index], "".join(texts)
            parts = [text_of(part) for part, _ in texts_in(item, index)]
            same = item["id"] == begun["id"] and item.get("call_id") == begun.get("call_id") and parts
            if not same or not (parts[0].startswith(text) if index == last else parts == [text]):
                return False
        return True
