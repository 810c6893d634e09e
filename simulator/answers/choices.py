"""The choices of a chat completion: a text or calls of functions, ended where the order says."""

import hashlib
import json
from typing import Any

from simulator.answers.captions import Captions
from simulator.answers.pieces import pieces
from simulator.answers.replies import content_of
from simulator.answers.schema_instances import instance
from simulator.providers.chat_order import ChatOrder
from simulator.providers.completions import CHARACTERS_PER_TOKEN, count_tokens
from simulator.providers.functions import Function

#: Every word is as probable as the others.
LOGPROB = -0.25


def choices_of(order: ChatOrder, captions: Captions, thought: str = "") -> list[dict[str, Any]]:
    """Return as many choices as ordered, each text after this thought; UnusableSchema if a schema has no instance."""
    if order.functions:
        return [_calls(order, index) for index in range(order.choices)]
    content = content_of(order.conversation, order.response_format, captions)
    return [_text(order, index, thought + _variant(order, index, content)) for index in range(order.choices)]


def _variant(order: ChatOrder, index: int, content: str) -> str:
    """Return this content so that the choices differ, where it is a text and not JSON."""
    return content if index == 0 or order.response_format else f"{content} (Choice {index + 1}.)"


def _text(order: ChatOrder, index: int, content: str) -> dict[str, Any]:
    ends = [place for place in (content.find(stop) for stop in order.stop) if place >= 0]
    said = content[: min(ends, default=len(content))]
    cut = order.limit is not None and count_tokens(said) > order.limit
    if cut and order.limit is not None:
        said = said[: order.limit * CHARACTERS_PER_TOKEN]
    return {
        "index": index,
        "message": {"role": "assistant", "content": said},
        "logprobs": _logprobs(said) if order.logprobs else None,
        "finish_reason": "length" if cut else "stop",
    }


def _logprobs(said: str) -> dict[str, Any]:
    content = [
        {"token": piece, "logprob": LOGPROB, "bytes": list(piece.encode()), "top_logprobs": []}
        for piece in pieces(said)
    ]
    return {"content": content, "refusal": None}


def _calls(order: ChatOrder, index: int) -> dict[str, Any]:
    calls = [_call(function, f"{index}.{place}") for place, function in enumerate(order.functions)]
    return {
        "index": index,
        "message": {"role": "assistant", "content": None, "tool_calls": calls},
        "logprobs": None,
        "finish_reason": "tool_calls",
    }


def _call(function: Function, place: str) -> dict[str, Any]:
    arguments = json.dumps(instance({"type": "object", **function.parameters}), ensure_ascii=False)
    digest = hashlib.sha256(f"{place} {function.name} {arguments}".encode()).hexdigest()
    return {
        "id": f"call_{digest[:24]}",
        "type": "function",
        "function": {"name": function.name, "arguments": arguments},
    }
