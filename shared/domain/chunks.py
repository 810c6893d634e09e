"""The chunks of a streamed chat completion, in OpenAI's shape: put together to a document, and made of a document.

https://platform.openai.com/docs/api-reference/chat-streaming
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NoReturn

from shared.domain.reading import UnusableAnswer

Chunk = Mapping[str, Any]
Document = dict[str, Any]

CHUNK, COMPLETION = "chat.completion.chunk", "chat.completion"
PIECE_CHARS = 256
"""How much text a chunk has that is made of a document."""

MAX_INDEX = 1000
"""The highest index of a choice or of a tool call. Providers allow some 128 of either."""

MAX_DEPTH = 8
"""How deep an unknown member of a delta is joined with the one before it. Below, the newer one replaces the older."""

_REPLACED = frozenset({"index", "type", "id", "role"})
"""Texts that are sent whole: a newer one replaces the older, as in OpenAI's own client."""

_TEXTS: Mapping[str, Any] = {"role": str, "refusal": str, "content": str | list}
"""Members of a delta that have a type. Some reasoning models send their content in parts."""

_OF_CHUNKS = frozenset({"object", "choices", "usage", "obfuscation"})
_OF_CHOICES = frozenset({"index", "delta", "finish_reason", "logprobs"})


class _Text:
    """A text that may still grow: its pieces. Joining them anew for each piece would take the square of the time."""

    def __init__(self, piece: str) -> None:
        self.pieces = [piece]


class Assembly:
    """A completion that is put together as its chunks come."""

    def __init__(self) -> None:
        self._head: Document = {}
        self._usage: Any = None
        self._choices: dict[int, Document] = {}

    @property
    def is_finished(self) -> bool:
        """Whether every choice that has begun has its end."""
        return bool(self._choices) and all(each["finish_reason"] is not None for each in self._choices.values())

    def add(self, chunk: object) -> Document:
        """Add the next chunk and return it; raise UnusableAnswer if it is none."""
        if not isinstance(chunk, dict) or not isinstance(chunk.get("choices"), list):
            _unusable("A part of the stream is no chunk of a chat completion.")
        for choice in chunk["choices"]:
            self._add_choice(choice)
        for name, value in chunk.items():
            if name == "x_groq" and isinstance(value, dict):
                self._add_groq(value)
            elif name not in _OF_CHUNKS:
                self._head[name] = _newer(self._head.get(name), value)
        self._count(chunk.get("usage"))
        return chunk

    def document(self) -> Document:
        """Return the whole completion; raise UnusableAnswer if it has no choices, or one has no end."""
        if not self.is_finished:
            _unusable("The stream ended before the answer did.")
        choices = [_choice(index, each) for index, each in sorted(self._choices.items())]
        usage = {} if self._usage is None else {"usage": self._usage}
        return {**self._head, "object": COMPLETION, "choices": choices, **usage}

    def _add_groq(self, value: Mapping[str, Any]) -> None:
        """Groq counts tokens here too, where nobody asks for `include_usage`."""
        self._count(value.get("usage"))
        kept = {name: each for name, each in value.items() if name != "usage"}
        if kept:
            self._head["x_groq"] = {**self._head.get("x_groq", {}), **kept}

    def _count(self, usage: object) -> None:
        if usage is not None:
            self._usage = usage

    def _add_choice(self, choice: object) -> None:
        if not isinstance(choice, dict) or not _is_index(choice.get("index")):
            _unusable("A choice of the stream has no index.")
        known = self._choices.setdefault(choice["index"], {"message": {}, "finish_reason": None})
        delta, reason = choice.get("delta"), choice.get("finish_reason")
        if not isinstance(delta, dict | None) or not isinstance(reason, str | None):
            _unusable("A choice of the stream has no delta, or its end has no reason.")
        _add_delta(known["message"], delta or {})
        if reason is not None:
            known["finish_reason"] = reason
        if "logprobs" in choice:
            known["logprobs"] = _joined(known.get("logprobs"), choice["logprobs"])
        for name in choice.keys() - _OF_CHOICES:
            known[name] = _newer(known.get(name), choice[name])


def assemble(chunks: Iterable[object]) -> Document:
    """Return the completion of these chunks; raise UnusableAnswer if they are no whole one."""
    assembly = Assembly()
    for chunk in chunks:
        assembly.add(chunk)
    return assembly.document()


def chunks_of(document: Mapping[str, Any], *, include_usage: bool = False) -> Iterator[Document]:
    """Yield the chunks that make up a completion, with `id`, `created` and all else of its head in each.

    `include_usage`: end with a chunk of the usage, as OpenAI does where `stream_options.include_usage` is set.
    """
    head = {name: value for name, value in document.items() if name not in _OF_CHUNKS}
    no_usage = {"usage": None} if include_usage else {}
    for place, choice in enumerate(document["choices"]):
        for delta, end in _deltas(choice):
            parts = {"index": choice.get("index", place), "delta": delta, **end}
            yield {**head, "object": CHUNK, "choices": [parts], **no_usage}
    if include_usage:
        yield {**head, "object": CHUNK, "choices": [], "usage": document.get("usage")}


