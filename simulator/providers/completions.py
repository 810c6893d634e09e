"""The shape of a chat completion, common to Groq and Hugging Face, and how tokens are counted."""

import hashlib
from typing import Any

from simulator.providers.wire import ProviderRequest

#: 2026-01-01: a fixed time, because the same request must get the same answer.
CREATED = 1_767_225_600
CHARACTERS_PER_TOKEN = 4


def count_tokens(text: str) -> int:
    """Return about as many tokens as a real tokenizer would find; at least 1."""
    return max(1, -(-len(text) // CHARACTERS_PER_TOKEN))


def completion(asked: ProviderRequest, prompt: str, content: str, limit: int | None) -> dict[str, Any]:
    """Return the completion with this content, cut to `limit` tokens (finish_reason "length") where it is longer."""
    digest = fingerprint(asked)
    cut = limit is not None and count_tokens(content) > limit
    said = content[: limit * CHARACTERS_PER_TOKEN] if cut and limit is not None else content
    prompt_tokens, completion_tokens = count_tokens(prompt) + 8, count_tokens(said)
    return {
        "id": f"chatcmpl-{digest[:8]}-{digest[8:12]}-{digest[12:16]}-{digest[16:20]}-{digest[20:32]}",
        "object": "chat.completion",
        "created": CREATED,
        "model": asked.model,
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": said},
                "logprobs": None,
                "finish_reason": "length" if cut else "stop",
            }
        ],
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
