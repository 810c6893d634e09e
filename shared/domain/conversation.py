"""A chat completion in its client's own words: what is passed on to the provider, and is part of the cache key.

https://platform.openai.com/docs/api-reference/chat/create
"""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from shared.domain.inputs import WrongValue, storable_text

NOT_PASSED_ON = frozenset({"model", "stream", "stream_options", "user", "metadata", "safety_identifier"})
"""Members of the body that do not change the answer: how it is delivered, and who asks. The model is named apart."""

EXACT_INTEGERS = 2**53
"""Floats up to this one are whole numbers exactly, and mean the same as these."""

LONG_TEXTS = 3
"""All texts of a conversation may have this many times MAX_INPUT_CHARS characters: as many as the task `chat` takes."""


@dataclass(frozen=True)
class Conversation:
    """A body without the members of NOT_PASSED_ON, and without members that are null; nor have its messages such ones.

    Whole numbers are integers in it, so that equal numbers make equal keys. Texts are as they were sent. `streams`: the
    client wants the answer in pieces. `counts_tokens`: and the usage at their end. Neither changes the answer.
    """

    body: Mapping[str, Any]
    streams: bool = False
    counts_tokens: bool = False

    def identity(self) -> dict[str, Any]:
        """Return the part of the cache key that stands for this input."""
        return {"kind": "conversation", "value": self.body}

    def as_body(self) -> Mapping[str, Any]:
        """Return what a job keeps of it until it has ended."""
        return self.body

    def as_record(self) -> Mapping[str, Any]:
        """Return what records hold: digests in place of pictures and other files."""
        record: Mapping[str, Any] = _without_files(self.body)
        return record

    @cached_property
    def text(self) -> str:
        """All texts in it, one after another; no error of a provider may quote from them."""
        return "\n".join(each for each in texts_of(self.body) if not is_file(each))

    @cached_property
    def files(self) -> int:
        """How many pictures and other files it holds."""
        return sum(map(is_file, texts_of(self.body)))


def read_conversation(document: Mapping[str, Any], max_chars: int) -> Conversation:
    """Return the conversation in a parsed body, as `conversation_in`. `max_chars`: the limit of one text."""
    found = conversation_in(document)
    if len(found.text) > max_chars * LONG_TEXTS:
        message = f"must have at most {max_chars * LONG_TEXTS} characters of text in all, has {len(found.text)}"
        raise WrongValue(message, "/messages")
    return found


def conversation_in(document: Mapping[str, Any]) -> Conversation:
    """Return the conversation in a parsed body, however long.

    Checks what must be right to ask at all; the rest is for the provider to judge. Raises WrongValue, with the pointer
    to what is wrong.
    """
    _check_messages(document.get("messages"))
    streams = _flag(document, "stream")
    options = document.get("stream_options")
    if options is not None and not isinstance(options, dict):
        message = "must be an object"
        raise WrongValue(message, "/stream_options")
    counts_tokens = streams and _flag(options or {}, "include_usage", "/stream_options")
    given = {name: value for name, value in document.items() if name not in NOT_PASSED_ON and value is not None}
    given["messages"] = [_without_nulls(message) for message in given["messages"]]
    return Conversation(canonical(given), streams, counts_tokens)


def canonical(value: Any) -> Any:  # noqa: ANN401  JSON is any of its types
    """Return the value with whole numbers as integers; raise WrongValue for text that PostgreSQL can't store.

    It is what was parsed from JSON: dicts, lists and so on, and nothing derived from them.
    """
    kind = type(value)
    if kind is str:
        return storable_text(value)
    if kind is dict:
        return _canonical_members(value)
    if kind is list:
        return _canonical_items(value)
    if kind is float and abs(value) <= EXACT_INTEGERS and value.is_integer():
        return int(value)
    return value


def _canonical_members(members: dict[str, Any]) -> dict[str, Any]:
    found = {}
    for name, each in members.items():
        storable_text(name)
        try:
            found[name] = canonical(each)
        except WrongValue as err:
            raise _at(name, err) from err
    return found


def _canonical_items(items: list[Any]) -> list[Any]:
    found = []
    for index, each in enumerate(items):
        try:
            found.append(canonical(each))
        except WrongValue as err:
            raise _at(index, err) from err
    return found


def texts_of(value: object) -> Iterator[str]:
    """Yield all strings in a JSON value, names of members included."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for name, each in value.items():
            yield name
            yield from texts_of(each)
    elif isinstance(value, list):
        for each in value:
            yield from texts_of(each)


def is_file(text: str) -> bool:
    """Return whether a string is a picture or another file: a data URL (RFC 2397)."""
    return text[:5].lower() == "data:" and ";base64," in text[:200]


def _check_messages(messages: object) -> None:
    if messages is None:
        message = "is required"
        raise WrongValue(message, "/messages")
    if not isinstance(messages, list) or not messages:
        message = "must be a list of at least one message"
        raise WrongValue(message, "/messages")
    for index, each in enumerate(messages):
        if not isinstance(each, dict) or not isinstance(each.get("role"), str):
            message = "must be an object with a role"
            raise WrongValue(message, f"/messages/{index}")


def _without_nulls(message: Mapping[str, Any]) -> dict[str, Any]:
    """Return a message without members that are null.

    SDKs send an answer's message back with all that its type has, and Groq refuses `refusal` and others even if they
    are null. `content` is null where a message has only calls of tools, and some servers want to see that.
    """
    return {name: value for name, value in message.items() if value is not None or name == "content"}


def _flag(document: Mapping[str, Any], name: str, under: str = "") -> bool:
    value = document.get(name)
    if value is None or isinstance(value, bool):
        return bool(value)
    message = "must be true or false"
    raise WrongValue(message, f"{under}/{name}")


def _at(place: str | int, error: WrongValue) -> WrongValue:
    """Return an error in an item as one of the whole."""
    name = str(place).replace("~", "~0").replace("/", "~1")
    return WrongValue(error.detail, f"/{name}{error.pointer}")


def _without_files(value: Any) -> Any:  # noqa: ANN401  as above
    if isinstance(value, str) and is_file(value):
        head, _, payload = value.partition(",")
        digest = hashlib.sha256(payload.encode()).hexdigest()
        return {"sha256": digest, "chars": len(payload), "media_type": head[5:].partition(";")[0].lower()}
    if isinstance(value, Mapping):
        return {name: _without_files(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_without_files(each) for each in value]
    return value