def _deltas(choice: Mapping[str, Any]) -> Iterator[tuple[Document, Document]]:
    """Yield the deltas of a choice, each with what else its choice has: the role first, the reason of the end last."""
    message, going_on = choice["message"], {"finish_reason": None}
    calls = message.get("tool_calls")
    # What is not sent in pieces goes first, as a whole.
    texts = {name: text for name, text in message.items() if isinstance(text, str) and name not in _REPLACED}
    first = {
        name: "" if name in texts else value for name, value in message.items() if name != "tool_calls" or not calls
    }
    yield first, going_on
    for name, text in texts.items():
        for piece in _pieces(text):
            yield {name: piece}, going_on
    for index, call in enumerate(calls or ()):
        yield {"tool_calls": [{"index": index, **call}]}, going_on
    yield {}, {name: value for name, value in choice.items() if name not in {"index", "message"}}


def _pieces(text: str) -> Iterator[str]:
    return (text[start : start + PIECE_CHARS] for start in range(0, len(text), PIECE_CHARS))


def _add_delta(message: Document, delta: Mapping[str, Any]) -> None:
    for name, value in delta.items():
        if name == "tool_calls":
            _add_calls(message, value)
        elif name in _TEXTS and not isinstance(value, _TEXTS[name] | None):
            _unusable(f"The {name} of a delta is no text.")
        else:
            message[name] = (_newer if name == "role" else _joined)(message.get(name), value)


def _add_calls(message: Document, calls: object) -> None:
    if calls is None:
        message.setdefault("tool_calls", None)
        return
    if not isinstance(calls, list):
        _unusable("The tool calls of a delta are no list.")
    known = message.get("tool_calls")
    if not isinstance(known, dict):
        known = message["tool_calls"] = {}
    for call in calls:
        if not isinstance(call, dict):
            _unusable("A tool call is no object.")
        index = _index_of(call, known)
        others = {name: value for name, value in call.items() if name != "index"}
        known[index] = _joined(known.get(index), others)


def _index_of(call: Mapping[str, Any], known: Mapping[int, Any]) -> int:
    """Return which tool call a delta goes on with. Some providers leave that out, and send whole calls."""
    index = call.get("index")
    if index is None:
        return len(known) if call.get("id") or not known else len(known) - 1
    if not _is_index(index):
        _unusable("A tool call has no index.")
    return int(index)


def _is_index(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MAX_INDEX


def _choice(index: int, choice: Mapping[str, Any]) -> Document:
    message = {name: _finished(value) for name, value in choice["message"].items() if name != "tool_calls"}
    calls = choice["message"].get("tool_calls")
    if isinstance(calls, dict):
        message["tool_calls"] = [_finished(call) for _, call in sorted(calls.items())]
    elif "tool_calls" in choice["message"]:
        message["tool_calls"] = None
    message.setdefault("role", "assistant")
    message.setdefault("content", None)
    others = {name: _finished(value) for name, value in choice.items() if name != "message"}
    return {"index": index, "message": message, **others}


def _newer(known: Any, value: Any) -> Any:  # noqa: ANN401  any JSON
    return known if value is None else value


def _joined(known: Any, value: Any, depth: int = MAX_DEPTH) -> Any:  # noqa: ANN401  any JSON
    """Return what a member is with its next part: texts and lists go on, objects do so member by member."""
    if value is None:
        return known
    if isinstance(value, str):
        return _longer(known, value)
    if isinstance(value, list):
        return [*value] if not isinstance(known, list) else _extended(known, value)
    if isinstance(value, dict) and depth:
        grown = known if isinstance(known, dict) else {}
        for name, each in value.items():
            old = grown.get(name)
            grown[name] = _newer(old, each) if name in _REPLACED else _joined(old, each, depth - 1)
        return grown
    return value


def _longer(known: object, piece: str) -> _Text:
    if not isinstance(known, _Text):
        return _Text(piece)
    known.pieces.append(piece)
    return known


def _extended(known: list[Any], more: list[Any]) -> list[Any]:
    known.extend(more)
    return known


def _finished(value: Any, depth: int = MAX_DEPTH + 1) -> Any:  # noqa: ANN401  any JSON
    """Return a member with its texts in one piece."""
    if isinstance(value, _Text):
        return "".join(value.pieces)
    if isinstance(value, dict) and depth:
        return {name: _finished(each, depth - 1) for name, each in value.items()}
    return value


def _unusable(message: str) -> NoReturn:
    raise UnusableAnswer(message)
