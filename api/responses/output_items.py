"""The items of a response's output, made of a chat completion. Nothing in a provider's document is trusted.

https://platform.openai.com/docs/api-reference/responses/object#responses-object-output
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from uuid import UUID

from api.responses.input_items import Item

Json = dict[str, Any]

REASONING = ("reasoning", "reasoning_content")
"""What providers call the text of a model's thoughts."""

_PREFIXES = {"reasoning": "rs", "message": "msg", "function_call": "fc"}
_INCOMPLETE = {"length": "max_output_tokens", "content_filter": "content_filter"}


def output_items(completion: Mapping[str, Any], response_id: UUID) -> list[Item]:
    """Return the items, each with an id that is made of the response's: thoughts, the text, calls of functions."""
    choice = completion["choices"][0]
    status = "completed" if incomplete_reason(completion) is None else "incomplete"
    return [
        {"id": item_id(item["type"], response_id, index), "status": status, **item}
        for index, item in enumerate(_items(choice["message"]))
    ]


def item_id(kind: str, response_id: UUID, index: int) -> str:
    """Return the id of an item. `index`: its place in the output."""
    return f"{_PREFIXES[kind]}_{response_id.hex}_{index}"


def incomplete_reason(completion: Mapping[str, Any]) -> str | None:
    """Return why the model stopped before its end, as responses say it; None if it did not."""
    return _INCOMPLETE.get(completion["choices"][0]["finish_reason"])


def _items(message: Mapping[str, Any]) -> Iterator[Json]:
    thoughts = next((message[name] for name in REASONING if message.get(name)), None)
    if isinstance(thoughts, str) and thoughts:
        yield reasoning_item(thoughts)
    parts = list(_parts(message))
    if parts:
        yield message_item(parts)
    calls = message.get("tool_calls")
    for each in calls if isinstance(calls, list) else []:
        match each:
            case {"id": str(call_id), "function": {"name": str(name), **rest}}:
                yield call_item(call_id, name, _arguments(rest.get("arguments")))


def reasoning_item(text: str) -> Json:
    """Return what a model has thought, without id and status."""
    content = [{"type": "reasoning_text", "text": text}]
    return {"type": "reasoning", "summary": [], "content": content, "encrypted_content": None}


def message_item(parts: Sequence[Item]) -> Json:
    """Return what a model says."""
    return {"type": "message", "role": "assistant", "content": parts}


def text_part(text: str) -> Json:
    """Return a part of a message."""
    return {"type": "output_text", "text": text, "annotations": [], "logprobs": []}


def call_item(call_id: str, name: str, arguments: str) -> Json:
    """Return the call of a function."""
    return {"type": "function_call", "call_id": call_id, "name": name, "arguments": arguments}


def _parts(message: Mapping[str, Any]) -> Iterator[Json]:
    content, refusal = message.get("content"), message.get("refusal")
    if isinstance(content, list):
        texts = [each["text"] for each in content if isinstance(each, dict) and isinstance(each.get("text"), str)]
        content = "".join(texts)
    if isinstance(content, str) and content:
        yield text_part(content)
    if isinstance(refusal, str) and refusal:
        yield {"type": "refusal", "refusal": refusal}


def _arguments(given: object) -> str:
    if isinstance(given, str):
        return given
    return "{}" if given is None else json.dumps(given)
