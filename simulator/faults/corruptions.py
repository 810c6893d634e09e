"""Answers with status 200 whose content is wrong."""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from simulator.faults.faults import FaultKind
from simulator.providers.wire import ProviderReply


def truncated(reply: ProviderReply) -> ProviderReply:
    """Stop a completion half way (finish_reason "length"); cut any other body."""
    completion = _completion(reply)
    if completion is None:
        return replace(reply, body=reply.body[: len(reply.body) // 2])
    for choice in completion["choices"]:
        said = choice["message"]
        if said.get("tool_calls"):
            called = said["tool_calls"][-1]["function"]
            called["arguments"] = called["arguments"][: len(called["arguments"]) // 2]
        else:
            said["content"] = said["content"][: len(said["content"]) // 2]
        choice["finish_reason"] = "length"
    return replace(reply, body=json.dumps(completion, ensure_ascii=False).encode())


def empty(reply: ProviderReply) -> ProviderReply:
    """Return a completion without text, or a list without labels."""
    completion = _completion(reply)
    if completion is None:
        return replace(reply, body=b"[]")
    for choice in completion["choices"]:
        choice["message"] = {"role": "assistant", "content": ""}
        choice["logprobs"] = None
    return replace(reply, body=json.dumps(completion, ensure_ascii=False).encode())


def garbage(reply: ProviderReply) -> ProviderReply:
    """Return a body that only starts like JSON."""
    return replace(reply, body=b'{"id": "simulated", "choices": [\xff\xfe')


def misshapen(reply: ProviderReply) -> ProviderReply:
    """Return valid JSON of an unexpected shape."""
    return replace(reply, body=b'{"outcome": {"unexpected": true}}')


def _completion(reply: ProviderReply) -> dict[str, Any] | None:
    document = json.loads(reply.body)
    return document if isinstance(document, dict) and "choices" in document else None


CORRUPTIONS: Mapping[FaultKind, Callable[[ProviderReply], ProviderReply]] = MappingProxyType(
    {
        FaultKind.TRUNCATED: truncated,
        FaultKind.EMPTY: empty,
        FaultKind.GARBAGE: garbage,
        FaultKind.MISSHAPEN: misshapen,
    }
)
