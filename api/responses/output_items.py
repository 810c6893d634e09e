"""The items of a response's output, made of a chat completion. Nothing in a provider's document is trusted.

https://platform.openai.com/docs/api-reference/responses/object#responses-object-output
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any
from uuid import UUID

from api.responses.input_items import Item

Json = dict[str, Any]

_INCOMPLETE = {"length": "max_output_tokens", "content_filter": "content_filter"}


def output_items(completion: Mapping[str, Any], response_id: UUID) -> list[Item]:
    """Return the items, each with an id that is made of the response's: thoughts, the text, calls of functions."""
    choice = completion["choices"][0]
    status = "completed" if incomplete_reason(completion) is None else "incomplete"
    return [
        {"id": f"{prefix}_{response_id.hex}_{index}", "status": status, **item}
        for index, (prefix, item) in enumerate(_items(choice["message"]))
    ]


def incomplete_reason(completion: Mapping[str, Any]) -> str | None:
    """Return why the model stopped before its end, as responses say it; None if it did not."""
    return _INCOMPLETE.get(completion["choices"][0]["finish_reason"])


def _items(message: Mapping[str, Any]) -> Iterator[tuple[str, Json]]:
    thoughts = message.get("reasoning") or message.get("reasoning_content")
    if isinstance(thoughts, str) and thoughts:
        content = [{"type": "reasoning_text", "text": thoughts}]
        yield "rs", {"type": "reasoning", "summary": [], "content": content, "encrypted_content": None}
    parts = list(_parts(message))
    if parts:
        yield "msg", {"type": "message", "role": "assistant", "content": parts}
    calls = message.get("tool_calls")
    for each in calls if isinstance(calls, list) else []:
        match each:
            case {"id": str(call_id), "function": {"name": str(name), **rest}}:
                arguments = _arguments(rest.get("arguments"))
                yield "fc", {"type": "function_call", "call_id": call_id, "name": name, "arguments": arguments}


def _parts(message: Mapping[str, Any]) -> Iterator[Json]:
    content, refusal = message.get("content"), message.get("refusal")
    if isinstance(content, list):
        texts = [each["text"] for each in content if isinstance(each, dict) and isinstance(each.get("text"), str)]
        content = "".join(texts)
    if isinstance(content, str) and content:
        yield {"type": "output_text", "text": content, "annotations": [], "logprobs": []}
    if isinstance(refusal, str) and refusal:
        yield {"type": "refusal", "refusal": refusal}


def _arguments(given: object) -> str:
    if isinstance(given, str):
        return given
    return "{}" if given is None else json.dumps(given)
