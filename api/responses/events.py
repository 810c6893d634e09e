"""Responses as events. Their numbers count each character of a text as an event of its own.

So an answer that comes in other pieces has the same numbers, and a client can go on after any of them.
https://platform.openai.com/docs/api-reference/responses-streaming
"""

from collections.abc import Iterator, Mapping
from typing import Any

from api.http.reply import json_bytes
from api.responses.input_items import Item
from shared.domain.chunks import PIECE_CHARS

BEFORE_ALL = -1
BEFORE_ANSWER = 1
"""The number of the last event that is the same whatever the answer says: of `created` and `in_progress`."""

_TEXTS = {"output_text": "text", "reasoning_text": "text", "refusal": "refusal", "function_call": "arguments"}
"""The member that holds the text, of each kind of parts and of function calls."""

_ENDS = {"completed": "response.completed", "incomplete": "response.incomplete"}
_OTHER_END = "response.failed"


class Numbered:
    """Makes events, each with the next number. Of those up to `after`, which the client has, nothing is made."""

    def __init__(self, after: int = BEFORE_ALL) -> None:
        self.number = BEFORE_ALL
        self._after = after

    @property
    def last(self) -> int:
        """The number of the last event that the client has."""
        return max(self.number, self._after)

    def event(self, kind: str, **members: Any) -> bytes:  # noqa: ANN401  JSON is any of its types
        """Return an event."""
        self.number += 1
        return b"" if self.number <= self._after else event(kind, self.number, members)

    def delta(self, kind: str, text: str, **members: Any) -> bytes:  # noqa: ANN401  as above
        """Return the event of a piece of text, without the characters that the client has."""
        fresh = text[max(0, self._after - self.number) :]
        self.number += len(text)
        return event(kind, self.number, {"delta": fresh, **members}) if fresh else b""


def event(kind: str, number: int, members: Mapping[str, Any]) -> bytes:
    """Return an event as it is sent."""
    document = {"type": kind, "sequence_number": number, **members}
    return b"event: %b\ndata: %b\n\n" % (kind.encode(), json_bytes(document))


def events_of(document: Mapping[str, Any], after: int = BEFORE_ALL) -> bytes:
    """Return the events of a response that has ended. `after`: the number of the last one that the client has."""
    return b"".join(_events(document, Numbered(after)))


def beginning(document: Mapping[str, Any], numbered: Numbered) -> bytes:
    """Return the events with which every response begins."""
    nothing_yet = dict.fromkeys(("completed_at", "error", "incomplete_details", "usage"))
    begun = {**document, **nothing_yet, "status": "in_progress", "output": []}
    return b"".join(numbered.event(f"response.{kind}", response=begun) for kind in ("created", "in_progress"))


def item_opening(item: Item, index: int, numbered: Numbered) -> bytes:
    """Return the event that an item of the output begins."""
    empty: dict[str, Any] = {"arguments": ""} if item["type"] == "function_call" else {"content": []}
    begun = {**item, **empty, "status": "in_progress"}
    return numbered.event("response.output_item.added", output_index=index, item=begun)


def item_closing(item: Item, index: int, numbered: Numbered) -> bytes:
    """Return the event that an item is whole."""
    return numbered.event("response.output_item.done", output_index=index, item=item)


def text_opening(part: Item, place: Mapping[str, Any], numbered: Numbered) -> bytes:
    """Return the event that a text begins; none for a function's arguments. `place`: which part of which item."""
    if part["type"] == "function_call":
        return b""
    return numbered.event("response.content_part.added", **place, part={**part, _TEXTS[part["type"]]: ""})


def text_delta(part: Item, text: str, place: Mapping[str, Any], numbered: Numbered) -> bytes:
    """Return the event of the next piece of a text."""
    return numbered.delta(f"{_name(part)}.delta", text, **place, **_more(part))


def text_closing(part: Item, place: Mapping[str, Any], numbered: Numbered) -> bytes:
    """Return the events that a text is whole."""
    kind, name = part["type"], _TEXTS[part["type"]]
    done = numbered.event(f"{_name(part)}.done", **place, **{name: part[name]}, **_more(part))
    if kind == "function_call":
        return done
    return done + numbered.event("response.content_part.done", **place, part=part)


def texts_in(item: Item, index: int) -> Iterator[tuple[Item, dict[str, Any]]]:
    """Yield the parts of an item that have texts, each with its place; a function call is its own only part."""
    place = {"item_id": item["id"], "output_index": index}
    if item["type"] == "function_call":
        yield item, place
        return
    for number, part in enumerate(item["content"]):
        yield part, {**place, "content_index": number}


def text_of(part: Item) -> str:
    """Return the text of a part."""
    text: str = part[_TEXTS[part["type"]]]
    return text


def _events(document: Mapping[str, Any], numbered: Numbered) -> Iterator[bytes]:
    yield beginning(document, numbered)
    for index, item in enumerate(document["output"]):
        yield item_opening(item, index, numbered)
        for part, place in texts_in(item, index):
            yield text_opening(part, place, numbered)
            text = text_of(part)
            for start in range(0, len(text), PIECE_CHARS):
                yield text_delta(part, text[start : start + PIECE_CHARS], place, numbered)
            yield text_closing(part, place, numbered)
        yield item_closing(item, index, numbered)
    yield numbered.event(_ENDS.get(document["status"], _OTHER_END), response=document)


def _name(part: Item) -> str:
    return "response.function_call_arguments" if part["type"] == "function_call" else f"response.{part['type']}"


def _more(part: Item) -> dict[str, Any]:
    if part["type"] == "function_call":
        return {"name": part["name"]}
    return {"logprobs": []} if part["type"] == "output_text" else {}
