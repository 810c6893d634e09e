"""One call to a model, as a log has it, whatever the log's format."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Literal, NamedTuple

from shared.domain.answer import Usage

Kind = Literal["task", "chat", "response", "embeddings"]
"""The endpoint that a body is for: `predict`, chat completions, responses or embeddings."""

MOST = 2**31 - 1
SECONDS_TO, LATEST = 1e11, 1e20
"""A greater number is a time in milliseconds, microseconds or nanoseconds: in seconds it would be the year 5138."""

COMPLETE = frozenset({"stop", "tool_calls", "function_call"})
"""Why a model has stopped whose answer AskOnce keeps."""

BYTES_PER_TOKEN = 4
ENTRY_BYTES = 700
"""What a tier stores beside an answer's text: names, times, ids, and the server's own record of a key."""

TYPICAL_TEXT_BYTES = 1_000
"""For a log that tells neither answers nor tokens."""


class Call(NamedTuple):
    """`format`: that of its record. `body`: what was sent, None if the log has it not; `kind`: to which endpoint.

    `digest`: what the log has in place of a body. `model`, `provider`: who answered, for prices. `at`: when it began,
    in seconds since the epoch. `seconds`: how long it took. `usage`: its tokens. `spend`: US dollars, as the log says.
    `answer_bytes`: what a tier would store. `failed`: nobody was answered. `free`: another cache has answered. `keeps`:
    the answer is complete, so that AskOnce keeps it.
    """

    format: str
    body: Mapping[str, Any] | None = None
    kind: Kind = "chat"
    digest: str | None = None
    model: str = ""
    provider: str = ""
    at: float | None = None
    seconds: float | None = None
    usage: Usage = Usage()
    spend: float | None = None
    answer_bytes: int = ENTRY_BYTES
    failed: bool = False
    free: bool = False
    keeps: bool = True


def seconds_of(value: object) -> float | None:
    """Return a time, which may be RFC 3339 or a number, in seconds since the epoch; without a zone it is UTC."""
    try:
        if isinstance(value, str):
            moment = datetime.fromisoformat(value)
            return (moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return None
    if not (type(value) is float or type(value) is int) or not 0 < value < LATEST:
        return None
    while value >= SECONDS_TO:
        value /= 1000
    return float(value)


def count(value: object) -> int | None:
    """Return a count; None if it is none."""
    return value if type(value) is int and 0 <= value <= MOST else None


def number(value: object) -> float | None:
    """Return a number from 0 on; None if it is none."""
    return float(value) if (type(value) is float or type(value) is int) and 0 <= value <= MOST else None


def text(value: object) -> str:
    """Return a string; empty if it is none."""
    return value if isinstance(value, str) else ""


def usage_in(document: Mapping[str, Any]) -> Usage:
    """Return the tokens in a `usage` of chat completions or of responses."""
    prompt = count(document.get("prompt_tokens", document.get("input_tokens")))
    completion = count(document.get("completion_tokens", document.get("output_tokens")))
    details = document.get("prompt_tokens_details", document.get("input_tokens_details"))
    cached = count(details.get("cached_tokens")) if isinstance(details, dict) else None
    if prompt is not None and completion is None and "total_tokens" in document:
        # Embeddings have no completion.
        completion = 0
    return Usage(prompt, completion, None, cached if cached is None or prompt is None else min(cached, prompt))


def answer_of(response: Mapping[str, Any], usage: Usage) -> tuple[int, bool]:
    """Return the bytes that a tier would store for a completion, and whether it is complete."""
    choices = response.get("choices")
    if not isinstance(choices, list):
        return size_by(usage), True
    size, complete = ENTRY_BYTES, True
    for choice in choices:
        if isinstance(choice, dict):
            message, reason = choice.get("message"), choice.get("finish_reason")
            said = text(message.get("content")) if isinstance(message, dict) else ""
            size += len(said) if said.isascii() else len(said.encode(errors="replace"))
            # A `match` would take four times as long.
            complete = complete and (not isinstance(reason, str) or reason in COMPLETE)
    return size, complete


def size_by(usage: Usage) -> int:
    """Return the bytes that a tier would store for an answer of which only the tokens are known."""
    tokens = usage.completion_tokens
    return ENTRY_BYTES + (TYPICAL_TEXT_BYTES if tokens is None else tokens * BYTES_PER_TOKEN)
