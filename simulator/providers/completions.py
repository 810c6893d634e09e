"""The shape of a chat completion, common to all kinds of providers, and how tokens are counted."""

import hashlib
from typing import Any

from simulator.providers.wire import ProviderRequest

#: 2026-01-01: a fixed time, because the same request must get the same answer.
CREATED = 1_767_225_600
CHARACTERS_PER_TOKEN = 4


def count_tokens(text: str) -> int:
    """Return about as many tokens as a real tokenizer would find; at least 1."""
    return max(1, -(-len(text) // CHARACTERS_PER_TOKEN))


def completion(asked: ProviderRequest, prompt: str, choices: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the completion with these choices as the answers to this prompt."""
    digest = fingerprint(asked)
    prompt_tokens = count_tokens(prompt) + 8
    completion_tokens = sum(_tokens_of(choice["message"]) for choice in choices)
    return {
        "id": f"chatcmpl-{digest[:8]}-{digest[8:12]}-{digest[12:16]}-{digest[16:20]}-{digest[20:32]}",
        "object": "chat.completion",
        "created": CREATED,
        "model": asked.model,
        "choices": choices,
        "usage": {
            "prompt_tokens": prompt_tokens,
            "completion_tokens": completion_tokens,
            "total_tokens": prompt_tokens + completion_tokens,
        },
        "system_fingerprint": f"fp_{digest[32:42]}",
    }


def fingerprint(asked: ProviderRequest) -> str:
    """Return 64 hex digits that are the same for the same request on any machine."""
    return hashlib.sha256(asked.path.encode() + b"\n" + asked.body).hexdigest()


def _tokens_of(message: dict[str, Any]) -> int:
    called = (call["function"] for call in message.get("tool_calls", ()))
    return count_tokens((message["content"] or "") + "".join(each["name"] + each["arguments"] for each in called))
